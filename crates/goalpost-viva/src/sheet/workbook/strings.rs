//! Texts that cells share: a workbook has them in a part of their own, and a cell has a number.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::super::error::SheetError;
use super::super::explorer::SheetLimits;
use super::xml::{Piece, Xml};

/// Texts that are held in memory, in bytes. The others lie in a file.
const IN_MEMORY: u64 = 64 << 20;
/// How many texts there may be. Where each begins is held in memory.
const TEXTS: usize = 4_000_000;

/// Where the texts go that are not held in memory: an empty file that nobody else writes.
pub type Spool<'a> = &'a dyn Fn() -> io::Result<File>;

/// The texts, by number.
#[derive(Debug, Default)]
pub(super) struct Strings {
    memory: Vec<u8>,
    spool: Option<File>,
    /// Where each of them ends.
    ends: Vec<u64>,
}

impl Strings {
    pub(super) fn read(
        mut xml: Xml<impl Read>,
        limits: SheetLimits,
        spool: Spool<'_>,
    ) -> Result<Self, SheetError> {
        let mut strings = Self::default();
        let mut text = RichText::default();
        let mut waiting = Vec::new();
        while let Some(piece) = xml.next()? {
            match &piece {
                Piece::Start(tag) if tag.name == "si" => text = RichText::default(),
                Piece::End(name) if name == "si" => {
                    let text = text.take();
                    if strings.ends.len() == TEXTS {
                        return Err(SheetError::TooLarge { what: "texts", limit: TEXTS as u64, row: 0 });
                    }
                    strings.push(text.as_bytes(), &mut waiting, spool)?;
                }
                _ => text.add(piece, limits.cell_bytes, 0)?,
            }
        }
        if let Some(spool) = &mut strings.spool {
            spool.write_all(&waiting)?;
        }
        Ok(strings)
    }

    fn push(&mut self, text: &[u8], waiting: &mut Vec<u8>, spool: Spool<'_>) -> Result<(), SheetError> {
        let begin = self.ends.last().copied().unwrap_or_default();
        self.ends.push(begin + text.len() as u64);
        if self.spool.is_none() && (self.memory.len() + text.len()) as u64 <= IN_MEMORY {
            self.memory.extend_from_slice(text);
            return Ok(());
        }
        let file = match &mut self.spool {
            Some(file) => file,
            empty => empty.insert(spool()?),
        };
        waiting.extend_from_slice(text);
        if waiting.len() >= 1 << 20 {
            file.write_all(waiting)?;
            waiting.clear();
        }
        Ok(())
    }

    /// The text of a number.
    pub(super) fn get(&mut self, number: usize) -> Result<Option<String>, SheetError> {
        let Some(end) = self.ends.get(number).copied() else { return Ok(None) };
        let begin = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        let held = self.memory.len() as u64;
        if end <= held {
            let text = &self.memory[begin as usize..end as usize];
            return Ok(Some(String::from_utf8_lossy(text).into_owned()));
        }
        let Some(spool) = &mut self.spool else { return Ok(None) };
        spool.seek(SeekFrom::Start(begin - held))?;
        let mut text = vec![0; (end - begin) as usize];
        spool.read_exact(&mut text)?;
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    }
}

/// A text in the making that may have runs of different looks; how it is pronounced does not belong to it.
#[derive(Debug, Default)]
pub(super) struct RichText {
    text: String,
    is_text: bool,
    is_sound: bool,
}

impl RichText {
    /// Take what is in an `si` or `is`.
    pub(super) fn add(&mut self, piece: Piece, limit: usize, row: u64) -> Result<(), SheetError> {
        match piece {
            Piece::Start(tag) => match tag.name.as_str() {
                "t" => self.is_text = true,
                "rPh" => self.is_sound = true,
                _ => {}
            },
            Piece::End(name) => match name.as_str() {
                "t" => self.is_text = false,
                "rPh" => self.is_sound = false,
                _ => {}
            },
            Piece::Text(text) if self.is_text && !self.is_sound => add(&mut self.text, &text, limit, row)?,
            Piece::Text(_) => {}
        }
        Ok(())
    }

    pub(super) fn take(&mut self) -> String {
        unescaped(std::mem::take(&mut self.text))
    }
}

/// Add to a text that may not become longer than a cell.
pub(super) fn add(text: &mut String, more: &str, limit: usize, row: u64) -> Result<(), SheetError> {
    if text.len() + more.len() > limit {
        return Err(SheetError::TooLarge { what: "bytes in one cell", limit: limit as u64, row });
    }
    text.push_str(more);
    Ok(())
}

/// Characters that XML cannot hold are written `_x001F_` (ECMA-376 part 1, 22.9.2.19).
pub(super) fn unescaped(text: String) -> String {
    let Some(first) = text.find("_x") else { return text };
    let mut out = text[..first].to_owned();
    let mut rest = &text[first..];
    while let Some(at) = rest.find("_x") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let digits = rest.get(2..6).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let character = digits.filter(|_| rest.as_bytes().get(6) == Some(&b'_'));
        let character = character.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if let Some(character) = character.and_then(char::from_u32) {
            out.push(character);
            rest = &rest[7..];
        } else {
            out.push('_');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn read(text: &str) -> Result<Strings, SheetError> {
        let xml = Xml::new("strings.xml", BufReader::new(text.as_bytes()), 1 << 20);
        Strings::read(xml, SheetLimits::OPERATOR, &|| Err(io::Error::other("not asked for")))
    }

    #[test]
    fn texts_may_have_runs_and_sounds() {
        let text = "<sst><si><t> a_x000D_ </t></si><si><r><rPr><b/></rPr><t>b</t></r><r><t>c</t></r>\
                    <rPh sb=\"0\"><t>no</t></rPh></si><si/></sst>";
        let mut strings = read(text).expect("texts");
        let mut get = |number| strings.get(number).expect("a text");
        assert_eq!(
            [get(0), get(1), get(2), get(3)],
            [Some(" a\r ".to_owned()), Some("bc".to_owned()), Some(String::new()), None]
        );
    }

    #[test]
    fn what_was_escaped_comes_back() {
        for (text, read) in [
            ("_x0041_", "A"),
            ("_x005F_x0041_", "_x0041_"),
            ("__x0041_ _x41_ _x", "_A _x41_ _x"),
            ("_xD83D__xDE00_", "_xD83D__xDE00_"),
            ("_x004ä_", "_x004ä_"),
        ] {
            assert_eq!(unescaped(text.to_owned()), read);
        }
    }
}
