//! JSON Lines: each line is an object, and its keys are the headers.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{CellError, SheetError};
use super::explorer::{SheetLimits, at_most};
use super::header::{Header, Place};
use super::source::TextCell;
use crate::error::shown;

/// How much longer a line may be than the cells in it: marks and breaks are escaped, and keys stand in every line.
const ESCAPED: usize = 2;

/// A file of lines.
#[derive(Debug)]
pub(super) struct JsonLines<R> {
    input: R,
    /// The column of each key.
    places: HashMap<String, usize>,
}

impl<R: Read + Seek> JsonLines<R> {
    /// Reads the whole file once and gathers its keys, in the order in which they are met. Gives them as the first row of
    /// a table, in which a key that a line leaves out is an empty cell.
    pub(super) fn open(mut input: R, limits: SheetLimits) -> Result<(Self, Vec<String>), SheetError> {
        if input.seek(SeekFrom::End(0))? > limits.bytes {
            return Err(SheetError::TooLarge { what: "bytes in the file", limit: limits.bytes, row: 0 });
        }
        let (mut places, mut names, mut bytes) = (HashMap::new(), Vec::new(), 0);
        let mut lines = Lines::new(&mut input, limits)?;
        while let Some((row, line)) = lines.next()? {
            for (Text(key), _) in object(line, row, limits)? {
                if places.contains_key(&*key) {
                    continue;
                }
                bytes += key.len();
                at_most("columns", names.len() + 1, limits.columns, row)?;
                at_most("bytes in one cell", key.len(), limits.cell_bytes, row)?;
                at_most("bytes of headers", bytes, limits.row_bytes, row)?;
                places.insert(key.to_string(), names.len());
                names.push(key.into_owned());
            }
        }
        if names.is_empty() { Err(SheetError::Empty) } else { Ok((Self { input, places }, names)) }
    }

    /// Reads all lines, each with the values that no cell can hold.
    pub(super) fn each<E: From<SheetError>>(
        &mut self,
        limits: SheetLimits,
        header: &Header,
        mut visit: impl FnMut(u64, &[TextCell], Vec<CellError>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { input, places } = self;
        let mut lines = Lines::new(input, limits)?;
        let mut cells: Vec<TextCell> = Vec::new();
        while let Some((row, line)) = lines.next()? {
            cells.clear();
            let (mut errors, mut bytes) = (Vec::new(), 0);
            for (Text(key), json) in object(line, row, limits)? {
                let Some(place) = places.get(&*key).copied() else {
                    return Err(
                        SheetError::Line { line: row, what: "has a key that was not there before" }.into()
                    );
                };
                let is_known = matches!(header.place(place), Some(Place::Column(_) | Place::OneTag));
                if json.starts_with(['[', '{']) && is_known {
                    errors.push(CellError {
                        row,
                        column: shown(&key),
                        value: shown(json),
                        what: "is a list or an object, and a cell holds one value".to_owned(),
                    });
                    continue;
                }
                let text = text(json, row)?;
                bytes += text.len();
                at_most("bytes in one cell", text.len(), limits.cell_bytes, row)?;
                at_most("bytes in one row", bytes, limits.row_bytes, row)?;
                if !text.is_empty() {
                    cells.push((place, text));
                }
            }
            // Each object has its keys in an order of its own, and a table its columns in one.
            cells.sort_by_key(|(place, _)| *place);
            visit(row, &cells, errors)?;
        }
        Ok(())
    }
}

/// A value as a CSV has it; a list or an object as it stands.
fn text(json: &str, line: u64) -> Result<String, SheetError> {
    let text = match json.as_bytes().first() {
        Some(b'n') => String::new(),
        Some(b'"') => match serde_json::from_str::<Text<'_>>(json) {
            Ok(Text(text)) => text.into_owned(),
            Err(_) => return Err(SheetError::Line { line, what: "has a text with half a character" }),
        },
        Some(b'-' | b'0'..=b'9') if json.contains(['.', 'e', 'E']) => match json.parse::<f64>() {
            // Programs that know no whole numbers write `7.0`.
            Ok(number) if number.is_finite() => number.to_string(),
            _ => json.to_owned(),
        },
        _ => json.to_owned(),
    };
    if text.contains('\0') { Err(SheetError::Nul { line }) } else { Ok(text) }
}

/// The members of the object that a line is.
fn object(line: &[u8], row: u64, limits: SheetLimits) -> Result<Vec<(Text<'_>, &str)>, SheetError> {
    let wrong = |what| SheetError::Line { line: row, what };
    if line.contains(&0) {
        return Err(SheetError::Nul { line: row });
    }
    let line = std::str::from_utf8(line).map_err(|_| wrong("is no UTF-8"))?;
    let mut json = serde_json::Deserializer::from_str(line);
    let members = Members { most: limits.columns }.deserialize(&mut json);
    let members = members.and_then(|members| json.end().map(|()| members));
    let members = members.map_err(|_| wrong("is not one whole JSON object"))?;
    at_most("columns", members.len(), limits.columns, row)?;
    let mut keys: Vec<&str> = members.iter().map(|(Text(key), _)| &**key).collect();
    keys.sort_unstable();
    match keys.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(SheetError::TwoKeys { line: row, key: shown(pair[0]) }),
        None => Ok(members),
    }
}

/// Reads the members of an object, but for one more than `most` no others.
struct Members {
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Members {
    type Value = Vec<(Text<'de>, &'de str)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Text<'de>, &'de str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            if members.len() <= self.most {
                members.push((key, value.get()));
            }
        }
        Ok(members)
    }
}

