//! The workbook of a view: it brings what the CSV of the same view does, and whatever a spreadsheet made of it is taken
//! or told.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;

use goalpost::goals::record::GoalRecord;
use goalpost::imports::{ImportOptions, Report};
use goalpost_viva::Entity;
use zip::write::SimpleFileOptions;

use super::{Company, Server, options};

const GOLDEN: [(&str, &[u8], &[u8]); 2] = [
    ("set_n", include_bytes!("golden/set_n.csv"), include_bytes!("golden/set_n.xlsx")),
    ("set_o", include_bytes!("golden/set_o.csv"), include_bytes!("golden/set_o.xlsx")),
];

/// A workbook whose parts are given; those that every one has are added.
pub(super) fn workbook(parts: &[(&str, &str)]) -> Vec<u8> {
    const TYPES: &str = "<Types/>";
    const MAIN: &str = "<Relationships><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/\
        officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>";
    let mut sheets = String::new();
    let mut relations = String::new();
    let named = |kind: &str, id: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"urn:{kind}\" Target=\"{target}\"/>")
    };
    for (number, (name, _)) in parts.iter().filter(|(name, _)| name.contains("sheets/")).enumerate() {
        let (_, tab) = name.rsplit_once('/').expect("a sheet");
        let tab = tab.trim_end_matches(".xml");
        write!(sheets, "<sheet name=\"{tab}\" sheetId=\"{number}\" r:id=\"s{number}\"/>").expect("a text");
        relations.push_str(&named("x/worksheet", &format!("s{number}"), &format!("/{name}")));
    }
    for (part, kind) in [("sharedStrings", "x/sharedStrings"), ("styles", "x/styles")] {
        if parts.iter().any(|(name, _)| name.contains(part)) {
            relations.push_str(&named(kind, part, &format!("{part}.xml")));
        }
    }
    let book = format!("<workbook xmlns:r=\"urn:r\"><sheets>{sheets}</sheets></workbook>");
    let relations = format!("<Relationships>{relations}</Relationships>");
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let always = [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", MAIN),
        ("xl/workbook.xml", &book),
        ("xl/_rels/workbook.xml.rels", &relations),
    ];
    let missing = always.into_iter().filter(|(name, _)| !parts.iter().any(|(given, _)| given == name));
    for (name, xml) in missing.chain(parts.iter().copied()) {
        zip.start_file(name, SimpleFileOptions::default()).expect("a new part");
        zip.write_all(xml.as_bytes()).expect("a writable file");
    }
    zip.finish().expect("a complete file").into_inner()
}

/// A sheet of these rows, each of which is the XML of cells.
pub(super) fn sheet(rows: &[&str]) -> String {
    let mut xml = String::from("<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData>");
    for row in rows {
        write!(xml, "<row>{row}</row>").expect("a text");
    }
    xml + "</sheetData></worksheet>"
}

/// The XML of cells with these texts; an empty one is none.
pub(super) fn texts(cells: &[&str]) -> String {
    cells.iter().fold(String::new(), |mut xml, cell| {
        let cell = cell.replace('&', "&amp;").replace('<', "&lt;");
        write!(xml, "<c t=\"inlineStr\"><is><t>{cell}</t></is></c>").expect("a text");
        xml
    })
}

impl Server {
    pub(super) fn book(&self, bytes: &[u8]) -> PathBuf {
        let path = self.data().join("view.xlsx");
        std::fs::write(&path, bytes).expect("a writable folder");
        path
    }

    fn import_book(&self, bytes: &[u8]) -> Report {
        self.import_file(&self.book(bytes))
    }

    /// Import a sheet with these headers and one row.
    fn import_row(&self, headers: &[&str], row: &str) -> Report {
        self.import_book(&workbook(&[("xl/sheets/Goals.xml", &sheet(&[&texts(headers), row]))]))
    }

    pub(super) fn goals(&self) -> Vec<GoalRecord> {
        let ids: Vec<i64> = self.titles().into_iter().map(|(id, ..)| id).collect();
        let list = goalpost::orgs::queries::list;
        let organizations = self.db.snapshot(goalpost_db::Scope::Global, list).expect("a readable database");
        let number = organizations.first().expect("there is one").number;
        let read = self.db.snapshot(number, |tx| GoalRecord::read(tx, number, &ids));
        read.expect("readable goals").into_values().collect()
    }
}

