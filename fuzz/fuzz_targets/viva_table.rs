//! The table of a view: whatever the bytes, it is read or refused, within limits, the same each time; and a cell that
//! was read says what it said.
#![no_main]

use std::io::Cursor;

use goalpost_viva::sheet::{
    Explorer, GoalRow, HeaderWords, SheetError, SheetLimits, aligned_to, check_in, names, settle_titles,
};
use libfuzzer_sys::fuzz_target;

const LIMITS: SheetLimits = SheetLimits {
    bytes: 1 << 20,
    rows: 1_000,
    columns: 1_000,
    cell_bytes: 1 << 12,
    row_bytes: 1 << 14,
    ..SheetLimits::OPERATOR
};

fuzz_target!(|data: &[u8]| {
    table(data);
    if let Ok(text) = str::from_utf8(data) {
        cells(text);
        table(format!("Id,Title,Tag 1,Owner,Checkins,\r\n{text}").as_bytes());
    }
});

fn table(data: &[u8]) {
    let Ok(mut table) = Explorer::open(Cursor::new(data), LIMITS, &HeaderWords::default()) else { return };
    let first = rows(&mut table);
    assert_eq!(first, rows(&mut table), "a table reads the same twice");
    for row in first.unwrap_or_default() {
        assert!(row.title.len() <= LIMITS.cell_bytes && row.description.len() <= LIMITS.cell_bytes);
        assert!(row.check_ins.len() + row.aside.len() <= LIMITS.columns + 1);
    }
}

fn rows(table: &mut Explorer<Cursor<&[u8]>>) -> Option<Vec<GoalRow>> {
    let mut rows = Vec::new();
    let read = table.each(|row, errors| {
        // A row is taken as a whole, or told of.
        errors.iter().for_each(|error| assert!(!error.to_string().is_empty()));
        rows.push(row);
        Ok::<_, SheetError>(())
    });
    read.ok().map(|()| rows)
}

fn cells(text: &str) {
    if let Some(mut parents) = aligned_to(text) {
        settle_titles(text, &mut parents, |id| (id % 2 == 0).then_some(&text[..text.floor_char_boundary(9)]));
        let titles: usize = parents.iter().map(|parent| parent.title.len()).sum();
        assert!(titles <= text.len() && parents.iter().all(|parent| parent.weight.is_finite()));
    }
    if let Some(check_in) = check_in(text) {
        for part in [&check_in.user, &check_in.note, &check_in.metric_name, &check_in.status] {
            assert!(text.contains(part.as_str()));
        }
    }
    let parts = names(text, ", ", |name| name.len().is_multiple_of(7));
    assert_eq!(parts.join(", "), text);
}
