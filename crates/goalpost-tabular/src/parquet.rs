//! A Parquet file: cells are gathered by column until they come to a row group, which then goes out whole.

use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use ::parquet::errors::Result;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::types::{ColumnPath, Type};

use crate::pieces::Pieces;
use crate::{Cell, ColumnKind, Head, Sink, Unfit, days_of};

/// A row group ends with the row that reaches so many bytes of cells, whether those are many rows or few. It is all that
/// is held: first as cells, then run by run as what they are packed to.
const GROUP: usize = 8 * 1024 * 1024;
/// A run of a column ends with the cell that reaches so many bytes.
const RUN: usize = 256 * 1024;
/// Readers look for what they know in here ("application version …"); one that is always the same keeps the bytes the
/// same, whatever the library is called next.
const CREATED_BY: &str = "goalpost version 1";
/// How hard pages are packed.
const LEVEL: i32 = 3;

/// A Parquet file in the making. Columns are typed: integers of 64 bits, doubles, UTF-8, days, instants in microseconds of
/// UTC, yes or no; any cell may be null. Texts that repeat are written once for each row group, and pages are packed by
/// zstd.
#[derive(Debug, Default)]
pub struct Parquet {
    writer: Option<SerializedFileWriter<Pieces>>,
    bytes: Pieces,
    columns: Vec<Column>,
    /// The column of the next cell.
    at: usize,
    /// Rows, and bytes of their cells, in the row group.
    rows: usize,
    held: usize,
}

/// The cells of a column in the row group, in runs: what is packed of large ones need not be held any more.
#[derive(Debug)]
struct Column {
    kind: ColumnKind,
    runs: Vec<Run>,
}

/// Cells of a column: of each whether it is there, and those that are.
#[derive(Debug)]
struct Run {
    there: Vec<i16>,
    values: Values,
    held: usize,
}

#[derive(Debug)]
enum Values {
    Ints(Vec<i64>),
    Numbers(Vec<f64>),
    Texts {
        /// One behind the other, and where each ends.
        bytes: Vec<u8>,
        ends: Vec<usize>,
    },
    Days(Vec<i32>),
    Moments(Vec<i64>),
    Flags(Vec<bool>),
}

impl Column {
    fn new(kind: ColumnKind) -> Self {
        Self { kind, runs: Vec::new() }
    }

    /// Add a cell; how many bytes it takes.
    fn push(&mut self, cell: Cell<'_>) -> std::result::Result<usize, Unfit> {
        if let Some(run) = self.runs.last_mut().filter(|run| run.held < RUN) {
            return run.push(cell);
        }
        let mut run = Run::new(self.kind);
        let bytes = run.push(cell)?;
        self.runs.push(run);
        Ok(bytes)
    }

    /// Write the cells, and forget them.
    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<()> {
        self.runs.drain(..).try_for_each(|run| run.write(writer))
    }
}

impl Run {
    fn new(kind: ColumnKind) -> Self {
        let values = match kind {
            ColumnKind::Int => Values::Ints(Vec::new()),
            ColumnKind::Number => Values::Numbers(Vec::new()),
            ColumnKind::Text => Values::Texts { bytes: Vec::new(), ends: Vec::new() },
            ColumnKind::Day => Values::Days(Vec::new()),
            ColumnKind::Moment => Values::Moments(Vec::new()),
            ColumnKind::Flag => Values::Flags(Vec::new()),
        };
        Self { there: Vec::new(), values, held: 0 }
    }

