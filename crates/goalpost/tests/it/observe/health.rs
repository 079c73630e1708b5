//! `/healthz` and `/readyz`: asked by machines, without a token.

use goalpost_testing::{Answer, TestApp};
use serde_json::json;

use super::SOON;
use crate::jobs::{eventually, write};

async fn ready(t: &TestApp) -> Answer {
    let answer = t.client_with_token(None).get("/readyz").await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer
}

/// The reasons, once they are others than before: what was found counts for a second.
async fn reasons(t: &TestApp) -> serde_json::Value {
    eventually(SOON, "a reason", async || {
        let answer = ready(t).await;
        (answer.status == 503).then(|| answer.json()["reasons"].clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_what_it_needs_is_alive_and_ready() {
    let t = TestApp::start().await;
    let alive = t.client_with_token(None).get("/healthz").await;
    assert_eq!((alive.status, alive.json()), (200, json!({ "status": "ok" })));
    assert_eq!(alive.header("cache-control"), Some("no-store"));
    let answer = ready(&t).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "status": "ready" })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_is_not_ready_at_once_and_still_answers() {
    let t = TestApp::start().await;
    assert_eq!(ready(&t).await.status, 200);
    t.app.stop.ask();
    let answer = ready(&t).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json(), json!({ "status": "notReady", "reasons": ["stopping"] }));
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(t.client_with_token(None).get("/healthz").await.status, 200);
    assert_eq!(t.ann().list_exports("").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_contents_is_not_ready_until_they_are_back() {
    let t = TestApp::start().await;
    let content = t.app.config.data.join("content");
    let aside = t.app.config.data.join("aside");
    std::fs::rename(&content, &aside).unwrap();
    assert_eq!(reasons(&t).await, json!(["content"]));
    std::fs::rename(&aside, &content).unwrap();
    eventually(SOON, "readiness", async || (ready(&t).await.status == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_schema_was_replaced_is_not_ready() {
    let t = TestApp::start().await;
    write(&t.app.db, |tx| {
        tx.execute(
            "insert into schema_migration (version, sha256, applied_at) values (9999, ?1, 0)",
            goalpost_db::params![[0_u8; 32]],
        )
    });
    assert_eq!(reasons(&t).await, json!(["schema"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_database_is_alive_but_not_ready() {
    let t = TestApp::start().await;
    write(&t.app.db, |tx| tx.execute("drop table schema_migration", goalpost_db::params![]));
    assert_eq!(reasons(&t).await, json!(["database"]));
    assert_eq!(t.client_with_token(None).get("/healthz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_is_not_bound_by_the_limits_of_callers() {
    let t = TestApp::start_with(|config| config.limits.requests_per_10_secs = 1).await;
    for _ in 0..20 {
        assert_eq!(ready(&t).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_counts_for_a_second_so_that_asking_costs_nothing() {
    let t = TestApp::start().await;
    assert_eq!(ready(&t).await.status, 200);
    let begun = std::time::Instant::now();
    std::fs::remove_dir(t.app.config.data.join("content")).unwrap();
    let answer = ready(&t).await;
    // Said only if the machine was fast enough to ask within the second.
    assert!(answer.status == 200 || begun.elapsed().as_millis() > 900);
    assert_eq!(reasons(&t).await, json!(["content"]));
}
