use std::fmt;
use std::io;
use std::time::Duration;

use tempfile::TempDir;

use super::{DataFolder, ROLE, SUPERUSER};
use crate::{Process, Signal, poll};

const PATIENCE: Duration = Duration::from_mins(1);
/// What is committed survives a crash, as in a server that people use: `fsync` and the like are left as they are.
const SETTINGS: [(&str, &str); 5] = [
    ("max_connections", "100"),
    ("shared_buffers", "32MB"),
    ("jit", "off"),
    ("max_wal_senders", "5"),
    ("wal_receiver_timeout", "5s"),
];

/// When a commit of a server with a standby is told to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replication {
    /// When the server itself has it: a failover can lose it.
    Asynchronous,
    /// When the standby has it, too; and while there is none, commits wait.
    Synchronous,
}

/// A PostgreSQL server of a test's own, with a data folder that is gone when this is dropped. Whoever breaks it, breaks
/// nothing else. Starting it takes about two seconds, its methods block, and they panic when PostgreSQL fails.
#[derive(Debug)]
pub struct PgCluster {
    server: Option<Process>,
    data: DataFolder,
    _folder: TempDir,
}

impl PgCluster {
    /// A new one, with an empty database `goalpost` that belongs to a role of this name, which is no superuser.
    pub fn start() -> Self {
        let mut this = Self::not_started();
        done("initdb", this.data.init());
        this.start_again();
        done("create role", this.data.make_role());
        this.sql("postgres", &format!("create database {ROLE} owner {ROLE}"));
        this
    }

    fn not_started() -> Self {
        let folder = done("a temporary folder", TempDir::with_prefix("goalpost-pg-"));
        let data = done("a data folder", DataFolder::new(folder.path(), &folder.path().join("log")));
        Self { server: None, data, _folder: folder }
    }

    /// The database `goalpost`, as the role of this name.
    pub fn url(&self) -> String {
        self.data.url(ROLE, ROLE)
    }

    /// The server, as its superuser, without a database.
    pub fn admin_url(&self) -> String {
        self.data.url(SUPERUSER, "")
    }

    /// Where it listens; the same after every restart.
    pub fn port(&self) -> u16 {
        self.data.port()
    }

