//! `goalpost export`.

mod client;
pub(super) mod everything;
mod remote;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use futures_util::TryStreamExt as _;
use goalpost::app::App;
use goalpost::exports::api::NewExport;
use goalpost::exports::options::{
    CheckInCells, Columns, Compression, DecimalMark, Format, FormulaGuard, KnownColumns, Labels, Links,
    Options, Profile, Rows, Separator, Tags,
};
use goalpost::exports::promise::{Promise, promise};
use goalpost::exports::queries::{self, Export};
use goalpost::exports::{ExportSpec, columns, content};
use goalpost::goals::history::revision_at;
use goalpost::identity::Member;
use goalpost::jobs::{JobKey, State};
use goalpost::views::{self, Preset, View};
use goalpost::{audit, server};
use goalpost_db::Scope;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::failure::Failure;
use super::printer::Progress;
use super::{Session, lookup};

/// Write the goals of a view to a file
///
/// The file holds what one person may see, by default an owner of the organization. Beside it stands a manifest, which
/// says what its columns are and how long it is.
///
/// With --everything it is a folder with all that the organization has, in open formats: goals, also restricted ones,
/// people, history. `goalpost import` reads it back.
///
/// With --server a server makes the file, for the person of the access token. A download that breaks off goes on where it
/// was, and the file is checked by its SHA-256.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost export --out goals.csv
  goalpost export --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --format xlsx --columns Id,Title,ownerEmails --out goals.xlsx
  goalpost export --everything --out ./contoso
  goalpost export --server https://goals.example.com --token-file token \\
    --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --out goals.csv
  goalpost export --list-columns")]
pub(super) struct ExportArgs {
    /// The organization's GUID [default: the only one that there is]
    #[arg(long, value_name = "GUID")]
    organization: Option<Uuid>,
    /// Write everything of the organization into a folder, which `goalpost import` reads back
    #[arg(long, conflicts_with_all = CHOICES)]
    everything: bool,
    /// The server to export from, instead of the data folder; `GOALPOST_TOKEN`, or a file, holds the access token
    #[arg(long, value_name = "URL", conflicts_with_all = ["everything", "person", "list_columns"])]
    server: Option<String>,
    /// File with the access token for that server
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
    /// The view's GUID [default: every goal]
    #[arg(long, value_name = "GUID")]
    view: Option<Uuid>,
    /// Whose rights the file is made by [default: the first owner of the organization]
    #[arg(long = "as", value_name = "E-MAIL")]
    person: Option<String>,
    /// The file to write, which must not be there; with --everything, the folder
    #[arg(long, value_name = "FILE", required_unless_present = "list_columns")]
    out: Option<PathBuf>,
    /// Write over the file if it is there
    #[arg(long)]
    force: bool,
    /// Kind of file [default: by the name of the file, else csv]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Names of columns, by commas; or viva, vivaOlder, all
    #[arg(long, value_name = "NAMES", default_value = "viva")]
    columns: String,
    /// What has a row
    #[arg(long, value_enum, default_value_t)]
    rows: Rows,
    /// Whether check-ins stand behind the columns of their goal
    #[arg(long, value_enum)]
    check_ins: Option<CheckInCells>,
    /// How several tags stand in a row
    #[arg(long, value_enum, default_value_t)]
    tags: Tags,
    /// How many levels below the view's goals come along, whether they are the view's or not
    #[arg(long, value_name = "LEVELS", default_value_t)]
    children: u32,
    /// In whose words types and statuses are called
    #[arg(long, value_enum, default_value_t)]
    labels: Labels,
    /// Zone, such as Europe/Berlin, by whose clocks it is told when something was written down [default: UTC]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// What leads to the server's page in a workbook
    #[arg(long, value_enum, default_value_t)]
    links: Links,
    /// How the file is packed [default: by the name of the file, else none]
    #[arg(long, value_enum)]
    compression: Option<Compression>,
    /// Who opens a CSV
    #[arg(long, value_enum, default_value_t)]
    profile: Profile,
    /// What stands between the cells of a CSV
    #[arg(long, value_enum)]
    separator: Option<Separator>,
    /// What stands before the decimals in a CSV
    #[arg(long, value_enum)]
    decimal_mark: Option<DecimalMark>,
    /// What becomes of texts in a CSV that a spreadsheet would take for formulas
    #[arg(long, value_enum)]
    formulas: Option<FormulaGuard>,
    /// The goals as they were on this day or at this instant
    #[arg(long, value_name = "DAY|INSTANT", value_parser = instant)]
    as_of: Option<Timestamp>,
    /// Only what changed since this day or instant, such as `asOf` in the manifest of an earlier file
    #[arg(long, value_name = "DAY|INSTANT", value_parser = instant, conflicts_with = "as_of")]
    since: Option<Timestamp>,
    /// Print every column that there is, and end
    #[arg(long)]
    list_columns: bool,
}

