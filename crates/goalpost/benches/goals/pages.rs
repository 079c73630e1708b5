//! The first hundred rows of a list of goals at `/api/v1`: what they cost client and server together.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::ensure;
use goalpost::ids::OrganizationNumber;
use goalpost_testing::{Client, Engine, ORGANIZATION, TestApp};

use crate::house;

/// The number of the organization that [`TestApp`] has, and its owner's.
const HOUSE: OrganizationNumber = OrganizationNumber(15_229);
const ROUNDS: u32 = 50;
/// Linux counts processor time for programs in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

const QUERIES: [(&str, &str); 9] = [
    ("all", ""),
    ("one status", "&$filter=status eq 'At Risk'"),
    ("two statuses", "&$filter=status in ('At Risk','Behind')"),
    ("an owner", "&$filter=owners/any(o: o/id eq 7)"),
    ("a team", "&$filter=teams/any(t: t/id eq 7)"),
    ("a period", "&$filter=periodId eq 7"),
    ("a team and a status", "&$filter=teams/any(t: t/id eq 7) and status eq 'Behind'"),
    ("an owner, by due date", "&$filter=owners/any(o: o/id eq 7)&$orderby=endDate"),
    ("a word of the title (every goal is looked at)", "&$filter=contains(title,'999999')"),
];

pub(crate) async fn measure(goals: i64) -> anyhow::Result<()> {
    let t = TestApp::start_with(|config| config.limits.requests_per_10_secs = 1_000_000).await;
    tokio::task::block_in_place(|| house::fill(&t.app.db, HOUSE, goals))?;
    tokio::task::block_in_place(|| t.app.db.settle())?;
    let ben = t.client_with_scopes("ben@wren.example", "Goals.Read.All");
    println!("first 100 of {goals} goals on {:?}, each {ROUNDS} times", Engine::of_this_run());
    for (what, query) in QUERIES {
        let path = format!("/api/v1/organizations/{ORGANIZATION}/goals?$top=100{query}");
        let rows = rows(&ben, &path).await?;
        let (begun, ticks) = (Instant::now(), own_ticks()?);
        for _ in 0..ROUNDS {
            self::rows(&ben, &path).await?;
        }
        let (wall, cpu) = (begun.elapsed() / ROUNDS, TICK * (own_ticks()? - ticks) / ROUNDS);
        println!("  {what}: {rows} rows, {wall:.1?}, {cpu:.1?} of CPU in this process");
    }
    Ok(())
}

async fn rows(client: &Client, path: &str) -> anyhow::Result<usize> {
    let answer = client.get(path).await;
    ensure!(answer.status == 200, "{path}: {}", answer.text());
    Ok(answer.json()["value"].as_array().map_or(0, Vec::len))
}

/// What this process, client and server, has had of the processors. A database that is a server has its own.
fn own_ticks() -> anyhow::Result<u32> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    Ok(behind_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum())
}
