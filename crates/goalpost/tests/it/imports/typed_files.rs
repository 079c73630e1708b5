//! JSON Lines and Parquet: they bring what the CSV of the same view does, whichever program wrote them, packed or not; and
//! what they cannot bring is told.

use std::io::{Cursor, Write as _};

use goalpost::imports::{ImportOptions, Report};
use goalpost_viva::sheet::{Explorer, HeaderWords, SheetError, SheetLimits};

use super::{Company, Server, options};

const SET_N: &[u8] = include_bytes!("golden/set_n.csv");
const SET_O: &[u8] = include_bytes!("golden/set_o.csv");
const SET_N_LINES: &[u8] = include_bytes!("golden/set_n.jsonl");
const SET_N_PARQUET: &[u8] = include_bytes!("golden/set_n.parquet");
/// Pages of the second version, packed by gzip, in the encodings of the second version.
const SET_N_SECOND: &[u8] = include_bytes!("golden/set_n_second.parquet");

/// Python's json and pyarrow wrote the first three, `DuckDB` the others.
const GOLDEN: [(&str, &[u8], &[u8]); 5] = [
    ("set_n.jsonl", SET_N, SET_N_LINES),
    ("set_n.parquet", SET_N, SET_N_PARQUET),
    ("set_n_second.parquet", SET_N, SET_N_SECOND),
    ("set_o.jsonl", SET_O, include_bytes!("golden/set_o.jsonl")),
    ("set_o.parquet", SET_O, include_bytes!("golden/set_o.parquet")),
];

impl Server {
    fn import_named(&self, name: &str, bytes: &[u8]) -> Report {
        let path = self.data().join(name);
        std::fs::write(&path, bytes).expect("a writable folder");
        self.import_file(&path)
    }
}

