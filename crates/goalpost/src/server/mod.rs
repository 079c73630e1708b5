//! The running server: the doors, the worker and the sweeper, until it is told to stop.

mod accept;
mod patience;
mod unread;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::config::Config;
use crate::exports::{expiry, worker::MakeExport};
use crate::imports::{self, worker::DoImport};
use crate::jobs::{Lease, Runner, Step, StepError};
use crate::nodes;
use crate::observe;
use crate::orgs::periods;
use crate::router;
use crate::stop::Stop;
use accept::Door;

/// What is kept of the grace for what has to be done once everything was cut off: giving jobs back.
const RESERVE: Duration = Duration::from_secs(2);

/// The address under which clients reach the server.
pub fn public_url(config: &Config, local: SocketAddr) -> String {
    config.public_url.clone().unwrap_or_else(|| format!("http://{local}"))
}

/// What jobs do, by their kind.
#[derive(Debug)]
struct ByKind {
    export: MakeExport,
    import: DoImport,
}

impl Step for ByKind {
    fn run(&self, lease: Lease) -> Pin<Box<dyn Future<Output = Result<(), StepError>> + Send + '_>> {
        if lease.kind == imports::KIND { self.import.run(lease) } else { self.export.run(lease) }
    }
}

/// The worker of this process, not yet running.
pub fn runner(app: &App) -> Runner {
    let step = Arc::new(ByKind { export: MakeExport(app.clone()), import: DoImport(app.clone()) });
    Runner::new(
        app.db.clone(),
        app.ids,
        app.figures(),
        app.config.exports.max_running,
        step,
        Arc::clone(&app.wake),
        Arc::clone(&app.metrics),
    )
    .begins_at(app.node.as_u64_pair().1 as usize)
}

/// The addresses of a server, taken.
#[derive(Debug)]
pub struct Listeners {
    /// For everybody; without it, the process only makes exports.
    pub main: Option<TcpListener>,
    /// For `/metrics`, if it has an address of its own.
    pub metrics: Option<TcpListener>,
}

/// Serve and, unless the settings say otherwise, make exports, until `stop`, whose answer says how long new requests are
/// taken all the same. Then open ones and running exports may finish; when the grace of the settings is over, counted
/// from `stop`, this has returned.
///
/// # Errors
/// A part of the server that ended by itself, and so by a panic.
pub async fn serve(
    app: App,
    listeners: Listeners,
    stop: impl Future<Output = Duration> + Send,
) -> anyhow::Result<()> {
    let mut parts = JoinSet::new();
    let serves = listeners.main.is_some();
    if app.config.worker {
        parts.spawn(runner(&app).run(app.stop.clone()));
        parts.spawn(expiry::run(app.clone()));
        parts.spawn(periods::run(app.clone()));
    }
    parts.spawn(nodes::stay(app.clone()));
    // Until nobody can make a job here any more.
    let relaying = app.clone();
    parts.spawn(async move {
        relaying.db.relay_wakes(&relaying.made, &relaying.wake, relaying.stop.closing()).await;
    });
    if let Some(listener) = listeners.main {
        let (identity, stopping) = (app.identity.clone(), app.stop.clone());
        parts.spawn(async move { identity.keep_keys_fresh(stopping).await });
        let served = app.clone();
        parts.spawn(async move { serve_http(&served, listener).await });
    }
    let until_the_end = Stop::default();
    let watched = listeners.metrics.map(|listener| {
        if let Ok(address) = listener.local_addr() {
            tracing::info!(%address, "serving metrics");
        }
        let door = door(&app, until_the_end.clone());
        tokio::spawn(door.serve(listener, observe::metrics::router(&app)))
    });

    let drain = tokio::select! {
        drain = stop => Some(drain),
        _ = parts.join_next() => None,
    };
    // Where nobody asks, there is nobody to turn away.
    let ended = end(&app, &mut parts, drain.filter(|_| serves).unwrap_or_default()).await;
    until_the_end.cut_off();
    if let Some(watched) = watched {
        watched.await.context("the door for metrics panicked")?;
    }
    drain.context("a part of the server ended by itself")?;
    ended
}

/// End everything by the end of the grace.
async fn end(app: &App, parts: &mut JoinSet<()>, drain: Duration) -> anyhow::Result<()> {
    let grace = Duration::from_secs(app.config.stop.grace_secs);
    let asked_at = Instant::now();
    let over_at = asked_at + grace.saturating_sub(RESERVE.min(grace / 5));
    app.stop.ask();
    tracing::info!(drain_secs = drain.as_secs_f64(), grace_secs = grace.as_secs(), "stopping");
    tokio::time::sleep_until((asked_at + drain).min(over_at)).await;
    app.stop.close();
    app.tasks.close();
    let mut ending = std::pin::pin!(async {
        while let Some(part) = parts.join_next().await {
            part.context("a part of the server panicked")?;
        }
        // Last, since open requests begin tasks.
        app.tasks.wait().await;
        anyhow::Ok(())
    });
    let mut ended = timeout_at(over_at, ending.as_mut()).await;
    if ended.is_err() {
        tracing::warn!("cutting off what did not end in time");
        app.stop.cut_off();
        ended = timeout_at(asked_at + grace, ending).await;
    }
    if let Ok(ended) = ended {
        ended?;
    } else {
        tracing::warn!("a job could not be given back in time; its lease lapses");
    }
    tracing::info!(elapsed_ms = asked_at.elapsed().as_millis() as u64, "stopped");
    Ok(())
}

/// Serve the doors alone, without a worker, until the app's stop; returns when the last connection has ended.
pub async fn serve_http(app: &App, listener: TcpListener) {
    door(app, app.stop.clone()).serve(listener, router::service(app)).await;
}

fn door(app: &App, stop: Stop) -> Door {
    Door { settings: Arc::new(app.config.connections.clone()), metrics: Arc::clone(&app.metrics), stop }
}
