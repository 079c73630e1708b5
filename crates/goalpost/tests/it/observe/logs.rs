//! The log of a whole server: who did what can be followed, and nothing that is not for the operator stands in it.

use std::time::Duration;

use goalpost::demo;
use goalpost_testing::Client;
use serde_json::{Value, json};

use super::SOON;
use crate::jobs::eventually;
use crate::jobs::process::{Folder, Server, create, until_status};

const CANARY: &str = "canary7f3a";

/// A folder whose goals, views and people have names that must not be found anywhere else.
fn folder() -> Folder {
    let folder = Folder::new(20, "[stop]\ndrain_secs = 0\n[limits]\ncreates_per_10_secs = 3\n");
    for sql in [
        "update goal set title = ?1 || title, title_fold = ?1 || title_fold, description = ?1",
        "update view set name = ?1 || name",
        "update person set name = ?1 || name, email = ?1 || email, email_fold = ?1 || email_fold",
    ] {
        folder.change(sql, CANARY);
    }
    folder
}

/// Everything that a client can get wrong, and an export from its creation to its download.
async fn visit(server: &Server) -> String {
    let jobs = "/beta/employeeExperience/goals/exportJobs";
    let id = create(server).await;
    until_status(server, &id, "succeeded", SOON).await;
    let content = server.client.get_content(&id).await;
    assert!(content.text().contains(CANARY), "the goals have the names that the test gave them");

    for path in [
        format!("/{CANARY}"),
        format!("/beta/{CANARY}?{CANARY}={CANARY}"),
        format!("{jobs}/{CANARY}"),
        format!("{jobs}?$filter=contains(id,'{CANARY}')"),
        format!("{jobs}?$skiptoken={CANARY}"),
        format!("{jobs}/{id}?$select={CANARY}"),
        format!("/?code={CANARY}&access_token={CANARY}"),
        format!("/org_uuid/{CANARY}/objective-explorer?viewId={CANARY}"),
    ] {
        server.client.get(&path).await;
    }
    for token in [format!("{CANARY}.{CANARY}.{CANARY}"), format!("{CANARY}\t{CANARY}")] {
        Client::of(&server.url, &token).get(jobs).await;
    }
    for body in [
        json!({ "goalsOrganizationId": CANARY, "explorerViewId": CANARY }),
        json!({ CANARY: CANARY }),
        json!({ "requests": [{ "id": CANARY, "method": "GET", "url": format!("/me/{CANARY}?{CANARY}") }] }),
    ] {
        server.client.post(jobs, &body).await;
        server.client.post("/beta/$batch", &body).await;
    }
    let odd = server.client.request("GET", jobs).header("client-request-id", CANARY).header("cookie", CANARY);
    server.client.send(odd.header("user-agent", CANARY).header("referer", CANARY)).await;
    let odd = server.client.request(&CANARY.to_uppercase(), jobs);
    server.client.send(odd).await;
    // Over the limit.
    for _ in 0..4 {
        server.client.create_export(demo::ORGANIZATION, demo::VIEW).await;
    }
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_and_no_name_stands_in_logs_and_metrics() {
    let folder = folder();
    for format in ["json", "text"] {
        let server =
            folder.start(Folder::server().args(["--log-format", format]).env("GOALPOST_LOG", "debug"));
        visit(&server).await;
        let metrics = server.client.get("/metrics").await;
        assert_eq!(metrics.status, 200);
        let token = server.client.request("GET", "/").build().unwrap();
        let token = token.headers()["authorization"].to_str().unwrap().rsplit('.').next().unwrap().to_owned();
        assert!(server.terminate().await.success());
        for (what, text) in [("the log", folder.log()), ("the metrics", metrics.text())] {
            assert!(text.len() > 1000, "{what} is there");
            for secret in [CANARY, &CANARY.to_uppercase(), &token, "Bearer"] {
                let found = text.lines().find(|line| line.contains(secret));
                assert_eq!(found, None, "{secret} stands in {what}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_request_and_of_a_job_says_which() {
    let folder = Folder::new(20, "[observability]\nlog_format = 'json'\n[stop]\ndrain_secs = 0\n");
    let server = folder.serve(&[]);
    let created = crate::jobs::process::try_create(&server.client, demo::VIEW).await.unwrap();
    let (id, request) = (created.id(), created.header("request-id").unwrap().to_owned());
    until_status(&server, &id, "succeeded", SOON).await;
    server.client.get("/beta/nope?secret").await;
    let refused =
        Client::of(&server.url, "no.token.x").get("/beta/employeeExperience/goals/exportJobs").await;
    let lines = eventually(Duration::from_secs(5), "the last line", async || {
        let log = folder.log();
        // The line that says where it serves is for people.
        let lines: Vec<Value> = log
            .lines()
            .filter(|line| !line.starts_with("Goalpost serves"))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let last = refused.header("request-id").unwrap();
        lines.iter().any(|line| line["message"] == "answered" && line["request.id"] == last).then_some(lines)
    })
    .await;
    let with = |name: &str, value: &str| {
        lines.iter().filter(|line| line[name] == value).cloned().collect::<Vec<_>>()
    };

    let of_request = with("request.id", &request);
    let messages: Vec<_> = of_request.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["export created", "answered"]);
    let job = of_request[0]["job.id"].as_str().unwrap().to_owned();
    assert_eq!(of_request[0]["organization.id"], demo::ORGANIZATION.to_string());
    let answered = &of_request[1];
    assert_eq!(answered["http.route"], "/beta/employeeexperience/goals/exportjobs");
    assert_eq!((&answered["http.method"], &answered["http.status"]), (&json!("POST"), &json!(201)));
    assert!(answered["elapsed_ms"].as_f64().is_some_and(|elapsed| elapsed > 0.0), "{answered}");
    assert_eq!(answered["size_bytes"], created.bytes.len());

    let of_job = with("job.id", &job);
    let messages: Vec<_> = of_job.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["export created", "job claimed", "export published", "job succeeded"]);
    for line in &of_job[1..] {
        assert_eq!(line["job.attempt"], 1, "{line}");
        assert!(line["organization.number"].is_i64(), "{line}");
    }
    let of_refused = with("request.id", refused.header("request-id").unwrap());
    assert_eq!(of_refused[0]["message"], "token refused");
    assert_eq!(of_refused[1]["http.status"], 401);
    assert!(lines.iter().all(|line| line["message"] != "answered" || line["request.id"].is_string()));
}
