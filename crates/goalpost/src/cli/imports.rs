//! `goalpost import template`, `goalpost import list` and `goalpost import undo`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use goalpost::http::time::date_time;
use goalpost::imports::queries::{self, Listed};
use goalpost::imports::{template, undo};
use goalpost_db::Scope;
use serde::Serialize;
use uuid::Uuid;

use super::deed::Actor;
use super::failure::Failure;
use super::printer::{plain, remark};
use super::{Session, lookup};

#[derive(Debug, Subcommand)]
pub(super) enum ImportCommand {
    /// Write a template: a workbook to fill in with goals, and to import
    Template(TemplateArgs),
    /// List the imports of an organization, the last one first
    List(ListArgs),
    /// Take an import back: what it changed is again what it was
    Undo(UndoArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost import template --out new-goals.xlsx")]
pub(super) struct TemplateArgs {
    /// Where to write it
    #[arg(long, value_name = "FILE", default_value = "goals-template.xlsx")]
    out: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost import list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853")]
pub(super) struct ListArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
}

/// Take an import back: what it changed is again what it was
///
/// In one transaction: what the import brought goes, what it changed or removed is as before; the history has both. What
/// was changed since stands in the way, and so does what hangs on something that would go: then nothing is taken back,
/// and all of it is listed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost import undo --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853
  goalpost import undo --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 \\
    --import 019ac14e-6f5e-7c0a-8d3c-2f6f0c9f3b11")]
pub(super) struct UndoArgs {
    #[command(flatten)]
    actor: Actor,
    /// The import [default: the last one that changed something]
    #[arg(long, value_name = "GUID")]
    import: Option<Uuid>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ImportEntry {
    id: Uuid,
    created_date_time: String,
    status: String,
    file_name: String,
    revision: Option<i64>,
    added: Option<i64>,
    changed: Option<i64>,
    removed: Option<i64>,
}

impl From<Listed> for ImportEntry {
    fn from(import: Listed) -> Self {
        let count = |at: usize| import.counts.map(|counts| counts[at]);
        Self {
            id: import.id,
            created_date_time: date_time(import.created_at),
            status: import.status,
            revision: import.revision,
            added: count(0),
            changed: count(1),
            removed: count(2),
            file_name: import.file_name,
        }
    }
}

pub(super) fn run(command: ImportCommand, session: &Session) -> Result<(), Failure> {
    match command {
        ImportCommand::Template(args) => write_template(&args.out),
        ImportCommand::List(args) => list(&args, session),
        ImportCommand::Undo(args) => take_back(&args, session),
    }
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let imports = session.open()?.db.snapshot(Scope::Global, |tx| {
        let organization = lookup::organization(tx, args.organization)?.number;
        Ok::<_, Failure>(queries::list(tx, organization)?)
    })?;
    let entries: Vec<ImportEntry> = imports.into_iter().map(ImportEntry::from).collect();
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    session.printer.list(
        &entries,
        ["ID", "CREATED", "STATUS", "ADDED", "CHANGED", "REMOVED", "FILE"],
        |import| {
            [
                import.id.to_string(),
                import.created_date_time.clone(),
                import.status.clone(),
                number(import.added),
                number(import.changed),
                number(import.removed),
                plain(&import.file_name),
            ]
        },
    )
}

fn take_back(args: &UndoArgs, session: &Session) -> Result<(), Failure> {
    let app = session.open()?;
    let (organization, actor) = app.db.snapshot(Scope::Global, |tx| {
        let organization = lookup::organization(tx, args.actor.organization)?;
        let actor = args.actor.by.as_deref().map(|email| lookup::person(tx, &organization, email));
        Ok::<_, Failure>((organization, actor.transpose()?.map(|person| person.number)))
    })?;
    let undone = tokio::task::block_in_place(|| undo(&app.db, organization.number, args.import, actor))?;
    session.printer.one(&undone, || {
        format!(
            "took back import {} of `{}`\n  {} things are what they were, {} are gone\n  revision {}",
            undone.import,
            plain(&organization.name),
            undone.restored,
            undone.removed,
            undone.undone_revision
        )
    })
}

fn write_template(out: &Path) -> Result<(), Failure> {
    let bytes = template().map_err(|error| Failure::new(error.to_string()))?;
    let written = File::create_new(out).and_then(|mut file| file.write_all(&bytes));
    written.map_err(|error| Failure::file("write", out, &error))?;
    remark("note", &format!("`{}` is a template: fill it in, and import it", out.display()));
    Ok(())
}
