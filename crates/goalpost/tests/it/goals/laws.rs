//! What holds whatever people do, in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use goalpost::goals::checkin::{NewCheckIn, check_in};
use goalpost::goals::ending::{Ending, close, reopen};
use goalpost::goals::recompute;
use goalpost::goals::record::{GoalRecord, List};
use goalpost::goals::write::align::{Alignment, NewWeights, Weight, align, set_weights, unalign};
use goalpost::goals::write::change::change;
use goalpost::goals::write::create::{NewGoal, create};
use goalpost::goals::write::delete::{Below, delete};
use goalpost::goals::write::fields::Patch;
use goalpost::goals::{ObjectType, ProgressMode, StatusMode};
use goalpost::orgs::queries::raise_revision;
use goalpost_db::{Error, Tx, Value};

use super::{ORGANIZATION, PERIOD, deed, server};
use crate::imports::Server;

/// Numbers that look random, the same for a seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Do something that dice choose to the goals that were made so far; what is refused is refused.
pub(crate) fn act(server: &Server, dice: &mut Dice, goals: &mut Vec<i64>) {
    let (kind, percent) = (dice.below(12), dice.below(120) as f64);
    let (goal, other) =
        (goals.get(dice.below(goals.len().max(1))), goals.get(dice.below(goals.len().max(1))));
    let (Some(&goal), Some(&other), true) = (goal, other, kind > 2) else {
        let object_type = dice.one(&[ObjectType::Objective, ObjectType::KeyResult]);
        let mut new = NewGoal::named(object_type, "One of many", PERIOD);
        new.fields.progress_mode = Some(dice.one(&[ProgressMode::FromChildren, ProgressMode::Manual]));
        new.fields.status_mode = Some(dice.one(StatusMode::ALL));
        if let (Some(&parent), true) = (goals.last(), dice.below(2) == 0) {
            new = new.below(parent);
        }
        let made = deed(server, |tx| create(tx, ORGANIZATION, None, &new));
        goals.extend(made.ok().map(|written| written.goal));
        return;
    };
    let weight = if percent > 100.0 { Weight::Free } else { Weight::Fixed(percent) };
    let ending = Ending { goal, ..Ending::default() };
    let _refused_or_not: bool = match kind {
        3 | 4 => {
            let alignment = Alignment { parent: other, weight: None };
            deed(server, |tx| align(tx, ORGANIZATION, None, goal, &alignment)).is_ok()
        }
        5 => deed(server, |tx| unalign(tx, ORGANIZATION, None, goal, other)).is_ok(),
        6 => {
            let weights = NewWeights::Of(vec![(goal, weight)]);
            deed(server, |tx| set_weights(tx, ORGANIZATION, None, other, &weights)).is_ok()
        }
        7 => deed(server, |tx| close(tx, ORGANIZATION, None, &ending)).is_ok(),
        8 => deed(server, |tx| reopen(tx, ORGANIZATION, None, &ending)).is_ok(),
        9 => {
            let patch = Patch { status_mode: Some(dice.one(StatusMode::ALL)), ..Patch::default() };
            deed(server, |tx| change(tx, ORGANIZATION, None, goal, &patch)).is_ok()
        }
        10 if percent < 20.0 => {
            let gone = deed(server, |tx| delete(tx, ORGANIZATION, None, goal, Below::Stays)).is_ok();
            goals.retain(|&left| left != goal || !gone);
            gone
        }
        // What is said of a goal that goes by others stands only until they are asked again.
        _ if below(server).contains_key(&goal) => false,
        _ => {
            let new = NewCheckIn { goal, value: Some(percent), ..NewCheckIn::default() };
            deed(server, |tx| check_in(tx, ORGANIZATION, None, &new)).is_ok()
        }
    };
}

