//! A folder, before any of it is trusted.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use goalpost_db::SCHEMA_VERSION;

use super::dictionary::Part;
use super::manifest::{FILE_NAME, FileEntry, Manifest};
use super::{Result, TakeoutError};
use crate::backup::files::{self, Sum};
use crate::backup::{Progress, Tell};

/// Files that a folder may have.
const MOST_FILES: usize = 1_000;

/// Compare every file with the manifest; what is not in it is not looked at.
///
/// # Errors
/// [`TakeoutError::Damaged`] with the name of every file that is not what was written; a folder of a newer program.
pub(super) fn check(folder: &Path, tell: Tell<'_>) -> Result<Manifest> {
    let manifest = Manifest::read(folder)?;
    let schema = manifest.schema_version()?;
    if schema > SCHEMA_VERSION {
        return Err(TakeoutError::Newer(format!("schema {schema}"), format!("schema {SCHEMA_VERSION}")));
    }
    let mut damaged = Vec::new();
    let mut paths = HashSet::new();
    for file in &manifest.files {
        if !file.path.split('/').all(files::is_plain) || !paths.insert(file.path.as_str()) {
            damaged.push(format!("`{FILE_NAME}` lists `{}`, which is no file of such a folder", file.path));
        }
    }
    if manifest.files.len() > MOST_FILES {
        damaged.push(format!("`{FILE_NAME}` lists more than {MOST_FILES} files"));
    }
    // An older program did not write what it did not know.
    for lines in Part::all().filter(|_| schema == SCHEMA_VERSION) {
        if !paths.contains(lines.path().as_str()) {
            damaged.push(format!("`{FILE_NAME}` does not list `{}`", lines.path()));
        }
    }
    if !damaged.is_empty() {
        return Err(TakeoutError::Damaged(damaged));
    }
    let total = manifest.bytes();
    let mut done = 0;
    for file in &manifest.files {
        let why = compare(folder, file, &mut |read| {
            done += read;
            tell(Progress { what: "checking".to_owned(), done, total });
        })?;
        damaged.extend(why.map(|why| format!("`{}` {why}", file.path)));
    }
    if damaged.is_empty() { Ok(manifest) } else { Err(TakeoutError::Damaged(damaged)) }
}

/// Why a file is not what the manifest says.
fn compare(folder: &Path, file: &FileEntry, read: &mut dyn FnMut(u64)) -> Result<Option<&'static str>> {
    // A link would lead out of the folder, a pipe would never end.
    let mut path = folder.to_owned();
    let mut parts = file.path.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        match fs::symlink_metadata(&path) {
            Err(_) => return Ok(Some("is missing")),
            Ok(about) if about.is_symlink() => return Ok(Some("is a link")),
            Ok(about) if parts.peek().is_some() && !about.is_dir() => return Ok(Some("is missing")),
            Ok(about) if parts.peek().is_none() && !about.is_file() => return Ok(Some("is not a file")),
            Ok(about) if parts.peek().is_none() && about.len() != file.bytes => {
                return Ok(Some("has another length"));
            }
            Ok(_) => {}
        }
    }
    let sum = files::read(&path, |piece| {
        read(piece.len() as u64);
        Ok(())
    })?;
    Ok(match sum {
        None => Some("is missing"),
        Some(sum) if sum != (Sum { bytes: file.bytes, sha256: file.sha256.clone() }) => {
            Some("has another SHA-256")
        }
        Some(_) => None,
    })
}
