//! Restoring a backup into an empty place, which may be of the other engine.
//!
//! The rows come last, in one transaction: a restore that dies leaves a place without an organization, and a mark in the
//! data folder that keeps servers off and lets the next restore begin again.

use std::fs;
use std::path::Path;

use goalpost_db::{Db, SCHEMA_VERSION, Scope, Settings, Table, Tx, Value, params};

use super::contents;
use super::files::{self, Hashed};
use super::manifest::{Manifest, TableEntry, content_path};
use super::rows;
use super::save::Tables;
use super::{BackupError, Progress, Result, Tell, check, organizations};
use crate::app::{self, UNFINISHED_RESTORE};
use crate::config::{Config, FILE_NAME, Overrides};

/// What a restore makes in the data folder, besides the settings.
const OURS: [&str; 5] = ["content", "goalpost.db", "goalpost.db-shm", "goalpost.db-wal", "keys"];
/// The name of settings that cannot lie in the data folder under their own.
const ELSEWHERE: &str = "goalpost.backup.toml";
/// Rows, and bytes of their lines, that are inserted at a time.
const ROWS: usize = 1_000;
const BYTES: usize = 4 << 20;
/// How long the rows wait for their turn: nobody else should be there.
const WAIT: std::time::Duration = std::time::Duration::from_secs(5);

/// The settings of the place to restore to: those of its data folder, else those of the backup, as if they lay there.
///
/// # Errors
/// Settings that cannot be used.
pub fn settings(folder: &Path, overrides: &Overrides) -> Result<Config> {
    let present = Config::load(overrides)?;
    let saved = folder.join(FILE_NAME);
    if overrides.config.is_some() || present.data.join(FILE_NAME).exists() || !saved.exists() {
        return Ok(present);
    }
    let data = Some(present.data);
    Ok(Config::load(&Overrides { config: Some(saved), data, ..overrides.clone() })?)
}

/// Check a backup, then write it to the place that the settings name; with `verify`, read back from there what was
/// written, and compare.
///
/// # Errors
/// A damaged backup, a place that is not empty: then nothing was written. After any other error the place is not to be
/// used; restore again, and what was written is overwritten.
pub fn restore(folder: &Path, config: &Config, verify: bool, tell: Tell<'_>) -> Result<Manifest> {
    let manifest = check::check(folder, tell)?;
    let schema = manifest.schema_version()?;
    if schema > SCHEMA_VERSION {
        return Err(BackupError::Newer(schema, SCHEMA_VERSION));
    }
    let location = app::database(config).map_err(BackupError::other("cannot tell where to restore to"))?;
    let settings = Settings { migrate: true, newest: schema, ..app::database_settings(config) };
    clear(&config.data)?;
    let db = Db::open(&location, settings.clone())?;
    db.snapshot(Scope::Global, |tx| refuse_rows(tx, &location.to_string()))?;

    let mark = config.data.join(UNFINISHED_RESTORE);
    if !mark.exists() {
        Hashed::create(&mark)?.finish()?;
        files::sync_folder(&config.data)?;
    }
    copy_files(folder, &manifest, &config.data)?;
    copy_contents(folder, &manifest, config, verify, tell)?;
    db.write_alone(Scope::Global, WAIT, |tx| {
        refuse_rows(tx, &location.to_string())?;
        insert_rows(tx, folder, &manifest, tell)?;
        if verify {
            compare_rows(tx, &manifest, tell)?;
        }
        begin_again(tx, &manifest)
    })?;
    drop(db);
    let db = Db::open(&location, Settings { newest: SCHEMA_VERSION, ..settings })?;
    db.settle()?;
    fs::remove_file(&mark).map_err(BackupError::io("remove", &mark))?;
    files::sync_folder(&config.data)?;
    Ok(manifest)
}

