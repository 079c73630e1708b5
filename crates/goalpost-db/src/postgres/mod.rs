//! PostgreSQL: transactions on the calling thread, over connections that it drives itself.
//!
//! Statements of short transactions, and of those that read few rows, are prepared by name where they come again, as long
//! as no transaction pooler is seen to stand between. A transaction begins in the round trip of its first statement,
//! which also says for which organization it is. What fails without a trace (the server undid it, or the connection was
//! lost before the commit was sent) is run again; what may have been committed is not, and its caller learns
//! [`ErrorKind::Unavailable`].

mod connection;
mod error;
mod prepared;
mod queue;
mod statement;
pub(crate) mod text;
pub(crate) mod together;
mod transaction;
mod wake;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Notify, Semaphore};

pub(crate) use self::connection::Connection;
use self::connection::Connector;
use self::together::Together;
use self::transaction::{Health, Mode};
use crate::counters::{Counters, Tally};
use crate::error::{Error, ErrorKind, Result};
use crate::location::Server;
use crate::migrate::{self, Version};
use crate::scope::Scope;
use crate::{Settings, Tx};

pub(crate) use self::error::chain;
pub(crate) use self::queue::Rows;
pub(crate) use self::transaction::{PgRow, PgRows, PgTx};

/// How often a transaction that left no trace is run before its failure is told.
const TRIES: u32 = 6;
/// How long a statement of a short transaction may take.
const SHORT: Duration = Duration::from_secs(15);

const READ: &str = "begin isolation level repeatable read read only";
const WRITE: &str = "begin isolation level read committed";
/// 1 if this user may write a word into the server's journal.
const WRITES_WORDS: &str = "select 1::bigint from pg_proc \
     where proname = 'pg_logical_emit_message' and has_function_privilege(oid, 'execute') limit 1";

pub(crate) struct Postgres {
    connector: Arc<Connector>,
    name: String,
    settings: Settings,
    clock_offset_us: AtomicI64,
    tally: Tally,
    /// Whether a word of one's own can be written into the journal: not on every server that speaks its protocol.
    can_hand_over: bool,
    /// Whether the keys of all organizations' jobs are read under a role of their own.
    keys_role: bool,
    short: Semaphore,
    together: Together,
    idle_short: Mutex<Vec<Connection>>,
    idle_long: Mutex<Vec<Connection>>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("server", &self.name).finish_non_exhaustive()
    }
}

impl Postgres {
    pub(crate) fn open(server: &Server, settings: Settings) -> Result<Self> {
        let connector = Connector::new(server)?;
        let (keys_role, can_hand_over, connection) = blocking(|| {
            let mut connection = connector.connect()?;
            let keys_role = migrate::postgres(&mut connection, &settings)?;
            let can_hand_over = connection.number(WRITES_WORDS)? == Some(1);
            Ok::<_, Error>((keys_role, can_hand_over, connection))
        })?;
        Ok(Self {
            connector: Arc::new(connector),
            name: server.to_string(),
            clock_offset_us: AtomicI64::new(settings.clock_offset_us),
            tally: Tally::default(),
            can_hand_over,
            keys_role,
            short: Semaphore::new(settings.connections.max(1)),
            together: Together::default(),
            idle_short: Mutex::new(vec![connection]),
            idle_long: Mutex::new(Vec::new()),
            settings,
        })
    }

