//! What is measured on PostgreSQL: POSTs, polls, how soon a job starts, and how many are done.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use goalpost::clock::Clock;
use goalpost_testing::{Node, PgCluster};
use tokio_postgres::{Client, NoTls};

use crate::load::{self, Connection};
use crate::peers::{self, Peer};
use crate::place::{JOBS, Place};
use crate::report::{Report, Unit, percentile};
use crate::sqlite;

/// Jobs a round; few for pg-boss, which takes long.
pub(crate) const JOBS_DONE: usize = 4_000;
const BOSS: usize = 600;
/// Jobs whose start is waited for, a round, and the pause between two.
const STARTS: usize = 150;
const PAUSE: Duration = Duration::from_millis(20);
/// Workers, and jobs that each does at a time.
const WORKERS: usize = 2;
const AT_A_TIME: usize = 10;
/// How long between two counts of what is left, which cost PostgreSQL as much as some of the jobs do.
const WATCHED: Duration = Duration::from_millis(50);
/// How long nothing may happen of what is waited for.
const PATIENCE: Duration = Duration::from_mins(2);

/// The databases of organizations without goals, and with some.
pub(crate) const WITHOUT_GOALS: &str = "goalpost";
pub(crate) const WITH_GOALS: &str = "few";

/// Statements that count what is left, and what must be gone before a round.
const OURS: &str = "select count(*) from job where state in ('notStarted', 'running')";
const GRAPHILE: &str = "select count(*) from graphile_worker._private_jobs";
const PG_BOSS: &str = "select count(*) from pgboss.job where state < 'completed'";
/// And one that counts connections which wait for word of new exports, and said nothing themselves so far.
const LISTENERS: &str =
    "select count(*) from pg_stat_activity where datname = current_database() and query ilike 'listen %'";

/// A cluster, and who may ask it anything.
#[derive(Clone, Copy)]
pub(crate) struct Base<'a> {
    pub(crate) cluster: &'a PgCluster,
    pub(crate) place: &'a Place,
    pub(crate) program: &'a Path,
    /// The name of the place's database.
    pub(crate) database: &'a str,
}

impl Base<'_> {
    /// Forget all jobs, of everybody, and their files.
    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        self.cluster.sql(self.database, "delete from export; delete from job; delete from audit");
        self.cluster.sql("postgres", "checkpoint");
        self.place.put_files_aside()
    }

    async fn client(&self, database: &str) -> anyhow::Result<Client> {
        let url = format!("{}/{database}", self.cluster.admin_url().trim_end_matches('/'));
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    fn worker(&self) -> goalpost_testing::NewNode {
        let words = ["worker", "--max-running", &AT_A_TIME.to_string()].map(str::to_owned);
        self.place.node(self.program, &words.each_ref().map(String::as_str))
    }
}

/// Make a database for the other queues, which makes them equal: a worker of theirs meets no tables of ours. And one for
/// organizations with goals.
pub(crate) fn prepare(cluster: &PgCluster) {
    for name in ["queues", WITH_GOALS] {
        cluster.sql("postgres", &format!("create database {name} owner goalpost"));
    }
}

/// The database of this name.
pub(crate) fn url_of(cluster: &PgCluster, name: &str) -> String {
    let url = cluster.url();
    url.rsplit_once('/').map_or_else(String::new, |(server, _)| format!("{server}/{name}"))
}

/// The POSTs and polls of a server without a worker, and the starts of a worker beside it.
pub(crate) async fn serve(base: &Base<'_>, report: &mut Report) -> anyhow::Result<()> {
    let mut node = base.place.node(base.program, &["serve", "--no-worker"]).start().await;
    let database = postmaster(base.cluster)?;
    let server = [node.process().pid(), database];
    let peer = Peer::bare("insert", &base.cluster.url())?;
    let theirs = load::drive(&peer.address, &[peer.pid(), database], base.place.posts()).await?;
    let ours = load::drive(&node.address(), &server, base.place.posts()).await?;
    report.add_load("PostgreSQL: POSTs, against axum that inserts one row", &ours, &theirs);
    base.client(base.database).await?.batch_execute("delete from job").await?;

    drop(peer);
    let (ours, job) = starts(base, &node).await?;
    sqlite::polls(base.place, &node.address(), &server, &job, report).await?;
    node.kill();
    let url = url_of(base.cluster, "queues");
    peers::queue("graphile", "add", &url, 0)?;
    let mut worker = Peer::worker("graphile", &url, AT_A_TIME)?;
    worker.until_it_listens()?;
    peers::queue("graphile", "ask", &url, STARTS)?;
    let theirs = worker.numbers(STARTS)?;
    drop(worker);
    for percent in [50, 95] {
        let what = format!(
            "PostgreSQL: from asking until another process has begun, against graphile-worker, p{percent}"
        );
        let of = |times: &[f64]| percentile(times.to_vec(), percent);
        report.add(&what, Unit::Milliseconds, of(&ours), Some(of(&theirs)));
    }
    Ok(())
}

