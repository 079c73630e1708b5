//! A JSON array, cut into its elements as it is read: one element is in memory at a time, and limits on
//! texts, nesting and size hold before anything is allocated for them.

use std::io::BufRead;

use crate::archive::Limits;
use crate::error::Error;
use crate::member::Entity;
use crate::object::{Raw, Wrong};
use crate::tape::{Tape, plain};

/// The largest number of objects and arrays around a value of an element, the element itself counted.
pub(crate) const DEPTH: u32 = 16;

/// The largest element in bytes. The largest known to come out of Viva Goals are below 100 KiB.
pub(crate) const ELEMENT_BYTES: usize = 4 << 20;

/// An element with its number, from 1; or why it is no JSON.
pub(crate) type Numbered<'a> = (u64, Result<Raw<'a>, Wrong>);

/// The elements of one member, each of them an object.
#[derive(Debug)]
pub(crate) struct Elements<R> {
    input: R,
    entity: Entity,
    limits: Limits,
    element: Vec<u8>,
    tape: Tape,
    count: u64,
    offset: u64,
    /// Bytes of the input that were handed out as an element.
    lent: usize,
}

impl<R: BufRead> Elements<R> {
    pub(crate) fn new(entity: Entity, limits: Limits, input: R) -> Self {
        Self {
            input,
            entity,
            limits,
            element: Vec::new(),
            tape: Tape::default(),
            count: 0,
            offset: 0,
            lent: 0,
        }
    }

