//! The database's standby takes over: what was told to a client stands.

use std::time::Duration;

use goalpost_testing::{ChaosProxy, PgCluster, Replication};

use super::{House, save_views, try_content, try_create, until_ended};
use crate::jobs::eventually;

/// `GOALPOST_FAILOVERS` makes it longer.
#[tokio::test(flavor = "multi_thread")]
async fn r07_what_was_told_stands_after_the_standby_took_over() {
    for _ in 0..crate::setting("GOALPOST_FAILOVERS", 1) {
        fail_over().await;
    }
}

async fn fail_over() {
    let (mut primary, mut standby) = tokio::task::block_in_place(|| {
        let primary = PgCluster::start();
        let standby = primary.standby(Replication::Synchronous);
        primary.wait_until_followed_by(&standby);
        (primary, standby)
    });
    let proxy = ChaosProxy::before(([127, 0, 0, 1], primary.port()).into()).await;
    let database = format!("postgres://goalpost@{}/goalpost", proxy.address());
    let house = House::new(&database, "[exports]\nlease_secs = 3\n[limits]\ncreates_per_10_secs = 1000000\n");
    let node = house.node(&[]).start().await;
    let client = house.client(&node.url());
    let views = save_views(&house.open(), 40);
    let (mut created, mut succeeded) = (Vec::<String>::new(), Vec::<String>::new());
    for (turn, view) in views.iter().enumerate() {
        if turn == views.len() / 2 {
            for id in &created[..8] {
                assert_eq!(until_ended(&client, id, Duration::from_mins(1)).await, "succeeded", "{id}");
                succeeded.push(id.clone());
            }
            // In the middle of the others.
            tokio::task::block_in_place(|| {
                primary.kill();
                standby.promote();
            });
            proxy.forward_to(([127, 0, 0, 1], standby.port()).into());
            proxy.break_all();
        }
        let answer = eventually(Duration::from_secs(30), "an answer", async || {
            let answer = try_create(&client, *view).await.ok()?;
            assert!([201, 409, 503].contains(&answer.status), "{}", answer.text());
            (answer.status != 503).then_some(answer)
        })
        .await;
        if answer.status == 201 {
            created.push(answer.id());
        }
    }
    for id in &succeeded {
        assert_eq!(
            super::try_status(&client, id).await.unwrap(),
            (200, "succeeded".to_owned()),
            "{id} was told"
        );
    }
    for id in &created {
        assert_eq!(until_ended(&client, id, Duration::from_mins(1)).await, "succeeded", "{id}");
        assert_eq!(try_content(&client, id).await.unwrap().status, 200);
    }
    println!("soak: {} exports promised, {} told as done before", created.len(), succeeded.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn r07_an_asynchronous_standby_loses_its_last_moments_and_nothing_before_them() {
    let mut primary = tokio::task::block_in_place(PgCluster::start);
    let stream = ChaosProxy::before(([127, 0, 0, 1], primary.port()).into()).await;
    let mut standby =
        tokio::task::block_in_place(|| primary.standby_through(stream.port(), Replication::Asynchronous));
    let proxy = ChaosProxy::before(([127, 0, 0, 1], primary.port()).into()).await;
    let database = format!("postgres://goalpost@{}/goalpost", proxy.address());
    let house = House::new(&database, "");
    let node = house.node(&[]).start().await;
    let client = house.client(&node.url());
    let views = save_views(&house.open(), 6);
    let export = async |view| {
        let made = try_create(&client, view).await.unwrap();
        assert_eq!(made.status, 201, "{}", made.text());
        assert_eq!(until_ended(&client, &made.id(), Duration::from_mins(1)).await, "succeeded");
        made.id()
    };
    let (mut kept, mut lost) = (Vec::new(), Vec::new());
    for view in &views[..3] {
        kept.push(export(*view).await);
    }
    tokio::task::block_in_place(|| primary.wait_until_followed_by(&standby));
    // From here on the standby learns of nothing.
    stream.refuse().await;
    stream.break_all();
    for view in &views[3..] {
        lost.push(export(*view).await);
    }
    tokio::task::block_in_place(|| {
        primary.kill();
        standby.promote();
    });
    proxy.forward_to(([127, 0, 0, 1], standby.port()).into());
    proxy.break_all();
    for id in &kept {
        let content = eventually(Duration::from_secs(30), "the file", async || {
            try_content(&client, id).await.ok().filter(|content| content.status == 200)
        });
        content.await;
    }
    for (id, view) in lost.iter().zip(&views[3..]) {
        let seen = client.get_export(id).await;
        assert_eq!(seen.status, 404, "{}", seen.text());
        // It blocks nothing: what was lost is asked for again.
        export(*view).await;
    }
}
