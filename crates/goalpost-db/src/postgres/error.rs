//! What PostgreSQL's errors mean to a caller.

use std::error::Error as _;

use tokio_postgres::error::SqlState;

use crate::error::{Error, ErrorKind};

/// An error with its causes, as one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(present) = cause {
        let told = present.to_string();
        if !line.contains(&told) {
            line = format!("{line}: {told}");
        }
        cause = present.source();
    }
    line
}

/// Whether the server undid the transaction because of others beside it: it leaves no trace, and may be run again.
pub(super) fn is_conflict(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}

/// Whether the connection is of no use any more.
pub(super) fn is_lost(error: &tokio_postgres::Error) -> bool {
    let broken = error.is_closed()
        || error.source().is_some_and(|source| source.downcast_ref::<std::io::Error>().is_some());
    broken
        || error.code().is_some_and(|code| {
            code.code().starts_with("08")
                || matches!(
                    *code,
                    SqlState::ADMIN_SHUTDOWN
                        | SqlState::CRASH_SHUTDOWN
                        | SqlState::CANNOT_CONNECT_NOW
                        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
                        | SqlState::DATABASE_DROPPED
                )
        })
}

/// Whether a statement that cannot fail did, since its name stands for another one.
pub(super) fn is_of_another(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| *code == SqlState::PROTOCOL_VIOLATION || !is_lost(error))
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let kind = match error.code() {
            None if is_lost(&error) => ErrorKind::Unavailable,
            None => ErrorKind::Other,
            Some(code) => match *code {
                SqlState::UNIQUE_VIOLATION => ErrorKind::Unique,
                SqlState::LOCK_NOT_AVAILABLE
                | SqlState::QUERY_CANCELED
                | SqlState::T_R_SERIALIZATION_FAILURE
                | SqlState::T_R_DEADLOCK_DETECTED => ErrorKind::Busy,
                SqlState::DISK_FULL => ErrorKind::StorageFull,
                // A standby takes writes only once it has been promoted.
                SqlState::READ_ONLY_SQL_TRANSACTION
                | SqlState::TOO_MANY_CONNECTIONS
                | SqlState::OUT_OF_MEMORY
                | SqlState::INSUFFICIENT_RESOURCES => ErrorKind::Unavailable,
                SqlState::INVALID_PASSWORD
                | SqlState::INVALID_AUTHORIZATION_SPECIFICATION
                | SqlState::INVALID_CATALOG_NAME
                | SqlState::INSUFFICIENT_PRIVILEGE => ErrorKind::Refused,
                _ if is_lost(&error) => ErrorKind::Unavailable,
                _ => ErrorKind::Other,
            },
        };
        Self::new(kind, chain(&error))
    }
}
