//! Check-ins that were made: looked at, set right, taken back.
//!
//! A goal is where its latest check-in says. If that one changes, or another becomes the latest, the goal follows:
//! its value is that of the latest one that has a value, its status and its day those of the latest. A goal without
//! any is as if nobody ever updated it. What is earlier only changes the history of the goal.

use goalpost_db::{Error, Tx, Value, params};
use goalpost_okr::Status;
use goalpost_okr::status::{Place, Ranges, from_progress};
use jiff::civil::Date;
use serde_json::json;

use super::{Change, GoalError, Written, fields};
use crate::goals::checkin::CHECKIN;
use crate::goals::record::{Column, GoalRecord};
use crate::goals::{ProgressMode, day, midnight, recompute};
use crate::ids::{OrganizationNumber, PersonNumber};

/// A check-in as its row has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Its number.
    pub id: i64,
    /// The goal that it is about.
    pub goal: i64,
    /// The moment of which it speaks, in microseconds since 1970.
    pub as_of_at: i64,
    /// When it was written down.
    pub recorded_at: Option<i64>,
    /// Who says it.
    pub owner: Option<PersonNumber>,
    /// How it goes, in the word of the files.
    pub status: String,
    /// The metric's value, or the percentage.
    pub value: Option<f64>,
    /// What the value measures.
    pub metric_name: Option<String>,
    /// Anything else.
    pub note: Option<String>,
    /// The same as HTML, if a file said it so.
    pub note_html: Option<String>,
}

/// What is to become of a check-in. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckInPatch {
    /// The metric's value, or the percentage.
    pub value: Option<f64>,
    /// How it goes.
    pub status: Option<Status>,
    /// Anything else.
    pub note: Option<Option<String>>,
    /// The day of which it speaks.
    pub as_of: Option<Date>,
}

impl Said {
    /// The day (UTC) of which it speaks.
    pub fn day(&self) -> Date {
        day(self.as_of_at)
    }

    fn of(key: &[i64], columns: &[Value]) -> Self {
        let int = |at: usize| if let Value::Int(number) = columns[at] { Some(number) } else { None };
        let text = |at: usize| if let Value::Text(text) = &columns[at] { Some(text.clone()) } else { None };
        Self {
            id: key[1],
            goal: key[0],
            as_of_at: int(0).unwrap_or_default(),
            recorded_at: int(1),
            owner: int(2).map(PersonNumber),
            status: text(3).unwrap_or_default(),
            value: if let Value::Real(value) = columns[4] { Some(value) } else { None },
            metric_name: text(5),
            note: text(6),
            note_html: text(7),
        }
    }

    fn columns(&self) -> [Value; 8] {
        [
            self.as_of_at.into(),
            self.recorded_at.into(),
            self.owner.map(|person| person.0).into(),
            (&self.status).into(),
            self.value.into(),
            self.metric_name.as_deref().into(),
            self.note.as_deref().into(),
            self.note_html.as_deref().into(),
        ]
    }

    /// What is later stands farther back; on one day, the one that was made later.
    fn place(&self) -> (i64, i64) {
        (self.as_of_at, self.id)
    }
}

/// The check-in with this number.
pub fn find(tx: &Tx<'_>, organization: OrganizationNumber, id: i64) -> Result<Option<Said>, Error> {
    Ok(CHECKIN.find(tx, organization, id)?.map(|(key, columns)| Said::of(&key, &columns)))
}

/// The check-ins of a goal, the earliest first.
pub fn list(tx: &Tx<'_>, organization: OrganizationNumber, goal: i64) -> Result<Vec<Said>, Error> {
    let mut all = Vec::new();
    CHECKIN.each(tx, organization, &[goal], |key, columns| {
        all.push(Said::of(key, &columns));
        Ok::<_, Error>(())
    })?;
    all.sort_by_key(Said::place);
    Ok(all)
}

