//! Bytes that a writer of another crate puts out, until they are taken.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a piece: all have the same, so that the memory of one is good for any other.
const PIECE: usize = 256 * 1024;

/// Bytes that wait to be taken, in pieces: what is written at once, such as a row group, need not be held at once by
/// whoever stores it. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pieces(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    pieces: VecDeque<Vec<u8>>,
    waiting: usize,
    /// An empty buffer for the next piece.
    spare: Vec<u8>,
}

impl Pieces {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.inner().waiting
    }

    /// The first piece; `next` is filled again later.
    pub(crate) fn take(&self, next: Vec<u8>) -> Vec<u8> {
        let mut inner = self.inner();
        let Some(piece) = inner.pieces.pop_front() else { return next };
        inner.waiting -= piece.len();
        inner.spare = next;
        piece
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.inner();
        let mut piece = inner.pieces.pop_back_if(|last| last.len() < PIECE).unwrap_or_else(|| {
            let mut spare = std::mem::take(&mut inner.spare);
            spare.reserve_exact(PIECE);
            spare
        });
        let fits = bytes.len().min(PIECE - piece.len());
        piece.extend_from_slice(&bytes[..fits]);
        inner.pieces.push_back(piece);
        inner.waiting += fits;
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
