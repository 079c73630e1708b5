//! Tables of an organization, and the statements that are the same for each of them.
//!
//! A table's key is the organization and one or two whole numbers. A table with history keeps, besides its columns,
//! the revision that wrote each row, and what is replaced moves to the twin `…_history` with the revision `until`.

use std::ops::ControlFlow;

use goalpost_db::{Error, Params, Result, Row, Tx, Value};

use crate::ids::OrganizationNumber;

/// How many keys one statement asks for: the first of these that is enough, or the last. So few texts, and so few
/// plans, serve all numbers of keys, and who asks for one goal does not pay for 250.
const KEYS_AT_ONCE: [usize; 5] = [1, 4, 16, 64, 250];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number, an id, or a time in microseconds.
    Int,
    /// A floating-point number.
    Real,
    /// A truth value.
    Bool,
    /// A text, or a day as one.
    Text,
    /// The 16 bytes of a GUID.
    Guid,
}

impl Kind {
    /// Whether a value may stand in a column of this kind; null may in any.
    pub(crate) fn takes(self, value: &Value) -> bool {
        matches!(
            (self, value),
            (_, Value::Null)
                | (Self::Int, Value::Int(_))
                | (Self::Real, Value::Real(_))
                | (Self::Bool, Value::Bool(_))
                | (Self::Text, Value::Text(_))
                | (Self::Guid, Value::Blob(_))
        )
    }

    pub(crate) fn read(self, row: &Row<'_>, column: usize) -> Result<Value> {
        if row.is_null(column)? {
            return Ok(Value::Null);
        }
        Ok(match self {
            Self::Int => row.int(column)?.into(),
            Self::Real => row.opt_real(column)?.into(),
            Self::Bool => row.bool(column)?.into(),
            Self::Text => row.text(column)?.into(),
            Self::Guid => row.bytes::<16>(column)?.into(),
        })
    }
}

/// A table, as far as reading and writing whole rows by key needs to know it.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The key after the organization.
    pub(crate) key: &'static [&'static str],
    pub(crate) columns: &'static [(&'static str, Kind)],
    pub(crate) has_history: bool,
}

impl Table {
    /// How many values make a row: organization, key, revision if there is history, columns.
    pub(crate) fn width(&self) -> usize {
        1 + self.key.len() + usize::from(self.has_history) + self.columns.len()
    }

    /// Append one row to `rows`, in the order that [`Table::insert_all`] takes.
    pub(crate) fn push_row(
        &self,
        rows: &mut Vec<Value>,
        organization: OrganizationNumber,
        key: &[i64],
        revision: i64,
        columns: impl IntoIterator<Item = Value>,
    ) {
        debug_assert_eq!(rows.len() % self.width(), 0, "rows of {} are whole", self.name);
        rows.push(organization.into());
        rows.extend(key.iter().map(|&part| Value::Int(part)));
        if self.has_history {
            rows.push(revision.into());
        }
        rows.extend(columns);
    }

    /// Insert rows whose keys are free.
    pub(crate) fn insert_all(&self, tx: &Tx<'_>, rows: &[Value]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        tx.insert_all(self.name, &self.all_columns().collect::<Vec<_>>(), rows)
    }

    /// Write a row over the one with its key, if there is one; that one moves to the history.
    pub(crate) fn put(
        &self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        key: &[i64],
        revision: i64,
        columns: &[Value],
    ) -> Result<()> {
        self.retire(tx, organization, key, revision)?;
        let assigned: Vec<String> =
            self.columns_written().map(|name| format!("{name} = excluded.{name}")).collect();
        let sql = format!(
            "{} on conflict (organization, {}) do update set {}",
            self.insert_text(),
            self.key.join(", "),
            assigned.join(", ")
        );
        let mut row = Vec::with_capacity(self.width());
        self.push_row(&mut row, organization, key, revision, columns.iter().cloned());
        tx.execute(&sql, &row)?;
        Ok(())
    }

    /// Write the rows of many objects, each of which has one, over those that they have; these move to the history.
    /// `rows` are as [`Table::push_row`] makes them. Three statements for every 250.
    pub(crate) fn put_all(
        &self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        ids: &[i64],
        revision: i64,
        rows: &[Value],
    ) -> Result<()> {
        debug_assert!(self.has_history && self.key.len() == 1, "{} has one row for each object", self.name);
        let all = self.all_columns().collect::<Vec<_>>().join(", ");
        let among = format!("organization = ?1 and {} in ({})", self.key[0], keys_at_once(ids));
        let until = 2 + batch_len(ids);
        let retire = format!(
            "-- table::retire_all\ninsert into {0}_history ({all}, until) select {all}, ?{until} from {0} where {among} and revision < ?{until}",
            self.name
        );
        let delete = format!("-- table::delete_all\ndelete from {} where {among}", self.name);
        for mut params in key_batches(organization, ids) {
            params.push(revision.into());
            tx.execute(&retire, &params)?;
            params.pop();
            tx.execute(&delete, &params)?;
        }
        self.insert_all(tx, rows)
    }

    /// Take a row away; it moves to the history.
    pub(crate) fn remove(
        &self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        key: &[i64],
        revision: i64,
    ) -> Result<()> {
        self.retire(tx, organization, key, revision)?;
        let sql = format!("-- table::remove\ndelete from {} where {}", self.name, self.at_key());
        tx.execute(&sql, &key_params(organization, key))?;
        Ok(())
    }

