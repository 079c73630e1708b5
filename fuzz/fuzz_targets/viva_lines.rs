//! JSON Lines of a view: whatever the bytes, they are read or refused, within limits, the same each time.
#![no_main]

#[path = "shared/rows.rs"]
mod rows;

use std::io::Cursor;

use goalpost_viva::sheet::{Explorer, HeaderWords, SheetLimits};
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
    rows::check(&mut table, LIMITS);
}
