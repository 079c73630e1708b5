//! One small organization that has a goal for every rule of the columns, and its file as readers get it.

use std::path::Path;
use std::process::Command;

use goalpost_viva::{Alignment, CheckIn, Named, Note, Objective, Outcome, Permissions, Person, Team};
use jiff::civil::{DateTime, date, datetime};

use super::{IVY, IVYS_EMAIL, Imported, NOOR, Organization, TOM, assert_same, goal, person};

/// An outcome that is measured in a unit.
fn metric(name: &str, unit: &str, kind: &str, start: Option<f64>, target: f64) -> Outcome {
    Outcome {
        outcome_type: Some("Metric".to_owned()),
        metric_name: Some(name.to_owned()),
        metric_unit: Some(unit.to_owned()),
        start,
        target: Some(target),
        target_type: Some(kind.to_owned()),
    }
}

fn percentage() -> Outcome {
    Outcome { outcome_type: Some("Percentage".to_owned()), ..Outcome::default() }
}

fn below(id: i64, title: Option<&str>, weight: f64) -> Alignment {
    Alignment { id, title: title.map(str::to_owned), weight: Some(weight) }
}

fn named(id: i64, name: &str) -> Named {
    Named { id, name: Some(name.to_owned()) }
}

fn check_in(id: i64, goal_id: i64, at: DateTime, recorded_at: DateTime, value: f64) -> CheckIn {
    CheckIn {
        id,
        goal_id,
        date: Some(at),
        owner: Some(person(NOOR)),
        note: Some(Note { text: Some(format!("Note {id}")), html: Some("<p>not shown</p>".to_owned()) }),
        metric_name: Some("Progress".to_owned()),
        status: Some("On Track".to_owned()),
        current_value: Some(value),
        recorded_at: Some(recorded_at),
        ..CheckIn::default()
    }
}

