//! A foreign issuer's keys, cached: fetched seldom, kept when the provider is down, never fetched at a
//! stranger's will.
//!
//! ```text
//! age of the set   0 ──── 5 min ──────── 1 h ─────────────── 24 h ────▶
//!                  use     use, refresh   refresh first; if     refresh or
//!                          in background  it is down, use       refuse
//! ```
//! An unknown `kid` asks for a refresh too. Whatever asks, there is at most one attempt per 60 s and issuer,
//! one at a time, and all who ask meanwhile wait for that one. A set that was fetched replaces the old one at
//! once, so a withdrawn key is dead with the refresh; a fetch that fails changes nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::fetch::{FetchError, Fetcher, check_url};
use crate::issuer::Issuer;
use crate::jwk::{KeySet, KeySetError};
use crate::refusal::Refusal;
use crate::strict_json;

/// A set this young is used as it is.
const FRESH_SECS: i64 = 5 * 60;
/// A set this old is refreshed before it is used.
const LATE_SECS: i64 = 60 * 60;
/// A set this old is not used at all.
const DEAD_SECS: i64 = 24 * 60 * 60;
/// The least time between two attempts to fetch.
const ATTEMPT_SECS: i64 = 60;

/// Where an issuer's keys are.
#[derive(Debug, Clone)]
enum Source {
    Jwks(String),
    Discovery,
}

