//! The place for files is broken or full: the export is tried again, fails with the reason, and nothing else suffers.

use std::fs;
use std::process::Command;
use std::time::Duration;

use goalpost_testing::{Node, TestApp};

use super::process::{Folder, create as create_at, until_status};
use super::{Row, assert_failed, create, files, insert_goals, row, status};

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_store_fails_the_export_after_its_attempts_and_a_repaired_one_serves_the_next() {
    let t = TestApp::start().await;
    let content = t.app.config.data.join("content");
    fs::remove_dir_all(&content).unwrap();
    fs::write(&content, "in the way").unwrap();
    let id = create(&t).await;
    for attempt in 1..=3 {
        assert_eq!(row(&t, &id).state, if attempt == 1 { "notStarted" } else { "running" });
        assert!(t.run_one().await);
        assert_eq!(row(&t, &id).attempt, attempt);
        assert!(!t.run_one().await, "the next attempt comes after a pause");
        t.advance(Duration::from_secs(9));
    }
    assert_failed(&t, &id, "storageUnavailable").await;
    fs::remove_file(&content).unwrap();
    assert!(t.run_one().await);
    assert_eq!(files(&t).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_repaired_between_attempts_loses_no_export() {
    let t = TestApp::start().await;
    insert_goals(&t, 10, 10);
    let content = t.app.config.data.join("content");
    fs::remove_dir_all(&content).unwrap();
    fs::write(&content, "in the way").unwrap();
    let id = create(&t).await;
    assert!(t.run_one().await);
    fs::remove_file(&content).unwrap();
    t.advance(Duration::from_secs(3));
    assert!(t.run_one().await);
    assert_eq!(status(&t, &id).await.0, "succeeded");
    assert_eq!(t.ann().get_content(&id).await.text().lines().count(), 11);
}

/// Mounts a small file system at its first argument, for itself alone, and becomes the rest.
const ON_A_SMALL_DISK: &str = r#"mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@""#;

/// How `unshare` gives a program a mount namespace of its own.
pub(crate) const OWN_MOUNTS: [&str; 3] = ["--user", "--map-root-user", "--mount"];

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_the_export_and_the_next_one_succeeds_once_there_is_space() {
    assert!(
        Command::new("unshare").args(OWN_MOUNTS).arg("true").output().is_ok_and(|done| done.status.success()),
        "this system lets nobody mount a small file system of their own, which a full disk needs: run as root"
    );
    let folder = Folder::new(500, "");
    let content = folder.path().join("content");
    let node = Node::of("unshare").args(OWN_MOUNTS).args(["sh", "-c", ON_A_SMALL_DISK]).args([&content]);
    let mut server = folder.start(node.args([env!("CARGO_BIN_EXE_goalpost"), "serve"]));
    // The server's own view of the small disk.
    let small = format!("/proc/{}/root{}", server.node.process().pid(), content.display());
    let filler = format!("{small}/filler");
    let filled = fs::write(&filler, vec![0; 5 << 20]);
    assert_eq!(filled.unwrap_err().kind(), std::io::ErrorKind::StorageFull);

    let id = create_at(&server).await;
    until_status(&server, &id, "failed", Duration::from_mins(1)).await;
    let row = Row::find(&folder.open().db, &id).unwrap();
    assert_eq!((row.failure.as_deref(), row.attempt), (Some("storageFull"), 3));
    assert_eq!(server.node.process().ended(), None, "the server goes on");
    let left: Vec<_> = fs::read_dir(format!("{small}/15229")).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");

    fs::remove_file(&filler).unwrap();
    let id = create_at(&server).await;
    until_status(&server, &id, "succeeded", Duration::from_mins(1)).await;
    assert_eq!(
        server.client.get_content(&id).await.text().lines().next().map(|head| &head[..8]),
        Some("Id,Title")
    );
}
