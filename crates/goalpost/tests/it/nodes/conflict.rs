//! One pending export a pair, on however many nodes it is asked for.

use std::collections::BTreeMap;

use goalpost::demo;
use goalpost::server;
use goalpost_testing::{Engine, Nginx, Node, TestDatabase};
use tokio::task::JoinSet;

use super::{House, count, save_views, try_create};

/// `GOALPOST_ROUNDS` makes it longer.
#[tokio::test(flavor = "multi_thread")]
async fn r03_of_500_posts_over_three_nodes_one_wins_and_the_others_learn_where() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::on(Engine::Postgres, folder.path());
    let url = database.url.clone().unwrap();
    let settings = "public_url = 'http://goals.example'\n[limits]\ncreates_per_10_secs = 1000000\nrequests_per_10_secs = 1000000\n";
    let house = House::new(&url, settings);
    // Nodes that leave the work to us, so that a pair stays pending until every answer is in.
    let node = || house.node(&["--sandbox", "not-started=1h"]).start();
    let nodes: [Node; 3] = tokio::join!(node(), node(), node()).into();
    let nginx = Nginx::before(&nodes.each_ref().map(Node::address)).await;
    let runner = server::runner(&house.open());
    let client = house.client(&nginx.url());
    for round in 0..crate::setting("GOALPOST_ROUNDS", 3) {
        let mut asking = JoinSet::new();
        for _ in 0..500 {
            let client = client.clone();
            asking.spawn(async move { try_create(&client, demo::VIEW).await });
        }
        let answers: Vec<_> =
            asking.join_all().await.into_iter().map(|answer| answer.expect("an answer")).collect();
        assert_eq!(count(&answers), BTreeMap::from([(201, 1), (409, 499)]), "round {round}");
        let winner = answers.iter().find(|answer| answer.status == 201).unwrap();
        for answer in &answers {
            assert_eq!(answer.header("location"), winner.header("location"), "round {round}");
        }
        assert!(runner.run_one().await.unwrap(), "round {round}");
        assert_eq!(client.get_content(&winner.id()).await.status, 200);
    }
    println!("soak: {} posts", crate::setting("GOALPOST_ROUNDS", 3) * 500);
    // Fifty pairs at once.
    let views = save_views(&house.open(), 50);
    let mut asking = JoinSet::new();
    for view in views.iter().copied().cycle().take(500) {
        let client = client.clone();
        asking.spawn(async move { try_create(&client, view).await });
    }
    let answers: Vec<_> =
        asking.join_all().await.into_iter().map(|answer| answer.expect("an answer")).collect();
    assert_eq!(count(&answers), BTreeMap::from([(201, 50), (409, 450)]));
    for node in &nodes {
        assert!(nginx.requests().contains(&node.address()), "every node took part");
    }
}
