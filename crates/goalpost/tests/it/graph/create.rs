//! `POST exportJobs`: 201, the documented 409, and every way to ask wrongly.

use goalpost::exports::ExportId;
use goalpost_testing::{Answer, ORGANIZATION, OTHER_ORGANIZATION, TestApp, VIEW};
use insta::assert_snapshot;
use serde_json::{Value, json};
use uuid::uuid;

use super::{JOBS, LOWER_JOBS, Refusal, assert_refused, body, raw, wire};

const UNREADABLE: Refusal<'_> = (
    400,
    "BadRequest",
    "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
    None,
);
const EMPTY: Refusal<'_> = (400, "BadRequest", "Empty Payload. JSON content expected.", None);
const UNSUPPORTED: Refusal<'_> = (
    415,
    "unsupportedMediaType",
    "Unsupported media type requested. Send Content-Type: application/json.",
    None,
);
const TOO_LARGE: Refusal<'_> = (413, "payloadTooLarge", "The request body is too large.", None);
const BAD_ORGANIZATION: Refusal<'_> = (
    400,
    "badRequest",
    "'GoalsOrganizationId' must be specified in 'Export Job', and it should be a valid GUID.",
    Some("invalidGoalsOrganizationId"),
);
const BAD_VIEW: Refusal<'_> = (
    400,
    "badRequest",
    "'ExplorerViewId' must be specified in 'Export Job', and it should be a valid GUID.",
    Some("invalidExplorerViewId"),
);

fn pair() -> Value {
    json!({ "goalsOrganizationId": ORGANIZATION, "explorerViewId": VIEW })
}

