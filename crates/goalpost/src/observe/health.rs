//! Whether this process lives (`/healthz`), and whether it should be sent requests (`/readyz`). Neither needs a token,
//! counts against a limit, or says more than a word about what is wrong.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use goalpost_db::{Error, Scope};
use serde_json::json;
use tokio::sync::Mutex;

use crate::app::App;

/// How long what was found counts, so that nobody can make the server look all the time.
const FRESH: Duration = Duration::from_secs(1);
/// How long a look may take: a database that needs longer is not ready either.
const PATIENCE: Duration = Duration::from_secs(2);
const NO_STORE: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "no-store")];

/// `GET /healthz`: 200 as long as the process answers at all.
pub async fn live() -> Response {
    (NO_STORE, Json(json!({ "status": "ok" }))).into_response()
}

/// Why the node should not be sent requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// It ends.
    Stopping,
    /// The database does not answer.
    Database,
    /// The database has another schema than this build works with.
    Schema,
    /// Contents can be neither read nor written.
    Content,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::Database => "database",
            Self::Schema => "schema",
            Self::Content => "content",
        }
    }
}

/// When somebody looked last, and what was wrong then.
type Found = Option<(Instant, Vec<Reason>)>;

/// Answers `/readyz`. Clones share what was found.
#[derive(Clone, Debug)]
pub struct Readiness {
    app: App,
    found: Arc<Mutex<Found>>,
}

impl Readiness {
    /// Nothing was looked at yet.
    pub fn new(app: App) -> Self {
        Self { app, found: Arc::default() }
    }

    /// `GET /readyz`: 200, or 503 with the reasons.
    pub async fn answer(self) -> Response {
        let mut reasons = self.look().await;
        // Never from memory: the stop must be seen at once.
        if self.app.stop.is_asked() {
            reasons.insert(0, Reason::Stopping);
        }
        if reasons.is_empty() {
            return (NO_STORE, Json(json!({ "status": "ready" }))).into_response();
        }
        let reasons: Vec<_> = reasons.into_iter().map(Reason::as_str).collect();
        let body = Json(json!({ "status": "notReady", "reasons": reasons }));
        (StatusCode::SERVICE_UNAVAILABLE, NO_STORE, body).into_response()
    }

    /// What is wrong, as it was found a second ago at most. One looks, the others wait for it.
    async fn look(&self) -> Vec<Reason> {
        let mut found = self.found.lock().await;
        if let Some((at, reasons)) = &*found
            && at.elapsed() < FRESH
        {
            return reasons.clone();
        }
        let mut reasons = Vec::new();
        reasons.extend(self.database().await);
        reasons.extend(self.content().await);
        *found = Some((Instant::now(), reasons.clone()));
        reasons
    }

    async fn database(&self) -> Option<Reason> {
        let version = self.app.db.read(Scope::Global, goalpost_db::schema_version);
        let Ok(version) = tokio::time::timeout(PATIENCE, version).await else {
            return Some(Reason::Database);
        };
        let ours = goalpost_db::SCHEMA_VERSION;
        match version {
            // Additions of a newer program do no harm: nodes are replaced one by one.
            Ok(version) => (version.major != ours.major || version < ours).then_some(Reason::Schema),
            Err(error) => {
                let error: Error = error;
                tracing::warn!(%error, "the database does not answer");
                Some(Reason::Database)
            }
        }
    }

    async fn content(&self) -> Option<Reason> {
        match tokio::time::timeout(PATIENCE, self.app.content.check()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the content store cannot be used");
                Some(Reason::Content)
            }
            Err(_) => Some(Reason::Content),
        }
    }
}
