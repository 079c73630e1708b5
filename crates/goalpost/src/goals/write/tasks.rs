//! The tasks of an initiative. Where it takes its progress from below and has no metric, what is done of them is its
//! progress.

use goalpost_db::{Error, Tx, Value};
use jiff::civil::Date;

use super::{Change, GoalError, Written, fields};
use crate::goals::record::{Column, GoalRecord, List};
use crate::goals::{ObjectType, TaskStatus};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::mint_numbers;

const NAME_LIMIT: usize = 500;

/// What is to become of a task. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskPatch {
    /// What is to be done: one line.
    pub name: Option<String>,
    /// By when.
    pub due: Option<Option<Date>>,
    /// How it stands.
    pub status: Option<TaskStatus>,
    /// Whose it is.
    pub owner: Option<Option<PersonNumber>>,
}

/// A task as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its number.
    pub id: i64,
    /// What is to be done.
    pub name: String,
    /// By when.
    pub due: Option<String>,
    /// How it stands, in the word of the files.
    pub status: String,
    /// Whose it is.
    pub owner: Option<PersonNumber>,
}

/// The tasks of a goal, in their order.
pub fn of(goal: &GoalRecord) -> Vec<Task> {
    let text = |value: &Value| if let Value::Text(text) = value { Some(text.clone()) } else { None };
    let int = |value: &Value| if let Value::Int(number) = value { Some(*number) } else { None };
    let entries = goal.list(List::Tasks).chunks_exact(List::Tasks.width());
    let task = |entry: &[Value]| Task {
        id: int(&entry[0]).unwrap_or_default(),
        name: text(&entry[1]).unwrap_or_default(),
        due: text(&entry[2]),
        status: text(&entry[3]).unwrap_or_default(),
        owner: int(&entry[4]).map(PersonNumber),
    };
    entries.map(task).collect()
}

/// Give an initiative a further task, which is incomplete unless the patch says otherwise; its number.
pub fn add(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    goal: i64,
    task: &TaskPatch,
) -> Result<(i64, Written), GoalError> {
    let change = Change::begin(tx, organization, actor, "task create")?;
    if task.name.is_none() {
        return Err(GoalError::Empty("task's name"));
    }
    let id = mint_numbers(tx, organization, 1)?;
    let entry = [id.into(), "".into(), Value::Null, TaskStatus::Incomplete.as_str().into(), Value::Null];
    let written = change.with_tasks(goal, "task.create", |entries| {
        entries.push(entry.to_vec());
        change.apply_task(task, entries.last_mut().expect("one was pushed"))
    })?;
    Ok((id, written))
}

/// Change a task, or complete it.
pub fn change(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    goal: i64,
    task: i64,
    patch: &TaskPatch,
) -> Result<Written, GoalError> {
    let change = Change::begin(tx, organization, actor, "task change")?;
    change.with_tasks(goal, "task.change", |entries| {
        let entry = entries.iter_mut().find(|entry| entry[0] == Value::Int(task));
        change.apply_task(patch, entry.ok_or(GoalError::NoSuchTask { goal, task })?)
    })
}

/// Take a task away; it stays in the history.
pub fn delete(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    goal: i64,
    task: i64,
) -> Result<Written, GoalError> {
    let change = Change::begin(tx, organization, actor, "task delete")?;
    change.with_tasks(goal, "task.delete", |entries| {
        let place = entries.iter().position(|entry| entry[0] == Value::Int(task));
        entries.remove(place.ok_or(GoalError::NoSuchTask { goal, task })?);
        Ok(())
    })
}

impl Change<'_, '_> {
    fn with_tasks(
        &self,
        goal: i64,
        action: &str,
        edit: impl FnOnce(&mut Vec<Vec<Value>>) -> Result<(), GoalError>,
    ) -> Result<Written, GoalError> {
        let present = self.find_open(goal)?;
        if present.text(Column::ObjectType) != ObjectType::Initiative.as_str() {
            return Err(GoalError::NoInitiative(goal));
        }
        let chunks = present.list(List::Tasks).chunks_exact(List::Tasks.width());
        let mut entries: Vec<Vec<Value>> = chunks.map(<[Value]>::to_vec).collect();
        edit(&mut entries)?;
        let mut changed = present.clone();
        *changed.list_mut(List::Tasks) = entries.concat();
        self.save(&present, &mut changed)?;
        let also = self.recompute(&[], &[goal])?;
        let also = also.into_iter().filter(|&other| other != goal).collect();
        Ok(self.written(action, goal, also)?)
    }

    fn apply_task(&self, patch: &TaskPatch, entry: &mut [Value]) -> Result<(), GoalError> {
        if let Some(name) = &patch.name {
            entry[1] = fields::line("task's name", name, NAME_LIMIT)?.into();
        }
        if let Some(due) = patch.due {
            entry[2] = due.map(|day| day.to_string()).into();
        }
        if let Some(status) = patch.status {
            entry[3] = status.as_str().into();
        }
        if let Some(owner) = patch.owner {
            let owner = owner.map(|person| person.0);
            if let Some(person) = owner.filter(|person| entry[4] != Value::Int(*person)) {
                self.require_owner(person)?;
            }
            entry[4] = owner.into();
        }
        Ok::<_, GoalError>(())
    }
}

/// Give the tasks of a copy numbers of its own; they are to be done again unless what was done counts.
pub(super) fn renew(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    copy: &mut GoalRecord,
    is_done_kept: bool,
) -> Result<(), Error> {
    let width = List::Tasks.width();
    let count = copy.list(List::Tasks).len() / width;
    if count == 0 {
        return Ok(());
    }
    let first = mint_numbers(tx, organization, count as i64)?;
    for (id, entry) in (first..).zip(copy.list_mut(List::Tasks).chunks_exact_mut(width)) {
        entry[0] = id.into();
        if !is_done_kept {
            entry[3] = TaskStatus::Incomplete.as_str().into();
        }
    }
    Ok(())
}
