//! Goals as people make, change, align and take them away.

mod align;
mod carry;
mod create;
mod delete;
pub(crate) mod laws;
mod restricted;
mod rights;
mod said;

use std::time::Duration;

use goalpost::goals::record::{Column, GoalRecord, List};
use goalpost::goals::write::create::{NewGoal, create};
use goalpost::goals::write::fields::Patch;
use goalpost::goals::write::{GoalError, Written};
use goalpost::goals::{ObjectType, write};
use goalpost::ids::{OrganizationNumber, PersonNumber};
use goalpost_db::{Tx, Value};

use crate::imports::{Company, NUMBER, Server};

pub(crate) const ORGANIZATION: OrganizationNumber = OrganizationNumber(NUMBER);
/// The period of the small company, and a person of it.
pub(crate) const PERIOD: i64 = 30;
pub(crate) const ILSE: PersonNumber = PersonNumber(10);
pub(crate) const BO: PersonNumber = PersonNumber(11);

/// Do one change; after an error nothing of it is left.
pub(crate) fn deed<T: Send + 'static, E: From<goalpost_db::Error> + Send + 'static>(
    server: &Server,
    change: impl FnMut(&Tx<'_>) -> Result<T, E> + Send,
) -> Result<T, E> {
    server.db.write_alone(ORGANIZATION, Duration::from_secs(5), change)
}

pub(crate) fn try_create(server: &Server, new: &NewGoal) -> Result<Written, GoalError> {
    deed(server, |tx| create(tx, ORGANIZATION, Some(ILSE), new))
}

pub(crate) fn made(server: &Server, new: &NewGoal) -> i64 {
    try_create(server, new).expect("the goal is made").goal
}

pub(crate) fn try_change(server: &Server, goal: i64, patch: &Patch) -> Result<Written, GoalError> {
    deed(server, |tx| write::change::change(tx, ORGANIZATION, Some(ILSE), goal, patch))
}

pub(crate) fn changed(server: &Server, goal: i64, patch: &Patch) -> Written {
    try_change(server, goal, patch).expect("the goal is changed")
}

pub(crate) fn record(server: &Server, goal: i64) -> GoalRecord {
    let mut found = server
        .db
        .snapshot(ORGANIZATION, |tx| GoalRecord::read(tx, ORGANIZATION, &[goal]))
        .expect("goals are readable");
    found.remove(&goal).expect("the goal is there")
}

/// Progress in percent, rounded to two decimals.
pub(crate) fn percent(server: &Server, goal: i64) -> Option<f64> {
    match record(server, goal).get(Column::ProgressPercent) {
        Value::Real(percent) => Some((percent * 100.0).round() / 100.0),
        _ => None,
    }
}

pub(crate) fn text(server: &Server, goal: i64, column: Column) -> String {
    match record(server, goal).get(column) {
        Value::Text(text) => text.clone(),
        _ => String::new(),
    }
}

pub(crate) fn ints(server: &Server, goal: i64, list: List) -> Vec<i64> {
    let record = record(server, goal);
    let entries = record.list(list).chunks_exact(list.width());
    entries.filter_map(|entry| if let Value::Int(id) = entry[0] { Some(id) } else { None }).collect()
}

pub(crate) fn key_result(title: &str) -> NewGoal {
    NewGoal::named(ObjectType::KeyResult, title, PERIOD)
}

pub(crate) fn objective(title: &str) -> NewGoal {
    NewGoal::named(ObjectType::Objective, title, PERIOD)
}

/// The small company on a server.
pub(crate) fn server() -> Server {
    let server = Server::new();
    server.import(&Company::small());
    server
}

/// What must be refused with these words, having changed nothing.
pub(crate) fn refused<T, E: ToString>(server: &Server, expected: &str, done: impl FnOnce() -> Result<T, E>) {
    let revision = || server.count("select max(revision) from revision where organization = ?1");
    let before = revision();
    let error = done().err().unwrap_or_else(|| panic!("it was not refused: {expected}"));
    assert_eq!(error.to_string(), expected);
    assert_eq!(revision(), before, "{expected}");
}
