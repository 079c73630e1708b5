//! Values out of the bytes of a page, one after the other.

use super::super::error::SheetError;
use super::footer::Stored;
use super::page::RUNS;
use super::thrift::zigzag;
use super::wrong;

/// Whatever is wrong with the bytes of a page.
pub(super) fn damaged() -> SheetError {
    wrong("has a page whose values cannot be read")
}

/// Values that others name by their number.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    bytes: Vec<u8>,
    count: u64,
    /// Where each value lies, if they are not all of one size.
    places: Vec<u32>,
}

impl Dictionary {
    pub(super) fn read(stored: Stored, count: u64, bytes: Vec<u8>) -> Result<Self, SheetError> {
        let mut places = Vec::new();
        if stored == Stored::Sized {
            // Each has a length before it.
            let most = usize::try_from(count).ok().filter(|count| *count <= bytes.len() / 4);
            places.reserve_exact(most.ok_or_else(damaged)?);
            let mut at = 0;
            for _ in 0..count {
                places.push(at as u32);
                (_, at) = plain(stored, &bytes, at)?;
            }
        }
        Ok(Self { bytes, count, places })
    }

    fn get(&self, stored: Stored, number: u64) -> Result<&[u8], SheetError> {
        let number = usize::try_from(number).ok().filter(|_| number < self.count).ok_or_else(damaged)?;
        let at = match stored {
            Stored::Fixed(size) => number.checked_mul(size),
            _ => self.places.get(number).map(|at| *at as usize),
        };
        let (begin, end) = plain(stored, &self.bytes, at.ok_or_else(damaged)?)?;
        Ok(&self.bytes[begin..end])
    }

    /// The memory that it takes.
    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.capacity() + size_of::<u32>() * self.places.capacity()
    }
}

/// Where a value lies that stands at a place as it is.
fn plain(stored: Stored, bytes: &[u8], at: usize) -> Result<(usize, usize), SheetError> {
    let (begin, size) = match stored {
        Stored::Fixed(size) => (at, size),
        Stored::Sized => {
            let length = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(damaged)?;
            (at + 4, u32::from_le_bytes(*length) as usize)
        }
        // Truth values have no dictionary.
        Stored::Bits => return Err(damaged()),
    };
    let end: Option<usize> = begin.checked_add(size).filter(|end| *end <= bytes.len());
    end.map(|end| (begin, end)).ok_or_else(damaged)
}

/// How the values of a page are written, and how far they were read.
#[derive(Debug)]
pub(super) enum Values {
    Plain(usize),
    Bits(u64),
    Runs(Runs),
    Dictionary(Runs),
    Delta(Delta),
    Lengths { lengths: Delta, at: usize },
    Prefixed { prefixes: Delta, suffixes: Delta, at: usize, last: Vec<u8> },
    Split { at: usize, count: usize },
}

impl Values {
    /// The values that begin at a place.
    pub(super) fn new(encoding: i64, stored: Stored, bytes: &[u8], at: usize) -> Result<Self, SheetError> {
        Ok(match (encoding, stored) {
            (0, Stored::Bits) => Self::Bits(8 * at as u64),
            (0, _) => Self::Plain(at),
            (2 | 8, Stored::Fixed(_) | Stored::Sized) => {
                let width = *bytes.get(at).ok_or_else(damaged)?;
                Self::Dictionary(Runs::new(at + 1, bytes.len(), width)?)
            }
            (RUNS, Stored::Bits) => {
                let (begin, end) = plain(Stored::Sized, bytes, at)?;
                Self::Runs(Runs::new(begin, end, 1)?)
            }
            (5, Stored::Fixed(4 | 8)) => Self::Delta(Delta::new(bytes, at)?),
            (6, Stored::Sized) => {
                let (lengths, at) = Delta::new(bytes, at)?.with_end(bytes)?;
                Self::Lengths { lengths, at }
            }
            (7, Stored::Sized | Stored::Fixed(_)) => {
                let (prefixes, at) = Delta::new(bytes, at)?.with_end(bytes)?;
                let (suffixes, at) = Delta::new(bytes, at)?.with_end(bytes)?;
                Self::Prefixed { prefixes, suffixes, at, last: Vec::new() }
            }
            (9, Stored::Fixed(size)) => {
                Self::Split { at, count: bytes.len().saturating_sub(at).checked_div(size).unwrap_or(0) }
            }
            _ => return Err(wrong("has values in an encoding that is not read")),
        })
    }

