//! Exports with options: asked for, fetched, taken back. They are the jobs of the Graph door, with more to choose.

use axum::Json as Body;
use axum::extract::Request;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use goalpost_db::Value;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::body::invalid;
use super::past::Since;
use super::rows::{self, Where};
use super::{Call, no_such};
use crate::app::App;
use crate::audit;
use crate::exports::api::{NewExport, already_pending_in, require_right};
use crate::exports::options::Options;
use crate::exports::promise::{Promise, promise};
use crate::exports::queries::{self, Export};
use crate::exports::{ExportSpec, content, manifest, resource};
use crate::goals::filter::Subject;
use crate::goals::history::{AsOf, Moment};
use crate::http::{GraphError, body, parse_guid};
use crate::identity::{Member, Scope};
use crate::jobs::JobKey;
use crate::views::View;

/// What a route does with exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// One is asked for.
    Create,
    /// One that failed, or whose file is wanted again, is asked for again.
    Retry,
    /// Its file is fetched.
    Content,
    /// What its file is.
    Manifest,
    /// It is called off, or its file taken away.
    Delete,
}

impl Deed {
    /// What a token must allow.
    pub fn scope(self) -> Scope {
        match self {
            Self::Create | Self::Retry | Self::Delete => Scope::ReadWrite,
            Self::Content | Self::Manifest => Scope::Read,
        }
    }
}

/// Do what the route says.
pub(super) async fn serve(call: Call, deed: Deed, request: Request) -> Result<Response, GraphError> {
    let member = call.member().await?;
    match deed {
        Deed::Create => create(&call, member, request).await,
        Deed::Retry => retry(&call, member).await,
        Deed::Content => {
            let (method, headers) = (request.method().clone(), call.headers.clone());
            fetch(&call, member, method, headers).await
        }
        Deed::Manifest => tell(&call, member).await,
        Deed::Delete => delete(&call, member).await,
    }
}

/// The columns that files may have, and what they mean.
pub(super) async fn get_columns(_caller: crate::identity::Caller) -> Body<Json> {
    Body(manifest::dictionary())
}

async fn create(call: &Call, member: Member, request: Request) -> Result<Response, GraphError> {
    require_right(&member)?;
    let (mut view, mut as_of, mut since, mut chosen) = (None, None, None, Map::new());
    for (name, value) in body::read_object(request).await? {
        match name.as_str() {
            "viewId" => view = Some(value),
            "asOf" => as_of = Some(value).filter(|value| !value.is_null()),
            "since" => since = Some(value).filter(|value| !value.is_null()),
            name if name.contains('@') => {}
            _ => drop(chosen.insert(name, value)),
        }
    }
    let guid = view.as_ref().and_then(Json::as_str).and_then(parse_guid);
    let guid = guid.ok_or_else(|| invalid("'viewId' must be the id of a view; `views` lists them"))?;
    let options = Options::parse(chosen.into()).map_err(invalid)?;
    options.check_origin(call.app.config.public_url.as_deref()).map_err(invalid)?;
    let view = call
        .app
        .db
        .read(member.organization, |tx| {
            crate::views::queries::find_visible(tx, member.organization, guid, member.person)
        })
        .await?
        .ok_or_else(|| invalid(format!("there is no view {guid}, or it is not for you to see")))?;
    let mut spec = ExportSpec::freeze(&view).with(options);
    match (as_of, since) {
        (Some(_), Some(_)) => {
            return Err(invalid("'since' tells what changed until now; leave 'asOf' out"));
        }
        (Some(as_of), None) => spec = spec.as_of(moment(call, &member, &as_of).await?),
        (None, Some(since)) => {
            let moment = begin_of_changes(call, &member, &view, &spec, &since).await?;
            spec = spec.since(moment);
        }
        (None, None) => {}
    }
    begin(call, member, &NewExport::with_options(&view, &spec)).await
}

/// The state of an instant, a day or a revision that a body names.
async fn moment(call: &Call, member: &Member, as_of: &Json) -> Result<Moment, GraphError> {
    let text =
        as_of.as_str().ok_or_else(|| invalid("'asOf' must be a text such as \"2026-01-31T12:00:00Z\""))?;
    let at_us = super::past::instant(text, "asOf")?;
    let found = call.app.db.read(member.organization, |tx| {
        crate::goals::history::revision_at(tx, member.organization, at_us).map_err(super::past::no_such_state)
    });
    found.await
}

/// The state since which a file is to tell what changed.
async fn begin_of_changes(
    call: &Call,
    member: &Member,
    view: &View,
    spec: &ExportSpec,
    since: &Json,
) -> Result<Moment, GraphError> {
    let text = since.as_str().ok_or_else(|| {
        invalid("'since' must be a text: the id of an export, or an instant such as \"2026-01-31T12:00:00Z\"")
    })?;
    spec.options.iter().try_for_each(Options::check_changes).map_err(invalid)?;
    let since = Since::parse(text, member.organization_guid)?;
    let (member, written) = (*member, view.revision);
    let moment = call.app.db.read(member.organization, |tx| since.moment(tx, &member)).await?;
    if written > moment.revision {
        return Err(invalid("the view was changed since then, so it held other goals; leave 'since' out"));
    }
    Ok(moment)
}

