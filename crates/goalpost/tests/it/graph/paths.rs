//! Paths in, in every spelling; absolute URLs out, in one.

use goalpost_testing::{ORGANIZATION, TestApp, VIEW};

use super::{JOBS, LOWER_JOBS, Refusal, assert_refused, finished_export, raw};

#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_of_a_path_leads_to_the_same_job() {
    let t = TestApp::start().await;
    let id = finished_export(&t).await;
    let escaped = id.replace('!', "%21");
    let canonical = t.ann().get_export(&id).await.json();
    for path in [
        format!("{LOWER_JOBS}/{id}"),
        format!("{JOBS}/{escaped}"),
        format!("/Beta/EMPLOYEEEXPERIENCE/Goals/exportjobs/{id}"),
        format!("{JOBS}/{id}/"),
        format!("{JOBS}('{id}')"),
        format!("{JOBS}('{escaped}')/"),
        format!("{LOWER_JOBS}(%27{escaped}%27)"),
        format!("/beta/employee%45xperience/goals/export%4Aobs/{id}"),
    ] {
        let seen = t.ann().get(&path).await;
        assert_eq!(seen.status, 200, "{path}: {}", seen.text());
        assert_eq!(seen.json(), canonical, "{path}");
    }
    let content = t.ann().get_content(&id).await.bytes;
    for path in [
        format!("{LOWER_JOBS}/{escaped}/content"),
        format!("{JOBS}/{id}/Content/"),
        format!("{JOBS}('{id}')/content"),
        format!("/BETA/EMPLOYEEEXPERIENCE/GOALS/EXPORTJOBS/{id}/CONTENT"),
    ] {
        let fetched = t.ann().get(&path).await;
        assert_eq!((fetched.status, &fetched.bytes), (200, &content), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_collection_is_found_in_any_casing_too() {
    let t = TestApp::start().await;
    for path in [
        JOBS,
        LOWER_JOBS,
        "/BETA/employeeexperience/GOALS/EXPORTJOBS",
        "/beta/employeeExperience/goals/exportJobs/",
    ] {
        assert_eq!(t.ann().get(path).await.status, 200, "{path}");
        let body = serde_json::json!({ "goalsOrganizationId": ORGANIZATION, "explorerViewId": VIEW });
        assert_eq!(t.ann().post(path, &body).await.status, 201, "{path}");
        assert!(t.run_one().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_leads_nowhere_is_named_as_it_was_written() {
    let t = TestApp::start().await;
    let id = finished_export(&t).await;
    for (path, segment) in [
        ("/beta/nope".to_owned(), "nope"),
        ("/beta/Nope/goals".to_owned(), "Nope"),
        ("/beta/employeeExperience/gaols/exportJobs".to_owned(), "gaols"),
        ("/beta/employeeExperience/goals/exportJob".to_owned(), "exportJob"),
        ("/beta/employeeExperience/goals/exportJobs/$ref/x".to_owned(), "x"),
        (format!("{JOBS}/{id}/nope"), "nope"),
        (format!("{JOBS}/{id}/content/nope"), "nope"),
        (format!("{JOBS}/{id}/content/$value"), "$value"),
        ("/beta/it's%20%22here%22".to_owned(), "it's \"here\""),
        ("/beta//employeeExperience/goals".to_owned(), ""),
        ("/beta/employeeExperience%2Fgoals/exportJobs".to_owned(), "employeeExperience/goals"),
        ("/v1.0/employeeExperience/goals/exportJobs".to_owned(), "goals"),
        (format!("/v1.0/employeeexperience/goals/exportJobs/{id}"), "goals"),
        ("/V1.0/EmployeeExperience/goals".to_owned(), "goals"),
        ("/v1.0/me".to_owned(), "me"),
    ] {
        let message = format!("Resource not found for the segment '{segment}'.");
        for method in ["GET", "POST", "DELETE"] {
            let ann = t.ann();
            let answer = ann.send(ann.request(method, &path)).await;
            assert_refused(&t, &answer, (400, "BadRequest", &message, None), &format!("{method} {path}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_a_resource_has_not_is_refused_with_those_it_has() {
    let t = TestApp::start().await;
    let id = finished_export(&t).await;
    let refusal: Refusal<'_> =
        (405, "methodNotAllowed", "Specified HTTP method is not allowed for the request target.", None);
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY"];
    for (path, allow) in [
        (JOBS.to_owned(), "GET, POST"),
        (format!("{JOBS}/$count"), "GET"),
        (format!("{JOBS}/{id}"), "GET"),
        (format!("{JOBS}/nonsense"), "GET"),
        (format!("{JOBS}/{id}/content"), "GET"),
        ("/beta/employeeExperience/goals".to_owned(), "GET"),
        ("/beta/$batch".to_owned(), "POST"),
    ] {
        for method in methods {
            let has = allow.split(", ").any(|known| known == method || known == "GET" && method == "HEAD");
            if has {
                continue;
            }
            let nobody = t.client_with_token(None);
            assert_eq!(nobody.send(nobody.request(method, &path)).await.status, 401, "{method} {path}");
            let ann = t.ann();
            let answer = ann.send(ann.request(method, &path)).await;
            assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
            if method == "HEAD" {
                assert_eq!((answer.status, answer.bytes.len()), (405, 0), "{method} {path}");
            } else {
                assert_refused(&t, &answer, refusal, &format!("{method} {path}"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resource_that_holds_the_exports_has_a_context() {
    let t = TestApp::start().await;
    let seen = t.ann().get("/beta/employeeExperience/goals").await;
    let expected =
        format!(r#"{{"@odata.context":"{}/beta/$metadata#employeeExperience/goals/$entity"}}"#, t.url);
    assert_eq!(seen.text(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_public_url_every_absolute_url_is_built_from_it() {
    let t =
        TestApp::start_with(|config| config.public_url = Some("https://goals.example.com".to_owned())).await;
    let ann = t.ann();
    let made = ann.create_export(ORGANIZATION, VIEW).await;
    let root = "https://goals.example.com/beta";
    let job = format!("{root}/employeeexperience/goals/exportJobs/{}", made.id());
    assert_eq!(made.header("location"), Some(job.as_str()));
    assert_eq!(
        made.json()["@odata.context"],
        format!("{root}/$metadata#employeeExperience/goals/exportJobs/$entity")
    );
    assert_eq!(ann.create_export(ORGANIZATION, VIEW).await.header("location"), Some(job.as_str()));
    assert!(t.run_one().await);
    ann.create_export(ORGANIZATION, VIEW).await.id();
    for host in ["evil.example", "localhost:1", "a b", "x@y", "", "[::1"] {
        let request = |path: &str| ann.request("GET", path).header("host", host);
        let seen = ann.send(request(&format!("{JOBS}/{}", made.id()))).await;
        assert_eq!(seen.json()["resourceLocation"], format!("{job}/content"), "{host}");
        let listed = ann.send(request(&format!("{JOBS}?$top=1"))).await.json();
        let link = listed["@odata.nextLink"].as_str().unwrap();
        assert!(
            link.starts_with(&format!("{root}/employeeExperience/goals/exportJobs?$top=1&$skiptoken=")),
            "{link}"
        );
        assert_eq!(
            listed["@odata.context"],
            format!("{root}/$metadata#employeeExperience/goals/exportJobs"),
            "{host}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_public_url_the_host_of_the_request_is_taken_if_it_is_one() {
    let t = TestApp::start().await;
    let ann = t.ann();
    for (host, root) in [
        ("goals.example.com", "http://goals.example.com/beta"),
        ("goals.example.com:8443", "http://goals.example.com:8443/beta"),
        ("[::1]:80", "http://[::1]:80/beta"),
    ] {
        let listed = ann.send(ann.request("GET", JOBS).header("host", host)).await;
        assert_eq!(
            listed.json()["@odata.context"],
            format!("{root}/$metadata#employeeExperience/goals/exportJobs")
        );
    }
    for host in ["x@y.example", "a b", "a/b", "a.example#", "<script>", "[::1", "a\\b", ""] {
        let refused = ann.send(ann.request("GET", JOBS).header("host", host)).await;
        let message = "The Host header is missing or malformed.";
        assert_refused(&t, &refused, (400, "BadRequest", message, None), host);
        let nobody = t.client_with_token(None);
        let refused = nobody.send(nobody.request("GET", JOBS).header("host", host)).await;
        assert_eq!(refused.status, 401, "nothing is told before authentication: {host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_hosts_and_quotation_marks_never_get_into_a_url() {
    let t = TestApp::start().await;
    let ann = t.ann();
    let request = ann
        .request("GET", JOBS)
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example");
    assert!(!ann.send(request).await.text().contains("evil"), "nobody configured a proxy");
    let token = t.token("ann@wren.example", goalpost_testing::READ);
    let ask = format!(
        "GET {JOBS} HTTP/1.1\r\nHost: a\"b\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    assert!(raw(&t, ask.as_bytes()).await.starts_with("HTTP/1.1 400 "));
}
