//! Microsoft Graph's error envelope (docs/API.md, "Errors").

use axum::http::header::{ALLOW, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use goalpost_db::ErrorKind;
use serde_json::{Value, json};

use super::RequestIds;

/// A refusal, as Graph words it. Handlers return it; [`super::envelope`] writes it, since the body repeats the
/// request's ids.
#[derive(Clone, Debug)]
pub struct GraphError(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    message: String,
    target: Option<String>,
    inner_code: Option<&'static str>,
    headers: HeaderMap,
}

impl GraphError {
    /// An error of the gateway's class: no inner code.
    pub fn gateway(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Parts {
            status,
            code,
            message,
            target: None,
            inner_code: None,
            headers: HeaderMap::new(),
        }))
    }

    /// An error of the goals service: `code` is the status in camel case, `inner` says what is wrong.
    pub fn service(
        status: StatusCode,
        code: &'static str,
        inner: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let mut error = Self::gateway(status, code, message);
        error.0.inner_code = Some(inner);
        error
    }

    /// 400 for a request that is not understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::gateway(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 400 for a path that leads nowhere.
    pub fn unknown_segment(segment: &str) -> Self {
        Self::bad_request(format!("Resource not found for the segment '{segment}'."))
    }

    /// 405, with the methods that the resource has.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self::gateway(
            StatusCode::METHOD_NOT_ALLOWED,
            "methodNotAllowed",
            "Specified HTTP method is not allowed for the request target.",
        )
        .header(ALLOW, HeaderValue::from_static(allow))
    }

    /// The same, with methods that are known when the router is made.
    pub fn method_not_allowed_but(allow: &str) -> Self {
        let error = Self::method_not_allowed("");
        let allow = HeaderValue::from_str(allow).expect("methods are visible ASCII");
        error.header(ALLOW, allow)
    }

    /// 429, with the seconds to wait.
    pub fn too_many_requests(message: &str, retry_after_secs: u64) -> Self {
        Self::gateway(StatusCode::TOO_MANY_REQUESTS, "tooManyRequests", message).retry_after(retry_after_secs)
    }

    /// 503: the same request can succeed a little later.
    pub fn unavailable() -> Self {
        Self::gateway(
            StatusCode::SERVICE_UNAVAILABLE,
            "serviceUnavailable",
            "The service is temporarily unavailable. Repeat the request after the time in Retry-After.",
        )
        .retry_after(2)
    }

    /// 500: our own fault. The cause goes to the log, never to the caller.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::gateway(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internalServerError",
            "The server met an error of its own. Tell its operator the request-id of this answer.",
        )
    }

    /// 401, with the challenge that clients look for.
    pub fn unauthenticated(message: impl Into<String>, authorize_url: Option<&str>) -> Self {
        let challenge = format!(
            "Bearer realm=\"\", authorization_uri=\"{}\", client_id=\"00000003-0000-0000-c000-000000000000\"",
            authorize_url.unwrap_or_default()
        );
        let challenge = HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer"));
        Self::gateway(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message)
            .header(WWW_AUTHENTICATE, challenge)
    }

    /// What it says, for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the error is about, such as the id of a job.
    #[must_use]
    pub fn target(mut self, target: String) -> Self {
        self.0.target = Some(target);
        self
    }

    /// Where the thing is that stands in the way.
    #[must_use]
    pub fn location(self, url: &str) -> Self {
        match HeaderValue::from_str(url) {
            Ok(url) => self.header(LOCATION, url),
            Err(_) => self,
        }
    }

    /// When to try again, in whole seconds.
    #[must_use]
    pub fn retry_after(self, secs: u64) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(secs))
    }

    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// The answer to a status that no handler of ours has worded, such as a router's own 404.
    pub fn for_status(status: StatusCode) -> Self {
        let (code, message) = match status {
            StatusCode::NOT_FOUND => ("notFound", "Resource not found."),
            StatusCode::PAYLOAD_TOO_LARGE => ("payloadTooLarge", "The request body is too large."),
            StatusCode::URI_TOO_LONG => ("uriTooLong", "The request URL is too long."),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("methodNotAllowed", "Specified HTTP method is not allowed for the request target.")
            }
            status if status.is_client_error() => ("badRequest", "The request is not understood."),
            _ => ("internalServerError", "The server met an error of its own."),
        };
        Self::gateway(status, code, message)
    }

    /// The envelope. `innererror`, all lower case, stands in the documented 409 alone, the one with a target and a
    /// pending job; every other error has `innerError`, and none has both.
    pub fn body(&self, ids: &RequestIds, date: &str) -> Value {
        let mut inner = serde_json::Map::new();
        if let Some(code) = self.0.inner_code {
            inner.insert("code".into(), code.into());
        }
        inner.insert("date".into(), date.into());
        inner.insert("request-id".into(), ids.request_id.to_string().into());
        inner.insert("client-request-id".into(), ids.client_request_id().into());
        let mut error = serde_json::Map::new();
        error.insert("code".into(), self.0.code.into());
        error.insert("message".into(), self.0.message.clone().into());
        if let Some(target) = &self.0.target {
            error.insert("target".into(), target.clone().into());
        }
        let lower = self.0.inner_code == Some("exportJobAlreadyExists");
        error.insert(if lower { "innererror" } else { "innerError" }.into(), inner.into());
        json!({ "error": error })
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.headers_mut().extend(self.0.headers.clone());
        response.extensions_mut().insert(self);
        response
    }
}

impl From<goalpost_db::Error> for GraphError {
    fn from(error: goalpost_db::Error) -> Self {
        match error.kind() {
            ErrorKind::Busy | ErrorKind::StorageFull | ErrorKind::Unavailable => {
                tracing::warn!(%error, "the database could not take a request");
                Self::unavailable()
            }
            _ => Self::internal(&error),
        }
    }
}
