//! The second door, `/api/v1`: everything that Graph never had, by the conventions of OData 4.01 (docs/API-V1.md).
//!
//! ```text
//! request ─ routes ─▶ Call ─ scope, member ─┬▶ read  ─ ask ($filter, $orderby, …) ─ rows ─▶ JSON
//!                                           └▶ write ─ body ─ rights, If-Match, deeds ─ rows ─▶ JSON
//! ```
//!
//! [`sets`] says what there is, [`routes`] what can be done with it; everything else is made from these two tables.
//! `read` answers lists and single things, by `ask` (what is asked for), `filter` (as SQL), `rows` (the answer) and
//! `terms` (how it is written). [`write`](mod@write) does one of the `deeds` in one transaction. `past` answers what was
//! and what changed. [`metadata`] and [`openapi`] describe all of it.
//!
//! What a caller may not see does not exist here: it is in no row, no count, no order, no filter and no entity tag.

mod ask;
pub mod body;
mod deeds;
mod discretion;
pub mod exports;
mod filter;
pub mod imports;
pub mod metadata;
pub mod openapi;
mod past;
mod read;
pub mod routes;
mod rows;
pub mod sets;
mod terms;
mod upload;
pub mod write;

use std::collections::HashMap;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, get, on};
use axum::{Extension, Router};
use goalpost_odata::QueryString;

use self::routes::{Deed, GOAL, ID, ORGANIZATION, ROUTES, Route};
use self::sets::{ORGANIZATIONS, Set, Visible};
use self::terms::Terms;
use crate::app::App;
use crate::http::GraphError;
use crate::identity::{Caller, Member};
use crate::origin::Origin;
use crate::views::{self, View};

/// Where the service stands.
pub const BASE: &str = "/api/v1";

/// The whole door.
pub fn router() -> Router<App> {
    let mut by_path: Vec<(&'static str, MethodRouter<App>, Vec<&'static str>)> = Vec::new();
    for route in ROUTES {
        let method = MethodFilter::try_from(route.method.clone()).expect("a method that the router knows");
        let serve = on(method, move |app, caller, origin, terms, path, request| {
            serve(route, app, caller, origin, terms, path, request)
        });
        match by_path.iter_mut().find(|(path, ..)| *path == route.path) {
            Some((_, methods, allow)) => {
                *methods = std::mem::take(methods).merge(serve);
                allow.push(route.method.as_str());
            }
            None => by_path.push((route.path, serve, vec![route.method.as_str()])),
        }
    }
    let mut router = Router::new()
        .route(BASE, get(metadata::get_service))
        .route(&format!("{BASE}/"), get(metadata::get_service))
        .route(&format!("{BASE}/$metadata"), get(metadata::get_metadata))
        .route(&format!("{BASE}/openapi.json"), get(openapi::get_document))
        .route(&format!("{BASE}/exportColumns"), get(exports::get_columns))
        .route(&format!("{BASE}/{{*rest}}"), axum::routing::any(nothing));
    for (path, methods, allow) in by_path {
        let allow = allow.join(", ");
        let methods = methods
            .fallback(move |_caller: Caller| async move { GraphError::method_not_allowed_but(&allow) });
        router = router.route(&format!("{BASE}{path}"), methods);
    }
    router.route_layer(axum::middleware::from_fn(terms::settle))
}

/// A path that leads nowhere.
async fn nothing(_caller: Caller) -> GraphError {
    GraphError::service(
        StatusCode::NOT_FOUND,
        "notFound",
        "resourceNotFound",
        format!("There is no such resource. {BASE} lists what there is."),
    )
}

/// A request to one of the routes.
struct Call {
    route: &'static Route,
    app: App,
    caller: Caller,
    origin: Origin,
    headers: HeaderMap,
    terms: Terms,
    query: Option<String>,
    /// The path below the origin, as it was asked for.
    path: String,
    /// The organization that the path names, as text; none at the list of organizations.
    organization: Option<String>,
    names: HashMap<String, String>,
}

