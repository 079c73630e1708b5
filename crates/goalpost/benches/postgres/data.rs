//! A PostgreSQL server and the organizations that are measured with: invented once, imported, and kept for the next
//! time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::bail;
use goalpost::demo::ORGANIZATION;
use goalpost_processes::Process;
use goalpost_processes::postgres::{DataFolder, Installation, ROLE, SUPERUSER};

use crate::server::{CheckIns, SETTINGS};
use crate::usage::Cost;

/// As PostgreSQL comes, but for what it does by itself in between: tables are vacuumed once, after the import.
const SERVER: [(&str, &str); 3] =
    [("autovacuum", "off"), ("max_wal_size", "1GB"), ("checkpoint_timeout", "1h")];

/// The server; it ends with this value, and its data stay.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: PathBuf,
    data: DataFolder,
    server: Process,
}

impl Cluster {
    /// Start the server whose data lie in `folder`; they are made if they are not there.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let data = DataFolder::new(&folder, &folder.join("log"))?;
        if !folder.join("data").exists() {
            data.init()?;
        }
        let mut server = data.server(&SERVER).start()?;
        data.wait_until_ready(&mut server)?;
        let role = format!("select count(*) from pg_roles where rolname = '{ROLE}'");
        if data.sql("postgres", &role)? == "0" {
            data.make_role()?;
        }
        Ok(Self { folder, data, server })
    }

    fn has(&self, database: &str) -> anyhow::Result<bool> {
        let sql = format!("select count(*) from pg_database where datname = '{database}'");
        Ok(self.data.sql("postgres", &sql)? == "1")
    }

    /// Run statements, each in a transaction of its own.
    fn run(&self, database: &str, statements: &[&str]) -> anyhow::Result<()> {
        statements.iter().try_for_each(|statement| Ok(self.data.sql(database, statement).map(drop)?))
    }
}

/// An organization of the server: two databases, one without check-ins, and a data folder for each.
#[derive(Debug)]
pub(crate) struct Data {
    program: PathBuf,
    pub(crate) folder: PathBuf,
    /// How many goals were imported.
    pub(crate) goals: u64,
    /// The number of the organization.
    pub(crate) organization: i64,
    /// The number and the e-mail of a person who may export.
    pub(crate) owner: i64,
    pub(crate) owner_email: String,
    installation: Installation,
    server: u32,
    /// Where the databases are, up to their names.
    url: String,
    superuser_url: String,
}

impl Data {
    /// The organization of so many goals; made if it is not there.
    pub(crate) fn ready(program: &Path, cluster: &Cluster, goals: u64) -> anyhow::Result<Self> {
        let mut data = Self {
            program: program.to_owned(),
            folder: cluster.folder.join(goals.to_string()),
            goals,
            organization: 0,
            owner: 0,
            owner_email: String::new(),
            installation: cluster.data.installation().clone(),
            server: cluster.server.pid(),
            url: cluster.data.url(ROLE, ""),
            superuser_url: cluster.data.url(SUPERUSER, ""),
        };
        if !cluster.has(&data.database(CheckIns::Left))? {
            data.make(cluster)?;
        }
        for checkins in [CheckIns::Left, CheckIns::Removed] {
            fs::create_dir_all(data.data(checkins))?;
            fs::write(data.data(checkins).join("goalpost.toml"), SETTINGS)?;
        }
        let found = data.sql(
            "select organization, id, email from person where role = 'Organization Owner' order by id limit 1",
        )?;
        let [organization, owner, email] = found.split('|').collect::<Vec<_>>()[..] else {
            bail!("`{}` holds no organization owner", data.database(CheckIns::Left));
        };
        (data.organization, data.owner) = (organization.parse()?, owner.parse()?);
        email.clone_into(&mut data.owner_email);
        Ok(data)
    }

    /// Make everything under other names first: a database that is there is whole.
    fn make(&self, cluster: &Cluster) -> anyhow::Result<()> {
        eprintln!("making {} goals", self.goals);
        let (left, removed) = (self.database(CheckIns::Left), self.database(CheckIns::Removed));
        let made = self.folder.join("made");
        let _ = fs::remove_dir_all(&made);
        fs::create_dir_all(&made)?;
        let zip = made.join("goals.zip");
        cluster.run(
            "postgres",
            &[
                &format!("drop database if exists {left}_new"),
                &format!("drop database if exists {removed}"),
                &format!("create database {left}_new owner {ROLE}"),
            ],
        )?;
        let mut invent = self.goalpost(&made);
        Cost::of(invent.args(["demo", "--goals", &self.goals.to_string(), "--write-zip"]).arg(&zip))?;
        let mut import = self.goalpost(&made);
        import.env("GOALPOST_DATABASE", format!("{}/{left}_new", self.url));
        import.arg("import").arg(&zip).args(["--organization", "Contoso (measured)"]);
        Cost::of(import.args(["--organization-id", &ORGANIZATION.to_string()]))?;
        fs::remove_dir_all(made)?;
        let vacuum = "vacuum (freeze, analyze)";
        cluster.run(&format!("{left}_new"), &[vacuum])?;
        cluster.run("postgres", &[&format!("create database {removed} template {left}_new owner {ROLE}")])?;
        cluster.run(
            &removed,
            &["delete from checkin", "update goal set checkin_count = 0", "vacuum full", vacuum],
        )?;
        cluster.run("postgres", &["checkpoint", &format!("alter database {left}_new rename to {left}")])
    }

    /// The data folder of a server.
    pub(crate) fn data(&self, checkins: CheckIns) -> PathBuf {
        self.folder.join(match checkins {
            CheckIns::Left => "with-checkins",
            CheckIns::Removed => "without-checkins",
        })
    }

    fn database(&self, checkins: CheckIns) -> String {
        match checkins {
            CheckIns::Left => format!("goals_{}", self.goals),
            CheckIns::Removed => format!("goals_{}_without_checkins", self.goals),
        }
    }

    /// The program, on the data folder of a server.
    pub(crate) fn command(&self, checkins: CheckIns) -> Command {
        let mut command = self.goalpost(&self.data(checkins));
        command.env("GOALPOST_DATABASE", format!("{}/{}", self.url, self.database(checkins)));
        command
    }

    /// The process that all others of PostgreSQL's descend from.
    #[expect(clippy::unnecessary_wraps, reason = "other benchmarks have none")]
    pub(crate) fn database_server(&self) -> Option<u32> {
        Some(self.server)
    }

    /// `psql` on a database, as somebody whom row-level security does not concern.
    pub(crate) fn psql(&self, checkins: CheckIns) -> Command {
        let mut psql = Command::new(self.installation.bin().join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname"]);
        psql.arg(format!("{}/{}", self.superuser_url, self.database(checkins))).stdin(Stdio::null());
        psql
    }

    fn sql(&self, statement: &str) -> anyhow::Result<String> {
        let url = format!("{}/{}", self.superuser_url, self.database(CheckIns::Left));
        Ok(self.installation.sql(&url, statement)?)
    }

    /// A filter for the goals of somebody who owns about ten.
    pub(crate) fn ten_goals(&self) -> anyhow::Result<String> {
        let person = self.sql(
            "select l.person from goal_owner l join goal g on g.organization = l.organization and g.id = l.goal
              where g.origin <> 'reference' and not g.restricted
              group by l.person order by abs(count(*) - 10), l.person limit 1",
        )?;
        Ok(format!(r#"{{"owner":{{"in":[{person}]}}}}"#))
    }

    fn goalpost(&self, data: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--data").arg(data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}
