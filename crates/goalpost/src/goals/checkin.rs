//! Check-ins: what somebody says of a goal on a day, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use goalpost_db::{Error, Tx, Value};
use goalpost_okr::Status;
use jiff::civil::Date;

use super::edit::{save, save_all};
use super::record::{Column, GoalRecord, List};
use super::{Origin, day, midnight, recompute};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::{mint_numbers, raise_revision};
use crate::table::{Kind, Table, key_batches, keys_at_once};

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
    /// The goals above that changed by it, each after those below it. Of several made together, the one after which they
    /// were brought up to date names them.
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
    let made =
        check_in_all(tx, organization, actor, std::slice::from_ref(new)).map_err(|(_, error)| error)?;
    Ok(made.into_iter().next().expect("as many are made as are given"))
}

/// Make check-ins one after the other, as one change of the organization; an error comes with the place of the check-in
/// that it is about.
///
/// Costs some ten statements for all together, and as [`recompute::above`] says; goals that take their progress or
/// status from those below them cost as many each.
pub fn check_in_all(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    all: &[NewCheckIn],
) -> Result<Vec<CheckIn>, (usize, CheckInError)> {
    let at_none = |error: Error| (0, error.into());
    let today = day(tx.now_us());
    for (at, new) in all.iter().enumerate() {
        new.check(today).map_err(|error| (at, error))?;
    }
    // First of all: whoever changes the organization meanwhile has to wait, so what is read here stays true.
    let revision = raise_revision(tx, organization, actor, "checkIn").map_err(at_none)?;
    let mut made = Vec::with_capacity(all.len());
    while made.len() < all.len() {
        let done = made.len();
        let mut run = Run::of(tx, organization, today, &all[done..]).map_err(at_none)?;
        for (at, new) in all.iter().enumerate().skip(done) {
            if !run.takes(new) {
                break;
            }
            run.add(new).map_err(|error| (at, error))?;
        }
        run.end(revision, &mut made).map_err(at_none)?;
    }
    Ok(made)
}

impl NewCheckIn {
    /// What is wrong with it, whatever its goal is.
    fn check(&self, today: Date) -> Result<(), CheckInError> {
        if let Some(value) = self.value.filter(|value| !value.is_finite()) {
            return Err(CheckInError::NoNumber(value));
        }
        if self.value.is_none() && self.status.is_none() && self.note.is_none() {
            return Err(CheckInError::Empty);
        }
        match self.as_of.filter(|as_of| *as_of > today) {
            Some(to_come) => Err(CheckInError::InFuture(to_come)),
            None => Ok(()),
        }
    }
}

/// Check-ins that need not look at what the ones before them changed in other goals.
struct Run<'a, 't> {
    tx: &'a Tx<'t>,
    organization: OrganizationNumber,
    today: Date,
    goals: BTreeMap<i64, Subject>,
    entries: Vec<(i64, Entry)>,
}

/// A goal as its rows have it, as it is to be, the moment of its latest check-in, and the statuses of those below it if
/// a rule asks for them.
struct Subject {
    present: GoalRecord,
    changed: GoalRecord,
    latest: Option<i64>,
    below: Vec<Status>,
}

impl<'a, 't> Run<'a, 't> {
    fn of(
        tx: &'a Tx<'t>,
        organization: OrganizationNumber,
        today: Date,
        new: &[NewCheckIn],
    ) -> Result<Self, Error> {
        let ids: BTreeSet<i64> = new.iter().map(|new| new.goal).collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        let latest = latest(tx, organization, &ids)?;
        let found = GoalRecord::read_with(tx, organization, &ids, &[List::PhasedTargets])?;
        let ruled: Vec<i64> =
            found.values().filter(|goal| recompute::has_rule(goal)).map(|goal| goal.id).collect();
        let mut below = recompute::statuses_below(tx, organization, &ruled)?;
        let known = found.into_iter().filter(|(_, goal)| !goal.is_from(Origin::Reference));
        let subject = |(id, present): (i64, GoalRecord)| {
            let (latest, below) = (latest.get(&id).copied(), below.remove(&id).unwrap_or_default());
            (id, Subject { changed: present.clone(), present, latest, below })
        };
        Ok(Self { tx, organization, today, goals: known.map(subject).collect(), entries: Vec::new() })
    }

    /// Whether a check-in can join. One on a goal that takes something from those below it is a run of its own.
    fn takes(&self, new: &NewCheckIn) -> bool {
        let looks_below =
            |id: i64| self.goals.get(&id).is_some_and(|goal| recompute::looks_below(&goal.present));
        match self.entries.last() {
            None => true,
            Some((goal, _)) => !looks_below(*goal) && !looks_below(new.goal),
        }
    }

