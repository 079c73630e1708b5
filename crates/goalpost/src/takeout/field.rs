//! A value as it stands in a line, and back.

use std::io::Write as _;

use goalpost_db::{Row, Value};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value as Json;
use uuid::Uuid;

use super::dictionary::{Field, Kind};
use super::{Result, TakeoutError};
use crate::backup::files::{hex, unhex};
use crate::http::time::precise_date_time;

/// Append the value of a column.
pub(super) fn write(row: &Row<'_>, column: usize, field: &Field, out: &mut Vec<u8>) -> Result<()> {
    if row.is_null(column)? {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match field.kind {
        Kind::Int => write_display(out, row.int(column)?),
        Kind::Flag => write_display(out, row.bool(column)?),
        Kind::Real => match row.opt_real(column)?.unwrap_or_default() {
            // The shortest text that is read back as the same number; SQLite keeps no sign of a zero, so none is written.
            number if number.is_finite() => write_display(out, format_args!("{:?}", number + 0.0)),
            number => write_display(out, format_args!("\"{number:?}\"")),
        },
        Kind::Text | Kind::Word(_) | Kind::Day => write_text(out, row.text(column)?),
        Kind::Instant => {
            let at_us = row.int(column)?;
            match instant(at_us) {
                Some(text) => write_text(out, &text),
                // Beyond the years that have such a form.
                None => write_display(out, at_us),
            }
        }
        Kind::Guid => {
            let bytes = row.blob(column)?;
            let guid = Uuid::from_slice(bytes).map_err(|_| TakeoutError::Strange(field.column.to_owned()))?;
            write_text(out, guid.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        }
        Kind::Bytes => write_text(out, &hex(row.blob(column)?)),
    }
    Ok(())
}

/// Append a text as JSON writes it.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a text is written to memory");
}

fn write_display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    write!(out, "{value}").expect("writing to memory does not fail");
}

/// The text of an instant, if it is read back as the same one.
fn instant(at_us: i64) -> Option<String> {
    let text = precise_date_time(at_us);
    (at_us_of(&text) == Some(at_us)).then_some(text)
}

fn at_us_of(text: &str) -> Option<i64> {
    let at: Timestamp = text.parse().ok()?;
    Some(at.as_microsecond())
}

/// The value of a field; `None` if it cannot stand there. Null is for the caller to judge.
pub(super) fn read(json: Json, kind: Kind) -> Option<Value> {
    Some(match (kind, json) {
        (_, Json::Null) => Value::Null,
        (Kind::Int | Kind::Instant, Json::Number(number)) => Value::Int(number.as_i64()?),
        (Kind::Real, Json::Number(number)) => Value::Real(number.as_f64()?),
        (Kind::Real, Json::String(text)) => match text.as_str() {
            "inf" => Value::Real(f64::INFINITY),
            "-inf" => Value::Real(f64::NEG_INFINITY),
            _ => return None,
        },
        (Kind::Flag, Json::Bool(flag)) => Value::Bool(flag),
        (Kind::Text, Json::String(text)) => Value::Text(text),
        (Kind::Word(words), Json::String(text)) if words.contains(&text.as_str()) => Value::Text(text),
        (Kind::Day, Json::String(text)) => {
            let day: Date = text.parse().ok()?;
            if day.to_string() != text {
                return None;
            }
            Value::Text(text)
        }
        (Kind::Instant, Json::String(text)) => Value::Int(at_us_of(&text)?),
        (Kind::Guid, Json::String(text)) => Value::Blob(Uuid::try_parse(&text).ok()?.into_bytes().to_vec()),
        (Kind::Bytes, Json::String(text)) => Value::Blob(unhex(&text)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_keeps_every_microsecond() {
        for at_us in [0, 1, -1, 1_698_969_182_051_701, 253_402_207_200_000_000, -62_135_596_800_000_000] {
            let text = instant(at_us).expect("a year with four digits");
            assert_eq!(read(text.into(), Kind::Instant), Some(Value::Int(at_us)));
        }
        for beyond in [i64::MAX, i64::MIN] {
            assert_eq!(instant(beyond), None);
            assert_eq!(read(beyond.into(), Kind::Instant), Some(Value::Int(beyond)));
        }
    }

    #[test]
    fn what_cannot_stand_in_a_field_is_refused() {
        let words = Kind::Word(&["file", "local"]);
        for (kind, json) in [
            (Kind::Int, Json::from("1")),
            (Kind::Int, Json::from(1.5)),
            (Kind::Int, Json::from(u64::MAX)),
            (Kind::Real, Json::from("NaN")),
            (Kind::Flag, Json::from(1)),
            (Kind::Text, Json::from(vec!["a"])),
            (words, Json::from("elsewhere")),
            (Kind::Day, Json::from("2026-02-30")),
            (Kind::Day, Json::from("20260201")),
            (Kind::Instant, Json::from("yesterday")),
            (Kind::Guid, Json::from("9ab0fcab")),
            (Kind::Bytes, Json::from("0g")),
        ] {
            assert_eq!(read(json.clone(), kind), None, "{kind:?} {json}");
        }
    }
}
