//! Contents as plain files, with the standard library alone.
//!
//! A file is made by `create_new`, written, synced with both folders above it, and never renamed: so there is no
//! moment in which a reader could meet half a file or another attempt's.

use std::collections::HashSet;
use std::fs::{self, File, ReadDir};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::{Bytestream, Entry, Error, PAGE, Reading, Result, Stored};

/// Bytes read from the disk at a time; a download holds one such piece, and about as much again on its connection.
const PIECE: u64 = 128 * 1024;
/// Downloads that hold another such piece, to be faster; of a thousand the rest do not, for whom the disk is not what
/// they wait for.
const AHEAD: usize = 64;

/// The folder that holds the contents.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// Folders in it whose names this process has brought to the disk.
    durable: Arc<Mutex<HashSet<PathBuf>>>,
    /// Places of downloads that are read ahead.
    ahead: Arc<Semaphore>,
    spares: Spares,
}

impl Folder {
    pub(super) fn open(root: PathBuf) -> Result<Self> {
        let ahead = Arc::new(Semaphore::new(AHEAD));
        let this = Self { root, durable: Arc::default(), ahead, spares: Spares::default() };
        fs::create_dir_all(&this.root).map_err(|error| Error::from(error).at(&this.url()))?;
        Ok(this)
    }

    pub(super) fn url(&self) -> String {
        self.root.display().to_string()
    }

