//! A row as one line of JSON, the same from either engine: numbers and truth values as they are, bytes as hexadecimal.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write};
use std::path::Path;

use goalpost_db::{Error, Row, Value};
use serde_json::value::RawValue;

use super::files::{self, hex, unhex};
use super::manifest::TableEntry;
use super::{BackupError, Result};

/// A column's type, in the words of the migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Real,
    Bool,
    Text,
    Blob,
}

impl Kind {
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "int" => Self::Int,
            "real" => Self::Real,
            "bool" => Self::Bool,
            "text" => Self::Text,
            "blob" => Self::Blob,
            _ => return None,
        })
    }
}

/// Write a row, whose columns are of these kinds, and the end of its line.
pub(super) fn write(row: &Row<'_>, kinds: &[Kind], out: &mut impl Write) -> Result<(), WriteError> {
    for (column, kind) in kinds.iter().enumerate() {
        out.write_all(if column == 0 { b"[" } else { b"," })?;
        if row.is_null(column)? {
            out.write_all(b"null")?;
            continue;
        }
        match kind {
            Kind::Int => write!(out, "{}", row.int(column)?)?,
            Kind::Bool => write!(out, "{}", row.bool(column)?)?,
            Kind::Real => match row.opt_real(column)?.unwrap_or_default() {
                // The shortest text that is read back as the same number; SQLite keeps no sign of a zero, so none is
                // written, and what was restored compares as equal.
                number if number.is_finite() => write!(out, "{:?}", number + 0.0)?,
                number => write!(out, "\"{number:?}\"")?,
            },
            Kind::Text => serde_json::to_writer(&mut *out, row.text(column)?).map_err(io::Error::from)?,
            Kind::Blob => write!(out, "\"{}\"", hex(row.blob(column)?))?,
        }
    }
    Ok(out.write_all(b"]\n")?)
}

/// Why a row could not be written.
#[derive(Debug)]
pub(super) enum WriteError {
    Io(io::Error),
    Database(Error),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

/// The values of a line; `None` if it is not a row of columns of these kinds.
pub(super) fn read(line: &[u8], kinds: &[Kind]) -> Option<Vec<Value>> {
    let cells: Vec<&RawValue> = serde_json::from_slice(line).ok()?;
    if cells.len() != kinds.len() {
        return None;
    }
    cells.iter().zip(kinds).map(|(cell, kind)| value(cell.get(), *kind)).collect()
}

/// Hand every row of a table of the backup to `f`.
///
/// # Errors
/// A file that is not what the manifest says, which is known for sure only at its end.
pub(super) fn each(
    folder: &Path,
    table: &TableEntry,
    mut f: impl FnMut(Vec<Value>) -> Result<()>,
) -> Result<()> {
    let (name, kinds) = (table.path(), table.kinds()?);
    let path = folder.join(&name);
    let file = File::open(&path).map_err(BackupError::io("open", &path))?;
    let (mut file, mut line, mut rows) = (BufReader::with_capacity(files::PIECE, file), Vec::new(), 0);
    let sum = files::sum_of(|sum| {
        loop {
            line.clear();
            if file.read_until(b'\n', &mut line).map_err(BackupError::io("read", &path))? == 0 {
                return Ok(());
            }
            sum(&line)?;
            rows += 1;
            let row = read(&line, &kinds);
            f(row.ok_or_else(|| BackupError::damaged(&name, &format!("is not understood in line {rows}")))?)?;
        }
    })?;
    if (sum, rows) != (table.sum.clone(), table.rows) {
        return Err(BackupError::damaged(&name, "is not what was backed up"));
    }
    Ok(())
}

fn value(cell: &str, kind: Kind) -> Option<Value> {
    if cell == "null" {
        return Some(Value::Null);
    }
    let text = || serde_json::from_str::<String>(cell).ok();
    Some(match kind {
        Kind::Int => Value::Int(cell.parse().ok()?),
        // Parsed by the standard library, which is exact.
        Kind::Real => Value::Real(cell.trim_matches('"').parse().ok()?),
        Kind::Bool => Value::Bool(match cell {
            "true" | "1" => true,
            "false" | "0" => false,
            _ => return None,
        }),
        Kind::Text => Value::Text(text()?),
        Kind::Blob => Value::Blob(unhex(&text()?)?),
    })
}

#[cfg(test)]
mod tests {
    use goalpost_db::{Db, Scope, Settings, params};
    use proptest::prelude::*;

    use super::*;

    const KINDS: [Kind; 5] = [Kind::Int, Kind::Real, Kind::Bool, Kind::Text, Kind::Blob];

    fn any_row() -> impl Strategy<Value = [Value; 5]> {
        let or_null = |value: BoxedStrategy<Value>| prop_oneof![9 => value, 1 => Just(Value::Null)];
        [
            or_null(any::<i64>().prop_map(Value::Int).boxed()),
            or_null(
                any::<f64>()
                    .prop_filter("SQLite keeps no NaN", |n| !n.is_nan())
                    .prop_map(Value::Real)
                    .boxed(),
            ),
            or_null(any::<bool>().prop_map(Value::Bool).boxed()),
            or_null(any::<String>().prop_map(Value::Text).boxed()),
            or_null(any::<Vec<u8>>().prop_map(Value::Blob).boxed()),
        ]
    }

    proptest! {
        #[test]
        fn a_row_comes_back_from_its_line_as_it_was(rows in prop::collection::vec(any_row(), 1..20)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("rows.db");
            let db = Db::open(&goalpost_db::Location::file(&path), Settings::default()).unwrap();
            let wait = std::time::Duration::from_secs(5);
            let lines = db.write_alone(Scope::Global, wait, |tx| {
                tx.execute("create table kind (a integer, b real, c integer, d text, e blob)", params![])?;
                tx.insert_all("kind", &["a", "b", "c", "d", "e"], &rows.concat())?;
                tx.query("select a, b, c, d, e from kind order by rowid", params![], |row| {
                    let mut line = Vec::new();
                    write(row, &KINDS, &mut line).expect("it is written");
                    Ok::<_, Error>(line)
                })
            });
            let lines = lines.unwrap();
            for (line, row) in lines.iter().zip(&rows) {
                prop_assert!(line.ends_with(b"\n") && !line[..line.len() - 1].contains(&b'\n'));
                prop_assert_eq!(read(line, &KINDS), Some(row.to_vec()));
            }
            prop_assert_eq!(lines.len(), rows.len());
        }
    }

    #[test]
    fn what_is_no_such_row_is_not_read() {
        for line in
            ["", "[]", "[1]", "[1,2,3]", "{\"a\":1}", "[1,\"x\"", "[1.5,\"a\"]", "[\"1\",\"a\"]", "[1,2]"]
        {
            assert_eq!(read(line.as_bytes(), &[Kind::Int, Kind::Text]), None, "{line}");
        }
        assert_eq!(read(b"[\"0\"]", &[Kind::Blob]), None);
        assert_eq!(read(b"[\"inf\"]", &[Kind::Real]), Some(vec![Value::Real(f64::INFINITY)]));
    }
}
