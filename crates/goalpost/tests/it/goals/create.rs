use goalpost::goals::record::{Column, List};
use goalpost::goals::write::fields::{Metric, Outcome, Patch, Phased};
use goalpost::goals::{ObjectType, ProgressMode, StatusMode};
use goalpost_db::Value;
use goalpost_okr::TargetType;
use jiff::civil::date;

use super::{
    BO, ILSE, PERIOD, changed, ints, key_result, made, objective, percent, record, refused, server, text,
    try_change, try_create,
};
use crate::checkins::value;

fn metric(target_type: TargetType, start: Option<f64>, target: Option<f64>, risk: Option<f64>) -> Outcome {
    Outcome::Metric(Metric { name: None, unit: None, target_type, start, target, risk_threshold: risk })
}

#[test]
fn a_goal_is_made_with_what_is_usual() {
    let server = server();
    let mut new = key_result("  Graft 12 trees ").below(100);
    new.fields.owners = Some(vec![BO, ILSE, BO]);
    new.fields.teams = Some(vec![20]);
    new.fields.tags = Some(vec![40]);
    let goal = made(&server, &new);
    assert!(goal >= 1 << 40, "{goal}");
    for (column, expected) in [
        (Column::Origin, "local"),
        (Column::Title, "Graft 12 trees"),
        (Column::TypeLabel, "Key result"),
        (Column::Status, "Not Started"),
        (Column::StartDate, "2026-01-01"),
        (Column::EndDate, "2026-03-31"),
        (Column::GoalType, "Aspirational"),
        (Column::OutcomeType, "Percentage"),
        (Column::ProgressMode, "Update Manually"),
        (Column::StatusMode, "Update based on Progress"),
    ] {
        assert_eq!(text(&server, goal, column), expected, "{column:?}");
    }
    assert_eq!(record(&server, goal).get(Column::Creator), &Value::Int(ILSE.0));
    assert_eq!(ints(&server, goal, List::Owners), [11, 10]);
    assert_eq!(ints(&server, goal, List::CheckinOwners), [11]);
    assert_eq!(ints(&server, goal, List::Parents), [100]);
    let sql = "select count(*) from audit where organization = ?1 and action = 'goal.create' and actor = 10";
    assert_eq!(server.count(sql), 1);
    // It takes check-ins like any other.
    assert_eq!(value(&server, goal, 20.0).value, Some(20.0));
    // And no import knows of it, or misses it.
    let report = server.import(&crate::imports::Company::small());
    assert_eq!(report.conflicts.total, 0);
    assert_eq!(text(&server, goal, Column::Title), "Graft 12 trees");
}

#[test]
fn a_metric_that_makes_no_sense_is_refused() {
    let server = server();
    let attempt = |outcome: Outcome| {
        let mut new = key_result("Trees");
        new.fields.outcome = Some(outcome);
        try_create(&server, &new)
    };
    for (outcome, expected) in [
        (metric(TargetType::Reach, None, None, None), "a metric of the type `reach` needs a target"),
        (
            metric(TargetType::IncreaseFrom, None, Some(1.0), None),
            "a metric of the type `increaseFrom` needs a start",
        ),
        (
            metric(TargetType::IncreaseFrom, Some(5.0), Some(1.0), None),
            "a metric of the type `increaseFrom` cannot go from 5 to 1",
        ),
        (
            metric(TargetType::DecreaseFrom, Some(1.0), Some(5.0), None),
            "a metric of the type `decreaseFrom` cannot go from 1 to 5",
        ),
        (
            metric(TargetType::Baseline, None, Some(1.0), None),
            "a metric of the type `baseline` has no target",
        ),
        (
            metric(TargetType::Reach, None, Some(1.0), Some(2.0)),
            "only metrics of the types `stayAbove` and `stayBelow` have a risk threshold, not `reach`",
        ),
        (
            metric(TargetType::StayAbove, None, Some(100.0), Some(100.0)),
            "the risk threshold 100 of a metric of the type `stayAbove` must be below its target 100",
        ),
        (
            metric(TargetType::StayBelow, None, Some(100.0), Some(90.0)),
            "the risk threshold 90 of a metric of the type `stayBelow` must be above its target 100",
        ),
        (metric(TargetType::Reach, None, Some(f64::INFINITY), None), "inf is no number that a goal can have"),
    ] {
        refused(&server, expected, || attempt(outcome));
    }
    let made =
        attempt(metric(TargetType::StayBelow, None, Some(100.0), Some(110.0))).expect("it is right").goal;
    // The documented example.
    for (amount, percent_now, status) in
        [(99.0, 100.0, "On Track"), (100.0, 0.0, "Behind"), (105.0, 0.0, "Behind"), (110.0, 0.0, "At Risk")]
    {
        assert_eq!(value(&server, made, amount).status, status, "{amount}");
        assert_eq!(percent(&server, made), Some(percent_now), "{amount}");
    }
}

