//! Who calls, and what they may do.
//!
//! A *sign-in identity* is (issuer, tenant, object), as a bearer token proves it. A *person* is what an organization
//! knows: a row that a file brought. They are joined in the table `identity`, by hand, by the own issuer, or once by a
//! verified e-mail. Rights come from the person and are looked up at every request, so a change counts at once.
//!
//! Read in this order: [`caller`], [`member`], [`queries`].

pub mod caller;
pub mod member;
pub mod queries;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use goalpost_db::Db;
use goalpost_token::{Authenticator, Claims, OwnIssuer, Refusal, Settings};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::Config;
use crate::ids::OrganizationNumber;
use crate::metrics::Metrics;
use crate::stop::Stop;

pub use caller::{Caller, Scope};
pub use member::Member;

/// The name of the own issuer in the table `identity`: its URL may change with the server's, this does not.
pub const OWN_ISSUER: &str = "goalpost";

/// Verified tokens that are remembered, so that a poll does not verify a signature again.
const REMEMBERED: usize = 10_000;
/// How often the keys of foreign issuers are looked at.
const KEYS_EVERY: Duration = Duration::from_mins(1);
/// How long a verified token is remembered: a removed key stops counting within this time.
const REMEMBER_SECS: i64 = 60;

/// Authentication, and what bounds a caller. Clones share it.
#[derive(Clone)]
pub struct Identity(Arc<Parts>);

struct Parts {
    db: Db,
    clock: Clock,
    metrics: Arc<Metrics>,
    authenticator: Authenticator,
    verified: Mutex<Verified>,
    /// Numbers of organizations by GUID.
    organizations: Mutex<HashMap<Uuid, OrganizationNumber>>,
    requests: DefaultKeyedRateLimiter<Subject>,
    creates: DefaultKeyedRateLimiter<Subject>,
}

/// Claims by the hash of the token that proved them, and until when they are remembered.
type Verified = HashMap<[u8; 32], (Arc<Claims>, i64)>;

/// A sign-in identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The issuer's `iss`, or [`OWN_ISSUER`].
    pub issuer: String,
    /// The tenant, `tid`.
    pub tenant: Uuid,
    /// The person or service in it, `oid`.
    pub object: Uuid,
}

impl Subject {
    fn of(claims: &Claims) -> Self {
        let issuer = if claims.own { OWN_ISSUER.to_owned() } else { claims.issuer.clone() };
        Self { issuer, tenant: claims.tenant, object: claims.object }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    /// Authentication by the issuers of `config` and our own.
    pub fn new(
        config: &Config,
        db: Db,
        clock: Clock,
        own: &OwnIssuer,
        metrics: Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        let authenticator = Authenticator::new(config.issuers.clone(), Some(own), Settings::default())
            .context("the settings under `issuers` cannot be used")?;
        let limits = &config.limits;
        let requests = match config.sandbox.burst.and_then(NonZeroU32::new) {
            Some(burst) => Quota::per_second(burst),
            None => per_10_secs(limits.requests_per_10_secs),
        };
        Ok(Self(Arc::new(Parts {
            db,
            clock,
            metrics,
            authenticator,
            verified: Mutex::default(),
            organizations: Mutex::default(),
            requests: RateLimiter::keyed(requests),
            creates: RateLimiter::keyed(per_10_secs(limits.creates_per_10_secs)),
        })))
    }

    /// Fetch the keys of foreign issuers now and again, so that no caller waits for it; until `stop`.
    pub async fn keep_keys_fresh(self, stop: Stop) {
        loop {
            self.0.authenticator.refresh_due(self.0.clock.now_secs());
            tokio::select! {
                () = stop.asked() => return,
                () = tokio::time::sleep(KEYS_EVERY) => {}
            }
        }
    }

    /// The claims of a token that is valid now.
    async fn authenticate(&self, token: &str) -> Result<Arc<Claims>, Refusal> {
        let now = self.0.clock.now_secs();
        let key: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some((claims, until)) = self.remembered().get(&key)
            && now < *until
        {
            return Ok(Arc::clone(claims));
        }
        let claims = Arc::new(self.0.authenticator.authenticate(token, now).await?);
        let until = claims.expires_at.min(now + REMEMBER_SECS);
        let mut verified = self.remembered();
        if verified.len() >= REMEMBERED {
            verified.clear();
        }
        verified.insert(key, (Arc::clone(&claims), until));
        Ok(claims)
    }

    fn remembered(&self) -> MutexGuard<'_, Verified> {
        self.0.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Count a request; the seconds to wait if there were too many.
    fn count_request(&self, subject: &Subject) -> Result<(), u64> {
        count(&self.0.requests, subject)
    }

    /// Count the creation of an export; the seconds to wait if there were too many.
    pub fn count_create(&self, caller: &Caller) -> Result<(), u64> {
        count(&self.0.creates, &caller.subject)
    }
}

fn per_10_secs(requests: u32) -> Quota {
    let requests = NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(Duration::from_secs(10) / requests.get())
        .unwrap_or(Quota::per_second(NonZeroU32::MIN))
        .allow_burst(requests)
}

fn count(limiter: &DefaultKeyedRateLimiter<Subject>, subject: &Subject) -> Result<(), u64> {
    limiter.check_key(subject).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now());
        wait.as_secs() + 1
    })
}