    pub(super) fn create(&self, folder: &str, name: &str) -> Result<Writer> {
        let folder_path = self.root.join(folder);
        let path = folder_path.join(name);
        let open = || File::options().write(true).create_new(true).open(&path);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Nobody removes it but an operator; and then its name is to be made durable again.
                lock(&self.durable).remove(&folder_path);
                fs::create_dir_all(&folder_path)?;
                open()
            }
            opened => opened,
        }?;
        Ok(Writer {
            file,
            path,
            folder: folder_path,
            root: self.root.clone(),
            durable: Arc::clone(&self.durable),
            key: format!("{folder}/{name}"),
            sha256: Sha256::new(),
            size_bytes: 0,
            finished: false,
        })
    }

    /// Opening and seeking are done in place: they touch no data, and a hop to another thread costs more.
    pub(super) fn read(&self, key: &str, range: Range<u64>) -> Result<Reading> {
        let mut file = File::open(self.root.join(key))?;
        let size_bytes = file.metadata()?.len();
        if range.end > size_bytes {
            return Err(Error::other(&format!("`{key}` has {size_bytes} bytes, less than it should")));
        }
        file.seek(SeekFrom::Start(range.start))?;
        let length = range.end - range.start;
        Ok(Reading { size_bytes, bytes: self.pieces(file, length) })
    }

    /// So many bytes from where the file stands, or an error if it has become shorter. With a place among those that are
    /// read ahead, the next piece is read while the one before is sent.
    ///
    /// Not `tokio::fs::File`, which reads into a buffer of its own first: with it a thousand downloads held twice as much.
    fn pieces(&self, file: File, length: u64) -> Bytestream {
        let place = Arc::clone(&self.ahead).try_acquire_owned().ok();
        let spares = self.spares.clone();
        let begun = (Next::Rest(file), length);
        let pieces = stream::try_unfold(begun, move |(next, left)| {
            let (is_ahead, spares) = (place.is_some(), spares.clone());
            async move {
                if left == 0 {
                    return Ok(None);
                }
                let reading = match next {
                    Next::Rest(file) => read_piece(file, left, spares.piece()),
                    Next::Read(reading) => reading,
                };
                let (file, piece) = reading.await??;
                let left = left - piece.bytes.len() as u64;
                if piece.bytes.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let next = match left {
                    1.. if is_ahead => Next::Read(read_piece(file, left, spares.piece())),
                    _ => Next::Rest(file),
                };
                Ok(Some((Bytes::from_owner(piece), (next, left))))
            }
        });
        pieces.boxed()
    }

    pub(super) async fn remove(&self, key: &str) -> Result<()> {
        match tokio::fs::remove_file(self.root.join(key)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    pub(super) async fn check(&self) -> Result<()> {
        drop(tokio::fs::read_dir(&self.root).await?);
        Ok(())
    }

    pub(super) fn list(&self) -> Pages {
        Pages { root: self.root.clone(), folders: None, files: None }
    }
}

/// What comes after a piece.
enum Next {
    /// It is being read.
    Read(JoinHandle<io::Result<(File, Piece)>>),
    Rest(File),
}

/// Read the next piece of so many bytes, on a thread that may block.
fn read_piece(file: File, left: u64, mut piece: Piece) -> JoinHandle<io::Result<(File, Piece)>> {
    tokio::task::spawn_blocking(move || {
        (&file).take(left.min(PIECE)).read_to_end(&mut piece.bytes)?;
        Ok((file, piece))
    })
}

/// A piece of a file; once it is sent, it is filled again by another download.
#[derive(Debug)]
struct Piece {
    bytes: Vec<u8>,
    spares: Spares,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut spares = lock(&self.spares.0);
        if spares.len() < AHEAD {
            self.bytes.clear();
            spares.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// Memory for pieces, as much as all that are read ahead need. Allocated and freed by whichever thread it is, each of
/// them would keep some for itself: with a thousand downloads, more than those hold.
#[derive(Clone, Debug, Default)]
struct Spares(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spares {
    fn piece(&self) -> Piece {
        let spare = lock(&self.0).pop();
        let bytes = spare.unwrap_or_else(|| Vec::with_capacity(PIECE as usize));
        Piece { bytes, spares: self.clone() }
    }
}

/// A walk through the folder, two levels deep.
#[derive(Debug)]
pub(super) struct Pages {
    root: PathBuf,
    folders: Option<ReadDir>,
    files: Option<(String, ReadDir)>,
}

impl Pages {
    pub(super) fn next_page(&mut self) -> Result<Vec<Entry>> {
        let mut page = Vec::new();
        if self.folders.is_none() {
            self.folders = Some(fs::read_dir(&self.root)?);
        }
        while page.len() < PAGE {
            if let Some((folder, files)) = &mut self.files {
                match files.next() {
                    Some(file) => page.extend(entry(folder, &file?)?),
                    None => self.files = None,
                }
            } else {
                let Some(folder) = self.folders.as_mut().and_then(Iterator::next) else { break };
                let folder = folder?;
                if folder.file_type()?.is_dir() {
                    let name = folder.file_name().to_string_lossy().into_owned();
                    self.files = Some((name, fs::read_dir(folder.path())?));
                }
            }
        }
        Ok(page)
    }
}

/// The entry of a file; none if it was removed since its name was read.
fn entry(folder: &str, file: &fs::DirEntry) -> Result<Option<Entry>> {
    let metadata = match file.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Some(Entry {
        key: format!("{folder}/{}", file.file_name().to_string_lossy()),
        size_bytes: metadata.len(),
        modified_at: i64::try_from(modified.as_micros()).unwrap_or(i64::MAX),
    }))
}

/// A file in the making; removed again if it is dropped unfinished.
#[derive(Debug)]
pub(super) struct Writer {
    file: File,
    path: PathBuf,
    folder: PathBuf,
    root: PathBuf,
    durable: Arc<Mutex<HashSet<PathBuf>>>,
    key: String,
    sha256: Sha256,
    size_bytes: u64,
    finished: bool,
}

impl Writer {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes)?;
        self.sha256.update(bytes);
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Bring everything to the disk, the names of file and folder included.
    pub(super) fn finish(mut self) -> Result<Stored> {
        self.file.sync_all()?;
        sync_folder(&self.folder)?;
        // Once is enough, whoever made it.
        if !lock(&self.durable).contains(&self.folder) {
            sync_folder(&self.root)?;
            lock(&self.durable).insert(self.folder.clone());
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

/// A poisoned lock only means that somebody panicked beside it: what it holds is whole.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