async fn post(t: &TestApp, content_type: Option<&str>, text: impl Into<Vec<u8>>) -> Answer {
    let ann = t.ann();
    let mut request = ann.request("POST", JOBS).body(text.into());
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    ann.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_created_export_has_four_members_and_a_bare_absolute_location() {
    let t = TestApp::start().await;
    let made = t.ann().create_export(ORGANIZATION, VIEW).await;
    assert_snapshot!(wire(&t, &made), @r#"
    201
    client-request-id: <request-id>
    content-type: application/json
    location: <server>/beta/employeeexperience/goals/exportJobs/<job>
    odata-version: 4.0
    request-id: <request-id>
    x-content-type-options: nosniff

    {"@odata.context":"<server>/beta/$metadata#employeeExperience/goals/exportJobs/$entity","id":"<job>","createdDateTime":"<date-time>","status":"notStarted"}
    "#);
    assert_eq!(made.header("location"), Some(format!("{}{LOWER_JOBS}/{}", t.url, made.id()).as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_holds_the_organization_and_the_moment_of_creation() {
    let t = TestApp::start().await;
    let made = t.ann().create_export(ORGANIZATION, VIEW).await;
    let id = ExportId::parse(&made.id()).unwrap();
    assert_eq!(id.organization, ORGANIZATION);
    let (secs, nanos) = id.job.get_timestamp().unwrap().to_unix();
    let created: jiff::Timestamp = made.json()["createdDateTime"].as_str().unwrap().parse().unwrap();
    assert_eq!(created.as_nanosecond(), i128::from(secs) * 1_000_000_000 + i128::from(nanos));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_export_of_a_pending_pair_is_a_conflict_that_names_the_first() {
    let t = TestApp::start().await;
    let made = t.ann().create_export(ORGANIZATION, VIEW).await;
    let refused = t.ann().create_export(ORGANIZATION, VIEW).await;
    assert_snapshot!(wire(&t, &refused), @r#"
    409
    client-request-id: <request-id>
    content-type: application/json
    location: <server>/beta/employeeexperience/goals/exportJobs/<job>
    request-id: <request-id>
    x-content-type-options: nosniff

    {"error":{"code":"notAllowed","message":"Another export job is still active or waiting to be executed","target":"<job>","innererror":{"code":"exportJobAlreadyExists","date":"<date>","request-id":"<request-id>","client-request-id":"<request-id>"}}}
    "#);
    assert_eq!(refused.header("location"), made.header("location"));
    assert_eq!(refused.json()["error"]["target"], made.id());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_is_free_again_when_its_export_has_ended_and_not_before() {
    let t = TestApp::start().await;
    let first = t.ann().create_export(ORGANIZATION, VIEW).await.id();
    let lease = t.claim_and_die().await;
    assert_eq!(t.ann().create_export(ORGANIZATION, VIEW).await.status, 409, "running");
    t.finish(lease).await.unwrap();
    let second = t.ann().create_export(ORGANIZATION, VIEW).await;
    assert_eq!(second.status, 201, "{}", second.text());
    assert_ne!(second.id(), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_simultaneous_posts_one_is_created_and_the_others_name_it() {
    let t = TestApp::start().await;
    let ann = t.ann();
    let posts: Vec<_> = (0..16)
        .map(|_| {
            let ann = ann.clone();
            tokio::spawn(async move { ann.create_export(ORGANIZATION, VIEW).await })
        })
        .collect();
    let (mut made, mut named) = (Vec::new(), Vec::new());
    for post in posts {
        let answer = post.await.unwrap();
        match answer.status {
            201 => made.push(answer.id()),
            409 => named.push(answer.json()["error"]["target"].as_str().unwrap().to_owned()),
            status => panic!("{status}: {}", answer.text()),
        }
    }
    assert_eq!((made.len(), named.len()), (1, 15));
    assert!(named.iter().all(|id| *id == made[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_is_refused_in_the_documented_words() {
    let t = TestApp::start().await;
    let good = pair().to_string();
    let twice = good.replace('}', &format!(",\"explorerViewId\":\"{VIEW}\"}}"));
    let deep = format!("{{\"status\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let json = Some("application/json");
    let rows: [(&str, Option<&str>, Vec<u8>, Refusal<'_>); 18] = [
        ("nothing", json, vec![], EMPTY),
        ("white space", json, b" \r\n\t".to_vec(), EMPTY),
        ("half an object", json, b"{\"a\":".to_vec(), UNREADABLE),
        ("an array", json, format!("[{good}]").into(), UNREADABLE),
        ("null", json, b"null".to_vec(), UNREADABLE),
        ("a text", json, b"\"{}\"".to_vec(), UNREADABLE),
        ("a form", json, b"goalsOrganizationId=1".to_vec(), UNREADABLE),
        ("more behind the object", json, format!("{good}{good}").into(), UNREADABLE),
        ("a member twice", json, twice.into(), UNREADABLE),
        ("deep nesting", json, deep.into(), UNREADABLE),
        ("bytes that are no UTF-8", json, b"{\"status\":\"\xff\"}".to_vec(), UNREADABLE),
        ("no content type", None, good.clone().into(), UNREADABLE),
        ("no content type and no body", None, vec![], UNREADABLE),
        ("text", Some("text/plain"), good.clone().into(), UNSUPPORTED),
        ("a form's type", Some("application/x-www-form-urlencoded"), good.clone().into(), UNSUPPORTED),
        ("a longer type", Some("application/json5"), good.clone().into(), UNSUPPORTED),
        ("one byte over 64 KiB", json, padded(&good, 64 * 1024 + 1), TOO_LARGE),
        ("65 KiB", json, padded(&good, 65 * 1024), TOO_LARGE),
    ];
    for (what, content_type, text, refusal) in rows {
        assert_refused(&t, &post(&t, content_type, text).await, refusal, what);
    }
}

/// The same object, in so many bytes.
fn padded(object: &str, bytes: usize) -> Vec<u8> {
    let mut padded = object.as_bytes().to_vec();
    padded.resize(bytes, b' ');
    padded
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_chunks_is_read_until_it_grows_too_large() {
    let t = TestApp::start().await;
    let token = t.token("ann@wren.example", goalpost_testing::READ_WRITE);
    let post = |chunks: &[&str]| {
        let chunks: Vec<_> = chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
        let chunks = chunks.concat();
        format!(
            "POST {JOBS} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
        )
    };
    let (object, quarter) = (pair().to_string(), " ".repeat(16 * 1024));
    let too_large = raw(&t, post(&[&object, &quarter, &quarter, &quarter, &quarter]).as_bytes()).await;
    assert!(too_large.starts_with("HTTP/1.1 413 "), "{too_large}");
    assert!(too_large.contains(r#"{"error":{"code":"payloadTooLarge","#), "{too_large}");
    let (first, second) = object.split_at(40);
    let made = raw(&t, post(&[first, second, &quarter]).as_bytes()).await;
    assert!(made.starts_with("HTTP/1.1 201 "), "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_may_add_to_a_body_changes_nothing() {
    let t = TestApp::start().await;
    let json = "application/json";
    let with = |name: &str, value: Value| {
        let mut body = pair();
        body[name] = value;
        body.to_string().into_bytes()
    };
    let rows: [(&str, &str, Vec<u8>); 16] = [
        ("a charset", "application/json; charset=utf-8", pair().to_string().into()),
        ("an OData parameter", "application/json;odata.metadata=minimal", pair().to_string().into()),
        ("a type in upper case", "Application/JSON", pair().to_string().into()),
        ("exactly 64 KiB", json, padded(&pair().to_string(), 64 * 1024)),
        (
            "GUIDs in upper case",
            json,
            pair()
                .to_string()
                .to_uppercase()
                .replace("GOALSORGANIZATIONID", "goalsOrganizationId")
                .replace("EXPLORERVIEWID", "explorerViewId")
                .into(),
        ),
        ("@odata.type", json, with("@odata.type", json!("#microsoft.graph.goalsExportJob"))),
        ("another annotation", json, with("status@contoso.note", json!([1, { "a": null }]))),
        ("id", json, with("id", json!("mine"))),
        ("createdDateTime", json, with("createdDateTime", json!(7))),
        ("lastActionDateTime", json, with("lastActionDateTime", json!(null))),
        ("resourceLocation", json, with("resourceLocation", json!("https://contoso.example"))),
        ("status", json, with("status", json!("succeeded"))),
        ("statusDetail", json, with("statusDetail", json!("done"))),
        ("expirationDateTime", json, with("expirationDateTime", json!("2099-01-01T00:00:00Z"))),
        ("content", json, with("content", json!("AAAA"))),
        ("white space around it", json, format!("\n\t {} \r\n", pair()).into()),
    ];
    for (what, content_type, text) in rows {
        let made = post(&t, Some(content_type), text).await;
        assert_eq!(made.status, 201, "{what}: {}", made.text());
        let seen = t.ann().get_export(&made.id()).await.json();
        assert_eq!((seen["status"].as_str(), &seen["id"]), (Some("notStarted"), &json!(made.id())), "{what}");
        assert_eq!(seen["goalsOrganizationId"], ORGANIZATION.to_string(), "{what}");
        assert!(t.run_one().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_property_that_the_type_has_not_is_named() {
    let t = TestApp::start().await;
    for name in ["format", "goalsorganizationid", "Status", "a\"b"] {
        let mut body = pair();
        body[name] = json!(null);
        let message = format!(
            "The property '{name}' does not exist on type 'microsoft.graph.goalsExportJob'. Make sure to only use \
             property names that are defined by the type."
        );
        assert_refused(&t, &t.ann().post(JOBS, &body).await, (400, "BadRequest", &message, None), name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_guids_of_36_characters() {
    let t = TestApp::start().await;
    let wrong = [
        json!(null),
        json!(""),
        json!(5),
        json!(true),
        json!({}),
        json!([ORGANIZATION]),
        json!("me"),
        json!(ORGANIZATION.braced().to_string()),
        json!(ORGANIZATION.simple().to_string()),
        json!(ORGANIZATION.urn().to_string()),
        json!(format!(" {ORGANIZATION}")),
        json!(format!("{ORGANIZATION}\n")),
        json!(ORGANIZATION.to_string().replace('a', "g")),
        json!(&ORGANIZATION.to_string()[..35]),
        json!("9ab0fcabc1d44b26963ba3c33155f853----"),
    ];
    for (name, refusal) in [("goalsOrganizationId", BAD_ORGANIZATION), ("explorerViewId", BAD_VIEW)] {
        let mut missing = pair();
        missing.as_object_mut().unwrap().remove(name);
        assert_refused(&t, &t.ann().post(JOBS, &missing).await, refusal, "missing");
        for value in &wrong {
            let mut body = pair();
            body[name] = value.clone();
            assert_refused(&t, &t.ann().post(JOBS, &body).await, refusal, &value.to_string());
        }
    }
    assert_refused(&t, &t.ann().post(JOBS, &json!({})).await, BAD_ORGANIZATION, "both missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_or_view_that_the_caller_cannot_see_is_not_found() {
    let t = TestApp::start().await;
    let unknown = uuid!("00000000-1111-4222-8333-444444444444");
    let no_organization: Refusal<'_> =
        (404, "notFound", "Goals organization not found", Some("goalsOrganizationIdNotFound"));
    let no_view: Refusal<'_> = (404, "notFound", "Explorer view not found", Some("explorerViewIdNotFound"));
    let of_other = goalpost::views::Preset::AllObjectives.guid(OTHER_ORGANIZATION);
    for (what, organization, view, refusal) in [
        ("no organization", unknown, VIEW, no_organization),
        ("the nil GUID", uuid::Uuid::nil(), VIEW, no_organization),
        ("no view", ORGANIZATION, unknown, no_view),
        ("a view of another organization", ORGANIZATION, of_other, no_view),
        ("the organization's own id", ORGANIZATION, ORGANIZATION, no_view),
    ] {
        assert_refused(&t, &t.ann().create_export(organization, view).await, refusal, what);
    }
    let ben = t.client("ben@wren.example").create_export(OTHER_ORGANIZATION, of_other).await;
    assert_refused(&t, &ben, no_organization, "an organization of others");
    let counted = t.ann().get(&format!("{JOBS}/$count")).await;
    assert_eq!(body(&t, &counted), "0", "a refused request left a job");
}
