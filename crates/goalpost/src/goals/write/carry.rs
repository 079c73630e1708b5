//! Goals that go on under another number: put off to another period, or made again.

use std::collections::{BTreeMap, BTreeSet};

use goalpost_db::{Tx, Value, params};
use goalpost_okr::{Status, TargetType};
use jiff::civil::Date;

use super::align::Alignment;
use super::fields::{Days, Patch};
use super::{Change, GoalError, fields, parents, tasks};
use crate::goals::checkin::Entry;
use crate::goals::record::{Column, GoalRecord, List};
use crate::goals::rights::{self, Action, Subject};
use crate::goals::{ObjectType, Origin, day, recompute};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::mint_numbers;

/// How a goal is put off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Postponing {
    /// To which time period; without, the one that begins the day after the goal's ends, and of several the one whose
    /// length is nearest.
    pub period: Option<i64>,
    /// What was reached counts in the other period too. Otherwise a percentage begins anew, and a metric where it is.
    pub keep_progress: bool,
    /// Why.
    pub note: Option<String>,
}

/// How a goal is made again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cloning {
    /// In which time period; without, in the same.
    pub period: Option<i64>,
    /// With which title; without, with the same.
    pub title: Option<String>,
    /// With the key results and initiatives below it.
    pub with_below: bool,
    /// Below which goals; without, below none.
    pub parents: Vec<Alignment>,
}

/// What was carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The goal that goes on.
    pub goal: i64,
    /// Each goal that was carried over, and its copy; the goal itself first.
    pub copies: Vec<(i64, i64)>,
    /// Other goals that changed by it.
    pub also_changed: Vec<i64>,
}

/// How much of what was reached a copy has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    Nothing,
    Rest,
    All,
}

/// Put a goal off, with the key results and initiatives below it that are under way: each gets a copy in the other
/// period and becomes Postponed, which is its last check-in. Copies stay below the goals above that are under way; they
/// have no check-ins, comments or targets on the way.
pub fn postpone(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    goal: i64,
    how: &Postponing,
) -> Result<Carried, GoalError> {
    let change = Change::begin(tx, organization, actor, "goal postpone")?;
    let root = change.find_open(goal)?;
    let note = fields::text("note", how.note.as_deref())?;
    let period = match (how.period, root.int(Column::Period)) {
        (Some(period), _) => period,
        (None, Some(period)) => change.next_period(period)?,
        (None, None) => return Err(GoalError::NoPeriod),
    };
    let set = change.with_below(root, Action::Close, |goal| !recompute::is_over(goal))?;
    let above = change.under_way(&parents(&set[0]))?;
    let reached = if how.keep_progress { Reached::All } else { Reached::Rest };
    let copies = change.copy(&set, period, reached, |root| {
        let entries = root.list(List::Parents).chunks_exact(List::Parents.width());
        let stays = |entry: &&[Value]| matches!(entry[0], Value::Int(parent) if above.contains(&parent));
        Ok(entries.filter(stays).flatten().cloned().collect())
    })?;
    let today = day(tx.now_us());
    for present in &set {
        let mut changed = present.clone();
        let note = note.clone().filter(|_| present.id == goal);
        changed.set(Column::Status, Status::Postponed.as_str());
        changed.set(Column::EndingNote, note.clone());
        changed.set(Column::LastCheckinDate, today.to_string());
        let (value, status) = (changed.real(Column::Progress), Status::Postponed.to_string());
        let entry = Entry { as_of: today, status, value, note, owner: actor };
        entry.add(tx, organization, change.revision, present, &mut changed)?;
    }
    let put_off: Vec<i64> = set.iter().map(|goal| goal.id).collect();
    let also_changed = change.recompute(&put_off, &above)?;
    change.carried("goal.postpone", copies, also_changed)
}

