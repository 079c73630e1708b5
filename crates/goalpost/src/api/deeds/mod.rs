//! What the routes do, each a few lines: read the body, ask for the right, call the slice that does it.

pub(super) mod directory;
pub(super) mod goals;
pub(super) mod said;
pub(super) mod views;

use goalpost_db::Value;
use serde_json::Value as Json;

use super::body::invalid;
use super::no_such;
use super::sets::GOALS;
use super::write::{Doing, conflict};
use crate::goals::write::GoalError;
use crate::http::GraphError;
use crate::ids::PersonNumber;

/// What a deed comes to: the key of the thing to answer, or nothing.
type Done = Result<Option<Value>, GraphError>;

impl Doing<'_> {
    /// A member as the body gives it, or else as it is now.
    fn given_or_present(&self, name: &str) -> &Json {
        static NULL: Json = Json::Null;
        self.body.get(name).or_else(|| self.present.get(name)).unwrap_or(&NULL)
    }

    fn gives_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.body.get(name).is_some())
    }

    /// People whom the body names, if it does.
    fn people(&self, name: &str) -> Option<Vec<PersonNumber>> {
        Some(self.body.references(name)?.into_iter().map(PersonNumber).collect())
    }

    /// A refusal of the goals' own, as the door words it.
    fn refusal(&self, error: GoalError) -> GraphError {
        match error {
            GoalError::Database(error) => error.into(),
            GoalError::NoSuchGoal(goal) if goal == self.goal() => no_such(&GOALS),
            GoalError::NoSuchTask { .. } => no_such(&super::sets::TASKS),
            GoalError::IsOver(..) => conflict("goalIsOver", format!("{error}; reopen it first")),
            GoalError::HasChildren { .. } => conflict(
                "goalHasChildren",
                "other goals are aligned to it; say `?children=keep` to let them stay without it",
            ),
            GoalError::NotAligned { .. } => conflict("notAligned", error),
            // The path between the two ends may lead through goals that are not for everyone to know of.
            GoalError::Circle(path) => invalid(format!(
                "goal {} would be below itself: goal {} is below it already",
                path.first().copied().unwrap_or_default(),
                path.get(1).copied().unwrap_or_default(),
            )),
            error => invalid(error.to_string()),
        }
    }
}
