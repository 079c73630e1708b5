//! An object in the making: small ones go in one request, large ones in parts while they are written.
//!
//! ```text
//! less than a part:  put, unless the name is taken
//! more:              begin an upload ─▶ reserve the name ─▶ parts, two on the way at a time ─▶ complete
//!                                           └── taken: refused      └── broken off: end the upload, free the name
//! ```
//! Stores differ in whether they can complete an upload under a condition, and S3's word for it is not within the
//! client's reach. So the name is reserved first by a small object, put on the condition that there is none: whoever
//! has put it may complete the upload over it, and nobody else. It holds the upload's id, so if the process dies,
//! whoever sweeps the object can end the upload, too, which no listing shows.

use std::fmt;
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{PutPayload, Result as StoreResult};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::remote::Remote;
use super::{Error, Result, Stored};

/// The size of a part. Stores want all but the last alike, at least 5 MiB, and at most 10,000 of them.
const PART: usize = 8 * 1024 * 1024;
/// Parts on their way at the same time, besides the one that is being filled: the memory of an upload.
const ON_THE_WAY: usize = 2;

/// What is written for a moment under the name of an upload's object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reservation {
    /// The upload that may complete under this name.
    pub(super) upload: String,
}

impl Reservation {
    /// No reservation is longer.
    pub(super) const LONGEST: u64 = 4096;
    /// No file of ours begins like this.
    const MARK: &[u8] = b"goalpost upload ";

    fn bytes(&self) -> Bytes {
        [Self::MARK, self.upload.as_bytes()].concat().into()
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let upload = bytes.strip_prefix(Self::MARK)?;
        Some(Self { upload: String::from_utf8(upload.to_vec()).ok()? })
    }
}

/// An object in the making.
pub(super) struct Writer {
    remote: Arc<Remote>,
    key: String,
    runtime: Handle,
    part: Vec<u8>,
    sha256: Sha256,
    size_bytes: u64,
    upload: Option<Upload>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("key", &self.key)
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

/// The writer's end of an upload, which runs as a task of its own. Dropping it breaks the upload off.
struct Upload {
    steps: UnboundedSender<Step>,
    /// A token for each part that may still be sent.
    free: mpsc::Receiver<()>,
    end: mpsc::Receiver<Result<()>>,
}

enum Step {
    Part(Bytes),
    Complete,
}

impl Writer {
    pub(super) fn new(remote: Arc<Remote>, key: String) -> Self {
        Self {
            remote,
            key,
            runtime: Handle::current(),
            part: Vec::new(),
            sha256: Sha256::new(),
            size_bytes: 0,
            upload: None,
        }
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.sha256.update(bytes);
        self.size_bytes += bytes.len() as u64;
        while self.part.len() + bytes.len() > PART {
            let (now, later) = bytes.split_at(PART - self.part.len());
            self.part.extend_from_slice(now);
            bytes = later;
            self.send_part()?;
        }
        self.part.extend_from_slice(bytes);
        Ok(())
    }

    fn send_part(&mut self) -> Result<()> {
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(Upload::begin(&self.runtime, Arc::clone(&self.remote), &self.key)),
        };
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART));
        if upload.free.recv().is_err() || upload.steps.send(Step::Part(part.into())).is_err() {
            return Err(upload.why());
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Stored> {
        if self.upload.is_some() {
            if !self.part.is_empty() {
                self.send_part()?;
            }
        } else {
            self.put()?;
        }
        if let Some(upload) = &self.upload {
            let _ = upload.steps.send(Step::Complete);
            upload.end.recv().map_err(|_| stopped())??;
        }
        let sha256 = std::mem::take(&mut self.sha256).finalize().into();
        Ok(Stored { key: std::mem::take(&mut self.key), size_bytes: self.size_bytes, sha256 })
    }

    /// Put what fits into one request.
    fn put(&mut self) -> Result<()> {
        let (done, end) = mpsc::channel();
        let (remote, key, bytes) =
            (Arc::clone(&self.remote), self.key.clone(), Bytes::from(std::mem::take(&mut self.part)));
        self.runtime.spawn(async move {
            let put = remote.put_new(&remote.path(&key), bytes).await;
            let _ = done.send(put);
        });
        end.recv().map_err(|_| stopped())?
    }
}

