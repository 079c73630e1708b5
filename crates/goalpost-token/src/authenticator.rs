//! From a bearer token to the caller it speaks for.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::claims::{self, Claims};
use crate::issuer::{Issuer, Problem};
use crate::jwk::KeySet;
use crate::jwks::RemoteKeys;
use crate::jwt;
use crate::own_issuer::OwnIssuer;
use crate::refusal::Refusal;

/// Limits that hold for the tokens of every issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How far an issuer's clock may differ from ours, in seconds, when `exp`, `nbf` and `iat` are compared.
    pub leeway_secs: u32,
    /// How far ahead `exp` may lie, in seconds. A token that lives longer is refused whole.
    pub max_lifetime_secs: u32,
    /// Longest token that is looked at, in bytes.
    pub max_token_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { leeway_secs: 120, max_lifetime_secs: 24 * 60 * 60, max_token_bytes: 16 * 1024 }
    }
}

/// Why no [`Authenticator`] can be made of a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Settings of an issuer are wrong; all of them are listed.
    #[error("issuer `{issuer}`: {}", list(.problems))]
    Issuer {
        /// The `issuer` of the entry.
        issuer: String,
        /// Everything that is wrong with it.
        problems: Vec<Problem>,
    },
    /// Two entries, or an entry and Goalpost's own issuer, have the same `issuer`.
    #[error(
        "issuer `{0}` is configured twice: merge the two, and none may have the name of the server's own"
    )]
    Twice(String),
    /// The certificates that HTTPS needs could not be loaded.
    #[error("cannot make HTTPS requests: install the system's CA certificates")]
    Https(#[source] reqwest::Error),
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Checks bearer tokens against the configured issuers and Goalpost's own. Built once and shared.
#[derive(Debug)]
pub struct Authenticator {
    trusted: Vec<Trusted>,
    settings: Settings,
}

/// An issuer together with its keys.
#[derive(Debug)]
struct Trusted {
    issuer: Issuer,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    Own(Arc<KeySet>),
    Remote(RemoteKeys),
}

impl Authenticator {
    /// Trust these issuers, and Goalpost's own if given. Fetches nothing; call
    /// [`refresh_due`](Self::refresh_due) at the start so that the first caller need not wait.
    pub fn new(
        issuers: Vec<Issuer>,
        own: Option<&OwnIssuer>,
        settings: Settings,
    ) -> Result<Self, ConfigError> {
        let mut trusted = Vec::new();
        let mut seen = HashSet::new();
        if let Some(own) = own {
            let issuer = own.as_issuer();
            seen.insert(issuer.issuer.clone());
            trusted.push(Trusted { issuer, keys: Keys::Own(own.keys()) });
        }
        for issuer in issuers {
            let problems = issuer.validate();
            if !problems.is_empty() {
                return Err(ConfigError::Issuer { issuer: issuer.issuer, problems });
            }
            if !seen.insert(issuer.issuer.clone()) {
                return Err(ConfigError::Twice(issuer.issuer));
            }
            let keys = Keys::Remote(RemoteKeys::new(&issuer).map_err(ConfigError::Https)?);
            trusted.push(Trusted { issuer, keys });
        }
        Ok(Self { trusted, settings })
    }

    /// Who presents this token (the text after `Bearer `), at `now_secs` since 1970-01-01 UTC.
    ///
    /// Form, issuer, key and signature are checked before any claim is believed, so a forged token learns
    /// nothing from the answer. Cost: one signature, plus a fetch of the issuer's keys at most once a minute
    /// per issuer.
    pub async fn authenticate(&self, token: &str, now_secs: i64) -> Result<Claims, Refusal> {
        if token.len() > self.settings.max_token_bytes {
            return Err(Refusal::TooLong);
        }
        let jwt = jwt::parse(token)?;
        let iss = jwt.claims.get("iss").and_then(Value::as_str).ok_or(Refusal::Claim("iss"))?;
        let trusted = self.trusted.iter().find(|trusted| trusted.issuer.issuer == iss);
        let Trusted { issuer, keys } = trusted.ok_or(Refusal::UnknownIssuer)?;
        let (keys, own) = match keys {
            Keys::Own(keys) => (Arc::clone(keys), true),
            Keys::Remote(keys) => (keys.with_key(&jwt.header.kid, now_secs).await?, false),
        };
        let key = keys.get(&jwt.header.kid).ok_or(Refusal::UnknownKey)?;
        if key.algorithm != jwt.header.algorithm {
            return Err(Refusal::KeyAlgorithm);
        }
        if !key.verifies(jwt.signed.as_bytes(), &jwt.signature) {
            return Err(Refusal::Signature);
        }
        claims::check(&jwt.claims, issuer, own, self.settings, now_secs)
    }

    /// Start to fetch, in the background, the keys of every issuer whose set is older than five minutes.
    /// Meant to be called at the start and once a minute; needs a Tokio runtime.
    pub fn refresh_due(&self, now_secs: i64) {
        for trusted in &self.trusted {
            if let Keys::Remote(keys) = &trusted.keys {
                keys.refresh_in_background(now_secs);
            }
        }
    }

    /// The sign-in page for `WWW-Authenticate`: that of the first issuer that has one.
    pub fn authorize_url(&self) -> Option<&str> {
        self.trusted.iter().find_map(|trusted| trusted.issuer.authorize_url.as_deref())
    }
}
