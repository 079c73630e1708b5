//! JSON Lines of a view: whatever the bytes, they are read or refused, within limits, the same each time.
#![no_main]

use std::io::Cursor;

use goalpost_viva::sheet::{Explorer, GoalRow, HeaderWords, SheetError, SheetLimits};
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
    lines(data);
    // Most inputs have no `Title`, and say more behind a line that has one.
    lines(
        &[b"{\"Id\":1,\"Title\":\"Dig\",\"Target\":0,\"Created At\":null,\"Checkins\":\"\"}\n", data]
            .concat(),
    );
});

fn lines(data: &[u8]) {
    let words = HeaderWords::default();
    let Ok(mut table) = Explorer::open_json_lines(Cursor::new(data), LIMITS, &words) else { return };
    let first = rows(&mut table);
    assert_eq!(first, rows(&mut table), "lines read the same twice");
    for row in first.unwrap_or_default() {
        assert!(row.title.len() <= LIMITS.cell_bytes && row.description.len() <= LIMITS.cell_bytes);
        assert!(row.check_ins.len() + row.aside.len() <= LIMITS.columns + 1);
        assert!(!row.title.contains('\0'));
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