#[test]
fn a_typed_file_brings_what_the_csv_of_the_same_view_does() {
    for (name, csv, bytes) in GOLDEN {
        let (from_csv, from_typed) = (Server::new(), Server::new());
        let first = from_csv.import_table(csv);
        // The kind is told by the bytes, whatever the name says.
        let second = from_typed.import_named("view.csv", bytes);
        assert_eq!(first.entities, second.entities, "{name}");
        assert_eq!(first.asides, second.asides, "{name}");
        assert_eq!((&first.notes, &first.mapping), (&second.notes, &second.mapping), "{name}");
        assert_eq!(from_csv.goals(), from_typed.goals(), "{name}");
        assert!(!from_csv.import_named(name, bytes).changes_anything(), "{name}");
        assert!(!from_typed.import_table(csv).changes_anything(), "{name}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("memory takes all");
    packer.finish().expect("memory takes all")
}

#[test]
fn a_packed_table_brings_what_is_in_it() {
    let server = Server::new();
    server.import_table(SET_N);
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 3).expect("memory takes all");
    for bytes in [
        gzip(SET_N),
        zstd(SET_N),
        gzip(SET_N_LINES),
        zstd(SET_N_LINES),
        // Pieces that were packed one by one.
        [gzip(&SET_N[..500]), gzip(&SET_N[500..])].concat(),
        [zstd(&SET_N[..500]), zstd(&SET_N[500..])].concat(),
    ] {
        let report = server.import_named("packed", &bytes);
        assert!(!report.changes_anything(), "{report}");
    }
    let left = std::fs::read_dir(server.data()).expect("the folder").filter_map(Result::ok);
    let left = left.filter(|entry| entry.file_name().to_string_lossy().contains("unpacked")).count();
    assert_eq!(left, 0, "what was unpacked was left on the disk");
}

#[test]
fn the_name_of_a_packed_file_tells_its_organization() {
    let server = Server::new();
    server.import(&Company::small());
    let path = server.data().join("VivaGoals_7_all_2026_02_01_1769936400.jsonl.gz");
    std::fs::write(&path, gzip(b"{\"Id\":7,\"Title\":\"One\"}\n")).expect("a writable folder");
    let error = server.import_with(&path, &options()).expect_err("the file is of another");
    assert!(error.to_string().contains("of organization 7,"), "{error}");
    let report =
        server.import_with(&path, &ImportOptions { organization_name: Some("Seven".into()), ..options() });
    assert_eq!(report.expect("a new one").file.exported_at.as_deref(), Some("2026-02-01 09:00:00"));
}

#[test]
fn what_nobody_knows_is_kept_and_the_last_note_is_no_news() {
    let server = Server::new();
    let mut company = Company::small();
    company.check_ins[0].note = Some(goalpost_viva::Note { text: Some("slow".into()), html: None });
    server.import(&company);
    let line = |note: &str| {
        format!("{{\"Id\":101,\"Title\":\"Prune 300 trees\",\"Last Check-in Note\":\"{note}\"}}\n")
    };
    assert!(!server.import_named("view.jsonl", line("slow").as_bytes()).changes_anything());
    let report = server.import_named("view.jsonl", line("fast").as_bytes());
    assert_eq!(report.asides.first[0].path, "Cells.Last Check-in Note");
    let report = server.import_named(
        "view.jsonl",
        b" {\"Id\":101,\"Title\":\"Prune 300 trees\",\"Colour\":[1,{\"a\":null}],\"Wet\":true}\n",
    );
    let aside: Vec<_> = report.asides.first.iter().map(|aside| (&*aside.path, &*aside.value)).collect();
    assert_eq!(aside, [("Cells.Colour", "\"[1,{\\\"a\\\":null}]\""), ("Cells.Wet", "\"true\"")]);
}

/// Import a company, then a bad file, and expect the database as it was; returns what is said.
fn refused(bytes: &[u8]) -> String {
    let server = Server::new();
    server.import(&Company::small());
    let before = server.bytes();
    let path = server.data().join("view");
    std::fs::write(&path, bytes).expect("a writable folder");
    let error = server.import_with(&path, &options()).expect_err("the file is bad");
    assert!(server.bytes() == before, "a refused import changed the database");
    assert!(error.hint().is_some(), "no hint with: {error}");
    error.to_string()
}

#[test]
fn bad_files_are_refused() {
    let packed = gzip(SET_N_LINES);
    let mut damaged = packed.clone();
    damaged[packed.len() / 2] ^= 0xff;
    let end = SET_N_PARQUET.len();
    let mut encrypted = SET_N_PARQUET.to_vec();
    encrypted[end - 1] = b'E';
    for (bytes, words) in [
        (&b"{\"Title\":\"One\"}\n\n[\"Two\"]\n"[..], &["line 3", "JSON object"][..]),
        (b"{\"Title\":\"One\"}\n{\"Title\":\"Two\"", &["line 2", "JSON object"]),
        (b"{\"Title\":\"One\",\"Title\":\"Two\"}", &["line 1", "`Title` twice"]),
        (b"{\n  \"Title\": \"One\"\n}\n", &["line 1", "JSON object"]),
        (b"{\"Title\":\"Gr\xf6sse\"}", &["line 1", "UTF-8"]),
        (b"{\"Titel\":\"One\"}", &["no header", "Titel"]),
        (b"{\"Id\":1}", &["`Title`"]),
        (b"{}", &["empty"]),
        (b"{\"Title\":\"O\\u0000ne\"}", &["NUL"]),
        (
            b"{\"Title\":[\"One\"],\"Id\":7.5}\n{\"Title\":\"Two\",\"Target\":\"much\",\"Created At\":1767571200000}",
            &["4 problems", "row 1, column `Title`", "list", "7.5", "row 2, column `Target`", "1767571200000"],
        ),
        (b"{\"Id\":7,\"Title\":\"One\"}\n{\"Id\":7,\"Title\":\"Two\"}", &["row 2", "earlier row"]),
        (&packed[..packed.len() - 9], &["unpacked by gzip"]),
        (&damaged, &["unpacked by gzip"]),
        (b"\x28\xb5\x2f\xfd and more", &["unpacked by zstd"]),
        (&gzip(&packed), &["neither a CSV nor JSON Lines"]),
        (&gzip(SET_N_PARQUET), &["neither a CSV nor JSON Lines"]),
        (b"PAR1", &["cut off"]),
        (b"PAR1\x99\0\0\0PAR1", &["longer than the file"]),
        (&SET_N_PARQUET[..end - 1], &["cut off"]),
        (&encrypted, &["encrypted"]),
    ] {
        let message = refused(bytes);
        for word in words {
            assert!(message.contains(word), "`{word}` is not in: {message}");
        }
    }
}

/// Rows of a Parquet file that can be read.
fn rows(bytes: Vec<u8>) -> Result<usize, SheetError> {
    let words = HeaderWords::default();
    let mut table = Explorer::open_parquet(Cursor::new(bytes), SheetLimits::OPERATOR, &words)?;
    let mut rows = 0;
    table.each(|_, _| {
        rows += 1;
        Ok::<_, SheetError>(())
    })?;
    Ok(rows)
}

#[test]
fn a_parquet_file_that_is_cut_or_changed_anywhere_is_refused_or_read() {
    for file in [SET_N_PARQUET, SET_N_SECOND] {
        assert_eq!(rows(file.to_vec()).expect("a sound file"), 3);
        for end in (4..file.len()).step_by(10) {
            assert!(rows(file[..end].to_vec()).is_err(), "cut at {end}");
            // With an end that looks like one.
            let mut cut = file[..end].to_vec();
            cut.extend_from_slice(&file[file.len() - 8..]);
            assert!(rows(cut).is_err(), "cut at {end}");
        }
        for (at, xor) in (0..file.len()).step_by(3).flat_map(|at| [(at, 0xff), (at, 0x01)]) {
            let mut changed = file.to_vec();
            changed[at] ^= xor;
            // What matters is that it ends.
            let _ = rows(changed);
        }
    }
}
