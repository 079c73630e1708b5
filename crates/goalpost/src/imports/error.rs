use std::io;
use std::path::PathBuf;

use goalpost_db::ErrorKind;
use goalpost_viva::Error as FileError;
use goalpost_viva::sheet::{CellError, SheetError};
use uuid::Uuid;

/// Why an import did not happen. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file, or the data folder, cannot be read or written.
    #[error("cannot read or write `{}`: {source}", path.display())]
    Io {
        /// Which of them.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not a whole organization's ZIP.
    #[error("`{}` cannot be imported: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<FileError>,
    },
    /// The file was read to its end, and some of its elements cannot be taken.
    #[error("the file has {total} {}:{}", if *total == 1 { "problem" } else { "problems" }, Lines(shown))]
    Problems {
        /// The first of them.
        shown: Vec<FileError>,
        /// How many there are.
        total: u64,
    },
    /// The file is not the table of a view.
    #[error("`{}` cannot be imported: {source}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: SheetError,
    },
    /// The table was read to its end, and some of its cells cannot be taken.
    #[error("the file has {total} {}:{}", if *total == 1 { "problem" } else { "problems" }, CellLines(shown))]
    Cells {
        /// The first of them.
        shown: Vec<CellError>,
        /// How many there are.
        total: u64,
    },
    /// The file is a workbook of an older kind, or under a password.
    #[error("`{}` is a workbook under a password, or of the old kind `.xls`", path.display())]
    Protected {
        /// The file.
        path: PathBuf,
    },
    /// The file is packed as a whole, and damaged or packed in a way that costs too much.
    #[error("`{}` cannot be unpacked by {packing}: {what}", path.display())]
    Packed {
        /// The file.
        path: PathBuf,
        /// The packer.
        packing: &'static str,
        /// What it says.
        what: String,
    },
    /// The file is packed as a whole, and so is what is in it.
    #[error("`{}` is packed, and what is in it is neither a CSV nor JSON Lines", path.display())]
    PackedTwice {
        /// The file.
        path: PathBuf,
    },
    /// What is here and not in a table cannot be taken away.
    #[error("a table shows a view and not the whole organization, so nothing can be removed by it")]
    NothingToPrune,
    /// A template is of an organization that is not here.
    #[error("a template brings goals into an organization that is here, and there is no such one")]
    NotHere,
    /// Nothing says which organization a table is of.
    #[error("a table does not say of which organization it is")]
    NoOrganization,
    /// A goal of the table would be its own ancestor, together with alignments that are here.
    #[error("goals would be each other's parents in a circle: {}", Ids(.0))]
    Circle(Vec<i64>),
    /// An id of the file is among those that Goalpost gives to what is made here.
    #[error("{what} has the id {id}, but ids of files are below {limit}")]
    IdTooLarge {
        /// The entity.
        what: &'static str,
        /// The id.
        id: i64,
        /// The first number that is not allowed.
        limit: i64,
    },
    /// A file of an organization that is not there yet, and no name for it.
    #[error("the file is of organization {number}, which is not here yet, and the new one has no name")]
    NoName {
        /// The number in the names of the ZIP's members.
        number: i64,
    },
    /// Several organizations may be meant.
    #[error("several organizations may be meant: {}", Guids(.0))]
    Ambiguous(Vec<Uuid>),
    /// The chosen organization's files carry another number.
    #[error(
        "the file is of organization {found}, but the files of `{name}` ({guid}) are of organization {expected}"
    )]
    OtherOrganization {
        /// The chosen organization.
        guid: Uuid,
        /// Its name.
        name: String,
        /// The number of its files.
        expected: i64,
        /// The number of this file.
        found: i64,
    },
    /// Another import holds the data folder.
    #[error("another import is running on this data folder")]
    AlreadyRunning,
    /// Its job is over, or somebody else's.
    #[error("the import was called off")]
    Stopped,
    /// The file changed between checking and writing.
    #[error("the file changed while it was imported")]
    FileChanged,
    /// The database refused.
    #[error("the database refused: {0}")]
    Database(#[from] goalpost_db::Error),
}

impl ImportError {
    /// What to change so that the import goes through.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => FREE_SPACE.to_owned(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "check the path; it is the ZIP that Viva Goals handed out, not unpacked, or the table of a view".to_owned()
            }
            Self::File { .. } => {
                "the import takes the ZIP of a whole organization as Viva Goals handed it out".to_owned()
            }
            Self::Problems { .. } => {
                "correct these elements in the JSON members and pack them again; nothing was imported".to_owned()
            }
            Self::Table { source, .. } => source.hint().to_owned(),
            Self::Cells { .. } => {
                "correct these cells and import the file again; nothing was imported".to_owned()
            }
            Self::Protected { .. } => {
                "open it in a spreadsheet and save it as a workbook of the kind `.xlsx`, without a password"
                    .to_owned()
            }
            Self::Packed { .. } => {
                "copy or export the file again; one that was packed by hand, pack with the usual settings".to_owned()
            }
            Self::PackedTwice { .. } => "unpack it, and import what is in it".to_owned(),
            Self::NothingToPrune => "leave `--prune` out; the ZIP of the whole organization can do it".to_owned(),
            Self::NotHere => {
                "check --organization or --organization-id; `goalpost org list` shows those that are here".to_owned()
            }
            Self::NoOrganization => "say `--organization \"Name\"` or `--organization-id GUID`".to_owned(),
            Self::Circle(_) => {
                "take one of them out of `Aligned To` in the file, or unalign it here; nothing was imported"
                    .to_owned()
            }
            Self::IdTooLarge { .. } => "the file was not made by Viva Goals; give smaller ids".to_owned(),
            Self::NoName { .. } => {
                "say `--organization \"Name\"` for a new one, or `--organization-id GUID` for one that is here"
                    .to_owned()
            }
            Self::Ambiguous(_) => "say which: `--organization-id GUID`".to_owned(),
            Self::OtherOrganization { .. } => {
                "leave `--organization-id` out, or name a GUID that is not taken, to make an organization of its own"
                    .to_owned()
            }
            Self::AlreadyRunning => "wait until it is done, then try again".to_owned(),
            Self::FileChanged => "import a copy that nobody writes to".to_owned(),
            Self::Database(error) => match error.kind() {
                ErrorKind::StorageFull => FREE_SPACE.to_owned(),
                ErrorKind::Busy => "another long write is running; nothing was imported, try again".to_owned(),
                ErrorKind::Unavailable => {
                    "once the database answers, give the same command again: what a lost import may have written, it finds unchanged".to_owned()
                }
                _ => return None,
            },
            Self::Io { .. } | Self::Stopped => return None,
        })
    }
}

const FREE_SPACE: &str = "make room on the disk of the data folder, about three times the unpacked file; nothing was imported, so the same command can be given again";

struct Lines<'a>(&'a [FileError]);

impl std::fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

struct CellLines<'a>(&'a [CellError]);

impl std::fmt::Display for CellLines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

struct Ids<'a>(&'a [i64]);

impl std::fmt::Display for Ids<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, id) in self.0.iter().take(20).enumerate() {
            write!(f, "{}{id}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

struct Guids<'a>(&'a [Uuid]);

impl std::fmt::Display for Guids<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, guid) in self.0.iter().enumerate() {
            write!(f, "{}{guid}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
