//! Clients that are slow on purpose are cut off at the limits of the settings; those that are only slow are not.

use std::time::{Duration, Instant};

use goalpost_testing::TestApp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::{SOON, metrics, value};
use crate::jobs::{create, eventually, insert_goals};

/// A server with little patience.
async fn start() -> TestApp {
    TestApp::start_with(|config| {
        config.connections.header_secs = 1;
        config.connections.body_bytes_per_sec = 1000;
        config.connections.stall_secs = 1;
        config.connections.idle_secs = 3;
    })
    .await
}

pub(super) async fn connect(t: &TestApp) -> TcpStream {
    TcpStream::connect(t.url.trim_start_matches("http://")).await.unwrap()
}

/// How long the server keeps a connection to which `piece` is written again and again.
async fn kept_while_dribbling(mut client: TcpStream, piece: &[u8]) -> Duration {
    let begun = Instant::now();
    let mut every = tokio::time::interval(Duration::from_millis(50));
    let mut answer = [0; 1024];
    while begun.elapsed() < SOON {
        tokio::select! {
            _ = every.tick() => if client.write_all(piece).await.is_err() { break },
            read = client.read(&mut answer) => if read.unwrap_or(0) == 0 { break },
        }
    }
    begun.elapsed()
}

/// How long the server keeps a connection on which the client does nothing.
async fn kept(mut client: TcpStream) -> Duration {
    let begun = Instant::now();
    let ended = tokio::time::timeout(SOON, client.read_to_end(&mut Vec::new())).await;
    ended.expect("the server ends it").ok();
    begun.elapsed()
}

#[track_caller]
fn assert_about(kept: Duration, expected: f64) {
    let kept = kept.as_secs_f64();
    assert!((expected - 0.1..expected + 2.5).contains(&kept), "{kept} s, not {expected} s");
}

