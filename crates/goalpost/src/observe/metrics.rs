//! `/metrics`, and who may read it: whoever reaches the address that is for it alone, if there is one; else this
//! machine, as long as nothing says that a proxy stands between.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::App;
use crate::http::GraphError;
use crate::metrics::{self, Metrics};
use crate::observe::health::{self, Readiness};

/// Headers by which a proxy gives itself away.
const OF_PROXIES: [&str; 5] = ["forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-real-ip"];

/// Everything at the address for metrics: health, too, since a worker has no other one.
pub fn router(app: &App) -> Router {
    let (metrics, readiness) = (Arc::clone(&app.metrics), Readiness::new(app.clone()));
    Router::new()
        .route("/metrics", get(async move || text(&metrics)))
        .route("/healthz", get(health::live))
        .route("/readyz", get(move || readiness.clone().answer()))
}

/// `GET /metrics` at the main address. 404 for all but this machine.
pub async fn get_metrics(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    let config = &app.config;
    let has_own_address = config.observability.metrics_listen.is_some();
    let is_proxied = config.public_url.is_some() || OF_PROXIES.iter().any(|name| headers.contains_key(*name));
    if has_own_address || is_proxied || !peer.ip().to_canonical().is_loopback() {
        return GraphError::for_status(StatusCode::NOT_FOUND).into_response();
    }
    text(&app.metrics)
}

fn text(metrics: &Metrics) -> Response {
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE), (CACHE_CONTROL, "no-store")], metrics.to_text()).into_response()
}
