//! Writes that wait for others, with which they share a transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::Tx;
use crate::error::{Error, ErrorKind, Result};

/// A write that waits for its turn; erased, so that one queue holds all of them.
pub(crate) trait Write: Send {
    fn asked_at(&self) -> Instant;
    fn deadline(&self) -> Instant;
    /// Run in the open transaction; `false` if it must leave no trace.
    fn run(&mut self, tx: &Tx<'_>) -> bool;
    /// Answer the caller: what `run` gave, unless its group could not be committed.
    fn answer(self: Box<Self>, commit: Result<()>);
}

pub(crate) struct Pending<F, T, E> {
    f: F,
    asked_at: Instant,
    deadline: Instant,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E: From<Error>> Pending<F, T, E> {
    /// A write that is to begin within `wait`, and where its answer comes.
    pub(crate) fn new(f: F, wait: Duration) -> (Self, Answer<T, E>) {
        let (reply, answer) = oneshot::channel();
        let asked_at = Instant::now();
        (Self { f, asked_at, deadline: asked_at + wait, outcome: None, reply }, Answer(answer))
    }
}

/// The answer to a write, once it is there.
pub(crate) struct Answer<T, E>(oneshot::Receiver<Result<T, E>>);

impl<T, E: From<Error>> Answer<T, E> {
    pub(crate) async fn wait(self) -> Result<T, E> {
        self.0.await.unwrap_or_else(|_| Err(stopped().into()))
    }
}

/// Nobody is there to answer.
pub(crate) fn stopped() -> Error {
    Error::new(ErrorKind::Other, "the database's writer has stopped")
}

impl<F, T, E> Write for Pending<F, T, E>
where
    F: Fn(&Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn asked_at(&self) -> Instant {
        self.asked_at
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn run(&mut self, tx: &Tx<'_>) -> bool {
        // A panic in one write must not take along whoever runs it, and with that every other write.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.f)(tx)))
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Unexpected, "a write panicked").into()));
        self.outcome.insert(outcome).is_ok()
    }

    fn answer(self: Box<Self>, commit: Result<()>) {
        let answer = match (self.outcome, commit) {
            (Some(outcome), Ok(())) => outcome,
            (Some(Err(error)), Err(_)) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (None, Ok(())) => {
                Err(Error::new(ErrorKind::Unexpected, "a write was answered before it ran").into())
            }
        };
        // The caller may have gone away; the write stands all the same.
        let _ = self.reply.send(answer);
    }
}
