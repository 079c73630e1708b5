//! Templates that people fill in: what becomes of each row, and what is said of those that are left out.

use std::io::Cursor;

use goalpost::imports::{ImportMap, ImportOptions, Report};
use goalpost_tabular::{Cell, ColumnKind, Head, Sink as _, Xlsx};
use goalpost_viva::Entity;
use goalpost_viva::sheet::TemplateColumn;

use super::workbooks::{sheet, texts, workbook};
use super::{Company, Server, opt_text, options};

const HEADER: &str = "OKR Reference,Parent OKR,Object Type,Title,Owner,Type,Team,Time period,Start Date,End Date,\
    Description,Tag,Goal Type,Metric Name,Unit,Target Type,Start,Target,Current,Status,Weight,Progress mode,\
    Check-in owner,Visibility\n";

/// A server with two people, a team and a period.
fn server() -> Server {
    let server = Server::new();
    server.import(&Company::small());
    server
}

impl Server {
    fn template(&self, rows: &str) -> Report {
        self.import_table(format!("{HEADER}{rows}"))
    }

    fn column(&self, sql: &str) -> Vec<String> {
        self.rows(sql, |row| Ok(opt_text(row, 0)?.unwrap_or_default()))
    }
}

fn reasons(report: &Report) -> Vec<(u64, &str)> {
    report.left_out.first.iter().map(|row| (row.row, row.reason.as_str())).collect()
}

#[test]
fn rows_become_goals_that_hang_together() {
    let server = server();
    let rows = "T1,O1,Key Result,Plant 50 hedges,user11@contoso.example,Pruning,,q1 2026,2026-02-01,,,\"Winter, Hedges\",Committed,Hedges,,Increase From,10,50,20,Behind,40%,Manual,USER10@contoso.example,Private\n\
        O1,,Objective,Green borders,user10@contoso.example;Bo Quint,Organization,,Q1 2026,,,\"Two\nlines\",,,,,,,,12.5,,,,,\n";
    let report = server.template(rows);
    assert_eq!(reasons(&report), []);
    assert_eq!(report.tally(Entity::Objectives).added, 2);
    let told = "select title || '|' || object_type || '|' || type_label || '|' || status || '|' || start_date || '|' || end_date
        || '|' || goal_type || '|' || outcome_type || '|' || coalesce(target_type, '') || '|' || progress_mode || '|'
        || coalesce(description, '') from goal where organization = ?1 and id > 1000 order by title";
    assert_eq!(
        server.column(told),
        [
            "Green borders|objective|Objective|Not Started|2026-01-01|2026-03-31|Aspirational|Percentage||Update Manually|Two\nlines",
            "Plant 50 hedges|keyResult|Key result|Behind|2026-02-01|2026-03-31|Committed|Metric|increaseFrom|Update Manually|",
        ]
    );
    let number = |title: &str| {
        server.count(&format!("select id from goal where organization = ?1 and title = '{title}'"))
    };
    let (objective, key_result) = (number("Green borders"), number("Plant 50 hedges"));
    let parents = format!(
        "select cast(parent as text) || '|' || cast(cast(weight as integer) as text) from goal_parent where organization = ?1 and goal = {key_result}"
    );
    assert_eq!(server.column(&parents), [format!("{objective}|40")]);
    let people = |table: &str, goal: i64| {
        server.column(&format!(
            "select cast(person as text) from {table} where organization = ?1 and goal = {goal} order by position"
        ))
    };
    assert_eq!(people("goal_owner", objective), ["10", "11"]);
    assert_eq!(people("goal_checkin_owner", key_result), ["10"]);
    assert_eq!(server.count("select count(*) from goal where organization = ?1 and restricted"), 1);
    assert_eq!(
        server.column("select name from tag where organization = ?1 order by id"),
        ["Winter", "Hedges"]
    );
    let percent = format!(
        "select cast(progress_percent as integer) from goal where organization = ?1 and id = {key_result}"
    );
    assert_eq!(server.count(&percent), 25);
    // The same again finds them.
    assert!(!server.template(rows).changes_anything());
}

#[test]
fn a_row_of_a_goal_that_is_here_changes_what_it_says_and_nothing_else() {
    let server = server();
    let row = "x,,big ROCK,Healthy trees,user11@contoso.example;user10@contoso.example,Pruning,,Q1 2026,,,Ours now,,,,,,,,,At Risk,,,,\n";
    let report = server.template(row);
    assert_eq!(reasons(&report), []);
    assert_eq!((report.tally(Entity::Objectives).changed, report.tally(Entity::Objectives).added), (1, 0));
    let told = "select type_label || '|' || status || '|' || description || '|' || cast(cast(progress as integer) as text) || '|' || goal_type
        from goal where organization = ?1 and id = 100";
    assert_eq!(server.column(told), ["Big rock|At Risk|Ours now|40|Aspirational"]);
    let tags = "select cast(tag as text) from goal_tag where organization = ?1 and goal = 100";
    assert_eq!(server.column(tags), ["40"], "an empty cell leaves the tags");
    assert!(!server.template(row).changes_anything());
    // Another owner is another goal.
    let report = server.template(&row.replace("user11@contoso.example;", ""));
    assert_eq!(report.tally(Entity::Objectives).added, 1);
}