    pub(crate) async fn read<T, E: From<Error>>(
        &self,
        scope: Scope,
        f: impl Fn(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // Those that look for what to do, which is found by indexes.
        let mode = Mode { by_keys: scope == Scope::Keys, ..self.mode(READ, Some(SHORT)) };
        self.short(|_| self.repeat(mode, scope, &f)).await
    }

    pub(crate) async fn write<T, E: From<Error>>(
        &self,
        scope: Scope,
        f: impl Fn(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.short(|waited| {
            self.tally.write_began(waited);
            self.repeat(self.short_write(), scope, &f)
        })
        .await
    }

    fn short_write(&self) -> Mode {
        Mode { by_keys: true, ..self.mode(WRITE, Some(SHORT)) }
    }

    pub(crate) fn snapshot<A, T, E: From<Error>>(
        &self,
        scope: Scope,
        first: impl Fn(&Tx<'_>) -> Result<A, E>,
        then: impl FnOnce(&Tx<'_>, A) -> Result<T, E>,
    ) -> Result<T, E> {
        self.long(self.mode(READ, None), scope, first, then)
    }

    pub(crate) fn write_alone<T, E: From<Error>>(
        &self,
        scope: Scope,
        wait: Duration,
        f: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mode = Mode { lock_wait: wait, ..self.mode(WRITE, None) };
        self.long(mode, scope, |tx| Ok(tx.begin()?), |tx, ()| f(tx))
    }

    fn mode(&self, begin: &'static str, patience: Option<Duration>) -> Mode {
        Mode { begin, lock_wait: self.settings.write_wait, patience, by_keys: false }
    }

    pub(crate) fn analyze(&self) -> Result<()> {
        blocking(|| {
            let mut connection = self.take(&self.idle_long)?;
            connection.batch("analyze")?;
            Self::keep(&self.idle_long, connection, self.settings.connections);
            Ok(())
        })
    }

    pub(crate) async fn relay_wakes(&self, made: &Notify, wake: &Notify, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = wake::relay(&self.connector, made, wake) => {}
            () = stop => {}
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.tally.counters()
    }

    pub(crate) fn advance_clock(&self, by: Duration) {
        self.clock_offset_us.fetch_add(by.as_micros() as i64, Ordering::SeqCst);
    }

    /// Run a short transaction when one of the connections for them is free; it is told how long that took.
    async fn short<T, E: From<Error>>(&self, run: impl FnOnce(Duration) -> Result<T, E>) -> Result<T, E> {
        let asked_at = Instant::now();
        let turn = tokio::time::timeout(self.settings.write_wait, self.short.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            self.tally.was_refused(ErrorKind::Busy);
            return Err(Error::new(ErrorKind::Busy, "no connection to the database was free in time").into());
        };
        blocking(|| run(asked_at.elapsed()))
    }

    fn repeat<T, E: From<Error>>(
        &self,
        mode: Mode,
        scope: Scope,
        f: &impl Fn(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut tries = 0;
        loop {
            tries += 1;
            let tx = self.transaction(&self.idle_short, mode, scope)?;
            let (connection, ended) = self.run(tx, mode, f);
            if let Some(connection) = connection {
                Self::keep(&self.idle_short, connection, self.settings.connections);
            }
            match ended {
                Ended::Done(result) => return result,
                Ended::WithoutTrace(kind, error) if tries == TRIES => {
                    self.tally.was_refused(kind);
                    return Err(error);
                }
                Ended::WithoutTrace(..) => {
                    self.tally.was_repeated();
                    // A little longer each time, and not for all the same.
                    let jitter = u64::from(std::process::id()) % 7 + u64::from(tries);
                    std::thread::sleep(Duration::from_millis(jitter * u64::from(tries)));
                }
            }
        }
    }

    fn long<A, T, E: From<Error>>(
        &self,
        mode: Mode,
        scope: Scope,
        first: impl Fn(&Tx<'_>) -> Result<A, E>,
        then: impl FnOnce(&Tx<'_>, A) -> Result<T, E>,
    ) -> Result<T, E> {
        let (mut tries, mut then) = (0, Some(then));
        blocking(|| {
            loop {
                tries += 1;
                let tx = self.transaction(&self.idle_long, mode, scope)?;
                let (connection, ended) = self.run(tx, mode, |tx| {
                    let seen = first(tx)?;
                    let then = then.take().ok_or_else(|| Error::unexpected("a transaction went on twice"))?;
                    then(tx, seen)
                });
                if let Some(connection) = connection {
                    Self::keep(&self.idle_long, connection, self.settings.connections);
                }
                match ended {
                    Ended::Done(result) => return result,
                    // What goes on runs once: what can be tried again is tried before.
                    Ended::WithoutTrace(..) if then.is_some() && tries < TRIES => self.tally.was_repeated(),
                    Ended::WithoutTrace(kind, error) => {
                        self.tally.was_refused(kind);
                        return Err(error);
                    }
                }
            }
        })
    }

    /// A transaction that has not begun.
    fn transaction(&self, idle: &Mutex<Vec<Connection>>, mode: Mode, scope: Scope) -> Result<PgTx> {
        Ok(PgTx::new(self.take(idle)?, mode, scope, self.keys_role, self.settings.partitions.is_some()))
    }

    /// One transaction to its end, and the connection if it may be used again.
    fn run<T, E: From<Error>>(
        &self,
        tx: PgTx,
        mode: Mode,
        f: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> (Option<Connection>, Ended<T, E>) {
        let now_us = match tx.now_us() {
            Ok(now_us) => now_us + self.clock_offset_us.load(Ordering::SeqCst),
            Err(error) => return (None, Ended::WithoutTrace(error.kind(), error.into())),
        };
        // A panic must not leave the transaction open on a connection that others use.
        let Ok(result) = catch_unwind(AssertUnwindSafe(|| f(&Tx::postgres(&tx, now_us)))) else {
            return (None, Ended::Done(Err(Error::unexpected("a transaction panicked").into())));
        };
        let waits = mode.begin != READ && !tx.has_begun() && !tx.is_empty();
        let result = result.and_then(|value| {
            if waits {
                // Not in one message with the commit: which process it has must be known before.
                tx.begin()?;
            }
            Ok(value)
        });
        match (result, tx.health()) {
            (Ok(value), Health::Well) if mode.begin == READ => {
                // Nothing depends on the end of a read: it is sent, and not waited for.
                (Self::end(tx, "commit"), Ended::Done(Ok(value)))
            }
            (Ok(value), Health::Well) if tx.is_empty() => {
                (Some(tx.into_connection()), Ended::Done(Ok(value)))
            }
            (Ok(value), Health::Well) => match tx.commit(self.can_hand_over) {
                Ok(()) => (Some(tx.into_connection()), Ended::Done(Ok(value))),
                Err(error) if tx.health() == Health::Conflict => {
                    (Self::end(tx, "rollback"), Ended::WithoutTrace(ErrorKind::Busy, error.into()))
                }
                Err(error) if tx.health() == Health::Lost => {
                    // Committed or not: only the server knows.
                    let error = Error::new(ErrorKind::Unavailable, error.to_string());
                    self.tally.was_refused(error.kind());
                    (None, Ended::Done(Err(error.into())))
                }
                Err(error) => (Self::end(tx, "rollback"), Ended::Done(Err(error.into()))),
            },
            (Ok(_), _) => {
                let error = Error::unexpected("a transaction went on after one of its statements had failed");
                (Self::end(tx, "rollback"), Ended::Done(Err(error.into())))
            }
            (Err(error), Health::Conflict) => {
                (Self::end(tx, "rollback"), Ended::WithoutTrace(ErrorKind::Busy, error))
            }
            (Err(error), Health::Lost) => (None, Ended::WithoutTrace(ErrorKind::Unavailable, error)),
            (Err(error), health) => {
                if let Health::Failed(kind) = health {
                    self.tally.was_refused(kind);
                }
                (Self::end(tx, "rollback"), Ended::Done(Err(error)))
            }
        }
    }

    fn end(tx: PgTx, word: &str) -> Option<Connection> {
        let begun = tx.has_begun();
        let mut connection = tx.into_connection();
        if begun {
            connection.send_off(word);
        }
        (!connection.is_lost()).then_some(connection)
    }

    /// An idle connection that is still there, or a new one.
    fn take(&self, idle: &Mutex<Vec<Connection>>) -> Result<Connection> {
        loop {
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match kept {
                None => {
                    let connected = self.connector.connect();
                    if let Err(error) = &connected {
                        self.tally.was_refused(error.kind());
                    }
                    return connected;
                }
                Some(mut connection) => {
                    connection.look();
                    if !connection.is_lost() {
                        return Ok(connection);
                    }
                }
            }
        }
    }

    fn keep(idle: &Mutex<Vec<Connection>>, connection: Connection, most: usize) {
        let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < most {
            idle.push(connection);
        }
    }
}

/// How a transaction ended.
enum Ended<T, E> {
    /// In the way that its caller is to learn.
    Done(Result<T, E>),
    /// As if it had never been begun: it may be run again. The kind is that of the error.
    WithoutTrace(ErrorKind, E),
}

/// The schema of a server's database.
pub(crate) fn version_of(server: &Server) -> Result<Option<Version>> {
    blocking(|| migrate::postgres_version(&mut Connector::new(server)?.connect()?))
}

/// Let other tasks go on while this thread waits for the network.
fn blocking<T>(f: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(f),
        _ => f(),
    }
}
