//! Files that are made to cost more than they weigh: each is refused at once, and in little memory.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::workbooks::{sheet, texts, workbook};
use super::{Server, options};

/// Refusing takes a second or so, and more where other tests run beside it; a bomb that goes off takes minutes.
const PATIENCE: Duration = Duration::from_mins(1);
/// What this process may ever have held, in MiB; each test has its own.
const MEMORY_MIB: u64 = 256;

/// The most memory that a process ever had, in MiB; none where the system does not say.
fn peak_mib(process: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

/// A build of the program whose refusals are measured too: its own process, so that nothing else is in its memory.
/// docs/TESTING.md says how.
const MEASURED: &str = "GOALPOST_BOMBS_PROGRAM";

/// Let the program refuse a file, and print what that costs.
fn measure(program: &Path, file: &Path, folder: &Path, words: &[&str]) {
    let mut import = Command::new(program);
    import
        .arg("--data")
        .arg(folder.join("measured"))
        .arg("import")
        .arg(file)
        .args(["--organization", "Bombs"]);
    import.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let mut running = import.spawn().expect("the program to measure");
    let mut peak = 0;
    let ended = loop {
        if let Some(ended) = running.try_wait().expect("a child of this process") {
            break ended;
        }
        peak = peak_mib(&running.id().to_string()).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(!ended.success(), "the program took it");
    let (test, took) = (std::thread::current(), began.elapsed().as_secs_f64());
    let test = test.name().unwrap_or_default().trim_start_matches("imports::bombs::");
    println!("| {test}: {} | {took:.2} s | {peak} MiB |", words.join(", "));
}

pub(super) fn refuse(name: &str, words: &[&str], write: impl FnOnce(&Path)) {
    let server = Server::new();
    let path = server.data().join(name);
    write(&path);
    if let Some(program) = std::env::var_os(MEASURED) {
        measure(program.as_ref(), &path, server.data(), words);
    }
    let began = Instant::now();
    let error = server.import_with(&path, &options()).expect_err("the file is a bomb");
    let took = began.elapsed();
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
    assert!(error.hint().is_some(), "no hint with: {message}");
    assert!(took < PATIENCE, "{message}: refused after {took:?}");
    if let Some(peak) = peak_mib("self") {
        assert!(peak < MEMORY_MIB, "{message}: {peak} MiB");
    }
}

fn refuse_book(words: &[&str], parts: &[(&str, &str)]) {
    refuse("view.xlsx", words, |path| std::fs::write(path, workbook(parts)).expect("a writable folder"));
}

fn refuse_rows(words: &[&str], rows: &[&str]) {
    refuse_book(words, &[("xl/sheets/Goals.xml", &sheet(rows))]);
}

/// A ZIP with one entry of so many zeros.
fn zeros(path: &Path, name: &str, mebibytes: usize) {
    let mut zip = ZipWriter::new(File::create(path).expect("a new file"));
    let mebibyte = vec![0; 1 << 20];
    let fast = SimpleFileOptions::default().compression_level(Some(1));
    for (name, mebibytes) in [("[Content_Types].xml", 0), (name, mebibytes)] {
        zip.start_file(name, fast).expect("a new entry");
        for _ in 0..mebibytes {
            zip.write_all(&mebibyte).expect("a writable file");
        }
    }
    zip.finish().expect("a complete file");
}

#[test]
fn a_gibibyte_of_zeros() {
    refuse("view.xlsx", &["100 times"], |path| zeros(path, "xl/sheets/Goals.xml", 1_024));
}

#[test]
fn a_zip_of_zips_of_zips() {
    refuse("view.xlsx", &["no part"], |path| {
        let inner = path.with_extension("inner");
        zeros(&inner, "0.dll", 64);
        let inner = std::fs::read(inner).expect("the file just written");
        let mut zip = ZipWriter::new(File::create(path).expect("a new file"));
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file("[Content_Types].xml", stored).expect("a new entry");
        for number in 0..16 {
            zip.start_file(format!("lib {number}.zip"), stored).expect("a new entry");
            zip.write_all(&inner).expect("a writable file");
        }
        zip.finish().expect("a complete file");
    });
}

/// Where the directory of a ZIP begins, and its records.
fn directory(zip: &[u8]) -> usize {
    let end = zip.len() - 22;
    assert_eq!(&zip[end..end + 4], b"PK\x05\x06");
    u32::from_le_bytes(zip[end + 16..end + 20].try_into().expect("four bytes")) as usize
}

/// Varied enough to be packed some fifty times.
fn packs_well(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 64);
    for number in 0_u64.. {
        let noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        write!(text, "{noise:x}{:0700}", 0).expect("a text");
        if text.len() >= bytes {
            break;
        }
    }
    text
}

#[test]
fn entries_that_share_their_bytes() {
    refuse("view.xlsx", &["(all entries)", "100 times"], |path| {
        let zip = workbook(&[("xl/kernel00.xml", &packs_well(8 << 20))]);
        let begin = directory(&zip);
        let end = zip.len() - 22;
        let record = zip[begin..end].windows(15).position(|bytes| bytes == b"xl/kernel00.xml");
        let record = begin + record.expect("the entry has a record") - 46;
        let mut bytes = zip[..end].to_vec();
        for number in 1..60 {
            let mut twin = zip[record..end].to_vec();
            twin[46..61].copy_from_slice(format!("xl/kernel{number:02}.xml").as_bytes());
            bytes.extend(twin);
        }
        let count = u16::from_le_bytes(zip[end + 10..end + 12].try_into().expect("two bytes")) + 59;
        let size = (bytes.len() - begin) as u32;
        let mut last = zip[end..].to_vec();
        for at in [8, 10] {
            last[at..at + 2].copy_from_slice(&count.to_le_bytes());
        }
        last[12..16].copy_from_slice(&size.to_le_bytes());
        bytes.extend(last);
        std::fs::write(path, bytes).expect("a writable folder");
    });
}

#[test]
fn a_directory_that_lies_about_sizes() {
    refuse("view.xlsx", &["cannot be unpacked"], |path| {
        let long = sheet(&vec![&*texts(&["Title"]); 200_000]);
        let mut zip = workbook(&[("xl/sheets/Goals.xml", &long)]);
        let begin = directory(&zip);
        let at = zip[begin..].windows(19).position(|bytes| bytes == b"xl/sheets/Goals.xml");
        let record = begin + at.expect("the entry has a record") - 46;
        zip[record + 24..record + 28].copy_from_slice(&1_000_u32.to_le_bytes());
        std::fs::write(path, zip).expect("a writable folder");
    });
}

#[test]
fn a_thousand_entries() {
    let names: Vec<String> = (0..1_000).map(|number| format!("xl/{number}.xml")).collect();
    let parts: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "<a/>")).collect();
    refuse_book(&["entries", "100"], &parts);
}