#[test]
fn rows_that_cannot_be_taken_are_left_out_with_their_reasons() {
    let server = server();
    let rows = "A,,Objective,Good,user10@contoso.example,Individual,,Q1 2026,,,,,,,,,,,,,,,,\n\
        B,,Objective,,nobody@contoso.example,Nowhere,Pruning;Roots,Q9 2026,,,,,,,,,,,,,,,,\n\
        C,B,Key Result,Below a bad one,,,,Q1 2026,,,,,,,,,,,,,,,,\n\
        D,C,Key Result,Below that,,,,Q1 2026,,,,,,,,,,,,,,,,\n\
        E,Z,,No parent,Somebody,,,Q1 2026,31.01.2026,,,,,,,,,much,,,,,,\n\
        F,G,Objective,Round,,,,Q1 2026,,,,,,,,,,,,,,,,\n\
        G,F,Objective,And round,,,,Q1 2026,,,,,,,,,,,,,,,,\n\
        A,,Objective,Good,user10@contoso.example,Individual,,Q1 2026,,,,,,,,,,,,,,,,\n\
        H,,Objective,Words,,,,Q1 2026,,,,,Ambitious,,,Upwards,,,,Late,heavy,Magic,,Secret\n";
    let report = server.template(rows);
    assert_eq!(report.tally(Entity::Objectives).added, 1);
    assert_eq!(
        reasons(&report),
        [
            (
                3,
                "Title: is empty; Owner: `nobody@contoso.example` is nobody who is here; Type: `Nowhere` is no team that is here; \
                Team: `Roots` is no team that is here; Time period: `Q9 2026` is no time period that is here"
            ),
            (4, "its parent, row 3, is left out"),
            (5, "its parent, row 4, is left out"),
            (
                6,
                "Object Type: is empty; Owner: `Somebody` is nobody who is here; Start Date: `31.01.2026` is no day such as \
                2025-01-31; Target: `much` is no number such as 1234.5 or 1,234.5; Parent OKR: no row of this file has the OKR \
                Reference `Z`"
            ),
            (7, "Parent OKR: the row would be its own ancestor"),
            (8, "Parent OKR: the row would be its own ancestor"),
            (9, "OKR Reference: `A` stands in row 2 too; is the same goal as row 2"),
            (
                10,
                "Goal Type: `Ambitious` is no word that is known there; Status: `Late` is no word that is known there; \
                Progress mode: `Magic` is no word that is known there; Visibility: `Secret` is no word that is known there; \
                Weight: `heavy` is no number such as 1234.5 or 1,234.5; Target Type: `Upwards` is no type of a target"
            ),
        ]
    );
    assert!(report.to_string().contains("rows left out: 8"), "{report}");
    let json = serde_json::to_value(&report).expect("a report");
    let told = String::from_utf8(goalpost::imports::report_table(&json)).expect("text");
    assert!(
        told.contains("\r\nleftOut,rows,4,,Below a bad one,\"its parent, row 3, is left out\"\r\n"),
        "{told}"
    );
    let csv = String::from_utf8(report.left_out_csv().expect("rows were left out")).expect("text");
    assert!(
        csv.lines().next().is_some_and(|header| header.ends_with(",Check-in owner,Visibility,reason")),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 9);
    // Mended, it can be given again as it is, reasons and all.
    let mended = csv
        .replace(
            "B,,Objective,,nobody@contoso.example,Nowhere,Pruning;Roots,Q9",
            "B,,Objective,Better,user11@contoso.example,Pruning,,Q1",
        )
        .replace("F,G,", "F,,");
    let report = server.import_table(&mended);
    assert_eq!(report.tally(Entity::Objectives).added, 5, "{report}");
    assert_eq!(reasons(&report).iter().map(|(row, _)| *row).collect::<Vec<_>>(), [5, 9]);
    assert_eq!(
        server
            .column("select title from goal where organization = ?1 and title like 'Below%' order by title")
            .len(),
        2
    );
}

