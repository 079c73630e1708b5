//! What is said and done on goals: check-ins, comments, tasks.

use std::collections::BTreeSet;

use super::Done;
use crate::api::body::{Body, Field, FieldKind, field, invalid};
use crate::api::write::{Doing, Kind, Write, conflict};
use crate::goals::checkin::{self, CheckInError, NewCheckIn};
use crate::goals::rights::{Action, Subject};
use crate::goals::write::checkins::{self, CheckInPatch};
use crate::goals::write::comments;
use crate::goals::write::tasks::{self, TaskPatch};
use crate::http::GraphError;
use crate::ids::PersonNumber;

const STATUSES: &[&str] = &["Not Started", "On Track", "Behind", "At Risk", "In-progress"];

macro_rules! check_in_fields {
    ($($first:expr)?) => {
        &[
            $($first,)?
            field("value", FieldKind::Real, "The metric's value, or percent"),
            field("status", FieldKind::OneOf(STATUSES), "How it goes; by the goal's rules otherwise"),
            field("note", FieldKind::Text, "Anything else"),
            field("asOfDate", FieldKind::Day, "The day that it speaks of; today otherwise"),
        ]
    };
}

/// A new check-in.
pub(in crate::api) static CHECK_IN: Write =
    Write { fields: check_in_fields!(), kind: Kind::Create, run: check_in };

/// Check-ins of several goals: all of them, or none.
pub(in crate::api) static CHECK_IN_ALL: Write = Write {
    fields: &[field(
        "checkIns",
        FieldKind::Objects(check_in_fields!(field("goalId", FieldKind::Int, "The goal").required())),
        "One after the other; at most 100",
    )
    .required()],
    kind: Kind::CreateAll,
    run: check_in_all,
};

/// Another one of a check-in's properties.
pub(in crate::api) static CHANGE_CHECK_IN: Write = Write {
    fields: &[
        field("value", FieldKind::Real, "The metric's value, or percent"),
        field("status", FieldKind::OneOf(STATUSES), "How it went"),
        field("note", FieldKind::Text, "Anything else").or_null(),
        field("asOfDate", FieldKind::Day, "The day that it speaks of"),
    ],
    kind: Kind::Change,
    run: change_check_in,
};

/// No check-in any more.
pub(in crate::api) static DELETE_CHECK_IN: Write =
    Write { fields: &[], kind: Kind::Delete, run: delete_check_in };

macro_rules! task_fields {
    ($($required:ident)?) => {
        &[
            field("name", FieldKind::Text, "What is to be done; one line")$(.$required())?,
            field("status", FieldKind::OneOf(&["Complete", "Incomplete", "Unknown"]), "How it stands"),
            field("dueDate", FieldKind::Day, "By when").or_null(),
            field("ownerId", FieldKind::Int, "Who does it").or_null(),
        ]
    };
}

/// A new step of an initiative.
pub(in crate::api) static TASK: Write =
    Write { fields: task_fields!(required), kind: Kind::Create, run: task };

/// Another one of a step's properties.
pub(in crate::api) static CHANGE_TASK: Write =
    Write { fields: task_fields!(), kind: Kind::Change, run: change_task };

/// No step any more.
pub(in crate::api) static DELETE_TASK: Write = Write { fields: &[], kind: Kind::Delete, run: delete_task };

const TEXT: &[Field] = &[field("text", FieldKind::Words, "What it says").required()];

/// A new comment.
pub(in crate::api) static COMMENT: Write = Write { fields: TEXT, kind: Kind::Create, run: comment };

/// Another text of a comment.
pub(in crate::api) static CHANGE_COMMENT: Write =
    Write { fields: TEXT, kind: Kind::Change, run: change_comment };

/// No comment any more.
pub(in crate::api) static DELETE_COMMENT: Write =
    Write { fields: &[], kind: Kind::Delete, run: delete_comment };

fn check_in(doing: &Doing<'_>) -> Done {
    let goal = doing.goal();
    doing.ask(Action::CheckIn, Subject::Goal(goal))?;
    let new = new_check_in(doing, goal, doing.body);
    let made = checkin::check_in(doing.tx, doing.organization, doing.actor(), &new);
    Ok(Some(made.map_err(|error| refusal(error, ""))?.id.into()))
}

fn check_in_all(doing: &Doing<'_>) -> Done {
    let bodies = doing.body.objects("checkIns").unwrap_or_default();
    let new = |body: &Body| new_check_in(doing, body.int("goalId").unwrap_or_default(), body);
    let new: Vec<NewCheckIn> = bodies.iter().map(new).collect();
    if new.is_empty() {
        return Err(invalid("'checkIns' must have at least one"));
    }
    let goals: BTreeSet<i64> = new.iter().map(|new| new.goal).collect();
    for goal in goals {
        doing.ask(Action::CheckIn, Subject::Goal(goal))?;
    }
    checkin::check_in_all(doing.tx, doing.organization, doing.actor(), &new)
        .map_err(|(at, error)| refusal(error, &format!("'checkIns[{at}]': ")))?;
    Ok(None)
}

