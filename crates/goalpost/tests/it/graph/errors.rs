//! What every answer carries: ids that can be traced, Graph's envelope around every refusal, and the 401 of the gateway.

use goalpost_testing::{Answer, ORGANIZATION, READ_WRITE, TestApp, VIEW};
use goalpost_token::OwnIssuer;
use insta::assert_snapshot;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use super::{JOBS, LOWER_JOBS, NOBODYS_JOB, assert_refused, body, connect, raw, read_head, wire};

async fn get_with_ids(t: &TestApp, path: &str, ids: &[&[u8]]) -> Answer {
    let ann = t.ann();
    let mut request = ann.request("GET", path);
    for id in ids {
        request = request.header("client-request-id", *id);
    }
    ann.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visible_client_request_id_is_echoed_in_header_and_body() {
    let t = TestApp::start().await;
    let long = "x".repeat(128);
    for id in ["00aa00aa-bb11-cc22-dd33-44ee44ee44ee", "a", "{\"}~!", &long] {
        for path in [JOBS.to_owned(), format!("{JOBS}/{NOBODYS_JOB}"), "/beta/nope".to_owned()] {
            let answer = get_with_ids(&t, &path, &[id.as_bytes()]).await;
            assert_eq!(answer.header("client-request-id"), Some(id), "{path}");
            assert_ne!(answer.header("request-id"), Some(id), "{path}");
            if answer.status >= 400 {
                let inner = &answer.json()["error"]["innerError"];
                assert_eq!(inner["client-request-id"], id, "{path}");
                assert_eq!(inner["request-id"].as_str(), answer.header("request-id"), "{path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_other_client_request_id_counts_as_absent() {
    let t = TestApp::start().await;
    let (valid, too_long) = (&b"00aa00aa-bb11-cc22-dd33-44ee44ee44ee"[..], "x".repeat(129));
    let rows: [(&str, &[&[u8]]); 7] = [
        ("none", &[]),
        ("empty", &[b""]),
        ("129 characters", &[too_long.as_bytes()]),
        ("a space inside", &[b"a b"]),
        ("a tab inside", &[b"a\tb"]),
        ("UTF-8", &["kn\u{f6}del".as_bytes()]),
        ("twice", &[valid, valid]),
    ];
    for (what, ids) in rows {
        let answer = get_with_ids(&t, &format!("{JOBS}/{NOBODYS_JOB}"), ids).await;
        let own = answer.header("request-id").unwrap();
        assert!(Uuid::try_parse(own).is_ok(), "{what}: {own}");
        assert_eq!(answer.header("client-request-id"), Some(own), "{what}");
        assert_eq!(answer.json()["error"]["innerError"]["client-request-id"], own, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn control_characters_never_come_back_in_a_header() {
    let t = TestApp::start().await;
    for id in ["a\u{1}b", "a\u{7f}b", "a\u{1b}[31m", "a\0b"] {
        let request = format!(
            "GET {JOBS} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nClient-Request-Id: {id}\r\n\r\n"
        );
        let answer = raw(&t, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{id:?}: {answer:?}");
        assert!(!answer.contains(id), "{id:?}: {answer:?}");
    }
}

/// A request that nobody may make, with a body of so many bytes, and further header lines.
fn without_token(bytes: usize, headers: &str) -> Vec<u8> {
    let head = format!("POST {JOBS} HTTP/1.1\r\nHost: a.example\r\nContent-Length: {bytes}\r\n{headers}\r\n");
    let mut request = head.into_bytes();
    request.resize(request.len() + bytes, b' ');
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_outlives_a_body_that_was_refused_unread() {
    let t = TestApp::start().await;
    let mut stream = connect(&t).await;
    for part in without_token(300_000, "").chunks(100_000) {
        stream.write_all(part).await.unwrap();
        tokio::task::yield_now().await;
    }
    let first = read_head(&mut stream).await;
    assert!(first.starts_with("HTTP/1.1 401") && !first.contains("connection: close"), "{first}");
    let length = first.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    stream.read_exact(&mut vec![0; length.parse().unwrap()]).await.unwrap();
    stream.write_all(&without_token(10, "")).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 401"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_after_an_answer_says_so() {
    let t = TestApp::start().await;
    // The server takes the first mebibyte, and says that it closes before the rest is there.
    let mut stream = connect(&t).await;
    stream.write_all(&without_token(3 << 20, "")[..(1 << 20) + 200_000]).await.unwrap();
    let answer = read_head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("connection: close"), "{answer}");
    // Nobody asks for a body only to throw it away.
    let mut stream = connect(&t).await;
    let head = without_token(10, "Expect: 100-continue\r\n");
    stream.write_all(&head[..head.len() - 10]).await.unwrap();
    let answer = read_head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_an_id_of_its_own() {
    let t = TestApp::start().await;
    let (first, second) = (t.ann().get(JOBS).await, t.ann().get(JOBS).await);
    assert_ne!(first.header("request-id"), second.header("request-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_date_of_an_error_is_now_in_whole_seconds_of_utc() {
    let t = TestApp::start().await;
    let before = t.app.clock.now_secs();
    let answer = t.ann().get_export(NOBODYS_JOB).await;
    let json = answer.json();
    let date = json["error"]["innerError"]["date"].as_str().unwrap();
    let at: Timestamp = format!("{date}Z").parse().unwrap();
    assert!((before..=t.app.clock.now_secs()).contains(&at.as_second()), "{date}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_error_has_no_inner_code_and_a_service_error_has_one() {
    let t = TestApp::start().await;
    assert_snapshot!(wire(&t, &t.ann().get("/beta/nope").await), @r#"
    400
    client-request-id: <request-id>
    content-type: application/json
    request-id: <request-id>
    x-content-type-options: nosniff

    {"error":{"code":"BadRequest","message":"Resource not found for the segment 'nope'.","innerError":{"date":"<date>","request-id":"<request-id>","client-request-id":"<request-id>"}}}
    "#);
    assert_snapshot!(wire(&t, &t.ann().get_export(NOBODYS_JOB).await), @r#"
    404
    client-request-id: <request-id>
    content-type: application/json
    request-id: <request-id>
    x-content-type-options: nosniff

    {"error":{"code":"notFound","message":"Specified export job not found","innerError":{"code":"exportJobNotFound","date":"<date>","request-id":"<request-id>","client-request-id":"<request-id>"}}}
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_error_has_both_spellings_of_its_inner_part() {
    let t = TestApp::start().await;
    t.ann().create_export(ORGANIZATION, VIEW).await.id();
    let conflict = t.ann().create_export(ORGANIZATION, VIEW).await.text();
    assert!(conflict.contains("\"innererror\":") && !conflict.contains("innerError"), "{conflict}");
    for path in
        [format!("{JOBS}/x"), format!("{JOBS}/{NOBODYS_JOB}/content"), "/nope".into(), "/beta/nope".into()]
    {
        let text = t.ann().get(&path).await.text();
        assert!(text.contains("\"innerError\":") && !text.contains("innererror"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_framework_refuses_is_in_the_envelope_too() {
    let t = TestApp::start().await;
    let ann = t.ann();
    let gone = ann.get("/nope").await;
    assert_refused(&t, &gone, (404, "notFound", "Resource not found.", None), "a path of no door");
    let put = ann.send(ann.request("PUT", "/beta/$metadata")).await;
    let message = "Specified HTTP method is not allowed for the request target.";
    assert_refused(&t, &put, (405, "methodNotAllowed", message, None), "a method that the table has not");
    assert!(put.header("allow").is_some_and(|allow| allow.starts_with("GET")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_token_meets_the_gateways_challenge() {
    let t = TestApp::start().await;
    assert_snapshot!(wire(&t, &t.client_with_token(None).get(JOBS).await), @r#"
    401
    client-request-id: <request-id>
    content-type: application/json
    request-id: <request-id>
    www-authenticate: Bearer realm="", authorization_uri="", client_id="00000003-0000-0000-c000-000000000000"
    x-content-type-options: nosniff

    {"error":{"code":"InvalidAuthenticationToken","message":"Access token is empty.","innerError":{"date":"<date>","request-id":"<request-id>","client-request-id":"<request-id>"}}}
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_is_refused_in_graphs_words() {
    let t = TestApp::start().await;
    let good = t.token("ann@wren.example", READ_WRITE);
    let keys = t.app.config.data.join("keys");
    let elsewhere = OwnIssuer::load_or_create(&keys, "urn:goalpost", "api://elsewhere", 3600).unwrap();
    let other =
        elsewhere.issue(Uuid::from_u64_pair(15229, 1), READ_WRITE, t.app.clock.now_secs(), 60).unwrap();
    let expired =
        t.app.own_issuer.issue(Uuid::from_u64_pair(15229, 1), READ_WRITE, t.app.clock.now_secs() - 5000, 60);
    let expired = expired.unwrap();
    let (empty, failure) = ("Access token is empty.", "Access token validation failure.");
    let no_dots = "IDX14100: JWT is not well formed, there are no dots (.).\nThe token needs to be in JWS or JWE \
                   Compact Serialization Format. (JWS): 'EncodedHeader.EncodedPayload.EncodedSignature'. (JWE): \
                   'EncodedProtectedHeader.EncodedEncryptedKey.EncodedInitializationVector.EncodedCiphertext.\
                   EncodedAuthenticationTag'.";
    let rows = [
        ("Bearer".to_owned(), empty),
        ("Bearer  ".to_owned(), empty),
        ("Basic YTpi".to_owned(), empty),
        (good.clone(), empty),
        ("Bearer x".to_owned(), no_dots),
        ("Bearer a.b.c".to_owned(), failure),
        ("Bearer a.b".to_owned(), failure),
        (format!("Bearer {}", &good[..good.len() - 4]), failure),
        (format!("Bearer {good}A"), failure),
        (format!("Bearer {other}"), "Access token validation failure. Invalid audience."),
        (format!("Bearer {expired}"), "Lifetime validation failed, the token is expired."),
    ];
    let nobody = t.client_with_token(None);
    for (header, message) in rows {
        for path in [JOBS, "/beta/nope", "/v1.0/employeeExperience/goals/exportJobs"] {
            let answer = nobody.send(nobody.request("GET", path).header("authorization", &header)).await;
            assert_refused(&t, &answer, (401, "InvalidAuthenticationToken", message, None), &header);
            assert!(
                answer
                    .header("www-authenticate")
                    .is_some_and(|challenge| challenge.starts_with("Bearer realm=\"\""))
            );
        }
    }
    for scheme in ["bearer", "BEARER", "Bearer "] {
        let request = nobody.request("GET", JOBS).header("authorization", format!("{scheme} {good}"));
        assert_eq!(nobody.send(request).await.status, 200, "{scheme}");
    }
    let twice = nobody.request("GET", JOBS).header("authorization", format!("Bearer {good}"));
    let twice = nobody.send(twice.header("authorization", "Bearer x")).await;
    assert_eq!(twice.status, 401, "which of two tokens counts is nobody's guess");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_when_it_says() {
    let t = TestApp::start().await;
    let ann = t.ann();
    assert_eq!(ann.get(JOBS).await.status, 200);
    t.advance(std::time::Duration::from_secs(3600 + 121));
    let message = "Lifetime validation failed, the token is expired.";
    assert_refused(
        &t,
        &ann.get(JOBS).await,
        (401, "InvalidAuthenticationToken", message, None),
        "an hour later",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_names_its_type_and_may_not_be_sniffed() {
    let t = TestApp::start().await;
    let id = super::finished_export(&t).await;
    for path in [
        JOBS.to_owned(),
        format!("{LOWER_JOBS}/{id}"),
        format!("{JOBS}/{id}/content"),
        "/nope".into(),
        "/beta".into(),
    ] {
        let answer = t.ann().get(&path).await;
        for name in ["content-type", "date", "request-id", "client-request-id", "x-ms-ags-diagnostic"] {
            assert!(answer.header(name).is_some_and(|value| !value.is_empty()), "{name}: {path}");
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        let is_json = answer.header("content-type") == Some("application/json");
        assert_eq!(
            answer.header("odata-version"),
            (answer.status == 200 && is_json).then_some("4.0"),
            "{path}"
        );
        serde_json::from_str::<serde_json::Value>(answer.header("x-ms-ags-diagnostic").unwrap()).unwrap();
        assert!(!body(&t, &answer).is_empty(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_client_says_it_accepts_or_prefers_the_answer_is_the_same_json() {
    let t = TestApp::start().await;
    let id = super::finished_export(&t).await;
    let ann = t.ann();
    let plain = ann.get_export(&id).await;
    for (name, value) in [
        ("accept", "application/json"),
        ("accept", "application/json;odata.metadata=full;odata.streaming=true"),
        ("accept", "application/json;odata.metadata=none"),
        ("accept", "text/html, */*;q=0.1"),
        ("accept", "image/png"),
        ("prefer", "return=minimal, include-unknown-enum-members"),
        ("prefer", "odata.maxpagesize=1"),
        ("content-type", "application/json"),
    ] {
        let answer = ann.send(ann.request("GET", &format!("{JOBS}/{id}")).header(name, value)).await;
        assert_eq!((answer.status, &answer.bytes), (200, &plain.bytes), "{name}: {value}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{name}: {value}");
    }
}
