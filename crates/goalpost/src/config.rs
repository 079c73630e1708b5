//! Settings: one tree of structs, filled from defaults, then a file, then the environment, then the command line.

mod load;
mod sandbox;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use uuid::Uuid;

pub use load::{ConfigError, FILE_NAME, Overrides};
pub use sandbox::{SandboxError, parse_duration};

/// Everything that can be set.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder that holds everything of one server: database, contents of exports, keys, reports.
    pub data: PathBuf,
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// The address under which clients reach the server, without a path; every absolute URL in an answer is built
    /// from it. Without it, from the scheme `http` and the request's `Host`.
    pub public_url: Option<String>,
    /// The audience of the tokens that this server issues and accepts from itself.
    pub audience: String,
    /// The sign-in services whose tokens are accepted besides the server's own.
    pub issuers: Vec<goalpost_token::Issuer>,
    /// How exports are made and kept.
    pub exports: Exports,
    /// How much one caller may ask for.
    pub limits: Limits,
    /// Faults and delays on purpose, for people who test clients; off by default.
    #[serde(skip)]
    pub sandbox: Sandbox,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./goalpost-data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            audience: "api://goalpost".to_owned(),
            issuers: Vec::new(),
            exports: Exports::default(),
            limits: Limits::default(),
            sandbox: Sandbox::default(),
        }
    }
}

/// How exports are made and kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exports {
    /// Exports that one node makes at the same time.
    pub max_running: usize,
    /// Exports of one organization that may be pending at the same time; one more meets 429.
    pub max_open: i64,
    /// How long a worker owns a job before another may take it over, in seconds; renewed at a third,
    /// and every two seconds at the latest.
    pub lease_secs: u64,
    /// How often a job is tried.
    pub max_attempts: i64,
    /// How long all attempts of a job may take together, in seconds from the first.
    pub deadline_secs: u64,
    /// How long a job may wait for a worker before it fails, in seconds.
    pub start_within_secs: u64,
    /// How long a finished export can be fetched, in seconds.
    pub expire_after_secs: u64,
    /// The `Retry-After` of a pending job, in seconds; without it 1, then 5, then 15, by the job's age.
    pub retry_after_secs: Option<u32>,
}

impl Default for Exports {
    fn default() -> Self {
        Self {
            max_running: 2,
            max_open: 100,
            lease_secs: 15,
            max_attempts: 3,
            deadline_secs: 60 * 60,
            start_within_secs: 24 * 60 * 60,
            expire_after_secs: 24 * 60 * 60,
            retry_after_secs: None,
        }
    }
}

/// How much one caller may ask for; more meets 429 with `Retry-After`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests of one caller in ten seconds.
    pub requests_per_10_secs: u32,
    /// Exports that one person may create in ten seconds.
    pub creates_per_10_secs: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests_per_10_secs: 10_000, creates_per_10_secs: 50 }
    }
}

/// Faults and delays on purpose, so that every documented state can be met: `serve --sandbox KEY=VALUE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// `not-started=1s`: how long a job stays `notStarted`.
    pub not_started: Option<Duration>,
    /// `running=2s`: how long a job stays `running`, counted from its start.
    pub running: Option<Duration>,
    /// `retry-after=1`: the `Retry-After` of a pending job, in seconds.
    pub retry_after_secs: Option<u32>,
    /// `fail-view=GUID`: exports of these views fail, with a reason.
    pub fail_views: Vec<Uuid>,
    /// `burst=50`: more requests than this in one second from one caller meet 429.
    pub burst: Option<u32>,
    /// `expire-after=10s`: how long a finished export can be fetched.
    pub expire_after: Option<Duration>,
}