/// A text, borrowed from the line unless it has escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrow)
    }
}

/// The lines of a file that have anything, each with its number from 1.
struct Lines<'a, R> {
    input: BufReader<&'a mut R>,
    line: Vec<u8>,
    number: u64,
    most: usize,
}

impl<'a, R: Read + Seek> Lines<'a, R> {
    fn new(input: &'a mut R, limits: SheetLimits) -> Result<Self, SheetError> {
        input.seek(SeekFrom::Start(0))?;
        let most = limits.row_bytes.saturating_mul(ESCAPED);
        Ok(Self { input: BufReader::with_capacity(64 << 10, input), line: Vec::new(), number: 0, most })
    }

    fn next(&mut self) -> Result<Option<(u64, &[u8])>, SheetError> {
        loop {
            self.line.clear();
            let most = self.most as u64 + 1;
            if (&mut self.input).take(most).read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            at_most("bytes in one line", self.line.len(), self.most, self.number)?;
            let is_first = self.number == 1;
            let mark = if is_first && self.line.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
            if !self.line[mark..].trim_ascii().is_empty() {
                return Ok(Some((self.number, &self.line[mark..])));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::{Explorer, GoalRow, HeaderWords};
    use super::*;

    fn rows(text: &str) -> Result<Vec<(GoalRow, Vec<CellError>)>, SheetError> {
        let input = Cursor::new(text.as_bytes());
        let mut table = Explorer::open_json_lines(input, SheetLimits::OPERATOR, &HeaderWords::default())?;
        let mut rows = Vec::new();
        table.each(|row, errors| {
            rows.push((row, errors));
            Ok::<_, SheetError>(())
        })?;
        Ok(rows)
    }

    #[test]
    fn objects_may_have_their_keys_in_any_order_or_not_at_all() {
        let text = "\u{feff}{\"Title\":\"Dig\",\"Target\":7.50,\"Score\":null}\r\n\n {\"Id\":9.0,\"Status\":\"\",\"Title\":\"\\u0053ow\\n\"} ";
        let rows = rows(text).expect("a table");
        let told: Vec<_> =
            rows.iter().map(|(row, _)| (row.row, row.id, row.title.as_str(), row.target)).collect();
        assert_eq!(told, [(1, None, "Dig", Some(7.5)), (3, Some(9), "Sow\n", None)]);
        assert!(rows.iter().all(|(row, errors)| errors.is_empty() && row.aside.is_empty()));
    }

    #[test]
    fn times_are_those_of_rfc_3339() {
        for (time, second) in [
            ("2026-01-05T08:30:00Z", 0),
            ("2026-01-05T09:30:07+01:00", 7),
            ("2026-01-05 07:00:07 -01:30", 7),
            ("2026-01-05 08:30:07+00", 7),
            ("2026-01-05T08:30:00.000", 0),
            ("2026-01-05 08:30:00 UTC", 0),
        ] {
            let text = format!("{{\"Title\":\"Dig\",\"Created At\":\"{time}\",\"Start Date\":\"{time}\"}}");
            let rows = rows(&text).expect("a table");
            let at = jiff::civil::datetime(2026, 1, 5, 8, 30, second, 0);
            assert_eq!((rows[0].0.created_at, rows[0].1.len()), (Some(at), 0), "{time}");
            assert_eq!(rows[0].0.start_date, Some(at.date()));
        }
    }

    #[test]
    fn what_no_cell_can_hold_is_told_and_what_nobody_knows_is_kept() {
        let rows = rows("{\"Title\":\"Dig\",\"Tag\":[\"a\"],\"Target\":true,\"Score\":\"much\",\"Depth\":{\"m\": [1]},\"Wet\":false}\n").expect("a table");
        let told: Vec<String> = rows[0].1.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "row 1, column `Tag`: `[\\\"a\\\"]` is a list or an object, and a cell holds one value",
                "row 1, column `Target`: `true` is no number such as 1234.5 or 1,234.5",
                "row 1, column `Score`: `much` is no number such as 1234.5 or 1,234.5",
            ]
        );
        let aside: Vec<_> = rows[0].0.aside.iter().map(|aside| (&*aside.path, &*aside.json)).collect();
        assert_eq!(aside, [("Depth", "\"{\\\"m\\\": [1]}\""), ("Wet", "\"false\"")]);
    }

    #[test]
    fn lines_that_are_no_objects_are_refused_by_number() {
        for (second, says) in [
            ("[1]", "line 2 is not one whole JSON object"),
            ("{\"Title\":", "line 2 is not one whole JSON object"),
            ("{\"Title\":\"a\"} {\"Title\":\"b\"}", "line 2 is not one whole JSON object"),
            ("{\"Title\":\"a\",\"T\\u0069tle\":\"b\"}", "line 2 has the key `Title` twice"),
            ("{\"Title\":\"\\ud800\"}", "line 2 has a text with half a character"),
            ("{\"Title\":\"\\u0000\"}", "line 2 has a NUL, which no text has"),
        ] {
            let error = rows(&format!("{{\"Title\":\"Dig\"}}\n{second}\n")).expect_err("line 2 is bad");
            assert_eq!(error.to_string(), says);
        }
        assert!(matches!(rows("{}\n"), Err(SheetError::Empty)));
        assert!(matches!(rows("{\"title\":1,\"TITLE\":2}\n"), Err(SheetError::TwoColumns { .. })));
    }
}
