//! The Graph door from outside, rule by rule of docs/API.md: what a client sends, and the bytes that come back.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod api_settings;
mod batch;
mod content;
mod create;
mod errors;
mod get;
mod limits;
mod list;
mod order;
mod paths;
mod rights;

use std::time::Duration;

use goalpost::ids::OrganizationNumber;
use goalpost::views::{self, NewView, Selection, Sort};
use goalpost_db::params;
use goalpost_testing::{Answer, ORGANIZATION, TestApp, VIEW};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

/// Where exports are, as Microsoft's SDKs spell it.
const JOBS: &str = "/beta/employeeExperience/goals/exportJobs";
/// How the documentation and `Location` spell it.
const LOWER_JOBS: &str = "/beta/employeeexperience/goals/exportJobs";
/// A well-formed id that no server ever gave out.
const NOBODYS_JOB: &str = "j!uJJZyGd87hGFgvZV8bl-GlCBmj39kL1Cl3clung9SgU";
const HOUR: Duration = Duration::from_hours(1);

/// Status, headers and body, with what differs from run to run named instead of shown.
fn wire(t: &TestApp, answer: &Answer) -> String {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "content-length", "x-ms-ags-diagnostic"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", masked(t, answer, value)))
        .collect();
    headers.sort();
    format!("{}\n{}\n\n{}", answer.status, headers.join("\n"), body(t, answer))
}

/// The body, likewise.
fn body(t: &TestApp, answer: &Answer) -> String {
    masked(t, answer, &answer.text())
}

fn masked(t: &TestApp, answer: &Answer, text: &str) -> String {
    let request_id = answer.header("request-id").expect("every answer has a request-id");
    let text = text.replace(&t.url, "<server>").replace(request_id, "<request-id>");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let (mark, length) = match (job_id(rest), time(rest)) {
            (Some(length), _) => ("<job>", length),
            (None, Some(length)) if rest[..length].ends_with('Z') => ("<date-time>", length),
            (None, Some(length)) => ("<date>", length),
            (None, None) => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
                continue;
            }
        };
        out.push_str(mark);
        rest = &rest[length..];
    }
    out
}

/// The length of the job's id at the start of the text.
fn job_id(text: &str) -> Option<usize> {
    let key = text.strip_prefix("j!")?.get(..43)?;
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)).then_some(45)
}

/// The length of the time at the start of the text: an error's date, or a time with milliseconds cut and a `Z`.
fn time(text: &str) -> Option<usize> {
    let fits = |(byte, form): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    let whole = text.get(..19)?;
    whole.bytes().zip(*b"0000-00-00T00:00:00").all(fits).then_some(())?;
    let rest = &text[19..];
    if rest.starts_with('Z') {
        return Some(20);
    }
    let digits = rest.strip_prefix('.').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    let cut = (1..=3).contains(&digits) && !rest[..=digits].ends_with('0');
    Some(if cut && rest[1 + digits..].starts_with('Z') { 19 + digits + 2 } else { 19 })
}

/// The body of an error, to the byte: names, their order and their spelling.
fn envelope(code: &str, message: &str, inner: Option<&str>) -> String {
    let inner = inner.map_or_else(String::new, |inner| format!(r#""code":"{inner}","#));
    let message = json!(message);
    format!(
        r#"{{"error":{{"code":"{code}","message":{message},"innerError":{{{inner}"date":"<date>","request-id":"<request-id>","client-request-id":"<request-id>"}}}}}}"#
    )
}

/// An error that is documented: status, code, message, and the service's own inner code if it has one.
type Refusal<'a> = (u16, &'a str, &'a str, Option<&'a str>);

#[track_caller]
fn assert_refused(t: &TestApp, answer: &Answer, (status, code, message, inner): Refusal<'_>, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    assert_eq!(body(t, answer), envelope(code, message, inner), "{what}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
    assert_eq!(answer.header("odata-version"), None, "{what}");
}

/// The number of the organization of most tests.
const NUMBER: OrganizationNumber = OrganizationNumber(15_229);

/// Change the data behind the server's back.
fn sql(t: &TestApp, statement: &str) {
    sql_in(t, NUMBER.0, statement);
}

/// The same in another organization.
fn sql_in(t: &TestApp, organization: i64, statement: &str) {
    let scope = goalpost_db::Scope::Organization(organization);
    let changed = t.app.db.write_alone(scope, Duration::from_secs(5), |tx| tx.execute(statement, params![]));
    assert!(changed.expect("the statement runs") > 0, "nothing was changed by {statement}");
}

/// Give the organization a goal; a restricted one is seen by nobody but its creator.
fn insert_goal(t: &TestApp, id: i64, title: &str, restricted_to: Option<i64>) {
    let inserted = t.app.db.write_alone(NUMBER, Duration::from_secs(5), |tx| {
        tx.execute(
            "insert into goal (organization, id, revision, origin, object_type, type_label, status, creator,
                               checkin_count, restricted, goal_type, outcome_type, phased, title, title_fold)
             values (15229, ?1, 1, 'file', 'objective', 'Objective', 'On Track', ?2, 0, ?3, '', '', ?4, ?5, ?6)",
            params![
                id,
                restricted_to,
                restricted_to.is_some(),
                false,
                title,
                title.to_lowercase()
            ],
        )
    });
    inserted.expect("the goal is inserted");
}

/// Save a view of the organization under this name; its GUID.
fn save_view(t: &TestApp, name: &str) -> Uuid {
    let guid = t.app.ids.guid();
    let new = NewView {
        shares: Vec::new(),
        guid,
        name: name.to_owned(),
        owner: None,
        is_public: true,
        selection: Selection::default(),
        flat: true,
        sort: Sort::default(),
    };
    let saved =
        t.app.db.write_alone(NUMBER, Duration::from_secs(5), |tx| views::create(tx, NUMBER, &new, None));
    saved.expect("the view is saved");
    guid
}

/// An export of Ann's that succeeded; its id.
async fn finished_export(t: &TestApp) -> String {
    finished_export_of(t, VIEW).await
}

async fn finished_export_of(t: &TestApp, view: Uuid) -> String {
    let made = t.ann().create_export(ORGANIZATION, view).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(t.run_one().await);
    made.id()
}

async fn connect(t: &TestApp) -> TcpStream {
    TcpStream::connect(t.url.trim_start_matches("http://")).await.expect("a connection")
}

/// The head of an answer, up to the empty line.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("the head of an answer"));
    }
    String::from_utf8(head).expect("text")
}

/// What the server sends back, byte for byte, for bytes that no HTTP client would send.
async fn raw(t: &TestApp, request: &[u8]) -> String {
    let mut stream = connect(t).await;
    stream.write_all(request).await.expect("the request is sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the server closes the connection");
    String::from_utf8(answer).expect("text")
}
