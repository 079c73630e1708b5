//! Who changed what of one goal, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use goalpost_db::{Error, Result, Tx, Value, params};

use crate::goals::Origin;
use crate::goals::edit::Field;
use crate::goals::filter::Subject;
use crate::goals::record::{Column, GOAL, GoalRecord, List};
use crate::goals::visibility::visible_to;
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::table::{Table, key_batches, keys_at_once};

/// What one change of the organization did to a goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The organization's revision that it made.
    pub revision: i64,
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// Who, if a person was named.
    pub actor: Option<PersonNumber>,
    /// What for: a word such as `import` or `checkIn`.
    pub cause: String,
    /// The goal is there since this change.
    pub created: bool,
    /// The goal is gone since this change.
    pub deleted: bool,
    /// The fields that differ, in the order of the table.
    pub fields: Vec<FieldChange>,
}

/// What became of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// The field.
    pub field: Field,
    /// Its value before, as [`Field::to_json`] has it; null if there was no goal.
    pub old: serde_json::Value,
    /// Its value since.
    pub new: serde_json::Value,
}

/// A row over the time in which it stood.
#[derive(Debug)]
struct Version {
    /// The place in its list; 0 for the goal itself.
    position: i64,
    from: i64,
    until: Option<i64>,
    columns: Vec<Value>,
}

impl Version {
    fn stood(&self, revision: i64) -> bool {
        self.from <= revision && self.until.is_none_or(|until| until > revision)
    }
}

/// Every change of a goal, the first one first; none if there never was one of that number. Changes after which every
/// field is as before, as far as the reader may know, are left out.
///
/// Whether the reader may see the goal is for the caller to know. Of its parents, then and now, those are left out that
/// the reader may not see today; with no reader, none are. Costs two statements for each table.
pub fn changes(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    goal: i64,
    reader: Option<&Subject>,
) -> Result<Vec<Change>> {
    let own = versions(tx, organization, &GOAL, goal)?;
    let mut lists = Vec::with_capacity(List::ALL.len());
    for &list in List::ALL {
        lists.push((list, versions(tx, organization, list.table(), goal)?));
    }
    if let Some(reader) = reader {
        hide_parents(tx, reader, &mut lists)?;
    }
    let all = own.iter().chain(lists.iter().flat_map(|(_, versions)| versions));
    let revisions: BTreeSet<i64> =
        all.flat_map(|version| std::iter::once(version.from).chain(version.until)).collect();
    let made = made(tx, organization, &revisions)?;
    let mut changes = Vec::new();
    let mut before = None;
    for revision in revisions {
        let after = at(goal, revision, &own, &lists);
        let fields = difference(before.as_ref(), after.as_ref());
        if !fields.is_empty() {
            let (at_us, actor, cause) = made.get(&revision).cloned().unwrap_or_default();
            let (created, deleted) = (before.is_none(), after.is_none());
            changes.push(Change { revision, at_us, actor, cause, created, deleted, fields });
        }
        before = after;
    }
    Ok(changes)
}

/// All rows that the goal has and had in a table.
fn versions(tx: &Tx<'_>, organization: OrganizationNumber, table: &Table, goal: i64) -> Result<Vec<Version>> {
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let (name, id, columns) = (table.name, table.key[0], columns.join(", "));
    let position = table.key.get(1).unwrap_or(&"0");
    let mut versions = Vec::new();
    for (from, until) in [(name.to_owned(), "0"), (format!("{name}_history"), "until")] {
        let sql = format!(
            "-- history::versions
            select {position}, revision, {until}, {columns} from {from} where organization = ?1 and {id} = ?2"
        );
        tx.each(&sql, params![organization, goal], |row| {
            let values = table.columns.iter().zip(3..).map(|((_, kind), at)| kind.read(row, at));
            versions.push(Version {
                position: row.int(0)?,
                from: row.int(1)?,
                until: Some(row.int(2)?).filter(|&until| until > 0),
                columns: values.collect::<Result<_>>()?,
            });
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
    }
    versions.sort_by_key(|version| version.position);
    Ok(versions)
}

/// The goal as it stood after a revision.
fn at(goal: i64, revision: i64, own: &[Version], lists: &[(List, Vec<Version>)]) -> Option<GoalRecord> {
    let row = own.iter().find(|version| version.stood(revision))?;
    let mut record = GoalRecord::new(goal, Origin::Local);
    for (&column, value) in Column::ALL.iter().zip(&row.columns) {
        record.set(column, value.clone());
    }
    for (list, versions) in lists {
        let entries = versions.iter().filter(|version| version.stood(revision));
        *record.list_mut(*list) = entries.flat_map(|version| version.columns.iter().cloned()).collect();
    }
    Some(record)
}

fn difference(before: Option<&GoalRecord>, after: Option<&GoalRecord>) -> Vec<FieldChange> {
    let value = |goal: Option<&GoalRecord>, field: Field| {
        goal.map_or(serde_json::Value::Null, |goal| field.to_json(field.value(goal)))
    };
    let nothing = |value: &serde_json::Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    Field::all()
        .map(|field| FieldChange { field, old: value(before, field), new: value(after, field) })
        .filter(|change| change.old != change.new && !(nothing(&change.old) && nothing(&change.new)))
        .collect()
}

/// Leave out the parents that the reader may not see.
fn hide_parents(tx: &Tx<'_>, reader: &Subject, lists: &mut [(List, Vec<Version>)]) -> Result<()> {
    let parent = |version: &Version| match version.columns[0] {
        Value::Int(parent) => parent,
        _ => 0,
    };
    for (_, versions) in lists.iter_mut().filter(|(list, _)| *list == List::Parents) {
        let mut parents: Vec<i64> = versions.iter().map(parent).collect();
        parents.sort_unstable();
        parents.dedup();
        let mut visible = BTreeSet::new();
        for mut params in key_batches(reader.organization, &parents) {
            let condition = visible_to(reader, params.len() + 1);
            params.extend(condition.params);
            let sql = format!(
                "-- history::visible_parents
                select g.id from goal g where g.organization = ?1 and g.id in ({}) and {}",
                keys_at_once(&parents),
                condition.sql
            );
            visible.extend(tx.query(&sql, &params, |row| row.int(0))?);
        }
        versions.retain(|version| visible.contains(&parent(version)));
    }
    Ok(())
}

type Made = (i64, Option<PersonNumber>, String);

/// When and by whom revisions were made, and what for.
fn made(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revisions: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, Made>> {
    let revisions: Vec<i64> = revisions.iter().copied().collect();
    let sql = format!(
        "-- history::made
        select revision, made_at, actor, cause from revision where organization = ?1 and revision in ({})",
        keys_at_once(&revisions)
    );
    let mut made = BTreeMap::new();
    for params in key_batches(organization, &revisions) {
        tx.each(&sql, &params, |row| {
            let actor = row.opt_int(2)?.map(PersonNumber);
            made.insert(row.int(0)?, (row.int(1)?, actor, row.text(3)?.to_owned()));
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
    }
    Ok(made)
}
