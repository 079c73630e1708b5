//! `goalpost demo`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use goalpost::app::App;
use goalpost::demo::{self, Demo};
use goalpost::ids::Ids;
use goalpost::server;
use goalpost::web::{explorer_path, steps};
use goalpost_viva::sample;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinError;

use super::failure::Failure;
use super::printer::{self, Progress};
use super::{Session, import, sample_export, serve, token};

/// What the token in the lines to paste allows: exports, and everything behind them.
const SCOPES: &str = "Goals-Export.ReadWrite.All Goals.ReadWrite.All";
/// How long it lives.
const TOKEN_LIFE: Duration = Duration::from_hours(12);

/// Make invented goals, serve them and show one export
///
/// The organization and its view have the ids of the examples in Microsoft Graph's documentation. Run again on the
/// same data folder, it finds its data there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost demo
  goalpost demo --no-serve --data ./try
  goalpost demo --goals 100000 --seed 7 --write-zip sample.zip")]
pub(super) struct DemoArgs {
    /// How many goals
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    goals: u64,
    /// How many check-ins a goal has, on average, instead of the 2.3 of a real organization
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1_000))]
    check_ins: Option<u32>,
    /// Which of the possible organizations: the same number makes the same people and goals
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Only write the goals as a ZIP of the shape that Viva Goals handed out
    #[arg(long, value_name = "FILE", conflicts_with = "no_serve")]
    write_zip: Option<PathBuf>,
    /// Only make the data
    #[arg(long)]
    no_serve: bool,
}

pub(super) async fn run(args: DemoArgs, session: &mut Session) -> Result<(), Failure> {
    let options = sample::Options {
        goals: args.goals,
        check_ins: args.check_ins,
        seed: args.seed,
        ..sample::Options::default()
    };
    if let Some(path) = args.write_zip {
        return write_zip(&path, &options, session);
    }
    if args.no_serve {
        let demo = make(&session.open_or_create()?, &options)?;
        return tell(session, &demo);
    }
    let listeners = serve::bind(session).await?;
    let app = serve::open(session).await?;
    let demo = make(&app, &options)?;
    tell(session, &demo)?;
    let address = serve::address(&app, &listeners)?;
    let signalled = serve::stop_signal(&session.config.stop)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let mut serving = tokio::spawn(server::serve(app.clone(), listeners, async {
        tokio::select! { drain = signalled => drain, _ = stopped => Duration::ZERO }
    }));
    let shown = tokio::select! {
        ended = &mut serving => return end_of(ended),
        shown = show(session, &app, &demo, &address) => shown,
    };
    if let Err(failure) = shown {
        // Nobody receives it if the server has ended already.
        let _ = stop.send(());
        end_of(serving.await)?;
        return Err(failure);
    }
    end_of(serving.await)
}

fn end_of(served: Result<anyhow::Result<()>, JoinError>) -> Result<(), Failure> {
    Ok(served.map_err(|error| Failure::from_error(&error))??)
}

fn write_zip(path: &Path, options: &sample::Options, session: &Session) -> Result<(), Failure> {
    let bar = Progress::bar();
    let summary = tokio::task::block_in_place(|| {
        demo::write_zip(path, Ids.guid(), options, &mut |done| bar.at("inventing", done, options.goals))
    })?;
    drop(bar);
    let value = json!({
        "id": demo::ORGANIZATION,
        "file": path,
        "goals": summary.goals,
        "checkIns": summary.check_ins,
        "user": summary.demo_user_email,
    });
    session.printer.one(&value, || {
        format!(
            "`{}` holds {} goals and {} check-ins; {} is an organization owner",
            path.display(),
            summary.goals,
            summary.check_ins,
            summary.demo_user_email
        )
    })
}

fn make(app: &App, options: &sample::Options) -> Result<Demo, Failure> {
    let bar = Progress::bar();
    let mut progress = |step| match step {
        demo::Progress::Inventing { done, total } => bar.at("inventing", done, total),
        demo::Progress::Importing(step) => import::draw(&bar, step),
    };
    Ok(tokio::task::block_in_place(|| demo::make(app, options, &mut progress))?)
}

/// Where everything is.
fn tell(session: &Session, demo: &Demo) -> Result<(), Failure> {
    let url = format!("{}{}", session.public_url(), explorer_path(demo::ORGANIZATION, demo::VIEW));
    let value = json!({
        "id": demo::ORGANIZATION,
        "viewId": demo::VIEW,
        "url": url,
        "user": demo.user_email,
        "goals": demo.goals,
        "file": demo.zip,
    });
    session.printer.one(&value, || {
        format!(
            "Organization  {}\nView          {}\nURL           {url}\nUser          {} (an organization owner)\nGoals         {}, imported from `{}`",
            demo::ORGANIZATION,
            demo::VIEW,
            demo.user_email,
            demo.goals,
            demo.zip.display(),
        )
    })
}

/// Run one export as a client would, and say how to run the next.
async fn show(session: &Session, app: &App, demo: &Demo, address: &str) -> Result<(), Failure> {
    let token = token::issue(app, demo.user_email.clone(), SCOPES, TOKEN_LIFE).await?;
    let file = app.config.data.join("demo-export.csv");
    let spinner = Progress::spinner();
    let export = sample_export::run(app.config.listen, &token, &file, |what| spinner.say(what)).await?;
    drop(spinner);
    if session.printer.is_json() {
        return Ok(());
    }
    let steps = steps(address, &demo::ORGANIZATION.to_string(), &demo::VIEW.to_string());
    printer::write(&format!(
        "\nThe export {} is done; its {} bytes lie in `{}` and begin\n\n{}\n\nThe same by hand, in another terminal:\n\nTOKEN={token}\n\n{}\n\n{}\n\n{}\n\nGoals, check-ins and all else, with the same token: {address}/api/v1/docs\n\nGoalpost serves {address} until you stop it by Ctrl-C",
        export.job,
        export.bytes,
        file.display(),
        export
            .first_lines
            .iter()
            .map(|line| format!("  {}", printer::plain(line)))
            .collect::<Vec<_>>()
            .join("\n"),
        steps.create,
        steps.poll,
        steps.fetch,
    ))
}
