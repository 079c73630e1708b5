//! A Parquet file, read row by row: of each column one page is in memory at a time.
//!
//! ```text
//! footer ──▶ columns, row groups ──page──▶ bytes ──values──▶ values ──text──▶ cells
//! ```
//! Read by hand, since libraries take a file at its word: they make room for what a page says that it unpacks to, and
//! panic where values do not fit together. Here each size is held against a limit before anything is allocated.
//!
//! Read in this order: `thrift`, `footer`, `page`, `values`, `text`.

mod footer;
mod page;
mod text;
mod thrift;
mod values;

use std::io::{Read, Seek};

use super::error::{CellError, SheetError};
use super::explorer::{SheetLimits, at_most};
use super::source::TextCell;
use crate::archive::HARMLESS_BYTES;
use crate::error::shown;
use footer::{Chunk, Column, Footer};
use page::{Holds, Page, Pages};
use values::{Dictionary, Runs, Values, damaged};

/// Pages and dictionaries of all columns that are held at once. Ours come to a quarter of it.
const HELD: usize = 96 << 20;

/// What is wrong with a file.
fn wrong(what: &str) -> SheetError {
    SheetError::Parquet { what: what.to_owned() }
}

/// A file that is open.
#[derive(Debug)]
pub(super) struct Parquet<R> {
    input: R,
    footer: Footer,
}

impl<R: Read + Seek> Parquet<R> {
    /// Reads the end of the file, and gives the names of its columns.
    pub(super) fn open(mut input: R, limits: SheetLimits) -> Result<(Self, Vec<String>), SheetError> {
        let footer = Footer::read(&mut input, limits)?;
        let names = footer.columns.iter().map(|column| column.name.clone()).collect();
        Ok((Self { input, footer }, names))
    }

    /// Reads all rows, the first of which is row 1, each with the values that no cell can hold.
    pub(super) fn each<E: From<SheetError>>(
        &mut self,
        limits: SheetLimits,
        mut visit: impl FnMut(u64, &[TextCell], Vec<CellError>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { input, footer } = self;
        // A text that many rows share costs each of them its bytes.
        let bound = footer.bytes.saturating_mul(limits.ratio).max(64 * HARMLESS_BYTES);
        let budget = bound.min(limits.unpacked_bytes);
        let (mut row, mut total) = (0, 0);
        let (mut cells, mut value) = (Vec::new(), Vec::new());
        for group in &footer.groups {
            let chunks = group.chunks.iter();
            let mut readers: Vec<Reader<'_>> = footer
                .columns
                .iter()
                .zip(chunks)
                .map(|(column, chunk)| Reader::new(column, *chunk))
                .collect();
            let mut held = 0;
            for _ in 0..group.rows {
                row += 1;
                cells.clear();
                let (mut errors, mut bytes) = (Vec::new(), 0);
                for (place, reader) in readers.iter_mut().enumerate() {
                    value.clear();
                    if !reader.next(input, &mut held, &mut value)? {
                        continue;
                    }
                    bytes += value.len();
                    at_most("bytes in one cell", value.len(), limits.cell_bytes, row)?;
                    at_most("bytes in one row", bytes, limits.row_bytes, row)?;
                    match text::text(reader.column.meaning, &value) {
                        Some(text) if text.contains('\0') => return Err(SheetError::Nul { line: row }.into()),
                        Some(text) if text.is_empty() => {}
                        Some(text) => cells.push((place, text)),
                        None => errors.push(CellError {
                            row,
                            column: shown(&reader.column.name),
                            value: shown(&String::from_utf8_lossy(&value)),
                            what: "is no text in UTF-8, and no number that can be read".to_owned(),
                        }),
                    }
                }
                total += bytes as u64;
                if total > budget {
                    let what = "bytes in the cells of the file";
                    return Err(SheetError::TooLarge { what, limit: budget, row }.into());
                }
                visit(row, &cells, errors)?;
            }
        }
        Ok(())
    }
}

/// A column of a row group, and how far it was read.
#[derive(Debug)]
struct Reader<'f> {
    column: &'f Column,
    pages: Pages,
    dictionary: Option<Dictionary>,
    page: Vec<u8>,
    /// Values that are left in the page.
    left: u64,
    /// Which of them are there; none where all are.
    levels: Option<Runs>,
    values: Values,
    held: usize,
}

impl<'f> Reader<'f> {
    fn new(column: &'f Column, chunk: Chunk) -> Self {
        let (pages, values) = (Pages::new(chunk), Values::Plain(0));
        Self { column, pages, dictionary: None, page: Vec::new(), left: 0, levels: None, values, held: 0 }
    }

    /// Put the next value into `out`; whether there is one. `held` is what the pages of all columns take.
    fn next<R: Read + Seek>(
        &mut self,
        input: &mut R,
        held: &mut usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, SheetError> {
        while self.left == 0 {
            // What was read to its end need not be held beside the next.
            self.page = Vec::new();
            let page = self.pages.next(input)?;
            self.begin(page)?;
            *held -= self.held;
            let dictionary = self.dictionary.as_ref().map_or(0, Dictionary::size_bytes);
            self.held = self.page.capacity() + dictionary + self.values.size_bytes();
            *held += self.held;
            if *held > HELD {
                let what = "bytes in the pages of all columns";
                return Err(SheetError::TooLarge { what, limit: HELD as u64, row: 0 });
            }
        }
        self.left -= 1;
        if let Some(levels) = &mut self.levels
            && levels.next(&self.page)? == 0
        {
            return Ok(false);
        }
        let none = Dictionary::default();
        let dictionary = self.dictionary.as_ref().unwrap_or(&none);
        self.values.next(self.column.stored, dictionary, &self.page, out)?;
        Ok(true)
    }

    fn begin(&mut self, page: Page) -> Result<(), SheetError> {
        let Page { holds, count, encoding, bytes } = page;
        let stored = self.column.stored;
        if holds == Holds::Dictionary {
            if self.dictionary.is_some() || !matches!(encoding, 0 | 2) {
                return Err(wrong("has a dictionary that cannot be read"));
            }
            self.dictionary = Some(Dictionary::read(stored, count, bytes)?);
            return Ok(());
        }
        if count == 0 {
            return Err(wrong("has a page without values"));
        }
        let (levels_at, values_at) = match holds {
            Holds::ValuesOf2(levels) => (0, levels),
            _ if self.column.is_optional => {
                let size = bytes.first_chunk::<4>().map(|size| u32::from_le_bytes(*size) as usize);
                (4, size.ok_or_else(damaged)?.saturating_add(4))
            }
            _ => (0, 0),
        };
        if values_at > bytes.len() {
            return Err(damaged());
        }
        let is_optional = self.column.is_optional;
        self.levels = is_optional.then(|| Runs::new(levels_at, values_at, 1)).transpose()?;
        // A page without a value that is there may have nothing behind its levels.
        self.values = if values_at == bytes.len() {
            Values::Plain(values_at)
        } else {
            Values::new(encoding, stored, &bytes, values_at)?
        };
        (self.page, self.left) = (bytes, count);
        Ok(())
    }
}
