//! Check-ins: what somebody says of a goal on a day, and what follows from it.

use goalpost_db::{Error, Tx, Value, params};
use goalpost_okr::Status;
use jiff::civil::Date;

use super::edit::save;
use super::record::{Column, GoalRecord, List};
use super::{Origin, day, midnight, recompute};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::{mint_numbers, raise_revision};
use crate::table::{Kind, Table};

pub(crate) static CHECKIN: Table = Table {
    name: "checkin",
    key: &["goal", "id"],
    columns: &[
        ("as_of_at", Kind::Int),
        ("recorded_at", Kind::Int),
        ("owner", Kind::Int),
        ("status", Kind::Text),
        ("value", Kind::Real),
        ("metric_name", Kind::Text),
        ("note", Kind::Text),
        ("note_html", Kind::Text),
    ],
    has_history: true,
};

/// The metric's name of a goal that has none, as Viva Goals prints it.
const NO_METRIC: &str = "Progress";

/// What somebody says of a goal.
#[derive(Clone, Debug, Default)]
pub struct NewCheckIn {
    /// The goal.
    pub goal: i64,
    /// The metric's value, or the percentage where there is no metric; the goal keeps its own without.
    pub value: Option<f64>,
    /// How it goes; without, the goal's rules say it, or it stays.
    pub status: Option<Status>,
    /// Anything else.
    pub note: Option<String>,
    /// The day of which it speaks; today without.
    pub as_of: Option<Date>,
    /// Who says it.
    pub owner: Option<PersonNumber>,
}

/// A check-in that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckIn {
    /// Its number.
    pub id: i64,
    /// The day of which it speaks.
    pub as_of: Date,
    /// What it says of the goal's progress.
    pub value: Option<f64>,
    /// What it says of the goal's status, in the word of the files.
    pub status: String,
    /// The goals above that changed by it, each after those below it.
    pub changed_above: Vec<i64>,
}

/// Why a check-in was not made.
#[derive(Debug, thiserror::Error)]
pub enum CheckInError {
    /// There is no such goal.
    #[error("there is no goal {0}")]
    NoSuchGoal(i64),
    /// It is closed, or was put off.
    #[error("goal {0} is {1}")]
    IsOver(i64, String),
    /// Neither value nor status nor note.
    #[error("a check-in needs a value, a status or a note")]
    Empty,
    /// Infinite, or no number.
    #[error("the value {0} is no number that a goal can have")]
    NoNumber(f64),
    /// A status that only closing or postponing a goal gives, or that only a baseline has.
    #[error("a check-in cannot make a goal `{0}`")]
    NotByCheckIn(Status),
    /// It speaks of a day to come.
    #[error("{0} is still to come")]
    InFuture(Date),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] Error),
}

/// Check in on a goal, as a change of the organization of its own, and bring the goals above up to date. After an error
/// the transaction must not be committed.
///
/// A check-in of an earlier day than the latest one joins the history and changes nothing else. On a goal that takes its
/// progress or status from others what is said here stands until the next change from there.
pub fn check_in(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    new: &NewCheckIn,
) -> Result<CheckIn, CheckInError> {
    if let Some(value) = new.value.filter(|value| !value.is_finite()) {
        return Err(CheckInError::NoNumber(value));
    }
    if new.value.is_none() && new.status.is_none() && new.note.is_none() {
        return Err(CheckInError::Empty);
    }
    let today = day(tx.now_us());
    let as_of = new.as_of.unwrap_or(today);
    if as_of > today {
        return Err(CheckInError::InFuture(as_of));
    }
    // First of all: whoever changes the organization meanwhile has to wait, so what is read here stays true.
    let revision = raise_revision(tx, organization, actor, "checkIn")?;
    let goal = new.goal;
    let present = find(tx, organization, goal)?.ok_or(CheckInError::NoSuchGoal(goal))?;
    if recompute::is_over(&present) {
        return Err(CheckInError::IsOver(goal, present.text(Column::Status).to_owned()));
    }
    if let Some(status) = new.status
        && (matches!(status, Status::Closed | Status::Postponed)
            || (status == Status::InProgress) != present.is_baseline())
    {
        return Err(CheckInError::NotByCheckIn(status));
    }

    let mut changed = present.clone();
    let is_latest = latest(tx, organization, goal)?.is_none_or(|latest| latest <= midnight(as_of));
    if let (true, Some(value)) = (is_latest, new.value) {
        changed.set(Column::Progress, value);
        changed.derive();
    }
    let by_rule = || {
        let below = recompute::statuses_below(tx, organization, goal)?;
        recompute::status(tx, organization, &changed, &below)
    };
    let status = match new.status {
        Some(status) => status.as_str().to_owned(),
        None => {
            by_rule()?.map_or_else(|| present.text(Column::Status).to_owned(), |status| status.to_string())
        }
    };
    if is_latest {
        changed.set(Column::Status, status.as_str());
        changed.set(Column::LastCheckinDate, as_of.to_string());
    }
    let value = new.value.or_else(|| changed.real(Column::Progress));
    let (note, owner) = (new.note.as_deref(), new.owner);
    let entry = Entry { as_of, status: &status, value, note, owner };
    let id = entry.add(tx, organization, revision, &present, &mut changed)?;
    let has_moved = [Column::Progress, Column::Status].iter().any(|&at| present.get(at) != changed.get(at));
    let moved = if has_moved { &[goal][..] } else { &[] };
    let changed_above = recompute::above(tx, organization, revision, moved)?;
    Ok(CheckIn { id, as_of, value, status, changed_above })
}

/// A goal, with what the rules look at; not one of which only a mention is known.
pub(super) fn find(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    goal: i64,
) -> Result<Option<GoalRecord>, Error> {
    let found = GoalRecord::read_with(tx, organization, &[goal], &[List::PhasedTargets])?.remove(&goal);
    Ok(found.filter(|goal| !goal.is_from(Origin::Reference)))
}

/// A check-in as its row has it.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) as_of: Date,
    pub(super) status: &'a str,
    pub(super) value: Option<f64>,
    pub(super) note: Option<&'a str>,
    pub(super) owner: Option<PersonNumber>,
}

impl Entry<'_> {
    /// Write it, and what it makes of its goal, `changed`, over `present`; its number.
    pub(super) fn add(
        &self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        revision: i64,
        present: &GoalRecord,
        changed: &mut GoalRecord,
    ) -> Result<i64, Error> {
        changed.set(Column::CheckinCount, present.int(Column::CheckinCount).unwrap_or(0) + 1);
        save(tx, organization, revision, present, changed)?;
        let id = mint_numbers(tx, organization, 1)?;
        let metric_name =
            Some(present.text(Column::MetricName)).filter(|name| !name.is_empty()).unwrap_or(NO_METRIC);
        let columns = [
            midnight(self.as_of).into(),
            tx.now_us().into(),
            self.owner.map(|person| person.0).into(),
            self.status.into(),
            self.value.into(),
            metric_name.into(),
            self.note.into(),
            Value::Null,
        ];
        CHECKIN.put(tx, organization, &[present.id, id], revision, &columns)?;
        Ok(id)
    }
}

/// When the latest check-in of a goal was, in microseconds since 1970.
fn latest(tx: &Tx<'_>, organization: OrganizationNumber, goal: i64) -> Result<Option<i64>, Error> {
    tx.query_one(
        "-- goals::latest_check_in
        select max(as_of_at) from checkin where organization = ?1 and goal = ?2",
        params![organization, goal],
        |row| row.opt_int(0),
    )
}
