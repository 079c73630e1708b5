//! The table of a view, be it CSV, JSON Lines, Parquet or a workbook: its rows become the elements that the ZIP of an organization has, and go the same way from there.
//!
//! ```text
//! table ──check──▶ what is wrong, who writes check-ins ──in the transaction──▶ names become numbers ──▶ a ZIP ──▶ run
//!        (no lock)
//! ```
//! A table knows names and not numbers, shows a part of the organization, and leaves out much of each goal. So names
//! are looked for among what is here; nothing is ever missing from it; and what it does not say of a goal stays as it
//! is here: [`Partial`].
//!
//! Read in this order: `check`, `names`, `numbers`, `outcome`, `translate`, `same`, `checkins`, `partial`.

mod check;
mod checkins;
mod map;
mod names;
mod numbers;
mod outcome;
mod partial;
mod same;
mod translate;

pub(super) use check::{CellProblems, check};
pub use map::ImportMap;
pub(super) use names::{Bearer, Names};
pub(super) use numbers::{Minter, numbers};
pub(super) use partial::Partial;
pub(super) use translate::{CELLS, distinct, translate};

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use goalpost_viva::sheet;

use super::packed::Packing;

/// What kind of file it is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A ZIP.
    Zip,
    /// A ZIP that is the workbook of a spreadsheet.
    Workbook,
    /// An older or a protected workbook of a spreadsheet.
    Compound,
    /// Objects of JSON.
    Lines,
    /// A Parquet file.
    Parquet,
    /// Anything else, packed as a whole.
    Packed(Packing),
    /// Anything else may be a table.
    Table,
}

impl Kind {
    pub(super) fn of(file: &mut File, path: &Path) -> std::io::Result<Self> {
        let mut head = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.take(64).read_to_end(&mut head)?;
        file.seek(SeekFrom::Start(0))?;
        let is_named =
            |kind: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(kind));
        let is_named_zip = is_named("zip");
        let is_zip = head.starts_with(b"PK\x03\x04");
        let is_workbook = is_zip && (sheet::is_workbook(file) || is_named("xlsx"));
        file.seek(SeekFrom::Start(0))?;
        Ok(if is_workbook {
            Self::Workbook
        } else if is_zip || head.starts_with(b"PK\x05\x06") || is_named_zip {
            Self::Zip
        } else if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
            Self::Compound
        } else if head.starts_with(b"PAR1") {
            Self::Parquet
        } else if let Some(packing) = Packing::of(&head) {
            Self::Packed(packing)
        } else if head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start().starts_with(b"{") {
            Self::Lines
        } else {
            Self::Table
        })
    }
}

/// What the name of a file says: `VivaGoals_{organization}_{view}_{YYYY_MM_DD}_{seconds}.csv`, or `.xlsx`, `.jsonl.gz`.
pub(super) fn named(path: &Path) -> (Option<i64>, Option<jiff::Timestamp>) {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let Some(rest) = stem(&name).strip_prefix("VivaGoals_") else { return (None, None) };
    let number = rest.split('_').next().and_then(|digits| digits.parse().ok()).filter(|number| *number > 0);
    let seconds = rest.rsplit('_').next().and_then(|digits| digits.parse().ok());
    (number, seconds.and_then(|seconds: i64| jiff::Timestamp::from_second(seconds).ok()))
}

/// The name of a file without what it ends with: its kind, and how it is packed.
pub(super) fn stem(name: &str) -> &str {
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