/// How late jobs begin that one process takes and another does, milliseconds; and the path of one of them.
async fn starts(base: &Base<'_>, node: &Node) -> anyhow::Result<(Vec<f64>, String)> {
    let log = base.place.folder.path().join("worker.log");
    // That of an earlier round, which this one would go on with.
    if log.exists() {
        fs::remove_file(&log)?;
    }
    let client = base.client(base.database).await?;
    let begun: String = client.query_one("select clock_timestamp()::text", &[]).await?.get(0);
    let worker =
        base.worker().env("GOALPOST_LOG", "info").env("GOALPOST_LOG_FORMAT", "json").log(&log).launch();
    until(&client, &format!("{LISTENERS} and backend_start > '{begun}'"), |listeners| listeners > 0).await?;
    let mut connection = Connection::open(&node.address()).await?;
    let (mut asked, clock) = (Vec::new(), Clock::default());
    for house in base.place.houses.iter().take(STARTS) {
        let at = clock.now_us();
        let created = connection.get(&base.place.post(house, &house.views[0])).await?;
        let created: serde_json::Value = serde_json::from_slice(&created)?;
        let id = created["id"].as_str().context("an export has no id")?.to_owned();
        asked.push((id, at));
        tokio::time::sleep(PAUSE).await;
    }
    until(&client, OURS, |left| left == 0).await?;
    drop(worker);
    let claimed = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_claim = line.to_string().contains("job claimed");
        let at: jiff::Timestamp = line["timestamp"].as_str()?.parse().ok()?;
        is_claim.then_some(at)
    };
    let log = fs::read_to_string(log)?;
    let claims: Vec<_> = log.lines().filter_map(claimed).collect();
    ensure!(claims.len() == asked.len(), "{} of {} jobs were begun", claims.len(), asked.len());
    // One after the other, so in the same order.
    let times = asked.iter().zip(claims).map(|((_, at), claim)| (claim.as_microsecond() - at) as f64 / 1e3);
    let (id, _) = asked.last().context("nothing was asked for")?;
    Ok((times.collect(), format!("{JOBS}/{id}")))
}

/// What a queue does in the middle of its work.
struct Pace {
    per_sec: f64,
    /// Of PostgreSQL, microseconds a job.
    cpu: f64,
}

/// Jobs that do nothing: exports of views without goals here.
pub(crate) async fn work(base: &Base<'_>, report: &mut Report) -> anyhow::Result<()> {
    let ours = own_pace(base, WORKERS, JOBS_DONE).await?;
    let url = url_of(base.cluster, "queues");
    let mut theirs = Vec::new();
    for (queue, left, number) in [("graphile", GRAPHILE, JOBS_DONE), ("boss", PG_BOSS, BOSS)] {
        peers::queue(queue, "add", &url, number)?;
        let workers = (0..WORKERS).map(|_| Peer::worker(queue, &url, AT_A_TIME));
        let workers = workers.collect::<anyhow::Result<Vec<_>>>()?;
        theirs.push(pace(base, "queues", left, number).await?);
        drop(workers);
    }
    for (queue, theirs) in ["graphile-worker", "pg-boss, which fetches one at a time"].iter().zip(&theirs) {
        let what = format!("PostgreSQL: jobs done by {WORKERS} workers, against {queue}");
        report.add(&what, Unit::PerSecond, ours.per_sec, Some(theirs.per_sec));
    }
    let what = "PostgreSQL: its CPU for a job, against graphile-worker";
    report.add(what, Unit::Microseconds, ours.cpu, Some(theirs[0].cpu));
    Ok(())
}

/// Exports of views of ten goals.
pub(crate) async fn work_on_goals(base: &Base<'_>, report: &mut Report) -> anyhow::Result<()> {
    let ours = own_pace(base, WORKERS, JOBS_DONE).await?;
    let what = |figure: &str| format!("PostgreSQL: views of ten goals by {WORKERS} workers, {figure}");
    report.add(&what("exports done"), Unit::PerSecond, ours.per_sec, None);
    report.add(&what("its CPU for one"), Unit::Microseconds, ours.cpu, None);
    Ok(())
}

