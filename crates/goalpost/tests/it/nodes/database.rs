//! The database goes away and comes back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use goalpost_testing::{ChaosProxy, Client, Engine, Node, PgCluster, TestDatabase};
use uuid::Uuid;

use super::{House, save_views, try_content, try_create, try_status, until_ended};
use crate::jobs::eventually;

/// `GOALPOST_RESTARTS` makes it longer.
#[tokio::test(flavor = "multi_thread")]
async fn r06_r31_a_database_that_crashes_again_and_again_loses_no_export_and_nobody_meets_500() {
    let mut cluster = PgCluster::start();
    let url = cluster.url();
    let house = House::new(&url, "[exports]\nlease_secs = 3\n[limits]\ncreates_per_10_secs = 1000000\n");
    let node = || house.node(&[]).start();
    let nodes: [Node; 2] = tokio::join!(node(), node()).into();
    let views = save_views(&house.open(), 8);
    let stop = Arc::new(AtomicBool::new(false));
    let clients = nodes.each_ref().map(|node| house.client(&node.url()));
    let asking = clients.clone().map(|client| tokio::spawn(ask(client, views.clone(), Arc::clone(&stop))));
    let mut slowest = Duration::ZERO;
    for _ in 0..crate::setting("GOALPOST_RESTARTS", 3) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        tokio::task::block_in_place(|| cluster.restart_immediate());
        let back = Instant::now();
        eventually(Duration::from_secs(20), "an answer after the restart", async || {
            let seen = clients[0].try_send(clients[0].request("GET", super::JOBS)).await.ok()?;
            (seen.status == 200).then_some(())
        })
        .await;
        slowest = slowest.max(back.elapsed());
    }
    stop.store(true, Ordering::Relaxed);
    let mut made = Vec::new();
    for asking in asking {
        made.extend(asking.await.expect("every answer was right"));
    }
    println!("soak: {} exports, {} ms at most until an answer", made.len(), slowest.as_millis());
    assert!(slowest <= Duration::from_secs(5), "{slowest:?}");
    assert!(made.len() > 10, "{} exports", made.len());
    for id in &made {
        assert_eq!(until_ended(&clients[1], id, Duration::from_mins(1)).await, "succeeded", "{id}");
    }
}

/// Ask for exports and look at them until told to stop; those that were promised.
async fn ask(client: Client, views: Vec<Uuid>, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut made = Vec::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut turn = 0;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let created = try_create(&client, views[turn % views.len()]).await.expect("the node itself stays");
        match created.status {
            201 => made.push(created.id()),
            409 => {}
            503 => assert!(created.header("retry-after").is_some()),
            other => panic!("{other}: {}", created.text()),
        }
        for id in made.iter().rev().take(3) {
            let (status, now) = try_status(&client, id).await.expect("the node itself stays");
            // Not being able to tell is not a state of the job.
            if status == 200 {
                let before = seen.insert(id.clone(), now.clone()).unwrap_or_default();
                let order = ["", "notStarted", "running", "succeeded"];
                let place =
                    |status: &str| order.iter().position(|known| *known == status).expect("no job fails");
                assert!(place(&now) >= place(&before), "{id}: {before}, then {now}");
            }
            let content = try_content(&client, id).await.expect("the node itself stays");
            assert!([200, 409, 503].contains(&content.status), "{}", content.text());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_breaks_makes_answers_late_or_unavailable_and_never_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::on(Engine::Postgres, folder.path());
    let url = database.url.clone().unwrap();
    let house = House::new(&url, "[exports]\nlease_secs = 3\n");
    let (_, address) = url.rsplit_once('@').unwrap();
    let (address, name) = address.split_once('/').unwrap();
    let proxy = ChaosProxy::before(address.parse().unwrap()).await;
    let through = format!("postgres://goalpost@{}/{name}", proxy.address());
    let node = house.node_at(&through, &[]).start().await;
    let client = house.client(&node.url());
    let views = save_views(&house.open(), 6);
    let first = try_create(&client, views[0]).await.unwrap().id();
    assert_eq!(until_ended(&client, &first, Duration::from_secs(20)).await, "succeeded");

    proxy.break_all();
    let second = try_create(&client, views[1]).await.unwrap();
    assert_eq!(second.status, 201, "a broken connection is replaced: {}", second.text());

    proxy.refuse().await;
    proxy.break_all();
    let refused = try_create(&client, views[2]).await.unwrap();
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.header("retry-after").is_some());
    let (status, _) = try_status(&client, &first).await.unwrap();
    assert_eq!(status, 503);
    proxy.restore().await;
    eventually(Duration::from_secs(5), "the database's return", async || {
        (try_status(&client, &first).await.unwrap().0 == 200).then_some(())
    })
    .await;

    proxy.delay(Duration::from_millis(200));
    let late = try_create(&client, views[3]).await.unwrap();
    assert_eq!(late.status, 201, "{}", late.text());
    proxy.delay(Duration::ZERO);
    for id in [&second.id(), &late.id()] {
        assert_eq!(until_ended(&client, id, Duration::from_secs(30)).await, "succeeded");
    }
}
