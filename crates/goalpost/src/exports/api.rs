//! The Graph door: create an export, look at it, list (docs/API.md, "Endpoints").

use axum::Json;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::header::{HeaderName, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::id::{ExportId, InvalidId};
use super::options::Options;
use super::promise::{Promise, Stranger, promise_of_view};
use super::resource::{self, Properties, Root, job_not_found};
use super::{ExportSpec, KIND, WITH_OPTIONS, list, queries};
use crate::app::App;
use crate::http::options::read_options;
use crate::http::{GraphError, RequestIds, body, parse_guid, time};
use crate::identity::{Caller, Member, Scope, Subject};
use crate::shared_read::SharedRead;
use crate::views;

const ODATA_VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("odata-version"), HeaderValue::from_static("4.0"));

/// Members of a job that a client may send back, though it cannot set them.
const READ_ONLY: [&str; 8] = [
    "id",
    "createdDateTime",
    "lastActionDateTime",
    "resourceLocation",
    "status",
    "statusDetail",
    "expirationDateTime",
    "content",
];

/// Start an export of a view: 201 with `Location`, or 409 with that of the export that is pending for the pair.
pub async fn create_export(
    State(app): State<App>,
    caller: Caller,
    root: Root,
    request: Request,
) -> Result<Response, GraphError> {
    caller.require(Scope::ReadWrite)?;
    app.identity.count_create(&caller).map_err(|secs| {
        GraphError::too_many_requests(
            "Too many exports were created. Wait as long as Retry-After says.",
            secs,
        )
    })?;
    let trace = request.extensions().get::<RequestIds>().and_then(RequestIds::continuation);
    let (organization, view) = read_pair(request).await?;
    let unknown = organization_not_found;
    let number = app.identity.organization(organization).await?.ok_or_else(unknown)?;
    let mut is_joined = false;
    // Between a refused insert and the look at what stands in its way, that may have ended: then try again.
    for _ in 0..8 {
        match promise_of_view(&app, number, &caller, view, trace.clone()).await? {
            Ok(Promise::Made(key, created_at)) => {
                app.wake.notify_one();
                app.made.notify_one();
                app.metrics.jobs.created.inc();
                tracing::info!(job.id = %key.id, organization.id = %organization, "export created");
                return Ok(created(&root, ExportId { job: key.id, organization }, created_at));
            }
            Ok(Promise::Pending(key)) => {
                return Err(already_pending(&root, ExportId { job: key.id, organization }));
            }
            Ok(Promise::Gone) => {}
            Err(Stranger) if is_joined => return Err(unknown()),
            Err(Stranger) => {
                // Perhaps one whom nobody has joined to a person yet.
                app.identity.member(&caller, organization).await?.ok_or_else(unknown)?;
                is_joined = true;
            }
        }
    }
    Err(GraphError::unavailable())
}

/// What this member is to have of a view.
///
/// # Errors
/// 404 for one who has left, who learns no more of the organization than a stranger, and for a view that is not there for
/// them; 403 by [`require_right`]; as [`NewExport::of`].
pub(super) fn admit(
    member: &Member,
    view: Option<&views::View>,
    public_url: Option<&str>,
) -> Result<NewExport, GraphError> {
    if !member.active {
        return Err(organization_not_found());
    }
    require_right(member)?;
    let view = view.ok_or_else(|| {
        GraphError::service(
            StatusCode::NOT_FOUND,
            "notFound",
            "explorerViewIdNotFound",
            "Explorer view not found",
        )
    })?;
    NewExport::of(view, public_url)
}

/// Refuse a member whom the organization's policy does not let export.
pub fn require_right(member: &Member) -> Result<(), GraphError> {
    if member.may_export {
        return Ok(());
    }
    Err(GraphError::service(
        StatusCode::FORBIDDEN,
        "forbidden",
        "exportNotPermitted",
        "Your organization does not allow you to export. Ask an organization owner.",
    ))
}

/// An export to be promised.
#[derive(Clone, Debug)]
pub struct NewExport {
    pub(super) kind: &'static str,
    /// Of this view.
    pub(super) view: Uuid,
    pub(super) pair: Uuid,
    pub(super) spec: String,
}

