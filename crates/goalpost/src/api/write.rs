//! Writing: one request is one transaction, in which rights are asked, the entity tag is compared and the deed is done.

use std::sync::Arc;

use axum::http::header::{ETAG, HeaderName, IF_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use goalpost_db::{Tx, Value};
use goalpost_odata::QueryString;
use serde_json::{Map, Value as Json};

use super::ask::Chosen;
use super::body::{Body, Field, invalid};
use super::read::key;
use super::rows::{self, Where};
use super::sets::{GOALS, Set};
use super::{Call, no_such};
use crate::goals::filter;
use crate::goals::history::AsOf;
use crate::goals::rights::{Action, Reason, Subject, Verdict, may};
use crate::http::{GraphError, body};
use crate::ids::{Ids, OrganizationNumber, PersonNumber};
use crate::orgs::queries::hold;

/// What a route changes.
#[derive(Debug)]
pub struct Write {
    /// What its body may hold; a route without has none.
    pub fields: &'static [Field],
    /// What becomes of the thing.
    pub kind: Kind,
    pub(super) run: fn(&Doing<'_>) -> Result<Option<Value>, GraphError>,
}

/// What becomes of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is made: 201, with its address.
    Create,
    /// Several are made: 204.
    CreateAll,
    /// It is another one: 200.
    Change,
    /// It is gone: 204.
    Delete,
}

/// A deed under way.
pub(super) struct Doing<'a> {
    pub(super) tx: &'a Tx<'a>,
    pub(super) organization: OrganizationNumber,
    /// Who does it.
    pub(super) person: PersonNumber,
    /// The goal that the path names above the thing.
    above: Option<i64>,
    /// The number of the thing that the path names.
    id: Option<i64>,
    /// The thing as it is now, as far as who does it sees it.
    pub(super) present: Map<String, Json>,
    pub(super) body: &'a Body,
    pub(super) query: &'a QueryString,
    pub(super) ids: Ids,
}

/// Do what the route says.
pub(super) async fn write(
    call: Call,
    write: &'static Write,
    request: axum::extract::Request,
) -> Result<Response, GraphError> {
    let query = QueryString::parse(call.query.as_deref().unwrap_or_default())
        .map_err(|error| GraphError::bad_request(format!("The query string cannot be read: {error}.")))?;
    let members = if write.fields.is_empty() { Vec::new() } else { body::read_object(request).await? };
    let member = call.member().await?;
    // What is no change is passed over in a PATCH, so what else it holds is known only once the thing is.
    let patches = call.route.method == Method::PATCH;
    if !patches {
        Body::new(write.fields, members.clone())?;
    }
    let (organization, person, ids) = (member.organization, member.person, call.app.ids);
    let (above, held) = (call.above()?, if_match(&call.headers)?);
    let key = if call.names.contains_key(super::routes::ID) {
        Some(key(call.set(), call.id()).ok_or_else(|| no_such(call.set()))?)
    } else {
        None
    };
    let set = call.set();
    let (members, query) = (Arc::new(members), Arc::new(query));
    let done = call.app.db.write(organization, move |tx| {
        // First of all, so that what is read here stays true: of two who hold the same tag, one comes too late.
        hold(tx, organization)?;
        let subject = filter::Subject::on_day(organization, Some(person), tx.now_us());
        let find = |set: &Set, key: Value| {
            let mut found = Where::new(set, &subject, AsOf::Now);
            if let Some(goal) = above.filter(|_| set.property("goalId").is_some()) {
                found.and_is(set, "goalId", goal.into());
            }
            Ok::<_, GraphError>(rows::find(tx, set, &subject, found, key)?)
        };
        if let Some(goal) = above {
            find(&GOALS, goal.into())?.ok_or_else(|| no_such(&GOALS))?;
        }
        let present = match &key {
            Some(key) => find(set, key.clone())?.ok_or_else(|| no_such(set))?,
            None => Map::new(),
        };
        if held
            .as_ref()
            .is_some_and(|held| !held.iter().any(|held| held == "*" || *held == rows::etag(&present)))
        {
            return Err(changed_meanwhile(set));
        }
        let mut members = Vec::clone(&members);
        if patches {
            members.retain(|(name, value)| !is_echo(write, &present, name, value));
        }
        let body = Body::new(write.fields, members)?;
        let id = if let Some(Value::Int(id)) = key { Some(id) } else { None };
        let doing = Doing { tx, organization, person, above, id, present, body: &body, query: &query, ids };
        match (write.run)(&doing)? {
            // Whoever made a thing may make it so that they do not see it themselves.
            Some(key) => Ok(Some((key.clone(), find(set, key)?))),
            None => Ok(None),
        }
    });
    let Some((key, row)) = done.await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    Ok(answer(&call, write.kind, &key, row))
}

