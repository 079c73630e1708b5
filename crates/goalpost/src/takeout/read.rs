//! A folder read back, whole or not at all.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::time::Duration;

use goalpost_db::{Db, ErrorKind, Lock, Scope, Table, Tx, Value};
use serde_json::{Map, Value as Json};

use super::agree::agree;
use super::check::check;
use super::dictionary::{Field, Lines, Part};
use super::manifest::{FileEntry, Manifest};
use super::{Result, TakeoutError, field};
use crate::backup::files::{self, PIECE, Sum};
use crate::backup::restore::size;
use crate::backup::{BackupError, Progress, Tell};
use crate::ids::{OrganizationNumber, fold};
use crate::orgs::queries::{find_by_guid, free_number};

/// How long it waits for the write lock; only short writes, or another long one, hold it.
const WAIT: Duration = Duration::from_mins(1);
/// Bytes of a line that are read into memory.
const MOST_LINE: u64 = 64 << 20;
/// Rows, and bytes of them, that are inserted at a time.
const ROWS: usize = 1_000;
const BYTES: usize = 4 << 20;

/// Check a folder, and write the organization that it holds to a database where it is not there yet. With `rehearse`
/// everything is done but the end: nothing is written.
///
/// # Errors
/// A folder that is not what was written, or whose objects do not fit each other; an organization that is there. Nothing
/// was written then.
pub fn restore(db: &Db, folder: &Path, rehearse: bool, tell: Tell<'_>) -> Result<Manifest> {
    let manifest = check(folder, tell)?;
    let written = db.write_alone(Scope::Global, WAIT, |tx| {
        insert_all(tx, folder, &manifest, tell)?;
        if rehearse { Err(End::Rehearsed) } else { Ok(()) }
    });
    match written {
        // The organization stands whether or not the journal can be folded back now.
        Ok(()) => drop(db.settle()),
        Err(End::Rehearsed) => {}
        Err(End::Failed(error)) => return Err(error),
    }
    Ok(manifest)
}

/// Why a transaction is not committed.
enum End {
    Rehearsed,
    Failed(TakeoutError),
}

impl<E: Into<TakeoutError>> From<E> for End {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn insert_all(tx: &Tx<'_>, folder: &Path, manifest: &Manifest, tell: Tell<'_>) -> Result<()> {
    if let Some(present) = find_by_guid(tx, manifest.organization)? {
        return Err(TakeoutError::Present(present.guid, present.name));
    }
    let tables: HashMap<_, _> = tx.tables()?.into_iter().map(|table| (table.name.clone(), table)).collect();
    let whole = manifest.schema_version()? == goalpost_db::SCHEMA_VERSION;
    let mut organization = None;
    let (total, mut done) = (manifest.rows(), 0);
    for lines in Part::all() {
        let path = lines.path();
        let Some(file) = manifest.file(&path) else { continue };
        let table = tables.get(&lines.table()).ok_or_else(|| TakeoutError::Strange(lines.table()))?;
        tell(Progress { what: path.clone(), done, total });
        let mut insert = Insert::new(tx, lines, table, whole, organization);
        each_line(folder, file, |number, line| {
            let row = insert.row(line).map_err(|why| wrong(&path, number, why))?;
            insert.push(row, manifest).map_err(|error| error.in_file(&path))?;
            done += 1;
            if done % ROWS as u64 == 0 {
                tell(Progress { what: path.clone(), done, total });
            }
            Ok(())
        })?;
        insert.flush().map_err(|error| error.in_file(&path))?;
        organization = insert.organization;
        if organization.is_none() {
            return Err(TakeoutError::damaged(&path, "holds no organization"));
        }
    }
    match organization {
        Some(number) => agree(tx, number, &tables),
        None => Err(TakeoutError::damaged("organization.jsonl", "is missing")),
    }
}

fn wrong(path: &str, line: u64, why: impl std::fmt::Display) -> TakeoutError {
    TakeoutError::damaged(path, format!("is not understood in line {line}: {why}"))
}

/// Hand every line of a file to `f`, with its number, and let the file still be what the manifest says.
fn each_line(folder: &Path, entry: &FileEntry, mut f: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
    let path = folder.join(&entry.path);
    let file = File::open(&path).map_err(BackupError::io("open", &path))?;
    let (mut file, mut line, mut rows) = (BufReader::with_capacity(PIECE, file), Vec::new(), 0);
    let mut wrong_line = None;
    let sum = files::sum_of(|sum| {
        loop {
            line.clear();
            let read = file.by_ref().take(MOST_LINE + 1).read_until(b'\n', &mut line);
            if read.map_err(BackupError::io("read", &path))? == 0 {
                return Ok(());
            }
            sum(&line)?;
            rows += 1;
            let done = if line.len() as u64 > MOST_LINE {
                Err(wrong(&entry.path, rows, format!("it is longer than {MOST_LINE} bytes")))
            } else {
                f(rows, &line)
            };
            if let Err(error) = done {
                wrong_line = Some(error);
                return Ok(());
            }
        }
    })?;
    if let Some(error) = wrong_line {
        return Err(error);
    }
    if sum != (Sum { bytes: entry.bytes, sha256: entry.sha256.clone() }) {
        return Err(TakeoutError::damaged(&entry.path, "changed while it was read"));
    }
    if entry.rows != Some(rows) {
        return Err(TakeoutError::damaged(&entry.path, "has another number of lines than the manifest says"));
    }
    Ok(())
}

/// Rows on their way into a table.
struct Insert<'a> {
    tx: &'a Tx<'a>,
    lines: Lines,
    fields: Vec<(&'static Field, bool)>,
    /// Where the texts stand that columns are made of.
    folded: Vec<usize>,
    columns: Vec<&'static str>,
    /// Whether every field must be there.
    whole: bool,
    organization: Option<OrganizationNumber>,
    rows: Vec<Value>,
    bytes: usize,
}

/// A row that was not inserted.
enum NotInserted {
    Database(goalpost_db::Error),
    Wrong(String),
}

impl NotInserted {
    fn in_file(self, path: &str) -> TakeoutError {
        match self {
            Self::Database(error) if error.kind() == ErrorKind::Unique => {
                TakeoutError::damaged(path, "has two objects with one key or one id")
            }
            Self::Database(error) => error.into(),
            Self::Wrong(why) => TakeoutError::damaged(path, why),
        }
    }
}

impl From<goalpost_db::Error> for NotInserted {
    fn from(error: goalpost_db::Error) -> Self {
        Self::Database(error)
    }
}

impl<'a> Insert<'a> {
    fn new(
        tx: &'a Tx<'a>,
        lines: Lines,
        table: &Table,
        whole: bool,
        organization: Option<OrganizationNumber>,
    ) -> Self {
        let nullable =
            |column: &str| table.columns.iter().any(|(name, _, nullable)| name == column && *nullable);
        let fields: Vec<_> = lines.fields().map(|field| (field, nullable(field.column))).collect();
        let place = |column: &str| fields.iter().position(|(field, _)| field.column == column);
        let folded = lines.part.folds.iter().filter_map(|(_, of)| place(of)).collect();
        let mut columns: Vec<_> = fields.iter().map(|(field, _)| field.column).collect();
        columns.extend(lines.part.folds.iter().map(|(column, _)| *column));
        if lines.part.table != "organization" {
            columns.push("organization");
        }
        Self { tx, lines, fields, folded, columns, whole, organization, rows: Vec::new(), bytes: 0 }
    }

