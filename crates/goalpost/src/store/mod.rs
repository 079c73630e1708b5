//! Where the bytes of exports lie: a folder, or a bucket of an object store; which, its URL says.
//!
//! ```text
//! create ── write … ── finish ──▶ durable ── a row points to it ──▶ read … ──▶ remove
//!    └───────── dropped ──▶ nothing stays        (a row never points to it: list, discard)
//! ```
//! A content is written once, under a name that no other attempt has, and nothing is ever overwritten: the second
//! writer of a name is refused. It counts only once a row points to it; what no row points to is swept.
//! Read in this order: `folder` (plain files), `remote` and `upload` (objects), `probe` (what a store must be
//! able to do, tried at the start), `error` (how it fails).

mod error;
mod folder;
mod probe;
mod remote;
mod upload;

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use object_store::ObjectStore;
use object_store::multipart::MultipartStore;

use crate::config::Config;
use crate::config::content::Location;

pub use error::{Error, ErrorKind, Result};
pub use probe::{Unusable, is_probe};

/// The place of all contents; cheap to clone.
#[derive(Clone, Debug)]
pub struct ContentStore(Place);

#[derive(Clone, Debug)]
enum Place {
    Folder(folder::Folder),
    Remote(Arc<remote::Remote>),
}

/// Content that is whole and durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name in the store.
    pub key: String,
    /// Its length.
    pub size_bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

/// A content, or what was left of one, as the store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the store.
    pub key: String,
    /// Its length.
    pub size_bytes: u64,
    /// When it was last written, by the store's clock: microseconds since 1970.
    pub modified_at: i64,
}

/// A part of a content on its way to a reader.
pub struct Reading {
    /// The length of the whole content.
    pub size_bytes: u64,
    /// The bytes of the range: all of them, or an error.
    pub bytes: Bytestream,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

/// Bytes as they come.
pub type Bytestream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

impl ContentStore {
    /// The store that the settings name. A folder is made if it is not there; an object store is not asked yet.
    ///
    /// # Errors
    /// A folder that cannot be made, settings that the store's client does not take.
    pub fn open(config: &Config) -> Result<Self> {
        let location = config.content.location(&config.data).map_err(|problem| Error::other(&problem))?;
        Ok(Self(match location {
            Location::Folder(path) => Place::Folder(folder::Folder::open(path)?),
            Location::Bucket(bucket) => {
                Place::Remote(Arc::new(remote::Remote::open(&bucket, &config.content)?))
            }
        }))
    }

    /// A store over these objects, seen from two sides. For tests that bring an object store of their own.
    pub fn over(objects: Arc<dyn ObjectStore>, uploads: Arc<dyn MultipartStore>) -> Self {
        Self(Place::Remote(Arc::new(remote::Remote::over(objects, uploads))))
    }

    /// Begin a new content. `folder` and `name` are ours, never a client's. Must be called inside the runtime.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] if the name was used before; an object store says so when the content is
    /// [finished](Writer::finish), or once a part of it is sent.
    pub fn create(&self, folder: &str, name: &str) -> Result<Writer> {
        Ok(Writer(match &self.0 {
            Place::Folder(files) => Pen::Folder(files.create(folder, name)?),
            Place::Remote(remote) => Pen::Remote(remote.create(&format!("{folder}/{name}"))),
        }))
    }

    /// Read a range of a content, whose first bytes are on their way when this returns. A file that is open stays
    /// readable when it is removed; an object that is removed breaks the reading off.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none of this name. A range that goes beyond the end.
    pub async fn read(&self, key: &str, range: Range<u64>) -> Result<Reading> {
        match &self.0 {
            Place::Folder(files) => files.read(key, range),
            Place::Remote(remote) => remote.read(key, range).await,
        }
    }

    /// Remove a content; fine if it is gone already.
    pub async fn remove(&self, key: &str) -> Result<()> {
        match &self.0 {
            Place::Folder(files) => files.remove(key).await,
            Place::Remote(remote) => remote.remove(key).await,
        }
    }

    /// Remove what an attempt left that nobody will finish any more, and with it what the store keeps of an upload
    /// that was broken off.
    pub async fn discard(&self, left: &Entry) -> Result<()> {
        match &self.0 {
            Place::Folder(files) => files.remove(&left.key).await,
            Place::Remote(remote) => remote.discard(left).await,
        }
    }

    /// Everything in the store, finished or not, page by page.
    pub fn list(&self) -> Listing {
        Listing(match &self.0 {
            Place::Folder(files) => Pages::Folder(Some(files.list())),
            Place::Remote(remote) => Pages::Remote(remote.list()),
        })
    }

    /// Whether a content can be read to its end after it was removed, if reading has begun.
    pub fn outlives_removal(&self) -> bool {
        matches!(self.0, Place::Folder(_))
    }

    /// Whether contents can be found here now: the folder is readable, or the store answers.
    pub async fn check(&self) -> Result<()> {
        match &self.0 {
            Place::Folder(files) => files.check().await,
            // What nobody has written is not there: that is an answer.
            Place::Remote(remote) => match remote.read("0/check", 0..1).await {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        }
    }

    /// Try everything that exports need of the store, in a few seconds: write, refuse a second write, read a part,
    /// remove. `name` must be new.
    pub async fn probe(&self, name: &str) -> std::result::Result<(), Unusable> {
        probe::probe(self, name).await
    }

    /// Where it is, as people write it.
    fn url(&self) -> String {
        match &self.0 {
            Place::Folder(files) => files.url(),
            Place::Remote(remote) => remote.url(),
        }
    }
}

/// A content in the making; nothing stays of it if it is dropped unfinished. Its methods block, so they are for
/// threads of their own.
#[derive(Debug)]
pub struct Writer(Pen);

#[derive(Debug)]
enum Pen {
    Folder(folder::Writer),
    Remote(upload::Writer),
}

impl Writer {
    /// Append bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.0 {
            Pen::Folder(writer) => writer.write(bytes),
            Pen::Remote(writer) => writer.write(bytes),
        }
    }

    /// Make everything durable: on the disk, with the names of file and folders; or acknowledged by the object store.
    pub fn finish(self) -> Result<Stored> {
        match self.0 {
            Pen::Folder(writer) => writer.finish(),
            Pen::Remote(writer) => writer.finish(),
        }
    }
}

/// A walk through the store, which holds a page at a time.
#[derive(Debug)]
pub struct Listing(Pages);

#[derive(Debug)]
enum Pages {
    /// Empty while a page is being read, and for good after an error.
    Folder(Option<folder::Pages>),
    Remote(remote::Pages),
}

/// Entries of one page, at most.
const PAGE: usize = 1_000;

impl Listing {
    /// The next entries; none at the end.
    pub async fn next_page(&mut self) -> Result<Vec<Entry>> {
        match &mut self.0 {
            Pages::Folder(pages) => {
                let Some(mut walk) = pages.take() else { return Ok(Vec::new()) };
                let read = move || (walk.next_page(), walk);
                let (page, walk) = tokio::task::spawn_blocking(read).await.map_err(Error::caused_by)?;
                *pages = Some(walk);
                page
            }
            Pages::Remote(pages) => pages.next_page().await,
        }
    }
}
