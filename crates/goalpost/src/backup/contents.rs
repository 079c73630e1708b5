//! The files of exports, out of the store and into it: all that a backup knows of the store.

use std::collections::HashSet;
use std::path::Path;

use futures_util::TryStreamExt as _;
use goalpost_db::Value;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::files::{self, Hashed, Sum, hex};
use super::manifest::Manifest;
use super::{BackupError, Result, rows};
use crate::store::{self, ContentStore, ErrorKind, Stored};

/// A file of an export, as its row speaks of it.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) organization: i64,
    pub(super) job: Uuid,
    pub(super) key: String,
    pub(super) sum: Sum,
}

/// As [`each`], but a file that several exports point to once.
pub(super) fn each_file(
    folder: &Path,
    manifest: &Manifest,
    mut f: impl FnMut(Content) -> Result<()>,
) -> Result<()> {
    let mut seen = HashSet::new();
    each(folder, manifest, |content| if seen.insert(content.key.clone()) { f(content) } else { Ok(()) })
}

/// Hand the file of every export that the backup's rows speak of to `f`, but for those that were left out, and for those
/// that the rows themselves hold.
pub(super) fn each(
    folder: &Path,
    manifest: &Manifest,
    mut f: impl FnMut(Content) -> Result<()>,
) -> Result<()> {
    let Some(table) = manifest.tables.iter().find(|table| table.name == "export") else { return Ok(()) };
    let places = table.places(["organization", "job", "content_key", "size_bytes", "sha256"])?;
    let left_out: HashSet<_> = manifest.left_out.iter().map(|left| (left.organization, left.job)).collect();
    // Rows of an older schema hold none.
    let in_row = table.places(["content"]).ok().map(|[place]| place);
    rows::each(folder, table, |row| {
        if in_row.is_some_and(|place| row[place] != Value::Null) {
            return Ok(());
        }
        let content = match places.map(|place| &row[place]) {
            [
                Value::Int(organization),
                Value::Blob(job),
                Value::Text(key),
                Value::Int(bytes),
                Value::Blob(sha256),
            ] => Uuid::from_slice(job).ok().map(|job| Content {
                organization: *organization,
                job,
                key: key.clone(),
                sum: Sum { bytes: *bytes as u64, sha256: hex(sha256) },
            }),
            _ => None,
        };
        let content = content.ok_or_else(|| BackupError::damaged(&table.path(), "is not understood"))?;
        if left_out.contains(&(content.organization, content.job)) { Ok(()) } else { f(content) }
    })
}

/// Copy a file out of the store; what it is, or `None` if there is none. Of one that is longer than it should be, no more
/// than that is copied.
pub(super) fn copy_out(store: &ContentStore, content: &Content, to: &Path) -> Result<Option<Sum>> {
    let mut out = Hashed::create(to)?;
    if read(store, content, |piece| out.append(piece))? {
        return out.finish().map(Some);
    }
    std::fs::remove_file(to).map_err(BackupError::io("remove", to))?;
    Ok(None)
}

/// Copy a file into the store, durably. Fine if it is there already, as when only the database was lost.
pub(super) fn copy_in(store: &ContentStore, content: &Content, from: &Path) -> Result<()> {
    match write(store, content, from)? {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if is_there(store, content)? {
                return Ok(());
            }
            Err(BackupError::NotEmpty(format!("the place for files, which holds another `{}`,", content.key)))
        }
        Err(error) => Err(cannot("write", content)(error.into())),
    }
}

/// Write it; what the store says.
fn write(store: &ContentStore, content: &Content, from: &Path) -> Result<store::Result<Stored>> {
    let (folder, name) = content.key.split_once('/').unwrap_or_default();
    let mut writer = match store.create(folder, name) {
        Ok(writer) => writer,
        Err(error) => return Ok(Err(error)),
    };
    let mut written = Ok(());
    let read = files::read(from, |piece| {
        if written.is_ok() {
            written = writer.write(piece);
        }
        Ok(())
    })?;
    if read.as_ref() != Some(&content.sum) {
        return Err(BackupError::damaged(&format!("content/{}", content.key), "is not what its row says"));
    }
    Ok(written.and_then(|()| writer.finish()))
}

/// Whether the store holds this file as it must be.
pub(super) fn is_there(store: &ContentStore, content: &Content) -> Result<bool> {
    let mut found = false;
    let sum = files::sum_of(|f| {
        found = read(store, content, f)?;
        Ok(())
    })?;
    Ok(found && sum == content.sum)
}

/// Hand a file of the store to `f` piece by piece; `false` if there is none. One that is shorter than it should be is
/// handed over as far as it goes.
fn read(store: &ContentStore, content: &Content, mut f: impl FnMut(&[u8]) -> Result<()>) -> Result<bool> {
    Handle::current().block_on(async {
        let reading = match store.read(&content.key, 0..content.sum.bytes).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => match store.read(&content.key, 0..1).await {
                // It answers that, so it was not its fault.
                Ok(short) if short.size_bytes < content.sum.bytes => return Ok(true),
                _ => return Err(cannot("read", content)(error.into())),
            },
            Ok(reading) => reading,
        };
        let mut bytes = reading.bytes;
        while let Some(piece) =
            bytes.try_next().await.map_err(|error| cannot("read", content)(error.into()))?
        {
            f(&piece)?;
        }
        Ok(true)
    })
}

fn cannot(action: &str, content: &Content) -> impl FnOnce(anyhow::Error) -> BackupError {
    let action = format!("cannot {action} the export's file `{}`", content.key);
    move |source| BackupError::Other { action, source }
}
