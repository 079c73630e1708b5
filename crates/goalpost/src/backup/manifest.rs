//! What a backup must be, in its `manifest.json`.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use goalpost_db::Version;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::files::{self, Hashed, Sum, is_plain};
use super::rows::Kind;
use super::{BackupError, Result};

/// The manifest's file; the last that is written.
pub const FILE_NAME: &str = "manifest.json";
/// Its SHA-256, in the words of `sha256sum`.
const SUM_FILE_NAME: &str = "manifest.json.sha256";
/// The only form of a backup so far.
const FORMAT: u32 = 1;

/// What a backup must be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The form of the backup.
    format: u32,
    /// The version of the program that made it.
    pub goalpost: String,
    /// The schema of its tables, `major.minor`.
    pub schema: String,
    /// The engine that it was taken from.
    pub engine: String,
    /// The instant that it shows, for people.
    pub instant: String,
    /// The same, microseconds.
    pub instant_us: i64,
    /// Its tables, by name.
    pub tables: Vec<TableEntry>,
    /// How many files of exports it holds, and their bytes.
    pub contents: Total,
    /// Exports of that instant whose files it does not hold.
    pub left_out: Vec<LeftOut>,
    /// Its other files, by their path: keys and settings.
    pub files: Vec<FileEntry>,
}

/// A table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TableEntry {
    /// Its name.
    pub name: String,
    /// Names and types of its columns, in the order of the cells of a row.
    pub columns: Vec<(String, String)>,
    /// Its rows.
    pub rows: u64,
    /// Its file.
    #[serde(flatten)]
    pub sum: Sum,
}

/// A file that is copied as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its path in the backup, and in the data folder.
    pub path: String,
    /// What it must be.
    #[serde(flatten)]
    pub sum: Sum,
}

/// A number of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// An export whose file could not be had. It is not restored, as if it had expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The number of its organization.
    pub organization: i64,
    /// Its job.
    pub job: Uuid,
    /// Why.
    pub why: Why,
}

/// Why a file could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Why {
    /// The export's time was over before its file was copied.
    Expired,
    /// The file is not where it should be.
    Missing,
    /// The file is not what it was when it was made.
    Damaged,
}

impl Manifest {
    pub(super) fn new(schema: Version, engine: &str, instant_us: i64) -> Self {
        Self {
            format: FORMAT,
            goalpost: env!("CARGO_PKG_VERSION").to_owned(),
            schema: schema.to_string(),
            engine: engine.to_owned(),
            instant: crate::http::time::date_time(instant_us),
            instant_us,
            tables: Vec::new(),
            contents: Total::default(),
            left_out: Vec::new(),
            files: Vec::new(),
        }
    }

    /// The manifest of a finished backup.
    ///
    /// # Errors
    /// A folder that is no finished backup, a manifest that is damaged, or of a form that came later.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE_NAME);
        let mut text = Vec::new();
        let sum = files::read(&path, |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })?;
        let sum = sum.ok_or_else(|| BackupError::NoBackup(folder.to_owned()))?;
        let known = fs::read_to_string(folder.join(SUM_FILE_NAME));
        let known = known.map_err(BackupError::io("read", &folder.join(SUM_FILE_NAME)))?;
        if known.split_whitespace().next() != Some(&sum.sha256) {
            return Err(BackupError::damaged(FILE_NAME, "is not what was written, by its SHA-256"));
        }
        let not_understood = || BackupError::damaged(FILE_NAME, "is not understood");
        let manifest: Self = serde_json::from_slice(&text).map_err(|_| not_understood())?;
        let plain = |entry: &TableEntry| is_plain(&entry.name);
        let inside = |entry: &FileEntry| entry.path.split('/').all(is_plain);
        if manifest.format != FORMAT
            || !manifest.tables.iter().all(plain)
            || !manifest.files.iter().all(inside)
        {
            return Err(not_understood());
        }
        Ok(manifest)
    }

    /// Write it, and so finish the backup: everything else must be on the disk.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| BackupError::Other {
            action: "cannot write the manifest".to_owned(),
            source: error.into(),
        })?;
        let draft = folder.join(format!("{FILE_NAME}.unfinished"));
        let mut out = Hashed::create(&draft)?;
        out.append(&text)?;
        out.append(b"\n")?;
        let sum = out.finish()?;
        let mut sums = Hashed::create(&folder.join(SUM_FILE_NAME))?;
        sums.append(format!("{}  {FILE_NAME}\n", sum.sha256).as_bytes())?;
        sums.finish()?;
        files::sync_folder(folder)?;
        let path = folder.join(FILE_NAME);
        fs::rename(&draft, &path).map_err(BackupError::io("make", &path))?;
        files::sync_folder(folder)
    }

    /// The schema of its tables, as a version.
    ///
    /// # Errors
    /// A text that is none.
    pub fn schema_version(&self) -> Result<Version> {
        let number = |text| i64::from_str(text).ok();
        let parts = self.schema.split_once('.');
        let version =
            parts.and_then(|(major, minor)| Some(Version { major: number(major)?, minor: number(minor)? }));
        version.ok_or_else(|| BackupError::damaged(FILE_NAME, "names no schema"))
    }

    /// The rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// The bytes of all files that it speaks of.
    pub fn bytes(&self) -> u64 {
        let tables = self.tables.iter().map(|table| table.sum.bytes);
        let files = self.files.iter().map(|file| file.sum.bytes);
        tables.chain(files).sum::<u64>() + self.contents.bytes
    }
}

