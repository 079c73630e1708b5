//! Files of every size, and texts of every kind.

use goalpost_viva::{
    Alignment, CheckIn, Named, Note, Objective, Outcome, Permissions, Person, User, sample::Options,
};
use jiff::civil::{Date, DateTime, date};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;
use tokio::runtime::Runtime;

use super::oracle::HEADER;
use super::{
    IVY, IVYS_EMAIL, Imported, NOOR, OWNER, OWNER_ID, Organization, TOM, assert_same, goal, person,
    write_sample,
};

/// The export of all goals by the file's owner is what the oracle makes of the file.
async fn assert_round_trip(imported: &Imported, email: &str, reader: i64) {
    let found = imported.export_all(email).await;
    assert_same(&found, &imported.oracle().csv(reader, |_| true));
}

fn on_a_runtime(test: impl Future<Output = ()>) {
    Runtime::new().expect("a runtime").block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_export_shows_what_an_invented_file_holds(goals in 1_u64..60, seed in any::<u64>()) {
        on_a_runtime(async {
            let imported = Imported::sample(Options { goals, seed, ..Options::default() }).await;
            assert_round_trip(&imported, OWNER, OWNER_ID).await;
        });
    }

    #[test]
    fn texts_and_numbers_of_every_kind_come_out_as_they_went_in(organization in organizations()) {
        on_a_runtime(async {
            let imported = Imported::new(|path| organization.write(path)).await;
            assert_round_trip(&imported, IVYS_EMAIL, IVY).await;
        });
    }
}

/// What was exported comes back into an organization that has nobody but its owner, and goes out as the same bytes.
async fn assert_comes_back(exported: &Imported, owner: &str, mut users: Vec<User>) {
    // A NUL is no text, and refused.
    let mut csv = exported.export_all(owner).await;
    csv.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b'0');
    users.truncate(1);
    // A name like that of somebody in the file would be taken for the same person in any case.
    users[0].name = Some("Nobody of the file".to_owned());
    let nobody = Organization { users, ..Organization::default() };
    let empty = Imported::new(|path| nobody.write(path)).await;
    empty.import_table(&csv);
    assert_same(&empty.export_all(owner).await, &csv);
    assert!(!empty.import_table(&csv).changes_anything(), "the second import changed something");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_export_can_be_imported_and_is_exported_again_as_it_was(organization in organizations()) {
        on_a_runtime(async {
            let imported = Imported::new(|path| organization.write(path)).await;
            assert_comes_back(&imported, IVYS_EMAIL, organization.users.clone()).await;
        });
    }
}

/// What was exported as a workbook comes back too. A line in a cell of one ends with a line feed alone.
async fn assert_workbook_comes_back(exported: &Imported, owner: &str, mut users: Vec<User>) {
    let csv = with_line_feeds(&exported.export_all(owner).await);
    users.truncate(1);
    users[0].name = Some("Nobody of the file".to_owned());
    let nobody = Organization { users, ..Organization::default() };
    let (first, second) =
        (Imported::new(|path| nobody.write(path)).await, Imported::new(|path| nobody.write(path)).await);
    first.import_table(&csv);
    let csv = first.export_all(owner).await;
    let workbook = first.export_workbook(owner).await;
    second.import_workbook(&workbook);
    assert_same(&second.export_all(owner).await, &csv);
    assert!(!second.import_workbook(&workbook).changes_anything(), "the second import changed something");
    assert!(!first.import_workbook(&workbook).changes_anything(), "the workbook says something else");
}

/// A CSV whose cells have neither carriage returns nor NULs.
fn with_line_feeds(bytes: &[u8]) -> Vec<u8> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut writer =
        csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in reader.records() {
        let row = row.expect("a record");
        let cell = |cell: &str| cell.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "0");
        writer.write_record(row.iter().map(cell)).expect("a record");
    }
    writer.into_inner().expect("a whole file")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 10, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_exported_workbook_can_be_imported_and_is_exported_again_as_it_was(organization in organizations()) {
        on_a_runtime(async {
            let imported = Imported::new(|path| organization.write(path)).await;
            assert_workbook_comes_back(&imported, IVYS_EMAIL, organization.users.clone()).await;
        });
    }
}

