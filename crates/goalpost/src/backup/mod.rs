//! Backups: everything of a server in one folder, taken while it runs, restored elsewhere on either engine.
//!
//! ```text
//! backup/
//!   tables/goal.jsonl, …       every row of every table, of one instant; one JSON array a line
//!   content/15229/….csv        the file of each finished export that those rows speak of
//!   keys/…                     the own issuer's
//!   goalpost.toml              the settings file
//!   manifest.json.sha256
//!   manifest.json              what all of that must be; written last, so a backup without it is none
//! ```
//! Rows come from one snapshot of the database, files of exports after it: they never change, and one that expires
//! meanwhile is named in the manifest as left out, as if it had expired a moment earlier. Memory does not grow with the
//! number of rows or the size of files.
//!
//! Read in this order: `rows` (a row as a line), [`manifest`], [`save`], [`check`], [`restore`].

pub mod check;
mod contents;
mod error;
pub(crate) mod files;
pub mod manifest;
pub mod restore;
mod rows;
pub mod save;

use goalpost_db::{Tx, params};

pub use error::{BackupError, Result};

/// How far a backup, a check or a restore is.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What is being done.
    pub what: String,
    /// How much of it.
    pub done: u64,
    /// Of how much.
    pub total: u64,
}

/// Told now and again how far the work is.
pub type Tell<'a> = &'a mut dyn FnMut(Progress);

/// Tables that say how the database is and who uses it, not what it holds.
const NOT_SAVED: [&str; 3] = ["node", "schema_addition", "schema_migration"];

/// The numbers of all organizations.
fn organizations(tx: &Tx<'_>) -> goalpost_db::Result<Vec<i64>> {
    tx.query(
        "-- backup::organizations
        select number from organization order by number",
        params![],
        |row| row.int(0),
    )
}
