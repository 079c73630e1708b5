use std::fmt;
use std::io;

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The file failed.
    #[error("the file could not be read")]
    Io(#[source] io::Error),
    /// A size or count that its limit forbids.
    #[error("{what}: more than {limit}, which is the limit{}", InRow(*row))]
    TooLarge {
        /// What was counted, with its unit.
        what: &'static str,
        /// The largest that is taken.
        limit: u64,
        /// The row, from 1; 0 for the whole file.
        row: u64,
    },
    /// A byte 0, which no text has.
    #[error("line {line} has a NUL, which no text has")]
    Nul {
        /// The line, from 1.
        line: u64,
    },
    /// UTF-16 with half a character, or an odd byte.
    #[error("the file says that it is UTF-16, and is not")]
    NotUtf16,
    /// A cell in quotation marks that never ends.
    #[error("row {row} has a cell with an opening quotation mark and no closing one")]
    Unclosed {
        /// The row, from 1.
        row: u64,
    },
    /// The file is empty.
    #[error("the file is empty")]
    Empty,
    /// None of the words of the first row is the header of a column.
    #[error("the first row has no header that is known, but: {found}")]
    NoHeader {
        /// What stands there, shortened.
        found: String,
    },
    /// A column that every table has is not there.
    #[error("there is no column `{column}`; the first row has: {found}")]
    NoColumn {
        /// The column.
        column: &'static str,
        /// What stands there, shortened.
        found: String,
    },
    /// Two columns are the same.
    #[error("the column `{column}` stands twice")]
    TwoColumns {
        /// The column.
        column: &'static str,
    },
    /// A word of the operator's headers is not the header of a column.
    #[error("`{word}` is no column of an export")]
    NoSuchColumn {
        /// The word.
        word: String,
    },
}

impl From<io::Error> for SheetError {
    fn from(error: io::Error) -> Self {
        // Only the decoder says so.
        if error.kind() == io::ErrorKind::InvalidData { Self::NotUtf16 } else { Self::Io(error) }
    }
}

impl SheetError {
    /// What to change so that the file can be read.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io(_) => "check the disk and the file",
            Self::TooLarge { .. } => "export a smaller view, or import the ZIP of the whole organization",
            Self::Nul { .. } => "the file is damaged, or UTF-16 without a byte order mark: save it as UTF-8",
            Self::NotUtf16 => "copy the file again, or save it as UTF-8",
            Self::Unclosed { .. } => "the file is cut off or was edited by hand; export it again",
            Self::Empty => "export the view again",
            Self::NoHeader { .. } | Self::NoColumn { .. } => {
                "the headers are those of an export in English; for another language give a file with `[headers]` and lines such as `\"Titel\" = \"Title\"` to --map"
            }
            Self::TwoColumns { .. } => "take one of them out",
            Self::NoSuchColumn { .. } => {
                "the right side of a line in `[headers]` is the header of an export in English, such as `Title`"
            }
        }
    }
}

struct InRow(u64);

impl fmt::Display for InRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            row => write!(f, " (row {row})"),
        }
    }
}

/// A cell that cannot be taken, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellError {
    /// The row as a spreadsheet counts it: the header is row 1.
    pub row: u64,
    /// The header of the column.
    pub column: String,
    /// The value, shortened.
    pub value: String,
    /// What is wrong with it.
    pub what: String,
}

impl std::error::Error for CellError {}

impl fmt::Display for CellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, column, value, what } = self;
        write!(f, "row {row}, column `{column}`: `{value}` {what}")
    }
}
