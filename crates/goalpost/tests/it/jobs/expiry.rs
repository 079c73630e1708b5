//! What time takes away, and what it leaves alone.

use std::time::Duration;

use goalpost_testing::{ORGANIZATION, TestApp, VIEW};

use super::{LEASE, assert_failed, create, files, insert_goals, row, status};

const DAY: Duration = Duration::from_hours(24);
const ALMOST_A_DAY: Duration = Duration::from_mins(24 * 60 - 1);

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_nobody_claims_fails_after_a_day() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    t.advance(ALMOST_A_DAY);
    t.sweep().await;
    assert_eq!(status(&t, &id).await.0, "notStarted");
    t.advance(Duration::from_mins(1));
    t.sweep().await;
    assert_failed(&t, &id, "notStartedInTime").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_gone_on_time_with_its_row_and_its_file() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    assert!(t.run_one().await);
    t.advance(ALMOST_A_DAY);
    t.sweep().await;
    assert_eq!(t.ann().get_content(&id).await.status, 200);

    t.advance(Duration::from_mins(1));
    // Whether or not it was swept.
    for _ in 0..2 {
        let gone = t.ann().get_export(&id).await;
        assert_eq!((gone.status, gone.error().2.as_deref()), (404, Some("exportJobNotFound")));
        assert_eq!(t.ann().get_content(&id).await.status, 404);
        assert_eq!(t.ann().list_exports("").await.json()["value"].as_array().unwrap().len(), 0);
        t.sweep().await;
    }
    assert_eq!(super::Row::find(&t.app.db, &id), None);
    assert_eq!(files(&t), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_is_forgotten_on_time_too() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    t.advance(DAY);
    t.sweep().await;
    assert_eq!(status(&t, &id).await.0, "failed");
    t.advance(DAY);
    t.sweep().await;
    assert_eq!(super::Row::find(&t.app.db, &id), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_job_outlives_any_expiry() {
    let t = TestApp::start_with(|config| config.exports.expire_after_secs = 60).await;
    let id = create(&t).await;
    let lease = t.claim_and_die().await;
    t.advance(Duration::from_mins(10));
    t.sweep().await;
    assert_eq!(status(&t, &id).await.0, "running");
    t.finish(lease).await.unwrap();
    assert_eq!(t.ann().get_content(&id).await.status, 200, "it lives for a minute from its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_under_way_survives_the_end_of_its_file() {
    let t = TestApp::start().await;
    // More than the sockets between server and client hold.
    insert_goals(&t, 2_000, 16 * 1024);
    let id = create(&t).await;
    assert!(t.run_one().await);
    let path = format!("/beta/employeeExperience/goals/exportJobs/{id}/content");
    let mut download = t.ann().request("GET", &path).send().await.unwrap();
    let whole = std::fs::read(t.app.config.data.join("content").join(&files(&t)[0])).unwrap();
    assert!(whole.len() > 32_000_000, "{} bytes", whole.len());

    t.advance(DAY);
    t.sweep().await;
    assert_eq!(files(&t), Vec::<String>::new());
    let mut read = Vec::new();
    while let Some(piece) = download.chunk().await.unwrap() {
        read.extend_from_slice(&piece);
    }
    assert!(read == whole, "{} of {} bytes came, or others", read.len(), whole.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_no_export_points_to_is_swept_and_one_in_the_making_is_not() {
    let t = TestApp::start().await;
    let published = create(&t).await;
    assert!(t.run_one().await);
    let kept = files(&t);
    let pending = create(&t).await;
    let lease = t.claim_and_die().await;
    let (folder, name) = goalpost::exports::expiry::content_name(
        lease.job.organization,
        lease.job.id,
        lease.attempt,
        lease.token,
    );
    let unfinished = put(&t, &folder, &name);
    put(&t, &folder, &format!("{}.1.{}.csv", t.app.ids.guid(), t.app.ids.guid().simple()));
    put(&t, "77", &name);
    t.sweep().await;
    let mut left = files(&t);
    left.sort();
    let mut expected = [kept.clone(), vec![unfinished.clone()]].concat();
    expected.sort();
    assert_eq!(left, expected, "the files of nobody's job and of another organization go");

    t.advance(LEASE);
    assert!(t.run_one().await);
    assert_eq!(status(&t, &pending).await.0, "succeeded");
    assert!(files(&t).contains(&unfinished), "a sweep has not run yet");
    t.sweep().await;
    assert!(!files(&t).contains(&unfinished), "the attempt that lost goes once its job has ended");
    for id in [&published, &pending] {
        assert_eq!(t.ann().get_content(id).await.status, 200);
    }
}

/// Put a file into the store as a worker does that dies while it writes.
fn put(t: &TestApp, folder: &str, name: &str) -> String {
    let path = t.app.config.data.join("content").join(folder);
    std::fs::create_dir_all(&path).unwrap();
    std::fs::write(path.join(name), "Id,Ti").unwrap();
    format!("{folder}/{name}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_export_leaves_its_pair_free() {
    let t = TestApp::start().await;
    let first = create(&t).await;
    assert!(t.run_one().await);
    t.advance(2 * DAY);
    t.sweep().await;
    assert_ne!(create(&t).await, first);
    assert_eq!(t.ann().create_export(ORGANIZATION, VIEW).await.status, 409);
    assert!(t.run_one().await);
    assert_eq!(row(&t, &first_listed(&t).await).state, "succeeded");
}

async fn first_listed(t: &TestApp) -> String {
    t.ann().list_exports("").await.json()["value"][0]["id"].as_str().unwrap().to_owned()
}
