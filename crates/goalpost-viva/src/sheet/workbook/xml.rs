//! XML as a stream, in bounds: no piece of it is larger than a cell may be, nothing lies deep, and it declares nothing.

use std::io::{self, BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::error::SheetError;
use super::package::damaged;

/// How deep elements may lie in each other. Those of a sheet lie eight deep.
const DEPTH: usize = 64;
/// What a tag may have in bytes beyond what a cell may.
const TAG_BYTES: usize = 4 << 10;

/// A part that is read.
pub(super) struct Xml<R> {
    reader: Reader<Meter<BufReader<R>>>,
    buffer: Vec<u8>,
    part: String,
    depth: usize,
    limit: usize,
}

/// A beginning tag.
#[derive(Debug, Default)]
pub(super) struct Tag {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

/// What comes next in a part.
#[derive(Debug)]
pub(super) enum Piece {
    /// An element begins; one without content ends with the next piece.
    Start(Tag),
    /// An element of this name ends.
    End(String),
    /// Some of the text in an element.
    Text(String),
}

impl Tag {
    /// The value of an attribute, whatever stands for its namespace.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<R: Read> Xml<R> {
    /// No piece may have more than `limit` bytes, and some.
    pub(super) fn new(part: &str, input: BufReader<R>, limit: usize) -> Self {
        let mut reader = Reader::from_reader(Meter { input, left: 0 });
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), part: part.to_owned(), depth: 0, limit: limit + TAG_BYTES }
    }

    /// What is wrong here.
    pub(super) fn damaged(&self, what: &str) -> SheetError {
        damaged(&self.part, what)
    }

    /// The next piece; none at the end of the part.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, SheetError> {
        loop {
            self.reader.get_mut().left = self.limit;
            self.buffer.clear();
            if self.buffer.capacity() > 1 << 17 {
                self.buffer.shrink_to(1 << 16);
            }
            let part = self.part.as_str();
            let event = self.reader.read_event_into(&mut self.buffer).map_err(|error| wrong(part, &error))?;
            match event {
                Event::Start(tag) => {
                    self.depth += 1;
                    if self.depth > DEPTH {
                        return Err(damaged(part, &format!("has elements that lie more than {DEPTH} deep")));
                    }
                    return read_tag(part, &tag).map(|tag| Some(Piece::Start(tag)));
                }
                Event::End(tag) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Some(Piece::End(tag.local_name().as_ref().to_owned())));
                }
                Event::Text(text) => return Ok(Some(Piece::Text(text.xml10_content().into_owned()))),
                Event::CData(text) => return Ok(Some(Piece::Text(text.xml10_content().into_owned()))),
                Event::GeneralRef(reference) => {
                    let named = |name: &str| quick_xml::escape::resolve_predefined_entity(name);
                    let text = match reference.resolve_char_ref() {
                        Ok(Some(character)) => Some(character.to_string()),
                        Ok(None) => named(&reference).map(str::to_owned),
                        Err(_) => None,
                    };
                    let Some(text) = text else {
                        return Err(damaged(part, "has a reference that is no character"));
                    };
                    return Ok(Some(Piece::Text(text)));
                }
                Event::DocType(_) => return Err(SheetError::Doctype { part: part.to_owned() }),
                // An element without content was made into two tags.
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
                Event::Eof if self.depth > 0 => return Err(damaged(part, "ends in the middle")),
                Event::Eof => return Ok(None),
            }
        }
    }

    /// The next beginning tag.
    pub(super) fn next_start(&mut self) -> Result<Option<Tag>, SheetError> {
        while let Some(piece) = self.next()? {
            if let Piece::Start(tag) = piece {
                return Ok(Some(tag));
            }
        }
        Ok(None)
    }
}

fn read_tag(part: &str, tag: &BytesStart<'_>) -> Result<Tag, SheetError> {
    /// No tag of a workbook has half as many.
    const ATTRIBUTES: usize = 64;
    let mut read = Tag { name: tag.local_name().as_ref().to_owned(), attributes: Vec::new() };
    for attribute in tag.attributes().with_checks(false) {
        let value = attribute.map_err(|_| ()).and_then(|attribute| {
            let value = attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0).map_err(|_| ())?;
            Ok((attribute.key.local_name().as_ref().to_owned(), value.into_owned()))
        });
        let Ok(attribute) = value else { return Err(damaged(part, "has an attribute that cannot be read")) };
        if read.attributes.len() == ATTRIBUTES {
            return Err(damaged(part, &format!("has a tag with more than {ATTRIBUTES} attributes")));
        }
        // Namespaces are declared, and mean nothing here.
        read.attributes.push(attribute);
    }
    Ok(read)
}

fn wrong(part: &str, error: &quick_xml::Error) -> SheetError {
    match error {
        quick_xml::Error::Io(error) => {
            match error.get_ref().and_then(|inner| inner.downcast_ref::<TooLong>()) {
                Some(TooLong) => damaged(part, "has a text or a tag that is longer than a cell may be"),
                None => damaged(part, &format!("cannot be unpacked: {error}")),
            }
        }
        quick_xml::Error::Encoding(_) => damaged(part, "is not UTF-8"),
        error => damaged(part, &format!("is no XML: {error}")),
    }
}

/// Lets a piece have so many bytes and no more.
struct Meter<R> {
    input: R,
    left: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("too long")]
struct TooLong;

impl<R: BufRead> Read for Meter<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(out.len());
        out[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Meter<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let bytes = self.input.fill_buf()?;
        if self.left == 0 && !bytes.is_empty() {
            return Err(io::Error::other(TooLong));
        }
        Ok(&bytes[..bytes.len().min(self.left)])
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        self.input.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, SheetError> {
        let mut xml = Xml::new("part.xml", BufReader::with_capacity(1, text.as_bytes()), 1 << 10);
        let mut told = Vec::new();
        while let Some(piece) = xml.next()? {
            match piece {
                Piece::Start(tag) => told.push(format!("<{} {:?}>", tag.name, tag.get("r"))),
                Piece::End(name) => told.push(format!("</{name}>")),
                Piece::Text(text) => told.push(text),
            }
        }
        Ok(told.concat())
    }

    #[test]
    fn texts_and_tags_come_in_order() {
        let text = "<?xml version=\"1.0\"?><x:c xmlns:x=\"u\" r=\"A&amp;1\"><v>a&lt;&#98;<![CDATA[<&]]>\r\n</v><f/></x:c>";
        let told = read(text).expect("a part");
        assert_eq!(told, "<c Some(\"A&1\")><v None>a<b<&\n</v><f None></f></c>");
    }

    #[test]
    fn what_declares_or_never_ends_is_refused() {
        let deep = "<a>".repeat(1_000_000);
        let long = format!("<a>{}</a>", "x".repeat(6 << 10));
        let wide = format!("<a{}/>", " b=\"\"".repeat(100));
        for (text, words) in [
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "declares"),
            ("<a>&b;</a>", "no character"),
            ("<a>&#0;</a>", "no character"),
            ("<a><b></a>", "no XML"),
            ("<a>", "in the middle"),
            (&deep, "64 deep"),
            (&long, "longer"),
            (&wide, "64 attributes"),
        ] {
            let error = read(text).expect_err("a bad part").to_string();
            assert!(error.contains(words), "`{words}` is not in: {error}");
        }
    }
}
