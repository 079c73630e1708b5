//! Writing goals: making them, changing them, aligning them, taking them away, and what is said and done on them.
//!
//! Each function is one change of the organization: it raises the revision first, so that whoever writes meanwhile
//! waits and what is read stays true; it checks everything before it writes; it brings up to date what lies above, as
//! far as the change reaches; and it leaves an entry in the audit log. After an error the transaction must not be
//! committed.
//!
//! [`fields`] is what a goal can be given, [`create`](mod@create) and [`change`](mod@change) give it. [`align`] says
//! below which goals it is and how much it contributes there, [`carry`] lets it go on in another time period.
//! [`tasks`], [`comments`] and [`checkins`] are what hangs on it.

pub mod align;
pub mod carry;
pub mod change;
pub mod checkins;
pub mod comments;
pub mod create;
pub mod delete;
mod error;
pub mod fields;
pub mod tasks;
pub mod terms;

pub use error::{GoalError, MetricError};

use goalpost_db::{Error, Tx, Value, params};
use serde_json::json;

use super::edit::save;
use super::record::{Column, GoalRecord, List};
use super::{Origin, recompute};
use crate::audit;
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::raise_revision;

/// What became of a goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The goal.
    pub goal: i64,
    /// Other goals that changed by it: those above, each after those below it, and those that share its visibility.
    pub also_changed: Vec<i64>,
}

/// A change under way.
#[derive(Clone, Copy)]
struct Change<'a, 't> {
    tx: &'a Tx<'t>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    revision: i64,
}

impl<'a, 't> Change<'a, 't> {
    fn begin(
        tx: &'a Tx<'t>,
        organization: OrganizationNumber,
        actor: Option<PersonNumber>,
        cause: &str,
    ) -> Result<Self, Error> {
        let revision = raise_revision(tx, organization, actor, cause)?;
        Ok(Self { tx, organization, actor, revision })
    }

    /// A goal with all its lists; not one of which only a mention is known.
    fn find(&self, goal: i64) -> Result<GoalRecord, GoalError> {
        let found = GoalRecord::read(self.tx, self.organization, &[goal])?.remove(&goal);
        found.filter(|goal| !goal.is_from(Origin::Reference)).ok_or(GoalError::NoSuchGoal(goal))
    }

    /// The same, if it is under way.
    fn find_open(&self, goal: i64) -> Result<GoalRecord, GoalError> {
        let found = self.find(goal)?;
        if recompute::is_over(&found) {
            return Err(GoalError::IsOver(goal, found.text(Column::Status).to_owned()));
        }
        Ok(found)
    }

    /// The goals directly below a goal, by number.
    fn below(&self, goal: i64) -> Result<Vec<i64>, Error> {
        self.tx.query(
            "-- goals::below
            select distinct goal from goal_parent where organization = ?1 and parent = ?2 order by goal",
            params![self.organization, goal],
            |row| row.int(0),
        )
    }

    fn save(&self, present: &GoalRecord, changed: &mut GoalRecord) -> Result<bool, Error> {
        save(self.tx, self.organization, self.revision, present, changed)
    }

    /// Bring up to date what lies above `changed`, and `reached` with what lies above those of them that change.
    fn recompute(&self, changed: &[i64], reached: &[i64]) -> Result<Vec<i64>, Error> {
        recompute::around(self.tx, self.organization, self.revision, changed, reached)
    }

    /// Leave an entry in the audit log, and say what became of the goal.
    fn written(&self, action: &str, goal: i64, also_changed: Vec<i64>) -> Result<Written, Error> {
        self.audit(action, goal, &json!({ "alsoChanged": also_changed.len() }))?;
        Ok(Written { goal, also_changed })
    }

    fn audit(&self, action: &str, goal: i64, detail: &serde_json::Value) -> Result<(), Error> {
        audit::record(self.tx, self.organization, self.actor, action, &goal.to_string(), detail)
    }
}

/// The goals that a goal is aligned to.
fn parents(goal: &GoalRecord) -> Vec<i64> {
    let entries = goal.list(List::Parents).chunks_exact(List::Parents.width());
    entries.filter_map(|entry| if let Value::Int(parent) = entry[0] { Some(parent) } else { None }).collect()
}

fn is_restricted(goal: &GoalRecord) -> bool {
    *goal.get(Column::Restricted) == Value::Bool(true)
}
