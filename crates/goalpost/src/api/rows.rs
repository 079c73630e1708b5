//! Rows of a set as the JSON of the service.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goalpost_db::{Error, Result, Row, Tx, Value};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ask::{Ask, Chosen};
use super::sets::{PropertyKind, Set, Visible};
use crate::exports;
use crate::goals::filter::{Condition, Subject};
use crate::goals::history::AsOf;
use crate::goals::visibility::{IS_HELD, visible_as_of};
use crate::http::time::precise_date_time;
use crate::table::{key_batches, keys_at_once};
use crate::views::sharing;

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) rows: Vec<Json>,
    /// All rows that the filter admits, if asked for.
    pub(super) count: Option<u64>,
    /// The query of the next page, if there is one.
    pub(super) next: Option<String>,
}

/// Which rows of a set, for whom and as of when: parts of one `where` clause. `?1` is the organization.
#[derive(Debug)]
pub(super) struct Where {
    sql: String,
    params: Vec<Value>,
    as_of: AsOf,
}

impl Where {
    /// The rows of a set that the subject may see.
    pub(super) fn new(set: &Set, subject: &Subject, as_of: AsOf) -> Self {
        let mut all = Self {
            sql: format!("{} = ?1", set.organization),
            params: vec![subject.organization.into()],
            as_of,
        };
        match set.visible {
            Visible::All | Visible::Imports => {}
            Visible::OfGoals => all.and(|first| {
                let Condition { sql, params } = visible_as_of(subject, as_of, first);
                Condition { sql: format!("{IS_HELD} and {sql}"), params }
            }),
            Visible::Views => all.and(|first| sharing::visible_to(subject, first)),
            Visible::Exports => all.and(|first| Condition {
                sql: format!("x.kind in (?{first}, ?{}) and x.creator = ?{}", first + 1, first + 2),
                params: vec![
                    exports::KIND.into(),
                    exports::WITH_OPTIONS.into(),
                    subject.person.map_or(Value::Null, Into::into),
                ],
            }),
        }
        all
    }

    /// Those of them that meet a condition too, whose parameters are numbered from the one given to `condition` on.
    pub(super) fn and(&mut self, condition: impl FnOnce(usize) -> Condition) {
        let Condition { sql, params } = condition(self.params.len() + 1);
        self.sql = format!("{} and {sql}", self.sql);
        self.params.extend(params);
    }

    /// Those of them whose `property` is `value`.
    pub(super) fn and_is(&mut self, set: &Set, property: &str, value: Value) {
        let sql = set.property(property).map_or("null", |property| property.sql);
        self.and(|first| Condition { sql: format!("{sql} = ?{first}"), params: vec![value] });
    }

    fn bind(&mut self, value: impl Into<Value>) -> usize {
        self.params.push(value.into());
        self.params.len()
    }
}

/// One page of the rows, in one statement for the set and one for each of its lists (for every 250 rows).
pub(super) fn page(tx: &Tx<'_>, set: &Set, subject: &Subject, mut found: Where, ask: &Ask) -> Result<Page> {
    let count = if ask.count { Some(count(tx, set, &found)?) } else { None };
    if ask.limit == 0 {
        return Ok(Page { rows: Vec::new(), count, next: None });
    }
    if let Some(after) = &ask.after {
        found.and(|first| Condition { sql: ask.order.after(first), params: after.clone() });
    }
    // One more than the page holds tells whether there is a next one.
    let limit = found.bind(ask.limit as i64 + 1);
    let skip = found.bind(ask.skip as i64);
    let width = set.properties.len();
    let selected = set.properties.iter().map(|property| property.sql).chain(ask.order.selected());
    let sql = format!(
        "-- api::page\nselect {} from {} where {} order by {} limit ?{limit} offset ?{skip}",
        selected.collect::<Vec<_>>().join(", "),
        set.from,
        found.sql,
        ask.order.order_by(),
    );
    let (mut rows, mut last, mut more) = (Vec::new(), Vec::new(), false);
    tx.each(&found.as_of.text(tx, &sql), &found.params, |row| {
        if rows.len() as u64 == ask.limit {
            more = true;
            return Ok::<_, Error>(ControlFlow::Break(()));
        }
        rows.push(properties(set, row)?);
        last = ask.order.read(row, width)?;
        Ok(ControlFlow::Continue(()))
    })?;
    let next = if more { ask.next(&last, rows.len() as u64) } else { None };
    add_lists(tx, set, subject, found.as_of, &mut rows)?;
    let rows = rows.into_iter().map(|row| dressed(row, &ask.chosen)).collect();
    Ok(Page { rows, count, next })
}

/// The one row whose key is this, whole.
pub(super) fn find(
    tx: &Tx<'_>,
    set: &Set,
    subject: &Subject,
    mut found: Where,
    key: Value,
) -> Result<Option<Map<String, Json>>> {
    found.and_is(set, set.key().name, key);
    let selected = set.properties.iter().map(|property| property.sql).collect::<Vec<_>>().join(", ");
    let sql = format!("-- api::find\nselect {selected} from {} where {}", set.from, found.sql);
    let row = tx.query_opt(&found.as_of.text(tx, &sql), &found.params, |row| properties(set, row))?;
    let mut rows: Vec<_> = row.into_iter().collect();
    add_lists(tx, set, subject, found.as_of, &mut rows)?;
    Ok(rows.pop())
}

