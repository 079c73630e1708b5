//! Exports with options, over HTTP: what a file is, in every format, and what is refused.

use std::io::Read as _;

use goalpost::views::Preset;
use serde_json::{Value, json};

use super::*;

/// May read and write goals, and export.
pub(super) const ALL: &str = "Goals.ReadWrite.All Goals-Export.ReadWrite.All";

/// A company with texts that formats and spreadsheets like to misread.
async fn door() -> Door {
    let mut company = company();
    company.goal(101).title = String::from("=1+2, \"quoted\"\nand a second line");
    company.goal(103).title = String::from("'already marked");
    company.goal(103).description = Some("_x0041_ \u{1f} <b>&amp;".to_owned());
    let door = Door::with(&company).await;
    door.own("user10@contoso.example");
    door
}

fn owner(door: &Door) -> Client {
    door.t.client_with_scopes("user10@contoso.example", ALL)
}

/// Let everything be made that is pending.
async fn run_all(door: &Door) {
    while door.t.run_one().await {}
}

fn view(door: &Door) -> Uuid {
    Preset::AllObjectives.guid(door.organization)
}

/// Ask for a file, let it be made, fetch it.
async fn export(door: &Door, client: &Client, options: Value) -> (Value, Answer) {
    export_of(door, client, view(door), options).await
}

