//! Pieces of a file are packed and stored, on a thread of their own where there are more than one.

use std::io::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use flate2::write::GzEncoder;

use super::draft::Draft;
use super::options::Compression;
use crate::jobs::StepError;
use crate::store;

/// Bytes handed to the storing thread at a time.
pub(super) const PIECE: usize = 256 * 1024;
/// How many pieces may wait to be stored: with their size, the memory of a job.
const PIECES: usize = 4;
/// Whoever waits for a file would rather have it soon than small.
const LEVEL: flate2::Compression = flate2::Compression::fast();
/// What zstd itself begins with.
const ZSTD_LEVEL: i32 = 3;

/// Where the pieces of a file go.
pub(super) struct Pieces<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    storing: Storing<'scope>,
}

enum Storing<'scope> {
    /// Nothing yet; a file of one piece is stored by whoever made it.
    Not(Option<(Draft, Compression)>),
    /// By a thread, from which buffers come back to be filled again.
    Beside {
        full: SyncSender<Vec<u8>>,
        empty: Receiver<Vec<u8>>,
        thread: ScopedJoinHandle<'scope, store::Result<Draft>>,
    },
}

impl<'scope, 'env> Pieces<'scope, 'env> {
    /// Where the pieces of a new file go, which may take a thread of this scope.
    pub(super) fn new(scope: &'scope Scope<'scope, 'env>, draft: Draft, compression: Compression) -> Self {
        Self { scope, storing: Storing::Not(Some((draft, compression))) }
    }

    /// A buffer for the next piece.
    pub(super) fn emptied(&self) -> Vec<u8> {
        let emptied = match &self.storing {
            Storing::Not(_) => None,
            Storing::Beside { empty, .. } => empty.try_recv().ok(),
        };
        emptied.unwrap_or_else(|| Vec::with_capacity(PIECE + PIECE / 8))
    }

    /// Have a piece stored that is not the last one. An error says that storing has ended, and [`Self::finish`] why.
    pub(super) fn store(&mut self, piece: Vec<u8>) -> Result<(), StepError> {
        if let Storing::Not(file) = &mut self.storing
            && let Some((mut draft, compression)) = file.take()
        {
            draft.put_into_store().map_err(|error| storage_error(&error))?;
            let (full, to_store) = sync_channel(PIECES);
            let (to_reuse, empty) = sync_channel(PIECES);
            let thread = self.scope.spawn(move || {
                Packer::new(draft, compression).and_then(|packer| store(packer, &to_store, &to_reuse))
            });
            self.storing = Storing::Beside { full, empty, thread };
        }
        match &self.storing {
            Storing::Beside { full, .. } => full.send(piece).map_err(|_| stored_badly()),
            Storing::Not(_) => Err(stored_badly()),
        }
    }

    /// Store the rest, and wait for all of it to be stored.
    pub(super) fn finish(self, rest: impl FnMut() -> Option<Vec<u8>>) -> Result<Draft, StepError> {
        let mut rest = std::iter::from_fn(rest);
        let stored = match self.storing {
            Storing::Beside { full, thread, .. } => {
                // A failed hand-over only says that storing has ended: its own error is the cause.
                let _ = rest.try_for_each(|piece| full.send(piece));
                drop(full);
                thread.join().map_err(|_| stored_badly())?
            }
            Storing::Not(file) => {
                let (draft, compression) = file.ok_or_else(stored_badly)?;
                Packer::new(draft, compression).and_then(|mut packer| {
                    rest.try_for_each(|piece| packer.write(&piece))?;
                    packer.finish()
                })
            }
        };
        stored.map_err(|error| storage_error(&error))
    }
}

/// Packs what is stored, on the thread that stores it.
enum Packer {
    None(Draft),
    Gzip(Box<GzEncoder<Vec<u8>>>, Draft),
    Zstd(Box<zstd::Encoder<'static, Vec<u8>>>, Draft),
}

impl Packer {
    fn new(draft: Draft, compression: Compression) -> store::Result<Self> {
        let packed = || Vec::with_capacity(PIECE);
        Ok(match compression {
            Compression::None => Self::None(draft),
            Compression::Gzip => Self::Gzip(Box::new(GzEncoder::new(packed(), LEVEL)), draft),
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(packed(), ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                Self::Zstd(Box::new(encoder), draft)
            }
        })
    }

    fn write(&mut self, piece: &[u8]) -> store::Result<()> {
        let (packed, draft) = match self {
            Self::None(draft) => return draft.write(piece),
            Self::Gzip(encoder, draft) => {
                encoder.write_all(piece)?;
                (encoder.get_mut(), draft)
            }
            Self::Zstd(encoder, draft) => {
                encoder.write_all(piece)?;
                (encoder.get_mut(), draft)
            }
        };
        draft.write(packed)?;
        packed.clear();
        Ok(())
    }

    fn finish(self) -> store::Result<Draft> {
        let (rest, mut draft) = match self {
            Self::None(draft) => return Ok(draft),
            Self::Gzip(encoder, draft) => (encoder.finish()?, draft),
            Self::Zstd(encoder, draft) => (encoder.finish()?, draft),
        };
        draft.write(&rest)?;
        Ok(draft)
    }
}

/// Store pieces until there are no more.
fn store(
    mut packer: Packer,
    pieces: &Receiver<Vec<u8>>,
    emptied: &SyncSender<Vec<u8>>,
) -> store::Result<Draft> {
    for mut piece in pieces {
        packer.write(&piece)?;
        piece.clear();
        // A cell of a megabyte must not keep its buffer large for the rest of the file.
        piece.shrink_to(2 * PIECE);
        let _ = emptied.try_send(piece);
    }
    packer.finish()
}

fn stored_badly() -> StepError {
    StepError::Retry {
        failure: "storageUnavailable",
        detail: "The file could not be stored. Try again.".to_owned(),
    }
}

/// Why a file could not be stored, and whether a retry helps.
pub(super) fn storage_error(error: &store::Error) -> StepError {
    tracing::warn!(%error, "could not store a file");
    match error.kind() {
        store::ErrorKind::Full => StepError::Retry {
            failure: "storageFull",
            detail: "The server's storage is full. Tell the operator; a retry helps once there is space."
                .to_owned(),
        },
        _ => stored_badly(),
    }
}
