//! `goalpost goal history`.

use std::collections::HashMap;

use goalpost::goals::ending::EndingError;
use goalpost::goals::history::{Change, changes};
use goalpost::http::time::date_time;
use goalpost::orgs::people;
use goalpost_db::Scope;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::cli::failure::Failure;
use crate::cli::{Session, lookup};

/// Characters of a value that a table shows.
const SHOWN: usize = 40;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeEntry {
    revision: i64,
    at: String,
    /// The number and the name of the person who made it, if one was named.
    actor: Option<i64>,
    actor_name: Option<String>,
    cause: String,
    created: bool,
    deleted: bool,
    fields: Vec<FieldEntry>,
}

#[derive(Debug, Serialize)]
struct FieldEntry {
    field: &'static str,
    old: Value,
    new: Value,
}

/// A line of the table: one field of a change.
#[derive(Debug, Serialize)]
struct Line<'a> {
    change: &'a ChangeEntry,
    field: &'a FieldEntry,
}

pub(super) fn run(organization: Uuid, goal: i64, session: &Session) -> Result<(), Failure> {
    let (changes, names) = session.open()?.db.snapshot(Scope::Global, |tx| {
        let organization = lookup::organization(tx, organization)?.number;
        let changes = changes(tx, organization, goal, None)?;
        let people = people::list(tx, organization)?.into_iter();
        let names: HashMap<i64, String> = people.map(|person| (person.number.0, person.name)).collect();
        Ok::<_, Failure>((changes, names))
    })?;
    if changes.is_empty() {
        return Err(EndingError::NoSuchGoal(goal).into());
    }
    let entries: Vec<ChangeEntry> = changes.into_iter().map(|change| entry(change, &names)).collect();
    if session.printer.is_json() {
        return session.printer.one(&entries, String::new);
    }
    let line = |change| move |field| Line { change, field };
    let lines: Vec<Line<'_>> =
        entries.iter().flat_map(|change| change.fields.iter().map(line(change))).collect();
    session.printer.list(&lines, ["REVISION", "AT", "BY", "CAUSE", "FIELD", "BEFORE", "SINCE"], |line| {
        let Line { change, field } = line;
        [
            change.revision.to_string(),
            change.at.clone(),
            change.actor_name.clone().unwrap_or_else(|| "-".to_owned()),
            change.cause.clone(),
            field.field.to_owned(),
            shown(&field.old),
            shown(&field.new),
        ]
    })
}

fn entry(change: Change, names: &HashMap<i64, String>) -> ChangeEntry {
    let Change { revision, at_us, actor, cause, created, deleted, fields } = change;
    let actor = actor.map(|person| person.0);
    let fields = fields.into_iter().map(|change| FieldEntry {
        field: change.field.name(),
        old: change.old,
        new: change.new,
    });
    ChangeEntry {
        revision,
        at: date_time(at_us),
        actor,
        actor_name: actor.and_then(|person| names.get(&person).cloned()),
        cause,
        created,
        deleted,
        fields: fields.collect(),
    }
}

/// A value in a table.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN - 1).chain(['…']).collect()
}
