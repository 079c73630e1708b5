//! The CSV of a view: what it makes of an empty organization and of one that is here, and what is refused.

use std::path::{Path, PathBuf};

use goalpost::goals::edit::Field;
use goalpost::goals::record::Column;
use goalpost::imports::{ImportError, ImportMap, ImportOptions, Report};
use goalpost_db::Value;
use goalpost_viva::Entity;

use super::{Company, Server, opt_text, options};

const SET_N: &str = "Id,Title,Team,Creator,Owner,Period,Start Date,End Date,Description,\"Aligned To (weight, Objective ID)\",Metric Name,Unit,Target,Object Type,Goal Type,Start,Created At,Last Check-in,Progress %,Actual Progress,Status,Last Check-in Note,Score,Checkins,\r\n\
100,Healthy trees (all),Pruning,Ilse Anders,\"Ilse Anders, Bo Quint\",Q1 2026,2026-01-01,2026-03-31,\"Two\r\nlines\",,Progress,%,100,Big rock,Aspirational Goal,0,2026-01-05 08:30:00 UTC,,40,40,On Track,,,,\r\n\
101,Prune 300 trees,Pruning; Ladders,Cy Marlow,Cy Marlow,Q1 2026,2026-01-01,2026-03-31,,\"Healthy trees (all)(weight: 50%, Id: 100) / Gone(weight: 14.29%, Id: 77)\",Trees,,300,Kpi,Committed Goal,100,2026-01-06 00:00:00 UTC,2026-01-12,25,150,Behind,slow; yes,,Checkin Date: 2026-01-10; User: Cy Marlow; Note: ; Metric Name: Trees; Status: On Track; Current Value: 120; Activity Date: 2026-01-10 10:00:00 UTC;,Checkin Date: 2026-01-12; User: Bo Quint; Note: slow; yes; Metric Name: Trees; Status: Behind; Current Value: 150; Activity Date: 2026-01-12 10:00:00 UTC;\r\n";

const SET_O: &str = "Title;Tag;OKR type;Type name;Creator;Owner;Period;Start Date;End Date;Description;Aligned To (weight, Objective ID);Metric Name;Target;Object Type;Goal Type;Start;Created At;Last Check-in;Progress %;Status;Last Check-in Note;Score;Checkins\n\
Healthy trees;Winter, Frost;team;Pruning;Ilse Anders;Ilse Anders;2026;2026-01-01;2026-12-31;;;Progress;100;Big rock;Aspirational Goal;0;2026-01-05 08:30:00 UTC;;40;On Track;;;\n\
Prune trees;;individual;Cy Marlow;Cy Marlow;Cy Marlow;2026;2026-01-01;2026-12-31;;Healthy trees(weight: 50%, Id: 100);Trees;300;Kpi;Committed Goal;100;;;25;Behind;hm;;\n\
Prune trees;;individual;Somebody;Cy Marlow;Cy Marlow;2026;;;;;Trees;300;Kpi;Committed Goal;100;;;25;Behind;;;\n";

impl Server {
    pub(super) fn table(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.data().join("view.csv");
        std::fs::write(&path, text).expect("a writable folder");
        path
    }

    pub(super) fn import_table(&self, text: impl AsRef<[u8]>) -> Report {
        self.import_file(&self.table(text))
    }

    pub(super) fn titles(&self) -> Vec<(i64, String, String)> {
        let sql = "select id, origin, title from goal where organization = ?1 order by id";
        self.rows_of_any(sql, |row| Ok((row.int(0)?, row.text(1)?.to_owned(), row.text(2)?.to_owned())))
    }

