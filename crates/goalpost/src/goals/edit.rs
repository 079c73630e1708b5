//! Changing a goal, so that the next import knows what was changed here.
//!
//! The value that a file brought is kept in `goal_imported_value` from the first change on, until the field is back
//! at that value. An import compares three values with it: the file's, ours, and the one imported before.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use goalpost_db::{Error, Result, Tx, Value, params};

use super::Origin;
use super::record::{Column, GoalRecord, List};
use crate::ids::OrganizationNumber;

/// A field of a goal: what is changed, compared and kept as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// A column of the goal's own row that is not derived.
    Column(Column),
    /// A whole list.
    List(List),
}

impl Field {
    /// Every field.
    pub fn all() -> impl Iterator<Item = Self> {
        let columns = Column::ALL.iter().filter(|column| !column.is_derived());
        columns.map(|&column| Self::Column(column)).chain(List::ALL.iter().map(|&list| Self::List(list)))
    }

    /// Its name in the database and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Column(column) => column.name(),
            Self::List(list) => list.table().name,
        }
    }

    /// The field's value in a goal: one value for a column, all entries for a list.
    pub fn value(self, record: &GoalRecord) -> &[Value] {
        match self {
            Self::Column(column) => std::slice::from_ref(record.get(column)),
            Self::List(list) => record.list(list),
        }
    }

    /// Give the field the value that it has in `from`.
    pub fn copy(self, from: &GoalRecord, to: &mut GoalRecord) {
        match self {
            Self::Column(column) => to.set(column, from.get(column).clone()),
            Self::List(list) => from.list(list).clone_into(to.list_mut(list)),
        }
    }

    /// A value of this field as JSON: a list is an array of values, entry after entry.
    pub fn to_json(self, value: &[Value]) -> serde_json::Value {
        match self {
            Self::Column(_) => value.first().map_or(serde_json::Value::Null, json),
            Self::List(_) => value.iter().map(json).collect(),
        }
    }

    fn fits(self, value: &[Value]) -> bool {
        match self {
            Self::Column(column) => match value {
                [value] => !column.is_derived() && column.kind().takes(value),
                _ => false,
            },
            Self::List(list) => {
                let columns = list.table().columns;
                value.len().is_multiple_of(columns.len())
                    && value.iter().zip(columns.iter().cycle()).all(|(value, (_, kind))| kind.takes(value))
            }
        }
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Int(value) => (*value).into(),
        Value::Real(value) => (*value).into(),
        Value::Bool(value) => (*value).into(),
        Value::Text(value) => value.as_str().into(),
        Value::Blob(value) => value.as_slice().into(),
    }
}

/// Why a field was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is no such goal.
    #[error("there is no goal {0}")]
    NoSuchGoal(i64),
    /// The value is of another kind than the field's, or the field follows from others.
    #[error("`{0}` cannot hold this value")]
    WrongKind(&'static str),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] Error),
}

/// Give one field of a goal a new value, in a transaction that raised the organization's revision to `revision`. The
/// goal as it was stays in the history. A field that has the value already is left alone.
pub fn change_field(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    goal: i64,
    revision: i64,
    field: Field,
    value: &[Value],
) -> Result<(), EditError> {
    if !field.fits(value) {
        return Err(EditError::WrongKind(field.name()));
    }
    let present = GoalRecord::read(tx, organization, &[goal])?.remove(&goal);
    let present = present.ok_or(EditError::NoSuchGoal(goal))?;
    if field.value(&present) == value {
        return Ok(());
    }
    let mut changed = present.clone();
    match field {
        Field::Column(column) => changed.set(column, value[0].clone()),
        Field::List(list) => value.clone_into(changed.list_mut(list)),
    }
    save(tx, organization, revision, &present, &mut changed)?;
    Ok(())
}

/// Write a goal that differs from `present`, which is what its rows hold, in a transaction that raised the
/// organization's revision to `revision`. Tells whether anything differed; the columns that follow from others are
/// brought up to date, and the moment of the last change is now. The goal as it was stays in the history.
///
/// Lists that were not read must be empty in both.
pub(super) fn save(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    present: &GoalRecord,
    changed: &mut GoalRecord,
) -> Result<bool> {
    if !finish(tx, present, changed) {
        return Ok(false);
    }
    changed.write(tx, organization, revision, Some(present))?;
    remember_imported(tx, organization, &[(present, changed)])?;
    Ok(true)
}

/// The same for many goals, none of which changes in its lists, each beside what its row holds; tells which differed.
/// A few statements for every 250.
pub(super) fn save_all<'a>(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    goals: impl IntoIterator<Item = (&'a GoalRecord, &'a mut GoalRecord)>,
) -> Result<Vec<i64>> {
    let differ = goals
        .into_iter()
        .filter_map(|(present, changed)| finish(tx, present, changed).then_some((present, &*changed)));
    let differ: Vec<(&GoalRecord, &GoalRecord)> = differ.collect();
    GoalRecord::write_rows(tx, organization, revision, differ.iter().map(|(_, changed)| *changed))?;
    remember_imported(tx, organization, &differ)?;
    Ok(differ.iter().map(|(present, _)| present.id).collect())
}