#[test]
fn what_is_not_there_or_cannot_be_is_refused() {
    let server = server();
    let with = |patch: Patch| {
        let mut new = objective("Trees");
        new.fields = Patch { title: new.fields.title, period: new.fields.period, ..patch };
        try_create(&server, &new)
    };
    let patch = Patch::default;
    refused(&server, "a title cannot be empty", || try_create(&server, &objective(" ")));
    let long = "x".repeat(501);
    refused(&server, "a title has at most 500 characters, and is one line", || {
        try_create(&server, &objective(&long))
    });
    refused(&server, "a title has at most 500 characters, and is one line", || {
        try_create(&server, &objective("two\nlines"))
    });
    let mut new = objective("Trees");
    new.fields.period = None;
    refused(&server, "a goal needs a time period", || try_create(&server, &new));
    new.fields.period = Some(31);
    refused(&server, "there is no time period 31", || try_create(&server, &new));
    refused(&server, "there is no team 21", || with(Patch { teams: Some(vec![20, 21]), ..patch() }));
    refused(&server, "there is no tag 41", || with(Patch { tags: Some(vec![41]), ..patch() }));
    let nobody = goalpost::ids::PersonNumber(12);
    refused(&server, "there is no person 12", || with(Patch { owners: Some(vec![nobody]), ..patch() }));
    refused(&server, "the goal would end on 2025-01-01, before it begins on 2026-01-01", || {
        with(Patch { end_date: Some(Some(date(2025, 1, 1))), ..patch() })
    });
    refused(&server, "there is no goal 7", || try_create(&server, &objective("Trees").below(7)));
}

#[test]
fn an_observer_is_given_nothing_new_and_loses_nothing() {
    let server = server();
    let goal = made(&server, &objective("Trees"));
    changed(&server, goal, &Patch { owners: Some(vec![BO]), ..Patch::default() });
    super::deed(&server, |tx| {
        tx.execute(
            "update person set member_type = 'observer' where organization = ?1 and id = 11",
            &[Value::Int(crate::imports::NUMBER)],
        )
    })
    .expect("the person is there");
    let patch = Patch { owners: Some(vec![BO, ILSE]), ..Patch::default() };
    changed(&server, goal, &patch);
    assert_eq!(ints(&server, goal, List::Owners), [11, 10]);
    let words = "person 11 is an observer, a group or not active, and can be given no goal";
    let other = made(&server, &objective("Others"));
    let patch = Patch { owners: Some(vec![BO]), ..Patch::default() };
    refused(&server, words, || try_change(&server, other, &patch));
}

#[test]
fn a_change_of_words_reaches_nothing_and_one_of_figures_what_it_counts_for() {
    let server = server();
    let above = made(&server, &objective("Trees"));
    let mut new = key_result("Graft").below(above);
    new.fields.outcome = Some(metric(TargetType::IncreaseFrom, Some(0.0), Some(100.0), None));
    let below = made(&server, &new);
    value(&server, below, 50.0);
    assert_eq!(percent(&server, above), Some(50.0));
    let revision_of =
        |goal| server.count(&format!("select revision from goal where organization = ?1 and id = {goal}"));
    let before = revision_of(above);
    let words = Patch {
        title: Some("Graft more".to_owned()),
        owners: Some(vec![BO]),
        tags: Some(vec![40]),
        description: Some(Some("As we said".to_owned())),
        ..Patch::default()
    };
    assert_eq!(changed(&server, below, &words).also_changed, Vec::<i64>::new());
    assert_eq!(revision_of(above), before);
    // Twice as far is half the way.
    let farther =
        Patch { outcome: Some(metric(TargetType::Reach, None, Some(200.0), None)), ..Patch::default() };
    assert_eq!(changed(&server, below, &farther).also_changed, [above]);
    assert_eq!((percent(&server, below), percent(&server, above)), (Some(25.0), Some(25.0)));
    // And what was before is in the history.
    let sql = format!(
        "select metric_target from goal_history where organization = ?1 and id = {below} order by until"
    );
    assert_eq!(server.rows(&sql, |row| row.opt_real(0)).last(), Some(&Some(100.0)));
}

