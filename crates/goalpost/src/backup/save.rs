//! Taking a backup, while others read and write.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use goalpost_db::{Db, Scope, Table, Tx, Version, params};

use super::contents::{self, Content};
use super::files::{self, Hashed};
use super::manifest::{FileEntry, LeftOut, Manifest, TableEntry, Total, Why, content_path, table_path};
use super::rows::{self, Kind, WriteError};
use super::{BackupError, NOT_SAVED, Progress, Result, Tell, organizations};
use crate::app;
use crate::config::{Config, FILE_NAME};
use crate::store::ContentStore;

/// Rows between two words about how far the work is.
const TELL_EVERY: u64 = 20_000;

/// The server that is backed up.
#[derive(Debug)]
pub struct Source<'a> {
    config: &'a Config,
    /// The settings file in use, if there is one.
    settings_file: Option<PathBuf>,
    db: Db,
    store: ContentStore,
}

impl<'a> Source<'a> {
    /// Open what these settings name; nothing of it is changed, also not an older schema.
    ///
    /// # Errors
    /// A server without data, a database of a newer program.
    pub fn open(config: &'a Config, settings_file: Option<&Path>) -> Result<Self> {
        let no_data = || BackupError::NoData(config.data.display().to_string());
        if !config.data.is_dir() {
            return Err(no_data());
        }
        let opened = app::open_unchanged(config).map_err(BackupError::other("cannot read what is there"))?;
        let (db, store) = opened.ok_or_else(no_data)?;
        let in_folder = config.data.join(FILE_NAME);
        let settings_file = settings_file.unwrap_or(&in_folder);
        let settings_file = settings_file.exists().then(|| settings_file.to_owned());
        Ok(Self { config, settings_file, db, store })
    }
}

/// Fill a folder, which must be empty or not there; its manifest, once everything is on the disk.
///
/// # Errors
/// What is there of the folder then is no backup, and is refused as one.
pub fn save(source: &Source<'_>, folder: &Path, tell: Tell<'_>) -> Result<Manifest> {
    files::make_folder(folder)?;
    if !files::names(folder)?.is_empty() {
        return Err(BackupError::FolderNotEmpty(folder.to_owned()));
    }
    let engine = source.db.engine();
    let mut manifest =
        source.db.snapshot(Scope::Global, |tx| Tables::create(tx, Some(folder))?.write(tx, engine, tell))?;
    copy_contents(source, folder, &mut manifest, tell)?;
    copy_files(source, folder, &mut manifest)?;
    files::sync_folder(&folder.join("tables"))?;
    manifest.write(folder)?;
    Ok(manifest)
}

/// The files of all tables, open at the same time: an organization's rows are written one table after another.
pub(super) struct Tables {
    global: Vec<TableFile>,
    of_organizations: Vec<TableFile>,
    /// Whether the tables say which additions the schema has.
    has_additions: bool,
}

impl Tables {
    /// In this folder; nowhere, to see what they would be.
    pub(super) fn create(tx: &Tx<'_>, folder: Option<&Path>) -> Result<Self> {
        if let Some(folder) = folder {
            files::make_folder(&folder.join("tables"))?;
        }
        let tables = tx.tables()?;
        let has_additions = tables.iter().any(|table| table.name == "schema_addition");
        let (mut global, mut of_organizations) = (Vec::new(), Vec::new());
        for table in tables.into_iter().filter(|table| !NOT_SAVED.contains(&table.name.as_str())) {
            let file = TableFile::create(folder, &table)?;
            if table.is_of_organizations() { of_organizations.push(file) } else { global.push(file) }
        }
        Ok(Self { global, of_organizations, has_additions })
    }

    pub(super) fn write(mut self, tx: &Tx<'_>, engine: &str, tell: Tell<'_>) -> Result<Manifest> {
        let schema = if self.has_additions { goalpost_db::schema_version(tx)? } else { first_schema(tx)? };
        let mut manifest = Manifest::new(schema, engine, tx.now_us());
        let organizations = organizations(tx)?;
        let total = (self.global.len() + organizations.len() * self.of_organizations.len()) as u64;
        let mut done = 0;
        for file in &mut self.global {
            file.write_rows(tx, None, &mut |what| tell(Progress { what, done, total }))?;
            done += 1;
        }
        for organization in organizations {
            tx.enter(organization);
            for file in &mut self.of_organizations {
                file.write_rows(tx, Some(organization), &mut |what| tell(Progress { what, done, total }))?;
                done += 1;
            }
        }
        for file in self.global.into_iter().chain(self.of_organizations) {
            manifest.tables.push(file.finish()?);
        }
        manifest.tables.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(manifest)
    }
}

/// The version of a schema that knows no additions yet.
fn first_schema(tx: &Tx<'_>) -> Result<Version> {
    let major = tx.query_one(
        "-- backup::first_schema
        select max(version) from schema_migration",
        params![],
        |row| row.int(0),
    )?;
    Ok(Version { major, minor: 0 })
}

struct TableFile {
    name: String,
    columns: Vec<(String, String)>,
    kinds: Vec<Kind>,
    sql: String,
    path: PathBuf,
    out: Hashed,
    rows: u64,
}

