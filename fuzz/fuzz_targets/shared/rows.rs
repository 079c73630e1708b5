//! What holds for the rows of every kind of table.

use std::io::Cursor;

use goalpost_viva::sheet::{Explorer, GoalRow, SheetError, SheetLimits};

/// Reads a table twice: the same both times, and each row within the limits.
pub(crate) fn check(table: &mut Explorer<Cursor<&[u8]>>, limits: SheetLimits) {
    let first = rows(table);
    assert_eq!(first, rows(table), "a table reads the same twice");
    for row in first.unwrap_or_default() {
        assert!(row.title.len() <= limits.cell_bytes && row.description.len() <= limits.cell_bytes);
        assert!(row.check_ins.len() + row.aside.len() <= limits.columns + 1);
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
