//! How single JSON values are read: texts, ids, numbers, weights, dates and times.

use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};

use crate::object::{Raw, Wrong};

/// A JSON text.
pub(crate) fn text(raw: Raw<'_>) -> Result<String, Wrong> {
    let Some(inner) = raw.quoted() else { return Err(Wrong::value(raw, "a text")) };
    if !inner.contains('\\') {
        return Ok(inner.to_owned());
    }
    serde_json::from_str(raw.json()).map_err(|source| Wrong::json(raw, &source))
}

/// An id: a JSON whole number that is not negative.
pub(crate) fn id(raw: Raw<'_>) -> Result<i64, Wrong> {
    digits(raw.json()).ok_or_else(|| Wrong::value(raw, "a whole number, not negative"))
}

/// A number: a JSON number, or a text with or without thousands separators such as `"1,234.5"`. Always
/// finite.
pub(crate) fn number(raw: Raw<'_>) -> Result<f64, Wrong> {
    const EXPECTED: &str = "a number such as 1234.5 or \"1,234.5\"";
    let found = match raw.quoted() {
        Some(inner) => ungrouped(inner.trim()),
        None if raw.is_number() => f64::from_str(raw.json()).ok(),
        None => None,
    };
    found.filter(|number| number.is_finite()).ok_or_else(|| Wrong::value(raw, EXPECTED))
}

/// A number, or nothing where the text is empty.
pub(crate) fn number_if_any(raw: Raw<'_>) -> Result<Option<f64>, Wrong> {
    if raw.quoted() == Some("") { Ok(None) } else { number(raw).map(Some) }
}

/// A share of a parent in percent: `"25.0%"`, `"25"` or `25`. An empty text is no weight.
pub(crate) fn weight(raw: Raw<'_>) -> Result<Option<f64>, Wrong> {
    let found = match raw.quoted().map(str::trim) {
        Some("") => return Ok(None),
        Some(inner) => ungrouped(inner.strip_suffix('%').unwrap_or(inner).trim_end()),
        None => number(raw).ok(),
    };
    match found.filter(|number| number.is_finite()) {
        Some(number) => Ok(Some(number)),
        None => Err(Wrong::value(raw, "a weight such as \"25.0%\"")),
    }
}

/// A day, `YYYY-MM-DD`. An empty text is no day.
pub(crate) fn day(raw: Raw<'_>) -> Result<Option<Date>, Wrong> {
    match raw.quoted() {
        Some("") => Ok(None),
        inner => match inner.and_then(parse_day) {
            Some(day) => Ok(Some(day)),
            None => Err(Wrong::value(raw, "a date such as \"2025-01-31\"")),
        },
    }
}

/// A time in UTC, `YYYY-MM-DD HH:MM:SS` with or without decimals, and with or without ` UTC` behind it, or a day, which is its midnight. An
/// empty text is no time.
pub(crate) fn moment(raw: Raw<'_>) -> Result<Option<DateTime>, Wrong> {
    match raw.quoted() {
        Some("") => Ok(None),
        inner => match inner.and_then(parse_moment) {
            Some(moment) => Ok(Some(moment)),
            None => Err(Wrong::value(raw, "a time such as \"2025-01-31 09:30:00\" or a date")),
        },
    }
}

/// Reads a text of ASCII digits and nothing else: `str::parse` alone takes a sign.
pub(crate) fn digits<T: FromStr>(text: &str) -> Option<T> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Reads a decimal number whose integer part may be grouped by commas in threes. Words that `f64` takes
/// (`NaN`, `inf`) are none.
pub(crate) fn ungrouped(text: &str) -> Option<f64> {
    let plain =
        |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let Some((first, _)) = text.split_once(',') else {
        return plain(text).then(|| text.parse().ok()).flatten();
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let leads = first.trim_start_matches(['-', '+']);
    let grouped = (1..=3).contains(&leads.len())
        && leads.bytes().all(|byte| byte.is_ascii_digit())
        && whole.split(',').skip(1).all(|group| group.len() == 3 && digits::<u16>(group).is_some())
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    grouped.then(|| text.replace(',', "").parse().ok()).flatten()
}

pub(crate) fn parse_day(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || !text.is_ascii() || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    Date::new(digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..])?).ok()
}

