//! Programs beside `sqlite3` that make the same CSV: Python's `csv`, `DuckDB`, and Datasette's stream.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use goalpost_processes::{free_port, poll};
use reqwest::Client;
use serde_json::json;

use crate::data::Data;
use crate::report::{machine, median};
use crate::server::{CheckIns, EVERY_GOAL, Server};
use crate::usage::{Cost, Meter};
use crate::{compare, peer};

const DUCKDB: &str = include_str!("peers/goals_duckdb.sql");
/// What the queries read.
const TABLES: [&str; 10] = [
    "goal",
    "person",
    "period",
    "team",
    "goal_team",
    "goal_owner",
    "goal_checkin_owner",
    "goal_viewer",
    "goal_parent",
    "checkin",
];
/// How long Datasette may take until it listens.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program that makes a CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Sqlite,
    DuckDb,
    Python,
    Datasette,
}

impl Program {
    const ALL: [Self; 4] = [Self::Sqlite, Self::DuckDb, Self::Python, Self::Datasette];

    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => peer::NAME,
            Self::DuckDb => "DuckDB",
            Self::Python => "Python's `csv`",
            Self::Datasette => "Datasette",
        }
    }

    /// Whether a million goals take it minutes, so that it makes them once.
    fn is_slow(self) -> bool {
        matches!(self, Self::Python | Self::Datasette)
    }
}

/// What all programs took for one set of goals, ours first.
#[derive(Debug)]
struct Turns {
    what: &'static str,
    goals: u64,
    ours: Vec<Cost>,
    theirs: [Vec<Cost>; Program::ALL.len()],
}

/// The other programs, as this Python has them.
#[derive(Debug)]
pub(crate) struct Peers {
    python: PathBuf,
}

impl Peers {
    pub(crate) fn of(python: &Path) -> Self {
        Self { python: python.to_owned() }
    }

    /// Every program in turn, round by round, with few goals and with many; then a table of medians.
    pub(crate) async fn measure(&self, sets: [&Data; 2], rounds: u8) -> anyhow::Result<String> {
        let mut table = Vec::new();
        for (checkins, what) in CheckIns::ALL {
            for (data, is_large) in sets.into_iter().zip([false, true]) {
                let mut turns =
                    Turns { what, goals: data.goals, ours: Vec::new(), theirs: Default::default() };
                for round in 0..rounds {
                    let programs = Program::ALL.into_iter().enumerate();
                    let programs =
                        programs.filter(|(_, program)| !(is_large && round > 0 && program.is_slow()));
                    self.round(data, checkins, programs, &mut turns).await?;
                }
                table.push(turns);
            }
        }
        self.to_markdown(&table, rounds)
    }

    async fn round(
        &self,
        data: &Data,
        checkins: CheckIns,
        programs: impl Iterator<Item = (usize, Program)>,
        turns: &mut Turns,
    ) -> anyhow::Result<()> {
        let (ours, theirs) = (data.folder.join("ours.csv"), data.folder.join("theirs.csv"));
        let view = data.view(checkins, EVERY_GOAL)?;
        turns.ours.push(Server::start(data, checkins)?.export(&view, &ours).await?);
        turns.tell("Goalpost", &turns.ours);
        for (column, program) in programs {
            let cost = match program {
                Program::Sqlite => peer::export(data, checkins, &theirs)?,
                Program::DuckDb => self.duckdb(data, checkins, &theirs)?,
                Program::Python => self.csv(data, checkins, &theirs)?,
                Program::Datasette => self.datasette(data, checkins, &theirs).await?,
            };
            compare::compare(&ours, &theirs).with_context(|| format!("against {}", program.name()))?;
            fs::remove_file(&theirs)?;
            turns.theirs[column].push(cost);
            turns.tell(program.name(), &turns.theirs[column]);
        }
        Ok(fs::remove_file(ours)?)
    }

    /// A way of `peers.py`.
    fn script(&self, way: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg("-B").arg(folder().join("peers.py")).arg(way).stdin(Stdio::null());
        command
    }

    /// `csv` and `sqlite3` of Python's library.
    fn csv(&self, data: &Data, checkins: CheckIns, file: &Path) -> anyhow::Result<Cost> {
        let query = written(data, &peer::query(checkins))?;
        Cost::of(self.script("python").arg(data.database(checkins)).arg(query).arg(file))
    }

    /// `DuckDB` with tables of its own, which are made once and not counted.
    fn duckdb(&self, data: &Data, checkins: CheckIns, file: &Path) -> anyhow::Result<Cost> {
        let database = data.data(checkins).with_added_extension("duckdb");
        if !database.exists() {
            let fresh = database.with_added_extension("new");
            let _ = fs::remove_file(&fresh);
            Cost::of(self.script("copy").arg(data.database(checkins)).arg(&fresh).args(TABLES))?;
            fs::rename(fresh, &database)?;
        }
        let query = written(data, DUCKDB)?;
        Cost::of(self.script("duckdb").arg(database).arg(query).arg(file))
    }

