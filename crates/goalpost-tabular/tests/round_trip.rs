//! What is written in each format comes back whole by a reader that others wrote, whatever its texts are.

use std::io::Cursor;

use bytes::Bytes;
use calamine::{Data, Reader as _, Xlsx as Workbook};
use goalpost_tabular::{
    Cell, ColumnKind, Dialect, DialectCsv, Formulas, Head, JsonLines, Parquet, Sink, Unfit, Xlsx,
};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Texts in a table of the tests.
const ROWS: usize = 4;
/// Parts of which hostile texts are made.
const PARTS: [&str; 34] = [
    "=", "+", "-", "@", "\t", "\r", "\n", "\r\n", "\0", "\u{1}", "\u{1f}", "'", "''", "\"", "\"\"", ",", ";",
    "|", "\u{feff}", "\u{200b}", "\u{a0}", "＝", "＠", "_x0041_", "_x000D_", "\u{fffe}", "\u{ffff}", "]]>",
    "&amp;", "<b>", "\\", "🎯", "ä", " ",
];

/// How many texts each test writes; `GOALPOST_TEXTS` says another number.
fn texts() -> usize {
    std::env::var("GOALPOST_TEXTS").map_or(8_000, |text| text.parse().expect("a number"))
}

fn hostile() -> impl Strategy<Value = String> {
    let parts =
        prop::collection::vec(prop::sample::select(&PARTS[..]), 0..6).prop_map(|parts| parts.concat());
    let formula = ("[=+@\t-]", ".{0,12}").prop_map(|(sign, rest)| sign + &rest);
    prop_oneof![3 => parts, 1 => any::<String>(), 1 => formula, 1 => "[a-z0-9 ]{0,8}"]
}

/// A row: a whole number, a number, a text, a day, a moment, yes or no, and another text. Any may be missing.
type Row = (Option<i64>, Option<f64>, Option<String>, Option<i32>, Option<i64>, Option<bool>, Option<String>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        prop::option::of(any::<i64>()),
        prop::option::of(prop::num::f64::NORMAL | prop::num::f64::ZERO),
        prop::option::weighted(0.9, hostile()),
        // Years of four digits.
        prop::option::of(-719_000_i32..2_900_000),
        prop::option::of(-60_000_000_000_000_000_i64..250_000_000_000_000_000),
        any::<Option<bool>>(),
        prop::option::weighted(0.9, hostile()),
    );
    prop::collection::vec(row, 1..=2 * ROWS)
}

fn heads() -> Vec<Head> {
    let kinds = [
        ("id", ColumnKind::Int),
        ("number", ColumnKind::Number),
        ("text, \"quoted\"", ColumnKind::Text),
        ("day", ColumnKind::Day),
        ("moment", ColumnKind::Moment),
        ("flag", ColumnKind::Flag),
        ("note", ColumnKind::Text),
    ];
    kinds.map(|(name, kind)| Head { name: name.to_owned(), kind }).to_vec()
}

fn day_of(days: i32) -> String {
    let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days));
    date.expect("years of four digits").to_string()
}

/// The file of these rows.
fn written(mut sink: impl Sink, rows: &[Row]) -> Result<Vec<u8>, Unfit> {
    sink.begin(&heads())?;
    for (id, number, text, day, moment, flag, note) in rows {
        let day = day.map(day_of);
        for cell in [
            id.map(Cell::Int),
            number.map(Cell::Number),
            text.as_deref().map(Cell::Text),
            day.as_deref().map(Cell::Day),
            moment.map(Cell::Moment),
            flag.map(Cell::Flag),
            note.as_deref().map(Cell::Text),
        ] {
            sink.cell(cell.unwrap_or(Cell::Empty))?;
        }
        sink.end_row()?;
    }
    sink.end()?;
    let mut bytes = Vec::new();
    while sink.waiting() > 0 {
        bytes.extend(sink.take(Vec::new()));
    }
    Ok(bytes)
}

/// Try so many tables that they hold as many texts as wanted.
fn for_tables(check: impl Fn(Vec<Row>) -> Result<(), TestCaseError>) {
    let cases = texts().div_ceil(2 * ROWS) as u32;
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&rows(), check).expect("every table comes back");
}

/// A moment to the second, as a text file has it.
fn second(at_us: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at_us.div_euclid(1_000_000)).expect("within the years of a calendar")
}

