//! Contents as objects of S3, Azure Blob Storage or Google Cloud Storage.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::azure::{MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{BackoffConfig, GetOptions, GetRange, ObjectMeta, ObjectStore};
use object_store::{ObjectStoreExt as _, PutMode, PutPayload, RetryConfig};

use super::upload::{self, Reservation};
use super::{Entry, Error, ErrorKind, PAGE, Reading, Result};
use crate::config::Content;
use crate::config::content::{Bucket, Key, Service, client_defaults};

/// No request is begun again later than this after its first try; what is longer is for the job's own attempts.
const RETRY_FOR: Duration = Duration::from_secs(10);

/// A bucket, or the part of it under a prefix.
pub(super) struct Remote {
    objects: Arc<dyn ObjectStore>,
    uploads: Arc<dyn MultipartStore>,
    prefix: Path,
    url: String,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.url).finish()
    }
}

impl Remote {
    /// The client of a bucket; no request is made.
    pub(super) fn open(bucket: &Bucket, content: &Content) -> Result<Self> {
        let mut settings = client_defaults(bucket.service);
        let given = content.client_settings(bucket.service);
        settings.extend(given.map_err(|problems| Error::other(&problems.join("; ")))?);
        let url = match bucket.prefix.as_str() {
            "" => format!("{}://{}", bucket.service.scheme(), bucket.name),
            prefix => format!("{}://{}/{prefix}", bucket.service.scheme(), bucket.name),
        };
        let (objects, uploads) = client(bucket, settings).map_err(|error| Error::from(error).at(&url))?;
        Ok(Self { objects, uploads, prefix: Path::from(bucket.prefix.as_str()), url })
    }

    pub(super) fn over(objects: Arc<dyn ObjectStore>, uploads: Arc<dyn MultipartStore>) -> Self {
        let url = objects.to_string();
        Self { objects, uploads, prefix: Path::default(), url }
    }

    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    pub(super) fn uploads(&self) -> &dyn MultipartStore {
        &*self.uploads
    }

    /// Where the object of a key is.
    pub(super) fn path(&self, key: &str) -> Path {
        self.prefix.parts().chain(Path::from(key).parts()).collect()
    }

    pub(super) fn create(self: &Arc<Self>, key: &str) -> upload::Writer {
        upload::Writer::new(Arc::clone(self), key.to_owned())
    }

    /// Put a small object, unless there is one of this name.
    pub(super) async fn put_new(&self, path: &Path, bytes: Bytes) -> Result<()> {
        self.objects.put_opts(path, PutPayload::from(bytes), PutMode::Create.into()).await?;
        Ok(())
    }

    pub(super) async fn read(&self, key: &str, range: Range<u64>) -> Result<Reading> {
        let path = self.path(key);
        if range.is_empty() {
            let size_bytes = self.objects.head(&path).await?.size;
            return Ok(Reading { size_bytes, bytes: stream::empty().boxed() });
        }
        let first = get(&*self.objects, &path, range.clone(), None).await?;
        let (size_bytes, etag) = (first.meta.size, first.meta.e_tag.clone());
        let rest = Rest {
            objects: Arc::clone(&self.objects),
            path,
            etag,
            range,
            bytes: first.into_stream(),
            has_moved: false,
        };
        let bytes = stream::try_unfold(rest, |mut rest| async move {
            let piece = rest.next_piece().await.map_err(std::io::Error::other)?;
            Ok(piece.map(|piece| (piece, rest)))
        });
        Ok(Reading { size_bytes, bytes: bytes.boxed() })
    }

    pub(super) async fn remove(&self, key: &str) -> Result<()> {
        self.remove_at(&self.path(key)).await
    }