    /// Rows of the organization, whatever number it has.
    fn rows_of_any<T>(
        &self,
        sql: &str,
        read: impl FnMut(&goalpost_db::Row<'_>) -> goalpost_db::Result<T>,
    ) -> Vec<T> {
        use goalpost::orgs::queries::list;
        let organizations = self.db.snapshot(goalpost_db::Scope::Global, list).expect("a readable database");
        let number = organizations.first().expect("there is one").number;
        let rows = self.db.snapshot(number, |tx| tx.query(sql, &[Value::Int(number.0)], read));
        rows.expect("the statement is right")
    }

    pub(super) fn texts(&self, sql: &str) -> Vec<String> {
        self.rows_of_any(sql, |row| Ok(opt_text(row, 0)?.unwrap_or_default()))
    }
}

#[test]
fn a_table_fills_an_empty_organization() {
    let server = Server::new();
    let report = server.import_table(SET_N);
    assert!(report.organization.created);
    let counts = |entity| {
        let tally = report.tally(entity);
        (tally.read, tally.added)
    };
    assert_eq!(counts(Entity::Objectives), (2, 2));
    assert_eq!(counts(Entity::CheckIns), (2, 2));
    assert_eq!(counts(Entity::Teams), (2, 2));
    assert_eq!(counts(Entity::TimePeriods), (1, 1));
    assert_eq!(report.asides.total, 0, "{:?}", report.asides);
    assert_eq!(
        server.titles(),
        [
            (77, "reference".to_owned(), "Gone".to_owned()),
            (100, "file".to_owned(), "Healthy trees (all)".to_owned()),
            (101, "file".to_owned(), "Prune 300 trees".to_owned()),
        ]
    );
    let sql = "select target_type || ' ' || metric_unit || ' ' || goal_type from goal where organization = ?1 and id = 101";
    assert_eq!(server.texts(sql), ["increaseFrom Number Committed"]);
    let sql =
        "select p.name from goal_owner o join person p on p.organization = o.organization and p.id = o.person
        where o.organization = ?1 and o.goal = 100 order by o.position";
    assert_eq!(server.texts(sql), ["Ilse Anders", "Bo Quint"]);
    assert_eq!(
        server.texts("select note from checkin where organization = ?1 order by id"),
        ["", "slow; yes"]
    );
    let sql = "select name || ' ' || start_date || ' ' || end_date from period where organization = ?1";
    assert_eq!(server.texts(sql), ["Q1 2026 2026-01-01 2026-03-31"]);
    let mapping = report.mapping.expect("nobody is known");
    assert_eq!(mapping, "[people]\n\"Bo Quint\" = \"\"\n\"Cy Marlow\" = \"\"\n\"Ilse Anders\" = \"\"\n");
}

#[test]
fn the_same_table_again_changes_nothing() {
    for text in [SET_N, SET_O] {
        let server = Server::new();
        server.import_table(text);
        let before = server.bytes();
        let again = server.import_table(text);
        assert!(!again.changes_anything(), "{again}");
        assert!(server.bytes() == before, "the second import changed something");
    }
}

#[test]
fn rows_without_a_number_get_one() {
    let server = Server::new();
    let report = server.import_table(SET_O);
    let titles = server.titles();
    assert_eq!(titles[0], (100, "file".to_owned(), "Healthy trees".to_owned()), "named by the row below it");
    assert!(titles[1..].iter().all(|(id, ..)| *id >= 1 << 40), "{titles:?}");
    assert_eq!(titles.len(), 3);
    // 25 % of the way from 100 to 300.
    let sql = "select cast(cast(progress as integer) as text) from goal where organization = ?1 and metric_name = 'Trees'";
    assert_eq!(server.texts(sql), ["150", "150"]);
    assert_eq!(server.texts("select name from tag where organization = ?1 order by id"), ["Winter", "Frost"]);
    assert_eq!(server.texts("select name from team where organization = ?1"), ["Pruning"]);
    let aside: Vec<&str> = report.asides.first.iter().map(|aside| aside.path.as_str()).collect();
    assert_eq!(aside, ["Cells.Last Check-in Note", "Cells.OKR type", "Cells.Type name"]);
}

#[test]
fn what_a_table_does_not_say_stays_as_it_is() {
    let server = Server::new();
    let mut company = Company::small();
    company.goal(100).permissions = goalpost_viva::Permissions::only(vec![super::person(11)]);
    server.import(&company);
    let whole = |id: i64| {
        let record = server.db.snapshot(server.organization().number, |tx| {
            goalpost::goals::record::GoalRecord::read(tx, server.organization().number, &[id])
        });
        record.expect("a readable goal").remove(&id).expect("the goal is here")
    };
    let before = whole(100);
    let report = server.import_table("Id,Title,Status\n100,Healthier trees,At Risk\n");
    assert_eq!(report.tally(Entity::Objectives).changed, 1);
    assert_eq!(report.missing.total, 0);
    let after = whole(100);
    for field in Field::all() {
        let is_said = [Field::Column(Column::Title), Field::Column(Column::Status)].contains(&field);
        assert_eq!(field.value(&before) != field.value(&after), is_said, "{}", field.name());
    }
    assert_eq!(server.count("select count(*) from goal where organization = ?1"), 2);
}

#[test]
fn owners_are_found_by_name_and_by_map() {
    let server = Server::new();
    let mut company = Company::small();
    company.users[1].name = Some("Quint, Bo".to_owned());
    server.import(&company);
    let owners =
        "select cast(person as text) from goal_owner where organization = ?1 and goal = 7 order by position";
    let row = |owner: &str| format!("Id,Title,Owner\n7,Dig,\"{owner}\"\n");
    server.import_table(row("ilse ANDERS, Quint, Bo"));
    assert_eq!(server.texts(owners), ["10", "11"]);
    server.import_table(row("user11@contoso.example"));
    assert_eq!(server.texts(owners), ["11"]);
    let report = server.import_table(row("Somebody Else"));
    assert_eq!(report.mapping.as_deref(), Some("[people]\n\"Somebody Else\" = \"\"\n"));
    let status = "select status from person where organization = ?1 and name = 'Somebody Else'";
    assert_eq!(server.texts(status), ["inactive"]);
    let map = ImportMap::parse("[people]\n\"Somebody Else\" = \"USER10@contoso.example\"\n").expect("a map");
    let mapped = ImportOptions { map, ..options() };
    server.import_with(&server.table(row("Somebody Else")), &mapped).expect("the table is good");
    assert_eq!(server.texts(owners), ["10"]);
}

#[test]
fn a_name_of_two_people_means_neither() {
    let server = Server::new();
    let mut company = Company::small();
    company.users[1].name = company.users[0].name.clone();
    server.import(&company);
    let text = "Id,Title,Owner\n7,Dig,Ilse Anders\n8,Sow,Ilse Anders\n100,Healthy trees,\"Ilse Anders, Ilse Anders\"\n";
    let report = server.import_table(text);
    assert_eq!(report.mapping.as_deref(), Some("[people]\n\"Ilse Anders\" = \"\"\n"));
    let owners = "select count(distinct person) from goal_owner where organization = ?1 and goal in (7, 8) and person > 11";
    assert_eq!(server.count(owners), 1);
    let kept =
        "select count(*) from goal_owner where organization = ?1 and goal = 100 and person in (10, 11)";
    assert_eq!(server.count(kept), 2, "the goal has both of them already");
    assert!(!server.import_table(text).changes_anything());
}

#[test]
fn check_ins_that_are_here_are_not_brought_again() {
    let server = Server::new();
    server.import(&Company::small());
    let cell = |day: u32, value: u32| {
        format!(
            "Checkin Date: 2026-01-{day}; User: Ilse Anders; Note: ; Metric Name: Trees; Status: On Track; Current Value: {value}; Activity Date: ;"
        )
    };
    // The newest first.
    let text = format!("Id,Title,Checkins,\n101,Prune 300 trees,{},{}\n", cell(20, 180), cell(12, 150));
    let report = server.import_table(&text);
    assert_eq!(report.tally(Entity::CheckIns).added, 1);
    let sql = "select count(*) from checkin where organization = ?1 and goal = 101";
    assert_eq!(server.count(sql), 2);
    assert_eq!(server.count("select checkin_count from goal where organization = ?1 and id = 101"), 2);
    assert!(!server.import_table(&text).changes_anything());
}

#[test]
fn what_was_changed_here_is_a_conflict_as_with_a_zip() {
    let server = Server::new();
    server.import(&Company::small());
    server.edit(100, Field::Column(Column::Title), &["Ours".into()]);
    let text = "Id,Title,Status\n100,Theirs,On Track\n";
    let report = server.import_table(text);
    assert_eq!(report.conflicts.total, 1);
    assert_eq!(server.text("select title from goal where organization = ?1 and id = 100"), "Ours");
    let taken = ImportOptions { take_file: true, ..options() };
    server.import_with(&server.table(text), &taken).expect("the table is good");
    assert_eq!(server.text("select title from goal where organization = ?1 and id = 100"), "Theirs");
}

#[test]
fn a_dry_run_of_a_table_writes_nothing() {
    let server = Server::new();
    let before = server.bytes();
    let dry = ImportOptions { dry_run: true, ..options() };
    let report = server.import_with(&server.table(SET_O), &dry).expect("the table is good");
    assert_eq!(report.tally(Entity::Objectives).added, 3);
    assert!(server.bytes() == before, "a dry run wrote");
}

#[test]
fn every_encoding_brings_the_same() {
    let text = "Title;Status\r\nGröße der Bäume;On Track\r\n";
    let utf16 = |unit: fn(u16) -> [u8; 2]| {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect::<Vec<u8>>()
    };
    let latin: Vec<u8> =
        text.chars().map(|letter| u8::try_from(letter).expect("a letter of Latin 1")).collect();
    for (bytes, notes) in [
        (text.as_bytes().to_vec(), 0),
        (format!("\u{feff}{text}").into_bytes(), 0),
        (utf16(u16::to_le_bytes), 0),
        (utf16(u16::to_be_bytes), 0),
        (latin, 1),
    ] {
        let server = Server::new();
        let report = server.import_table(bytes);
        assert_eq!(server.titles()[0].2, "Größe der Bäume");
        assert_eq!(report.notes.len(), notes, "{:?}", report.notes);
    }
}

#[test]
fn headers_of_another_language_are_mapped() {
    let server = Server::new();
    let map =
        ImportMap::parse("[headers]\n\"Titel\" = \"Title\"\n\"Besitzer\" = \"Owner\"\n").expect("a map");
    let mapped = ImportOptions { map, ..options() };
    let report = server
        .import_with(&server.table("Titel,Besitzer,Farbe\nGraben,Cy Marlow,braun\n"), &mapped)
        .expect("the table is good");
    assert_eq!(server.titles()[0].2, "Graben");
    let aside = &report.asides.first[0];
    assert_eq!((aside.path.as_str(), aside.value.as_str()), ("Cells.Farbe", "\"braun\""));
}

/// Import a company, then a bad table, and expect the database as it was; returns what is said.
fn refused_with(text: impl AsRef<[u8]>, options: &ImportOptions) -> String {
    let server = Server::new();
    server.import(&Company::small());
    let before = server.bytes();
    let error = server.import_with(&server.table(text), options).expect_err("the table is bad");
    assert!(server.bytes() == before, "a refused import changed the database");
    assert!(error.hint().is_some(), "no hint with: {error}");
    error.to_string()
}

#[test]
fn a_circle_with_what_is_here_is_told_by_a_dry_run_too() {
    let server = Server::new();
    server.import(&Company::small());
    let text = "Id,Title,Aligned To\n100,Healthy trees,\"Prune(weight: 0%, Id: 101)\"\n";
    let dry = ImportOptions { dry_run: true, ..options() };
    let say = |options: &ImportOptions| {
        let error = server.import_with(&server.table(text), options).expect_err("it closes a circle");
        error.to_string()
    };
    assert_eq!(say(&dry), say(&options()));
    // The same file may open the circle elsewhere.
    let opened = format!("{text}101,Prune,\n");
    let report = server.import_with(&server.table(&opened), &dry).expect("there is no circle left");
    assert_eq!(report.tally(Entity::Objectives).changed, 2);
    server.import_table(&opened);
}

#[test]
fn bad_tables_are_refused() {
    let huge = format!("Title\n{}\n", "x".repeat((1 << 20) + 1));
    let wide = format!("Title{}\n", ",".repeat(100_001));
    for (text, words) in [
        ("Id,Title\n7,One\n7,Two\n", &["row 3", "`Id`", "7", "earlier row"][..]),
        ("Id,Title\nseven,One\n", &["row 2", "`Id`", "seven"]),
        ("Id,Title\n7,One,more\n", &["row 2", "column 3", "more", "last header"]),
        (
            "Title,Target,Start Date\nOne,much,31.01.2026\n",
            &["2 problems", "much", "31.01.2026", "`Start Date`"],
        ),
        ("Title\nO\0ne\n", &["line 2", "NUL"]),
        ("Farbe,Größe\nrot,7\n", &["no header", "Farbe, Größe"]),
        ("Id,Status\n7,On Track\n", &["`Title`"]),
        ("Title,Title\na,b\n", &["twice"]),
        ("Title\n\"One\n", &["row 2", "quotation mark"]),
        ("", &["empty"]),
        (&huge, &["1048576", "row 2"]),
        (&wide, &["columns", "100000"]),
        (
            "Id,Title,Aligned To\n100,Healthy trees,\"Prune(weight: 0%, Id: 101)\"\n",
            &["circle", "100", "101"],
        ),
    ] {
        let message = refused_with(text, &options());
        for word in words {
            assert!(message.contains(word), "`{word}` is not in: {message}");
        }
    }
    let prune = ImportOptions { prune: true, ..options() };
    assert!(refused_with("Title\nOne\n", &prune).contains("view"));
    assert!(refused_with("Title\nOne\n", &ImportOptions::default()).contains("which organization"));
    assert!(refused_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more", &options()).contains("password"));
}

#[test]
fn a_title_that_looks_like_a_parent_makes_none() {
    let server = Server::new();
    server.import_table(
        "Id,Title,Aligned To\n7,\"A(weight: 1%, Id: 5) / B\",\n8,C,\"A(weight: 1%, Id: 5) / B(weight: 50%, Id: 7)\"\n",
    );
    let parents = "select cast(parent as text) from goal_parent where organization = ?1 and goal = 8";
    assert_eq!(server.texts(parents), ["7"]);
}

#[test]
fn a_table_of_another_organization_is_not_mixed_in() {
    let server = Server::new();
    server.import(&Company::small());
    let path = server.data().join("VivaGoals_7_all_2026_02_01_1769936400.csv");
    std::fs::write(&path, "Id,Title\n7,One\n").expect("a writable folder");
    let error = server.import_with(Path::new(&path), &options()).expect_err("the table is of another");
    assert!(matches!(error, ImportError::OtherOrganization { found: 7, .. }), "{error}");
}
