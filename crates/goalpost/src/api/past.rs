//! What was: states that lists are read as of, what changed since one, and what became of one goal.

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goalpost_db::Tx;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::ask::{Ask, Chosen};
use super::filter::moment;
use super::read::{Filtered, max_page_size};
use super::rows::{self, Where};
use super::sets::{CHECK_INS, COMMENTS, GOALS, Set, Visible};
use super::{Call, no_such};
use crate::exports::{ExportId, queries as exports};
use crate::goals::edit::Field;
use crate::goals::filter::Subject;
use crate::goals::history::{self, AsOf, Changed, Delta, EntryId, Moment, MomentError};
use crate::goals::record::Column;
use crate::http::GraphError;
use crate::http::time::precise_date_time;
use crate::identity::Member;

/// As of when a request asks: `asOf=2026-01-31T12:00:00Z`.
pub(super) fn as_of(call: &Call) -> Result<Option<i64>, GraphError> {
    let Some(text) = call.option("asOf") else { return Ok(None) };
    if call.set().visible != Visible::OfGoals {
        return Err(GraphError::bad_request(format!(
            "{} have no history: `asOf` is for goals, check-ins, comments and tasks.",
            call.set().name
        )));
    }
    instant(&text, "asOf").map(Some)
}

/// An instant, or the midnight of a day.
pub(super) fn instant(text: &str, option: &str) -> Result<i64, GraphError> {
    moment(text).or_else(|| moment(&format!("{text}T00:00:00Z"))).ok_or_else(|| {
        GraphError::bad_request(format!(
            "`{option}` is `{text}`; write an instant such as 2026-01-31T12:00:00Z, or a day."
        ))
    })
}

/// Who looks, and at which state.
pub(super) fn state(tx: &Tx<'_>, member: Member, as_of: Option<i64>) -> Result<(Subject, AsOf), GraphError> {
    match as_of {
        None => Ok((Subject::on_day(member.organization, Some(member.person), tx.now_us()), AsOf::Now)),
        Some(at_us) => {
            let moment = history::revision_at(tx, member.organization, at_us).map_err(no_such_state)?;
            Ok((moment.subject(member.organization, Some(member.person)), moment.as_of()))
        }
    }
}

pub(super) fn no_such_state(error: MomentError) -> GraphError {
    let message = match error {
        MomentError::Database(error) => return error.into(),
        MomentError::TooEarly { earliest_us: Some(earliest) } => {
            format!("{error}. The earliest instant is {}.", precise_date_time(earliest))
        }
        MomentError::TooEarly { earliest_us: None } | MomentError::Future => format!("{error}."),
    };
    GraphError::service(axum::http::StatusCode::BAD_REQUEST, "badRequest", "noSuchState", message)
}

/// Everything, in pages of one state; or what changed since a state: `since` an instant or a revision, `sinceExport`, or
/// the `$deltatoken` of an earlier answer. Either ends with the link to the next delta.
pub(super) async fn delta(call: &Call) -> Result<Response, GraphError> {
    let member = call.member().await?;
    if let Some(token) = call.option(SNAPSHOT) {
        let moment = Token::decode(&token).ok_or_else(bad_token)?;
        return everything(call, member, moment).await;
    }
    if let Some(since) = Since::of(call)? {
        return changes(call, member, &since).await;
    }
    let organization = member.organization;
    let moment = call.app.db.read(organization, |tx| history::now(tx, organization)).await?;
    everything(call, member, moment).await
}

/// The parameter of later pages of everything: the state that the first one showed.
const SNAPSHOT: &str = "snapshot";

