//! Pages of exports: filter, order, page and count (docs/API.md, "List").

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goalpost_db::{Db, Result};
use goalpost_odata::{BinaryOperator, Direction, Expr, Literal, QueryOptions, property_names};
use uuid::Uuid;

use super::queries::{self, After, Export};
use super::resource::Properties;
use crate::http::{GraphError, parse_guid};
use crate::identity::Member;

/// The largest page.
const MAX_PAGE: u64 = 100;

/// What a list is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Only these organizations, if the filter names any.
    organizations: Option<Vec<Uuid>>,
    /// The properties of each item.
    pub properties: Properties,
    page_size: u64,
    skip: u64,
    count: bool,
    ascending: bool,
    after: Option<After>,
}

/// One page.
#[derive(Debug)]
pub struct Page {
    /// The exports, each with what its caller is in its organization.
    pub exports: Vec<(Member, Export)>,
    /// All exports that the filter admits, on all pages, if asked for.
    pub count: Option<u64>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

impl Request {
    /// From the query options, of which the caller has refused those that a list does not have.
    pub fn new(options: &QueryOptions) -> Result<Self, GraphError> {
        let ascending = match options.orderby.as_deref() {
            None => false,
            Some([by]) if by.path.as_str() == "createdDateTime" => by.direction == Direction::Ascending,
            Some(_) => {
                return Err(GraphError::bad_request(
                    "$orderby is supported for 'createdDateTime' alone, asc or desc.",
                ));
            }
        };
        let after = options
            .skiptoken
            .as_deref()
            .map(|token| {
                decode(token)
                    .ok_or_else(|| GraphError::bad_request("The $skiptoken is not one of this list."))
            })
            .transpose()?;
        Ok(Self {
            organizations: options.filter.as_deref().map(organizations).transpose()?,
            properties: Properties::from_select(options.select.as_deref())?,
            page_size: options.top.map_or(MAX_PAGE, u64::from).min(MAX_PAGE),
            skip: options.skip.map_or(0, u64::from),
            count: options.count.unwrap_or(false),
            ascending,
            after,
        })
    }

    fn admits(&self, member: &Member) -> bool {
        self.organizations.as_ref().is_none_or(|named| named.contains(&member.organization_guid))
    }
}

/// The page that is asked for, out of all organizations of the caller.
pub async fn page(db: &Db, memberships: &[Member], request: &Request) -> Result<Page> {
    let mut exports = Vec::new();
    // One more than the page holds tells whether there is a next one.
    let wanted = request.skip.saturating_add(request.page_size).saturating_add(1);
    if request.page_size > 0 {
        for member in memberships.iter().filter(|member| request.admits(member)) {
            let found = db.read(member.organization, |tx| {
                queries::list(tx, member, request.after, request.ascending, wanted)
            });
            exports.extend(found.await?.into_iter().map(|export| (*member, export)));
        }
    }
    exports.sort_by_key(|(_, export)| (export.job.created_at, export.job.key.id));
    if !request.ascending {
        exports.reverse();
    }
    let mut exports: Vec<_> = exports.into_iter().skip(request.skip as usize).collect();
    let more = exports.len() as u64 > request.page_size;
    exports.truncate(request.page_size as usize);
    let next = exports.last().filter(|_| more).map(|(_, last)| encode(&last.job));
    let count = if request.count { Some(self::count(db, memberships, request).await?) } else { None };
    Ok(Page { exports, count, next })
}

/// All exports that the filter admits.
pub async fn count(db: &Db, memberships: &[Member], request: &Request) -> Result<u64> {
    let mut total = 0;
    for member in memberships.iter().filter(|member| request.admits(member)) {
        total += db.read(member.organization, |tx| queries::count(tx, member)).await?;
    }
    Ok(total)
}

fn encode(job: &crate::jobs::Job) -> String {
    let mut bytes = job.created_at.to_be_bytes().to_vec();
    bytes.extend(job.key.id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(token: &str) -> Option<After> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (created_at, id) = bytes.split_first_chunk::<8>()?;
    Some(After { created_at: i64::from_be_bytes(*created_at), id: Uuid::from_slice(id).ok()? })
}

/// The organizations that `$filter` names. The API filters by that one property, and only by equality.
fn organizations(filter: &str) -> Result<Vec<Uuid>, GraphError> {
    // Names come first: a documented request for another property, in typographic quotes, gets this very answer.
    let foreign: Vec<_> =
        property_names(filter).into_iter().filter(|name| *name != "goalsOrganizationId").collect();
    if !foreign.is_empty() {
        return Err(GraphError::service(
            axum::http::StatusCode::BAD_REQUEST,
            "badRequest",
            "unknown",
            format!("Invalid filter keys found: {}", foreign.join(", ")),
        ));
    }
    let invalid = || GraphError::bad_request("Invalid filter clause");
    let tree = Expr::parse(filter).map_err(|_| invalid())?;
    let mut named = Vec::new();
    collect(&tree, &mut named).ok_or_else(invalid)?;
    // A text that is no GUID is no organization's id: nothing matches it.
    Ok(named.into_iter().filter_map(parse_guid).collect())
}

/// The texts that the tree compares the property with, if it is made of `eq`, `in` and `or` alone.
fn collect<'a>(tree: &'a Expr, named: &mut Vec<&'a str>) -> Option<()> {
    match tree {
        Expr::Binary { operator: BinaryOperator::Or, left, right } => {
            collect(left, named)?;
            collect(right, named)
        }
        Expr::Binary { operator: BinaryOperator::Equal, left, right } => match (&**left, &**right) {
            (Expr::Path(_), Expr::Literal(Literal::String(text)))
            | (Expr::Literal(Literal::String(text)), Expr::Path(_)) => {
                named.push(text);
                Some(())
            }
            _ => None,
        },
        Expr::In { value, list } => {
            matches!(&**value, Expr::Path(_)).then_some(())?;
            for item in list {
                let Literal::String(text) = item else { return None };
                named.push(text);
            }
            Some(())
        }
        _ => None,
    }
}
