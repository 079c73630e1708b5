//! What a folder must be, in its `manifest.json`.

use std::fs;
use std::path::Path;

use goalpost_db::Version;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::write::{GOALS_CSV, GOALS_PARQUET};
use super::{Result, TakeoutError};
use crate::backup::BackupError;
use crate::backup::files::{Hashed, Sum};

/// The manifest's file; the last that is written.
pub const FILE_NAME: &str = "manifest.json";
/// What the folder is.
const FORMAT: &str = "goalpost-organization";
/// The only form of it so far.
const VERSION: u32 = 1;
/// A manifest of a hundred files has less than a tenth of this.
const MOST_BYTES: u64 = 1 << 20;

/// What a folder must be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// What it is.
    format: String,
    /// In which form.
    version: u32,
    /// The version of the program that wrote it.
    pub goalpost: String,
    /// The schema of the database that it was written from, `major.minor`: which files and fields there are.
    pub schema: String,
    /// The organization.
    pub organization: Uuid,
    /// Its name.
    pub name: String,
    /// The revision of the organization that the folder shows.
    pub revision: i64,
    /// The instant of that. All else is the same whenever the same data are written.
    pub exported_date_time: String,
    /// Every other file, by its path.
    pub files: Vec<FileEntry>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileEntry {
    /// Its path in the folder.
    pub path: String,
    /// How many things it holds, one a line; of the CSV, one a record. None for a text.
    pub rows: Option<u64>,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl FileEntry {
    pub(super) fn new(path: String, rows: Option<u64>, sum: Sum) -> Self {
        Self { path, rows, bytes: sum.bytes, sha256: sum.sha256 }
    }
}

impl Manifest {
    pub(super) fn new(schema: Version, organization: (Uuid, String), revision: i64, at_us: i64) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            goalpost: env!("CARGO_PKG_VERSION").to_owned(),
            schema: schema.to_string(),
            organization: organization.0,
            name: organization.1,
            revision,
            exported_date_time: crate::http::time::precise_date_time(at_us),
            files: Vec::new(),
        }
    }

    /// The manifest of a folder; nothing else of it is looked at.
    ///
    /// # Errors
    /// A folder that has none, one that is not understood or of a form that came later.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE_NAME);
        match fs::symlink_metadata(&path) {
            Err(_) => return Err(TakeoutError::NoTakeout(folder.to_owned())),
            Ok(about) if !about.is_file() => return Err(TakeoutError::damaged(FILE_NAME, "is not a file")),
            Ok(about) if about.len() > MOST_BYTES => {
                return Err(TakeoutError::damaged(FILE_NAME, "is longer than any manifest"));
            }
            Ok(_) => {}
        }
        let text = fs::read(&path).map_err(BackupError::io("read", &path))?;
        let not_understood = |error: serde_json::Error| {
            TakeoutError::damaged(FILE_NAME, format!("is not understood: {error}"))
        };
        // A later form may have other members: what it is comes before what it says.
        let Form { format, version } = serde_json::from_slice(&text).map_err(not_understood)?;
        if format != FORMAT {
            return Err(TakeoutError::NoTakeout(folder.to_owned()));
        }
        if version != VERSION {
            return Err(TakeoutError::Newer(format!("version {version}"), format!("version {VERSION}")));
        }
        serde_json::from_slice(&text).map_err(not_understood)
    }

    /// Write it: everything else must be there.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).expect("texts and numbers are written to memory");
        let mut out = Hashed::create(&folder.join(FILE_NAME))?;
        out.append(&text)?;
        out.append(b"\n")?;
        out.finish()?;
        Ok(())
    }

    /// The schema, as a version.
    pub(super) fn schema_version(&self) -> Result<Version> {
        let parts = self.schema.split_once('.');
        let version = parts.and_then(|(major, minor)| {
            Some(Version { major: major.parse().ok()?, minor: minor.parse().ok()? })
        });
        version.ok_or_else(|| TakeoutError::damaged(FILE_NAME, "names no schema"))
    }

    /// The file of this path.
    pub(super) fn file(&self, path: &str) -> Option<&FileEntry> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// The objects of all files: the CSV says the same again.
    pub fn rows(&self) -> u64 {
        self.files
            .iter()
            .filter(|file| ![GOALS_CSV, GOALS_PARQUET].contains(&file.path.as_str()))
            .filter_map(|file| file.rows)
            .fold(0, u64::saturating_add)
    }
}

/// What a manifest says first of itself.
#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u32,
}