/// Whether a member of a body says what is so already: a thing that was read can be sent back whole, whatever of it the
/// server alone says.
fn is_echo(write: &Write, present: &Map<String, Json>, name: &str, value: &Json) -> bool {
    let is_required = write.fields.iter().any(|field| field.name == name && field.required);
    !is_required && present.get(name).is_some_and(|present| is_same(present, value))
}

/// Whether two values are the same; a client may write 50 for 50.0.
fn is_same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_same(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| is_same(left, right)))
        }
        (left, right) => left == right,
    }
}

fn answer(call: &Call, kind: Kind, key: &Value, row: Option<Map<String, Json>>) -> Response {
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value: &str| {
        headers.insert(name, HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("")));
    };
    if kind == Kind::Create {
        // A copy is made at an action of the thing: it lies beside that.
        let url = call.url();
        let of_action =
            call.names.contains_key(super::routes::ID).then(|| url.rsplitn(3, '/').nth(2)).flatten();
        put(LOCATION, &format!("{}/{}", of_action.unwrap_or(&url), key_text(key)));
    }
    let status = if kind == Kind::Create { StatusCode::CREATED } else { StatusCode::OK };
    let Some(row) = row else { return (StatusCode::NO_CONTENT, headers).into_response() };
    put(ETAG, &rows::etag(&row));
    let mut json = Map::new();
    json.insert("@odata.context".into(), call.context("/$entity").into());
    if let Json::Object(row) = rows::dressed(row, &Chosen::ALL) {
        json.extend(row);
    }
    (status, headers, call.terms.answer(call.set(), json)).into_response()
}

fn key_text(key: &Value) -> String {
    match key {
        Value::Int(number) => number.to_string(),
        Value::Blob(guid) => uuid::Uuid::from_slice(guid).unwrap_or_default().to_string(),
        _ => String::new(),
    }
}

/// The entity tags of `If-Match`, if it stands there.
fn if_match(headers: &HeaderMap) -> Result<Option<Vec<String>>, GraphError> {
    let mut held = Vec::new();
    for value in headers.get_all(IF_MATCH) {
        let text = value.to_str().map_err(|_| GraphError::bad_request("If-Match is not readable."))?;
        let tags = text.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
        held.extend(tags.filter(|tag| !tag.is_empty()).map(str::to_owned));
    }
    Ok((!held.is_empty()).then_some(held))
}

/// 412 for a thing that is not what the caller has seen.
fn changed_meanwhile(set: &Set) -> GraphError {
    GraphError::service(
        StatusCode::PRECONDITION_FAILED,
        "preconditionFailed",
        "changedMeanwhile",
        format!(
            "The {} was changed since you read it. Read it again, and send its new ETag in If-Match.",
            set.entity
        ),
    )
}

impl Doing<'_> {
    /// Who does it, as the functions of the slices take it.
    #[expect(clippy::unnecessary_wraps, reason = "the command line has nobody to name")]
    pub(super) fn actor(&self) -> Option<PersonNumber> {
        Some(self.person)
    }

    /// The number of the thing that the path names.
    pub(super) fn id(&self) -> i64 {
        self.id.unwrap_or_default()
    }

    /// The number of the goal that it is about: the thing itself, or what the path names above it.
    pub(super) fn goal(&self) -> i64 {
        self.above.or(self.id).unwrap_or_default()
    }

    /// # Errors
    /// 403 if who does it may not; 404 for a goal of the path, and 400 for a goal of the body, that they do not see.
    pub(super) fn ask(&self, action: Action, subject: Subject<'_>) -> Result<(), GraphError> {
        match may(self.tx, self.organization, self.person, action, subject)? {
            Verdict::May => Ok(()),
            Verdict::MayNot(Reason::Unseen(goal)) if goal == self.goal() => Err(no_such(&GOALS)),
            Verdict::MayNot(reason @ Reason::Unseen(_)) => Err(invalid(reason.to_string())),
            Verdict::MayNot(reason) => Err(GraphError::service(
                StatusCode::FORBIDDEN,
                "forbidden",
                "notPermitted",
                format!("Not permitted: {reason}."),
            )),
        }
    }

    /// The value of a query option that is no option of OData's.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.query.pairs().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// 409 for a thing that is not in a state for it.
pub(super) fn conflict(inner: &'static str, why: impl std::fmt::Display) -> GraphError {
    GraphError::service(StatusCode::CONFLICT, "conflict", inner, format!("{why}."))
}
