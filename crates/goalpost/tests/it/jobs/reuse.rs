//! Exports of what has not changed since an earlier one point to its file.

use std::time::Duration;

use goalpost::exports::ExportId;
use goalpost::views::{self, NewView, Selection, Sort};
use goalpost_testing::{Answer, ORGANIZATION, TestApp, VIEW};
use serde_json::json;
use uuid::Uuid;

use super::{NUMBER, create_of, files, insert_goals, status};

const HALF_A_DAY: Duration = Duration::from_hours(12);

async fn start() -> TestApp {
    TestApp::start_with(|config| config.exports.reuse = true).await
}

/// Export a view as the owner; the id.
async fn export(t: &TestApp, view: Uuid) -> String {
    let id = create_of(t, view).await;
    assert!(t.run_one().await);
    assert_eq!(status(t, &id).await.0, "succeeded");
    id
}

async fn content(t: &TestApp, id: &str) -> Answer {
    let content = t.ann().get_content(id).await;
    assert_eq!(content.status, 200, "{}", content.text());
    content
}

/// Save another view, as anybody may who looks at goals.
fn save_view(t: &TestApp, guid: u128, selection: &serde_json::Value) -> Uuid {
    let guid = Uuid::from_u128(guid);
    let new = NewView {
        shares: Vec::new(),
        guid,
        name: "Another".to_owned(),
        owner: None,
        is_public: false,
        selection: Selection {
            filter: serde_json::from_value(selection.clone()).unwrap(),
            ..Selection::default()
        },
        flat: true,
        sort: Sort::default(),
    };
    t.app.db.write_alone(NUMBER, Duration::from_secs(5), |tx| views::create(tx, NUMBER, &new, None)).unwrap();
    guid
}