    /// Put the next value into `out`, which is empty: the bytes of a text, of a number with the little end first, or one
    /// for a truth value.
    pub(super) fn next(
        &mut self,
        stored: Stored,
        dictionary: &Dictionary,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SheetError> {
        match self {
            Self::Plain(at) => {
                let (begin, end) = plain(stored, bytes, *at)?;
                out.extend_from_slice(&bytes[begin..end]);
                *at = end;
            }
            Self::Bits(at) => {
                out.push(bits(bytes, *at, 1).ok_or_else(damaged)? as u8);
                *at += 1;
            }
            Self::Runs(runs) => out.push(u8::from(runs.next(bytes)? != 0)),
            Self::Dictionary(runs) => out.extend_from_slice(dictionary.get(stored, runs.next(bytes)?)?),
            Self::Delta(delta) => {
                let value = delta.next(bytes)?.to_le_bytes();
                let Stored::Fixed(size @ (4 | 8)) = stored else { return Err(damaged()) };
                out.extend_from_slice(&value[..size]);
            }
            Self::Lengths { lengths, at } => {
                let text = sized(lengths, bytes, at)?;
                out.extend_from_slice(text);
            }
            Self::Prefixed { prefixes, suffixes, at, last } => {
                let kept = usize::try_from(prefixes.next(bytes)?).ok().filter(|kept| *kept <= last.len());
                last.truncate(kept.ok_or_else(damaged)?);
                last.extend_from_slice(sized(suffixes, bytes, at)?);
                out.extend_from_slice(last);
            }
            Self::Split { at, count } => {
                let Stored::Fixed(size) = stored else { return Err(damaged()) };
                for part in 0..size {
                    out.push(*bytes.get(*at + part * *count).ok_or_else(damaged)?);
                }
                *at += 1;
            }
        }
        match stored {
            Stored::Fixed(size) if out.len() != size => Err(damaged()),
            _ => Ok(()),
        }
    }

    /// The memory that it takes beside the page.
    pub(super) fn size_bytes(&self) -> usize {
        if let Self::Prefixed { last, .. } = self { last.capacity() } else { 0 }
    }
}

/// The text of the next length.
fn sized<'b>(lengths: &mut Delta, bytes: &'b [u8], at: &mut usize) -> Result<&'b [u8], SheetError> {
    let length = usize::try_from(lengths.next(bytes)?).ok();
    let end = length.and_then(|length| at.checked_add(length)).ok_or_else(damaged)?;
    let text = bytes.get(*at..end).ok_or_else(damaged)?;
    *at = end;
    Ok(text)
}

/// A number of some bits, the lowest first.
fn bits(bytes: &[u8], at: u64, width: u32) -> Option<u64> {
    let mut number = 0;
    let mut done = 0;
    while done < width {
        let place = at + u64::from(done);
        let byte = *bytes.get(usize::try_from(place / 8).ok()?)?;
        let from = (place % 8) as u32;
        let taken = (8 - from).min(width - done);
        number |= (u64::from(byte >> from) & ((1 << taken) - 1)) << done;
        done += taken;
    }
    Some(number)
}

fn unsigned(bytes: &[u8], at: &mut usize) -> Result<u64, SheetError> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).ok_or_else(damaged)?;
        *at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(damaged())
}

/// Numbers of a few bits, each alone or as a run of equal ones.
#[derive(Debug)]
pub(super) struct Runs {
    at: usize,
    end: usize,
    width: u32,
    left: u64,
    /// The number of a run; none where each stands for itself.
    same: Option<u64>,
    /// Where the next one stands, in bits.
    bit: u64,
}