fn organization() -> Organization {
    let text = |text: &str| Some(text.to_owned());
    let mut organization = Organization::of_ivy();
    let mut goals = vec![
        // Everything that a goal may say. Stands last in the file and first in the export, which follows numbers.
        Objective {
            type_label: text("Big rock"),
            created_by: Some(person(IVY)),
            owners: vec![person(NOOR), person(TOM)],
            teams: vec![named(11, "Sales"), named(12, "R&D")],
            period: Some(named(21, "Annual 2025")),
            start_date: Some(date(2025, 1, 1)),
            end_date: Some(date(2025, 12, 31)),
            description: text("Says \"yes\", and\nsays it in two lines"),
            outcome: Some(percentage()),
            progress: Some(64.0),
            goal_type: text("Committed"),
            created_at: Some(datetime(2024, 12, 9, 14, 36, 20, 0)),
            last_check_in: Some(datetime(2025, 3, 10, 20, 57, 8, 0)),
            ..goal(1, "Every column, once")
        },
        // Weights: at most two decimals, 0 where none is stated. A parent that Ivy may not see is left out, one that
        // the file does not hold is printed as its alignment prints it, or without a title.
        Objective {
            parent_ids: vec![1, 5, 3, 90, 91],
            alignment: vec![
                below(1, Some("An older title"), 100.0 / 7.0),
                below(90, Some("Gone (2019)"), 12.5),
            ],
            ..goal(2, "Below (five) others")
        },
        Objective { permissions: Permissions::only(vec![person(TOM)]), ..goal(3, "Tom's secret") },
        // A score of nothing on a goal that is closed, and one that is not.
        Objective { status: text("Closed"), score: Some(0.0), ..goal(4, "Closed without success") },
        Objective { status: text("Postponed"), score: Some(0.7), ..goal(5, "Scored early") },
        // Units and scales.
        Objective {
            outcome: Some(metric("Deals", "Number", "Increase From", Some(15.0), 35.0)),
            progress: Some(20.0),
            type_label: text("Kpi"),
            ..goal(6, "A number goes up")
        },
        Objective {
            outcome: Some(metric("Churn", "Percentage", "Decrease From", Some(50.5), 10.0)),
            progress: Some(30.25),
            ..goal(7, "A percentage goes down")
        },
        Objective {
            outcome: Some(metric("Revenue", "Dollar", "Reach", None, 1_200_000.0)),
            progress: Some(3_300_000.0),
            ..goal(8, "Dollars, far beyond the target")
        },
        Objective {
            outcome: Some(metric("Litres", "Hectolitre", "Increase From", Some(871.0), 1500.0)),
            progress: Some(800.0),
            ..goal(9, "A unit of its own, below the start")
        },
        Objective {
            outcome: Some(metric("Tickets", "Number", "Stay Below", Some(5_000.0), 5_000.0)),
            progress: Some(4_999.0),
            ..goal(10, "Stays below")
        },
        Objective {
            outcome: Some(metric("Users", "Number", "Find a Baseline", None, 0.0)),
            progress: Some(12.0),
            ..goal(11, "Has no scale")
        },
        // A percentage that was never updated, and a goal of which nothing is known but its title.
        Objective { outcome: Some(percentage()), ..goal(12, "Never updated") },
        Objective {
            type_label: None,
            status: None,
            goal_type: None,
            score: None,
            ..goal(13, "Nothing is known")
        },
        // References that lead to nothing print what stands beside them.
        Objective {
            created_by: Some(Person {
                id: Some(77),
                name: text("Former Colleague"),
                email: text("gone@contoso.example"),
            }),
            owners: vec![
                Person { name: text("A guest"), ..Person::default() },
                Person { id: Some(500), email: text("TOM@contoso.example"), name: text("Thomas") },
            ],
            teams: vec![named(99, "Dissolved, long ago"), named(11, "Its old name")],
            period: Some(named(98, "Sprint 9")),
            ..goal(14, "References")
        },
        // A spreadsheet's formulas stay what they are: texts.
        Objective { description: text("-1+2"), ..goal(15, "=HYPERLINK(\"https://example.com\",\"x\")") },
    ];
    goals.reverse();
    organization.goals = goals;

    let midnight = |month, day| datetime(2025, month, day, 0, 0, 0, 0);
    organization.check_ins = vec![
        check_in(503, 1, midnight(3, 10), datetime(2025, 3, 10, 20, 57, 8, 0), 64.0),
        check_in(504, 1, midnight(1, 15), midnight(3, 11), 12.5),
        check_in(502, 1, midnight(3, 10), midnight(3, 10), 50.0),
        CheckIn {
            metric_name: text("Deals"),
            note: None,
            ..check_in(505, 6, midnight(2, 1), midnight(2, 1), 20.0)
        },
        CheckIn {
            note: Some(Note { text: text("Two lines;\r\n\"quoted\""), html: None }),
            metric_name: text("Churn"),
            owner: Some(Person { name: text("A guest"), ..Person::default() }),
            current_value: None,
            ..check_in(506, 7, midnight(2, 1), midnight(2, 1), 0.0)
        },
        CheckIn {
            metric_name: text("Revenue"),
            ..check_in(507, 8, midnight(2, 1), midnight(2, 1), 0.1 + 0.2)
        },
        // More than any other goal has, but Ivy's file is no wider for it.
        check_in(508, 3, midnight(2, 1), midnight(2, 1), 1.0),
        check_in(509, 3, midnight(2, 2), midnight(2, 2), 2.0),
        check_in(510, 3, midnight(2, 3), midnight(2, 3), 3.0),
        check_in(511, 3, midnight(2, 4), midnight(2, 4), 4.0),
        // Of a goal that the file does not hold.
        check_in(512, 4_000, midnight(2, 1), midnight(2, 1), 1.0),
    ];
    organization.teams.push(Team { id: 13, name: "Unused".to_owned(), ..Team::default() });
    organization
}