fn csv_comes_back(dialect: Dialect) {
    for_tables(|rows| {
        let bytes = match written(DialectCsv::new(dialect), &rows) {
            Ok(bytes) => bytes,
            Err(refused) => {
                prop_assert!(dialect.formulas == Formulas::Refuse, "{refused}");
                prop_assert!(refused.0.contains("for a formula"), "{refused}");
                return Ok(());
            }
        };
        let bytes =
            if dialect.mark { bytes.strip_prefix("\u{feff}".as_bytes()).expect("a mark") } else { &bytes };
        let read: Vec<Vec<String>> = csv::ReaderBuilder::new()
            .delimiter(dialect.separator)
            .from_reader(bytes)
            .records()
            .map(|record| record.expect("a record").iter().map(str::to_owned).collect())
            .collect();
        prop_assert_eq!(read.len(), rows.len());
        let text_of = |cell: &str| match dialect.formulas {
            Formulas::AsText => cell.strip_prefix('\'').unwrap_or(cell).to_owned(),
            Formulas::Raw | Formulas::Refuse => cell.to_owned(),
        };
        for (cells, (id, number, text, day, moment, flag, note)) in read.iter().zip(&rows) {
            prop_assert_eq!(cells[0].parse().ok(), *id);
            let point = cells[1].replace(char::from(dialect.decimal), ".");
            prop_assert_eq!(point.parse().ok(), *number);
            prop_assert_eq!(text_of(&cells[2]), text.clone().unwrap_or_default());
            prop_assert_eq!(cells[3].clone(), day.map(day_of).unwrap_or_default());
            let at = cells[4].replacen(' ', "T", 1).replace(" UTC", "Z").parse::<jiff::Timestamp>();
            prop_assert_eq!(at.ok(), moment.map(second));
            prop_assert_eq!(cells[5].parse().ok(), *flag);
            prop_assert_eq!(text_of(&cells[6]), note.clone().unwrap_or_default());
            if dialect.formulas == Formulas::AsText {
                for cell in [&cells[2], &cells[6]] {
                    let seen = cell.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
                    prop_assert!(!seen.starts_with(['=', '+', '-', '@', '＝', '＠']), "{cell:?}");
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_csv_for_programs_comes_back() {
    csv_comes_back(Dialect::MACHINE);
}

#[test]
fn a_csv_for_spreadsheets_comes_back() {
    csv_comes_back(Dialect::SPREADSHEET);
}

#[test]
fn a_csv_of_every_dialect_comes_back() {
    for separator in [b',', b';', b'\t'] {
        for decimal in [b'.', b','] {
            for formulas in [Formulas::Raw, Formulas::AsText, Formulas::Refuse] {
                if decimal != separator {
                    csv_comes_back(Dialect { separator, decimal, mark: separator == b'\t', formulas });
                }
            }
        }
    }
}

#[test]
fn json_lines_come_back() {
    for_tables(|rows| {
        let bytes = written(JsonLines::new(), &rows).expect("JSON holds everything");
        let text = std::str::from_utf8(&bytes).expect("UTF-8");
        let read: Vec<serde_json::Value> =
            text.split_terminator('\n').map(|line| serde_json::from_str(line).expect("JSON")).collect();
        prop_assert_eq!(read.len(), rows.len());
        for (line, (id, number, text, day, moment, flag, note)) in read.iter().zip(&rows) {
            let names: Vec<_> = line.as_object().expect("an object").keys().cloned().collect();
            prop_assert_eq!(names, heads().into_iter().map(|head| head.name).collect::<Vec<_>>());
            prop_assert_eq!(line["id"].as_i64(), *id);
            prop_assert_eq!(line["number"].as_f64(), *number);
            prop_assert_eq!(line["text, \"quoted\""].as_str(), text.as_deref());
            prop_assert_eq!(line["day"].as_str().map(str::to_owned), day.map(day_of));
            let at = line["moment"].as_str().map(|text| text.parse().expect("an instant"));
            prop_assert_eq!(at, moment.map(second));
            prop_assert_eq!(line["flag"].as_bool(), *flag);
            prop_assert_eq!(line["note"].as_str(), note.as_deref());
        }
        Ok(())
    });
}

#[test]
fn parquet_comes_back() {
    for_tables(|rows| {
        let bytes = written(Parquet::new(), &rows).expect("Parquet holds everything");
        prop_assert_eq!(&written(Parquet::new(), &rows).expect("again"), &bytes);
        let file = SerializedFileReader::new(Bytes::from(bytes)).expect("a Parquet file");
        let read: Vec<Vec<Field>> = file
            .get_row_iter(None)
            .expect("rows")
            .map(|row| row.expect("a row").get_column_iter().map(|(_, field)| field.clone()).collect())
            .collect();
        prop_assert_eq!(read.len(), rows.len());
        for (fields, (id, number, text, day, moment, flag, note)) in read.into_iter().zip(rows) {
            let said = [
                id.map(Field::Long),
                number.map(Field::Double),
                text.map(Field::Str),
                day.map(Field::Date),
                moment.map(Field::TimestampMicros),
                flag.map(Field::Bool),
                note.map(Field::Str),
            ];
            prop_assert_eq!(fields, said.map(|field| field.unwrap_or(Field::Null)).to_vec());
        }
        Ok(())
    });
}

/// A text as a cell of a workbook holds it: lines end with a line feed.
fn in_a_cell(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

#[test]
fn a_workbook_comes_back() {
    for_tables(|rows| {
        let bytes =
            written(Xlsx::new("Goals", rows.len() as u64), &rows).expect("a workbook holds everything");
        let mut book: Workbook<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).expect("a workbook");
        let formulas = book.worksheet_formula("Goals").expect("a sheet");
        prop_assert!(formulas.used_cells().all(|(_, _, formula)| formula.is_empty()));
        let sheet = book.worksheet_range("Goals").expect("a sheet");
        let text = |cell: Option<&Data>| match cell {
            None | Some(Data::Empty) => String::new(),
            Some(Data::String(text)) => text.clone(),
            Some(other) => panic!("{other:?} is no text"),
        };
        for (row, said) in rows.iter().enumerate() {
            let cell = |column: u32| sheet.get_value((row as u32 + 1, column));
            let (_, _, said_text, _, _, flag, note) = said;
            prop_assert_eq!(text(cell(2)), in_a_cell(said_text.as_deref().unwrap_or_default()));
            prop_assert_eq!(text(cell(6)), in_a_cell(note.as_deref().unwrap_or_default()));
            prop_assert_eq!(cell(5).and_then(calamine::DataType::get_bool), *flag);
            if let Some(number) = said.1 {
                prop_assert_eq!(cell(1).and_then(calamine::DataType::get_float), Some(number));
            }
        }
        Ok(())
    });
}

#[test]
fn a_large_parquet_file_has_row_groups_of_bounded_size() {
    let heads = [
        Head { name: "id".to_owned(), kind: ColumnKind::Int },
        Head { name: "text".to_owned(), kind: ColumnKind::Text },
    ];
    let mut sink = Parquet::new();
    sink.begin(&heads).expect("two columns");
    let (mut bytes, mut most) = (Vec::new(), 0);
    let text = "One of many. ".repeat(80_000);
    for id in 0..40 {
        sink.cell(Cell::Int(id)).expect("a number");
        sink.cell(Cell::Text(&text)).expect("a text");
        sink.end_row().expect("a row");
        most = most.max(sink.waiting());
        while sink.waiting() > 0 {
            bytes.extend(sink.take(Vec::new()));
        }
    }
    sink.end().expect("the end");
    while sink.waiting() > 0 {
        bytes.extend(sink.take(Vec::new()));
    }
    let file = SerializedFileReader::new(Bytes::from(bytes)).expect("a Parquet file");
    let metadata = file.metadata();
    assert_eq!(metadata.file_metadata().num_rows(), 40);
    let rows: Vec<i64> =
        metadata.row_groups().iter().map(parquet::file::metadata::RowGroupMetaData::num_rows).collect();
    assert!(rows.len() > 1 && rows.iter().all(|rows| *rows <= 9), "{rows:?}");
    assert_eq!(metadata.file_metadata().created_by(), Some("goalpost version 1"));
    // What repeats is packed.
    assert!(most < 1 << 20, "{most}");
}

#[test]
fn a_zero_has_no_sign_in_any_format() {
    let heads = [Head { name: "value".to_owned(), kind: ColumnKind::Number }];
    let file = |mut sink: Box<dyn Sink>, zero: f64| {
        sink.begin(&heads).expect("a header");
        sink.cell(Cell::Number(zero)).expect("a number");
        sink.end_row().expect("a row");
        sink.end().expect("an end");
        let mut file = Vec::new();
        while sink.waiting() > 0 {
            file.extend(sink.take(Vec::new()));
        }
        file
    };
    let sinks: [fn() -> Box<dyn Sink>; 4] = [
        || Box::new(DialectCsv::new(Dialect::MACHINE)),
        || Box::new(JsonLines::new()),
        || Box::new(Xlsx::new("zero", 1)),
        || Box::new(Parquet::new()),
    ];
    for sink in sinks {
        assert_eq!(file(sink(), -0.0), file(sink(), 0.0));
    }
}

#[test]
fn a_parquet_file_may_have_no_rows_and_no_wrong_days() {
    let bytes = written(Parquet::new(), &[]).expect("an empty file");
    let file = SerializedFileReader::new(Bytes::from(bytes)).expect("a Parquet file");
    assert_eq!(file.metadata().file_metadata().num_rows(), 0);
    let mut sink = Parquet::new();
    sink.begin(&[Head { name: "day".to_owned(), kind: ColumnKind::Day }]).expect("a column");
    let refused = sink.cell(Cell::Day("2026-13-40")).expect_err("no day");
    assert!(refused.0.contains("\"2026-13-40\" is no day"), "{refused}");
}

#[test]
fn a_sheet_holds_so_many_links_and_the_rows_behind_have_none() {
    const MOST: u64 = 65_530;
    let rows = MOST + 3;
    let heads = [("Title", ColumnKind::Text), ("Id", ColumnKind::Int)]
        .map(|(name, kind)| Head { name: name.to_owned(), kind });
    let mut book = Xlsx::new("Goals", rows).link(1, "https://goals.contoso.example/?a=1&goal=");
    book.begin(&heads).expect("two columns");
    for id in 1..=rows {
        book.cell(Cell::Empty).expect("nothing");
        book.cell(Cell::Int(id as i64)).expect("a number");
        book.end_row().expect("a row");
    }
    book.end().expect("the end");
    let mut bytes = Vec::new();
    while book.waiting() > 0 {
        bytes.extend(book.take(Vec::new()));
    }
    let mut zip = zip::ZipArchive::new(Cursor::new(&bytes)).expect("a workbook");
    let mut part = |name: &str| std::io::read_to_string(zip.by_name(name).expect("a part")).expect("text");
    let sheet = part("xl/worksheets/sheet1.xml");
    assert_eq!(sheet.matches("<hyperlink ").count() as u64, MOST);
    assert!(
        sheet.contains("<c r=\"B65531\" s=\"4\"><v>65530</v></c>")
            && sheet.contains("<c r=\"B65532\"><v>65531</v></c>")
    );
    let targets = part("xl/worksheets/_rels/sheet1.xml.rels");
    assert_eq!(targets.matches("/?a=1&amp;goal=").count() as u64, MOST);
    let (sheet_rows, two) = (1_048_575, 1_048_575 * 2 + MOST + 5);
    for (rows, unlinked) in
        [(0, 0), (MOST, 0), (rows, 3), (sheet_rows, sheet_rows - MOST), (two, 2 * (sheet_rows - MOST) + 5)]
    {
        assert_eq!(Xlsx::unlinked(rows), unlinked, "{rows} rows");
    }
    let mut book: Workbook<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).expect("a workbook");
    assert_eq!(book.worksheet_range("Goals").expect("a sheet").height() as u64, rows + 1);
}

#[test]
fn clocks_that_are_ahead_or_behind_say_so() {
    let heads = [Head { name: "at".to_owned(), kind: ColumnKind::Moment }];
    let file = |mut sink: Box<dyn Sink>, ahead: i32| {
        sink.begin(&heads).expect("a column");
        sink.cell(Cell::Local(1_741_640_228_000_000, ahead)).expect("an instant");
        sink.end_row().expect("a row");
        sink.end().expect("the end");
        let mut bytes = Vec::new();
        while sink.waiting() > 0 {
            bytes.extend(sink.take(Vec::new()));
        }
        bytes
    };
    for (ahead, csv, json) in [
        (60, "2025-03-10 21:57:08 +01:00", "2025-03-10T21:57:08+01:00"),
        (-210, "2025-03-10 17:27:08 -03:30", "2025-03-10T17:27:08-03:30"),
        (840, "2025-03-11 10:57:08 +14:00", "2025-03-11T10:57:08+14:00"),
    ] {
        let text = file(Box::new(DialectCsv::new(Dialect::MACHINE)), ahead);
        assert_eq!(String::from_utf8_lossy(&text), format!("at\r\n{csv}\r\n"));
        let text = file(Box::new(JsonLines::new()), ahead);
        assert_eq!(String::from_utf8_lossy(&text), format!("{{\"at\":\"{json}\"}}\n"));
        let book = file(Box::new(Xlsx::new("Goals", 1)), ahead);
        let mut book: Workbook<_> = calamine::open_workbook_from_rs(Cursor::new(book)).expect("a workbook");
        let cell = book.worksheet_range("Goals").expect("a sheet").get_value((1, 0)).cloned();
        let serial = cell.as_ref().and_then(calamine::DataType::get_datetime).map(|at| at.as_f64());
        let shown = (1_741_640_228.0 + f64::from(ahead) * 60.0) / 86_400.0 + 25_569.0;
        assert!(serial.is_some_and(|serial| (serial - shown).abs() < 1e-6), "{cell:?}");
        // The same instant by any clock.
        assert_eq!(file(Box::new(Parquet::new()), ahead), file(Box::new(Parquet::new()), 0));
    }
}
