//! Exports that begin at the same time, each of which is its own whatever becomes of the others.

use std::time::Duration;

use goalpost::ids::OrganizationNumber;
use goalpost_testing::{ORGANIZATION, OTHER_ORGANIZATION, TestApp};

use super::{eventually, save_views};

/// The number of the other organization.
const OTHER: OrganizationNumber = OrganizationNumber(15_230);
const EACH: u128 = 12;
const SOON: Duration = Duration::from_secs(30);

/// Goals of an organization, with a title that names it, and each with a description of so many letters.
fn insert_goals(t: &TestApp, organization: OrganizationNumber, number: i64, letters: usize) {
    if number == 0 {
        return;
    }
    let (title, description) = (format!("Of {}", organization.0), "d".repeat(letters));
    let insert = |tx: &goalpost_db::Tx<'_>| {
        tx.execute(
            "insert into goal (organization, id, revision, origin, object_type, type_label, status, checkin_count,
                               restricted, goal_type, outcome_type, phased, progress, title, title_fold, description)
             with recursive number (n) as (select 1 union all select n + 1 from number where n < ?2)
             select ?1, n, 1, 'file', 'objective', 'Objective', 'On Track', 0, ?3, '', '', ?3, 0, ?4, ?4, ?5
               from number",
            goalpost_db::params![organization, number, false, &title, &description],
        )
    };
    t.app.db.write_alone(organization, SOON, insert).unwrap();
}

/// Let all exports of both organizations begin at once, and see what each holds; of the first one's goals each has a
/// description of so many bytes.
async fn all_at_once(t: &TestApp, goals: [i64; 2], letters: usize, fails: Option<usize>) {
    let mut asked = Vec::new();
    for (place, (guid, number, email)) in
        [(ORGANIZATION, super::NUMBER, "ann@wren.example"), (OTHER_ORGANIZATION, OTHER, "cleo@lark.example")]
            .into_iter()
            .enumerate()
    {
        insert_goals(t, number, goals[place], if place == 0 { letters } else { 0 });
        for view in save_views(&t.app.db, number, EACH) {
            let client = t.client(email);
            let made = client.create_export(guid, view).await;
            assert_eq!(made.status, 201, "{}", made.text());
            asked.push((client, made.id(), number, goals[place]));
        }
    }
    t.start_working();
    for (place, (client, id, number, goals)) in asked.iter().enumerate() {
        let ended = eventually(SOON, "the export ends", async || {
            let status = super::told(&client.get_export(id).await).0;
            (status == "succeeded" || status == "failed").then_some(status)
        });
        // Both organizations have views of the same ids.
        if fails == Some(place % EACH as usize) {
            assert_eq!(ended.await, "failed");
            continue;
        }
        assert_eq!(ended.await, "succeeded");
        let text = client.get_content(id).await.text();
        let mut rows = text.lines();
        rows.next().expect("a header");
        let (own, others): (Vec<_>, Vec<_>) = rows.partition(|row| row.contains(&format!("Of {}", number.0)));
        assert_eq!((own.len() as i64, others.len()), (*goals, 0));
    }
}

/// A server with as many places as there are exports.
async fn start(change: impl FnOnce(&mut goalpost::config::Config)) -> TestApp {
    TestApp::start_with(|config| {
        config.exports.max_running = 16;
        config.limits.creates_per_10_secs = 10_000;
        change(config);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_holds_the_goals_of_its_own_organization() {
    all_at_once(&start(|_| {}).await, [3, 5], 0, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_of_an_organization_without_goals_hold_none() {
    all_at_once(&start(|_| {}).await, [0, 4], 0, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_ones_are_made_beside_small_ones() {
    all_at_once(&start(|_| {}).await, [300, 5], 0, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_outgrows_memory_is_made_alone() {
    all_at_once(&start(|_| {}).await, [40, 5], 3_000, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_leaves_the_others_alone() {
    // The names of views that `save_views` gives.
    let fails = uuid::Uuid::from_u128(0x7777_0000_0000_4000_8000_0000_0000_0003);
    let t = start(|config| config.sandbox.fail_views = [fails].into()).await;
    all_at_once(&t, [3, 5], 0, Some(3)).await;
}
