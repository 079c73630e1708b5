//! JSON batching: up to twenty requests in one (docs/API.md, "Batches").

use std::collections::HashMap;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

use crate::http::{GraphError, RequestIds, body, path, time};
use crate::identity::Caller;

const MAX_REQUESTS: usize = 20;
/// The largest answer that is put into a batch; a larger one is fetched by itself.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// Run the requests of a batch, one after the other, as the batch's own caller.
///
/// # Errors
/// 400 for a batch that is malformed as a whole; what is wrong with one request is that request's own answer.
pub async fn run(graph: Router, _caller: Caller, request: Request) -> Result<Response, GraphError> {
    let (parts, body) = request.into_parts();
    let shared: Vec<(HeaderName, HeaderValue)> = [AUTHORIZATION, HOST]
        .into_iter()
        .filter_map(|name| parts.headers.get(&name).map(|value| (name, value.clone())))
        .collect();
    let ids = parts.extensions.get::<RequestIds>().cloned();
    let items = read_items(Request::from_parts(parts, body)).await?;
    let mut statuses = HashMap::new();
    let mut responses = Vec::new();
    for item in items {
        let id = item.id.clone();
        let failed = item.depends_on.iter().any(|on| statuses.get(on).is_none_or(|status| *status >= 400));
        let answer = if failed {
            GraphError::gateway(
                StatusCode::FAILED_DEPENDENCY,
                "failedDependency",
                "A request that this one depends on failed.",
            )
            .into_response()
        } else {
            answer(&graph, item, &shared, ids.as_ref()).await
        };
        statuses.insert(id.clone(), answer.status().as_u16());
        responses.push(to_json(id, answer, ids.as_ref()).await);
    }
    Ok(([("odata-version", "4.0")], Json(json!({ "responses": responses }))).into_response())
}

async fn read_items(request: Request) -> Result<Vec<Item>, GraphError> {
    let mut members = body::read_object(request).await?;
    let position = members.iter().position(|(name, _)| name == "requests");
    let requests = position.map(|position| members.swap_remove(position).1);
    let invalid = |message: &str| GraphError::bad_request(format!("Invalid batch payload format: {message}"));
    let requests = requests.ok_or_else(|| invalid("the property 'requests' is missing."))?;
    let items: Vec<Item> = serde_json::from_value(requests)
        .map_err(|_| invalid("each request needs the texts 'id', 'method' and 'url'."))?;
    if items.len() > MAX_REQUESTS {
        return Err(invalid("a batch holds at most 20 requests."));
    }
    let mut known = std::collections::HashSet::new();
    for item in &items {
        if item.id.is_empty() || !item.depends_on.iter().all(|on| known.contains(on)) {
            return Err(invalid("'dependsOn' names requests that stand before, by their 'id'."));
        }
        if !known.insert(item.id.clone()) {
            return Err(invalid("each 'id' stands once."));
        }
    }
    Ok(items)
}

async fn answer(
    graph: &Router,
    item: Item,
    shared: &[(HeaderName, HeaderValue)],
    ids: Option<&RequestIds>,
) -> Response {
    let Some(mut request) = inner_request(item, shared) else {
        return GraphError::bad_request("The request in the batch is malformed.").into_response();
    };
    if let Some(ids) = ids {
        request.extensions_mut().insert(ids.clone());
    }
    graph.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
}

fn inner_request(item: Item, shared: &[(HeaderName, HeaderValue)]) -> Option<Request> {
    // URLs are relative to the version, with or without a leading slash.
    let uri = format!("/beta/{}", item.url.trim_start_matches('/')).parse().ok()?;
    let method: Method = item.method.to_ascii_uppercase().parse().ok()?;
    let mut request = Request::builder().method(method).uri(path::canonical(&uri));
    for (name, value) in &item.headers {
        let name: HeaderName = name.parse().ok()?;
        if name != AUTHORIZATION && name != HOST {
            request = request.header(name, value);
        }
    }
    for (name, value) in shared {
        request = request.header(name, value);
    }
    request.body(item.body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).ok()
}

/// One answer of the batch: JSON as it is, anything else in base64.
async fn to_json(id: String, response: Response, ids: Option<&RequestIds>) -> Value {
    let status = response.status();
    let mut headers = Map::new();
    for (name, value) in response.headers() {
        if name != axum::http::header::CONTENT_LENGTH {
            headers.insert(name.to_string(), String::from_utf8_lossy(value.as_bytes()).into());
        }
    }
    let body = if let (Some(error), Some(ids)) = (response.extensions().get::<GraphError>(), ids) {
        headers.insert(CONTENT_TYPE.to_string(), "application/json".into());
        Some(error.body(ids, &time::error_date(ids.received_us)))
    } else {
        let is_json = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        match body::read_bytes(response.into_body(), MAX_ANSWER).await {
            Ok(bytes) if bytes.is_empty() => None,
            Ok(bytes) if is_json => serde_json::from_slice(&bytes).ok(),
            Ok(bytes) => Some(STANDARD.encode(bytes).into()),
            Err(_) => {
                let error = GraphError::gateway(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "payloadTooLarge",
                    "The answer is too large for a batch. Fetch it by itself.",
                );
                return Box::pin(to_json(id, error.into_response(), ids)).await;
            }
        }
    };
    let mut json = json!({ "id": id, "status": status.as_u16(), "headers": headers });
    if let Some(body) = body {
        json["body"] = body;
    }
    json
}