async fn everything(call: &Call, member: Member, moment: Moment) -> Result<Response, GraphError> {
    let ask = Ask::new(call.set(), call.query.as_deref(), max_page_size(&call.headers))?;
    let (filtered, _) = filtered(call, &ask).await?;
    // The link at the end must be good for something.
    filtered.choice()?;
    let subject = moment.subject(member.organization, Some(member.person));
    let page = call.app.db.read(member.organization, |tx| {
        let mut found = Where::new(call.set(), &subject, moment.as_of());
        filtered.add(&mut found, &subject);
        Ok::<_, GraphError>(rows::page(tx, call.set(), &subject, found, &ask)?)
    });
    let page = page.await?;
    let mut json = Map::new();
    json.insert("@odata.context".into(), call.context("/$delta").into());
    json.insert("value".into(), page.rows.into());
    match page.next {
        Some(query) if call.option(SNAPSHOT).is_some() => {
            json.insert("@odata.nextLink".into(), format!("{}?{query}", call.url()).into());
        }
        Some(query) => {
            let token = Token::encode(moment);
            json.insert(
                "@odata.nextLink".into(),
                format!("{}?{query}&{SNAPSHOT}={token}", call.url()).into(),
            );
        }
        None => {
            json.insert("@odata.deltaLink".into(), call.delta_link(moment).into());
        }
    }
    Ok(axum::Json(json).into_response())
}

/// Since when.
pub(super) enum Since {
    Instant(i64),
    Revision(i64),
    Export(ExportId),
    Token(Moment),
}

impl Since {
    fn of(call: &Call) -> Result<Option<Self>, GraphError> {
        if let Some(token) = call.option("$deltatoken") {
            return Token::decode(&token).map(|moment| Some(Self::Token(moment))).ok_or_else(bad_token);
        }
        if let Some(id) = call.option("sinceExport") {
            let id = ExportId::parse(&id).map_err(|_| no_such_export())?;
            return Ok(Some(Self::Export(id)));
        }
        call.option("since").map(|text| Self::instant_or_revision(&text)).transpose()
    }

    fn instant_or_revision(text: &str) -> Result<Self, GraphError> {
        if let Ok(revision) = text.parse() {
            return Ok(Self::Revision(revision));
        }
        instant(text, "since").map(Self::Instant)
    }

    /// What a body says: an instant, a revision, or the id of an export at either door.
    pub(super) fn parse(text: &str, organization: Uuid) -> Result<Self, GraphError> {
        if let Ok(job) = Uuid::try_parse(text) {
            return Ok(Self::Export(ExportId { job, organization }));
        }
        match ExportId::parse(text) {
            Ok(id) => Ok(Self::Export(id)),
            Err(_) => Self::instant_or_revision(text),
        }
    }

    pub(super) fn moment(&self, tx: &Tx<'_>, member: &Member) -> Result<Moment, GraphError> {
        match self {
            Self::Token(moment) => Ok(*moment),
            Self::Instant(at_us) => {
                history::revision_at(tx, member.organization, *at_us).map_err(no_such_state)
            }
            Self::Revision(revision) => {
                history::at_revision(tx, member.organization, *revision).map_err(no_such_state)
            }
            Self::Export(id) => {
                if id.organization != member.organization_guid {
                    return Err(no_such_export());
                }
                exports::find_moment(tx, member, id.job)?.ok_or_else(no_such_export)
            }
        }
    }
}

fn no_such_export() -> GraphError {
    GraphError::bad_request(
        "What changed is asked for since an export that is none of yours, has not succeeded, or is gone. Name another, or an \
         instant.",
    )
}

fn bad_token() -> GraphError {
    GraphError::bad_request(
        "The token is none of this list. Take the link from @odata.deltaLink as it stands.",
    )
}

