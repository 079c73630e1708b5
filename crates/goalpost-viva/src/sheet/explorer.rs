//! The table of a view, opened and read row by row.

use std::io::{Read, Seek};

use super::encoding::Encoding;
use super::error::{CellError, SheetError};
use super::goal::GoalRow;
use super::header::{Column, Header, HeaderWords};
use super::json_lines::JsonLines;
use super::parquet::Parquet;
use super::source::{Book, Text, TextCell};
use super::template;
use super::workbook::Spool;

/// How much a table may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SheetLimits {
    /// The file's size in bytes.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
    /// Cells of a row, named or not.
    pub columns: usize,
    /// One cell, in bytes of UTF-8.
    pub cell_bytes: usize,
    /// All cells of a row, in bytes of UTF-8.
    pub row_bytes: usize,
    /// All entries of a workbook, in bytes, unpacked.
    pub unpacked_bytes: u64,
    /// How many times its packed size an entry, and the whole workbook, may unpack to.
    pub ratio: u64,
    /// Entries in a workbook.
    pub entries: u64,
}

impl SheetLimits {
    /// For a file that the server's operator names on the command line.
    pub const OPERATOR: Self = Self {
        bytes: 2 << 30,
        rows: 2_000_000,
        columns: 100_000,
        cell_bytes: 1 << 20,
        row_bytes: 16 << 20,
        unpacked_bytes: 16 << 30,
        ratio: 100,
        entries: 100,
    };
}

/// # Errors
/// When there is more of something in a row than its limit.
pub(super) fn at_most(what: &'static str, found: usize, limit: usize, row: u64) -> Result<(), SheetError> {
    if found > limit { Err(SheetError::TooLarge { what, limit: limit as u64, row }) } else { Ok(()) }
}

/// The table of a view of the Explorer: a CSV, JSON Lines, a Parquet file, or a workbook.
#[derive(Debug)]
pub struct Explorer<R> {
    source: Source<R>,
    limits: SheetLimits,
    header: Header,
}

#[derive(Debug)]
enum Source<R> {
    Text(Text<R>),
    Lines(JsonLines<R>),
    Parquet(Parquet<R>),
    Book(Box<Book<R>>),
}

impl<R: Read + Seek> Explorer<R> {
    /// Opens a CSV: finds out how its characters are written, what separates its cells, and what its columns
    /// hold. Reads the whole file once, and keeps its first row.
    ///
    /// # Errors
    /// When it is too large, no text, empty, or no table of goals.
    pub fn open(input: R, limits: SheetLimits, words: &HeaderWords) -> Result<Self, SheetError> {
        let (text, cells) = Text::open(input, limits, &|cells| Header::known(cells, words))?;
        template::refuse(&cells)?;
        Ok(Self { source: Source::Text(text), limits, header: Header::read(&cells, words)? })
    }

    /// Opens JSON Lines. Reads the whole file once, and keeps its keys.
    ///
    /// # Errors
    /// When it is too large, empty, or no table of goals, or a line is not an object with each key once.
    pub fn open_json_lines(input: R, limits: SheetLimits, words: &HeaderWords) -> Result<Self, SheetError> {
        let (lines, cells) = JsonLines::open(input, limits)?;
        Ok(Self { source: Source::Lines(lines), limits, header: Header::read(&cells, words)? })
    }

    /// Opens a Parquet file, whose columns must all lie side by side.
    ///
    /// # Errors
    /// When it is too large, no Parquet file, or no table of goals.
    pub fn open_parquet(input: R, limits: SheetLimits, words: &HeaderWords) -> Result<Self, SheetError> {
        let (parquet, cells) = Parquet::open(input, limits)?;
        Ok(Self { source: Source::Parquet(parquet), limits, header: Header::read(&cells, words)? })
    }

    /// Opens a workbook, and finds the sheet with the table of goals, and what its columns hold. Texts that cells share
    /// are read, and held: 64 MiB of them in memory, the others in a file that `spool` gives.
    ///
    /// # Errors
    /// When it is too large, no workbook, leads to other files, or has no table of goals.
    pub fn open_workbook(
        input: R,
        limits: SheetLimits,
        words: &HeaderWords,
        spool: Spool<'_>,
    ) -> Result<Self, SheetError> {
        let (book, cells) = Book::open(input, limits, words, spool)?;
        Ok(Self { source: Source::Book(Box::new(book)), limits, header: Header::read(&cells, words)? })
    }

    /// How its characters are written.
    pub fn encoding(&self) -> Encoding {
        match &self.source {
            Source::Text(text) => text.encoding,
            Source::Lines(_) | Source::Parquet(_) | Source::Book(_) => Encoding::Utf8,
        }
    }

    /// Whether the table has a column.
    pub fn has(&self, column: Column) -> bool {
        self.header.has(column)
    }

