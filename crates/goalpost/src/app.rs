//! What every part of the server shares, made once.

use std::collections::HashMap;
use std::fs::DirBuilder;
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::FromRef;
use goalpost_db::{Db, Location, Settings, Version};
use goalpost_token::OwnIssuer;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::{Config, Database};
use crate::identity::Identity;
use crate::ids::Ids;
use crate::jobs::Figures;
use crate::jobs::lease::Progress;
use crate::kept::Kept;
use crate::metrics::Metrics;
use crate::stop::Stop;
use crate::store::ContentStore;

/// The file that says that a restore into the data folder has not ended.
pub const UNFINISHED_RESTORE: &str = "restore.unfinished";

/// The server's [`Parts`]; clones share them.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What a server consists of.
#[derive(Clone, Debug)]
pub struct Parts {
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
    /// This process, among those on the database.
    pub node: Uuid,
    /// Rung when there may be a job, so that a worker of this process looks at once.
    pub wake: Arc<Notify>,
    /// How far the imports are that run here, by the ids of their jobs.
    pub running: Arc<Mutex<HashMap<Uuid, Progress>>>,
    /// Rung when a job was made here, for the workers of other processes.
    pub made: Arc<Notify>,
    /// What others keep here between requests.
    pub kept: Kept,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How far the end of this server has come.
    pub stop: Stop,
    /// What goes on behind answers; a stop waits for it.
    pub tasks: TaskTracker,
}

impl App {
    /// Open the data folder, making what is not there: the database, the contents, the issuer's key.
    ///
    /// # Errors
    /// A folder that cannot be used, a database of a newer version, settings that contradict themselves.
    pub fn open(config: Config) -> anyhow::Result<Self> {
        make_data_folder(&config)?;
        anyhow::ensure!(
            !config.data.join(UNFINISHED_RESTORE).exists(),
            "a restore into `{}` did not come to its end: run `goalpost restore` again, or empty the folder",
            config.data.display()
        );
        let db = open_database(&config)?;
        let content = open_store(&config)?;
        let clock = Clock::default();
        let metrics = Metrics::new(&db);
        let own_issuer = Arc::new(open_own_issuer(&config)?);
        let identity = Identity::new(&config, db.clone(), clock.clone(), &own_issuer, Arc::clone(&metrics))?;
        Ok(Self(Arc::new(Parts {
            config: Arc::new(config),
            db,
            content,
            clock,
            ids: Ids,
            identity,
            own_issuer,
            node: Ids.guid(),
            wake: Arc::default(),
            running: Arc::default(),
            made: Arc::default(),
            kept: Kept::default(),
            metrics,
            stop: Stop::default(),
            tasks: TaskTracker::new(),
        })))
    }

    /// Change this handle's parts, of which earlier clones learn nothing. For tests.
    pub fn change(&mut self, change: impl FnOnce(&mut Parts)) {
        change(Arc::make_mut(&mut self.0));
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
            max_running_per_organization: exports.max_running_per_organization.unwrap_or(i64::MAX),
            poll_us: (exports.poll_ms.saturating_mul(1_000)) as i64,
            forget_after_us: if self.content.outlives_removal() {
                0
            } else {
                micros(self.config.content.remove_after_secs)
            },
            hold_back_us: sandbox.not_started.unwrap_or_default().as_micros() as i64,
        }
    }
}

impl FromRef<App> for Identity {
    fn from_ref(app: &App) -> Self {
        app.identity.clone()
    }
}

fn make_data_folder(config: &Config) -> anyhow::Result<()> {
    make_private(&config.data)
        .with_context(|| format!("cannot make the data folder `{}`", config.data.display()))
}

/// Make a folder, if it is not there, for this user alone: it holds what restricted goals say.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Where the database of these settings is: the server that they name, else a file in the data folder.
///
/// # Errors
/// A URL that names no database, or a file with its password that cannot be read.
pub fn database(config: &Config) -> anyhow::Result<Location> {
    let Some(url) = &config.database.url else {
        return Ok(Location::File(config.data.join("goalpost.db")));
    };
    let mut location: Location = url.parse().context("the setting `database.url` cannot be used")?;
    if let Some(path) = &config.database.password_file {
        let password = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the database's password from `{}`", path.display()))?;
        location.set_password(password.trim_end_matches(['\r', '\n']));
    }
    Ok(location)
}

/// How the database of these settings is opened.
pub fn database_settings(config: &Config) -> Settings {
    let Database { connections, migrate, row_security, .. } = config.database;
    Settings { connections, migrate, row_security, ..config.database.settings.clone() }
}

/// The database and the place for files of these settings, for reading: nothing is brought up to date. `None` if there
/// is no database yet. Blocks.
///
/// # Errors
/// As [`App::open`].
pub fn open_unchanged(config: &Config) -> anyhow::Result<Option<(Db, ContentStore)>> {
    let location = database(config)?;
    let found =
        Db::version_of(&location).with_context(|| format!("cannot open the database `{location}`"))?;
    let Some(found) = found else { return Ok(None) };
    let newest = found.min(goalpost_db::SCHEMA_VERSION);
    let db = Db::open(&location, Settings { migrate: false, newest, ..database_settings(config) })
        .with_context(|| format!("cannot open the database `{location}`"))?;
    Ok(Some((db, open_store(config)?)))
}

/// The place for the files of exports.
///
/// # Errors
/// A folder that cannot be made, settings that its client does not take.
pub fn open_store(config: &Config) -> anyhow::Result<ContentStore> {
    ContentStore::open(config).context("cannot open the place for the files of exports")
}

/// Bring the schema of the database of these settings up to date, whatever they say about nodes that start; the
/// version that it has then. Blocks.
///
/// # Errors
/// As [`App::open`].
pub fn migrate(config: &Config) -> anyhow::Result<Version> {
    make_data_folder(config)?;
    let location = database(config)?;
    let opened = Db::open(&location, Settings { migrate: true, ..database_settings(config) });
    let version = opened.and_then(|_| Db::version_of(&location));
    let version = version.with_context(|| format!("cannot bring the database `{location}` up to date"))?;
    version.context("the database has no schema, though it was made a moment ago")
}

fn open_database(config: &Config) -> anyhow::Result<Db> {
    let location = database(config)?;
    Db::open(&location, database_settings(config))
        .with_context(|| format!("cannot open the database `{location}`"))
}

/// The `iss` of the own issuer's tokens. A name and not the server's URL, so that a token made on the command line
/// is good wherever the server listens; the key in the data folder is what makes it this server's.
const OWN_ISS: &str = "urn:goalpost";

fn open_own_issuer(config: &Config) -> anyhow::Result<OwnIssuer> {
    let longest = goalpost_token::Settings::default().max_lifetime_secs;
    OwnIssuer::load_or_create(&config.data.join("keys"), OWN_ISS, &config.audience, longest)
        .context("cannot open the key that signs the server's own tokens")
}
