//! Values as a CSV has them.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use super::footer::Meaning;

/// The text of a value; none for bytes that are no text.
pub(super) fn text(meaning: Meaning, bytes: &[u8]) -> Option<String> {
    Some(match meaning {
        Meaning::Flag => if bytes == [0] { "false" } else { "true" }.to_owned(),
        Meaning::Int => signed(bytes).to_string(),
        Meaning::Unsigned => unsigned(bytes).to_string(),
        Meaning::Decimal(scale) => decimal(i128::from(signed(bytes)), scale),
        Meaning::WideDecimal(scale) => {
            let is_negative = bytes.first().is_some_and(|first| *first > 0x7f);
            let sign = if is_negative { -1 } else { 0 };
            // Of a number that is too wide its last digits would be left.
            let at = bytes.len().saturating_sub(16);
            if bytes[..at].iter().any(|byte| *byte != if is_negative { 0xff } else { 0 }) {
                return None;
            }
            let number = bytes[at..].iter().fold(sign, |number, byte| number << 8 | i128::from(*byte));
            decimal(number, scale)
        }
        // A zero has no sign.
        Meaning::Float => (f32::from_le_bytes(bytes.try_into().ok()?) + 0.0).to_string(),
        Meaning::Double => (f64::from_le_bytes(bytes.try_into().ok()?) + 0.0).to_string(),
        Meaning::Day => {
            let days = signed(bytes);
            day(days).map_or_else(|| days.to_string(), |day| day.to_string())
        }
        Meaning::Moment(unit) => {
            let at = signed(bytes);
            moment(i128::from(at) * (1_000_000_000 / i128::from(unit))).unwrap_or_else(|| at.to_string())
        }
        Meaning::OldMoment => {
            /// The day of 1970-01-01.
            const EPOCH: i128 = 2_440_588;
            let (nanos, days) = bytes.split_at_checked(8)?;
            let days = i128::from(unsigned(days)) - EPOCH;
            moment(days * 86_400_000_000_000 + i128::from(signed(nanos)))?
        }
        Meaning::Text => std::str::from_utf8(bytes).ok()?.to_owned(),
        Meaning::Uuid => {
            let mut text = String::with_capacity(36);
            for (place, byte) in bytes.iter().enumerate() {
                if matches!(place, 4 | 6 | 8 | 10) {
                    text.push('-');
                }
                write!(text, "{byte:02x}").ok()?;
            }
            text
        }
    })
}

fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn signed(bytes: &[u8]) -> i64 {
    let number = unsigned(bytes);
    if bytes.len() == 4 { i64::from(number as u32 as i32) } else { number.cast_signed() }
}

/// `12.50` of 1250 and 2.
fn decimal(number: i128, scale: u32) -> String {
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    let sign = if number < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn day(days: i64) -> Option<Date> {
    let span = jiff::Span::new().try_days(days).ok()?;
    Date::constant(1970, 1, 1).checked_add(span).ok()
}

/// `2026-01-31 09:30:00 UTC`, with the microseconds if there are any.
fn moment(nanos: i128) -> Option<String> {
    let at = Offset::UTC.to_datetime(Timestamp::from_nanosecond(nanos).ok()?);
    let (date, time): (Date, Time) = (at.date(), at.time());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    Some(match time.subsec_nanosecond() / 1_000 {
        0 => format!("{date} {hour:02}:{minute:02}:{second:02} UTC"),
        micros => format!("{date} {hour:02}:{minute:02}:{second:02}.{micros:06} UTC"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_as_a_csv_has_them() {
        for (meaning, bytes, told) in [
            (Meaning::Flag, &[1][..], "true"),
            (Meaning::Int, &[0xff, 0xff, 0xff, 0xff], "-1"),
            (Meaning::Unsigned, &[0xff, 0xff, 0xff, 0xff], "4294967295"),
            (Meaning::Decimal(2), &[0x83, 0xff, 0xff, 0xff], "-1.25"),
            (Meaning::Decimal(0), &[7, 0, 0, 0], "7"),
            (Meaning::WideDecimal(3), &[0xff, 0xfb], "-0.005"),
            (Meaning::WideDecimal(1), &[0, 0x80], "12.8"),
            (Meaning::Float, &0.1_f32.to_le_bytes(), "0.1"),
            (Meaning::Double, &100.0_f64.to_le_bytes(), "100"),
            (Meaning::Double, &(-0.0_f64).to_le_bytes(), "0"),
            (Meaning::Day, &[0xff, 0xff, 0xff, 0xff], "1969-12-31"),
            (Meaning::Day, &[0xff, 0xff, 0xff, 0x7f], "2147483647"),
            (Meaning::Moment(1_000), &1_500_i64.to_le_bytes(), "1970-01-01 00:00:01.500000 UTC"),
            (Meaning::Moment(1_000_000_000), &(-1_000_000_000_i64).to_le_bytes(), "1969-12-31 23:59:59 UTC"),
            (Meaning::Moment(1_000_000), &i64::MAX.to_le_bytes(), "9223372036854775807"),
            (Meaning::OldMoment, &[0, 0, 0, 0, 0, 0, 0, 0, 0x8d, 0x3d, 0x25, 0], "1970-01-02 00:00:00 UTC"),
            (Meaning::Uuid, &[0xab; 16], "abababab-abab-abab-abab-abababababab"),
        ] {
            assert_eq!(text(meaning, bytes).as_deref(), Some(told));
        }
        assert_eq!(text(Meaning::Text, b"\xff"), None);
        assert_eq!(text(Meaning::WideDecimal(0), &[1; 17]), None);
    }
}
