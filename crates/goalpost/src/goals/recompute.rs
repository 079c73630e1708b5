//! What a change of a goal changes above it: in goals that take their progress or their status from those below.
//!
//! The change climbs: a goal whose progress and status stay as they are carries nothing further. Goals that no change
//! reaches keep what their file said, whatever the rules would make of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use goalpost_db::{Error, Result, Tx, Value, params};
use goalpost_okr::score::of_objective;
use goalpost_okr::status::{Place, Ranges, from_children, from_progress};
use goalpost_okr::{Child, Contribution, Milestone, Outcome, Status, TargetType, expected, roll_up, shares};
use jiff::civil::Date;

use super::edit::save_all;
use super::record::{Column, GoalRecord, List};
use super::{ObjectType, ProgressMode, StatusMode, TaskStatus, day};
use crate::ids::OrganizationNumber;
use crate::table::{key_batches, keys_at_once};

/// Two weights that differ by less are the same, printed with one decimal: 33.3 and 33.4.
const ROUNDING: f64 = 0.15;

/// Bring the goals above `changed` up to date, in a transaction that raised the organization's revision to `revision`;
/// tells which of them changed, each after those below it.
///
/// Costs a few statements for each level above on which a goal takes something from its children, whatever else there
/// is. In a circle, which only a file can bring, nothing is recomputed.
pub fn above(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    changed: &[i64],
) -> Result<Vec<i64>> {
    around(tx, organization, revision, changed, &[])
}

/// The same, and besides bring the goals `reached` up to date, below which something came or went, and what lies above
/// those of them that change. One that is among both has changed itself in what it is counted with: it is brought up to
/// date, and so is what lies above it.
pub(super) fn around(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    changed: &[i64],
    reached: &[i64],
) -> Result<Vec<i64>> {
    climb(tx, organization, revision, changed, reached, Over::Stands)
}

/// What becomes of a goal that is over, above one that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// It stays as it ended.
    Stands,
    /// If it takes its status by a rule, it is under way again where the rule says so.
    Reopens,
}

/// As [`around`], where something may have to be opened again.
pub(super) fn climb(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    changed: &[i64],
    reached: &[i64],
    over: Over,
) -> Result<Vec<i64>> {
    let climb = Climb::from(tx, organization, &[changed, reached].concat())?;
    let mut moved: BTreeSet<i64> = changed.iter().copied().collect();
    let mut recomputed = Vec::new();
    for wave in climb.waves() {
        let has_moved_below =
            |goal: &i64| climb.children.get(goal).into_iter().flatten().any(|child| moved.contains(child));
        let touched: Vec<i64> =
            wave.into_iter().filter(|goal| reached.contains(goal) || has_moved_below(goal)).collect();
        let is_own = |goal: i64| reached.contains(&goal) && changed.contains(&goal);
        let others = recompute(tx, organization, revision, &touched, over, is_own)?;
        moved.extend(&others);
        recomputed.extend(others);
    }
    Ok(recomputed)
}

/// The status that a goal has by the rules, in a transaction of today; `None` where a person gives it.
pub(super) fn status(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    goal: &GoalRecord,
    children: &[Status],
) -> Result<Option<Status>> {
    if let Some((scale, value)) = goal.scale().zip(goal.real(Column::Progress))
        && let Some(status) = scale.status(value)
    {
        return Ok(Some(status));
    }
    let rule = match goal.text(Column::StatusMode).parse() {
        Ok(StatusMode::FromProgress) => from_progress,
        Ok(StatusMode::FromChildren) => from_children,
        Ok(StatusMode::Manual) | Err(()) => return Ok(None),
    };
    let place = Place {
        actual: goal.real(Column::ProgressPercent),
        expected: expected_today(tx, organization, goal)?,
    };
    Ok(Some(rule(place, Ranges::default(), children)))
}

/// Whether a goal is over or was put off, and its figures stand.
pub(super) fn is_over(goal: &GoalRecord) -> bool {
    matches!(goal.text(Column::Status).parse(), Ok(Status::Closed | Status::Postponed))
}

