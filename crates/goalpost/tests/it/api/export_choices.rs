//! What else may be chosen of an export: rows of tags, words, a zone, links, levels below. And every kind of file, golden.

use goalpost::views::Preset;
use goalpost_testing::TestApp;
use goalpost_viva::{Note, Objective, Permissions, Tag};
use serde_json::{Value, json};

use super::exports::{ALL, export_of, parquet_rows, part};
use super::*;

/// Where the server of these tests says that it is.
const ORIGIN: &str = "https://goals.contoso.example";

/// A company of several levels, with tags, check-ins and texts that formats like to misread.
fn company() -> Company {
    let tag = |id, name: &str| Tag { id, name: Some(name.to_owned()), aside: Vec::new() };
    let mut company = super::company();
    company.tags.push(tag(41, "Spring, late"));
    let below =
        |id, parents: Vec<i64>, title: &str| Objective { parent_ids: parents, ..goal(id, "Kpi", title) };
    let restricted =
        |goal: Objective| Objective { owners: vec![person(10)], permissions: Permissions::default(), ..goal };
    company.goals.push(below(104, vec![103], "Two levels down"));
    company.goals.push(Objective {
        tags: Vec::new(),
        status: Some("At Risk".to_owned()),
        description: Some("'quoted', \"twice\"\r\nand a second line; _x0041_ \u{1f}".to_owned()),
        ..goal(105, "Big rock", "=HYPERLINK(\"https://elsewhere.example\")")
    });
    company.goals.push(below(106, vec![102], "Below the secret"));
    company.goals.push(restricted(below(107, vec![100], "A secret graft")));
    company.goals.push(below(108, vec![107], "Below the secret graft"));
    company.goal(101).tags.push(tag(41, "Spring, late"));
    for (id, day) in [(1000, 12), (1002, 19)] {
        if id != 1000 {
            company.check_ins.push(check_in(id, 101));
        }
        let made = company.check_ins.iter_mut().find(|check_in| check_in.id == id).expect("it was added");
        made.date = Some(jiff::civil::datetime(2026, 1, day, 0, 0, 0, 0));
        made.note = Some(Note { text: Some(format!("Note of the {day}th")), html: None });
        made.recorded_at = Some(jiff::civil::datetime(2026, 1, day, 23, 30, 0, 0));
    }
    company.goal(101).last_check_in = Some(jiff::civil::datetime(2026, 1, 19, 0, 0, 0, 0));
    company
}

/// A server that knows its address, with both people owners of the organization: they may export.
async fn door() -> Door {
    let t = TestApp::start_with(|config| config.public_url = Some(ORIGIN.to_owned())).await;
    let door = Door::on(t, &company());
    door.own("user10@contoso.example");
    door.own("user11@contoso.example");
    door
}

/// Sees what is restricted.
fn ilse(door: &Door) -> Client {
    door.t.client_with_scopes("user10@contoso.example", ALL)
}

fn bo(door: &Door) -> Client {
    door.t.client_with_scopes("user11@contoso.example", ALL)
}

/// The file of a view with these options.
async fn file(door: &Door, client: &Client, view: Preset, options: Value) -> (Value, Answer) {
    export_of(door, client, view.guid(door.organization), options).await
}

