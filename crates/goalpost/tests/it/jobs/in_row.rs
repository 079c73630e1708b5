//! Small files are kept in the database, beside what is known of them, and are fetched as all others are.

use std::time::Duration;

use goalpost::config::Exports;
use goalpost::nodes::{self, agreed::Agreed};
use goalpost_db::{Scope, params};
use goalpost_testing::{Answer, TestApp, VIEW};
use serde_json::Value;
use uuid::Uuid;

use super::process::JOBS;
use super::{create_of, insert_goals, status};

const HALF_A_DAY: Duration = Duration::from_hours(12);

/// A server that has seen which other nodes there are, as every process does at its start.
async fn start(change: impl FnOnce(&mut Exports)) -> TestApp {
    let t = TestApp::start_with(|config| change(&mut config.exports)).await;
    nodes::join(&t.app).await.unwrap();
    insert_goals(&t, 3, 10);
    t
}

/// Export the usual view; the id.
async fn export(t: &TestApp) -> String {
    let id = create_of(t, VIEW).await;
    assert!(t.run_one().await);
    assert_eq!(status(t, &id).await.0, "succeeded");
    id
}

/// How many files the content store has.
async fn files(t: &TestApp) -> usize {
    t.app.content.list().next_page().await.unwrap().len()
}

async fn content(t: &TestApp, id: &str) -> Answer {
    let content = t.ann().get_content(id).await;
    assert_eq!(content.status, 200, "{}", content.text());
    content
}

/// The bytes of the same export as the content store keeps it.
async fn stored() -> Vec<u8> {
    let t = start(|exports| exports.in_database_bytes = 0).await;
    let id = export(&t).await;
    assert_eq!(files(&t).await, 1);
    content(&t, &id).await.bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_file_is_in_the_database_and_has_the_same_bytes() {
    let bytes = stored().await;
    let length = bytes.len();
    let t = start(|exports| exports.in_database_bytes = length).await;
    let id = export(&t).await;
    assert_eq!(files(&t).await, 0);
    let whole = content(&t, &id).await;
    assert_eq!(whole.bytes, bytes);
    assert_eq!(whole.header("content-length"), Some(&*length.to_string()));

    // One byte more is the store's.
    let t = start(|exports| exports.in_database_bytes = length - 1).await;
    let id = export(&t).await;
    assert_eq!(files(&t).await, 1);
    assert_eq!(content(&t, &id).await.bytes, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_it_are_fetched_as_of_any_other() {
    let t = start(|_| {}).await;
    let id = export(&t).await;
    let bytes = content(&t, &id).await.bytes;
    let path = format!("{JOBS}/{id}/content");
    let get = async |name: &str, value: &str| {
        let ann = t.ann();
        ann.send(ann.request("GET", &path).header(name, value)).await
    };
    for (range, part) in
        [("bytes=0-0", &bytes[..1]), ("bytes=5-9", &bytes[5..10]), ("bytes=-7", &bytes[bytes.len() - 7..])]
    {
        let answer = get("range", range).await;
        assert_eq!((answer.status, answer.bytes.as_slice()), (206, part), "{range}");
    }
    assert_eq!(get("range", &format!("bytes={}-", bytes.len())).await.status, 416);
    let etag = content(&t, &id).await.header("etag").unwrap().to_owned();
    assert_eq!(get("if-none-match", &etag).await.status, 304);
    let head = t.ann().send(t.ann().request("HEAD", &path)).await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(&*bytes.len().to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_the_same_has_the_file_when_the_first_is_gone() {
    let t = start(|exports| exports.reuse = true).await;
    let first = export(&t).await;
    let bytes = content(&t, &first).await.bytes;
    t.advance(HALF_A_DAY);
    // Were it read again, this would show.
    super::write(&t.app.db, |tx| {
        tx.execute("update goal set title = 'Behind the back' where organization = 15229", &[])
    });
    let second = export(&t).await;
    t.advance(HALF_A_DAY);
    t.sweep().await;
    assert_eq!(t.ann().get_export(&first).await.status, 404);
    assert_eq!(content(&t, &second).await.bytes, bytes);
    t.advance(HALF_A_DAY);
    t.sweep().await;
    let left = t.app.db.snapshot(super::NUMBER, |tx| {
        tx.query_one("select count(*) from export where organization = ?1", params![super::NUMBER], |row| {
            row.int(0)
        })
    });
    assert_eq!(left.unwrap(), 0);
    assert_eq!(t.ann().get_content(&second).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_node_that_would_not_find_it_there_it_is_stored() {
    let t = start(|exports| exports.reuse = true).await;
    let before = export(&t).await;
    assert_eq!(files(&t).await, 0);
    let mut older: Value = serde_json::to_value(Agreed::of(&t.app).unwrap()).unwrap();
    assert_eq!(older.as_object_mut().unwrap().remove("reads_database"), Some(true.into()));
    let (id, agreed) = (Uuid::from_u128(9), older.to_string());
    let say = |tx: &goalpost_db::Tx<'_>| {
        tx.execute(
            "insert into node (id, version, started_at, seen_at, agreed) values (?1, '0.0.9', ?2, ?2, ?3)",
            params![id.into_bytes(), tx.now_us(), &agreed],
        )
    };
    t.app.db.write_alone(Scope::Global, Duration::from_secs(5), say).unwrap();
    nodes::join(&t.app).await.unwrap();
    // Nor are the bytes of the earlier one put into another row.
    let beside = export(&t).await;
    assert_eq!(files(&t).await, 1);
    assert_eq!(content(&t, &beside).await.bytes, content(&t, &before).await.bytes);
    // It counts as gone when it was silent for long enough.
    t.advance(Duration::from_secs(31));
    nodes::join(&t.app).await.unwrap();
    let after = export(&t).await;
    assert_eq!(files(&t).await, 1);
    assert_eq!(content(&t, &beside).await.bytes, content(&t, &after).await.bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn r21_each_copy_counts_against_what_an_organization_may_keep() {
    let length = stored().await.len() as i64;
    let t = start(|exports| (exports.reuse, exports.max_kept_bytes) = (true, 2 * length)).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(export(&t).await);
        t.advance(Duration::from_secs(1));
    }
    t.sweep().await;
    let mut kept = Vec::new();
    for id in &made {
        kept.push(t.ann().get_content(id).await.status);
    }
    assert_eq!((kept, files(&t).await), (vec![404, 200, 200], 0));
}