    /// Run statements as the superuser; the rows, columns parted by `|`.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        done("SQL", self.data.sql(database, statements))
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        self.data.log()
    }

    /// Start it where it was, after it was stopped or killed; it has recovered when this returns.
    pub fn start_again(&mut self) {
        assert!(self.server.is_none(), "it runs");
        let error = poll(PATIENCE, || {
            let mut server = done("postgres", self.data.server(&SETTINGS).start());
            match self.data.wait_until_ready(&mut server) {
                Ok(()) => {
                    self.server = Some(server);
                    Some(None)
                }
                // The children of a server that was killed take a moment to notice.
                Err(error) if error.to_string().contains("pre-existing shared memory block") => None,
                Err(error) => Some(Some(error)),
            }
        });
        if let Some(error) = error.unwrap_or_else(|| Some(io::Error::other("its old processes do not end"))) {
            panic!("postgres: {error}");
        }
    }

    /// `pg_ctl restart -m immediate`: every connection breaks, and the server recovers as after a crash.
    pub fn restart_immediate(&mut self) {
        self.stop_by(Signal::SIGQUIT);
        self.start_again();
    }

    /// Shut it down in order: connections are broken, what is committed is written. A standby gets all of it.
    pub fn stop(&mut self) {
        self.stop_by(Signal::SIGINT);
    }

    /// `kill -9` of its first process; the others end by themselves.
    pub fn kill(&mut self) {
        self.stop_by(Signal::SIGKILL);
    }

    fn stop_by(&mut self, signal: Signal) {
        let mut server = self.server.take().expect("it runs");
        server.send(signal);
        assert!(server.wait(PATIENCE).is_some(), "it does not end: {server}");
    }

    /// A standby that streams from this server. Call it before traffic begins that must not wait.
    #[must_use = "it ends when it is dropped"]
    pub fn standby(&self, replication: Replication) -> Self {
        self.standby_through(self.port(), replication)
    }

    /// A standby that reaches this server by another port of this machine, such as a proxy's.
    #[must_use = "it ends when it is dropped"]
    pub fn standby_through(&self, port: u16, replication: Replication) -> Self {
        let mut standby = Self::not_started();
        done("pg_basebackup", standby.data.copy(&self.data, port, "standby"));
        standby.start_again();
        if replication == Replication::Synchronous {
            // Two calls: a statement of its own each, as ALTER SYSTEM wants it.
            self.sql("postgres", "alter system set synchronous_standby_names = '*'");
            self.sql("postgres", "select pg_reload_conf()");
            let synchronous =
                "select count(*) from pg_stat_replication where sync_state in ('sync', 'quorum')";
            let is_synchronous = poll(PATIENCE, || (self.sql("postgres", synchronous) == "1").then_some(()));
            assert!(is_synchronous.is_some(), "the standby does not follow: {standby}");
        }
        standby
    }

    /// Make a server of a standby; it takes writes when this returns.
    pub fn promote(&mut self) {
        assert_eq!(self.sql("postgres", "select pg_promote(true, 60)"), "t", "it is not promoted: {self}");
        // It copied the setting, and would wait for a standby that it does not have.
        self.sql("postgres", "alter system reset synchronous_standby_names");
        self.sql("postgres", "select pg_reload_conf()");
    }

    /// Wait until a standby shows everything that is committed here now.
    pub fn wait_until_followed_by(&self, standby: &Self) {
        let here = self.sql("postgres", "select pg_current_wal_lsn()");
        let has_it = format!("select pg_last_wal_replay_lsn() >= '{here}'");
        let follows = poll(PATIENCE, || (standby.sql("postgres", &has_it) == "t").then_some(()));
        assert!(follows.is_some(), "the standby does not follow: {standby}");
    }
}

/// The last lines of its log.
impl fmt::Display for PgCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            Some(server) => server.fmt(f),
            None => write!(f, "not running:\n{}", self.log()),
        }
    }
}

fn done<T>(what: &str, result: io::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error}; `cargo xtask services up` installs PostgreSQL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_survives_a_kill_and_an_immediate_restart() {
        let mut cluster = PgCluster::start();
        let port = cluster.port();
        cluster.sql("goalpost", "create table seen (n int)");
        for n in 1..=2 {
            cluster.sql("goalpost", &format!("insert into seen values ({n})"));
            if n == 1 {
                cluster.kill();
                cluster.start_again();
            } else {
                cluster.restart_immediate();
            }
        }
        assert_eq!(cluster.sql("goalpost", "select n from seen order by n"), "1\n2");
        assert_eq!(cluster.port(), port);
        let recoveries = cluster.log().matches("automatic recovery in progress").count();
        assert_eq!(recoveries, 2, "{}", cluster.log());
        let role = "select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = 'goalpost'";
        assert_eq!(cluster.sql("postgres", role), "f|t|t");
        assert_eq!(cluster.sql("postgres", "show fsync"), "on");
    }

    #[test]
    fn a_synchronous_standby_has_every_commit_and_takes_over() {
        let mut first = PgCluster::start();
        first.sql("goalpost", "create table seen (n int)");
        let mut second = first.standby(Replication::Synchronous);
        first.sql("goalpost", "insert into seen values (1)");
        first.kill();
        second.promote();
        second.sql("goalpost", "insert into seen values (2)");
        assert_eq!(second.sql("goalpost", "select n from seen order by n"), "1\n2");
    }

    #[test]
    fn a_dropped_cluster_leaves_nothing() {
        let cluster = PgCluster::start();
        let process = cluster.server.as_ref().expect("it runs").id();
        let folder = cluster.sql("postgres", "show data_directory");
        let folder = std::path::Path::new(&folder).parent().expect("it is in a folder");
        assert!(process.is_running() && folder.exists());
        drop(cluster);
        assert!(!process.is_running() && !folder.exists());
    }
}
