//! Exports whose files lie in each kind of store: made, fetched, resumed, forgotten.

use std::time::Duration;

use goalpost::config::Content;
use goalpost_testing::{TestApp, services};

use super::download::{Dice, Download, hex};
use super::proxy::{Fate, Proxy};
use super::s3;
use crate::jobs::{assert_failed, create, insert_goals, row, status};

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);
/// How many downloads are cut, unless `GOALPOST_CUTS` says how many.
const CUTS: usize = 1_000;

/// A server whose files lie there.
async fn server(content: Content) -> TestApp {
    TestApp::start_with(|config| {
        config.content = content;
        config.limits.requests_per_10_secs = 1_000_000;
    })
    .await
}

fn content_of(id: &str) -> String {
    format!("/beta/employeeExperience/goals/exportJobs/{id}/content")
}

/// The keys in the server's store.
async fn keys(t: &TestApp) -> Vec<String> {
    let mut listing = t.app.content.list();
    let page = listing.next_page().await.unwrap();
    page.into_iter().map(|entry| entry.key).collect()
}

macro_rules! on_every_store {
    ($($test:ident),* $(,)?) => {
        on_store!(folder, async { goalpost::config::Content::default() }; $($test),*);
        on_store!(s3, async { crate::store::s3(&goalpost_testing::services::s3().endpoint) }; $($test),*);
        on_store!(azure, crate::store::azure(&goalpost_testing::services::azure()); $($test),*);
    };
}

macro_rules! on_store {
    ($store:ident, $content:expr; $($test:ident),*) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$test(super::server($content.await).await).await;
                }
            )*
        }
    };
}

on_every_store!(
    an_export_is_made_fetched_and_forgotten,
    a_download_under_way_survives_the_end_of_its_export,
    a_zombie_changes_nothing_in_the_store,
    what_nobody_published_is_swept,
    downloads_that_are_cut_anywhere_are_resumed_to_the_same_whole,
);

async fn an_export_is_made_fetched_and_forgotten(t: TestApp) {
    insert_goals(&t, 2_000, 8 * 1024); // more than one part
    let id = create(&t).await;
    assert!(t.run_one().await);
    assert_eq!(status(&t, &id).await.0, "succeeded");
    let whole = t.ann().get_content(&id).await;
    assert_eq!((whole.status, whole.text().lines().count()), (200, 2_001));
    let hash = whole.header("etag").unwrap().trim_matches('"').to_owned();
    assert_eq!(hash, hex(&whole.bytes));
    let part =
        t.ann().send(t.ann().request("GET", &content_of(&id)).header("range", "bytes=9000000-9000009")).await;
    assert_eq!((part.status, &part.bytes[..]), (206, &whole.bytes[9_000_000..9_000_010]));

    t.advance(DAY);
    assert_eq!(t.ann().get_content(&id).await.status, 404);
    t.sweep().await;
    let at_once = t.app.content.outlives_removal();
    assert_eq!(keys(&t).await.is_empty(), at_once);
    t.advance(HOUR);
    t.sweep().await;
    assert_eq!(keys(&t).await, Vec::<String>::new());
    assert_eq!(crate::jobs::Row::find(&t.app.db, &id), None);
}

async fn a_download_under_way_survives_the_end_of_its_export(t: TestApp) {
    // More than the sockets between store, server and client hold.
    insert_goals(&t, 2_000, 16 * 1024);
    let id = create(&t).await;
    assert!(t.run_one().await);
    let hash = t.ann().get_content(&id).await.header("etag").unwrap().trim_matches('"').to_owned();
    let mut download = t.ann().request("GET", &content_of(&id)).send().await.unwrap();
    let mut read = download.chunk().await.unwrap().unwrap().to_vec();

    t.advance(DAY + Duration::from_mins(59));
    t.sweep().await;
    assert_eq!(t.ann().get_content(&id).await.status, 404, "nobody begins any more");
    while let Some(piece) = download.chunk().await.unwrap() {
        read.extend_from_slice(&piece);
    }
    assert_eq!(hex(&read), hash, "{} bytes came", read.len());
}

async fn a_zombie_changes_nothing_in_the_store(t: TestApp) {
    insert_goals(&t, 1_500, 8 * 1024);
    let id = create(&t).await;
    let zombie = t.claim_and_die().await;
    t.advance(crate::jobs::LEASE);
    let owner = t.claim_and_die().await;
    t.finish(zombie.clone()).await.unwrap_err();
    assert_eq!(keys(&t).await, Vec::<String>::new());
    t.finish(owner).await.unwrap();
    let (before, content) = (keys(&t).await, t.ann().get_content(&id).await.bytes);
    t.finish(zombie).await.unwrap_err();
    assert_eq!(keys(&t).await, before);
    assert!(t.ann().get_content(&id).await.bytes == content);
}

