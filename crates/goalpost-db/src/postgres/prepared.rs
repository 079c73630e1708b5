//! Statements that a connection keeps prepared, so that the server does not parse and plan them each time.
//!
//! They live in one server process. A transaction pooler may hand each transaction to another one, where the name that
//! this connection gave to a statement stands for nothing, or for a statement of somebody else. So each transaction
//! asks, in the round trip that begins it, which process it has: another one than before, or an answer to something
//! else, and the transaction is undone and run again, and from then on nothing is prepared.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, Type};

/// Texts that a connection remembers; where there are more, it begins anew.
const MOST: usize = 256;

/// What a statement's name says that finds its rows in the same way whatever its values are: by keys, and few of them.
pub(super) const BY_KEY: &str = "(by key)";

/// What the server says of the process that a connection has, and of its clock.
pub(super) const PROCESS_AND_CLOCK: &str = "pg_backend_pid(), pg_postmaster_start_time(), clock_timestamp()";

/// A process of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) number: i32,
    /// When the server was started.
    pub(super) started: Micros,
}

/// A `timestamptz`: microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Micros(pub(super) i64);

/// 2000-01-01, from where PostgreSQL counts, in microseconds since 1970.
const PG_EPOCH_US: i64 = 946_684_800_000_000;

impl<'a> FromSql<'a> for Micros {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(i64::from_be_bytes(raw.try_into()?) + PG_EPOCH_US))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }
}

/// The statements of one connection.
pub(super) struct Prepared {
    /// Whether the database's connections prepare statements at all.
    allowed: Arc<AtomicBool>,
    process: Option<Process>,
    statements: HashMap<String, Option<Statement>>,
}

/// What to do with a statement.
pub(super) enum Way {
    /// Send it whole.
    Whole,
    /// Prepare it first: it was sent before, and so will be again.
    Prepare,
    /// It is prepared.
    Ready(Statement),
}

impl Prepared {
    pub(super) fn new(allowed: Arc<AtomicBool>) -> Self {
        Self { allowed, process: None, statements: HashMap::new() }
    }

    /// How to send this statement, which counts as sent. `reads_few` says of the transaction what [`BY_KEY`] says of a
    /// statement.
    pub(super) fn way(&mut self, sql: &str, types: &[Type], reads_few: bool) -> Way {
        // Of many rows, the first few are found in another way for a rare value than for a common one.
        let looks_for_first = !reads_few && sql.contains(" limit ") && !sql.contains(BY_KEY);
        if !self.allowed.load(Ordering::Relaxed) || looks_for_first {
            return Way::Whole;
        }
        match self.statements.get(sql) {
            Some(Some(statement)) if fits(statement, types) => Way::Ready(statement.clone()),
            Some(Some(_)) => Way::Whole,
            Some(None) => Way::Prepare,
            None => {
                if self.statements.len() == MOST {
                    self.statements.clear();
                }
                self.statements.insert(sql.to_owned(), None);
                Way::Whole
            }
        }
    }

    pub(super) fn keep(&mut self, sql: &str, statement: Statement) {
        self.statements.insert(sql.to_owned(), Some(statement));
    }

    /// Whether a transaction that has this process may go on.
    pub(super) fn is_at(&mut self, process: Process) -> bool {
        if self.statements.values().all(Option::is_none) {
            self.process = Some(process);
        }
        self.process == Some(process)
    }

    /// Prepare nothing from here on, over any connection.
    pub(super) fn forbid(&self) {
        if self.allowed.swap(false, Ordering::Relaxed) {
            // Of the connection, whichever request or job happened to find it out.
            tracing::info!(
                parent: None,
                "a transaction pooler stands before the database: statements are not prepared"
            );
        }
    }

    /// Whether a statement failed because it is not what was prepared any more.
    pub(super) fn is_stale(&self, error: &tokio_postgres::Error) -> bool {
        let Some(error) = error.as_db_error() else { return false };
        let not_ours =
            matches!(*error.code(), SqlState::INVALID_SQL_STATEMENT_NAME | SqlState::DUPLICATE_PSTATEMENT);
        if not_ours {
            self.forbid();
        }
        // A newer program has changed the table: the next connection prepares for what it is now.
        let changed =
            *error.code() == SqlState::FEATURE_NOT_SUPPORTED && error.message().contains("cached plan");
        not_ours || changed
    }
}

/// Whether a statement was prepared for values of these types; one of an unknown type is null.
fn fits(statement: &Statement, types: &[Type]) -> bool {
    let known = statement.params();
    known.len() == types.len()
        && types.iter().zip(known).all(|(given, known)| *given == Type::UNKNOWN || given == known)
}