async fn begin(call: &Call, member: Member, new: &NewExport) -> Result<Response, GraphError> {
    let app = &call.app;
    app.identity.count_create(&call.caller).map_err(|secs| {
        GraphError::too_many_requests(
            "Too many exports were created. Wait as long as Retry-After says.",
            secs,
        )
    })?;
    for _ in 0..8 {
        match promise(app, member, new, None).await? {
            Promise::Made(key, _) => {
                app.wake.notify_one();
                app.made.notify_one();
                app.metrics.jobs.created.inc();
                let found = row(app, &member, key.id).await?.ok_or_else(GraphError::unavailable)?;
                let url = address(call, &member, key.id);
                let header = HeaderValue::from_str(&url).unwrap_or(HeaderValue::from_static(""));
                let mut json = Map::new();
                json.insert("@odata.context".into(), call.context("/$entity").into());
                json.extend(found);
                return Ok((StatusCode::CREATED, [(LOCATION, header)], Body(json)).into_response());
            }
            Promise::Pending(key) => {
                return Err(already_pending_in(&key.id.to_string(), &address(call, &member, key.id)));
            }
            Promise::Gone => {}
        }
    }
    Err(GraphError::unavailable())
}

/// Where an export of this door is found.
fn address(call: &Call, member: &Member, job: Uuid) -> String {
    let origin = call.origin.as_str();
    format!("{origin}{}/organizations/{}/exports/{job}", super::BASE, member.organization_guid)
}

async fn row(app: &App, member: &Member, job: Uuid) -> Result<Option<Map<String, Json>>, GraphError> {
    let (set, organization, person) = (&super::sets::EXPORTS, member.organization, member.person);
    let found = app.db.read(organization, |tx| {
        let subject = Subject::on_day(organization, Some(person), tx.now_us());
        let all = Where::new(set, &subject, AsOf::Now);
        rows::find(tx, set, &subject, all, Value::Blob(job.into_bytes().to_vec()))
    });
    Ok(found.await?)
}

/// The caller's own export that the path names.
async fn find(call: &Call, member: &Member) -> Result<(Export, i64), GraphError> {
    let id = Uuid::try_parse(call.id()).map_err(|_| no_such(call.set()))?;
    let found = call.app.db.read(member.organization, |tx| {
        Ok::<_, goalpost_db::Error>((queries::find_any(tx, member, id)?, tx.now_us()))
    });
    match found.await? {
        (Some(export), now) if export.job.creator == Some(member.person) => Ok((export, now)),
        _ => Err(no_such(call.set())),
    }
}

async fn retry(call: &Call, member: Member) -> Result<Response, GraphError> {
    require_right(&member)?;
    let (export, _) = find(call, &member).await?;
    let kept = call.app.db.read(member.organization, |tx| queries::find_kept(tx, export.job.key));
    let (kind, view, spec) = kept.await?.ok_or_else(|| no_such(call.set()))?;
    let spec = ExportSpec::from_json(&spec).map_err(|error| GraphError::internal(&error))?;
    begin(call, member, &NewExport::again(&kind, view, &spec)).await
}

async fn fetch(
    call: &Call,
    member: Member,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, GraphError> {
    let (export, now) = find(call, &member).await?;
    let Some(file) = export.content.as_ref() else {
        return Err(not_there(&call.app, &export, now));
    };
    require_right(&member)?;
    content::serve(&call.app, member, export.job.key, file, &method, headers).await
}

async fn tell(call: &Call, member: Member) -> Result<Response, GraphError> {
    let (export, now) = find(call, &member).await?;
    if export.content.is_none() {
        return Err(not_there(&call.app, &export, now));
    }
    let found = call.app.db.read(member.organization, |tx| queries::find_manifest(tx, export.job.key));
    let text = found.await?.ok_or_else(|| no_such(call.set()))?;
    let json: Json = serde_json::from_str(&text).map_err(|error| GraphError::internal(&error))?;
    Ok(Body(json).into_response())
}

async fn delete(call: &Call, member: Member) -> Result<Response, GraphError> {
    let (export, _) = find(call, &member).await?;
    let key = export.job.key;
    let gone = call.app.db.write(member.organization, move |tx| {
        let gone = queries::delete(tx, key)?;
        if gone.is_some() {
            let id = key.id.to_string();
            audit::record(tx, key.organization, Some(member.person), "exportDeleted", &id, &json!({}))?;
        }
        Ok::<_, goalpost_db::Error>(gone)
    });
    let gone = gone.await?.ok_or_else(|| no_such(call.set()))?;
    if let Some(file) = gone
        && let Err(error) = call.app.content.remove(&file).await
    {
        tracing::warn!(%error, "could not remove the file of a deleted export; it is swept later");
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// 409 for an export that has made no file: with `Retry-After` while it may still come.
fn not_there(app: &App, export: &Export, now: i64) -> GraphError {
    let JobKey { id, .. } = export.job.key;
    let refused = content::no_file(export, &id.to_string());
    if export.job.state.is_pending() {
        return refused.retry_after(resource::retry_after_secs(app, now - export.job.created_at));
    }
    refused
}