fn sql(t: &TestApp, sql: &str) {
    super::write(&t.app.db, |tx| tx.execute(sql, &[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_export_points_to_the_file_of_the_first_until_something_changes() {
    let t = start().await;
    insert_goals(&t, 3, 10);
    let first = export(&t, VIEW).await;
    let made = files(&t);
    // Were it read again, this would show.
    sql(&t, "update goal set title = 'Behind the back' where organization = 15229");
    t.advance(Duration::from_mins(1));
    let second = export(&t, VIEW).await;
    assert_eq!(files(&t), made);
    let (one, other) = (content(&t, &first).await, content(&t, &second).await);
    assert_eq!(other.bytes, one.bytes);
    assert_eq!(other.header("etag"), one.header("etag"));
    // Only the name tells when it was asked for.
    assert_ne!(other.header("content-disposition"), one.header("content-disposition"));

    // Any change of the organization is one.
    save_view(&t, 7, &json!({ "and": [] }));
    let third = export(&t, VIEW).await;
    assert!(content(&t, &third).await.text().contains("Behind the back"));
    assert_eq!(files(&t).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_view_has_a_file_of_its_own() {
    let t = start().await;
    insert_goals(&t, 3, 10);
    let none = save_view(&t, 7, &json!({ "objectType": { "in": ["keyResult"] } }));
    let (all, none) = (export(&t, VIEW).await, export(&t, none).await);
    assert_ne!(content(&t, &all).await.bytes, content(&t, &none).await.bytes);
    assert_eq!(files(&t).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_is_of_its_own_view_whosever_file_it_is() {
    let t = start().await;
    insert_goals(&t, 3, 10);
    let views = [7, 8].map(|guid| save_view(&t, guid, &json!({ "and": [] })));
    for view in views {
        export(&t, view).await;
    }
    assert_eq!(files(&t).len(), 1);
    let manifests = t.app.db.snapshot(NUMBER, |tx| {
        tx.query(
            "select manifest from export where organization = ?1 order by job",
            goalpost_db::params![NUMBER],
            |row| Ok::<_, goalpost_db::Error>(row.text(0)?.to_owned()),
        )
    });
    let told: Vec<serde_json::Value> =
        manifests.unwrap().iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    for (told, view) in told.iter().zip(views) {
        assert_eq!(told["view"], json!({ "id": view, "name": "Another" }));
    }
    assert_eq!(told[0]["sha256"], told[1]["sha256"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_lost_is_made_anew() {
    let t = start().await;
    insert_goals(&t, 3, 10);
    let bytes = content(&t, &export(&t, VIEW).await).await.bytes;
    for lose in [(|path| std::fs::remove_file(path).unwrap()) as fn(std::path::PathBuf), |path| {
        std::fs::write(path, "cut").unwrap();
    }] {
        for file in files(&t) {
            lose(t.app.config.data.join("content").join(file));
        }
        assert_eq!(content(&t, &export(&t, VIEW).await).await.bytes, bytes);
        // Which is pointed to from then on.
        let there = files(&t).len();
        assert_eq!(content(&t, &export(&t, VIEW).await).await.bytes, bytes);
        assert_eq!(files(&t).len(), there);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_with_the_last_export_that_points_to_it() {
    let t = start().await;
    insert_goals(&t, 3, 10);
    let first = export(&t, VIEW).await;
    let bytes = content(&t, &first).await.bytes;
    t.advance(HALF_A_DAY);
    let second = export(&t, VIEW).await;
    t.advance(HALF_A_DAY);
    t.sweep().await;
    assert_eq!(t.ann().get_export(&first).await.status, 404);
    assert_eq!(content(&t, &second).await.bytes, bytes);
    // The file outlives the export that made it by as many as point to it in turn.
    let third = export(&t, VIEW).await;
    t.advance(HALF_A_DAY);
    t.sweep().await;
    assert_eq!(t.ann().get_export(&second).await.status, 404);
    assert_eq!((content(&t, &third).await.bytes, files(&t).len()), (bytes, 1));
    t.advance(HALF_A_DAY);
    t.sweep().await;
    assert_eq!(files(&t), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_depends_on_who_asked_is_nobody_elses() {
    let t = start().await;
    sql(&t, "update organization set export_policy = 'members' where number = 15229");
    insert_goals(&t, 3, 10);
    let ben = t.client("ben@wren.example");
    let by_ben = async || {
        let made = ben.create_export(ORGANIZATION, VIEW).await;
        assert!(t.run_one().await);
        ben.get_content(&made.id()).await.text()
    };
    export(&t, VIEW).await;
    by_ben().await;
    assert_eq!(files(&t).len(), 1, "open to all");

    sql(
        &t,
        "update goal set restricted = checkin_count = 0, creator = 1 where organization = 15229 and id = 2",
    );
    save_view(&t, 7, &json!({ "and": [] }));
    let seen = content(&t, &export(&t, VIEW).await).await;
    assert_eq!(seen.text().lines().count(), 4);
    assert_eq!(by_ben().await.lines().count(), 3);
    assert_eq!(files(&t).len(), 3, "a goal of Ann's alone");
    export(&t, VIEW).await;
    by_ben().await;
    assert_eq!(files(&t).len(), 3, "each has a file of their own");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_looks_at_the_day_is_made_anew_the_next_day() {
    let t = TestApp::start_with(|config| {
        config.exports.reuse = true;
        config.exports.expire_after_secs = 10 * 24 * 60 * 60;
    })
    .await;
    let overdue = save_view(&t, 7, &json!({ "due": "overdue" }));
    export(&t, overdue).await;
    export(&t, overdue).await;
    export(&t, VIEW).await;
    assert_eq!(files(&t).len(), 2);
    t.advance(2 * HALF_A_DAY);
    export(&t, overdue).await;
    export(&t, VIEW).await;
    assert_eq!(files(&t).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_taken_away_meanwhile_is_made_anew() {
    let t = TestApp::start_with(|config| {
        config.exports.reuse = true;
        // Between finding the file and pointing to it, on a machine that is busy with other tests.
        config.sandbox.running = Some(Duration::from_secs(3));
    })
    .await;
    insert_goals(&t, 3, 10);
    let owner = t.client_with_scopes("ann@wren.example", "Goals-Export.ReadWrite.All Goals.ReadWrite.All");
    let delete = async |job: Uuid| {
        let path = format!("/api/v1/organizations/{ORGANIZATION}/exports/{job}");
        assert_eq!(owner.send(owner.request("DELETE", &path)).await.status, 204);
    };
    // A job that is seen running may not have looked for a file yet: then it makes its own at once.
    for _ in 0..20 {
        let first = export(&t, VIEW).await;
        let bytes = content(&t, &first).await.bytes;
        let second = create_of(&t, VIEW).await;
        let [first, made_anew] = [&first, &second].map(|id| ExportId::parse(id).unwrap().job);
        let taking_away = async {
            super::eventually(Duration::from_secs(30), "a running job", async || {
                (status(&t, &second).await.0 == "running").then_some(())
            })
            .await;
            delete(first).await;
            assert_eq!(status(&t, &second).await.0, "running");
            let left = files(&t);
            assert!(!left.iter().any(|file| file.contains(&first.to_string())), "{left:?}");
            left.is_empty()
        };
        let (ran, had_found_it) = tokio::join!(t.run_one(), taking_away);
        assert!(ran);
        assert_eq!(content(&t, &second).await.bytes, bytes);
        assert_eq!(files(&t).len(), 1);
        if had_found_it {
            return;
        }
        delete(made_anew).await;
    }
    panic!("no job had found the file before it was taken away");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_come_and_go_are_never_missed() {
    let t = TestApp::start_with(|config| {
        config.exports.reuse = true;
        config.exports.max_kept = 1;
    })
    .await;
    insert_goals(&t, 3, 10);
    t.start_working();
    // Each export lets the one before it expire, whose file goes while the next one looks for it.
    let mut seen = Vec::new();
    for _ in 0..30 {
        let id = create_of(&t, VIEW).await;
        let content = super::eventually(Duration::from_secs(30), "a file", async || {
            Some(t.ann().get_content(&id).await).filter(|content| content.status != 409)
        })
        .await;
        assert_eq!(content.status, 200, "{}", content.text());
        seen.push(content.bytes);
        t.advance(Duration::from_secs(1));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
}
