//! Three nodes behind nginx, killed and frozen at random moments, while goals change, exports are asked for, and others
//! read whatever there is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use goalpost::demo;
use goalpost::ids::OrganizationNumber;
use goalpost::orgs::queries::find_by_guid;
use goalpost_db::{Db, Error, Scope, params};
use goalpost_testing::{Answer, Client, Engine, Nginx, Node, TestDatabase};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{GOALS, House, save_views, try_content, try_create};
use crate::store::download::Dice;

/// Faults, unless `GOALPOST_FAULTS` says how many.
const FAULTS: usize = 12;
const VIEWS: u128 = 6;
/// Clients that read whatever there is.
const READERS: u64 = 8;
/// What the goals have together, at any instant.
const TOTAL: f64 = GOALS as f64 * 100.0;
/// Short leases, so that a frozen node loses them; and nothing is given up for having met many faults.
const SETTINGS: &str = "
[exports]
lease_secs = 3
max_attempts = 50
[limits]
requests_per_10_secs = 1000000
creates_per_10_secs = 1000000
";
/// Longer than a lease.
const FROZEN: Duration = Duration::from_secs(4);
const SOON: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(20);

/// What is known of each export: the hash of its file, once somebody has read it.
#[derive(Clone, Default)]
struct Known(Arc<Mutex<BTreeMap<String, Option<[u8; 32]>>>>);

impl Known {
    fn promised(&self, id: &str) {
        self.0.lock().unwrap().entry(id.to_owned()).or_default();
    }

    /// One of the latest exports.
    fn any(&self, dice: &mut Dice) -> Option<String> {
        let known = self.0.lock().unwrap();
        let place = dice.below(known.len().clamp(1, 16));
        known.keys().rev().nth(place).cloned()
    }

    /// A file was read: it shows one instant, and is what others have read.
    fn read(&self, id: &str, content: &Answer) {
        let hash = Sha256::digest(&content.bytes).into();
        let mut known = self.0.lock().unwrap();
        let before = known.get_mut(id).expect("it was promised");
        if before.is_none() {
            assert_eq!(rows_and_sum(&content.bytes), (GOALS, TOTAL), "{id} is torn");
        }
        assert_eq!(*before.get_or_insert(hash), hash, "{id} has two files");
    }
}

/// The number of rows, and the sum of what they have reached.
fn rows_and_sum(file: &[u8]) -> (u64, f64) {
    let mut reader = csv::Reader::from_reader(file);
    let place = reader.headers().unwrap().iter().position(|name| name == "Actual Progress").unwrap();
    reader.records().fold((0, 0.0), |(rows, sum), record| {
        let reached: f64 = record.unwrap()[place].parse().unwrap();
        (rows + 1, sum + reached)
    })
}

/// The answer of a node; nothing if none has answered, or it says to come again.
fn answered(answer: reqwest::Result<Answer>) -> Option<Answer> {
    // What nginx says of its own has no id.
    let answer = answer.ok().filter(|answer| answer.header("request-id").is_some())?;
    if answer.status == 503 {
        assert!(answer.header("retry-after").is_some(), "{}", answer.text());
        return None;
    }
    Some(answer)
}

/// Export a view over and over until `stop`; each export is followed to its end. How many there were.
async fn export(client: Client, view: Uuid, known: Known, stop: CancellationToken) -> u64 {
    let _alarm = stop.clone().drop_guard();
    let mut finished = 0;
    while !stop.is_cancelled() {
        tokio::time::sleep(PAUSE).await;
        let Some(made) = answered(try_create(&client, view).await) else { continue };
        let id = match made.status {
            201 => made.id(),
            // An earlier request took effect, whose answer was lost.
            409 => made.json()["error"]["target"].as_str().unwrap().to_owned(),
            status => panic!("{status}: {}", made.text()),
        };
        known.promised(&id);
        follow(&client, &id, &known).await;
        finished += 1;
    }
    finished
}

/// Until it has succeeded; it never goes back.
async fn follow(client: &Client, id: &str, known: &Known) {
    let order = ["notStarted", "running", "succeeded"];
    let (begun, mut reached) = (Instant::now(), 0);
    while reached < 2 {
        assert!(begun.elapsed() < SOON, "{id} does not end");
        tokio::time::sleep(PAUSE).await;
        let seen = client.try_send(client.request("GET", &format!("{}/{id}", super::JOBS))).await;
        let Some(seen) = answered(seen) else { continue };
        assert_eq!(seen.status, 200, "{id}: {}", seen.text());
        let status = seen.json()["status"].as_str().unwrap().to_owned();
        let now = order.iter().position(|known| *known == status);
        let now = now.unwrap_or_else(|| panic!("{id} is {status}"));
        assert!(now >= reached, "{id} was {}, and is {status}", order[reached]);
        reached = now;
        // Between the two nothing can be fetched before its time.
        if let Some(content) = answered(try_content(client, id).await)
            && content.status == 200
        {
            known.read(id, &content);
        }
    }
}

