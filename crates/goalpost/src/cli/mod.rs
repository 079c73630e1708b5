//! The command line: what can be asked for, and who answers it.
//!
//! Results go to standard output and nothing else does, so that scripts can read them; remarks, progress, `error:` and
//! `hint:` lines go to standard error. A command ends with 0, with 1 if it failed, with 2 if it was not understood.
//! Every command works on a data folder while a server runs on it.

mod demo;
mod failure;
mod import;
mod lookup;
mod org;
mod printer;
mod sample_export;
mod serve;
mod token;
mod user;
mod view;

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use goalpost::app::App;
use goalpost::config::{Config, Overrides};
use tracing_subscriber::EnvFilter;

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
    /// Settings file [default: goalpost.toml in the data folder, if there is one]
    #[arg(long, global = true, env = "GOALPOST_CONFIG", hide_env_values = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Form of the result
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    output: Output,
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
    /// Read the ZIP of an organization that Viva Goals handed out
    Import(import::ImportArgs),
    /// List, make and delete Explorer views
    #[command(subcommand)]
    View(view::ViewCommand),
    /// List organizations, and say who may export
    #[command(subcommand)]
    Org(org::OrgCommand),
    /// List people, and link their sign-ins
    #[command(subcommand)]
    User(user::UserCommand),
    /// Print an access token for a person
    Token(token::TokenArgs),
}

/// What every command works with.
struct Session {
    config: Config,
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
        if goalpost::app::database_path(&self.config).exists() {
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
    start_log(matches!(cli.command, Command::Serve(_)));
    let SettingArgs { data, listen, public_url, config, output } = cli.settings;
    let mut session = Session {
        config: Config::load(&Overrides { config, data, listen, public_url })?,
        printer: Printer::new(output),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot start threads: {error}")))?;
    runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => demo::run(args, &mut session).await,
            Command::Serve(args) => serve::run(args, &mut session).await,
            Command::Import(args) => import::run(args, &session),
            Command::View(command) => view::run(command, &session).await,
            Command::Org(command) => org::run(command, &session).await,
            Command::User(command) => user::run(command, &session).await,
            Command::Token(args) => token::run(args, &session).await,
        }
    })
}

/// Log to standard error, by `GOALPOST_LOG` (such as `debug` or `goalpost=debug,warn`): text on a terminal, else JSON.
fn start_log(is_server: bool) {
    let default = if is_server { "info" } else { "warn" };
    let filter = EnvFilter::try_from_env("GOALPOST_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    if io::stderr().is_terminal() {
        log.compact().with_ansi(printer::wants_colour()).init();
    } else {
        log.json().init();
    }
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
