//! Every step by which a file is made and published fails, or is the last one of its process: nothing half is ever
//! seen, nothing is left, and the next attempt succeeds (docs/API.md, "Life of an export").
//!
//! The worker is a process of its own, so that `strace` can break its system calls one by one. Which file it writes is
//! known beforehand, since the test has claimed the job for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use goalpost::app::App;
use goalpost::config::{Config, Database};
use goalpost::exports::expiry::content_name;
use goalpost::exports::worker::MakeExport;
use goalpost::ids::{OrganizationNumber, PersonNumber};
use goalpost::jobs::{JobKey, Lease, Step as _, StepError};
use goalpost_testing::TestApp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{LEASE, NUMBER, create, files, insert_goals, status};

/// The variable that holds the order of a worker.
const ORDER: &str = "GOALPOST_TEST_ORDER";
/// What `strace` writes behind a call that it has broken.
const BROKEN: &str = "(INJECTED)";

#[test]
#[ignore = "a worker's process, which the other tests of this file start"]
fn the_worker() {
    let order: Value = serde_json::from_str(&std::env::var(ORDER).expect("an order")).unwrap();
    let guid = |name: &str| Uuid::parse_str(order[name].as_str().unwrap()).unwrap();
    let number = |name: &str| order[name].as_i64().unwrap();
    let data = PathBuf::from(order["data"].as_str().unwrap());
    let mut config = Config { data, ..Config::default() };
    // Each attempt is to make a file.
    config.exports.reuse = false;
    config.database.url = order["database"].as_str().map(str::to_owned);
    let app = App::open(config).unwrap();
    let lease = Lease {
        job: JobKey { organization: OrganizationNumber(number("organization")), id: guid("job") },
        kind: goalpost::exports::KIND.to_owned(),
        token: guid("token").into_bytes(),
        attempt: number("attempt"),
        deadline_at: number("deadline_at"),
        started_at: number("started_at"),
        creator: Some(PersonNumber(number("creator"))),
        subject: guid("subject"),
        created_at: number("created_at"),
        spec: order["spec"].as_str().unwrap().to_owned(),
        trace: None,
        abandoned: goalpost::jobs::lease::Abandoned::default(),
        progress: goalpost::jobs::lease::Progress::default(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let end = match runtime.block_on(MakeExport(app).run(lease)) {
        Ok(()) => "done",
        Err(StepError::Retry { failure, .. } | StepError::Final { failure, .. }) => failure,
        Err(StepError::LeaseLost) => "leaseLost",
        Err(StepError::DatabaseAway) => "databaseAway",
    };
    println!("\nend={end}.");
}

/// What a worker did whose calls were broken.
struct Worked {
    /// Whether one of its calls was broken.
    broken: bool,
    /// How it ended; none if it was killed.
    end: Option<String>,
}

/// Do the work of a lease in a process of its own, of whose calls on this path one is broken.
fn work(t: &TestApp, lease: &Lease, path: &Path, fault: &str) -> Worked {
    let order = json!({
        "data": t.app.config.data,
        "database": t.app.config.database.url,
        "organization": lease.job.organization.0,
        "job": lease.job.id,
        "token": Uuid::from_bytes(lease.token),
        "attempt": lease.attempt,
        "deadline_at": lease.deadline_at,
        "started_at": lease.started_at,
        "creator": lease.creator.unwrap().0,
        "subject": lease.subject,
        "created_at": lease.created_at,
        "spec": lease.spec,
    });
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(log.path()).arg("-P").arg(path);
    command.args(["-e", &format!("inject={fault}")]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "jobs::faults::the_worker", "--ignored", "--nocapture"]);
    let output = command.env(ORDER, order.to_string()).output();
    let output = output.expect("strace, which `cargo xtask services up` installs, is there");
    let told = String::from_utf8(output.stdout).unwrap();
    let end =
        told.split_once("\nend=").and_then(|(_, rest)| rest.split_once('.')).map(|(end, _)| end.to_owned());
    let calls = fs::read_to_string(log.path()).unwrap();
    if end.is_none() {
        assert!(calls.contains("killed by SIGKILL"), "{told}{}", String::from_utf8_lossy(&output.stderr));
    }
    Worked { broken: calls.contains(BROKEN) || end.is_none(), end }
}

/// The paths that the publishing of a lease's file touches.
struct Paths {
    file: PathBuf,
    folder: PathBuf,
    root: PathBuf,
    journal: PathBuf,
}

impl Paths {
    fn of(t: &TestApp, lease: &Lease) -> Self {
        let data = t.app.config.data.canonicalize().unwrap();
        let root = data.join("content");
        let (folder, name) = content_name(lease.job.organization, lease.job.id, lease.attempt, lease.token);
        let folder = root.join(folder);
        Self { file: folder.join(name), folder, root, journal: data.join("goalpost.db-wal") }
    }
}

/// A server with as many goals as make a file of a few pieces, and that file's hash.
async fn server() -> (TestApp, [u8; 32]) {
    let t = TestApp::start_on(goalpost_testing::Engine::Sqlite, |config| {
        // The worker's process opens the same folder by its true name, and a file as its database.
        config.data = config.data.canonicalize().unwrap();
        config.database = Database::default();
    })
    .await;
    insert_goals(&t, 800, 1_500);
    let id = create(&t).await;
    assert!(t.run_one().await);
    let whole = t.ann().get_content(&id).await;
    assert_eq!(whole.status, 200);
    (t, Sha256::digest(&whole.bytes).into())
}

/// Whatever became of the last attempt: the job ends well, its file is whole, and no other one stays.
async fn assert_next_attempt_succeeds(t: &TestApp, id: &str, hash: [u8; 32], what: &str) {
    if status(t, id).await.0 == "running" {
        assert_eq!(t.ann().get_content(id).await.status, 409, "{what}");
        t.advance(LEASE);
        assert!(t.run_one().await, "{what}");
    }
    assert_eq!(status(t, id).await.0, "succeeded", "{what}");
    let content = t.ann().get_content(id).await;
    assert_eq!(Sha256::digest(&content.bytes)[..], hash, "{what}: {} bytes", content.bytes.len());
    t.sweep().await;
    let count = "select count(*) from export";
    let exports = t.app.db.read(NUMBER, move |tx| tx.query_one(count, &[], |row| row.int(0)));
    let exports = exports.await.unwrap();
    assert_eq!(files(t).len() as i64, exports, "{what}: {:?}", files(t));
}

#[tokio::test(flavor = "multi_thread")]
async fn r08_r09_every_call_that_stores_a_file_may_fail_and_the_next_attempt_succeeds() {
    let (t, hash) = server().await;
    let mut broken = 0;
    for (errno, failure) in
        [("ENOSPC", "storageFull"), ("EIO", "storageUnavailable"), ("EDQUOT", "storageFull")]
    {
        for (call, path) in [
            ("openat", (|paths: &Paths| paths.file.clone()) as fn(&Paths) -> PathBuf),
            ("write", |paths| paths.file.clone()),
            ("fsync", |paths| paths.file.clone()),
            ("openat", |paths| paths.folder.clone()),
            ("fsync", |paths| paths.folder.clone()),
            ("fsync", |paths| paths.root.clone()),
        ] {
            for number in 1.. {
                let id = create(&t).await;
                let lease = t.claim_and_die().await;
                let paths = Paths::of(&t, &lease);
                let worked = work(&t, &lease, &path(&paths), &format!("{call}:error={errno}:when={number}"));
                let what = format!("{call} {number} with {errno} at {}", path(&paths).display());
                if worked.broken {
                    assert_eq!(worked.end.as_deref(), Some(failure), "{what}");
                    assert!(!paths.file.exists(), "{what}: half a file stays");
                    broken += 1;
                } else {
                    assert_eq!(worked.end.as_deref(), Some("done"), "{what}");
                }
                assert_next_attempt_succeeds(&t, &id, hash, &what).await;
                if !worked.broken {
                    assert!(number > 1, "{what}: there is no such call");
                    break;
                }
            }
        }
    }
    println!("{broken} calls failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_full_or_broken_publishes_nothing_and_the_next_attempt_succeeds() {
    let (t, hash) = server().await;
    for errno in ["ENOSPC", "EIO"] {
        for call in ["pwrite64", "fdatasync,fsync"] {
            for number in 1.. {
                let id = create(&t).await;
                let lease = t.claim_and_die().await;
                let journal = Paths::of(&t, &lease).journal;
                let worked = work(&t, &lease, &journal, &format!("{call}:error={errno}:when={number}"));
                let what = format!("{call} {number} with {errno}");
                let expected = if worked.broken { "databaseUnavailable" } else { "done" };
                assert_eq!(worked.end.as_deref(), Some(expected), "{what}");
                assert_next_attempt_succeeds(&t, &id, hash, &what).await;
                if !worked.broken {
                    assert!(number > 1, "{what}: there is no such call");
                    break;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_that_publishes_a_file_may_be_the_last_and_the_file_is_there_whole_or_not_at_all() {
    let (t, hash) = server().await;
    let mut killed = 0;
    for (call, path) in [
        ("openat", (|paths: &Paths| paths.file.clone()) as fn(&Paths) -> PathBuf),
        ("write", |paths| paths.file.clone()),
        ("fsync", |paths| paths.file.clone()),
        ("fsync", |paths| paths.folder.clone()),
        ("fsync", |paths| paths.root.clone()),
        ("pwrite64", |paths| paths.journal.clone()),
        ("fdatasync,fsync", |paths| paths.journal.clone()),
    ] {
        for number in 1.. {
            let id = create(&t).await;
            let lease = t.claim_and_die().await;
            let paths = Paths::of(&t, &lease);
            let worked = work(&t, &lease, &path(&paths), &format!("{call}:signal=SIGKILL:when={number}"));
            let what = format!("{call} {number} at {}", path(&paths).display());
            killed += u32::from(worked.end.is_none());
            assert_next_attempt_succeeds(&t, &id, hash, &what).await;
            if worked.end.is_some() {
                assert_eq!(worked.end.as_deref(), Some("done"), "{what}");
                assert!(number > 1, "{what}: there is no such call");
                break;
            }
        }
    }
    println!("killed at {killed} calls");
}
