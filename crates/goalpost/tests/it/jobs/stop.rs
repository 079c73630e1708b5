//! The server is asked to stop: exports that can end soon do, the others go back for the next server.

use std::time::{Duration, Instant};

use super::Row;
use super::process::{Folder, create, until_status};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_export_that_can_end_soon_ends_before_the_server_does() {
    let folder = Folder::new(50, "");
    let server = folder.serve(&["--sandbox", "running=2s"]);
    let id = create(&server).await;
    until_status(&server, &id, "running", SOON).await;
    assert!(server.terminate().await.success());
    let row = Row::find(&folder.open().db, &id).unwrap();
    assert_eq!((row.state.as_str(), row.attempt), ("succeeded", 1));
}

#[tokio::test]
async fn an_export_that_cannot_end_soon_goes_back_without_losing_an_attempt() {
    let folder = Folder::new(50, "");
    let server = folder.serve(&["--sandbox", "running=1h"]);
    let id = create(&server).await;
    until_status(&server, &id, "running", SOON).await;
    let asked = Instant::now();
    assert!(server.terminate().await.success());
    assert!(asked.elapsed() < Duration::from_secs(25), "{:?}", asked.elapsed());
    let row = Row::find(&folder.open().db, &id).unwrap();
    assert_eq!((row.state.as_str(), row.attempt, row.token), ("running", 0, None));

    let server = folder.serve(&[]);
    let begun = Instant::now();
    until_status(&server, &id, "succeeded", SOON).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "the next server waited: {:?}", begun.elapsed());
    assert_eq!(Row::find(&folder.open().db, &id).unwrap().attempt, 1);
}
