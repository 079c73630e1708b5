//! Jobs: work that is promised in one transaction and done later, by whoever holds its lease.
//!
//! ```text
//! notStarted ──claim──▶ running ──finish──▶ succeeded ──expiry──▶ gone
//!     │                 │  ▲ │                              ▲
//!     │                 └──┘ └──── fail ───▶ failed ──expiry┘
//!     │          claim again, once
//!     │          the lease has lapsed             ▲
//!     └──────── never claimed in time ────────────┘
//! ```
//! Read in this order: [`lease`], [`queries`], [`runner`], [`sweep`].
//!
//! Invariant: a job changes only in a statement that names its lease's token, or that requires the lease to have
//! lapsed; each is one `update` that must change exactly one row. So of two workers only one can finish a job, and
//! a worker that slept through its lease changes nothing. There is no leader and no rescuer: a lapsed lease is
//! picked up by the same claim as a new job.

pub mod lease;
pub mod queries;
pub mod runner;
pub mod sweep;

use uuid::Uuid;

use crate::ids::{OrganizationNumber, PersonNumber};
use crate::trace::TraceParent;

pub use lease::Lease;
pub use runner::{Runner, Step, StepError};

/// Where a job is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobKey {
    /// The organization that the job belongs to.
    pub organization: OrganizationNumber,
    /// The job's own GUID: version 7, so ids sort by time and cannot be guessed.
    pub id: Uuid,
}

/// What a job has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Promised; nobody works on it.
    NotStarted,
    /// Claimed at least once, and not ended.
    Running,
    /// Done.
    Succeeded,
    /// Given up; [`Job::status_detail`] says why.
    Failed,
}

impl State {
    /// The word for it on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "notStarted",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// Whether the job may still change.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::NotStarted | Self::Running)
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::NotStarted, Self::Running, Self::Succeeded, Self::Failed]
            .into_iter()
            .find(|s| s.as_str() == word)
    }
}

/// A job to be made.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Where it will be found.
    pub key: JobKey,
    /// Which [`Step`] does it.
    pub kind: &'static str,
    /// What it is about; at most one pending job of a kind for each.
    pub pair: Uuid,
    /// The view that it is about, if its pair says more.
    pub view: Option<Uuid>,
    /// For whom it runs.
    pub creator: PersonNumber,
    /// What it is to do, frozen.
    pub spec: String,
    /// When it is forgotten, if nothing else happens to it: microseconds.
    pub expires_at: i64,
    /// Where the trace of whoever makes it is continued.
    pub trace: Option<TraceParent>,
}

/// A job as it stands. Times are microseconds since 1970, UTC.
#[derive(Clone, Debug)]
pub struct Job {
    /// Where it is found.
    pub key: JobKey,
    /// What it is about.
    pub pair: Uuid,
    /// What it has come to.
    pub state: State,
    /// For whom it runs.
    pub creator: Option<PersonNumber>,
    /// When it was made.
    pub created_at: i64,
    /// When it, and what it made, is forgotten.
    pub expires_at: i64,
    /// Why it failed, for people.
    pub status_detail: Option<String>,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// A lease's life, microseconds.
    pub lease_us: i64,
    /// Claims of one job before it is given up.
    pub max_attempts: i64,
    /// All attempts together, from the first claim, microseconds.
    pub deadline_us: i64,
    /// From creation to the first claim, microseconds.
    pub start_within_us: i64,
    /// From the end of a job until nobody sees it any more, microseconds.
    pub expire_after_us: i64,
    /// Jobs of one organization that may run at the same time, on all nodes together.
    pub max_running_per_organization: i64,
    /// How often a worker looks for jobs that nobody told it of, microseconds.
    pub poll_us: i64,
    /// From then until it is forgotten, with what it made: so that downloads under way can end, microseconds.
    pub forget_after_us: i64,
    /// No job is claimed before it is this old, microseconds; for the sandbox.
    pub hold_back_us: i64,
}
