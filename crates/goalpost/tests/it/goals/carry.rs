use goalpost::goals::ObjectType;
use goalpost::goals::record::{Column, List};
use goalpost::goals::write::carry::{Carried, Cloning, Postponing, clone, postpone};
use goalpost::goals::write::create::NewGoal;
use goalpost::goals::write::fields::{Metric, Outcome};
use goalpost::goals::write::tasks::{self, TaskPatch};
use goalpost::goals::{TaskStatus, write::GoalError};
use goalpost::orgs::periods::{self, PeriodPatch};
use goalpost_db::Value;
use goalpost_okr::TargetType;
use jiff::civil::date;

use super::{
    ILSE, ORGANIZATION, PERIOD, deed, ints, key_result, made, objective, percent, record, refused, server,
    text,
};
use crate::checkins::value;
use crate::imports::Server;

fn put_off(server: &Server, goal: i64, how: &Postponing) -> Result<Carried, GoalError> {
    deed(server, |tx| postpone(tx, ORGANIZATION, Some(ILSE), goal, how))
}

/// A period, made.
fn period(server: &Server, name: &str, start: jiff::civil::Date, end: jiff::civil::Date) -> i64 {
    let patch = PeriodPatch { name: Some(name.to_owned()), start: Some(start), end: Some(end) };
    deed(server, |tx| periods::create(tx, ORGANIZATION, None, &patch)).expect("the period is made").number
}

/// An objective over a key result at 5 of 10, one in percent at 40 and an initiative with a task that is done.
fn tree(server: &Server) -> [i64; 4] {
    let above = made(server, &objective("Trees"));
    let mut counted = key_result("Graft 10").below(above);
    counted.fields.outcome = Some(Outcome::Metric(Metric {
        name: Some("Trees".to_owned()),
        unit: Some("Number".to_owned()),
        target_type: TargetType::Reach,
        start: None,
        target: Some(10.0),
        risk_threshold: None,
    }));
    let counted = made(server, &counted);
    let rated = made(server, &key_result("Prune").below(above));
    let work = made(server, &NewGoal::named(ObjectType::Initiative, "Dig", PERIOD).below(counted));
    let task = TaskPatch {
        name: Some("Hole".to_owned()),
        status: Some(TaskStatus::Complete),
        ..TaskPatch::default()
    };
    deed(server, |tx| tasks::add(tx, ORGANIZATION, None, work, &task)).expect("it is added");
    value(server, counted, 5.0);
    value(server, rated, 40.0);
    [above, counted, rated, work]
}

#[test]
fn a_goal_that_is_put_off_goes_on_from_where_it_is() {
    let server = server();
    let top = made(&server, &objective("Top"));
    let all @ [above, counted, rated, _] = tree(&server);
    deed(&server, |tx| {
        let alignment = goalpost::goals::write::align::Alignment { parent: top, weight: None };
        goalpost::goals::write::align::align(tx, ORGANIZATION, None, above, &alignment)
    })
    .expect("it is aligned");
    refused(&server, "no time period begins the day after time period 30 ends", || {
        put_off(&server, above, &Postponing::default())
    });
    period(&server, "Rest of 2026", date(2026, 4, 1), date(2026, 12, 31));
    let next = period(&server, "Q2 2026", date(2026, 4, 1), date(2026, 6, 30));
    let how = Postponing { note: Some("Rain".to_owned()), ..Postponing::default() };
    let carried = put_off(&server, above, &how).expect("there is a next period");
    assert_eq!(carried.copies.iter().map(|(original, _)| *original).collect::<Vec<_>>(), all);
    for goal in all {
        assert_eq!(text(&server, goal, Column::Status), "Postponed");
    }
    assert_eq!(text(&server, above, Column::EndingNote), "Rain");
    let copy = |original| carried.copies.iter().find(|(from, _)| *from == original).expect("it has one").1;
    assert_eq!(carried.goal, copy(above));
    for goal in all.map(copy) {
        let found = record(&server, goal);
        assert_eq!(found.get(Column::Period), &Value::Int(next), "{goal}");
        assert_eq!(text(&server, goal, Column::Status), "Not Started");
        assert_eq!(text(&server, goal, Column::StartDate), "2026-04-01");
        assert_eq!(found.get(Column::CheckinCount), &Value::Int(0));
    }
    // The documented example: 5 of 10 are done, and 5 is where it begins.
    let counted = record(&server, copy(counted));
    assert_eq!(counted.get(Column::MetricStart), &Value::Real(5.0));
    assert_eq!(counted.get(Column::Progress), &Value::Real(5.0));
    assert_eq!(counted.get(Column::ProgressPercent), &Value::Real(0.0));
    assert_eq!(percent(&server, copy(rated)), None);
    assert_eq!(ints(&server, copy(rated), List::Parents), [copy(above)]);
    assert_eq!(ints(&server, copy(above), List::Parents), [top]);
    let tasks: Vec<_> =
        tasks::of(&record(&server, copy(all[3]))).into_iter().map(|task| task.status).collect();
    assert_eq!(tasks, ["Incomplete"]);
    // What was put off is left out above, and the copy counts.
    assert_eq!(value(&server, counted.id, 10.0).changed_above, [copy(above), top]);
    assert_eq!(percent(&server, top), Some(50.0));
}

#[test]
fn what_was_reached_goes_along_if_it_shall() {
    let server = server();
    let [above, counted, ..] = tree(&server);
    let next = period(&server, "Later", date(2027, 1, 1), date(2027, 3, 31));
    let how = Postponing { period: Some(next), keep_progress: true, note: None };
    let carried = put_off(&server, above, &how).expect("the period is there");
    let copy = carried.copies.iter().find(|(from, _)| *from == counted).expect("it has one").1;
    assert_eq!(percent(&server, copy), Some(50.0));
    assert_eq!(percent(&server, carried.goal), percent(&server, above));
    assert_eq!(text(&server, copy, Column::TargetType), "reach");
    refused(&server, &format!("goal {above} is Postponed"), || put_off(&server, above, &how));
}

#[test]
fn a_clone_is_the_goal_as_it_was_meant() {
    let server = server();
    let [above, counted, ..] = tree(&server);
    let cloned = |goal, how: &Cloning| deed(&server, |tx| clone(tx, ORGANIZATION, Some(ILSE), goal, how));
    let alone = cloned(counted, &Cloning { title: Some("Again".to_owned()), ..Cloning::default() });
    let alone = alone.expect("it is there").goal;
    assert_eq!((text(&server, alone, Column::Title), percent(&server, alone)), ("Again".to_owned(), None));
    assert_eq!(ints(&server, alone, List::Parents), Vec::<i64>::new());
    assert_eq!(record(&server, alone).get(Column::MetricStart), &Value::Real(0.0));
    let all = cloned(above, &Cloning { with_below: true, ..Cloning::default() }).expect("it is there");
    assert_eq!(all.copies.len(), 4);
    assert_eq!(text(&server, all.copies[1].1, Column::Title), "Graft 10");
    assert_eq!(ints(&server, all.copies[1].1, List::Parents), [all.goal]);
    // Nothing became of the original.
    assert_eq!(percent(&server, above), Some(45.0));
}
