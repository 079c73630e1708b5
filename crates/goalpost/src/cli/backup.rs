//! `goalpost backup`.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use goalpost::backup::manifest::{LeftOut, Manifest, Why};
use goalpost::backup::save::{Source, save};
use serde_json::{Value, json};

use super::Session;
use super::failure::Failure;
use super::printer::{Progress, remark};

/// Copy everything of a server into a folder, while it runs
///
/// The rows are those of one instant, from SQLite and PostgreSQL alike, with the files of the exports that they speak of,
/// the own keys and the settings file. The folder holds secrets, and is made for the user alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost backup --out /var/backups/goalpost/2026-01-31
  goalpost backup --out ./backup --output json && goalpost restore ./backup --check")]
pub(super) struct BackupArgs {
    /// The folder, which must be empty or not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(args: &BackupArgs, session: &Session) -> Result<(), Failure> {
    let begun = Instant::now();
    let bar = Progress::bar();
    let manifest = tokio::task::block_in_place(|| {
        let source = Source::open(&session.config, session.overrides.config.as_deref())?;
        save(&source, &args.out, &mut |step| bar.at(&step.what, step.done, step.total))
    })?;
    drop(bar);
    for left in &manifest.left_out {
        tell_left_out(left);
    }
    session.printer.one(&summary(&manifest, begun), || {
        format!("`{}` holds {}\nTook           {}", args.out.display(), describe(&manifest), seconds(begun))
    })
}

/// What is wrong with files that are not where, or not what, they should be.
fn tell_left_out(left: &LeftOut) {
    let what = match left.why {
        Why::Expired => return,
        Why::Missing => "is not in the place for files",
        Why::Damaged => "is not what it was when it was made",
    };
    let LeftOut { organization, job, .. } = left;
    remark(
        "warning",
        &format!("the file of export {job} of organization {organization} {what}: it was left out"),
    );
}

/// A backup as JSON.
pub(super) fn summary(manifest: &Manifest, begun: Instant) -> Value {
    json!({
        "instant": manifest.instant,
        "schema": manifest.schema,
        "engine": manifest.engine,
        "rows": manifest.rows(),
        "exportFiles": manifest.contents.files,
        "leftOut": manifest.left_out.len(),
        "bytes": manifest.bytes(),
        "elapsedMs": begun.elapsed().as_millis() as u64,
    })
}

/// A backup in words.
pub(super) fn describe(manifest: &Manifest) -> String {
    format!(
        "the state of {} ({}, schema {})\nRows           {}\nExport files   {}\nBytes          {}",
        manifest.instant,
        manifest.engine,
        manifest.schema,
        manifest.rows(),
        manifest.contents.files,
        manifest.bytes(),
    )
}

/// How long it took.
pub(super) fn seconds(begun: Instant) -> String {
    format!("{:.1} s", begun.elapsed().as_secs_f64())
}
