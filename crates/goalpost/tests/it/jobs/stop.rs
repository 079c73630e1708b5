//! The server is asked to stop: nobody who heeds its readiness meets an error, what can end soon does, and the rest
//! goes back for the next server.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use goalpost_testing::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::process::{Folder, Server, create, until_status};
use super::{Row, eventually};

const SOON: Duration = Duration::from_secs(20);
/// A service manager's signal, to servers that drain for a second and are over after five.
const SETTINGS: &str = "[stop]\ndrain_secs = 1\ngrace_secs = 5\n";
const DRAIN: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(5);

impl Server {
    fn signal(&mut self, name: &str) {
        let pid = self.node.process().pid().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// The exit code, once the process has ended; and how long that took.
    async fn end(&mut self) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        let ended = eventually(SOON, "the server's end", async || self.node.process().ended()).await;
        (ended.code(), begun.elapsed())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_an_export_that_can_end_soon_ends_before_the_server_does() {
    let folder = Folder::new(50, SETTINGS);
    let server = folder.serve(&["--sandbox", "running=2s"]);
    let id = create(&server).await;
    until_status(&server, &id, "running", SOON).await;
    assert!(server.terminate().await.success());
    let row = Row::find(&folder.open().db, &id).unwrap();
    assert_eq!((row.state.as_str(), row.attempt), ("succeeded", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_an_export_that_cannot_end_soon_goes_to_another_server_without_losing_an_attempt() {
    let folder = Folder::new(50, SETTINGS);
    let mut server = folder.serve(&["--sandbox", "running=1h"]);
    let id = create(&server).await;
    until_status(&server, &id, "running", SOON).await;
    let other = folder.serve(&[]);
    server.signal("-TERM");
    let (code, took) = server.end().await;
    assert_eq!(code, Some(0));
    assert!(took <= GRACE, "{took:?}");
    // The lease would have been good for another ten seconds.
    let gone = Instant::now();
    until_status(&other, &id, "succeeded", SOON).await;
    assert!(gone.elapsed() < Duration::from_secs(3), "the other server waited: {:?}", gone.elapsed());
    assert_eq!(Row::find(&folder.open().db, &id).unwrap().attempt, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_of_clients_that_heed_readiness() {
    let folder = Folder::new(50, SETTINGS);
    let mut server = folder.serve(&[]);
    let id = create(&server).await;
    until_status(&server, &id, "succeeded", SOON).await;
    let answered = Arc::new(AtomicU64::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (client, id, answered) = (server.client.clone(), id.clone(), Arc::clone(&answered));
        clients.spawn(async move { ask_while_ready(&client, &id, number % 2 == 0, &answered).await });
    }
    eventually(SOON, "load", async || (answered.load(Ordering::Relaxed) > 200).then_some(())).await;
    let before = answered.load(Ordering::Relaxed);
    let asked = Instant::now();
    server.signal("-TERM");
    while let Some(client) = clients.join_next().await {
        client.expect("no request failed");
    }
    assert!(asked.elapsed() < DRAIN, "readiness was slow to end: {:?}", asked.elapsed());
    assert!(answered.load(Ordering::Relaxed) > before, "requests were answered after the signal");
    let (code, took) = server.end().await;
    assert_eq!(code, Some(0));
    assert!(took < GRACE, "{took:?}");
    assert!(asked.elapsed() >= DRAIN, "it left before its time: {:?}", asked.elapsed());
    assert!(!folder.log().contains("WARN") && !folder.log().contains("ERROR"), "{}", folder.log());
}

/// Ask again and again until the server is not ready, as a proxy does that looks every 100 ms.
async fn ask_while_ready(client: &Client, id: &str, downloads: bool, answered: &AtomicU64) {
    let mut looked = Instant::now();
    loop {
        let answer = if downloads { client.get_content(id).await } else { client.get_export(id).await };
        assert_eq!(answer.status, 200, "{}", answer.text());
        answered.fetch_add(1, Ordering::Relaxed);
        if looked.elapsed() > Duration::from_millis(100) {
            looked = Instant::now();
            match client.get("/readyz").await.status {
                200 => {}
                503 => return,
                other => panic!("readiness is {other}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_and_connections_closed_until_the_drain_is_over() {
    let folder = Folder::new(10, "[stop]\ndrain_secs = 2\ngrace_secs = 5\n");
    let mut server = folder.serve(&[]);
    assert_eq!(server.client.get("/readyz").await.header("connection"), None);
    server.signal("-TERM");
    eventually(SOON, "the stop", async || (server.client.get("/readyz").await.status == 503).then_some(()))
        .await;
    let answer = server.client.list_exports("").await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    // Claims have stopped.
    let id = create(&server).await;
    let (code, _) = server.end().await;
    assert_eq!(code, Some(0));
    assert_eq!(Row::find(&folder.open().db, &id).unwrap().state, "notStarted");
}

/// A download of some twenty megabytes that is read so many bytes at a time, ten times a second.
struct Download {
    stream: TcpStream,
    size: usize,
    read: usize,
}

impl Download {
    async fn begin(folder: &Folder, server: &Server) -> Self {
        folder.change("update goal set description = ?1", &"d".repeat(400_000));
        let id = create(server).await;
        until_status(server, &id, "succeeded", SOON).await;
        let size = server.client.get_content(&id).await.bytes.len();
        let request = server.client.request("GET", "/").build().unwrap();
        let authorization = request.headers()["authorization"].to_str().unwrap().to_owned();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        let address = server.url.trim_start_matches("http://").parse().unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let request = format!(
            "GET /beta/employeeExperience/goals/exportJobs/{id}/content HTTP/1.1\r\nhost: a\r\n\
             authorization: {authorization}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut this = Self { stream, size, read: 0 };
        assert!(this.piece(1000).await);
        this
    }

    /// Read a piece of so many bytes; `false` at the end.
    async fn piece(&mut self, bytes: usize) -> bool {
        let mut piece = vec![0; bytes];
        let until = self.read + bytes;
        while self.read < until {
            match self.stream.read(&mut piece[..until - self.read]).await {
                Ok(read) if read > 0 => self.read += read,
                _ => return false,
            }
        }
        true
    }

    /// Read on until the end, whoever makes it.
    async fn read_on(&mut self, bytes: usize) {
        let mut every = tokio::time::interval(Duration::from_millis(100));
        while self.piece(bytes).await {
            every.tick().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_download_ends_within_the_grace() {
    let folder = Folder::new(50, "[stop]\ndrain_secs = 0\ngrace_secs = 15\n");
    let mut server = folder.serve(&[]);
    let mut download = Download::begin(&folder, &server).await;
    server.signal("-TERM");
    let begun = Instant::now();
    download.read_on(1024 * 1024).await;
    assert!(begun.elapsed() > Duration::from_secs(1), "it was not slow: {:?}", begun.elapsed());
    assert!(download.read > download.size, "{} of {} bytes", download.read, download.size);
    assert_eq!(server.end().await.0, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_does_not_end_is_cut_and_the_server_ends_within_the_grace() {
    let folder = Folder::new(50, "[stop]\ndrain_secs = 0\ngrace_secs = 3\n");
    let mut server = folder.serve(&[]);
    let mut download = Download::begin(&folder, &server).await;
    server.signal("-TERM");
    let begun = Instant::now();
    let reading = tokio::spawn(async move {
        download.read_on(20_000).await;
        download
    });
    assert_eq!(server.end().await.0, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let download = reading.await.unwrap();
    assert!(download.read < download.size, "it was slower than the grace");
    assert!(folder.log().contains("cutting off"), "{}", folder.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_the_server_at_once() {
    let folder = Folder::new(10, "[stop]\ndrain_secs = 20\ngrace_secs = 30\n");
    let mut server = folder.serve(&[]);
    server.signal("-TERM");
    eventually(SOON, "the stop", async || (server.client.get("/readyz").await.status == 503).then_some(()))
        .await;
    server.signal("-TERM");
    let (code, took) = server.end().await;
    assert_eq!(code, Some(1));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_presses_ctrl_c_does_not_wait_for_a_drain() {
    let folder = Folder::new(10, "[stop]\ndrain_secs = 20\ngrace_secs = 30\n");
    let mut server = folder.serve(&[]);
    server.signal("-INT");
    let (code, took) = server.end().await;
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(3), "{took:?}");
}
