//! The file of an export in the making: held in memory while it is small, and then kept in the database; beyond that it
//! goes into the content store.

use std::io;

use sha2::{Digest as _, Sha256};

use crate::store::{ContentStore, Result, Stored, Writer};

/// How much is held of a file that is given up if it is larger.
const IN_MEMORY: usize = 64 * 1024;

/// What becomes of a file that is larger than what may be held of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beyond {
    /// It goes into the store, from the first byte on that the database may not keep.
    Store,
    /// It is given up: whoever made it beside others makes it alone.
    Nothing,
}

/// A file that nobody sees yet. Nothing stays of it if it is dropped.
#[derive(Debug)]
pub(super) struct Draft(Place);

#[derive(Debug)]
enum Place {
    Held(Held),
    Store(Writer),
}

/// What is in memory, and where it goes if the database may not keep so much.
#[derive(Debug)]
struct Held {
    bytes: Vec<u8>,
    in_database: usize,
    beyond: Beyond,
    store: ContentStore,
    folder: String,
    name: String,
}

/// A file that is whole; durable if the store has it.
#[derive(Debug)]
pub(super) struct Finished {
    /// What it is; its key names nothing in the store if the bytes are here.
    pub(super) stored: Stored,
    /// All of it, if it is to be kept in the database.
    pub(super) bytes: Option<Vec<u8>>,
}

impl Held {
    fn put_into_store(&self) -> Result<Writer> {
        let mut writer = self.store.create(&self.folder, &self.name)?;
        writer.write(&self.bytes)?;
        Ok(writer)
    }
}

impl Draft {
    /// Begin one that the database may keep if it has `in_database` bytes at most. See [`ContentStore::create`] for the
    /// rest.
    pub(super) fn create(
        store: &ContentStore,
        folder: String,
        name: String,
        in_database: usize,
        beyond: Beyond,
    ) -> Result<Self> {
        let held = Held { bytes: Vec::new(), in_database, beyond, store: store.clone(), folder, name };
        let mut draft = Self(Place::Held(held));
        if beyond == Beyond::Store && in_database == 0 {
            draft.put_into_store()?;
        }
        Ok(draft)
    }

    /// Let it go into the store, small or not. Must be called inside the runtime, which writing need not be after it.
    pub(super) fn put_into_store(&mut self) -> Result<()> {
        self.writer().map(|_| ())
    }

    fn writer(&mut self) -> Result<&mut Writer> {
        if let Place::Held(held) = &self.0
            && held.beyond == Beyond::Store
        {
            self.0 = Place::Store(held.put_into_store()?);
        }
        match &mut self.0 {
            Place::Store(writer) => Ok(writer),
            Place::Held(_) => Err(io::Error::other("the file outgrows the memory that it may take").into()),
        }
    }

    /// Append bytes.
    pub(super) fn write(&mut self, more: &[u8]) -> Result<()> {
        if let Place::Held(held) = &mut self.0 {
            let most = if held.beyond == Beyond::Store { held.in_database } else { IN_MEMORY };
            if held.bytes.len() + more.len() <= most {
                held.bytes.extend_from_slice(more);
                return Ok(());
            }
        }
        self.writer()?.write(more)
    }

    /// Whether the store has nothing to do with it.
    pub(super) fn is_for_database(&self) -> bool {
        matches!(&self.0, Place::Held(held) if held.bytes.len() <= held.in_database)
    }

    /// Make what goes into the store durable.
    pub(super) fn finish(self) -> Result<Finished> {
        let is_for_database = self.is_for_database();
        match self.0 {
            Place::Held(Held { bytes, folder, name, .. }) if is_for_database => {
                let (size_bytes, sha256) = (bytes.len() as u64, Sha256::digest(&bytes).into());
                let stored = Stored { key: format!("{folder}/{name}"), size_bytes, sha256 };
                Ok(Finished { stored, bytes: Some(bytes) })
            }
            Place::Held(held) => Ok(Finished { stored: held.put_into_store()?.finish()?, bytes: None }),
            Place::Store(writer) => Ok(Finished { stored: writer.finish()?, bytes: None }),
        }
    }
}
