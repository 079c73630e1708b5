//! `kill -9`, again and again: every export ends exactly once, never goes back, and what can be fetched is whole.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use goalpost::demo;
use goalpost::ids::OrganizationNumber;
use goalpost::orgs::queries::find_by_guid;
use goalpost_db::{Error, Scope, params};
use goalpost_testing::Client;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::process::{Folder, create, try_create, try_get, until_status};
use super::{Row, save_views, told};

/// Rounds, unless `GOALPOST_KILLS` says how many.
const KILLS: usize = 100;
/// Where the delays before the kills come from; the same seed gives the same delays.
const SEED: u64 = 0x5eed_0f9a_1905;
/// Short leases, so that a hundred dead workers are survived in a minute or two.
const SETTINGS: &str = "
[exports]
lease_secs = 3
deadline_secs = 20
[limits]
requests_per_10_secs = 1000000
creates_per_10_secs = 1000000
";
/// The deadline, and a while for the server to be started again and to look; more where exports take long.
const BLOCKED_AT_MOST: Duration = Duration::from_secs(20 + 30);
const BLOCKED_EXPORTS_AT_MOST: u32 = 60;
/// How long the shortest and the longest life of a server are: the longest lets several exports end, however slow the
/// machine is.
const SHORTEST_LIFE: Duration = Duration::from_millis(20);
const LONGEST_LIFE: Duration = Duration::from_millis(600);
const GOALS: u64 = 4_000;
const VIEWS: u128 = 12;
/// Clients that fetch whatever can be fetched, unless `GOALPOST_READERS` says how many, and how often each does.
const READERS: usize = 8;
const READ_EVERY: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn r01_r02_every_export_ends_once_and_whole_however_often_the_server_is_killed() {
    let kills = crate::setting("GOALPOST_KILLS", KILLS);
    let folder = Folder::new(GOALS, SETTINGS);
    let (organization, views, reference, export_takes) = prepare(&folder).await;
    let longest = LONGEST_LIFE.max(export_takes * 4);
    let mut running = folder.serve(&[]);
    let stop = CancellationToken::new();
    let blocked_at_most = BLOCKED_AT_MOST + export_takes * BLOCKED_EXPORTS_AT_MOST;
    let watch = Watch::new(running.client.clone(), views, reference, blocked_at_most);
    let reading = (0..crate::setting("GOALPOST_READERS", READERS)).map(|seed| {
        let (client, known) = (running.client.clone(), Arc::clone(&watch.known));
        tokio::spawn(read(client, known, reference, seed as u64, stop.clone()))
    });
    let reading: Vec<_> = reading.collect();
    let watching = tokio::spawn(watch.run(stop.clone()));

    let mut seed = SEED;
    for _ in 0..kills {
        let delay = SHORTEST_LIFE + longest.mul_f64((random(&mut seed) % 1_000) as f64 / 1_000.0);
        if tokio::time::timeout(delay, stop.cancelled()).await.is_ok() {
            break; // the watch has seen something wrong
        }
        running.kill();
        running = folder.serve_again(&running);
    }
    stop.cancel();
    let jobs = watching.await.expect("every answer was right");
    let mut reads = 0;
    for reading in reading {
        reads += reading.await.expect("every file was whole");
    }

    let db = folder.open().db.clone();
    for (id, seen) in &jobs {
        let row = Row::find(&db, id).expect("no job is lost");
        assert_eq!(Some(&row.state), seen.statuses.last(), "{id}");
    }
    let count = |sql| {
        db.snapshot(organization, |tx| tx.query_one::<_, Error>(sql, params![organization], |row| row.int(0)))
            .unwrap()
    };
    let again = count("select count(*) from job where organization = ?1 and attempt > 1");
    let lost = count("select count(*) from job where organization = ?1 and failure = 'workerLost'");
    println!("soak: {} exports, {again} tried again, {lost} given up, {reads} files compared", jobs.len());
    assert!(again > 0, "no kill hit a running export");
    assert!(reads > 0, "no file was compared while servers died");
    // Each end is recorded in the transaction that makes it.
    let succeeded = count("select count(*) from job where organization = ?1 and state = 'succeeded'");
    let recorded = "select count(*) from audit where organization = ?1 and action = 'exportFinished'";
    assert_eq!(count(recorded), succeeded);
    assert_eq!(count("select count(*) from export where organization = ?1"), succeeded);
    assert!(!folder.log().contains("panicked"), "{}", folder.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn r04_an_export_ends_within_half_a_minute_after_its_server_was_killed() {
    let folder = Folder::new(500, "");
    let mut held = folder.serve(&["--sandbox", "running=1h"]);
    let id = create(&held).await;
    until_status(&held, &id, "running", Duration::from_secs(20)).await;
    held.kill();
    let killed = Instant::now();
    let next = folder.serve_again(&held);
    until_status(&next, &id, "succeeded", Duration::from_secs(30).saturating_sub(killed.elapsed())).await;
    assert_eq!(next.client.get_content(&id).await.status, 200);
    assert_eq!(Row::find(&folder.open().db, &id).unwrap().attempt, 2);
}

/// Save the views, and fetch the file that every export of them must be; its hash, and how long the export took.
async fn prepare(folder: &Folder) -> (OrganizationNumber, Vec<Uuid>, [u8; 32], Duration) {
    let db = folder.open().db.clone();
    let organization =
        db.snapshot(Scope::Global, |tx| find_by_guid(tx, demo::ORGANIZATION)).unwrap().unwrap().number;
    let views = save_views(&db, organization, VIEWS);
    let server = folder.serve(&[]);
    let begun = Instant::now();
    let id = create(&server).await;
    until_status(&server, &id, "succeeded", Duration::from_secs(30)).await;
    let took = begun.elapsed();
    let content = try_get(&server.client, &id, "/content").await.unwrap();
    assert_eq!(content.status, 200);
    assert!(content.text().lines().count() > GOALS as usize, "every goal has a line");
    (organization, views, Sha256::digest(&content.bytes).into(), took)
}

/// A client that asks for exports all the time, and holds every answer against those before it.
struct Watch {
    client: Client,
    views: Vec<Uuid>,
    reference: [u8; 32],
    jobs: BTreeMap<String, Seen>,
    /// The ids of all of them, for the readers.
    known: Arc<Mutex<Vec<String>>>,
    blocked_at_most: Duration,
    looks: u64,
}

/// Fetch, until `stop`, what is known at random, mostly of the latest; how many files came whole.
async fn read(
    client: Client,
    known: Arc<Mutex<Vec<String>>>,
    reference: [u8; 32],
    mut seed: u64,
    stop: CancellationToken,
) -> u64 {
    let _alarm = stop.clone().drop_guard();
    let mut every = tokio::time::interval(READ_EVERY);
    let mut whole = 0;
    while !stop.is_cancelled() {
        every.tick().await;
        let id = {
            let known = known.lock().unwrap();
            let back = random(&mut seed) % 16;
            known.len().checked_sub(1 + back as usize).map(|place| known[place].clone())
        };
        let Some(id) = id else { continue };
        match try_get(&client, &id, "/content").await {
            Ok(content) if content.status == 200 => {
                assert!(Sha256::digest(&content.bytes)[..] == reference, "{id}: its file is not whole");
                whole += 1;
            }
            Ok(other) => assert!([409, 503].contains(&other.status), "{id}: {}", other.text()),
            Err(_) => {}
        }
    }
    whole
}

/// What is known of an export.
struct Seen {
    view: Uuid,
    first: Instant,
    statuses: Vec<String>,
}

impl Seen {
    fn has_ended(&self) -> bool {
        self.statuses.last().is_some_and(|status| rank(status) == 2)
    }
}

/// How far along an export of this status is.
fn rank(status: &str) -> u8 {
    match status {
        "notStarted" => 0,
        "running" => 1,
        "succeeded" | "failed" => 2,
        other => panic!("there is no status `{other}`"),
    }
}

impl Watch {
    fn new(client: Client, views: Vec<Uuid>, reference: [u8; 32], blocked_at_most: Duration) -> Self {
        let (jobs, known) = (BTreeMap::new(), Arc::default());
        Self { client, views, reference, jobs, known, blocked_at_most, looks: 0 }
    }

    /// Watch until `stop`, then until everything that was promised has ended. Ends `stop` if an answer is wrong.
    async fn run(mut self, stop: CancellationToken) -> BTreeMap<String, Seen> {
        let _alarm = stop.clone().drop_guard();
        let mut every = tokio::time::interval(Duration::from_millis(5));
        while !stop.is_cancelled() || !self.jobs.values().all(Seen::has_ended) {
            every.tick().await;
            if !stop.is_cancelled() {
                for view in self.views.clone() {
                    self.ask(view).await;
                }
            }
            self.look().await;
        }
        self.jobs
    }

    /// Ask for an export of a view, unless one is known to be pending. No answer is an answer, too: then the server is
    /// dead, and may or may not have made the job.
    async fn ask(&mut self, view: Uuid) {
        if self.jobs.values().any(|seen| seen.view == view && !seen.has_ended()) {
            return;
        }
        let Ok(answer) = try_create(&self.client, view).await else { return };
        let id = match answer.status {
            201 => answer.id(),
            409 => answer.json()["error"]["target"].as_str().unwrap().to_owned(),
            503 => return,
            status => panic!("POST: {status} {}", answer.text()),
        };
        let seen = Seen { view, first: Instant::now(), statuses: Vec::new() };
        self.known.lock().unwrap().push(id.clone());
        assert!(self.jobs.insert(id.clone(), seen).is_none(), "{id} had ended, and is pending again");
    }

    /// Look at every pending export, and at one of those that have ended.
    async fn look(&mut self) {
        self.looks += 1;
        let ended = self.jobs.iter().filter(|(_, seen)| seen.has_ended()).map(|(id, _)| id);
        let ended: Vec<_> = ended.cloned().collect();
        let again = ended.get(self.looks as usize % ended.len().max(1)).cloned();
        let pending = self.jobs.iter().filter(|(_, seen)| !seen.has_ended()).map(|(id, _)| id.clone());
        for id in pending.chain(again).collect::<Vec<_>>() {
            self.look_at(&id).await;
        }
    }

    async fn look_at(&mut self, id: &str) {
        let seen = &self.jobs[id];
        let blocked = !seen.has_ended() && seen.first.elapsed() > self.blocked_at_most;
        assert!(!blocked, "{id} blocks its pair: {:?}", seen.statuses);
        // The content first: it must not be there while the status, asked for later, is not `succeeded`.
        let content = try_get(&self.client, id, "/content").await;
        let Ok(answer) = try_get(&self.client, id, "").await else { return };
        if answer.status == 503 {
            return;
        }
        assert_eq!(answer.status, 200, "{id}: {}", answer.text());
        let status = told(&answer).0;
        let seen = self.jobs.get_mut(id).expect("it is known");
        match seen.statuses.last() {
            Some(last) if *last == status => {}
            Some(last) => {
                assert!(rank(last) < rank(&status), "{id} went from {last} to {status}");
                seen.statuses.push(status.clone());
            }
            None => seen.statuses.push(status.clone()),
        }
        match content.map(|content| (content.status, content)) {
            Ok((200, content)) => {
                assert_eq!(status, "succeeded", "{id}");
                assert!(Sha256::digest(&content.bytes)[..] == self.reference, "{id}: its file is not whole");
            }
            Ok((409 | 503, _)) | Err(_) => {}
            Ok((other, content)) => panic!("{id}: content {other} {}", content.text()),
        }
    }
}

/// The next of a sequence of random numbers (`SplitMix64`).
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_worker_is_killed_is_done_once() {
    let folder = Folder::new(200, "[exports]\nlease_secs = 3\n");
    let zip = folder.path().join("large.zip");
    let written = folder.command("demo").args(["--goals", "2000", "--write-zip"]).arg(&zip).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let db = folder.open().db.clone();
    let organization =
        db.snapshot(Scope::Global, |tx| find_by_guid(tx, demo::ORGANIZATION)).unwrap().unwrap().number;
    let owner = "select min(email) from person where organization = ?1 and role = 'Organization Owner' and status = 'active'";
    let owner = db.snapshot(organization, |tx| {
        tx.query_one::<_, Error>(owner, params![organization], |row| Ok(row.text(0)?.to_owned()))
    });
    let token = folder
        .command("token")
        .args(["--user", &owner.unwrap(), "--scope", "Goals.ReadWrite.All"])
        .output()
        .unwrap();
    assert!(token.status.success(), "{}", String::from_utf8_lossy(&token.stderr));
    let token = String::from_utf8(token.stdout).unwrap().trim_end().to_owned();
    let count = |sql| {
        db.snapshot(organization, |tx| tx.query_one::<_, Error>(sql, params![organization], |row| row.int(0)))
            .unwrap()
    };

    let before = count("select count(*) from goal where organization = ?1");
    let mut running = folder.serve(&[]);
    let client = Client::of(&running.url, &token);
    let imports = format!("/api/v1/organizations/{}/imports", demo::ORGANIZATION);
    let made = client.send(client.request("POST", &imports).body(std::fs::read(&zip).unwrap())).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = format!("{imports}/{}", made.id());
    let look = async || {
        let seen = client.try_send(client.request("GET", &path)).await.ok()?;
        assert_eq!(seen.status, 200, "{}", seen.text());
        Some(seen.json())
    };
    // While it writes.
    super::eventually(Duration::from_mins(1), "the import's rows", async || {
        let seen = look().await?;
        assert_ne!(seen["status"], "succeeded", "too fast to be killed");
        (seen["rowsDone"].as_i64()? > 0).then_some(())
    })
    .await;
    running.kill();
    assert_eq!(count("select count(*) from goal where organization = ?1"), before);
    running = folder.serve_again(&running);
    let seen = super::eventually(Duration::from_mins(5), "the import's end", async || {
        look().await.filter(|seen| seen["status"] != "running")
    })
    .await;
    assert_eq!(seen["status"], "succeeded", "{seen}");
    assert!(count("select count(*) from goal where organization = ?1") > 1_500);
    let again = "select count(*) from job where organization = ?1 and kind = 'import' and attempt = 2";
    assert_eq!(count(again), 1);
    assert_eq!(
        count(
            "select count(*) from revision where organization = ?1 and cause = 'import' and actor is not null"
        ),
        1
    );
    assert_eq!(
        count(
            "select count(*) from audit where organization = ?1 and action = 'import.run' and actor is not null"
        ),
        1
    );
    super::eventually(Duration::from_secs(10), "nothing is left of either attempt", async || {
        (std::fs::read_dir(folder.path().join("imports")).unwrap().count() == 0).then_some(())
    })
    .await;
    drop(running);
}
