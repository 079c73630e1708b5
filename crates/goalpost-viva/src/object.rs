//! JSON objects whose keys are taken one by one, so that nothing in them is lost or read twice.
//!
//! An element is read as an object of raw values: [`Tape`](crate::tape::Tape) checks the syntax and finds each value as
//! it stands in the file, and the readers in [`crate::value`] take the values apart. So an error can name the key and
//! quote the value, and a key that nobody took is set aside with its JSON.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::elements::Aside;
use crate::tape::Node;

/// One JSON value as it stands in the file: valid in syntax, not read yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a> {
    json: &'a str,
    /// Its own node, and those of what is in it.
    nodes: &'a [Node],
}

impl<'a> Raw<'a> {
    /// A value with nothing in it.
    pub(crate) fn new(json: &'a str) -> Self {
        Self { json, nodes: &[] }
    }

    /// A value with the nodes that were found in it.
    pub(crate) fn with_parts(json: &'a str, nodes: &'a [Node]) -> Self {
        Self { json, nodes }
    }

    pub(crate) fn json(self) -> &'a str {
        self.json
    }

    /// Whether it is known to be a text without escapes.
    fn is_plain(self) -> bool {
        matches!(self.nodes, [node] if !node.escaped)
    }

    /// What is right in it: the values of an array, the keys and values of an object in turn.
    pub(crate) fn parts(self) -> impl Iterator<Item = Raw<'a>> + use<'a> {
        let start = self.nodes.first().map_or(0, |node| node.start);
        let mut rest = self.nodes.get(1..).unwrap_or_default();
        std::iter::from_fn(move || {
            let node = rest.first()?;
            let (nodes, others) = rest.split_at(node.nodes as usize);
            rest = others;
            let json = &self.json[(node.start - start) as usize..(node.end - start) as usize];
            Some(Raw { json, nodes })
        })
    }

    pub(crate) fn is_null(self) -> bool {
        self.json == "null"
    }

    pub(crate) fn is_object(self) -> bool {
        self.json.starts_with('{')
    }

    pub(crate) fn is_list(self) -> bool {
        self.json.starts_with('[')
    }

    /// Whether it is an array or object with nothing in it.
    pub(crate) fn is_empty(self) -> bool {
        let inner = self.json.strip_prefix(['[', '{']).and_then(|rest| rest.strip_suffix([']', '}']));
        inner.is_some_and(|inner| inner.trim_ascii().is_empty())
    }

    pub(crate) fn is_number(self) -> bool {
        self.json.starts_with(|first: char| first == '-' || first.is_ascii_digit())
    }

    /// What stands between the quotes of a text, its escapes unread.
    pub(crate) fn quoted(self) -> Option<&'a str> {
        self.json.strip_prefix('"')?.strip_suffix('"')
    }

    /// The values of an array.
    pub(crate) fn list(self) -> Result<impl Iterator<Item = Raw<'a>> + use<'a>, Wrong> {
        if self.is_list() { Ok(self.parts()) } else { Err(Wrong::value(self, "a list")) }
    }

    /// The value without white space between its tokens. Its texts are checked, since nobody else read them.
    pub(crate) fn compact(self) -> Result<String, Wrong> {
        // Only an escape or a number can be wrong in what is sound in syntax.
        if self.json.bytes().any(|byte| byte == b'\\' || byte.is_ascii_digit()) {
            serde_json::from_str::<Sound>(self.json).map_err(|source| Wrong::json(self, &source))?;
        }
        let mut compact = String::with_capacity(self.json.len());
        let (mut quoted, mut escaped) = (false, false);
        for char in self.json.chars() {
            if quoted || !char.is_ascii_whitespace() {
                compact.push(char);
            }
            if escaped {
                escaped = false;
            } else if char == '\\' {
                escaped = true;
            } else if char == '"' {
                quoted = !quoted;
            }
        }
        Ok(compact)
    }

    /// The beginning of the value, for an error.
    pub(crate) fn shortened(self) -> String {
        const CHARS: usize = 80;
        match self.json.char_indices().nth(CHARS) {
            Some((end, _)) => format!("{}…", &self.json[..end]),
            None => self.json.to_owned(),
        }
    }
}

