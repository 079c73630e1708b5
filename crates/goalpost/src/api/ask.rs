//! What a list is asked for: the query options of a request, judged for the set that it is about.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goalpost_db::Value;
use goalpost_odata::{Direction, QueryString, SelectItem};
use serde_json::{Value as Json, json};

use super::filter::no_such_property;
use super::sets::{PropertyKind, Set};
use crate::http::GraphError;
use crate::http::options::read_options;
use crate::keyset::Keyset;

/// Rows of one answer, unless fewer are asked for: a client that follows `@odata.nextLink` gets them all.
const PAGE: u64 = 1_000;
/// Rows that `$skip` may pass over. Whoever wants to go further follows the links, which cost nothing for what lies behind.
const MAX_SKIP: u32 = 100_000;

/// A list that was asked for.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) query: QueryString,
    pub(super) chosen: Chosen,
    pub(super) filter: Option<String>,
    pub(super) search: Option<String>,
    pub(super) order: Keyset,
    is_ordered: bool,
    pub(super) skip: u64,
    /// Rows of this page.
    pub(super) limit: u64,
    /// Rows of all pages together, if the request bounds them, and those of the pages before.
    top: Option<u64>,
    returned: u64,
    pub(super) count: bool,
    pub(super) after: Option<Vec<Value>>,
}

/// The properties and lists of a set that `$select` names; all without it.
#[derive(Clone, Debug)]
pub(super) struct Chosen(Option<Vec<String>>);

impl Chosen {
    pub(super) const ALL: Self = Self(None);

    pub(super) fn new(set: &Set, select: Option<&[SelectItem]>) -> Result<Self, GraphError> {
        let Some(items) = select else { return Ok(Self::ALL) };
        let mut chosen = Vec::new();
        for item in items {
            let SelectItem::Path(path) = item else { return Ok(Self::ALL) };
            let name = path.as_str();
            if set.property(name).is_none() && set.lists.iter().all(|list| list.name != name) {
                return Err(no_such_property(set, name));
            }
            if chosen.iter().all(|known| known != name) {
                chosen.push(name.to_owned());
            }
        }
        Ok(Self(Some(chosen)))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|chosen| chosen.iter().any(|known| known == name))
    }

    pub(super) fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// What the context URL says of them: `(id,title)`, or nothing for all.
    pub(super) fn in_context(&self) -> String {
        self.0.as_ref().map_or_else(String::new, |chosen| format!("({})", chosen.join(",")))
    }
}

impl Ask {
    /// # Errors
    /// 400 for an option that the resource does not have, or a value that it cannot have.
    pub(super) fn new(
        set: &Set,
        query: Option<&str>,
        max_page_size: Option<u64>,
    ) -> Result<Self, GraphError> {
        let admitted =
            ["filter", "search", "select", "orderby", "top", "skip", "count", "skiptoken", "format"];
        let (query, options) = read_options(query, &admitted)?;
        let mut order = Keyset::default();
        for by in options.orderby.iter().flatten() {
            let property =
                set.property(by.path.as_str()).filter(|property| property.kind != PropertyKind::Json);
            let property = property.ok_or_else(|| no_such_property(set, by.path.as_str()))?;
            let descending = by.direction == Direction::Descending;
            let sql = if property.kind == PropertyKind::Text { property.fold } else { None };
            let (sql, kind) = (sql.unwrap_or(property.sql), property.kind.stored());
            order = if property.nullable {
                order.by_nullable(sql, kind, descending)
            } else {
                order.by(sql, kind, descending)
            };
        }
        order = order.by(set.key().sql, set.key().kind.stored(), false);
        let token = options.skiptoken.as_deref().map(|token| Token::decode(token, &order)).transpose()?;
        if options.skip.is_some_and(|skip| skip > MAX_SKIP) {
            return Err(GraphError::bad_request(format!(
                "$skip is at most {MAX_SKIP}. Follow @odata.nextLink to go further."
            )));
        }
        let (after, returned) = token.map_or((None, 0), |token| (Some(token.after), token.returned));
        let top = options.top.map(u64::from);
        let page = max_page_size.map_or(PAGE, |size| size.clamp(1, PAGE));
        Ok(Self {
            chosen: Chosen::new(set, options.select.as_deref())?,
            filter: options.filter,
            search: options.search,
            order,
            is_ordered: options.orderby.is_some(),
            skip: if after.is_some() { 0 } else { options.skip.map_or(0, u64::from) },
            limit: top.map_or(page, |top| top.saturating_sub(returned).min(page)),
            top,
            returned,
            count: options.count.unwrap_or(false),
            after,
            query,
        })
    }

    /// Whether it asks for an order.
    pub(super) fn is_ordered(&self) -> bool {
        self.is_ordered
    }

    /// Whether it asks for a part of the list only.
    pub(super) fn is_cut(&self) -> bool {
        self.top.is_some() || self.skip > 0
    }

    /// The query of the page behind this one, which has `rows` rows, the last of them at `place`; `None` if no more rows
    /// were asked for.
    pub(super) fn next(&self, place: &[Value], rows: u64) -> Option<String> {
        let returned = self.returned.saturating_add(rows);
        if self.top.is_some_and(|top| returned >= top) {
            return None;
        }
        let token = json!([returned, Keyset::to_json(place)]);
        Some(self.query.with_skiptoken(&URL_SAFE_NO_PAD.encode(token.to_string())))
    }
}

/// Where a page begins, and how many rows came before it.
struct Token {
    after: Vec<Value>,
    returned: u64,
}

impl Token {
    fn decode(token: &str, order: &Keyset) -> Result<Self, GraphError> {
        let read = || {
            let json: Json = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
            Some(Self { returned: json.get(0)?.as_u64()?, after: order.from_json(json.get(1)?)? })
        };
        read().ok_or_else(|| {
            GraphError::bad_request(
                "The $skiptoken is not one of this list. Take it from @odata.nextLink as it stands.",
            )
        })
    }
}
