//! `goalpost org`.

use clap::{ArgGroup, Args, Subcommand};
use goalpost::audit;
use goalpost::goals::write::terms;
use goalpost::orgs::settings::{self, Settings};
use goalpost::orgs::terms::Terms;
use goalpost::orgs::{self, ExportPolicy, GoalPolicy, Organization, people};
use goalpost::views::presets::found;
use goalpost_db::{Scope, Tx};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::failure::Failure;
use super::printer::plain;
use super::{Session, lookup};

/// List, make and change organizations
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:
  goalpost org list")]
pub(super) enum OrgCommand {
    /// List the organizations of this server
    #[command(after_help = "Example:
  goalpost org list --output json")]
    List,
    /// Show one organization: how much it holds, and who may export
    Show(ShowArgs),
    /// Make an organization without a file
    Create(CreateArgs),
    /// Change an organization's name, words or planning years, or who may export and make goals
    Set(SetArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost org show --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853")]
pub(super) struct ShowArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost org create --name Contoso")]
pub(super) struct CreateArgs {
    /// Its name
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// The GUID that clients name [default: a new one]
    #[arg(long, value_name = "GUID")]
    id: Option<Uuid>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost org set --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --export-policy members
  goalpost org set --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --export-policy people \\
    --export-people ada@contoso.example,ben@contoso.example")]
#[command(group(ArgGroup::new("change").required(true).multiple(true).args([
    "export_policy", "export_people", "name", "goal_policy", "planning_year_start",
    "term_okr", "term_objective", "term_key_result", "term_initiative",
])))]
pub(super) struct SetArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
    /// Who may export: its owners, all members, or its owners and the named people
    #[arg(long, value_name = "POLICY", value_parser = ["owners", "members", "people"])]
    export_policy: Option<String>,
    /// E-mails of the people that the policy `people` names, instead of those it named before
    #[arg(long, value_name = "E-MAIL,…", value_delimiter = ',')]
    export_people: Option<Vec<String>>,
    /// Its new name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Who may make goals of the organization and of teams: its owners, owners of teams, or all members
    #[arg(long, value_name = "POLICY", value_parser = goal_policy)]
    goal_policy: Option<GoalPolicy>,
    /// The month, from 1, with which planning years begin, whose time periods are made by themselves; or `none`
    #[arg(long, value_name = "MONTH", value_parser = month)]
    planning_year_start: Option<Month>,
    #[command(flatten)]
    terms: TermArgs,
}

/// A month, or none; clap would take an `Option<Option<…>>` for an argument whose value may be missing.
type Month = Option<u8>;

#[derive(Debug, Args)]
#[command(next_help_heading = "Words; an empty one is the usual one")]
struct TermArgs {
    /// For goals of any kind, such as `Goal`
    #[arg(id = "term_okr", long = "term-okr", value_name = "WORD")]
    okr: Option<String>,
    /// For objectives, such as `Big Rock`
    #[arg(id = "term_objective", long = "term-objective", value_name = "WORD")]
    objective: Option<String>,
    /// For key results, such as `KPI`
    #[arg(id = "term_key_result", long = "term-key-result", value_name = "WORD")]
    key_result: Option<String>,
    /// For initiatives, such as `Project`
    #[arg(id = "term_initiative", long = "term-initiative", value_name = "WORD")]
    initiative: Option<String>,
}

impl TermArgs {
    /// Other words than those that the organization has; `None` if nothing is said of any.
    fn over(&self, terms: Terms) -> Option<Terms> {
        let said = [&self.okr, &self.objective, &self.key_result, &self.initiative];
        if said.iter().all(|word| word.is_none()) {
            return None;
        }
        let over = |said: &Option<String>, present| match said.as_deref() {
            None => present,
            Some("") => None,
            Some(word) => Some(word.to_owned()),
        };
        Some(Terms {
            okr: over(&self.okr, terms.okr),
            objective: over(&self.objective, terms.objective),
            key_result: over(&self.key_result, terms.key_result),
            initiative: over(&self.initiative, terms.initiative),
        })
    }
}

/// A clap value parser.
fn goal_policy(text: &str) -> Result<GoalPolicy, String> {
    text.parse().map_err(|()| "write `owners`, `teamOwners` or `members`".to_owned())
}

