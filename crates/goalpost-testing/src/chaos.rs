use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// A proxy between two programs that talk over TCP, for as long as all is well; and then what a test makes of it.
///
/// It forwards everything until told otherwise. What it is told holds for open connections, too, and until
/// [`restore`](Self::restore).
#[derive(Debug)]
pub struct ChaosProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: mpsc::Sender<(bool, oneshot::Sender<()>)>,
    accepting: JoinHandle<()>,
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client, which connects, to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// What has passed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections that were accepted.
    pub accepted: u64,
    /// Connections that are open now.
    pub open: u64,
    /// Bytes from clients that were handed on.
    pub to_server: u64,
    /// Bytes from the server that were handed on.
    pub to_client: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Faults {
    frozen: bool,
    delay: Duration,
    bytes_per_sec: Option<u64>,
    /// How often all connections were broken.
    breaks: u64,
}

#[derive(Debug)]
struct Shared {
    target: Mutex<SocketAddr>,
    faults: watch::Sender<Faults>,
    /// Bytes that may pass before a cut, by direction.
    cuts: Mutex<[Option<u64>; 2]>,
    accepted: AtomicU64,
    open: AtomicU64,
    passed: [AtomicU64; 2],
}

impl ChaosProxy {
    /// A proxy on a free port, before the server at this address. Nobody has to be there yet.
    pub async fn before(target: SocketAddr) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], goalpost_processes::free_port()));
        let listener = TcpListener::bind(address).await.expect("the port is free");
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            faults: watch::Sender::new(Faults::default()),
            cuts: Mutex::new([None; 2]),
            accepted: AtomicU64::new(0),
            open: AtomicU64::new(0),
            passed: [AtomicU64::new(0), AtomicU64::new(0)],
        });
        let (listening, asked) = mpsc::channel(1);
        let accepting = tokio::spawn(accept(address, Some(listener), asked, Arc::clone(&shared)));
        Self { address, shared, listening, accepting }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port where clients connect.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connections that are accepted from now on go to another server.
    pub fn forward_to(&self, target: SocketAddr) {
        *self.shared.target.lock().expect("nobody panics with it") = target;
    }

    /// Hold everything that passes, in both directions, for so long.
    pub fn delay(&self, by: Duration) {
        self.shared.faults.send_modify(|faults| faults.delay = by);
    }

    /// Let so many bytes pass in a second, in each direction of each connection.
    pub fn throttle(&self, bytes_per_sec: u64) {
        self.shared.faults.send_modify(|faults| faults.bytes_per_sec = Some(bytes_per_sec.max(1)));
    }

    /// Let nothing pass, and tell nobody: connections stay open, new ones are accepted. What is sent meanwhile passes
    /// later.
    pub fn freeze(&self) {
        self.shared.faults.send_modify(|faults| faults.frozen = true);
    }

    /// Let so many more bytes pass in this direction, and then close the connection that carried the last of them; once.
    /// Whoever receives them sees the end, whoever sends them a reset.
    pub fn cut_after(&self, bytes: u64, way: Way) {
        self.shared.cuts.lock().expect("nobody panics with it")[way as usize] = Some(bytes);
    }

    /// Reset every connection. New ones are accepted.
    pub fn break_all(&self) {
        self.shared.faults.send_modify(|faults| faults.breaks += 1);
    }

    /// Refuse new connections. Those that are open stay.
    pub async fn refuse(&self) {
        self.listen(false).await;
    }

    /// All is well again: what was frozen passes, and so does what is new. Connections that were broken stay so.
    pub async fn restore(&self) {
        *self.shared.cuts.lock().expect("nobody panics with it") = [None; 2];
        self.shared
            .faults
            .send_modify(|faults| *faults = Faults { breaks: faults.breaks, ..Faults::default() });
        self.listen(true).await;
    }

    /// What has passed so far.
    pub fn counters(&self) -> Counters {
        Counters {
            accepted: self.shared.accepted.load(Relaxed),
            open: self.shared.open.load(Relaxed),
            to_server: self.shared.passed[Way::ToServer as usize].load(Relaxed),
            to_client: self.shared.passed[Way::ToClient as usize].load(Relaxed),
        }
    }

    async fn listen(&self, yes: bool) {
        let (done, is_done) = oneshot::channel();
        self.listening.send((yes, done)).await.expect("it runs as long as this");
        is_done.await.expect("the port is still free");
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.break_all();
    }
}

