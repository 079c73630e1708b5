//! `POST $batch`, where each answer is what the request would have got alone, and `$metadata`.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goalpost_testing::{Answer, ORGANIZATION, READ, TestApp, VIEW};
use insta::assert_snapshot;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};

use super::{NOBODYS_JOB, assert_refused, body, finished_export, insert_goal, wire};

const BATCH: &str = "/beta/$batch";
/// As batches spell it: relative to the version.
const URL: &str = "/employeeExperience/goals/exportJobs";

async fn run(t: &TestApp, requests: &[Value]) -> Answer {
    t.ann().post(BATCH, &json!({ "requests": requests })).await
}

fn get(id: &str, url: &str) -> Value {
    json!({ "id": id, "method": "GET", "url": url })
}

fn statuses(answer: &Answer) -> Vec<(String, u64)> {
    let json = answer.json();
    let responses = json["responses"].as_array().unwrap_or_else(|| panic!("{}", answer.text()));
    responses
        .iter()
        .map(|one| (one["id"].as_str().unwrap().to_owned(), one["status"].as_u64().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_a_batch_is_the_one_that_the_request_gets_alone() {
    let t = TestApp::start().await;
    let id = finished_export(&t).await;
    let job = format!("{URL}/{id}");
    let answer = run(
        &t,
        &[
            get("job", &job),
            get("list", &format!("{}?$select=id,status", &URL[1..])),
            get("file", &format!("{job}/content")),
            get("count", &format!("{URL}/$count")),
            get("none", &format!("{URL}/{NOBODYS_JOB}")),
            get("lost", "/employeeExperience/gaols"),
            json!({ "id": "delete", "method": "delete", "url": job }),
            json!({ "id": "create", "method": "POST", "url": URL, "headers": { "Content-Type": "application/json" },
                    "body": { "goalsOrganizationId": ORGANIZATION, "explorerViewId": VIEW } }),
        ],
    )
    .await;
    assert_eq!((answer.status, answer.header("odata-version")), (200, Some("4.0")), "{}", answer.text());
    let json = answer.json();
    let one = |id: &str| {
        let all = json["responses"].as_array().unwrap();
        all.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no answer {id}")).clone()
    };
    assert_eq!(one("job")["body"], t.ann().get_export(&id).await.json());
    assert_eq!(one("list")["body"]["value"], json!([{ "id": id, "status": "succeeded" }]));
    let file = t.ann().get_content(&id).await;
    assert_eq!(one("file")["body"], STANDARD.encode(&file.bytes));
    assert_eq!(one("file")["headers"]["content-type"], "text/csv; charset=utf-8");
    assert_eq!(one("count")["body"], STANDARD.encode("1"));
    assert_eq!(one("none")["body"]["error"]["innerError"]["code"], "exportJobNotFound");
    assert_eq!(
        one("none")["body"]["error"]["innerError"]["request-id"].as_str(),
        answer.header("request-id")
    );
    assert_eq!(one("lost")["body"]["error"]["message"], "Resource not found for the segment 'gaols'.");
    assert_eq!((&one("delete")["status"], &one("delete")["headers"]["allow"]), (&json!(405), &json!("GET")));
    let created = &one("create");
    assert_eq!(created["status"], 201);
    let place = format!(
        "{}/beta/employeeexperience/goals/exportJobs/{}",
        t.url,
        created["body"]["id"].as_str().unwrap()
    );
    assert_eq!(created["headers"]["location"], place);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_batch_on_the_wire() {
    let t = TestApp::start().await;
    assert_snapshot!(wire(&t, &run(&t, &[get("1", URL), get("2", &format!("{URL}/x"))]).await), @r#"
    200
    client-request-id: <request-id>
    content-type: application/json
    odata-version: 4.0
    request-id: <request-id>
    x-content-type-options: nosniff

    {"responses":[{"id":"1","status":200,"headers":{"content-type":"application/json","odata-version":"4.0"},"body":{"@odata.context":"<server>/beta/$metadata#employeeExperience/goals/exportJobs","value":[]}},{"id":"2","status":400,"headers":{"content-type":"application/json"},"body":{"error":{"code":"badRequest","message":"Invalid JobKey specified","innerError":{"code":"unknown","date":"<date>","request-id":"<request-id>","client-request-id":"<request-id>"}}}}]}
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_holds_twenty_requests_and_not_one_more() {
    let t = TestApp::start().await;
    let requests: Vec<_> = (1..=21).map(|number| get(&number.to_string(), URL)).collect();
    let full = run(&t, &requests[..20]).await;
    assert_eq!(statuses(&full).len(), 20);
    assert!(statuses(&full).iter().all(|(_, status)| *status == 200));
    let message = "Invalid batch payload format: a batch holds at most 20 requests.";
    assert_refused(&t, &run(&t, &requests).await, (400, "BadRequest", message, None), "21");
    assert_eq!(body(&t, &run(&t, &[]).await), r#"{"responses":[]}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_depends_on_a_failed_request_is_not_run() {
    let t = TestApp::start().await;
    let after = |id: &str, on: &[&str]| json!({ "id": id, "method": "GET", "url": URL, "dependsOn": on });
    let answer = run(
        &t,
        &[
            get("good", URL),
            get("bad", "/nope"),
            after("a", &["good"]),
            after("b", &["good", "bad"]),
            after("c", &["b"]),
        ],
    )
    .await;
    let expected = [("good", 200), ("bad", 400), ("a", 200), ("b", 424), ("c", 424)];
    assert_eq!(statuses(&answer), expected.map(|(id, status)| (id.to_owned(), status)));
    assert_eq!(answer.json()["responses"][3]["body"]["error"]["code"], "failedDependency");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_malformed_as_a_whole_is_refused() {
    let t = TestApp::start().await;
    for requests in [
        json!([get("1", URL), get("1", URL)]),
        json!([get("", URL)]),
        json!([{ "id": "1", "method": "GET", "url": URL, "dependsOn": ["2"] }, get("2", URL)]),
        json!([{ "id": "1", "method": "GET", "url": URL, "dependsOn": ["1"] }]),
        json!([{ "id": 1, "method": "GET", "url": URL }]),
        json!([{ "id": "1", "url": URL }]),
        json!([{ "id": "1", "method": "GET" }]),
        json!([URL]),
        json!({}),
        json!(null),
    ] {
        let answer = t.ann().post(BATCH, &json!({ "requests": requests })).await;
        let (code, message, inner) = answer.error();
        assert_eq!((answer.status, code.as_str(), inner), (400, "BadRequest", None), "{requests}");
        assert!(message.starts_with("Invalid batch payload format: "), "{requests}: {message}");
    }
    let missing = t.ann().post(BATCH, &json!({})).await;
    assert_eq!(missing.error().1, "Invalid batch payload format: the property 'requests' is missing.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_a_batch_cannot_leave_the_door_or_change_its_caller() {
    let t = TestApp::start().await;
    let id = finished_export(&t).await;
    let cleo = t.token("cleo@lark.example", goalpost_testing::READ_WRITE);
    for url in [
        "/$batch",
        "https://contoso.example/beta/employeeExperience",
        "../v1.0/me",
        "/../../page.css",
        "",
        "/",
    ] {
        let answer = run(&t, &[get("1", url)]).await;
        assert_eq!(statuses(&answer), [("1".to_owned(), 400)], "{url}: {}", answer.text());
    }
    for (method, url) in [("G E T", URL), ("GET", "/employee Experience"), ("GET", "\u{0}")] {
        let answer = run(&t, &[json!({ "id": "1", "method": method, "url": url })]).await;
        assert_eq!(statuses(&answer), [("1".to_owned(), 400)], "{method} {url}");
    }
    let disguised = json!({ "id": "1", "method": "GET", "url": format!("{URL}/{id}"),
                            "headers": { "Authorization": format!("Bearer {cleo}"), "Host": "evil.example" } });
    let answer = run(&t, &[disguised]).await;
    assert_eq!(statuses(&answer), [("1".to_owned(), 200)], "the batch's own caller asks");
    assert!(!answer.text().contains("evil"), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_needs_a_token_and_each_request_its_scope() {
    let t = TestApp::start().await;
    let one = json!({ "requests": [get("1", URL)] });
    let nobody = t.client_with_token(None).post(BATCH, &one).await;
    assert_refused(
        &t,
        &nobody,
        (401, "InvalidAuthenticationToken", "Access token is empty.", None),
        "no token",
    );
    let create = json!({ "id": "2", "method": "POST", "url": URL, "headers": { "Content-Type": "application/json" },
                         "body": { "goalsOrganizationId": ORGANIZATION, "explorerViewId": VIEW } });
    let reader = t.client_with_scopes("ann@wren.example", READ);
    let answer = reader.post(BATCH, &json!({ "requests": [get("1", URL), create] })).await;
    assert_eq!(statuses(&answer), [("1".to_owned(), 200), ("2".to_owned(), 403)]);
    assert_eq!(answer.json()["responses"][1]["body"]["error"]["innerError"]["code"], "missingScope");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_for_a_batch_is_refused_and_the_others_come() {
    let t = TestApp::start().await;
    insert_goal(&t, 1, &"w".repeat(5 * 1024 * 1024), None);
    let id = finished_export(&t).await;
    let answer =
        run(&t, &[get("large", &format!("{URL}/{id}/content")), get("small", &format!("{URL}/{id}"))]).await;
    assert_eq!(statuses(&answer), [("large".to_owned(), 413), ("small".to_owned(), 200)]);
    let error = &answer.json()["responses"][0]["body"]["error"];
    assert_eq!(error["code"], "payloadTooLarge");
    assert_eq!(error["innerError"]["request-id"].as_str(), answer.header("request-id"));
}

/// The properties that the document declares for a type and the types below it, and the values of its enumeration.
fn declared(xml: &str, types: &[&str]) -> BTreeSet<String> {
    let mut reader = Reader::from_str(xml);
    let (mut inside, mut names) = (false, BTreeSet::new());
    loop {
        let event = reader.read_event().expect("well-formed XML");
        let (Event::Start(element) | Event::Empty(element)) = &event else {
            match event {
                Event::Eof => return names,
                _ => continue,
            }
        };
        let attribute = element.try_get_attribute("Name").expect("attributes are well-formed");
        let Some(name) = attribute.map(|name| name.value.into_owned()) else { continue };
        match element.name().as_ref() {
            "EntityType" | "EnumType" => inside = types.contains(&name.as_str()),
            "Property" | "Member" if inside => {
                names.insert(name);
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_declares_every_member_that_a_job_has() {
    let t = TestApp::start().await;
    let nobody = t.client_with_token(None);
    let document = nobody.get("/beta/$metadata").await;
    assert_eq!((document.status, document.header("content-type")), (200, Some("application/xml")));
    assert_eq!(nobody.get("/BETA/%24Metadata/").await.bytes, document.bytes);
    let properties = declared(&document.text(), &["entity", "longRunningOperation", "goalsExportJob"]);
    let id = finished_export(&t).await;
    let job = t.ann().get_export(&id).await.json();
    for member in job.as_object().unwrap().keys().filter(|name| !name.starts_with('@')) {
        assert!(properties.contains(member), "{member} is not declared");
    }
    for property in &properties {
        let selected = t.ann().get(&format!("/beta{URL}/{id}?$select={property}")).await;
        assert_eq!(selected.status, 200, "{property} is declared and cannot be selected");
    }
    let states: Vec<_> = declared(&document.text(), &["longRunningOperationStatus"]).into_iter().collect();
    assert_eq!(states, ["failed", "notStarted", "running", "succeeded", "unknownFutureValue"]);
}
