//! CSV as other readers see it.

use goalpost_tabular::{Csv, write_date, write_date_time, write_number, write_percent};
use proptest::prelude::*;

fn record(cells: &[&str]) -> Vec<u8> {
    let mut file = Csv::new();
    for cell in cells {
        file.text(cell);
    }
    file.end_record();
    std::mem::take(file.buffer())
}

#[test]
fn cells_are_quoted_only_where_rfc_4180_asks_for_it() {
    let cases: &[(&[&str], &str)] = &[
        (&["plain", "two words", ""], "plain,two words,\r\n"),
        (&["a,b"], "\"a,b\"\r\n"),
        (&["say \"hi\""], "\"say \"\"hi\"\"\"\r\n"),
        (&["\""], "\"\"\"\"\r\n"),
        (&["line\nbreak", "x\r"], "\"line\nbreak\",\"x\r\"\r\n"),
        (&["=1+1", "äöü 🎯"], "=1+1,äöü 🎯\r\n"),
    ];
    for (cells, expected) in cases {
        assert_eq!(String::from_utf8(record(cells)).unwrap(), *expected, "{cells:?}");
    }
}

#[test]
fn numbers_take_the_shortest_form() {
    let cases = [
        (64.0, "64"),
        (-11.3, "-11.3"),
        (0.0, "0"),
        (-0.0, "0"),
        (275.0, "275"),
        (0.1, "0.1"),
        (1e20, "100000000000000000000"),
        (1e-7, "0.0000001"),
    ];
    for (number, expected) in cases {
        let mut out = Vec::new();
        write_number(&mut out, number);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn percentages_have_at_most_two_decimals() {
    for (number, expected) in
        [(14.285_714, "14.29"), (100.0, "100"), (33.333_333, "33.33"), (-11.304_3, "-11.3")]
    {
        let mut out = Vec::new();
        write_percent(&mut out, number);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn another_reader_gets_back_every_cell(rows in prop::collection::vec(prop::collection::vec(any::<String>(), 2..6), 1..8)) {
        let mut bytes = Vec::new();
        for row in &rows {
            bytes.extend(record(&row.iter().map(String::as_str).collect::<Vec<_>>()));
        }
        let read: Vec<Vec<String>> = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes.as_slice())
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect();
        prop_assert_eq!(read, rows);
    }

    #[test]
    fn numbers_read_back_equal(number in prop::num::f64::NORMAL | prop::num::f64::ZERO) {
        let mut out = Vec::new();
        write_number(&mut out, number);
        let read = String::from_utf8(out).unwrap().parse::<f64>().unwrap();
        prop_assert_eq!(read.to_bits(), if number == 0.0 { 0 } else { number.to_bits() });
    }
}

#[test]
fn times_are_printed_like_the_originals() {
    for (at_us, date, date_time) in [
        (1_741_640_228_000_000, "2025-03-10", "2025-03-10 20:57:08 UTC"),
        (0, "1970-01-01", "1970-01-01 00:00:00 UTC"),
        (-1, "1969-12-31", "1969-12-31 23:59:59 UTC"),
        (951_782_400_000_000, "2000-02-29", "2000-02-29 00:00:00 UTC"),
    ] {
        let (mut day, mut time) = (Vec::new(), Vec::new());
        write_date(&mut day, at_us);
        write_date_time(&mut time, at_us);
        assert_eq!((day, time), (date.as_bytes().to_vec(), date_time.as_bytes().to_vec()));
    }
}

proptest! {
    #[test]
    fn every_day_is_the_calendars(days in -700_000_i32..2_900_000) {
        let mut out = Vec::new();
        write_date(&mut out, i64::from(days) * 86_400_000_000);
        let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
        prop_assert_eq!(String::from_utf8(out).unwrap(), date.to_string());
    }
}
