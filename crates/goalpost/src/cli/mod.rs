//! The command line: what can be asked for, and who answers it.
//!
//! Results go to standard output and nothing else does, so that scripts can read them; remarks, progress, `error:` and
//! `hint:` lines go to standard error. A command ends with 0, with 1 if it failed, with 2 if it was not understood.
//! Every command works on a data folder while a server runs on it.

mod backup;
mod checkin;
mod completions;
mod deed;
mod demo;
mod export;
mod failure;
mod goal;
mod import;
mod imports;
mod log;
mod lookup;
mod migrate;
mod org;
#[cfg(feature = "otel")]
mod otel;
mod period;
mod printer;
mod restore;
mod said;
mod sample_export;
mod serve;
mod tag;
mod team;
mod token;
mod user;
mod view;
mod worker;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use goalpost::app::App;
use goalpost::config::{Config, LogFormat, Overrides, Variables};

use failure::Failure;
use printer::{Output, Printer};

/// A self-hosted goals (OKR) server that speaks Microsoft Graph beta's Viva Goals export API
#[derive(Debug, Parser)]
#[command(
    name = "goalpost",
    version,
    arg_required_else_help = true,
    after_help = "Examples:
  goalpost demo
  goalpost import export.zip --organization \"Contoso\" && goalpost serve"
)]
struct Cli {
    #[command(flatten)]
    settings: SettingArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
struct SettingArgs {
    /// Folder that holds everything of one server [default: ./goalpost-data]
    #[arg(long, global = true, env = "GOALPOST_DATA", hide_env_values = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address and port of the server [default: 127.0.0.1:8080]
    #[arg(long, global = true, env = "GOALPOST_LISTEN", hide_env_values = true, value_name = "ADDR:PORT", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Scheme, host and port under which clients reach the server [default: http and its address]
    #[arg(long, global = true, env = "GOALPOST_PUBLIC_URL", hide_env_values = true, value_name = "URL")]
    public_url: Option<String>,
    /// PostgreSQL database, as `postgres://user@host:5432/name` [default: an SQLite file in the data folder]
    #[arg(long, global = true, env = "GOALPOST_DATABASE", hide_env_values = true, value_name = "URL")]
    database: Option<String>,
    /// Folder or object store for the files of exports, such as `s3://bucket/prefix` [default: content in the data folder]
    #[arg(long, global = true, env = "GOALPOST_CONTENT", hide_env_values = true, value_name = "URL")]
    content: Option<String>,
    /// Settings file [default: goalpost.toml in the data folder, if there is one]
    #[arg(long, global = true, env = "GOALPOST_CONFIG", hide_env_values = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port that serves `/metrics` and nothing else [default: none]
    #[arg(long, global = true, env = "GOALPOST_METRICS_LISTEN", hide_env_values = true, value_name = "ADDR:PORT", value_parser = address)]
    metrics_listen: Option<SocketAddr>,
    /// Form of the log [default: text]
    #[arg(long, global = true, env = "GOALPOST_LOG_FORMAT", hide_env_values = true, value_enum)]
    log_format: Option<LogForm>,
    /// Whether an export of what has not changed points to the file of an earlier one [default: true]
    #[arg(long, global = true, env = "GOALPOST_EXPORTS_REUSE", hide = true, value_name = "BOOL")]
    exports_reuse: Option<bool>,
    /// Form of the result
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// The names of [`LogFormat`] on the command line.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LogForm {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

impl From<LogForm> for LogFormat {
    fn from(form: LogForm) -> Self {
        match form {
            LogForm::Text => Self::Text,
            LogForm::Json => Self::Json,
        }
    }
}

/// A clap value parser.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "write an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080".to_owned())
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make invented goals, serve them and show one export
    Demo(demo::DemoArgs),
    /// Serve the export API and make the exports
    Serve(serve::ServeArgs),
    /// Make the exports that other processes serve
    Worker(worker::WorkerArgs),
    /// Bring the database's schema up to date
    Migrate(migrate::MigrateArgs),
    /// Copy everything of a server into a folder, while it runs
    Backup(backup::BackupArgs),
    /// Check a backup, and write it to an empty data folder or database
    Restore(restore::RestoreArgs),
    /// Read what Viva Goals handed out: the ZIP of an organization, the CSV or workbook of a view, and more
    Import(import::ImportArgs),
    /// Write the goals of a view to a file
    Export(export::ExportArgs),
    /// List, make, change and delete Explorer views
    #[command(subcommand)]
    View(view::ViewCommand),
    /// List, make and change organizations
    #[command(subcommand)]
    Org(org::OrgCommand),
    /// List, add and change people, and link their sign-ins
    #[command(subcommand)]
    User(user::UserCommand),
    /// List, make and change teams
    #[command(subcommand)]
    Team(team::TeamCommand),
    /// List, make and change time periods
    #[command(subcommand)]
    Period(period::PeriodCommand),
    /// List, make and rename tags
    #[command(subcommand)]
    Tag(tag::TagCommand),
    /// Make, show, change and close goals
    #[command(subcommand)]
    Goal(goal::GoalCommand),
    /// Say how goals go
    #[command(subcommand)]
    Checkin(checkin::CheckInCommand),
    /// Print an access token for a person
    Token(token::TokenArgs),
    /// Print what a shell needs to complete commands
    Completions(completions::CompletionArgs),
    /// Print the manual, or write a page for each command
    Man(completions::ManArgs),
}

/// What every command works with.
struct Session {
    config: Config,
    /// What the command line and the environment say of it.
    overrides: Overrides,
    printer: Printer,
}

impl Session {
    /// Open the data folder, made if it is not there.
    fn open_or_create(&self) -> Result<App, Failure> {
        Ok(App::open(self.config.clone())?)
    }