/// Make a goal again, as it was meant and without what was reached. Nothing becomes of the goal itself, which may be
/// over.
pub fn clone(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    goal: i64,
    how: &Cloning,
) -> Result<Carried, GoalError> {
    let change = Change::begin(tx, organization, actor, "goal clone")?;
    let root = change.find(goal)?;
    let period = how.period.or(root.int(Column::Period)).ok_or(GoalError::NoPeriod)?;
    let set = change.with_below(root, Action::Clone, |_| how.with_below)?;
    let copies = change.copy(&set, period, Reached::Nothing, |root| {
        let title = Patch { title: how.title.clone(), ..Patch::default() };
        change.apply(&title, root)?;
        root.list_mut(List::Parents).clear();
        how.parents.iter().try_for_each(|alignment| change.add_parent(root, alignment))?;
        change.check_visibility(root)?;
        Ok(std::mem::take(root.list_mut(List::Parents)))
    })?;
    let above: Vec<i64> = how.parents.iter().map(|alignment| alignment.parent).collect();
    for &parent in &above {
        change.check_whole(parent)?;
    }
    let also_changed = change.recompute(&[], &above)?;
    change.carried("goal.clone", copies, also_changed)
}

impl Change<'_, '_> {
    /// The goal, and the key results and initiatives below it of which `is_meant` says so, each after one above it; of
    /// these, those to which whoever acts may do the same. What they do not see is passed over as if it were not there.
    fn with_below(
        &self,
        root: GoalRecord,
        action: Action,
        is_meant: impl Fn(&GoalRecord) -> bool,
    ) -> Result<Vec<GoalRecord>, GoalError> {
        let mut seen = BTreeSet::from([root.id]);
        let mut all = vec![root];
        let mut next = 0;
        while let Some(above) = all.get(next).map(|goal| goal.id) {
            next += 1;
            for (id, goal) in GoalRecord::read(self.tx, self.organization, &self.below(above)?)? {
                let is_objective = goal.text(Column::ObjectType) == ObjectType::Objective.as_str();
                if !is_objective && is_meant(&goal) && self.may(action, id)? && seen.insert(id) {
                    all.push(goal);
                }
            }
        }
        Ok(all)
    }

    /// Whether whoever acts may do this to a goal; the command line, which names nobody, may do everything.
    fn may(&self, action: Action, goal: i64) -> Result<bool, GoalError> {
        let Some(person) = self.actor else { return Ok(true) };
        Ok(rights::may(self.tx, self.organization, person, action, Subject::Goal(goal))?.is_yes())
    }

    /// The goals among some that are under way.
    fn under_way(&self, goals: &[i64]) -> Result<Vec<i64>, GoalError> {
        let found = GoalRecord::read_with(self.tx, self.organization, goals, &[])?;
        let is_open = |goal: &&GoalRecord| !recompute::is_over(goal) && !goal.is_from(Origin::Reference);
        Ok(found.values().filter(is_open).map(|goal| goal.id).collect())
    }

    /// The period after another.
    fn next_period(&self, period: i64) -> Result<i64, GoalError> {
        let [Some(start), Some(end)] = self.days(period)? else {
            return Err(GoalError::NoNextPeriod(period));
        };
        let begins = end.tomorrow().map_err(|_| GoalError::NoNextPeriod(period))?;
        let length = |start: Date, end: Date| (end - start).get_days();
        let found = self.tx.query(
            "-- goals::next_periods
            select id, end_date from period where organization = ?1 and start_date = ?2 order by id",
            params![self.organization, begins.to_string()],
            |row| {
                Ok::<_, goalpost_db::Error>((row.int(0)?, row.opt_text(1)?.and_then(|day| day.parse().ok())))
            },
        )?;
        let wanted = length(start, end);
        let dated = found.into_iter().filter_map(|(id, end): (i64, Option<Date>)| Some((id, end?)));
        let nearest = dated.min_by_key(|&(id, end)| ((length(begins, end) - wanted).abs(), id));
        nearest.map(|(id, _)| id).ok_or(GoalError::NoNextPeriod(period))
    }

