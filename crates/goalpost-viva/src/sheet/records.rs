//! From text to rows of cells: RFC 4180, and what spreadsheets make of it.

use std::io::BufRead;

use super::error::SheetError;
use super::explorer::SheetLimits;

/// Reads rows. Cells may be in quotation marks, and line breaks and separators may stand in such a cell; a row
/// ends with CR LF, LF or CR; empty lines are no rows.
#[derive(Debug)]
pub(super) struct Records<R> {
    input: R,
    separator: u8,
    limits: SheetLimits,
    row: u64,
    /// Which line ends were met: CR LF, LF, CR.
    ends: [bool; 3],
}

impl<R: BufRead> Records<R> {
    /// The text must be UTF-8.
    pub(super) fn new(input: R, separator: u8, limits: SheetLimits) -> Self {
        Self { input, separator, limits, row: 0, ends: [false; 3] }
    }

    /// The number of the last row that was read, from 1; empty lines count, as in a spreadsheet.
    pub(super) fn row(&self) -> u64 {
        self.row
    }

    /// Whether rows ended in different ways.
    pub(super) fn has_mixed_line_ends(&self) -> bool {
        self.ends.iter().filter(|met| **met).count() > 1
    }

    /// Read the next row; `false` at the end of the file.
    pub(super) fn next(&mut self, cells: &mut Vec<String>) -> Result<bool, SheetError> {
        loop {
            cells.clear();
            let mut reading = Reading { cells, cell: Vec::new(), bytes: 0, state: State::Start, met: false };
            self.row += 1;
            let more = self.read(&mut reading)?;
            let is_blank = !reading.met && cells.iter().all(String::is_empty);
            if !more || !is_blank {
                return Ok(more || !is_blank);
            }
        }
    }

    /// Read up to the end of a row; `false` where the file ended.
    fn read(&mut self, reading: &mut Reading<'_>) -> Result<bool, SheetError> {
        loop {
            let (used, end) = {
                let bytes = match self.input.fill_buf() {
                    Ok(bytes) => bytes,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error.into()),
                };
                if bytes.is_empty() {
                    if reading.state == State::Quoted {
                        return Err(SheetError::Unclosed { row: self.row });
                    }
                    reading.end_cell(self.row, self.limits)?;
                    return Ok(false);
                }
                let end = bytes.iter().position(|byte| reading.take(*byte, self.separator));
                (end.map_or(bytes.len(), |at| at + 1), end.map(|at| bytes[at]))
            };
            let last = end.is_some();
            reading.check(self.row, self.limits)?;
            self.input.consume(used);
            if !last {
                continue;
            }
            reading.end_cell(self.row, self.limits)?;
            match end {
                Some(b'\r') => {
                    let is_pair = self.input.fill_buf()?.first() == Some(&b'\n');
                    if is_pair {
                        self.input.consume(1);
                    }
                    self.ends[if is_pair { 0 } else { 2 }] = true;
                    return Ok(true);
                }
                Some(b'\n') => {
                    self.ends[1] = true;
                    return Ok(true);
                }
                // The separator: the row goes on.
                _ => {}
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first character of a cell.
    Start,
    Plain,
    Quoted,
    /// Behind a quotation mark in a quoted cell: its end, or the first half of a mark.
    Closing,
}

struct Reading<'a> {
    cells: &'a mut Vec<String>,
    cell: Vec<u8>,
    /// Bytes of the cells before this one.
    bytes: usize,
    state: State,
    /// Whether the row has anything, be it an empty cell in quotation marks.
    met: bool,
}

impl Reading<'_> {
    /// Take a byte; whether the cell ends with it.
    fn take(&mut self, byte: u8, separator: u8) -> bool {
        match (self.state, byte) {
            (State::Quoted, b'"') => self.state = State::Closing,
            (State::Quoted, _) => self.cell.push(byte),
            (State::Start, b'"') => (self.state, self.met) = (State::Quoted, true),
            (State::Closing, b'"') => {
                self.cell.push(byte);
                self.state = State::Quoted;
            }
            (_, b'\r' | b'\n') => return true,
            (_, byte) if byte == separator => {
                self.met = true;
                return true;
            }
            // A mark in the middle of a cell stands for itself.
            (_, byte) => {
                self.cell.push(byte);
                self.state = State::Plain;
            }
        }
        false
    }

    fn check(&self, row: u64, limits: SheetLimits) -> Result<(), SheetError> {
        let at_most = |what, found: usize, limit: usize| {
            let limit_u64 = limit as u64;
            if found > limit { Err(SheetError::TooLarge { what, limit: limit_u64, row }) } else { Ok(()) }
        };
        at_most("bytes in one cell", self.cell.len(), limits.cell_bytes)?;
        at_most("bytes in one row", self.bytes + self.cell.len(), limits.row_bytes)?;
        at_most("columns", self.cells.len(), limits.columns)
    }

    fn end_cell(&mut self, row: u64, limits: SheetLimits) -> Result<(), SheetError> {
        // Cells end at ASCII characters, so each is UTF-8 unless the file changes while it is read.
        let cell = String::from_utf8_lossy(&std::mem::take(&mut self.cell)).into_owned();
        self.bytes += cell.len();
        self.cells.push(cell);
        self.state = State::Start;
        self.check(row, limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, separator: u8) -> Result<(Vec<Vec<String>>, bool), SheetError> {
        // A small buffer, so that every place falls on a border of it.
        let input = std::io::BufReader::with_capacity(1, text.as_bytes());
        let mut records = Records::new(input, separator, SheetLimits::OPERATOR);
        let (mut rows, mut cells) = (Vec::new(), Vec::new());
        while records.next(&mut cells)? {
            rows.push(cells.clone());
        }
        Ok((rows, records.has_mixed_line_ends()))
    }

    #[test]
    fn cells_hold_separators_marks_and_line_breaks() {
        let (rows, mixed) =
            read("a,\"b,\"\"c\"\"\r\nd\",\"\"\r\n\r\n\"\"\r\ne,f\"g\",h", b',').expect("a text");
        assert_eq!(rows, [vec!["a", "b,\"c\"\r\nd", ""], vec![""], vec!["e", "f\"g\"", "h"]]);
        assert!(!mixed);
    }

    #[test]
    fn rows_end_in_three_ways() {
        for (text, is_mixed) in [("a;b\nc;d\n", false), ("a;b\r\nc;d", false), ("a;b\rc;d\r\n", true)] {
            let (rows, mixed) = read(text, b';').expect("a text");
            assert_eq!(
                (rows, mixed),
                (vec![vec!["a".to_owned(), "b".into()], vec!["c".into(), "d".into()]], is_mixed)
            );
        }
    }

    #[test]
    fn what_never_ends_is_refused() {
        assert!(matches!(read("a\r\n\"b\r\n,", b','), Err(SheetError::Unclosed { row: 2 })));
        let wide = ",".repeat(100_001);
        assert!(matches!(read(&wide, b','), Err(SheetError::TooLarge { what: "columns", row: 1, .. })));
        let long = "x".repeat((1 << 20) + 1);
        assert!(matches!(read(&long, b','), Err(SheetError::TooLarge { what: "bytes in one cell", .. })));
        let long = format!("{},", "x".repeat(1 << 20)).repeat(17);
        assert!(matches!(read(&long, b','), Err(SheetError::TooLarge { what: "bytes in one row", .. })));
    }
}
