//! What is measured on SQLite: one export, its polls, its download, and many POSTs.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::load::{self, Connection};
use crate::peers::{self, Peer};
use crate::place::{JOBS, Place};
use crate::report::{Report, Unit, millis, percentile};

/// Exports of the view of ten goals, a round.
const SMALL: usize = 100;
const LOAD: Duration = Duration::from_secs(4);
/// Between two polls of one client.
const PAUSE: Duration = Duration::from_millis(2);
/// Goals of the exports beside which is polled, and how many of them there are, a round: for a percentile, there must be
/// many polls.
const LARGE: i64 = 300_000;
const EXPORTS: u32 = 5;
/// Downloads of half a gigabyte, a round.
const DOWNLOADS: u32 = 4;

/// The organization of ten goals, that of half a gigabyte, and the one beside whose export is polled.
const TEN: usize = 0;
const TEXTS: usize = 1;
const MANY: usize = 2;

/// Put the goals into their organizations.
pub(crate) fn prepare(place: &Place) -> anyhow::Result<()> {
    place.fill(&place.houses[TEN], 10, 200)?;
    place.fill(&place.houses[TEXTS], 500, 1_000_000)?;
    place.fill(&place.houses[MANY], LARGE, 200)
}

pub(crate) async fn round(place: &Place, program: &Path, report: &mut Report) -> anyhow::Result<()> {
    let mut node = place.node(program, &["serve"]).start().await;
    let address = node.address();
    let (mut small, mut job) = (Vec::new(), String::new());
    for _ in 0..SMALL {
        let begun = Instant::now();
        job = export(place, &address, TEN, Duration::from_millis(1)).await?;
        small.push(millis(begun.elapsed()));
    }
    for percent in [50, 95] {
        let what = format!("SQLite: a view of ten goals, from asking to seeing it done, p{percent}");
        report.add(&what, Unit::Milliseconds, percentile(small.clone(), percent), None);
    }
    polls(place, &address, &[node.process().pid()], &job, report).await?;
    beside(place, &address, &job, report).await?;
    download(place, &address, report).await?;
    node.kill();
    posts(place, program, report).await
}

/// Make an export of an organization's first view; its path.
async fn export(place: &Place, address: &str, house: usize, patience: Duration) -> anyhow::Result<String> {
    let mut connection = Connection::open(address).await?;
    let house = &place.houses[house];
    let created = connection.get(&place.post(house, &house.views[0])).await?;
    let created: serde_json::Value = serde_json::from_slice(&created)?;
    let job = format!("{JOBS}/{}", created["id"].as_str().context("an export has no id")?);
    let poll = place.get(&job);
    loop {
        let state: serde_json::Value = serde_json::from_slice(&connection.get(&poll).await?)?;
        match state["status"].as_str() {
            Some("succeeded") => return Ok(job),
            Some("notStarted" | "running") => tokio::time::sleep(patience).await,
            _ => bail!("the export failed: {state}"),
        }
    }
}

/// How many polls of one export are answered, against constant JSON of the same bytes.
pub(crate) async fn polls(
    place: &Place,
    address: &str,
    of: &[u32],
    job: &str,
    report: &mut Report,
) -> anyhow::Result<()> {
    let poll = place.get(&format!("{job}?$select=id,status"));
    let answer = Connection::open(address).await?.get(&poll).await?;
    let peer = Peer::bare("constant", std::str::from_utf8(&answer)?)?;
    let theirs = load::repeat(&peer.address, &[peer.pid()], &place.get("/"), LOAD).await?;
    let ours = load::repeat(address, of, &poll, LOAD).await?;
    let what = format!("{}: polls, against axum with constant JSON", place.engine());
    report.add_load(&what, &ours, &theirs);
    Ok(())
}

/// How long a poll takes while large exports are made on the node one after the other, against the same on an idle one.
async fn beside(place: &Place, address: &str, job: &str, report: &mut Report) -> anyhow::Result<()> {
    let poll = place.get(job);
    let mut connection = Connection::open(address).await?;
    let mut idle = Vec::new();
    let until = Instant::now() + LOAD;
    while Instant::now() < until {
        idle.push(timed(&mut connection, &poll).await?);
    }
    let is_done = Cell::new(false);
    let exporting = async {
        for _ in 0..EXPORTS {
            export(place, address, MANY, Duration::from_millis(50)).await?;
        }
        is_done.set(true);
        anyhow::Ok(())
    };
    let polling = async {
        let mut busy = Vec::new();
        while !is_done.get() {
            busy.push(timed(&mut connection, &poll).await?);
        }
        anyhow::Ok(busy)
    };
    let (exported, busy) = tokio::join!(exporting, polling);
    exported?;
    let what = format!("SQLite: a poll beside an export of {LARGE} goals, against an idle node, p99");
    report.add(&what, Unit::Milliseconds, percentile(busy?, 99), Some(percentile(idle, 99)));
    Ok(())
}

pub(crate) async fn timed(connection: &mut Connection, poll: &[u8]) -> anyhow::Result<f64> {
    let begun = Instant::now();
    connection.get(poll).await?;
    let taken = millis(begun.elapsed());
    tokio::time::sleep(PAUSE).await;
    Ok(taken)
}

/// How fast a finished file is fetched, against axum that streams the same one.
async fn download(place: &Place, address: &str, report: &mut Report) -> anyhow::Result<()> {
    let job = export(place, address, TEXTS, Duration::from_millis(20)).await?;
    let (path, length) = largest(&place.folder.path().join("content"))?.context("no file was made")?;
    let peer = Peer::bare("file", &path.display().to_string())?;
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    let content = place.get(&format!("{job}/content"));
    for _ in 0..DOWNLOADS {
        ours += fetch(address, &content).await?;
        theirs += fetch(&peer.address, &place.get("/")).await?;
    }
    fs::remove_file(path)?;
    let gigabytes = |time: Duration| length as f64 * f64::from(DOWNLOADS) / 1e9 / time.as_secs_f64();
    let what = "SQLite: a download of 500 MB, against axum that streams the file";
    report.add(what, Unit::GigabytesPerSecond, gigabytes(ours), Some(gigabytes(theirs)));
    Ok(())
}

async fn fetch(address: &str, request: &[u8]) -> anyhow::Result<Duration> {
    let mut connection = Connection::open(address).await?;
    let begun = Instant::now();
    connection.get(request).await?;
    Ok(begun.elapsed())
}

/// The largest file below a folder, and its length.
fn largest(folder: &Path) -> anyhow::Result<Option<(PathBuf, u64)>> {
    let mut found: Option<(PathBuf, u64)> = None;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let next = if entry.file_type()?.is_dir() {
            largest(&entry.path())?
        } else {
            Some((entry.path(), entry.metadata()?.len()))
        };
        found = found.into_iter().chain(next).max_by_key(|(_, length)| *length);
    }
    Ok(found)
}

/// How many exports are promised a second, against how often the disk can be waited for.
async fn posts(place: &Place, program: &Path, report: &mut Report) -> anyhow::Result<()> {
    let mut node = place.node(program, &["serve", "--no-worker"]).start().await;
    let syncs = peers::syncs_per_sec()?;
    let ours = load::drive(&node.address(), &[], place.posts()).await?;
    node.kill();
    report.add("SQLite: POSTs, against fdatasync of 8 kB", Unit::PerSecond, ours.per_sec(), Some(syncs));
    Ok(())
}
