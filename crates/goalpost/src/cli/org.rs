//! `goalpost org`.

use clap::{ArgGroup, Args, Subcommand};
use goalpost::audit;
use goalpost::orgs::{self, ExportPolicy, Organization, people};
use goalpost_db::{Scope, Tx};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::failure::Failure;
use super::printer::plain;
use super::{Session, lookup};

/// List organizations, and say who may export
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
    /// Change an organization's name, or who may export
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
#[command(after_help = "Examples:
  goalpost org set --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --export-policy members
  goalpost org set --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --export-policy people \\
    --export-people ada@contoso.example,ben@contoso.example")]
#[command(group(ArgGroup::new("change").required(true).multiple(true).args(["export_policy", "export_people", "name"])))]
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
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OrgEntry {
    id: Uuid,
    name: String,
    file_number: Option<i64>,
    export_policy: ExportPolicy,
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
        OrgCommand::Set(args) => {
            let db = session.open()?.db;
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

/// What `args` asks for, in one revision.
fn change(tx: &Tx<'_>, args: &SetArgs) -> Result<(), Failure> {
    let organization = lookup::organization(tx, args.organization)?;
    let mut permitted = Vec::new();
    for email in args.export_people.iter().flatten().filter(|email| !email.trim().is_empty()) {
        permitted.push(lookup::person(tx, &organization, email)?.number);
    }
    permitted.sort_unstable();
    permitted.dedup();
    let policy = args.export_policy.as_deref().and_then(|word| word.parse::<ExportPolicy>().ok());
    orgs::queries::raise_revision(tx, organization.number, None, "org set")?;
    if let Some(policy) = policy {
        people::set_export_policy(tx, &organization, policy)?;
    }
    if args.export_people.is_some() {
        people::set_export_people(tx, &organization, &permitted)?;
    }
    if let Some(name) = &args.name {
        people::rename(tx, &organization, name)?;
    }
    let detail = json!({
        "exportPolicy": policy,
        "exportPeople": args.export_people.as_ref().map(|_| permitted.iter().map(|person| person.0).collect::<Vec<_>>()),
        "renamed": args.name.is_some(),
    });
    let subject = organization.guid.to_string();
    Ok(audit::record(tx, organization.number, None, "organization.set", &subject, &detail)?)
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
