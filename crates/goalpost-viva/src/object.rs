//! JSON objects whose keys are taken one by one, so that nothing in them is lost or read twice.
//!
//! An element is read as an object of raw values: serde checks the syntax and borrows each value as it stands
//! in the file, and the readers in [`crate::value`] take the values apart. So an error can name the key and
//! quote the value, and a key that nobody took is set aside with its JSON.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::elements::Aside;

/// One JSON value as it stands in the file: valid in syntax, not read yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    pub(crate) fn new(json: &'a str) -> Self {
        Self(json)
    }

    pub(crate) fn json(self) -> &'a str {
        self.0
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    pub(crate) fn is_list(self) -> bool {
        self.0.starts_with('[')
    }

    /// Whether it is an array or object with nothing in it.
    pub(crate) fn is_empty(self) -> bool {
        let inner = self.0.strip_prefix(['[', '{']).and_then(|rest| rest.strip_suffix([']', '}']));
        inner.is_some_and(|inner| inner.trim_ascii().is_empty())
    }

    pub(crate) fn is_number(self) -> bool {
        self.0.starts_with(|first: char| first == '-' || first.is_ascii_digit())
    }

    /// What stands between the quotes of a text, its escapes unread.
    pub(crate) fn quoted(self) -> Option<&'a str> {
        self.0.strip_prefix('"')?.strip_suffix('"')
    }

    /// The values of an array.
    pub(crate) fn list(self) -> Result<Vec<Raw<'a>>, Wrong> {
        if !self.is_list() {
            return Err(Wrong::value(self, "a list"));
        }
        let values: Vec<&RawValue> =
            serde_json::from_str(self.0).map_err(|source| Wrong::json(self, &source))?;
        Ok(values.into_iter().map(|value| Raw(value.get())).collect())
    }

    /// The value without white space between its tokens. Its texts are checked, since nobody else read them.
    pub(crate) fn compact(self) -> Result<String, Wrong> {
        serde_json::from_str::<Sound>(self.0).map_err(|source| Wrong::json(self, &source))?;
        let mut compact = String::with_capacity(self.0.len());
        let (mut quoted, mut escaped) = (false, false);
        for char in self.0.chars() {
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
        match self.0.char_indices().nth(CHARS) {
            Some((end, _)) => format!("{}…", &self.0[..end]),
            None => self.0.to_owned(),
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
    aside: Vec<Aside>,
}

#[derive(Debug)]
struct Entry<'a> {
    key: Cow<'a, str>,
    value: Raw<'a>,
    taken: bool,
}

impl<'a> Object<'a> {
    /// Opens an object. Two values under one key are an error.
    pub(crate) fn open(raw: Raw<'a>) -> Result<Self, Wrong> {
        if !raw.is_object() {
            return Err(Wrong::value(raw, "an object"));
        }
        let Entries(mut entries) =
            serde_json::from_str(raw.json()).map_err(|source| Wrong::json(raw, &source))?;
        // Sorted, for the search in `take`; what is set aside keeps this order.
        entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        match entries.windows(2).find(|pair| pair[0].key == pair[1].key) {
            Some(pair) => Err(Wrong {
                path: pair[0].key.to_string(),
                what: "the key stands twice in one object".into(),
            }),
            None => Ok(Self { entries, aside: Vec::new() }),
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

    /// All values, in the order of their keys.
    pub(crate) fn into_values(self) -> Vec<Raw<'a>> {
        self.entries.into_iter().map(|entry| entry.value).collect()
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.entries.binary_search_by(|entry| (*entry.key).cmp(key)).ok()
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
    pub(crate) fn values(&mut self, key: &str) -> Result<Vec<Raw<'a>>, Wrong> {
        match self.take(key) {
            Some(raw) if !raw.is_empty() => raw.list().map_err(|wrong| wrong.under(key)),
            _ => Ok(Vec::new()),
        }
    }

    /// Reads every object of the list under a key.
    pub(crate) fn each<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&mut Object<'a>) -> Result<T, Wrong>,
    ) -> Result<Vec<T>, Wrong> {
        let values = self.values(key)?.into_iter().enumerate();
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

    /// All that was set aside: in nested objects, by the reader, and now every key that nobody took.
    pub(crate) fn into_aside(mut self) -> Result<Vec<Aside>, Wrong> {
        for entry in std::mem::take(&mut self.entries) {
            if !entry.taken {
                self.set_aside(&entry.key, entry.value)?;
            }
        }
        Ok(self.aside)
    }
}

/// The entries of an object, in file order.
struct Entries<'a>(Vec<Entry<'a>>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    entries.push(Entry { key, value: Raw(value.get()), taken: false });
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// A key, borrowed from the file unless it has escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E: de::Error>(self, key: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrow)
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
