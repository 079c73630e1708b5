//! What the end of a file says: its columns, and where their pages lie.

use std::io::{Read, Seek, SeekFrom};

use super::super::error::SheetError;
use super::super::explorer::SheetLimits;
use super::thrift::{Flaw, Kind, Thrift};
use super::wrong;
use crate::error::shown;

const MAGIC: &[u8; 4] = b"PAR1";
/// The largest footer. That of a file of 38 columns and 2 GiB of packed cells has some 10 MiB.
const BYTES: u64 = 32 << 20;
/// Chunks of all columns and row groups; they are held.
const CHUNKS: usize = 200_000;

/// How values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    Bits,
    /// So many bytes each.
    Fixed(usize),
    /// Each behind its length.
    Sized,
}

/// What values mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Flag,
    Int,
    Unsigned,
    /// A whole number, little end first, and how many of its digits are decimals.
    Decimal(u32),
    /// The same, big end first.
    WideDecimal(u32),
    Float,
    Double,
    Day,
    /// Since 1970, and how many of them a second has.
    Moment(i64),
    /// Nanoseconds of a day, and the day by Julian's count.
    OldMoment,
    Text,
    Uuid,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) stored: Stored,
    pub(super) meaning: Meaning,
    /// Whether a value may be missing.
    pub(super) is_optional: bool,
}

/// Where the pages of a column of a row group lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) packing: i64,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// Rows that are stored together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) rows: u64,
    /// One for each column.
    pub(super) chunks: Vec<Chunk>,
}

/// What a file has.
#[derive(Debug)]
pub(super) struct Footer {
    pub(super) columns: Vec<Column>,
    pub(super) groups: Vec<Group>,
    /// The file's size.
    pub(super) bytes: u64,
}

impl Footer {
    /// Reads and checks it.
    pub(super) fn read<R: Read + Seek>(input: &mut R, limits: SheetLimits) -> Result<Self, SheetError> {
        let bytes = input.seek(SeekFrom::End(0))?;
        if bytes > limits.bytes {
            return Err(SheetError::TooLarge { what: "bytes in the file", limit: limits.bytes, row: 0 });
        }
        let mut tail = [0; 8];
        let tail_at = bytes.checked_sub(8).filter(|at| *at >= 4).ok_or_else(|| wrong("is cut off"))?;
        input.seek(SeekFrom::Start(tail_at))?;
        input.read_exact(&mut tail)?;
        let (length, magic) = tail.split_at(4);
        match magic {
            b"PARE" => return Err(wrong("is encrypted")),
            magic if magic != MAGIC => return Err(wrong("does not end as one does: it is cut off")),
            _ => {}
        }
        let length = length.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte));
        if length > BYTES {
            return Err(SheetError::TooLarge { what: "bytes in the footer", limit: BYTES, row: 0 });
        }
        let start = tail_at.checked_sub(length).filter(|start| *start >= 4);
        let start = start.ok_or_else(|| wrong("has a footer that is longer than the file"))?;
        input.seek(SeekFrom::Start(start))?;
        let mut footer = vec![0; length as usize];
        input.read_exact(&mut footer)?;
        let raw = RawFooter::read(&footer, limits)?;
        let columns = columns(raw.schema)?;
        let (mut groups, mut rows) = (Vec::with_capacity(raw.groups.len()), 0_u64);
        for group in raw.groups {
            rows = u64::try_from(group.rows)
                .ok()
                .and_then(|more| rows.checked_add(more))
                .ok_or_else(|| wrong("has a row group of which the number of rows is none"))?;
            if rows > limits.rows {
                return Err(SheetError::TooLarge { what: "rows", limit: limits.rows, row: 0 });
            }
            if group.chunks.len() != columns.len() {
                return Err(wrong("has a row group without some of the columns"));
            }
            let chunks = group.chunks.iter().map(|chunk| chunk.check(group.rows, start));
            groups
                .push(Group { rows: group.rows.cast_unsigned(), chunks: chunks.collect::<Result<_, _>>()? });
        }
        Ok(Self { columns, groups, bytes })
    }
}

/// As it is written.
#[derive(Debug, Default)]
struct RawFooter {
    schema: Vec<Element>,
    groups: Vec<RawGroup>,
}

#[derive(Debug, Default)]
struct RawGroup {
    rows: i64,
    chunks: Vec<RawChunk>,
}

#[derive(Debug, Default)]
struct RawChunk {
    is_elsewhere: bool,
    packing: i64,
    values: i64,
    bytes: i64,
    data_at: i64,
    dictionary_at: Option<i64>,
}

