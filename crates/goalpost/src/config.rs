//! Settings: one tree of structs, filled from defaults, then a file, then the environment, then the command line.

pub mod content;
mod load;
mod sandbox;
mod variables;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use uuid::Uuid;

pub use content::Content;
pub use load::{ConfigError, FILE_NAME, Overrides};
pub use sandbox::{SandboxError, parse_duration};
pub use variables::Variables;

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
    /// Where goals and jobs are kept.
    pub database: Database,
    /// How exports are made and kept.
    pub exports: Exports,
    /// How much an import over HTTP may bring.
    pub imports: Imports,
    /// Where the files of exports lie.
    pub content: Content,
    /// How much one caller may ask for.
    pub limits: Limits,
    /// How long slow clients are waited for.
    pub connections: Connections,
    /// How the server stops.
    pub stop: Stop,
    /// Where it says what it does.
    pub observability: Observability,
    /// Whether a process that serves makes exports too; `serve --no-worker` leaves them to others.
    #[serde(skip)]
    pub worker: bool,
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
            database: Database::default(),
            exports: Exports::default(),
            imports: Imports::default(),
            content: Content::default(),
            limits: Limits::default(),
            connections: Connections::default(),
            stop: Stop::default(),
            observability: Observability::default(),
            worker: true,
            sandbox: Sandbox::default(),
        }
    }
}

/// Where goals and jobs are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// A PostgreSQL database, `postgres://user@host:5432/name?sslmode=verify-full`; without it, an SQLite file in the
    /// data folder.
    pub url: Option<String>,
    /// A file that holds the password, which then need not stand in the URL.
    pub password_file: Option<PathBuf>,
    /// Connections of one node for short transactions; an export or import that runs has one more.
    pub connections: usize,
    /// Whether a node that starts brings an older schema up to date; if not, it refuses until `goalpost migrate` has.
    pub migrate: bool,
    /// Whether a new PostgreSQL database gets row-level security, as a floor under the queries.
    pub row_security: bool,
    /// What only tests set.
    #[serde(skip)]
    pub settings: goalpost_db::Settings,
}

impl Default for Database {
    fn default() -> Self {
        let settings = goalpost_db::Settings::default();
        let goalpost_db::Settings { connections, migrate, row_security, .. } = settings;
        Self { url: None, password_file: None, connections, migrate, row_security, settings }
    }
}

/// How exports are made and kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exports {
    /// Exports that one node makes at the same time.
    pub max_running: usize,
    /// How often a worker looks for exports that it was not told of, in milliseconds: those made by other processes
    /// where word of them does not pass, and those whose worker died.
    pub poll_ms: u64,
    /// Exports of one organization that all nodes together make at the same time; without it, as many as they can. Idle
    /// workers serve organizations in turn in either case.
    pub max_running_per_organization: Option<i64>,
    /// Finished exports of one organization, and bytes of their files, that are kept; the oldest expire early for a new
    /// one, where other nodes publish as well within seconds. A download under way is not cut.
    pub max_kept: i64,
    /// See [`Exports::max_kept`].
    pub max_kept_bytes: i64,
    /// Whether an export of what has not changed since an earlier one points to its file, if that is there.
    pub reuse: bool,
    /// Files of up to so many bytes are kept in the database, and not in the content store, as soon as all nodes that
    /// are there can read them; with 0 none are.
    pub in_database_bytes: usize,
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
            poll_ms: 500,
            max_running_per_organization: None,
            max_kept: 10_000,
            max_kept_bytes: 50 << 30,
            reuse: true,
            in_database_bytes: 16_384,
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

/// How much an import over HTTP may bring. The operator's own, on the command line, may be larger.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Imports {
    /// Bytes of the file.
    pub max_bytes: u64,
    /// Bytes of all entries of a ZIP, unpacked.
    pub max_unpacked_bytes: u64,
}

impl Default for Imports {
    fn default() -> Self {
        let limits = goalpost_viva::Limits::UPLOAD;
        Self { max_bytes: limits.packed_bytes, max_unpacked_bytes: limits.unpacked_bytes }
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

/// How long slow clients are waited for, before their connection is cut.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connections {
    /// From a request's first byte to the end of its headers, and from the connection to its first request, in
    /// seconds.
    pub header_secs: u64,
    /// The slowest that a request's body may come, in bytes a second, after as long as its headers may take.
    pub body_bytes_per_sec: u64,
    /// How long a client may take nothing of an answer, in seconds.
    pub stall_secs: u64,
    /// How long a connection is kept without a request, in seconds. Longer than a proxy keeps it, so that it is the
    /// proxy that closes.
    pub idle_secs: u64,
}

impl Default for Connections {
    fn default() -> Self {
        Self { header_secs: 10, body_bytes_per_sec: 1024, stall_secs: 60, idle_secs: 75 }
    }
}

/// How the server stops.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stop {
    /// How long new requests are still answered after SIGTERM, in seconds, so that a proxy sees first that the node
    /// is not ready. Ctrl-C does not wait.
    pub drain_secs: u64,
    /// When everything has ended at the latest, in seconds from the signal: what has not is cut off, and its job
    /// given back.
    pub grace_secs: u64,
}

impl Default for Stop {
    fn default() -> Self {
        Self { drain_secs: 5, grace_secs: 30 }
    }
}

/// Where the server says what it does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Observability {
    /// The form of the log.
    pub log_format: LogFormat,
    /// An address and port that serves `/metrics` to whoever can reach it. Without it, `/metrics` is at the main
    /// address, for this machine alone.
    pub metrics_listen: Option<SocketAddr>,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
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
