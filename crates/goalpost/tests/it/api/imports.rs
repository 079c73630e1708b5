//! Imports over HTTP: a file is sent, a worker brings it in, once; and what is refused, when, and in which words.

use std::time::Duration;

use goalpost::ids::OrganizationNumber;
use goalpost::imports::{KIND, worker::DoImport};
use goalpost::jobs::{Step as _, StepError};
use serde_json::Value;

use super::*;
use crate::imports::NUMBER;

const LEASE: Duration = Duration::from_secs(16);

/// The usual company, which Ilse owns.
async fn door() -> Door {
    let door = Door::new().await;
    door.own("user10@contoso.example");
    door
}

/// The bytes of a company's file. Its people are as the door has made them.
fn zip(change: impl FnOnce(&mut Company)) -> Vec<u8> {
    let mut company = company();
    company.users[0].role = Some("Organization Owner".to_owned());
    change(&mut company);
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::read(company.zip(folder.path())).expect("the file")
}

async fn post(door: &Door, client: &Client, query: &str, file: Vec<u8>) -> Answer {
    let request = client.request("POST", &door.path(&format!("imports?{query}")));
    client.send(request.header("content-type", "application/octet-stream").body(file)).await
}

/// Send a file that is taken; its import's path.
async fn send(door: &Door, query: &str, file: Vec<u8>) -> String {
    let made = post(door, &door.ilse(), query, file).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["status"], "notStarted");
    let path = door.path(&format!("imports/{}", made.id()));
    assert_eq!(made.header("location"), Some(&*format!("{}{path}", door.t.url)));
    path
}

/// Send a file and let the worker do what it does with it; the import's path, and what it became.
async fn bring(door: &Door, query: &str, file: Vec<u8>) -> (String, Value) {
    let path = send(door, query, file).await;
    assert!(door.t.run_one().await);
    let seen = look(door, &path).await;
    (path, seen)
}

async fn look(door: &Door, path: &str) -> Value {
    let seen = door.ilse().get(path).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    seen.json()
}

fn count(door: &Door, sql: &str) -> i64 {
    let organization = OrganizationNumber(NUMBER);
    let found = door.t.app.db.snapshot(organization, |tx| {
        tx.query_one::<_, goalpost_db::Error>(sql, &[organization.into()], |row| row.int(0))
    });
    found.expect("a number")
}

fn revision(door: &Door) -> i64 {
    count(door, "select revision from organization where number = ?1")
}

