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
//! Each says for whom it is, by a [`Scope`]: statements of one organization see nothing of another.
//!
//! Transactions are ordinary synchronous closures: a statement costs no hop between threads. On SQLite concurrent
//! writers share one commit (and so one sync of the disk); on PostgreSQL a transaction begins in the same round trip
//! as its first statement, and what fails without a trace is tried again.

mod counters;
mod error;
mod faults;
mod location;
mod migrate;
mod pending;
mod postgres;
mod row;
mod schema;
mod scope;
mod sqlite;
mod tx;
mod value;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

pub use counters::Counters;
pub use error::{Error, ErrorKind, Result};
pub use faults::{Fault, Faults, Op};
pub use location::{Location, LocationError};
pub use migrate::{NEWEST as SCHEMA_VERSION, Version, schema_version};
pub use row::{Cursor, Row};
pub use schema::Table;
pub use scope::Scope;
pub use tx::{Ahead, Changed, Lock, NewRow, Tx};
pub use value::{Params, Value};

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a [`Db::write`] may wait for its turn before it fails with [`ErrorKind::Busy`].
    pub write_wait: Duration,
    /// Added to the database's clock by [`Tx::now_us`]. Only tests move it, through [`Db::advance_clock`].
    pub clock_offset_us: i64,
    /// The instant at which the database's clock stands until [`Db::advance_clock`] moves it, on SQLite. For tests that
    /// must go the same way each time.
    pub clock_stands_at_us: Option<i64>,
    /// Connections for short transactions that are open at the same time, on PostgreSQL.
    pub connections: usize,
    /// Whether an older schema is brought up to date; if not, it is refused.
    pub migrate: bool,
    /// The newest schema that this program knows, and so the one that it makes. An older one than [`SCHEMA_VERSION`]
    /// is for restoring what an older program had, and for tests.
    pub newest: Version,
    /// Whether a schema that is made gets row-level security, on PostgreSQL.
    pub row_security: bool,
    /// Split every organization's table into so many partitions when the schema is made, on PostgreSQL, and refuse
    /// statements of one organization that look into more than one. For tests.
    pub partitions: Option<u32>,
    /// Failures on purpose. For tests.
    pub faults: Option<Arc<dyn Faults>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            write_wait: Duration::from_secs(5),
            clock_offset_us: 0,
            clock_stands_at_us: None,
            connections: 10,
            migrate: true,
            newest: SCHEMA_VERSION,
            row_security: true,
            partitions: None,
            faults: None,
        }
    }
}

/// A handle on one database; clones share it.
#[derive(Clone, Debug)]
pub struct Db {
    engine: Engine,
    faults: Option<Arc<dyn Faults>>,
}

#[derive(Clone, Debug)]
enum Engine {
    Sqlite(Arc<sqlite::Sqlite>),
    Postgres(Arc<postgres::Postgres>),
}

impl Db {
    /// Open the database, made if it is a file that is not there, and bring its schema up to date. Blocks.
    ///
    /// # Errors
    /// [`ErrorKind::NewerSchema`] if a newer Goalpost wrote it; [`ErrorKind::OlderSchema`] if it may not be brought up to
    /// date; [`ErrorKind::NotADatabase`] if it is some other file; [`ErrorKind::Unavailable`] or [`ErrorKind::Refused`]
    /// if the server cannot be reached or does not let us in.
    pub fn open(location: &Location, settings: Settings) -> Result<Self> {
        let faults = settings.faults.clone();
        let engine = match location {
            Location::File(path) => Engine::Sqlite(Arc::new(sqlite::Sqlite::open(path, settings)?)),
            Location::Server(server) => {
                Engine::Postgres(Arc::new(postgres::Postgres::open(server, settings)?))
            }
        };
        Ok(Self { engine, faults })
    }

    /// The schema that a database has, without changing it; `None` if it has none yet. Blocks.
    ///
    /// # Errors
    /// As [`Db::open`], but for the versions.
    pub fn version_of(location: &Location) -> Result<Option<Version>> {
        match location {
            Location::File(path) => sqlite::version_of(path),
            Location::Server(server) => postgres::version_of(server),
        }
    }

    /// Whether this program can work on a schema as it is.
    ///
    /// # Errors
    /// [`ErrorKind::NewerSchema`]; [`ErrorKind::OlderSchema`] if it has to be brought up to date, or is not there.
    pub fn admit(version: Option<Version>) -> Result<()> {
        migrate::admit(version, SCHEMA_VERSION)
    }