/// The runtime that would have sent it is gone.
fn stopped() -> Error {
    Error::other("the server is being stopped")
}

impl Upload {
    fn begin(runtime: &Handle, remote: Arc<Remote>, key: &str) -> Self {
        let (steps, to_do) = unbounded_channel();
        let (token, free) = mpsc::channel();
        let (done, end) = mpsc::channel();
        for _ in 0..ON_THE_WAY {
            let _ = token.send(());
        }
        let path = remote.path(key);
        runtime.spawn(async move {
            let ended =
                Transfer { remote, path, parts: Vec::new(), sending: JoinSet::new(), token }.run(to_do).await;
            let _ = done.send(ended);
        });
        Self { steps, free, end }
    }

    /// Why it takes no more parts.
    fn why(&self) -> Error {
        match self.end.recv() {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => stopped(),
        }
    }
}

/// An upload on its way.
struct Transfer {
    remote: Arc<Remote>,
    path: Path,
    parts: Vec<Option<PartId>>,
    sending: JoinSet<(usize, StoreResult<PartId>)>,
    token: mpsc::Sender<()>,
}

impl Transfer {
    async fn run(mut self, to_do: UnboundedReceiver<Step>) -> Result<()> {
        let upload = self.remote.uploads().create_multipart(&self.path).await?;
        let reservation = Reservation { upload };
        let reserved = self.remote.put_new(&self.path, reservation.bytes()).await;
        let ended = match &reserved {
            Ok(()) => self.send(&reservation.upload, to_do).await,
            Err(_) => Ok(false),
        };
        if let Ok(true) = ended {
            return Ok(());
        }
        // A part that arrives after the end would stay.
        while self.sending.join_next().await.is_some() {}
        if let Err(error) = self.remote.uploads().abort_multipart(&self.path, &reservation.upload).await {
            tracing::warn!(%error, "could not end an upload that was broken off");
        }
        reserved?;
        if let Err(error) = self.remote.remove_at(&self.path).await {
            tracing::warn!(%error, "could not remove what an upload left; it is swept later");
        }
        ended.map(|_| ())
    }

    /// Send parts until the upload is complete, or until its writer is gone: then `false`.
    async fn send(&mut self, upload: &str, mut to_do: UnboundedReceiver<Step>) -> Result<bool> {
        loop {
            tokio::select! {
                Some(sent) = self.sending.join_next() => self.note(sent)?,
                step = to_do.recv() => match step {
                    Some(Step::Part(bytes)) => self.send_part(upload.to_owned(), bytes),
                    Some(Step::Complete) => break,
                    None => return Ok(false),
                },
            }
        }
        while let Some(sent) = self.sending.join_next().await {
            self.note(sent)?;
        }
        let parts = self.parts.drain(..).flatten().collect();
        self.remote.uploads().complete_multipart(&self.path, &upload.to_owned(), parts).await?;
        Ok(true)
    }

    fn send_part(&mut self, upload: String, bytes: Bytes) {
        let (remote, path, index) = (Arc::clone(&self.remote), self.path.clone(), self.parts.len());
        self.parts.push(None);
        self.sending.spawn(async move {
            (index, remote.uploads().put_part(&path, &upload, index, PutPayload::from(bytes)).await)
        });
    }

    fn note(&mut self, sent: Result<(usize, StoreResult<PartId>), tokio::task::JoinError>) -> Result<()> {
        let (index, part) = sent.map_err(Error::caused_by)?;
        self.parts[index] = Some(part?);
        let _ = self.token.send(());
        Ok(())
    }
}
