//! Imports over HTTP: the file is the body, the options stand in the query, a worker does the rest.

use std::sync::PoisonError;

use axum::Json as Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use goalpost_odata::QueryString;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::discretion::keep_discreet;
use super::read::one;
use super::{Call, no_such, upload};
use crate::app::App;
use crate::audit;
use crate::goals::filter::Subject as Reader;
use crate::goals::rights::{Action, Subject, Verdict, may};
use crate::http::{GraphError, RequestIds};
use crate::identity::{Member, Scope};
use crate::imports::{ImportMap, ImportSpec, KIND, UndoError, parse_label, queries, report_table, undo};
use crate::jobs::lease::Progress;
use crate::jobs::{JobKey, NewJob, queries as jobs};
use crate::store::Stored;
use crate::trace::TraceParent;

/// What a route does with imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A file is sent.
    Create,
    /// What became of it.
    Report,
    /// It is called off, or forgotten.
    Delete,
    /// It is taken back.
    Undo,
}

impl Deed {
    /// What a token must allow.
    pub fn scope(self) -> Scope {
        match self {
            Self::Create | Self::Delete | Self::Undo => Scope::WriteGoals,
            Self::Report => Scope::ReadGoals,
        }
    }
}

/// Do what the route says.
pub(super) async fn serve(call: Call, deed: Deed, request: Request) -> Result<Response, GraphError> {
    // Only who may import gets past this.
    let member = call.member().await?;
    match deed {
        Deed::Create => create(&call, member, request).await,
        Deed::Report => report(&call, member).await,
        Deed::Delete => delete(&call, member).await,
        Deed::Undo => take_back(&call, member).await,
    }
}

/// # Errors
/// 403 for a member who may not import.
pub(super) async fn require_right(app: &App, member: &Member) -> Result<(), GraphError> {
    let verdict = app.db.read(member.organization, |tx| {
        may(tx, member.organization, member.person, Action::Import, Subject::Organization)
    });
    match verdict.await? {
        Verdict::May => Ok(()),
        Verdict::MayNot(reason) => Err(GraphError::service(
            StatusCode::FORBIDDEN,
            "forbidden",
            "notPermitted",
            format!("Not permitted: {reason}."),
        )),
    }
}

/// Say how far an import is that runs in this process. Others know it as of the last renewal of its lease, which on SQLite
/// waits while rows are written.
pub(super) fn add_progress(app: &App, row: &mut Map<String, Json>) {
    let id = row.get("id").and_then(Json::as_str).and_then(|id| Uuid::try_parse(id).ok());
    let running = app.running.lock().unwrap_or_else(PoisonError::into_inner);
    let progress = id.and_then(|id| running.get(&id));
    if let Some(all) = progress.and_then(Progress::all).filter(|_| row["status"] == "running") {
        row.insert("rowsExpected".to_owned(), all.into());
        row.insert("rowsDone".to_owned(), progress.map_or(0, Progress::done).into());
    }
}

/// What the query of an import says.
struct Asked {
    spec: ImportSpec,
    file_name: String,
}

const OPTIONS: &str = "The options are dryRun, prune, takeFile, label, map and fileName";

impl Asked {
    fn parse(query: Option<&str>) -> Result<Self, GraphError> {
        let query = QueryString::parse(query.unwrap_or_default())
            .map_err(|error| GraphError::bad_request(format!("The query string cannot be read: {error}.")))?;
        let mut asked = Self { spec: ImportSpec::default(), file_name: "import".to_owned() };
        let flag = |name: &str, value: &str| match value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(GraphError::bad_request(format!("'{name}' is true or false."))),
        };
        for (name, value) in query.pairs() {
            let spec = &mut asked.spec;
            match name {
                "dryRun" => spec.dry_run = flag(name, value)?,
                "prune" => spec.prune = flag(name, value)?,
                "takeFile" => spec.take_file = flag(name, value)?,
                "label" => {
                    let (label, meaning) = parse_label(value)
                        .map_err(|wrong| GraphError::bad_request(format!("'label': {wrong}.")))?;
                    spec.labels.push((label, meaning.as_str().to_owned()));
                }
                "map" => {
                    spec.map = ImportMap::parse(value).map_err(|error| {
                        GraphError::bad_request(format!("'map' is no map of names and headers: {error}"))
                    })?;
                }
                "fileName" => value.clone_into(&mut asked.file_name),
                "$format" => {}
                _ => {
                    return Err(GraphError::bad_request(format!(
                        "The query option '{name}' is not supported on this resource. {OPTIONS}."
                    )));
                }
            }
        }
        let is_name = |text: &str| {
            !text.is_empty()
                && text.chars().count() <= 200
                && !text.contains(['/', '\\'])
                && !text.contains(char::is_control)
        };
        if !is_name(&asked.file_name) {
            return Err(GraphError::bad_request(
                "'fileName' is the name of a file without its folder, of 200 characters at most.",
            ));
        }
        Ok(asked)
    }
}