/// What may be chosen of a file, by the names of the arguments.
const CHOICES: [&str; 20] = [
    "view",
    "person",
    "force",
    "format",
    "columns",
    "rows",
    "check_ins",
    "tags",
    "children",
    "labels",
    "time_zone",
    "links",
    "compression",
    "profile",
    "separator",
    "decimal_mark",
    "formulas",
    "as_of",
    "since",
    "list_columns",
];

/// A clap value parser.
fn instant(text: &str) -> Result<Timestamp, String> {
    let day = || format!("{text}T00:00:00Z").parse().ok();
    text.parse().ok().or_else(day).ok_or_else(|| {
        "write a day such as 2026-01-31, or an instant such as 2026-01-31T12:00:00Z".to_owned()
    })
}

pub(super) async fn run(args: ExportArgs, session: &Session) -> Result<(), Failure> {
    if args.list_columns {
        let rows: Vec<_> = columns::COLUMNS
            .iter()
            .map(|c| json!({ "name": c.name, "type": c.kind.as_str(), "about": c.about }))
            .collect();
        let cell = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        return session.printer.list(&rows, ["Column", "Type", "What it says"], |row| {
            ["name", "type", "about"].map(|name| cell(row, name))
        });
    }
    if args.everything {
        return everything::run(args.organization, args.out, session);
    }
    let out = args.out.clone().ok_or_else(|| Failure::new("an export needs --out"))?;
    if out.exists() && !args.force {
        return Err(Failure::new(format!("`{}` is there already", out.display()))
            .hint("name another file, or say --force to write over it"));
    }
    let options = args.options(&out)?;
    let manifest = if args.server.is_some() {
        remote::run(&args, &options, &out).await?
    } else {
        options.check_origin(session.config.public_url.as_deref()).map_err(|why| {
            Failure::new(why).hint(
                "set `public_url` in the configuration file, or say --public-url https://goals.contoso.example",
            )
        })?;
        let app = session.open()?;
        let organization = args.organization.map_or_else(|| lookup::only_organization(&app.db), Ok)?;
        let (member, view, spec) = prepare(&app, &args, organization, options)?;
        let progress = Progress::bar();
        let export = make(&app, member, &NewExport::with_options(&view, &spec), &progress).await?;
        fetch(&app, &export, &out, &progress).await?
    };
    let beside = manifest_path(&out);
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| Failure::new(error.to_string()))?;
    fs::write(&beside, text + "\n").map_err(|error| Failure::file("write", &beside, &error))?;
    session.printer.one(&manifest, || {
        format!(
            "File      {}\nManifest  {}\nRows      {}\nBytes     {}\nSHA-256   {}",
            out.display(),
            beside.display(),
            manifest["rows"],
            manifest["bytes"],
            manifest["sha256"].as_str().unwrap_or_default()
        )
    })
}

impl ExportArgs {
    fn options(&self, out: &Path) -> Result<Options, Failure> {
        let name = out.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (name, packed) = match name.rsplit_once('.') {
            Some((rest, "gz")) => (rest, Compression::Gzip),
            Some((rest, "zst")) => (rest, Compression::Zstd),
            _ => (name, Compression::None),
        };
        let by_name = || match name.rsplit_once('.') {
            Some((_, "xlsx")) => Format::Xlsx,
            Some((_, "jsonl")) => Format::JsonLines,
            Some((_, "parquet")) => Format::Parquet,
            _ => Format::Csv,
        };
        let known = KnownColumns::WORDS.iter().any(|(word, _)| *word == self.columns);
        let columns = if known {
            serde_json::from_value(self.columns.clone().into())
                .map_err(|error| Failure::new(error.to_string()))?
        } else {
            Columns::Chosen(self.columns.split(',').map(|name| name.trim().to_owned()).collect())
        };
        let options = Options {
            format: self.format.unwrap_or_else(by_name),
            columns,
            rows: self.rows,
            check_ins: self.check_ins,
            tags: self.tags,
            children: self.children,
            labels: self.labels,
            time_zone: self.time_zone.clone(),
            links: self.links,
            compression: self.compression.unwrap_or(packed),
            profile: self.profile,
            separator: self.separator,
            decimal_mark: self.decimal_mark,
            byte_order_mark: None,
            formulas: self.formulas,
        };
        options.check().map_err(|why| {
            Failure::new(why)
                .hint("`goalpost export --help` shows what may be chosen, `--list-columns` the columns")
        })?;
        Ok(options)
    }
}