async fn accept(
    address: SocketAddr,
    mut listener: Option<TcpListener>,
    mut asked: mpsc::Receiver<(bool, oneshot::Sender<()>)>,
    shared: Arc<Shared>,
) {
    loop {
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = accepted => if let Ok((client, _)) = accepted {
                shared.accepted.fetch_add(1, Relaxed);
                shared.open.fetch_add(1, Relaxed);
                tokio::spawn(carry(client, Arc::clone(&shared)));
            },
            Some((yes, done)) = asked.recv() => {
                if !yes {
                    listener = None;
                } else if listener.is_none() {
                    listener = Some(TcpListener::bind(address).await.expect("the port is still free"));
                }
                let _ = done.send(());
            }
        }
    }
}

/// Why a connection is carried no further, if not because both sides are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Cut(Way),
    Failed,
}

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Self {
        Self::Failed
    }
}

async fn carry(mut client: TcpStream, shared: Arc<Shared>) {
    let mut faults = shared.faults.subscribe();
    let breaks = faults.borrow().breaks;
    let mut server = None;
    let over = tokio::select! {
        _ = faults.wait_for(|faults| faults.breaks != breaks) => Err(Over::Failed),
        over = forward(&mut client, &mut server, &shared) => over,
    };
    // Who has got everything, or the last bytes before a cut, sees an end in order; closing the others resets them.
    if !matches!(over, Ok(()) | Err(Over::Cut(Way::ToClient))) {
        let _ = client.set_zero_linger();
    }
    if let (Some(server), Err(Over::Failed | Over::Cut(Way::ToClient))) = (&server, over) {
        let _ = server.set_zero_linger();
    }
    drop((client, server));
    shared.open.fetch_sub(1, Relaxed);
}

async fn forward(
    client: &mut TcpStream,
    server: &mut Option<TcpStream>,
    shared: &Shared,
) -> Result<(), Over> {
    shared.thawed().await;
    let target = *shared.target.lock().expect("nobody panics with it");
    let server = server.insert(TcpStream::connect(target).await?);
    server.set_nodelay(true)?;
    client.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let up = pump(from_client, to_server, Way::ToServer, shared);
    let down = pump(from_server, to_client, Way::ToClient, shared);
    tokio::try_join!(up, down).map(drop)
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    way: Way,
    shared: &Shared,
) -> Result<(), Over> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let count = from.read(&mut buffer).await?;
        shared.thawed().await;
        if count == 0 {
            to.shutdown().await?;
            return Ok(());
        }
        let faults = *shared.faults.borrow();
        tokio::time::sleep(faults.delay).await;
        // A twentieth of a second's worth at a time, so that it flows.
        let piece = faults.bytes_per_sec.map_or(count, |rate| (rate / 20).max(1) as usize);
        for piece in buffer[..count].chunks(piece) {
            shared.thawed().await;
            let (piece, cut) = shared.until_cut(piece, way);
            to.write_all(piece).await?;
            shared.passed[way as usize].fetch_add(piece.len() as u64, Relaxed);
            if cut {
                to.shutdown().await?;
                return Err(Over::Cut(way));
            }
            if let Some(rate) = faults.bytes_per_sec {
                tokio::time::sleep(Duration::from_secs_f64(piece.len() as f64 / rate as f64)).await;
            }
        }
    }
}

impl Shared {
    async fn thawed(&self) {
        let mut faults = self.faults.subscribe();
        // The sender lives as long as `self`.
        let _ = faults.wait_for(|faults| !faults.frozen).await;
    }