#[test]
fn days_go_with_the_period_unless_somebody_chose_them() {
    let server = server();
    super::deed(&server, |tx| {
        tx.execute(
            "insert into period (organization, id, name, name_fold, start_date, end_date, origin)
             values (?1, 31, 'Q2 2026', 'q2 2026', '2026-04-01', '2026-06-30', 'local')",
            &[Value::Int(crate::imports::NUMBER)],
        )
    })
    .expect("a new period");
    let goal = made(&server, &objective("Trees"));
    let days = |goal| (text(&server, goal, Column::StartDate), text(&server, goal, Column::EndDate));
    let to = |day| Patch { end_date: Some(Some(day)), ..Patch::default() };
    changed(&server, goal, &Patch { period: Some(31), ..Patch::default() });
    assert_eq!(days(goal), ("2026-04-01".to_owned(), "2026-06-30".to_owned()));
    changed(&server, goal, &to(date(2026, 6, 1)));
    changed(&server, goal, &Patch { period: Some(PERIOD), start_date: Some(None), ..Patch::default() });
    assert_eq!(days(goal), ("2026-01-01".to_owned(), "2026-06-01".to_owned()));
    changed(&server, goal, &Patch { end_date: Some(None), ..Patch::default() });
    assert_eq!(days(goal).1, "2026-03-31");
}

#[test]
fn what_may_be_missing_is_taken_away_and_what_is_not_said_stays() {
    let server = server();
    let phased = Phased { interval: Some("Custom".to_owned()), targets: vec![(20.0, date(2026, 1, 31))] };
    let all = Patch {
        description: Some(Some("Why".to_owned())),
        delegate: Some(Some(BO)),
        phased: Some(Some(phased)),
        priority: Some(Some(3)),
        progress_mode: Some(ProgressMode::Manual),
        status_mode: Some(StatusMode::Manual),
        object_type: Some(ObjectType::KeyResult),
        ..Patch::default()
    };
    changed(&server, 100, &all);
    let full = record(&server, 100);
    assert_eq!(
        (full.list(List::PhasedTargets).len(), text(&server, 100, Column::TypeLabel)),
        (2, "Key result".to_owned())
    );
    changed(&server, 100, &Patch::default());
    assert_eq!(record(&server, 100), full);
    let none = Patch {
        description: Some(None),
        delegate: Some(None),
        phased: Some(None),
        priority: Some(None),
        ..Patch::default()
    };
    changed(&server, 100, &none);
    let empty = record(&server, 100);
    for column in [Column::Description, Column::Delegate, Column::PhasedInterval, Column::Priority] {
        assert_eq!(empty.get(column), &Value::Null, "{column:?}");
    }
    assert_eq!(empty.list(List::PhasedTargets), []);
}

#[test]
fn a_goal_that_is_over_is_not_changed() {
    let server = server();
    for status in ["Closed", "Postponed"] {
        super::deed(&server, |tx| {
            tx.execute(
                "update goal set status = ?2 where organization = ?1 and id = 100",
                &[Value::Int(crate::imports::NUMBER), status.into()],
            )
        })
        .expect("the goal is there");
        let words = format!("goal 100 is {status}");
        let patch = Patch { title: Some("Later".to_owned()), ..Patch::default() };
        refused(&server, &words, || try_change(&server, 100, &patch));
        refused(&server, &words, || try_create(&server, &key_result("Below it").below(100)));
    }
}