/// Who asks, for which view, and what for.
fn prepare(
    app: &App,
    args: &ExportArgs,
    organization: Uuid,
    options: Options,
) -> Result<(Member, View, ExportSpec), Failure> {
    app.db.write_alone(Scope::Global, Duration::from_secs(5), |tx| {
        let organization = lookup::organization(tx, organization)?;
        let person = match &args.person {
            Some(email) => lookup::person(tx, &organization, email)?,
            None => lookup::owner(tx, &organization)?,
        };
        let guid = args.view.unwrap_or_else(|| Preset::AllObjectives.guid(organization.guid));
        let view =
            views::queries::find_visible(tx, organization.number, guid, person.number)?.ok_or_else(|| {
                Failure::new(format!("there is no view `{guid}` that {} may see", person.email))
                    .hint(format!("`goalpost view list --organization {}` shows them all", organization.guid))
            })?;
        let mut spec = ExportSpec::freeze(&view).with(options);
        if let Some(at) = args.as_of {
            let moment = revision_at(tx, organization.number, at.as_microsecond())
                .map_err(|error| Failure::new(error.to_string()))?;
            spec = spec.as_of(moment);
        }
        if let Some(at) = args.since {
            let since = revision_at(tx, organization.number, at.as_microsecond())
                .map_err(|error| Failure::new(error.to_string()))?;
            spec.options.iter().try_for_each(Options::check_changes).map_err(Failure::new)?;
            if view.revision > since.revision {
                return Err(Failure::new("the view was changed since then, so it held other goals")
                    .hint("leave --since out: the whole file says what it holds now"));
            }
            spec = spec.since(since);
        }
        let id = person.number.0.to_string();
        audit::record(tx, organization.number, None, "exportByOperator", &id, &json!({ "view": guid }))?;
        let member = Member {
            organization: organization.number,
            organization_guid: organization.guid,
            person: person.number,
            active: true,
            // The operator decides.
            may_export: true,
        };
        Ok((member, view, spec))
    })
}

/// Promise the export, and make it here unless a server is quicker.
async fn make(app: &App, member: Member, new: &NewExport, progress: &Progress) -> Result<Export, Failure> {
    let runner = server::runner(app);
    let key = loop {
        match promise(app, member, new, None).await {
            Ok(Promise::Made(key, _)) => break key,
            Ok(Promise::Pending(key)) => {
                let pending = app.db.read(member.organization, |tx| queries::find_any(tx, &member, key.id));
                if pending.await?.is_some_and(|export| export.job.creator == Some(member.person)) {
                    break key;
                }
                // What somebody else may see is for nobody but them.
                progress.say("waiting for the same export of somebody else");
                if !runner.run_one().await? {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            Ok(Promise::Gone) => {}
            Err(error) => return Err(Failure::new(error.message().to_owned())),
        }
    };
    loop {
        let export = find(app, &member, key).await?;
        match export.job.state {
            State::Succeeded => return Ok(export),
            State::Failed => {
                return Err(Failure::new(format!(
                    "the export failed: {}",
                    export.job.status_detail.unwrap_or_default()
                )));
            }
            State::NotStarted | State::Running => {}
        }
        progress.say("making the file");
        // A server on the same data may have been quicker to take it.
        if !runner.run_one().await? {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn find(app: &App, member: &Member, key: JobKey) -> Result<Export, Failure> {
    let found = app.db.read(member.organization, |tx| queries::find_any(tx, member, key.id)).await?;
    found.ok_or_else(|| Failure::new("the export was taken away while it was made"))
}

/// Copy the file, whole or not at all; its manifest.
async fn fetch(app: &App, export: &Export, out: &Path, progress: &Progress) -> Result<Value, Failure> {
    let content = export.content.as_ref().ok_or_else(|| Failure::new("the export has no file"))?;
    let unread =
        |error: &dyn std::fmt::Display| Failure::new(format!("cannot read the file of the export: {error}"));
    let key = export.job.key;
    let reading = content::open(app, key, content, 0..content.size_bytes).await;
    let mut bytes = reading.map_err(|error| unread(&error))?.bytes;
    let unwritten = |error| Failure::file("write", out, &error);
    let beside = beside(out, export.job.key.id);
    let mut file = File::create(&beside).map_err(unwritten)?;
    let mut done = 0;
    let copied = loop {
        match bytes.try_next().await {
            Ok(Some(piece)) => {
                if let Err(error) = file.write_all(&piece) {
                    break Err(unwritten(error));
                }
                done += piece.len() as u64;
                progress.at("copying the file", done, content.size_bytes);
            }
            Ok(None) => break file.sync_all().map_err(unwritten),
            Err(error) => break Err(unread(&error)),
        }
    };
    let placed = copied.and_then(|()| fs::rename(&beside, out).map_err(unwritten));
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    placed?;
    let manifest = app.db.read(key.organization, |tx| queries::find_manifest(tx, key)).await?;
    let manifest = manifest.and_then(|text| serde_json::from_str(&text).ok());
    manifest.ok_or_else(|| Failure::new("the export has no manifest"))
}

/// Where a file is until it is whole: in the folder where it belongs, under a name of this process alone.
fn beside(out: &Path, export: Uuid) -> PathBuf {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.join(format!(".goalpost-{export}-{}", std::process::id()))
}

/// `goals.csv.manifest.json` beside `goals.csv`.
fn manifest_path(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".manifest.json");
    PathBuf::from(name)
}