/// Whether what is said of a goal below another may change what the rules make of the other.
pub(super) fn looks_below(goal: &GoalRecord) -> bool {
    takes_progress(goal) || goal.text(Column::StatusMode).parse() == Ok(StatusMode::FromChildren)
}

/// The statuses of the goals below goals, as far as they are known words.
pub(super) fn statuses_below(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    goals: &[i64],
) -> Result<BTreeMap<i64, Vec<Status>>> {
    let sql = format!(
        "-- goals::statuses_below
        select p.parent, g.status from goal_parent p join goal g on g.organization = ?1 and g.id = p.goal
         where p.organization = ?1 and p.parent in ({})",
        keys_at_once(goals)
    );
    let mut below: BTreeMap<i64, Vec<Status>> = BTreeMap::new();
    for params in key_batches(organization, goals) {
        tx.each(&sql, &params, |row| {
            below.entry(row.int(0)?).or_default().extend(row.text(1)?.parse::<Status>().ok());
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
    }
    Ok(below)
}

/// Whether a goal has its status by a rule.
pub(super) fn has_rule(goal: &GoalRecord) -> bool {
    matches!(goal.text(Column::StatusMode).parse(), Ok(StatusMode::FromProgress | StatusMode::FromChildren))
}

/// Bring goals, none of which is above another, up to date with those below them, or if it is its `own` change with
/// themselves; tells which of them changed.
fn recompute(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    goals: &[i64],
    over: Over,
    is_own: impl Fn(i64) -> bool,
) -> Result<Vec<i64>> {
    let mut found = GoalRecord::read_with(tx, organization, goals, &[List::PhasedTargets])?;
    found.retain(|&goal, present| {
        let stands = is_over(present) && !(has_rule(present) && over == Over::Reopens);
        !stands && (takes_progress(present) || has_rule(present) || is_own(goal))
    });
    let ids: Vec<i64> = found.keys().copied().collect();
    let mut below = children(tx, organization, &ids)?;
    let mut pairs = Vec::with_capacity(found.len());
    for (goal, present) in found {
        let children = below.remove(&goal).unwrap_or_default();
        let changed = follow(tx, organization, &present, &children)?;
        pairs.push((present, changed));
    }
    save_all(tx, organization, revision, pairs.iter_mut().map(|(present, changed)| (&*present, changed)))
}

/// A goal as those below it make it.
fn follow(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    present: &GoalRecord,
    children: &[Below],
) -> Result<GoalRecord> {
    let mut changed = present.clone();
    if takes_progress(present) {
        let progress = match tasks_done(tx, organization, present)? {
            None => progress(present, children)?,
            done => done,
        };
        if let Some(progress) = progress {
            changed.set(Column::Progress, progress);
            changed.derive();
        }
    }
    let statuses: Vec<Status> = children.iter().filter_map(|child| child.status).collect();
    if let Some(status) = status(tx, organization, &changed, &statuses)? {
        changed.set(Column::Status, status.as_str());
        if status == Status::Closed && !is_over(present) {
            changed.set(Column::Score, score(children)?);
        } else if status != Status::Closed && is_over(present) {
            changed.set(Column::Score, Value::Null);
        }
    }
    Ok(changed)
}

/// Whether a goal takes its progress from those below it.
fn takes_progress(goal: &GoalRecord) -> bool {
    goal.text(Column::ProgressMode).parse() == Ok(ProgressMode::FromChildren)
}

/// A goal below another, as far as the other needs to know it.
#[derive(Debug)]
struct Below {
    goal: i64,
    is_initiative: bool,
    status: Option<Status>,
    is_baseline: bool,
    percent: Option<f64>,
    amount: Option<f64>,
    score: Option<f64>,
    weight: Option<f64>,
    is_fixed: bool,
}

/// The goals below each of some, by number; those without any are left out.
fn children(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    goals: &[i64],
) -> Result<BTreeMap<i64, Vec<Below>>> {
    let sql = format!(
        "-- goals::children
        select p.parent, g.id, g.object_type, g.status, g.outcome_type, g.metric_unit, g.target_type, g.progress,
               g.progress_percent, g.score, p.weight, p.fixed
          from goal_parent p join goal g on g.organization = ?1 and g.id = p.goal
         where p.organization = ?1 and p.parent in ({}) order by p.parent, g.id",
        keys_at_once(goals)
    );
    let mut below: BTreeMap<i64, Vec<Below>> = BTreeMap::new();
    for params in key_batches(organization, goals) {
        tx.each(&sql, &params, |row| {
            let has_metric = row.text(4)? == "Metric";
            let is_number = has_metric && !is_percent(row.opt_text(5)?);
            below.entry(row.int(0)?).or_default().push(Below {
                goal: row.int(1)?,
                is_initiative: row.text(2)? == ObjectType::Initiative.as_str(),
                status: row.text(3)?.parse().ok(),
                is_baseline: has_metric && row.opt_text(6)? == Some(TargetType::Baseline.as_str()),
                percent: row.opt_real(8)?,
                amount: if is_number { row.opt_real(7)? } else { None },
                score: row.opt_real(9)?,
                weight: row.opt_real(10)?,
                is_fixed: row.bool(11)?,
            });
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
    }
    Ok(below)
}

/// How much of an initiative without a metric is done, in percent, by its tasks; `None` if it has none.
fn tasks_done(tx: &Tx<'_>, organization: OrganizationNumber, goal: &GoalRecord) -> Result<Option<f64>> {
    if goal.text(Column::ObjectType) != ObjectType::Initiative.as_str() || goal.has_metric() {
        return Ok(None);
    }
    tx.query_one(
        "-- goals::tasks_done
        select count(*), count(case when status = ?3 then 1 end) from task where organization = ?1 and goal = ?2",
        params![organization, goal.id, TaskStatus::Complete.as_str()],
        |row| {
            let (all, done) = (row.int(0)?, row.int(1)?);
            Ok((all > 0).then(|| done as f64 / all as f64 * 100.0))
        },
    )
}

/// What a goal contributes to the one above it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// The goal below.
    pub goal: i64,
    /// Its part in percent; all parts are 100 together, or 0.
    pub percent: f64,
    /// Whether a person said so.
    pub is_fixed: bool,
}

/// What the goals below a goal contribute to it, by number. One statement.
pub fn parts(tx: &Tx<'_>, organization: OrganizationNumber, parent: i64) -> Result<Vec<Part>> {
    let children = children(tx, organization, &[parent])?.remove(&parent).unwrap_or_default();
    let shares = shares(&contributions(&children)).map_err(|error| Error::unexpected(error.to_string()))?;
    let parts = children.iter().zip(shares);
    Ok(parts.map(|(child, percent)| Part { goal: child.goal, percent, is_fixed: child.is_fixed }).collect())
}

/// The way up from one goal to another, both ends with it; `None` if the other is not above it.
pub(crate) fn path_up(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    from: i64,
    to: i64,
) -> Result<Option<Vec<i64>>> {
    let climb = Climb::from(tx, organization, &[from])?;
    if !climb.all.contains(&to) {
        return Ok(None);
    }
    // Of each goal above, the one below it from which it was first come to.
    let mut came_from = BTreeMap::from([(from, from)]);
    let mut waiting = vec![from];
    while let Some(goal) = waiting.pop() {
        for &parent in climb.parents.get(&goal).into_iter().flatten() {
            came_from.entry(parent).or_insert_with(|| {
                waiting.push(parent);
                goal
            });
        }
    }
    let mut path = vec![to];
    while let Some(&goal) = path.last().filter(|goal| **goal != from) {
        path.push(came_from[&goal]);
    }
    path.reverse();
    Ok(Some(path))
}

/// Whether a metric counts in percent, by the words of the files.
fn is_percent(unit: Option<&str>) -> bool {
    matches!(unit, Some("Percentage" | "%"))
}

/// What those below make of a goal's progress; `None` if they have nothing to say yet.
fn progress(goal: &GoalRecord, children: &[Below]) -> Result<Option<f64>> {
    let outcome = match goal.scale() {
        Some(scale) if is_percent(Some(goal.text(Column::MetricUnit))) => Outcome::PercentMetric(scale),
        _ if goal.has_metric() => Outcome::Metric,
        _ => Outcome::Percentage,
    };
    let contributions = contributions(children);
    let children: Vec<Child> = children
        .iter()
        .zip(contributions)
        .map(|(child, contribution)| Child {
            percent: child.percent,
            amount: child.amount,
            contribution,
            // What only collects values adds to another collection alone.
            is_left_out: child.status == Some(Status::Postponed)
                || (child.is_baseline && !goal.is_baseline()),
        })
        .collect();
    roll_up(&outcome, &children).map_err(|error| Error::unexpected(error.to_string()))
}

/// The score of a goal that its children closed: the average of theirs.
fn score(children: &[Below]) -> Result<Option<f64>> {
    let ended: Vec<&Below> = children.iter().filter(|child| child.status == Some(Status::Closed)).collect();
    let contributions = contributions(ended.iter().copied());
    let scores: Vec<_> = ended.iter().zip(contributions).map(|(child, part)| (child.score, part)).collect();
    of_objective(&scores).map_err(|error| Error::unexpected(error.to_string()))
}

/// What each child contributes, by its weight. A file says the weights but not who set them: equal ones were nobody's
/// choice and are shared anew, different ones stand. Initiatives contribute only where a weight says so.
///
/// Weights of a file may be more than the whole together; then they are taken in proportion.
fn contributions<'a>(children: impl IntoIterator<Item = &'a Below>) -> Vec<Contribution> {
    let children: Vec<&Below> = children.into_iter().collect();
    let stated: Vec<f64> = children
        .iter()
        .filter(|child| !child.is_fixed)
        .filter_map(|child| child.weight)
        .filter(|weight| *weight > 0.0)
        .collect();
    let differ = stated.iter().any(|weight| (weight - stated[0]).abs() > ROUNDING);
    let weights: Vec<Option<f64>> = children
        .iter()
        .map(|child| match child.weight {
            None if child.is_initiative => Some(0.0),
            Some(weight) if child.is_fixed || differ || weight <= 0.0 => Some(weight.max(0.0)),
            None | Some(_) => None,
        })
        .collect();
    let total: f64 = weights.iter().flatten().sum();
    let scale = if total > 100.0 { 100.0 / total } else { 1.0 };
    weights
        .into_iter()
        .map(|weight| weight.map_or(Contribution::Free, |weight| Contribution::Fixed(weight * scale)))
        .collect()
}

/// How far a goal should have come by today; 0 where nobody said by when it is due.
pub(super) fn expected_today(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    goal: &GoalRecord,
) -> Result<f64> {
    let parsed = |day: Option<&str>| day.and_then(|day| day.parse::<Date>().ok());
    let own = |column| parsed(Some(goal.text(column)));
    let (mut start, mut end) = (own(Column::StartDate), own(Column::EndDate));
    if let (true, Some(period)) = (start.is_none() || end.is_none(), goal.int(Column::Period)) {
        let (first, last) = tx
            .query_opt(
                "-- goals::days_of_period
            select start_date, end_date from period where organization = ?1 and id = ?2",
                params![organization, period],
                |row| Ok::<_, Error>((parsed(row.opt_text(0)?), parsed(row.opt_text(1)?))),
            )?
            .unwrap_or_default();
        (start, end) = (start.or(first), end.or(last));
    }
    let Some((start, end)) = start.zip(end) else { return Ok(0.0) };
    Ok(expected(start, end, &milestones(goal), day(tx.now_us())))
}

/// The targets on the way, in percent; those without a day or a place on the scale say nothing.
fn milestones(goal: &GoalRecord) -> Vec<Milestone> {
    let milestone = |entry: &[Value]| {
        let [Value::Real(value), Value::Text(due)] = entry else { return None };
        let percent = if goal.has_metric() { goal.scale()?.percent(*value)? } else { *value };
        Some(Milestone { due: due.parse().ok()?, percent })
    };
    goal.list(List::PhasedTargets).chunks_exact(List::PhasedTargets.width()).filter_map(milestone).collect()
}

/// The goals above some, and who is below whom among all of them.
#[derive(Debug, Default)]
struct Climb {
    parents: BTreeMap<i64, BTreeSet<i64>>,
    children: BTreeMap<i64, BTreeSet<i64>>,
    all: BTreeSet<i64>,
}

impl Climb {
    /// One statement for every 250 goals, however far it is to the top.
    fn from(tx: &Tx<'_>, organization: OrganizationNumber, goals: &[i64]) -> Result<Self> {
        let sql = format!(
            "-- goals::above
            with recursive above (goal, parent) as (
              select goal, parent from goal_parent where organization = ?1 and goal in ({})
              union
              select p.goal, p.parent from above a join goal_parent p on p.organization = ?1 and p.goal = a.parent
            )
            select goal, parent from above",
            keys_at_once(goals)
        );
        let mut climb = Self { all: goals.iter().copied().collect(), ..Self::default() };
        for params in key_batches(organization, goals) {
            tx.each(&sql, &params, |row| {
                climb.add(row.int(0)?, row.int(1)?);
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
        }
        Ok(climb)
    }

    fn add(&mut self, goal: i64, parent: i64) {
        self.parents.entry(goal).or_default().insert(parent);
        self.children.entry(parent).or_default().insert(goal);
        self.all.extend([goal, parent]);
    }

    /// All of them, in waves: each goal in a wave after those of the goals below it. Without those of circles, and what
    /// is above these.
    fn waves(&self) -> Vec<Vec<i64>> {
        let below = |goal: &i64| self.children.get(goal).map_or(0, BTreeSet::len);
        let mut waits: BTreeMap<i64, usize> = self.all.iter().map(|goal| (*goal, below(goal))).collect();
        let mut wave: Vec<i64> =
            waits.iter().filter(|(_, waits)| **waits == 0).map(|(goal, _)| *goal).collect();
        let mut waves = Vec::new();
        while !wave.is_empty() {
            let mut next = Vec::new();
            for parent in wave.iter().filter_map(|goal| self.parents.get(goal)).flatten() {
                let waits = waits.get_mut(parent).expect("a parent is one of all");
                *waits -= 1;
                if *waits == 0 {
                    next.push(*parent);
                }
            }
            waves.push(std::mem::replace(&mut wave, next));
        }
        waves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(weight: Option<f64>, is_fixed: bool) -> Below {
        Below {
            goal: 1,
            is_initiative: false,
            status: Some(Status::OnTrack),
            is_baseline: false,
            percent: Some(50.0),
            amount: None,
            score: None,
            weight,
            is_fixed,
        }
    }

    #[test]
    fn weights_of_a_file_stand_where_somebody_chose_them() {
        use Contribution::{Fixed, Free};
        for (children, expected) in [
            (vec![below(None, false), below(None, false)], vec![Free, Free]),
            // Equal ones, as a file rounds them.
            (
                vec![below(Some(33.3), false), below(Some(33.3), false), below(Some(33.4), false)],
                vec![Free; 3],
            ),
            (vec![below(Some(50.0), false), below(Some(25.0), false)], vec![Fixed(50.0), Fixed(25.0)]),
            (vec![below(Some(0.0), false), below(Some(100.0), false)], vec![Fixed(0.0), Free]),
            (vec![below(Some(50.0), true), below(None, false)], vec![Fixed(50.0), Free]),
            (
                vec![below(Some(50.0), true), below(Some(25.0), false), below(Some(25.0), false)],
                vec![Fixed(50.0), Free, Free],
            ),
            // More than the whole.
            (vec![below(Some(150.0), false), below(Some(50.0), false)], vec![Fixed(75.0), Fixed(25.0)]),
        ] {
            assert_eq!(contributions(&children), expected, "{children:?}");
        }
        let initiative = Below { is_initiative: true, ..below(None, false) };
        assert_eq!(contributions([&initiative, &below(None, false)]), [Fixed(0.0), Free]);
    }

    #[test]
    fn a_climb_goes_from_below_to_above_and_around_no_circle() {
        let mut climb = Climb::default();
        // 1 below 2 and 3, both below 4; 5 and 6 below each other, and 5 below 4's parent 7.
        for (child, parent) in [(1, 2), (1, 3), (2, 4), (3, 4), (4, 7), (5, 6), (6, 5), (5, 8)] {
            climb.add(child, parent);
        }
        assert_eq!(climb.waves(), [vec![1], vec![2, 3], vec![4], vec![7]]);
    }
}
