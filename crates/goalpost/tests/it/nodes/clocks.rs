//! The database's clock decides; those of the nodes may be anything.

use std::time::Duration;

use goalpost::demo;
use goalpost_db::{Error, Scope, params};
use goalpost_testing::{Engine, Node, TestDatabase};

use super::{House, save_views, try_create, until_ended};
use crate::jobs::Row;

#[tokio::test(flavor = "multi_thread")]
async fn r11_workers_with_wrong_clocks_claim_nothing_twice_and_let_nothing_expire_early() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::on(Engine::Postgres, folder.path());
    let settings = "[exports]\nlease_secs = 3\nexpire_after_secs = 1800\n";
    let house = House::new(database.url.as_ref().unwrap(), settings);
    let early = || house.node(&[]).clock("-1h").start();
    let late = || house.node(&[]).clock("+1h").start();
    let workers: [Node; 2] = tokio::join!(early(), late()).into();
    // Holds nothing itself: its jobs are claimed by the others.
    let door = house.node(&["--sandbox", "not-started=1h"]).start().await;
    let client = house.client(&door.url());
    let app = house.open();
    let views = save_views(&app, 20);
    let mut made = Vec::new();
    for view in views.into_iter().chain([demo::VIEW]) {
        made.push(try_create(&client, view).await.unwrap().id());
        for (worker, offset) in workers.iter().zip(["+2d", "-10m"]) {
            worker.shift_clock(if made.len() % 2 == 0 { offset } else { "+20y" });
        }
    }
    for id in &made {
        assert_eq!(until_ended(&client, id, Duration::from_mins(1)).await, "succeeded", "{id}");
        assert_eq!(Row::find(&app.db, id).unwrap().attempt, 1, "{id} was claimed once");
        assert_eq!(client.get_content(id).await.status, 200, "{id} has not expired");
    }
    let organization = crate::jobs::organization(&app.db, &made[0]);
    let off = app.db.snapshot(organization, |tx| {
        tx.query_one::<_, Error>(
            "select count(*) from job where organization = ?1
               and (expires_at - finished_at <> 1800 * 1000000 or finished_at < created_at or finished_at > ?2)",
            params![organization, tx.now_us()],
            |row| row.int(0),
        )
    });
    assert_eq!(off.unwrap(), 0, "every time is the database's");
    let now = app.db.snapshot(Scope::Global, |tx| Ok::<_, Error>(tx.now_us())).unwrap();
    assert!((now - app.clock.now_us()).abs() < 2_000_000, "and that is this machine's");
}
