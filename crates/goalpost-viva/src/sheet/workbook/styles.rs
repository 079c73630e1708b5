//! What the numbers of cells mean: days, times, percents, by their formats.

use std::collections::HashMap;
use std::io::Read;

use jiff::civil::date;
use jiff::{SignedDuration, ToSpan};

use super::super::error::SheetError;
use super::xml::Xml;

/// Formats that are kept at most; a spreadsheet has 64,000.
const FORMATS: usize = 65_536;

/// What a number is shown as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// A number.
    #[default]
    Number,
    /// A hundred times the number, with a sign for percent.
    Percent,
    /// A day, a time, or both.
    Moment,
}

/// The formats of cells, by number.
#[derive(Debug, Default)]
pub(super) struct Styles(Vec<Shown>);

impl Styles {
    pub(super) fn read(mut xml: Xml<impl Read>) -> Result<Self, SheetError> {
        let mut codes: HashMap<u32, Shown> = HashMap::new();
        let mut styles = Vec::new();
        let mut is_cells = false;
        while let Some(tag) = xml.next_start()? {
            let number = || tag.get("numFmtId").and_then(|id| id.parse::<u32>().ok());
            match tag.name.as_str() {
                "numFmt" => {
                    if let (Some(id), Some(code)) = (number(), tag.get("formatCode")) {
                        codes.insert(id, of_code(code));
                    }
                }
                "cellXfs" => is_cells = true,
                "xf" if is_cells => {
                    let id = number().unwrap_or_default();
                    styles.push(codes.get(&id).copied().unwrap_or_else(|| of_number(id)));
                }
                "cellStyles" | "dxfs" => is_cells = false,
                _ => {}
            }
            if styles.len().max(codes.len()) > FORMATS {
                return Err(xml.damaged("has more formats than a workbook can have"));
            }
        }
        Ok(Self(styles))
    }

    pub(super) fn of(&self, style: Option<&str>) -> Shown {
        let at = style.and_then(|style| style.parse::<usize>().ok()).unwrap_or_default();
        self.0.get(at).copied().unwrap_or_default()
    }
}

/// The formats that every workbook has (ECMA-376 part 1, 18.8.30).
fn of_number(id: u32) -> Shown {
    match id {
        9 | 10 => Shown::Percent,
        14..=22 | 27..=36 | 45..=47 | 50..=58 => Shown::Moment,
        _ => Shown::Number,
    }
}

/// A format in words: `yyyy\-mm\-dd`, `0.0%`. What stands in quotation marks, brackets or behind a backslash is shown
/// as it is.
fn of_code(code: &str) -> Shown {
    let mut characters = code.split(';').next().unwrap_or_default().chars();
    let mut shown = Shown::Number;
    while let Some(character) = characters.next() {
        match character {
            '"' => drop(characters.by_ref().find(|next| *next == '"')),
            '[' => {
                let inner: String = characters.by_ref().take_while(|next| *next != ']').collect();
                // Hours that may be more than a day has.
                if matches!(inner.to_ascii_lowercase().as_str(), "h" | "hh" | "m" | "mm" | "s" | "ss") {
                    return Shown::Moment;
                }
            }
            '\\' | '_' | '*' => drop(characters.next()),
            'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => return Shown::Moment,
            // `General` has neither.
            'G' | 'g' => return Shown::Number,
            '%' => shown = Shown::Percent,
            _ => {}
        }
    }
    shown
}

/// A day or time as a workbook counts it: `2025-01-31`, `2025-01-31 09:30:00`, or a time alone. None for what is no day.
pub(in super::super) fn moment(serial: f64, is_1904: bool) -> Option<String> {
    // Up to the end of 9999.
    let from_1904 = if is_1904 { 1_462.0 } else { 0.0 };
    let serial = serial + from_1904;
    if !(0.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let seconds = (serial * 86_400.0).round() as i64;
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let time = format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
    if days == 0 {
        return Some(time);
    }
    // Workbooks know a 29th of February 1900, which never was: what they count before it is one day off.
    let days = match days {
        60 => return None,
        1..60 => days + 1,
        _ => days,
    };
    let day = date(1899, 12, 30).checked_add(days.days()).ok()?;
    Some(if second == 0 { day.to_string() } else { format!("{day} {time}") })
}

/// A day or time as ISO 8601 has it, in the form that tables have.
pub(super) fn iso(text: &str) -> String {
    let moment = text.trim().trim_end_matches('Z');
    let parsed = moment.parse::<jiff::civil::DateTime>().ok();
    let Some(parsed) = parsed.and_then(|at| at.round(jiff::Unit::Second).ok()) else {
        return text.to_owned();
    };
    let second = parsed.duration_since(parsed.date().to_datetime(jiff::civil::Time::midnight()));
    let day = parsed.date();
    if second == SignedDuration::ZERO { day.to_string() } else { format!("{day} {}", parsed.time()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_days_and_times() {
        for (serial, text) in [
            (46_354.0, Some("2026-11-28")),
            (25_569.5, Some("1970-01-01 12:00:00")),
            (61.0, Some("1900-03-01")),
            (60.0, None),
            (59.0, Some("1900-02-28")),
            (1.0, Some("1900-01-01")),
            (0.25, Some("06:00:00")),
            (2_958_465.0, Some("9999-12-31")),
            (2_958_466.0, None),
            (-1.0, None),
            (f64::NAN, None),
        ] {
            assert_eq!(moment(serial, false).as_deref(), text, "{serial}");
        }
        assert_eq!(moment(44_892.0, true).as_deref(), Some("2026-11-28"));
        for second in 0..86_400_i64 {
            let serial = second as f64 / 86_400.0 + 45_000.0;
            let text = moment(serial, false).expect("a time");
            let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
            assert!(second == 0 || text.ends_with(&time), "{second}: {text}");
        }
    }

    #[test]
    fn formats_are_told_by_number_and_by_code() {
        for (code, shown) in [
            ("General", Shown::Number),
            ("0.00", Shown::Number),
            ("#,##0 \"days\"", Shown::Number),
            ("[Red]0", Shown::Number),
            ("0.0%", Shown::Percent),
            ("0\\%", Shown::Number),
            ("yyyy\\-mm\\-dd\\ hh:mm:ss", Shown::Moment),
            ("[$-407]d. mmm yyyy", Shown::Moment),
            ("[h]:mm", Shown::Moment),
        ] {
            assert_eq!(of_code(code), shown, "{code}");
        }
        assert_eq!([0, 9, 14, 22, 49].map(of_number)[1..4], [Shown::Percent, Shown::Moment, Shown::Moment]);
    }

    #[test]
    fn days_may_be_written_as_iso_has_it() {
        for (text, read) in [
            ("2025-01-31", "2025-01-31"),
            ("2025-01-31T00:00:00Z", "2025-01-31"),
            ("2025-01-31T09:30:00.000", "2025-01-31 09:30:00"),
            ("soon", "soon"),
        ] {
            assert_eq!(iso(text), read);
        }
    }
}
