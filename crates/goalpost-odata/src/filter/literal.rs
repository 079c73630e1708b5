//! Values in a filter, and which text is which kind of value.

use std::fmt;

/// A value that stands in a filter.
///
/// Dates, times and GUIDs keep their text: the form and the range of every field are checked, and which type
/// they become is for the caller to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A whole number of 64 bits.
    Integer(i64),
    /// Any other number as written (`1.50`, `6e23`, a whole number past 64 bits), or `NaN`, `INF`, `-INF`.
    /// The text always parses as an `f64`.
    Decimal(String),
    /// Text in single quotes, without the quotes and with doubled ones made single.
    String(String),
    /// 36 characters in lower case: `2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7`.
    Guid(String),
    /// A day of a year of four digits: `2026-11-23`.
    Date(String),
    /// `18:43` or `18:43:07.5`.
    TimeOfDay(String),
    /// A day, `T`, a time, and `Z` or an offset: `2026-11-23T18:43:07Z`. Seconds may be missing.
    DateTimeOffset(String),
    /// The text inside `duration'…'`: days, hours, minutes and seconds, such as `P1DT2H30M`.
    Duration(String),
    /// A value whose type stands before the quotes: `Contoso.Colour'Red'`, `binary'T0RhdGE'`. Not checked.
    Typed {
        /// The name before the quotes.
        type_name: String,
        /// The text inside, as of a string.
        text: String,
    },
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Decimal(text)
            | Self::Guid(text)
            | Self::Date(text)
            | Self::TimeOfDay(text)
            | Self::DateTimeOffset(text) => f.write_str(text),
            Self::String(text) => write_quoted(f, text),
            Self::Duration(text) => {
                f.write_str("duration")?;
                write_quoted(f, text)
            }
            Self::Typed { type_name, text } => {
                f.write_str(type_name)?;
                write_quoted(f, text)
            }
        }
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "'{}'", text.replace('\'', "''"))
}

impl Literal {
    /// The literal that is spelled as a word.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        if word.eq_ignore_ascii_case("null") {
            Some(Self::Null)
        } else if word.eq_ignore_ascii_case("true") {
            Some(Self::Boolean(true))
        } else if word.eq_ignore_ascii_case("false") {
            Some(Self::Boolean(false))
        } else if matches!(word, "NaN" | "INF") {
            Some(Self::Decimal(word.to_owned()))
        } else {
            None
        }
    }

    /// The literal that is spelled without quotes and begins with a digit, a sign or, as a GUID may, a letter.
    pub(super) fn from_bare(text: &str) -> Option<Self> {
        if is_guid(text) {
            Some(Self::Guid(text.to_ascii_lowercase()))
        } else if is_number(text) {
            let unsigned = text.strip_prefix('+').unwrap_or(text);
            Some(unsigned.parse().map_or_else(|_| Self::Decimal(unsigned.to_owned()), Self::Integer))
        } else if is_date(text) {
            Some(Self::Date(text.to_owned()))
        } else if is_time_of_day(text) {
            Some(Self::TimeOfDay(text.to_owned()))
        } else {
            let text = text.to_ascii_uppercase();
            is_date_time_offset(&text).then_some(Self::DateTimeOffset(text))
        }
    }

    /// The literal with a type before its quotes, unless it is a malformed duration.
    pub(super) fn from_typed(type_name: &str, text: String) -> Option<Self> {
        if type_name.eq_ignore_ascii_case("duration") {
            let text = text.to_ascii_uppercase();
            is_duration(&text).then_some(Self::Duration(text))
        } else {
            Some(Self::Typed { type_name: type_name.to_owned(), text })
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    is_seconds(mantissa) && is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

/// Digits, and behind a point more digits.
fn is_seconds(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole) && is_digits(fraction)
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The number of exactly `width` digits, if it is at most `last`.
fn field(text: &str, width: usize, last: u16) -> Option<u16> {
    let number = if text.len() == width && is_digits(text) { text.parse().ok() } else { None };
    number.filter(|number| *number <= last)
}

fn is_date(text: &str) -> bool {
    let mut fields = text.splitn(3, '-');
    let mut next = |width, last| fields.next().and_then(|text| field(text, width, last));
    match (next(4, 9999), next(2, 12), next(2, 31)) {
        (Some(year), Some(month @ 1..), Some(day @ 1..)) => day <= days_in_month(year, month),
        _ => false,
    }
}

fn days_in_month(year: u16, month: u16) -> u16 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_hours_and_minutes(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(hours, minutes)| field(hours, 2, 23).is_some() && field(minutes, 2, 59).is_some())
}

fn is_time_of_day(text: &str) -> bool {
    let Some((start, seconds)) = text.split_at_checked(5) else { return false };
    is_hours_and_minutes(start)
        && (seconds.is_empty()
            || seconds.strip_prefix(':').is_some_and(|seconds| {
                is_seconds(seconds) && field(seconds.split('.').next().unwrap_or_default(), 2, 59).is_some()
            }))
}

fn is_date_time_offset(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let time = time.strip_suffix('Z').or_else(|| {
        let (time, offset) = time.split_at_checked(time.rfind(['+', '-'])?)?;
        is_hours_and_minutes(&offset[1..]).then_some(time)
    });
    is_date(date) && time.is_some_and(is_time_of_day)
}

/// The `dayTimeDuration` of XML Schema: `[-]P[nD][T[nH][nM][n[.n]S]]` with at least one part, and one after `T`.
fn is_duration(text: &str) -> bool {
    let Some(parts) = text.strip_prefix(['+', '-']).unwrap_or(text).strip_prefix('P') else { return false };
    match parts.split_once('T') {
        None => has_parts(parts, "D"),
        Some((days, times)) => (days.is_empty() || has_parts(days, "D")) && has_parts(times, "HMS"),
    }
}

/// Whether `text` is one number or more, each followed by its unit, with the units in the order of `units`.
fn has_parts(mut text: &str, units: &str) -> bool {
    let mut count = 0;
    for unit in units.chars() {
        if let Some((number, rest)) = text.split_once(unit) {
            if !(is_digits(number) || unit == 'S' && is_seconds(number)) {
                return false;
            }
            text = rest;
            count += 1;
        }
    }
    count > 0 && text.is_empty()
}
