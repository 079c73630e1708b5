//! `goalpost migrate`.

use clap::Args;
use goalpost::app;
use goalpost_db::{Db, SCHEMA_VERSION, Version};
use serde_json::json;

use super::Session;
use super::failure::Failure;

/// Bring the database's schema up to date, and say from which version to which
///
/// A node does this by itself when it starts, unless the settings say `migrate = false` under `[database]`. Nodes of
/// an earlier version go on working meanwhile and after it, as long as the first number of the schema is theirs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost migrate
  goalpost migrate --check
  goalpost migrate --database postgres://goalpost@db.example.com/goalpost --output json")]
pub(super) struct MigrateArgs {
    /// Change nothing; end with 1 if the schema is not up to date
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &MigrateArgs, session: &Session) -> Result<(), Failure> {
    let location = app::database(&session.config)?;
    let from = tokio::task::block_in_place(|| Db::version_of(&location))?;
    if args.check {
        return check(from, session);
    }
    let to = tokio::task::block_in_place(|| app::migrate(&session.config))?;
    let value = json!({ "from": from.map(|from| from.to_string()), "to": to.to_string() });
    session.printer.one(&value, || match from {
        None => format!("Made schema {to}"),
        Some(from) if from < to => format!("Brought schema {from} to {to}"),
        Some(_) => format!("Schema {to} is up to date"),
    })
}

fn check(found: Option<Version>, session: &Session) -> Result<(), Failure> {
    let admitted = Db::admit(found);
    let value = json!({
        "schema": found.map(|found| found.to_string()),
        "needed": SCHEMA_VERSION.to_string(),
        "upToDate": admitted.is_ok(),
    });
    if admitted.is_ok() || session.printer.is_json() {
        session
            .printer
            .one(&value, || format!("Schema {} is up to date", found.unwrap_or(SCHEMA_VERSION)))?;
    }
    Ok(admitted?)
}
