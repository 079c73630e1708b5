//! Where the bytes of exports lie: files in the data folder, each written once under a name of its own.
//!
//! A file counts only once a row points to it, so a file is written, synced (with its folder) and hashed first, and
//! what no row points to is swept. Nothing is renamed and nothing overwritten.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The folder that holds the contents.
#[derive(Clone, Debug)]
pub struct ContentStore {
    root: PathBuf,
}

/// Content that is whole and on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name in the store.
    pub key: String,
    /// Its length.
    pub size_bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

impl ContentStore {
    /// The store in `root`, which is made if it is not there.
    pub fn open(root: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&root)?;
        Ok(Self { root })
    }

    /// Begin a new content. `folder` and `name` are ours, never a client's.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the name was used before.
    pub fn create(&self, folder: &str, name: &str) -> io::Result<Writer> {
        let folder_path = self.root.join(folder);
        fs::create_dir_all(&folder_path)?;
        let path = folder_path.join(name);
        let file = File::options().write(true).create_new(true).open(&path)?;
        Ok(Writer {
            file,
            path,
            folders: [folder_path, self.root.clone()],
            key: format!("{folder}/{name}"),
            sha256: Sha256::new(),
            size_bytes: 0,
            finished: false,
        })
    }

    /// Open a content for reading. A reader that has it open keeps it when it is removed.
    pub fn read(&self, key: &str) -> io::Result<File> {
        File::open(self.root.join(key))
    }

    /// Remove a content; fine if it is gone already.
    pub fn remove(&self, key: &str) -> io::Result<()> {
        match fs::remove_file(self.root.join(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The keys of everything in the store, finished or not.
    pub fn list(&self) -> io::Result<Vec<String>> {
        let mut keys = Vec::new();
        for folder in fs::read_dir(&self.root)? {
            let folder = folder?;
            if folder.file_type()?.is_dir() {
                let prefix = folder.file_name();
                for file in fs::read_dir(folder.path())? {
                    keys.push(format!(
                        "{}/{}",
                        prefix.to_string_lossy(),
                        file?.file_name().to_string_lossy()
                    ));
                }
            }
        }
        Ok(keys)
    }
}

/// A content in the making; removed again if it is dropped unfinished.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
    folders: [PathBuf; 2],
    key: String,
    sha256: Sha256,
    size_bytes: u64,
    finished: bool,
}

impl Writer {
    /// Append bytes.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.sha256.update(bytes);
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Bring everything to the disk, the names of file and folder included.
    pub fn finish(mut self) -> io::Result<Stored> {
        self.file.sync_all()?;
        for folder in &self.folders {
            sync_folder(folder)?;
        }
        self.finished = true;
        let sha256 = std::mem::take(&mut self.sha256).finalize().into();
        Ok(Stored { key: std::mem::take(&mut self.key), size_bytes: self.size_bytes, sha256 })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            // What stays all the same is swept later.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
