//! A file of what changed since an earlier state: which rows it has, and what became of each.
//!
//! Law: whoever has the whole file of then, puts in the rows that were created or changed and takes out those that were
//! removed, has the whole file of now. A row prints titles of parents, and names of people, teams, periods and tags; so
//! goals below one with another title are in it too, and all of them once one of those names is another.

use std::collections::{BTreeSet, HashSet};

use goalpost_db::Tx;

use crate::goals::filter::{Condition, Subject};
use crate::goals::history::{self, Delta, FullRead, Moment};
use crate::jobs::StepError;
use crate::orgs::queries::directory_revision;
use crate::views::Selection;

/// The column that says what became of a row, before all others.
pub(super) const CHANGE: &str = "Change";

/// What became of the rows of a view.
#[derive(Debug)]
pub(crate) struct RowChanges {
    created: HashSet<i64>,
    /// Those that are in the file besides what is removed; `None`: all of the view.
    present: Option<Vec<i64>>,
    /// In order.
    removed: Vec<i64>,
}

impl RowChanges {
    /// What became of the view's rows since a state, for this subject.
    ///
    /// # Errors
    /// It cannot be told; the whole file is to be asked for.
    pub(super) fn find(
        tx: &Tx<'_>,
        subject: &Subject,
        selection: &Selection,
        since: Moment,
    ) -> Result<Self, StepError> {
        let changes = match selection.delta(tx, subject, since)? {
            Delta::Changes(changes) => *changes,
            Delta::FullRead(why) => return Err(full_read(why)),
        };
        let goals = changes.goals;
        let created: HashSet<i64> = goals.created.iter().copied().collect();
        if directory_revision(tx, subject.organization)? > since.revision {
            return Ok(Self { created, present: None, removed: goals.deleted });
        }
        let mut present: BTreeSet<i64> = goals.created.into_iter().chain(goals.changed).collect();
        let entries = [changes.checkins.created, changes.checkins.changed, changes.checkins.deleted];
        present.extend(entries.iter().flatten().map(|entry| entry.goal));
        present.extend(history::below_retitled(tx, subject.organization, since.revision)?);
        for gone in &goals.deleted {
            present.remove(gone);
        }
        if present.len() > history::MOST {
            return Err(full_read(FullRead::TooMuch));
        }
        Ok(Self { created, present: Some(present.into_iter().collect()), removed: goals.deleted })
    }

    /// The condition of the view, for those goals that are in the file.
    pub(super) fn within(&self, chosen: Condition, first: usize) -> Condition {
        let Some(present) = &self.present else { return chosen };
        let Condition { sql, mut params } = chosen;
        let numbered: Vec<_> =
            (0..present.len()).map(|place| format!("?{}", first + params.len() + place)).collect();
        params.extend(present.iter().map(|goal| (*goal).into()));
        let listed = if numbered.is_empty() { "null".to_owned() } else { numbered.join(", ") };
        Condition { sql: format!("({sql} and g.id in ({listed}))"), params }
    }

    /// What became of a goal that is in the file.
    pub(super) fn of(&self, goal: i64) -> &'static str {
        if self.created.contains(&goal) { "created" } else { "changed" }
    }

    /// The goals that are not in the view any more, or not for the caller to see.
    pub(super) fn removed(&self) -> &[i64] {
        &self.removed
    }
}

fn full_read(why: FullRead) -> StepError {
    let why = match why {
        FullRead::Directory => "people, teams, periods or tags that the view's filter asks for have changed",
        FullRead::TooMuch => "too many goals have changed",
        FullRead::UnknownState => "the organization does not know that state any more",
    };
    StepError::Final {
        failure: "fullReadNeeded",
        detail: format!("What changed cannot be told: {why}. Ask for the whole file, without `since`."),
    }
}
