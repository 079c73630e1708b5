//! Every route of the server, in one table.
//!
//! Paths of the Graph door come in many spellings; [`path::canonical`] brings them into the form used here before the
//! router sees them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, OriginalUri, Request};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use tower::util::MapRequestLayer;
use tower::{Layer, Service};

use crate::api;
use crate::app::App;
use crate::batch;
use crate::exports::api::{
    count_exports, create_export, get_employee_experience, get_export, get_goals, list_exports,
};
use crate::exports::content::get_content;
use crate::http::{GraphError, Outside, envelope, path};
use crate::identity::Caller;
use crate::observe::health::{self, Readiness};
use crate::observe::metrics::get_metrics;
use crate::web;

/// The description of the Graph door's types (OData CSDL).
const METADATA: &str = include_str!("exports/metadata.xml");

/// The whole server as one service.
pub fn service(
    app: &App,
) -> impl Service<Request, Response = Response, Error = std::convert::Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    let graph = graph();
    let in_batch = graph.clone().with_state(app.clone());
    let batch = move |caller: Caller, request: Request| batch::run(in_batch.clone(), caller, request);
    let readiness = Readiness::new(app.clone());
    let outside = Outside { ids: app.ids, clock: app.clock.clone(), metrics: Arc::clone(&app.metrics) };
    let router = Router::new()
        .route("/beta/$batch", only("POST", post(batch)))
        .merge(graph)
        .merge(api::router())
        .route("/", get(web::home))
        .route("/org_uuid/{organization}/objective-explorer", get(web::explorer))
        .route("/page.css", get(web::stylesheet))
        .route("/icon.svg", get(web::icon))
        .route("/api/v1/docs", get(web::try_api))
        .route("/api/v1/docs.js", get(web::try_script))
        .route("/docs/api", get(web::api_document))
        .route("/docs/api-v1", get(web::api_v1_document))
        .route("/docs/data", get(web::data_document))
        .route("/healthz", get(health::live))
        .route("/readyz", get(move || readiness.clone().answer()))
        .route("/metrics", get(get_metrics))
        .with_state(app.clone())
        .layer(DefaultBodyLimit::disable()) // each handler that reads a body bounds it itself
        .layer(from_fn_with_state(outside, envelope::envelope));
    MapRequestLayer::new(canonical as fn(Request) -> Request).layer(router)
}

/// The Graph door.
fn graph() -> Router<App> {
    let jobs = "/beta/employeeexperience/goals/exportjobs";
    Router::new()
        .route("/beta/$metadata", get(metadata))
        .route("/beta/employeeexperience", only("GET", get(get_employee_experience)))
        .route("/beta/employeeexperience/goals", only("GET", get(get_goals)))
        .route(jobs, only("GET, POST", get(list_exports).post(create_export)))
        .route(&format!("{jobs}/$count"), only("GET", get(count_exports)))
        .route(&format!("{jobs}/{{id}}"), only("GET", get(get_export)))
        .route(&format!("{jobs}/{{id}}/content"), only("GET", get(get_content)))
        .route("/beta", axum::routing::any(unknown))
        .route("/beta/{*rest}", axum::routing::any(unknown))
        .route("/v1.0", axum::routing::any(unknown))
        .route("/v1.0/{*rest}", axum::routing::any(unknown))
}

/// Refuse other methods in Graph's words, after authentication.
fn only(allow: &'static str, methods: MethodRouter<App>) -> MethodRouter<App> {
    methods.fallback(move |_caller: Caller| async move { GraphError::method_not_allowed(allow) })
}

/// A path under `/beta` or `/v1.0` that leads nowhere.
async fn unknown(OriginalUri(uri): OriginalUri, _caller: Caller) -> GraphError {
    GraphError::unknown_segment(&path::unknown_segment(uri.path()))
}

async fn metadata() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/xml")], METADATA)
}

fn canonical(mut request: Request) -> Request {
    *request.uri_mut() = path::canonical(request.uri());
    request
}
