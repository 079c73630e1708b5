//! The database behind one small interface: transactions, rows and values, and the migrations.
//!
//! Callers write each SQL statement once, in the dialect that SQLite and PostgreSQL share, with `?1` for the
//! first parameter; what differs between engines stays in this crate. It knows no goal and no export.
//!
//! - [`Db::read`]: a short look at one consistent state.
//! - [`Db::write`]: all or nothing; waits a bounded time for its turn ([`ErrorKind::Busy`] after that).
//! - [`Db::snapshot`]: a long read of one consistent state, on the caller's own (blocking) thread.
//! - [`Db::write_alone`]: a long write, such as an import, likewise.
//!
//! Transactions are ordinary synchronous closures: a statement costs no hop between threads, and concurrent
//! writers share one commit (and so one sync of the disk) on SQLite.

mod error;
mod migrate;
mod row;
mod sqlite;
mod tx;
mod value;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use error::{Error, ErrorKind, Result};
pub use row::{Cursor, Row};
pub use tx::Tx;
pub use value::{Params, Value};

/// The newest schema that this build knows; it refuses to work on a newer one.
pub const SCHEMA_VERSION: i64 = migrate::NEWEST;

/// How a database is opened.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a [`Db::write`] may wait for its turn before it fails with [`ErrorKind::Busy`].
    pub write_wait: Duration,
    /// Added to the database's clock by [`Tx::now_us`]. Only tests move it, through [`Db::advance_clock`].
    pub clock_offset_us: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { write_wait: Duration::from_secs(5), clock_offset_us: 0 }
    }
}

/// A handle on one database; clones share it.
#[derive(Clone, Debug)]
pub struct Db {
    sqlite: Arc<sqlite::Sqlite>,
}

impl Db {
    /// Open the SQLite file at `path`, made if it is not there, and bring its schema up to date.
    ///
    /// # Errors
    /// [`ErrorKind::NewerSchema`] if a newer Goalpost wrote it; [`ErrorKind::NotADatabase`] if it is some other file.
    pub fn open(path: &Path, settings: Settings) -> Result<Self> {
        Ok(Self { sqlite: Arc::new(sqlite::Sqlite::open(path, settings)?) })
    }

    /// Run a short read. It runs on the calling thread, so it must touch few rows.
    pub fn read<T, E: From<Error>>(&self, f: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.sqlite.read(f)
    }

    /// Run a long read on the calling thread, which must be one that may block. The same as [`Db::read`] on
    /// SQLite; named apart because the two take their connections from different pools elsewhere.
    pub fn snapshot<T, E: From<Error>>(&self, f: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.sqlite.read(f)
    }

    /// Run a short write: committed and on disk when this returns `Ok`, without a trace when it returns `Err`.
    /// `f` may run more than once, so it must not change anything but the transaction.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: Fn(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.sqlite.write(f).await
    }

    /// Run a long write on the calling thread, over a connection of its own, so that short writes keep
    /// their bounded wait. Waits up to `wait` for its turn.
    pub fn write_alone<T, E: From<Error>>(
        &self,
        wait: Duration,
        f: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.sqlite.write_alone(wait, f)
    }

    /// Write the journal back into the main file and shrink it, if nobody is reading; after large writes.
    pub fn checkpoint(&self) -> Result<()> {
        self.sqlite.checkpoint()
    }

    /// Move the database's clock forward for this handle's process. For tests.
    pub fn advance_clock(&self, by: Duration) {
        self.sqlite.advance_clock(by);
    }
}