    /// Whether rows end in different ways; known once they were read.
    pub fn has_mixed_line_ends(&self) -> bool {
        matches!(&self.source, Source::Text(text) if text.has_mixed_line_ends)
    }

    /// Sheets of a workbook that have something, and are not of the table.
    pub fn ignored_sheets(&self) -> &[String] {
        match &self.source {
            Source::Book(book) => &book.ignored,
            _ => &[],
        }
    }

    /// The first cells of a workbook whose values formulas gave, and how many there are; known once the rows were read.
    /// The one formula that exports had is none of them.
    pub fn formulas(&self) -> (&[String], u64) {
        match &self.source {
            Source::Book(book) => (&book.formulas, book.formula_count),
            _ => (&[], 0),
        }
    }

    /// Reads all rows, each with what is wrong in it. Can be called again.
    ///
    /// # Errors
    /// What makes the rest of the file unreadable, and whatever `visit` returns.
    pub fn each<E: From<SheetError>>(
        &mut self,
        mut visit: impl FnMut(GoalRow, Vec<CellError>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { source, limits, header } = self;
        let mut rows = 0;
        let mut take = |row: u64, cells: &[TextCell], mut errors: Vec<CellError>| {
            rows += 1;
            if rows > limits.rows {
                return Err(SheetError::TooLarge { what: "rows", limit: limits.rows, row: 0 }.into());
            }
            let goal = GoalRow::read(row, cells, header, &mut errors);
            visit(goal, errors)
        };
        match source {
            Source::Text(text) => text.each(*limits, |row, cells| take(row, cells, Vec::new())),
            Source::Lines(lines) => lines.each(*limits, header, take),
            Source::Parquet(parquet) => parquet.each(*limits, take),
            Source::Book(book) => book.each(header, |row, cells| take(row, cells, Vec::new())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn rows(text: &str) -> Result<Vec<(GoalRow, Vec<CellError>)>, SheetError> {
        let mut table =
            Explorer::open(Cursor::new(text.as_bytes()), SheetLimits::OPERATOR, &HeaderWords::default())?;
        let mut rows = Vec::new();
        table.each(|row, errors| {
            rows.push((row, errors));
            Ok::<_, SheetError>(())
        })?;
        Ok(rows)
    }

    #[test]
    fn cells_may_be_separated_by_commas_semicolons_or_tabs() {
        for separator in [",", ";", "\t"] {
            let text = ["Id", "Title", "Progress %\r\n7", "Plant hedges", "64"].join(separator);
            let rows = rows(&text).expect("a table");
            let (row, errors) = &rows[0];
            assert_eq!((row.row, row.id, row.title.as_str()), (2, Some(7), "Plant hedges"));
            assert_eq!((row.progress_percent, errors.len()), (Some(64.0), 0));
        }
    }

    #[test]
    fn wrong_values_are_told_with_their_place() {
        let rows = rows("Id,Title,Start Date,Target\r\nx,Plant,31.01.2025,much,more\r\n").expect("a table");
        let told: Vec<String> = rows[0].1.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "row 2, column `Id`: `x` is no number of a goal",
                "row 2, column `Start Date`: `31.01.2025` is no day such as 2025-01-31",
                "row 2, column `Target`: `much` is no number such as 1234.5 or 1,234.5",
                "row 2, column `column 5`: `more` stands behind the last header; was a quotation mark or a separator lost?",
            ]
        );
    }

    #[test]
    fn what_is_not_understood_is_kept_word_for_word() {
        let rows = rows("Title,Colour,Aligned To,Checkins,\nPlant,green,Grow,soon,later\n").expect("a table");
        let aside: Vec<(&str, &str)> =
            rows[0].0.aside.iter().map(|aside| (aside.path.as_str(), aside.json.as_str())).collect();
        assert_eq!(
            aside,
            [
                ("Colour", "\"green\""),
                ("Aligned To (weight, Objective ID)", "\"Grow\""),
                ("Checkins (column 4)", "\"soon\""),
                ("Checkins (column 5)", "\"later\""),
            ]
        );
    }

    #[test]
    fn a_row_goes_on_with_check_ins_only() {
        let check_in = "Checkin Date: 2025-03-10; User: ; Note: ; Metric Name: ; Status: ; Current Value: ; Activity Date: ;";
        let rows = rows(&format!("Title,Checkins\nPlant,{check_in},{check_in},later\n")).expect("a table");
        let (row, errors) = &rows[0];
        assert_eq!((row.check_ins.len(), errors.len()), (2, 1));
        assert_eq!(errors[0].column, "column 4");
    }

    #[test]
    fn a_million_columns_are_refused_at_once() {
        let text = format!("Title{}", ",x".repeat(1_000_000));
        assert!(matches!(rows(&text), Err(SheetError::TooLarge { what: "columns", row: 1, .. })));
        assert!(matches!(rows(""), Err(SheetError::Empty)));
    }
}