async fn what_nobody_published_is_swept(t: TestApp) {
    let published = create(&t).await;
    assert!(t.run_one().await);
    let kept = keys(&t).await;
    let pending = create(&t).await;
    let lease = t.claim_and_die().await;
    let (folder, in_the_making) = goalpost::exports::expiry::content_name(
        lease.job.organization,
        lease.job.id,
        lease.attempt,
        lease.token,
    );
    let nobodys = format!("{}.1.{}.csv", t.app.ids.guid(), t.app.ids.guid().simple());
    for name in [&in_the_making, &nobodys] {
        let mut writer = t.app.content.create(&folder, name).unwrap();
        let writing =
            tokio::task::spawn_blocking(move || writer.write(b"Id,Ti").and_then(|()| writer.finish()));
        writing.await.unwrap().unwrap();
    }
    t.sweep().await;
    let mut expected = [kept.clone(), vec![format!("{folder}/{in_the_making}")]].concat();
    expected.sort();
    let mut left = keys(&t).await;
    left.sort();
    assert_eq!(left, expected);
    t.advance(crate::jobs::LEASE);
    assert!(t.run_one().await);
    t.sweep().await;
    assert_eq!(keys(&t).await.len(), 2, "the attempt that lost goes once its job has ended");
    for id in [&published, &pending] {
        assert_eq!(t.ann().get_content(id).await.status, 200);
    }
}

async fn downloads_that_are_cut_anywhere_are_resumed_to_the_same_whole(t: TestApp) {
    insert_goals(&t, 300, 8 * 1024);
    let id = create(&t).await;
    assert!(t.run_one().await);
    let whole = t.ann().get_content(&id).await;
    let mut dice = Dice(0x5eed);
    let mut cuts = 0;
    let wanted = crate::setting("GOALPOST_CUTS", CUTS);
    while cuts < wanted {
        let mut download = Download::new(t.ann(), &content_of(&id));
        while !download.is_whole() {
            let most = dice.below(whole.bytes.len() / 12) + 1;
            download.go_on(most).await;
            cuts += 1;
        }
        assert_eq!(hex(&download.got), hex(&whole.bytes));
    }
    // Another version is never spliced in.
    let changed = t
        .ann()
        .request("GET", &content_of(&id))
        .header("range", "bytes=100-")
        .header("if-range", "\"other\"");
    let changed = t.ann().send(changed).await;
    assert_eq!((changed.status, changed.header("content-range")), (200, None));
    assert!(changed.bytes == whole.bytes);
}

/// A server with its files on S3, behind a proxy.
async fn server_behind_proxy() -> (Proxy, TestApp) {
    let proxy = Proxy::before(&services::s3().endpoint).await;
    let mut content = s3(&proxy.url);
    content.options.extend(super::options(&[("timeout", "500ms")]));
    let t = server(content).await;
    (proxy, t)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_fails_with_the_store_s_reason_after_its_attempts_and_the_next_one_succeeds() {
    let (proxy, t) = server_behind_proxy().await;
    insert_goals(&t, 1_200, 8 * 1024);
    for (fate, failure) in [
        (Fate::Answer(400, "<Code>XMinioStorageFull</Code>"), "storageFull"),
        (Fate::Answer(403, ""), "storageUnavailable"),
    ] {
        let id = create(&t).await;
        let fate_of_all = fate.clone();
        proxy.decide(move |_| fate_of_all.clone());
        for attempt in 1..=3 {
            assert!(t.run_one().await);
            assert_eq!(row(&t, &id).attempt, attempt);
            t.advance(Duration::from_secs(9));
        }
        proxy.decide(|_| Fate::Pass);
        // It asks for the next one, too.
        assert_failed(&t, &id, failure).await;
        assert!(t.run_one().await);
        t.sweep().await;
        assert_eq!(keys(&t).await.len(), 1, "{failure}");
        t.advance(DAY + HOUR);
        t.sweep().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_refused_for_a_while_if_the_store_is_away_and_cut_if_it_goes_away() {
    let (proxy, t) = server_behind_proxy().await;
    insert_goals(&t, 300, 8 * 1024);
    let id = create(&t).await;
    assert!(t.run_one().await);
    let whole = t.ann().get_content(&id).await;

    let begun = proxy.seen();
    proxy.decide(
        move |asked| if asked.number == begun { Fate::Cut(1_000_000) } else { Fate::Answer(403, "") },
    );
    let cut = t.ann().try_send(t.ann().request("GET", &content_of(&id))).await;
    assert!(cut.is_err(), "a body that looks whole: {} bytes", cut.unwrap().bytes.len());

    proxy.decide(|_| Fate::Answer(403, ""));
    let refused = t.ann().get_content(&id).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("2")), "{}", refused.text());
    assert_eq!(refused.error().0, "serviceUnavailable");

    proxy.decide(|_| Fate::Pass);
    assert!(t.ann().get_content(&id).await.bytes == whole.bytes);
    proxy.stop();
    assert_eq!(t.ann().get_content(&id).await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_vanished_or_shrank_is_never_sent() {
    let t = server(s3(&services::s3().endpoint)).await;
    insert_goals(&t, 300, 8 * 1024);
    let id = create(&t).await;
    assert!(t.run_one().await);
    let key = keys(&t).await.remove(0);
    t.app.content.remove(&key).await.unwrap();
    assert_eq!(t.ann().get_content(&id).await.status, 500);
    let (folder, name) = key.split_once('/').unwrap();
    let mut writer = t.app.content.create(folder, name).unwrap();
    let writing = tokio::task::spawn_blocking(move || writer.write(b"Id,Ti").and_then(|()| writer.finish()));
    writing.await.unwrap().unwrap();
    let shorter = t.ann().get_content(&id).await;
    assert!(shorter.status >= 500, "{}", shorter.text());
}