impl NewExport {
    /// Of a view, as the Graph door makes it: by the view's own settings, if it has any.
    ///
    /// # Errors
    /// Settings that this program does not know, as those of a newer one; links of a server without an address.
    pub fn of(view: &views::View, public_url: Option<&str>) -> Result<Self, GraphError> {
        let mut spec = ExportSpec::freeze(view);
        if let Some(settings) = &view.api_settings {
            let settings = serde_json::from_str(settings).map_err(|error| error.to_string());
            let options = settings.and_then(Options::parse).map_err(|error| GraphError::internal(&error))?;
            options.check_origin(public_url).map_err(|why| {
                GraphError::bad_request(format!("This view's API settings cannot be carried out: {why}."))
            })?;
            spec = spec.with(options);
        }
        Ok(Self { kind: KIND, view: view.guid, pair: view.guid, spec: spec.to_json() })
    }

    /// As the caller wants it. The Graph door lists it, and pends with it, only if it is one that could have been asked
    /// for there: the Viva Goals file of a view without settings of its own.
    pub fn with_options(view: &views::View, spec: &ExportSpec) -> Self {
        Self::of_kind(if view.api_settings.is_none() { KIND } else { WITH_OPTIONS }, view.guid, spec)
    }

    /// One like that which was asked for as this kind.
    pub fn again(kind: &str, view: Uuid, spec: &ExportSpec) -> Self {
        Self::of_kind(if kind == KIND { KIND } else { WITH_OPTIONS }, view, spec)
    }

    fn of_kind(of_viva: &'static str, view: Uuid, spec: &ExportSpec) -> Self {
        let pair = spec.pair(view);
        let kind = if pair == view { of_viva } else { WITH_OPTIONS };
        Self { kind, view, pair, spec: spec.to_json() }
    }
}

/// The organization and the view that the body names.
async fn read_pair(request: Request) -> Result<(Uuid, Uuid), GraphError> {
    let (mut organization, mut view) = (None, None);
    for (name, value) in body::read_object(request).await? {
        match name.as_str() {
            "goalsOrganizationId" => organization = Some(value),
            "explorerViewId" => view = Some(value),
            name if name.contains('@') || READ_ONLY.contains(&name) => {}
            name => {
                return Err(GraphError::bad_request(format!(
                    "The property '{name}' does not exist on type 'microsoft.graph.goalsExportJob'. Make sure to \
                     only use property names that are defined by the type."
                )));
            }
        }
    }
    let guid = |value: Option<Value>, name: &str, inner| {
        value.as_ref().and_then(Value::as_str).and_then(parse_guid).ok_or_else(|| {
            let message =
                format!("'{name}' must be specified in 'Export Job', and it should be a valid GUID.");
            GraphError::service(StatusCode::BAD_REQUEST, "badRequest", inner, message)
        })
    };
    Ok((
        guid(organization, "GoalsOrganizationId", "invalidGoalsOrganizationId")?,
        guid(view, "ExplorerViewId", "invalidExplorerViewId")?,
    ))
}

fn created(root: &Root, id: ExportId, created_at: i64) -> Response {
    let body = json!({
        "@odata.context": root.context("/goals/exportJobs/$entity"),
        "id": id.to_string(),
        "createdDateTime": time::date_time(created_at),
        "status": "notStarted",
    });
    (StatusCode::CREATED, [ODATA_VERSION, location(&root.job(id))], Json(body)).into_response()
}

fn location(url: &str) -> (HeaderName, HeaderValue) {
    (LOCATION, HeaderValue::from_str(url).unwrap_or(HeaderValue::from_static("")))
}

fn already_pending(root: &Root, id: ExportId) -> GraphError {
    already_pending_in(&id.to_string(), &root.job(id))
}

/// 409 that leads to the export that is pending.
pub fn already_pending_in(id: &str, location: &str) -> GraphError {
    GraphError::service(
        StatusCode::CONFLICT,
        "notAllowed",
        "exportJobAlreadyExists",
        "Another export job is still active or waiting to be executed",
    )
    .target(id.to_owned())
    .location(location)
}

fn organization_not_found() -> GraphError {
    GraphError::service(
        StatusCode::NOT_FOUND,
        "notFound",
        "goalsOrganizationIdNotFound",
        "Goals organization not found",
    )
}

