//! Times and days of a file as the database has them.

use goalpost_db::Value;
use jiff::civil::{Date, DateTime, Time};

pub(super) const EPOCH: DateTime = Date::constant(1970, 1, 1).to_datetime(Time::midnight());

/// Microseconds since 1970 of a time in UTC.
pub(super) fn micros(at: DateTime) -> i64 {
    let since = at.duration_since(EPOCH);
    since.as_secs() * 1_000_000 + i64::from(since.subsec_micros())
}

/// A day as text, `YYYY-MM-DD`, or null.
pub(super) fn day(date: Option<Date>) -> Value {
    date.map(|date| date.to_string()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_1970_in_both_directions() {
        let at = |year, month, day, hour| jiff::civil::datetime(year, month, day, hour, 0, 0, 0);
        assert_eq!(micros(at(1970, 1, 1, 0)), 0);
        assert_eq!(micros(at(1969, 12, 31, 23)), -3_600_000_000);
        assert_eq!(micros(at(2025, 11, 24, 12)), 1_763_985_600_000_000);
        assert_eq!(micros(at(9999, 12, 31, 23)), 253_402_297_200_000_000);
    }
}