    /// The values of a line.
    fn row(&self, line: &[u8]) -> Result<Vec<Value>, String> {
        let Some(line) = line.strip_suffix(b"\n") else { return Err("it has no end".to_owned()) };
        let mut object: Map<String, Json> =
            serde_json::from_slice(line).map_err(|error| format!("it is no JSON object: {error}"))?;
        let mut row = Vec::with_capacity(self.columns.len());
        let mut found = 0;
        for (field, nullable) in &self.fields {
            let json = match object.get_mut(field.name) {
                Some(json) => {
                    found += 1;
                    json.take()
                }
                None if self.whole => return Err(format!("it has no `{}`", field.name)),
                None => Json::Null,
            };
            match field::read(json, field.kind) {
                Some(Value::Null) if !nullable => return Err(format!("`{}` is null", field.name)),
                Some(value) => row.push(value),
                None => {
                    let kind = field.kind.as_str();
                    return Err(format!("`{}` is no {kind} that may stand there", field.name));
                }
            }
        }
        if found < object.len() {
            let strange = object.keys().find(|key| !self.fields.iter().any(|(field, _)| field.name == **key));
            return Err(format!("it has `{}`, which is not known", strange.map_or("", |key| key)));
        }
        for &place in &self.folded {
            let value = match &row[place] {
                Value::Text(text) => Value::Text(fold(text)),
                _ => Value::Null,
            };
            row.push(value);
        }
        Ok(row)
    }

    fn push(&mut self, mut row: Vec<Value>, manifest: &Manifest) -> Result<(), NotInserted> {
        if self.lines.part.table == "organization" {
            return self.found(row, manifest);
        }
        let Some(organization) = self.organization else { return Ok(()) };
        row.push(organization.into());
        self.bytes += row.iter().map(size).sum::<usize>();
        self.rows.extend(row);
        if self.rows.len() >= ROWS * self.columns.len() || self.bytes >= BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Make the organization, under a number that is free.
    fn found(&mut self, mut row: Vec<Value>, manifest: &Manifest) -> Result<(), NotInserted> {
        let place = |column: &str| self.fields.iter().position(|(field, _)| field.column == column);
        let value = |column: &str| place(column).map_or(&Value::Null, |place| &row[place]);
        let same = *value("guid") == Value::from(manifest.organization.into_bytes())
            && *value("name") == Value::from(&manifest.name)
            && *value("revision") == Value::from(manifest.revision);
        if self.organization.is_some() || !same {
            return Err(NotInserted::Wrong("holds another organization than the manifest names".to_owned()));
        }
        let wanted = match value("number") {
            Value::Int(number) => Some(*number),
            _ => None,
        };
        let number = free_number(self.tx, wanted)?;
        if let Some(place) = place("number") {
            row[place] = number.into();
        }
        self.tx.insert_all("organization", &self.columns, &row)?;
        self.tx.enter(number);
        self.tx.lock(number, Lock::Data)?;
        self.organization = Some(OrganizationNumber(number));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), NotInserted> {
        self.tx.insert_all(&self.lines.table(), &self.columns, &self.rows)?;
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }
}