impl RawChunk {
    fn check(&self, rows: i64, footer_at: u64) -> Result<Chunk, SheetError> {
        if self.is_elsewhere {
            return Err(wrong("leaves its values to another file"));
        }
        if self.values != rows {
            return Err(wrong("has a column with more or fewer values than rows"));
        }
        let before = self.dictionary_at.filter(|at| (4..self.data_at).contains(at));
        let start = u64::try_from(before.unwrap_or(self.data_at)).ok().filter(|start| *start >= 4);
        let bytes = u64::try_from(self.bytes).ok();
        let end = start.zip(bytes).and_then(|(start, bytes)| start.checked_add(bytes));
        match (start, end.filter(|end| *end <= footer_at)) {
            (Some(start), Some(end)) => Ok(Chunk { packing: self.packing, start, end }),
            _ => Err(wrong("has a column that lies outside of it")),
        }
    }
}

/// An element of the schema.
#[derive(Debug, Default)]
struct Element {
    stored: Option<i64>,
    length: i64,
    repetition: i64,
    name: String,
    children: i64,
    converted: Option<i64>,
    scale: i64,
    logical: Option<Logical>,
}

/// What its values mean, in newer files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Logical {
    Text,
    Decimal(i64),
    Day,
    Moment(i64),
    Int(bool),
    Uuid,
    /// Always missing.
    Nothing,
    Other,
}

impl RawFooter {
    fn read(bytes: &[u8], limits: SheetLimits) -> Result<Self, SheetError> {
        let mut raw = Self::default();
        let (mut chunks, mut too_large) = (0, None);
        // A list whose elements are held ends where they are too many.
        let mut at_most = |count: usize, most: usize, what: &'static str| {
            if count <= most {
                return Ok(());
            }
            too_large = Some(SheetError::TooLarge { what, limit: most as u64, row: 0 });
            Err(Flaw::Broken)
        };
        let read = Thrift::new(bytes).fields(|thrift, id, kind| {
            match id {
                2 => thrift.structures(kind, |thrift| {
                    raw.schema.push(Element::read(thrift)?);
                    at_most(raw.schema.len(), limits.columns.min(10_000) + 1, "columns")
                })?,
                4 => thrift.structures(kind, |thrift| {
                    let mut group = RawGroup::default();
                    thrift.fields(|thrift, id, kind| {
                        match id {
                            1 => thrift.structures(kind, |thrift| {
                                chunks += 1;
                                at_most(chunks, CHUNKS, "parts of columns")?;
                                group.chunks.push(RawChunk::read(thrift)?);
                                Ok(())
                            })?,
                            3 => group.rows = thrift.int(kind)?,
                            _ => return Ok(false),
                        }
                        Ok(true)
                    })?;
                    raw.groups.push(group);
                    at_most(raw.groups.len(), CHUNKS, "row groups")
                })?,
                _ => return Ok(false),
            }
            Ok(true)
        });
        match (read, too_large) {
            (Ok(()), _) => Ok(raw),
            (Err(_), Some(error)) => Err(error),
            (Err(_), None) => Err(wrong("has a footer that cannot be read")),
        }
    }
}

