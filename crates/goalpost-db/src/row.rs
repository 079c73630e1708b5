use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::types::ValueRef;
use tokio_postgres::types::{FromSql, Type};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::{PgRow, PgRows, text};

/// One row of a result, read by column number (0 is the first). Texts and bytes are borrowed, not copied.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a>(Source<'a>);

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a PgRow),
}

/// What a column holds, whatever the engine calls its type.
enum Cell<'a> {
    Null,
    Int(i64),
    Real(f64),
    Bool(bool),
    Text(&'a [u8]),
    Blob(&'a [u8]),
    Other,
}

impl<'a> Row<'a> {
    pub(crate) fn sqlite(row: &'a rusqlite::Row<'a>) -> Self {
        Self(Source::Sqlite(row))
    }

    pub(crate) fn postgres(row: &'a PgRow) -> Self {
        Self(Source::Postgres(row))
    }

    fn get(&self, column: usize) -> Result<Cell<'a>> {
        match self.0 {
            Source::Sqlite(row) => Ok(match row.get_ref(column)? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(v) => Cell::Int(v),
                ValueRef::Real(v) => Cell::Real(v),
                ValueRef::Text(v) => Cell::Text(v),
                ValueRef::Blob(v) => Cell::Blob(v),
            }),
            Source::Postgres(PgRow { row, .. }) => match row.try_get::<_, Raw<'a>>(column) {
                Ok(Raw(cell)) => Ok(cell),
                Err(error) => Err(Error::new(ErrorKind::Unexpected, crate::postgres::chain(&error))),
            },
        }
    }

    fn unexpected<T>(&self, column: usize, wanted: &str) -> Result<T> {
        let name = match self.0 {
            Source::Sqlite(row) => row.as_ref().column_name(column).unwrap_or("?").to_owned(),
            Source::Postgres(PgRow { row, .. }) => {
                row.columns().get(column).map_or("?", |known| known.name()).to_owned()
            }
        };
        Err(Error::new(ErrorKind::Unexpected, format!("column `{name}` does not hold {wanted}")))
    }

    /// Whether the column is `null`.
    pub fn is_null(&self, column: usize) -> Result<bool> {
        Ok(matches!(self.get(column)?, Cell::Null))
    }

    /// A whole number.
    pub fn int(&self, column: usize) -> Result<i64> {
        match self.get(column)? {
            Cell::Int(v) => Ok(v),
            _ => self.unexpected(column, "an integer"),
        }
    }

    /// A whole number or `null`.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>> {
        match self.get(column)? {
            Cell::Null => Ok(None),
            Cell::Int(v) => Ok(Some(v)),
            _ => self.unexpected(column, "an integer"),
        }
    }

    /// A floating-point number or `null`.
    pub fn opt_real(&self, column: usize) -> Result<Option<f64>> {
        match self.get(column)? {
            Cell::Null => Ok(None),
            Cell::Real(v) => Ok(Some(v)),
            Cell::Int(v) => Ok(Some(v as f64)),
            _ => self.unexpected(column, "a number"),
        }
    }

    /// A truth value.
    pub fn bool(&self, column: usize) -> Result<bool> {
        match self.get(column)? {
            Cell::Bool(v) => Ok(v),
            Cell::Int(v) => Ok(v != 0),
            _ => self.unexpected(column, "a truth value"),
        }
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
            Cell::Null => Ok(None),
            Cell::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(match self.0 {
                    Source::Postgres(row) if text::is_encoded(bytes) => row.decoded(column, text),
                    _ => text,
                })),
                Err(_) => self.unexpected(column, "UTF-8"),
            },
            _ => self.unexpected(column, "a text"),
        }
    }

    /// Bytes.
    pub fn blob(&self, column: usize) -> Result<&'a [u8]> {
        match self.get(column)? {
            Cell::Blob(bytes) => Ok(bytes),
            _ => self.unexpected(column, "bytes"),
        }
    }

    /// Bytes, or `null`.
    pub fn opt_blob(&self, column: usize) -> Result<Option<&'a [u8]>> {
        if self.is_null(column)? { Ok(None) } else { self.blob(column).map(Some) }
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

/// A value of PostgreSQL's, in its binary form.
struct Raw<'a>(Cell<'a>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(
        ty: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(match *ty {
            Type::INT8 => Cell::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Cell::Int(i64::from(i32::from_sql(ty, raw)?)),
            Type::INT2 => Cell::Int(i64::from(i16::from_sql(ty, raw)?)),
            Type::FLOAT8 => Cell::Real(f64::from_sql(ty, raw)?),
            Type::BOOL => Cell::Bool(bool::from_sql(ty, raw)?),
            Type::TEXT | Type::VARCHAR | Type::NAME => Cell::Text(raw),
            Type::BYTEA => Cell::Blob(raw),
            _ => Cell::Other,
        }))
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Cell::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A result that is read row by row.
#[expect(missing_debug_implementations, reason = "the engines' own row iterators have none")]
pub struct Cursor<'a>(Rows<'a>);

enum Rows<'a> {
    Sqlite(rusqlite::Rows<'a>),
    Postgres(PgRows<'a>),
}

impl<'a> Cursor<'a> {
    pub(crate) fn sqlite(rows: rusqlite::Rows<'a>) -> Self {
        Self(Rows::Sqlite(rows))
    }

    pub(crate) fn postgres(rows: PgRows<'a>) -> Self {
        Self(Rows::Postgres(rows))
    }

    /// Go to the next row; `false` at the end.
    pub fn advance(&mut self) -> Result<bool> {
        match &mut self.0 {
            Rows::Sqlite(rows) => {
                FallibleStreamingIterator::advance(rows)?;
                Ok(rows.get().is_some())
            }
            Rows::Postgres(rows) => rows.advance(),
        }
    }

    /// The row that [`Cursor::advance`] went to; `None` before the first and after the last.
    pub fn row(&self) -> Option<Row<'_>> {
        match &self.0 {
            Rows::Sqlite(rows) => rows.get().map(Row::sqlite),
            Rows::Postgres(rows) => rows.row().map(Row::postgres),
        }
    }
}