impl TableEntry {
    /// Where its rows are, in the backup.
    pub(super) fn path(&self) -> String {
        table_path(&self.name)
    }

    /// The types of its columns.
    pub(super) fn kinds(&self) -> Result<Vec<Kind>> {
        let kinds: Option<_> = self.columns.iter().map(|(_, kind)| Kind::from_word(kind)).collect();
        kinds.ok_or_else(|| BackupError::damaged(FILE_NAME, "names a type that is not known"))
    }

    /// The places of these columns.
    pub(super) fn places<const N: usize>(&self, names: [&str; N]) -> Result<[usize; N]> {
        let mut places = [0; N];
        for (place, wanted) in places.iter_mut().zip(names) {
            let found = self.columns.iter().position(|(name, _)| name == wanted);
            *place = found.ok_or_else(|| BackupError::damaged(FILE_NAME, "lacks a column"))?;
        }
        Ok(places)
    }
}

/// Where the rows of a table are, in a backup.
pub(super) fn table_path(name: &str) -> String {
    format!("tables/{name}.jsonl")
}

/// Where an export's file is, in a backup.
///
/// # Errors
/// A key that is none of ours.
pub(super) fn content_path(folder: &Path, key: &str) -> Result<PathBuf> {
    match key.split_once('/') {
        Some((organization, name)) if is_plain(organization) && is_plain(name) => {
            Ok(folder.join("content").join(organization).join(name))
        }
        _ => Err(BackupError::damaged("tables/export.jsonl", "names a file as none is named")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> (tempfile::TempDir, Manifest) {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = Manifest::new(Version { major: 1, minor: 12 }, "sqlite", 1_700_000_000_000_000);
        manifest.left_out.push(LeftOut { organization: 1, job: Uuid::from_u128(7), why: Why::Expired });
        manifest.write(folder.path()).unwrap();
        (folder, manifest)
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let (folder, manifest) = written();
        let read = Manifest::read(folder.path()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&manifest).unwrap());
        assert_eq!(read.schema_version().unwrap(), Version { major: 1, minor: 12 });
    }

    #[test]
    fn a_flipped_bit_anywhere_in_the_manifest_is_noticed() {
        let (folder, _) = written();
        let path = folder.path().join(FILE_NAME);
        let text = fs::read(&path).unwrap();
        for place in 0..text.len() {
            let mut flipped = text.clone();
            flipped[place] ^= 1;
            fs::write(&path, flipped).unwrap();
            let error = Manifest::read(folder.path()).unwrap_err().to_string();
            assert!(error.contains("`manifest.json`"), "{place}: {error}");
        }
    }

    #[test]
    fn a_path_out_of_the_backup_is_not_followed() {
        let folder = Path::new("backup");
        assert!(content_path(folder, "15229/0198.1.ab.csv").is_ok());
        for key in ["../../etc/passwd", "15229/../x", "x", "/etc/passwd", "15229/a/b", "15229/"] {
            assert!(content_path(folder, key).is_err(), "{key}");
        }
    }
}
