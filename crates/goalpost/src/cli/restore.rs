//! `goalpost restore`.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use goalpost::backup::check::check;
use goalpost::backup::restore;

use super::Session;
use super::backup::{describe, seconds, summary};
use super::failure::Failure;
use super::printer::Progress;

/// Check a backup, and write it to an empty data folder or database
///
/// Every file is checked against the hashes of the backup's manifest before anything is written. The settings of the backup hold unless
/// the data folder has a `goalpost.toml` of its own; a backup of SQLite can be restored to PostgreSQL and the other way
/// round. Pending exports are made anew once a server runs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost restore /var/backups/goalpost/2026-01-31 --check
  goalpost restore /var/backups/goalpost/2026-01-31 --data /var/lib/goalpost --verify
  goalpost restore ./backup --database postgres://goalpost@db.example.com/goalpost")]
pub(super) struct RestoreArgs {
    /// The folder that `goalpost backup` filled
    #[arg(value_name = "DIR")]
    backup: PathBuf,
    /// Only check it; nothing is written
    #[arg(long)]
    check: bool,
    /// Read back all that was written, and compare its hashes with those of the backup
    #[arg(long, conflicts_with = "check")]
    verify: bool,
}

pub(super) fn run(args: &RestoreArgs, session: &Session) -> Result<(), Failure> {
    let begun = Instant::now();
    let bar = Progress::bar();
    let (data, manifest) = tokio::task::block_in_place(|| {
        let tell = &mut |step: goalpost::backup::Progress| bar.at(&step.what, step.done, step.total);
        if args.check {
            return Ok::<_, Failure>((None, check(&args.backup, tell)?));
        }
        let config = restore::settings(&args.backup, &session.overrides)?;
        let manifest = restore::restore(&args.backup, &config, args.verify, tell)?;
        Ok((Some(config.data), manifest))
    })?;
    drop(bar);
    let mut value = summary(&manifest, begun);
    value["restored"] = data.is_some().into();
    value["verified"] = args.verify.into();
    session.printer.one(&value, || {
        let what = match &data {
            None => format!("`{}` is whole, and holds", args.backup.display()),
            Some(data) => format!("`{}` holds", data.display()),
        };
        format!("{what} {}\nTook           {}", describe(&manifest), seconds(begun))
    })
}