async fn assert_cut(t: &TestApp, late: &str, times: u64) {
    let text = metrics(t).await;
    assert_eq!(
        value(&text, &format!(r#"goalpost_http_connections_cut_total{{late="{late}"}}"#)),
        times,
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_dribbles_is_cut_however_many_bytes_come() {
    let t = start().await;
    let mut client = connect(&t).await;
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ").await.unwrap();
    assert_about(kept_while_dribbling(client, b"a").await, 1.0);
    assert_cut(&t, "head", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_never_says_anything_is_cut() {
    let t = start().await;
    assert_about(kept(connect(&t).await).await, 1.0);
    // The beginning of an HTTP/2 connection, so that not even the version is known.
    let mut client = connect(&t).await;
    client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM").await.unwrap();
    assert_about(kept(client).await, 1.0);
    assert_cut(&t, "head", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_head_of_a_connection_may_not_dribble_either() {
    let t = start().await;
    let mut client = connect(&t).await;
    client.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(client.read(&mut [0; 4096]).await.unwrap() > 0);
    client.write_all(b"GET /healthz HTTP/1.1\r\nx-slow: ").await.unwrap();
    assert_about(kept_while_dribbling(client, b"a").await, 1.0);
    assert_cut(&t, "head", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_between_two_requests_is_kept_longer_than_a_head_may_take() {
    let t = start().await;
    let mut client = connect(&t).await;
    for pause in [0, 2, 0] {
        // The connection must outlive this time; nothing else is waited for.
        tokio::time::sleep(Duration::from_secs(pause)).await;
        client.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut answer = [0; 4096];
        let read = client.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200 "));
    }
    assert_about(kept(client).await, 3.0);
    assert_cut(&t, "idle", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_slower_than_it_may_is_cut() {
    let t = start().await;
    let head = |token: &str| {
        format!(
            "POST /beta/employeeExperience/goals/exportJobs HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: 60000\r\n\r\n"
        )
    };
    let token = t.token("ann@wren.example", goalpost_testing::READ_WRITE);
    // 60 bytes a second.
    let mut client = connect(&t).await;
    client.write_all(head(&token).as_bytes()).await.unwrap();
    assert_about(kept_while_dribbling(client, b"   ").await, 1.0);
    assert_cut(&t, "body", 1).await;
    // 20,000 bytes a second: three seconds, and then it is judged by what it says.
    let mut client = connect(&t).await;
    client.write_all(head(&token).as_bytes()).await.unwrap();
    assert_about(kept_while_dribbling(client, &[b' '; 1000]).await, 3.0);
    assert_cut(&t, "body", 1).await;
}

/// An export too large for the buffers between server and client; the bytes of a request for it.
pub(super) async fn large_export(t: &TestApp) -> (String, u64) {
    insert_goals(t, 4_000, 8_000);
    let id = create(t).await;
    assert!(t.run_one().await);
    let size = t.ann().get_content(&id).await.bytes.len() as u64;
    let token = t.token("ann@wren.example", goalpost_testing::READ);
    let request = format!(
        "GET /beta/employeeExperience/goals/exportJobs/{id}/content HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
         authorization: Bearer {token}\r\n\r\n"
    );
    (request, size)
}

/// A connection with a small buffer for what comes.
pub(super) async fn connect_small(t: &TestApp) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    socket.connect(t.url.trim_start_matches("http://").parse().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_its_download_is_cut() {
    let t = start().await;
    let (request, _) = large_export(&t).await;
    let mut client = connect_small(&t).await;
    client.write_all(request.as_bytes()).await.unwrap();
    let begun = Instant::now();
    eventually(SOON, "the end of the download", async || {
        let cut = value(&metrics(&t).await, r#"goalpost_exports_downloads_total{end="cut"}"#);
        (cut > 0).then_some(())
    })
    .await;
    assert_about(begun.elapsed(), 1.0);
    assert_cut(&t, "answer", 1).await;
    drop(client);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_slowly_gets_its_whole_download() {
    let t = TestApp::start_with(|config| config.connections.stall_secs = 3).await;
    let (request, size) = large_export(&t).await;
    let mut client = connect_small(&t).await;
    client.write_all(request.as_bytes()).await.unwrap();
    let begun = Instant::now();
    // A piece at a time with pauses of half as long as a client may take nothing; then the rest.
    let mut pieces = vec![0; 200 * 1024];
    let mut pauses = tokio::time::interval(Duration::from_millis(1_500));
    for _ in 0..4 {
        pauses.tick().await;
        client.read_exact(&mut pieces).await.unwrap();
    }
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    let read = (4 * pieces.len() + rest.len()) as u64;
    assert!(begun.elapsed() > Duration::from_secs(4), "it was not slow: {:?}", begun.elapsed());
    assert!(read > size, "{read} bytes of {size} and a head");
    assert_eq!(value(&metrics(&t).await, r#"goalpost_exports_downloads_total{end="cut"}"#), 0);
}

/// HTTP/2 has windows of its own: the connection is alive, but nothing more of this answer is let in.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_lets_nothing_in_over_http2_is_cut() {
    let t = start().await;
    let (_, _) = large_export(&t).await;
    let id = t.ann().list_exports("").await.json()["value"][0]["id"].as_str().unwrap().to_owned();
    let token = t.token("ann@wren.example", goalpost_testing::READ);
    let mut client = connect(&t).await;
    client
        .write_all(&http2_get(&format!("/beta/employeeExperience/goals/exportJobs/{id}/content"), &token))
        .await
        .unwrap();
    // Everything that arrives is read, and the connection is shown to be alive.
    let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    assert_about(kept_while_dribbling(client, &ping).await, 1.0);
    assert_cut(&t, "answer", 1).await;
}

/// The beginning of an HTTP/2 connection with one request (RFC 9113), its fields as literals (RFC 7541 §6.2.2).
fn http2_get(path: &str, token: &str) -> Vec<u8> {
    let mut fields = vec![0x82, 0x86];
    let mut field = |name: &str, value: &str| {
        fields.push(0);
        for text in [name, value] {
            let length = text.len();
            match length.checked_sub(127) {
                None => fields.push(length as u8),
                Some(mut rest) => {
                    fields.push(127);
                    while rest >= 128 {
                        fields.push((rest % 128 + 128) as u8);
                        rest /= 128;
                    }
                    fields.push(rest as u8);
                }
            }
            fields.extend(text.as_bytes());
        }
    };
    field(":path", path);
    field(":authority", "a");
    field("authorization", &format!("Bearer {token}"));
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend(&(fields.len() as u32).to_be_bytes()[1..]);
    bytes.extend([0x01, 0x05, 0, 0, 0, 1]); // HEADERS; END_STREAM, END_HEADERS; stream 1
    bytes.extend(fields);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_served_as_ever_beside_many_slow_clients() {
    let t = TestApp::start().await;
    let ann = t.ann();
    let mut slow = Vec::new();
    for _ in 0..400 {
        let mut client = connect(&t).await;
        client.write_all(b"GET / HTTP/1.1\r\nx-slow: ").await.unwrap();
        slow.push(client);
    }
    eventually(SOON, "400 connections", async || {
        (value(&metrics(&t).await, "goalpost_http_connections") >= 400).then_some(())
    })
    .await;
    let mut times = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        assert_eq!(ann.list_exports("").await.status, 200);
        times.push(begun.elapsed());
    }
    times.sort();
    assert!(times[45] < Duration::from_millis(500), "{times:?}");
}
