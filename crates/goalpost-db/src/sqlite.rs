//! SQLite: one writer thread that lets waiting writes share a commit, and a pool of readers.

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::counters::{Counters, Tally};
use crate::error::{Error, ErrorKind, Result};
use crate::pending::{Pending, Write, stopped};
use crate::{Settings, Tx, migrate};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// Idle read connections that are kept; more are opened under load and closed after use.
const IDLE_READERS: usize = 16;
/// Statements that a connection keeps prepared.
const PREPARED: usize = 128;
/// Writes that may share one commit: enough to spread the cost of a sync, few enough to answer soon.
const GROUP: usize = 256;
/// Pages that a long write keeps, in KiB as SQLite has it, against 2,000 otherwise: rows that come in another order than
/// that of a key go to pages all over the table, and a page that finds no room is written each time it was changed.
const CACHE_ALONE: i64 = -8_000;
/// How long one attempt to begin a write waits inside SQLite before the waiting writes' deadlines are looked at.
const BEGIN_SLICE: Duration = Duration::from_millis(50);
/// Between two tries of what SQLite does not wait for itself.
const BETWEEN_TRIES: Duration = Duration::from_millis(2);

pub(crate) struct Sqlite {
    path: PathBuf,
    settings: Settings,
    clock: Arc<Clock>,
    tally: Arc<Tally>,
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
        let offset_us = AtomicI64::new(settings.clock_offset_us);
        let clock = Arc::new(Clock { offset_us, stands_at_us: settings.clock_stands_at_us });
        let writer = open_writer(path, settings.write_wait)?;
        migrate::sqlite(&writer, &settings, clock.now_us())?;
        let (writes, queue) = mpsc::channel();
        let tally = Arc::new(Tally::default());
        let (thread_clock, thread_tally) = (Arc::clone(&clock), Arc::clone(&tally));
        std::thread::Builder::new()
            .name("goalpost-db-writer".into())
            .spawn(move || {
                let waiting = VecDeque::new();
                Writer { connection: writer, queue, clock: thread_clock, tally: thread_tally, waiting }.run();
            })
            .map_err(|error| {
                Error::new(ErrorKind::Other, format!("cannot start the writer thread: {error}"))
            })?;
        Ok(Self {
            path: path.to_owned(),
            settings,
            clock,
            tally,
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
        let result = f(&Tx::sqlite(&connection, self.clock.now_us()));
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
        let (pending, answer) = Pending::new(f, self.settings.write_wait);
        lock(&self.writes).send(Box::new(pending)).map_err(|_| stopped())?;
        answer.wait().await
    }

    pub(crate) fn write_alone<T, E: From<Error>>(
        &self,
        wait: Duration,
        f: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = open_writer(&self.path, wait)?;
        connection.pragma_update(None, "cache_size", CACHE_ALONE).map_err(Error::from)?;
        execute(&connection, "begin immediate")?;
        match f(&Tx::sqlite(&connection, self.clock.now_us())) {
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

    pub(crate) fn counters(&self) -> Counters {
        self.tally.counters()
    }

    pub(crate) fn advance_clock(&self, by: Duration) {
        self.clock.offset_us.fetch_add(by.as_micros() as i64, Ordering::SeqCst);
    }

    fn open_reader(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(self.settings.write_wait)?;
        keep_statements(&connection)?;
        Ok(connection)
    }
}

/// The schema of a file, which is not changed, and not made.
pub(crate) fn version_of(path: &Path) -> Result<Option<migrate::Version>> {
    if !path.exists() {
        return Ok(None);
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    migrate::sqlite_version(&connection)
}

fn open_writer(path: &Path, busy: Duration) -> Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy)?;
    keep_statements(&connection)?;
    use_wal(&connection, Instant::now() + busy)?;
    // FULL, not NORMAL: a created export that was told to a client must survive a power loss.
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

/// Let readers go on beside a writer. Of two that make the same file so at once SQLite refuses one without waiting, since
/// it has read the file before it asks to write; that one looks again, and mostly finds it done.
fn use_wal(connection: &Connection, until: Instant) -> Result<()> {
    loop {
        let result = connection.pragma_update(None, "journal_mode", "wal").map_err(Error::from);
        match result {
            Err(error) if error.kind() == ErrorKind::Busy && Instant::now() < until => {
                std::thread::sleep(BETWEEN_TRIES);
            }
            result => return result,
        }
    }
}

/// Prepare a statement once for all its values. SQLite would look at the values as well, and prepare again each time that
/// they change; without figures about the tables, which are never gathered here, the plan is the same one.
fn keep_statements(connection: &Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(PREPARED);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn execute(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute(())?;
    Ok(())
}

/// A poisoned lock only means that a reader panicked; the pool itself is always whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Clock {
    offset_us: AtomicI64,
    stands_at_us: Option<i64>,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the database's own clock")]
    fn now_us(&self) -> i64 {
        let now_us = self.stands_at_us.unwrap_or_else(|| {
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64
        });
        now_us + self.offset_us.load(Ordering::SeqCst)
    }
}

struct Writer {
    connection: Connection,
    queue: mpsc::Receiver<Box<dyn Write>>,
    clock: Arc<Clock>,
    tally: Arc<Tally>,
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
                    self.tally.was_refused(error.kind());
                    write.answer(Err(error.clone()));
                }
                return;
            }
        }
        let now_us = self.clock.now_us();
        let mut ran = Vec::new();
        let mut result = Ok(());
        while let Some(mut write) = self.waiting.pop_front() {
            self.tally.write_began(write.asked_at().elapsed());
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
            if let Err(error) = &result {
                self.tally.was_refused(error.kind());
            }
            write.answer(result.clone());
        }
    }

    /// Run one write inside its own savepoint. An error here is one that took the whole group's transaction along,
    /// as SQLite does when the disk is full.
    fn run_one(&self, write: &mut dyn Write, now_us: i64) -> Result<()> {
        execute(&self.connection, "savepoint one")?;
        let keep = write.run(&Tx::sqlite(&self.connection, now_us));
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
                    self.tally.was_refused(busy.kind());
                    write.answer(Err(busy.clone()));
                } else {
                    self.waiting.push_back(write);
                }
            }
        }
    }
}
