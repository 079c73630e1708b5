//! A goal by its index, with its check-ins and comments.

use jiff::civil::{Date, DateTime};
use jiff::{Span, ToSpan};

use crate::elements::{CheckIn, Comment, Named, Note, Period};
use crate::objective::{
    Alignment, Child, Configuration, Objective, Outcome, Permissions, PhasedTarget, PhasedTargets, Task,
};
use crate::sample::dice::{Dice, Purpose};
use crate::sample::families::{Kind, Place};
use crate::sample::organization::Organization;
use crate::sample::words;

const FIRST_GOAL: i64 = 4_080_000;
const GOAL_STEP: i64 = 7;

/// What goals are thrown from.
#[derive(Debug)]
pub(crate) struct Goals {
    pub(crate) seed: u64,
    /// How many check-ins a goal has on average, if not as many as usual.
    pub(crate) check_ins: Option<u32>,
    pub(crate) organization: Organization,
    pub(crate) periods: Vec<Period>,
}

/// What a goal's check-ins need to know about it, without its family.
struct Facts {
    period: usize,
    start_date: Date,
    end_date: Date,
    status: &'static str,
    outcome: Outcome,
    progress: Option<f64>,
    check_ins: u64,
}

impl Goals {
    /// Ascending with gaps, as in a sequence that many organizations share.
    fn id(&self, index: u64) -> i64 {
        FIRST_GOAL
            + index.cast_signed() * GOAL_STEP
            + self.dice(Purpose::GoalId, index).below(5).cast_signed()
    }

    /// An id in the gap behind a goal.
    fn lost_id(index: u64) -> i64 {
        FIRST_GOAL + index.cast_signed() * GOAL_STEP + 6
    }

    fn dice(&self, purpose: Purpose, index: u64) -> Dice {
        Dice::new(self.seed, purpose, index)
    }

    fn title(&self, index: u64) -> String {
        words::title(&mut self.dice(Purpose::Title, index))
    }

    fn type_label(&self, kind: Kind, index: u64) -> String {
        let common = self.dice(Purpose::Label, index).permille(880);
        let label = match (kind, common) {
            (Kind::Objective, true) => "Big rock",
            (Kind::Objective, false) => "Objective",
            (Kind::KeyResult, true) => "Kpi",
            (Kind::KeyResult, false) => "Key result",
            (Kind::Initiative, _) => "Project",
        };
        label.to_owned()
    }

    fn facts(&self, index: u64) -> Facts {
        let mut dice = self.dice(Purpose::Facts, index);
        let today = self.organization.today();
        // Four of five goals lie in the year of the export.
        let period = if dice.permille(800) { dice.between(10, 14) } else { dice.below(10) } as usize;
        let Period { start_date, end_date, .. } = self.periods[period];
        let (start_date, end_date) = if dice.permille(150) {
            let late = start_date.saturating_add(Span::new().days(dice.between(1, 40).cast_signed()));
            (late, end_date.saturating_add(10.days()))
        } else {
            (start_date, end_date)
        };
        let status = if start_date > today {
            "Not Started"
        } else if self.periods[period].end_date < self.periods[10].start_date {
            dice.weighted(&[
                (45, "Closed"),
                (12, "Postponed"),
                (25, "On Track"),
                (10, "Behind"),
                (8, "At Risk"),
            ])
        } else {
            dice.weighted(&[
                (47, "On Track"),
                (33, "Not Started"),
                (4, "Closed"),
                (9, "Behind"),
                (4, "At Risk"),
                (1, "Postponed"),
            ])
        };
        let outcome = outcome(&mut dice);
        let usual = match status {
            "Not Started" => 0,
            _ if dice.permille(6) => dice.between(20, 40),
            _ => dice.between(1, 5),
        };
        // Those of all goals together are 2.3 a goal.
        let check_ins = self.check_ins.map_or(usual, |mean| (usual * u64::from(mean) * 10 + 11) / 23);
        let progress = progress(&mut dice, status, &outcome);
        Facts { period, start_date, end_date, status, outcome, progress, check_ins }
    }