fn new_check_in(doing: &Doing<'_>, goal: i64, body: &Body) -> NewCheckIn {
    NewCheckIn {
        goal,
        value: body.real("value"),
        status: body.word("status"),
        note: body.text("note"),
        as_of: body.day("asOfDate"),
        owner: doing.actor(),
    }
}

fn change_check_in(doing: &Doing<'_>) -> Done {
    doing.ask(Action::CheckIn, Subject::Goal(doing.goal()))?;
    let patch = CheckInPatch {
        value: doing.body.real("value"),
        status: doing.body.word("status"),
        note: doing.body.opt_text("note"),
        as_of: doing.body.day("asOfDate"),
    };
    checkins::change(doing.tx, doing.organization, doing.actor(), doing.id(), &patch)
        .map_err(|error| doing.refusal(error))?;
    Ok(Some(doing.id().into()))
}

fn delete_check_in(doing: &Doing<'_>) -> Done {
    doing.ask(Action::CheckIn, Subject::Goal(doing.goal()))?;
    checkins::delete(doing.tx, doing.organization, doing.actor(), doing.id())
        .map_err(|error| doing.refusal(error))?;
    Ok(None)
}

fn task(doing: &Doing<'_>) -> Done {
    doing.ask(Action::Edit, Subject::Goal(doing.goal()))?;
    let made = tasks::add(doing.tx, doing.organization, doing.actor(), doing.goal(), &task_patch(doing));
    Ok(Some(made.map_err(|error| doing.refusal(error))?.0.into()))
}

fn change_task(doing: &Doing<'_>) -> Done {
    doing.ask(Action::Edit, Subject::Goal(doing.goal()))?;
    let (goal, task) = (doing.goal(), doing.id());
    tasks::change(doing.tx, doing.organization, doing.actor(), goal, task, &task_patch(doing))
        .map_err(|error| doing.refusal(error))?;
    Ok(Some(task.into()))
}

fn delete_task(doing: &Doing<'_>) -> Done {
    doing.ask(Action::Edit, Subject::Goal(doing.goal()))?;
    tasks::delete(doing.tx, doing.organization, doing.actor(), doing.goal(), doing.id())
        .map_err(|error| doing.refusal(error))?;
    Ok(None)
}

fn task_patch(doing: &Doing<'_>) -> TaskPatch {
    let body = doing.body;
    TaskPatch {
        name: body.text("name"),
        due: body.opt_day("dueDate"),
        status: body.word("status"),
        owner: body.opt_int("ownerId").map(|owner| owner.map(PersonNumber)),
    }
}

fn refusal(error: CheckInError, place: &str) -> GraphError {
    match error {
        CheckInError::Database(error) => error.into(),
        CheckInError::IsOver(..) => conflict("goalIsOver", format!("{place}{error}; reopen it first")),
        error => invalid(format!("{place}{error}")),
    }
}

fn comment(doing: &Doing<'_>) -> Done {
    let goal = doing.goal();
    doing.ask(Action::Comment, Subject::Goal(goal))?;
    let text = doing.body.text("text").unwrap_or_default();
    let made = comments::add(doing.tx, doing.organization, doing.actor(), goal, &text, doing.actor());
    Ok(Some(made.map_err(|error| doing.refusal(error))?.id.into()))
}

fn change_comment(doing: &Doing<'_>) -> Done {
    of_author(doing)?;
    let text = doing.body.text("text").unwrap_or_default();
    let changed = comments::change(doing.tx, doing.organization, doing.actor(), doing.id(), &text);
    Ok(Some(changed.map_err(|error| doing.refusal(error))?.id.into()))
}

fn delete_comment(doing: &Doing<'_>) -> Done {
    of_author(doing)?;
    comments::delete(doing.tx, doing.organization, doing.actor(), doing.id())
        .map_err(|error| doing.refusal(error))?;
    Ok(None)
}

/// A comment is its author's, and of those who may edit the goal.
fn of_author(doing: &Doing<'_>) -> Result<(), GraphError> {
    doing.ask(Action::Comment, Subject::Goal(doing.goal()))?;
    if doing.present["authorId"].as_i64() == Some(doing.person.0) {
        return Ok(());
    }
    doing.ask(Action::Edit, Subject::Goal(doing.goal()))
}