    /// The engine's name, for people and metrics.
    pub fn engine(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgresql",
        }
    }

    /// Whether it is asked over a network, which takes longer than what a short read does here.
    pub fn is_remote(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// Run a short read; it must touch few rows. `f` may run more than once.
    pub async fn read<T, E, F>(&self, scope: impl Into<Scope>, f: F) -> Result<T, E>
    where
        F: Fn(&Tx<'_>) -> Result<T, E>,
        E: From<Error>,
    {
        let fault = faults::next(self.faults.as_ref(), Op::Read);
        fault.before()?;
        let result = match &self.engine {
            // On the calling thread: it takes less time than handing it over.
            Engine::Sqlite(sqlite) => sqlite.read(f),
            Engine::Postgres(postgres) => postgres.read(scope.into(), f).await,
        };
        fault.after(result)
    }

    /// Run a long read on the calling thread, which must be one that may block.
    pub fn snapshot<T, E: From<Error>>(
        &self,
        scope: impl Into<Scope>,
        f: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.snapshot_from(scope, |tx| Ok(tx.begin()?), |tx, ()| f(tx))
    }

    /// The same, with what `first` read; that may run more than once, and its first statement takes no longer than
    /// beginning does.
    pub fn snapshot_from<A, T, E: From<Error>>(
        &self,
        scope: impl Into<Scope>,
        first: impl Fn(&Tx<'_>) -> Result<A, E>,
        then: impl FnOnce(&Tx<'_>, A) -> Result<T, E>,
    ) -> Result<T, E> {
        let fault = faults::next(self.faults.as_ref(), Op::Read);
        fault.before()?;
        let result = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(|tx| then(tx, first(tx)?)),
            Engine::Postgres(postgres) => postgres.snapshot(scope.into(), first, then),
        };
        fault.after(result)
    }

    /// Run a short write: committed and on disk when this returns `Ok`, without a trace when it returns `Err`; but of a
    /// write that failed as [`ErrorKind::Unavailable`] nobody knows which.
    /// `f` may run more than once, so it must not change anything but the transaction.
    pub async fn write<T, E, F>(&self, scope: impl Into<Scope>, f: F) -> Result<T, E>
    where
        F: Fn(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let fault = faults::next(self.faults.as_ref(), Op::Write);
        fault.before()?;
        let result = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(f).await,
            Engine::Postgres(postgres) => postgres.write(scope.into(), f).await,
        };
        fault.after(result)
    }

    /// The same for what is written all the time by many who need not wait for each other: those that come while such a
    /// transaction is under way share the next one. What one of them does wrong befalls it alone.
    pub async fn write_together<T, E, F>(&self, scope: impl Into<Scope>, f: F) -> Result<T, E>
    where
        F: Fn(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let fault = faults::next(self.faults.as_ref(), Op::Write);
        fault.before()?;
        let result = match &self.engine {
            // There all writes do.
            Engine::Sqlite(sqlite) => sqlite.write(f).await,
            Engine::Postgres(postgres) => postgres::together::write(postgres, scope.into(), f).await,
        };
        fault.after(result)
    }

    /// Run a long write on the calling thread, over a connection of its own, so that short writes keep
    /// their bounded wait. Waits up to `wait` for its turn.
    pub fn write_alone<T, E: From<Error>>(
        &self,
        scope: impl Into<Scope>,
        wait: Duration,
        f: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write_alone(wait, f),
            Engine::Postgres(postgres) => postgres.write_alone(scope.into(), wait, f),
        }
    }

    /// Tidy up after large writes: write SQLite's journal back into the main file and shrink it, if nobody is reading;
    /// let PostgreSQL look at what the tables hold now, which its plans go by. Blocks.
    pub fn settle(&self) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.checkpoint(),
            Engine::Postgres(postgres) => postgres.analyze(),
        }
    }

    /// Until `stop`, tell the other processes on this database whenever `made` is notified, and notify `wake` when one
    /// of them says so. Only a hint: where it does not pass, as on SQLite or through a transaction pooler, workers find
    /// out by looking.
    pub async fn relay_wakes(&self, made: &Notify, wake: &Notify, stop: impl Future<Output = ()>) {
        match &self.engine {
            Engine::Sqlite(_) => stop.await,
            Engine::Postgres(postgres) => postgres.relay_wakes(made, wake, stop).await,
        }
    }

    /// The tables as the engine has them, by name.
    pub fn tables(&self) -> Result<Vec<Table>> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(schema::sqlite_tables),
            Engine::Postgres(postgres) => {
                postgres.snapshot(Scope::Global, |_| Ok(()), |tx, ()| schema::postgres_tables(tx))
            }
        }
    }

    /// What this handle and its clones have met since the database was opened.
    pub fn counters(&self) -> Counters {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.counters(),
            Engine::Postgres(postgres) => postgres.counters(),
        }
    }

    /// Move the database's clock forward for this handle's process. For tests.
    pub fn advance_clock(&self, by: Duration) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.advance_clock(by),
            Engine::Postgres(postgres) => postgres.advance_clock(by),
        }
    }
}
