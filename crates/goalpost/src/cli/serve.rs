//! `goalpost serve`.

use clap::Args;
use goalpost::app::App;
use goalpost::server;
use tokio::net::TcpListener;

use super::Session;
use super::failure::Failure;
use super::printer::{self, remark};

/// Serve the export API and make the exports, until stopped by Ctrl-C or SIGTERM
///
/// Prints one line with its address as soon as it answers.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost serve --listen 127.0.0.1:8080
  goalpost serve --public-url https://goals.example.com
  goalpost serve --sandbox not-started=1s running=2s")]
pub(super) struct ServeArgs {
    /// Delay or fail on purpose, for tests of clients: not-started=1s, running=2s, retry-after=1, fail-view=GUID,
    /// burst=50, expire-after=10s
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    sandbox: Vec<String>,
}

pub(super) async fn run(args: ServeArgs, session: &mut Session) -> Result<(), Failure> {
    for setting in &args.sandbox {
        session.config.sandbox.set(setting)?;
    }
    let listener = bind(session).await?;
    let app = session.open_or_create()?;
    if session.config.sandbox.is_on() {
        remark("SANDBOX", &format!("this server delays or fails on purpose: {}", args.sandbox.join(", ")));
    }
    printer::write(&format!("Goalpost serves {}", address(&app, &listener)?))?;
    Ok(server::serve(app, listener, stop_signal()).await?)
}

/// Take the address that the settings name. From then on connections queue, so a client need not wait for more; and
/// `listen` is the address in fact, if the settings left its port open.
pub(super) async fn bind(session: &mut Session) -> Result<TcpListener, Failure> {
    let listen = session.config.listen;
    let bound = async {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    let (listener, address) = bound.await.map_err(|error: std::io::Error| {
        Failure::from(anyhow::Error::from(error).context(format!("cannot listen on {listen}")))
    })?;
    session.config.listen = address;
    Ok(listener)
}

/// The address that people use.
pub(super) fn address(app: &App, listener: &TcpListener) -> Result<String, Failure> {
    let local =
        listener.local_addr().map_err(|error| Failure::new(format!("cannot tell my address: {error}")))?;
    Ok(server::public_url(&app.config, local))
}

/// Ends when the process is asked to stop: Ctrl-C, or SIGTERM as service managers send it.
pub(super) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} },
        Err(_) => drop(interrupt.await),
    }
}
