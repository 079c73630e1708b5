//! What was: any read of goals as of an earlier state, what changed since one, and what became of one goal.
//!
//! ```text
//! instant or revision ── Moment ──▶ AsOf ──▶ the statements of a read, about the rows of then
//! ```
//! A state is a revision. A row was there as of revision R if it was written by R or before (`revision <= R`) and not
//! yet replaced (`until > R`, or still present). [`AsOf`] puts exactly these rows under the names of the tables, so
//! every statement about goals, their lists, check-ins and comments can be asked about the past unchanged.
//!
//! People, teams, periods and tags have no history: their names are those of today, and so is who a caller is.

mod as_of;
mod changes;
mod delta;
mod members;
mod moment;

pub use self::as_of::AsOf;
pub use self::changes::{Change, FieldChange, changes};
pub use self::delta::{Changed, Changes, Delta, DeltaQuery, EntryId, FullRead, MOST, below_retitled, delta};
pub use self::moment::{Moment, MomentError, at_revision, now, revision_at};