#[test]
fn a_name_of_two_people_is_left_out_unless_the_map_says_who() {
    let server = Server::new();
    let mut company = Company::small();
    company.users[1].name = company.users[0].name.clone();
    server.import(&company);
    let row = "A,,Objective,Dig,Ilse Anders,,,Q1 2026,,,,,,,,,,,,,,,,\n";
    let report = server.template(row);
    assert_eq!(reasons(&report), [(2, "Owner: `Ilse Anders` are several people; say the e-mail address")]);
    let map = ImportMap::parse("[people]\n\"Ilse Anders\" = \"user11@contoso.example\"\n").expect("a map");
    let mapped = ImportOptions { map, ..options() };
    let file = server.table(format!("{HEADER}{row}"));
    let report = server.import_with(&file, &mapped).expect("the template is good");
    assert_eq!(report.tally(Entity::Objectives).added, 1);
}

#[test]
fn a_dry_run_of_a_template_tells_the_same_and_writes_nothing() {
    let server = server();
    let before = server.bytes();
    let rows = format!(
        "{HEADER}A,,Objective,Dig,,,,Q1 2026,,,,New tag,,,,,,,,,,,,\nB,,Objective,Sow,,,,Q2,,,,,,,,,,,,,,,,\n"
    );
    let dry = ImportOptions { dry_run: true, ..options() };
    let report = server.import_with(&server.table(rows), &dry).expect("the template is good");
    assert_eq!((report.tally(Entity::Objectives).added, report.left_out.total), (1, 1));
    assert!(server.bytes() == before, "a dry run wrote");
}

#[test]
fn of_rows_that_close_a_circle_with_what_is_here_the_last_is_left_out() {
    let server = server();
    let row = |reference: &str, parent: &str, title: &str| {
        format!("{reference},{parent},Objective,{title},,,,Q1 2026,,,,,,,,,,,,,,,,\n")
    };
    let first = [row("A", "", "Top"), row("B", "A", "Middle"), row("C", "B", "Bottom")].concat();
    assert_eq!(reasons(&server.template(&first)), []);
    let parents = "select c.title || ' < ' || p.title from goal_parent l
          join goal c on c.organization = l.organization and c.id = l.goal
          join goal p on p.organization = l.organization and p.id = l.parent
         where l.organization = ?1 and c.title in ('Top', 'Middle', 'Bottom', 'Side', 'New', 'Below') order by 1";
    assert_eq!(server.column(parents), ["Bottom < Middle", "Middle < Top"]);

    // By two ways through new goals: `Top` below `Side` below `Bottom`, and `New` below `Bottom` with `Top` below it.
    let rows = [
        row("A", "S", "Top"),
        row("S", "C", "Side"),
        row("C", "", "Bottom"),
        row("D", "S", "Below"),
        row("N", "C", "New"),
    ]
    .concat();
    let told = [
        (3, "Parent OKR: with alignments that are here, the goal would be its own ancestor"),
        (2, "its parent, row 3, is left out"),
        (5, "its parent, row 3, is left out"),
    ];
    let mut told = told.to_vec();
    told.sort_unstable();
    let dry = ImportOptions { dry_run: true, ..options() };
    let file = server.table(format!("{HEADER}{rows}"));
    let said = server.import_with(&file, &dry).expect("the template is good");
    assert_eq!(reasons(&said), told);
    let done = server.template(&rows);
    assert_eq!(reasons(&done), told);
    assert_eq!(done.tally(Entity::Objectives).added, 1);
    assert_eq!(server.column(parents), ["Bottom < Middle", "Middle < Top", "New < Bottom"]);

    // Alone it can be taken; the other way round it is the other row that closes the circle.
    let report =
        server.template(&[row("S", "C", "Side"), row("C", "", "Bottom"), row("A", "S", "Top")].concat());
    assert_eq!(reasons(&report).iter().map(|(row, _)| *row).collect::<Vec<_>>(), [4]);
    assert_eq!(server.column(parents), ["Bottom < Middle", "Middle < Top", "New < Bottom", "Side < Bottom"]);
}

