//! The rows of a sheet, cell by cell.

use std::io::Read;

use super::super::error::SheetError;
use super::super::explorer::SheetLimits;
use super::strings::{RichText, Strings, add, unescaped};
use super::styles::{Shown, Styles, iso, moment};
use super::xml::{Piece, Tag, Xml};

/// Rows that a sheet has.
const ROWS: u64 = 1_048_576;
/// Columns that a sheet has.
const COLUMNS: usize = 16_384;

/// A cell that has something.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Cell {
    /// Its column, from 0.
    pub(in super::super) column: usize,
    /// What stands in it.
    pub(in super::super) value: Value,
    /// The formula that the value was computed by.
    pub(in super::super) formula: Option<String>,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Value {
    /// A text, or a day or time in the form that tables have.
    Text(String),
    /// A number.
    Number(f64),
    /// A number that is shown in percent.
    Percent(f64),
}

impl Cell {
    pub(super) fn size_bytes(&self) -> u64 {
        let text = if let Value::Text(text) = &self.value { text.len() } else { 8 };
        (text + self.formula.as_ref().map_or(0, String::len)) as u64
    }
}

/// A sheet that is read.
pub(super) struct Rows<'a, R> {
    pub(super) xml: Xml<R>,
    pub(super) strings: &'a mut Strings,
    pub(super) styles: &'a Styles,
    pub(super) is_1904: bool,
    pub(super) limits: SheetLimits,
    /// The number of the last row, from 1; 0 before the first.
    pub(super) row: u64,
}

