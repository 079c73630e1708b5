//! A worker that stood still past its lease changes nothing any more.

use std::time::Duration;

use goalpost::demo;
use goalpost_testing::{Engine, TestDatabase};

use super::{House, try_content, try_create, until_ended};
use crate::jobs::{Row, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn r04_r05_what_a_frozen_worker_had_is_done_by_another_and_not_undone_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::on(Engine::Postgres, folder.path());
    let house = House::new(database.url.as_ref().unwrap(), "[exports]\nlease_secs = 3\n");
    // The first holds every job running, so that it is in the middle of one when it stands still.
    let mut frozen = house.node(&["--sandbox", "running=1h"]).start().await;
    let client = house.client(&frozen.url());
    let id = try_create(&client, demo::VIEW).await.unwrap().id();
    let db = house.open().db.clone();
    eventually(Duration::from_secs(20), "the claim", async || {
        (Row::find(&db, &id).unwrap().state == "running").then_some(())
    })
    .await;
    frozen.pause();
    let other = house.node(&[]).start().await;
    let client = house.client(&other.url());
    // The promise is thirty seconds with the default lease of fifteen.
    assert_eq!(until_ended(&client, &id, Duration::from_secs(30)).await, "succeeded");
    let ended = Row::find(&db, &id).unwrap();
    assert_eq!(ended.attempt, 2);
    let content = try_content(&client, &id).await.unwrap();
    assert_eq!(content.status, 200);
    frozen.resume();
    eventually(Duration::from_secs(20), "the zombie's word that it lost its lease", async || {
        frozen.log().contains("lost the lease").then_some(())
    })
    .await;
    assert_eq!(Row::find(&db, &id).unwrap(), ended);
    assert_eq!(try_content(&client, &id).await.unwrap().bytes, content.bytes);
}