#[test]
fn a_workbook_brings_what_the_csv_of_the_same_view_does() {
    for (name, csv, xlsx) in GOLDEN {
        let (from_csv, from_xlsx) = (Server::new(), Server::new());
        let first = from_csv.import_table(csv);
        let second = from_xlsx.import_book(xlsx);
        assert_eq!(first.entities, second.entities, "{name}");
        assert_eq!(first.asides, second.asides, "{name}");
        assert_eq!((&first.notes, &first.mapping), (&second.notes, &second.mapping), "{name}");
        assert_eq!(from_csv.goals(), from_xlsx.goals(), "{name}");
        // And each finds that the other is there already.
        assert!(!from_csv.import_book(xlsx).changes_anything(), "{name}");
        assert!(!from_xlsx.import_table(csv).changes_anything(), "{name}");
        insta::assert_snapshot!(name, from_xlsx.told());
    }
}

impl Server {
    /// Goals and check-ins in words.
    fn told(&self) -> String {
        let goals = self.texts(
            "select cast(g.id as text) || ' | ' || g.title || ' | ' || g.status || ' | ' || coalesce(g.start_date, '') || ' | '
                || coalesce(g.end_date, '') || ' | ' || coalesce(g.metric_name, '') || ' | ' || coalesce(g.target_type, '')
                || ' | ' || g.type_label || ' | ' || g.goal_type || ' | ' || coalesce(g.description, '')
            from goal g where g.organization = ?1 order by g.id",
        );
        let check_ins = self.texts(
            "select cast(goal as text) || ' | ' || status || ' | ' || note from checkin where organization = ?1 order by id",
        );
        [goals, check_ins].concat().join("\n")
    }
}

/// A second opinion: calamine finds the same texts in the same cells as the CSV has, and two others wrote them:
/// openpyxl and Python's `XlsxWriter`.
#[test]
fn another_reader_finds_the_same_in_the_workbooks() {
    use calamine::{Data, Reader as _};

    for (name, csv, xlsx) in GOLDEN {
        let mut book = calamine::Xlsx::new(Cursor::new(xlsx)).expect("a workbook");
        let sheet = book.worksheet_range_at(0).expect("a sheet").expect("a readable sheet");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(csv);
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a record")).collect();
        for (place, row) in rows.iter().enumerate() {
            for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
                let found = sheet.get((place, column)).unwrap_or(&Data::Empty);
                let said = match found {
                    Data::DateTime(at) => {
                        let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
                        let day = format!("{year:04}-{month:02}-{day:02}");
                        let time = format!(" {hour:02}:{minute:02}:{second:02} UTC");
                        if cell.contains(':') { day + &time } else { day }
                    }
                    // Percents are a hundredth of what they are shown as; links by openpyxl have no value.
                    Data::Float(number) if name == "set_n" && &rows[0][column] == "Progress %" => {
                        (number * 100.0).to_string()
                    }
                    Data::Empty if &rows[0][column] == "Id" => cell.to_owned(),
                    other => other.to_string(),
                };
                assert_eq!(said, cell, "{name}, row {}, `{}`", place + 1, &rows[0][column]);
            }
        }
    }
}

#[test]
fn cells_of_every_type_are_read() {
    let styles = "<styleSheet><numFmts><numFmt numFmtId=\"200\" formatCode=\"dd/mm/yyyy\"/></numFmts><cellStyleXfs>\
        <xf numFmtId=\"9\"/></cellStyleXfs><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"200\"/>\
        <xf numFmtId=\"9\"/></cellXfs></styleSheet>";
    let strings = "<sst><si><r><t>Rich </t></r><r><rPr><b/></rPr><t>title_x000D_</t></r></si><si><t>Trees &amp; shrubs</t></si></sst>";
    let header = texts(&[
        "Id",
        "Title",
        "Start Date",
        "End Date",
        "Created At",
        "Period",
        "Metric Name",
        "Progress %",
        "Target",
        "Status",
        "Description",
    ]);
    let row = "<c r=\"A2\"><v>7.0</v></c><c r=\"B2\" t=\"s\"><v>0</v></c><c r=\"C2\" s=\"1\"><v>46023</v></c>\
        <c r=\"D2\"><v>46112</v></c><c r=\"E2\" t=\"d\"><v>2026-01-05T08:30:00Z</v></c><c r=\"F2\"><v>2026</v></c>\
        <c r=\"G2\" t=\"s\"><v>1</v></c><c r=\"H2\" s=\"3\"><v>0.07</v></c><c r=\"I2\"><v>1.5E2</v></c>\
        <c r=\"J2\" t=\"str\"><v>On Track</v></c><c r=\"K2\" t=\"b\"><v>1</v></c>";
    let book = workbook(&[
        ("xl/sheets/Goals.xml", &sheet(&[&header, row])),
        ("xl/styles.xml", styles),
        ("xl/sharedStrings.xml", strings),
    ]);
    let server = Server::new();
    let report = server.import_book(&book);
    assert_eq!(report.asides.total, 0, "{:?}", report.asides);
    let sql = "select title || '|' || start_date || '|' || end_date || '|' || metric_name || '|' || status || '|' || description
        || '|' || cast(cast(metric_target as integer) as text) || '|' || cast(cast(progress_percent as integer) as text)
        from goal where organization = ?1 and id = 7";
    assert_eq!(server.texts(sql), ["Rich title\r|2026-01-01|2026-03-31|Trees & shrubs|On Track|TRUE|150|7"]);
    assert_eq!(server.texts("select name from period where organization = ?1"), ["2026"]);
    let created = "select cast(created_at / 1000000 as text) from goal where organization = ?1 and id = 7";
    assert_eq!(server.texts(created), ["1767601800"]);
}