/// Bring up to date what follows from the rest of a goal; whether it differs from what it was.
fn finish(tx: &Tx<'_>, present: &GoalRecord, changed: &mut GoalRecord) -> bool {
    changed.derive();
    if *changed == *present {
        return false;
    }
    // Where else it is aligned may be hidden from who sees the goal, so its moment says nothing of that.
    if Field::all()
        .any(|field| field != Field::List(List::Parents) && field.value(present) != field.value(changed))
    {
        changed.set(Column::UpdatedAt, tx.now_us());
    }
    true
}

/// Keep what files brought for the fields of goals that were changed, each beside what it was.
fn remember_imported(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    goals: &[(&GoalRecord, &GoalRecord)],
) -> Result<()> {
    let of_files: Vec<_> = goals.iter().filter(|(present, _)| present.is_from(Origin::File)).collect();
    let ids: Vec<i64> = of_files.iter().map(|(present, _)| present.id).collect();
    let imported = ImportedValues::read(tx, organization, &ids)?;
    for (present, changed) in of_files {
        let goal = present.id;
        for field in Field::all().filter(|field| field.value(present) != field.value(changed)) {
            match imported.get(goal, field) {
                None => keep_imported(tx, organization, goal, field, field.value(present))?,
                Some(imported) if *imported == field.to_json(field.value(changed)) => {
                    forget_imported(tx, organization, goal, field)?;
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}

const KEEP_IMPORTED: &str = "-- goals::keep_imported
    insert into goal_imported_value (organization, goal, field, value) values (?1, ?2, ?3, ?4)";

fn keep_imported(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    goal: i64,
    field: Field,
    value: &[Value],
) -> Result<()> {
    tx.execute(KEEP_IMPORTED, params![organization, goal, field.name(), field.to_json(value).to_string()])?;
    Ok(())
}

/// The field holds what was imported last: forget that it ever did not.
pub fn forget_imported(tx: &Tx<'_>, organization: OrganizationNumber, goal: i64, field: Field) -> Result<()> {
    tx.execute(
        "-- goals::forget_imported
        delete from goal_imported_value where organization = ?1 and goal = ?2 and field = ?3",
        params![organization, goal, field.name()],
    )?;
    Ok(())
}

/// The values that the last import brought for fields that were changed here since.
#[derive(Debug, Default)]
pub struct ImportedValues(BTreeMap<i64, BTreeMap<String, serde_json::Value>>);

impl ImportedValues {
    /// Read them for some goals, given in any order. One statement; its cost is that of the fields changed here between
    /// the smallest and the largest id.
    pub fn read(tx: &Tx<'_>, organization: OrganizationNumber, goals: &[i64]) -> Result<Self> {
        let mut values = Self::default();
        let (Some(&first), Some(&last)) = (goals.iter().min(), goals.iter().max()) else {
            return Ok(values);
        };
        tx.each(
            "-- goals::imported_values
            select goal, field, value from goal_imported_value
            where organization = ?1 and goal >= ?2 and goal <= ?3",
            params![organization, first, last],
            |row| {
                let value = serde_json::from_str(row.opt_text(2)?.unwrap_or("null"));
                let value = value.map_err(|_| Error::unexpected("an imported value is no JSON"))?;
                values.0.entry(row.int(0)?).or_default().insert(row.text(1)?.to_owned(), value);
                Ok::<_, Error>(ControlFlow::Continue(()))
            },
        )?;
        Ok(values)
    }

    /// Whether any field of the goal was changed here.
    pub fn has(&self, goal: i64) -> bool {
        self.0.contains_key(&goal)
    }

    /// All of them for one goal, by the names of the fields; `None` if none was changed here.
    pub fn of_goal(&self, goal: i64) -> Option<serde_json::Value> {
        self.0
            .get(&goal)
            .map(|values| values.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Make those of one goal what [`ImportedValues::of_goal`] told; null for none.
    pub fn restore(
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        goal: i64,
        values: &serde_json::Value,
    ) -> Result<()> {
        tx.execute(
            "-- goals::forget_all_imported
            delete from goal_imported_value where organization = ?1 and goal = ?2",
            params![organization, goal],
        )?;
        for (name, value) in values.as_object().into_iter().flatten() {
            tx.execute(KEEP_IMPORTED, params![organization, goal, name.as_str(), value.to_string()])?;
        }
        Ok(())
    }

    /// The value imported last; `None` if the field was not changed here.
    pub fn get(&self, goal: i64, field: Field) -> Option<&serde_json::Value> {
        self.0.get(&goal)?.get(field.name())
    }
}