/// Let the data folder be empty but for settings: what a restore left that died is removed, anything else is refused.
fn clear(data: &Path) -> Result<()> {
    files::make_folder(data)?;
    let names = files::names(data)?;
    if !names.iter().any(|name| name == UNFINISHED_RESTORE) {
        return match names.iter().find(|name| *name != FILE_NAME) {
            None => Ok(()),
            Some(name) => Err(BackupError::NotEmpty(format!("`{}`, which holds `{name}`,", data.display()))),
        };
    }
    for name in OURS {
        let path = data.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(BackupError::io("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuse a database that holds an organization or a sign-in; without these there is nothing else.
fn refuse_rows(tx: &Tx<'_>, place: &str) -> Result<()> {
    let found = tx.query_opt(
        "-- restore::refuse_rows
        select 1 where exists (select 1 from organization) or exists (select 1 from identity)",
        params![],
        |_| Ok::<_, goalpost_db::Error>(()),
    )?;
    match found {
        None => Ok(()),
        Some(()) => Err(BackupError::NotEmpty(format!("the database `{place}`"))),
    }
}

/// Keys, and the settings where there are none.
fn copy_files(folder: &Path, manifest: &Manifest, data: &Path) -> Result<()> {
    for file in &manifest.files {
        let to = data.join(if file.path == FILE_NAME && sets_data(folder) { ELSEWHERE } else { &file.path });
        if let Some(parent) = to.parent() {
            files::make_folder(parent)?;
        }
        if file.path == FILE_NAME && to.exists() {
            continue;
        }
        if files::copy(&folder.join(&file.path), &to)? != file.sum {
            return Err(BackupError::damaged(&file.path, "is not what was backed up"));
        }
        if let Some(parent) = to.parent() {
            files::sync_folder(parent)?;
        }
    }
    Ok(())
}

/// Whether the settings, which lay elsewhere, say where the data folder is: lying in it, they could not.
fn sets_data(folder: &Path) -> bool {
    let text = fs::read_to_string(folder.join(FILE_NAME)).unwrap_or_default();
    text.parse::<toml::Table>().is_ok_and(|table| table.contains_key("data"))
}

fn copy_contents(
    folder: &Path,
    manifest: &Manifest,
    config: &Config,
    verify: bool,
    tell: Tell<'_>,
) -> Result<()> {
    let store = app::open_store(config).map_err(BackupError::other("cannot write the files of exports"))?;
    let mut done = 0;
    contents::each_file(folder, manifest, |content| {
        tell(Progress { what: "files of exports".to_owned(), done, total: manifest.contents.bytes });
        contents::copy_in(&store, &content, &content_path(folder, &content.key)?)?;
        if verify && !contents::is_there(&store, &content)? {
            return Err(BackupError::Unlike(vec![format!("the file `{}`", content.key)]));
        }
        done += content.sum.bytes;
        Ok(())
    })
}

fn insert_rows(tx: &Tx<'_>, folder: &Path, manifest: &Manifest, tell: Tell<'_>) -> Result<()> {
    let known = tx.tables()?;
    let total = manifest.rows();
    let mut done = 0;
    for table in &manifest.tables {
        let target = known.iter().find(|known| known.name == table.name);
        let target = target.filter(|target| has_columns(target, table)).ok_or_else(|| {
            BackupError::damaged(&table.path(), "is a table that this program does not know as it is there")
        })?;
        let mut insert = Insert {
            tx,
            table,
            of_organizations: target.is_of_organizations(),
            inside: None,
            rows: Vec::new(),
            size: 0,
        };
        rows::each(folder, table, |row| {
            insert.push(row)?;
            done += 1;
            if done % ROWS as u64 == 0 {
                tell(Progress { what: table.name.clone(), done, total });
            }
            Ok(())
        })?;
        insert.flush()?;
    }
    Ok(())
}

/// Let the tables, read back, be what was backed up.
fn compare_rows(tx: &Tx<'_>, manifest: &Manifest, tell: Tell<'_>) -> Result<()> {
    let restored = Tables::create(tx, None)?.write(tx, &manifest.engine, tell)?;
    let same = |table: &TableEntry| {
        restored.tables.iter().any(|other| other.name == table.name && other.sum == table.sum)
    };
    let unlike: Vec<_> = manifest.tables.iter().filter(|table| !same(table)).collect();
    if unlike.is_empty() {
        return Ok(());
    }
    Err(BackupError::Unlike(unlike.iter().map(|table| format!("the table `{}`", table.name)).collect()))
}

/// Whether every column of the backup's table is there, and of its type.
fn has_columns(target: &Table, table: &TableEntry) -> bool {
    let has = |(name, kind): &(String, String)| target.columns.iter().any(|(n, k, _)| n == name && k == kind);
    table.columns.iter().all(has)
}

/// Rows on their way into a table.
struct Insert<'a> {
    tx: &'a Tx<'a>,
    table: &'a TableEntry,
    of_organizations: bool,
    /// The organization that the transaction is for.
    inside: Option<i64>,
    rows: Vec<Value>,
    size: usize,
}

impl Insert<'_> {
    fn push(&mut self, row: Vec<Value>) -> Result<()> {
        if self.of_organizations {
            let Some(Value::Int(organization)) = row.first() else {
                return Err(BackupError::damaged(&self.table.path(), "has a row without an organization"));
            };
            if self.inside != Some(*organization) {
                self.flush()?;
                self.tx.enter(*organization);
                self.inside = Some(*organization);
            }
        }
        self.size += row.iter().map(size).sum::<usize>();
        self.rows.extend(row);
        if self.rows.len() >= ROWS * self.table.columns.len() || self.size >= BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<()> {
        let columns: Vec<_> = self.table.columns.iter().map(|(name, _)| name.as_str()).collect();
        self.tx.insert_all(&self.table.name, &columns, &self.rows)?;
        self.rows.clear();
        self.size = 0;
        Ok(())
    }
}

/// Bytes that a value takes in memory, or so.
pub(crate) fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        _ => 8,
    }
}

/// Forget exports whose files the backup does not hold, and let pending jobs begin anew: nobody holds their leases, and
/// the time that has passed since the backup is not theirs.
fn begin_again(tx: &Tx<'_>, manifest: &Manifest) -> Result<()> {
    for left in &manifest.left_out {
        tx.enter(left.organization);
        for sql in [
            "-- restore::forget_content
            delete from export where organization = ?1 and job = ?2",
            "-- restore::forget_job
            delete from job where organization = ?1 and id = ?2",
        ] {
            tx.execute(sql, params![left.organization, left.job.into_bytes()])?;
        }
    }
    for organization in organizations(tx)? {
        tx.enter(organization);
        // `running`, also those that nobody had begun: these would fail if the backup is a day old.
        tx.execute(
            "-- restore::begin_again
            update job set state = 'running', attempt = 0, lease_token = null, lease_until = ?2, deadline_at = null
             where organization = ?1 and state in ('notStarted', 'running')",
            params![organization, tx.now_us() - 1],
        )?;
    }
    Ok(())
}