    /// A query that Datasette was given, as a stream: a server that was just started, and a client.
    async fn datasette(&self, data: &Data, checkins: CheckIns, file: &Path) -> anyhow::Result<Cost> {
        let query = numbered(data, &peer::query(checkins));
        let query = query.trim_end().trim_end_matches(';');
        let named = data.folder.join("datasette.json");
        let goals = json!({ "databases": { "goalpost": { "queries": { "goals": { "sql": query } } } } });
        fs::write(&named, goals.to_string())?;
        let port = free_port();
        let mut command = Command::new(&self.python);
        command.args(["-m", "datasette", "serve"]).arg(data.database(checkins)).arg("--metadata").arg(named);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        // Without these it stops at a second, a thousand rows, and a hundred megabytes. All rows at once cost it half
        // of what pages of a thousand do.
        let rows = (data.goals * 2).to_string();
        for (setting, value) in
            [("sql_time_limit_ms", "3600000"), ("max_returned_rows", &rows), ("max_csv_mb", "0")]
        {
            command.args(["--setting", setting, value]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Running(command.spawn().context("cannot start Datasette")?);
        let listens = poll(PATIENCE, || TcpStream::connect(("127.0.0.1", port)).ok());
        listens.with_context(|| format!("Datasette does not listen after {PATIENCE:?}"))?;
        let client = Client::builder().no_proxy().build()?;
        let meter = Meter::start(server.0.id(), data.database_server())?;
        let url = format!("http://127.0.0.1:{port}/goalpost/goals.csv?_stream=on");
        let mut content = client.get(url).send().await?;
        if !content.status().is_success() {
            bail!("Datasette answered {}: {}", content.status(), content.text().await?);
        }
        let mut out = File::create(file)?;
        while let Some(piece) = content.chunk().await? {
            out.write_all(&piece)?;
        }
        drop(out);
        meter.stop()
    }

    fn to_markdown(&self, table: &[Turns], rounds: u8) -> anyhow::Result<String> {
        let versions = self.script("versions").stdin(Stdio::null()).output()?;
        let versions = String::from_utf8(versions.stdout)?;
        let mut text =
            format!("{}, {}; rounds: {rounds}.\n\n| | goals | Goalpost |", machine()?, versions.trim());
        for program in Program::ALL {
            write!(text, " {} |", program.name())?;
        }
        writeln!(text, "\n|---|---:|---:|{}", "---:|".repeat(Program::ALL.len()))?;
        for turns in table {
            turns.line(&mut text, "CPU", "s", |cost| cost.cpu.as_micros(), 1e6)?;
            turns.line(&mut text, "wall", "s", |cost| cost.wall.as_micros(), 1e6)?;
            turns.line(&mut text, "peak memory", "MiB", |cost| cost.peak_bytes.into(), 1024.0 * 1024.0)?;
        }
        Ok(text)
    }
}

impl Turns {
    /// A figure of all programs; behind each of the others what ours is against it.
    fn line(
        &self,
        text: &mut String,
        figure: &str,
        unit: &str,
        get: fn(&Cost) -> u128,
        per_unit: f64,
    ) -> std::fmt::Result {
        let value = |costs: &[Cost]| median(costs, get) as f64 / per_unit;
        let ours = value(&self.ours);
        write!(text, "| {}, {figure} | {} | {ours:.2} {unit} |", self.what, self.goals)?;
        for costs in &self.theirs {
            let theirs = value(costs);
            write!(text, " {theirs:.2} {unit}, **{:.2}** |", ours / theirs)?;
        }
        writeln!(text)
    }

    /// Show what was the newest, while others are still to come.
    fn tell(&self, name: &str, costs: &[Cost]) {
        if let Some(cost) = costs.last() {
            let (cpu, wall) = (cost.cpu.as_secs_f64(), cost.wall.as_secs_f64());
            let mebibytes = cost.peak_bytes as f64 / 1024.0 / 1024.0;
            eprintln!(
                "{} of {} goals, {name}: {cpu:.2} s CPU, {wall:.2} s, {mebibytes:.1} MiB",
                self.what, self.goals
            );
        }
    }
}

/// A program that is ended with this.
#[derive(Debug)]
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            eprintln!("cannot end Datasette: {error}");
        }
    }
}

/// Where the scripts are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/export/peers")
}

/// A query with the numbers of the organization and of who asks in their places.
fn numbered(data: &Data, query: &str) -> String {
    query.replace(":organization", &data.organization.to_string()).replace(":me", &data.owner.to_string())
}

/// The same in a file.
fn written(data: &Data, query: &str) -> anyhow::Result<PathBuf> {
    let file = data.folder.join("peer.sql");
    fs::write(&file, numbered(data, query))?;
    Ok(file)
}
