//! The trace of a request goes on in the job that it makes.

use goalpost_db::params;
use goalpost_testing::{ORGANIZATION, TestApp, VIEW};
use serde_json::json;

use crate::jobs::process::{Folder, until_status};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Create an export with these headers; the trace that its job has.
async fn trace_of_job(t: &TestApp, headers: &[&str]) -> Option<String> {
    let ann = t.ann();
    let body = json!({ "goalsOrganizationId": ORGANIZATION, "explorerViewId": VIEW }).to_string();
    let mut request = ann.request("POST", "/beta/employeeExperience/goals/exportJobs");
    for header in headers {
        request = request.header("traceparent", *header);
    }
    let made = ann.send(request.header("content-type", "application/json").body(body)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let lease = t.claim_and_die().await;
    let sql = "delete from job where organization = ?1";
    crate::jobs::write(&t.app.db, |tx| tx.execute(sql, params![lease.job.organization]));
    lease.trace.map(|trace| trace.as_str().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_carries_the_trace_of_its_request_if_it_has_a_valid_one() {
    let t = TestApp::start().await;
    assert_eq!(trace_of_job(&t, &[PARENT]).await.as_deref(), Some(PARENT));
    assert_eq!(trace_of_job(&t, &[]).await, None);
    assert_eq!(trace_of_job(&t, &["00-nonsense"]).await, None);
    assert_eq!(trace_of_job(&t, &[PARENT, PARENT]).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_inside_a_batch_carries_the_trace_of_the_batch() {
    let t = TestApp::start().await;
    let ann = t.ann();
    let body = json!({ "goalsOrganizationId": ORGANIZATION, "explorerViewId": VIEW });
    let url = "/employeeExperience/goals/exportJobs";
    let headers = json!({ "content-type": "application/json" });
    let batch = json!({ "requests": [{ "id": "1", "method": "POST", "url": url, "headers": headers, "body": body }] });
    let request = ann.request("POST", "/beta/$batch").header("traceparent", PARENT);
    let answer = ann.send(request.header("content-type", "application/json").body(batch.to_string())).await;
    assert_eq!(answer.json()["responses"][0]["status"], 201, "{}", answer.text());
    assert_eq!(t.claim_and_die().await.trace.unwrap().as_str(), PARENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_request_and_job_name_the_trace() {
    let folder = Folder::new(10, "[observability]\nlog_format = 'json'\n");
    let server = folder.serve(&[]);
    let body = json!({ "goalsOrganizationId": goalpost::demo::ORGANIZATION, "explorerViewId": goalpost::demo::VIEW });
    let request = server.client.request("POST", "/beta/employeeExperience/goals/exportJobs");
    let request = request.header("traceparent", PARENT).header("content-type", "application/json");
    let id = server.client.send(request.body(body.to_string())).await.id();
    until_status(&server, &id, "succeeded", super::SOON).await;
    let log = folder.log();
    for message in ["export created", "job claimed", "job succeeded"] {
        let line = log.lines().find(|line| line.contains(message)).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["trace.id"], PARENT[3..35], "{line}");
    }
}