    /// The goal, and whom its family ties it to: `family` holds the goals from index `first` on.
    pub(crate) fn objective(&self, first: u64, family: &[Place], at: usize) -> Objective {
        let index = first + at as u64;
        let Place { kind, parents, .. } = &family[at];
        let facts = self.facts(index);
        let mut dice = self.dice(Purpose::Goal, index);
        let organization = &self.organization;

        let count = dice.weighted(&[(2, 0), (90, 1), (6, 2), (2, 3)]);
        let mut owners: Vec<_> = (0..count).map(|_| organization.somebody_or_a_stranger(&mut dice)).collect();
        owners.dedup();
        let period = &self.periods[facts.period];
        let period = if dice.permille(5) {
            Organization::lost_period()
        } else {
            Named { id: period.id, name: Some(period.name.clone()) }
        };
        let mut parent_ids: Vec<i64> = parents.iter().map(|&parent| self.id(first + parent as u64)).collect();
        let mut alignment = self.alignment(first, parents, &mut dice);
        if dice.permille(5) {
            let id = Self::lost_id(index);
            parent_ids.push(id);
            alignment.push(Alignment { id, title: Some(self.title(index + 1)), weight: Some(50.0) });
        }
        let permissions = if dice.permille(10) {
            Permissions::only((0..dice.between(1, 3)).map(|_| organization.somebody(&mut dice)).collect())
        } else {
            Permissions::everybody()
        };
        let is_closed = facts.status == "Closed";
        let score = if is_closed && dice.permille(600) { dice.between(2, 10) as f64 / 10.0 } else { 0.0 };
        let children = match kind {
            Kind::Initiative => self.tasks(index, &facts, &mut dice),
            _ => self.children(first, family, at),
        };
        Objective {
            id: self.id(index),
            title: self.title(index),
            type_label: Some(self.type_label(*kind, index)),
            created_by: Some(organization.somebody(&mut dice)),
            check_in_owners: owners.iter().take(1).cloned().collect(),
            owners,
            teams: (0..dice.weighted(&[(17, 0), (76, 1), (5, 2), (2, 3)]))
                .map(|_| organization.some_team(&mut dice))
                .collect(),
            period: Some(period),
            start_date: Some(facts.start_date),
            end_date: Some(facts.end_date),
            alignment,
            delegated_to: dice.permille(20).then(|| organization.somebody(&mut dice)),
            permissions,
            description: words::description(&mut dice),
            tags: (0..dice.weighted(&[(88, 0), (9, 1), (3, 2)]))
                .map(|_| Organization::some_tag(&mut dice))
                .collect(),
            configuration: configuration(&mut dice),
            progress: facts.progress,
            status: Some(facts.status.to_owned()),
            phased_targets: dice.permille(75).then(|| phased_targets(&facts, &mut dice)),
            outcome: Some(facts.outcome.clone()),
            parent_ids,
            children,
            score: Some(score),
            goal_type: Some(if dice.permille(120) { "Committed" } else { "Aspirational" }.to_owned()),
            created_at: Some(facts.start_date.saturating_sub(12.days()).into()),
            last_check_in: facts.check_ins.checked_sub(1).map(|last| self.check_in_day(&facts, last).into()),
            aside: Vec::new(),
        }
    }

    /// Weights, which one in four parents lacks.
    fn alignment(&self, first: u64, parents: &[usize], dice: &mut Dice) -> Vec<Alignment> {
        let weighted = parents.iter().filter(|_| dice.permille(740)).copied().collect::<Vec<_>>();
        let mut entry = |parent: usize| {
            let index = first + parent as u64;
            let weight = dice.weighted(&[
                (20, 100.0),
                (20, 50.0),
                (20, 33.33),
                (20, 25.0),
                (10, 20.0),
                (10, 14.29),
                (5, 0.0),
            ]);
            Alignment { id: self.id(index), title: Some(self.title(index)), weight: Some(weight) }
        };
        weighted.into_iter().map(&mut entry).collect()
    }

    fn children(&self, first: u64, family: &[Place], at: usize) -> Vec<Child> {
        let later = family.iter().enumerate().skip(at + 1);
        let own = later.filter(|(_, place)| place.parents.contains(&at));
        own.map(|(child, place)| {
            let index = first + child as u64;
            let title = Some(self.title(index));
            Child::Goal { id: self.id(index), title, type_label: Some(self.type_label(place.kind, index)) }
        })
        .collect()
    }

    fn tasks(&self, index: u64, facts: &Facts, dice: &mut Dice) -> Vec<Child> {
        let mut task = |number: u64| {
            Child::Task(Task {
                id: 880_000 + index.cast_signed() * 40 + number.cast_signed(),
                name: words::task(dice),
                status: Some(
                    dice.weighted(&[(78, "Complete"), (18, "Incomplete"), (4, "Unknown")]).to_owned(),
                ),
                date: dice.permille(480).then_some(facts.end_date),
                owner: dice.permille(50).then(|| self.organization.somebody_or_a_stranger(dice)),
            })
        };
        let count = self.dice(Purpose::Tasks, index).between(1, 30);
        (0..count).map(&mut task).collect()
    }

    /// Days evenly between the goal's start and its end, or the export.
    fn check_in_day(&self, facts: &Facts, number: u64) -> Date {
        let until = facts.end_date.min(self.organization.today()).max(facts.start_date);
        let days = (until - facts.start_date).get_days();
        let day = i64::from(days) * (number.cast_signed() + 1) / (facts.check_ins.cast_signed() + 1);
        facts.start_date.saturating_add(Span::new().days(day))
    }

