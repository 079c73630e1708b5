use crate::{Cell, Head, Sink, Unfit, write_date_time, write_int, write_local_date_time, write_number};

/// How a text file of a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Between cells.
    pub separator: u8,
    /// Between a number's whole part and its decimals.
    pub decimal: u8,
    /// Whether the file begins with a byte order mark, by which a spreadsheet knows UTF-8.
    pub mark: bool,
    /// What becomes of a text that a spreadsheet would take for a formula.
    pub formulas: Formulas,
}

/// What becomes of a text that a spreadsheet would take for a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formulas {
    /// It stands as it was written.
    Raw,
    /// It gets an apostrophe before it, and so does a text that begins with one: taking one away brings every text back.
    /// All texts stand in quotation marks, so that no separator of another country begins a new cell.
    AsText,
    /// The file is not made.
    Refuse,
}

impl Dialect {
    /// RFC 4180, as programs read it.
    pub const MACHINE: Self = Self { separator: b',', decimal: b'.', mark: false, formulas: Formulas::Raw };
    /// What a spreadsheet opens by a double click.
    pub const SPREADSHEET: Self =
        Self { separator: b',', decimal: b'.', mark: true, formulas: Formulas::AsText };
}

/// A CSV file in a dialect: UTF-8, records ended by CR LF.
#[derive(Debug)]
pub struct DialectCsv {
    dialect: Dialect,
    buffer: Vec<u8>,
    in_record: bool,
}

impl DialectCsv {
    /// An empty file.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, buffer: Vec::new(), in_record: false }
    }

    fn text(&mut self, text: &str) -> Result<(), Unfit> {
        let guarded = match self.dialect.formulas {
            Formulas::AsText => is_formula(text) || text.starts_with('\''),
            Formulas::Refuse if is_formula(text) => {
                let shown: String = text.chars().take(40).collect();
                return Err(Unfit(format!("a spreadsheet would take the text {shown:?} for a formula")));
            }
            Formulas::Raw | Formulas::Refuse => false,
        };
        let always = self.dialect.formulas == Formulas::AsText;
        let separator = self.dialect.separator;
        let special = |byte: u8| matches!(byte, b'"' | b'\r' | b'\n') || byte == separator;
        if !always && !text.bytes().any(special) {
            self.buffer.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        self.buffer.push(b'"');
        if guarded {
            self.buffer.push(b'\'');
        }
        for (position, part) in text.split('"').enumerate() {
            if position > 0 {
                self.buffer.extend_from_slice(b"\"\"");
            }
            self.buffer.extend_from_slice(part.as_bytes());
        }
        self.buffer.push(b'"');
        Ok(())
    }
}

impl Sink for DialectCsv {
    fn begin(&mut self, columns: &[Head]) -> Result<(), Unfit> {
        if self.dialect.mark {
            self.buffer.extend_from_slice("\u{feff}".as_bytes());
        }
        for column in columns {
            self.cell(if column.name.is_empty() { Cell::Empty } else { Cell::Text(&column.name) })?;
        }
        self.end_row()
    }

    fn cell(&mut self, cell: Cell<'_>) -> Result<(), Unfit> {
        if std::mem::replace(&mut self.in_record, true) {
            self.buffer.push(self.dialect.separator);
        }
        match cell {
            Cell::Empty => {}
            Cell::Int(number) => write_int(&mut self.buffer, number),
            Cell::Number(number) => {
                let start = self.buffer.len();
                write_number(&mut self.buffer, number);
                if let Some(point) = self.buffer[start..].iter().position(|byte| *byte == b'.') {
                    self.buffer[start + point] = self.dialect.decimal;
                }
            }
            Cell::Text(text) => self.text(text)?,
            Cell::Day(day) => self.buffer.extend_from_slice(day.as_bytes()),
            Cell::Moment(at) => write_date_time(&mut self.buffer, at),
            Cell::Local(at, ahead) => write_local_date_time(&mut self.buffer, at, Some(ahead)),
            Cell::Flag(flag) => self.buffer.extend_from_slice(if flag { b"true" } else { b"false" }),
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Unfit> {
        self.buffer.extend_from_slice(b"\r\n");
        self.in_record = false;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Unfit> {
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.buffer.len()
    }

    fn take(&mut self, next: Vec<u8>) -> Vec<u8> {
        std::mem::replace(&mut self.buffer, next)
    }
}

/// Whether a spreadsheet may take a text for a formula: it begins, behind blanks and marks that are not seen, with one
/// of the signs that begin one, in either width (OWASP, "CSV Injection"; ASVS 1.2.10).
fn is_formula(text: &str) -> bool {
    const SIGNS: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];
    const UNSEEN: [char; 4] = ['\u{feff}', '\u{200b}', '\u{2060}', '\u{a0}'];
    if text.starts_with(['\t', '\r', '\n', '\0']) {
        return true;
    }
    text.trim_start_matches(|c: char| c.is_whitespace() || UNSEEN.contains(&c)).starts_with(SIGNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_known_behind_what_is_not_seen() {
        for formula in ["=1", " =1", "\u{feff}=1", "\t1", "－1", "@SUM(A1)", "+1", "-1", "\u{200b} \u{a0}＝1"]
        {
            assert!(is_formula(formula), "{formula:?}");
        }
        for text in ["", "1-1", "a=b", "'=1", "Plan +1"] {
            assert!(!is_formula(text), "{text:?}");
        }
    }
}
