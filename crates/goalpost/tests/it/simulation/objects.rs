//! An object store in memory that loses requests and replies, and keeps some waiting, as it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta};
use object_store::{ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload};
use object_store::{PutResult, Result};
use tokio::sync::{Notify, oneshot};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Pass,
    DropRequest,
    DropReply,
    /// It waits at the store's door until it is let go.
    HoldRequest,
    /// It is done, and its reply waits.
    HoldReply,
}

/// Whether a request that waited goes on, or is lost.
type Go = oneshot::Sender<bool>;

#[derive(Clone, Debug, Default)]
pub(super) struct Objects(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    memory: Arc<InMemory>,
    fates: Mutex<VecDeque<Fate>>,
    held: Mutex<Option<Go>>,
    parked: Notify,
}

impl std::fmt::Display for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("simulation://")
    }
}

fn lost() -> Error {
    Error::Generic { store: "simulation", source: "lost on purpose".into() }
}

impl Objects {
    pub(super) fn memory(&self) -> &Arc<InMemory> {
        &self.0.memory
    }

    /// What becomes of the next requests; those after them pass.
    pub(super) fn decide(&self, fates: impl IntoIterator<Item = Fate>) {
        *self.0.fates.lock().unwrap() = fates.into_iter().collect();
    }

    /// Returns when a request has begun to wait, with what lets it go.
    pub(super) async fn parked(&self) -> Go {
        self.0.parked.notified().await;
        self.0.held.lock().unwrap().take().expect("a request waits")
    }

    pub(super) async fn keys(&self) -> Vec<String> {
        let all = self.0.memory.list(None).map_ok(|object| object.location.to_string());
        all.try_collect().await.unwrap()
    }

    pub(super) async fn bytes(&self, key: &str) -> Option<bytes::Bytes> {
        self.0.memory.get(&Path::from(key)).await.ok()?.bytes().await.ok()
    }

    async fn hold(&self) -> Result<()> {
        let (go, gone) = oneshot::channel();
        *self.0.held.lock().unwrap() = Some(go);
        self.0.parked.notify_one();
        if gone.await.unwrap_or(false) { Ok(()) } else { Err(lost()) }
    }

    async fn meet<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        let fate = self.0.fates.lock().unwrap().pop_front().unwrap_or(Fate::Pass);
        match fate {
            Fate::DropRequest => return Err(lost()),
            Fate::HoldRequest => self.hold().await?,
            _ => {}
        }
        let done = request.await;
        match fate {
            Fate::DropReply => return Err(lost()),
            Fate::HoldReply => self.hold().await?,
            _ => {}
        }
        done
    }
}

#[async_trait::async_trait]
impl ObjectStore for Objects {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.meet(self.0.memory.put_opts(location, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.memory.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.meet(self.0.memory.get_opts(location, options)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        let deleted = locations.then(move |location| {
            let this = this.clone();
            async move {
                let location = location?;
                this.meet(this.0.memory.delete(&location)).await?;
                Ok(location)
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (this, prefix) = (self.clone(), prefix.cloned());
        let listed = async move {
            let all = this.0.memory.list(prefix.as_ref()).try_collect::<Vec<_>>();
            this.meet(all).await.map(|all| stream::iter(all).map(Ok))
        };
        stream::once(listed).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.memory.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.memory.copy_opts(from, to, options).await
    }
}