/// Set a check-in right, and its goal with it if it is the latest.
pub fn change(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    id: i64,
    patch: &CheckInPatch,
) -> Result<Written, GoalError> {
    let change = Change::begin(tx, organization, actor, "checkIn change")?;
    let mut said = find(tx, organization, id)?.ok_or(GoalError::NoSuch { what: "check-in", number: id })?;
    let goal = change.find_open(said.goal)?;
    let before = latest(tx, organization, said.goal)?;
    if let Some(value) = patch.value {
        if !value.is_finite() {
            return Err(GoalError::NoNumber(value));
        }
        said.value = Some(value);
    }
    if let Some(status) = patch.status {
        if matches!(status, Status::Closed | Status::Postponed)
            || (status == Status::InProgress) != goal.is_baseline()
        {
            return Err(GoalError::NotByCheckIn(status));
        }
        status.as_str().clone_into(&mut said.status);
    }
    if let Some(note) = &patch.note {
        said.note = fields::text("note", note.as_deref())?;
        said.note_html = None;
    }
    if let Some(as_of) = patch.as_of {
        if as_of > day(tx.now_us()) {
            return Err(GoalError::InFuture(as_of));
        }
        said.as_of_at = midnight(as_of);
    }
    CHECKIN.put(tx, organization, &[said.goal, id], change.revision, &said.columns())?;
    change.follow("checkIn.change", id, &goal, before)
}

/// Take a check-in back; it stays in the history. If it was the latest, its goal is where the one before said.
pub fn delete(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    id: i64,
) -> Result<Written, GoalError> {
    let change = Change::begin(tx, organization, actor, "checkIn delete")?;
    let said = find(tx, organization, id)?.ok_or(GoalError::NoSuch { what: "check-in", number: id })?;
    let goal = change.find_open(said.goal)?;
    let before = latest(tx, organization, said.goal)?;
    CHECKIN.remove(tx, organization, &[said.goal, id], change.revision)?;
    change.follow("checkIn.delete", id, &goal, before)
}

impl Change<'_, '_> {
    /// Let a goal be where its check-ins say, if the check-in `id` of it is or was the latest.
    fn follow(
        &self,
        action: &str,
        id: i64,
        present: &GoalRecord,
        before: Option<i64>,
    ) -> Result<Written, GoalError> {
        let goal = present.id;
        let all = list(self.tx, self.organization, goal)?;
        let latest = all.last();
        let mut changed = present.clone();
        changed.set(Column::CheckinCount, all.len() as i64);
        let follows = before == Some(id) || latest.map(|said| said.id) == Some(id);
        let takes_from_below = present.text(Column::ProgressMode).parse() == Ok(ProgressMode::FromChildren);
        if follows {
            if !takes_from_below {
                let value = all.iter().rev().find_map(|said| said.value);
                changed.set(Column::Progress, value);
                changed.derive();
            }
            changed.set(Column::Status, self.status_of(&changed, latest)?);
            changed.set(Column::LastCheckinDate, latest.map(|said| day(said.as_of_at).to_string()));
        }
        self.save(present, &mut changed)?;
        let has_moved =
            [Column::Progress, Column::Status].iter().any(|&at| present.get(at) != changed.get(at));
        let itself = [goal];
        let moved = if has_moved { &itself[..] } else { &[] };
        let reached = if follows && takes_from_below { &itself[..] } else { &[] };
        let also: Vec<i64> =
            self.recompute(moved, reached)?.into_iter().filter(|&other| other != goal).collect();
        self.audit(action, id, &json!({ "goal": goal, "alsoChanged": also.len() }))?;
        Ok(Written { goal, also_changed: also })
    }

    /// The status that the latest check-in says, if it is none that only an ending gives.
    fn status_of(&self, goal: &GoalRecord, latest: Option<&Said>) -> Result<String, Error> {
        let Some(latest) = latest else { return Ok(Status::NotStarted.to_string()) };
        if !matches!(latest.status.parse(), Ok(Status::Closed | Status::Postponed)) {
            return Ok(latest.status.clone());
        }
        let place = Place {
            actual: goal.real(Column::ProgressPercent),
            expected: recompute::expected_today(self.tx, self.organization, goal)?,
        };
        Ok(from_progress(place, Ranges::default(), &[]).to_string())
    }
}

/// The number of the latest check-in of a goal.
fn latest(tx: &Tx<'_>, organization: OrganizationNumber, goal: i64) -> Result<Option<i64>, Error> {
    tx.query_opt(
        "-- goals::latest_said
        select id from checkin where organization = ?1 and goal = ?2 order by as_of_at desc, id desc limit 1",
        params![organization, goal],
        |row| row.int(0),
    )
}
