//! Fetching a finished file: whole, in part, or not again if it is known (RFC 9110 §13, §14).

use std::io;
use std::ops::Range;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http_body_util::BodyExt as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tracing::Instrument as _;

use super::ExportId;
use super::api::{find_export, require_right};
use super::manifest::hex;
use super::options::media_type;
use super::queries::{self, Content, Export};
use super::resource;
use crate::app::App;
use crate::audit;
use crate::http::GraphError;
use crate::http::options::read_options;
use crate::identity::{Caller, Member, Scope};
use crate::jobs::{JobKey, State as JobState};
use crate::store::{self, ErrorKind, Reading};

/// What stands for itself in an extended parameter (RFC 8187 §3.2.1), as far as file names have it.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

/// The file of an export. Served whatever `Accept` says: Graph's own clients ask for JSON here.
pub async fn get_content(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, GraphError> {
    caller.require(Scope::Read)?;
    read_options(query.as_deref(), &[])?;
    let (member, export, now) = find_export(&app, &caller, &id).await?;
    let Some(content) = &export.content else {
        let id = ExportId { job: export.job.key.id, organization: member.organization_guid };
        return Err(not_there(&app, &export, id, now));
    };
    // The rights of now, not those of when the export was asked for.
    require_right(&member)?;
    if !export.content_is_for(&member) {
        return Err(forbidden(
            "exportBelongsToAnother",
            "This export holds what its creator may see. Create your own export of this view.",
        ));
    }
    let served = serve(&app, member, export.job.key, content, &method, headers).await;
    if served.is_err() {
        // If the export has expired since it was found, this says so.
        find_export(&app, &caller, &id).await?;
    }
    served
}

/// The file, whole or in part, for a member whose right to it was asked.
pub async fn serve(
    app: &App,
    member: Member,
    job: JobKey,
    content: &Content,
    method: &Method,
    mut headers: HeaderMap,
) -> Result<Response, GraphError> {
    if *method != Method::GET {
        headers.remove(RANGE); // RFC 9110 §14.2: no other method knows it
    }
    let (mut response, part) = answer(content, &headers);
    if let Some(part) = part.filter(|_| *method == Method::GET) {
        *response.body_mut() = read(app, job, content, part).await?;
    }
    let record = record(app.clone(), member, job, response.status(), headers);
    // Not waited for: the bytes are there, and the database may be busy.
    app.tasks.spawn(record.in_current_span());
    Ok(if *method == Method::GET { counted(app, response) } else { response })
}

/// Count what of the file is fetched.
fn counted(app: &App, response: Response) -> Response {
    let length = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let Some(length) = length.filter(|_| response.status().is_success()) else { return response };
    let mut download = app.metrics.exports.download(length);
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            download.took(frame.data_ref().map_or(0, Bytes::len));
            frame
        }))
    })
}

/// 409 for a job that has made no file: with `Retry-After` while it may still come.
fn not_there(app: &App, export: &Export, id: ExportId, now: i64) -> GraphError {
    let refused = no_file(export, &id.to_string());
    if export.job.state == JobState::Failed {
        return refused;
    }
    refused.retry_after(resource::retry_after_secs(app, now - export.job.created_at))
}

/// 409 for a job that has made no file.
pub fn no_file(export: &Export, id: &str) -> GraphError {
    let (inner, message) = if export.job.state == JobState::Failed {
        ("exportJobFailed", "The export job failed and has no content. Create a new export job.")
    } else {
        (
            "exportJobNotCompleted",
            "The export job is not completed. Its content can be read once its status is succeeded.",
        )
    };
    GraphError::service(StatusCode::CONFLICT, "notAllowed", inner, message).target(id.to_owned())
}

fn forbidden(inner: &'static str, message: &str) -> GraphError {
    GraphError::service(StatusCode::FORBIDDEN, "forbidden", inner, message)
}

/// The bytes of a range, as a body that is whole or is cut.
async fn read(app: &App, job: JobKey, content: &Content, range: Range<u64>) -> Result<Body, GraphError> {
    let reading = open(app, job, content, range).await.map_err(|error| {
        // A store that lost a file does not find it again; one that is away comes back.
        if error.kind() == ErrorKind::NotFound {
            return GraphError::internal(&error);
        }
        tracing::warn!(%error, "could not read a content");
        GraphError::unavailable()
    })?;
    if reading.size_bytes != content.size_bytes {
        let size = reading.size_bytes;
        return Err(GraphError::internal(&format!("a content has {size} bytes in the store, not its own")));
    }
    Ok(Body::from_stream(reading.bytes.inspect_err(|error| tracing::warn!(%error, "a download was cut"))))
}

