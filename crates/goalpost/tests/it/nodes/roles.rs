//! Processes that serve and processes that make the exports.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use goalpost_testing::Engine;

use crate::jobs::process::{Folder, create, until_status};
use crate::jobs::{Row, eventually};

/// Longer than anything here takes that does not wait for a look that comes too late.
pub(super) const SOON: Duration = Duration::from_secs(30);

/// A running `goalpost worker`; killed when it goes.
pub(super) struct Worker(Child);

impl Worker {
    /// A worker that has said that it takes exports.
    pub(super) fn start(folder: &Folder) -> Self {
        Self::spawn(folder.command("worker"), folder)
    }

    pub(super) fn spawn(mut command: Command, folder: &Folder) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(folder.log_file()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("Goalpost makes the exports of "), "it said `{line}`:\n{}", folder.log());
        Self(child)
    }

    /// Ask it to stop, as a service manager does, and wait for its end.
    pub(super) async fn terminate(mut self) -> ExitStatus {
        let asked = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(asked.success());
        eventually(SOON, "the worker's end", async || self.0.try_wait().unwrap()).await
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whoever relies on looking finds nothing while a test runs.
const NEVER_LOOKS: &str = "[exports]\npoll_ms = 3600000\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_asked_for_where_nobody_works_is_made_by_another_process() {
    let folder = Folder::new(50, "");
    let server = folder.serve(&["--no-worker"]);
    let id = create(&server).await;
    for _ in 0..50 {
        until_status(&server, &id, "notStarted", SOON).await;
    }
    let worker = Worker::start(&folder);
    until_status(&server, &id, "succeeded", SOON).await;
    let content = server.client.get_content(&id).await;
    assert_eq!(content.status, 200, "{}", content.text());
    assert!(content.text().lines().count() > 50, "a line at least for each goal: {}", content.text());
    assert_eq!(Row::find(&folder.open().db, &id).unwrap().attempt, 1);
    assert!(worker.terminate().await.success());
    assert!(server.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_a_worker_is_told_of_exports_that_other_processes_serve() {
    let folder = Folder::on(Engine::Postgres, 20, NEVER_LOOKS);
    let _worker = Worker::start(&folder);
    let server = folder.serve(&["--no-worker"]);
    // More than a worker finds by the looks that it takes when it starts, and when it begins to listen.
    for _ in 0..8 {
        let id = create(&server).await;
        until_status(&server, &id, "succeeded", SOON).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_no_word_reaches_finds_exports_by_looking() {
    // A file, and a server behind a transaction pooler.
    for engine in [Engine::Sqlite, Engine::Partitioned] {
        let folder = Folder::on(engine, 20, "");
        let _worker = Worker::start(&folder);
        let server = folder.serve(&["--no-worker"]);
        for _ in 0..4 {
            let id = create(&server).await;
            until_status(&server, &id, "succeeded", SOON).await;
        }
        if engine == Engine::Partitioned {
            eventually(SOON, "the reason why it looks", async || {
                folder.log().contains("as behind a transaction pooler").then_some(())
            })
            .await;
        }
    }
}