pub(crate) fn parse_moment(text: &str) -> Option<DateTime> {
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let Some((day, time)) = text.split_once(' ') else { return parse_day(text).map(DateTime::from) };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let bytes = time.as_bytes();
    if bytes.len() != 8 || !time.is_ascii() || bytes[2] != b':' || bytes[5] != b':' || fraction.len() > 9 {
        return None;
    }
    let nanos = digits::<i32>(fraction)? * 10_i32.pow(9 - fraction.len() as u32);
    let time = Time::new(digits(&time[..2])?, digits(&time[3..5])?, digits(&time[6..])?, nanos).ok()?;
    Some(parse_day(day)?.to_datetime(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(read: impl Fn(Raw<'_>) -> Result<T, Wrong>, json: &str) -> Option<T> {
        read(Raw::new(json)).ok()
    }

    #[test]
    fn numbers_may_be_texts_with_thousands_separators() {
        for (json, number) in [
            ("12", 12.0),
            ("-3.5", -3.5),
            ("1e3", 1000.0),
            ("\"1,234.5\"", 1234.5),
            ("\"-1,234,567\"", -1_234_567.0),
            ("\" 42 \"", 42.0),
            ("0.1", 0.1),
        ] {
            assert_eq!(read(super::number, json), Some(number), "{json}");
        }
    }

    #[test]
    fn unreadable_numbers_are_refused() {
        for json in [
            "\"1,23\"",
            "\"1.234,5\"",
            "\"NaN\"",
            "\"inf\"",
            "\"\"",
            "true",
            "1e999",
            "\"1e999\"",
            "[]",
            "\"0x10\"",
            "\",100\"",
            "\"1,234.5.6\"",
            "\"--1,000\"",
        ] {
            assert_eq!(read(super::number, json), None, "{json}");
        }
    }

    #[test]
    fn weights_carry_a_percent_sign() {
        assert_eq!(read(weight, "\"25.0%\""), Some(Some(25.0)));
        assert_eq!(read(weight, "\"33.33 %\""), Some(Some(33.33)));
        assert_eq!(read(weight, "10"), Some(Some(10.0)));
        assert_eq!(read(weight, "\"\""), Some(None));
        assert_eq!(read(weight, "\"heavy\""), None);
    }

    #[test]
    fn times_stand_with_and_without_a_clock() {
        let midnight = jiff::civil::datetime(2025, 1, 31, 0, 0, 0, 0);
        let morning = jiff::civil::datetime(2025, 1, 31, 9, 30, 5, 0);
        assert_eq!(read(moment, "\"2025-01-31\""), Some(Some(midnight)));
        assert_eq!(read(moment, "\"2025-01-31 09:30:05\""), Some(Some(morning)));
        assert_eq!(read(moment, "\"2025-01-31 09:30:05 UTC\""), Some(Some(morning)));
        for json in [
            "\"2025-02-30\"",
            "\"2025-01-31 24:00:00\"",
            "\"31.01.2025\"",
            "17",
            "\"2025-1-31\"",
            "\"२०२५-01-31\"",
        ] {
            assert_eq!(read(moment, json), None, "{json}");
        }
    }

    #[test]
    fn ids_are_whole_and_not_negative() {
        assert_eq!(read(id, "4080001"), Some(4_080_001));
        for json in ["-1", "1.0", "1e3", "\"7\"", "9223372036854775808", "null"] {
            assert_eq!(read(id, json), None, "{json}");
        }
    }

    #[test]
    fn lone_surrogates_are_refused() {
        assert_eq!(read(text, r#""\ud83c\udfaf""#).as_deref(), Some("🎯"));
        assert_eq!(read(text, r#""\ud83c""#), None);
    }
}
