//! `goalpost view`.

use std::fs;
use std::path::Path;

use clap::{Args, Subcommand};
use goalpost::audit;
use goalpost::exports::options::Options;
use goalpost::goals::filter::Filter;
use goalpost::ids::PersonNumber;
use goalpost::orgs::people::{self, Person};
use goalpost::views::{self, NewView, Selection, Share, Sort, View, ViewChange, ViewError};
use goalpost::web::explorer_path;
use goalpost_db::Scope;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::deed::{self, Actor, Place};
use super::failure::Failure;
use super::printer::plain;
use super::{Session, lookup};

/// List, make, change and delete Explorer views
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:
  goalpost view list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853")]
pub(super) enum ViewCommand {
    /// List the views of an organization, with the URL that carries both ids of an export
    List(ListArgs),
    /// Show one view
    Show(ShowArgs),
    /// Save a view; without a filter it holds every goal
    Create(CreateArgs),
    /// Change a saved view; exports that were asked for before go on with what it was
    Update(UpdateArgs),
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
    /// Only what this person may see
    #[arg(long, value_name = "E-MAIL")]
    visible_to: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost view show --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --id 2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7")]
pub(super) struct ShowArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
    /// The view's GUID
    #[arg(long, value_name = "GUID")]
    id: Uuid,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost view update --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --id 2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7 \\
    --name \"Late this quarter\" --filter 'due=overdue&period=current' --sort 'status, due'
  goalpost view update --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --id 2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7 \\
    --share ada@contoso.example --share Harbour")]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    actor: Actor,
    /// The view's GUID
    #[arg(long, value_name = "GUID")]
    id: Uuid,
    /// Another name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Whether every member sees the owner's view
    #[arg(long, value_name = "true|false")]
    public: Option<bool>,
    /// E-mail or team that the owner's view is shown to: all of them, instead of those before; an empty
    /// text shows it to nobody else
    #[arg(long, value_name = "E-MAIL-or-TEAM")]
    share: Vec<String>,
    /// Whether goals below others are left out
    #[arg(long, value_name = "true|false")]
    top_level: Option<bool>,
    /// Whether a page shows them one below the other, not as a tree
    #[arg(long, value_name = "true|false")]
    flat: Option<bool>,
    /// In which order a page shows them: up to four of id, priority, title, owner, period, start, due, progress, status,
    /// updated, created, checkIn, each with asc or desc
    #[arg(long, value_name = "ORDER")]
    sort: Option<Sort>,
    /// Which goals: JSON or the URL form as docs/DATA.md describes them, or a file that holds one
    #[arg(long, value_name = "FILTER-or-FILE")]
    filter: Option<String>,
    /// How the files look that Graph clients get of it: options of an export as JSON (docs/API-V1.md, "Exports"), or
    /// `none` for those of Viva Goals
    #[arg(long, value_name = "JSON|none", value_parser = api_settings)]
    api_settings: Option<ApiSettings>,
}

/// What `--api-settings` says: JSON, or nothing.
#[derive(Clone, Debug)]
struct ApiSettings(Option<String>);

/// A clap value parser.
fn api_settings(text: &str) -> Result<ApiSettings, String> {
    if text == "none" {
        return Ok(ApiSettings(None));
    }
    let json = serde_json::from_str(text)
        .map_err(|error| format!("write JSON such as {{\"format\":\"xlsx\"}}, or none: {error}"))?;
    Options::parse(json)?;
    Ok(ApiSettings(Some(text.to_owned())))
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
    /// E-mail or team that the owner's view is shown to besides
    #[arg(long, value_name = "E-MAIL-or-TEAM", requires = "owner")]
    share: Vec<String>,
    /// In which order a page shows them: up to four of id, priority, title, owner, period, start, due, progress, status,
    /// updated, created, checkIn, each with asc or desc
    #[arg(long, value_name = "ORDER", default_value = "id")]
    sort: Sort,
    /// Which goals: JSON or the URL form as docs/DATA.md describes them, or a file that holds one
    #[arg(long, value_name = "FILTER-or-FILE")]
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
    /// E-mails of people, and numbers of teams.
    shared_with: Vec<serde_json::Value>,
    is_preset: bool,
    top_level: bool,
    /// `flat` or `tree`.
    layout: &'static str,
    sort: String,
    filter: Filter,
    /// How the files of the Graph door look.
    api_settings: Option<serde_json::Value>,
    url: String,
}

