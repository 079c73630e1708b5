//! Where the rows of a table come from: a text, or the sheets of a workbook.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::cells;
use super::encoding::{Decoder, Encoding};
use super::error::SheetError;
use super::explorer::SheetLimits;
use super::header::{Column, Header, HeaderWords, Place};
use super::records::Records;
use super::template;
use super::workbook::{Cell, Spool, Value, Workbook, moment};
use crate::error::shown;

/// Formulas that are listed; the others are counted.
const LISTED: usize = 10;

/// A cell that has something: its column, from 0, and its text.
pub(super) type TextCell = (usize, String);

/// A text.
#[derive(Debug)]
pub(super) struct Text<R> {
    input: R,
    pub(super) encoding: Encoding,
    separator: u8,
    pub(super) has_mixed_line_ends: bool,
}

impl<R: Read + Seek> Text<R> {
    /// Finds out how the characters of a text are written and what separates its cells: that by which most of its first row
    /// is `known`. Gives the first row.
    pub(super) fn open(
        mut input: R,
        limits: SheetLimits,
        known: &dyn Fn(&[String]) -> usize,
    ) -> Result<(Self, Vec<String>), SheetError> {
        if input.seek(SeekFrom::End(0))? > limits.bytes {
            return Err(SheetError::TooLarge { what: "bytes in the file", limit: limits.bytes, row: 0 });
        }
        let encoding = Encoding::examine(&mut input)?;
        let mut best: Option<(usize, u8, Vec<String>)> = None;
        let mut problem = None;
        for separator in *b",;\t" {
            match first_row(&mut input, encoding, separator, limits) {
                Ok(None) => return Err(SheetError::Empty),
                Ok(Some(cells)) => {
                    let known = known(&cells);
                    if best.as_ref().is_none_or(|(most, ..)| known > *most) {
                        best = Some((known, separator, cells));
                    }
                }
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        match (best, problem) {
            (Some((0, ..)) | None, Some(problem)) => Err(problem),
            (Some((_, separator, cells)), _) => {
                Ok((Self { input, encoding, separator, has_mixed_line_ends: false }, cells))
            }
            (None, None) => Err(SheetError::Empty),
        }
    }

    /// Reads the rows behind the first.
    pub(super) fn each<E: From<SheetError>>(
        &mut self,
        limits: SheetLimits,
        mut visit: impl FnMut(u64, &[TextCell]) -> Result<(), E>,
    ) -> Result<(), E> {
        let decoder = Decoder::new(&mut self.input, self.encoding).map_err(SheetError::from)?;
        let mut records = Records::new(BufReader::with_capacity(64 << 10, decoder), self.separator, limits);
        let mut cells = Vec::new();
        records.next(&mut cells)?;
        let mut texts = Vec::new();
        while records.next(&mut cells)? {
            texts.clear();
            texts.extend(cells.drain(..).enumerate().filter(|(_, cell)| !cell.is_empty()));
            visit(records.row(), &texts)?;
        }
        self.has_mixed_line_ends = records.has_mixed_line_ends();
        Ok(())
    }
}

fn first_row<R: Read + Seek>(
    input: &mut R,
    encoding: Encoding,
    separator: u8,
    limits: SheetLimits,
) -> Result<Option<Vec<String>>, SheetError> {
    let mut records = Records::new(BufReader::new(Decoder::new(input, encoding)?), separator, limits);
    let mut cells = Vec::new();
    Ok(records.next(&mut cells)?.then_some(cells))
}

/// The sheets of a workbook that hold one table.
#[derive(Debug)]
pub(super) struct Book<R> {
    workbook: Workbook<R>,
    /// The sheet where it begins, and those where it goes on.
    sheets: Vec<usize>,
    /// What the other sheets are called.
    pub(super) ignored: Vec<String>,
    /// Cells whose value a formula gave, such as ``B7 `SUM(A1)` ``, as far as they are listed.
    pub(super) formulas: Vec<String>,
    /// How many there are.
    pub(super) formula_count: u64,
}

impl<R: Read + Seek> Book<R> {
    /// Finds the first sheet whose first row is the header of a table of goals, and those with the same one, in which a
    /// table goes on that is longer than a sheet.
    pub(super) fn open(
        input: R,
        limits: SheetLimits,
        words: &HeaderWords,
        spool: Spool<'_>,
    ) -> Result<(Self, Vec<String>), SheetError> {
        let mut workbook = Workbook::open(input, limits, spool)?;
        let mut first_rows = Vec::new();
        for sheet in 0..workbook.sheets().len() {
            let mut header = Vec::new();
            workbook.each_row(sheet, |_, cells| {
                header = dense(cells);
                Ok::<_, SheetError>(false)
            })?;
            first_rows.push(header);
        }
        first_rows.iter().try_for_each(|cells| template::refuse(cells))?;
        let is_table = |cells: &&Vec<String>| Header::read(cells, words).is_ok();
        let filled = || first_rows.iter().find(|cells| !cells.is_empty());
        // Of a workbook without any table the first sheet says what is wrong.
        let Some(header) = first_rows.iter().find(is_table).or_else(filled).cloned() else {
            return Err(SheetError::Empty);
        };
        let is_read = |sheet: &usize| first_rows[*sheet] == header;
        let (sheets, others): (Vec<usize>, Vec<usize>) = (0..first_rows.len()).partition(is_read);
        let ignored = others.into_iter().filter(|sheet| !first_rows[*sheet].is_empty());
        let ignored = ignored.map(|sheet| shown(&workbook.sheets()[sheet].name)).collect();
        Ok((Self { workbook, sheets, ignored, formulas: Vec::new(), formula_count: 0 }, header))
    }

    /// Reads the rows behind the header, sheet after sheet.
    pub(super) fn each<E: From<SheetError>>(
        &mut self,
        header: &Header,
        mut visit: impl FnMut(u64, &[TextCell]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { workbook, sheets, formulas, formula_count, .. } = self;
        (*formulas, *formula_count) = (Vec::new(), 0);
        let is_1904 = workbook.is_1904;
        let mut texts = Vec::new();
        for (further, sheet) in sheets.iter().enumerate() {
            let mut is_header = true;
            workbook.each_row(*sheet, |row, cells| {
                if std::mem::take(&mut is_header) {
                    return Ok(true);
                }
                texts.clear();
                for cell in cells {
                    let column = match header.place(cell.column) {
                        Some(Place::Column(column)) => Some(*column),
                        _ => None,
                    };
                    let (text, is_link) = text(cell, column, is_1904);
                    if let Some(formula) = cell.formula.as_ref().filter(|_| !is_link) {
                        *formula_count += 1;
                        if formulas.len() < LISTED {
                            formulas.push(format!("{}{row} `{}`", letters(cell.column), shown(formula)));
                        }
                    }
                    if !text.is_empty() {
                        texts.push((cell.column, text));
                    }
                }
                visit((further as u64) << 32 | row, &texts)?;
                Ok::<_, E>(true)
            })?;
        }
        Ok(())
    }
}

/// A cell as the CSV of the same table has it, and whether it is the one formula that exports had.
pub(super) fn text(cell: &Cell, column: Option<Column>, is_1904: bool) -> (String, bool) {
    if let (Some(Column::Id), Some(formula)) = (column, &cell.formula)
        && cells::linked_id(formula).is_some()
    {
        return (formula.clone(), true);
    }
    let is_moment =
        matches!(column, Some(Column::StartDate | Column::EndDate | Column::CreatedAt | Column::LastCheckIn));
    let text = match &cell.value {
        Value::Text(text) => text.clone(),
        Value::Number(number) if is_moment => moment(*number, is_1904).unwrap_or_else(|| number.to_string()),
        Value::Percent(number) if column != Some(Column::Score) => {
            // A hundred times 0.07 is a little more than 7.
            let percent = (number * 1e11).round() / 1e9;
            format!("{}%", if percent.is_finite() { percent } else { number * 100.0 })
        }
        Value::Number(number) | Value::Percent(number) => number.to_string(),
    };
    (text, false)
}

/// All cells of a row up to its last, as texts.
fn dense(cells: &[Cell]) -> Vec<String> {
    let mut texts = vec![String::new(); cells.last().map_or(0, |last| last.column + 1)];
    for cell in cells {
        texts[cell.column] = text(cell, None, false).0;
    }
    while texts.last().is_some_and(String::is_empty) {
        texts.pop();
    }
    texts
}

/// `A`, …, `Z`, `AA`, …: the name of a column.
fn letters(column: usize) -> String {
    let last = char::from(b'A' + (column % 26) as u8);
    if column < 26 { last.to_string() } else { format!("{}{last}", letters(column / 26 - 1)) }
}