/// The cells of the first column of a CSV without its header.
async fn first_cells(door: &Door, client: &Client, view: Preset, options: Value) -> Vec<String> {
    let (_, file) = file(door, client, view, options).await;
    let mut reader = csv::Reader::from_reader(&*file.bytes);
    reader.records().map(|row| row.expect("a record")[0].to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_may_have_a_row_of_its_own() {
    let door = door().await;
    let options = json!({ "columns": ["Id", "Tag", "Title"], "tags": "rows" });
    let (made, file) = file(&door, &ilse(&door), Preset::AllObjectives, options).await;
    let text = file.text();
    let of =
        |id: &str| text.lines().filter(|line| line.starts_with(id)).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(of("101,"), ["101,Winter,Prune 300 trees", "101,\"Spring, late\",Prune 300 trees"]);
    assert_eq!(of("105,"), ["105,,\"=HYPERLINK(\"\"https://elsewhere.example\"\")\""]);
    assert_eq!(
        (&made["rowsDone"], &made["rowsExpected"]),
        (&json!(10), &json!(10)),
        "nine goals, one of two tags"
    );
    // Of a view that chooses.
    let options = json!({ "columns": ["Id", "Tag"], "tags": "rows", "children": 1 });
    let (made, _) = export_of(&door, &bo(&door), Preset::Unaligned.guid(door.organization), options).await;
    assert_eq!((&made["rowsDone"], &made["rowsExpected"]), (&json!(5), &json!(5)));
    let (_, sheet) = export_of(
        &door,
        &ilse(&door),
        Preset::AllObjectives.guid(door.organization),
        json!({ "format": "xlsx", "columns": ["Id", "Tag"], "tags": "rows" }),
    )
    .await;
    assert!(part(&sheet.bytes, "xl/worksheets/sheet1.xml").contains("<dimension ref=\"A1:B11\"/>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn children_come_along_as_deep_as_wanted_and_each_once() {
    let door = door().await;
    let levels = |levels: u32| json!({ "columns": ["Id"], "children": levels });
    for (client, of_levels) in [
        (
            ilse(&door),
            [
                "100 102 105",
                "100 101 102 103 105 106 107",
                "100 101 102 103 104 105 106 107 108",
                "100 101 102 103 104 105 106 107 108",
            ],
        ),
        // What Bo may not see is not there, and nothing comes along through it.
        (bo(&door), ["100 105", "100 101 103 105", "100 101 103 104 105", "100 101 103 104 105"]),
    ] {
        for (depth, ids) in [0, 1, 2, u32::MAX].into_iter().zip(of_levels) {
            let cells = first_cells(&door, &client, Preset::Unaligned, levels(depth)).await;
            assert_eq!(cells.join(" "), ids, "{depth} levels");
        }
    }
    // Each of these depends on who asks, though the filter does not.
    let (made, before) = file(&door, &bo(&door), Preset::Unaligned, levels(2)).await;
    let manifest =
        door.get(&bo(&door), &format!("exports/{}/manifest", made["id"].as_str().expect("an id"))).await;
    assert_eq!(manifest.json()["sameForEveryone"], json!(false));

    // What lay below then, not what does now.
    door.done(&ilse(&door), "POST", "goals/104/unalign", &json!({ "id": 103 }), 200).await;
    let now = first_cells(&door, &bo(&door), Preset::Unaligned, levels(2)).await;
    assert_eq!(now.join(" "), "100 101 103 104 105", "104 is on top now");
    let now = first_cells(&door, &bo(&door), Preset::Unaligned, levels(0)).await;
    assert_eq!(now.join(" "), "100 104 105");
    let then = json!({ "columns": ["Id"], "children": 2, "asOf": made["asOfDateTime"] });
    let (_, past) = file(&door, &bo(&door), Preset::Unaligned, then).await;
    assert_eq!(past.bytes, before.bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_moves_what_was_written_down_and_no_days() {
    let door = door().await;
    let zone = |more: Value| {
        let mut options = more;
        options["timeZone"] = "America/New_York".into();
        options
    };
    let columns = json!(["Id", "Start Date", "Created At", "Last Check-in"]);
    let rows = zone(json!({ "rows": "checkIns", "columns": columns }));
    let (made, file) = file(&door, &ilse(&door), Preset::AllObjectives, rows).await;
    let line = file.text().lines().nth(1).map(str::to_owned).expect("a check-in");
    assert!(
        line.starts_with("101,,2026-01-04 19:00:00 -05:00,2026-01-19,2026-01-12 00:00:00 UTC,"),
        "{line}"
    );
    assert!(line.ends_with(",2026-01-12 18:30:00 -05:00"), "{line}");
    let path = format!("exports/{}/manifest", made["id"].as_str().expect("an id"));
    let manifest = door.get(&ilse(&door), &path).await.json();
    let zone_of = |name: &str| {
        let columns = manifest["columns"].as_array().expect("columns");
        columns.iter().find(|column| column["name"] == name).expect("it is there")["timeZone"].clone()
    };
    assert_eq!(zone_of("Created At"), "America/New_York");
    assert_eq!(zone_of("Checkin Date"), "UTC");
    assert_eq!(zone_of("Start Date"), Value::Null);

    // In cells that are put together, too.
    let (_, file) = self::file(&door, &ilse(&door), Preset::AllObjectives, zone(json!({}))).await;
    let cell = "Checkin Date: 2026-01-12; User: Ilse Anders; Note: Note of the 12th; Metric Name: Trees; \
                Status: On Track; Current Value: 150; Activity Date: 2026-01-12 18:30:00 -05:00;";
    assert!(file.text().contains(cell), "{}", file.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_leads_to_the_page_by_native_links() {
    let door = door().await;
    let options =
        json!({ "format": "xlsx", "columns": ["Tag", "Title", "Id"], "tags": "columns", "links": "id" });
    let (made, book) = file(&door, &ilse(&door), Preset::AllObjectives, options).await;
    let sheet = part(&book.bytes, "xl/worksheets/sheet1.xml");
    assert!(
        sheet.contains("<hyperlink ref=\"D2\" r:id=\"rId2\"/>"),
        "behind two tags and the title: {sheet}"
    );
    assert!(sheet.contains("<c r=\"D2\" s=\"4\"><v>100</v></c>"), "it stays a number: {sheet}");
    assert!(!sheet.contains("<f>") && !sheet.contains("<f "), "no formulas");
    let targets = part(&book.bytes, "xl/worksheets/_rels/sheet1.xml.rels");
    let view = Preset::AllObjectives.guid(door.organization);
    let page =
        format!("{ORIGIN}/org_uuid/{}/objective-explorer?viewId={view}&amp;goal=100", door.organization);
    assert!(targets.contains(&format!("Target=\"{page}\" TargetMode=\"External\"")), "{targets}");
    assert_eq!(targets.matches("Target=\"").count(), targets.matches(ORIGIN).count(), "to nowhere else");
    // The page is there.
    let path = page.replace("&amp;", "&").replace(ORIGIN, "");
    assert_eq!(ilse(&door).get(&path).await.status, 200);
    let path = format!("exports/{}/manifest", made["id"].as_str().expect("an id"));
    assert_eq!(door.get(&ilse(&door), &path).await.json()["rowsWithoutLink"], 0);

    // Behind what became of a row, too.
    let since = json!({ "format": "xlsx", "columns": ["Id"], "links": "id", "since": made["id"] });
    door.done(&ilse(&door), "PATCH", "goals/100", &json!({ "description": "Changed" }), 200).await;
    let (_, book) = file(&door, &ilse(&door), Preset::AllObjectives, since).await;
    let sheet = part(&book.bytes, "xl/worksheets/sheet1.xml");
    assert!(sheet.contains("<hyperlink ref=\"B2\" r:id=\"rId2\"/>"), "{sheet}");

    // A server that knows no address of its own cannot say where links lead.
    let door = Door::with(&company()).await;
    door.own("user10@contoso.example");
    let body =
        json!({ "viewId": Preset::AllObjectives.guid(door.organization), "format": "xlsx", "links": "id" });
    let refused = door.send(&ilse(&door), "POST", "exports", &body).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("`public_url`"), "{}", refused.text());
}

/// Every kind of file and every choice, as files are. After a change of them look at each.
#[tokio::test(flavor = "multi_thread")]
async fn golden_files() {
    let door = door().await;
    let all = [
        "Id",
        "Title",
        "Tag",
        "Owner",
        "Description",
        "Object Type",
        "Status",
        "Created At",
        "Start",
        "Progress %",
    ];
    let few = json!(["Id", "Title", "Tag", "Status", "Created At"]);
    for (name, options) in [
        ("csv", json!({})),
        ("csv_older", json!({ "columns": "vivaOlder" })),
        ("csv_all", json!({ "columns": "all" })),
        ("csv_excel", json!({ "columns": all, "profile": "excel" })),
        (
            "csv_german",
            json!({ "columns": all, "separator": "semicolon", "decimalMark": "comma", "byteOrderMark": true }),
        ),
        ("csv_tabs", json!({ "columns": few, "separator": "tab", "formulas": "text" })),
        ("csv_check_ins", json!({ "columns": ["Id", "Title"], "rows": "checkIns" })),
        ("csv_spilled", json!({ "columns": ["Id"], "checkIns": "columns", "labels": "neutral" })),
        ("csv_tags_in_columns", json!({ "columns": few, "tags": "columns" })),
        ("csv_tags_in_rows", json!({ "columns": few, "tags": "rows" })),
        ("csv_neutral", json!({ "columns": all, "labels": "neutral" })),
        ("csv_zone", json!({ "columns": few, "timeZone": "Asia/Kolkata" })),
        ("jsonl", json!({ "columns": all, "format": "jsonl" })),
        (
            "jsonl_zone",
            json!({ "columns": few, "format": "jsonl", "rows": "checkIns", "timeZone": "Europe/Berlin" }),
        ),
        ("jsonl_gzip", json!({ "columns": few, "format": "jsonl", "compression": "gzip" })),
        ("jsonl_zstd", json!({ "columns": few, "format": "jsonl", "compression": "zstd" })),
        ("xlsx", json!({ "columns": all, "format": "xlsx" })),
        (
            "xlsx_links",
            json!({ "columns": few, "format": "xlsx", "links": "id", "timeZone": "Europe/Berlin" }),
        ),
        ("parquet", json!({ "columns": "all", "format": "parquet" })),
        ("parquet_check_ins", json!({ "columns": ["Id"], "format": "parquet", "rows": "checkIns" })),
    ] {
        let (made, file) = self::file(&door, &ilse(&door), Preset::AllObjectives, options.clone()).await;
        // The same again is the same file, byte for byte.
        let (_, again) = self::file(&door, &ilse(&door), Preset::AllObjectives, options).await;
        assert_eq!(again.bytes, file.bytes, "{name}");
        let file_name = made["fileName"].as_str().expect("a name");
        insta::assert_snapshot!(name, shown(file_name, &file.bytes));
    }
}

/// A file as a person reads it, with pictures of what is not seen.
fn shown(file_name: &str, bytes: &[u8]) -> String {
    let picture = |c: char| match c {
        '\u{feff}' => '⌖',
        '\r' | '\0'..='\u{8}' | '\u{b}'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or(c),
        c => c,
    };
    text_of(file_name, bytes).chars().map(picture).collect()
}

fn text_of(file_name: &str, bytes: &[u8]) -> String {
    use std::io::Read as _;

    match file_name.rsplit('.').next() {
        Some("gz") => {
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(bytes).read_to_end(&mut unpacked).expect("it unpacks");
            String::from_utf8(unpacked).expect("UTF-8")
        }
        Some("zst") => String::from_utf8(zstd::decode_all(bytes).expect("it unpacks")).expect("UTF-8"),
        Some("xlsx") => {
            let mut names: Vec<String> = {
                let zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a workbook");
                zip.file_names().map(|name| name.expect("UTF-8").into_owned()).collect()
            };
            names.sort();
            let parts =
                names.iter().map(|name| format!("{name}\n{}\n", part(bytes, name).replace("><", ">\n<")));
            // The organization of each run has another id, and so has its view.
            let text = parts.collect::<String>();
            let id = |text: &str, before: &str| {
                text.split_once(before).map(|(_, rest)| rest.chars().take(36).collect::<String>())
            };
            [("/org_uuid/", "ORGANIZATION"), ("viewId=", "VIEW")].iter().fold(
                text.clone(),
                |shown, (before, word)| match id(&text, before) {
                    Some(id) => shown.replace(&id, word),
                    None => shown,
                },
            )
        }
        Some("parquet") => {
            use parquet::file::reader::{FileReader as _, SerializedFileReader};

            let file =
                SerializedFileReader::new(bytes::Bytes::copy_from_slice(bytes)).expect("a Parquet file");
            let metadata = file.metadata().file_metadata();
            let mut schema = Vec::new();
            parquet::schema::printer::print_schema(&mut schema, metadata.schema());
            let rows: Vec<String> = parquet_rows(bytes).iter().map(Value::to_string).collect();
            let schema = String::from_utf8_lossy(&schema);
            format!("{:?}\n{schema}\n{}", metadata.created_by(), rows.join("\n"))
        }
        _ => String::from_utf8(bytes.to_vec()).expect("UTF-8"),
    }
}
