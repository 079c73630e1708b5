//! CSV: an independent reader gets back every cell that was written, and every number and time reads back equal.
#![no_main]

use goalpost_tabular::{Csv, write_date_time, write_number};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some((eight, _)) = data.split_first_chunk::<8>() {
        numbers_read_back(f64::from_le_bytes(*eight));
        times_are_those_of_a_calendar_library(i64::from_le_bytes(*eight));
    }
    if let Ok(text) = str::from_utf8(data) {
        cells_read_back(text);
    }
});

fn numbers_read_back(number: f64) {
    if number.is_finite() {
        let mut out = Vec::new();
        write_number(&mut out, number);
        let text = String::from_utf8(out).expect("digits are UTF-8");
        assert_eq!(text.parse(), Ok(number));
        assert!(!text.contains(['e', 'E']), "{text}");
    }
}

fn times_are_those_of_a_calendar_library(at_us: i64) {
    // Every input is brought into the years 0 to 9999, which both sides print alike.
    let at_us = -62_167_219_200_000_000 + at_us.rem_euclid(315_537_897_600_000_000);
    let mut out = Vec::new();
    write_date_time(&mut out, at_us);
    let at = Timestamp::from_microsecond(at_us).expect("the year is below 10000");
    assert_eq!(out, at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string().into_bytes());
}

/// Cells end where the text has U+001F, records where it has U+001E. A first cell keeps records from being blank lines,
/// which readers skip.
fn cells_read_back(text: &str) {
    let records: Vec<Vec<&str>> = text
        .split('\u{1e}')
        .map(|record| ["x"].into_iter().chain(record.split('\u{1f}')).collect())
        .collect();
    let mut out = Csv::new();
    for record in &records {
        record.iter().for_each(|cell| out.text(cell));
        out.end_record();
    }
    let file = std::mem::take(out.buffer());
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file.as_slice());
    let read: Vec<csv::StringRecord> =
        reader.into_records().collect::<Result<_, _>>().expect("the CSV is whole");
    assert_eq!(read, records);
}
