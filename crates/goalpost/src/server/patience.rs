//! How long one connection's client is waited for. hyper's own limits take an idle connection for a slow one and know
//! none for answers, so what the client owes is written down here, with the time by which it owes it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use hyper::body::{Body as HttpBody, Buf as _, Bytes, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::config::Connections;

/// What the client did not do in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// Send the whole head of a request.
    Head,
    /// Send the body of a request, fast enough.
    Body,
    /// Take the answer.
    Answer,
    /// Send another request.
    Idle,
}

impl Late {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Body => "body",
            Self::Answer => "answer",
            Self::Idle => "idle",
        }
    }
}

/// What is waited for; a connection has one of each of the first three, and bodies by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Head,
    Request,
    Socket,
    Body(u64),
}

/// What the client of one connection owes.
#[derive(Debug)]
pub(super) struct Patience {
    header: Duration,
    stall: Duration,
    idle: Duration,
    body_bytes_per_sec: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Few, so they are looked through.
    due: Vec<(Wait, Late, Instant)>,
    bodies: u64,
    open_requests: usize,
    is_http2: bool,
}

impl State {
    fn expect(&mut self, wait: Wait, late: Late, within: Duration) {
        let by = Instant::now() + within;
        match self.due.iter_mut().find(|due| due.0 == wait) {
            Some(due) => *due = (wait, late, by),
            None => self.due.push((wait, late, by)),
        }
    }

    fn forget(&mut self, wait: Wait) {
        self.due.retain(|due| due.0 != wait);
    }

    fn is_due(&self, wait: Wait) -> bool {
        self.due.iter().any(|due| due.0 == wait)
    }
}

impl Patience {
    /// A connection that has just begun: its first head is due.
    pub(super) fn new(settings: &Connections) -> Arc<Self> {
        let this = Self {
            header: Duration::from_secs(settings.header_secs),
            stall: Duration::from_secs(settings.stall_secs),
            idle: Duration::from_secs(settings.idle_secs),
            body_bytes_per_sec: settings.body_bytes_per_sec.max(1),
            state: Mutex::default(),
        };
        this.expect(Wait::Head, Late::Head, this.header);
        Arc::new(this)
    }

    /// Returns once the client is late.
    pub(super) async fn runs_out(&self) -> Late {
        // What begins to be due from now on is due after the shortest of these at the earliest.
        let look_again = self.header.min(self.stall).min(self.idle);
        loop {
            let now = Instant::now();
            let first = self.state().due.iter().min_by_key(|due| due.2).copied();
            let wake = match first {
                Some((_, late, by)) if by <= now => return late,
                Some((_, _, by)) => by.min(now + look_again),
                None => now + look_again,
            };
            tokio::time::sleep_until(wake).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expect(&self, wait: Wait, late: Late, within: Duration) {
        self.state().expect(wait, late, within);
    }

    fn forget(&self, wait: Wait) {
        self.state().forget(wait);
    }

    /// The client took bytes again; it may be the rest of an answer that the server is done with.
    fn bytes_went(&self) {
        let mut state = self.state();
        state.forget(Wait::Socket);
        if state.is_due(Wait::Request) {
            state.expect(Wait::Request, Late::Idle, self.idle);
        }
    }

    /// Bytes came in. Between two requests of HTTP/1 they begin a head; HTTP/2 has frames of its own there.
    fn bytes_came(&self) {
        let mut state = self.state();
        if state.open_requests == 0 && !state.is_http2 && !state.is_due(Wait::Head) {
            state.forget(Wait::Request);
            state.expect(Wait::Head, Late::Head, self.header);
        }
    }

    /// A whole head came in; the request is open until what this returns is dropped.
    pub(super) fn request_begins(self: &Arc<Self>, is_http2: bool) -> OpenRequest {
        let mut state = self.state();
        state.forget(Wait::Head);
        state.forget(Wait::Request);
        state.is_http2 = is_http2;
        state.open_requests += 1;
        drop(state);
        OpenRequest(Arc::clone(self))
    }

    fn body(self: &Arc<Self>) -> DueBody {
        let mut state = self.state();
        state.bodies += 1;
        DueBody { patience: Arc::clone(self), wait: Wait::Body(state.bodies) }
    }
}

/// A request whose answer has not been taken whole.
#[derive(Debug)]
pub(super) struct OpenRequest(Arc<Patience>);

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.open_requests -= 1;
        if state.open_requests == 0 {
            state.expect(Wait::Request, Late::Idle, self.0.idle);
        }
    }
}

/// The place where a body's due time is written down.
#[derive(Debug)]
struct DueBody {
    patience: Arc<Patience>,
    wait: Wait,
}

impl Drop for DueBody {
    fn drop(&mut self) {
        self.patience.forget(self.wait);
    }
}

/// A connection's bytes, watched.
#[derive(Debug)]
pub(super) struct Stream {
    tcp: TcpStream,
    patience: Arc<Patience>,
    is_stuck: bool,
}

impl Stream {
    pub(super) fn new(tcp: TcpStream, patience: Arc<Patience>) -> Self {
        Self { tcp, patience, is_stuck: false }
    }

    fn wrote<T>(&mut self, polled: Poll<T>) -> Poll<T> {
        if polled.is_pending() != self.is_stuck {
            self.is_stuck = polled.is_pending();
            if self.is_stuck {
                self.patience.expect(Wait::Socket, Late::Answer, self.patience.stall);
            } else {
                self.patience.bytes_went();
            }
        }
        polled
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.tcp).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.patience.bytes_came();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write(cx, buf);
        self.wrote(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
        self.wrote(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// A request's body. Only the time in which the server waits for it counts against the client.
#[derive(Debug)]
pub(super) struct Received {
    body: Incoming,
    due: DueBody,
    bytes: u64,
    has_ended: bool,
    waited: Duration,
    waiting_since: Option<Instant>,
}

impl Received {
    pub(super) fn new(body: Incoming, patience: &Arc<Patience>) -> Self {
        Self {
            body,
            due: patience.body(),
            bytes: 0,
            has_ended: false,
            waited: Duration::ZERO,
            waiting_since: None,
        }
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let patience = &self.due.patience;
        match &polled {
            Poll::Pending if self.waiting_since.is_none() => {
                let allowed =
                    patience.header + Duration::from_millis(self.bytes * 1000 / patience.body_bytes_per_sec);
                patience.expect(self.due.wait, Late::Body, allowed.saturating_sub(self.waited));
                self.waiting_since = Some(Instant::now());
            }
            Poll::Pending => {}
            Poll::Ready(frame) => {
                let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
                let bytes = data.map_or(0, |data| data.remaining() as u64);
                if let Some(since) = self.waiting_since.take() {
                    self.due.patience.forget(self.due.wait);
                    self.waited += since.elapsed();
                }
                self.bytes += bytes;
                self.has_ended = frame.is_none();
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body. Whoever asks for its next piece has taken the one before.
#[derive(Debug)]
pub(super) struct Sent {
    body: Body,
    due: DueBody,
    _request: OpenRequest,
}

impl Sent {
    pub(super) fn new(body: Body, request: OpenRequest) -> Self {
        Self { body, due: request.0.body(), _request: request }
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let patience = &self.due.patience;
        if let Poll::Ready(Some(Ok(_))) = &polled {
            patience.expect(self.due.wait, Late::Answer, patience.stall);
        } else {
            patience.forget(self.due.wait);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
