//! The line that every request leaves in the log, once its answer is sent or given up.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{StatusCode, header::CONTENT_LENGTH};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tracing::Span;

/// A request that was answered, and whose answer is on its way.
#[derive(Debug)]
struct Line {
    span: Span,
    method: &'static str,
    status: StatusCode,
    begun: Instant,
    answered_after: Duration,
    /// Asked for by machines all the time, and of interest to nobody.
    is_routine: bool,
    sent: u64,
    expected: Option<u64>,
}

/// Let the answer leave its line when it ends. `span` names the request.
pub(super) fn log(
    response: Response,
    span: Span,
    method: &'static str,
    begun: Instant,
    is_routine: bool,
) -> Response {
    let (parts, body) = response.into_parts();
    let stated = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    // The answer to HEAD states the length of a body that it has not.
    let expected = if method == "HEAD" { Some(0) } else { stated.or(HttpBody::size_hint(&body).exact()) };
    let line = Line {
        span,
        method,
        status: parts.status,
        begun,
        answered_after: begun.elapsed(),
        is_routine,
        sent: 0,
        expected,
    };
    Response::from_parts(parts, Body::new(Logged { body, line }))
}

impl Drop for Line {
    fn drop(&mut self) {
        let _entered = self.span.enter();
        let whole = self.expected.is_none_or(|expected| self.sent >= expected);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    http.method = self.method,
                    http.status = self.status.as_u16(),
                    elapsed_ms = milliseconds(self.answered_after),
                    total_ms = milliseconds(self.begun.elapsed()),
                    size_bytes = self.sent,
                    whole,
                    "answered"
                )
            };
        }
        // 503 is said of the server by itself, and each node that is not ready says it every few seconds.
        if self.is_routine {
            line!(debug);
        } else if self.status.is_server_error() {
            line!(warn);
        } else {
            line!(info);
        }
    }
}

/// With three decimals, so that fast answers can be told apart.
fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

struct Logged {
    body: Body,
    line: Line,
}

impl HttpBody for Logged {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.line.sent += frame.data_ref().map_or(0, Bytes::len) as u64;
            }
            Poll::Ready(None) => self.line.expected = None,
            _ => {}
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