async fn changes(call: &Call, member: Member, since: &Since) -> Result<Response, GraphError> {
    let ask = Ask::new(call.set(), Some(&without_token(call.query.as_deref().unwrap_or_default())), None)?;
    let (filtered, view) = filtered(call, &ask).await?;
    let choice = filtered.choice()?;
    let (organization, set) = (member.organization, call.set());
    let told = call.app.db.read(organization, |tx| {
        let from = since.moment(tx, &member)?;
        // A view that chooses otherwise since says nothing of what it chose then.
        if view.is_some_and(|written| written > from.revision) {
            return Ok(None);
        }
        let subject = Subject::on_day(organization, Some(member.person), tx.now_us());
        let Delta::Changes(changes) = choice.delta(tx, &subject, from)? else { return Ok(None) };
        let told = match set.name {
            name if name == CHECK_INS.name => told(tx, set, &subject, &entries(&changes.checkins)),
            name if name == COMMENTS.name => told(tx, set, &subject, &entries(&changes.comments)),
            _ => told(tx, set, &subject, &changes.goals),
        };
        Ok::<_, GraphError>(told?.map(|told| (told, changes.to)))
    });
    let Some((rows, to)) = told.await? else { return Err(full_read(call)) };
    let json = json!({
        "@odata.context": call.context("/$delta"),
        "value": rows,
        "@odata.deltaLink": call.delta_link(to),
    });
    Ok(axum::Json(json).into_response())
}

/// A query without the option that a list does not have.
fn without_token(query: &str) -> String {
    let is_token = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        name.replace("%24", "$").trim_start_matches('$') == "deltatoken"
    };
    query.split('&').filter(|pair| !is_token(pair)).collect::<Vec<_>>().join("&")
}

/// The rows that are new or others, whole, and what is gone; `None` if that is too much for one answer.
fn told(
    tx: &Tx<'_>,
    set: &Set,
    subject: &Subject,
    changes: &Changed<i64>,
) -> Result<Option<Vec<Json>>, GraphError> {
    let Changed { created, changed, deleted } = changes;
    if created.len() + changed.len() + deleted.len() > history::MOST {
        return Ok(None);
    }
    let mut numbers: Vec<i64> = created.iter().chain(changed).copied().collect();
    numbers.sort_unstable();
    let found = Where::new(set, subject, AsOf::Now);
    let rows = rows::numbered(tx, set, subject, &found, &numbers)?;
    let mut told: Vec<Json> = rows.into_iter().map(|row| rows::dressed(row, &Chosen::ALL)).collect();
    told.extend(deleted.iter().map(|id| json!({ "@removed": { "reason": "deleted" }, "id": id })));
    Ok(Some(told))
}

/// Check-ins and comments are known by their own numbers; what moved to another goal is there, and not gone.
fn entries(changes: &Changed<EntryId>) -> Changed<i64> {
    let numbers = |entries: &[EntryId]| entries.iter().map(|entry| entry.id).collect::<Vec<_>>();
    let created = numbers(&changes.created);
    let deleted = numbers(&changes.deleted).into_iter().filter(|id| !created.contains(id)).collect();
    Changed { created, changed: numbers(&changes.changed), deleted }
}

/// 410: what changed cannot be told, and everything is to be read (OData 4.01 Part 1, 11.3).
fn full_read(call: &Call) -> GraphError {
    GraphError::service(
        axum::http::StatusCode::GONE,
        "gone",
        "fullReadNeeded",
        "What changed cannot be told: people, teams, periods or tags that the filter asks for changed, or too much did. \
         Read everything anew at Location.",
    )
    .location(&call.delta_url(None))
}

/// The goals of the choice: `$filter`, `$search`, and a view's own by `viewId`; and the revision that wrote that view.
async fn filtered(call: &Call, ask: &Ask) -> Result<(Filtered, Option<i64>), GraphError> {
    if !ask.chosen.is_all() || ask.is_cut() || ask.is_ordered() || ask.count {
        return Err(GraphError::bad_request(
            "A delta is of whole things, all of them: leave out $select, $orderby, $top, $skip and $count.",
        ));
    }
    let filtered = Filtered::new(&GOALS, ask.filter.as_deref(), ask.search.as_deref())?;
    let Some(view) = call.option("viewId") else { return Ok((filtered, None)) };
    let view = call.view(&view).await?;
    Ok((filtered.within(view.selection), Some(view.revision)))
}

/// A state as the token of a link.
struct Token;

impl Token {
    fn encode(moment: Moment) -> String {
        URL_SAFE_NO_PAD.encode(json!([moment.revision, moment.at_us]).to_string())
    }

