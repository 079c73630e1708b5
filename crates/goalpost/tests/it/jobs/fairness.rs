//! Organizations get their turns: one that asks for much holds up no other, and keeps no more than it may.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use goalpost::exports::ExportId;
use goalpost::ids::OrganizationNumber;
use goalpost::jobs::runner::Runner;
use goalpost::jobs::{Figures, Lease, Step, StepError, queries};
use goalpost::stop::Stop;
use goalpost_testing::{OTHER_ORGANIZATION, TestApp};

use super::{LEASE, create_of, files, save_views, status};

/// The number of the other organization.
const OTHER: OrganizationNumber = OrganizationNumber(15_230);
const MANY: u128 = 60;

/// A server that takes many exports at once.
async fn start(change: impl FnOnce(&mut goalpost::config::Exports)) -> TestApp {
    TestApp::start_with(|config| {
        config.limits.creates_per_10_secs = 10_000;
        change(&mut config.exports);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn r25_an_organization_with_many_exports_lets_another_have_its_turn() {
    let t = start(|_| {}).await;
    for view in save_views(&t.app.db, super::NUMBER, MANY) {
        create_of(&t, view).await;
    }
    // Workers look for jobs before the other organization asks.
    assert!(t.run_one().await);
    let other = save_views(&t.app.db, OTHER, 1)[0];
    let late = t.client("cleo@lark.example").create_export(OTHER_ORGANIZATION, other).await;
    assert_eq!(late.status, 201, "{}", late.text());
    for _ in 0..3 {
        assert!(t.run_one().await);
    }
    let seen = t.client("cleo@lark.example").get_export(&late.id()).await;
    assert_eq!(super::told(&seen).0, "succeeded", "after the next three of more than fifty jobs");
    let mut rest = 0;
    while t.run_one().await {
        rest += 1;
    }
    assert_eq!(rest, MANY - 3, "and nobody loses a turn");
}

/// A step that never ends, and tells whose jobs it was given.
struct Busy(tokio::sync::mpsc::UnboundedSender<OrganizationNumber>);

impl Step for Busy {
    fn run(&self, lease: Lease) -> Pin<Box<dyn Future<Output = Result<(), StepError>> + Send + '_>> {
        self.0.send(lease.job.organization).expect("the test listens");
        Box::pin(std::future::pending())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r25_of_few_places_none_has_two_while_another_waits() {
    for (places, of_many) in [(2, 1), (3, 2)] {
        let t = start(|_| {}).await;
        for view in save_views(&t.app.db, super::NUMBER, 5) {
            create_of(&t, view).await;
        }
        let other = save_views(&t.app.db, OTHER, 1)[0];
        t.client("cleo@lark.example").create_export(OTHER_ORGANIZATION, other).await;
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let (db, figures, step) = (t.app.db.clone(), t.app.figures(), Arc::new(Busy(begun)));
        let (wake, metrics) = (Arc::clone(&t.app.wake), Arc::clone(&t.app.metrics));
        let runner = Runner::new(db, t.app.ids, figures, places, step, wake, metrics);
        let running = tokio::spawn(runner.run(Stop::default()));
        let mut running_of = HashMap::new();
        for _ in 0..places {
            *running_of.entry(begins.recv().await.expect("a job begins")).or_insert(0) += 1;
        }
        running.abort();
        assert_eq!(running_of, HashMap::from([(super::NUMBER, of_many), (OTHER, 1)]), "of {places}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_runs_so_many_exports_at_once_and_not_one_more() {
    let t = start(|exports| exports.max_running_per_organization = Some(1)).await;
    let views = save_views(&t.app.db, super::NUMBER, 2);
    let first = create_of(&t, views[0]).await;
    let second = create_of(&t, views[1]).await;
    let held = t.claim_and_die().await;
    assert!(!t.run_one().await, "the one place is taken");
    let other = save_views(&t.app.db, OTHER, 1)[0];
    let late = t.client("cleo@lark.example").create_export(OTHER_ORGANIZATION, other).await;
    assert!(t.run_one().await, "that of another organization is free");
    assert_eq!(super::told(&t.client("cleo@lark.example").get_export(&late.id()).await).0, "succeeded");
    // A dead worker's place is free again when its lease has lapsed.
    t.advance(LEASE);
    assert!(t.run_one().await && t.run_one().await);
    drop(held);
    for id in [first, second] {
        assert_eq!(status(&t, &id).await.0, "succeeded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_takes_the_oldest_for_its_free_places_and_one_where_they_are_bounded() {
    let t = start(|_| {}).await;
    let mut made = Vec::new();
    for view in save_views(&t.app.db, super::NUMBER, 5) {
        made.push(ExportId::parse(&create_of(&t, view).await).unwrap().job);
        t.advance(Duration::from_millis(1));
    }
    let claim = async |most: usize, figures: Figures| {
        let claimed = t.app.db.write(super::NUMBER, move |tx| {
            let leases = queries::claim(tx, &[(super::NUMBER, [7; 16])], most, &figures)?;
            Ok::<_, goalpost_db::Error>(leases.into_iter().map(|lease| lease.job.id).collect::<Vec<_>>())
        });
        let mut claimed = claimed.await.unwrap();
        claimed.sort_unstable();
        claimed
    };
    let free = t.app.figures();
    assert_eq!(claim(2, free).await, made[..2]);
    let bounded = |most| Figures { max_running_per_organization: most, ..free };
    assert_eq!(claim(2, bounded(2)).await, made[..0], "two are running");
    assert_eq!(claim(2, bounded(4)).await, made[2..3]);
    assert_eq!(claim(9, free).await, made[3..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r21_an_organization_keeps_so_many_exports_and_the_oldest_make_room() {
    let t = start(|exports| exports.max_kept = 2).await;
    let mut made = Vec::new();
    for view in save_views(&t.app.db, super::NUMBER, 4) {
        made.push(create_of(&t, view).await);
        assert!(t.run_one().await);
        t.advance(Duration::from_secs(1));
    }
    t.sweep().await;
    let mut kept = Vec::new();
    for id in &made {
        kept.push(t.ann().get_content(id).await.status);
    }
    assert_eq!(kept, [404, 404, 200, 200]);
    assert_eq!(files(&t).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn r21_an_organization_keeps_so_many_bytes_and_always_the_newest_export() {
    let t = start(|exports| exports.max_kept_bytes = 1).await;
    let mut made = Vec::new();
    for view in save_views(&t.app.db, super::NUMBER, 3) {
        made.push(create_of(&t, view).await);
        assert!(t.run_one().await);
        t.advance(Duration::from_secs(1));
    }
    t.sweep().await;
    assert_eq!(t.ann().get_content(&made[1]).await.status, 404);
    assert_eq!(t.ann().get_content(&made[2]).await.status, 200);
    assert_eq!(files(&t).len(), 1);
}
