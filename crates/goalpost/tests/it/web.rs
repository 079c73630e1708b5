//! The page on which people try `/api/v1`, as far as the server answers for it.

use goalpost_testing::{Answer, TestApp};

/// Everything between `start` and the next `end`, as often as it stands there.
fn between<'a>(text: &'a str, start: &'a str, end: char) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(move |rest| rest.split(end).next())
}

async fn get(path: &str) -> Answer {
    let t = TestApp::start().await;
    let answer = t.client_with_token(None).get(path).await;
    assert_eq!(answer.status, 200, "{path}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_may_run_its_own_script_and_nothing_else() {
    let answer = get("/api/v1/docs").await;
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let policy = answer.header("content-security-policy").expect("a policy").to_owned();
    let mut allowed: Vec<&str> = policy.split("; ").collect();
    allowed.sort_unstable();
    assert_eq!(
        allowed,
        [
            "base-uri 'none'",
            "connect-src 'self'",
            "default-src 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "img-src 'self'",
            "require-trusted-types-for 'script'",
            "script-src 'self'",
            "style-src 'self'",
            "trusted-types 'none'",
        ]
    );
    // What the policy would not let run is not there either.
    let page = answer.text();
    assert_eq!(
        between(&page, "<script", '<').collect::<Vec<_>>(),
        [r#" type="module" src="/api/v1/docs.js">"#]
    );
    for inline in [" style=", "<style", " onclick=", " onload=", "javascript:"] {
        assert!(!page.contains(inline), "{inline}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_speaks_to_no_other_origin_and_keeps_the_token_in_the_tab() {
    let answer = get("/api/v1/docs.js").await;
    assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let script = answer.text();
    assert!(script.contains("sessionStorage"));
    for word in ["://", "\"//", "\nimport ", "import(", "localStorage", "cookie"] {
        assert!(!script.contains(word), "{word}");
    }
    for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "console."] {
        assert!(!script.contains(sink), "{sink}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_of_the_pages_leads_somewhere() {
    let t = TestApp::start().await;
    let nobody = t.client_with_token(None);
    let (home, docs) = (nobody.get("/").await.text(), nobody.get("/api/v1/docs").await.text());
    assert!(home.contains(r#"href="/api/v1/docs""#));
    let links = [" href=\"", " src=\""].map(|start| [between(&home, start, '"'), between(&docs, start, '"')]);
    let mut followed = 0;
    for link in links.into_iter().flatten().flatten() {
        if link.starts_with('/') {
            assert_eq!(nobody.get(link).await.status, 200, "{link}");
            followed += 1;
        }
    }
    assert!(followed > 10, "{followed} links");
    assert!(!docs.contains("http"), "the page names another origin");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_says_of_every_input_what_it_is() {
    let document = get("/api/v1/openapi.json").await.json();
    let tags: Vec<_> = document["tags"].as_array().expect("tags").iter().map(|tag| &tag["name"]).collect();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            assert!(tags.contains(&&operation["tags"][0]), "{method} {path}");
            for parameter in operation["parameters"].as_array().expect("parameters") {
                let about = parameter["description"].as_str().unwrap_or_default();
                assert!(!about.is_empty(), "{method} {path} {parameter}");
            }
        }
    }
    let goals = &document["paths"]["/api/v1/organizations/{organization}/goals"];
    let body = &goals["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["required"], serde_json::json!(["title", "periodId"]));
    let goal = &document["paths"]["/api/v1/organizations/{organization}/goals/{id}"];
    let names = |operation: &serde_json::Value| -> Vec<String> {
        let parameters = operation["parameters"].as_array().expect("parameters").iter();
        parameters.filter_map(|parameter| Some(parameter["name"].as_str()?.to_owned())).collect()
    };
    assert_eq!(names(&goal["delete"]), ["organization", "id", "children", "If-Match"]);
    let change = &goal["patch"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(change["required"], serde_json::json!([]), "a change needs nothing in particular");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_a_workbook_leads_to_how_its_goal_is_read() {
    let view = "/org_uuid/9ab0fcab-c1d4-4b26-963b-a3c33155f853/objective-explorer\
                ?viewId=2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7";
    assert!(get(&format!("{view}&goal=4080012")).await.text().contains("Goal 4080012"));
    for none in ["", "&goal=", "&goal=4080012%3Cb%3E", "&goal=-1"] {
        assert!(!get(&format!("{view}{none}")).await.text().contains("goal-title"), "{none}");
    }
}