/// What is wrong with a value, and under which keys it stands inside its element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub(crate) path: String,
    pub(crate) what: String,
}

impl Wrong {
    pub(crate) fn value(found: Raw<'_>, expected: &str) -> Self {
        Self { path: String::new(), what: format!("found {}, expected {expected}", found.shortened()) }
    }

    pub(crate) fn json(found: Raw<'_>, source: &serde_json::Error) -> Self {
        Self { path: String::new(), what: format!("{} cannot be read as JSON: {source}", found.shortened()) }
    }

    /// What serde says about a text that is no JSON.
    pub(crate) fn syntax(json: &str) -> Self {
        match serde_json::from_str::<IgnoredAny>(json) {
            Err(source) => Self::json(Raw::new(json), &source),
            Ok(_) => Self::value(Raw::new(json), "JSON"),
        }
    }

    /// The same fault, seen from one level further out.
    pub(crate) fn under(mut self, step: &str) -> Self {
        self.path = joined(step, &self.path);
        self
    }
}

/// `Children` and `[3].Task Date` are `Children[3].Task Date`.
fn joined(step: &str, path: &str) -> String {
    if path.is_empty() || path.starts_with('[') { format!("{step}{path}") } else { format!("{step}.{path}") }
}

/// A JSON object of which values are taken by key.
#[derive(Debug)]
pub struct Object<'a> {
    entries: Vec<Entry<'a>>,
    /// Behind the entry that was found last. Files have their keys in the order in which they are asked for.
    next: Cell<usize>,
    aside: Vec<Aside>,
}

#[derive(Debug)]
struct Entry<'a> {
    key: Cow<'a, str>,
    value: Raw<'a>,
    taken: bool,
}

