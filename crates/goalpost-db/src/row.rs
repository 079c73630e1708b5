use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::types::ValueRef;

use crate::error::{Error, ErrorKind, Result};

/// One row of a result, read by column number (0 is the first). Texts and bytes are borrowed, not copied.
#[derive(Debug)]
pub struct Row<'a>(pub(crate) &'a rusqlite::Row<'a>);

impl<'a> Row<'a> {
    fn get(&self, column: usize) -> Result<ValueRef<'a>> {
        Ok(self.0.get_ref(column)?)
    }

    fn unexpected<T>(&self, column: usize, wanted: &str) -> Result<T> {
        let name = self.0.as_ref().column_name(column).unwrap_or("?").to_owned();
        Err(Error::new(ErrorKind::Unexpected, format!("column `{name}` does not hold {wanted}")))
    }

    /// Whether the column is `null`.
    pub fn is_null(&self, column: usize) -> Result<bool> {
        Ok(matches!(self.get(column)?, ValueRef::Null))
    }

    /// A whole number.
    pub fn int(&self, column: usize) -> Result<i64> {
        match self.get(column)? {
            ValueRef::Integer(v) => Ok(v),
            _ => self.unexpected(column, "an integer"),
        }
    }

    /// A whole number or `null`.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>> {
        match self.get(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(v) => Ok(Some(v)),
            _ => self.unexpected(column, "an integer"),
        }
    }

    /// A floating-point number or `null`.
    pub fn opt_real(&self, column: usize) -> Result<Option<f64>> {
        match self.get(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Real(v) => Ok(Some(v)),
            ValueRef::Integer(v) => Ok(Some(v as f64)),
            _ => self.unexpected(column, "a number"),
        }
    }

    /// A truth value.
    pub fn bool(&self, column: usize) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }

    /// A text.
    pub fn text(&self, column: usize) -> Result<&'a str> {
        match self.opt_text(column)? {
            Some(text) => Ok(text),
            None => self.unexpected(column, "a text"),
        }
    }

    /// A text or `null`.
    pub fn opt_text(&self, column: usize) -> Result<Option<&'a str>> {
        match self.get(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => self.unexpected(column, "UTF-8"),
            },
            _ => self.unexpected(column, "a text"),
        }
    }

    /// Bytes.
    pub fn blob(&self, column: usize) -> Result<&'a [u8]> {
        match self.get(column)? {
            ValueRef::Blob(bytes) => Ok(bytes),
            _ => self.unexpected(column, "bytes"),
        }
    }

    /// Exactly `N` bytes, such as the 16 of a GUID, or `null`.
    pub fn opt_bytes<const N: usize>(&self, column: usize) -> Result<Option<[u8; N]>> {
        if self.is_null(column)? { Ok(None) } else { self.bytes(column).map(Some) }
    }

    /// Exactly `N` bytes, such as the 16 of a GUID.
    pub fn bytes<const N: usize>(&self, column: usize) -> Result<[u8; N]> {
        match self.blob(column)?.try_into() {
            Ok(bytes) => Ok(bytes),
            Err(_) => self.unexpected(column, "as many bytes as asked for"),
        }
    }
}

/// A result that is read row by row while others are open on the same snapshot.
#[expect(missing_debug_implementations, reason = "the engine's own row iterator has none")]
pub struct Cursor<'a>(pub(crate) rusqlite::Rows<'a>);

impl Cursor<'_> {
    /// Go to the next row; `false` at the end.
    pub fn advance(&mut self) -> Result<bool> {
        FallibleStreamingIterator::advance(&mut self.0)?;
        Ok(self.0.get().is_some())
    }

    /// The row that [`Cursor::advance`] went to; `None` before the first and after the last.
    pub fn row(&self) -> Option<Row<'_>> {
        self.0.get().map(Row)
    }
}
