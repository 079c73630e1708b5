//! The workbook of a view: whatever the bytes, it is read or refused, within limits, the same each time.
#![no_main]

#[path = "shared/rows.rs"]
mod rows;

use std::io::{Cursor, Error, Write as _};

use goalpost_viva::sheet::{Explorer, HeaderWords, SheetLimits};
use libfuzzer_sys::fuzz_target;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const LIMITS: SheetLimits = SheetLimits {
    bytes: 1 << 20,
    rows: 1_000,
    columns: 1_000,
    cell_bytes: 1 << 12,
    row_bytes: 1 << 14,
    unpacked_bytes: 1 << 22,
    entries: 20,
    ..SheetLimits::OPERATOR
};

fuzz_target!(|data: &[u8]| {
    read(data);
    read(&workbook_of(data));
});

/// A sound workbook of two sheets, shared strings and styles, each up to a byte 255, which no text holds; the first sheet
/// has the rows of the input behind a header.
fn workbook_of(parts: &[u8]) -> Vec<u8> {
    const TYPE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const HEADER: &[u8] = b"<worksheet><sheetData><row><c t=\"str\"><v>Id</v></c><c t=\"str\"><v>Title</v></c>\
        <c t=\"str\"><v>Start Date</v></c><c t=\"str\"><v>Progress %</v></c><c t=\"str\"><v>Checkins</v></c></row>";
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{TYPE}/{kind}\" Target=\"{target}\"/>")
    };
    let main = relation("a", "officeDocument", "xl/workbook.xml");
    let relations = [
        relation("a", "worksheet", "a.xml"),
        relation("b", "worksheet", "b.xml"),
        relation("c", "sharedStrings", "c.xml"),
        relation("d", "styles", "d.xml"),
    ];
    let relationships = |inner: String| format!("<Relationships>{inner}</Relationships>").into_bytes();
    let book = b"<workbook xmlns:r=\"u\"><sheets><sheet name=\"A\" r:id=\"a\"/><sheet name=\"B\" r:id=\"b\"/></sheets></workbook>";
    let mut parts = parts.split(|byte| *byte == 255);
    let mut part = || parts.next().unwrap_or_default();
    let entries = [
        ("[Content_Types].xml", b"<Types/>".to_vec()),
        ("_rels/.rels", relationships(main)),
        ("xl/_rels/workbook.xml.rels", relationships(relations.concat())),
        ("xl/workbook.xml", book.to_vec()),
        ("xl/a.xml", [HEADER, part(), b"</sheetData></worksheet>"].concat()),
        ("xl/c.xml", [b"<sst>", part(), b"</sst>"].concat()),
        ("xl/d.xml", [b"<styleSheet>", part(), b"</styleSheet>"].concat()),
        ("xl/b.xml", [HEADER, part(), b"</sheetData></worksheet>"].concat()),
    ];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(name, stored).expect("the name is new");
        zip.write_all(&bytes).expect("memory takes all");
    }
    zip.finish().expect("memory takes all").into_inner()
}

fn read(file: &[u8]) {
    let spool = || Err(Error::other("texts of a megabyte fit into memory"));
    let words = HeaderWords::default();
    let Ok(mut table) = Explorer::open_workbook(Cursor::new(file), LIMITS, &words, &spool) else { return };
    rows::check(&mut table, LIMITS);
}
