//! A JSON document, looked at once: where each of its values stands.
//!
//! serde's raw values say where a value ends, and what is in one is then looked at again, level by level. Goals are four
//! levels deep, and an import reads every element twice.

use crate::array::DEPTH;
use crate::object::{Raw, Wrong};

/// Where a value stands in its document, and how many nodes are its own: itself, and all that is in it. In an object
/// each key is a node before that of its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) nodes: u32,
    /// Whether it is a text with escapes.
    pub(crate) escaped: bool,
}

/// The nodes of one document after another.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    nodes: Vec<Node>,
}

impl Tape {
    /// Nodes that are kept room for: those of an element that is larger than any known one.
    const KEPT: usize = 1 << 14;

    /// The whole of a document. Every syntax of JSON is checked, but for what a text's escapes mean together.
    pub(crate) fn read<'a>(&'a mut self, json: &'a str) -> Result<Raw<'a>, Wrong> {
        let end = self.scan(json.as_bytes(), usize::MAX);
        match end.filter(|&end| json[end..].trim_ascii().is_empty()) {
            Some(end) => Ok(self.whole(&json[..end])),
            None => Err(Wrong::syntax(json)),
        }
    }

    /// Look at the value that `bytes` begin with; tells where it ends. `None` if it does not end in there, is no JSON, is
    /// nested too deep, or has a text of more than `text_bytes`.
    pub(crate) fn scan(&mut self, bytes: &[u8], text_bytes: usize) -> Option<usize> {
        self.nodes.clear();
        self.nodes.shrink_to(Self::KEPT);
        u32::try_from(bytes.len()).ok()?;
        let mut reader = Reader { bytes, at: 0, text_bytes, nodes: &mut self.nodes };
        reader.blanks();
        reader.value(0)?;
        Some(reader.at)
    }

    /// The value that was scanned, in the document that it was scanned in.
    pub(crate) fn whole<'a>(&'a self, json: &'a str) -> Raw<'a> {
        let (start, end) = self.nodes.first().map_or((0, 0), |node| (node.start, node.end));
        Raw::with_parts(&json[start as usize..end as usize], &self.nodes)
    }
}

/// Reads on from a place. `None`: this is no JSON, and whoever asks serde learns why.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    text_bytes: usize,
    nodes: &'a mut Vec<Node>,
}

impl Reader<'_> {
    fn value(&mut self, depth: u32) -> Option<()> {
        let node = self.nodes.len();
        let start = self.at as u32;
        if self.bytes.get(self.at) == Some(&b'"') {
            return self.text();
        }
        self.nodes.push(Node { start, end: start, nodes: 1, escaped: false });
        match self.bytes.get(self.at)? {
            b'{' if depth < DEPTH => self.object(depth)?,
            b'[' if depth < DEPTH => self.list(depth)?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => self.number()?,
        }
        let nodes = (self.nodes.len() - node) as u32;
        self.nodes[node] = Node { start, end: self.at as u32, nodes, escaped: false };
        Some(())
    }

    fn object(&mut self, depth: u32) -> Option<()> {
        self.at += 1;
        self.blanks();
        if self.takes(b'}') {
            return Some(());
        }
        loop {
            if self.bytes.get(self.at) != Some(&b'"') {
                return None;
            }
            self.text()?;
            self.blanks();
            self.takes(b':').then_some(())?;
            self.blanks();
            self.value(depth + 1)?;
            self.blanks();
            if self.takes(b'}') {
                return Some(());
            }
            self.takes(b',').then_some(())?;
            self.blanks();
        }
    }

    fn list(&mut self, depth: u32) -> Option<()> {
        self.at += 1;
        self.blanks();
        if self.takes(b']') {
            return Some(());
        }
        loop {
            self.value(depth + 1)?;
            self.blanks();
            if self.takes(b']') {
                return Some(());
            }
            self.takes(b',').then_some(())?;
            self.blanks();
        }
    }

    fn text(&mut self) -> Option<()> {
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        loop {
            self.at += plain::<true>(&self.bytes[self.at..]);
            match self.bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    self.nodes.push(Node { start: start as u32, end: self.at as u32, nodes: 1, escaped });
                    return (self.at - start - 2 <= self.text_bytes).then_some(());
                }
                b'\\' => {
                    escaped = true;
                    match self.bytes.get(self.at + 1)? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
                        b'u' => {
                            let digits = self.bytes.get(self.at + 2..self.at + 6)?;
                            digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                            self.at += 6;
                        }
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _ = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        Some(())
    }

    /// One digit, and all that follow.
    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn takes(&mut self, byte: u8) -> bool {
        let takes = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(takes);
        takes
    }
}

/// How many bytes stand before the next quotation mark or backslash, or, if asked, control character: all of them if
/// there is none. Eight at a time.
pub(crate) fn plain<const CONTROL: bool>(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // The lowest mark is right; those above it may be marks too many, by the borrow.
    let below = |eight: u64, bound: u8| eight.wrapping_sub(ONES * u64::from(bound)) & !eight & HIGH;
    let mut chunks = bytes.chunks_exact(8);
    let mut at = 0;
    for chunk in &mut chunks {
        let eight = u64::from_le_bytes(chunk.try_into().expect("a chunk has eight bytes"));
        let mut marks =
            below(eight ^ (ONES * u64::from(b'"')), 1) | below(eight ^ (ONES * u64::from(b'\\')), 1);
        if CONTROL {
            marks |= below(eight, b' ');
        }
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let ends = |&byte: &u8| matches!(byte, b'"' | b'\\') || (CONTROL && byte < b' ');
    let rest = chunks.remainder();
    at + rest.iter().position(ends).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    #[test]
    fn texts_end_where_they_end() {
        for length in 0..40 {
            for (mark, control) in [("\"", false), ("\\", false), ("\n", true), ("\u{1f}", true)] {
                let text =
                    format!("{}{mark}\"", "ü¢ \u{7f}\u{80}".chars().cycle().take(length).collect::<String>());
                let at = text.find(mark).unwrap();
                assert_eq!(plain::<true>(text.as_bytes()), at, "{text:?}");
                assert_eq!(plain::<false>(text.as_bytes()), at + usize::from(control), "{text:?}");
            }
        }
    }

    proptest! {
        /// Texts near to JSON: what serde takes is taken, and nothing else.
        #[test]
        fn what_is_json_is_what_serde_says(
            json in r#"([\[\]{}:,"\\ \n\x00ü]|"a"|"\\u00e9"|"\\ud800"|[-+.eE0-9]{1,3}|true|fals|false|null|\{"k":|\[1,){0,12}"#
        ) {
            let ours = Tape::default().read(&json).is_ok();
            prop_assert_eq!(ours, serde_json::from_str::<IgnoredAny>(&json).is_ok());
        }
    }

    #[test]
    fn the_parts_of_a_value_are_found() {
        let json = r#" { "a" : [ 1 , {"b":"]}"} , "" ] ,"c":null} "#;
        let mut tape = Tape::default();
        let whole = tape.read(json).unwrap();
        let parts = |raw: Raw<'_>| raw.parts().map(|part| part.json().to_owned()).collect::<Vec<_>>();
        assert_eq!(whole.json(), json.trim());
        assert_eq!(parts(whole), [r#""a""#, r#"[ 1 , {"b":"]}"} , "" ]"#, r#""c""#, "null"]);
        let list = whole.parts().nth(1).unwrap();
        assert_eq!(parts(list), ["1", r#"{"b":"]}"}"#, "\"\""]);
        assert_eq!(parts(list.parts().nth(1).unwrap()), [r#""b""#, r#""]}""#]);
    }
}
