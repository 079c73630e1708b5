//! At most one export is pending for a view, whoever asks and however many ask at once.

use std::collections::BTreeMap;
use std::time::Duration;

use goalpost::config::Config;
use goalpost_testing::{Answer, ORGANIZATION, TestApp, VIEW};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{NUMBER, create, create_of, save_views, status};

/// A server that lets one person ask as often as these tests do.
async fn start(change: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::start_with(|config| {
        config.limits.creates_per_10_secs = 100_000;
        config.limits.requests_per_10_secs = 100_000;
        // However busy the machine is, nobody is told to come again.
        config.database.settings.write_wait = Duration::from_mins(1);
        change(config);
    })
    .await
}

/// Ask for exports of these views, all at once.
async fn ask_at_once(t: &TestApp, views: impl Iterator<Item = Uuid>) -> Vec<(Uuid, Answer)> {
    let client = t.ann();
    let mut asking = JoinSet::new();
    for view in views {
        let client = client.clone();
        asking.spawn(async move { (view, client.create_export(ORGANIZATION, view).await) });
    }
    asking.join_all().await
}

fn count(answers: &[(Uuid, Answer)]) -> BTreeMap<u16, usize> {
    answers.iter().fold(BTreeMap::new(), |mut counts, (_, answer)| {
        *counts.entry(answer.status).or_default() += 1;
        counts
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_500_simultaneous_posts_one_wins_and_the_others_learn_where() {
    let t = start(|_| {}).await;
    for _ in 0..3 {
        let answers = ask_at_once(&t, std::iter::repeat_n(VIEW, 500)).await;
        assert_eq!(count(&answers), BTreeMap::from([(201, 1), (409, 499)]));
        let winner =
            answers.iter().find(|(_, answer)| answer.status == 201).map(|(_, answer)| answer).unwrap();
        for (_, answer) in &answers {
            assert_eq!(answer.header("location"), winner.header("location"));
            if answer.status == 409 {
                assert_eq!(answer.json()["error"]["target"], winner.id());
            }
        }
        // The next round finds the pair free again.
        assert!(t.run_one().await);
        assert_eq!(status(&t, &winner.id()).await.0, "succeeded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_50_pairs_at_once_each_has_one_winner() {
    let t = start(|_| {}).await;
    let views = save_views(&t.app.db, NUMBER, 50);
    let answers = ask_at_once(&t, views.iter().copied().cycle().take(500)).await;
    assert_eq!(count(&answers), BTreeMap::from([(201, 50), (409, 450)]));
    let mut winners = BTreeMap::new();
    for (view, answer) in answers.iter().filter(|(_, answer)| answer.status == 201) {
        assert_eq!(winners.insert(*view, answer.header("location")), None, "{view} was won twice");
    }
    for (view, answer) in &answers {
        assert_eq!(answer.header("location"), winners[view]);
    }
    while t.run_one().await {}
    for (_, answer) in answers.iter().filter(|(_, answer)| answer.status == 201) {
        assert_eq!(status(&t, &answer.id()).await.0, "succeeded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_has_so_many_pending_exports_and_not_one_more() {
    let t = start(|config| config.exports.max_open = 3).await;
    let views = save_views(&t.app.db, NUMBER, 20);
    let answers = ask_at_once(&t, views.iter().copied()).await;
    assert_eq!(count(&answers), BTreeMap::from([(201, 3), (429, 17)]));
    for (_, answer) in answers.iter().filter(|(_, answer)| answer.status == 429) {
        assert_eq!(answer.header("retry-after"), Some("5"));
    }
    // A pair that is pending is told so, full or not.
    let pending = answers.iter().find(|(_, answer)| answer.status == 201).unwrap();
    assert_eq!(t.ann().create_export(ORGANIZATION, pending.0).await.status, 409);
    // Each one that ends makes room for one.
    assert!(t.run_one().await);
    let free = answers.iter().filter(|(_, answer)| answer.status == 429).map(|(view, _)| *view);
    assert_eq!(count(&ask_at_once(&t, free).await), BTreeMap::from([(201, 1), (429, 16)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_is_free_as_soon_as_its_export_has_ended() {
    let t = start(|_| {}).await;
    let first = create(&t).await;
    assert_eq!(t.ann().create_export(ORGANIZATION, VIEW).await.status, 409);
    t.claim_and_die().await;
    assert_eq!(t.ann().create_export(ORGANIZATION, VIEW).await.status, 409);
    t.advance(super::LEASE);
    assert!(t.run_one().await);
    let second = create(&t).await;
    assert_ne!(first, second);
    // Another view was never in the way.
    create_of(&t, save_views(&t.app.db, NUMBER, 1)[0]).await;
}
