//! The running server: the doors, the worker and the sweeper, until it is told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::ServiceExt;
use axum::extract::Request;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::util::BoxCloneSyncService;

use crate::app::App;
use crate::config::Config;
use crate::exports::{expiry, worker::MakeExport};
use crate::jobs::Runner;
use crate::router;

/// How long open requests may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(15);

/// The address under which clients reach the server.
pub fn public_url(config: &Config, local: SocketAddr) -> String {
    config.public_url.clone().unwrap_or_else(|| format!("http://{local}"))
}

/// The worker of this process, not yet running.
pub fn runner(app: &App) -> Runner {
    let step = Arc::new(MakeExport(app.clone()));
    Runner::new(
        app.db.clone(),
        app.ids,
        app.figures(),
        app.config.exports.max_running,
        step,
        Arc::clone(&app.wake),
    )
}

/// Serve until `stop`: then no new request is taken, and open ones and running exports may finish.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let stopping = CancellationToken::new();
    let worker = tokio::spawn(runner(&app).run(stopping.clone()));
    let sweeper = tokio::spawn(expiry::run(app.clone(), stopping.clone()));
    let keys = tokio::spawn(app.identity.clone().keep_keys_fresh(stopping.clone()));
    let asked = stopping.clone();
    let serving = serve_http(&app, listener, async move {
        stop.await;
        asked.cancel();
    });
    let cut = async {
        stopping.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => served?,
        () = cut => tracing::warn!("cut off requests that did not end in time"),
    }
    stopping.cancel();
    for task in [worker, sweeper, keys] {
        task.await?;
    }
    Ok(())
}

/// Serve the doors alone, without a worker.
pub async fn serve_http(
    app: &App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let service = BoxCloneSyncService::new(router::service(app));
    axum::serve(listener, ServiceExt::<Request>::into_make_service(service))
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}