/// Why the keys of an issuer could not be fetched. For the log only.
#[derive(Debug, thiserror::Error)]
enum RefreshError {
    #[error("could not fetch the key set")]
    Keys(#[source] FetchError),
    #[error("could not fetch the discovery document")]
    Discovery(#[source] FetchError),
    #[error("the discovery document is not strict JSON with the texts `issuer` and `jwks_uri`")]
    DiscoveryJson,
    #[error("the discovery document is another issuer's: set `issuer` to exactly what it says")]
    OtherIssuer,
    #[error("the discovery document puts the keys on another host: set `jwks_url` instead of `discovery`")]
    OtherHost,
    #[error(transparent)]
    KeySet(#[from] KeySetError),
}

/// The keys of one foreign issuer. Cheap to clone; clones share the cache.
#[derive(Debug, Clone)]
pub(crate) struct RemoteKeys {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    iss: String,
    source: Source,
    insecure: bool,
    fetcher: Fetcher,
    cache: Mutex<Cache>,
    /// Held while a fetch is under way.
    flight: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct Cache {
    keys: Arc<KeySet>,
    fetched_at: Option<i64>,
    attempted_at: Option<i64>,
}

/// What the age of a set allows.
#[derive(Debug, PartialEq, Eq)]
enum Age {
    Fresh,
    Due,
    Late,
    Dead,
}

impl Cache {
    fn age(&self, now: i64) -> Age {
        match self.fetched_at.map(|at| now.saturating_sub(at)) {
            Some(0..FRESH_SECS) => Age::Fresh,
            // A negative age means that a clock was set back; then the set's true age is not known.
            Some(..LATE_SECS) => Age::Due,
            Some(..DEAD_SECS) if self.attempted_at == self.fetched_at => Age::Late,
            // The provider has been found down since: nobody waits for it again.
            Some(..DEAD_SECS) => Age::Due,
            Some(_) | None => Age::Dead,
        }
    }

    fn may_attempt(&self, now: i64) -> bool {
        self.attempted_at.is_none_or(|at| !(0..ATTEMPT_SECS).contains(&now.saturating_sub(at)))
    }
}

impl RemoteKeys {
    /// Fetches nothing yet. `issuer` is valid; errors when the platform's trusted certificates cannot be
    /// loaded.
    pub(crate) fn new(issuer: &Issuer) -> Result<Self, reqwest::Error> {
        let shared = Shared {
            iss: issuer.issuer.clone(),
            source: issuer.jwks_url.clone().map_or(Source::Discovery, Source::Jwks),
            insecure: issuer.insecure,
            fetcher: Fetcher::new(issuer.insecure)?,
            cache: Mutex::default(),
            flight: Arc::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The set that has the key `kid`. Waits for a fetch (at most ten seconds) only if the set is late or
    /// lacks that key, and the last attempt was more than 60 s ago or is still under way.
    pub(crate) async fn with_key(&self, kid: &str, now: i64) -> Result<Arc<KeySet>, Refusal> {
        let age = self.cache().age(now);
        match age {
            Age::Fresh => {}
            Age::Due => self.refresh_in_background(now),
            Age::Late | Age::Dead => self.refresh(now).await,
        }
        if let Ok(keys) = self.cached(kid, now) {
            return Ok(keys);
        }
        self.refresh(now).await;
        self.cached(kid, now)
    }

    /// Start to fetch the set if it is older than five minutes and the last attempt is old enough.
    pub(crate) fn refresh_in_background(&self, now: i64) {
        let wanted = {
            let cache = self.cache();
            cache.age(now) != Age::Fresh && cache.may_attempt(now)
        };
        if wanted {
            let this = self.clone();
            tokio::spawn(async move { this.refresh(now).await });
        }
    }

    fn cached(&self, kid: &str, now: i64) -> Result<Arc<KeySet>, Refusal> {
        let cache = self.cache();
        if cache.age(now) == Age::Dead {
            return Err(Refusal::KeysUnavailable);
        }
        cache.keys.get(kid).ok_or(Refusal::UnknownKey)?;
        Ok(Arc::clone(&cache.keys))
    }

    /// Fetch the set, or wait for the fetch that is under way, or do nothing if the last attempt is too
    /// recent.
    async fn refresh(&self, now: i64) {
        let flight = Arc::clone(&self.shared.flight).lock_owned().await;
        {
            let mut cache = self.cache();
            if !cache.may_attempt(now) {
                return;
            }
            cache.attempted_at = Some(now);
        }
        // A task of its own: a caller who hangs up must not cancel the one attempt of this minute.
        let this = self.clone();
        let fetch = tokio::spawn(async move {
            this.fetch_and_keep(now).await;
            drop(flight);
        });
        if let Err(error) = fetch.await {
            tracing::error!(issuer = %self.shared.iss, %error, "fetching the issuer's keys was cut short");
        }
    }

    async fn fetch_and_keep(&self, now: i64) {
        match self.fetch().await {
            Ok(keys) => {
                if keys.is_empty() {
                    tracing::warn!(issuer = %self.shared.iss, "the issuer publishes no usable key");
                }
                let mut cache = self.cache();
                cache.keys = Arc::new(keys);
                cache.fetched_at = Some(now);
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                let iss = &self.shared.iss;
                tracing::warn!(issuer = %iss, %error, cause, "the issuer's keys were not refreshed");
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, RefreshError> {
        let url = match &self.shared.source {
            Source::Jwks(url) => url.clone(),
            Source::Discovery => self.discover().await?,
        };
        let document = self.shared.fetcher.get(&url).await.map_err(RefreshError::Keys)?;
        Ok(KeySet::parse(&document, &self.shared.iss)?)
    }

    /// The address of the keys by `OpenID` Connect Discovery 1.0 §4, which must be this issuer's and on its
    /// host.
    async fn discover(&self) -> Result<String, RefreshError> {
        let iss = &self.shared.iss;
        let url = format!("{}/.well-known/openid-configuration", iss.trim_end_matches('/'));
        let document = self.shared.fetcher.get(&url).await.map_err(RefreshError::Discovery)?;
        let document = strict_json::object(&document).map_err(|_| RefreshError::DiscoveryJson)?;
        let text = |name: &str| document.get(name).and_then(Value::as_str).ok_or(RefreshError::DiscoveryJson);
        if text("issuer")? != iss {
            return Err(RefreshError::OtherIssuer);
        }
        let jwks = check_url(text("jwks_uri")?, self.shared.insecure)
            .map_err(|error| RefreshError::Keys(error.into()))?;
        let own =
            check_url(iss, self.shared.insecure).map_err(|error| RefreshError::Discovery(error.into()))?;
        if jwks.origin() != own.origin() {
            return Err(RefreshError::OtherHost);
        }
        Ok(jwks.into())
    }

    /// The cache is valid after every single assignment, so a panic elsewhere cannot have left it
    /// half-changed.
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Age, Cache};

    #[test]
    fn the_age_of_a_set_decides_what_it_is_good_for() {
        let fetched = Some(1_000_000);
        let cache = Cache { fetched_at: fetched, attempted_at: fetched, ..Cache::default() };
        for (secs, age) in [
            (0, Age::Fresh),
            (299, Age::Fresh),
            (300, Age::Due),
            (3_599, Age::Due),
            (3_600, Age::Late),
            (86_399, Age::Late),
            (86_400, Age::Dead),
            (-1, Age::Due),
        ] {
            assert_eq!(cache.age(1_000_000 + secs), age, "{secs} s");
        }
        assert_eq!(Cache::default().age(0), Age::Dead);
        let provider_down = Cache { fetched_at: fetched, attempted_at: Some(1_003_000), ..Cache::default() };
        assert_eq!(provider_down.age(1_080_000), Age::Due);
    }

    #[test]
    fn a_clock_set_back_does_not_stop_refreshes() {
        let cache = Cache { attempted_at: Some(1_000_000), ..Cache::default() };
        assert!(!cache.may_attempt(1_000_000));
        assert!(!cache.may_attempt(1_000_059));
        assert!(cache.may_attempt(1_000_060));
        assert!(cache.may_attempt(999_999));
    }
}
