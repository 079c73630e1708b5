//! Closing a goal, and opening it again. Either is a check-in: the last one for now, or the first one after.

use goalpost_db::{Error, Tx, Value};
use goalpost_okr::status::{Place, Ranges, from_progress};
use goalpost_okr::{Status, score};
use jiff::civil::Date;

use super::checkin::{Entry, find};
use super::day;
use super::recompute::{self, Over};
use super::record::{Column, GoalRecord};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::raise_revision;

/// What is said when a goal is closed or opened again.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// The goal.
    pub goal: i64,
    /// The metric's last value, or the last percentage; the goal keeps its own without. Not for opening again.
    pub value: Option<f64>,
    /// What it was worth, from 0 to 1; without, what was reached of it. Not for opening again.
    pub score: Option<f64>,
    /// What is to be learned from it.
    pub note: Option<String>,
    /// Who says it.
    pub owner: Option<PersonNumber>,
}

/// What became of the goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// The check-in's number.
    pub checkin: i64,
    /// The goal's status now, in the word of the files.
    pub status: String,
    /// Its score now.
    pub score: Option<f64>,
    /// The goals above that changed by it, each after those below it.
    pub changed_above: Vec<i64>,
}

/// Why a goal was not closed, or not opened again.
#[derive(Debug, thiserror::Error)]
pub enum EndingError {
    /// There is no such goal.
    #[error("there is no goal {0}")]
    NoSuchGoal(i64),
    /// It is closed already, or was put off.
    #[error("goal {0} is {1} already")]
    IsOver(i64, String),
    /// It is under way.
    #[error("goal {0} is not closed: it is {1}")]
    IsOpen(i64, String),
    /// Infinite, or no number.
    #[error("the value {0} is no number that a goal can have")]
    NoNumber(f64),
    /// Not from 0 to 1.
    #[error("the score {0} is not from 0 to 1")]
    NoScore(f64),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] Error),
}

/// Close a goal, as a change of the organization of its own. A goal above that takes its status by a rule closes with
/// the last one below it, and its score is the average of theirs. After an error the transaction must not be committed.
pub fn close(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    ending: &Ending,
) -> Result<Ended, EndingError> {
    if let Some(value) = ending.value.filter(|value| !value.is_finite()) {
        return Err(EndingError::NoNumber(value));
    }
    if let Some(score) = ending.score.filter(|score| !(0.0..=1.0).contains(score)) {
        return Err(EndingError::NoScore(score));
    }
    let revision = raise_revision(tx, organization, actor, "close")?;
    let present = find(tx, organization, ending.goal)?.ok_or(EndingError::NoSuchGoal(ending.goal))?;
    if recompute::is_over(&present) {
        return Err(EndingError::IsOver(ending.goal, present.text(Column::Status).to_owned()));
    }
    let mut changed = present.clone();
    if let Some(value) = ending.value {
        changed.set(Column::Progress, value);
        changed.derive();
    }
    let score = ending.score.or_else(|| changed.real(Column::ProgressPercent).map(score::suggested));
    changed.set(Column::Score, score);
    changed.set(Column::EndingNote, ending.note.as_deref());
    end(tx, organization, revision, ending, &present, changed, Status::Closed, Over::Stands)
}

/// Open a closed goal again, as a change of the organization of its own: it has no score any more, and the status that
/// its progress gives it, or of a control type or a baseline its value. A goal above that takes its status by a rule opens with it. After an error the transaction must
/// not be committed.
pub fn reopen(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    ending: &Ending,
) -> Result<Ended, EndingError> {
    let revision = raise_revision(tx, organization, actor, "reopen")?;
    let present = find(tx, organization, ending.goal)?.ok_or(EndingError::NoSuchGoal(ending.goal))?;
    if present.text(Column::Status).parse() != Ok(Status::Closed) {
        return Err(EndingError::IsOpen(ending.goal, present.text(Column::Status).to_owned()));
    }
    let mut changed = present.clone();
    for column in [Column::Score, Column::EndingNote] {
        changed.set(column, Value::Null);
    }
    let by_value = present.scale().zip(present.real(Column::Progress));
    let status = if let Some(status) = by_value.and_then(|(scale, value)| scale.status(value)) {
        status
    } else {
        let place = Place {
            actual: present.real(Column::ProgressPercent),
            expected: recompute::expected_today(tx, organization, &present)?,
        };
        from_progress(place, Ranges::default(), &[])
    };
    end(tx, organization, revision, ending, &present, changed, status, Over::Reopens)
}

#[expect(clippy::too_many_arguments, reason = "the two that call it have all of them at hand")]
fn end(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    ending: &Ending,
    present: &GoalRecord,
    mut changed: GoalRecord,
    status: Status,
    over: Over,
) -> Result<Ended, EndingError> {
    let today: Date = day(tx.now_us());
    changed.set(Column::Status, status.as_str());
    changed.set(Column::LastCheckinDate, today.to_string());
    let entry = Entry {
        as_of: today,
        status: status.to_string(),
        value: changed.real(Column::Progress),
        note: ending.note.clone(),
        owner: ending.owner,
    };
    let checkin = entry.add(tx, organization, revision, present, &mut changed)?;
    let changed_above = recompute::climb(tx, organization, revision, &[ending.goal], &[], over)?;
    let score = changed.real(Column::Score);
    Ok(Ended { checkin, status: status.to_string(), score, changed_above })
}
