//! `goalpost worker`.

use clap::Args;
use goalpost::app;
use goalpost::server::{self, Listeners};

use super::failure::Failure;
use super::{Session, printer, serve};

/// Make the exports that other processes serve, and forget what is over, until stopped by Ctrl-C or SIGTERM
///
/// Listens on no address. Prints one line as soon as it takes exports. Any number of workers may run: on one machine
/// on the same data folder, on several on the same PostgreSQL database and the same place for files.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost worker
  goalpost worker --database postgres://goalpost@db.example.com/goalpost")]
pub(super) struct WorkerArgs {
    /// Exports made at the same time [default: 2, or as the settings say]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    max_running: Option<u16>,
}

pub(super) async fn run(args: WorkerArgs, session: &mut Session) -> Result<(), Failure> {
    if let Some(max_running) = args.max_running {
        session.config.exports.max_running = max_running.into();
    }
    let listeners = Listeners { main: None, metrics: serve::bind_metrics(session).await? };
    let app = serve::open(session).await?;
    let stop = serve::stop_signal(&session.config.stop)?;
    printer::write(&format!("Goalpost makes the exports of {}", app::database(&app.config)?))?;
    Ok(server::serve(app, listeners, stop).await?)
}