#[test]
fn days_may_be_counted_from_1904() {
    let book = "<workbook xmlns:r=\"urn:r\"><workbookPr date1904=\"1\"/><sheets><sheet name=\"Goals\" r:id=\"s0\"/></sheets></workbook>";
    let rows = sheet(&[&texts(&["Title", "Start Date"]), &(texts(&["Dig"]) + "<c><v>44561</v></c>")]);
    let server = Server::new();
    server.import_book(&workbook(&[("xl/workbook.xml", book), ("xl/sheets/Goals.xml", &rows)]));
    assert_eq!(server.texts("select start_date from goal where organization = ?1"), ["2026-01-01"]);
}

#[test]
fn formulas_are_told_and_never_run() {
    let server = Server::new();
    let link = "<c><f>HYPERLINK(\"https://goals.contoso.example/okr/7\",\"7\")</f></c>";
    let title = "<c t=\"str\"><f>CONCATENATE(\"Di\",\"g\")</f><v>Dig</v></c>";
    let report = server.import_row(
        &["Id", "Title", "Target", "Description"],
        &format!(
            "{link}{title}<c><f>SUM(1,2)</f><v>4</v></c><c><f>WEBSERVICE(\"https://contoso.example\")</f></c>"
        ),
    );
    assert_eq!(report.tally(Entity::Objectives).added, 1);
    let sql = "select title || cast(cast(metric_target as integer) as text) || coalesce(description, '') from goal where organization = ?1 and id = 7";
    assert_eq!(server.texts(sql), ["Dig4"]);
    let note = "3 cells are formulas: nothing was computed, the values that were last saved were taken: \
        B2 `CONCATENATE(\\\"Di\\\",\\\"g\\\")`, C2 `SUM(1,2)`, D2 `WEBSERVICE(\\\"https://contoso.example\\\")`";
    assert_eq!(report.notes, [note]);
    // In another column the formula of exports is one like any other, and other forms are none of exports.
    for (cell, problem) in [
        ("<c><f>HYPERLINK(A1,\"7\")</f></c>", None),
        (
            "<c t=\"str\"><f>HYPERLINK(\"a\",\"b\")</f><v>b</v></c>",
            Some("row 2, column `Id`: `b` is no number of a goal"),
        ),
        (
            "<c t=\"e\"><f>1/0</f><v>#DIV/0!</v></c>",
            Some("row 2, column `Id`: `#DIV/0!` is no number of a goal"),
        ),
    ] {
        let row = format!("{cell}{}", texts(&["Sow"]));
        let book = workbook(&[("xl/sheets/Goals.xml", &sheet(&[&texts(&["Id", "Title"]), &row]))]);
        let read = Server::new();
        match (read.import_with(&read.book(&book), &options()), problem) {
            (Ok(report), None) => assert_eq!(report.notes.len(), 1, "{cell}"),
            (Err(error), Some(problem)) => assert!(error.to_string().contains(problem), "{error}"),
            (result, _) => panic!("{cell}: {result:?}"),
        }
    }
}

#[test]
fn a_table_goes_on_in_further_sheets_and_other_sheets_are_told() {
    let header = texts(&["Id", "Title", "Target"]);
    let row = |id: &str, target: &str| texts(&[id, "Dig", target]);
    let book = |target: &str| {
        workbook(&[
            ("xl/sheets/About.xml", &sheet(&[&texts(&["Goals of Contoso"])])),
            ("xl/sheets/Goals.xml", &sheet(&["", &header, &row("7", "1")])),
            ("xl/sheets/Empty.xml", &sheet(&["", ""])),
            ("xl/sheets/Goals (2).xml", &sheet(&[&header, &row("8", "1"), "", &row("9", target)])),
        ])
    };
    let server = Server::new();
    let report = server.import_book(&book("3"));
    assert_eq!(report.tally(Entity::Objectives).added, 3);
    assert_eq!(report.notes, ["the sheet `About` is not part of the table and was not read"]);
    let error = server.import_with(&server.book(&book("much")), &options()).expect_err("a bad cell");
    assert!(error.to_string().contains("row 4 of further sheet 1, column `Target`: `much`"), "{error}");
}

