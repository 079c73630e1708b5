//! `goalpost import`.

use std::path::{Path, PathBuf};

use clap::Args;
use goalpost::goals::ObjectType;
use goalpost::imports::{self as bringing, ImportMap, ImportOptions, parse_label, report_table};
use goalpost::takeout;
use uuid::Uuid;

use super::Session;
use super::export::everything;
use super::failure::Failure;
use super::imports::{self, ImportCommand};
use super::printer::{Progress, remark};

/// Read what Viva Goals handed out: the ZIP of an organization, the CSV or workbook of a view, and more
///
/// Which of them it is, the file says itself. A table knows people by name only and shows a part: what it does not say stays
/// as it is here, and who is not found becomes an inactive person, unless --map says who is meant.
///
/// Tables that a Goalpost exported come back too: CSV, workbooks, JSON Lines and Parquet; CSV and JSON Lines also packed by
/// gzip or zstd.
///
/// The whole file is checked before anything is written, and is written whole or not at all; a running server goes on
/// answering. Importing the same file again changes nothing; a newer one updates.
///
/// A folder that `goalpost export --everything` wrote is read back too, with all ids and its history, where the
/// organization is not there yet.
///
/// The CSV of an organization's people is read too, and makes and changes people, who are known by e-mail address.
///
/// `goalpost import template` writes a workbook to fill in with goals of one's own. Of such a file the rows that cannot be
/// taken are left out, and told with their reasons.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "Examples:
  goalpost import export.zip --organization \"Contoso\" --dry-run
  goalpost import export.zip --organization \"Contoso\" \\
    --organization-id 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --label \"Big rock=objective\"
  goalpost import VivaGoals_15229_all_okrs_2025_11_20_1763665314.csv --organization \"Contoso\" --map people.toml
  goalpost import template --out new-goals.xlsx
  goalpost import new-goals.xlsx --organization \"Contoso\" --left-out left-out.csv
  goalpost import ./contoso --database postgres://goalpost@db.example.com/goalpost")]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    command: Option<ImportCommand>,
    /// The ZIP, or the table (CSV, workbook, JSON Lines, Parquet), or the folder of `goalpost export --everything`
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Name of the organization, made if the file's is not there yet
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// GUID of the organization, for one that clients already name
    #[arg(long, value_name = "GUID")]
    organization_id: Option<Uuid>,
    /// Check the file and say what would change; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove what the file no longer holds; its history stays
    #[arg(long)]
    prune: bool,
    /// Where a field was changed here and in the file, take the file's value
    #[arg(long)]
    take_file: bool,
    /// What a custom label means: objective, key result or initiative
    #[arg(long, value_name = "LABEL=TYPE", value_parser = parse_label)]
    label: Vec<(String, ObjectType)>,
    /// TOML: whose e-mail address a name of a table has, and what its headers mean
    #[arg(
        long,
        value_name = "FILE",
        long_help = "TOML with what the names and headers of a table mean:\n\n  [people]\n  \"Ada Quill\" = \"ada.quill@contoso.example\"\n  [headers]\n  \"Titel\" = \"Title\""
    )]
    map: Option<PathBuf>,
    /// Write what became of each element, and what was found, as CSV into a file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the rows of a template that were left out to this CSV, each with its reason
    #[arg(long, value_name = "FILE")]
    left_out: Option<PathBuf>,
}

pub(super) fn run(mut args: ImportArgs, session: &Session) -> Result<(), Failure> {
    let file = match (args.command.take(), args.file.take()) {
        (Some(command), _) => return imports::run(command, session),
        (None, Some(file)) => file,
        (None, None) => return Err(Failure::usage("name the file that is to be imported".to_owned())),
    };
    if file.is_dir() {
        return read_back(&file, &args, session);
    }
    let app = session.open_or_create()?;
    let map = args.map.as_deref().map_or_else(|| Ok(ImportMap::default()), read_map)?;
    let options = ImportOptions {
        organization_name: args.organization,
        organization_id: args.organization_id,
        dry_run: args.dry_run,
        prune: args.prune,
        take_file: args.take_file,
        labels: args.label,
        map,
        ids: app.ids,
        ..ImportOptions::default()
    };
    let bar = Progress::bar();
    let mut progress = |step| draw(&bar, step);
    let report = tokio::task::block_in_place(|| {
        bringing::run(&app.db, &app.config.data, &file, &options, &mut progress)
    })?;
    drop(bar);
    if let Some(path) = &args.report {
        let report = serde_json::to_value(&report)
            .map_err(|error| Failure::new(format!("the report cannot be printed: {error}")))?;
        std::fs::write(path, report_table(&report)).map_err(|error| Failure::file("write", path, &error))?;
    }
    if let (Some(path), Some(csv)) = (&args.left_out, report.left_out_csv()) {
        std::fs::write(path, csv).map_err(|error| Failure::file("write", path, &error))?;
    }
    session.printer.one(&report, || report.to_string())
}

/// Read a folder with everything of an organization.
fn read_back(file: &Path, args: &ImportArgs, session: &Session) -> Result<(), Failure> {
    let of_files = [
        ("--organization", args.organization.is_some()),
        ("--organization-id", args.organization_id.is_some()),
        ("--prune", args.prune),
        ("--take-file", args.take_file),
        ("--label", !args.label.is_empty()),
        ("--map", args.map.is_some()),
        ("--report", args.report.is_some()),
        ("--left-out", args.left_out.is_some()),
    ];
    if let Some((option, _)) = of_files.iter().find(|(_, is_given)| *is_given) {
        return Err(Failure::usage(format!(
            "{option} is for a ZIP or a CSV, and `{}` is a folder",
            file.display()
        ))
        .hint("a folder says everything itself: leave the option out"));
    }
    let app = session.open_or_create()?;
    let bar = Progress::bar();
    let manifest = tokio::task::block_in_place(|| {
        let tell = &mut |step: goalpost::backup::Progress| bar.at(&step.what, step.done, step.total);
        takeout::read::restore(&app.db, file, args.dry_run, tell)
    })?;
    drop(bar);
    let mut told = everything::summary(&manifest);
    told["dryRun"] = args.dry_run.into();
    session.printer.one(&told, || format!("Read back {}", everything::describe(&manifest)))?;
    if args.dry_run {
        remark("note", "this was a dry run: nothing was written");
    }
    Ok(())
}

fn read_map(path: &Path) -> Result<ImportMap, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    ImportMap::parse(&text).map_err(|error| {
        Failure::new(format!("`{}` is no map of names and headers: {error}", path.display()))
            .hint("it has `[people]` with lines such as `\"Name\" = \"mail@contoso.example\"`, and `[headers]` with lines such as `\"Titel\" = \"Title\"`")
    })
}

/// Show how far an import is.
pub(super) fn draw(bar: &Progress, step: bringing::Progress) {
    match step {
        bringing::Progress::Checking { done, total } => bar.at("checking", done, total),
        bringing::Progress::Writing { done, total } => bar.at("writing", done, total),
    }
}
