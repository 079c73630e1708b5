//! Pages: pieces of a column, each packed on its own.

use std::io::{Read, Seek, SeekFrom};

use super::super::error::SheetError;
use super::footer::Chunk;
use super::thrift::{Flaw, Kind, Thrift};
use super::wrong;

/// A page, unpacked. Ours come to 8 MiB and a row.
const BYTES: u64 = 32 << 20;
/// What the header of a page may come to; it may hold the least and the greatest value.
const HEADER_BYTES: usize = 1 << 20;

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Values that others name by their number.
    Dictionary,
    /// Behind its length, which of the values are there; then those.
    Values,
    /// The same of the second version: so many bytes say which of the values are there.
    ValuesOf2(usize),
}

/// A page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) holds: Holds,
    /// Values, missing ones counted.
    pub(super) count: u64,
    pub(super) encoding: i64,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct Header {
    kind: i64,
    unpacked: i64,
    packed: i64,
    values: Option<(i64, i64)>,
    level_encoding: i64,
    levels: (i64, i64),
    is_plain: bool,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<(Self, usize), Flaw> {
        let mut header = Self { level_encoding: RUNS, ..Self::default() };
        let mut thrift = Thrift::new(bytes);
        thrift.fields(|thrift, id, kind| {
            match id {
                1 => header.kind = thrift.int(kind)?,
                2 => header.unpacked = thrift.int(kind)?,
                3 => header.packed = thrift.int(kind)?,
                5 | 7 | 8 if kind == Kind::STRUCT => {
                    let (mut count, mut encoding) = (0, 0);
                    thrift.fields(|thrift, field, kind| {
                        match (id, field) {
                            (_, 1) => count = thrift.int(kind)?,
                            (5 | 7, 2) | (8, 4) => encoding = thrift.int(kind)?,
                            (5, 3) => header.level_encoding = thrift.int(kind)?,
                            (8, 5) => header.levels.0 = thrift.int(kind)?,
                            (8, 6) => header.levels.1 = thrift.int(kind)?,
                            (8, 7) => header.is_plain = !Thrift::flag(kind)?,
                            _ => return Ok(false),
                        }
                        Ok(true)
                    })?;
                    header.values = Some((count, encoding));
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok((header, thrift.at()))
    }
}

/// The encoding of levels, and of truth values: runs of equal ones.
pub(super) const RUNS: i64 = 3;

/// The pages of a column of a row group that were not read yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pages {
    chunk: Chunk,
}

impl Pages {
    pub(super) fn new(chunk: Chunk) -> Self {
        Self { chunk }
    }

    /// Read the next page of values, or a dictionary.
    pub(super) fn next<R: Read + Seek>(&mut self, input: &mut R) -> Result<Page, SheetError> {
        loop {
            let (header, size) = self.header(input)?;
            let body = self.chunk.start + size as u64;
            let packed = u64::try_from(header.packed).ok().filter(|packed| body + packed <= self.chunk.end);
            let packed = packed.ok_or_else(|| wrong("has a page that goes on behind its column"))?;
            self.chunk.start = body + packed;
            let holds = match header.kind {
                0 if header.level_encoding != RUNS => {
                    return Err(wrong("has levels in an encoding of the past"));
                }
                0 => Holds::Values,
                // An index, which is for whoever looks for a value.
                1 => continue,
                2 => Holds::Dictionary,
                3 => match header.levels {
                    (levels, 0) => Holds::ValuesOf2(
                        usize::try_from(levels).map_err(|_| wrong("has a page that cannot be read"))?,
                    ),
                    _ => return Err(wrong("has lists in a column, and a cell holds one value")),
                },
                _ => return Err(wrong("has a page of a kind that is not known")),
            };
            let (count, encoding) = header.values.ok_or_else(|| wrong("has a page that cannot be read"))?;
            let count = u64::try_from(count).map_err(|_| wrong("has a page that cannot be read"))?;
            let bytes = self.unpack(input, &header, holds, body, packed)?;
            return Ok(Page { holds, count, encoding, bytes });
        }
    }

    fn header<R: Read + Seek>(&self, input: &mut R) -> Result<(Header, usize), SheetError> {
        let left = usize::try_from(self.chunk.end - self.chunk.start).unwrap_or(usize::MAX);
        for most in [1 << 10, 32 << 10, HEADER_BYTES] {
            let mut bytes = vec![0; most.min(left)];
            input.seek(SeekFrom::Start(self.chunk.start))?;
            input.read_exact(&mut bytes)?;
            match Header::read(&bytes) {
                Ok(header) => return Ok(header),
                Err(Flaw::Short) if most < left && most < HEADER_BYTES => {}
                Err(_) if left == 0 => return Err(wrong("has fewer values in a column than rows")),
                Err(_) => break,
            }
        }
        Err(wrong("has a page that cannot be read"))
    }

    /// The bytes of a page; no more than it says are made, whatever they unpack to.
    fn unpack<R: Read + Seek>(
        &self,
        input: &mut R,
        header: &Header,
        holds: Holds,
        at: u64,
        packed: u64,
    ) -> Result<Vec<u8>, SheetError> {
        let size = u64::try_from(header.unpacked).map_err(|_| wrong("has a page that cannot be read"))?;
        if size > BYTES || packed > BYTES + HEADER_BYTES as u64 {
            return Err(SheetError::TooLarge { what: "bytes in one page", limit: BYTES, row: 0 });
        }
        input.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        let mut body = input.take(packed);
        // The levels of the second version are not packed.
        if let Holds::ValuesOf2(levels) = holds {
            (&mut body).take(levels as u64).read_to_end(&mut bytes)?;
            if bytes.len() != levels {
                return Err(wrong("has a page that cannot be read"));
            }
        }
        let rest =
            size.checked_sub(bytes.len() as u64).ok_or_else(|| wrong("has a page that cannot be read"))?;
        let packing = if header.is_plain { 0 } else { self.chunk.packing };
        match packing {
            // A page without values may have nothing that could be unpacked.
            _ if rest == 0 => {}
            0 => drop(body.take(rest + 1).read_to_end(&mut bytes)?),
            1 => {
                let mut snappy = Vec::new();
                body.read_to_end(&mut snappy)?;
                if snap::raw::decompress_len(&snappy).ok() != Some(rest as usize) {
                    return Err(wrong("has a page that unpacks to more or less than it says"));
                }
                let unpacked = snap::raw::Decoder::new().decompress_vec(&snappy);
                bytes.append(&mut unpacked.map_err(|_| wrong("has a page that cannot be unpacked"))?);
            }
            2 => inflate(flate2::read::MultiGzDecoder::new(body), rest, &mut bytes)?,
            6 => {
                let mut decoder = zstd::Decoder::new(body)?;
                // A page is no larger than this, and so needs no larger window.
                decoder.window_log_max(BYTES.ilog2())?;
                inflate(decoder, rest, &mut bytes)?;
            }
            4 => return Err(wrong("is packed by Brotli, which is not read")),
            3 | 5 | 7 => return Err(wrong("is packed by LZO or LZ4, which are not read")),
            _ => return Err(wrong("is packed in a way that is not known")),
        }
        if bytes.len() as u64 == size {
            Ok(bytes)
        } else {
            Err(wrong("has a page that unpacks to more or less than it says"))
        }
    }
}

fn inflate(packed: impl Read, size: u64, bytes: &mut Vec<u8>) -> Result<(), SheetError> {
    packed.take(size + 1).read_to_end(bytes).map_err(|_| wrong("has a page that cannot be unpacked"))?;
    Ok(())
}
