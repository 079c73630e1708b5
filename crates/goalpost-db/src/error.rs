use std::fmt;

/// What a database call answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a database call failed, in the terms a caller can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Another writer held the database for longer than the caller may wait; a retry helps.
    Busy,
    /// The disk, or the place given to the database, is full.
    StorageFull,
    /// A row with that key exists; which constraint stands in the message.
    Unique,
    /// The data were written by a newer Goalpost.
    NewerSchema,
    /// The data were written by an older Goalpost, and this process may not bring them up to date.
    OlderSchema,
    /// The server cannot be reached, stopped in the middle, or takes no writes at present: a retry helps, and what was
    /// asked for may or may not have been done.
    Unavailable,
    /// The server does not let us in, or not do what was asked: a matter of names, passwords and grants.
    Refused,
    /// The file is no database, or not ours.
    NotADatabase,
    /// A column did not hold what the statement's author expected: a bug, or a damaged file.
    Unexpected,
    /// Anything else that the engine reports.
    Other,
}

/// A failed database call: its kind, and the engine's own words for the log.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// A stored state that must not be: a bug, or a damaged file.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unexpected, message)
    }

    /// What to do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether a unique key refused a second row.
    pub fn is_unique(&self) -> bool {
        self.kind == ErrorKind::Unique
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let kind = match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                Code::DatabaseBusy | Code::DatabaseLocked => ErrorKind::Busy,
                Code::DiskFull => ErrorKind::StorageFull,
                Code::NotADatabase | Code::DatabaseCorrupt => ErrorKind::NotADatabase,
                Code::ConstraintViolation => match failure.extended_code {
                    rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                        ErrorKind::Unique
                    }
                    _ => ErrorKind::Other,
                },
                _ => ErrorKind::Other,
            },
            rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::FromSqlConversionFailure(..) => {
                ErrorKind::Unexpected
            }
            _ => ErrorKind::Other,
        };
        Self::new(kind, error.to_string())
    }
}