impl TableFile {
    fn create(folder: Option<&Path>, table: &Table) -> Result<Self> {
        let named: Vec<_> = table.columns.iter().map(|(name, ..)| name.as_str()).collect();
        let kinds: Option<_> = table.columns.iter().map(|(_, kind, _)| Kind::from_word(kind)).collect();
        let kinds =
            kinds.with_context(|| format!("the table `{}` has a column of a strange type", table.name));
        let of_one = if table.is_of_organizations() { "where organization = ?1 " } else { "" };
        let path = folder.unwrap_or(Path::new("")).join(table_path(&table.name));
        Ok(Self {
            sql: format!(
                "-- backup::rows\nselect {} from {} {of_one}order by {}",
                named.join(", "),
                table.name,
                table.key.join(", ")
            ),
            name: table.name.clone(),
            columns: table.columns.iter().map(|(name, kind, _)| (name.clone(), (*kind).to_owned())).collect(),
            kinds: kinds.map_err(BackupError::other("cannot read the database"))?,
            out: if folder.is_some() { Hashed::create(&path)? } else { Hashed::nowhere() },
            path,
            rows: 0,
        })
    }

    fn write_rows(
        &mut self,
        tx: &Tx<'_>,
        organization: Option<i64>,
        tell: &mut dyn FnMut(String),
    ) -> Result<()> {
        let params: Vec<_> = organization.into_iter().map(Into::into).collect();
        let Self { name, kinds, sql, path, out, rows, .. } = self;
        tell(name.clone());
        tx.each(sql, &params, |row| {
            rows::write(row, kinds, out).map_err(|error| match error {
                WriteError::Io(error) => BackupError::io("write", path)(error),
                WriteError::Database(error) => error.into(),
            })?;
            *rows += 1;
            if rows.is_multiple_of(TELL_EVERY) {
                tell(format!("{name} ({rows} rows)"));
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    fn finish(self) -> Result<TableEntry> {
        let Self { name, columns, out, rows, .. } = self;
        Ok(TableEntry { name, columns, rows, sum: out.finish()? })
    }
}

/// Copy the file of every export that the rows speak of.
fn copy_contents(source: &Source<'_>, folder: &Path, manifest: &mut Manifest, tell: Tell<'_>) -> Result<()> {
    let mut total = 0;
    contents::each_file(folder, manifest, |content| {
        total += content.sum.bytes;
        Ok(())
    })?;
    let (mut made, mut left_out, mut folders) = (Total::default(), Vec::new(), Vec::new());
    contents::each(folder, manifest, |content| {
        tell(Progress { what: "files of exports".to_owned(), done: made.bytes, total });
        let path = content_path(folder, &content.key)?;
        if path.exists() {
            return Ok(()); // another export has the same file
        }
        if let Some(parent) = path.parent().filter(|parent| folders.last().is_none_or(|last| last != parent))
        {
            files::make_folder(parent)?;
            folders.push(parent.to_owned());
        }
        let why = match contents::copy_out(&source.store, &content, &path)? {
            Some(sum) if sum == content.sum => {
                made = Total { files: made.files + 1, bytes: made.bytes + sum.bytes };
                return Ok(());
            }
            Some(_) => {
                fs::remove_file(&path).map_err(BackupError::io("remove", &path))?;
                Why::Damaged
            }
            None if is_kept(&source.db, &content)? => Why::Missing,
            None => Why::Expired,
        };
        left_out.push(LeftOut { organization: content.organization, job: content.job, why });
        Ok(())
    })?;
    for made in &folders {
        files::sync_folder(made)?;
    }
    if !folders.is_empty() {
        files::sync_folder(&folder.join("content"))?;
    }
    manifest.contents = made;
    manifest.left_out = left_out;
    Ok(())
}

/// Whether the export has not expired since.
fn is_kept(db: &Db, content: &Content) -> Result<bool> {
    let (organization, job) = (content.organization, content.job);
    let found = db.snapshot(Scope::Organization(organization), |tx| {
        tx.query_opt(
            "-- backup::is_kept
            select expires_at from job where organization = ?1 and id = ?2",
            params![organization, job.into_bytes()],
            |row| Ok::<_, goalpost_db::Error>(row.int(0)? > tx.now_us()),
        )
    })?;
    Ok(found.unwrap_or(false))
}

/// Copy the own issuer's key and the settings.
fn copy_files(source: &Source<'_>, folder: &Path, manifest: &mut Manifest) -> Result<()> {
    let keys = source.config.data.join("keys");
    let mut names = files::names(&keys)?;
    // A key in the making has a name of its own.
    names.retain(|name| files::is_plain(name) && name.strip_suffix(".new").is_none());
    names.sort();
    files::make_folder(&folder.join("keys"))?;
    for name in names {
        let path = format!("keys/{name}");
        let sum = files::copy(&keys.join(&name), &folder.join(&path))?;
        manifest.files.push(FileEntry { path, sum });
    }
    files::sync_folder(&folder.join("keys"))?;
    if let Some(file) = &source.settings_file {
        let sum = files::copy(file, &folder.join(FILE_NAME))?;
        manifest.files.push(FileEntry { path: FILE_NAME.to_owned(), sum });
    }
    Ok(())
}