impl ViewEntry {
    fn new(view: View, organization: Uuid, people: &[Person], public_url: &str) -> Self {
        let email = |number: PersonNumber| {
            people.iter().find(|person| person.number == number).map(|person| person.email.clone())
        };
        let shared = |share: &Share| match *share {
            Share::Person(person) => json!(email(person)),
            Share::Team(team) => json!(team),
        };
        Self {
            id: view.guid,
            organization,
            name: view.name,
            owner: view.owner.and_then(email),
            is_public: view.is_public,
            shared_with: view.shares.iter().map(shared).collect(),
            is_preset: view.preset.is_some(),
            top_level: view.selection.top_level,
            layout: if view.flat { "flat" } else { "tree" },
            sort: view.sort.to_string(),
            filter: view.selection.filter,
            api_settings: view.api_settings.and_then(|settings| serde_json::from_str(&settings).ok()),
            url: format!("{public_url}{}", explorer_path(organization, view.guid)),
        }
    }

    fn print(&self, session: &Session) -> Result<(), Failure> {
        session.printer.one(self, || {
            let shown_to = match &self.owner {
                Some(owner) if self.is_public => format!("everyone, by {owner}"),
                None => "everyone".to_owned(),
                Some(owner) if self.shared_with.is_empty() => owner.clone(),
                Some(owner) => format!("{owner} and {} others (people, teams)", self.shared_with.len()),
            };
            format!(
                "View      {}\nName      {}\nShown to  {shown_to}\nSorted    {}\nURL       {}",
                self.id,
                plain(&self.name),
                self.sort,
                self.url
            )
        })
    }
}

pub(super) async fn run(command: ViewCommand, session: &Session) -> Result<(), Failure> {
    match command {
        ViewCommand::List(args) => list(&args, session),
        ViewCommand::Show(args) => show(&args, session),
        ViewCommand::Create(args) => create(args, session).await,
        ViewCommand::Update(args) => update(args, session).await,
        ViewCommand::Delete(args) => delete(args, session).await,
    }
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let (views, people) = session.open()?.db.snapshot(Scope::Global, |tx| {
        let organization = lookup::organization(tx, args.organization)?;
        let number = organization.number;
        let views = match &args.visible_to {
            None => views::queries::list(tx, number)?,
            Some(email) => {
                let person = lookup::person(tx, &organization, email)?;
                views::queries::list_visible(tx, number, person.number)?
            }
        };
        Ok::<_, Failure>((views, people::list(tx, number)?))
    })?;
    let public_url = session.public_url();
    let entries: Vec<_> =
        views.into_iter().map(|view| ViewEntry::new(view, args.organization, &people, &public_url)).collect();
    session.printer.list(&entries, ["NAME", "OWNER", "URL"], |view| {
        let owner = match &view.owner {
            Some(email) if view.is_public => format!("{email} (public)"),
            Some(email) if !view.shared_with.is_empty() => format!("{email} (shared)"),
            Some(email) => email.clone(),
            None => "-".to_owned(),
        };
        [view.name.clone(), owner, view.url.clone()]
    })
}

fn show(args: &ShowArgs, session: &Session) -> Result<(), Failure> {
    let (view, people) = session.open()?.db.snapshot(Scope::Global, |tx| {
        let number = lookup::organization(tx, args.organization)?.number;
        let view = views::queries::find(tx, number, args.id)?;
        let view = view.ok_or_else(|| hinted(ViewError::NotFound(args.id), args.organization))?;
        Ok::<_, Failure>((view, people::list(tx, number)?))
    })?;
    ViewEntry::new(view, args.organization, &people, &session.public_url()).print(session)
}