/// One export's status, with `Retry-After` while it is pending.
pub async fn get_export(
    State(app): State<App>,
    caller: Caller,
    root: Root,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, GraphError> {
    caller.require(Scope::Read)?;
    let options = read_options(query.as_deref(), &["select", "format"])?.1;
    let properties = Properties::from_select(options.select.as_deref())?;
    let (member, export, now) = find_export(&app, &caller, &id).await?;
    let mut json = Map::new();
    let context = root.context(&format!("/goals/exportJobs{}/$entity", properties.in_context()));
    json.insert("@odata.context".into(), context.into());
    json.extend(resource::to_json(&export, &member, &root, &properties));
    let mut headers = HeaderMap::from_iter([ODATA_VERSION]);
    if export.job.state.is_pending() {
        let secs = resource::retry_after_secs(&app, now - export.job.created_at);
        headers.insert(RETRY_AFTER, HeaderValue::from(secs));
    }
    Ok((headers, Json(json)).into_response())
}

/// Exports that are looked at just now: what several polls of a caller find at once is read once.
pub type Polls = SharedRead<(Subject, Option<String>, ExportId), goalpost_db::Result<Found>>;

/// Who looks, what they see, and the database's time; `None` for who is not in the organization.
type Found = Option<(Member, (Option<queries::Export>, i64))>;

/// The export of this id, as far as the caller may know of it; and the database's time.
///
/// # Errors
/// 400 for a text that is no id; 404 for an id of nothing, or of nothing of the caller's.
pub(super) async fn find_export(
    app: &App,
    caller: &Caller,
    id: &str,
) -> Result<(Member, queries::Export, i64), GraphError> {
    let id = ExportId::parse(id).map_err(|invalid| match invalid {
        InvalidId::Malformed => {
            GraphError::service(StatusCode::BAD_REQUEST, "badRequest", "unknown", "Invalid JobKey specified")
        }
        InvalidId::Unknown => job_not_found(),
    })?;
    let read = app.identity.member_and(caller, id.organization, |tx, member| {
        Ok((queries::find(tx, member, id.job)?, tx.now_us()))
    });
    // Where the database is not asked over a network, reading takes less than waiting for somebody else's reading.
    let found = if app.db.is_remote() {
        // A caller who is not joined yet is joined by the e-mail of their token.
        let key = (caller.subject.clone(), caller.linkable_email().map(str::to_owned), id);
        app.kept.get::<Polls>().get(key, read).await
    } else {
        read.await
    };
    match found? {
        Some((member, (Some(export), now))) => Ok((member, export, now)),
        _ => Err(job_not_found()),
    }
}

/// The exports that the caller may know of, newest first, in pages.
pub async fn list_exports(
    State(app): State<App>,
    caller: Caller,
    root: Root,
    RawQuery(query): RawQuery,
) -> Result<Response, GraphError> {
    caller.require(Scope::Read)?;
    let all = ["filter", "select", "top", "skip", "count", "skiptoken", "orderby", "format"];
    let (query, options) = read_options(query.as_deref(), &all)?;
    let request = list::Request::new(&options)?;
    let memberships = app.identity.memberships(&caller).await?;
    let page = list::page(&app.db, &memberships, &request).await?;
    let mut json = Map::new();
    let context = root.context(&format!("/goals/exportJobs{}", request.properties.in_context()));
    json.insert("@odata.context".into(), context.into());
    if let Some(count) = page.count {
        json.insert("@odata.count".into(), count.into());
    }
    if let Some(token) = page.next {
        json.insert("@odata.nextLink".into(), root.list_page(&query.with_skiptoken(&token)).into());
    }
    let value = page
        .exports
        .iter()
        .map(|(member, export)| resource::to_json(export, member, &root, &request.properties).into())
        .collect();
    json.insert("value".into(), Value::Array(value));
    Ok(([ODATA_VERSION], Json(json)).into_response())
}

/// How many exports [`list_exports`] lists, as plain text.
pub async fn count_exports(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, GraphError> {
    caller.require(Scope::Read)?;
    let (_, options) = read_options(query.as_deref(), &["filter"])?;
    let request = list::Request::new(&options)?;
    let memberships = app.identity.memberships(&caller).await?;
    let count = list::count(&app.db, &memberships, &request).await?;
    Ok(([ODATA_VERSION], [("content-type", "text/plain")], count.to_string()).into_response())
}

/// The resource above [`get_goals`], which has nothing of its own either.
pub async fn get_employee_experience(_caller: Caller, root: Root) -> Response {
    ([ODATA_VERSION], Json(json!({ "@odata.context": root.context("") }))).into_response()
}

/// The resource that holds the exports: nothing of its own but a name.
pub async fn get_goals(_caller: Caller, root: Root) -> Response {
    ([ODATA_VERSION], Json(json!({ "@odata.context": root.context("/goals/$entity") }))).into_response()
}