/// The same of any view.
pub(super) async fn export_of(door: &Door, client: &Client, view: Uuid, options: Value) -> (Value, Answer) {
    let mut body = options;
    body["viewId"] = view.to_string().into();
    let made = door.done(client, "POST", "exports", &body, 201).await;
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let origin = door.t.app.config.public_url.as_deref().unwrap_or(&door.t.url);
    assert_eq!(made.header("location"), Some(&*format!("{origin}{}", door.path(&format!("exports/{id}")))));
    assert_eq!(made.json()["status"], "notStarted");
    let pending = door.get(client, &format!("exports/{id}")).await;
    assert_eq!(pending.header("retry-after"), Some("1"), "{}", pending.text());
    run_all(door).await;
    let made = door.get(client, &format!("exports/{id}")).await;
    assert_eq!(made.header("retry-after"), None);
    let made = made.json();
    assert_eq!(made["status"], "succeeded", "{made}");
    let content = door.get(client, &format!("exports/{id}/content")).await;
    assert_eq!(content.status, 200, "{}", content.text());
    assert_eq!(content.header("content-length"), Some(&*made["sizeBytes"].to_string()));
    (made, content)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_options_it_is_the_file_of_the_graph_door() {
    let door = door().await;
    let client = owner(&door);
    let (made, content) = export(&door, &client, json!({})).await;
    let listed = client.list_exports("").await.json();
    assert_eq!(listed["value"].as_array().map(Vec::len), Some(1), "{listed}");
    let graph = client.get_content(listed["value"][0]["id"].as_str().expect("an id")).await;
    assert_eq!(graph.bytes, content.bytes);
    assert_eq!(made["rowsDone"], 4);
    // What has options is not for clients of the Graph door, which know one kind of file.
    export(&door, &client, json!({ "format": "jsonl" })).await;
    assert_eq!(client.list_exports("").await.json()["value"].as_array().map(Vec::len), Some(1));
    assert_eq!(door.get(&client, "exports/$count").await.text(), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_the_same_bytes_in_the_database_and_in_the_store() {
    let each = [
        json!({}),
        json!({ "compression": "gzip" }),
        json!({ "compression": "zstd" }),
        json!({ "format": "jsonl" }),
        json!({ "format": "xlsx" }),
        json!({ "format": "parquet" }),
    ];
    let made = async |in_database_bytes: usize| {
        let t = TestApp::start_with(|config| config.exports.in_database_bytes = in_database_bytes).await;
        let door = Door::on(t, &company());
        goalpost::nodes::join(&door.t.app).await.expect("it joins");
        door.own("user10@contoso.example");
        let mut files = Vec::new();
        for options in &each {
            files.push(export(&door, &owner(&door), options.clone()).await.1.bytes);
        }
        (files, door.t.app.content.list().next_page().await.expect("a list").len())
    };
    let (stored, in_store) = made(0).await;
    let (kept, not_in_store) = made(65_536).await;
    assert_eq!((in_store, not_in_store), (each.len(), 0));
    for ((stored, kept), options) in stored.iter().zip(&kept).zip(&each) {
        assert!(stored == kept, "{options}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_says_the_same() {
    let door = door().await;
    let client = owner(&door);
    let columns =
        json!(["Id", "Title", "ownerEmails", "parentIds", "isRestricted", "Progress %", "Created At"]);
    let (_, lines) = export(&door, &client, json!({ "format": "jsonl", "columns": columns })).await;
    let lines: Vec<Value> =
        lines.text().lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[1]["Title"], "=1+2, \"quoted\"\nand a second line");
    assert_eq!((&lines[1]["Id"], &lines[1]["parentIds"]), (&json!(101), &json!("100")));
    assert_eq!(lines[1]["isRestricted"], json!(false));

    let (_, text) = export(&door, &client, json!({ "columns": columns })).await;
    let mut reader = csv::Reader::from_reader(&*text.bytes);
    assert_eq!(reader.headers().expect("a header").iter().collect::<Vec<_>>(), columns_of(&columns));
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a record")).collect();
    for (row, line) in rows.iter().zip(&lines) {
        for (cell, name) in row.iter().zip(columns_of(&columns)) {
            let said = match &line[name] {
                Value::Null => String::new(),
                Value::String(text) if name == "Created At" => text.replace('T', " ").replace('Z', " UTC"),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(cell, said, "{name}");
        }
    }

    let (made, packed) = export(&door, &client, json!({ "columns": columns, "compression": "gzip" })).await;
    assert!(made["fileName"].as_str().is_some_and(|name| name.ends_with(".csv.gz")), "{made}");
    assert_eq!(packed.header("content-type"), Some("application/gzip"));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&*packed.bytes).read_to_end(&mut unpacked).expect("it unpacks");
    assert_eq!(unpacked, text.bytes);

    let (made, packed) = export(&door, &client, json!({ "columns": columns, "compression": "zstd" })).await;
    assert!(made["fileName"].as_str().is_some_and(|name| name.ends_with(".csv.zst")), "{made}");
    assert_eq!(packed.header("content-type"), Some("application/zstd"));
    assert_eq!(zstd::decode_all(&*packed.bytes).expect("it unpacks"), text.bytes);

    let (made, file) = export(&door, &client, json!({ "format": "parquet", "columns": columns })).await;
    assert!(
        made["fileName"].as_str().is_some_and(|name| name.rsplit('.').next() == Some("parquet")),
        "{made}"
    );
    assert_eq!(file.header("content-type"), Some("application/vnd.apache.parquet"));
    assert_eq!(parquet_rows(&file.bytes), lines);

    let (made, sheet) = export(&door, &client, json!({ "format": "xlsx", "columns": columns })).await;
    assert!(made["fileName"].as_str().is_some_and(|name| name.rsplit('.').next() == Some("xlsx")), "{made}");
    let xml = part(&sheet.bytes, "xl/worksheets/sheet1.xml");
    assert!(!xml.contains("<f>") && !xml.contains("<f "), "no formulas");
    assert!(xml.contains("<dimension ref=\"A1:G5\"/>"), "{xml}");
    assert!(xml.contains("=1+2, &quot;quoted&quot;\nand a second line"), "{xml}");
    // The same again is the same, byte for byte.
    let (_, again) = export(&door, &client, json!({ "format": "xlsx", "columns": columns })).await;
    assert_eq!(again.bytes, sheet.bytes);
}

fn columns_of(columns: &Value) -> Vec<&str> {
    columns.as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

/// The rows of a Parquet file, as JSON Lines have them.
pub(super) fn parquet_rows(file: &[u8]) -> Vec<Value> {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::Field;

    let json = |field: &Field| match field {
        Field::TimestampMicros(at) => {
            let at = jiff::Timestamp::from_second(at.div_euclid(1_000_000)).expect("a year of four digits");
            at.to_string().into()
        }
        Field::Date(_) => field.to_string().into(),
        // A number without decimals is written without a point.
        Field::Double(number) if number.fract() == 0.0 => json!(*number as i64),
        Field::Double(number) => json!(number),
        Field::Long(number) => json!(number),
        Field::Bool(flag) => json!(flag),
        Field::Str(text) => json!(text),
        Field::Null => Value::Null,
        other => panic!("no column has {other:?}"),
    };
    let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(file)).expect("a Parquet file");
    let rows = reader.get_row_iter(None).expect("rows").map(|row| {
        let row = row.expect("a row");
        row.get_column_iter().map(|(name, field)| (name.clone(), json(field))).collect()
    });
    rows.collect()
}

pub(super) fn part(workbook: &[u8], name: &str) -> String {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(workbook)).expect("a workbook");
    let mut xml = String::new();
    zip.by_name(name).expect("a part").read_to_string(&mut xml).expect("text");
    xml
}

#[tokio::test(flavor = "multi_thread")]
async fn spreadsheets_take_no_text_for_a_formula() {
    let door = door().await;
    let client = owner(&door);
    let columns = json!(["Title", "Progress %"]);
    let (_, file) = export(&door, &client, json!({ "columns": columns, "profile": "excel" })).await;
    let text = file.text();
    assert!(text.starts_with("\u{feff}\"Title\",\"Progress %\"\r\n"), "{text}");
    assert!(text.contains("\"'=1+2, \"\"quoted\"\"\nand a second line\","), "{text}");
    assert!(text.contains("\"''already marked\","), "{text}");
    let german = json!({ "columns": columns, "separator": "semicolon", "decimalMark": "comma" });
    let (_, file) = export(&door, &client, german).await;
    assert!(file.text().starts_with("Title;Progress %\r\n"), "{}", file.text());

    let body = json!({ "viewId": view(&door), "columns": columns, "formulas": "reject" });
    let made = door.done(&client, "POST", "exports", &body, 201).await.json();
    run_all(&door).await;
    let path = format!("exports/{}", made["id"].as_str().expect("an id"));
    let failed = door.get(&client, &path).await.json();
    assert_eq!(failed["status"], "failed");
    assert!(failed["statusDetail"].as_str().is_some_and(|why| why.contains("for a formula")), "{failed}");
    assert_eq!(door.get(&client, &format!("{path}/content")).await.status, 409);
    // A retry asks for the same again.
    let again = door.done(&client, "POST", &format!("{path}/retry"), &Value::Null, 201).await.json();
    assert_ne!(again["id"], made["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_ins_and_tags_stand_where_they_are_wanted() {
    let door = door().await;
    let client = owner(&door);
    let (made, file) =
        export(&door, &client, json!({ "rows": "checkIns", "columns": ["Id", "Title"] })).await;
    let text = file.text();
    assert!(text.starts_with("Id,Title,Checkin Date,User,Note,"), "{text}");
    assert_eq!(made["rowsDone"], 2, "one of 101 and one of 102");
    let (_, file) = export(&door, &client, json!({ "columns": "vivaOlder", "tags": "columns" })).await;
    let header = file.text().lines().next().expect("a header").to_owned();
    assert!(header.contains("OKR type,Type name,Creator"), "{header}");
    assert!(header.ends_with("Score,Checkins"), "{header}");
    let (_, file) = export(&door, &client, json!({ "columns": "viva", "checkIns": "none" })).await;
    assert!(file.text().lines().next().is_some_and(|header| header.ends_with(",Score")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_says_what_the_file_is() {
    use std::fmt::Write as _;

    use sha2::Digest as _;

    let door = door().await;
    let client = owner(&door);
    let (made, file) = export(&door, &client, json!({ "format": "jsonl", "columns": ["Id", "Title"] })).await;
    let path = format!("exports/{}/manifest", made["id"].as_str().expect("an id"));
    let manifest = door.get(&client, &path).await.json();
    let mut hash = String::new();
    for byte in sha2::Sha256::digest(&file.bytes) {
        write!(hash, "{byte:02x}").expect("writing to memory does not fail");
    }
    assert_eq!((&manifest["sha256"], &manifest["bytes"]), (&json!(hash), &json!(file.bytes.len())));
    assert_eq!((&manifest["rows"], &manifest["options"]["format"]), (&json!(4), &json!("jsonl")));
    assert_eq!(
        manifest["columns"][0],
        json!({ "name": "Id", "type": "integer", "about": "The goal's number" })
    );
    let dictionary = client.get("/api/v1/exportColumns").await.json();
    assert_eq!(dictionary["version"], manifest["columnsVersion"]);
    let names = dictionary["goals"].as_array().expect("columns");
    assert!(names.iter().any(|column| column["name"] == "ownerEmails"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_shows_what_was_and_goes_when_it_is_told() {
    let door = door().await;
    let client = owner(&door);
    let (first, before) = export(&door, &client, json!({ "columns": ["Id", "Status"] })).await;
    door.done(&client, "POST", "goals/101/checkIns", &json!({ "value": 120, "status": "At Risk" }), 201)
        .await;
    let then = json!({ "columns": ["Id", "Status"], "asOf": first["asOfDateTime"] });
    let (_, past) = export(&door, &client, then).await;
    assert_eq!(past.bytes, before.bytes);
    let (_, now) = export(&door, &client, json!({ "columns": ["Id", "Status"] })).await;
    assert_ne!(now.bytes, before.bytes);

    // A pending one is called off, and what was made is taken away.
    let body = json!({ "viewId": view(&door), "format": "xlsx" });
    let pending = door.done(&client, "POST", "exports", &body, 201).await.json();
    let again = door.send(&client, "POST", "exports", &body).await;
    assert_eq!(again.status, 409, "{}", again.text());
    for id in [&pending["id"], &first["id"]] {
        let path = format!("exports/{}", id.as_str().expect("an id"));
        door.done(&client, "DELETE", &path, &Value::Null, 204).await;
        assert_eq!(door.get(&client, &path).await.status, 404);
        assert_eq!(door.get(&client, &format!("{path}/content")).await.status, 404);
    }
    run_all(&door).await;
    assert_eq!(door.get(&client, "exports/$count").await.text(), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused_before_it_is_promised() {
    let door = door().await;
    let client = owner(&door);
    let view = view(&door);
    for (body, says) in [
        (json!({}), "'viewId' must be the id of a view"),
        (json!({ "viewId": "7" }), "'viewId' must be the id of a view"),
        (json!({ "viewId": Uuid::nil() }), "there is no view"),
        (json!({ "viewId": view, "format": "pdf" }), "unknown variant `pdf`"),
        (json!({ "viewId": view, "columns": ["Colour"] }), "there is no column `Colour`"),
        (json!({ "viewId": view, "format": "xlsx", "separator": "tab" }), "for `csv` alone"),
        (json!({ "viewId": view, "asOf": "soon" }), "write an instant"),
        (json!({ "viewId": view, "asOf": "2001-01-01" }), "The earliest instant"),
        (json!({ "viewId": view, "asOf": 7 }), "'asOf' must be a text"),
    ] {
        let refused = door.send(&client, "POST", "exports", &body).await;
        assert_eq!(refused.status, 400, "{body}: {}", refused.text());
        assert!(refused.text().contains(says), "{body}: {}", refused.text());
    }
    // Another's export is not there, and who may not export is told so.
    let made = door.done(&client, "POST", "exports", &json!({ "viewId": view }), 201).await.json();
    let bo = door.t.client_with_scopes("user11@contoso.example", ALL);
    let path = format!("exports/{}", made["id"].as_str().expect("an id"));
    for (method, rest) in [("GET", ""), ("GET", "/content"), ("GET", "/manifest"), ("DELETE", "")] {
        let answer = door.send(&bo, method, &format!("{path}{rest}"), &Value::Null).await;
        assert_eq!(answer.status, 404, "{method} {rest}: {}", answer.text());
    }
    let refused = door.send(&bo, "POST", "exports", &json!({ "viewId": view })).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(door.get(&bo, "exports/$count").await.text(), "0");
}
