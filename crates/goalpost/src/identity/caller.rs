//! The caller of a request: a verified token, within its limits.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use goalpost_token::{Claims, Refusal};

use super::{Identity, Subject};
use crate::http::GraphError;

/// Whoever the request's bearer token proves. Extracting it authenticates, and counts the request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The sign-in identity.
    pub subject: Subject,
    claims: Arc<Claims>,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// List, read and download exports: `Goals-Export.Read.All`, or the next one.
    Read,
    /// Create exports: `Goals-Export.ReadWrite.All`.
    ReadWrite,
    /// Read goals and what belongs to them: any of the four. Graph's text of the first two speaks of goals too.
    ReadGoals,
    /// Change them: `Goals.ReadWrite.All`, which is this server's own. A token for exports alone changes nothing.
    WriteGoals,
}

const READ: &str = "Goals-Export.Read.All";
const READ_WRITE: &str = "Goals-Export.ReadWrite.All";
const READ_GOALS: &str = "Goals.Read.All";
const WRITE_GOALS: &str = "Goals.ReadWrite.All";

impl Scope {
    /// The scopes of a token that are enough.
    fn enough(self) -> &'static [&'static str] {
        match self {
            Self::Read => &[READ, READ_WRITE],
            Self::ReadWrite => &[READ_WRITE],
            Self::ReadGoals => &[READ_GOALS, WRITE_GOALS, READ, READ_WRITE],
            Self::WriteGoals => &[WRITE_GOALS],
        }
    }
}

impl Caller {
    /// Refuse a token that does not carry the scope.
    ///
    /// # Errors
    /// 403 `missingScope`, also for tokens of applications, which the API never admitted.
    pub fn require(&self, scope: Scope) -> Result<(), GraphError> {
        let enough = scope.enough();
        if !self.claims.app_only && self.claims.scopes.iter().any(|scope| enough.contains(&scope.as_str())) {
            return Ok(());
        }
        let wanted = format!("'{}'", enough.join(", "));
        let message = if self.claims.app_only {
            format!(
                "Application tokens are not supported. Sign in as a person: the API requires one of the delegated \
                 scopes {wanted}."
            )
        } else {
            format!(
                "Missing scope permissions on the request. API requires one of {wanted}. Scopes on the request '{}'",
                self.claims.scopes.join(", ")
            )
        };
        Err(GraphError::service(StatusCode::FORBIDDEN, "forbidden", "missingScope", message))
    }

    /// The e-mail by which the caller may be joined to a person, if the issuer verified it and is trusted to.
    pub fn linkable_email(&self) -> Option<&str> {
        if self.claims.link_by_email { self.claims.email.as_deref() } else { None }
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Identity: FromRef<S>,
{
    type Rejection = GraphError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, GraphError> {
        let identity = Identity::from_ref(state);
        let refuse =
            |message: &str| GraphError::unauthenticated(message, identity.0.authenticator.authorize_url());
        let token = bearer(parts).ok_or_else(|| refuse(Refusal::Empty.graph_message()))?;
        let claims = identity.authenticate(token).await.map_err(|refusal| {
            identity.0.metrics.identity.token_refused(refusal.reason());
            tracing::info!(auth.reason = refusal.reason(), "token refused");
            refuse(refusal.graph_message())
        })?;
        let subject = Subject::of(&claims);
        identity.count_request(&subject).map_err(|secs| {
            GraphError::too_many_requests("Too many requests. Wait as long as Retry-After says.", secs)
        })?;
        Ok(Self { subject, claims })
    }
}

/// The token of `Authorization: Bearer …`; `None` if there is none. The scheme's case does not matter (RFC 9110 §11.1).
fn bearer(parts: &Parts) -> Option<&str> {
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else { return None };
    let (scheme, token) = header.to_str().ok()?.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
