//! Where the server stands, as its clients know it: the beginning of every absolute URL in an answer.

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::HOST;
use axum::http::request::Parts;

use crate::app::App;
use crate::http::GraphError;

/// `https://goals.contoso.example`, without a slash behind it: the configured address, else the request's own.
#[derive(Clone, Debug)]
pub struct Origin(String);

impl Origin {
    /// # Errors
    /// 400 if no address is configured, and the request names no host that could stand in a URL.
    pub fn new(config_url: Option<&str>, host: Option<&str>) -> Result<Self, GraphError> {
        if let Some(url) = config_url {
            return Ok(Self(url.trim_end_matches('/').to_owned()));
        }
        let host = host.and_then(|host| host.parse::<axum::http::uri::Authority>().ok());
        let host = host.filter(|host| !host.as_str().contains('@'));
        let host = host.ok_or_else(|| GraphError::bad_request("The Host header is missing or malformed."))?;
        Ok(Self(format!("http://{host}")))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromRequestParts<App> for Origin {
    type Rejection = GraphError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, GraphError> {
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let from_uri = parts.extensions.get::<OriginalUri>().and_then(|uri| uri.0.authority().cloned());
        let host = host.map(str::to_owned).or_else(|| from_uri.map(|authority| authority.to_string()));
        Self::new(app.config.public_url.as_deref(), host.as_deref())
    }
}