    /// Copy a row to the history. One that this very revision wrote was never seen by anyone, and is not kept.
    fn retire(
        &self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        key: &[i64],
        revision: i64,
    ) -> Result<()> {
        if !self.has_history {
            return Ok(());
        }
        let all = self.all_columns().collect::<Vec<_>>().join(", ");
        let until = self.key.len() + 2;
        let sql = format!(
            "-- table::retire\ninsert into {0}_history ({all}, until) select {all}, ?{until} from {0} where {1} and revision < ?{until}",
            self.name,
            self.at_key(),
        );
        let mut params = key_params(organization, key);
        params.push(revision.into());
        tx.execute(&sql, &params)?;
        Ok(())
    }

    /// Hand the rows of some objects to `f`, as key and columns. `ids` are looked for in the first part of the key; rows
    /// come in key order within each batch of ids.
    pub(crate) fn each<E: From<Error>>(
        &self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        ids: &[i64],
        f: impl FnMut(&[i64], Vec<Value>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_spelled(tx, organization, ids, str::to_owned, f)
    }

    /// The same by another statement, which `spell` makes of the one that reads the present rows.
    pub(crate) fn each_spelled<E: From<Error>>(
        &self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        ids: &[i64],
        spell: impl FnOnce(&str) -> String,
        mut f: impl FnMut(&[i64], Vec<Value>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = spell(&self.select_text(&format!("{} in ({})", self.key[0], keys_at_once(ids))));
        for params in key_batches(organization, ids) {
            self.select(tx, &sql, &params, &mut f)?;
        }
        Ok(())
    }

    /// The row that has `id` in the last part of its key, which must be unique in the organization. One id at a time:
    /// asked for many, SQLite would rather read the whole organization than use the index.
    pub(crate) fn find(
        &self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        id: i64,
    ) -> Result<Option<(Vec<i64>, Vec<Value>)>> {
        let sql = self.select_text(&format!("{} = ?2", self.key[self.key.len() - 1]));
        let mut found = None;
        self.select(tx, &sql, &[organization.into(), id.into()], &mut |key: &[i64], columns| {
            found = Some((key.to_vec(), columns));
            Ok::<_, Error>(())
        })?;
        Ok(found)
    }

    fn select_text(&self, condition: &str) -> String {
        let named = self.key.iter().copied().chain(self.columns.iter().map(|(name, _)| *name));
        format!(
            "-- table::select\nselect {} from {} where organization = ?1 and {condition} order by {}",
            named.collect::<Vec<_>>().join(", "),
            self.name,
            self.key.join(", "),
        )
    }

    fn select<E: From<Error>>(
        &self,
        tx: &Tx<'_>,
        sql: &str,
        params: Params<'_>,
        f: &mut impl FnMut(&[i64], Vec<Value>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut key = vec![0; self.key.len()];
        tx.each(sql, params, |row| {
            for (column, part) in key.iter_mut().enumerate() {
                *part = row.int(column)?;
            }
            let columns = self.columns.iter().zip(self.key.len()..);
            f(&key, columns.map(|((_, kind), at)| kind.read(row, at)).collect::<Result<_>>()?)?;
            Ok::<_, E>(ControlFlow::Continue(()))
        })
    }

    fn columns_written(&self) -> impl Iterator<Item = &'static str> {
        self.has_history.then_some("revision").into_iter().chain(self.columns.iter().map(|(name, _)| *name))
    }

    pub(crate) fn all_columns(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once("organization").chain(self.key.iter().copied()).chain(self.columns_written())
    }

    fn insert_text(&self) -> String {
        format!(
            "-- table::insert\ninsert into {} ({}) values ({})",
            self.name,
            self.all_columns().collect::<Vec<_>>().join(", "),
            places(1, self.width()),
        )
    }

    fn at_key(&self) -> String {
        let key = self.key.iter().zip(2..).map(|(name, number)| format!(" and {name} = ?{number}"));
        format!("organization = ?1{}", key.collect::<String>())
    }
}

/// Make the list of one object, whose `table` has the object and a position as its key, from `present` into `wanted`:
/// entries of as many values as the table has columns. Only entries that differ are written.
pub(crate) fn write_list(
    table: &Table,
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    object: i64,
    revision: i64,
    present: &[Value],
    wanted: &[Value],
) -> Result<()> {
    let mut present = present.chunks_exact(table.columns.len());
    let mut wanted = wanted.chunks_exact(table.columns.len());
    for position in 0.. {
        match (present.next(), wanted.next()) {
            (None, None) => break,
            (old, Some(new)) if old != Some(new) => {
                table.put(tx, organization, &[object, position], revision, new)?;
            }
            (Some(_), None) => table.remove(tx, organization, &[object, position], revision)?,
            _ => {}
        }
    }
    Ok(())
}

fn key_params(organization: OrganizationNumber, key: &[i64]) -> Vec<Value> {
    std::iter::once(organization.into()).chain(key.iter().map(|&part| Value::Int(part))).collect()
}

/// `?2, ?3, …`: as many as each batch of these ids, by [`key_batches`], has keys.
pub(crate) fn keys_at_once(ids: &[i64]) -> String {
    places(2, batch_len(ids))
}

/// The organization and some of the ids, in batches of the same length: the last id is repeated.
pub(crate) fn key_batches(organization: OrganizationNumber, ids: &[i64]) -> impl Iterator<Item = Vec<Value>> {
    let len = batch_len(ids);
    ids.chunks(len).map(move |batch| {
        let last = *batch.last().expect("a chunk is never empty");
        let mut params = Vec::with_capacity(1 + len);
        params.push(organization.into());
        params.extend(batch.iter().map(|&id| Value::Int(id)));
        params.resize(1 + len, Value::Int(last));
        params
    })
}

fn batch_len(ids: &[i64]) -> usize {
    let [.., most] = KEYS_AT_ONCE;
    KEYS_AT_ONCE.into_iter().find(|&len| len >= ids.len()).unwrap_or(most)
}

/// `?2, ?3, …`: `count` of them.
fn places(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ")
}