impl<'a> Object<'a> {
    /// Opens an object. That two values stand under one key is found by [`Object::into_aside`].
    pub(crate) fn open(raw: Raw<'a>) -> Result<Self, Wrong> {
        if !raw.is_object() {
            return Err(Wrong::value(raw, "an object"));
        }
        // As many as there are, unless there are others inside of them.
        let mut entries = Vec::with_capacity((raw.nodes.len() / 2).min(32));
        let mut parts = raw.parts();
        while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
            entries.push(Entry { key: text_of(key)?, value, taken: false });
        }
        Ok(Self { entries, next: Cell::new(0), aside: Vec::new() })
    }

    /// Opens an object of which nothing is set aside, its entries in the order of their keys. Two values under one key are
    /// an error.
    pub(crate) fn open_sorted(raw: Raw<'a>) -> Result<Self, Wrong> {
        let mut object = Self::open(raw)?;
        object.sort()?;
        Ok(object)
    }

    fn sort(&mut self) -> Result<(), Wrong> {
        self.entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        match self.entries.windows(2).find(|pair| pair[0].key == pair[1].key) {
            Some(pair) => Err(Wrong {
                path: pair[0].key.to_string(),
                what: "the key stands twice in one object".into(),
            }),
            None => Ok(()),
        }
    }

    /// Whether the key is there, with whatever value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// The value under a key, not counted as read.
    pub(crate) fn peek(&self, key: &str) -> Option<Raw<'a>> {
        self.find(key).map(|at| self.entries[at].value)
    }

    /// The value under a key; `None` when it is absent or null.
    pub(crate) fn take(&mut self, key: &str) -> Option<Raw<'a>> {
        let at = self.find(key)?;
        let entry = &mut self.entries[at];
        entry.taken = true;
        (!entry.value.is_null()).then_some(entry.value)
    }

    /// All values.
    pub(crate) fn into_values(self) -> Vec<Raw<'a>> {
        self.entries.into_iter().map(|entry| entry.value).collect()
    }

    fn find(&self, key: &str) -> Option<usize> {
        let (before, after) = self.entries.split_at(self.next.get());
        let among = |entries: &[Entry<'_>]| entries.iter().position(|entry| *entry.key == *key);
        let at = among(after).map(|at| before.len() + at).or_else(|| among(before))?;
        self.next.set(at + 1);
        Some(at)
    }

    /// Reads the value under a key; `None` when it is absent or null.
    pub(crate) fn optional<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Raw<'a>) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Wrong> {
        self.take(key).map(read).transpose().map_err(|wrong| wrong.under(key))
    }

    /// Reads the value under a key that must be there.
    pub(crate) fn required<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Raw<'a>) -> Result<T, Wrong>,
    ) -> Result<T, Wrong> {
        let missing = || Wrong { path: key.to_owned(), what: "the value is missing".into() };
        self.optional(key, read)?.ok_or_else(missing)
    }

    /// Reads the object under a key; `None` when it is absent, null or empty.
    pub(crate) fn nested<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Object<'a>) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Wrong> {
        match self.take(key) {
            Some(raw) if !raw.is_empty() => self.inner(|| key.to_owned(), raw, read).map(Some),
            _ => Ok(None),
        }
    }

    /// The values of the list under a key; none when it is absent, null or an empty object.
    pub(crate) fn values(&mut self, key: &str) -> Result<impl Iterator<Item = Raw<'a>> + use<'a>, Wrong> {
        let list = self.take(key).filter(|raw| !raw.is_empty()).map(Raw::list);
        Ok(list.transpose().map_err(|wrong| wrong.under(key))?.into_iter().flatten())
    }

    /// Reads every object of the list under a key.
    pub(crate) fn each<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&mut Object<'a>) -> Result<T, Wrong>,
    ) -> Result<Vec<T>, Wrong> {
        let values = self.values(key)?.enumerate();
        values.map(|(index, raw)| self.inner(|| format!("{key}[{index}]"), raw, &mut read)).collect()
    }

    /// Reads an object inside this one and keeps what it sets aside. `step` leads to it, and is only asked
    /// for when something is to be told about it.
    pub(crate) fn inner<T>(
        &mut self,
        step: impl Fn() -> String,
        raw: Raw<'a>,
        read: impl FnOnce(&mut Object<'a>) -> Result<T, Wrong>,
    ) -> Result<T, Wrong> {
        let read_whole = || {
            let mut object = Object::open(raw)?;
            let value = read(&mut object)?;
            Ok((value, object.into_aside()?))
        };
        let (value, aside) = read_whole().map_err(|wrong: Wrong| wrong.under(&step()))?;
        self.aside.extend(
            aside.into_iter().map(|inner| Aside { path: joined(&step(), &inner.path), json: inner.json }),
        );
        Ok(value)
    }

    /// Keeps a value whose shape is not known, under the path it stands at.
    pub(crate) fn set_aside(&mut self, path: &str, value: Raw<'_>) -> Result<(), Wrong> {
        let json = value.compact().map_err(|wrong| wrong.under(path))?;
        self.aside.push(Aside { path: path.to_owned(), json });
        Ok(())
    }

    /// All that was set aside: in nested objects, by the reader, and now every key that nobody took, in their order. Two
    /// values under one key are an error: nobody took the second.
    pub(crate) fn into_aside(mut self) -> Result<Vec<Aside>, Wrong> {
        if self.entries.iter().all(|entry| entry.taken) {
            return Ok(self.aside);
        }
        self.sort()?;
        for entry in std::mem::take(&mut self.entries) {
            if !entry.taken {
                self.set_aside(&entry.key, entry.value)?;
            }
        }
        Ok(self.aside)
    }
}

/// A key, borrowed from the file unless it has escapes.
fn text_of(key: Raw<'_>) -> Result<Cow<'_, str>, Wrong> {
    match key.quoted() {
        Some(plain) if key.is_plain() => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str(key.json).map(Cow::Owned).map_err(|source| Wrong::json(key, &source)),
    }
}

/// Any value, every text of which could be read. serde's `IgnoredAny` lets lone surrogates pass.
struct Sound;

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Sound)
    }
}

impl<'de> Visitor<'de> for Sound {
    type Value = Sound;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_str<E>(self, _: &str) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_unit<E>(self) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Sound, A::Error> {
        while seq.next_element::<Sound>()?.is_some() {}
        Ok(Sound)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sound, A::Error> {
        while map.next_entry::<Sound, Sound>()?.is_some() {}
        Ok(Sound)
    }
}
