use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Installation, ROLE, SUPERUSER};
use crate::{Launch, OrdinaryUser, Process, Signal, free_port, poll};

/// How long a program of PostgreSQL's may take, on a machine that is busy with tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// The data of one PostgreSQL server, and the port that it listens on. Everybody on this machine may connect without
/// a password.
#[derive(Debug)]
pub struct DataFolder {
    installation: Installation,
    user: Option<OrdinaryUser>,
    folder: PathBuf,
    log: PathBuf,
    port: u16,
}

impl DataFolder {
    /// A data folder to be made in `parent`, which the user that PostgreSQL runs as must be able to reach, and becomes
    /// the owner of. The server, `initdb` and others log into the file `log`.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or there is no user for it.
    pub fn new(parent: &Path, log: &Path) -> io::Result<Self> {
        let installation =
            Installation::find().ok_or_else(|| io::Error::other("PostgreSQL is not installed"))?;
        let user = OrdinaryUser::if_root()?;
        if let Some(user) = &user {
            user.give(parent)?;
        }
        Ok(Self { installation, user, folder: parent.join("data"), log: log.to_owned(), port: free_port() })
    }

    /// Make an empty cluster.
    ///
    /// # Errors
    /// What `initdb` says.
    pub fn init(&self) -> io::Result<()> {
        let pgdata = self.folder.display().to_string();
        let args = ["--pgdata", &pgdata, "--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"];
        run(self.launch_program("initdb").args(args).args(["--locale", "C.UTF-8", "--no-sync"]))
    }

    /// Copy the cluster of a running server, as a standby that gets its changes from `source`.
    pub(super) fn copy(&self, server: &Self, source: u16, name: &str) -> io::Result<()> {
        let pgdata = self.folder.display().to_string();
        let port = server.port.to_string();
        let args = ["--pgdata", &pgdata, "--host", "127.0.0.1", "--port", &port, "--username", SUPERUSER];
        let quick = ["--checkpoint", "fast", "--wal-method", "stream", "--no-sync", "--no-password"];
        run(self.launch_program("pg_basebackup").args(args).args(quick))?;
        let conninfo = format!("host=127.0.0.1 port={source} user={SUPERUSER} application_name={name}");
        let settings = self.folder.join("postgresql.auto.conf");
        let mut text = std::fs::read_to_string(&settings)?;
        writeln!(text, "primary_conninfo = '{conninfo}'").expect("a string takes everything");
        std::fs::write(&settings, text)?;
        std::fs::write(self.folder.join("standby.signal"), "")
    }

    /// The server, ready to be started with these settings. It shuts down without delay when it is ended.
    pub fn server(&self, settings: &[(&str, &str)]) -> Launch {
        let port = self.port.to_string();
        let here =
            [("port", port.as_str()), ("listen_addresses", "127.0.0.1"), ("unix_socket_directories", "")];
        let settings = here
            .iter()
            .chain(settings)
            .flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]);
        self.launch_program("postgres").arg("-D").arg(&self.folder).args(settings).ends_by(Signal::SIGQUIT)
    }

    /// Wait until a server that was started lets clients in.
    ///
    /// # Errors
    /// When it ends instead, or does not come up.
    pub fn wait_until_ready(&self, server: &mut Process) -> io::Result<()> {
        let ready = poll(PATIENCE, || match server.ended() {
            Some(_) => Some(false),
            None => self.is_ready().then_some(true),
        });
        if ready == Some(true) {
            Ok(())
        } else {
            Err(io::Error::other(format!("it does not start: {server}")))
        }
    }

    /// Whether a server on it lets clients in.
    pub fn is_ready(&self) -> bool {
        let port = self.port.to_string();
        let mut ask = Command::new(self.installation.program("pg_isready"));
        ask.args([
            "--quiet",
            "--host",
            "127.0.0.1",
            "--port",
            &port,
            "--dbname",
            "postgres",
            "--username",
            SUPERUSER,
        ]);
        ask.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        ask.status().is_ok_and(|status| status.success())
    }

    /// Make the role of [`ROLE`].
    ///
    /// # Errors
    /// What the server says.
    pub fn make_role(&self) -> io::Result<()> {
        self.sql("postgres", &format!("create role {ROLE} login createdb createrole")).map(drop)
    }

    /// Run statements as the superuser; the rows, columns parted by `|`.
    ///
    /// # Errors
    /// What the server says of the first that fails.
    pub fn sql(&self, database: &str, statements: &str) -> io::Result<String> {
        self.installation.sql(&self.url(SUPERUSER, database), statements)
    }

    /// `postgres://` with a user and a database; the latter may be empty.
    pub fn url(&self, user: &str, database: &str) -> String {
        let slash = if database.is_empty() { "" } else { "/" };
        format!("postgres://{user}@127.0.0.1:{}{slash}{database}", self.port)
    }

    /// Where the server listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The programs that it works with.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// The user that the server runs as, unless it is the one of this process.
    pub fn user(&self) -> Option<&OrdinaryUser> {
        self.user.as_ref()
    }

    fn launch_program(&self, name: &str) -> Launch {
        let launch = Launch::new(self.installation.program(name), &self.log);
        // What the caller has set for its own `psql` says nothing about this server.
        launch.without_environment().as_user(self.user.as_ref()).in_folder(Path::new("/"))
    }
}

fn run(launch: Launch) -> io::Result<()> {
    let mut process = launch.start()?;
    match process.wait(PATIENCE) {
        Some(status) if status.success() => Ok(()),
        _ => Err(io::Error::other(process.to_string())),
    }
}
