//! JSON bodies, read strictly: bounded, one object, no name twice.

use std::fmt;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::GraphError;

/// The largest body that the API reads: 64 KiB.
pub const MAX_BYTES: usize = 64 * 1024;

const UNREADABLE: &str = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.";

/// The members of the JSON object that is the request's body, in order.
///
/// # Errors
/// 413 for a body over [`MAX_BYTES`], 415 for another content type, 400 for none, 400 for an empty body or one that is
/// no JSON object; the earlier in this order if there are several.
pub async fn read_object(request: Request) -> Result<Vec<(String, Value)>, GraphError> {
    let (parts, body) = request.into_parts();
    let bytes = read_bytes(body, MAX_BYTES).await?;
    match parts.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default()) {
        None => return Err(GraphError::bad_request(UNREADABLE)),
        Some(kind) if is_json(kind) => {}
        Some(_) => {
            return Err(GraphError::gateway(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupportedMediaType",
                "Unsupported media type requested. Send Content-Type: application/json.",
            ));
        }
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(GraphError::bad_request("Empty Payload. JSON content expected."));
    }
    let Object(members) = serde_json::from_slice(&bytes).map_err(|_| GraphError::bad_request(UNREADABLE))?;
    Ok(members)
}

/// A whole body of at most `limit` bytes; 413 if it is larger.
pub async fn read_bytes(body: Body, limit: usize) -> Result<bytes::Bytes, GraphError> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(GraphError::for_status(StatusCode::PAYLOAD_TOO_LARGE))
        }
        Err(_) => Err(GraphError::bad_request(UNREADABLE)),
    }
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    // Two readers of `{"a":1,"a":2}` may disagree about what was asked.
                    if members.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("a name stands twice"));
                    }
                    members.push((name, value));
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