/// Columns that JSON Lines and Parquet carry whole. Of check-ins, which have no columns there, the last note speaks.
fn carried() -> Vec<&'static str> {
    HEADER.into_iter().filter(|name| !["Last Check-in Note", "Checkins"].contains(name)).collect()
}

/// Files of every other kind come back too. That a text is empty, and not missing, only JSON and Parquet tell; here it is missing.
async fn assert_other_kinds_come_back(exported: &Imported, owner: &str, mut users: Vec<User>) {
    let mut csv = exported.export_all(owner).await;
    csv.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b'0');
    users.truncate(1);
    users[0].name = Some("Nobody of the file".to_owned());
    let nobody = Organization { users, ..Organization::default() };
    let first = Imported::new(|path| nobody.write(path)).await;
    first.import_table(&csv);
    // Without goals, JSON Lines are an empty file, which an import refuses: nobody can say what it was of.
    let no_lines = first.export_as(owner, &json!({ "format": "jsonl" })).await.is_empty();
    for (name, options) in [
        ("view.csv.gz", json!({ "compression": "gzip" })),
        ("view.csv.zst", json!({ "compression": "zstd" })),
        ("view.parquet", json!({ "format": "parquet", "columns": carried() })),
        ("view.jsonl", json!({ "format": "jsonl", "columns": carried() })),
        ("view.jsonl.gz", json!({ "format": "jsonl", "columns": carried(), "compression": "gzip" })),
        ("view.jsonl.zst", json!({ "format": "jsonl", "columns": carried(), "compression": "zstd" })),
    ] {
        if no_lines && options["format"] == "jsonl" {
            continue;
        }
        let file = first.export_as(owner, &options).await;
        assert!(!first.import_view(name, &file).changes_anything(), "{name} says something else");
        let second = Imported::new(|path| nobody.write(path)).await;
        second.import_view(name, &file);
        assert!(
            !second.import_view(name, &file).changes_anything(),
            "{name}: the second import changed something"
        );
        let again = second.export_as(owner, &options).await;
        if again != file && options.get("compression").is_none() {
            assert_same(&again, &file);
        }
        assert!(again == file, "{name} is exported as other bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 10, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_of_any_kind_can_be_imported_and_is_exported_again_as_it_was(organization in organizations()) {
        on_a_runtime(async {
            let imported = Imported::new(|path| organization.write(path)).await;
            assert_other_kinds_come_back(&imported, IVYS_EMAIL, organization.users.clone()).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_goals_come_out_as_they_went_in() {
    let imported = Imported::sample(Options { goals: 1_000, ..Options::default() }).await;
    assert_round_trip(&imported, OWNER, OWNER_ID).await;
}

/// `GOALPOST_TEST_GOALS=100000` makes it as large as it should be once before a release.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_organization_comes_out_as_it_went_in() {
    let goals = std::env::var("GOALPOST_TEST_GOALS").map_or(20_000, |goals| goals.parse().expect("a number"));
    let imported = Imported::sample(Options { goals, ..Options::default() }).await;
    assert_round_trip(&imported, OWNER, OWNER_ID).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_and_the_same_export_twice_are_the_same_bytes() {
    let options = Options { goals: 300, ..Options::default() };
    let imported = Imported::sample(options).await;
    let first = imported.export_all(OWNER).await;
    assert_same(&imported.export_all(OWNER).await, &first);

    let again = imported.import(|path| write_sample(path, &options));
    assert_eq!(again.revision, None);
    assert_same(&imported.export_all(OWNER).await, &first);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_exported_comes_back_to_where_it_was_and_changes_nothing() {
    let imported = Imported::sample(Options { goals: 1_000, ..Options::default() }).await;
    let count =
        |sql: &str| imported.write(|tx, number| Ok(tx.query_one(sql, &[number.into()], |row| row.int(0))?));
    // What a file does not tell: alignments to goals that its reader may not see, and in a workbook how lines end.
    let hidden = "select count(*) from goal_parent p join goal g on g.organization = ?1 and g.id = p.parent
                   where p.organization = ?1 and g.restricted";
    assert!(count(hidden) > 0, "a goal below a restricted one");
    let (csv, workbook) = (imported.export_all(OWNER).await, imported.export_workbook(OWNER).await);
    assert!(String::from_utf8_lossy(&csv).contains("\r\n\r\n"), "a description with carriage returns");
    let before = count(hidden);
    let lines = imported.export_as(OWNER, &json!({ "format": "jsonl" })).await;
    let parquet = imported.export_as(OWNER, &json!({ "format": "parquet" })).await;
    for report in [
        imported.import_table(&csv),
        imported.import_workbook(&workbook),
        imported.import_view("view.jsonl", &lines),
        imported.import_view("view.parquet", &parquet),
    ] {
        assert!(!report.changes_anything(), "{report}");
    }
    assert_eq!(count(hidden), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_file_shows_in_the_next_export() {
    let mut organization = Organization::of_ivy();
    organization.goals = (1..=40).map(|id| goal(id, &format!("Goal {id}"))).collect();
    organization.check_ins = vec![check_in(900, 5, date(2025, 2, 1), "once")];
    let imported = Imported::new(|path| organization.write(path)).await;
    let before = imported.export_all(IVYS_EMAIL).await;

    organization.users[0].name = Some("Ivy Castell-Rowe".to_owned());
    organization.teams[0].name = "Sales, worldwide".to_owned();
    organization.goals[3].title = "Another title".to_owned();
    organization.goals[3].owners = vec![person(IVY), person(TOM)];
    organization.goals[4].teams = vec![Named { id: 11, name: None }];
    organization.goals[5].parent_ids = vec![4];
    organization.goals[6].permissions = Permissions::only(vec![person(TOM)]);
    organization.goals.push(goal(41, "A new goal"));
    organization.check_ins.push(check_in(901, 5, date(2025, 1, 1), "earlier"));
    organization.check_ins.push(check_in(902, 8, date(2025, 1, 1), "first"));
    imported.import(|path| organization.write(path));

    let after = imported.export_all(IVYS_EMAIL).await;
    assert_ne!(before, after);
    assert_same(&after, &imported.oracle().csv(IVY, |_| true));
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_as_long_as_a_file_may_have_come_out_whole() {
    // Varied enough to be packed no smaller than a ZIP may be.
    let long: String = (0_u32..)
        .map(|place| format!("{:x} \"x\",\n", place.wrapping_mul(2_654_435_761)))
        .scan(0, |length, part| {
            *length += part.len() + 3; // Quotes and the line break are escaped in JSON.
            (*length < 1 << 20).then_some(part)
        })
        .collect();
    let mut organization = Organization::of_ivy();
    organization.goals =
        vec![Objective { description: Some(long.clone()), ..goal(1, "Long") }, goal(2, "Short")];
    organization.check_ins = vec![check_in(9, 1, date(2025, 1, 1), &long)];
    let imported = Imported::new(|path| organization.write(path)).await;
    let export = imported.export_all(IVYS_EMAIL).await;
    assert!(export.len() > 2 << 20);
    assert_same(&export, &imported.oracle().csv(IVY, |_| true));
}

/// What people see differs, and so do the widths of their files.
#[tokio::test(flavor = "multi_thread")]
async fn each_person_gets_the_goals_that_this_person_may_see() {
    let restricted = |id, permissions| Objective { permissions, ..goal(id, &format!("Goal {id}")) };
    let hidden = || Permissions::only(Vec::new());
    let mut organization = Organization::of_ivy();
    organization.goals = vec![
        restricted(1, hidden()),
        restricted(2, Permissions::only(vec![person(IVY)])),
        Objective { owners: vec![person(NOOR), person(IVY)], ..restricted(3, hidden()) },
        Objective { created_by: Some(person(IVY)), ..restricted(4, hidden()) },
        Objective { delegated_to: Some(person(NOOR)), ..restricted(5, hidden()) },
        Objective { check_in_owners: vec![person(NOOR)], ..restricted(6, hidden()) },
        // Nothing is said about who may see it.
        restricted(7, Permissions::default()),
        Objective { owners: vec![person(IVY)], ..restricted(8, Permissions::default()) },
        // Named by e-mail address only.
        restricted(
            9,
            Permissions::only(vec![Person {
                email: Some("NOOR@contoso.example".to_owned()),
                ..Person::default()
            }]),
        ),
        Objective { parent_ids: vec![1, 3, 2, 10], ..goal(20, "Below all of them") },
        goal(10, "Open to all"),
    ];
    organization.check_ins =
        (0..5).map(|id| check_in(100 + id, 5, date(2025, 1, 1), "for Noor's eyes")).collect();
    let imported = Imported::new(|path| organization.write(path)).await;
    let oracle = imported.oracle();
    let ids = |reader| oracle.rows(reader, |_| true).iter().map(|goal| goal.id).collect::<Vec<_>>();
    assert_eq!(ids(IVY), [2, 3, 4, 8, 10, 20]);
    assert_eq!(ids(NOOR), [3, 5, 6, 9, 10, 20]);

    let ivys = imported.export_all(IVYS_EMAIL).await;
    assert_same(&ivys, &oracle.csv(IVY, |_| true));
    assert!(!String::from_utf8_lossy(&ivys).contains("Noor's eyes"));
    let noors = imported.export_all("noor@contoso.example").await;
    assert_same(&noors, &oracle.csv(NOOR, |_| true));
    assert!(String::from_utf8_lossy(&noors).contains("Goal 3(weight: 0%, Id: 3) / Open to all"));
}

fn check_in(id: i64, goal_id: i64, day: Date, note: &str) -> CheckIn {
    CheckIn {
        id,
        goal_id,
        date: Some(day.into()),
        owner: Some(person(NOOR)),
        note: Some(Note { text: Some(note.to_owned()), html: None }),
        metric_name: Some("Progress".to_owned()),
        status: Some("On Track".to_owned()),
        current_value: Some(12.5),
        recorded_at: Some(day.into()),
        ..CheckIn::default()
    }
}

/// What trips up writers and readers of CSV, JSON and SQL.
const FRAGMENTS: &[&str] = &[
    "\"",
    "\"\"",
    ",",
    ";",
    "\r",
    "\n",
    "\r\n",
    "\t",
    "\0",
    " ",
    "'",
    "\\",
    "\u{b}",
    "\u{1f}",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{200f}עברית",
    "العربية",
    "🏁👩‍👩‍👧",
    "e\u{301}",
    "ß",
    "İ",
    "名",
    "=1+1",
    "+49",
    "-2",
    "@SUM(A1)",
    "＝1",
    "=HYPERLINK(\"https://example.com\",\"x\")",
    "(weight: 50%, Id: 3)",
    " / ",
    "; Note: ",
    "%s",
    "${x}",
    "null",
    "NaN",
    "1,5",
    "--",
    "/*",
    "</script>",
    "{}",
    "[]",
    "plain words",
];

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => vec(select(FRAGMENTS), 0..6).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
    ]
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        select(
            &[
                0.0,
                -0.0,
                1.0,
                100.0,
                0.5,
                33.333,
                66.665,
                0.1,
                1e-7,
                5e-324,
                1e15,
                1.5e307,
                123_456_789.125,
                -11.3,
                275.0
            ][..]
        ),
        -1e12..1e12_f64,
    ]
}

fn days() -> impl Strategy<Value = Date> {
    (0_i32..40_000).prop_map(|days| date(1969, 12, 1).saturating_add(jiff::Span::new().days(days)))
}

fn moments() -> impl Strategy<Value = DateTime> {
    (days(), prop_oneof![Just(0), 0_i64..86_400])
        .prop_map(|(day, second)| DateTime::from(day).saturating_add(jiff::Span::new().seconds(second)))
}

/// One of the three people, or somebody whom the file does not list.
fn mentions() -> impl Strategy<Value = Person> {
    let stranger = (50_i64..53).prop_map(|id| Person {
        id: Some(id),
        name: Some(format!("Former, \"Colleague\" {id}")),
        email: None,
    });
    let by_email = Just(Person { email: Some(" TOM@contoso.example".to_owned()), ..Person::default() });
    let by_name = Just(Person { name: Some("A guest".to_owned()), ..Person::default() });
    prop_oneof![6 => select(&[IVY, NOOR, TOM][..]).prop_map(person), 1 => stranger, 1 => by_email, 1 => by_name]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let units = select(&["Number", "Percentage", "Dollar"][..]);
    let kinds = select(
        &["Reach", "Increase From", "Decrease From", "Stay Above", "Stay Below", "Find a Baseline"][..],
    );
    let metric =
        (texts(), units, numbers(), numbers(), kinds).prop_map(|(name, unit, start, target, kind)| Outcome {
            outcome_type: Some("Metric".to_owned()),
            metric_name: Some(name),
            metric_unit: Some(unit.to_owned()),
            start: Some(start),
            target: Some(target),
            target_type: Some(kind.to_owned()),
        });
    let percentage = Outcome { outcome_type: Some("Percentage".to_owned()), ..Outcome::default() };
    prop_oneof![Just(percentage), metric]
}

/// A goal's own facts; its number, parents and teams come with its place among the others.
fn goals() -> impl Strategy<Value = Objective> {
    let words =
        (texts(), option::of(texts()), texts(), select(&["On Track", "Closed", "Not Started", "Later"][..]));
    let people = (option::of(mentions()), vec(mentions(), 0..4), select(&[true, true, true, false][..]));
    let days = (option::of(days()), option::of(days()), option::of(moments()), option::of(moments()));
    let values = (option::of(outcomes()), option::of(numbers()), option::of(select(&[0.0, 0.7, 1.0][..])));
    (words, people, days, values).prop_map(|(words, people, days, (outcome, progress, score))| {
        let (title, description, label, status) = words;
        let (created_by, owners, is_open) = people;
        let (start_date, end_date, created_at, last_check_in) = days;
        Objective {
            title,
            type_label: Some(label),
            description,
            status: Some(status.to_owned()),
            created_by,
            owners,
            permissions: if is_open {
                Permissions::everybody()
            } else {
                Permissions::only(vec![person(TOM)])
            },
            start_date,
            end_date,
            created_at,
            last_check_in,
            outcome,
            progress,
            score,
            goal_type: Some("Committed".to_owned()),
            ..Objective::default()
        }
    })
}

fn check_ins() -> impl Strategy<Value = (Index, CheckIn)> {
    let times = (option::of(moments()), option::of(moments()));
    (any::<Index>(), times, option::of(mentions()), option::of(texts()), texts(), option::of(numbers()))
        .prop_map(|(goal, (date, recorded_at), owner, note, metric_name, current_value)| {
            let check_in = CheckIn {
                date,
                owner,
                note: note.map(|text| Note { text: Some(text), html: None }),
                metric_name: Some(metric_name),
                status: Some("At Risk".to_owned()),
                current_value,
                recorded_at,
                ..CheckIn::default()
            };
            (goal, check_in)
        })
}

/// An organization in which every name is a text of any kind, and goals hang below those with smaller numbers.
fn organizations() -> impl Strategy<Value = Organization> {
    let parents = vec((any::<Index>(), option::of(0.0..100.0_f64)), 0..4);
    let placed = (
        goals(),
        parents,
        vec(select(&[11_i64, 12, 13][..]), 0..3),
        option::of(select(&[21_i64, 22, 23][..])),
    );
    (vec(texts(), 7), vec(placed, 1..12), vec(check_ins(), 0..30)).prop_map(|(names, placed, check_ins)| {
        let mut organization = Organization::of_ivy();
        let mut names = names.into_iter();
        for user in &mut organization.users {
            user.name = names.next();
        }
        for team in &mut organization.teams {
            team.name = names.next().unwrap_or_default();
        }
        for period in &mut organization.periods {
            period.name = names.next().unwrap_or_default();
        }
        for (place, (mut goal, parents, teams, period)) in placed.into_iter().enumerate() {
            goal.id = number_at(place);
            for (parent, weight) in parents {
                // One of the goals before it, or one that the file does not hold.
                let parent = parent.index(place + 1);
                let id = if parent == place { UNKNOWN } else { number_at(parent) };
                if goal.parent_ids.contains(&id) {
                    continue;
                }
                goal.parent_ids.push(id);
                if weight.is_some() {
                    let title = Some("A title, \"as printed\"".to_owned());
                    goal.alignment.push(Alignment { id, title, weight });
                }
            }
            let named = |id| Named { id, name: Some(format!("Name; of \"{id}\"")) };
            goal.teams = teams.into_iter().map(named).collect();
            goal.period = period.map(named);
            organization.goals.push(goal);
        }
        let count = organization.goals.len();
        for (id, (goal, mut check_in)) in (500..).zip(check_ins) {
            (check_in.id, check_in.goal_id) = (id, number_at(goal.index(count)));
            organization.check_ins.push(check_in);
        }
        organization
    })
}

/// A number that no goal has.
const UNKNOWN: i64 = 9;

fn number_at(place: usize) -> i64 {
    10 * (place as i64 + 1)
}
