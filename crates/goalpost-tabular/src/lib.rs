//! Rows to files: cells go in one by one, bytes come out. Knows no database and no HTTP.

mod cell;
mod csv;
mod dialect;
mod json_lines;
mod parquet;
mod pieces;
mod xlsx;

pub use cell::{Cell, ColumnKind, Head, Sink, Unfit};
pub use csv::Csv;
pub use dialect::{Dialect, DialectCsv, Formulas};
pub use json_lines::JsonLines;
pub use parquet::Parquet;
pub use xlsx::Xlsx;

use std::io::Write as _;

/// Append `number` in the shortest form that reads back equal: `64`, `14.29`, `-0.5`; never an exponent.
pub fn write_number(out: &mut Vec<u8>, number: f64) {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53: every whole number up to here is itself
    if number.fract() == 0.0 && number.abs() < EXACT {
        write_int(out, number as i64);
    } else {
        write!(out, "{number}").expect("writing to memory does not fail");
    }
}

/// Append `number` with at most two decimals, as computed percentages are printed.
pub fn write_percent(out: &mut Vec<u8>, number: f64) {
    write_number(out, rounded(number));
}

/// A number with at most two decimals.
pub fn rounded(number: f64) -> f64 {
    let hundredths = (number * 100.0).round();
    // A number too large to be multiplied has no decimals anyway.
    if hundredths.is_finite() { hundredths / 100.0 } else { number }
}

/// Append a whole number.
pub fn write_int(out: &mut Vec<u8>, number: i64) {
    // Digits from the right into a buffer that holds the longest i64.
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Append the UTC day of a time in microseconds since 1970: `2025-03-10`.
pub fn write_date(out: &mut Vec<u8>, at_us: i64) {
    let (year, month, day) = civil(at_us.div_euclid(86_400_000_000));
    if (0..=9999).contains(&year) {
        two_digits(out, year / 100);
        two_digits(out, year % 100);
    } else {
        write_int(out, year);
    }
    out.push(b'-');
    two_digits(out, month);
    out.push(b'-');
    two_digits(out, day);
}

/// Append a time in microseconds since 1970, to the second: `2025-03-10 20:57:08 UTC`.
pub fn write_date_time(out: &mut Vec<u8>, at_us: i64) {
    write_clock(out, at_us, b' ');
    out.extend_from_slice(b" UTC");
}

/// The same by clocks that are so many minutes ahead of UTC: `2025-03-10 21:57:08 +01:00`. `None`: UTC.
pub fn write_local_date_time(out: &mut Vec<u8>, at_us: i64, minutes_ahead: Option<i32>) {
    let Some(ahead) = minutes_ahead else { return write_date_time(out, at_us) };
    write_clock(out, local(at_us, ahead), b' ');
    out.push(b' ');
    write_offset(out, ahead);
}

/// What clocks show that are so many minutes ahead of UTC.
fn local(at_us: i64, minutes_ahead: i32) -> i64 {
    at_us.saturating_add(i64::from(minutes_ahead) * 60_000_000)
}

/// `2025-03-10`, the separator, `20:57:08`.
fn write_clock(out: &mut Vec<u8>, at_us: i64, separator: u8) {
    write_date(out, at_us);
    let second = at_us.div_euclid(1_000_000).rem_euclid(86_400);
    for (separator, part) in [(separator, second / 3600), (b':', second / 60 % 60), (b':', second % 60)] {
        out.push(separator);
        two_digits(out, part);
    }
}

/// `+01:00`.
fn write_offset(out: &mut Vec<u8>, minutes_ahead: i32) {
    let minutes = i64::from(minutes_ahead.unsigned_abs());
    out.push(if minutes_ahead < 0 { b'-' } else { b'+' });
    two_digits(out, minutes / 60);
    out.push(b':');
    two_digits(out, minutes % 60);
}

fn two_digits(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(&[b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar. Days are counted in eras
/// of 400 years that begin on 1 March, so that leap days come last. Three of these stand in every line of a file:
/// a calendar library's formatting would cost more than all the rest of the line.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The day of `YYYY-MM-DD`, counted from 1970-01-01: [`civil`] the other way round. `None` for a text of another form.
fn days_of(day: &str) -> Option<i64> {
    let mut parts = day.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}
