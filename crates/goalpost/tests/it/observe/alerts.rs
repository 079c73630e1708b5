//! Each alert of docs/alerts.yml fires when what it watches for happens to a server, going by the metrics of that server
//! before and after, and not before it. Prometheus' own `promtool` reads the rules and decides.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use goalpost::demo;
use goalpost::exports::ExportId;
use goalpost::orgs::queries::find_by_guid;
use goalpost_db::{Scope, params};
use goalpost_testing::{ChaosProxy, Engine, Node, ORGANIZATION, TestApp, VIEW, services};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::slow::{connect, connect_small, large_export};
use super::{SOON, metrics, value};
use crate::jobs::process::{Folder, try_create};
use crate::jobs::storage::OWN_MOUNTS;
use crate::jobs::{LEASE, create, eventually, save_views};
use crate::store::proxy::{Fate, Proxy};

/// Prometheus reads the metrics so often.
const EVERY_SECS: u64 = 15;
/// Readings before it happens, for longer than any alert waits.
const BEFORE: u64 = 260;
/// Readings from then on.
const AFTER: u64 = 300;

/// What happens to the server after the second reading.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// Everything stays as it is.
    Stays,
    /// What was counted between the readings is counted between all that follow, too.
    GoesOn,
}

/// Assert that each of these alerts is silent while the metrics are `before`, and fires so many minutes after they have
/// become `after`; nothing after if the server is gone.
#[track_caller]
fn assert_fires(alerts: &[(&str, u64)], before: &str, after: Option<&str>, then: Then) {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/alerts.yml");
    let mut test = format!(
        "rule_files: ['{rules}']\nevaluation_interval: 15s\ntests:\n- interval: {EVERY_SECS}s\n  input_series:\n"
    );
    for (series, values) in series(before, after, then) {
        writeln!(test, "  - series: '{series}'\n    values: '{values}'").unwrap();
    }
    test.push_str("  promql_expr_test:\n");
    let happens = BEFORE * EVERY_SECS;
    for (alert, minutes) in alerts {
        let firing = format!("count(ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}) > bool 0");
        let silent = happens - EVERY_SECS;
        writeln!(test, "  - expr: '{firing}'\n    eval_time: {silent}s\n    exp_samples: []").unwrap();
        let loud = happens + minutes * 60;
        writeln!(
            test,
            "  - expr: '{firing}'\n    eval_time: {loud}s\n    exp_samples: [{{labels: '{{}}', value: 1}}]"
        )
        .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.yml");
    std::fs::write(&file, test).unwrap();
    let told = Command::new(services::promtool()).args(["test", "rules"]).arg(&file).output().unwrap();
    let told = (
        told.status.success(),
        String::from_utf8_lossy(&told.stdout) + String::from_utf8_lossy(&told.stderr),
    );
    assert!(told.0, "{alerts:?}: {}", told.1);
}

/// What Prometheus has read, in the notation of its tests: `1x3` is 1 and then 1 three times more, `1+2x3` is 1 3 5 7.
fn series(before: &str, after: Option<&str>, then: Then) -> BTreeMap<String, String> {
    let (first, second) = (samples(before), after.map(samples));
    let (shown, repeated) = (BEFORE - 1, AFTER - 1);
    let mut all = BTreeMap::new();
    for (name, value) in &first {
        all.insert(name.clone(), format!("{value}x{shown}"));
    }
    for (name, value) in second.iter().flatten() {
        let earlier = all.remove(name).unwrap_or_else(|| format!("_x{BEFORE}"));
        let counts = ["_total", "_count", "_sum", "_bucket"]
            .iter()
            .any(|end| name.split('{').next().unwrap().ends_with(end));
        let step = if counts && then == Then::GoesOn { value - first.get(name).unwrap_or(&0.0) } else { 0.0 };
        all.insert(name.clone(), format!("{earlier} {value}+{step}x{repeated}"));
    }
    let up = u8::from(second.is_some());
    all.insert("up{job=\"goalpost\",instance=\"one\"}".to_owned(), format!("1x{shown} {up}x{repeated}"));
    all
}

/// The values in a server's metrics, by name and labels. Instants are seconds of the test, in which Prometheus reads
/// them last before it happens at `(BEFORE - 1) * EVERY_SECS`.
fn samples(metrics: &str) -> BTreeMap<String, f64> {
    #[expect(clippy::disallowed_methods, reason = "the clock of the metrics")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let lines = metrics.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let value: f64 = value.parse().unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let comma = if labels == "}" { "" } else { "," };
            let is_instant = name.ends_with("_timestamp_seconds") && value > 0.0;
            let value = if is_instant { value - now + ((BEFORE - 1) * EVERY_SECS) as f64 } else { value };
            (format!("{name}{{job=\"goalpost\",instance=\"one\"{comma}{labels}"), value)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_a_job_that_waits_is_told() {
    let t = TestApp::start().await;
    t.sweep().await;
    let before = metrics(&t).await;
    create(&t).await;
    t.advance(Duration::from_secs(400));
    t.sweep().await;
    assert_fires(&[("GoalpostJobsWait", 6)], &before, Some(&metrics(&t).await), Then::Stays);
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_a_job_that_nobody_ends_is_told() {
    let t = TestApp::start_with(|config| config.exports.start_within_secs = 1_000_000).await;
    t.sweep().await;
    let before = metrics(&t).await;
    create(&t).await;
    t.advance(Duration::from_hours(26));
    t.sweep().await;
    assert_fires(&[("GoalpostJobsStuck", 1)], &before, Some(&metrics(&t).await), Then::Stays);
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_a_lease_that_is_lost_and_a_late_write_are_told() {
    let t = TestApp::start_with(|config| {
        config.exports.lease_secs = 3;
        config.sandbox.set("running=1h").unwrap();
    })
    .await;
    let before = metrics(&t).await;
    t.start_working();
    let id = create(&t).await;
    eventually(SOON, "a claim", async || {
        (value(&metrics(&t).await, "goalpost_jobs_running") > 0).then_some(())
    })
    .await;
    let job = ExportId::parse(&id).unwrap().job;
    crate::jobs::write(&t.app.db, |tx| {
        let sql =
            "update job set lease_token = ?3, attempt = attempt + 1 where organization = ?1 and id = ?2";
        tx.execute(sql, params![crate::jobs::NUMBER, job.into_bytes(), [7_u8; 16]])
    });
    let after = eventually(SOON, "the loss", async || {
        let text = metrics(&t).await;
        (value(&text, "goalpost_jobs_leases_lost_total") > 0).then_some(text)
    })
    .await;
    let alerts = [("GoalpostLeasesLost", 1), ("GoalpostWritesRefused", 1)];
    assert_fires(&alerts, &before, Some(&after), Then::Stays);
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_a_job_that_kills_its_workers_is_told() {
    let t = TestApp::start().await;
    let before = metrics(&t).await;
    create(&t).await;
    for _ in 0..3 {
        t.claim_and_die().await;
        t.advance(LEASE);
    }
    t.sweep().await;
    assert_fires(&[("GoalpostWorkersDie", 1)], &before, Some(&metrics(&t).await), Then::Stays);
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_exports_that_are_repeated_and_fail_are_told() {
    let t = TestApp::start().await;
    let before = metrics(&t).await;
    std::fs::write(t.app.config.data.join("content/15229"), "a file where a folder is needed").unwrap();
    for _ in 0..3 {
        create(&t).await;
        for _ in 0..3 {
            assert!(t.run_one().await);
            t.advance(Duration::from_secs(9));
        }
    }
    let alerts = [("GoalpostJobsRetried", 1), ("GoalpostJobsFail", 1)];
    assert_fires(&alerts, &before, Some(&metrics(&t).await), Then::Stays);
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_files_that_cannot_be_removed_are_told() {
    let store = Proxy::before(&services::s3().endpoint).await;
    let content = crate::store::s3(&store.url);
    let t = TestApp::start_with(|config| config.content = content).await;
    t.sweep().await;
    let before = metrics(&t).await;
    create(&t).await;
    assert!(t.run_one().await);
    t.advance(Duration::from_hours(50));
    store.decide(|asked| match asked.method.as_str() {
        "DELETE" | "POST" => Fate::Answer(403, "<Code>AccessDenied</Code>"),
        _ => Fate::Pass,
    });
    t.sweep().await;
    t.sweep().await;
    assert_fires(&[("GoalpostOrphansLeft", 62)], &before, Some(&metrics(&t).await), Then::Stays);
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_writes_that_wait_in_vain_are_told() {
    let t = TestApp::start_on(Engine::Sqlite, |_| {}).await;
    let (ann, before) = (t.ann(), metrics(&t).await);
    let (db, (end, ended)) = (t.app.db.clone(), std::sync::mpsc::channel::<()>());
    let (begun, begins) = tokio::sync::oneshot::channel();
    let import = std::thread::spawn(move || {
        db.write_alone(crate::jobs::NUMBER, Duration::from_secs(5), |_| {
            begun.send(()).ok();
            ended.recv().ok();
            Ok::<_, goalpost_db::Error>(())
        })
    });
    begins.await.unwrap();
    assert_eq!(ann.create_export(ORGANIZATION, VIEW).await.status, 503);
    let after = metrics(&t).await;
    drop(end);
    import.join().unwrap().unwrap();
    // One in every interval: each has taken as long as a request may wait for its turn.
    assert_fires(&[("GoalpostWritesBusy", 12), ("GoalpostSlow", 17)], &before, Some(&after), Then::GoesOn);
}

/// A server whose way to PostgreSQL can be broken.
async fn behind_proxy() -> (ChaosProxy, TestApp) {
    let server = services::postgres();
    let address = server.rsplit('@').next().unwrap().to_owned();
    let proxy = ChaosProxy::before(address.parse().unwrap()).await;
    let through = proxy.address().to_string();
    let t = TestApp::start_on(Engine::Postgres, |config| {
        let url = config.database.url.take().expect("a server's");
        config.database.url = Some(url.replace(&address, &through));
    })
    .await;
    (proxy, t)
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_a_database_that_is_away_is_told() {
    let (proxy, t) = behind_proxy().await;
    let ann = t.ann();
    t.start_working();
    let before = eventually(SOON, "a sweep", async || {
        let text = metrics(&t).await;
        (value(&text, "goalpost_jobs_swept_timestamp_seconds") > 0).then_some(text)
    })
    .await;
    proxy.refuse().await;
    proxy.break_all();
    for _ in 0..4 {
        assert_eq!(ann.create_export(ORGANIZATION, VIEW).await.status, 503);
    }
    let alerts = [("GoalpostDatabaseAway", 5), ("GoalpostNotServing", 12), ("GoalpostSweeperStands", 3)];
    assert_fires(&alerts, &before, Some(&metrics(&t).await), Then::GoesOn);
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_transactions_that_are_repeated_are_told() {
    let (proxy, t) = behind_proxy().await;
    let ann = t.ann();
    let before = metrics(&t).await;
    for _ in 0..40 {
        // The next transaction finds its connection broken, and is run again on another.
        proxy.break_all();
        assert_eq!(ann.list_exports("").await.status, 200);
    }
    assert_fires(&[("GoalpostTransactionsRepeated", 17)], &before, Some(&metrics(&t).await), Then::GoesOn);
}

/// Mounts a small file system in the folder that is its first argument, puts the database there, and becomes the rest.
const DATABASE_ON_A_SMALL_DISK: &str = r#"
mkdir "$0/small" && mount -t tmpfs -o size=8m,mode=0700 tmpfs "$0/small" &&
cp -r "$0/keys" "$0"/goalpost.db* "$0/small/" && exec "$@""#;

#[tokio::test(flavor = "multi_thread")]
async fn r32_a_database_without_space_is_told() {
    let folder = Folder::on(Engine::Sqlite, 20, "");
    let small = folder.path().join("small");
    let node = Node::of("unshare").args(OWN_MOUNTS).args(["sh", "-c", DATABASE_ON_A_SMALL_DISK]);
    let node =
        node.args([folder.path()]).args([env!("CARGO_BIN_EXE_goalpost"), "serve", "--no-worker", "--data"]);
    let db = folder.open().db.clone();
    let found = db.snapshot(Scope::Global, |tx| find_by_guid(tx, demo::ORGANIZATION)).unwrap();
    let views = save_views(&db, found.unwrap().number, 200);
    drop(db);
    let mut server = folder.start(node.args([&small]));
    let before = server.client.get("/metrics").await.text();
    let filler = format!("/proc/{}/root{}/filler", server.node.process().pid(), small.display());
    assert!(std::fs::write(Path::new(&filler), vec![0; 9 << 20]).is_err());
    let mut refused = None;
    for view in views {
        // What was reserved before does for some.
        let answer = try_create(&server.client, view).await.unwrap();
        if answer.status == 503 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let refused = refused.expect("the space ends");
    assert!(refused.header("retry-after").is_some(), "{}", refused.text());
    let after = server.client.get("/metrics").await.text();
    assert_fires(&[("GoalpostStorageFull", 1)], &before, Some(&after), Then::Stays);
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_an_error_of_the_server_s_own_is_told() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    let before = metrics(&t).await;
    crate::jobs::write(&t.app.db, |tx| {
        tx.execute("alter table job rename column status_detail to gone", params![])
    });
    assert_eq!(t.ann().get_export(&id).await.status, 500);
    assert_fires(&[("GoalpostFaults", 1)], &before, Some(&metrics(&t).await), Then::Stays);
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_many_slow_clients_are_told() {
    let t = TestApp::start_with(|config| config.connections.header_secs = 1).await;
    let before = metrics(&t).await;
    let mut slow = JoinSet::new();
    for _ in 0..120 {
        let mut client = connect(&t).await;
        slow.spawn(async move {
            client.write_all(b"GET / HTTP/1.1\r\nx-slow: ").await.ok();
            client.read_to_end(&mut Vec::new()).await.ok();
        });
    }
    slow.join_all().await;
    assert_fires(&[("GoalpostSlowClients", 2)], &before, Some(&metrics(&t).await), Then::Stays);
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_downloads_that_are_cut_are_told() {
    let t = TestApp::start().await;
    let (request, _) = large_export(&t).await;
    let before = metrics(&t).await;
    for _ in 0..8 {
        let mut client = connect_small(&t).await;
        client.write_all(request.as_bytes()).await.unwrap();
        client.read_exact(&mut [0; 1024]).await.unwrap();
    }
    let after = eventually(SOON, "the end of the downloads", async || {
        let text = metrics(&t).await;
        (value(&text, r#"goalpost_exports_downloads_total{end="cut"}"#) == 8).then_some(text)
    })
    .await;
    assert_fires(&[("GoalpostDownloadsCut", 2)], &before, Some(&after), Then::Stays);
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_tokens_that_are_not_believed_are_told() {
    let t = TestApp::start().await;
    let stranger = t.client_with_token(Some("not.a.token"));
    // Once before, so that the reason is known.
    stranger.list_exports("").await;
    let before = metrics(&t).await;
    for _ in 0..30 {
        assert_eq!(stranger.list_exports("").await.status, 401);
    }
    assert_fires(&[("GoalpostTokensRefused", 25)], &before, Some(&metrics(&t).await), Then::GoesOn);
}

#[tokio::test(flavor = "multi_thread")]
async fn r32_a_server_that_is_gone_is_told() {
    let folder = Folder::new(1, "");
    let mut server = folder.serve(&[]);
    let before = server.client.get("/metrics").await.text();
    server.kill();
    assert!(server.client.try_send(server.client.request("GET", "/metrics")).await.is_err());
    assert_fires(&[("GoalpostDown", 2)], &before, None, Then::Stays);
}

/// A new alert needs something that makes it fire.
#[test]
fn r32_every_alert_is_made_to_fire_here() {
    let rules = include_str!("../../../../../docs/alerts.yml");
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 15, "{alerts:?}");
    for alert in alerts {
        assert!(include_str!("alerts.rs").contains(&format!("(\"{alert}\", ")), "nothing makes {alert} fire");
    }
}