    pub(super) async fn remove_at(&self, path: &Path) -> Result<()> {
        match self.objects.delete(path).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Remove an object; if it only reserves a name for an upload, end that first.
    pub(super) async fn discard(&self, left: &Entry) -> Result<()> {
        let path = self.path(&left.key);
        if left.size_bytes <= Reservation::LONGEST {
            let bytes = match self.objects.get(&path).await {
                Err(object_store::Error::NotFound { .. }) => return Ok(()),
                got => got?.bytes().await?,
            };
            if let Some(reservation) = Reservation::read(&bytes) {
                match self.uploads.abort_multipart(&path, &reservation.upload).await {
                    Err(object_store::Error::NotFound { .. }) | Ok(()) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        self.remove(&left.key).await
    }

    pub(super) fn list(&self) -> Pages {
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        Pages { objects: self.objects.list(prefix).fuse().boxed(), prefix: self.prefix.clone() }
    }
}

type Client = (Arc<dyn ObjectStore>, Arc<dyn MultipartStore>);

/// The client of a bucket, seen from two sides.
fn client(bucket: &Bucket, settings: Vec<(Key, String)>) -> object_store::Result<Client> {
    let backoff = BackoffConfig { max_backoff: Duration::from_secs(1), ..BackoffConfig::default() };
    let retry = RetryConfig { backoff, retry_timeout: RETRY_FOR, ..RetryConfig::default() };
    Ok(match bucket.service {
        Service::S3 => {
            let mut builder = AmazonS3Builder::new().with_bucket_name(&bucket.name).with_retry(retry);
            for (key, value) in settings {
                if let Key::S3(key) = key {
                    builder = builder.with_config(key, value);
                }
            }
            let client = Arc::new(builder.build()?);
            (Arc::<AmazonS3>::clone(&client), client)
        }
        Service::Azure => {
            let mut builder =
                MicrosoftAzureBuilder::new().with_container_name(&bucket.name).with_retry(retry);
            for (key, value) in settings {
                if let Key::Azure(key) = key {
                    builder = builder.with_config(key, value);
                }
            }
            let client = Arc::new(builder.build()?);
            (Arc::<MicrosoftAzure>::clone(&client), client)
        }
        Service::Google => {
            let mut builder =
                GoogleCloudStorageBuilder::new().with_bucket_name(&bucket.name).with_retry(retry);
            for (key, value) in settings {
                if let Key::Google(key) = key {
                    builder = builder.with_config(key, value);
                }
            }
            let client = Arc::new(builder.build()?);
            (Arc::<GoogleCloudStorage>::clone(&client), client)
        }
    })
}

async fn get(
    objects: &dyn ObjectStore,
    path: &Path,
    range: Range<u64>,
    etag: Option<&str>,
) -> Result<object_store::GetResult> {
    let options = GetOptions::new().with_range(Some(GetRange::Bounded(range)));
    Ok(objects.get_opts(path, options.with_if_match(etag.map(str::to_owned))).await?)
}

/// What of a range is still to come. A slow reader outlives the time of one request: then the next one goes on where
/// it ended, as long as each brings something.
struct Rest {
    objects: Arc<dyn ObjectStore>,
    path: Path,
    etag: Option<String>,
    range: Range<u64>,
    bytes: BoxStream<'static, object_store::Result<Bytes>>,
    has_moved: bool,
}

impl Rest {
    async fn next_piece(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.range.is_empty() {
                return Ok(None);
            }
            let end = match self.bytes.next().await {
                Some(Ok(piece)) if piece.is_empty() => continue,
                Some(Ok(piece)) if piece.len() as u64 <= self.range.end - self.range.start => {
                    self.range.start += piece.len() as u64;
                    self.has_moved = true;
                    return Ok(Some(piece));
                }
                Some(Ok(_)) => return Err(Error::other("the store sent more than was asked for")),
                Some(Err(error)) => error.into(),
                None => Error::new(ErrorKind::Unreachable, "the store sent less than was asked for"),
            };
            if !std::mem::take(&mut self.has_moved) {
                return Err(end);
            }
            let next = get(&*self.objects, &self.path, self.range.clone(), self.etag.as_deref()).await?;
            self.bytes = next.into_stream();
        }
    }
}

/// A walk through the objects.
pub(super) struct Pages {
    objects: BoxStream<'static, object_store::Result<ObjectMeta>>,
    prefix: Path,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Pages {
    pub(super) async fn next_page(&mut self) -> Result<Vec<Entry>> {
        let mut page = Vec::new();
        while page.len() < PAGE {
            let Some(object) = self.objects.try_next().await? else { break };
            let Some(rest) = object.location.prefix_match(&self.prefix) else { continue };
            let parts: Vec<_> = rest.map(|part| part.as_ref().to_owned()).collect();
            page.push(Entry {
                key: parts.join("/"),
                size_bytes: object.size,
                modified_at: object.last_modified.timestamp_micros(),
            });
        }
        Ok(page)
    }
}
