//! What becomes of contents when the way to an object store, or the store, fails.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use goalpost_testing::services;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer as _};

use super::proxy::{Asked, Fate, Proxy};
use super::{ErrorKind, Shelf, name, noise, options, s3};
use crate::jobs::eventually;

const MIB: usize = 1024 * 1024;

/// A shelf of S3 behind a proxy whose client waits no longer than so many milliseconds.
async fn behind_proxy(patience: &str) -> (Proxy, Shelf) {
    let proxy = Proxy::before(&services::s3().endpoint).await;
    let mut content = s3(&proxy.url);
    content.options.extend(options(&[("timeout", patience)]));
    (proxy, Shelf::of(content))
}

fn is_part(asked: &Asked) -> bool {
    asked.uri.query().is_some_and(|query| query.contains("partNumber="))
}

fn completes(asked: &Asked) -> bool {
    asked.method == "POST" && asked.uri.query().is_some_and(|query| query.contains("uploadId="))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_for_a_moment_is_asked_again() {
    let (proxy, shelf) = behind_proxy("5s").await;
    for size in [10, 12 * MIB] {
        let failures = AtomicUsize::new(2);
        proxy.decide(move |_| {
            let left = failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if left.is_ok() { Fate::Answer(503, "") } else { Fate::Pass }
        });
        let stored = shelf.write("15229", &name(), &noise(size)).await.unwrap();
        assert!(shelf.read(&stored.key, 0..size as u64).await.unwrap() == noise(size));
        shelf.store.remove(&stored.key).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_an_upload_may_fail_and_nothing_is_left() {
    const NO_ROOM: &str = "<Error><Code>XMinioStorageFull</Code></Error>";
    let (proxy, shelf) = behind_proxy("20s").await;
    let bytes = noise(20 * MIB);
    let before = proxy.seen();
    let key = shelf.write("15229", &name(), &bytes).await.unwrap().key;
    let requests = proxy.seen() - before;
    assert_eq!(requests, 6, "begin, reserve, three parts, complete");
    shelf.store.remove(&key).await.unwrap();
    for (fate, kind) in [
        (Fate::Answer(400, NO_ROOM), ErrorKind::Full),
        (Fate::Answer(403, "<Error><Code>AccessDenied</Code></Error>"), ErrorKind::Forbidden),
        (Fate::Answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>"), ErrorKind::Unauthenticated),
        (Fate::Answer(400, "nonsense"), ErrorKind::Other),
        (Fate::PassAndAnswer(400, "nonsense"), ErrorKind::Other),
    ] {
        // An upload of whose beginning nobody heard stays, empty, until the bucket's own rules end it.
        let unheard = matches!(fate, Fate::PassAndAnswer(..));
        for number in usize::from(unheard)..requests {
            let (seen, fate_of_one) = (AtomicUsize::new(0), fate.clone());
            proxy.decide(move |asked| {
                let writes = asked.method == "PUT" || asked.method == "POST";
                let is_the_one = writes && seen.fetch_add(1, Ordering::SeqCst) == number;
                if is_the_one { fate_of_one.clone() } else { Fate::Pass }
            });
            let Err(failed) = shelf.write("15229", &name(), &bytes).await else {
                panic!("request {number}, {fate:?}: it went well");
            };
            assert_eq!(failed.kind(), kind, "request {number}, {fate:?}: {failed}");
            if unheard && number == 1 {
                // The store has reserved a name, and we were not told: the sweep finds it.
                for left in shelf.list().await {
                    shelf.store.discard(&left).await.unwrap();
                }
            }
            shelf.until_empty().await;
            until_no_upload(&shelf, &format!("request {number}, {fate:?}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_not_answer_is_given_up_in_time() {
    let (proxy, shelf) = behind_proxy("300ms").await;
    proxy.decide(|asked| if is_part(asked) { Fate::Hang } else { Fate::Pass });
    let begun = std::time::Instant::now();
    let failed = shelf.write("15229", &name(), &noise(20 * MIB)).await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Unreachable, "{failed}");
    // Ten seconds of trying again, and the rest is a slow machine.
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    shelf.until_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_room_says_so() {
    let (proxy, shelf) = behind_proxy("5s").await;
    proxy.decide(|_| Fate::Answer(507, ""));
    let failed = shelf.write("15229", &name(), b"Id,Title\r\n").await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Full, "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_completed_unheard_is_an_error_and_leaves_nothing() {
    let (proxy, shelf) = behind_proxy("5s").await;
    proxy.decide(|asked| if completes(asked) { Fate::PassAndAnswer(400, "") } else { Fate::Pass });
    shelf.write("15229", &name(), &noise(9 * MIB)).await.unwrap_err();
    shelf.until_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_goes_on_where_the_connection_broke() {
    let (proxy, shelf) = behind_proxy("5s").await;
    let bytes = noise(3 * MIB);
    let key = shelf.write("15229", &name(), &bytes).await.unwrap().key;
    proxy.decide(|_| Fate::Cut(250_001));
    assert!(shelf.read(&key, 0..3 * MIB as u64).await.unwrap() == bytes);
    assert!(shelf.read(&key, 5..600_000).await.unwrap() == bytes[5..600_000]);
    proxy.decide(|_| Fate::Cut(0));
    assert!(shelf.read(&key, 0..3 * MIB as u64).await.is_err(), "a store that sends nothing is given up");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_was_sending_is_ended_with_what_it_left() {
    let shelf = Shelf::s3();
    // A process of its own, as far as the store can tell: its runtime ends while parts are on their way.
    let dying = tokio::runtime::Runtime::new().unwrap();
    let mut writer = {
        let _entered = dying.enter();
        shelf.store.create("15229", &name()).unwrap()
    };
    let writing = tokio::task::spawn_blocking(move || writer.write(&noise(20 * MIB)).map(|()| writer));
    let mut writer = writing.await.unwrap().unwrap();
    eventually(Duration::from_secs(20), "the reservation", async || {
        (shelf.keys().await.len() == 1).then_some(())
    })
    .await;
    dying.shutdown_background();
    let writing = tokio::task::spawn_blocking(move || {
        writer.write(&noise(20 * MIB)).and_then(|()| writer.finish()).unwrap_err()
    });
    writing.await.unwrap();
    let left = shelf.list().await;
    assert_eq!(left.len(), 1, "the name stays reserved: {left:?}");
    assert!(left[0].size_bytes < 1_000);
    assert_eq!(uploads(&shelf).await, 1);
    shelf.store.discard(&left[0]).await.unwrap();
    assert_eq!(shelf.keys().await, Vec::<String>::new());
    assert_eq!(uploads(&shelf).await, 0);
}

/// Wait until no upload is under way: what a failed one leaves is ended in the background.
async fn until_no_upload(shelf: &Shelf, after: &str) {
    let none = async || (uploads(shelf).await == 0).then_some(());
    eventually(Duration::from_secs(20), &format!("the end of all uploads after {after}"), none).await;
}

/// Uploads that have begun and not ended, of which no listing of objects tells.
async fn uploads(shelf: &Shelf) -> usize {
    let url = shelf.config.content.url.clone().unwrap();
    let (bucket, prefix) = url.strip_prefix("s3://").unwrap().split_once('/').unwrap();
    let client = AmazonS3Builder::new()
        .with_endpoint(services::s3().endpoint)
        .with_allow_http(true)
        .with_bucket_name(bucket)
        .with_access_key_id(services::s3().key)
        .with_secret_access_key(services::s3().secret)
        .build()
        .unwrap();
    let query = SignedUrlOptions::new().with_query([("uploads", ""), ("prefix", prefix)]);
    let url =
        client.signed_url_opts(reqwest::Method::GET, &Path::default(), Duration::from_mins(1), &query).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let listed = http.get(url.unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(listed.contains("ListMultipartUploadsResult"), "{listed}");
    listed.matches("<Upload>").count()
}
