//! Connections: taken until the server closes, each ended when it is over, when its client is late, or when the server
//! is.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{CONNECTION, EXPECT};
use axum::http::{HeaderValue, Version};
use axum::response::Response;
use hyper::body::{Body as _, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt as _, service_fn};

use super::patience::{Late, Patience, Received, Sent, Stream};
use super::unread::Shared;
use crate::config::Connections;
use crate::metrics;
use crate::stop::Stop;

/// Bytes of answers that may wait for a client on its connection, and of a request's head.
const WAITING: usize = 128 * 1024;

/// What all connections of a listener share.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) settings: Arc<Connections>,
    pub(super) metrics: Arc<metrics::Metrics>,
    pub(super) stop: Stop,
}

impl Door {
    /// Serve whoever connects, until the server closes; returns when the last connection has ended.
    pub(super) async fn serve<S>(self, listener: TcpListener, service: S)
    where
        S: Service<Request, Response = Response, Error = Infallible, Future: Send>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        let connections = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.stop.closing() => break,
            };
            match accepted {
                Ok((tcp, peer)) => {
                    connections.spawn(self.clone().connection(tcp, peer, service.clone()));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Too many open files, most likely: some will be closed.
                    tracing::warn!(%error, "could not take a connection");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
        drop(listener);
        connections.close();
        connections.wait().await;
    }

    async fn connection<S>(self, tcp: TcpStream, peer: SocketAddr, service: S)
    where
        S: Service<Request, Response = Response, Error = Infallible, Future: Send>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        let _open = self.metrics.http.connection_opened();
        if let Err(error) = tune(&tcp) {
            tracing::debug!(%error, "could not tune a connection");
        }
        let patience = Patience::new(&self.settings);
        let io = TokioIo::new(Stream::new(tcp, Arc::clone(&patience)));
        let (stop, watched) = (self.stop.clone(), Arc::clone(&patience));
        let service = service_fn(move |request: Request<Incoming>| {
            let is_http2 = request.version() == Version::HTTP_2;
            let open = watched.request_begins(is_http2);
            // A client that waits to be told to go on has sent no body yet, and to read it would tell so.
            let waits = request.headers().contains_key(EXPECT);
            let (head, body) = request.into_parts();
            let body = Shared::new(Received::new(body, &watched));
            let mut request = Request::from_parts(head, Body::new(body.clone()));
            request.extensions_mut().insert(ConnectInfo(peer));
            let (service, stop) = (service.clone(), stop.clone());
            async move {
                let mut response = service.oneshot(request).await?;
                let is_read = is_http2 || body.is_end_stream() || !waits && body.take_rest().await;
                if !is_http2 && (stop.is_asked() || !is_read) {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response.map(|body| Sent::new(body, open)))
            }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().max_buf_size(WAITING);
        builder.http2().max_send_buf_size(WAITING);
        let mut served = pin!(builder.serve_connection(io, TowerToHyperService::new(service)));
        let mut runs_out = pin!(patience.runs_out());
        let mut is_closing = false;
        loop {
            tokio::select! {
                ended = served.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(error, %peer, "a connection ended badly");
                    }
                    return;
                }
                late = runs_out.as_mut() => {
                    if late != Late::Idle {
                        tracing::info!(%peer, late = late.as_str(), "cut off a slow client");
                    }
                    self.metrics.http.connection_cut(late.as_str());
                    return;
                }
                () = self.stop.closing(), if !is_closing => {
                    is_closing = true;
                    served.as_mut().graceful_shutdown();
                }
                () = self.stop.over() => {
                    self.metrics.http.connection_cut("stop");
                    return;
                }
            }
        }
    }
}

/// Bytes that may wait in the system for a connection, besides those on their way. With megabytes of them a client that
/// takes a little would for long look like one that takes nothing, and a thousand slow ones would hold gigabytes.
const UNSENT: u32 = 128 * 1024;

fn tune(tcp: &TcpStream) -> io::Result<()> {
    // Small answers are not held back.
    tcp.set_nodelay(true)?;
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    socket2::SockRef::from(tcp).set_tcp_notsent_lowat(UNSENT)?;
    Ok(())
}

/// The client gave up before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