    /// The goal's check-ins, in order; `next_id` counts those of all goals.
    pub(crate) fn check_ins(&self, index: u64, next_id: &mut i64) -> impl Iterator<Item = CheckIn> {
        let facts = self.facts(index);
        let mut dice = self.dice(Purpose::CheckIns, index);
        let goal_id = if dice.permille(5) { Self::lost_id(index) } else { self.id(index) };
        (0..facts.check_ins).map(move |number| {
            *next_id += dice.between(1, 3).cast_signed();
            let day = DateTime::from(self.check_in_day(&facts, number));
            let is_last = number + 1 == facts.check_ins;
            let share = (number + 1) as f64 / facts.check_ins as f64;
            let note = dice.permille(920).then(|| {
                let text = words::note(&mut dice);
                Note { html: Some(words::html(&text)), text: Some(text) }
            });
            let status =
                if is_last { facts.status } else { dice.weighted(&[(8, "On Track"), (2, "Behind")]) };
            CheckIn {
                id: *next_id,
                goal_id,
                date: Some(day),
                owner: Some(self.organization.somebody_or_a_stranger(&mut dice)),
                note,
                metric_name: Some(facts.outcome.metric_name.clone().unwrap_or_else(|| "Progress".to_owned())),
                status: Some(status.to_owned()),
                current_value: facts.progress.map(|last| if is_last { last } else { tenths(last * share) }),
                recorded_at: Some(day.saturating_add(Span::new().days(dice.below(3).cast_signed()))),
                aside: Vec::new(),
            }
        })
    }

    /// The goal's comments: mostly none.
    pub(crate) fn comments(&self, index: u64, next_id: &mut i64) -> impl Iterator<Item = Comment> {
        let facts = self.facts(index);
        let mut dice = self.dice(Purpose::Comments, index);
        let goal_id = if dice.permille(5) { Self::lost_id(index) } else { self.id(index) };
        let count = if dice.permille(150) { dice.between(1, 3) } else { 0 };
        (0..count).map(move |number| {
            *next_id += dice.between(1, 3).cast_signed();
            let created_at = DateTime::from(facts.start_date).saturating_add(
                Span::new()
                    .days(number.cast_signed() * 9)
                    .hours(dice.between(7, 18).cast_signed())
                    .minutes(17),
            );
            Comment {
                id: *next_id,
                goal_id,
                text: Some(words::note(&mut dice)),
                created_by: Some(self.organization.somebody_or_a_stranger(&mut dice)),
                created_at: Some(created_at),
                aside: Vec::new(),
            }
        })
    }
}

fn outcome(dice: &mut Dice) -> Outcome {
    if dice.permille(430) {
        return Outcome { outcome_type: Some("Percentage".to_owned()), ..Outcome::default() };
    }
    let target_type = dice.weighted(&[
        (48, "Increase From"),
        (25, "Reach"),
        (8, "Decrease From"),
        (2, "Stay Above"),
        (2, "Stay Below"),
        (2, "Find a Baseline"),
    ]);
    let low = dice.between(1, 900) as f64;
    let high = low + dice.between(10, 90_000) as f64 / 10.0;
    let (start, target) = match target_type {
        "Reach" | "Find a Baseline" => (0.0, high),
        "Decrease From" => (high, low),
        "Stay Above" | "Stay Below" => (high, high),
        _ => (low, high),
    };
    Outcome {
        outcome_type: Some("Metric".to_owned()),
        metric_name: Some(
            dice.pick(&["Orders", "Customers", "Hours", "Points", "Cost", "Visits", "Umsatz"]).to_owned(),
        ),
        metric_unit: Some(dice.weighted(&[(94, "Number"), (4, "Percentage"), (2, "Dollar")]).to_owned()),
        start: Some(start),
        target: Some(target),
        target_type: Some(target_type.to_owned()),
    }
}

/// The present value, one in seven beyond its target.
fn progress(dice: &mut Dice, status: &str, outcome: &Outcome) -> Option<f64> {
    if dice.permille(8) {
        return None;
    }
    let share = match status {
        "Not Started" => 0.0,
        _ if dice.permille(140) => dice.between(101, 967) as f64 / 100.0,
        "Closed" => 1.0,
        _ => dice.between(1, 100) as f64 / 100.0,
    };
    let (start, target) = (outcome.start.unwrap_or(0.0), outcome.target.unwrap_or(100.0));
    Some(tenths(start + share * (target - start)))
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn configuration(dice: &mut Dice) -> Configuration {
    let progress = dice.weighted(&[
        (60, "Update Manually"),
        (35, "Update from Children"),
        (5, "Update from Integration"),
    ]);
    let is_integrated = progress == "Update from Integration";
    Configuration {
        progress: Some(progress.to_owned()),
        status: Some(dice.weighted(&[(60, "Update Manually"), (40, "Update based on Progress")]).to_owned()),
        data_source: is_integrated.then(|| "Excel Online".to_owned()),
    }
}

fn phased_targets(facts: &Facts, dice: &mut Dice) -> PhasedTargets {
    let count = dice.between(2, 6);
    let days = i64::from((facts.end_date - facts.start_date).get_days());
    let last = facts.outcome.target.unwrap_or(100.0);
    PhasedTargets {
        interval: dice
            .weighted(&[(4, Some("monthly")), (3, Some("custom")), (1, Some("quarterly")), (2, None)])
            .map(str::to_owned),
        targets: (1..=count)
            .map(|step| PhasedTarget {
                value: Some(tenths(last * step as f64 / count as f64)),
                date: Some(
                    facts
                        .start_date
                        .saturating_add(Span::new().days(days * step.cast_signed() / count.cast_signed())),
                ),
            })
            .collect(),
    }
}
