//! Thrift's compact protocol, in which footers and headers of pages are written. Read field by field: nothing is allocated
//! by what a file says of itself.

/// How deep structures may lie in each other; those of the format lie four deep.
const DEPTH: u32 = 16;

/// What is wrong with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// They end too early.
    Short,
    /// They are none of this protocol.
    Broken,
}

/// What a field or an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(u8);

impl Kind {
    const TRUE: Self = Self(1);
    const FALSE: Self = Self(2);
    const BYTE: Self = Self(3);
    const DOUBLE: Self = Self(7);
    const BYTES: Self = Self(8);
    const LIST: Self = Self(9);
    const SET: Self = Self(10);
    const MAP: Self = Self(11);
    pub(super) const STRUCT: Self = Self(12);
    const UUID: Self = Self(13);
}

/// Bytes that are read from the front.
#[derive(Debug, Clone)]
pub(super) struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Thrift<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn byte(&mut self) -> Result<u8, Flaw> {
        let byte = self.bytes.get(self.at).copied().ok_or(Flaw::Short)?;
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], Flaw> {
        let end =
            usize::try_from(count).ok().and_then(|count| self.at.checked_add(count)).ok_or(Flaw::Broken)?;
        let taken = self.bytes.get(self.at..end).ok_or(Flaw::Short)?;
        self.at = end;
        Ok(taken)
    }

    fn unsigned(&mut self) -> Result<u64, Flaw> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Flaw::Broken)
    }

    /// Call `read` for each field of a structure, which reads it or says that it did not.
    pub(super) fn fields(
        &mut self,
        mut read: impl FnMut(&mut Self, i64, Kind) -> Result<bool, Flaw>,
    ) -> Result<(), Flaw> {
        let mut id = 0;
        loop {
            let byte = self.byte()?;
            let kind = Kind(byte & 0x0f);
            if kind == Kind(0) {
                return if byte == 0 { Ok(()) } else { Err(Flaw::Broken) };
            }
            id = match byte >> 4 {
                0 => i64::from(i16::try_from(zigzag(self.unsigned()?)).map_err(|_| Flaw::Broken)?),
                delta => id + i64::from(delta),
            };
            if !read(self, id, kind)? {
                self.skip(kind, DEPTH)?;
            }
        }
    }

    /// A whole number.
    pub(super) fn int(&mut self, kind: Kind) -> Result<i64, Flaw> {
        match kind {
            Kind::BYTE => Ok(i64::from(self.byte()?.cast_signed())),
            Kind(4..=6) => Ok(zigzag(self.unsigned()?)),
            _ => Err(Flaw::Broken),
        }
    }

    /// A truth value of a field, which its kind tells.
    pub(super) fn flag(kind: Kind) -> Result<bool, Flaw> {
        match kind {
            Kind::TRUE => Ok(true),
            Kind::FALSE => Ok(false),
            _ => Err(Flaw::Broken),
        }
    }

    /// Bytes, such as those of a text.
    pub(super) fn bytes(&mut self, kind: Kind) -> Result<&'a [u8], Flaw> {
        if kind != Kind::BYTES {
            return Err(Flaw::Broken);
        }
        let count = self.unsigned()?;
        self.take(count)
    }

    /// Call `read` for each element of a list of structures.
    pub(super) fn structures(
        &mut self,
        kind: Kind,
        mut read: impl FnMut(&mut Self) -> Result<(), Flaw>,
    ) -> Result<(), Flaw> {
        if kind != Kind::LIST {
            return Err(Flaw::Broken);
        }
        match self.list()? {
            (_, 0) => Ok(()),
            (Kind::STRUCT, count) => (0..count).try_for_each(|_| read(self)),
            _ => Err(Flaw::Broken),
        }
    }

    fn list(&mut self) -> Result<(Kind, u64), Flaw> {
        let byte = self.byte()?;
        let count = match byte >> 4 {
            15 => self.unsigned()?,
            count => u64::from(count),
        };
        Ok((Kind(byte & 0x0f), count))
    }

    fn skip(&mut self, kind: Kind, depth: u32) -> Result<(), Flaw> {
        let depth = depth.checked_sub(1).ok_or(Flaw::Broken)?;
        match kind {
            Kind::TRUE | Kind::FALSE => {}
            Kind::BYTE => drop(self.byte()?),
            Kind(4..=6) => drop(self.unsigned()?),
            Kind::DOUBLE => drop(self.take(8)?),
            Kind::UUID => drop(self.take(16)?),
            Kind::BYTES => drop(self.bytes(kind)?),
            Kind::LIST | Kind::SET => {
                let (kind, count) = self.list()?;
                // Each element takes a byte at least, so the loop ends with the bytes.
                (0..count).try_for_each(|_| self.skip_element(kind, depth))?;
            }
            Kind::MAP => {
                let count = self.unsigned()?;
                if count > 0 {
                    let kinds = self.byte()?;
                    for _ in 0..count {
                        self.skip_element(Kind(kinds >> 4), depth)?;
                        self.skip_element(Kind(kinds & 0x0f), depth)?;
                    }
                }
            }
            Kind::STRUCT => loop {
                let byte = self.byte()?;
                if byte == 0 {
                    break;
                }
                if byte >> 4 == 0 {
                    self.unsigned()?;
                }
                self.skip(Kind(byte & 0x0f), depth)?;
            },
            _ => return Err(Flaw::Broken),
        }
        Ok(())
    }

    fn skip_element(&mut self, kind: Kind, depth: u32) -> Result<(), Flaw> {
        // Truth values have no bytes as fields, and one as elements.
        let kind = if matches!(kind, Kind::TRUE | Kind::FALSE) { Kind::BYTE } else { kind };
        self.skip(kind, depth)
    }
}

pub(super) fn zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_or_passed_over() {
        // 1: i32 -3; 2: "ab"; 3: [[true], 1 map]; 20: true.
        let bytes = [0x15, 5, 0x18, 2, b'a', b'b', 0x19, 0x19, 0x11, 1, 0x01, 40, 0];
        let (mut numbers, mut flags) = (Vec::new(), Vec::new());
        let mut thrift = Thrift::new(&bytes);
        let read = thrift.fields(|thrift, id, kind| {
            match id {
                1 => numbers.push(thrift.int(kind)?),
                20 => flags.push(Thrift::flag(kind)?),
                _ => return Ok(false),
            }
            Ok(true)
        });
        assert_eq!((read, numbers, flags, thrift.at()), (Ok(()), vec![-3], vec![true], bytes.len()));
    }

    #[test]
    fn bytes_that_lie_are_refused() {
        for (bytes, flaw) in [
            (&[0x18, 0xff, 0xff, 0xff, 0xff, 0x0f][..], Flaw::Short),
            (&[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f], Flaw::Short),
            (&[0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Flaw::Broken),
            (&[0x1e], Flaw::Broken),
            (&[], Flaw::Short),
            (&[0x1c; 100], Flaw::Broken),
        ] {
            assert_eq!(Thrift::new(bytes).fields(|_, _, _| Ok(false)), Err(flaw), "{bytes:?}");
        }
    }
}