    fn decode(token: &str) -> Option<Moment> {
        let json: Json = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        Some(Moment { revision: json.get(0)?.as_i64()?, at_us: json.get(1)?.as_i64()? })
    }
}

impl Call {
    fn delta_link(&self, moment: Moment) -> String {
        self.delta_url(Some(&Token::encode(moment)))
    }

    /// This list of changes, with the choice of this request.
    fn delta_url(&self, token: Option<&str>) -> String {
        let kept = ["$filter", "$search", "viewId"].into_iter().filter_map(|name| {
            let value = self.option(name)?;
            Some((
                name,
                percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC).to_string(),
            ))
        });
        let token = token.map(|token| ("$deltatoken", token.to_owned()));
        let query: Vec<_> = kept.chain(token).map(|(name, value)| format!("{name}={value}")).collect();
        if query.is_empty() { self.url() } else { format!("{}?{}", self.url(), query.join("&")) }
    }
}

/// What became of a goal that the caller sees: who changed which of its properties, and when.
pub(super) async fn history(call: &Call) -> Result<Response, GraphError> {
    let member = call.member().await?;
    let goal: i64 = call.id().parse().map_err(|_| no_such(&GOALS))?;
    let organization = member.organization;
    let changes = call.app.db.read(organization, |tx| {
        let subject = Subject::on_day(organization, Some(member.person), tx.now_us());
        let found = Where::new(&GOALS, &subject, AsOf::Now);
        let row = rows::find(tx, &GOALS, &subject, found, goal.into())?.ok_or_else(|| no_such(&GOALS))?;
        let mut changes = history::changes(tx, organization, goal, Some(&subject))?;
        // What it was while it was restricted is for the people around it.
        if let Some(opened) = changes.iter().rposition(was_restricted)
            && row["isRestricted"] != json!(true)
            && !is_around(&row, member.person.0)
        {
            changes.drain(..=opened);
        }
        Ok::<_, GraphError>(changes)
    });
    let value: Vec<Json> = changes
        .await?
        .into_iter()
        .map(|change| {
            let fields = change.fields.into_iter().map(
                |field| json!({ "property": property_of(field.field), "old": field.old, "new": field.new }),
            );
            json!({
                "revision": change.revision,
                "changedDateTime": precise_date_time(change.at_us),
                "actorId": change.actor.map(|actor| actor.0),
                "cause": change.cause,
                "isCreated": change.created,
                "properties": fields.collect::<Vec<_>>(),
            })
        })
        .collect();
    Ok(axum::Json(json!({ "value": value })).into_response())
}

/// Whether a goal was restricted before this change.
fn was_restricted(change: &history::Change) -> bool {
    let restricted = change.fields.iter().find(|field| field.field == Field::Column(Column::Restricted));
    restricted.is_some_and(|field| field.old == json!(true))
}

/// Whether a person would see the goal if it were restricted.
fn is_around(row: &Map<String, Json>, person: i64) -> bool {
    let lists =
        ["owners", "checkInOwners", "viewers"].iter().filter_map(|name| row[*name].as_array()).flatten();
    let named = lists.map(|entry| &entry["id"]).chain([&row["creatorId"], &row["delegateId"]]);
    named.into_iter().any(|id| *id == json!(person))
}

/// The name that a field of a goal has at this door.
fn property_of(field: Field) -> &'static str {
    match field {
        Field::Column(column) => {
            let sql = |name: &str| name.strip_prefix("g.").is_some_and(|name| name == column.name());
            let property = GOALS.properties.iter().find(|property| sql(property.sql));
            property.map_or(column.name(), |property| property.name)
        }
        Field::List(list) => {
            let from = format!(" from {} l", field.name());
            let found = GOALS.lists.iter().find(|known| known.sql.contains(&from));
            found.map_or(if list.width() == 5 { "tasks" } else { field.name() }, |list| list.name)
        }
    }
}
