//! `goalpost serve`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use goalpost::app::App;
use goalpost::config::Stop;
use goalpost::nodes;
use goalpost::server::{self, Listeners};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Session;
use super::failure::Failure;
use super::printer::{self, remark};

/// Serve the export API and make the exports, until stopped by Ctrl-C or SIGTERM
///
/// Prints one line with its address as soon as it answers. A second signal ends it at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost serve --listen 127.0.0.1:8080
  goalpost serve --public-url https://goals.example.com
  goalpost serve --no-worker --database postgres://goalpost@db.example.com/goalpost
  goalpost serve --sandbox not-started=1s running=2s")]
pub(super) struct ServeArgs {
    /// Leave making the exports to other processes: `goalpost worker`
    #[arg(long)]
    no_worker: bool,
    /// Delay or fail on purpose, for tests of clients: not-started=1s, running=2s, retry-after=1, fail-view=GUID,
    /// burst=50, expire-after=10s
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    sandbox: Vec<String>,
}

pub(super) async fn run(args: ServeArgs, session: &mut Session) -> Result<(), Failure> {
    for setting in &args.sandbox {
        session.config.sandbox.set(setting)?;
    }
    session.config.worker = !args.no_worker;
    let listeners = bind(session).await?;
    let app = open(session).await?;
    if session.config.sandbox.is_on() {
        remark("SANDBOX", &format!("this server delays or fails on purpose: {}", args.sandbox.join(", ")));
    }
    // Before anybody can know that the server is there, and ask it to stop.
    let stop = stop_signal(&session.config.stop)?;
    printer::write(&format!("Goalpost serves {}", address(&app, &listeners)?))?;
    Ok(server::serve(app, listeners, stop).await?)
}

/// Open the data folder, made if it is not there, as a node among others, and see whether the place for files can be used.
pub(super) async fn open(session: &Session) -> Result<App, Failure> {
    let app = session.open_or_create()?;
    app.content.probe(&app.ids.guid().to_string()).await?;
    nodes::join(&app).await?;
    Ok(app)
}

/// Take the addresses that the settings name. From then on connections queue, so a client need not wait for more; and
/// `listen` is the address in fact, if the settings left its port open.
pub(super) async fn bind(session: &mut Session) -> Result<Listeners, Failure> {
    let main;
    (main, session.config.listen) = listener(session.config.listen).await?;
    Ok(Listeners { main: Some(main), metrics: bind_metrics(session).await? })
}

/// Take the address of the metrics, if they have one of their own.
pub(super) async fn bind_metrics(session: &mut Session) -> Result<Option<TcpListener>, Failure> {
    Ok(match &mut session.config.observability.metrics_listen {
        Some(wanted) => {
            let metrics;
            (metrics, *wanted) = listener(*wanted).await?;
            Some(metrics)
        }
        None => None,
    })
}

async fn listener(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let bound = async {
        let listener = TcpListener::bind(wanted).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bound.await.map_err(|error: std::io::Error| {
        Failure::from(anyhow::Error::from(error).context(format!("cannot listen on {wanted}")))
    })
}

/// The address that people use.
pub(super) fn address(app: &App, listeners: &Listeners) -> Result<String, Failure> {
    let local = listeners.main.as_ref().map_or(Ok(app.config.listen), TcpListener::local_addr);
    let local = local.map_err(|error| Failure::new(format!("cannot tell my address: {error}")))?;
    Ok(server::public_url(&app.config, local))
}

/// Ends when the process is asked to stop, and says how long new requests are still to be taken: as the settings say
/// after SIGTERM, as service managers send it; not at all after Ctrl-C, for which a person waits. From now on neither
/// ends the process by itself, but the second of them does.
pub(super) fn stop_signal(settings: &Stop) -> Result<impl Future<Output = Duration> + Send + use<>, Failure> {
    let listen =
        |kind| signal(kind).map_err(|error| Failure::new(format!("cannot listen for signals: {error}")));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let drain = Duration::from_secs(settings.drain_secs);
    Ok(async move {
        let drain = tokio::select! {
            _ = interrupt.recv() => Duration::ZERO,
            _ = terminate.recv() => drain,
        };
        tokio::spawn(end_at_once(interrupt, terminate));
        drain
    })
}

/// The second signal: leases lapse, downloads break, nothing else is lost.
async fn end_at_once(mut interrupt: Signal, mut terminate: Signal) {
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    remark("STOPPED", "at once, by a second signal");
    std::process::exit(1);
}
