//! Which refusal a request gets that is wrong in more than one way: the one of the earlier check, so that nothing about
//! a resource is told before authentication, and a token that only reads learns nothing from bodies.

use goalpost::views::Preset;
use goalpost_testing::{Answer, ORGANIZATION, READ, READ_WRITE, TestApp, VIEW};
use serde_json::json;

use super::JOBS;

/// A request that is right until something is changed.
#[derive(Clone)]
struct Ask {
    path: String,
    method: &'static str,
    email: &'static str,
    scopes: Option<&'static str>,
    content_type: &'static str,
    organization: String,
    view: String,
    extra_member: bool,
    broken: bool,
    padding: usize,
}

impl Ask {
    fn right() -> Self {
        Self {
            path: JOBS.to_owned(),
            method: "POST",
            email: "ann@wren.example",
            scopes: Some(READ_WRITE),
            content_type: "application/json",
            organization: ORGANIZATION.to_string(),
            view: Preset::AllObjectives.guid(ORGANIZATION).to_string(),
            extra_member: false,
            broken: false,
            padding: 0,
        }
    }

    async fn send(&self, t: &TestApp) -> Answer {
        let client = match self.scopes {
            Some(scopes) => t.client_with_scopes(self.email, scopes),
            None => t.client_with_token(None),
        };
        let mut body = json!({ "goalsOrganizationId": self.organization, "explorerViewId": self.view });
        if self.extra_member {
            body["colour"] = json!("green");
        }
        let mut text = body.to_string();
        if self.broken {
            text.insert(1, '!');
        }
        text.push_str(&" ".repeat(self.padding));
        let request = client.request(self.method, &self.path).header("content-type", self.content_type);
        client.send(request.body(text)).await
    }
}

/// Something wrong, and the status, code and inner code that tell of it.
type Fault = (&'static str, fn(&mut Ask), u16, &'static str, Option<&'static str>);

/// In the order of the checks.
const FAULTS: [Fault; 14] = [
    ("no token", |ask| ask.scopes = None, 401, "InvalidAuthenticationToken", None),
    ("an unknown segment", |ask| ask.path = JOBS.replace("goals", "gaols"), 400, "BadRequest", None),
    ("a method that is not there", |ask| ask.method = "PATCH", 405, "methodNotAllowed", None),
    ("a token that only reads", |ask| ask.scopes = Some(READ), 403, "forbidden", Some("missingScope")),
    ("a large body", |ask| ask.padding = 70_000, 413, "payloadTooLarge", None),
    ("a content type", |ask| ask.content_type = "text/plain", 415, "unsupportedMediaType", None),
    ("no JSON", |ask| ask.broken = true, 400, "BadRequest", None),
    ("an unknown member", |ask| ask.extra_member = true, 400, "BadRequest", None),
    (
        "an organization that is no GUID",
        |ask| ask.organization = "wren".into(),
        400,
        "badRequest",
        Some("invalidGoalsOrganizationId"),
    ),
    (
        "a view that is no GUID",
        |ask| ask.view = "new view".into(),
        400,
        "badRequest",
        Some("invalidExplorerViewId"),
    ),
    (
        "an unknown organization",
        |ask| ask.organization = VIEW.to_string(),
        404,
        "notFound",
        Some("goalsOrganizationIdNotFound"),
    ),
    (
        "a member who may not export",
        |ask| ask.email = "ben@wren.example",
        403,
        "forbidden",
        Some("exportNotPermitted"),
    ),
    (
        "an unknown view",
        |ask| ask.view = ORGANIZATION.to_string(),
        404,
        "notFound",
        Some("explorerViewIdNotFound"),
    ),
    ("a pending pair", |ask| ask.view = VIEW.to_string(), 409, "notAllowed", Some("exportJobAlreadyExists")),
];

async fn server_with_a_pending_export() -> TestApp {
    let t = TestApp::start_with(|config| config.limits.creates_per_10_secs = 1000).await;
    assert_eq!(t.ann().create_export(ORGANIZATION, VIEW).await.status, 201);
    t
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_wrong_in_two_ways_gets_the_earlier_refusal() {
    let t = server_with_a_pending_export().await;
    for (index, (earlier, spoil, status, code, inner)) in FAULTS.iter().enumerate() {
        for (later, spoil_later, ..) in &FAULTS[index..] {
            let mut ask = Ask::right();
            spoil_later(&mut ask);
            spoil(&mut ask);
            let answer = ask.send(&t).await;
            let (seen, _, seen_inner) = answer.error();
            let seen = (answer.status, seen.as_str(), seen_inner.as_deref());
            assert_eq!(seen, (*status, *code, *inner), "{earlier}, and {later}: {}", answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_fault_is_created() {
    let t = server_with_a_pending_export().await;
    let made = Ask::right().send(&t).await;
    assert_eq!(made.status, 201, "{}", made.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_checks_the_token_then_the_method_then_the_scope_then_the_request() {
    let t = TestApp::start().await;
    let bad = format!("{JOBS}/nonsense?$expand=x");
    for (method, path, scopes, expected) in [
        ("DELETE", bad.as_str(), None, (401, "InvalidAuthenticationToken")),
        ("DELETE", bad.as_str(), Some("Other.Read"), (405, "methodNotAllowed")),
        ("GET", bad.as_str(), Some("Other.Read"), (403, "forbidden")),
        ("GET", bad.as_str(), Some(READ), (400, "BadRequest")),
        ("GET", "/beta/employeeExperience/goals/exportJobs/nonsense", Some(READ), (400, "badRequest")),
        ("GET", "/beta/employeeExperience/goals/exportJobs/nonsense/content", Some("x"), (403, "forbidden")),
        ("GET", "/beta/employeeExperience/goals/exportJobs?$top=x", Some("x"), (403, "forbidden")),
        ("GET", "/beta/employeeExperience/goals/exportJobs/$count?$filter=", Some("x"), (403, "forbidden")),
    ] {
        let client = match scopes {
            Some(scopes) => t.client_with_scopes("ann@wren.example", scopes),
            None => t.client_with_token(None),
        };
        let answer = client.send(client.request(method, path)).await;
        assert_eq!((answer.status, answer.error().0.as_str()), expected, "{method} {path} {scopes:?}");
    }
}