async fn serve(
    route: &'static Route,
    State(app): State<App>,
    caller: Caller,
    origin: Origin,
    Extension(terms): Extension<Terms>,
    Path(names): Path<HashMap<String, String>>,
    request: Request,
) -> Result<Response, GraphError> {
    caller.require(route.deed.scope())?;
    let is_json = !matches!(
        route.deed,
        Deed::Count | Deed::Export(exports::Deed::Content) | Deed::Import(imports::Deed::Report)
    );
    if is_json {
        terms.require_json()?;
    }
    let of_organizations = route.set.name == ORGANIZATIONS.name;
    let organization = names.get(if of_organizations { ID } else { ORGANIZATION }).cloned();
    let call = Call {
        route,
        app,
        caller,
        origin,
        headers: request.headers().clone(),
        terms,
        query: request.uri().query().map(str::to_owned),
        path: request.uri().path().to_owned(),
        organization,
        names,
    };
    match route.deed {
        Deed::List => read::list(&call).await,
        Deed::Count => read::count(&call).await,
        Deed::Get => read::get(&call).await,
        Deed::Delta => past::delta(&call).await,
        Deed::History => past::history(&call).await,
        Deed::Write(write) => write::write(call, write, request).await,
        Deed::Export(deed) => exports::serve(call, deed, request).await,
        Deed::Import(deed) => imports::serve(call, deed, request).await,
    }
}

impl Call {
    fn set(&self) -> &'static Set {
        self.route.set
    }

    /// The caller as a member of the organization that the path names.
    ///
    /// # Errors
    /// 404 for who is none, or has left, exactly as for an organization that does not exist; 403 for who may not know of
    /// what the path names.
    async fn member(&self) -> Result<Member, GraphError> {
        let guid = self.organization.as_deref().and_then(crate::http::parse_guid);
        let member = match guid {
            Some(guid) => self.app.identity.member(&self.caller, guid).await?,
            None => None,
        };
        let member = member.filter(|member| member.active).ok_or_else(|| no_such(&ORGANIZATIONS))?;
        if self.set().visible == Visible::Imports {
            imports::require_right(&self.app, &member).await?;
        }
        Ok(member)
    }

    /// The goal that the path names above the thing.
    fn above(&self) -> Result<Option<i64>, GraphError> {
        let goal = self.names.get(GOAL).map(|text| text.parse().map_err(|_| no_such(&sets::GOALS)));
        goal.transpose()
    }

    /// A view that the caller sees, by its GUID.
    async fn view(&self, guid: &str) -> Result<View, GraphError> {
        let member = self.member().await?;
        let guid = crate::http::parse_guid(guid).ok_or_else(|| no_such(&sets::VIEWS))?;
        let found = self.app.db.read(member.organization, |tx| {
            views::queries::find_visible(tx, member.organization, guid, member.person)
        });
        found.await?.ok_or_else(|| no_such(&sets::VIEWS))
    }

    /// The value of a query option, decoded.
    fn option(&self, name: &str) -> Option<String> {
        let query = QueryString::parse(self.query.as_deref()?).ok()?;
        // Options of OData's count in any case, with or without `$` (OData 4.01 Part 2, 5.1).
        let is = |known: &str| match name.strip_prefix('$') {
            Some(name) => known.strip_prefix('$').unwrap_or(known).eq_ignore_ascii_case(name),
            None => known == name,
        };
        query.pairs().find(|(known, _)| is(known)).map(|(_, value)| value.to_owned())
    }

    /// The key of the thing that the path names.
    fn id(&self) -> &str {
        self.names.get(ID).map_or("", String::as_str)
    }

    /// Where the request went, without its query.
    fn url(&self) -> String {
        format!("{}{}", self.origin.as_str(), self.path)
    }

    /// `@odata.context` of the set, with what follows its name.
    fn context(&self, rest: &str) -> String {
        let (origin, set) = (self.origin.as_str(), self.set().name);
        match self.names.get(ORGANIZATION) {
            Some(organization) => {
                format!("{origin}{BASE}/$metadata#organizations({organization})/{set}{rest}")
            }
            None => format!("{origin}{BASE}/$metadata#{set}{rest}"),
        }
    }
}

/// 404 for a thing that is not there, or not for this caller to know of.
fn no_such(set: &Set) -> GraphError {
    GraphError::service(
        StatusCode::NOT_FOUND,
        "notFound",
        set.not_found(),
        format!("There is no such {}, or it is not for you to see.", set.entity),
    )
}