/// The goals below each goal.
fn below(server: &Server) -> BTreeMap<i64, Vec<i64>> {
    let sql = "select parent, goal from goal_parent where organization = ?1";
    let mut below: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (parent, goal) in server.rows(sql, |row| Ok((row.int(0)?, row.int(1)?))) {
        below.entry(parent).or_default().push(goal);
    }
    below
}

fn is_above_itself(goal: i64, below: &BTreeMap<i64, Vec<i64>>) -> bool {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![goal];
    while let Some(at) = waiting.pop() {
        for &child in below.get(&at).into_iter().flatten() {
            if child == goal {
                return true;
            }
            if seen.insert(child) {
                waiting.push(child);
            }
        }
    }
    false
}

fn again(tx: &Tx<'_>, goals: &[i64]) -> Result<Vec<i64>, Error> {
    let revision = raise_revision(tx, ORGANIZATION, None, "again")?;
    recompute::above(tx, ORGANIZATION, revision, goals)
}

/// When each row of a goal began and ended; the last one has no end, if the goal is there.
fn spans(server: &Server) -> BTreeMap<i64, Vec<(i64, Option<i64>)>> {
    let sql = "select id, revision, until from goal_history where organization = ?1
               union all select id, revision, null from goal where organization = ?1 order by 1, 2";
    let mut spans: BTreeMap<i64, Vec<(i64, Option<i64>)>> = BTreeMap::new();
    for (id, span) in server.rows(sql, |row| Ok((row.int(0)?, (row.int(1)?, row.opt_int(2)?)))) {
        spans.entry(id).or_default().push(span);
    }
    spans
}

#[test]
fn whatever_people_do_the_laws_hold() {
    for seed in 1..=6 {
        let server = server();
        let imported = |server: &Server| {
            server
                .db
                .snapshot(ORGANIZATION, |tx| GoalRecord::read(tx, ORGANIZATION, &[100, 101]))
                .expect("goals are readable")
        };
        let before = imported(&server);
        let (mut dice, mut goals) = (Dice(seed * 7_919), Vec::new());
        for _ in 0..80 {
            act(&server, &mut dice, &mut goals);
        }
        assert!(goals.len() > 5, "seed {seed}: dice made too little");
        let below = below(&server);
        for &goal in &goals {
            assert!(!is_above_itself(goal, &below), "seed {seed}: {goal} is below itself");
            let parts = server.db.snapshot(ORGANIZATION, |tx| recompute::parts(tx, ORGANIZATION, goal));
            let total: f64 = parts.expect("weights are readable").iter().map(|part| part.percent).sum();
            assert!(total == 0.0 || (total - 100.0).abs() < 1e-9, "seed {seed}: {total} below {goal}");
        }
        assert_eq!(imported(&server), before, "seed {seed}: nothing reached what the file brought");
        for (goal, spans) in spans(&server) {
            for (one, next) in spans.iter().zip(&spans[1..]) {
                assert_eq!(one.1, Some(next.0), "seed {seed}: a gap in the history of {goal}");
            }
            let is_there = goals.contains(&goal) || before.contains_key(&goal);
            assert_eq!(spans.last().expect("it has one").1.is_none(), is_there, "seed {seed}: {goal}");
        }
        let changed = deed(&server, |tx| again(tx, &goals)).expect("goals are readable");
        assert_eq!(changed, Vec::<i64>::new(), "seed {seed}: something was not up to date");
        let parents = |goal: &GoalRecord| {
            let entries = goal.list(List::Parents).chunks_exact(List::Parents.width());
            entries
                .filter_map(|entry| if let Value::Int(id) = entry[0] { Some(id) } else { None })
                .collect::<Vec<_>>()
        };
        for record in server
            .db
            .snapshot(ORGANIZATION, |tx| GoalRecord::read(tx, ORGANIZATION, &goals))
            .expect("there")
            .values()
        {
            assert!(
                parents(record).iter().all(|parent| goals.contains(parent)),
                "seed {seed}: {}",
                record.id
            );
        }
    }
}
