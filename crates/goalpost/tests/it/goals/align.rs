use goalpost::goals::recompute::parts;
use goalpost::goals::record::List;
use goalpost::goals::write::align::{Alignment, NewWeights, Weight, align, set_weights, unalign};
use goalpost::goals::write::create::NewGoal;
use goalpost::goals::write::fields::Patch;
use goalpost::goals::write::{GoalError, Written};
use goalpost::goals::{ObjectType, ProgressMode};

use super::{
    ORGANIZATION, PERIOD, changed, deed, ints, key_result, made, objective, percent, refused, server,
};
use crate::checkins::value;
use crate::imports::Server;

fn below(server: &Server, goal: i64, parent: i64, weight: Option<Weight>) -> Result<Written, GoalError> {
    deed(server, |tx| align(tx, ORGANIZATION, None, goal, &Alignment { parent, weight }))
}

fn weigh(server: &Server, parent: i64, weights: NewWeights) -> Result<Written, GoalError> {
    deed(server, move |tx| set_weights(tx, ORGANIZATION, None, parent, &weights))
}

/// What the goals below one contribute, rounded to two decimals.
fn shares(server: &Server, parent: i64) -> Vec<f64> {
    let parts = server.db.snapshot(ORGANIZATION, |tx| parts(tx, ORGANIZATION, parent)).expect("readable");
    parts.iter().map(|part| (part.percent * 100.0).round() / 100.0).collect()
}

/// An objective over key results at 40, 80 and 20 percent.
fn documented(server: &Server) -> (i64, Vec<i64>) {
    let above = made(server, &objective("Trees"));
    let all = [40.0, 80.0, 20.0].map(|percent| {
        let goal = made(server, &key_result("A part").below(above));
        value(server, goal, percent);
        goal
    });
    (above, all.to_vec())
}

#[test]
fn weights_are_those_of_the_documented_example() {
    let server = server();
    let (above, all) = documented(&server);
    assert_eq!((percent(&server, above), shares(&server, above)), (Some(46.67), vec![33.33; 3]));
    let written =
        weigh(&server, above, NewWeights::Of(vec![(all[0], Weight::Fixed(50.0))])).expect("it fits");
    assert_eq!(written.also_changed, [all[0]]);
    assert_eq!((percent(&server, above), shares(&server, above)), (Some(45.0), vec![50.0, 25.0, 25.0]));
    let fourth = made(&server, &key_result("One more").below(above));
    assert_eq!(
        (percent(&server, above), shares(&server, above)),
        (Some(36.67), vec![50.0, 16.67, 16.67, 16.67])
    );
    deed(&server, |tx| unalign(tx, ORGANIZATION, None, fourth, above)).expect("it was aligned");
    assert_eq!(percent(&server, above), Some(45.0));
    weigh(&server, above, NewWeights::Reset).expect("nothing is fixed");
    assert_eq!((percent(&server, above), shares(&server, above)), (Some(46.67), vec![33.33; 3]));
}

#[test]
fn a_metric_in_percent_moves_as_the_documented_example_does() {
    use goalpost::goals::write::fields::{Metric, Outcome};
    let server = server();
    let mut new = objective("Share");
    new.fields.outcome = Some(Outcome::Metric(Metric {
        name: None,
        unit: Some("%".to_owned()),
        target_type: goalpost_okr::TargetType::IncreaseFrom,
        start: Some(30.0),
        target: Some(60.0),
        risk_threshold: None,
    }));
    let above = made(&server, &new);
    for part in [0.0, 25.0, 20.0] {
        let goal = made(&server, &key_result("A part").below(above));
        value(&server, goal, part);
    }
    let actual = server
        .rows(&format!("select progress from goal where organization = ?1 and id = {above}"), |row| {
            row.opt_real(0)
        });
    assert!((actual[0].expect("it was updated") - 34.5).abs() < 1e-9, "{actual:?}");
}

