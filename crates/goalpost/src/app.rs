//! What every part of the server shares, made once.

use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::FromRef;
use goalpost_db::{Db, Settings};
use goalpost_token::OwnIssuer;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::config::Config;
use crate::identity::Identity;
use crate::ids::Ids;
use crate::jobs::Figures;
use crate::store::ContentStore;

/// The server's parts; cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// The settings, as they were at the start.
    pub config: Arc<Config>,
    /// The database.
    pub db: Db,
    /// The contents of finished exports.
    pub content: ContentStore,
    /// Time, for tokens, caches and logs.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
    /// Who calls.
    pub identity: Identity,
    /// The issuer of `goalpost token`.
    pub own_issuer: Arc<OwnIssuer>,
    /// Rung when a job is made, so that a worker of this process looks at once.
    pub wake: Arc<Notify>,
}

impl App {
    /// Open the data folder, making what is not there: the database, the contents, the issuer's key.
    ///
    /// # Errors
    /// A folder that cannot be used, a database of a newer version, settings that contradict themselves.
    pub fn open(config: Config) -> anyhow::Result<Self> {
        make_private(&config.data)
            .with_context(|| format!("cannot make the data folder `{}`", config.data.display()))?;
        let db = open_database(&config)?;
        let content =
            ContentStore::open(config.data.join("content")).context("cannot open the folder of contents")?;
        let clock = Clock::default();
        let own_issuer = Arc::new(open_own_issuer(&config)?);
        let identity = Identity::new(&config, db.clone(), clock.clone(), &own_issuer)?;
        Ok(Self {
            config: Arc::new(config),
            db,
            content,
            clock,
            ids: Ids,
            identity,
            own_issuer,
            wake: Arc::new(Notify::new()),
        })
    }

    /// How long things may take, sandbox included.
    pub fn figures(&self) -> Figures {
        let exports = &self.config.exports;
        let micros = |secs: u64| i64::try_from(secs.saturating_mul(1_000_000)).unwrap_or(i64::MAX / 4);
        let sandbox = &self.config.sandbox;
        let expire = sandbox.expire_after.unwrap_or(Duration::from_secs(exports.expire_after_secs));
        Figures {
            lease_us: micros(exports.lease_secs),
            max_attempts: exports.max_attempts,
            deadline_us: micros(exports.deadline_secs),
            start_within_us: micros(exports.start_within_secs),
            expire_after_us: expire.as_micros() as i64,
            hold_back_us: sandbox.not_started.unwrap_or_default().as_micros() as i64,
        }
    }
}

impl FromRef<App> for Identity {
    fn from_ref(app: &App) -> Self {
        app.identity.clone()
    }
}

/// Make the data folder, if it is not there, for this user alone: it holds what restricted goals say.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The database file of a data folder.
pub fn database_path(config: &Config) -> PathBuf {
    config.data.join("goalpost.db")
}

fn open_database(config: &Config) -> anyhow::Result<Db> {
    let path = database_path(config);
    Db::open(&path, Settings::default())
        .with_context(|| format!("cannot open the database `{}`", path.display()))
}

/// The `iss` of the own issuer's tokens. A name and not the server's URL, so that a token made on the command line
/// is good wherever the server listens; the key in the data folder is what makes it this server's.
const OWN_ISS: &str = "urn:goalpost";

fn open_own_issuer(config: &Config) -> anyhow::Result<OwnIssuer> {
    let longest = goalpost_token::Settings::default().max_lifetime_secs;
    OwnIssuer::load_or_create(&config.data.join("keys"), OWN_ISS, &config.audience, longest)
        .context("cannot open the key that signs the server's own tokens")
}