#[test]
fn a_million_equal_texts() {
    let strings = format!("<sst>{}</sst>", "<si><t>a</t></si>".repeat(1_000_000));
    refuse_book(&["100 times"], &[("xl/sharedStrings.xml", &strings)]);
}

#[test]
fn a_long_text_in_every_cell() {
    let strings = format!("<sst><si><t>{}</t></si></sst>", &packs_well(1 << 20)[..1 << 20]);
    let title = texts(&["Title"]);
    let mut rows = vec!["<c t=\"s\"><v>0</v></c>"; 20_000];
    rows.insert(0, &title);
    let parts = [("xl/sheets/Goals.xml", &*sheet(&rows)), ("xl/sharedStrings.xml", &*strings)];
    refuse_book(&["bytes of texts in the cells", "row 65"], &parts);
    rows[1] = Box::leak("<c t=\"s\"><v>0</v></c>".repeat(100).into_boxed_str());
    let parts = [("xl/sheets/Goals.xml", &*sheet(&rows)), ("xl/sharedStrings.xml", &*strings)];
    refuse_book(&["bytes in one row", "row 2"], &parts);
}

#[test]
fn a_million_different_texts_are_no_bomb() {
    let server = Server::new();
    let mut strings = String::from("<sst>");
    for number in 0_u64..1_000_000 {
        let noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        write!(strings, "<si><t>{noise:016x} {number} {noise:060x}</t></si>").expect("a text");
    }
    strings.push_str("</sst>");
    let rows = [&*texts(&["Title"]), "<c t=\"s\"><v>3</v></c>", "<c t=\"s\"><v>999999</v></c>"];
    let book = workbook(&[("xl/sheets/Goals.xml", &sheet(&rows)), ("xl/sharedStrings.xml", &strings)]);
    server.import_file(&server.book(&book));
    let titles: Vec<String> = server.titles().into_iter().map(|(.., title)| title).collect();
    // The second lies beyond what is held in memory.
    let title = |number: u64| {
        let noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{noise:016x} {number} {noise:060x}")
    };
    assert_eq!(titles, [title(3), title(999_999)]);
    let left = std::fs::read_dir(server.data()).expect("the folder").filter_map(Result::ok);
    let left = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("import.texts")).count();
    assert_eq!(left, 0, "the texts were left on the disk");
}

