//! A client that keeps its connections, used for the server and its peers alike: bytes that are there go out, and of an
//! answer only its head is looked at.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Connections of a load, each with one request at a time.
pub(crate) const CONNECTIONS: usize = 32;

/// Linux counts processor time for programs in hundredths of a second.
const TICK: f64 = 0.01;

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    tcp: TcpStream,
    buffer: Vec<u8>,
}

/// What a load was.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) requests: usize,
    pub(crate) wall: Duration,
    /// Processor time of those that answered, seconds.
    pub(crate) cpu: f64,
}

impl Load {
    pub(crate) fn per_sec(&self) -> f64 {
        self.requests as f64 / self.wall.as_secs_f64()
    }

    /// Processor time of an answer, microseconds.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu * 1e6 / self.requests as f64
    }
}

impl Connection {
    pub(crate) async fn open(address: &str) -> anyhow::Result<Self> {
        let tcp = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
        tcp.set_nodelay(true)?;
        Ok(Self { tcp, buffer: Vec::with_capacity(256 * 1024) })
    }

    /// Send a request, and wait for its whole answer: status, and the body as far as it is short.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<(u16, Vec<u8>)> {
        self.tcp.write_all(request).await?;
        self.buffer.clear();
        let (head, status, length) = loop {
            ensure!(self.tcp.read_buf(&mut self.buffer).await? > 0, "the server closed the connection");
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let (status, length) = parse(std::str::from_utf8(&self.buffer[..at])?)?;
                break (at + 4, status, length);
            }
        };
        let mut came = self.buffer.len() - head;
        let short = length < 64 * 1024;
        while came < length {
            if !short {
                self.buffer.clear();
            }
            let read = self.tcp.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server cut its answer");
            came += read;
        }
        Ok((status, if short { self.buffer[head..].to_vec() } else { Vec::new() }))
    }

    /// The body of an answer that has to be good.
    pub(crate) async fn get(&mut self, request: &[u8]) -> anyhow::Result<Vec<u8>> {
        let (status, body) = self.ask(request).await?;
        if !(200..300).contains(&status) {
            bail!("the server answered {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }
}

/// Status and length of an answer.
fn parse(head: &str) -> anyhow::Result<(u16, usize)> {
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
    let lengths = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = lengths.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let (_, length) = lengths.next().context("an answer without a length")?;
    Ok((status, length.trim().parse()?))
}

/// Ask for so long, always the same; `of` answer it, each with its children.
pub(crate) async fn repeat(
    address: &str,
    of: &[u32],
    request: &[u8],
    during: Duration,
) -> anyhow::Result<Load> {
    let (until, request) = (Instant::now() + during, request.to_vec());
    drive(address, of, std::iter::from_fn(move || (Instant::now() < until).then(|| request.clone()))).await
}

/// Send all of these, each over the next connection that is free.
pub(crate) async fn drive<R>(address: &str, of: &[u32], requests: R) -> anyhow::Result<Load>
where
    R: IntoIterator<Item = Vec<u8>, IntoIter: Send + 'static>,
{
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(address).await?);
    }
    let requests = Arc::new(Mutex::new(requests.into_iter()));
    let next = move || requests.lock().unwrap_or_else(PoisonError::into_inner).next();
    let mut asking = JoinSet::new();
    let spent = || of.iter().map(|pid| cpu(*pid)).sum::<anyhow::Result<f64>>();
    let (begun, cpu_then) = (Instant::now(), spent()?);
    for mut connection in connections {
        let next = next.clone();
        asking.spawn(async move {
            let mut done = 0;
            while let Some(request) = next() {
                connection.get(&request).await?;
                done += 1;
            }
            Ok::<usize, anyhow::Error>(done)
        });
    }
    let mut requests = 0;
    while let Some(done) = asking.join_next().await {
        requests += done??;
    }
    Ok(Load { requests, wall: begun.elapsed(), cpu: spent()? - cpu_then })
}

/// Processor time of a process and its children, those that have ended included, in seconds.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<f64> {
    let mut ticks = 0;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(found) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // It may have ended meanwhile.
        let Ok(stat) = fs::read_to_string(format!("/proc/{found}/stat")) else { continue };
        let Some((_, fields)) = stat.rsplit_once(')') else { continue };
        let fields: Vec<&str> = fields.split_whitespace().collect();
        // Of proc_pid_stat(5): its parent; its own time, and that of children that have ended.
        let number =
            |at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok()).unwrap_or_default();
        if found == pid {
            ticks += (11..15).map(number).sum::<u32>();
        } else if number(1) == pid {
            ticks += number(11) + number(12);
        }
    }
    Ok(f64::from(ticks) * TICK)
}