    /// Add a cell; how many bytes it takes.
    fn push(&mut self, cell: Cell<'_>) -> std::result::Result<usize, Unfit> {
        self.there.push(i16::from(cell != Cell::Empty));
        let bytes = match (&mut self.values, cell) {
            (_, Cell::Empty) => 0,
            // An instant is the same by any clock.
            (Values::Ints(values), Cell::Int(value))
            | (Values::Moments(values), Cell::Moment(value) | Cell::Local(value, _)) => {
                values.push(value);
                size_of_val(&value)
            }
            (Values::Numbers(values), Cell::Number(value)) => {
                // A zero has no sign in any format: not every database keeps it.
                values.push(value + 0.0);
                size_of_val(&value)
            }
            (Values::Texts { bytes, ends }, Cell::Text(text)) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len());
                size_of::<usize>() + text.len()
            }
            (Values::Days(values), Cell::Day(day)) => {
                let days = days_of(day).and_then(|days| i32::try_from(days).ok());
                let value = days.ok_or_else(|| Unfit(format!("{day:?} is no day such as 2026-01-31")))?;
                values.push(value);
                size_of_val(&value)
            }
            (Values::Flags(values), Cell::Flag(value)) => {
                values.push(value);
                size_of_val(&value)
            }
            (_, cell) => return Err(Unfit(format!("a cell {cell:?} stands in a column of another type"))),
        };
        let held = bytes + size_of::<i16>();
        self.held += held;
        Ok(held)
    }

    fn write(self, writer: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let there = Some(&*self.there);
        let written = match self.values {
            Values::Ints(values) | Values::Moments(values) => {
                writer.typed::<Int64Type>().write_batch(&values, there, None)
            }
            Values::Numbers(values) => writer.typed::<DoubleType>().write_batch(&values, there, None),
            Values::Texts { bytes, ends } => {
                let all = ByteArray::from(bytes);
                let mut from = 0;
                let texts: Vec<ByteArray> = ends
                    .into_iter()
                    .map(|end| {
                        let start = std::mem::replace(&mut from, end);
                        all.slice(start, end - start)
                    })
                    .collect();
                writer.typed::<ByteArrayType>().write_batch(&texts, there, None)
            }
            Values::Days(values) => writer.typed::<Int32Type>().write_batch(&values, there, None),
            Values::Flags(values) => writer.typed::<BoolType>().write_batch(&values, there, None),
        };
        written.map(|_| ())
    }
}

impl Parquet {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Write the row group.
    fn flush(&mut self) -> Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let mut group = writer.next_row_group()?;
        for column in &mut self.columns {
            if let Some(mut writer) = group.next_column()? {
                column.write(&mut writer)?;
                writer.close()?;
            }
        }
        group.close()?;
        (self.rows, self.held) = (0, 0);
        Ok(())
    }
}

impl Sink for Parquet {
    fn begin(&mut self, columns: &[Head]) -> std::result::Result<(), Unfit> {
        self.columns = columns.iter().map(|head| Column::new(head.kind)).collect();
        let schema = schema(columns).map_err(unfit)?;
        let properties = Arc::new(properties(columns));
        let writer = SerializedFileWriter::new(self.bytes.clone(), Arc::new(schema), properties);
        self.writer = Some(writer.map_err(unfit)?);
        Ok(())
    }

    fn cell(&mut self, cell: Cell<'_>) -> std::result::Result<(), Unfit> {
        let column = self.columns.get_mut(self.at);
        let column = column.ok_or_else(|| Unfit("a row has more cells than columns".into()))?;
        self.held += column.push(cell)?;
        self.at += 1;
        Ok(())
    }

    fn end_row(&mut self) -> std::result::Result<(), Unfit> {
        while self.at < self.columns.len() {
            self.cell(Cell::Empty)?;
        }
        self.at = 0;
        self.rows += 1;
        if self.held >= GROUP { self.flush().map_err(unfit) } else { Ok(()) }
    }

    fn end(&mut self) -> std::result::Result<(), Unfit> {
        if self.rows > 0 {
            self.flush().map_err(unfit)?;
        }
        match &mut self.writer {
            Some(writer) => writer.finish().map(|_| ()).map_err(unfit),
            None => Ok(()),
        }
    }

    fn waiting(&self) -> usize {
        self.bytes.waiting()
    }

    fn take(&mut self, next: Vec<u8>) -> Vec<u8> {
        self.bytes.take(next)
    }
}

fn unfit(error: impl std::fmt::Display) -> Unfit {
    Unfit(format!("the Parquet file cannot be written: {error}"))
}

/// The columns, as the format names their types.
fn schema(columns: &[Head]) -> Result<Type> {
    let column = |head: &Head| {
        let (physical, logical) = match head.kind {
            ColumnKind::Int => (Physical::INT64, None),
            ColumnKind::Number => (Physical::DOUBLE, None),
            ColumnKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            ColumnKind::Day => (Physical::INT32, Some(LogicalType::Date)),
            ColumnKind::Moment => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
            ColumnKind::Flag => (Physical::BOOLEAN, None),
        };
        let field = Type::primitive_type_builder(&head.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        field.build().map(Arc::new)
    };
    let fields = columns.iter().map(column).collect::<Result<_>>()?;
    Type::group_type_builder("schema").with_fields(fields).build()
}

fn properties(columns: &[Head]) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL).unwrap_or_default()))
        // The footer is held until the end: it tells the extremes of each column of a row group, not of each page.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        // A page is held several times while it is packed.
        .set_data_page_size_limit(RUN);
    for head in columns {
        // Ids and instants hardly repeat.
        if matches!(head.kind, ColumnKind::Int | ColumnKind::Moment) {
            let path = ColumnPath::new(vec![head.name.clone()]);
            properties = properties.set_column_dictionary_enabled(path, false);
        }
    }
    properties.build()
}