async fn stored_files(door: &Door) -> usize {
    door.t.app.content.list().next_page().await.expect("the store is readable").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_brought_in_and_told_of() {
    let door = door().await;
    let before = revision(&door);
    let file = zip(|company| company.goal(101).title = "Prune 400 trees".to_owned());
    let size = file.len();
    let path = send(&door, "fileName=of%20May.zip", file).await;
    assert_eq!(stored_files(&door).await, 1);
    let early = door.ilse().get(&format!("{path}/report")).await;
    assert_eq!((early.status, early.error().2.as_deref()), (409, Some("noReport")));
    assert!(door.t.run_one().await);

    let seen = look(&door, &path).await;
    assert_eq!(seen["status"], "succeeded", "{seen}");
    assert_eq!((&seen["fileName"], &seen["sizeBytes"]), (&"of May.zip".into(), &size.into()));
    assert_eq!((&seen["creatorId"], &seen["isDryRun"]), (&10.into(), &false.into()));
    assert_eq!((&seen["added"], &seen["removed"]), (&0.into(), &0.into()));
    assert_eq!(seen["changed"], 1);
    assert_eq!((&seen["revision"], revision(&door)), (&(before + 1).into(), before + 1));
    assert_eq!((&seen["rowsDone"], &seen["rowsExpected"]), (&seen["rowsExpected"], &12.into()));
    let goal = door.get(&door.ilse(), "goals/101").await.json();
    assert_eq!(goal["title"], "Prune 400 trees");
    let history = door.get(&door.ilse(), "goals/101/history").await.json();
    assert_eq!(history["value"][1]["actorId"], 10, "{history}");
    assert_eq!(stored_files(&door).await, 0, "nobody needs the file any more");
    let left = std::fs::read_dir(door.t.app.config.data.join("imports")).expect("the folder of attempts");
    assert_eq!(left.count(), 0);

    let report = door.ilse().get(&format!("{path}/report")).await.json();
    assert_eq!(report["file"]["name"], "of May.zip");
    assert_eq!(report["entities"][4]["changed"], 1, "{report}");
    assert!(report.get("reportFile").is_none());
    for table in [
        door.ilse().get(&format!("{path}/report?$format=csv")).await,
        door.ilse()
            .send(door.ilse().request("GET", &format!("{path}/report")).header("accept", "text/csv"))
            .await,
    ] {
        let text = table.text();
        assert!(text.starts_with("Kind,Entity,Id,Field,Value,Note\r\ncount,Users,,read,2,\r\n"), "{text}");
        assert!(text.contains("count,objectives,,changed,1,\r\n"), "{text}");
    }
    let refused = door.ilse().get(&format!("{path}/report?$format=xml")).await;
    assert_eq!(refused.status, 406);

    // The import that made the organization is there as well, from the command line; the last one is found by a filter.
    assert_eq!(door.get(&door.ilse(), "imports/$count").await.text(), "2");
    let listed = door.get(&door.ilse(), "imports?$filter=creatorId eq 10").await.json();
    assert_eq!(listed["value"].as_array().map(Vec::len), Some(1), "{listed}");
    let audit = "select count(*) from audit where organization = ?1 and action in ('importCreated', 'import.run') and actor = 10";
    assert_eq!(count(&door, audit), 2);
    // The same again changes nothing, and says so.
    let (again, seen) =
        bring(&door, "", zip(|company| company.goal(101).title = "Prune 400 trees".to_owned())).await;
    assert_eq!((&seen["status"], &seen["revision"]), (&"succeeded".into(), &Value::Null));
    assert_eq!(door.ilse().get(&format!("{again}/report")).await.json()["entities"][4]["unchanged"], 4);
    assert_eq!(revision(&door), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let door = door().await;
    let before = (revision(&door), door.get(&door.ilse(), "goals").await.text());
    let (path, seen) = bring(
        &door,
        "dryRun=true&prune=true",
        zip(|company| {
            company.goals.retain(|goal| goal.id != 103);
        }),
    )
    .await;
    assert_eq!((&seen["status"], &seen["removed"]), (&"succeeded".into(), &1.into()), "{seen}");
    assert_eq!((&seen["revision"], &seen["isDryRun"]), (&Value::Null, &true.into()));
    let report = door.ilse().get(&format!("{path}/report")).await.json();
    assert_eq!(report["missing"]["first"][0]["id"], 103, "{report}");
    assert_eq!((revision(&door), door.get(&door.ilse(), "goals").await.text()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_comes_with_what_its_names_mean() {
    let door = door().await;
    let csv = "Titel,Owner,Time Period,Object Type\r\nPlant,Bobby,Q1 2026,Chore\r\n";
    // [people] "Bobby" = "user11@contoso.example" [headers] "Titel" = "Title", a line each
    let map = "%5Bpeople%5D%0A%22Bobby%22%3D%22user11%40contoso.example%22%0A%5Bheaders%5D%0A%22Titel%22%3D%22Title%22";
    let query = format!("map={map}&label=Chore%3Dinitiative&fileName=goals.csv");
    let made = post(&door, &door.ilse(), &query, csv.into()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(door.t.run_one().await);
    let seen = look(&door, &door.path(&format!("imports/{}", made.id()))).await;
    assert_eq!((&seen["status"], &seen["added"]), (&"succeeded".into(), &1.into()), "{seen}");
    let found = door.get(&door.ilse(), "goals?$filter=title eq 'Plant'").await.json();
    assert_eq!(found["value"][0]["objectType"], "initiative", "{found}");
    assert_eq!(found["value"][0]["owners"][0]["id"], 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_any_kind_may_be_sent() {
    let door = door().await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, b"{\"Id\":100,\"Title\":\"Healthier\"}\n")
        .expect("memory takes all");
    let (_, seen) = bring(&door, "", packed.finish().expect("memory takes all")).await;
    assert_eq!((&seen["status"], &seen["changed"]), (&"succeeded".into(), &1.into()), "{seen}");
    let parquet = include_bytes!("../imports/golden/set_n.parquet");
    let (_, seen) = bring(&door, "dryRun=true", parquet.to_vec()).await;
    assert_eq!(seen["status"], "succeeded", "{seen}");
    let (path, seen) = bring(&door, "fileName=view.parquet", parquet[..parquet.len() - 1].to_vec()).await;
    assert_eq!(seen["status"], "failed", "{seen}");
    let report = door.ilse().get(&format!("{path}/report")).await.json();
    let told = report["message"].as_str().expect("a text");
    assert!(told.starts_with("`view.parquet` cannot be imported: the Parquet file"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_owners_of_the_organization_may() {
    let door = door().await;
    let path = send(&door, "", zip(|_| {})).await;
    let stranger = door.t.client_with_scopes("ben@wren.example", SCOPES);
    let reader = door.t.client_with_scopes("user10@contoso.example", "Goals.Read.All");
    for (client, status) in [(door.bo(), 403), (stranger, 404)] {
        assert_eq!(post(&door, &client, "", zip(|_| {})).await.status, status);
        for (method, path) in [
            ("GET", door.path("imports")),
            ("GET", door.path("imports/$count")),
            ("GET", path.clone()),
            ("GET", format!("{path}/report")),
            ("DELETE", path.clone()),
        ] {
            let answer = client.send(client.request(method, &path)).await;
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        }
    }
    assert_eq!(post(&door, &reader, "", zip(|_| {})).await.error().2.as_deref(), Some("missingScope"));
    assert_eq!(reader.get(&path).await.status, 200);
    assert_eq!(stored_files(&door).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_or_too_large_is_refused_at_the_door() {
    let door = Door::with_settings(&company(), |config| config.imports.max_bytes = 4_000).await;
    door.own("user10@contoso.example");
    let whole = zip(|_| {});
    assert!(whole.len() < 4_000);
    let refused = post(&door, &door.ilse(), "", vec![b'P'; 4_001]).await;
    assert_eq!(
        (refused.status, refused.error().2.as_deref()),
        (413, Some("fileTooLarge")),
        "{}",
        refused.text()
    );
    // Without a length, it is found out on the way.
    let pieces = (0..5).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1_000]));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let request = door.ilse().request("POST", &door.path("imports"));
    let refused = door.ilse().send(request.body(body)).await;
    assert_eq!(refused.status, 413, "{}", refused.text());
    for (query, file, status) in [
        ("", Vec::new(), 400),
        ("", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), 415),
        ("", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0".to_vec(), 415),
        ("prun=true", whole.clone(), 400),
        ("dryRun=yes", whole.clone(), 400),
        ("label=Chore", whole.clone(), 400),
        ("fileName=..%2Fx", whole.clone(), 400),
    ] {
        let refused = post(&door, &door.ilse(), query, file).await;
        assert_eq!(refused.status, status, "{query}: {}", refused.text());
    }
    assert_eq!(stored_files(&door).await, 0, "nothing is kept of what was refused");
    assert_eq!(count(&door, "select count(*) from job where organization = ?1"), 0);
    // A part of the unpacked size is enough for this file.
    assert_eq!(bring(&door, "", whole).await.1["status"], "succeeded");
}

/// A view of one goal whose text is larger, unpacked, than a server with little room takes.
fn large_workbook() -> Vec<u8> {
    use goalpost_tabular::{Cell, ColumnKind, Head, Sink as _, Xlsx};

    // Numbers, which hardly pack.
    let text: Vec<String> = (0..6_000_u64).map(|n| (n * n * 7_919 % 99_991).to_string()).collect();
    let head = |name: &str| Head { name: name.to_owned(), kind: ColumnKind::Text };
    let mut sheet = Xlsx::new("goals", 1);
    sheet.begin(&[head("Title"), head("Description")]).expect("a header");
    sheet.cell(Cell::Text("A goal")).expect("a text");
    sheet.cell(Cell::Text(&text.join(" "))).expect("a text");
    sheet.end_row().expect("a row");
    sheet.end().expect("an end");
    sheet.take(Vec::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_taken_fails_with_a_report() {
    let door = Door::with_settings(&company(), |config| config.imports.max_unpacked_bytes = 20_000).await;
    door.own("user10@contoso.example");
    let before = (revision(&door), door.get(&door.ilse(), "goals").await.text());
    let whole = zip(|_| {});
    let broken = whole[..whole.len() / 2].to_vec();
    let twice = zip(|company| {
        let goal = company.goals[0].clone();
        company.goals.push(goal);
    });
    let large = zip(|company| company.goal(100).description = Some("large ".repeat(5_000)));
    for (file, says) in [
        (broken, "cannot be imported"),
        (twice, "the file has 1 problem"),
        (large, "bytes in all entries, unpacked"),
        (large_workbook(), "bytes in all entries, unpacked"),
        (b"Name;Size\r\nx;1\r\n".to_vec(), "cannot be imported"),
    ] {
        let (path, seen) = bring(&door, "fileName=mine.zip", file).await;
        assert_eq!(seen["status"], "failed", "{seen}");
        let detail = seen["statusDetail"].as_str().unwrap_or_default();
        assert!(detail.contains(says), "{detail}");
        assert!(!detail.contains(".upload") && !detail.contains("/imports/"), "{detail}");
        let report = door.ilse().get(&format!("{path}/report")).await.json();
        assert_eq!(report["failed"], true, "{report}");
        assert!(report["message"].as_str().is_some_and(|message| detail.starts_with(message)), "{report}");
        let table = door.ilse().get(&format!("{path}/report?$format=csv")).await.text();
        assert!(table.contains("\r\nfailure,,,,"), "{table}");
        if says.contains("problem") {
            assert!(table.contains("\r\nproblem,,,,\"objectives"), "{table}");
        }
    }
    assert_eq!((revision(&door), door.get(&door.ilse(), "goals").await.text()), before);
    assert_eq!(stored_files(&door).await, 0);
    // They are forgotten in time; what changed something is not.
    door.t.advance(Duration::from_hours(25));
    door.t.sweep().await;
    assert_eq!(count(&door, "select count(*) from import where organization = ?1"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_pending_at_a_time_and_can_be_called_off() {
    let door = door().await;
    let before = revision(&door);
    let file = || zip(|company| company.goal(101).title = "Prune 400 trees".to_owned());
    let path = send(&door, "", file()).await;
    let second = post(&door, &door.ilse(), "", file()).await;
    assert_eq!((second.status, second.error().2.as_deref()), (409, Some("importPending")));
    assert_eq!(second.header("location"), Some(&*format!("{}{path}", door.t.url)));
    assert_eq!(stored_files(&door).await, 1);
    let gone = door.ilse().send(door.ilse().request("DELETE", &path)).await;
    assert_eq!(gone.status, 204, "{}", gone.text());
    assert_eq!(stored_files(&door).await, 0);
    assert!(!door.t.run_one().await, "nothing is left to do");

    // One that a worker has claimed: what that one does afterwards does not count.
    let path = send(&door, "", file()).await;
    let lease = door.t.claim_and_die().await;
    assert_eq!(look(&door, &path).await["status"], "running");
    assert_eq!(door.ilse().send(door.ilse().request("DELETE", &path)).await.status, 204);
    let outcome = DoImport(door.t.app.clone()).run(lease).await;
    assert_eq!(outcome, Err(StepError::LeaseLost));
    assert_eq!(revision(&door), before);
    assert_eq!(door.ilse().get(&path).await.status, 404);
    assert_eq!(bring(&door, "", file()).await.1["status"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_away_for_too_long_changes_nothing() {
    let door = door().await;
    let before = revision(&door);
    let path = send(&door, "", zip(|company| company.goal(101).title = "Prune 400 trees".to_owned())).await;
    let zombie = door.t.claim_and_die().await;
    assert_eq!(zombie.kind, KIND);
    assert!(!door.t.run_one().await, "it is somebody's");
    door.t.advance(LEASE);
    assert!(door.t.run_one().await);
    assert_eq!(look(&door, &path).await["status"], "succeeded");
    let after = (revision(&door), door.get(&door.ilse(), "goals").await.text());
    assert_eq!(after.0, before + 1);
    // Two who work on the same job at once: only one of them ends it.
    let path = send(&door, "", zip(|company| company.goal(101).title = "Prune 500 trees".to_owned())).await;
    let first = door.t.claim_and_die().await;
    door.t.advance(LEASE);
    let second = door.t.claim_and_die().await;
    let (zombie_again, late, honest) = (
        DoImport(door.t.app.clone()).run(zombie).await,
        DoImport(door.t.app.clone()).run(first).await,
        DoImport(door.t.app.clone()).run(second).await,
    );
    assert_eq!((zombie_again, late, honest), (Err(StepError::LeaseLost), Err(StepError::LeaseLost), Ok(())));
    assert_eq!(look(&door, &path).await["status"], "succeeded");
    assert_eq!(revision(&door), before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_it_is_can_be_seen_while_it_runs() {
    let door = door().await;
    let path = send(
        &door,
        "",
        zip(|company| {
            // What packs too well is refused.
            let noise = |id: i64| format!("{:x}", id.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()));
            let title = |id| (0..20).map(|n| noise(id * 20 + n)).collect::<String>();
            company.goals.extend((1_000..2_500).map(|id| goal(id, "Kpi", &title(id))));
        }),
    )
    .await;
    let lease = door.t.claim_and_die().await;
    let step = DoImport(door.t.app.clone());
    // Signing in writes, and whoever writes would wait for the import's end.
    let client = door.ilse();
    let mut working = std::pin::pin!(step.run(lease));
    let mut seen = Vec::new();
    loop {
        tokio::select! {
            done = &mut working => break assert_eq!(done, Ok(())),
            answer = client.get(&path) => {
                let row = answer.json();
                seen.extend(row["rowsDone"].as_i64().filter(|_| row["status"] == "running"));
            }
        }
    }
    assert!(seen.is_sorted() && seen.iter().any(|done| (1..1_500).contains(done)), "{seen:?}");
    let row = look(&door, &path).await;
    assert_eq!((&row["rowsDone"], &row["added"]), (&1_512.into(), &1_500.into()), "{row}");
}

/// The file of all goals, as an export makes it.
async fn export(door: &Door) -> Vec<u8> {
    let client = door.t.client_with_scopes("user10@contoso.example", "Goals-Export.ReadWrite.All");
    let view = goalpost::views::Preset::AllObjectives.guid(door.organization);
    let body = serde_json::json!({ "viewId": view }).to_string();
    let request = client.request("POST", &door.path("exports")).header("content-type", "application/json");
    let made = client.send(request.body(body)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(door.t.run_one().await);
    client.get(&door.path(&format!("exports/{}/content", made.id()))).await.bytes
}

async fn take_back(client: &Client, path: &str) -> Answer {
    client.send(client.request("POST", &format!("{path}/undo"))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_taken_back_by_its_owners() {
    let door = door().await;
    let before = export(&door).await;
    let (path, _) = bring(
        &door,
        "prune=true",
        zip(|company| {
            company.goals.retain(|goal| goal.id != 103);
            company.goal(101).title = "Prune 400 trees".to_owned();
            company.goals.push(goal(104, "Kpi", "New here"));
            company.periods[0].name = "Spring".to_owned();
        }),
    )
    .await;
    let after = export(&door).await;
    assert_ne!(after, before);
    assert_eq!(take_back(&door.bo(), &path).await.status, 403);

    let comment = serde_json::json!({ "text": "I like it" });
    let made =
        door.done(&door.bo(), "POST", "goals/104/comments", &comment, 201).await.json()["id"].to_string();
    let refused = take_back(&door.ilse(), &path).await;
    assert_eq!((refused.status, refused.error().2.as_deref()), (409, Some("changedSince")));
    assert!(
        refused.error().1.contains(&format!("comment {made} was given something since")),
        "{}",
        refused.text()
    );
    assert_eq!(export(&door).await, after);
    door.done(&door.bo(), "DELETE", &format!("goals/104/comments/{made}"), &Value::Null, 204).await;

    let undone = take_back(&door.ilse(), &path).await;
    assert_eq!(undone.status, 200, "{}", undone.text());
    assert_eq!(
        (&undone.json()["undoneById"], undone.json()["undoneDateTime"].is_string()),
        (&10.into(), true)
    );
    assert_eq!(export(&door).await, before);
    assert_eq!(take_back(&door.ilse(), &path).await.error().2.as_deref(), Some("alreadyUndone"));
    let history = door.get(&door.ilse(), "goals/101/history").await.json();
    let causes: Vec<_> =
        history["value"].as_array().expect("changes").iter().map(|change| &change["cause"]).collect();
    assert_eq!(causes, ["import", "import", "undo"]);
    let (dry, _) = bring(&door, "dryRun=true", zip(|_| {})).await;
    assert_eq!(take_back(&door.ilse(), &dry).await.error().2.as_deref(), Some("nothingToUndo"));
    // Who came with an import does not take it back; another owner does.
    let (path, _) = bring(
        &door,
        "",
        zip(|company| {
            let email = Some("user19@contoso.example".to_owned());
            let role = Some("Organization Owner".to_owned());
            let newcomer = goalpost_viva::User { id: 19, email, role, ..company.users[0].clone() };
            company.users.push(newcomer);
        }),
    )
    .await;
    let newcomer = door.t.client_with_scopes("user19@contoso.example", "Goals.ReadWrite.All");
    let refused = take_back(&newcomer, &path).await;
    assert_eq!((refused.status, refused.error().2.as_deref()), (409, Some("ownPerson")));
    assert_eq!(take_back(&door.ilse(), &path).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_does_not_tell_of_what_its_reader_does_not_see() {
    let door = door().await;
    door.own("user11@contoso.example");
    let rest = serde_json::json!({ "title": "A secret vineyard" });
    door.done(&door.ilse(), "PATCH", "goals/102", &rest, 200).await;
    // Bo, who does not see 102, sends a file with another title for it and without 103.
    let file = zip(|company| {
        company.users[1].role = Some("Organization Owner".to_owned());
        company.goal(102).title = "Ours".to_owned();
        company.goals.retain(|goal| goal.id != 103);
    });
    let request = door.bo().request("POST", &door.path("imports?dryRun=true"));
    let made = door.bo().send(request.body(file)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(door.t.run_one().await);
    let path = door.path(&format!("imports/{}/report", made.id()));
    let (for_bo, for_ilse) = (door.bo().get(&path).await, door.ilse().get(&path).await);
    let conflict = |answer: &Answer| answer.json()["conflicts"]["first"][0].clone();
    assert_eq!((&conflict(&for_bo)["goal"], &conflict(&for_bo)["here"]), (&102.into(), &Value::Null));
    assert_eq!(conflict(&for_bo)["file"], "Ours");
    assert_eq!(conflict(&for_ilse)["here"], "A secret vineyard");
    assert_eq!(for_bo.json()["missing"]["first"][0]["name"], "Graft it");
    for answer in [&for_bo, &door.bo().get(&format!("{path}?$format=csv")).await] {
        assert!(
            !answer.text().contains("vineyard") && !answer.text().contains("orchard"),
            "{}",
            answer.text()
        );
    }

    // Nor of rows that became no goals.
    let rows = "OKR Reference,Parent OKR,Object Type,Title,Owner,Type,Team,Time period,Status,Visibility\n\
                A,,Objective,A hidden meadow,,,,Q1 2026,Nowhere near,Private\n";
    let request = door.bo().request("POST", &door.path("imports?dryRun=true"));
    let made = door.bo().send(request.body(rows)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(door.t.run_one().await);
    let path = door.path(&format!("imports/{}/report", made.id()));
    for path in [path.clone(), format!("{path}?$format=csv")] {
        let (for_bo, for_ilse) = (door.bo().get(&path).await.text(), door.ilse().get(&path).await.text());
        assert!(for_bo.contains("A hidden meadow") && for_bo.contains("Nowhere near"), "{for_bo}");
        assert!(!for_ilse.contains("meadow") && !for_ilse.contains("Nowhere"), "{for_ilse}");
        assert!(for_ilse.contains("leftOut"), "{for_ilse}");
    }
}