impl<R: Read> Rows<'_, R> {
    /// Read the next row; `false` at the end of the sheet.
    pub(super) fn next(&mut self, cells: &mut Vec<Cell>) -> Result<bool, SheetError> {
        cells.clear();
        while let Some(tag) = self.xml.next_start()? {
            if tag.name != "row" {
                continue;
            }
            let number = match tag.get("r") {
                Some(number) => number.parse().ok(),
                None => Some(self.row + 1),
            };
            match number.filter(|number| *number > self.row) {
                Some(number) if number > ROWS => {
                    return Err(SheetError::TooLarge { what: "rows of a sheet", limit: ROWS, row: 0 });
                }
                Some(number) => self.row = number,
                None => return Err(self.xml.damaged("has rows that are not in order")),
            }
            self.read_row(cells)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn read_row(&mut self, cells: &mut Vec<Cell>) -> Result<(), SheetError> {
        let (mut next, mut bytes) = (0, 0);
        while let Some(piece) = self.xml.next()? {
            match piece {
                Piece::Start(tag) if tag.name == "c" => {
                    let column = match tag.get("r") {
                        Some(place) => column(place, self.row),
                        None => Some(next),
                    };
                    let Some(column) = column.filter(|column| *column >= next) else {
                        return Err(self
                            .xml
                            .damaged(&format!("has cells in row {} that are not in order", self.row)));
                    };
                    if column >= COLUMNS.min(self.limits.columns) {
                        let limit = COLUMNS.min(self.limits.columns) as u64;
                        return Err(SheetError::TooLarge { what: "columns", limit, row: self.row });
                    }
                    next = column + 1;
                    let Some(cell) = self.read_cell(column, &tag)? else { continue };
                    bytes += cell.size_bytes();
                    if bytes > self.limits.row_bytes as u64 {
                        let limit = self.limits.row_bytes as u64;
                        return Err(SheetError::TooLarge { what: "bytes in one row", limit, row: self.row });
                    }
                    cells.push(cell);
                }
                Piece::End(name) if name == "row" => return Ok(()),
                _ => {}
            }
        }
        Err(self.xml.damaged("ends in the middle of a row"))
    }

    /// Read what is in a cell; none for an empty one.
    fn read_cell(&mut self, column: usize, tag: &Tag) -> Result<Option<Cell>, SheetError> {
        let limit = self.limits.cell_bytes;
        let (mut value, mut formula, mut rich) = (String::new(), None, RichText::default());
        // The element whose text comes.
        let mut inside = None;
        loop {
            let Some(piece) = self.xml.next()? else {
                return Err(self.xml.damaged("ends in the middle of a cell"));
            };
            match piece {
                Piece::End(name) if name == "c" => break,
                Piece::Start(tag) if matches!(tag.name.as_str(), "f" | "v" | "is") && inside.is_none() => {
                    if tag.name == "f" {
                        formula = Some(String::new());
                    }
                    inside = Some(tag.name);
                }
                Piece::End(name) if Some(&name) == inside.as_ref() => inside = None,
                piece => match (inside.as_deref(), piece) {
                    (Some("is"), piece) => rich.add(piece, limit, self.row)?,
                    (Some("v"), Piece::Text(text)) => add(&mut value, &text, limit, self.row)?,
                    (Some("f"), Piece::Text(text)) => {
                        add(formula.get_or_insert_default(), &text, limit, self.row)?;
                    }
                    _ => {}
                },
            }
        }
        let value = self.value(tag, value, rich.take())?;
        if matches!(&value, Value::Text(text) if text.contains('\0')) {
            return Err(SheetError::Nul { line: self.row });
        }
        let is_empty = matches!(&value, Value::Text(text) if text.is_empty()) && formula.is_none();
        Ok((!is_empty).then_some(Cell { column, value, formula }))
    }

    /// What a cell's type makes of its text.
    fn value(&mut self, tag: &Tag, value: String, inline: String) -> Result<Value, SheetError> {
        Ok(Value::Text(match tag.get("t") {
            Some("s") if value.trim().is_empty() => String::new(),
            Some("s") => {
                let number = value.trim().parse().ok();
                let text = number.map(|number| self.strings.get(number)).transpose()?.flatten();
                text.ok_or_else(|| {
                    self.xml.damaged(&format!("has a text in row {} that is nowhere", self.row))
                })?
            }
            Some("inlineStr") => inline,
            Some("str") => unescaped(value),
            Some("b") => match value.trim() {
                "1" | "true" => "TRUE".to_owned(),
                "0" | "false" => "FALSE".to_owned(),
                _ => value,
            },
            Some("d") => iso(&value),
            Some("e") => value,
            Some("n") | None => {
                let number = value.trim().parse().ok().filter(|number: &f64| number.is_finite());
                match (number, self.styles.of(tag.get("s"))) {
                    (Some(number), Shown::Number) => return Ok(Value::Number(number)),
                    (Some(number), Shown::Percent) => return Ok(Value::Percent(number)),
                    (Some(number), Shown::Moment) => match moment(number, self.is_1904) {
                        Some(text) => text,
                        None => return Ok(Value::Number(number)),
                    },
                    (None, _) => value,
                }
            }
            Some(_) => return Err(self.xml.damaged("has a cell of a type that is not known")),
        }))
    }
}

/// The column of a place such as `AB7`, from 0; none for another row, or what is no place.
fn column(place: &str, row: u64) -> Option<usize> {
    let digits = place.find(|character: char| !character.is_ascii_alphabetic())?;
    let (letters, digits) = place.split_at(digits);
    if digits.parse() != Ok(row) || letters.is_empty() {
        return None;
    }
    let column = letters
        .bytes()
        .take(8)
        .fold(0, |column, letter| column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
    Some(column - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_by_letters() {
        for (place, found) in [
            ("A7", Some(0)),
            ("Z7", Some(25)),
            ("aa7", Some(26)),
            ("XFD7", Some(16_383)),
            ("A8", None),
            ("7", None),
            ("A", None),
            ("A-7", None),
            ("", None),
        ] {
            assert_eq!(column(place, 7), found, "{place}");
        }
        assert!(column("ABCDEFGHIJKLMNOPQRSTUVWXYZ7", 7).is_some_and(|column| column > COLUMNS));
    }
}
