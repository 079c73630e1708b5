//! What every answer carries: ids in its headers, and errors in Graph's envelope whoever raised them. And what is said
//! of every request: a span around it, a line in the log, a place in the metrics.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;
use uuid::Uuid;

use super::{GraphError, access, time};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::metrics::{self, Metrics};
use crate::trace::{self, TraceParent};

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const DIAGNOSTIC: HeaderName = HeaderName::from_static("x-ms-ags-diagnostic");

/// The ids by which a request is found in the logs of both sides.
#[derive(Clone, Debug)]
pub struct RequestIds {
    /// Ours, new for each request.
    pub request_id: Uuid,
    /// When the request came in, microseconds.
    pub received_us: i64,
    /// The client's own words, if they may stand in a header.
    client: Option<HeaderValue>,
    /// The trace that the client began.
    trace: Option<TraceParent>,
}

impl RequestIds {
    fn new(request_id: Uuid, received_us: i64, headers: &HeaderMap) -> Self {
        // Exactly one header of 1–128 visible ASCII characters is echoed; anything else counts as absent.
        let mut given = headers.get_all(CLIENT_REQUEST_ID).iter();
        let client = match (given.next(), given.next()) {
            (Some(value), None) => Some(value.clone()).filter(|value| {
                (1..=128).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
            }),
            _ => None,
        };
        Self { request_id, received_us, client, trace: TraceParent::from_headers(headers) }
    }

    /// The client's id; ours where it gave none.
    pub fn client_request_id(&self) -> String {
        let given = self.client.as_ref().and_then(|value| value.to_str().ok());
        given.map_or_else(|| self.request_id.to_string(), str::to_owned)
    }

    /// Where the trace of the present request is to be continued.
    pub fn continuation(&self) -> Option<TraceParent> {
        trace::continuation(&tracing::Span::current(), self.trace.as_ref())
    }
}

/// What the envelope needs of the server.
#[derive(Clone, Debug)]
pub struct Outside {
    /// New ids.
    pub ids: Ids,
    /// When requests came in.
    pub clock: Clock,
    /// Where they are counted.
    pub metrics: Arc<Metrics>,
}

/// The outermost layer of the server.
pub async fn envelope(State(outside): State<Outside>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let ids = RequestIds::new(outside.ids.guid(), outside.clock.now_us(), request.headers());
    let method = request.method().clone();
    // The template and never the path, whose words are the client's.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    // Of the highest level, so that whatever is logged of a request carries its id.
    let span = tracing::error_span!(
        "request",
        request.id = %ids.request_id,
        http.route = route,
        trace.id = tracing::field::Empty,
        otel.name = tracing::field::Empty,
        otel.kind = tracing::field::Empty,
    );
    trace::join(&span, ids.trace.as_ref(), || format!("{} {route}", metrics::method(&method)), "server");
    request.extensions_mut().insert(ids.clone());
    let response = next.run(request).instrument(span.clone()).await;
    let response = dress(response, ids, method == Method::HEAD);
    outside.metrics.http.answered(route, &method, response.status(), begun.elapsed());
    access::log(response, span, metrics::method(&method), begun, metrics::is_routine(route))
}

fn dress(mut response: Response, ids: RequestIds, head: bool) -> Response {
    if let Some(error) = error_to_write(&response) {
        let body = error.body(&ids, &time::error_date(ids.received_us));
        let headers = std::mem::take(response.headers_mut());
        response = (response.status(), Json(body)).into_response();
        for (name, value) in &headers {
            if name != CONTENT_TYPE && name != axum::http::header::CONTENT_LENGTH {
                response.headers_mut().insert(name.clone(), value.clone());
            }
        }
        if head {
            *response.body_mut() = axum::body::Body::empty();
        }
    }
    let headers = response.headers_mut();
    let own = HeaderValue::from_str(&ids.request_id.to_string()).expect("a GUID is visible ASCII");
    headers.insert(CLIENT_REQUEST_ID, ids.client.unwrap_or_else(|| own.clone()));
    headers.insert(REQUEST_ID, own);
    headers.insert(DIAGNOSTIC, HeaderValue::from_static(
        r#"{"ServerInfo":{"DataCenter":"Self-hosted","Slice":"E","Ring":"1","ScaleUnit":"001","RoleInstance":"goalpost"}}"#,
    ));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The error that a handler returned, or one for a refusal that the framework made by itself, which has no body of
/// the right form.
fn error_to_write(response: &Response) -> Option<GraphError> {
    if let Some(error) = response.extensions().get::<GraphError>() {
        return Some(error.clone());
    }
    let status = response.status();
    let ours = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind != "text/plain; charset=utf-8");
    let refusal = status.is_client_error() || status.is_server_error();
    (refusal && !ours && status != StatusCode::RANGE_NOT_SATISFIABLE).then(|| GraphError::for_status(status))
}