/// The file with its line ends made visible: records end in CR LF, and a line break inside a cell stays what it is.
fn visible(csv: &[u8]) -> String {
    String::from_utf8(csv.to_vec()).expect("the file is UTF-8").replace('\r', "␍")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_the_columns_has_its_row() {
    let imported = Imported::new(|path| organization().write(path)).await;
    let csv = imported.export_all(IVYS_EMAIL).await;
    insta::assert_snapshot!(visible(&csv), @r#"
    Id,Title,Team,Creator,Owner,Period,Start Date,End Date,Description,"Aligned To (weight, Objective ID)",Metric Name,Unit,Target,Object Type,Goal Type,Start,Created At,Last Check-in,Progress %,Actual Progress,Status,Last Check-in Note,Score,Checkins,,␍
    1,"Every column, once","Sales; R&D; ""Labs""",Ivy Castell,"Noor ""Nu"" Haddad, Tom, Ürgen",Annual 2025,2025-01-01,2025-12-31,"Says ""yes"", and
    says it in two lines",,Progress,%,100,Big rock,Committed Goal,0,2024-12-09 14:36:20 UTC,2025-03-10,64,64,On Track,Note 503,,"Checkin Date: 2025-01-15; User: Noor ""Nu"" Haddad; Note: Note 504; Metric Name: Progress; Status: On Track; Current Value: 12.5%; Activity Date: 2025-03-11 00:00:00 UTC;","Checkin Date: 2025-03-10; User: Noor ""Nu"" Haddad; Note: Note 502; Metric Name: Progress; Status: On Track; Current Value: 50%; Activity Date: 2025-03-10 00:00:00 UTC;","Checkin Date: 2025-03-10; User: Noor ""Nu"" Haddad; Note: Note 503; Metric Name: Progress; Status: On Track; Current Value: 64%; Activity Date: 2025-03-10 20:57:08 UTC;"␍
    2,Below (five) others,,,,,,,,"Every column, once(weight: 14.29%, Id: 1) / Scored early(weight: 0%, Id: 5) / Gone (2019)(weight: 12.5%, Id: 90) / (weight: 0%, Id: 91)",Progress,,,Objective,Aspirational Goal,,,,,,On Track,,,,,␍
    4,Closed without success,,,,,,,,,Progress,,,Objective,Aspirational Goal,,,,,,Closed,,0,,,␍
    5,Scored early,,,,,,,,,Progress,,,Objective,Aspirational Goal,,,,,,Postponed,,0.7,,,␍
    6,A number goes up,,,,,,,,,Deals,,35,Kpi,Aspirational Goal,15,,,25,20,On Track,,,"Checkin Date: 2025-02-01; User: Noor ""Nu"" Haddad; Note: ; Metric Name: Deals; Status: On Track; Current Value: 20; Activity Date: 2025-02-01 00:00:00 UTC;",,␍
    7,A percentage goes down,,,,,,,,,Churn,%,10,Objective,Aspirational Goal,50.5,,,50,30.25,On Track,"Two lines;␍
    ""quoted""",,"Checkin Date: 2025-02-01; User: A guest; Note: Two lines;␍
    ""quoted""; Metric Name: Churn; Status: On Track; Current Value: ; Activity Date: 2025-02-01 00:00:00 UTC;",,␍
    8,"Dollars, far beyond the target",,,,,,,,,Revenue,$,1200000,Objective,Aspirational Goal,,,,275,3300000,On Track,Note 507,,"Checkin Date: 2025-02-01; User: Noor ""Nu"" Haddad; Note: Note 507; Metric Name: Revenue; Status: On Track; Current Value: 0.30000000000000004; Activity Date: 2025-02-01 00:00:00 UTC;",,␍
    9,"A unit of its own, below the start",,,,,,,,,Litres,Hectolitre,1500,Objective,Aspirational Goal,871,,,-11.29,800,On Track,,,,,␍
    10,Stays below,,,,,,,,,Tickets,,5000,Objective,Aspirational Goal,5000,,,100,4999,On Track,,,,,␍
    11,Has no scale,,,,,,,,,Users,,0,Objective,Aspirational Goal,,,,,12,On Track,,,,,␍
    12,Never updated,,,,,,,,,Progress,%,100,Objective,Aspirational Goal,0,,,,,On Track,,,,,␍
    13,Nothing is known,,,,,,,,,Progress,,,,,,,,,,,,,,,␍
    14,References,"Dissolved, long ago; Sales",Former Colleague,"A guest, Tom, Ürgen",Sprint 9,,,,,Progress,,,Objective,Aspirational Goal,,,,,,On Track,,,,,␍
    15,"=HYPERLINK(""https://example.com"",""x"")",,,,,,,-1+2,,Progress,,,Objective,Aspirational Goal,,,,,,On Track,,,,,␍
    "#);
    assert_same(&csv, &imported.oracle().csv(IVY, |_| true));
}

#[tokio::test(flavor = "multi_thread")]
async fn python_reads_the_cells_that_were_written() {
    let imported = Imported::new(|path| organization().write(path)).await;
    let file = imported.folder.path().join("export.csv");
    std::fs::write(&file, imported.export_all(IVYS_EMAIL).await).expect("the file is written");

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/read_csv.py");
    let ran = Command::new("python3").arg(script).arg(&file).output().expect("Python runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let found: Vec<Vec<String>> = serde_json::from_slice(&ran.stdout).expect("records as JSON");
    assert_eq!(found, imported.oracle().records(IVY, |_| true));
}
