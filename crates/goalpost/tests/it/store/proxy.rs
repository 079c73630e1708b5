//! A way to a store on which things go wrong as a test wants them to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::ETAG;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// It reaches the store, and its answer comes back.
    Pass,
    /// The store never sees it: this is the answer.
    Answer(u16, &'static str),
    /// The store does what is asked, and this is the answer all the same.
    PassAndAnswer(u16, &'static str),
    /// No answer, ever.
    Hang,
    /// The connection ends after so many bytes of the answer's body.
    Cut(usize),
}

/// What a test looks at to decide.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// How many requests came before.
    pub(crate) number: usize,
}

type Decide = Box<dyn Fn(&Asked) -> Fate + Send>;

/// The proxy; it ends with this value.
pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

struct Shared {
    store: String,
    http: reqwest::Client,
    decide: Mutex<Decide>,
    seen: AtomicUsize,
}

impl Proxy {
    /// A proxy before this store through which everything passes.
    pub(crate) async fn before(store: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            store: store.to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            decide: Mutex::new(Box::new(|_| Fate::Pass)),
            seen: AtomicUsize::new(0),
        });
        let stop = CancellationToken::new();
        let service = axum::Router::new().fallback(forward).with_state(Arc::clone(&shared));
        let until = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                served = async { axum::serve(listener, service).await } => served.unwrap(),
                () = until.cancelled() => {}
            }
        });
        Self { url, shared, _stop_on_drop: stop.clone().drop_guard(), stop }
    }

    /// From now on this decides.
    pub(crate) fn decide(&self, decide: impl Fn(&Asked) -> Fate + Send + 'static) {
        *self.shared.decide.lock().unwrap() = Box::new(decide);
    }

    /// So many requests have come.
    pub(crate) fn seen(&self) -> usize {
        self.shared.seen.load(Ordering::SeqCst)
    }

    /// Nobody answers here any more.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }
}

async fn forward(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let number = shared.seen.fetch_add(1, Ordering::SeqCst);
    let asked = Asked { method: parts.method, uri: parts.uri, headers: parts.headers, number };
    let fate = (shared.decide.lock().unwrap())(&asked);
    // Read in any case: who is still sending does not hear an answer.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    match fate {
        Fate::Pass => pass(&shared, asked, body, usize::MAX).await,
        Fate::Cut(after) => pass(&shared, asked, body, after).await,
        Fate::Answer(status, text) => {
            (StatusCode::from_u16(status).unwrap(), [(ETAG, "\"1\"")], text).into_response()
        }
        Fate::PassAndAnswer(status, text) => {
            drop(pass(&shared, asked, body, usize::MAX).await);
            (StatusCode::from_u16(status).unwrap(), text).into_response()
        }
        Fate::Hang => std::future::pending().await,
    }
}

async fn pass(shared: &Shared, asked: Asked, body: Bytes, cut_after: usize) -> Response {
    let url = format!("{}{}", shared.store, asked.uri.path_and_query().unwrap());
    // With the `Host` that the client has signed.
    let sent = shared.http.request(asked.method, url).headers(asked.headers).body(body).send().await;
    let Ok(answer) = sent else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut left = cut_after;
    let cut = stream::once(async { Err(std::io::Error::other("cut")) });
    let pieces = answer.bytes_stream().map(|piece| piece.map_err(std::io::Error::other));
    let pieces = pieces.scan((), move |(), piece| {
        let piece = piece.map(|mut bytes| bytes.split_to(left.min(bytes.len())));
        left -= piece.as_ref().map_or(0, |piece: &Bytes| piece.len());
        std::future::ready(Some((piece, left)))
    });
    let pieces = pieces.take_while({
        let mut ended = false;
        move |(_, left)| std::future::ready(!std::mem::replace(&mut ended, *left == 0))
    });
    let pieces = pieces.map(|(piece, _)| piece);
    let body = if cut_after == usize::MAX {
        Body::from_stream(pieces)
    } else {
        Body::from_stream(pieces.chain(cut))
    };
    (status, headers, body).into_response()
}