    fn add(&mut self, new: &NewCheckIn) -> Result<(), CheckInError> {
        let (tx, organization) = (self.tx, self.organization);
        let as_of = new.as_of.unwrap_or(self.today);
        let Some(Subject { changed, latest, below, .. }) = self.goals.get_mut(&new.goal) else {
            return Err(CheckInError::NoSuchGoal(new.goal));
        };
        if recompute::is_over(changed) {
            return Err(CheckInError::IsOver(new.goal, changed.text(Column::Status).to_owned()));
        }
        if let Some(status) = new.status
            && (matches!(status, Status::Closed | Status::Postponed)
                || (status == Status::InProgress) != changed.is_baseline())
        {
            return Err(CheckInError::NotByCheckIn(status));
        }
        let is_latest = latest.is_none_or(|latest| latest <= midnight(as_of));
        let before = changed.text(Column::Status).to_owned();
        if let (true, Some(value)) = (is_latest, new.value) {
            changed.set(Column::Progress, value);
            changed.derive();
        }
        let by_rule = || recompute::status(tx, organization, changed, below);
        let status = match new.status {
            Some(status) => status.as_str().to_owned(),
            None => by_rule()?.map_or(before, |status| status.to_string()),
        };
        let value = new.value.or_else(|| changed.real(Column::Progress));
        if is_latest {
            changed.set(Column::Status, status.as_str());
            changed.set(Column::LastCheckinDate, as_of.to_string());
            *latest = Some(midnight(as_of));
        }
        let entry = Entry { as_of, status, value, note: new.note.clone(), owner: new.owner };
        count_one_more(changed);
        self.entries.push((new.goal, entry));
        Ok(())
    }

    /// Write all of it, and bring the goals above up to date.
    fn end(mut self, revision: i64, made: &mut Vec<CheckIn>) -> Result<(), Error> {
        let (tx, organization) = (self.tx, self.organization);
        let pairs = self.goals.values_mut().map(|goal| (&goal.present, &mut goal.changed));
        save_all(tx, organization, revision, pairs)?;
        let first = mint_numbers(tx, organization, self.entries.len() as i64)?;
        let mut rows = Vec::with_capacity(self.entries.len() * CHECKIN.width());
        for ((goal, entry), id) in self.entries.into_iter().zip(first..) {
            let columns = entry.columns(tx, &self.goals[&goal].present);
            CHECKIN.push_row(&mut rows, organization, &[goal, id], revision, columns);
            let Entry { as_of, status, value, .. } = entry;
            made.push(CheckIn { id, as_of, value, status, changed_above: Vec::new() });
        }
        CHECKIN.insert_all(tx, &rows)?;
        let has_moved = |goal: &Subject| {
            [Column::Progress, Column::Status].iter().any(|&at| goal.present.get(at) != goal.changed.get(at))
        };
        let moved = self.goals.iter().filter(|(_, goal)| has_moved(goal)).map(|(&id, _)| id);
        let changed_above = recompute::above(tx, organization, revision, &moved.collect::<Vec<_>>())?;
        if let Some(last) = made.last_mut() {
            last.changed_above = changed_above;
        }
        Ok(())
    }
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

/// What somebody says, as its row has it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) as_of: Date,
    pub(super) status: String,
    pub(super) value: Option<f64>,
    pub(super) note: Option<String>,
    pub(super) owner: Option<PersonNumber>,
}

impl Entry {
    /// Write it, and what it makes of its goal, `changed`, over `present`; its number.
    pub(super) fn add(
        &self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        revision: i64,
        present: &GoalRecord,
        changed: &mut GoalRecord,
    ) -> Result<i64, Error> {
        count_one_more(changed);
        save(tx, organization, revision, present, changed)?;
        let id = mint_numbers(tx, organization, 1)?;
        let mut row = Vec::with_capacity(CHECKIN.width());
        CHECKIN.push_row(&mut row, organization, &[present.id, id], revision, self.columns(tx, present));
        CHECKIN.insert_all(tx, &row)?;
        Ok(id)
    }

    fn columns(&self, tx: &Tx<'_>, goal: &GoalRecord) -> [Value; 8] {
        let metric_name =
            Some(goal.text(Column::MetricName)).filter(|name| !name.is_empty()).unwrap_or(NO_METRIC);
        [
            midnight(self.as_of).into(),
            tx.now_us().into(),
            self.owner.map(|person| person.0).into(),
            (&self.status).into(),
            self.value.into(),
            metric_name.into(),
            self.note.as_deref().into(),
            Value::Null,
        ]
    }
}

fn count_one_more(goal: &mut GoalRecord) {
    goal.set(Column::CheckinCount, goal.int(Column::CheckinCount).unwrap_or(0) + 1);
}

/// When the latest check-in of each goal was, in microseconds since 1970; goals without any are left out.
fn latest(tx: &Tx<'_>, organization: OrganizationNumber, goals: &[i64]) -> Result<BTreeMap<i64, i64>, Error> {
    let sql = format!(
        "-- goals::latest_check_ins
        select goal, max(as_of_at) from checkin where organization = ?1 and goal in ({}) group by goal",
        keys_at_once(goals)
    );
    let mut latest = BTreeMap::new();
    for params in key_batches(organization, goals) {
        tx.each(&sql, &params, |row| {
            latest.insert(row.int(0)?, row.int(1)?);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
    }
    Ok(latest)
}