#[test]
fn a_hundred_thousand_elements_in_each_other() {
    refuse_book(&["64 deep"], &[("xl/sharedStrings.xml", &"<si>".repeat(100_000))]);
}

#[test]
fn entities_of_entities() {
    let mut dtd = String::from("<!DOCTYPE sst [<!ENTITY a0 \"laugh\">");
    for number in 1..30 {
        let ten = format!("&a{};", number - 1).repeat(10);
        write!(dtd, "<!ENTITY a{number} \"{ten}\">").expect("a text");
    }
    let strings = format!("{dtd}]><sst><si><t>&a29;</t></si></sst>");
    refuse_book(&["document type"], &[("xl/sharedStrings.xml", &strings)]);
}

#[test]
fn rows_and_columns_that_no_sheet_has() {
    let title = texts(&["Title"]);
    refuse_rows(&["columns", "16384", "row 2"], &[&title, "<c r=\"BDWGO2\"><v>1</v></c>"]);
    refuse_rows(&["columns", "16384", "row 2"], &[&title, &"<c><v>1</v></c>".repeat(20_000)]);
    let rows =
        format!("<worksheet><sheetData><row>{title}</row><row r=\"4294967296\"/></sheetData></worksheet>");
    refuse_book(&["rows of a sheet", "1048576"], &[("xl/sheets/Goals.xml", &rows)]);
    // A cell at the right end of many rows costs what it weighs.
    let far: Vec<String> = (2..20_000).map(|row| format!("<c r=\"XFD{row}\"><v>1</v></c>")).collect();
    let rows: Vec<&str> = std::iter::once(&*title).chain(far.iter().map(String::as_str)).collect();
    refuse_rows(&["19998 problems", "column 16384"], &rows);
}

#[test]
fn texts_and_tags_without_an_end() {
    let long = packs_well(3 << 20);
    for piece in [
        format!("<si><t>{long}</t></si>"),
        format!("<!--{long}-->"),
        format!("<si><t a=\"{long}\"/></si>"),
        format!("<si><t><![CDATA[{long}]]></t></si>"),
        format!("<?{long}?>"),
        format!("<si><{long}/></si>"),
    ] {
        refuse_book(
            &["sharedStrings", "longer"],
            &[("xl/sharedStrings.xml", &format!("<sst>{piece}</sst>"))],
        );
    }
    // Short as each of these is, together they are no cell.
    let varied = |number: u64| 0x1_f300 + (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55);
    let mut strings = String::from("<sst><si><t>");
    for number in 0..300_000 {
        write!(strings, "&#x{:x};", varied(number)).expect("a text");
    }
    strings.push_str("</t></si></sst>");
    refuse_book(&["bytes in one cell"], &[("xl/sharedStrings.xml", &strings)]);
    let attributes = format!("<sst><si {}/></sst>", "a=\"b\" ".repeat(10_000));
    refuse_book(&["64 attributes"], &[("xl/sharedStrings.xml", &attributes)]);
}

#[test]
fn tables_without_an_end() {
    let sparse = |bytes: u64, begin: &'static str| {
        move |path: &Path| {
            let mut file = File::create(path).expect("a new file");
            file.write_all(begin.as_bytes()).expect("a writable file");
            file.set_len(bytes).expect("a file system with holes");
        }
    };
    refuse("view.csv", &["NUL"], sparse(1 << 30, "Title\n"));
    refuse("view.csv", &["bytes in the file", "2147483648"], sparse(3 << 30, "Title\n"));
    let long = |begin: &'static str, piece: &'static str| {
        move |path: &Path| {
            let mut file = BufWriter::new(File::create(path).expect("a new file"));
            file.write_all(begin.as_bytes()).expect("a writable file");
            for _ in 0..4 << 20 {
                file.write_all(piece.as_bytes()).expect("a writable file");
            }
        }
    };
    refuse("view.csv", &["bytes in one cell", "row 2"], long("Title\n", "abcd"));
    refuse("view.csv", &["bytes in one cell", "row 2"], long("Title\n\"", "\r\n,;"));
    refuse("view.csv", &["columns", "row 2"], long("Title\n", "a,"));
    refuse("view.csv", &["UTF-16"], |path| {
        let mut bytes: Vec<u8> = "\u{feff}Title\nDig".encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes.extend(b"So\n");
        std::fs::write(path, bytes).expect("a writable folder");
    });
}
