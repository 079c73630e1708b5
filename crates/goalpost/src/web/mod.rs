//! The page at `/` and at the URL form that Viva Goals had, so that ids are found where they always were, and the page
//! on which people try `/api/v1`.
//!
//! The first needs no sign-in because it reads no data: it shows the ids that its own URL carries, whether they exist
//! or not, and how to export that view. It works without scripts; the `Content-Security-Policy` allows none.
//!
//! The second is one script that draws what `openapi.json` says. It holds no data either: what it shows is answered to
//! the token that its reader puts in, at the same doors and by the same rights as to anybody. Its policy allows that
//! script and requests to this server, and nothing that is written into the page.

mod page;
mod steps;

use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::app::App;
use page::{Page, UrlProblem};
pub use steps::{Steps, steps};

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Of the page with a script, which may put text into itself and no markup.
const SCRIPT_POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The path and query of a view's page; a public URL goes before it.
pub fn explorer_path(organization: Uuid, view: Uuid) -> String {
    format!("/org_uuid/{organization}/objective-explorer?viewId={view}")
}

/// `GET /`: what Goalpost is, and the way of an export with places for the ids.
pub async fn home(State(app): State<App>, headers: HeaderMap) -> Response {
    html(StatusCode::OK, POLICY, &page::render(&base_url(&app, &headers), &Page::Home))
}

/// `GET /org_uuid/{organization}/objective-explorer?viewId={view}`: the same with the ids of one view, and with
/// `&goal={number}`, as links in workbooks have it, how that goal is read. A URL that carries no two GUIDs is answered 400
/// and a note on what is wrong with it.
pub async fn explorer(
    State(app): State<App>,
    Path(organization): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.as_deref().unwrap_or_default();
    let goal = parameter(query, "goal").and_then(|goal| goal.parse().ok());
    let (status, page) = match read_ids(&organization, parameter(query, "viewId")) {
        Ok((organization, view)) => (StatusCode::OK, Page::View { organization, view, goal }),
        Err(problem) => (StatusCode::BAD_REQUEST, Page::Wrong(problem)),
    };
    html(status, POLICY, &page::render(&base_url(&app, &headers), &page))
}

/// `GET /api/v1/docs`: every route of `/api/v1`, to read and to try.
pub async fn try_api() -> Response {
    html(StatusCode::OK, SCRIPT_POLICY, include_str!("try.html"))
}

/// `GET /api/v1/docs.js`: the script of that page.
pub async fn try_script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("try.js"))
}

/// `GET /page.css`.
pub async fn stylesheet() -> Response {
    asset("text/css; charset=utf-8", include_str!("page.css"))
}

/// `GET /icon.svg`.
pub async fn icon() -> Response {
    asset("image/svg+xml", include_str!("icon.svg"))
}

/// `GET /docs/api`.
pub async fn api_document() -> Response {
    asset("text/plain; charset=utf-8", include_str!("../../../../docs/API.md"))
}

/// `GET /docs/api-v1`.
pub async fn api_v1_document() -> Response {
    asset("text/plain; charset=utf-8", include_str!("../../../../docs/API-V1.md"))
}

/// `GET /docs/data`.
pub async fn data_document() -> Response {
    asset("text/plain; charset=utf-8", include_str!("../../../../docs/DATA.md"))
}

fn read_ids(organization: &str, view: Option<String>) -> Result<(Uuid, Uuid), UrlProblem> {
    let guid = |text: &str| (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten();
    let organization = guid(organization).ok_or_else(|| UrlProblem::Organization(organization.to_owned()))?;
    let view = view.ok_or(UrlProblem::NoView)?;
    let view = guid(&view).ok_or(UrlProblem::View(view))?;
    Ok((organization, view))
}

/// The first value of this name in a query string.
fn parameter(query: &str, name: &str) -> Option<String> {
    let (_, value) = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .find(|(other, _)| other.eq_ignore_ascii_case(name))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// Where this server is reached: as configured, else as the request says, else as it listens. A `Host` with anything
/// but the signs of a host is not repeated, since people paste these lines into a shell.
fn base_url(app: &App, headers: &HeaderMap) -> String {
    if let Some(url) = &app.config.public_url {
        return url.clone();
    }
    let is_plain = |host: &&str| {
        !host.is_empty() && host.bytes().all(|sign| sign.is_ascii_alphanumeric() || b".-:[]".contains(&sign))
    };
    match headers.get(HOST).and_then(|host| host.to_str().ok()).filter(is_plain) {
        Some(host) => format!("http://{host}"),
        None => format!("http://{}", app.config.listen),
    }
}

fn guards(policy: &'static str) -> [(HeaderName, &'static str); 3] {
    [
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ]
}

fn html(status: StatusCode, policy: &'static str, text: &str) -> Response {
    let kind = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (status, kind, guards(policy), text.to_owned()).into_response()
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=3600")], guards(POLICY), text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ids_must_be_guids() {
        let guid = "9ab0fcab-c1d4-4b26-963b-a3c33155f853";
        let view = || Some(guid.to_owned());
        assert!(read_ids(guid, view()).is_ok());
        assert_eq!(read_ids("acme", view()), Err(UrlProblem::Organization("acme".into())));
        assert!(read_ids(&guid.replace('-', ""), view()).is_err());
        assert_eq!(read_ids(guid, None), Err(UrlProblem::NoView));
        assert_eq!(read_ids(guid, Some("1".into())), Err(UrlProblem::View("1".into())));
    }

    #[test]
    fn the_view_is_found_in_any_query() {
        let view_id = |query| parameter(query, "viewId");
        assert_eq!(view_id("tab=1&viewId=a%3Cb&viewId=c").as_deref(), Some("a<b"));
        assert_eq!(view_id("viewid=a").as_deref(), Some("a"));
        assert_eq!(view_id("viewId").as_deref(), Some(""));
        assert_eq!(view_id(""), None);
        assert_eq!(view_id("viewId=%ff%"), Some("\u{fffd}%".to_owned()));
    }
}