/// The template as it is written, with a row filled in as a spreadsheet would.
#[test]
fn the_template_that_is_written_can_be_filled_in_and_read() {
    use calamine::{Data, Reader as _};

    let bytes = goalpost::imports::template().expect("a template");
    let mut book = calamine::Xlsx::new(Cursor::new(&bytes)).expect("a workbook");
    assert_eq!(book.sheet_names(), ["Read Me", "Basic and Advanced Fields", "OKRs and Project"]);
    let read = book.worksheet_range("OKRs and Project").expect("the sheet");
    let headers: Vec<String> = read.rows().next().expect("a header").iter().map(Data::to_string).collect();
    assert_eq!(headers.join(",") + "\n", HEADER.replace("    ", ""));
    let fields = book.worksheet_range("Basic and Advanced Fields").expect("the sheet");
    let told: Vec<String> =
        fields.rows().map(|row| row.iter().map(Data::to_string).collect::<Vec<_>>().join(" | ")).collect();
    insta::assert_snapshot!(told.join("\n"));

    // Empty as it is, it brings nothing.
    let server = server();
    let report = server.import_file(&server.book(&bytes));
    assert!(!report.changes_anything());
    // The examples of the fields make a row.
    let texts = |names: &[&str]| -> Vec<Head> {
        names.iter().map(|name| Head { name: (*name).to_owned(), kind: ColumnKind::Text }).collect()
    };
    let headers: Vec<&str> = TemplateColumn::ALL.iter().map(|column| column.header()).collect();
    let mut filled = Xlsx::new("Read Me", 0);
    filled.begin(&texts(&["Hello"])).expect("a sheet");
    filled.next_table("OKRs and Project", 1).expect("a sheet");
    filled.begin(&texts(&headers)).expect("a sheet");
    for column in TemplateColumn::ALL {
        let cell = match column {
            TemplateColumn::Owner => Cell::Text("user10@contoso.example"),
            TemplateColumn::Start => Cell::Int(100),
            TemplateColumn::Target => Cell::Number(300.0),
            TemplateColumn::StartDate | TemplateColumn::EndDate => Cell::Day(column.example()),
            _ if column.example().is_empty() => Cell::Empty,
            _ => Cell::Text(column.example()),
        };
        filled.cell(cell).expect("a cell");
    }
    filled.end_row().expect("a row");
    filled.end().expect("a workbook");
    let report = server.import_file(&server.book(&filled.take(Vec::new())));
    assert_eq!((reasons(&report), report.tally(Entity::Objectives).added), (vec![], 1));
    let told =
        "select title || start_date || end_date || cast(cast(progress_percent as integer) as text) from goal
        where organization = ?1 and title = 'Healthy trees' and id <> 100";
    assert_eq!(server.column(told), ["Healthy trees2026-01-012026-03-3125"]);
}

#[test]
fn templates_of_another_shape_are_refused() {
    let server = server();
    let headers: Vec<&str> = TemplateColumn::ALL.iter().map(|column| column.header()).collect();
    let book = |name: &str, headers: &[&str]| {
        workbook(&[(&*format!("xl/sheets/{name}.xml"), &*sheet(&[&texts(headers)]))])
    };
    let renamed: Vec<&str> =
        headers.iter().map(|word| if *word == "Owner" { "Responsible" } else { *word }).collect();
    let shorter: Vec<&str> = headers.iter().copied().filter(|word| *word != "Time period").collect();
    let twice = [&headers[..], &["Title"]].concat();
    let table = |rows: &str| format!("{HEADER}{rows}").into_bytes();
    // What packs too well is refused for that.
    let long: String = (1..40_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_string()).collect();
    let large = format!("A,,Objective,Dig,,,,Q1 2026,,,{long}{}\n", ",".repeat(13)).repeat(20);
    let rows: Vec<String> = large.lines().map(|line| texts(&line.split(',').collect::<Vec<_>>())).collect();
    let header = texts(&headers);
    let rows: Vec<&str> = [&*header].into_iter().chain(rows.iter().map(String::as_str)).collect();
    let large_book = workbook(&[("xl/sheets/OKRs and Project.xml", &*sheet(&rows))]);
    for (name, bytes, words) in [
        ("a.xlsx", book("Sheet1", &headers), &["Sheet1", "`OKRs and Project`"][..]),
        ("a.xlsx", book("OKRs and Project", &renamed), &["`Responsible`", "no header of the template"]),
        ("a.xlsx", book("OKRs and Project", &shorter), &["no column `Time period`"]),
        ("a.xlsx", book("OKRs and Project", &twice), &["`Title`", "twice"]),
        (
            "a.xlsx",
            book("OKRs and Project", &[&headers[..], &["Reason", "reason"]].concat()),
            &["`reason`", "twice"],
        ),
        ("a.xlsx", large_book, &["at most 5 MiB"]),
        ("a.csv", table(&large), &["at most 5 MiB"]),
        ("a.csv", table(&format!("A{}B\n", ",".repeat(24))), &["row 2", "behind the last header"]),
        ("a.csv", table(&"A,,,B,,,,,,,,,,,,,,,,,,,,\n".repeat(1_001)), &["rows of a template", "1000"]),
    ] {
        let file = server.data().join(name);
        std::fs::write(&file, bytes).expect("a writable folder");
        let error = server.import_with(&file, &options()).expect_err("the template is bad");
        let message = format!("{error} {}", error.hint().expect("a hint"));
        for word in words {
            assert!(message.contains(word), "`{word}` is not in: {message}");
        }
    }
    let elsewhere = ImportOptions { organization_name: Some("Fabrikam".to_owned()), ..options() };
    let error = server.import_with(&server.table(HEADER), &elsewhere).expect_err("nobody is invited");
    assert!(error.to_string().contains("there is no such one"), "{error}");
    let prune = ImportOptions { prune: true, ..options() };
    assert!(server.import_with(&server.table(HEADER), &prune).is_err());
    assert_eq!(server.count("select count(*) from organization"), 1);
}
