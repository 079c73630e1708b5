use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use goalpost_processes::{Launch, Process, Signal, free_port};
use tempfile::TempDir;

use crate::services;

/// How long a server may take until it answers, on a machine that is busy with tests.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(20);

/// A server that is to run as a process of its own.
#[derive(Debug)]
pub struct NewNode {
    launch: Launch,
    own: TempDir,
    port: u16,
    ready: Option<String>,
}

/// A server in a process of its own, which can be killed, stopped for a while and started again. It is killed when this
/// is dropped, and when the test dies.
#[derive(Debug)]
pub struct Node {
    launch: Launch,
    process: Process,
    own: TempDir,
    port: u16,
    ready: Option<String>,
    http: reqwest::Client,
}

impl NewNode {
    /// Give it words of its command line. `--listen` and the address are added to them in the end.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.launch = self.launch.args(args);
        self
    }

    /// Set a variable of its environment, which has only `PATH` otherwise.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.launch = self.launch.env(name, value);
        self
    }

    /// Add what it logs to this file, instead of one of its own.
    #[must_use]
    pub fn log(mut self, path: &Path) -> Self {
        self.launch = self.launch.log_to(path);
        self
    }

    /// Listen on this port, where another one was before.
    #[must_use]
    pub fn on_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// It is ready when this path answers 200; otherwise when it answers anything at all.
    #[must_use]
    pub fn ready_at(mut self, path: &str) -> Self {
        self.ready = Some(path.to_owned());
        self
    }

    /// Its clock is off by this much from the start, such as `+1h`, `-90m` or `+3d`, and [`Node::shift_clock`] can move
    /// it. How long something takes, by the monotonic clock, it still knows.
    #[must_use]
    pub fn clock(mut self, offset: &str) -> Self {
        let file = clock_file(&self.own);
        write_clock(&file, offset);
        let settings = [("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("FAKETIME_NO_CACHE", "1")];
        self.launch = settings.into_iter().fold(self.launch, |launch, (name, value)| launch.env(name, value));
        self.launch =
            self.launch.env("LD_PRELOAD", services::faketime()).env("FAKETIME_TIMESTAMP_FILE", file);
        self
    }

    /// Start it, and wait until it is ready.
    pub async fn start(self) -> Node {
        let mut node = self.launch();
        node.until_ready().await;
        node
    }

    /// Start it without waiting.
    pub fn launch(self) -> Node {
        let Self { launch, own, port, ready } = self;
        let launch = launch.args(["--listen", &format!("127.0.0.1:{port}")]);
        let process = launch.clone().start().expect("it starts");
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build();
        Node { launch, process, own, port, ready, http: http.expect("an HTTP client") }
    }
}

impl Node {
    /// A server that this program is, such as `env!("CARGO_BIN_EXE_goalpost")`, on a free port.
    pub fn of(program: impl AsRef<OsStr>) -> NewNode {
        let own = TempDir::with_prefix("goalpost-node-").expect("a temporary folder");
        let launch = Launch::new(program, &own.path().join("log")).without_environment();
        // What makes files is tested, again and again.
        let launch = launch.env("GOALPOST_EXPORTS_REUSE", "false");
        NewNode { launch, own, port: free_port(), ready: None }
    }

    /// Where it listens: `http://127.0.0.1:port`; the same after it was started again.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens: `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Wait until it is ready.
    ///
    /// # Panics
    /// With its log, when it ends instead, or takes too long.
    pub async fn until_ready(&mut self) {
        let begun = Instant::now();
        while !self.is_ready().await {
            if let Some(status) = self.process.ended() {
                panic!("it ended with {status}: {}", self.process);
            }
            assert!(begun.elapsed() < PATIENCE, "it does not become ready: {}", self.process);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether it is ready now.
    pub async fn is_ready(&self) -> bool {
        let path = self.ready.as_deref().unwrap_or("/");
        match self.http.get(format!("{}{path}", self.url())).send().await {
            Ok(answer) => self.ready.is_none() || answer.status() == 200,
            Err(_) => false,
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stop it in the middle of what it does, as a machine without power for a while, until [`resume`](Self::resume).
    pub fn pause(&mut self) {
        self.process.send(Signal::SIGSTOP);
    }

    /// Let it go on.
    pub fn resume(&mut self) {
        self.process.send(Signal::SIGCONT);
    }

    /// Ask it to stop, as a service manager does.
    pub fn ask_to_stop(&mut self) {
        self.process.send(Signal::SIGTERM);
    }

    /// Ask it to stop, and wait for its end.
    ///
    /// # Panics
    /// With its log, when it does not end in time.
    pub async fn terminate(&mut self, within: Duration) -> ExitStatus {
        self.ask_to_stop();
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.ended() {
                return status;
            }
            assert!(begun.elapsed() < within, "it does not end: {}", self.process);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Start it where it was, once it has ended; it is ready when this returns.
    pub async fn start_again(&mut self) {
        assert!(self.process.ended().is_some(), "it runs");
        self.process = self.launch.clone().start().expect("it starts");
        self.until_ready().await;
    }

    /// Move its clock while it runs; it must have been made with [`NewNode::clock`].
    pub fn shift_clock(&self, offset: &str) {
        let file = clock_file(&self.own);
        assert!(file.exists(), "its clock is the machine's");
        write_clock(&file, offset);
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

fn clock_file(own: &TempDir) -> PathBuf {
    own.path().join("clock")
}

/// Put it there in one piece: the program reads it whenever it looks at its clock.
fn write_clock(file: &Path, offset: &str) {
    let new = file.with_extension("new");
    fs::write(&new, offset).and_then(|()| fs::rename(&new, file)).expect("the folder is writable");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tells its clocks, in microseconds: the one on the wall and the monotonic one.
    const CLOCK: &str = "
import http.server, sys, time
class Clock(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = f'{time.time_ns() // 1000} {time.monotonic_ns() // 1000}'.encode()
        self.send_response(200)
        self.send_header('Content-Length', len(text))
        self.end_headers()
        self.wfile.write(text)
host, port = sys.argv[-1].split(':')
http.server.ThreadingHTTPServer((host, int(port)), Clock).serve_forever()
";

    fn clock() -> NewNode {
        Node::of("python3").args(["-c", CLOCK])
    }

    async fn clocks(node: &Node) -> (i64, i64) {
        let answer = node.http.get(node.url()).send().await.expect("it answers");
        let text = answer.text().await.expect("a text");
        let (wall, monotonic) = text.split_once(' ').expect("two numbers");
        (wall.parse().expect("a number"), monotonic.parse().expect("a number"))
    }

    #[tokio::test]
    async fn a_node_answers_again_after_it_was_killed_or_stopped_for_a_while() {
        let mut node = clock().ready_at("/").start().await;
        let url = node.url();
        node.kill();
        assert!(!node.is_ready().await);
        node.start_again().await;
        assert_eq!(node.url(), url);
        node.pause();
        assert!(!node.is_ready().await);
        node.resume();
        assert!(node.is_ready().await);
        let status = node.terminate(PATIENCE).await;
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(Signal::SIGTERM as i32));
        assert!(node.log().contains("GET / HTTP/1.1"), "{}", node.log());
    }

    #[tokio::test]
    #[should_panic(expected = "no such setting")]
    async fn a_node_that_ends_says_why() {
        Node::of("sh").args(["-c", "echo no such setting >&2; exit 2"]).start().await;
    }

    #[tokio::test]
    async fn a_clock_is_off_and_jumps_while_the_node_runs() {
        let (right, shifted) = tokio::join!(clock().start(), clock().clock("+1h").start());
        for (offset, seconds) in [("+1h", 3_600), ("-1h", -3_600), ("+0", 0)] {
            shifted.shift_clock(offset);
            let ((wall, monotonic), (theirs, their_monotonic)) =
                (clocks(&right).await, clocks(&shifted).await);
            let off = (theirs - wall) - seconds * 1_000_000;
            assert!(off.abs() < 5_000_000, "{offset}: off by {off} µs");
            assert!((their_monotonic - monotonic).abs() < 5_000_000, "the monotonic clock does not jump");
        }
    }
}
