//! The schema as an engine has it, in terms that both share.

use std::collections::HashSet;

use crate::Tx;
use crate::error::{Error, Result};
use crate::migrate;
use crate::params;
use crate::row::Row;

/// A table as the engine describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns in their order: name, type in the words of the migrations, whether it may be null.
    pub columns: Vec<(String, &'static str, bool)>,
    /// The columns of its primary key.
    pub key: Vec<String>,
    /// Its indexes in some order, the primary key among them: columns, whether unique, whether of some rows only.
    pub indexes: Vec<(Vec<String>, bool, bool)>,
}

fn name(row: &Row<'_>) -> Result<String> {
    Ok(row.text(0)?.to_owned())
}

impl Table {
    /// Whether its rows are an organization's, whose number is then the first column.
    pub fn is_of_organizations(&self) -> bool {
        self.columns.first().is_some_and(|(name, ..)| name == "organization")
    }
}

pub(crate) fn sqlite_tables(tx: &Tx<'_>) -> Result<Vec<Table>> {
    let truths: HashSet<_> = migrate::truth_columns().collect();
    let names = tx.query(
        "select name from sqlite_schema where type = 'table' and substr(name, 1, 7) <> 'sqlite_' order by name",
        params![],
        name,
    )?;
    let table = |table: String| {
        let columns = tx.query(
            "select name, type, \"notnull\" from pragma_table_info(?1) order by cid",
            params![&table],
            |row| {
                let column = name(row)?;
                // SQLite has no type for truth values.
                let is_truth = truths.contains(&(table.clone(), column.clone()));
                let kind = if is_truth { "bool" } else { storage(row.text(1)?) };
                Ok::<_, Error>((column, kind, !row.bool(2)?))
            },
        )?;
        let known = tx.query(
            "select name, \"unique\", partial from pragma_index_list(?1)",
            params![&table],
            |row| Ok::<_, Error>((name(row)?, row.bool(1)?, row.bool(2)?)),
        )?;
        let mut indexes = Vec::new();
        for (index, unique, partial) in known {
            let sql = "select name from pragma_index_info(?1) order by seqno";
            indexes.push((tx.query(sql, params![&index], name)?, unique, partial));
        }
        // A key that is the table's own order is no index of its own.
        let sql = "select name from pragma_table_info(?1) where pk > 0 order by pk";
        let key = tx.query(sql, params![&table], name)?;
        if !key.is_empty() && !indexes.iter().any(|(columns, ..)| *columns == key) {
            indexes.push((key.clone(), true, false));
        }
        indexes.sort();
        Ok(Table { name: table, columns, key, indexes })
    };
    names.into_iter().map(table).collect()
}

pub(crate) fn postgres_tables(tx: &Tx<'_>) -> Result<Vec<Table>> {
    let names = tx.query(
        "select relname from pg_class where relkind in ('r', 'p') and not relispartition
           and relnamespace = current_schema()::regnamespace order by relname collate \"C\"",
        params![],
        name,
    )?;
    let table = |table: String| {
        let columns = tx.query(
            "select attname, format_type(atttypid, null), not attnotnull from pg_attribute
              where attrelid = to_regclass(?1) and attnum > 0 and not attisdropped order by attnum",
            params![&table],
            |row| Ok::<_, Error>((name(row)?, storage(row.text(1)?), row.bool(2)?)),
        )?;
        let mut key = Vec::new();
        let mut indexes = tx.query(
            "select (select string_agg(a.attname, ',' order by k.place)
                       from unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
                       join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum),
                    i.indisunique, i.indpred is not null, i.indisprimary
               from pg_index i where i.indrelid = to_regclass(?1)",
            params![&table],
            |row| {
                let columns: Vec<_> = row.text(0)?.split(',').map(str::to_owned).collect();
                if row.bool(3)? {
                    key.clone_from(&columns);
                }
                Ok::<_, Error>((columns, row.bool(1)?, row.bool(2)?))
            },
        )?;
        indexes.sort();
        Ok(Table { name: table, columns, key, indexes })
    };
    names.into_iter().map(table).collect()
}

/// An engine's type in the words of the migrations.
fn storage(name: &str) -> &'static str {
    match name.to_ascii_lowercase().as_str() {
        "integer" | "bigint" => "int",
        "boolean" => "bool",
        "real" | "double precision" => "real",
        "text" => "text",
        "blob" | "bytea" => "blob",
        _ => "other",
    }
}
