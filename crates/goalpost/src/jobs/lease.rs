//! The right to work on a job, for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use uuid::Uuid;

use super::JobKey;
use crate::ids::PersonNumber;
use crate::trace::TraceParent;

/// A claimed job, and the token that every later write for it must name.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The job that is owned.
    pub job: JobKey,
    /// Which [`Step`](super::Step) does it.
    pub kind: String,
    /// Random, new with each claim: whoever holds an older one can no longer write.
    pub token: [u8; 16],
    /// 1 for the first claim.
    pub attempt: i64,
    /// When all attempts together must be over, microseconds.
    pub deadline_at: i64,
    /// When the job was first claimed, microseconds.
    pub started_at: i64,
    /// For whom it runs.
    pub creator: Option<PersonNumber>,
    /// What the job is about: for an export, the view's GUID.
    pub subject: Uuid,
    /// When the job was made, microseconds.
    pub created_at: i64,
    /// What to do, as frozen when the job was made.
    pub spec: String,
    /// Where the trace of the request that made the job is continued.
    pub trace: Option<TraceParent>,
    /// Set when the worker should stop, because nothing it does counts any more.
    pub abandoned: Abandoned,
    /// How far the step has come.
    pub progress: Progress,
}

/// How far a step has come; shared between it and whoever tells others.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<[AtomicI64; 2]>);

impl Progress {
    /// So many rows there are in all.
    pub fn expect(&self, rows: u64) {
        self.0[1].store(rows as i64, Ordering::Relaxed);
    }

    /// So many are done.
    pub fn reach(&self, rows: u64) {
        self.0[0].store(rows as i64, Ordering::Relaxed);
    }

    /// Rows that are done.
    pub fn done(&self) -> i64 {
        self.0[0].load(Ordering::Relaxed)
    }

    /// Rows in all; `None` as long as nobody knows.
    pub fn all(&self) -> Option<i64> {
        Some(self.0[1].load(Ordering::Relaxed)).filter(|rows| *rows > 0)
    }
}

/// A flag shared between a running step and whoever watches over its lease.
#[derive(Clone, Debug, Default)]
pub struct Abandoned(Arc<AtomicBool>);

impl Abandoned {
    /// Tell the step to stop at its next look.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the step should stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
