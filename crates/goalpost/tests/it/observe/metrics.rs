//! `/metrics`: what is counted, and who may read it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use goalpost::{config, router};
use goalpost_testing::{ORGANIZATION, TestApp, VIEW};
use tower::ServiceExt as _;

use super::{SOON, metrics, value};
use crate::jobs::process::Folder;
use crate::jobs::{create, eventually, insert_goals};

const LEASE: Duration = Duration::from_secs(16);

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_counted_from_its_creation_to_its_download() {
    let t = TestApp::start().await;
    insert_goals(&t, 10, 1);
    let id = create(&t).await;
    t.sweep().await;
    let text = metrics(&t).await;
    assert_eq!(value(&text, r#"goalpost_jobs_pending{state="notStarted"}"#), 1);

    assert!(t.run_one().await);
    let content = t.ann().get_content(&id).await;
    let half = t.ann().request("GET", &format!("/beta/employeeExperience/goals/exportJobs/{id}/content"));
    assert_eq!(t.ann().send(half.header("range", "bytes=0-9")).await.status, 206);
    t.sweep().await;
    let text = metrics(&t).await;
    let size = content.bytes.len() as u64;
    for (name, expected) in [
        ("goalpost_jobs_created_total", 1),
        ("goalpost_jobs_claimed_total", 1),
        ("goalpost_jobs_succeeded_total", 1),
        ("goalpost_jobs_running", 0),
        (r#"goalpost_jobs_pending{state="notStarted"}"#, 0),
        ("goalpost_jobs_oldest_pending_age_seconds", 0),
        ("goalpost_exports_rows_total", 10),
        ("goalpost_exports_made_bytes_total", size),
        ("goalpost_exports_duration_seconds_count", 1),
        (r#"goalpost_exports_downloads_total{end="whole"}"#, 2),
        ("goalpost_exports_downloaded_bytes_total", size + 10),
        ("goalpost_exports_open_downloads", 0),
    ] {
        assert_eq!(value(&text, name), expected, "{name} in\n{text}");
    }
    assert!(value(&text, "goalpost_database_writes_total") >= 4, "{text}");
    let route = "/beta/employeeexperience/goals/exportjobs";
    let created = format!(r#"{{slice="exports",route="{route}",method="POST",status="201"}}"#);
    assert_eq!(value(&text, &format!("goalpost_http_requests_total{created}")), 1, "{text}");
    let timed = format!(r#"{{slice="exports",route="{route}/{{id}}/content",method="GET",status="2xx"}}"#);
    assert_eq!(value(&text, &format!("goalpost_http_request_duration_seconds_count{timed}")), 2, "{text}");
    let (version, engine) = (env!("CARGO_PKG_VERSION"), t.app.db.engine());
    let node = format!(r#"goalpost_node_info{{version="{version}",engine="{engine}","#);
    assert!(text.contains(&node), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_age_of_the_oldest_pending_job_is_told() {
    let t = TestApp::start().await;
    create(&t).await;
    t.advance(Duration::from_secs(90));
    t.sweep().await;
    let age = value(&metrics(&t).await, "goalpost_jobs_oldest_pending_age_seconds");
    assert!((90..100).contains(&age), "{age}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_write_of_a_worker_that_lost_its_lease_is_counted() {
    let t = TestApp::start().await;
    create(&t).await;
    let zombie = t.claim_and_die().await;
    t.advance(LEASE);
    t.claim_and_die().await;
    t.finish(zombie).await.unwrap_err();
    let text = metrics(&t).await;
    assert_eq!(value(&text, r#"goalpost_jobs_writes_refused_total{write="publish"}"#), 1, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_lost_while_the_step_runs_is_counted_once() {
    let t = TestApp::start_with(|config| {
        config.exports.lease_secs = 3;
        config.sandbox.set("running=1h").unwrap();
    })
    .await;
    t.start_working();
    let id = create(&t).await;
    eventually(SOON, "a claim", async || {
        (value(&metrics(&t).await, "goalpost_jobs_running") > 0).then_some(())
    })
    .await;
    let job = goalpost::exports::ExportId::parse(&id).unwrap().job;
    crate::jobs::write(&t.app.db, |tx| {
        let sql =
            "update job set lease_token = ?3, attempt = attempt + 1 where organization = ?1 and id = ?2";
        tx.execute(sql, goalpost_db::params![crate::jobs::NUMBER, job.into_bytes(), [7_u8; 16]])
    });
    let text = eventually(SOON, "the loss", async || {
        let text = metrics(&t).await;
        (value(&text, "goalpost_jobs_leases_lost_total") > 0).then_some(text)
    })
    .await;
    assert_eq!(value(&text, "goalpost_jobs_leases_lost_total"), 1);
    assert_eq!(value(&text, r#"goalpost_jobs_writes_refused_total{write="renew"}"#), 1, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_fail_are_counted_by_their_reason() {
    let t = TestApp::start_with(|config| config.sandbox.fail_views.push(VIEW)).await;
    create(&t).await;
    assert!(t.run_one().await);
    create(&t).await;
    t.advance(Duration::from_hours(25));
    t.sweep().await;
    let text = metrics(&t).await;
    assert_eq!(value(&text, r#"goalpost_jobs_failed_total{code="sandbox"}"#), 1, "{text}");
    assert_eq!(value(&text, r#"goalpost_jobs_failed_total{code="notStartedInTime"}"#), 1, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_is_repeated_is_counted_by_its_reason() {
    let t = TestApp::start().await;
    create(&t).await;
    let folder = t.app.config.data.join("content/15229");
    std::fs::write(&folder, "a file where a folder is needed").unwrap();
    assert!(t.run_one().await);
    let text = metrics(&t).await;
    assert_eq!(value(&text, r#"goalpost_jobs_retried_total{code="storageUnavailable"}"#), 1, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_nobody_needs_is_counted_when_it_is_removed() {
    let t = TestApp::start().await;
    let name = format!("{}.1.{}.csv", t.app.ids.guid(), t.app.ids.guid().simple());
    let mut orphan = t.app.content.create("15229", &name).unwrap();
    orphan.write(b"twelve bytes").unwrap();
    orphan.finish().unwrap();
    t.sweep().await;
    let text = metrics(&t).await;
    assert_eq!(value(&text, "goalpost_store_orphans_removed_total"), 1, "{text}");
    assert_eq!(value(&text, "goalpost_store_orphans_removed_bytes_total"), 12, "{text}");
    assert_eq!(value(&text, "goalpost_store_orphans_left_bytes"), 0, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_writes_becomes_no_label() {
    let t = TestApp::start().await;
    let stranger = t.client_with_token(Some("canary.token.x"));
    for (method, path) in [
        ("GET", "/canary-path"),
        ("CANARY", "/"),
        ("GET", "/beta/canary-segment?canary=query"),
        ("GET", "/beta/employeeExperience/goals/exportJobs/canary-id"),
        ("GET", "/org_uuid/canary-organization/objective-explorer?viewId=canary-view"),
    ] {
        stranger.send(stranger.request(method, path)).await;
    }
    let text = metrics(&t).await;
    assert!(!text.to_lowercase().contains("canary"), "{text}");
    assert!(text.contains(r#"route="none",method="GET",status="404""#), "{text}");
    assert!(text.contains(r#"method="other""#), "{text}");
    assert!(text.contains(r#"goalpost_tokens_refused_total{reason=""#), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_in_one_process_count_apart() {
    let (one, other) = (TestApp::start().await, TestApp::start().await);
    create(&one).await;
    assert_eq!(value(&metrics(&one).await, "goalpost_jobs_created_total"), 1);
    assert_eq!(value(&metrics(&other).await, "goalpost_jobs_created_total"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_address_tells_metrics_to_this_machine_alone() {
    let t = TestApp::start().await;
    let ask = async |t: &TestApp, peer: &str, header: Option<&str>| {
        let mut request = Request::get("/metrics").body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
        if let Some(name) = header {
            request
                .headers_mut()
                .insert(name.parse::<axum::http::HeaderName>().unwrap(), "x".parse().unwrap());
        }
        router::service(&t.app).oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!(ask(&t, "127.0.0.1:4000", None).await, 200);
    assert_eq!(ask(&t, "[::1]:4000", None).await, 200);
    assert_eq!(ask(&t, "[::ffff:127.0.0.1]:4000", None).await, 200);
    assert_eq!(ask(&t, "192.0.2.7:4000", None).await, 404);
    assert_eq!(ask(&t, "[2001:db8::7]:4000", None).await, 404);
    for header in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        assert_eq!(ask(&t, "127.0.0.1:4000", Some(header)).await, 404, "{header}");
    }
    let change = |config: &mut config::Config| config.public_url = Some("https://goals.example.com".into());
    let behind_a_proxy = TestApp::start_with(change).await;
    assert_eq!(ask(&behind_a_proxy, "127.0.0.1:4000", None).await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_their_own_serves_metrics_and_health_and_nothing_else() {
    let folder = Folder::new(10, "");
    let server = folder.serve(&["--metrics-listen", "127.0.0.1:0", "--log-format", "json"]);
    let address = eventually(SOON, "the address", async || {
        let log = folder.log();
        let line = log.lines().find(|line| line.contains("serving metrics"))?;
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        Some(line["address"].as_str().unwrap().to_owned())
    })
    .await;
    let get = async |url: String| {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(url).send().await.map(|answer| answer.status().as_u16())
    };
    assert_eq!(get(format!("http://{address}/metrics")).await.unwrap(), 200);
    assert_eq!(get(format!("http://{address}/")).await.unwrap(), 404);
    assert_eq!(get(format!("http://{address}/healthz")).await.unwrap(), 200);
    assert_eq!(get(format!("http://{address}/readyz")).await.unwrap(), 200);
    assert_eq!(get(format!("{}/metrics", server.url)).await.unwrap(), 404);
}

/// A metric that is renamed must be renamed where people look it up, too.
#[tokio::test(flavor = "multi_thread")]
async fn every_metric_that_the_documents_name_is_there() {
    let t = TestApp::start().await;
    let stranger = t.client_with_token(Some("not.a.token"));
    stranger.create_export(ORGANIZATION, VIEW).await;
    let text = metrics(&t).await;
    let known: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    for document in ["OPERATIONS.md", "alerts.yml"] {
        let document = std::fs::read_to_string(format!("{docs}/{document}")).unwrap();
        let words = document.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        // The last is a role of PostgreSQL.
        let named: Vec<_> =
            words.filter(|word| word.starts_with("goalpost_") && *word != "goalpost_keys").collect();
        assert!(named.len() > 10, "no metric is named");
        for name in named {
            let is_known = known.iter().any(|known| {
                name.strip_prefix(known)
                    .is_some_and(|rest| ["", "_total", "_bucket", "_count", "_sum", "_info"].contains(&rest))
            });
            assert!(is_known, "`{name}` is not among {known:?}");
        }
    }
}
