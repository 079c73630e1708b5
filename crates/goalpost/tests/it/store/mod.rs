//! Where contents lie: the same promises on a folder, on S3 and on Azure.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod azurite;
mod conformance;
pub(crate) mod download;
mod exports;
pub(crate) mod proxy;
mod start;
mod trouble;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use goalpost::config::{Config, Content};
use goalpost::store::{ContentStore, Entry, Error, ErrorKind, Result, Stored};
use goalpost_testing::services;
use tempfile::TempDir;

use crate::jobs::eventually;

/// A part of a store that no other test uses.
struct Shelf {
    config: Config,
    store: ContentStore,
    _data: TempDir,
}

impl Shelf {
    fn of(content: Content) -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = Config { data: data.path().to_owned(), content, ..Config::default() };
        assert_eq!(config.validate(), Vec::<String>::new());
        let store = ContentStore::open(&config).unwrap();
        Self { config, store, _data: data }
    }

    fn folder() -> Self {
        Self::of(Content::default())
    }

    fn s3() -> Self {
        Self::of(s3(&services::s3().endpoint))
    }

    async fn azure() -> Self {
        Self::of(azure(&services::azure()).await)
    }

    /// Write a content on a thread that may block, in pieces of any size.
    async fn write(&self, folder: &str, name: &str, bytes: &[u8]) -> Result<Stored> {
        let mut writer = self.store.create(folder, name)?;
        let bytes = bytes.to_vec();
        let writing = tokio::task::spawn_blocking(move || {
            for piece in bytes.chunks(250_000) {
                writer.write(piece)?;
            }
            writer.finish()
        });
        writing.await.unwrap()
    }

    async fn read(&self, key: &str, range: std::ops::Range<u64>) -> Result<Vec<u8>> {
        let reading = self.store.read(key, range).await?;
        let pieces: Vec<_> = reading.bytes.try_collect().await.map_err(Error::from)?;
        Ok(pieces.concat())
    }

    /// Everything that is listed, by key.
    async fn list(&self) -> Vec<Entry> {
        let mut listing = self.store.list();
        let mut all = Vec::new();
        loop {
            let page = listing.next_page().await.unwrap();
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
        all.sort_by(|one, other| one.key.cmp(&other.key));
        all
    }

    async fn keys(&self) -> Vec<String> {
        self.list().await.into_iter().map(|entry| entry.key).collect()
    }

    /// Wait until nothing is listed any more: what a dropped writer leaves is removed in the background.
    async fn until_empty(&self) {
        let empty = async || self.keys().await.is_empty().then_some(());
        eventually(Duration::from_secs(20), "the end of everything", empty).await;
    }
}

/// A new prefix of the bucket of tests, at this endpoint.
pub(crate) fn s3(endpoint: &str) -> Content {
    let services::S3 { bucket, key, secret, .. } = services::s3();
    let secrets = [("AWS_ACCESS_KEY_ID", key), ("AWS_SECRET_ACCESS_KEY", secret)];
    Content {
        url: Some(format!("s3://{bucket}/it/{}", name())),
        options: options(&[("endpoint", endpoint), ("allow_http", "true")]),
        variables: secrets.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
        ..Content::default()
    }
}

/// A new container.
async fn azure(endpoint: &str) -> Content {
    let container = format!("it-{}", name());
    azurite::make_container(endpoint, &container).await;
    let secrets = [
        ("AZURE_STORAGE_ACCOUNT_NAME", azurite::ACCOUNT.to_owned()),
        ("AZURE_STORAGE_ACCOUNT_KEY", azurite::KEY.to_owned()),
    ];
    Content {
        url: Some(format!("az://{container}/some/prefix")),
        options: options(&[("endpoint", endpoint), ("allow_http", "true")]),
        variables: secrets.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
        ..Content::default()
    }
}

fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, toml::Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
}

/// Bytes that repeat nowhere in sight; the same for the same length.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(length).collect()
}

/// A name that no other test has.
fn name() -> String {
    goalpost::ids::Ids.guid().to_string()
}
