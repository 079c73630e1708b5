//! The file of an export in the making: held in memory while it is small, and then kept in the database; from the first
//! byte beyond that on, in the content store.

use sha2::{Digest as _, Sha256};

use crate::store::{ContentStore, Result, Stored, Writer};

/// A file that nobody sees yet. Nothing stays of it if it is dropped.
#[derive(Debug)]
pub(super) struct Draft(Place);

#[derive(Debug)]
enum Place {
    /// In memory, up to so many bytes.
    Held {
        bytes: Vec<u8>,
        most: usize,
        store: ContentStore,
        folder: String,
        name: String,
    },
    Store(Writer),
}

/// A file that is whole; durable if the store has it.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    /// What it is; its key names nothing in the store if the bytes are here.
    pub(super) stored: Stored,
    /// All of it, if it is to be kept in the database.
    pub(super) bytes: Option<Vec<u8>>,
}

impl Draft {
    /// Begin one, which is held in memory up to `most` bytes; with 0 it goes into the store. See
    /// [`ContentStore::create`] for the rest.
    pub(super) fn create(store: &ContentStore, folder: String, name: String, most: usize) -> Result<Self> {
        let mut draft = Self(Place::Held { bytes: Vec::new(), most, store: store.clone(), folder, name });
        if most == 0 {
            draft.put_into_store()?;
        }
        Ok(draft)
    }

    /// Let it go into the store, small or not. Must be called inside the runtime, which writing need not be after it.
    pub(super) fn put_into_store(&mut self) -> Result<()> {
        self.write_to_store(&[])
    }

    /// Append bytes.
    pub(super) fn write(&mut self, more: &[u8]) -> Result<()> {
        match &mut self.0 {
            Place::Held { bytes, most, .. } if bytes.len() + more.len() <= *most => {
                bytes.extend_from_slice(more);
                Ok(())
            }
            _ => self.write_to_store(more),
        }
    }

    fn write_to_store(&mut self, more: &[u8]) -> Result<()> {
        match &mut self.0 {
            Place::Store(writer) => writer.write(more),
            Place::Held { bytes, store, folder, name, .. } => {
                let mut writer = store.create(folder, name)?;
                writer.write(bytes)?;
                writer.write(more)?;
                self.0 = Place::Store(writer);
                Ok(())
            }
        }
    }

    /// Whether the store knows nothing of it.
    pub(super) fn is_held(&self) -> bool {
        matches!(self.0, Place::Held { .. })
    }

    /// Make what went into the store durable.
    pub(super) fn finish(self) -> Result<Finished> {
        match self.0 {
            Place::Store(writer) => Ok(Finished { stored: writer.finish()?, bytes: None }),
            Place::Held { bytes, folder, name, .. } => {
                let (size_bytes, sha256) = (bytes.len() as u64, Sha256::digest(&bytes).into());
                let stored = Stored { key: format!("{folder}/{name}"), size_bytes, sha256 };
                Ok(Finished { stored, bytes: Some(bytes) })
            }
        }
    }
}
