//! What is counted, for Prometheus: one registry a server, read at `/metrics` (docs/OPERATIONS.md, "To see it").
//!
//! Labels have few values, all of them ours: route templates and never paths, codes and never messages, and no
//! organization and no person.

mod database;
mod exports;
mod http;
mod jobs;
mod store;

use std::sync::Arc;

use goalpost_db::Db;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub use exports::{Download, Exports};
pub use http::{Http, OpenConnection, is_routine, method};
pub use jobs::{Jobs, RunningJob};
pub use store::Store;

/// The form in which [`Metrics::to_text`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that a server counts.
#[derive(Debug)]
pub struct Metrics {
    /// Requests and connections.
    pub http: Http,
    /// Who was refused.
    pub identity: Identity,
    /// Jobs of all organizations.
    pub jobs: Jobs,
    /// Files made and fetched.
    pub exports: Exports,
    /// What lies in the content store without being needed.
    pub store: Store,
    registry: Registry,
}

impl Metrics {
    /// Everything at nought.
    pub fn new(db: &Db) -> Arc<Self> {
        let mut registry = Registry::with_prefix("goalpost");
        let node = Info::new([
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("engine", db.engine().to_owned()),
            ("schema", goalpost_db::SCHEMA_VERSION.to_string()),
        ]);
        registry.register("node", "What runs here", node);
        registry.register_collector(Box::new(database::Database(db.clone())));
        Arc::new(Self {
            http: Http::register(&mut registry),
            identity: Identity::register(&mut registry),
            jobs: Jobs::register(&mut registry),
            exports: Exports::register(&mut registry),
            store: Store::register(&mut registry),
            registry,
        })
    }

    /// All of it as text, in the form that [`CONTENT_TYPE`] names.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to memory does not fail");
        text
    }
}

/// Who was refused.
#[derive(Debug)]
pub struct Identity {
    tokens_refused: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Identity {
    fn register(registry: &mut Registry) -> Self {
        let this = Self { tokens_refused: Family::default() };
        registry.register(
            "tokens_refused",
            "Tokens that were not believed, by reason",
            this.tokens_refused.clone(),
        );
        this
    }

    /// A token was not believed, for a reason of a fixed set.
    pub fn token_refused(&self, reason: &'static str) {
        self.tokens_refused.get_or_create(&[("reason", reason)]).inc();
    }
}
