//! Files of JSON Lines and Parquet, and packed ones, that are made to cost more than they weigh.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::bombs::refuse;

/// Seven bits a byte.
fn number(out: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A field of a whole number, behind the one `delta` before it.
fn int(out: &mut Vec<u8>, delta: u8, value: i64) {
    out.push(delta << 4 | 6);
    number(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

/// A page: 0 for values, 2 for a dictionary.
fn page(kind: i64, unpacked: i64, count: i64, encoding: i64, body: &[u8]) -> Vec<u8> {
    let mut page = Vec::new();
    int(&mut page, 1, kind);
    int(&mut page, 1, unpacked);
    int(&mut page, 1, body.len() as i64);
    page.push(if kind == 0 { 0x2c } else { 0x4c });
    int(&mut page, 1, count);
    int(&mut page, 1, encoding);
    page.extend([0, 0]);
    page.extend(body);
    page
}

/// A file with these pages of one column of texts, `Title`, none of which is missing.
fn titles(rows: i64, packing: i64, pages: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"PAR1".to_vec();
    file.extend(pages.concat());
    let size = file.len() as i64 - 4;
    let mut footer = vec![0x15, 2, 0x19, 0x2c, 0x48, 1, b's', 0x15, 2, 0];
    footer.extend(b"\x15\x0c\x25\x00\x18\x05Title\x25\x00\x00");
    int(&mut footer, 1, rows);
    footer.extend([0x19, 0x1c, 0x19, 0x1c, 0x3c]);
    int(&mut footer, 4, packing);
    int(&mut footer, 1, rows);
    int(&mut footer, 2, size);
    int(&mut footer, 2, 4);
    footer.extend([0, 0]);
    int(&mut footer, 2, rows);
    footer.extend([0, 0]);
    end(file, &footer)
}

fn end(mut file: Vec<u8>, footer: &[u8]) -> Vec<u8> {
    file.extend(footer);
    file.extend((footer.len() as u32).to_le_bytes());
    file.extend(b"PAR1");
    file
}

fn refuse_parquet(words: &[&str], bytes: &[u8]) {
    refuse("view.parquet", words, |path| std::fs::write(path, bytes).expect("a writable folder"));
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

#[test]
fn the_file_that_the_bombs_are_made_of_is_none() {
    let server = super::Server::new();
    let path = server.data().join("view.parquet");
    let body = [text("Dig"), text("Sow")].concat();
    std::fs::write(&path, titles(2, 0, &[page(0, body.len() as i64, 2, 0, &body)]))
        .expect("a writable folder");
    server.import_file(&path);
    assert_eq!(server.titles().len(), 2);
}

fn zeros(mebibytes: usize) -> impl std::io::Read {
    std::io::Read::take(std::io::repeat(0), (mebibytes as u64) << 20)
}

#[test]
fn pages_that_unpack_to_gigabytes() {
    let zstd = zstd::encode_all(zeros(128), 1).expect("memory takes all");
    refuse_parquet(&["bytes in one page"], &titles(1, 6, &[page(0, 128 << 20, 1, 0, &zstd)]));
    refuse_parquet(&["bytes in one page"], &titles(1, 6, &[page(0, i64::from(i32::MAX), 1, 0, &zstd)]));
    // They say that they are small.
    let lies = "more or less than it says";
    refuse_parquet(&[lies], &titles(1, 6, &[page(0, 100, 1, 0, &zstd)]));
    let mut gzip = flate2::read::GzEncoder::new(zeros(128), flate2::Compression::fast());
    let mut packed = Vec::new();
    std::io::Read::read_to_end(&mut gzip, &mut packed).expect("memory takes all");
    refuse_parquet(&[lies], &titles(1, 2, &[page(0, 100, 1, 0, &packed)]));
    // Snappy says how much it unpacks to.
    refuse_parquet(&[lies], &titles(1, 1, &[page(0, 100, 1, 0, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0])]));
    refuse_parquet(&["cannot be read"], &titles(1, 0, &[page(0, -1, 1, 0, b"x")]));
    refuse_parquet(&["behind its column"], &{
        let mut file = titles(1, 0, &[page(0, 3, 1, 0, b"abc")]);
        file[9] = 0x7e;
        file
    });
    for (packing, word) in [(4, "Brotli"), (5, "LZ4"), (9, "not known")] {
        refuse_parquet(&[word], &titles(1, packing, &[page(0, 3, 1, 0, b"abc")]));
    }
    // A window of 2 GiB.
    let window = b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00";
    refuse_parquet(&["cannot be unpacked"], &titles(1, 6, &[page(0, 100, 1, 0, window)]));
}

#[test]
fn rows_and_values_that_nobody_has() {
    let body = text("Dig");
    let one = |count| [page(0, body.len() as i64, count, 0, &body)];
    refuse_parquet(&["rows", "2000000"], &titles(1 << 31, 0, &one(1 << 31)));
    refuse_parquet(&["rows"], &titles(-1, 0, &one(-1)));
    refuse_parquet(&["cannot be read"], &titles(2, 0, &one(2)));
    refuse_parquet(&["cannot be read"], &titles(1, 0, &one(-1)));
    refuse_parquet(&["without values"], &titles(1, 0, &one(0)));
    refuse_parquet(&["fewer values"], &titles(2, 0, &one(1)));
    let dictionary = |count| page(2, body.len() as i64, count, 0, &body);
    let named = page(0, 3, 2_000_000, 8, &[1, 0x80, 0x80]);
    refuse_parquet(
        &["cannot be read"],
        &titles(2_000_000, 0, &[dictionary(i64::from(i32::MAX)), named.clone()]),
    );
    refuse_parquet(&["dictionary"], &titles(2_000_000, 0, &[dictionary(1), dictionary(1), named]));
    // A number of the dictionary that it does not have, and values without any.
    let beyond = page(0, 3, 1, 8, &[8, 2, 9]);
    refuse_parquet(&["cannot be read"], &titles(1, 0, &[dictionary(1), beyond.clone()]));
    refuse_parquet(&["cannot be read"], &titles(1, 0, &[beyond]));
    // Lengths of as many texts as there are numbers.
    let mut lengths = vec![0x80, 1, 4];
    number(&mut lengths, u64::MAX);
    lengths.extend([0, 0, 0, 0, 0, 0]);
    for encoding in [6, 7] {
        let page = page(0, lengths.len() as i64, 1, encoding, &lengths);
        refuse_parquet(&["cannot be read"], &titles(1, 0, &[page]));
    }
}

#[test]
fn a_long_text_in_every_row() {
    let long = text(&"x".repeat(1 << 20));
    let dictionary = page(2, long.len() as i64, 1, 0, &long);
    let mut runs = vec![1];
    number(&mut runs, 2 * 1_000_000);
    runs.push(0);
    let named = page(0, runs.len() as i64, 1_000_000, 8, &runs);
    refuse_parquet(&["bytes in the cells", "row 101"], &titles(1_000_000, 0, &[dictionary, named]));
    // Each has all of the one before, and nothing more.
    let mut prefixes = vec![0x80, 1, 1];
    number(&mut prefixes, 500);
    prefixes.extend([0, 0, 0]);
    let long = text(&"x".repeat((1 << 20) + 1));
    let body = page(0, long.len() as i64, 1, 0, &long);
    refuse_parquet(&["bytes in one cell", "row 1"], &titles(1, 0, &[body]));
    let body = page(0, prefixes.len() as i64, 500, 7, &prefixes);
    refuse_parquet(&["cannot be read"], &titles(500, 0, &[body]));
}

#[test]
fn footers_that_are_larger_than_their_file() {
    let footer = |bytes: &[u8]| end(b"PAR1".to_vec(), bytes);
    refuse_parquet(&["bytes in the footer"], b"PAR1\xff\xff\xff\xffPAR1");
    refuse_parquet(&["longer than the file"], b"PAR1\x00\x00\x01\x00PAR1");
    // 2^40 columns, row groups, parts; and structures in each other.
    for field in [0x29, 0x49] {
        refuse_parquet(&["cannot be read"], &footer(&[field, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]));
    }
    refuse_parquet(&["cannot be read"], &footer(&vec![0x7c; 100_000]));
    let empty = |field: u8, count: u64| {
        let mut bytes = vec![field, 0xfc];
        number(&mut bytes, count);
        bytes.extend(vec![0; count as usize]);
        footer(&bytes)
    };
    refuse_parquet(&["columns", "10001"], &empty(0x29, 1_000_000));
    refuse_parquet(&["row groups"], &empty(0x49, 1_000_000));
    refuse_parquet(&["no columns"], &footer(&[0]));
    let mut parts = vec![0x49, 0x1c, 0x19, 0xfc];
    number(&mut parts, 1_000_000);
    parts.extend(vec![0; 1_000_000]);
    refuse_parquet(&["parts of columns"], &footer(&parts));
    let body = text("Dig");
    let mut outside = titles(1, 0, &[page(0, body.len() as i64, 1, 0, &body)]);
    let at = outside.len() - 8 - 7;
    // Where its pages begin.
    outside[at] = 0x7e;
    refuse_parquet(&["outside"], &outside);
}

#[test]
fn lines_without_an_end() {
    let long = |begin: &'static str, piece: &'static str, mebibytes: usize| {
        move |path: &Path| {
            let mut file = BufWriter::new(File::create(path).expect("a new file"));
            file.write_all(begin.as_bytes()).expect("a writable file");
            let pieces = piece.repeat(10_000);
            for _ in 0..(mebibytes << 20) / pieces.len() {
                file.write_all(pieces.as_bytes()).expect("a writable file");
            }
        }
    };
    let line = &["bytes in one line", "row 2"][..];
    refuse("view.jsonl", line, long("{\"Title\":1}\n{\"Title\":\"", "abcd", 300));
    refuse("view.jsonl", line, long("{\"Title\":1}\n{\"Title\":", "[", 300));
    refuse("view.jsonl", line, long("{\"Title\":1}\n{", "\"a\":0,", 300));
    refuse("view.jsonl", &["bytes in one line", "row 1"], |path: &Path| {
        let mut file = File::create(path).expect("a new file");
        file.write_all(b"{\"Title\":\"").expect("a writable file");
        file.set_len(1 << 30).expect("a file system with holes");
    });
    refuse("view.jsonl", &["bytes in the file"], |path: &Path| {
        let mut file = File::create(path).expect("a new file");
        file.write_all(b"{\"Title\":\"").expect("a writable file");
        file.set_len(3 << 30).expect("a file system with holes");
    });
    let write = |text: String| move |path: &Path| std::fs::write(path, text).expect("a writable folder");
    let deep = format!("{{\"Title\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000));
    refuse("view.jsonl", &["1 problem", "list"], write(deep));
    let deep = format!("{{\"Title\":1,\"x\":{}1{}}}", "{\"a\":".repeat(500_000), "}".repeat(500_000));
    refuse("view.jsonl", &["bytes in one cell", "row 1"], write(deep));
    let wide = format!("{{\"Title\":1,\"x\":{}{}}}", "[".repeat(600_000), "]".repeat(600_000));
    refuse("view.jsonl", &["bytes in one cell", "row 1"], write(wide));
    refuse(
        "view.jsonl",
        &["bytes in one cell", "row 1"],
        write(format!("{{\"Title\":{}}}", "9".repeat(2 << 20))),
    );
    let keys: Vec<String> = (0..100_001).map(|key| format!("\"{key}\":0")).collect();
    refuse("view.jsonl", &["columns", "row 1"], write(format!("{{{}}}", keys.join(","))));
    let keys: Vec<String> = (0..100_001).map(|key| format!("{{\"{key}\":0}}\n")).collect();
    refuse("view.jsonl", &["columns", "row 100001"], write(keys.concat()));
    let long_key = |key| format!("{{\"{key}{}\":0}}\n", "k".repeat(1_000_000));
    let long_keys: Vec<String> = (10..60).map(long_key).collect();
    refuse("view.jsonl", &["bytes of headers"], write(long_keys.concat()));
}

#[test]
fn packed_files_that_unpack_to_gigabytes() {
    let packed = |path: &Path, pack: &dyn Fn(&mut dyn std::io::Read) -> Vec<u8>| {
        let mut bytes =
            std::io::Read::chain(&b"Title\n"[..], std::io::Read::take(std::io::repeat(b'\n'), 256 << 20));
        std::fs::write(path, pack(&mut bytes)).expect("a writable folder");
    };
    let words = &["bytes that the file unpacks to"][..];
    refuse("view.csv.gz", words, |path| {
        packed(path, &|bytes| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::copy(bytes, &mut packed).expect("memory takes all");
            packed.finish().expect("memory takes all")
        });
    });
    refuse("view.csv.zst", words, |path| {
        packed(path, &|bytes| zstd::encode_all(bytes, 1).expect("memory takes all"));
    });
    // A window of 2 GiB.
    refuse("view.csv.zst", &["unpacked by zstd", "memory"], |path| {
        std::fs::write(path, b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00").expect("a writable folder");
    });
}