/// A clap value parser.
fn month(text: &str) -> Result<Month, String> {
    match text {
        "none" => Ok(None),
        _ => text.parse().map(Some).map_err(|_| "write a number from 1 to 12, or `none`".to_owned()),
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OrgEntry {
    id: Uuid,
    name: String,
    file_number: Option<i64>,
    export_policy: ExportPolicy,
    goal_policy: GoalPolicy,
    planning_year_start: Option<i64>,
    revision: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OrgDetails {
    #[serde(flatten)]
    entry: OrgEntry,
    export_people: Vec<String>,
    people: i64,
    goals: i64,
    views: i64,
}

impl From<Organization> for OrgEntry {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.guid,
            name: organization.name,
            file_number: organization.file_number,
            export_policy: organization.export_policy,
            goal_policy: organization.goal_policy,
            planning_year_start: organization.planning_year_start,
            revision: organization.revision,
        }
    }
}

pub(super) async fn run(command: OrgCommand, session: &Session) -> Result<(), Failure> {
    match command {
        OrgCommand::List => list(session),
        OrgCommand::Show(args) => {
            let details = session.open()?.db.snapshot(Scope::Global, |tx| details(tx, args.organization))?;
            print(session, &details)
        }
        OrgCommand::Create(args) => {
            let app = session.open_or_create()?;
            let guid = args.id.unwrap_or_else(|| app.ids.guid());
            let details = app.db.write(Scope::Global, move |tx| {
                if orgs::queries::find_by_guid(tx, guid)?.is_some() {
                    return Err(Failure::new(format!("there is an organization `{guid}` already")));
                }
                let made = found(tx, guid, &args.name, None, "org create")?;
                audit::record(tx, made.number, None, "organization.create", &guid.to_string(), &json!({}))?;
                details(tx, guid)
            });
            print(session, &details.await?)
        }
        OrgCommand::Set(args) => {
            let db = session.open()?.db.clone();
            let details = db.write(Scope::Global, move |tx| {
                change(tx, &args)?;
                details(tx, args.organization)
            });
            print(session, &details.await?)
        }
    }
}

fn list(session: &Session) -> Result<(), Failure> {
    let all = session.open()?.db.snapshot(Scope::Global, orgs::queries::list)?;
    let entries: Vec<_> = all.into_iter().map(OrgEntry::from).collect();
    session.printer.list(&entries, ["ID", "NAME", "MAY EXPORT"], |org| {
        [org.id.to_string(), org.name.clone(), org.export_policy.to_string()]
    })
}

fn details(tx: &Tx<'_>, guid: Uuid) -> Result<OrgDetails, Failure> {
    let organization = lookup::organization(tx, guid)?;
    let (people, goals, views) = people::count_contents(tx, organization.number)?;
    let permitted = people::list(tx, organization.number)?.into_iter().filter(|person| person.has_permit);
    let export_people = permitted.map(|person| person.email).collect();
    Ok(OrgDetails { entry: organization.into(), export_people, people, goals, views })
}

/// What `args` asks for.
fn change(tx: &Tx<'_>, args: &SetArgs) -> Result<(), Failure> {
    let organization = lookup::organization(tx, args.organization)?;
    let mut permitted = Vec::new();
    for email in args.export_people.iter().flatten().filter(|email| !email.trim().is_empty()) {
        permitted.push(lookup::person(tx, &organization, email)?.number);
    }
    let settings = Settings {
        name: args.name.clone(),
        export_policy: args.export_policy.as_deref().and_then(|word| word.parse().ok()),
        export_people: args.export_people.as_ref().map(|_| permitted),
        goal_policy: args.goal_policy,
        planning_year_start: args.planning_year_start,
    };
    if settings != Settings::default() {
        settings::change(tx, &organization, None, &settings)?;
    }
    if let Some(words) = args.terms.over(Terms::read(tx, organization.number)?) {
        terms::set(tx, organization.number, None, &words)?;
    }
    Ok(())
}

fn print(session: &Session, details: &OrgDetails) -> Result<(), Failure> {
    session.printer.one(details, || {
        let OrgDetails { entry, export_people, people, goals, views } = details;
        let named = match export_people.as_slice() {
            [] => String::new(),
            emails => format!(" ({})", plain(&emails.join(", "))),
        };
        format!(
            "Organization  {}\nName          {}\nMay export    {}{named}\nHolds         {people} people, {goals} goals, {views} views",
            entry.id,
            plain(&entry.name),
            entry.export_policy,
        )
    })
}
