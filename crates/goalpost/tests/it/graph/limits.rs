//! Bounds: 429 and 503 with a time to wait, for the one caller who asks too much and for nobody else.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use goalpost::views::Preset;
use goalpost_db::{Error, Scope, params};
use goalpost_testing::{Answer, ORGANIZATION, TestApp, VIEW};

use super::{JOBS, NOBODYS_JOB, assert_refused};

#[track_caller]
fn assert_told_to_wait(t: &TestApp, answer: &Answer, message: &str) {
    assert_refused(t, answer, (429, "tooManyRequests", message, None), message);
    let secs: u64 = answer.header("retry-after").expect("a time to wait").parse().expect("whole seconds");
    assert!((1..=60).contains(&secs), "{secs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_of_one_caller_are_refused_and_those_of_others_are_not() {
    let t = TestApp::start_with(|config| config.limits.requests_per_10_secs = 1).await;
    let (ann, ben) = (t.ann(), t.client("ben@wren.example"));
    assert_eq!(ann.get(JOBS).await.status, 200);
    let message = "Too many requests. Wait as long as Retry-After says.";
    assert_told_to_wait(&t, &ann.get(JOBS).await, message);
    assert_told_to_wait(&t, &t.ann().get_export(NOBODYS_JOB).await, message);
    assert_told_to_wait(&t, &t.ann().get("/beta/nope").await, message);
    assert_eq!(ben.get(JOBS).await.status, 200);
    assert_eq!(t.client_with_token(None).get(JOBS).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_can_make_the_burst_small() {
    let t = TestApp::start_with(|config| config.sandbox.burst = Some(2)).await;
    let ann = t.ann();
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let answer = ann.get(JOBS).await;
        if answer.status == 429 {
            assert_told_to_wait(&t, &answer, "Too many requests. Wait as long as Retry-After says.");
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses[..2], [200, 200]);
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_creations_are_refused_while_reading_goes_on() {
    let t = TestApp::start_with(|config| config.limits.creates_per_10_secs = 1).await;
    assert_eq!(t.ann().create_export(ORGANIZATION, VIEW).await.status, 201);
    let refused = t.ann().create_export(ORGANIZATION, Preset::Overdue.guid(ORGANIZATION)).await;
    assert_told_to_wait(&t, &refused, "Too many exports were created. Wait as long as Retry-After says.");
    assert_eq!(t.ann().get(JOBS).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_has_only_so_many_pending_exports() {
    let t = TestApp::start_with(|config| config.exports.max_open = 1).await;
    let pending = t.ann().create_export(ORGANIZATION, VIEW).await.id();
    let other = Preset::Overdue.guid(ORGANIZATION);
    let refused = t.ann().create_export(ORGANIZATION, other).await;
    assert_told_to_wait(
        &t,
        &refused,
        "Too many exports of your organization are pending. Wait for one of them.",
    );
    let same = t.ann().create_export(ORGANIZATION, VIEW).await;
    assert_eq!(same.json()["error"]["target"], pending, "a pair that is pending is a conflict, full or not");
    assert!(t.run_one().await);
    assert_eq!(t.ann().create_export(ORGANIZATION, other).await.status, 201);
}

/// The one test that waits: a write is given up after five seconds, not later and not for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_somebody_else_holds_makes_writing_wait_and_then_unavailable() {
    let t = TestApp::start().await;
    let ann = t.ann();
    let db = t.app.db.clone();
    let ((locked, is_locked), (release, released)) = (mpsc::channel(), mpsc::channel::<()>());
    let holder = std::thread::spawn(move || {
        db.write_alone(Scope::Global, Duration::from_secs(5), |tx| {
            // On SQLite the one writer is enough.
            if db.engine() == "postgresql" {
                tx.execute("lock table job in exclusive mode", params![])?;
            }
            locked.send(()).expect("the test waits for the lock");
            released.recv().expect("the test lets go");
            Ok::<_, Error>(())
        })
    });
    is_locked.recv().unwrap();
    let begun = Instant::now();
    let refused = ann.create_export(ORGANIZATION, VIEW).await;
    let waited = begun.elapsed();
    let message = "The service is temporarily unavailable. Repeat the request after the time in Retry-After.";
    assert_refused(&t, &refused, (503, "serviceUnavailable", message, None), "locked");
    assert_eq!(refused.header("retry-after"), Some("2"));
    assert!(waited >= Duration::from_millis(4900) && waited < Duration::from_secs(15), "{waited:?}");
    assert_eq!(ann.get(JOBS).await.status, 200, "reading goes on");
    release.send(()).unwrap();
    holder.join().unwrap().unwrap();
    assert_eq!(ann.create_export(ORGANIZATION, VIEW).await.status, 201);
}
