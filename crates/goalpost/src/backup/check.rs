//! Checking a backup: every file, against the manifest and against the rows that speak of it.

use std::path::Path;

use super::files::{self, Sum};
use super::manifest::{Manifest, content_path};
use super::{BackupError, Progress, Result, Tell, contents};

/// Read all of a finished backup.
///
/// # Errors
/// [`BackupError::Damaged`] with the name of every file that is not what was backed up.
pub fn check(folder: &Path, tell: Tell<'_>) -> Result<Manifest> {
    let manifest = Manifest::read(folder)?;
    let total = manifest.bytes();
    let mut done = 0;
    let mut damaged = Vec::new();
    let mut compare = |name: &str, path: &Path, wanted: &Sum, rows: Option<u64>| {
        let mut lines = 0;
        let sum = files::read(path, |piece| {
            done += piece.len() as u64;
            lines += piece.split(|byte| *byte == b'\n').count() as u64 - 1;
            tell(Progress { what: "checking".to_owned(), done, total });
            Ok(())
        })?;
        let why = match sum {
            None => Some("is missing"),
            Some(sum) if sum.bytes != wanted.bytes => Some("has another length"),
            Some(sum) if sum.sha256 != wanted.sha256 => Some("has another SHA-256"),
            Some(_) if rows.is_some_and(|rows| rows != lines) => Some("has another number of rows"),
            Some(_) => None,
        };
        damaged.extend(why.map(|why| format!("`{name}` {why}")));
        Ok::<_, BackupError>(why.is_none())
    };
    let mut knows_contents = true;
    for table in &manifest.tables {
        let name = table.path();
        let is_whole = compare(&name, &folder.join(&name), &table.sum, Some(table.rows))?;
        knows_contents &= is_whole || table.name != "export";
    }
    for file in &manifest.files {
        compare(&file.path, &folder.join(&file.path), &file.sum, None)?;
    }
    if knows_contents {
        contents::each_file(folder, &manifest, |content| {
            let path = content_path(folder, &content.key)?;
            compare(&format!("content/{}", content.key), &path, &content.sum, None).map(drop)
        })?;
    }
    if damaged.is_empty() { Ok(manifest) } else { Err(BackupError::Damaged(damaged)) }
}