    /// Make a copy of each goal of a set whose first one is above all others. `settle` settles the first one, and says
    /// below which goals it is.
    fn copy(
        &self,
        set: &[GoalRecord],
        period: i64,
        reached: Reached,
        settle: impl FnOnce(&mut GoalRecord) -> Result<Vec<Value>, GoalError>,
    ) -> Result<Vec<(i64, i64)>, GoalError> {
        let days = self.days(period)?;
        let first = mint_numbers(self.tx, self.organization, set.len() as i64)?;
        let numbers: BTreeMap<i64, i64> = set.iter().map(|goal| goal.id).zip(first..).collect();
        let mut settle = Some(settle);
        for original in set {
            let mut copy = self.renewed(original, period, days, reached);
            copy.id = numbers[&original.id];
            let parents = match settle.take() {
                Some(settle) => settle(&mut copy)?,
                None => parents_among(original, &numbers),
            };
            *copy.list_mut(List::Parents) = parents;
            tasks::renew(self.tx, self.organization, &mut copy, reached == Reached::All)?;
            copy.derive();
            copy.write(self.tx, self.organization, self.revision, None)?;
        }
        Ok(set.iter().map(|goal| (goal.id, numbers[&goal.id])).collect())
    }

    /// A goal as it begins in a period, still with its number.
    fn renewed(&self, original: &GoalRecord, period: i64, days: Days, reached: Reached) -> GoalRecord {
        let mut copy = original.clone();
        copy.set(Column::Origin, Origin::Local.as_str());
        copy.set(Column::Creator, self.actor.map(|person| person.0));
        for column in [Column::CreatedAt, Column::UpdatedAt] {
            copy.set(column, self.tx.now_us());
        }
        for column in [Column::LastCheckinDate, Column::Score, Column::EndingNote, Column::Permissions] {
            copy.set(column, Value::Null);
        }
        copy.set(Column::CheckinCount, 0_i64);
        if original.int(Column::Period) != Some(period) {
            copy.set(Column::Period, period);
            copy.set(Column::StartDate, days[0].map(|day| day.to_string()));
            copy.set(Column::EndDate, days[1].map(|day| day.to_string()));
            copy.set(Column::Phased, false);
            copy.set(Column::PhasedInterval, Value::Null);
            copy.list_mut(List::PhasedTargets).clear();
        }
        if reached == Reached::All {
            return copy;
        }
        copy.set(Column::Status, Status::NotStarted.as_str());
        let value = copy.real(Column::Progress);
        copy.set(Column::Progress, Value::Null);
        if let (Reached::Rest, Some(scale), Some(value)) = (reached, copy.scale(), value) {
            copy.set(Column::Progress, value);
            // What is reached has nothing left to begin with.
            if scale.percent(value).is_some_and(|percent| percent < 100.0) {
                let rest = scale.from_now(value);
                copy.set(Column::TargetType, rest.target_type.as_str());
                if matches!(rest.target_type, TargetType::IncreaseFrom | TargetType::DecreaseFrom) {
                    copy.set(Column::MetricStart, rest.start);
                }
            }
        }
        copy
    }

    fn carried(
        &self,
        action: &str,
        copies: Vec<(i64, i64)>,
        also_changed: Vec<i64>,
    ) -> Result<Carried, GoalError> {
        let (original, goal) = copies[0];
        let detail =
            serde_json::json!({ "copy": goal, "copies": copies.len(), "alsoChanged": also_changed.len() });
        self.audit(action, original, &detail)?;
        Ok(Carried { goal, copies, also_changed })
    }
}

/// The alignments of a goal to those of a set, as alignments to their copies.
fn parents_among(original: &GoalRecord, numbers: &BTreeMap<i64, i64>) -> Vec<Value> {
    let entries = original.list(List::Parents).chunks_exact(List::Parents.width());
    let among = entries.filter_map(|entry| match entry[0] {
        Value::Int(parent) => {
            numbers.get(&parent).map(|copy| [(*copy).into(), entry[1].clone(), entry[2].clone()])
        }
        _ => None,
    });
    among.flatten().collect()
}
