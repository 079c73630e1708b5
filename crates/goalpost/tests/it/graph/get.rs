//! `GET exportJobs/{id}`: every state of a job, its times, its Retry-After, and what is asked of it by `$select`.

use std::time::Duration;

use goalpost_testing::{Answer, ORGANIZATION, TestApp, VIEW};
use insta::assert_snapshot;
use jiff::Timestamp;
use serde_json::Value;

use super::{HOUR, JOBS, NOBODYS_JOB, Refusal, assert_refused, body, finished_export, sql, wire};

const NO_JOB: Refusal<'_> = (404, "notFound", "Specified export job not found", Some("exportJobNotFound"));
const NO_KEY: Refusal<'_> = (400, "badRequest", "Invalid JobKey specified", Some("unknown"));

fn time_of(answer: &Answer, property: &str) -> Timestamp {
    answer.json()[property]
        .as_str()
        .unwrap_or_else(|| panic!("{property}: {}", answer.text()))
        .parse()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_has_not_started_says_when_to_ask_again() {
    let t = TestApp::start().await;
    let id = t.ann().create_export(ORGANIZATION, VIEW).await.id();
    assert_snapshot!(wire(&t, &t.ann().get_export(&id).await), @r#"
    200
    client-request-id: <request-id>
    content-type: application/json
    odata-version: 4.0
    request-id: <request-id>
    retry-after: 1
    x-content-type-options: nosniff

    {"@odata.context":"<server>/beta/$metadata#employeeExperience/goals/exportJobs/$entity","id":"<job>","createdDateTime":"<date-time>","status":"notStarted","goalsOrganizationId":"9ab0fcab-c1d4-4b26-963b-a3c33155f853","explorerViewId":"2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7","expirationDateTime":"<date-time>"}
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_has_no_place_to_fetch_from_yet() {
    let t = TestApp::start().await;
    let id = t.ann().create_export(ORGANIZATION, VIEW).await.id();
    t.claim_and_die().await;
    assert_snapshot!(wire(&t, &t.ann().get_export(&id).await), @r#"
    200
    client-request-id: <request-id>
    content-type: application/json
    odata-version: 4.0
    request-id: <request-id>
    retry-after: 1
    x-content-type-options: nosniff

    {"@odata.context":"<server>/beta/$metadata#employeeExperience/goals/exportJobs/$entity","id":"<job>","createdDateTime":"<date-time>","status":"running","goalsOrganizationId":"9ab0fcab-c1d4-4b26-963b-a3c33155f853","explorerViewId":"2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7","expirationDateTime":"<date-time>"}
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_succeeded_says_where_its_content_is_and_when_it_goes() {
    let t = TestApp::start().await;
    let id = finished_export(&t).await;
    let seen = t.ann().get_export(&id).await;
    assert_snapshot!(wire(&t, &seen), @r#"
    200
    client-request-id: <request-id>
    content-type: application/json
    odata-version: 4.0
    request-id: <request-id>
    x-content-type-options: nosniff

    {"@odata.context":"<server>/beta/$metadata#employeeExperience/goals/exportJobs/$entity","id":"<job>","createdDateTime":"<date-time>","resourceLocation":"<server>/beta/employeeexperience/goals/exportJobs/<job>/content","status":"succeeded","goalsOrganizationId":"9ab0fcab-c1d4-4b26-963b-a3c33155f853","explorerViewId":"2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7","expirationDateTime":"<date-time>"}
    "#);
    let place = seen.json()["resourceLocation"].as_str().unwrap().to_owned();
    assert_eq!(place, format!("{}/beta/employeeexperience/goals/exportJobs/{id}/content", t.url));
    assert_eq!(t.ann().get(&place).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_failed_says_why_and_has_no_place_to_fetch_from() {
    let t = TestApp::start_with(|config| config.sandbox.fail_views.push(VIEW)).await;
    let id = finished_export(&t).await;
    assert_snapshot!(wire(&t, &t.ann().get_export(&id).await), @r#"
    200
    client-request-id: <request-id>
    content-type: application/json
    odata-version: 4.0
    request-id: <request-id>
    x-content-type-options: nosniff

    {"@odata.context":"<server>/beta/$metadata#employeeExperience/goals/exportJobs/$entity","id":"<job>","createdDateTime":"<date-time>","status":"failed","statusDetail":"The sandbox lets every export of this view fail (serve --sandbox fail-view).","goalsOrganizationId":"9ab0fcab-c1d4-4b26-963b-a3c33155f853","explorerViewId":"2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7","expirationDateTime":"<date-time>"}
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_creation_is_the_same_text_everywhere() {
    let t = TestApp::start().await;
    let made = t.ann().create_export(ORGANIZATION, VIEW).await.json();
    let read = t.ann().get_export(made["id"].as_str().unwrap()).await.json();
    let listed = t.ann().list_exports("").await.json()["value"][0].clone();
    for seen in [&read, &listed] {
        assert_eq!((&seen["id"], &seen["createdDateTime"]), (&made["id"], &made["createdDateTime"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_have_milliseconds_without_trailing_zeros() {
    let t = TestApp::start().await;
    let id = t.ann().create_export(ORGANIZATION, VIEW).await.id();
    for (created_at, text) in [
        (1_698_969_182_051_701_i64, "2023-11-02T23:53:02.051Z"),
        (1_698_969_187_990_000, "2023-11-02T23:53:07.99Z"),
        (1_698_969_187_900_999, "2023-11-02T23:53:07.9Z"),
        (1_698_969_180_000_000, "2023-11-02T23:53:00Z"),
    ] {
        sql(&t, &format!("update job set created_at = {created_at} where organization = 15229"));
        assert_eq!(t.ann().get_export(&id).await.json()["createdDateTime"], text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_expected_a_day_after_the_creation_and_then_a_day_after_the_work() {
    let t = TestApp::start().await;
    let made = t.ann().create_export(ORGANIZATION, VIEW).await;
    let created = time_of(&made, "createdDateTime");
    let pending = t.ann().get_export(&made.id()).await;
    assert_eq!(time_of(&pending, "expirationDateTime"), created + 24 * jiff::SignedDuration::from_hours(1));
    t.advance(HOUR);
    assert!(t.run_one().await);
    let done =
        t.ann().get(&format!("{JOBS}/{}?$select=lastActionDateTime,expirationDateTime", made.id())).await;
    let finished = time_of(&done, "lastActionDateTime");
    assert!(finished >= created + jiff::SignedDuration::from_hours(1), "{}", done.text());
    assert_eq!(time_of(&done, "expirationDateTime"), finished + 24 * jiff::SignedDuration::from_hours(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_job_is_gone_whether_or_not_it_was_swept() {
    for sweep in [false, true] {
        let t = TestApp::start().await;
        let id = finished_export(&t).await;
        t.advance(Duration::from_mins(24 * 60 - 1));
        assert_eq!(t.ann().get_export(&id).await.status, 200);
        assert_eq!(t.ann().get_content(&id).await.status, 200);
        t.advance(Duration::from_mins(2));
        if sweep {
            t.sweep().await;
        }
        assert_refused(&t, &t.ann().get_export(&id).await, NO_JOB, "job");
        assert_refused(&t, &t.ann().get_content(&id).await, NO_JOB, "content");
        let listed = t.ann().list_exports("$count=true").await.json();
        assert_eq!((&listed["@odata.count"], listed["value"].as_array().map(Vec::len)), (&0.into(), Some(0)));
        assert_eq!(body(&t, &t.ann().get(&format!("{JOBS}/$count")).await), "0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_grows_with_the_age_of_a_pending_job() {
    let t = TestApp::start().await;
    let id = t.ann().create_export(ORGANIZATION, VIEW).await.id();
    for (later, secs) in [(0, "1"), (5, "1"), (6, "5"), (30, "5"), (20, "15"), (3000, "15")] {
        t.advance(Duration::from_secs(later));
        for answer in [t.ann().get_export(&id).await, t.ann().get_content(&id).await] {
            assert_eq!(answer.header("retry-after"), Some(secs), "{later} s later: {}", answer.text());
        }
    }
    t.claim_and_die().await;
    assert_eq!(t.ann().get_export(&id).await.header("retry-after"), Some("15"), "running");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_can_be_set_and_the_sandbox_beats_the_setting() {
    for (set, sandbox, secs) in [(Some(60), None, "60"), (Some(60), Some(2), "2"), (None, Some(3), "3")] {
        let t = TestApp::start_with(|config| {
            config.exports.retry_after_secs = set;
            config.sandbox.retry_after_secs = sandbox;
        })
        .await;
        let id = t.ann().create_export(ORGANIZATION, VIEW).await.id();
        assert_eq!(t.ann().get_export(&id).await.header("retry-after"), Some(secs));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_have_not_the_form_are_invalid_and_other_keys_are_not_found() {
    let t = TestApp::start().await;
    let id = finished_export(&t).await;
    let swapped: String = id
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let last = id.chars().last().unwrap();
    let stray = char::from(u8::try_from(last).unwrap() + 1);
    let rows = [
        (NOBODYS_JOB.to_owned(), NO_JOB),
        ("j!eyJfdHlwZSI6Ikdyb3VwIiwiaWQiOiI4MzIxMjc1In1".to_owned(), NO_JOB),
        (swapped.replacen("J!", "j!", 1), NO_JOB),
        (format!("{}{stray}", &id[..44]), NO_JOB),
        (id[..44].to_owned(), NO_KEY),
        (format!("{id}A"), NO_KEY),
        (id[2..].to_owned(), NO_KEY),
        (id.replacen("j!", "J!", 1), NO_KEY),
        (id.replacen('!', "%2521", 1), NO_KEY),
        (format!("{id}%20"), NO_KEY),
        (format!("j!{}", "%2B".repeat(43)), NO_KEY),
        ("eyJfdHlwZSI6Ikdyb3VwIiwiaWQiOiI4MzIxMjc1In0".to_owned(), NO_KEY),
        ("j!eyJfdHlwZSI6Ikdyb3VwIiwiaWQiOiI4MzIx".to_owned(), NO_KEY),
        (VIEW.to_string(), NO_KEY),
        ("..%2f..%2fetc%2fpasswd".to_owned(), NO_KEY),
        ("%00".to_owned(), NO_KEY),
        ("%ff%fe".to_owned(), NO_KEY),
        ("%zz".to_owned(), NO_KEY),
        ("%F0%9F%90%A6".to_owned(), NO_KEY),
        ("x".repeat(4000), NO_KEY),
    ];
    for (key, refusal) in rows {
        assert_refused(&t, &t.ann().get_export(&key).await, refusal, &key);
        assert_refused(&t, &t.ann().get_content(&key).await, refusal, &key);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn select_answers_with_the_chosen_properties_and_says_so_in_the_context() {
    let t = TestApp::start().await;
    let id = finished_export(&t).await;
    let names = |answer: &Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let all = "@odata.context id createdDateTime resourceLocation status goalsOrganizationId explorerViewId expirationDateTime";
    for (select, context, members) in [
        (
            "$select=id,goalsOrganizationId",
            "(id,goalsOrganizationId)",
            "@odata.context id goalsOrganizationId",
        ),
        ("$select=status,%20id", "(status,id)", "@odata.context id status"),
        ("select=status", "(status)", "@odata.context status"),
        ("%24select=status,status", "(status)", "@odata.context status"),
        ("$select=content", "(content)", "@odata.context"),
        ("$select=lastActionDateTime", "(lastActionDateTime)", "@odata.context lastActionDateTime"),
        ("$select=statusDetail", "(statusDetail)", "@odata.context"),
        ("$select=*", "", all),
        ("", "", all),
        ("$format=json", "", all),
        ("colour=green&x=%20", "", all),
    ] {
        let seen = t.ann().get(&format!("{JOBS}/{id}?{select}")).await;
        assert_eq!(seen.status, 200, "{select}: {}", seen.text());
        assert_eq!(names(&seen.json()), members, "{select}");
        let expected =
            format!("{}/beta/$metadata#employeeExperience/goals/exportJobs{context}/$entity", t.url);
        assert_eq!(seen.json()["@odata.context"], expected, "{select}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_option_that_a_job_has_not_is_refused_and_never_ignored() {
    let t = TestApp::start().await;
    let id = finished_export(&t).await;
    for option in [
        "$expand",
        "$filter",
        "$top",
        "$skip",
        "$orderby",
        "$search",
        "$skiptoken",
        "$count",
        "$apply",
        "$Colour",
    ] {
        let value = match option {
            "$top" | "$skip" => "1",
            "$count" => "true",
            "$orderby" => "id",
            _ => "x",
        };
        let message = format!("The query option '{option}' is not supported on this resource.");
        let answer = t.ann().get(&format!("{JOBS}/{id}?{option}={value}")).await;
        assert_refused(&t, &answer, (400, "BadRequest", &message, None), option);
        let answer = t.ann().get(&format!("{JOBS}/{id}/content?{option}={value}")).await;
        assert_refused(&t, &answer, (400, "BadRequest", &message, None), option);
    }
    let unknown = "Parsing OData Select and Expand failed: Could not find a property named 'colour' on type \
                   'microsoft.graph.goalsExportJob'.";
    for select in ["colour", "id,colour", "colour,status"] {
        let answer = t.ann().get(&format!("{JOBS}/{id}?$select={select}")).await;
        assert_refused(&t, &answer, (400, "BadRequest", unknown, None), select);
    }
    for query in
        ["$select=", "$select=id&$select=status", "$select=id&select=id", "$select=%zz", "$select=%ff"]
    {
        let answer = t.ann().get(&format!("{JOBS}/{id}?{query}")).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (400, "BadRequest"), "{query}");
    }
}
