//! The invented organization: readable, the same every time, and spread like a real export.

use std::collections::BTreeMap;
use std::io::Cursor;

use goalpost_viva::sample::{self, Options, Summary};
use goalpost_viva::{
    Access, Archive, CheckIn, Child, Entity, Error, Limits, Objective, Survey, User, survey,
};

fn sample(goals: u64) -> (Vec<u8>, Summary) {
    let mut out = Cursor::new(Vec::new());
    let options = Options { goals, ..Options::default() };
    let summary = sample::write(&mut out, &options, &mut |_| {}).expect("memory takes all");
    (out.into_inner(), summary)
}

fn open(bytes: &[u8]) -> Archive<Cursor<&[u8]>> {
    Archive::open(Cursor::new(bytes), Limits::OPERATOR).expect("a sample opens")
}

fn surveyed(bytes: &[u8]) -> Survey {
    survey(&mut open(bytes), &mut |_| {}).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[test]
fn samples_of_any_size_have_no_problems() {
    for goals in [1, 2, 10, 48, 49, 1000] {
        let (bytes, summary) = sample(goals);
        let survey = surveyed(&bytes);
        assert_eq!(survey.count(Entity::Objectives), goals);
        assert_eq!(survey.count(Entity::Users), summary.users);
        assert_eq!(survey.count(Entity::Teams), summary.teams);
        assert_eq!(survey.count(Entity::CheckIns), summary.check_ins);
        assert_eq!(survey.count(Entity::Comments), summary.comments);
        assert_eq!(survey.count(Entity::TimePeriods), 15);
    }
}

#[test]
fn a_seed_gives_the_same_bytes_each_time() {
    assert!(sample(300).0 == sample(300).0);
    let mut other = Cursor::new(Vec::new());
    let options = Options { goals: 300, seed: 2, ..Options::default() };
    sample::write(&mut other, &options, &mut |_| {}).expect("memory takes all");
    assert!(sample(300).0 != other.into_inner());
}

#[test]
fn goals_have_as_many_check_ins_as_asked_for() {
    for (check_ins, few, many) in [(None, 2_100, 2_500), (Some(8), 7_500, 8_500), (Some(0), 0, 0)] {
        let mut out = Cursor::new(Vec::new());
        let options = Options { check_ins, ..Options::default() };
        let summary = sample::write(&mut out, &options, &mut |_| {}).expect("memory takes all");
        assert!((few..=many).contains(&summary.check_ins), "{check_ins:?}: {}", summary.check_ins);
        assert_eq!(surveyed(out.get_ref()).count(Entity::CheckIns), summary.check_ins);
    }
}

#[test]
fn progress_counts_up_to_all_goals() {
    let mut told = Vec::new();
    let options = Options { goals: 100, ..Options::default() };
    sample::write(Cursor::new(Vec::new()), &options, &mut |done| told.push(done)).expect("memory takes all");
    assert_eq!(told, [48, 96, 100]);
}

#[test]
fn the_names_of_members_carry_the_options() {
    let (bytes, _) = sample(1);
    let archive = open(&bytes);
    assert_eq!(archive.organization_number(), Options::default().organization_number);
    assert_eq!(archive.exported_at(), Options::default().exported_at);
    assert!(archive.ignored().is_empty());
}

#[test]
fn the_demo_user_is_the_only_owner_and_active() {
    let (bytes, summary) = sample(1000);
    let mut owners = Vec::new();
    open(&bytes)
        .each(|user: User| {
            if user.role.as_deref() == Some("Organization Owner") {
                owners.push((user.name, user.email, user.status));
            }
            Ok::<(), Error>(())
        })
        .expect("readable");
    let expected = (Some(summary.demo_user_name), Some(summary.demo_user_email), Some("active".to_owned()));
    assert_eq!(owners, [expected]);
}

#[test]
fn goals_are_spread_like_those_of_a_real_export() {
    const GOALS: u64 = 10_000;
    let (bytes, _) = sample(GOALS);
    let mut archive = open(&bytes);
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let (mut most_parents, mut most_owners, mut longest) = (0, 0, 0);
    let mut depths: BTreeMap<i64, u32> = BTreeMap::new();
    archive
        .each(|goal: Objective| {
            let mut count = |what: &str| *seen.entry(what.to_owned()).or_default() += 1;
            count(goal.type_label.as_deref().unwrap_or("no type"));
            count(goal.status.as_deref().unwrap_or("no status"));
            let outcome = goal.outcome.expect("every goal has an outcome");
            count(outcome.outcome_type.as_deref().unwrap_or("no outcome type"));
            count(outcome.target_type.as_deref().unwrap_or("no target type"));
            for (what, holds) in [
                ("restricted", matches!(goal.permissions.view, Access::Only(_))),
                ("phased", goal.phased_targets.is_some()),
                ("beyond 100", goal.progress.is_some_and(|progress| progress > 100.0)),
                ("never checked in", goal.last_check_in.is_none()),
                ("without weight", goal.alignment.len() < goal.parent_ids.len()),
                ("with weight", goal.alignment.iter().any(|parent| parent.weight.is_some())),
                ("scored", goal.score.is_some_and(|score| score > 0.0)),
                ("with tasks", goal.children.iter().any(|child| matches!(child, Child::Task(_)))),
                ("with children", goal.children.iter().any(|child| matches!(child, Child::Goal { .. }))),
                ("with a quote", goal.title.contains('"')),
                ("with a bracket", goal.title.contains("(weight: 5%, Id: 3)")),
                ("with an emoji", goal.title.contains('🚀')),
                ("right to left", goal.title.contains('ת')),
            ] {
                if holds {
                    count(what);
                }
            }
            let depth = goal
                .parent_ids
                .iter()
                .filter_map(|parent| depths.get(parent))
                .max()
                .map_or(0, |depth| depth + 1);
            depths.insert(goal.id, depth);
            most_parents = most_parents.max(goal.parent_ids.len());
            most_owners = most_owners.max(goal.owners.len());
            longest = longest.max(goal.description.map_or(0, |text| text.len()));
            assert!(goal.aside.is_empty(), "{:?}", goal.aside);
            Ok::<(), Error>(())
        })
        .expect("readable");

    let mut between = |what: &str, least: u64, most: u64| {
        let found = seen.remove(what).unwrap_or_default();
        assert!((least..=most).contains(&found), "{what}: {found} of {GOALS}, expected {least} to {most}");
    };
    between("Kpi", 5500, 7200);
    between("Key result", 500, 1200);
    between("Big rock", 1500, 2500);
    between("Objective", 100, 600);
    between("Project", 400, 1000);
    between("On Track", 3500, 5500);
    between("Not Started", 2000, 3500);
    between("Closed", 700, 2000);
    between("Behind", 600, 1400);
    between("At Risk", 300, 900);
    between("Postponed", 100, 500);
    between("Percentage", 4000, 4600);
    between("Metric", 5400, 6000);
    for target_type in
        ["Increase From", "Reach", "Decrease From", "Stay Above", "Stay Below", "Find a Baseline"]
    {
        between(target_type, 50, 4000);
    }
    between("restricted", 60, 150);
    between("phased", 600, 900);
    between("beyond 100", 500, 6000);
    between("never checked in", 2000, 3500);
    between("without weight", 1500, 3500);
    between("with weight", 5000, 8000);
    between("scored", 300, 1500);
    between("with tasks", 400, 1000);
    between("with children", 1500, 6000);
    for texts in ["with a quote", "with a bracket", "with an emoji", "right to left"] {
        between(texts, 10, 3000);
    }
    assert!((8..=11).contains(&most_parents), "{most_parents} parents");
    assert_eq!(most_owners, 3);
    assert!((4000..16_000).contains(&longest), "{longest} bytes");
    assert_eq!(depths.into_values().max(), Some(12));
}

#[test]
fn goals_have_some_check_ins_and_few_have_many() {
    let (bytes, summary) = sample(10_000);
    let mean = summary.check_ins as f64 / summary.goals as f64;
    assert!((2.2..2.7).contains(&mean), "{mean} check-ins a goal");
    let mut by_goal: BTreeMap<i64, u64> = BTreeMap::new();
    open(&bytes)
        .each(|check_in: CheckIn| {
            *by_goal.entry(check_in.goal_id).or_default() += 1;
            Ok::<(), Error>(())
        })
        .expect("readable");
    assert_eq!(by_goal.into_values().max(), Some(40));
}

#[test]
fn some_references_lead_to_nothing() {
    let (bytes, _) = sample(10_000);
    let unresolved = surveyed(&bytes).unresolved;
    assert!((20..=300).contains(&unresolved.persons.len()), "{} persons", unresolved.persons.len());
    assert!((25..=100).contains(&unresolved.parents.len()), "{} parents", unresolved.parents.len());
    assert!(unresolved.parents.values().all(Option::is_some));
    assert_eq!((unresolved.teams.len(), unresolved.periods.len(), unresolved.tags.len()), (1, 1, 1));
    assert!((20..=400).contains(&unresolved.check_ins.count), "{} check-ins", unresolved.check_ins.count);
    assert!(unresolved.comments.count > 0);
}