impl RawChunk {
    fn read(thrift: &mut Thrift<'_>) -> Result<Self, Flaw> {
        let mut chunk = Self::default();
        thrift.fields(|thrift, id, kind| {
            match id {
                1 => chunk.is_elsewhere = !thrift.bytes(kind)?.is_empty(),
                3 if kind == Kind::STRUCT => thrift.fields(|thrift, id, kind| {
                    match id {
                        4 => chunk.packing = thrift.int(kind)?,
                        5 => chunk.values = thrift.int(kind)?,
                        7 => chunk.bytes = thrift.int(kind)?,
                        9 => chunk.data_at = thrift.int(kind)?,
                        11 => chunk.dictionary_at = Some(thrift.int(kind)?),
                        _ => return Ok(false),
                    }
                    Ok(true)
                })?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(chunk)
    }
}

impl Element {
    fn read(thrift: &mut Thrift<'_>) -> Result<Self, Flaw> {
        let mut element = Self::default();
        thrift.fields(|thrift, id, kind| {
            match id {
                1 => element.stored = Some(thrift.int(kind)?),
                2 => element.length = thrift.int(kind)?,
                3 => element.repetition = thrift.int(kind)?,
                4 => element.name = String::from_utf8_lossy(thrift.bytes(kind)?).into_owned(),
                5 => element.children = thrift.int(kind)?,
                6 => element.converted = Some(thrift.int(kind)?),
                7 => element.scale = thrift.int(kind)?,
                10 if kind == Kind::STRUCT => element.logical = Some(Logical::read(thrift)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(element)
    }
}

impl Logical {
    fn read(thrift: &mut Thrift<'_>) -> Result<Self, Flaw> {
        let mut found = Self::Other;
        thrift.fields(|thrift, id, kind| {
            if kind != Kind::STRUCT {
                return Err(Flaw::Broken);
            }
            // The parameters that some of them have: a scale, a unit, a sign.
            let (mut scale, mut unit, mut is_signed) = (0, None, true);
            thrift.fields(|thrift, parameter, kind| {
                match (id, parameter) {
                    (5, 1) => scale = thrift.int(kind)?,
                    (8, 2) if kind == Kind::STRUCT => thrift.fields(|_, which, _| {
                        unit = match which {
                            1 => Some(1_000),
                            2 => Some(1_000_000),
                            3 => Some(1_000_000_000),
                            _ => None,
                        };
                        Ok(false)
                    })?,
                    (10, 2) => is_signed = Thrift::flag(kind)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
            found = match (id, unit) {
                (1 | 4 | 12, _) => Self::Text,
                (5, _) => Self::Decimal(scale),
                (6, _) => Self::Day,
                (8, Some(unit)) => Self::Moment(unit),
                (10, _) => Self::Int(is_signed),
                (11, _) => Self::Nothing,
                (14, _) => Self::Uuid,
                _ => Self::Other,
            };
            Ok(true)
        })?;
        Ok(found)
    }

    /// What older files say instead.
    fn of_converted(converted: i64, scale: i64) -> Self {
        match converted {
            0 | 4 | 19 => Self::Text,
            5 => Self::Decimal(scale),
            6 => Self::Day,
            9 => Self::Moment(1_000),
            10 => Self::Moment(1_000_000),
            11..=14 => Self::Int(false),
            15..=18 => Self::Int(true),
            _ => Self::Other,
        }
    }
}

/// The columns of a schema, which must all lie side by side.
fn columns(schema: Vec<Element>) -> Result<Vec<Column>, SheetError> {
    let mut schema = schema.into_iter();
    let root = schema.next().ok_or_else(|| wrong("has no columns"))?;
    let columns: Vec<Column> = schema.map(Element::column).collect::<Result<_, _>>()?;
    if root.stored.is_some() || root.children != columns.len() as i64 {
        return Err(wrong("has a footer that cannot be read"));
    }
    if columns.is_empty() { Err(SheetError::Empty) } else { Ok(columns) }
}

impl Element {
    fn column(self) -> Result<Column, SheetError> {
        let name = shown(&self.name);
        let Some(stored) = self.stored.filter(|_| self.children == 0 && self.repetition != 2) else {
            return Err(wrong(&format!("has lists or structures in `{name}`, and a cell holds one value")));
        };
        let logical =
            self.logical.or_else(|| self.converted.map(|word| Logical::of_converted(word, self.scale)));
        let scale = |scale: i64| u32::try_from(scale).ok().filter(|scale| *scale <= 38);
        let width = usize::try_from(self.length).ok().filter(|width| (1..=1 << 20).contains(width));
        let found = match (stored, logical) {
            (0, None) => Some((Stored::Bits, Meaning::Flag)),
            (1 | 2, logical) => {
                let meaning = match logical {
                    None | Some(Logical::Int(true) | Logical::Nothing) => Some(Meaning::Int),
                    Some(Logical::Int(false)) => Some(Meaning::Unsigned),
                    Some(Logical::Decimal(digits)) => scale(digits).map(Meaning::Decimal),
                    Some(Logical::Day) if stored == 1 => Some(Meaning::Day),
                    Some(Logical::Moment(unit)) if stored == 2 => Some(Meaning::Moment(unit)),
                    _ => None,
                };
                meaning.map(|meaning| (Stored::Fixed(if stored == 1 { 4 } else { 8 }), meaning))
            }
            (3, None) => Some((Stored::Fixed(12), Meaning::OldMoment)),
            (4, None) => Some((Stored::Fixed(4), Meaning::Float)),
            (5, None) => Some((Stored::Fixed(8), Meaning::Double)),
            (6, None | Some(Logical::Text | Logical::Nothing)) => Some((Stored::Sized, Meaning::Text)),
            (6, Some(Logical::Decimal(digits))) => {
                scale(digits).map(|scale| (Stored::Sized, Meaning::WideDecimal(scale)))
            }
            (7, Some(Logical::Decimal(digits))) => width
                .zip(scale(digits))
                .map(|(width, scale)| (Stored::Fixed(width), Meaning::WideDecimal(scale))),
            (7, Some(Logical::Uuid)) if width == Some(16) => Some((Stored::Fixed(16), Meaning::Uuid)),
            (7, None) => width.map(|width| (Stored::Fixed(width), Meaning::Text)),
            _ => None,
        };
        let Some((stored, meaning)) = found else {
            return Err(wrong(&format!("has values of a kind in `{name}` that no cell holds")));
        };
        Ok(Column { name: self.name, stored, meaning, is_optional: self.repetition == 1 })
    }
}
