//! Reading: lists, counts and single things.

use axum::http::header::{CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use goalpost_db::Value;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::ask::{Ask, Chosen};
use super::filter::compile;
use super::past::{as_of, state};
use super::routes::VIEW;
use super::rows::{self, Where};
use super::sets::{GOALS, PropertyKind, Set, Visible};
use super::{Call, no_such};
use crate::exports::resource::retry_after_secs;
use crate::goals::filter::{Filter, Subject};
use crate::http::GraphError;
use crate::http::options::read_options;
use crate::identity::Member;
use crate::views::Selection;

/// The rows of a set, in pages.
pub(super) async fn list(call: &Call) -> Result<Response, GraphError> {
    let ask = Ask::new(call.set(), call.query.as_deref(), max_page_size(&call.headers))?;
    if call.organization.is_none() {
        return organizations(call, &ask).await;
    }
    let member = call.member().await?;
    let mut filtered = Filtered::new(call.set(), ask.filter.as_deref(), ask.search.as_deref())?;
    if let Some(view) = call.names.get(VIEW) {
        filtered = filtered.within(call.view(view).await?.selection);
    }
    let (above, at) = (call.above()?, as_of(call)?);
    filtered.check_as_of(at)?;
    let page = call.app.db.read(member.organization, |tx| {
        let (subject, as_of) = state(tx, member, at)?;
        let mut found = Where::new(call.set(), &subject, as_of);
        if let Some(goal) = above {
            let of_goals = Where::new(&GOALS, &subject, as_of);
            rows::find(tx, &GOALS, &subject, of_goals, goal.into())?.ok_or_else(|| no_such(&GOALS))?;
            found.and_is(call.set(), "goalId", goal.into());
        }
        filtered.add(&mut found, &subject);
        Ok::<_, GraphError>(rows::page(tx, call.set(), &subject, found, &ask)?)
    });
    Ok(answer(call, &ask, page.await?))
}

/// The organizations that the caller is in: few, and each found by itself.
async fn organizations(call: &Call, ask: &Ask) -> Result<Response, GraphError> {
    if ask.filter.is_some() || ask.search.is_some() || ask.is_ordered() {
        return Err(GraphError::bad_request(
            "Organizations have no $filter, $search and $orderby: a caller is in few.",
        ));
    }
    let mut found = Vec::new();
    for member in
        call.app.identity.memberships(&call.caller).await?.into_iter().filter(|member| member.active)
    {
        found.extend(one(call, member, member.organization_guid.into_bytes().into()).await?);
    }
    let (all, skip, limit) = (found.len() as u64, ask.skip as usize, ask.limit as usize);
    let rows = found.into_iter().skip(skip).take(limit).map(|row| rows::dressed(row, &ask.chosen)).collect();
    Ok(answer(call, ask, rows::Page { rows, count: ask.count.then_some(all), next: None }))
}

fn answer(call: &Call, ask: &Ask, page: rows::Page) -> Response {
    let mut json = Map::new();
    json.insert("@odata.context".into(), call.context(&ask.chosen.in_context()).into());
    if let Some(count) = page.count {
        json.insert("@odata.count".into(), count.into());
    }
    json.insert("value".into(), Json::Array(page.rows));
    if let Some(query) = page.next {
        json.insert("@odata.nextLink".into(), format!("{}?{query}", call.url()).into());
    }
    call.terms.answer(call.set(), json)
}

/// How many rows of a set there are, as plain text.
pub(super) async fn count(call: &Call) -> Result<Response, GraphError> {
    let (_, options) = read_options(call.query.as_deref(), &["filter", "search"])?;
    let member = call.member().await?;
    let filtered = Filtered::new(call.set(), options.filter.as_deref(), options.search.as_deref())?;
    let at = as_of(call)?;
    filtered.check_as_of(at)?;
    let count = call.app.db.read(member.organization, |tx| {
        let (subject, as_of) = state(tx, member, at)?;
        let mut found = Where::new(call.set(), &subject, as_of);
        filtered.add(&mut found, &subject);
        Ok::<_, GraphError>(rows::count(tx, call.set(), &found)?)
    });
    Ok(([(CONTENT_TYPE, "text/plain")], count.await?.to_string()).into_response())
}

/// One thing, with its entity tag; 304 if the caller has it already.
pub(super) async fn get(call: &Call) -> Result<Response, GraphError> {
    let (_, options) = read_options(call.query.as_deref(), &["select", "format"])?;
    let chosen = Chosen::new(call.set(), options.select.as_deref())?;
    let key = key(call.set(), call.id());
    let row = match key {
        Some(key) => one(call, call.member().await?, key).await?,
        // A text that is no key is the key of nothing; who is no member learns no more than that either.
        None => call.member().await.map(|_| None)?,
    };
    let row = row.ok_or_else(|| no_such(call.set()))?;
    let etag = rows::etag(&row);
    let mut headers = HeaderMap::from_iter([tag(&etag)]);
    if let Some(secs) = retry_after(call, &row) {
        headers.insert(RETRY_AFTER, secs.into());
    }
    let held = call.headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    if held.flat_map(|value| value.split(',')).any(|held| held.trim().trim_start_matches("W/") == etag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let mut json = Map::new();
    json.insert("@odata.context".into(), call.context(&format!("{}/$entity", chosen.in_context())).into());
    if let Json::Object(row) = rows::dressed(row, &chosen) {
        json.extend(row);
    }
    Ok((headers, call.terms.answer(call.set(), json)).into_response())
}

/// After how many seconds to look again at a job that has not ended, as the Graph door says it.
fn retry_after(call: &Call, row: &Map<String, Json>) -> Option<u64> {
    let text = |name: &str| row.get(name).and_then(Json::as_str);
    let is_job = matches!(call.set().visible, Visible::Exports | Visible::Imports);
    if !is_job || !matches!(text("status"), Some("notStarted" | "running")) {
        return None;
    }
    let created: Timestamp = text("createdDateTime")?.parse().ok()?;
    let age_us = call.app.clock.now_us() - created.as_microsecond();
    Some(retry_after_secs(&call.app, age_us))
}

/// The thing with this key that the member may see, whole.
pub(super) async fn one(
    call: &Call,
    member: Member,
    key: Value,
) -> Result<Option<Map<String, Json>>, GraphError> {
    let (above, at) = (call.above()?, as_of(call)?);
    let found = call.app.db.read(member.organization, |tx| {
        let (subject, as_of) = state(tx, member, at)?;
        let mut found = Where::new(call.set(), &subject, as_of);
        if let Some(goal) = above {
            found.and_is(call.set(), "goalId", goal.into());
        }
        Ok::<_, GraphError>(rows::find(tx, call.set(), &subject, found, key.clone())?)
    });
    let mut found = found.await?;
    if let Some(row) = found.as_mut().filter(|_| call.set().visible == Visible::Imports) {
        super::imports::add_progress(&call.app, row);
    }
    Ok(found)
}

fn tag(etag: &str) -> (HeaderName, HeaderValue) {
    (ETAG, HeaderValue::from_str(etag).unwrap_or(HeaderValue::from_static("\"\"")))
}

/// The key that a text is, as the database holds it.
pub(super) fn key(set: &Set, text: &str) -> Option<Value> {
    match set.key().kind {
        PropertyKind::Guid => Uuid::try_parse(text).ok().map(|guid| guid.into_bytes().into()),
        _ => text.parse::<i64>().ok().map(Value::Int),
    }
}

/// The filter and the search of a request, understood.
#[derive(Debug)]
pub(super) struct Filtered {
    set: &'static Set,
    /// What the tree of views cannot say.
    text: Option<String>,
    /// What it can: of goals alone.
    choice: Selection,
}

impl Filtered {
    /// # Errors
    /// 400 that says what cannot be asked, and what can.
    pub(super) fn new(
        set: &'static Set,
        filter: Option<&str>,
        search: Option<&str>,
    ) -> Result<Self, GraphError> {
        let mut parts = Vec::new();
        let mut text = filter;
        if set.name == GOALS.name {
            if let Some(filter) = filter {
                match Filter::parse_odata(filter) {
                    Ok(filter) => {
                        parts.push(filter);
                        text = None;
                    }
                    // Views are not made of every property, but lists can be asked for it.
                    Err(_) if compile(set, filter, 1).is_ok() => {}
                    Err(error) => return Err(GraphError::bad_request(format!("Invalid $filter: {error}."))),
                }
            }
            if let Some(words) = search {
                let keyword = Filter::try_from(json!({ "keyword": { "contains": words } }));
                parts.push(
                    keyword.map_err(|error| GraphError::bad_request(format!("Invalid $search: {error}.")))?,
                );
            }
        } else if search.is_some() {
            return Err(GraphError::bad_request(
                "$search is supported for goals alone; use $filter with contains.",
            ));
        }
        if let Some(text) = text {
            compile(set, text, 1)?;
        }
        let choice = Selection { filter: Filter::And(parts), top_level: false };
        Ok(Self { set, text: text.map(str::to_owned), choice })
    }

    /// Those of them that a view holds.
    pub(super) fn within(mut self, view: Selection) -> Self {
        self.choice.top_level |= view.top_level;
        self.choice.filter = Filter::And(vec![self.choice.filter, view.filter]);
        self
    }

    /// # Errors
    /// 400 for what would tell of parents that were open then and are hidden now.
    fn check_as_of(&self, at: Option<i64>) -> Result<(), GraphError> {
        if at.is_some() && self.choice.filter.names_parents() {
            return Err(GraphError::bad_request(
                "Which goals are below others cannot be asked with `asOf`; each goal says it in `parents`.",
            ));
        }
        Ok(())
    }

    /// The whole of it, as views are made.
    ///
    /// # Errors
    /// 400 if the tree cannot say it.
    pub(super) fn choice(&self) -> Result<&Selection, GraphError> {
        match &self.text {
            None => Ok(&self.choice),
            Some(text) => Err(GraphError::bad_request(format!(
                "Changes cannot be told for `{text}`, but for what a view can be made of; see docs/DATA.md, \"Filters\"."
            ))),
        }
    }

    /// Add it to the conditions of a statement on `goal g`, or on another set by text alone.
    pub(super) fn add(&self, found: &mut Where, subject: &Subject) {
        if let Some(text) = &self.text {
            found.and(|first| compile(self.set, text, first).expect("it was compiled before"));
        }
        if !self.choice.is_everything() {
            found.and(|first| self.choice.condition(subject, first));
        }
    }
}

/// The rows that the client wants in one answer: `Prefer: odata.maxpagesize=100` (OData 4.01 Part 1, 8.2.8.6).
pub(super) fn max_page_size(headers: &HeaderMap) -> Option<u64> {
    let preferences = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    preferences.flat_map(|value| value.split([',', ';'])).find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        let is_size =
            matches!(name.trim().to_ascii_lowercase().as_str(), "odata.maxpagesize" | "maxpagesize");
        is_size.then(|| value.trim().trim_matches('"').parse().ok()).flatten()
    })
}