async fn create(call: &Call, member: Member, request: Request) -> Result<Response, GraphError> {
    let app = &call.app;
    let asked = Asked::parse(call.query.as_deref())?;
    app.identity.count_create(&call.caller).map_err(|secs| {
        GraphError::too_many_requests(
            "Too many imports were created. Wait as long as Retry-After says.",
            secs,
        )
    })?;
    // Who would be refused in the end need not send anything.
    refuse_if_pending(call, &member).await?;
    let now = app.db.read(member.organization, |tx| Ok::<_, goalpost_db::Error>(tx.now_us())).await?;
    // The id carries the creation, cut to milliseconds as on the wire.
    let created_at = now / 1000 * 1000;
    let key = JobKey { organization: member.organization, id: app.ids.timed_guid(created_at) };
    let trace = request.extensions().get::<RequestIds>().and_then(RequestIds::continuation);
    let name = queries::content_name(key, app.ids.guid());
    let limit = app.config.imports.max_bytes;
    let stored = upload::store(app, &call.headers, request.into_body(), limit, name).await?;

    let file = stored.key.clone();
    if let Err(refused) = promise(call, member, key, created_at, asked, stored, trace).await {
        if let Err(error) = app.content.remove(&file).await {
            tracing::warn!(%error, "could not remove a file that was sent in vain; it is swept later");
        }
        return Err(refused);
    }
    app.wake.notify_one();
    app.made.notify_one();
    app.metrics.jobs.created.inc();
    tracing::info!(job.id = %key.id, organization.id = %member.organization_guid, "import created");
    let row = one(call, member, key.id.into_bytes().into()).await?.ok_or_else(GraphError::unavailable)?;
    let url = address(call, &member, key.id);
    let location = HeaderValue::from_str(&url).unwrap_or(HeaderValue::from_static(""));
    let mut json = Map::new();
    json.insert("@odata.context".into(), call.context("/$entity").into());
    json.extend(row);
    Ok((StatusCode::CREATED, [(LOCATION, location)], call.terms.answer(call.set(), json)).into_response())
}

/// Write the import and its job, unless one is pending in the organization: of two at once the second would be checked
/// against what the first is about to change.
async fn promise(
    call: &Call,
    member: Member,
    key: JobKey,
    created_at: i64,
    asked: Asked,
    file: Stored,
    trace: Option<TraceParent>,
) -> Result<(), GraphError> {
    let expires_at = created_at + call.app.figures().expire_after_us;
    let job = NewJob {
        key,
        kind: KIND,
        pair: member.organization_guid,
        view: None,
        creator: member.person,
        spec: asked.spec.to_json(),
        expires_at,
        trace,
    };
    let made = call.app.db.write(member.organization, move |tx| {
        jobs::insert(tx, &job, created_at)?;
        let dry_run = asked.spec.dry_run;
        queries::insert(tx, key, member.person, created_at, &asked.file_name, &file, dry_run)?;
        let detail = json!({ "bytes": file.size_bytes, "dryRun": dry_run });
        audit::record(
            tx,
            key.organization,
            Some(member.person),
            "importCreated",
            &key.id.to_string(),
            &detail,
        )
    });
    match made.await {
        Err(error) if error.is_unique() => {
            refuse_if_pending(call, &member).await?;
            // It has ended since.
            Err(GraphError::unavailable())
        }
        made => Ok(made?),
    }
}

/// # Errors
/// 409, with `Location`, if an import is pending.
async fn refuse_if_pending(call: &Call, member: &Member) -> Result<(), GraphError> {
    let (organization, pair) = (member.organization, member.organization_guid);
    let pending = call.app.db.read(organization, |tx| jobs::find_pending(tx, organization, KIND, pair));
    let Some(key) = pending.await? else { return Ok(()) };
    let why = "Another import of the organization is pending. Wait for its end, or delete it.";
    Err(GraphError::service(StatusCode::CONFLICT, "conflict", "importPending", why)
        .target(key.id.to_string())
        .location(&address(call, member, key.id)))
}

fn address(call: &Call, member: &Member, job: Uuid) -> String {
    let origin = call.origin.as_str();
    format!("{origin}{}/organizations/{}/imports/{job}", super::BASE, member.organization_guid)
}

/// The id that the path names.
fn id(call: &Call) -> Result<Uuid, GraphError> {
    Uuid::try_parse(call.id()).map_err(|_| no_such(call.set()))
}

