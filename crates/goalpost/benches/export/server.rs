//! The server, and a client of it that does what any client of Microsoft Graph does.
//!
//! On which database it works is said by `data`, which every benchmark has its own of.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use goalpost::demo::ORGANIZATION;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::data::Data;
use crate::usage::{Cost, Meter};

/// Nobody waits for a limit here: what is measured is how fast things are, not how often they may be asked for.
pub(crate) const SETTINGS: &str = "[limits]\nrequests_per_10_secs = 1000000\ncreates_per_10_secs = 1000000\n";

/// Whether the goals have their check-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckIns {
    Removed,
    Left,
}

impl CheckIns {
    /// Both sets of goals, by the words of the report.
    pub(crate) const ALL: [(Self, &str); 2] =
        [(Self::Removed, "CSV export without check-ins"), (Self::Left, "CSV export with check-ins")];
}

/// A filter that chooses every goal.
pub(crate) const EVERY_GOAL: &str = r#"{"and":[]}"#;
const LATENCIES: usize = 200;

impl Data {
    /// What a command of the program prints on the data folder of a server.
    pub(crate) fn ask(&self, checkins: CheckIns, words: &[&str]) -> anyhow::Result<String> {
        let mut command = self.command(checkins);
        let answer = command.args(words).stdout(Stdio::piped()).stderr(Stdio::inherit()).output()?;
        if !answer.status.success() {
            bail!("`goalpost {}` ended with {}", words.join(" "), answer.status);
        }
        Ok(String::from_utf8(answer.stdout)?.trim().to_owned())
    }

    /// Save a view, and give its GUID. Every measured export has one of its own, so that none is answered from what
    /// another has made.
    pub(crate) fn view(&self, checkins: CheckIns, filter: &str) -> anyhow::Result<String> {
        let organization = ORGANIZATION.to_string();
        let words =
            ["view", "create", "--organization", &organization, "--name", "Measured", "--filter", filter];
        let made = self.ask(checkins, &[&words[..], &["--output", "json"]].concat())?;
        let made: Value = serde_json::from_str(&made)?;
        made["id"].as_str().map(str::to_owned).with_context(|| format!("a view has no id: {made}"))
    }

    /// Times from asking for an export of a small view to seeing it done, on an idle server.
    pub(crate) async fn latencies(&self) -> anyhow::Result<Vec<Duration>> {
        let view = self.view(CheckIns::Left, &self.ten_goals()?)?;
        Server::start(self, CheckIns::Left)?.latencies(&view).await
    }

    /// Times from asking for an export of all goals to seeing it done, of which another one made the file.
    pub(crate) async fn again(&self) -> anyhow::Result<Vec<Duration>> {
        let view = self.view(CheckIns::Left, EVERY_GOAL)?;
        let server = Server::launch(self, CheckIns::Left, true)?;
        server.latency(&view).await?;
        server.latencies(&view).await
    }
}

/// A server that was just started; it ends with this value.
#[derive(Debug)]
pub(crate) struct Server<'a> {
    data: &'a Data,
    checkins: CheckIns,
    process: Child,
    jobs: String,
    token: String,
    client: Client,
}

impl<'a> Server<'a> {
    /// Start a server on a free port, which makes every file anew.
    pub(crate) fn start(data: &'a Data, checkins: CheckIns) -> anyhow::Result<Self> {
        Self::launch(data, checkins, false)
    }

    /// The same, which may point to earlier files of what has not changed.
    fn launch(data: &'a Data, checkins: CheckIns, reuses: bool) -> anyhow::Result<Self> {
        let token = data.ask(checkins, &["token", "--user", &data.owner_email])?;
        let mut command = data.command(checkins);
        command.args(["--listen", "127.0.0.1:0", "serve"]).stdout(Stdio::piped());
        command.env("GOALPOST_EXPORTS_REUSE", reuses.to_string());
        let mut process = command.spawn().context("cannot start the server")?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim().strip_prefix("Goalpost serves ");
        let jobs = address.map(|address| format!("{address}/beta/employeeExperience/goals/exportJobs"));
        // The server is on this machine: a proxy of the environment has no business in between.
        let client = Client::builder().no_proxy().build()?;
        let server = Self { data, checkins, process, jobs: jobs.unwrap_or_default(), token, client };
        if server.jobs.is_empty() {
            bail!("the server did not start; it printed {line:?}");
        }
        Ok(server)
    }

    /// Export a view into a file: create the job, poll it, fetch the content.
    pub(crate) async fn export(&self, view: &str, file: &Path) -> anyhow::Result<Cost> {
        let meter = Meter::start(self.process.id(), self.data.database_server())?;
        let job = self.make(view, Duration::from_millis(20)).await?;
        let mut content = self.get(&format!("{job}/content")).await?;
        let mut out = File::create(file)?;
        while let Some(piece) = content.chunk().await? {
            out.write_all(&piece)?;
        }
        drop(out);
        meter.stop()
    }

    async fn latencies(&self, view: &str) -> anyhow::Result<Vec<Duration>> {
        let mut latencies = Vec::with_capacity(LATENCIES);
        for _ in 0..LATENCIES {
            latencies.push(self.latency(view).await?);
        }
        Ok(latencies)
    }

    /// How long it takes from asking for an export to seeing it done, asking again every millisecond.
    async fn latency(&self, view: &str) -> anyhow::Result<Duration> {
        let started = Instant::now();
        self.make(view, Duration::from_millis(1)).await?;
        Ok(started.elapsed())
    }

    /// Let the server make an export; gives the job's URL.
    async fn make(&self, view: &str, patience: Duration) -> anyhow::Result<String> {
        let body = json!({ "goalsOrganizationId": ORGANIZATION, "explorerViewId": view });
        let created = self.client.post(&self.jobs).bearer_auth(&self.token).json(&body).send().await?;
        let created: Value = accept(created).await?.json().await?;
        let id = created["id"].as_str().with_context(|| format!("a job has no id: {created}"))?;
        let job = format!("{}/{id}", self.jobs);
        loop {
            let state: Value = self.get(&job).await?.json().await?;
            match state["status"].as_str() {
                Some("succeeded") => return Ok(job),
                Some("notStarted" | "running") => tokio::time::sleep(patience).await,
                _ => bail!("the export failed: {state}"),
            }
        }
    }

    async fn get(&self, url: &str) -> anyhow::Result<Response> {
        accept(self.client.get(url).bearer_auth(&self.token).send().await?).await
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        let removed = clear(&self.data.data(self.checkins).join("content"));
        if let Some(error) = ended.err().or(removed.err()) {
            eprintln!("cannot clear up after the server: {error}");
        }
    }
}

/// Remove the files of exports, but not what the folder is known by to the next server.
fn clear(content: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(content)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// The answer if it is a good one; else what the server said about it.
async fn accept(answer: Response) -> anyhow::Result<Response> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status();
    bail!("the server answered {status}: {}", answer.text().await?)
}
