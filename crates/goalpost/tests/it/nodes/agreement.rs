//! Nodes that are set up differently.

use std::fs;

use goalpost::config::FILE_NAME;
use goalpost::nodes::{self, Node};
use goalpost_testing::Engine;
use tempfile::TempDir;

use super::roles::{SOON, Worker};
use crate::jobs::eventually;
use crate::jobs::process::Folder;

/// The nodes on the folder's database.
async fn nodes(folder: &Folder) -> Vec<Node> {
    nodes::list(&folder.open()).await.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_there_from_its_start_to_its_end() {
    let folder = Folder::new(1, "");
    assert!(nodes(&folder).await.is_empty());
    let server = folder.serve(&["--no-worker"]);
    let worker = Worker::start(&folder);
    let seen = nodes(&folder).await;
    let [first, second] = &seen[..] else { panic!("{seen:?}") };
    assert_ne!(first.id, second.id);
    assert_eq!(first.version, env!("CARGO_PKG_VERSION"));
    eventually(SOON, "a second word of both", async || {
        let now = nodes(&folder).await;
        (now.len() == 2 && now.iter().all(|node| node.seen_at > node.started_at + 5_000_000)).then_some(())
    })
    .await;
    assert!(worker.terminate().await.success());
    assert_eq!(nodes(&folder).await.iter().map(|node| node.id).collect::<Vec<_>>(), [first.id]);
    assert!(server.terminate().await.success());
    assert!(nodes(&folder).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_would_keep_files_elsewhere_does_not_start_until_the_others_are_gone() {
    let folder = Folder::new(1, "");
    let server = folder.serve(&[]);
    let other = TempDir::new().unwrap();
    let elsewhere = |subcommand| {
        let mut command = folder.command(subcommand);
        command.env("GOALPOST_CONTENT", other.path()).env("GOALPOST_LISTEN", "127.0.0.1:0");
        command
    };
    for subcommand in ["serve", "worker"] {
        let refused = elsewhere(subcommand).output().unwrap();
        let told = String::from_utf8(refused.stderr).unwrap();
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0), "{told}");
        for content in [&folder.path().join("content"), other.path()] {
            assert!(told.contains(&format!("`{}`", content.canonicalize().unwrap().display())), "{told}");
        }
        assert!(told.contains("hint: let both name the same place"), "{told}");
    }
    assert_eq!(nodes(&folder).await.len(), 1, "the refused ones are not among the nodes");
    assert!(server.terminate().await.success());
    let worker = Worker::spawn(elsewhere("worker"), &folder);
    // One that dies cannot say so, and may come back any moment.
    drop(worker);
    let refused = folder.command("worker").output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_path_on_two_machines_is_two_places() {
    let folder = Folder::on(Engine::Postgres, 1, "");
    let _server = folder.serve(&[]);
    // What is at the path now is another folder, as it is on another machine.
    let content = folder.path().join("content");
    fs::rename(&content, folder.path().join("that of the other machine")).unwrap();
    let refused = folder.command("worker").output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert_eq!(
        told.matches(&format!("`{}`", content.canonicalize().unwrap().display())).count(),
        2,
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_the_same_files_by_another_path_starts_and_says_what_else_differs() {
    let folder = Folder::on(Engine::Postgres, 1, "");
    let _server = folder.serve(&[]);
    let other = TempDir::new().unwrap();
    std::os::unix::fs::symlink(folder.path().join("content"), other.path().join("content")).unwrap();
    fs::write(other.path().join(FILE_NAME), "[exports]\nlease_secs = 25\n").unwrap();
    let mut worker = folder.command("worker");
    worker.env("GOALPOST_DATA", other.path());
    let _worker = Worker::spawn(worker, &folder);
    assert_eq!(nodes(&folder).await.len(), 2);
    let log = folder.log();
    let warned: Vec<_> =
        log.lines().filter(|line| line.contains("another node has another setting")).collect();
    assert_eq!(warned.len(), 2, "{log}");
    assert!(
        warned.iter().any(|line| line.contains("exports.lease_secs") && line.contains("25")),
        "{warned:?}"
    );
    assert!(warned.iter().any(|line| line.contains("signing-key")), "{warned:?}");
}