async fn report(call: &Call, member: Member) -> Result<Response, GraphError> {
    let id = id(call)?;
    let as_table = wants_table(call)?;
    let found = call.app.db.read(member.organization, |tx| {
        let Some((creator, text)) = queries::find_report(tx, member.organization, id)? else {
            return Ok(None);
        };
        let Some(text) = text else { return Ok(Some(None)) };
        let mut report: Json = serde_json::from_str(&text).map_err(|error| GraphError::internal(&error))?;
        let subject = Reader::on_day(member.organization, Some(member.person), tx.now_us());
        keep_discreet(tx, &subject, creator == Some(member.person), &mut report)?;
        Ok::<_, GraphError>(Some(Some(report)))
    });
    let mut report = found.await?.ok_or_else(|| no_such(call.set()))?.ok_or_else(|| {
        let why = "The import has no report: it has not come to its end, or to nothing that a report could tell. Its status says more.";
        GraphError::service(StatusCode::CONFLICT, "conflict", "noReport", why)
    })?;
    if as_table {
        return Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], report_table(&report))
            .into_response());
    }
    // Where it lies on the server's disk is the operator's.
    if let Some(report) = report.as_object_mut() {
        report.remove("reportFile");
    }
    Ok(Body(report).into_response())
}

/// Whether the client asks for CSV: by `$format`, else by the first of its `Accept` that is one of the two.
fn wants_table(call: &Call) -> Result<bool, GraphError> {
    let neither = || {
        let why = "A report is JSON or CSV. Send Accept: application/json or text/csv, or leave it out.";
        GraphError::gateway(StatusCode::NOT_ACCEPTABLE, "notAcceptable", why)
    };
    if let Some(format) = call.option("$format") {
        return match format.split(';').next().unwrap_or_default() {
            "csv" | "text/csv" => Ok(true),
            "json" | "application/json" => Ok(false),
            _ => Err(neither()),
        };
    }
    let accepted = call.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted
        .flat_map(|value| value.split(','))
        .map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .filter(|kind| !kind.is_empty())
        .peekable();
    if kinds.peek().is_none() {
        return Ok(false);
    }
    kinds
        .find_map(|kind| match &*kind {
            "text/csv" | "text/*" => Some(true),
            "application/json" | "application/*" | "*/*" => Some(false),
            _ => None,
        })
        .ok_or_else(neither)
}

async fn delete(call: &Call, member: Member) -> Result<Response, GraphError> {
    let key = JobKey { organization: member.organization, id: id(call)? };
    let gone = call.app.db.write(member.organization, move |tx| {
        let gone = queries::delete(tx, key)?;
        if gone.is_some() {
            let id = key.id.to_string();
            audit::record(tx, key.organization, Some(member.person), "importDeleted", &id, &json!({}))?;
        }
        Ok::<_, goalpost_db::Error>(gone)
    });
    let file = gone.await?.ok_or_else(|| no_such(call.set()))?;
    if let Some(file) = file
        && let Err(error) = call.app.content.remove(&file).await
    {
        tracing::warn!(%error, "could not remove the file of a deleted import; it is swept later");
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn take_back(call: &Call, member: Member) -> Result<Response, GraphError> {
    let id = id(call)?;
    let (db, organization) = (call.app.db.clone(), member.organization);
    let undoing = move || undo(&db, organization, Some(id), Some(member.person));
    let undone = tokio::task::spawn_blocking(undoing).await.map_err(|panic| GraphError::internal(&panic))?;
    let undone = undone.map_err(|error| {
        let inner = match error {
            UndoError::NoSuch => return no_such(call.set()),
            UndoError::Database(error) => return error.into(),
            UndoError::NothingChanged => "nothingToUndo",
            UndoError::AlreadyUndone => "alreadyUndone",
            UndoError::OwnPerson => "ownPerson",
            UndoError::InTheWay(_) => "changedSince",
        };
        let hint = error.hint().map(|hint| format!(" Hint: {hint}.")).unwrap_or_default();
        let why = format!("{error}.{hint}");
        GraphError::service(StatusCode::CONFLICT, "conflict", inner, why)
    })?;
    tracing::info!(revision = undone.undone_revision, "import taken back");
    let row = one(call, member, id.into_bytes().into()).await?.ok_or_else(|| no_such(call.set()))?;
    let mut json = Map::new();
    json.insert("@odata.context".into(), call.context("/$entity").into());
    json.extend(row);
    Ok(call.terms.answer(call.set(), json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_known_or_refused() {
        let asked = Asked::parse(Some("dryRun=true&label=Big%20rock%3Dobjective&fileName=a.zip"));
        let asked = asked.expect("options that are known");
        assert!(asked.spec.dry_run && !asked.spec.prune);
        assert_eq!(asked.spec.labels, [("Big rock".to_owned(), "objective".to_owned())]);
        assert_eq!(asked.file_name, "a.zip");
        for wrong in ["dry=true", "dryRun=1", "label=x", "fileName=a/b", "fileName=", "map=%5Bpeeple%5D"] {
            assert!(Asked::parse(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
