//! Check-ins set right and taken back, comments, tasks.

use goalpost::goals::record::Column;
use goalpost::goals::write::checkins::{self, CheckInPatch};
use goalpost::goals::write::create::NewGoal;
use goalpost::goals::write::fields::Patch;
use goalpost::goals::write::tasks::{self, TaskPatch};
use goalpost::goals::write::{GoalError, Written, comments};
use goalpost::goals::{ObjectType, ProgressMode, TaskStatus};
use goalpost_db::Value;
use goalpost_okr::Status;
use jiff::civil::date;

use super::{
    BO, ILSE, ORGANIZATION, PERIOD, changed, deed, key_result, made, objective, percent, record, refused,
    server, text,
};
use crate::checkins::value;
use crate::imports::Server;

fn set_right(server: &Server, id: i64, patch: &CheckInPatch) -> Result<Written, GoalError> {
    deed(server, |tx| checkins::change(tx, ORGANIZATION, Some(ILSE), id, patch))
}

fn taken_back(server: &Server, id: i64) -> Result<Written, GoalError> {
    deed(server, |tx| checkins::delete(tx, ORGANIZATION, Some(ILSE), id))
}

#[test]
fn a_goal_follows_its_latest_check_in() {
    let server = server();
    let above = made(&server, &objective("Trees"));
    let goal = made(&server, &key_result("Graft").below(above));
    let [first, second] = [20.0, 60.0].map(|amount| value(&server, goal, amount).id);
    // What is earlier moves nothing.
    let patch = CheckInPatch { value: Some(10.0), ..CheckInPatch::default() };
    assert_eq!(set_right(&server, first, &patch).expect("it is there").also_changed, Vec::<i64>::new());
    assert_eq!(percent(&server, goal), Some(60.0));
    let patch = CheckInPatch {
        value: Some(70.0),
        status: Some(Status::Behind),
        note: Some(Some("Rain".to_owned())),
        ..CheckInPatch::default()
    };
    assert_eq!(set_right(&server, second, &patch).expect("it is there").also_changed, [above]);
    assert_eq!((percent(&server, goal), percent(&server, above)), (Some(70.0), Some(70.0)));
    assert_eq!(text(&server, goal, Column::Status), "Behind");
    // One that goes to an earlier day is the latest no more.
    let patch = CheckInPatch { as_of: Some(date(2026, 1, 2)), ..CheckInPatch::default() };
    set_right(&server, second, &patch).expect("it is there");
    assert_eq!(percent(&server, goal), Some(10.0));
    taken_back(&server, first).expect("it is there");
    assert_eq!(
        (percent(&server, goal), text(&server, goal, Column::LastCheckinDate)),
        (Some(70.0), "2026-01-02".to_owned())
    );
    taken_back(&server, second).expect("it is there");
    // Above it stands what was last rolled up: nobody below has anything to say.
    assert_eq!((percent(&server, goal), percent(&server, above)), (None, Some(70.0)));
    assert_eq!(text(&server, goal, Column::Status), "Not Started");
    assert_eq!(record(&server, goal).get(Column::CheckinCount), &Value::Int(0));
    assert_eq!(server.count("select count(*) from checkin_history where organization = ?1"), 5);
    refused(&server, &format!("there is no check-in {first}"), || taken_back(&server, first));
}

#[test]
fn a_check_in_is_set_right_within_the_rules_of_check_ins() {
    let server = server();
    let goal = made(&server, &key_result("Graft"));
    let id = value(&server, goal, 20.0).id;
    let patch = CheckInPatch::default;
    for (patch, expected) in [
        (CheckInPatch { value: Some(f64::NAN), ..patch() }, "NaN is no number that a goal can have"),
        (CheckInPatch { status: Some(Status::Closed), ..patch() }, "a check-in cannot make a goal `Closed`"),
        (CheckInPatch { as_of: Some(date(9999, 1, 1)), ..patch() }, "9999-01-01 is still to come"),
    ] {
        refused(&server, expected, || set_right(&server, id, &patch));
    }
}

#[test]
fn what_is_done_of_an_initiatives_tasks_is_its_progress() {
    let server = server();
    let mut new = NewGoal::named(ObjectType::Initiative, "Dig", PERIOD);
    new.fields.progress_mode = Some(ProgressMode::FromChildren);
    let work = made(&server, &new);
    let add = |name: &str| {
        let task = TaskPatch { name: Some(name.to_owned()), ..TaskPatch::default() };
        deed(&server, |tx| tasks::add(tx, ORGANIZATION, Some(ILSE), work, &task)).expect("it is added").0
    };
    let all = ["Spade", "Hole", "Tree"].map(add);
    assert_eq!(percent(&server, work), Some(0.0));
    let complete =
        TaskPatch { status: Some(TaskStatus::Complete), owner: Some(Some(BO)), ..TaskPatch::default() };
    let done = |task| deed(&server, |tx| tasks::change(tx, ORGANIZATION, None, work, task, &complete));
    done(all[0]).expect("it is there");
    assert_eq!(percent(&server, work), Some(33.33));
    deed(&server, |tx| tasks::delete(tx, ORGANIZATION, None, work, all[1])).expect("it is there");
    assert_eq!(percent(&server, work), Some(50.0));
    let names: Vec<_> =
        tasks::of(&record(&server, work)).into_iter().map(|task| (task.name, task.status)).collect();
    let [complete, incomplete] = ["Complete", "Incomplete"].map(str::to_owned);
    assert_eq!(names, [("Spade".to_owned(), complete), ("Tree".to_owned(), incomplete)]);
    // By hand, tasks say nothing.
    changed(&server, work, &Patch { progress_mode: Some(ProgressMode::Manual), ..Patch::default() });
    value(&server, work, 10.0);
    done(all[2]).expect("it is there");
    assert_eq!(percent(&server, work), Some(10.0));
    refused(&server, &format!("goal {work} has no task {}", all[1]), || done(all[1]));
    let task = TaskPatch { name: Some("Hole".to_owned()), ..TaskPatch::default() };
    refused(&server, "goal 101 is no initiative, and only initiatives have tasks", || {
        deed(&server, |tx| tasks::add(tx, ORGANIZATION, None, 101, &task))
    });
}

#[test]
fn a_comment_is_made_changed_and_taken_back() {
    let server = server();
    let made = deed(&server, |tx| comments::add(tx, ORGANIZATION, Some(BO), 100, " Well done ", None));
    let made = made.expect("the goal is there");
    assert_eq!((made.text.as_str(), made.author), ("Well done", Some(BO)));
    let text =
        |id| server.db.snapshot(ORGANIZATION, |tx| comments::find(tx, ORGANIZATION, id)).expect("readable");
    deed(&server, |tx| comments::change(tx, ORGANIZATION, Some(BO), made.id, "Better")).expect("it is there");
    assert_eq!(text(made.id).map(|comment| comment.text).as_deref(), Some("Better"));
    refused(&server, "a comment cannot be empty", || {
        deed(&server, |tx| comments::change(tx, ORGANIZATION, Some(BO), made.id, " \n"))
    });
    deed(&server, |tx| comments::delete(tx, ORGANIZATION, Some(BO), made.id)).expect("it is there");
    assert_eq!(text(made.id), None);
    assert_eq!(server.count("select count(*) from comment_history where organization = ?1"), 2);
    refused(&server, "there is no goal 7", || {
        deed(&server, |tx| comments::add(tx, ORGANIZATION, None, 7, "Where?", None))
    });
}
