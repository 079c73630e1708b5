//! Failures on purpose, between the caller and the database, so that tests meet both ways of losing a message.

use std::fmt::Debug;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};

/// What is asked of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// [`crate::Db::read`] or [`crate::Db::snapshot`].
    Read,
    /// [`crate::Db::write`].
    Write,
}

/// How a transaction is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not.
    None,
    /// It never runs, and its caller meets [`ErrorKind::Unavailable`].
    DropRequest,
    /// It runs and is committed, but its caller meets [`ErrorKind::Unavailable`].
    DropReply,
}

/// Decides which transactions are lost.
pub trait Faults: Debug + Send + Sync {
    /// What happens to the next one.
    fn next(&self, op: Op) -> Fault;

    /// What happens to the next statement of a migration, and at its end to the commit. The process may end here.
    fn next_of_migration(&self) -> Fault {
        Fault::None
    }
}

pub(crate) fn next(faults: Option<&Arc<dyn Faults>>, op: Op) -> Fault {
    faults.map_or(Fault::None, |faults| faults.next(op))
}

impl Fault {
    pub(crate) fn before(self) -> Result<()> {
        if self == Self::DropRequest { Err(lost("request")) } else { Ok(()) }
    }

    pub(crate) fn after<T, E: From<Error>>(self, result: Result<T, E>) -> Result<T, E> {
        if self == Self::DropReply { Err(lost("reply").into()) } else { result }
    }
}

fn lost(what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("the {what} was lost on purpose"))
}