/// A range of an export's file, from the store or from its row.
///
/// # Errors
/// As [`crate::store::ContentStore::read`]; the database's.
pub async fn open(
    app: &App,
    job: JobKey,
    content: &Content,
    range: Range<u64>,
) -> Result<Reading, store::Error> {
    if !content.in_row {
        return app.content.read(&content.key, range).await;
    }
    let found = app.db.read(job.organization, |tx| queries::find_bytes(tx, job)).await;
    let bytes = Bytes::from(found.map_err(io::Error::other)?.unwrap_or_default());
    let size_bytes = bytes.len() as u64;
    if range.end > size_bytes {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let part = bytes.slice(range.start as usize..range.end as usize);
    Ok(Reading { size_bytes, bytes: stream::iter([Ok(part)]).boxed() })
}

/// The answer without its body, and which bytes the body is to be, if it is to have any.
fn answer(content: &Content, request: &HeaderMap) -> (Response, Option<Range<u64>>) {
    let etag = etag(content);
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static(media_type(&content.file_name))),
        (CONTENT_DISPOSITION, disposition(&content.file_name)),
        (ETAG, etag.clone()),
        (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]);
    if request.get(IF_NONE_MATCH).is_some_and(|known| names(known, &etag)) {
        return ((StatusCode::NOT_MODIFIED, headers).into_response(), None);
    }
    // A part of another version must never be spliced in: then the whole file is sent.
    let same = request.get(IF_RANGE).is_none_or(|known| *known == etag);
    let range = request.get(RANGE).filter(|_| same).and_then(|range| requested(range, content.size_bytes));
    let (status, bytes) = match range {
        None => (StatusCode::OK, 0..content.size_bytes),
        Some(Ok(bytes)) => {
            let value = format!("bytes {}-{}/{}", bytes.start, bytes.end - 1, content.size_bytes);
            headers.insert(CONTENT_RANGE, HeaderValue::from_str(&value).expect("digits"));
            (StatusCode::PARTIAL_CONTENT, bytes)
        }
        Some(Err(Unsatisfiable)) => {
            let value = HeaderValue::from_str(&format!("bytes */{}", content.size_bytes)).expect("digits");
            let refusal = GraphError::gateway(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "rangeNotSatisfiable",
                "The requested range lies outside of the content.",
            );
            return (([(CONTENT_RANGE, value)], refusal).into_response(), None);
        }
    };
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.end - bytes.start));
    ((status, headers).into_response(), Some(bytes))
}

/// The content's hash: equal tags are equal bytes.
fn etag(content: &Content) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{}\"", hex(&content.sha256)))
        .expect("hexadecimal digits in quotation marks")
}

/// Whether a list of entity tags names this one, weakly (RFC 9110 §13.1.2).
fn names(list: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(list), Ok(etag)) = (list.to_str(), etag.to_str()) else { return false };
    list.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// The range begins behind the end.
#[derive(Debug, PartialEq, Eq)]
struct Unsatisfiable;

/// The one range that is asked for. `None`, so the whole, for what is not understood and for several ranges at once:
/// a server may always ignore `Range` (RFC 9110 §14.2).
fn requested(range: &HeaderValue, size: u64) -> Option<Result<Range<u64>, Unsatisfiable>> {
    let (first, last) = range.to_str().ok()?.strip_prefix("bytes=")?.trim().split_once('-')?;
    let number = |text: &str| -> Option<Option<u64>> {
        if text.is_empty() {
            return Some(None);
        }
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())
            .map(|n| n.or(Some(u64::MAX)))
    };
    let bytes = match (number(first)?, number(last)?) {
        (None, Some(suffix)) => size.saturating_sub(suffix)..size,
        (Some(first), None) => first..size,
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        _ => return None,
    };
    Some(if bytes.start < bytes.end { Ok(bytes) } else { Err(Unsatisfiable) })
}

/// The file's name, twice: in ASCII for old clients, and whole (RFC 6266 §4.3, RFC 8187).
fn disposition(file_name: &str) -> HeaderValue {
    let plain: String = file_name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' })
        .collect();
    let whole = utf8_percent_encode(file_name, ATTRIBUTE);
    let value = if plain == file_name {
        format!("attachment; filename=\"{plain}\"")
    } else {
        format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
    };
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

/// Say in the audit log who fetched what. A download that was begun is not refused because that cannot be written.
async fn record(app: App, member: Member, job: JobKey, status: StatusCode, headers: HeaderMap) {
    let id = job.id.to_string();
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok()).map(str::to_owned);
    let detail = json!({ "status": status.as_u16(), "range": range });
    let written = app
        .db
        .write(member.organization, move |tx| {
            audit::record(tx, member.organization, Some(member.person), "exportDownloaded", &id, &detail)
        })
        .await;
    if let Err(error) = written {
        tracing::warn!(%error, "could not record a download");
    }
}