    /// Open the data folder of a command that has nothing to do in an empty one.
    fn open(&self) -> Result<App, Failure> {
        let data = &self.config.data;
        if goalpost::app::database(&self.config)?.may_exist() {
            return self.open_or_create();
        }
        Err(Failure::new(format!("there are no Goalpost data in `{}`", data.display())).hint(
            "name the folder by `--data`, or fill one by `goalpost import` or `goalpost demo --no-serve`",
        ))
    }

    /// The address before every path that is shown to people.
    fn public_url(&self) -> String {
        goalpost::server::public_url(&self.config, self.config.listen)
    }
}

/// Read the command line, and do what it says.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            failure.exit_code()
        }
    }
}

fn execute(cli: Cli) -> Result<(), Failure> {
    let SettingArgs {
        data,
        listen,
        public_url,
        database,
        content,
        config,
        metrics_listen,
        log_format,
        exports_reuse: reuse,
        output,
    } = cli.settings;
    let (log_format, variables) = (log_format.map(LogFormat::from), Variables::of_process());
    let overrides = Overrides {
        config,
        data,
        listen,
        public_url,
        database,
        content,
        variables,
        metrics_listen,
        log_format,
        reuse,
    };
    let config = Config::load(&overrides)?;
    let mut session = Session { config, overrides, printer: Printer::new(output) };
    let level = if matches!(cli.command, Command::Serve(_) | Command::Worker(_)) { "info" } else { "warn" };
    let _log = log::start(session.config.observability.log_format, level)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot start threads: {error}")))?;
    let done = runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => demo::run(args, &mut session).await,
            Command::Serve(args) => serve::run(args, &mut session).await,
            Command::Worker(args) => worker::run(args, &mut session).await,
            Command::Migrate(args) => migrate::run(&args, &session),
            Command::Backup(args) => backup::run(&args, &session),
            Command::Restore(args) => restore::run(&args, &session),
            Command::Import(args) => import::run(args, &session),
            Command::Export(args) => export::run(args, &session).await,
            Command::View(command) => view::run(command, &session).await,
            Command::Org(command) => org::run(command, &session).await,
            Command::User(command) => user::run(command, &session).await,
            Command::Goal(command) => goal::run(command, &session).await,
            Command::Checkin(command) => checkin::run(command, &session).await,
            Command::Team(command) => team::run(command, &session).await,
            Command::Period(command) => period::run(command, &session).await,
            Command::Tag(command) => tag::run(command, &session).await,
            Command::Token(args) => token::run(args, &session).await,
            Command::Completions(args) => completions::complete(&args),
            Command::Man(args) => completions::man(&args),
        }
    });
    // A server that stopped has waited as long as it may; a thread that still makes a file must not hold it up.
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_every_command_has_an_example() {
        fn check(command: &clap::Command) {
            if command.get_name() == "help" {
                return;
            }
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("goalpost "), "`{}` has no example", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
