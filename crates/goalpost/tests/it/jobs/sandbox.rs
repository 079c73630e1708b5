//! The sandbox lets a client meet every documented state, for as long as it was told.

use std::time::{Duration, Instant};

use goalpost_testing::{ORGANIZATION, TestApp, VIEW};

use super::{create, eventually, row, status, told};

const SOON: Duration = Duration::from_secs(20);

async fn start(settings: &[&str]) -> TestApp {
    let t = TestApp::start_with(|config| {
        for setting in settings {
            config.sandbox.set(setting).unwrap();
        }
    })
    .await;
    t.start_working();
    t
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_held_in_each_state_as_long_as_was_asked() {
    let t = start(&["not-started=600ms", "running=600ms"]).await;
    let begun = Instant::now();
    let id = create(&t).await;
    let mut seen = Vec::new();
    let ann = t.ann();
    eventually(SOON, "success", async || {
        let status = told(&ann.get_export(&id).await).0;
        let new = seen.last().is_none_or(|(last, _)| *last != status);
        if new {
            seen.push((status.clone(), begun.elapsed()));
        }
        (status == "succeeded").then_some(())
    })
    .await;
    let statuses: Vec<_> = seen.iter().map(|(status, _)| status.as_str()).collect();
    assert_eq!(statuses, ["notStarted", "running", "succeeded"]);
    assert!(seen[1].1 >= Duration::from_millis(600), "running after {:?}", seen[1].1);
    assert!(seen[2].1 >= Duration::from_millis(1200), "succeeded after {:?}", seen[2].1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_can_be_fetched_as_long_as_was_asked() {
    let t = start(&["expire-after=3s"]).await;
    let id = create(&t).await;
    let ann = t.ann();
    eventually(SOON, "success", async || (row(&t, &id).state == "succeeded").then_some(())).await;
    let finished = Instant::now();
    eventually(SOON, "the end", async || (ann.get_export(&id).await.status == 404).then_some(())).await;
    assert!(finished.elapsed() >= Duration::from_secs(2), "gone after {:?}", finished.elapsed());
    assert_eq!(ann.get_content(&id).await.status, 404);
    eventually(SOON, "the sweep", async || super::files(&t).is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_whose_exports_fail_is_told_so_and_others_do_not() {
    let t = start(&[&format!("fail-view={VIEW}")]).await;
    let other = super::create_of(&t, super::save_views(&t.app.db, super::NUMBER, 1)[0]).await;
    let failing = create(&t).await;
    eventually(SOON, "an end", async || (row(&t, &failing).state == "failed").then_some(())).await;
    let (_, detail) = status(&t, &failing).await;
    assert!(detail.unwrap().contains("sandbox"));
    assert_eq!(row(&t, &failing).attempt, 1, "no attempt can help");
    eventually(SOON, "success", async || (row(&t, &other).state == "succeeded").then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wait_that_is_asked_of_clients_is_the_one_that_was_set() {
    let t = TestApp::start_with(|config| config.sandbox.set("retry-after=7").unwrap()).await;
    let id = create(&t).await;
    assert_eq!(t.ann().get_export(&id).await.header("retry-after"), Some("7"));
    assert_eq!(t.ann().get_content(&id).await.header("retry-after"), Some("7"));
    assert!(t.run_one().await);
    assert_eq!(t.ann().get_export(&id).await.header("retry-after"), None);
    assert_eq!(t.ann().create_export(ORGANIZATION, VIEW).await.status, 201);
}