#[test]
fn weights_above_the_whole_are_refused() {
    let server = server();
    let (above, all) = documented(&server);
    weigh(&server, above, NewWeights::Of(vec![(all[0], Weight::Fixed(60.0))])).expect("it fits");
    let words = "the fixed weights are 110 % together; they may be 100 % at most";
    refused(&server, words, || weigh(&server, above, NewWeights::Of(vec![(all[1], Weight::Fixed(50.0))])));
    refused(&server, words, || below(&server, all[1], above, Some(Weight::Fixed(50.0))));
    let mut new = key_result("Too much");
    new.parents.push(Alignment { parent: above, weight: Some(Weight::Fixed(50.0)) });
    refused(&server, words, || super::try_create(&server, &new));
    refused(&server, "a weight is -1 %; write a number from 0 to 100", || {
        weigh(&server, above, NewWeights::Of(vec![(all[1], Weight::Fixed(-1.0))]))
    });
    refused(&server, &format!("goal 101 is not aligned to goal {above}"), || {
        weigh(&server, above, NewWeights::Of(vec![(101, Weight::Free)]))
    });
    below(&server, all[1], above, Some(Weight::Fixed(40.0))).expect("it fits");
    assert_eq!(shares(&server, above), [60.0, 40.0, 0.0]);
}

#[test]
fn a_goal_is_never_below_itself() {
    let server = server();
    let first = made(&server, &objective("First"));
    let second = made(&server, &objective("Second").below(first));
    let third = made(&server, &objective("Third").below(second));
    refused(&server, &format!("goal {first} would be below itself: {first} is below {first}"), || {
        below(&server, first, first, None)
    });
    let words = format!(
        "goal {first} would be below itself: {first} is below {third} is below {second} is below {first}"
    );
    refused(&server, &words, || below(&server, first, third, None));
    below(&server, third, first, None).expect("a second parent");
    assert_eq!(ints(&server, third, List::Parents), [second, first]);
    refused(&server, &format!("goal {first} is not aligned to goal {third}"), || {
        deed(&server, |tx| unalign(tx, ORGANIZATION, None, first, third))
    });
}

#[test]
fn what_is_only_mentioned_and_initiatives_have_nothing_below_them() {
    let server = Server::new();
    let mut company = crate::imports::Company::small();
    company.goal(100).parent_ids.push(999);
    server.import(&company);
    refused(&server, "there is no goal 999", || below(&server, 101, 999, None));
    let work = made(&server, &NewGoal::named(ObjectType::Initiative, "Dig", PERIOD));
    refused(&server, &format!("goal {work} is an initiative, and nothing is aligned to initiatives"), || {
        below(&server, 101, work, None)
    });
    // One that a file only mentions can be left.
    deed(&server, |tx| unalign(tx, ORGANIZATION, None, 100, 999)).expect("it was aligned");
}

#[test]
fn new_goals_contribute_unless_the_one_above_says_otherwise_and_initiatives_where_a_weight_does() {
    let server = server();
    let (above, _) = documented(&server);
    let work = made(&server, &NewGoal::named(ObjectType::Initiative, "Dig", PERIOD).below(above));
    value(&server, work, 100.0);
    assert_eq!(percent(&server, above), Some(46.67));
    below(&server, work, above, Some(Weight::Fixed(40.0))).expect("it fits");
    assert_eq!(percent(&server, above), Some(68.0));
    changed(&server, above, &Patch { new_children_contribute: Some(false), ..Patch::default() });
    let late = made(&server, &key_result("Late").below(above));
    value(&server, late, 0.0);
    assert_eq!(percent(&server, above), Some(68.0));
    assert_eq!(shares(&server, above), [20.0, 20.0, 20.0, 40.0, 0.0]);
}

#[test]
fn a_goal_that_takes_its_progress_from_below_takes_it_at_once() {
    let server = server();
    let (above, _) = documented(&server);
    changed(&server, above, &Patch { progress_mode: Some(ProgressMode::Manual), ..Patch::default() });
    value(&server, above, 7.0);
    assert_eq!(percent(&server, above), Some(7.0));
    changed(&server, above, &Patch { progress_mode: Some(ProgressMode::FromChildren), ..Patch::default() });
    assert_eq!(percent(&server, above), Some(46.67));
}