/// Read until `stop` what is known; how often there was a file.
async fn read(client: Client, known: Known, seed: u64, stop: CancellationToken) -> u64 {
    let _alarm = stop.clone().drop_guard();
    let (mut dice, mut files) = (Dice(seed), 0);
    while !stop.is_cancelled() {
        tokio::time::sleep(PAUSE).await;
        let Some(id) = known.any(&mut dice) else { continue };
        match answered(try_content(&client, &id).await) {
            Some(content) if content.status == 200 => {
                known.read(&id, &content);
                files += 1;
            }
            Some(other) => assert_eq!(other.status, 409, "{id}: {}", other.text()),
            None => {}
        }
    }
    files
}

/// Move what goals have reached from one to another until `stop`; how often.
async fn change(db: Db, organization: OrganizationNumber, stop: CancellationToken) -> u64 {
    let sql = "select id from goal where organization = ?1 order by id";
    let ids = db.snapshot(organization, |tx| tx.query(sql, params![organization], |row| row.int(0)));
    let ids: Vec<i64> = ids.unwrap();
    let (mut dice, mut moves) = (Dice(7), 0);
    while !stop.is_cancelled() {
        let (from, to) = (ids[dice.below(ids.len())], ids[dice.below(ids.len())]);
        db.write(organization, move |tx| {
            for (goal, by) in [(from, -1_i64), (to, 1)] {
                let sql = "update goal set progress = progress + ?3 where organization = ?1 and id = ?2";
                tx.execute(sql, params![organization, goal, by])?;
            }
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
        moves += 1;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    moves
}

#[tokio::test(flavor = "multi_thread")]
async fn r01_r02_r05_r12_nothing_is_lost_doubled_torn_or_stuck_while_nodes_are_killed_and_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::on(Engine::Postgres, folder.path());
    let house = House::new(database.url.as_ref().unwrap(), SETTINGS);
    let db = house.open().db.clone();
    let organization = db.snapshot(Scope::Global, |tx| find_by_guid(tx, demo::ORGANIZATION)).unwrap();
    let organization = organization.unwrap().number;
    db.write_alone(organization, Duration::from_secs(5), |tx| {
        let sql = "update goal set progress = 100, restricted = ?2 where organization = ?1";
        tx.execute(sql, params![organization, false])
    })
    .unwrap();
    let views = save_views(&house.open(), VIEWS);
    // Exports take a moment, so that there are some in every node that is killed or frozen.
    let node = || house.node(&["--sandbox", "running=400ms"]).start();
    let mut nodes: [Node; 3] = tokio::join!(node(), node(), node()).into();
    let nginx = Nginx::before(&nodes.each_ref().map(Node::address)).await;
    let (client, known, stop) = (house.client(&nginx.url()), Known::default(), CancellationToken::new());
    let exporting: Vec<_> = views
        .into_iter()
        .map(|view| tokio::spawn(export(client.clone(), view, known.clone(), stop.clone())))
        .collect();
    let reading: Vec<_> = (0..READERS)
        .map(|seed| tokio::spawn(read(client.clone(), known.clone(), seed, stop.clone())))
        .collect();
    let changing = tokio::spawn(change(db.clone(), organization, stop.clone()));

    let (mut dice, faults) = (Dice(0x0005_7042), crate::setting("GOALPOST_FAULTS", FAULTS));
    for _ in 0..faults {
        let calm = Duration::from_millis(100 + dice.below(900) as u64);
        if tokio::time::timeout(calm, stop.cancelled()).await.is_ok() {
            break; // somebody has seen something wrong
        }
        let node = &mut nodes[dice.below(3)];
        if dice.below(2) == 0 {
            node.kill();
            node.start_again().await;
        } else {
            node.pause();
            tokio::time::sleep(FROZEN).await;
            node.resume();
        }
    }
    stop.cancel();
    let (mut finished, mut files) = (0, 0);
    for exporting in exporting {
        finished += exporting.await.expect("every answer was right");
    }
    for reading in reading {
        files += reading.await.expect("every file was whole");
    }
    let moves = changing.await.expect("the goals can be changed");
    println!("soak: {finished} exports, {files} files compared, {moves} changes of goals");
    assert!(finished > faults as u64 && files > finished, "{finished} exports, {files} files");

    let count = |sql| {
        let count = |tx: &goalpost_db::Tx<'_>| tx.query_one(sql, params![organization], |row| row.int(0));
        db.snapshot(organization, count).unwrap()
    };
    let succeeded = count("select count(*) from job where organization = ?1 and state = 'succeeded'");
    assert_eq!(count("select count(*) from job where organization = ?1"), succeeded, "all have succeeded");
    assert!(succeeded >= known.0.lock().unwrap().len() as i64, "none is lost");
    // Each end is recorded in the transaction that makes it.
    let recorded = "select count(*) from audit where organization = ?1 and action = 'exportFinished'";
    assert_eq!(count(recorded), succeeded, "each has ended once");
}
