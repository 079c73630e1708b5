//! From the bytes of a file to UTF-8.

use std::io::{self, Read, Seek, SeekFrom};

use super::error::SheetError;

/// How the characters of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, little end first, with a byte order mark.
    Utf16Le,
    /// UTF-16, big end first, with a byte order mark.
    Utf16Be,
    /// Windows-1252: what a file is taken for that is none of the others.
    Windows1252,
}

impl Encoding {
    /// Reads a whole file and tells how it is written.
    ///
    /// # Errors
    /// A NUL, and whatever reading meets.
    pub(super) fn examine<R: Read + Seek>(input: &mut R) -> Result<Self, SheetError> {
        input.seek(SeekFrom::Start(0))?;
        let mut head = [0; 2];
        let read = fill(input, &mut head)?;
        match &head[..read] {
            [0xff, 0xfe] => return Ok(Self::Utf16Le),
            [0xfe, 0xff] => return Ok(Self::Utf16Be),
            _ => {}
        }
        input.seek(SeekFrom::Start(0))?;
        let mut buffer = vec![0; 64 << 10];
        let (mut kept, mut line, mut is_utf8) = (0, 1, true);
        loop {
            let read = fill(input, &mut buffer[kept..])?;
            let bytes = &buffer[..kept + read];
            for byte in &bytes[kept..] {
                match byte {
                    0 => return Err(SheetError::Nul { line }),
                    b'\n' => line += 1,
                    _ => {}
                }
            }
            // The last character of what was read may go on in what is read next.
            let rest = match std::str::from_utf8(bytes) {
                Ok(_) => 0,
                Err(error) if error.error_len().is_none() && read > 0 => bytes.len() - error.valid_up_to(),
                Err(_) => {
                    is_utf8 = false;
                    0
                }
            };
            if read == 0 {
                return Ok(if is_utf8 { Self::Utf8 } else { Self::Windows1252 });
            }
            let end = bytes.len();
            buffer.copy_within(end - rest..end, 0);
            kept = rest;
        }
    }
}

fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A file as UTF-8, without its byte order mark.
#[derive(Debug)]
pub(super) struct Decoder<R> {
    input: R,
    encoding: Encoding,
    raw: Vec<u8>,
    /// Characters that are decoded and not yet given away.
    text: Vec<u8>,
    given: usize,
    high: Option<u16>,
}

impl<R: Read + Seek> Decoder<R> {
    /// From the beginning of a file that is written so.
    pub(super) fn new(mut input: R, encoding: Encoding) -> io::Result<Self> {
        input.seek(SeekFrom::Start(0))?;
        let mut mark = [0; 3];
        let read = fill(&mut input, &mut mark)?;
        let skip = match encoding {
            Encoding::Utf8 if mark[..read] == [0xef, 0xbb, 0xbf] => 3,
            Encoding::Utf16Le | Encoding::Utf16Be => 2,
            _ => 0,
        };
        input.seek(SeekFrom::Start(skip))?;
        Ok(Self { input, encoding, raw: vec![0; 64 << 10], text: Vec::new(), given: 0, high: None })
    }

    /// Decode what is read at once; `false` at the end of the file.
    fn decode(&mut self) -> io::Result<bool> {
        self.text.clear();
        self.given = 0;
        let read = fill(&mut self.input, &mut self.raw)?;
        let bytes = &self.raw[..read];
        let mut push = |character: char| {
            self.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        };
        let unit = match self.encoding {
            Encoding::Utf8 => {
                self.text.extend_from_slice(bytes);
                return Ok(read > 0);
            }
            Encoding::Windows1252 => {
                for byte in bytes {
                    push(windows_1252(*byte));
                }
                return Ok(read > 0);
            }
            Encoding::Utf16Le => u16::from_le_bytes,
            Encoding::Utf16Be => u16::from_be_bytes,
        };
        let (units, []) = bytes.as_chunks::<2>() else { return Err(not_utf16()) };
        for pair in units {
            let low = unit(*pair);
            let decoded = match self.high.take() {
                None if matches!(low, 0xd800..=0xdbff) => {
                    self.high = Some(low);
                    continue;
                }
                None => char::decode_utf16([low]).next(),
                Some(high) => char::decode_utf16([high, low]).next(),
            };
            match decoded {
                Some(Ok(character)) if character != '\0' => push(character),
                _ => return Err(not_utf16()),
            }
        }
        if read == 0 && self.high.is_some() { Err(not_utf16()) } else { Ok(read > 0) }
    }
}

fn not_utf16() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the file says that it is UTF-16, and is not")
}

impl<R: Read + Seek> Read for Decoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // A half character may be all that was read.
        while self.given == self.text.len() && self.decode()? {}
        let count = out.len().min(self.text.len() - self.given);
        out[..count].copy_from_slice(&self.text[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

/// The character of a byte. Five bytes have none and stand for the control characters of the same number, as
/// browsers have it.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(bytes: Vec<u8>) -> Result<(Encoding, String), SheetError> {
        let mut input = Cursor::new(bytes);
        let encoding = Encoding::examine(&mut input)?;
        let mut text = String::new();
        Decoder::new(input, encoding)?.read_to_string(&mut text)?;
        Ok((encoding, text))
    }

    const TEXT: &str = "Größe,🎯 “10 €”\r\n";

    #[test]
    fn every_encoding_gives_the_same_text() {
        let utf16 = |bytes: fn(u16) -> [u8; 2]| {
            std::iter::once(0xfeff).chain(TEXT.encode_utf16()).flat_map(bytes).collect::<Vec<u8>>()
        };
        let with_mark = [b"\xef\xbb\xbf", TEXT.as_bytes()].concat();
        for (bytes, encoding) in [
            (TEXT.as_bytes().to_vec(), Encoding::Utf8),
            (with_mark, Encoding::Utf8),
            (utf16(u16::to_le_bytes), Encoding::Utf16Le),
            (utf16(u16::to_be_bytes), Encoding::Utf16Be),
        ] {
            assert_eq!(read(bytes).expect("a text"), (encoding, TEXT.to_owned()));
        }
        let (encoding, text) = read(b"Gr\xf6\xdfe \x8010".to_vec()).expect("a text");
        assert_eq!((encoding, text.as_str()), (Encoding::Windows1252, "Größe €10"));
    }

    #[test]
    fn characters_may_lie_across_what_is_read_at_once() {
        for shift in 0..4 {
            let text = format!("{}{}", "x".repeat(shift), "🎯".repeat(40_000));
            assert_eq!(read(text.clone().into_bytes()).expect("a text"), (Encoding::Utf8, text.clone()));
            let wide: Vec<u8> =
                std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
            assert_eq!(read(wide).expect("a text").1, text);
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert!(matches!(read(b"a\nb\0c".to_vec()), Err(SheetError::Nul { line: 2 })));
        for bytes in [&b"\xff\xfea"[..], b"\xff\xfe\x00\xd8", b"\xff\xfe\x00\xdca\0", b"\xff\xfe\x00\xd8a\0"]
        {
            assert!(read(bytes.to_vec()).is_err(), "{bytes:?}");
        }
    }
}