    /// Bytes read so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The JSON of the next element with its number, from 1. After the last one the rest is checked to be
    /// white space, and the ZIP's check sum with it.
    pub(crate) fn next(&mut self) -> Result<Option<Numbered<'_>>, Error> {
        self.input.consume(std::mem::take(&mut self.lent));
        if self.count == 0 {
            self.skip_byte_order_mark()?;
            self.expect(b"[", "a JSON array in UTF-8")?;
            if self.peek()? == Some(b']') {
                return self.end();
            }
        } else if self.expect(b",]", "a comma or the end of the array")? == b']' {
            return self.finish();
        }
        self.count += 1;
        let entity = self.entity;
        let limit = match entity {
            Entity::CheckIns | Entity::Comments => self.limits.check_ins,
            _ => self.limits.elements,
        };
        if self.count > limit {
            return Err(Error::TooManyElements { entity, limit });
        }
        if self.peek()? != Some(b'{') {
            return Err(self.malformed("an object"));
        }
        let element = self.count;
        let not_utf8 = |_| Error::NotUtf8 { entity, element };
        let chunk = self.input.fill_buf().map_err(|source| Error::Unpack { entity, source })?;
        let Some(end) = self.tape.scan(chunk, self.limits.text_bytes) else {
            // It goes on behind what is unpacked, or something is wrong with it.
            self.collect()?;
            let json = std::str::from_utf8(&self.element).map_err(not_utf8)?;
            return Ok(Some((element, self.tape.read(json))));
        };
        // Most elements are read where they were unpacked to.
        self.lent = end;
        self.offset += end as u64;
        let chunk = self.input.fill_buf().map_err(|source| Error::Unpack { entity, source })?;
        let json = std::str::from_utf8(&chunk[..end]).map_err(not_utf8)?;
        Ok(Some((element, Ok(self.tape.whole(json)))))
    }

    /// Copies the bytes of one element.
    fn collect(&mut self) -> Result<(), Error> {
        let Self { entity, limits, count: element, .. } = *self;
        self.element.clear();
        let mut scan = Scan { depth: 0, text: None, escaped: false, text_bytes: limits.text_bytes };
        loop {
            let chunk = self.input.fill_buf().map_err(|source| Error::Unpack { entity, source })?;
            if chunk.is_empty() {
                return Err(Error::Truncated { entity, element });
            }
            let end = scan.advance(chunk).map_err(|limit| match limit {
                Limit::Text => Error::TextTooLong { entity, element, limit: limits.text_bytes },
                Limit::Depth => Error::TooDeep { entity, element, limit: DEPTH },
            })?;
            let used = end.unwrap_or(chunk.len());
            if self.element.len() + used > ELEMENT_BYTES {
                return Err(Error::ElementTooLarge { entity, element, limit: ELEMENT_BYTES });
            }
            self.element.extend_from_slice(&chunk[..used]);
            self.skip(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    fn end<T>(&mut self) -> Result<Option<T>, Error> {
        self.expect(b"]", "the end of the array")?;
        self.finish()
    }

    fn finish<T>(&mut self) -> Result<Option<T>, Error> {
        match self.peek()? {
            None => Ok(None),
            Some(_) => Err(self.malformed("nothing after the end of the array")),
        }
    }

    fn skip_byte_order_mark(&mut self) -> Result<(), Error> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        let entity = self.entity;
        let chunk = self.input.fill_buf().map_err(|source| Error::Unpack { entity, source })?;
        if chunk.starts_with(MARK) {
            self.skip(MARK.len());
        }
        Ok(())
    }

    fn expect(&mut self, wanted: &[u8], name: &'static str) -> Result<u8, Error> {
        match self.peek()? {
            Some(byte) if wanted.contains(&byte) => {
                self.skip(1);
                Ok(byte)
            }
            _ => Err(self.malformed(name)),
        }
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Result<Option<u8>, Error> {
        let entity = self.entity;
        loop {
            let chunk = self.input.fill_buf().map_err(|source| Error::Unpack { entity, source })?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let blank = chunk.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
            let found = chunk.get(blank).copied();
            self.skip(blank);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.input.consume(bytes);
        self.offset += bytes as u64;
    }

    fn malformed(&self, expected: &'static str) -> Error {
        Error::Malformed { entity: self.entity, offset: self.offset, expected }
    }
}

/// Finds where an element ends. It knows brackets and texts only; serde checks the rest.
struct Scan {
    depth: u32,
    /// Inside a text: its length so far, escapes counted as they stand in the file.
    text: Option<usize>,
    escaped: bool,
    text_bytes: usize,
}

enum Limit {
    Text,
    Depth,
}

impl Scan {
    /// How many bytes of the chunk belong to the element, if it ends in there.
    fn advance(&mut self, chunk: &[u8]) -> Result<Option<usize>, Limit> {
        let mut at = 0;
        while at < chunk.len() {
            if let Some(length) = self.text {
                if self.escaped {
                    self.escaped = false;
                    self.text = Some(length + 1);
                    at += 1;
                    continue;
                }
                let rest = &chunk[at..];
                let plain = plain::<false>(rest);
                let length = length + plain;
                if length > self.text_bytes {
                    return Err(Limit::Text);
                }
                at += plain;
                self.text = Some(length);
                match chunk.get(at) {
                    Some(b'"') => self.text = None,
                    Some(_) => {
                        self.escaped = true;
                        self.text = Some(length + 1);
                    }
                    None => break,
                }
            } else {
                match chunk[at] {
                    b'"' => self.text = Some(0),
                    b'{' | b'[' => {
                        self.depth += 1;
                        if self.depth > DEPTH {
                            return Err(Limit::Depth);
                        }
                    }
                    b'}' | b']' => {
                        self.depth -= 1;
                        if self.depth == 0 {
                            return Ok(Some(at + 1));
                        }
                    }
                    _ => {}
                }
            }
            at += 1;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// Reads with a buffer of a few bytes, so that every token is cut somewhere.
    fn elements(json: &str, buffer: usize) -> Result<Vec<String>, Error> {
        let input = BufReader::with_capacity(buffer, json.as_bytes());
        let limits = Limits { text_bytes: 40, elements: 3, ..Limits::UPLOAD };
        let mut elements = Elements::new(Entity::Tags, limits, input);
        let mut found = Vec::new();
        while let Some((number, json)) = elements.next()? {
            assert_eq!(number, found.len() as u64 + 1);
            found.push(json.map_or_else(|wrong| wrong.what, |raw| raw.json().to_owned()));
        }
        Ok(found)
    }

    #[test]
    fn elements_are_cut_wherever_the_buffer_ends() {
        let first = r#"{"a": "}]\"\\", "b": [{}, [1]]}"#;
        let second = "{\n\"ü\": \"🎯\"}";
        for buffer in 4..40 {
            let json = format!(" [{first} ,\n{second}\r\n]\n\t ");
            assert_eq!(elements(&json, buffer).expect("sound"), [first, second], "buffer of {buffer}");
            assert_eq!(elements("\u{feff}[]", buffer).expect("sound"), [""; 0]);
        }
    }

    #[test]
    fn what_is_no_array_of_objects_is_refused() {
        for json in
            ["", " ", "{}", "[1]", "[{}", "[{},", "[{}{}]", "[{}]x", "[{\"a", "[,]", "[{},]", "null", "[{}]]"]
        {
            assert!(elements(json, 16).is_err(), "{json}");
        }
    }

    #[test]
    fn limits_hold() {
        let text = |length| format!("[{{\"a\":\"{}\"}}]", "x".repeat(length));
        assert!(elements(&text(40), 16).is_ok());
        assert!(matches!(elements(&text(41), 16), Err(Error::TextTooLong { element: 1, limit: 40, .. })));
        let nested = |depth| format!("[{{\"a\":{}{}}}]", "[".repeat(depth), "]".repeat(depth));
        assert!(elements(&nested(15), 16).is_ok());
        assert!(matches!(elements(&nested(16), 16), Err(Error::TooDeep { element: 1, .. })));
        assert!(matches!(elements("[{},{},{},{}]", 16), Err(Error::TooManyElements { limit: 3, .. })));
    }
}