/// The rows with these numbers, whole, by number.
pub(super) fn numbered(
    tx: &Tx<'_>,
    set: &Set,
    subject: &Subject,
    found: &Where,
    numbers: &[i64],
) -> Result<Vec<Map<String, Json>>> {
    let selected = set.properties.iter().map(|property| property.sql).collect::<Vec<_>>().join(", ");
    let mut rows = Vec::with_capacity(numbers.len());
    for batch in numbers.chunks(BATCH) {
        let mut params = found.params.clone();
        params.extend(batch.iter().map(|&number| Value::Int(number)));
        let places: Vec<_> =
            (found.params.len() + 1..=params.len()).map(|place| format!("?{place}")).collect();
        let (key, places) = (set.key().sql, places.join(", "));
        let sql = format!(
            "-- api::numbered\nselect {selected} from {} where {} and {key} in ({places}) order by {key}",
            set.from, found.sql
        );
        rows.extend(tx.query(&found.as_of.text(tx, &sql), &params, |row| properties(set, row))?);
    }
    add_lists(tx, set, subject, found.as_of, &mut rows)?;
    Ok(rows)
}

/// Numbers that one statement asks for.
const BATCH: usize = 250;

/// How many rows there are.
pub(super) fn count(tx: &Tx<'_>, set: &Set, found: &Where) -> Result<u64> {
    let sql = format!("-- api::count\nselect count(*) from {} where {}", set.from, found.sql);
    tx.query_one(&found.as_of.text(tx, &sql), &found.params, |row| Ok(row.int(0)? as u64))
}

/// The name under which a row carries its entity tag.
const ETAG: &str = "@odata.etag";

/// The entity tag of a row: a hash of all that its reader sees of it, so it says nothing of what they do not see.
pub(super) fn etag(row: &Map<String, Json>) -> String {
    let text = serde_json::to_string(row).unwrap_or_default();
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..12]))
}

/// A whole row as it is answered: what was chosen of it, and its entity tag if that is all.
pub(super) fn dressed(mut row: Map<String, Json>, chosen: &Chosen) -> Json {
    if chosen.is_all() {
        let mut dressed = Map::with_capacity(row.len() + 1);
        dressed.insert(ETAG.to_owned(), etag(&row).into());
        dressed.append(&mut row);
        return dressed.into();
    }
    row.retain(|name, _| chosen.has(name));
    row.into()
}

fn properties(set: &Set, row: &Row<'_>) -> Result<Map<String, Json>> {
    let mut json = Map::with_capacity(set.properties.len() + set.lists.len());
    for (column, property) in set.properties.iter().enumerate() {
        json.insert(property.name.to_owned(), value(row, column, property.kind)?);
    }
    Ok(json)
}

fn value(row: &Row<'_>, column: usize, kind: PropertyKind) -> Result<Json> {
    if row.is_null(column)? {
        return Ok(Json::Null);
    }
    Ok(match kind {
        PropertyKind::Int => row.int(column)?.into(),
        PropertyKind::Real => row.opt_real(column)?.into(),
        PropertyKind::Flag => row.bool(column)?.into(),
        PropertyKind::Text | PropertyKind::Day => row.text(column)?.into(),
        PropertyKind::Moment => precise_date_time(row.int(column)?).into(),
        PropertyKind::Guid => Uuid::from_bytes(row.bytes(column)?).to_string().into(),
        PropertyKind::Json => serde_json::from_str(row.text(column)?)
            .map_err(|error| Error::unexpected(format!("a column of JSON: {error}")))?,
    })
}

fn add_lists(
    tx: &Tx<'_>,
    set: &Set,
    subject: &Subject,
    as_of: AsOf,
    rows: &mut [Map<String, Json>],
) -> Result<()> {
    let keys: Vec<i64> = rows.iter().filter_map(|row| row.get(set.number()).and_then(Json::as_i64)).collect();
    for list in set.lists {
        let mut items: BTreeMap<i64, Vec<Json>> = BTreeMap::new();
        for mut params in key_batches(subject.organization, &keys) {
            let Condition { sql: visible, params: more } = visible_as_of(subject, as_of, params.len() + 1);
            let mut sql = list.sql.replace("{keys}", &keys_at_once(&keys));
            if sql.contains("{visible}") {
                sql = sql.replace("{visible}", &visible);
                params.extend(more);
            }
            tx.each(&as_of.text(tx, &format!("-- api::list\n{sql}")), &params, |row| {
                let item = if list.is_plain() {
                    value(row, 1, list.fields[0].1)?
                } else {
                    let fields = list.fields.iter().zip(1..);
                    let member = |((name, kind, _), column): (&(&str, _, _), _)| {
                        Ok::<_, Error>(((*name).to_owned(), value(row, column, *kind)?))
                    };
                    fields.map(member).collect::<Result<Map<_, _>>>()?.into()
                };
                items.entry(row.int(0)?).or_default().push(item);
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
        }
        for row in rows.iter_mut() {
            let items = row.get(set.number()).and_then(Json::as_i64).and_then(|key| items.remove(&key));
            row.insert(list.name.to_owned(), items.unwrap_or_default().into());
        }
    }
    Ok(())
}
