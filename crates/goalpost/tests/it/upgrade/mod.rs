//! Data of earlier versions: how they are brought up to date, what stays as it was, and both versions side by side.
//!
//! `first.zip` is the data folder (without keys) that the last program with schema 1.0 made:
//! `goalpost demo --no-serve --goals 60`, and one export of its view by `goalpost serve`, kept for a hundred years
//! (`exports.expire_after_secs`). `first.csv` is what that export held.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod first;
mod migrate;
mod side_by_side;

use std::fs;
use std::io::Cursor;

use goalpost_db::Version;
use goalpost_testing::{Engine, TestDatabase};
use tempfile::TempDir;

use crate::jobs::process::Folder;

/// The first schema that there was.
const FIRST: Version = Version { major: 1, minor: 0 };
/// Who owns the organization in it.
const OWNER: &str = "ada.quill@contoso.example";
/// The export of the demo's view, as the first version made it.
const GOLDEN: &[u8] = include_bytes!("first.csv");

/// A data folder as the first version left it.
fn first() -> Folder {
    let path = TempDir::new().unwrap();
    zip::ZipArchive::new(Cursor::new(include_bytes!("first.zip"))).unwrap().extract(path.path()).unwrap();
    fs::write(path.path().join("goalpost.toml"), "[limits]\ncreates_per_10_secs = 100000\n").unwrap();
    let database = TestDatabase::empty_on(Engine::Sqlite, path.path());
    Folder::found(database, path)
}
