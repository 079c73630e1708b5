use std::fmt;
use std::io;

use super::template::{HEADERS, SHEET};
use crate::error::Error;

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
    /// A line of JSON Lines that is not what each is.
    #[error("line {line} {what}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A line of JSON Lines that says two values of one key.
    #[error("line {line} has the key `{key}` twice")]
    TwoKeys {
        /// The line, from 1.
        line: u64,
        /// The key, shortened.
        key: String,
    },
    /// A Parquet file that is damaged, or has what is not read.
    #[error("the Parquet file {what}")]
    Parquet {
        /// What is wrong with it.
        what: String,
    },
    /// The ZIP that a workbook is.
    #[error("{0}")]
    Package(#[source] Box<Error>),
    /// A part of a workbook that is not there.
    #[error("the workbook has no part `{part}`")]
    NoPart {
        /// Its name.
        part: String,
    },
    /// A part of a workbook that cannot be read.
    #[error("the part `{part}` of the workbook {what}")]
    Part {
        /// Its name.
        part: String,
        /// What is wrong with it.
        what: String,
    },
    /// A part of a workbook that declares a type of document, which may hold anything.
    #[error("the part `{part}` of the workbook declares a document type, which no spreadsheet does")]
    Doctype {
        /// Its name.
        part: String,
    },
    /// A workbook that takes something from elsewhere.
    #[error("the workbook takes something from elsewhere: `{target}`")]
    External {
        /// From where, shortened.
        target: String,
    },
    /// A workbook of the binary kind.
    #[error("the workbook is of the binary kind, `.xlsb`")]
    Binary,
    /// The sheet of a template that has another name.
    #[error("the sheet `{found}` has the headers of the template, whose sheet is called `{SHEET}`")]
    RenamedSheet {
        /// Its name, shortened.
        found: String,
    },
    /// A template with more in it than one may have.
    #[error("a template has at most {} MiB", super::template::BYTES >> 20)]
    LargeTemplate,
    /// A header that no template has.
    #[error("`{word}` is no header of the template")]
    NotOfTemplate {
        /// The header, shortened.
        word: String,
    },
    /// A header that every template has is not there.
    #[error("the template has no column `{column}`")]
    NotInTemplate {
        /// The header.
        column: &'static str,
    },
    /// A cell of a template behind its last header.
    #[error("row {row}: `{value}` stands behind the last header of the template")]
    BehindTemplate {
        /// The row.
        row: u64,
        /// The cell, shortened.
        value: String,
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
    /// Two headers of people mean the same.
    #[error("the column `{word}` says what another one says too")]
    TwoHeaders {
        /// The second header, shortened.
        word: String,
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

impl From<Error> for SheetError {
    fn from(error: Error) -> Self {
        Self::Package(Box::new(error))
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
            Self::Line { .. } | Self::TwoKeys { .. } => {
                "each line is one JSON object in UTF-8, with each key once: mend the line, or export the view again"
            }
            Self::Parquet { .. } => {
                "export the view again; another program should write columns of plain values, packed by zstd, Snappy, gzip or not at all"
            }
            Self::Package(error) => match **error {
                Error::TooLarge { .. } | Error::Ratio { .. } => {
                    "export a smaller view, or import the ZIP of the whole organization"
                }
                Error::Encrypted { .. } => "open it in a spreadsheet and save it without a password",
                _ => SAVE_AGAIN,
            },
            Self::NoPart { .. } | Self::Part { .. } | Self::Doctype { .. } => SAVE_AGAIN,
            Self::External { .. } => {
                "open it in a spreadsheet, break its links to other files, and save it again"
            }
            Self::Binary => "open it in a spreadsheet and save it as a workbook of the kind `.xlsx`",
            Self::RenamedSheet { .. } => {
                "give it its name back; `goalpost import template` writes a new template"
            }
            Self::LargeTemplate => "divide it into several files",
            Self::NotOfTemplate { .. } | Self::NotInTemplate { .. } => HEADERS,
            Self::BehindTemplate { .. } => "take it out, or give it to the column where it belongs",
            Self::Empty => "export the view again",
            Self::NoHeader { .. } | Self::NoColumn { .. } => {
                "the headers are those of an export in English; for another language give a file with `[headers]` and lines such as `\"Titel\" = \"Title\"` to --map"
            }
            Self::TwoColumns { .. } | Self::TwoHeaders { .. } => "take one of them out",
            Self::NoSuchColumn { .. } => {
                "the right side of a line in `[headers]` is the header of an export in English, such as `Title`"
            }
        }
    }
}

const SAVE_AGAIN: &str = "export it again, or open it in a spreadsheet and save it as `.xlsx`";

struct InRow(u64);

impl fmt::Display for InRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            row => write!(f, " ({})", Row(row)),
        }
    }
}

/// A row, as [`CellError::row`] has it.
struct Row(u64);

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 >> 32, self.0 & u64::from(u32::MAX)) {
            (0, row) => write!(f, "row {row}"),
            (sheet, row) => write!(f, "row {row} of further sheet {sheet}"),
        }
    }
}

/// A cell that cannot be taken, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellError {
    /// The row as a spreadsheet counts it: the header is row 1. Where there is none, as in JSON Lines and Parquet, the first
    /// row of values is row 1. In the bits from 2^32 on stands how many sheets of a table
    /// come before this one.
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
        write!(f, "{}, column `{column}`: `{value}` {what}", Row(*row))
    }
}