#[test]
fn a_dry_run_of_a_workbook_writes_nothing() {
    let server = Server::new();
    let before = server.bytes();
    let dry = ImportOptions { dry_run: true, ..options() };
    let report = server.import_with(&server.book(GOLDEN[0].2), &dry).expect("the workbook is good");
    assert_eq!(report.tally(Entity::Objectives).added, 3);
    assert!(server.bytes() == before, "a dry run wrote");
}

/// Import a company, then a bad workbook, and expect the database as it was; returns what is said.
fn refused(bytes: &[u8]) -> String {
    let server = Server::new();
    server.import(&Company::small());
    let before = server.bytes();
    let error = server.import_with(&server.book(bytes), &options()).expect_err("the workbook is bad");
    assert!(server.bytes() == before, "a refused import changed the database");
    assert!(error.hint().is_some(), "no hint with: {error}");
    error.to_string()
}

#[test]
fn bad_workbooks_are_refused() {
    const EXTERNAL: &str = "<Relationships><Relationship Id=\"r\" Type=\"urn:x/externalLinkPath\" TargetMode=\"External\" \
        Target=\"file:///c:/budget.xlsx\"/></Relationships>";
    let good = sheet(&[&texts(&["Title"]), &texts(&["Dig"])]);
    let one = |rows: &[&str]| workbook(&[("xl/sheets/Goals.xml", &sheet(rows))]);
    let with = |name: &str, xml: &str| workbook(&[("xl/sheets/Goals.xml", &good), (name, xml)]);
    let titled = texts(&["Title"]);
    for (bytes, words) in [
        (one(&[&texts(&["Farbe", "Größe"])]), &["no header", "Farbe, Größe"][..]),
        (one(&[&texts(&["Id", "Status"])]), &["`Title`"]),
        (one(&[&texts(&["Title", "Title"])]), &["twice"]),
        (
            one(&[&texts(&["Id", "Title"]), &texts(&["7", "One"]), &texts(&["7", "Two"])]),
            &["row 3", "`Id`", "earlier row"],
        ),
        (one(&[&titled, &texts(&["One", "more"])]), &["row 2", "column 2", "last header"]),
        (one(&[&titled, &texts(&["O_x0000_ne"])]), &["NUL"]),
        (one(&[&titled, "<c t=\"s\"><v>3</v></c>"]), &["row 2", "nowhere"]),
        (one(&[&titled, "<c t=\"z\"><v>3</v></c>"]), &["not known"]),
        (one(&[&titled, "<c r=\"A7\"><v>3</v></c>"]), &["row 2", "not in order"]),
        (one(&[&titled, "<c r=\"B2\"/><c r=\"A2\"/>"]), &["row 2", "not in order"]),
        (one(&[]), &["empty"]),
        (workbook(&[]), &["empty"]),
        (with("xl/externalLinks/_rels/externalLink1.xml.rels", EXTERNAL), &["elsewhere", "budget.xlsx"]),
        (
            with("xl/sharedStrings.xml", "<!DOCTYPE sst [<!ENTITY a \"b\">]><sst><si><t>&a;</t></si></sst>"),
            &["document type"],
        ),
        (with("xl/sharedStrings.xml", "<sst><si><t>&a;</t></si></sst>"), &["sharedStrings", "no character"]),
        (with("xl/styles.xml", "<styleSheet>"), &["styles", "in the middle"]),
        (
            with(
                "xl/workbook.xml",
                "<workbook xmlns:r=\"urn:r\"><sheets><sheet r:id=\"none\"/></sheets></workbook>",
            ),
            &["nowhere"],
        ),
        (with("_rels/.rels", "<Relationships/>"), &["no part `xl/workbook.xml`"]),
        (
            with(
                "_rels/.rels",
                "<Relationships><Relationship Type=\"x/officeDocument\" Target=\"xl/workbook.bin\"/></Relationships>",
            ),
            &["binary"],
        ),
        (with("XL/sheets/goals.xml", &good), &["twice"]),
        (with("xl/sheets/Goals.xml.txt", "")[..400].to_vec(), &["not a complete ZIP"]),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more".to_vec(), &["password", ".xls"]),
    ] {
        let message = refused(&bytes);
        for word in words {
            assert!(message.contains(word), "`{word}` is not in: {message}");
        }
    }
}

#[test]
fn a_link_in_a_cell_is_no_reason_to_refuse() {
    let links = "<Relationships><Relationship Id=\"r\" Type=\"urn:x/hyperlink\" TargetMode=\"External\" \
        Target=\"mailto:ilse@contoso.example\"/></Relationships>";
    let good = sheet(&[&texts(&["Title"]), &texts(&["Dig"])]);
    let server = Server::new();
    let book = workbook(&[("xl/sheets/Goals.xml", &good), ("xl/sheets/_rels/Goals.xml.rels", links)]);
    assert_eq!(server.import_book(&book).tally(Entity::Objectives).added, 1);
}
