//! The Parquet file of a view: whatever the bytes, it is read or refused, within limits, the same each time.
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
    unpacked_bytes: 1 << 22,
    ..SheetLimits::OPERATOR
};

fuzz_target!(|data: &[u8]| {
    read(data);
    read(&file_of(data));
});

/// A file of seven columns, one of each way to store values, with a footer that fits: the input has, of each column, an
/// encoding and the bytes of a page, up to a byte 255.
fn file_of(data: &[u8]) -> Vec<u8> {
    // Name, type, and what it means, as the footer has them.
    const COLUMNS: [(&str, u8, &[u8]); 7] = [
        ("Title", 6, &[0x15, 0]),
        ("Id", 2, &[]),
        ("isOpen", 0, &[]),
        ("Target", 5, &[]),
        ("Start Date", 1, &[0x15, 12]),
        ("Created At", 3, &[]),
        ("Status", 6, &[0x15, 0]),
    ];
    const ROWS: u8 = 20;
    let mut file = b"PAR1".to_vec();
    let mut pages = data.split(|byte| *byte == 255);
    let mut chunks = Vec::new();
    for (name, ..) in COLUMNS {
        let at = file.len() as u64;
        if name == "Status" {
            // A dictionary of two words.
            let words = [&[2, 0, 0, 0][..], b"On", &[1, 0, 0, 0], b"X"].concat();
            file.extend([0x15, 4, 0x15, 22, 0x15, 22, 0x4c, 0x15, 4, 0x15, 0, 0, 0]);
            file.extend(words);
        }
        let (encoding, body) = pages.next().and_then(<[u8]>::split_first).unwrap_or((&0, &[]));
        let mut header = vec![0x15, 0];
        for _ in 0..2 {
            header.push(0x15);
            number(&mut header, 2 * body.len() as u64);
        }
        header.extend([0x2c, 0x15, 2 * ROWS, 0x15, 2 * (encoding % 12), 0x15, 6, 0x15, 6, 0, 0]);
        file.extend(header);
        file.extend(body);
        chunks.push((at, file.len() as u64 - at));
    }
    let footer_at = file.len();
    file.extend([0x15, 2, 0x19, 0x8c, 0x48, 1, b's', 0x15, 14, 0]);
    for (name, stored, meaning) in COLUMNS {
        file.extend([0x15, 2 * stored, 0x25, 2, 0x18, name.len() as u8]);
        file.extend(name.as_bytes());
        if let [field, meaning] = meaning {
            file.extend([field + 0x10, *meaning]);
        }
        file.push(0);
    }
    file.extend([0x16, 2 * ROWS, 0x19, 0x1c, 0x19, 0x7c]);
    for (at, size) in chunks {
        // Plain bytes, the values, their size, and where they begin.
        file.extend([0x3c, 0x45, 0, 0x16, 2 * ROWS, 0x26]);
        number(&mut file, 2 * size);
        file.push(0x26);
        number(&mut file, 2 * at);
        file.extend([0, 0]);
    }
    file.extend([0x26, 2 * ROWS, 0, 0]);
    let size = (file.len() - footer_at) as u32;
    file.extend(size.to_le_bytes());
    file.extend(b"PAR1");
    file
}

/// Seven bits a byte.
fn number(out: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read(file: &[u8]) {
    let words = HeaderWords::default();
    let Ok(mut table) = Explorer::open_parquet(Cursor::new(file), LIMITS, &words) else { return };
    rows::check(&mut table, LIMITS);
}
