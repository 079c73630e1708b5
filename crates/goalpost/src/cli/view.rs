//! `goalpost view`.

use std::fs;
use std::path::Path;

use clap::{Args, Subcommand};
use goalpost::audit;
use goalpost::goals::filter::Filter;
use goalpost::ids::PersonNumber;
use goalpost::orgs::people;
use goalpost::views::{self, NewView, Selection, Sort, View, ViewError};
use goalpost::web::explorer_path;
use goalpost_db::Scope;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::failure::Failure;
use super::printer::plain;
use super::{Session, lookup};

/// List, make and delete Explorer views
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:
  goalpost view list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853")]
pub(super) enum ViewCommand {
    /// List the views of an organization, with the URL that carries both ids of an export
    List(ListArgs),
    /// Save a view; without a filter it holds every goal
    Create(CreateArgs),
    /// Delete a saved view; exports that were asked for before go on
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost view list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --output json")]
pub(super) struct ListArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost view create --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --name \"Every goal\"
  goalpost view create --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --name \"Late\" \\
    --filter '{\"due\":\"overdue\"}' --id 2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7")]
pub(super) struct CreateArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
    /// The view's name
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// The GUID that clients already name, instead of a new one
    #[arg(long, value_name = "GUID")]
    id: Option<Uuid>,
    /// E-mail of the person whose own view it is; without it the view belongs to the organization and all see it
    #[arg(long, value_name = "E-MAIL")]
    owner: Option<String>,
    /// Only goals that are below no other
    #[arg(long, conflicts_with = "flat")]
    top_level: bool,
    /// Every goal, one below the other; the default
    #[arg(long)]
    flat: bool,
    /// Let every member see the owner's view
    #[arg(long, requires = "owner")]
    public: bool,
    /// Which goals: JSON as docs/DATA.md describes it, or a file that holds it
    #[arg(long, value_name = "JSON-or-FILE")]
    filter: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost view delete --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --id 2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7")]
pub(super) struct DeleteArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
    /// The view's GUID
    #[arg(long, value_name = "GUID")]
    id: Uuid,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ViewEntry {
    id: Uuid,
    organization: Uuid,
    name: String,
    /// The owner's e-mail.
    owner: Option<String>,
    is_public: bool,
    is_preset: bool,
    top_level: bool,
    filter: Filter,
    url: String,
}

impl ViewEntry {
    fn new(view: View, organization: Uuid, owner: Option<String>, public_url: &str) -> Self {
        Self {
            id: view.guid,
            organization,
            name: view.name,
            owner,
            is_public: view.is_public,
            is_preset: view.preset.is_some(),
            top_level: view.selection.top_level,
            filter: view.selection.filter,
            url: format!("{public_url}{}", explorer_path(organization, view.guid)),
        }
    }
}

pub(super) async fn run(command: ViewCommand, session: &Session) -> Result<(), Failure> {
    match command {
        ViewCommand::List(args) => list(&args, session),
        ViewCommand::Create(args) => create(args, session).await,
        ViewCommand::Delete(args) => delete(args, session).await,
    }
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let (views, people) = session.open()?.db.snapshot(Scope::Global, |tx| {
        let organization = lookup::organization(tx, args.organization)?.number;
        Ok::<_, Failure>((views::queries::list(tx, organization)?, people::list(tx, organization)?))
    })?;
    let email = |number: PersonNumber| {
        people.iter().find(|person| person.number == number).map(|person| person.email.clone())
    };
    let public_url = session.public_url();
    let entries: Vec<_> = views
        .into_iter()
        .map(|view| {
            let owner = view.owner.and_then(email);
            ViewEntry::new(view, args.organization, owner, &public_url)
        })
        .collect();
    session.printer.list(&entries, ["NAME", "OWNER", "URL"], |view| {
        let owner = match &view.owner {
            Some(email) if view.is_public => format!("{email} (public)"),
            Some(email) => email.clone(),
            None => "-".to_owned(),
        };
        [view.name.clone(), owner, view.url.clone()]
    })
}

async fn create(args: CreateArgs, session: &Session) -> Result<(), Failure> {
    let filter = args.filter.as_deref().map(read_filter).transpose()?.unwrap_or_else(Filter::everything);
    let app = session.open()?;
    let guid = args.id.unwrap_or_else(|| app.ids.guid());
    let CreateArgs { organization: organization_guid, name, owner, top_level, public, .. } = args;
    let created = app.db.write(Scope::Global, move |tx| {
        let organization = lookup::organization(tx, organization_guid)?;
        let owner = owner.as_deref().map(|email| lookup::person(tx, &organization, email)).transpose()?;
        let new = NewView {
            guid,
            name: name.clone(),
            owner: owner.as_ref().map(|person| person.number),
            is_public: public || owner.is_none(),
            selection: Selection { filter: filter.clone(), top_level },
            flat: !top_level,
            sort: Sort::default(),
        };
        let view = views::create(tx, organization.number, &new, None)
            .map_err(|error| hinted(error, organization_guid))?;
        audit::record(tx, organization.number, None, "view.create", &guid.to_string(), &json!({}))?;
        Ok::<_, Failure>((view, owner.map(|person| person.email)))
    });
    let (view, owner) = created.await?;
    let entry = ViewEntry::new(view, organization_guid, owner, &session.public_url());
    session
        .printer
        .one(&entry, || format!("View  {}\nName  {}\nURL   {}", entry.id, plain(&entry.name), entry.url))
}

async fn delete(args: DeleteArgs, session: &Session) -> Result<(), Failure> {
    let DeleteArgs { organization, id } = args;
    let app = session.open()?;
    let deleted = app.db.write(Scope::Global, move |tx| {
        let number = lookup::organization(tx, organization)?.number;
        let view = views::delete(tx, number, id, None).map_err(|error| hinted(error, organization))?;
        audit::record(tx, number, None, "view.delete", &id.to_string(), &json!({}))?;
        Ok::<_, Failure>(view)
    });
    let view = deleted.await?;
    let value = json!({ "id": view.guid, "name": view.name });
    session.printer.one(&value, || format!("The view `{}` is deleted", plain(&view.name)))
}

/// The filter that the text is, or that the file of this name holds.
fn read_filter(text: &str) -> Result<Filter, Failure> {
    let held;
    let json = if text.trim_start().starts_with('{') {
        text
    } else {
        let path = Path::new(text);
        held = fs::read_to_string(path).map_err(|error| Failure::file("read filter", path, &error))?;
        &held
    };
    Filter::parse(json).map_err(|error| {
        Failure::new(format!("the filter is not understood: {error}"))
            .hint("a filter is JSON such as '{\"status\":{\"in\":[\"Behind\"]}}'; docs/DATA.md describes it")
    })
}

fn hinted(error: ViewError, organization: Uuid) -> Failure {
    match error {
        ViewError::Database(error) => error.into(),
        ViewError::GuidTaken(_) | ViewError::NotFound(_) => Failure::new(error.to_string())
            .hint(format!("`goalpost view list --organization {organization}` shows the views that exist")),
        ViewError::InvalidName | ViewError::IsPreset(_) => Failure::new(error.to_string()),
    }
}