impl Runs {
    pub(super) fn new(at: usize, end: usize, width: u8) -> Result<Self, SheetError> {
        if width > 32 || at > end {
            return Err(damaged());
        }
        Ok(Self { at, end, width: u32::from(width), left: 0, same: None, bit: 0 })
    }

    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<u64, SheetError> {
        let bytes = bytes.get(..self.end).ok_or_else(damaged)?;
        while self.left == 0 {
            let head = unsigned(bytes, &mut self.at)?;
            if head & 1 == 0 {
                let size = self.width.div_ceil(8);
                self.same = Some(bits(bytes, 8 * self.at as u64, 8 * size).ok_or_else(damaged)?);
                self.at += size as usize;
                self.left = head >> 1;
            } else {
                // Of the last eight some may stand for nothing, and lie behind the end.
                let groups = head >> 1;
                let size = groups.checked_mul(u64::from(self.width)).ok_or_else(damaged)?;
                self.same = None;
                self.bit = 8 * self.at as u64;
                self.left = groups.checked_mul(8).ok_or_else(damaged)?;
                self.at = usize::try_from(size)
                    .ok()
                    .and_then(|size| self.at.checked_add(size))
                    .ok_or_else(damaged)?;
            }
        }
        self.left -= 1;
        if let Some(same) = self.same {
            return Ok(same);
        }
        let number = bits(bytes, self.bit, self.width).ok_or_else(damaged)?;
        self.bit += u64::from(self.width);
        Ok(number)
    }
}

/// Whole numbers, each told by how much greater it is than the one before.
#[derive(Debug, Clone)]
pub(super) struct Delta {
    at: usize,
    /// Numbers in a piece of a block, and pieces in a block.
    piece: u64,
    pieces: usize,
    left: u64,
    last: i64,
    is_first: bool,
    least: i64,
    /// Where the widths of the pieces of this block stand, and which piece is next.
    widths: usize,
    next_piece: usize,
    left_in_piece: u64,
    width: u32,
    bit: u64,
}

impl Delta {
    fn new(bytes: &[u8], mut at: usize) -> Result<Self, SheetError> {
        let block = unsigned(bytes, &mut at)?;
        let pieces = unsigned(bytes, &mut at)?;
        let left = unsigned(bytes, &mut at)?;
        let last = zigzag(unsigned(bytes, &mut at)?);
        let is_sound = (1..=1 << 16).contains(&pieces) && block <= 1 << 24 && block.is_multiple_of(pieces);
        let piece = if is_sound { block / pieces } else { 0 };
        if piece == 0 || !piece.is_multiple_of(8) {
            return Err(damaged());
        }
        let pieces = pieces as usize;
        Ok(Self {
            at,
            piece,
            pieces,
            left,
            last,
            is_first: true,
            least: 0,
            widths: at,
            next_piece: pieces,
            left_in_piece: 0,
            width: 0,
            bit: 0,
        })
    }

    /// The numbers, and where what stands behind them begins.
    fn with_end(self, bytes: &[u8]) -> Result<(Self, usize), SheetError> {
        // As many as a page may have rows; each of the pieces before is passed over as a whole.
        let mut ahead = self.clone();
        let mut more = ahead.left.saturating_sub(1);
        while more > 0 {
            ahead.begin_piece(bytes)?;
            more = more.saturating_sub(ahead.piece);
        }
        Ok((self, ahead.at))
    }

    fn begin_piece(&mut self, bytes: &[u8]) -> Result<(), SheetError> {
        if self.next_piece == self.pieces {
            self.least = zigzag(unsigned(bytes, &mut self.at)?);
            self.widths = self.at;
            self.at = self.at.checked_add(self.pieces).filter(|at| *at <= bytes.len()).ok_or_else(damaged)?;
            self.next_piece = 0;
        }
        let width = *bytes.get(self.widths + self.next_piece).ok_or_else(damaged)?;
        if width > 64 {
            return Err(damaged());
        }
        self.next_piece += 1;
        self.width = u32::from(width);
        self.bit = 8 * self.at as u64;
        self.left_in_piece = self.piece;
        let size = self.piece / 8 * u64::from(width);
        self.at =
            usize::try_from(size).ok().and_then(|size| self.at.checked_add(size)).ok_or_else(damaged)?;
        if self.at > bytes.len() { Err(damaged()) } else { Ok(()) }
    }

    fn next(&mut self, bytes: &[u8]) -> Result<i64, SheetError> {
        self.left = self.left.checked_sub(1).ok_or_else(damaged)?;
        if std::mem::take(&mut self.is_first) {
            return Ok(self.last);
        }
        if self.left_in_piece == 0 {
            self.begin_piece(bytes)?;
        }
        let more = bits(bytes, self.bit, self.width).ok_or_else(damaged)?;
        self.bit += u64::from(self.width);
        self.left_in_piece -= 1;
        self.last = self.last.wrapping_add(self.least).wrapping_add(more.cast_signed());
        Ok(self.last)
    }
}
