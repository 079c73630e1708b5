use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::ErrorKind;

/// What a handle and its clones have met since the database was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Write transactions that were begun.
    pub writes: u64,
    /// How long they waited for their turn, all together, in microseconds.
    pub write_wait_us: u64,
    /// Transactions refused because others took too long ([`ErrorKind::Busy`]).
    pub busy: u64,
    /// Transactions refused because there was no space ([`ErrorKind::StorageFull`]).
    pub storage_full: u64,
    /// Transactions refused because the database was away ([`ErrorKind::Unavailable`]) or let nobody in
    /// ([`ErrorKind::Refused`]).
    pub unavailable: u64,
    /// Transactions that the database asked to repeat.
    pub retries: u64,
}

/// [`Counters`] in the making.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    writes: AtomicU64,
    write_wait_us: AtomicU64,
    busy: AtomicU64,
    storage_full: AtomicU64,
    unavailable: AtomicU64,
    retries: AtomicU64,
}

impl Tally {
    pub(crate) fn write_began(&self, waited: Duration) {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.write_wait_us.fetch_add(waited.as_micros() as u64, Ordering::Relaxed);
    }

    pub(crate) fn was_refused(&self, kind: ErrorKind) {
        let counter = match kind {
            ErrorKind::Busy => &self.busy,
            ErrorKind::StorageFull => &self.storage_full,
            ErrorKind::Unavailable | ErrorKind::Refused => &self.unavailable,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn was_repeated(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counters(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            writes: read(&self.writes),
            write_wait_us: read(&self.write_wait_us),
            busy: read(&self.busy),
            storage_full: read(&self.storage_full),
            unavailable: read(&self.unavailable),
            retries: read(&self.retries),
        }
    }
}
