//! The life of export jobs as a small state machine, all of whose states are looked at.
//!
//! [`Life`] is what `crates/goalpost/src/jobs/queries.rs` does, statement by statement, with time and bytes left out: a
//! lease has lapsed or not, a file is whole or not. Three workers do two jobs; each may pause, crash, or lose the reply
//! to a commit at any step; two sweeps look, and act later. [`stateright`] goes through every order of that.
//!
//! Each [`Guard`] is one condition of that SQL, or one thing that it sets. The test leaves out each in turn, and a
//! promise breaks: so none is there for nothing. Whoever adds a condition there adds a guard here, and whoever finds
//! that one can go removes it in both.
//!
//! | statement | guards |
//! |---|---|
//! | `jobs::insert` | [`Guard::OnePendingPerPair`] |
//! | `jobs::claim` | [`Guard::ClaimOnlyPending`], [`Guard::ClaimOnlyLapsed`], [`Guard::ClaimTakesOver`], [`Guard::ClaimNeedsAttempt`], [`Guard::ClaimCounts`], [`Guard::ClaimBeforeDeadline`], [`Guard::ClaimNewToken`] |
//! | `jobs::renew` | [`Guard::RenewNamesToken`] |
//! | `jobs::give_back` | [`Guard::GiveBackNamesToken`], [`Guard::GiveBackClearsToken`] |
//! | `jobs::end`, `exports::publish` | [`Guard::FailNamesToken`], [`Guard::PublishNamesToken`], [`Guard::PublishAtOnce`], [`Guard::PublishWhole`], [`Guard::OwnFile`], [`Guard::EndIsEnd`] |
//! | `jobs::list_overdue`, `jobs::fail_overdue` | [`Guard::OverdueWorkerLost`], [`Guard::OverdueDeadline`], [`Guard::OverdueUnclaimed`], [`Guard::OverdueLapsed`], [`Guard::OverdueAttempt`] |
//! | `exports::standing` | [`Guard::OrphanNotPending`], [`Guard::OrphanNotPublished`] |
//! | `exports::delete_expired` | [`Guard::ForgetOnlyEnded`], [`Guard::ForgetRowFirst`] |
//!
//! Left out: `fail_overdue` asks again for the deadline, which never moves, and for the time to start, which only a
//! claim ends; the bound of running jobs, which is one of good order; and how long anything takes.

mod guard;
mod life;
mod state;

pub use guard::Guard;
pub use life::{Action, Life, Reply};
pub use state::{ALL_CLAIMS, CLAIMS, JOBS, MAX_ATTEMPTS, MAX_RETURNS, WORKERS};
pub use state::{File, Job, Overdue, Phase, State, Status, Sweep, Work, Wrong};