/// Let so many workers do the exports that are pending.
async fn own_pace(base: &Base<'_>, workers: usize, number: usize) -> anyhow::Result<Pace> {
    let workers: Vec<_> = (0..workers).map(|_| base.worker().launch()).collect();
    let pace = pace(base, base.database, OURS, number).await;
    drop(workers);
    pace
}

/// Watch a queue from a tenth to nine tenths of what it has to do, so that neither start nor end counts.
async fn pace(base: &Base<'_>, database: &str, left: &str, number: usize) -> anyhow::Result<Pace> {
    let client = base.client(database).await?;
    let pid = postmaster(base.cluster)?;
    let reached = async |most: usize| {
        let left = until(&client, left, |left| left <= most).await?;
        anyhow::Ok((left, Instant::now(), load::cpu(pid)?))
    };
    let (more, begun, cpu_then) = reached(number * 9 / 10).await?;
    let (less, ended, cpu_now) = reached(number / 10).await?;
    let jobs = (more - less) as f64;
    let per_sec = jobs / (ended - begun).as_secs_f64();
    Ok(Pace { per_sec, cpu: (cpu_now - cpu_then) * 1e6 / jobs })
}

/// Wait until a statement counts what is waited for; gives that.
async fn until(client: &Client, statement: &str, is_it: impl Fn(usize) -> bool) -> anyhow::Result<usize> {
    let (mut last, mut changed) = (None, Instant::now());
    loop {
        let counted = client.query_one(statement, &[]).await?.get::<_, i64>(0) as usize;
        if is_it(counted) {
            return Ok(counted);
        }
        if last.replace(counted) != Some(counted) {
            changed = Instant::now();
        }
        ensure!(changed.elapsed() < PATIENCE, "`{statement}` has given {counted} for {PATIENCE:?}");
        tokio::time::sleep(WATCHED).await;
    }
}

/// The first process of the server.
fn postmaster(cluster: &PgCluster) -> anyhow::Result<u32> {
    let file = Path::new(&cluster.sql("postgres", "show data_directory")).join("postmaster.pid");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    text.lines().next().and_then(|line| line.trim().parse().ok()).context("a file without a number")
}

/// How it does with many jobs pending: by workers, and by organizations.
pub(crate) mod growth {
    use super::{Base, Connection, JOBS, Report, Unit, own_pace, percentile, sqlite};

    pub(crate) const HOUSES: usize = 1_000;
    pub(crate) const PENDING: usize = 10_000;
    const POLLS: usize = 500;

    /// Workers, and organizations that have jobs pending.
    pub(crate) const STEPS: [(usize, usize); 7] =
        [(1, 100), (2, 100), (4, 100), (8, 100), (2, 1), (2, 10), (2, 1_000)];

    /// How long a poll of an export takes that waits, milliseconds.
    pub(crate) async fn polls(base: &Base<'_>, pending: &str) -> anyhow::Result<f64> {
        let mut node = base.place.node(base.program, &["serve", "--no-worker"]).start().await;
        let poll = base.place.get(&format!("{JOBS}/{pending}"));
        let mut connection = Connection::open(&node.address()).await?;
        let mut polls = Vec::with_capacity(POLLS);
        for _ in 0..POLLS {
            polls.push(sqlite::timed(&mut connection, &poll).await?);
        }
        node.kill();
        Ok(percentile(polls, 50))
    }

    /// Let so many workers do what is pending; `alone` is how long a poll takes with one export pending.
    pub(crate) async fn measure(
        base: &Base<'_>,
        (workers, houses): (usize, usize),
        pending: &str,
        alone: f64,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let poll = polls(base, pending).await?;
        let pace = own_pace(base, workers, PENDING).await?;
        let what = |figure: &str| {
            format!("{PENDING} pending, organizations: {houses}, workers: {workers}; {figure}")
        };
        report.add(&what("jobs done"), Unit::PerSecond, pace.per_sec, None);
        report.add(&what("CPU of PostgreSQL for a job"), Unit::Microseconds, pace.cpu, None);
        let figure = "a poll before they begin, against one with one pending, p50";
        report.add(&what(figure), Unit::Milliseconds, poll, Some(alone));
        Ok(())
    }
}
