//! SQLite: one writer thread that lets waiting writes share a commit, and a pool of readers.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind, Result};
use crate::{Settings, Tx, migrate};

/// Idle read connections that are kept; more are opened under load and closed after use.
const IDLE_READERS: usize = 16;
/// Statements that a connection keeps prepared.
const PREPARED: usize = 128;
/// Writes that may share one commit: enough to spread the cost of a sync, few enough to answer soon.
const GROUP: usize = 256;
/// How long one attempt to begin a write waits inside SQLite before the waiting writes' deadlines are looked at.
const BEGIN_SLICE: Duration = Duration::from_millis(50);

pub(crate) struct Sqlite {
    path: PathBuf,
    settings: Settings,
    clock: Arc<Clock>,
    readers: Mutex<Vec<Connection>>,
    writes: Mutex<mpsc::Sender<Box<dyn Write>>>,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Sqlite {
    pub(crate) fn open(path: &Path, settings: Settings) -> Result<Self> {
        let clock = Arc::new(Clock(AtomicI64::new(settings.clock_offset_us)));
        let writer = open_writer(path, settings.write_wait)?;
        migrate::migrate(&writer, clock.now_us())?;
        let (writes, queue) = mpsc::channel();
        let thread_clock = Arc::clone(&clock);
        std::thread::Builder::new()
            .name("goalpost-db-writer".into())
            .spawn(move || {
                Writer { connection: writer, queue, clock: thread_clock, waiting: VecDeque::new() }.run();
            })
            .map_err(|error| {
                Error::new(ErrorKind::Other, format!("cannot start the writer thread: {error}"))
            })?;
        Ok(Self {
            path: path.to_owned(),
            settings,
            clock,
            readers: Mutex::new(Vec::new()),
            writes: Mutex::new(writes),
        })
    }

    pub(crate) fn read<T, E: From<Error>>(&self, f: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        let kept = lock(&self.readers).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.open_reader()?,
        };
        // One transaction, so that every statement of `f` sees the same state.
        execute(&connection, "begin")?;
        let result = f(&Tx::new(&connection, self.clock.now_us()));
        execute(&connection, "commit")?;
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        result
    }

    pub(crate) async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: Fn(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + self.settings.write_wait;
        let gone = || E::from(Error::new(ErrorKind::Other, "the database's writer has stopped"));
        let pending = Pending { f, deadline, outcome: None, reply };
        lock(&self.writes).send(Box::new(pending)).map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    pub(crate) fn write_alone<T, E: From<Error>>(
        &self,
        wait: Duration,
        f: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = open_writer(&self.path, wait)?;
        execute(&connection, "begin immediate")?;
        match f(&Tx::new(&connection, self.clock.now_us())) {
            Ok(value) => {
                execute(&connection, "commit")?;
                Ok(value)
            }
            // Closing the connection rolls back what is left of the transaction.
            Err(error) => Err(error),
        }
    }

    pub(crate) fn checkpoint(&self) -> Result<()> {
        let connection = open_writer(&self.path, Duration::from_secs(1))?;
        connection.query_row("pragma wal_checkpoint(truncate)", (), |_| Ok(()))?;
        Ok(())
    }

    pub(crate) fn advance_clock(&self, by: Duration) {
        self.clock.0.fetch_add(by.as_micros() as i64, Ordering::SeqCst);
    }

    fn open_reader(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(self.settings.write_wait)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Ok(connection)
    }
}

fn open_writer(path: &Path, busy: Duration) -> Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    connection.pragma_update(None, "journal_mode", "wal")?;
    // FULL, not NORMAL: a created export that was told to a client must survive a power loss.
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

fn execute(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute(())?;
    Ok(())
}

/// A poisoned lock only means that a reader panicked; the pool itself is always whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Clock(AtomicI64);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the database's own clock")]
    fn now_us(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_micros() as i64 + self.0.load(Ordering::SeqCst)
    }
}

/// A write that waits for its turn; erased, so that one queue holds all of them.
trait Write: Send {
    fn deadline(&self) -> Instant;
    /// Run in the open transaction; `false` if it must leave no trace.
    fn run(&mut self, tx: &Tx<'_>) -> bool;
    /// Answer the caller: what `run` gave, unless its group could not be committed.
    fn answer(self: Box<Self>, commit: Result<()>);
}

struct Pending<F, T, E> {
    f: F,
    deadline: Instant,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Write for Pending<F, T, E>
where
    F: Fn(&Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn run(&mut self, tx: &Tx<'_>) -> bool {
        // A panic in one write must not take the writer thread, and with it every other write, along.
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

struct Writer {
    connection: Connection,
    queue: mpsc::Receiver<Box<dyn Write>>,
    clock: Arc<Clock>,
    waiting: VecDeque<Box<dyn Write>>,
}

impl Writer {
    /// Serve writes until every handle on the database is gone.
    fn run(mut self) {
        if self.connection.busy_timeout(BEGIN_SLICE).is_err() {
            return;
        }
        while let Ok(first) = self.queue.recv() {
            self.waiting.push_back(first);
            while !self.waiting.is_empty() {
                self.waiting.extend(self.queue.try_iter());
                self.serve_group();
            }
        }
    }

    fn serve_group(&mut self) {
        match execute(&self.connection, "begin immediate") {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Busy => return self.refuse_overdue(&error),
            Err(error) => {
                for write in self.waiting.drain(..) {
                    write.answer(Err(error.clone()));
                }
                return;
            }
        }
        let now_us = self.clock.now_us();
        let mut ran = Vec::new();
        let mut result = Ok(());
        while let Some(mut write) = self.waiting.pop_front() {
            result = self.run_one(&mut *write, now_us);
            ran.push(write);
            if result.is_err() || ran.len() == GROUP {
                break;
            }
            self.waiting.extend(self.queue.try_iter());
        }
        let result = result.and_then(|()| execute(&self.connection, "commit"));
        if result.is_err() && !self.connection.is_autocommit() {
            // A commit that failed leaves the transaction open; nothing of it may stay.
            let _ = execute(&self.connection, "rollback");
        }
        for write in ran {
            write.answer(result.clone());
        }
    }

    /// Run one write inside its own savepoint. An error here is one that took the whole group's transaction along,
    /// as SQLite does when the disk is full.
    fn run_one(&self, write: &mut dyn Write, now_us: i64) -> Result<()> {
        execute(&self.connection, "savepoint one")?;
        let keep = write.run(&Tx::new(&self.connection, now_us));
        if self.connection.is_autocommit() {
            return Err(Error::new(
                ErrorKind::StorageFull,
                "the transaction was rolled back: disk full or failing",
            ));
        }
        if !keep {
            execute(&self.connection, "rollback to one")?;
        }
        execute(&self.connection, "release one")
    }

    fn refuse_overdue(&mut self, busy: &Error) {
        let now = Instant::now();
        for _ in 0..self.waiting.len() {
            if let Some(write) = self.waiting.pop_front() {
                if write.deadline() <= now {
                    write.answer(Err(busy.clone()));
                } else {
                    self.waiting.push_back(write);
                }
            }
        }
    }
}