    /// As much of these bytes as may pass before a cut, and whether it comes then.
    fn until_cut<'a>(&self, bytes: &'a [u8], way: Way) -> (&'a [u8], bool) {
        let left = &mut self.cuts.lock().expect("nobody panics with it")[way as usize];
        match *left {
            Some(allowed) if allowed <= bytes.len() as u64 => {
                *left = None;
                (&bytes[..allowed as usize], true)
            }
            Some(allowed) => {
                *left = Some(allowed - bytes.len() as u64);
                (bytes, false)
            }
            None => (bytes, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Sends back what it gets, on every connection.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address
    }

    async fn start() -> (ChaosProxy, TcpStream) {
        let proxy = ChaosProxy::before(echo().await).await;
        let client = TcpStream::connect(proxy.address()).await.expect("it accepts");
        (proxy, client)
    }

    /// What comes back of a text.
    async fn say(client: &mut TcpStream, text: &str) -> io::Result<String> {
        client.write_all(text.as_bytes()).await?;
        let mut back = vec![0; text.len()];
        client.read_exact(&mut back).await?;
        Ok(String::from_utf8_lossy(&back).into_owned())
    }

    async fn is_silent(client: &mut TcpStream) -> bool {
        tokio::time::timeout(Duration::from_millis(200), client.read_u8()).await.is_err()
    }

    #[tokio::test]
    async fn all_is_well_until_told_otherwise() {
        let (proxy, mut client) = start().await;
        assert_eq!(say(&mut client, "hello").await.expect("it comes back"), "hello");
        let counters = proxy.counters();
        assert_eq!(counters, Counters { accepted: 1, open: 1, to_server: 5, to_client: 5 });
        client.shutdown().await.expect("it is open");
        assert_eq!(client.read(&mut [0]).await.expect("an end in order"), 0);
    }

    #[tokio::test]
    async fn what_is_delayed_or_throttled_takes_its_time() {
        let (proxy, mut client) = start().await;
        proxy.delay(Duration::from_millis(100));
        let begun = Instant::now();
        say(&mut client, "hello").await.expect("it comes back");
        assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
        proxy.restore().await;
        proxy.throttle(1_000);
        let begun = Instant::now();
        say(&mut client, &"x".repeat(500)).await.expect("it comes back");
        // All but the last piece of a twentieth of a second has been waited for.
        assert!(begun.elapsed() >= Duration::from_millis(450), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_frozen_connection_is_silent_and_goes_on_when_restored() {
        let (proxy, mut client) = start().await;
        proxy.freeze();
        client.write_all(b"hello").await.expect("it is open");
        let mut new = TcpStream::connect(proxy.address()).await.expect("it accepts");
        new.write_all(b"world").await.expect("it is open");
        assert!(is_silent(&mut client).await && is_silent(&mut new).await);
        assert_eq!(proxy.counters().to_client, 0);
        proxy.restore().await;
        for (client, text) in [(&mut client, b"hello"), (&mut new, b"world")] {
            let mut back = [0; 5];
            client.read_exact(&mut back).await.expect("it comes back");
            assert_eq!(&back, text);
        }
    }

    #[tokio::test]
    async fn a_cut_comes_after_exactly_so_many_bytes_and_once() {
        let (proxy, mut client) = start().await;
        proxy.cut_after(7, Way::ToClient);
        client.write_all(b"hello world").await.expect("it is open");
        let mut back = Vec::new();
        client.read_to_end(&mut back).await.expect("an end");
        assert_eq!(back, b"hello w");
        let mut client = TcpStream::connect(proxy.address()).await.expect("it accepts");
        assert_eq!(say(&mut client, "hello world").await.expect("it comes back"), "hello world");

        proxy.cut_after(2, Way::ToServer);
        client.write_all(b"hello").await.expect("it is open");
        assert_eq!(say(&mut client, "x").await.expect_err("reset").kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(proxy.counters().to_server, 11 + 11 + 2);
    }

    #[tokio::test]
    async fn who_is_broken_is_reset_and_may_come_again() {
        let (proxy, mut client) = start().await;
        say(&mut client, "hello").await.expect("it comes back");
        proxy.break_all();
        let error = client.read_u8().await.expect_err("it is reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        let mut again = TcpStream::connect(proxy.address()).await.expect("it accepts");
        assert_eq!(say(&mut again, "hello").await.expect("it comes back"), "hello");
        assert_eq!((proxy.counters().accepted, proxy.counters().open), (2, 1));
    }

    #[tokio::test]
    async fn who_is_refused_is_let_in_when_restored_and_others_stay() {
        let (proxy, mut client) = start().await;
        say(&mut client, "hello").await.expect("it comes back");
        proxy.refuse().await;
        let error = TcpStream::connect(proxy.address()).await.expect_err("it is refused");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(say(&mut client, "still").await.expect("it comes back"), "still");
        proxy.restore().await;
        let mut new = TcpStream::connect(proxy.address()).await.expect("it accepts");
        assert_eq!(say(&mut new, "hello").await.expect("it comes back"), "hello");
    }

    #[tokio::test]
    async fn new_connections_go_where_they_are_told() {
        let (proxy, mut client) = start().await;
        say(&mut client, "hello").await.expect("it comes back");
        let nobody = SocketAddr::from(([127, 0, 0, 1], goalpost_processes::free_port()));
        proxy.forward_to(nobody);
        let mut new = TcpStream::connect(proxy.address()).await.expect("it accepts");
        assert!(say(&mut new, "hello").await.is_err());
        assert_eq!(say(&mut client, "still").await.expect("it comes back"), "still");
    }
}
