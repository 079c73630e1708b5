//! Bodies that were answered before they were read, such as those of requests without a token. The client is still
//! sending: one that sees its answer and sends the next request on the same connection must not find it closed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};

use super::patience::Received;

/// How much of an unread body is still taken, and for how long; whoever sends more gets an answer that says
/// `Connection: close`.
const MOST: usize = 1024 * 1024;
const LONGEST: Duration = Duration::from_secs(1);

/// A request's body, which its connection holds as well as its handler.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<Received>>);

impl Shared {
    pub(super) fn new(body: Received) -> Self {
        Self(Arc::new(Mutex::new(body)))
    }

    /// Take what the handler left; whether that was all, so that the connection can serve another request.
    pub(super) async fn take_rest(mut self) -> bool {
        let rest = async {
            let mut bytes = 0;
            while bytes <= MOST {
                match self.frame().await {
                    None => return true,
                    Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, Bytes::len),
                    Some(Err(_)) => return false,
                }
            }
            false
        };
        tokio::time::timeout(LONGEST, rest).await.unwrap_or(false)
    }

    fn body(&self) -> MutexGuard<'_, Received> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}