async fn create(args: CreateArgs, session: &Session) -> Result<(), Failure> {
    let filter = args.filter.as_deref().map(read_filter).transpose()?.unwrap_or_else(Filter::everything);
    let guid = match args.id {
        Some(guid) => guid,
        None => session.open()?.ids.guid(),
    };
    let CreateArgs { organization, name, owner, top_level, public, share, sort, .. } = args;
    let actor = Actor { organization, by: None };
    let created = deed::change(session, &actor, move |place| {
        let owner = owner.as_deref().map(|email| place.person(email)).transpose()?;
        let new = NewView {
            guid,
            name: name.clone(),
            owner,
            is_public: public || owner.is_none(),
            shares: shares(place, &share)?,
            selection: Selection { filter: filter.clone(), top_level },
            flat: !top_level,
            sort: sort.clone(),
        };
        let view = views::create(place.tx, place.number(), &new, None)
            .map_err(|error| hinted(error, organization))?;
        audit::record(place.tx, place.number(), None, "view.create", &guid.to_string(), &json!({}))?;
        Ok((view, people::list(place.tx, place.number())?))
    });
    let (view, people) = created.await?;
    ViewEntry::new(view, organization, &people, &session.public_url()).print(session)
}

async fn update(args: UpdateArgs, session: &Session) -> Result<(), Failure> {
    let UpdateArgs { actor, id, name, public, share, top_level, flat, sort, filter, api_settings } = args;
    let filter = filter.as_deref().map(read_filter).transpose()?;
    let organization = actor.organization;
    let updated = deed::change(session, &actor, move |place| {
        let change = ViewChange {
            name: name.clone(),
            is_public: public,
            shares: if share.is_empty() { None } else { Some(shares(place, &share)?) },
            filter: filter.clone(),
            top_level,
            flat,
            sort: sort.clone(),
            api_settings: api_settings.clone().map(|settings| settings.0),
        };
        let view = views::update(place.tx, place.number(), id, &change, place.actor)
            .map_err(|error| hinted(error, organization))?;
        audit::record(place.tx, place.number(), place.actor, "view.update", &id.to_string(), &json!({}))?;
        if let Some(ApiSettings(settings)) = &api_settings {
            let detail = json!({ "apiSettings": settings });
            audit::record(
                place.tx,
                place.number(),
                place.actor,
                "view.apiSettings",
                &id.to_string(),
                &detail,
            )?;
        }
        Ok((view, people::list(place.tx, place.number())?))
    });
    let (view, people) = updated.await?;
    ViewEntry::new(view, organization, &people, &session.public_url()).print(session)
}

/// People by e-mail, and teams by name or number; an empty word is nobody.
fn shares(place: &Place<'_, '_>, words: &[String]) -> Result<Vec<Share>, Failure> {
    let words = words.iter().filter(|word| !word.trim().is_empty());
    let share = |word: &String| {
        if word.contains('@') {
            place.person(word).map(Share::Person)
        } else {
            place.team(word).map(Share::Team)
        }
    };
    words.map(share).collect()
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
    let is_written = |text: &str| text.trim_start().starts_with('{') || text.contains('=');
    let filter = if is_written(text) {
        text
    } else {
        let path = Path::new(text);
        held = fs::read_to_string(path).map_err(|error| Failure::file("read filter", path, &error))?;
        held.trim()
    };
    let read = if filter.starts_with('{') {
        Filter::parse(filter).map_err(|error| error.to_string())
    } else {
        Filter::parse_url(filter).map_err(|error| error.to_string())
    };
    read.map_err(|error| {
        Failure::new(format!("the filter is not understood: {error}")).hint(
            "a filter is JSON such as '{\"status\":{\"in\":[\"Behind\"]}}', or `status=Behind&owner=me`; docs/DATA.md \
             describes both",
        )
    })
}

fn hinted(error: ViewError, organization: Uuid) -> Failure {
    match error {
        ViewError::Database(error) => error.into(),
        ViewError::GuidTaken(_) | ViewError::NotFound(_) => Failure::new(error.to_string())
            .hint(format!("`goalpost view list --organization {organization}` shows the views that exist")),
        ViewError::InvalidName
        | ViewError::IsPreset(_)
        | ViewError::MayNot(_)
        | ViewError::NoSuchShare(_)
        | ViewError::TooManyShares => Failure::new(error.to_string()),
    }
}
