/// Workers that claim and work at the same time.
pub const WORKERS: usize = 3;
/// Jobs, all of one pair.
pub const JOBS: usize = 2;
/// Claims of one job before it is given up.
pub const MAX_ATTEMPTS: u8 = 2;
/// How often a job gets its attempt back. Reality has no bound but the deadline; one is enough to meet what follows.
pub const MAX_RETURNS: u8 = 1;
/// Claims of one job, those whose attempt was given back included.
pub const CLAIMS: usize = (MAX_ATTEMPTS + MAX_RETURNS) as usize;
/// Claims of all jobs together, which bounds the model.
pub const ALL_CLAIMS: u8 = 3;

/// What a job has come to; later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Nobody has asked for it yet.
    Unborn,
    /// Promised.
    NotStarted,
    /// Claimed.
    Running,
    /// Done.
    Succeeded,
    /// Given up.
    Failed,
    /// Its row is gone.
    Forgotten,
}

impl Status {
    /// Whether the job may still change.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::NotStarted | Self::Running)
    }

    /// Whether its row says that it is over.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// A file in the store, and the claim whose worker wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum File {
    /// There is none.
    Absent,
    /// In the making, or left so.
    Part(u8),
    /// Durable.
    Whole(u8),
}

/// A job: its row, its files, and what only a bystander knows. Claims count from 1; 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// `state`
    pub status: Status,
    /// `lease_token`: the claim that made it.
    pub token: u8,
    /// Whether `lease_until` lies before now.
    pub lapsed: bool,
    /// Whether the time to start has passed, or once it was claimed, `deadline_at`.
    pub late: bool,
    /// `attempt`
    pub attempt: u8,
    /// `content_key`: that of the claim that published.
    pub content: u8,
    /// The files of its attempts.
    pub files: [File; CLAIMS],
    /// How often it was claimed.
    pub claims: u8,
    /// How often its attempt was given back.
    pub returns: u8,
    /// The claim that is truly its owner's.
    pub owner: u8,
}

/// How far a worker has come with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nothing is written.
    Claimed,
    /// A file is in the making.
    Writing,
    /// The file is durable.
    Stored,
    /// The job was ended, and the row that points to the file is not there yet: only without
    /// [`crate::Guard::PublishAtOnce`].
    Ended,
    /// It published, or did not: the reply was lost.
    Unsure,
}

/// A worker that has claimed a job. One that pauses is one that takes no step while others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work {
    /// Which job.
    pub job: u8,
    /// Its token.
    pub claim: u8,
    /// How far it has come.
    pub phase: Phase,
    /// Whether its runner has given the job back or failed it; the step may go on for a while.
    pub let_go: bool,
}

/// Why a sweep would give up a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overdue {
    /// Not claimed in time.
    NotStarted,
    /// All attempts together took too long.
    Deadline,
    /// All attempts are used up.
    WorkerLost,
}

/// What a sweep has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sweep {
    /// A job to be given up.
    Overdue(u8, Overdue),
    /// A file to be removed: its job and name.
    Orphan(u8, u8),
}

/// What must never happen, and happened in the step that led here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrong {
    /// A job ended a second time.
    EndedTwice,
    /// A status went backwards.
    WentBackwards,
    /// Somebody changed a job that they no longer owned.
    Zombie,
    /// A job was taken from, or given up under, a lease that had not lapsed.
    TakenAlive,
    /// A job was claimed more often than it may.
    TooManyAttempts,
    /// A job was claimed though its deadline had passed.
    ClaimedLate,
    /// A job was given up for a reason that did not hold.
    NoReason,
    /// A job's row was deleted before its end.
    Lost,
}

/// All that is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The jobs.
    pub jobs: [Job; JOBS],
    /// The workers, in an order of their own: they are all alike.
    pub workers: [Option<Work>; WORKERS],
    /// What a sweep has found, and will act on.
    pub sweep: Option<Sweep>,
    /// How many claims may still be made.
    pub claims_left: u8,
    /// What went wrong on the way here.
    pub wrong: Option<Wrong>,
}
