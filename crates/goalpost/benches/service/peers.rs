//! What the server is measured against: bare servers, which are this program once more, and queues of others.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio_postgres::NoTls;
use tokio_util::io::ReaderStream;

use crate::place::target;

/// Connections to PostgreSQL, as many as the server's own.
const CONNECTIONS: usize = 10;
/// Bytes that are read of a file at a time.
const PIECE: usize = 256 * 1024;

/// A program that is ended with this.
#[derive(Debug)]
pub(crate) struct Peer {
    process: Child,
    written: BufReader<ChildStdout>,
    /// The first line that a bare server wrote.
    pub(crate) address: String,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

impl Peer {
    /// A bare server: `/` answers constant JSON, `POST /` inserts a row by the URL, `/file` sends the file.
    pub(crate) fn bare(deed: &str, of: &str) -> anyhow::Result<Self> {
        let mut this = Self::start(Command::new(std::env::current_exe()?).args(["--peer", deed, of]))?;
        this.address = this.line()?;
        Ok(this)
    }

    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let started = command.stdout(Stdio::piped()).spawn();
        let mut process = started.with_context(|| format!("cannot start {command:?}"))?;
        let written = BufReader::new(process.stdout.take().context("no output")?);
        Ok(Self { process, written, address: String::new() })
    }

    /// The next line that it writes.
    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        ensure!(self.written.read_line(&mut line)? > 0, "it ended without a word");
        Ok(line.trim().to_owned())
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A worker of another queue that does so many jobs at a time.
    pub(crate) fn worker(queue: &str, url: &str, at_a_time: usize) -> anyhow::Result<Self> {
        Self::start(&mut node(queue, "work", url, at_a_time)?)
    }

    /// Wait until it listens for new jobs.
    pub(crate) fn until_it_listens(&mut self) -> anyhow::Result<()> {
        while self.line()? != "listening" {}
        Ok(())
    }

    /// The next numbers that it writes, so many.
    pub(crate) fn numbers(&mut self, count: usize) -> anyhow::Result<Vec<f64>> {
        let mut numbers = Vec::with_capacity(count);
        while numbers.len() < count {
            numbers.extend(self.line()?.parse::<f64>());
        }
        Ok(numbers)
    }
}

/// Let another queue do something: `add` or `ask`.
pub(crate) fn queue(queue: &str, deed: &str, url: &str, number: usize) -> anyhow::Result<()> {
    let status = node(queue, deed, url, number)?.status()?;
    ensure!(status.success(), "{queue} ended with {status}");
    Ok(())
}

fn node(queue: &str, deed: &str, url: &str, number: usize) -> anyhow::Result<Command> {
    // Modules are found beside the script.
    let installed = target().join("bench-queues");
    ensure!(
        installed.join("node_modules").exists(),
        "`cargo xtask bench --service` installs the other queues"
    );
    let script = installed.join("queues.mjs");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/service/peers/queues.mjs"), &script)?;
    let node = std::env::var_os("GOALPOST_BENCH_NODE").map_or_else(|| PathBuf::from("node"), PathBuf::from);
    let mut command = Command::new(node);
    command.arg(script).args([queue, deed, url, &number.to_string()]);
    Ok(command)
}

/// Be a bare server.
pub(crate) fn serve(deed: &str, of: &str) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let router = match deed {
            "constant" => {
                let text: Arc<str> = of.into();
                Router::new().route(
                    "/",
                    get(move || async move { ([(CONTENT_TYPE, "application/json")], text.to_string()) }),
                )
            }
            "insert" => insert(of).await?,
            _ => {
                let path = of.to_owned();
                Router::new().route("/", get(move || file(path.clone())))
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        Ok(axum::serve(listener, router).await?)
    })
}

async fn file(path: String) -> impl IntoResponse {
    let file = tokio::fs::File::open(path).await.expect("the file is there");
    let length = file.metadata().await.expect("it has a length").len();
    ([(CONTENT_LENGTH, length)], Body::from_stream(ReaderStream::with_capacity(file, PIECE)))
}

/// One insert a request, each committed by itself.
async fn insert(url: &str) -> anyhow::Result<Router> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        clients.push(client);
    }
    clients[0]
        .batch_execute("create table if not exists bare (id bigserial primary key, body text not null)")
        .await?;
    let mut prepared = Vec::new();
    for client in clients {
        let statement = client.prepare("insert into bare (body) values ($1) returning id").await?;
        prepared.push((client, statement));
    }
    let (prepared, turn) = (Arc::new(prepared), Arc::new(AtomicUsize::new(0)));
    let insert = move |Json(body): Json<serde_json::Value>| async move {
        let (client, statement) = &prepared[turn.fetch_add(1, Ordering::Relaxed) % CONNECTIONS];
        let row = client.query_one(statement, &[&body.to_string()]).await.expect("it is inserted");
        (StatusCode::CREATED, Json(serde_json::json!({ "id": row.get::<_, i64>(0) })))
    };
    Ok(Router::new().fallback(post(insert)))
}

/// How often a second 8 kB can be brought to the disk one after the other.
pub(crate) fn syncs_per_sec() -> anyhow::Result<f64> {
    let mut file = tempfile::tempfile_in(target())?;
    // Into bytes that the file has: no length is to be written down.
    file.write_all(&vec![1; 8192])?;
    file.sync_all()?;
    let (begun, mut syncs) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(1) {
        std::os::unix::fs::FileExt::write_all_at(&file, &[2; 8192], 0)?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / begun.elapsed().as_secs_f64())
}
