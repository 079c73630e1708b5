//! The shared SQL dialect in PostgreSQL's spelling.

use std::borrow::Cow;
use std::fmt::Write as _;

use tokio_postgres::types::{ToSql, Type};

use super::text;
use crate::tx::NewRow;
use crate::value::Value;

/// Rows that one statement inserts, and bytes of texts, at most.
const ROWS: usize = 1_000;
const BYTES: usize = 4 << 20;

/// A statement with its parameters written `$1` instead of `?1`. No statement has a question mark elsewhere.
pub(super) fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

/// Whole rows of `width` values each, in parts of bounded size.
pub(super) fn batches(values: &[Value], width: usize) -> impl Iterator<Item = &[Value]> {
    let mut rest = values;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (mut rows, mut bytes) = (0, 0);
        for row in rest.chunks_exact(width) {
            rows += 1;
            bytes += row.iter().map(size).sum::<usize>();
            if rows == ROWS || bytes >= BYTES {
                break;
            }
        }
        let (batch, after) = rest.split_at(rows * width);
        rest = after;
        Some(batch)
    })
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        _ => 8,
    }
}

/// A statement that changes a row, and with it adds others whose parameters come after its own.
pub(super) fn with_rows(change: &str, parameters: usize, rows: &[NewRow<'_>]) -> String {
    let (name, change) = change.split_once('\n').unwrap_or(("", change));
    let mut sql = format!("{name}\nwith changed as ({change} returning 1)");
    let mut place = parameters;
    for (number, row) in rows.iter().enumerate() {
        let places: Vec<_> =
            (place + 1..=place + row.columns.len()).map(|place| format!("${place}")).collect();
        place += row.columns.len();
        let insert = format!(
            "insert into {} ({}) select {} from changed",
            row.table,
            row.columns.join(", "),
            places.join(", ")
        );
        let _ = if number + 1 == rows.len() {
            write!(sql, "\n{insert}")
        } else {
            write!(sql, ", added_{number} as ({insert})")
        };
    }
    sql
}

/// One statement that inserts many rows: an array for each column, in the places from `first` on.
pub(super) struct Insert<'v> {
    pub(super) sql: String,
    arrays: Vec<Array<'v>>,
}

enum Array<'v> {
    Int(Vec<Option<i64>>),
    Real(Vec<Option<f64>>),
    Bool(Vec<Option<bool>>),
    Text(Vec<Option<Cow<'v, str>>>),
    Blob(Vec<Option<&'v [u8]>>),
}

impl<'v> Insert<'v> {
    pub(super) fn new(table: &str, columns: &[&str], first: usize, rows: &'v [Value]) -> Self {
        let width = columns.len();
        let (mut named, mut arrays) = (Vec::new(), Vec::new());
        for (column, name) in columns.iter().enumerate() {
            let values = || rows.iter().skip(column).step_by(width);
            // A column of nulls alone is left out: it has no type, and null is what it holds then.
            let Some(first) = values().find(|value| **value != Value::Null) else { continue };
            named.push(*name);
            arrays.push(match first {
                Value::Null | Value::Int(_) => Array::Int(values().map(int).collect()),
                Value::Real(_) => Array::Real(values().map(real).collect()),
                Value::Bool(_) => Array::Bool(values().map(bool).collect()),
                Value::Text(_) => Array::Text(values().map(encoded).collect()),
                Value::Blob(_) => Array::Blob(values().map(blob).collect()),
            });
        }
        let places: Vec<_> = (first..first + named.len()).map(|place| format!("${place}")).collect();
        let sql = format!(
            "-- insert_all\ninsert into {table} ({}) select * from unnest({})",
            named.join(", "),
            places.join(", ")
        );
        Self { sql, arrays }
    }

    pub(super) fn params(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.arrays
            .iter()
            .map(|array| match array {
                Array::Int(values) => (values as &(dyn ToSql + Sync), Type::INT8_ARRAY),
                Array::Real(values) => (values as _, Type::FLOAT8_ARRAY),
                Array::Bool(values) => (values as _, Type::BOOL_ARRAY),
                Array::Text(values) => (values as _, Type::TEXT_ARRAY),
                Array::Blob(values) => (values as _, Type::BYTEA_ARRAY),
            })
            .collect()
    }
}

macro_rules! as_kind {
    ($($name:ident: $kind:ident => $to:ty, $value:ident, $out:expr;)*) => {$(
        fn $name(value: &Value) -> Option<$to> {
            match value {
                Value::$kind($value) => Some($out),
                _ => None,
            }
        }
    )*};
}

as_kind! {
    int: Int => i64, v, *v;
    real: Real => f64, v, *v;
    bool: Bool => bool, v, *v;
    encoded: Text => Cow<'_, str>, v, text::encode(v);
    blob: Blob => &[u8], v, v;
}

/// Whether a plan reads one partition of each table at most; otherwise those tables. Partitions are named
/// `table_p0`, `table_p1`, …
pub(super) fn within_one_partition(plan: &[String]) -> Result<(), String> {
    let mut met: Vec<(&str, &str)> = Vec::new();
    let mut tables: Vec<&str> = Vec::new();
    for name in plan.iter().filter_map(|line| relation(line)) {
        let Some((table, number)) = name.rsplit_once("_p") else { continue };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        if met.iter().any(|(known, other)| *known == table && *other != number) && !tables.contains(&table) {
            tables.push(table);
        }
        met.push((table, number));
    }
    if tables.is_empty() { Ok(()) } else { Err(tables.join(", ")) }
}

/// The table that a line of a plan reads or writes: `Index Scan using goal_p1_pkey on goal_p1 g`.
fn relation(line: &str) -> Option<&str> {
    let node = line.trim_start().trim_start_matches("-> ").trim_start();
    let is_access = [
        "Seq Scan",
        "Index Scan",
        "Index Only Scan",
        "Bitmap Heap Scan",
        "Tid Scan",
        "Update",
        "Delete",
        "Insert",
    ]
    .iter()
    .any(|word| node.starts_with(word));
    if !is_access {
        return None;
    }
    node.split_once(" on ")?.1.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_plan_of_one_partition_of_each_table_passes() {
        let one = plan(&[
            "Nested Loop",
            "  ->  Index Scan using goal_p2_pkey on goal_p2 g",
            "  ->  Index Only Scan using goal_parent_p1_pkey on goal_parent_p1 l",
            "  ->  Seq Scan on goal_p2 p",
        ]);
        assert_eq!(within_one_partition(&one), Ok(()));
    }

    #[test]
    fn a_plan_of_several_partitions_names_the_table() {
        let many = plan(&["Append", "  ->  Seq Scan on goal_p0 g_1", "  ->  Seq Scan on goal_p1 g_2"]);
        assert_eq!(within_one_partition(&many), Err("goal".to_owned()));
    }

    #[test]
    fn batches_are_bounded_by_rows_and_by_bytes_and_lose_nothing() {
        let narrow = vec![Value::Int(1); 2 * 2_500];
        assert_eq!(batches(&narrow, 2).map(<[Value]>::len).collect::<Vec<_>>(), [2_000, 2_000, 1_000]);
        let wide = vec![Value::Text("x".repeat(3 << 20)); 3];
        assert_eq!(batches(&wide, 1).map(<[Value]>::len).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn a_column_of_nulls_is_left_out() {
        let rows = [Value::Int(1), Value::Null, Value::Int(2), Value::Null];
        let insert = Insert::new("t", &["a", "b"], 1, &rows);
        assert!(insert.sql.ends_with("insert into t (a) select * from unnest($1)"), "{}", insert.sql);
    }
}
