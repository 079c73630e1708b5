//! `goalpost user`.

use clap::{Args, Subcommand};
use goalpost::audit;
use goalpost::identity::{Subject, queries::link};
use goalpost::orgs::members::{self, MemberRole, MemberStatus, MemberType, PersonPatch};
use goalpost::orgs::people::{self, Person};
use goalpost_db::Scope;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::deed::{self, Actor, Place};
use super::failure::Failure;
use super::printer::plain;
use super::{Session, lookup};

/// List, add and change people, and link their sign-ins
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:
  goalpost user list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853")]
pub(super) enum UserCommand {
    /// List the people of an organization
    List(ListArgs),
    /// Let somebody be of an organization
    Add(AddArgs),
    /// Change a person; one who is deactivated keeps what is theirs
    Change(ChangeArgs),
    /// Say that a sign-in at an identity provider is this person
    Link(LinkArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost user list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --output json")]
pub(super) struct ListArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost user add --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --name \"Ada Quill\" \\
    --email ada@contoso.example --role owner --team Harbour")]
pub(super) struct AddArgs {
    #[command(flatten)]
    actor: Actor,
    #[command(flatten)]
    fields: FieldArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost user change --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --user ada@contoso.example \\
    --status deactivated")]
pub(super) struct ChangeArgs {
    #[command(flatten)]
    actor: Actor,
    /// The person's e-mail
    #[arg(long, value_name = "E-MAIL")]
    user: String,
    #[command(flatten)]
    fields: FieldArgs,
}

#[derive(Clone, Debug, Args)]
struct FieldArgs {
    /// Their name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Their e-mail, which nobody else has
    #[arg(long, value_name = "E-MAIL")]
    email: Option<String>,
    /// What they are: `owner` or `member` of the organization
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Option<MemberRole>,
    /// How far they take part: `regular` or `observer`
    #[arg(long = "type", value_name = "TYPE", value_parser = member_type)]
    member_type: Option<MemberType>,
    /// Whether they take part: `active`, `pending` or `deactivated`
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Option<MemberStatus>,
    /// E-mail of whom they report to; an empty one takes them away
    #[arg(long, value_name = "E-MAIL")]
    manager: Option<String>,
    /// Their teams, by name or number, instead of those that they had
    #[arg(long, value_name = "TEAM,…", value_delimiter = ',')]
    team: Option<Vec<String>>,
}

impl FieldArgs {
    fn patch(&self, at: &Place<'_, '_>) -> Result<PersonPatch, Failure> {
        Ok(PersonPatch {
            name: self.name.clone(),
            email: self.email.clone(),
            role: self.role,
            member_type: self.member_type,
            status: self.status,
            manager: self.manager.as_deref().map(|email| at.maybe_person(email)).transpose()?,
            teams: self.team.as_ref().map(|words| at.teams(words)).transpose()?,
        })
    }
}

/// A clap value parser.
fn role(text: &str) -> Result<MemberRole, String> {
    match text {
        "owner" => Ok(MemberRole::Owner),
        "member" => Ok(MemberRole::Member),
        _ => Err("write `owner` or `member`".to_owned()),
    }
}

/// A clap value parser.
fn member_type(text: &str) -> Result<MemberType, String> {
    text.parse().map_err(|()| "write `regular` or `observer`".to_owned())
}

/// A clap value parser.
fn status(text: &str) -> Result<MemberStatus, String> {
    text.parse().map_err(|()| "write `active`, `pending` or `deactivated`".to_owned())
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost user link --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --user ada@contoso.example \\
    --issuer https://login.microsoftonline.com/TENANT-GUID/v2.0 --tenant TENANT-GUID --object OBJECT-GUID")]
pub(super) struct LinkArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
    /// The person's e-mail
    #[arg(long, value_name = "E-MAIL")]
    user: String,
    /// The issuer, exactly as `iss` in the provider's tokens and as `issuer` in the settings
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The tenant, `tid` in the provider's tokens
    #[arg(long, value_name = "GUID")]
    tenant: Uuid,
    /// The person's object id there, `oid` in the provider's tokens
    #[arg(long, value_name = "GUID")]
    object: Uuid,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserEntry {
    id: Uuid,
    number: i64,
    name: String,
    email: String,
    role: String,
    member_type: String,
    status: String,
    identities: Vec<IdentityEntry>,
}

impl From<Person> for UserEntry {
    fn from(person: Person) -> Self {
        Self {
            id: person.guid,
            number: person.number.0,
            name: person.name,
            email: person.email,
            role: person.role,
            member_type: person.member_type,
            status: person.status,
            identities: Vec::new(),
        }
    }
}

#[derive(Debug, Serialize)]
struct IdentityEntry {
    issuer: String,
    tenant: Uuid,
    object: Uuid,
}

pub(super) async fn run(command: UserCommand, session: &Session) -> Result<(), Failure> {
    match command {
        UserCommand::List(args) => list(&args, session),
        UserCommand::Add(AddArgs { actor, fields }) => {
            let ids = session.open()?.ids;
            let added = deed::change(session, &actor, move |at| {
                Ok(members::add(at.tx, at.number(), at.actor, ids.guid(), &fields.patch(at)?)?)
            });
            print(session, added.await?)
        }
        UserCommand::Change(ChangeArgs { actor, user, fields }) => {
            let changed = deed::change(session, &actor, move |at| {
                let person = at.person(&user)?;
                Ok(members::change(at.tx, at.number(), at.actor, person, &fields.patch(at)?)?)
            });
            print(session, changed.await?)
        }
        UserCommand::Link(args) => link_sign_in(args, session).await,
    }
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let (people, mut identities) = session.open()?.db.snapshot(Scope::Global, |tx| {
        let organization = lookup::organization(tx, args.organization)?.number;
        Ok::<_, Failure>((people::list(tx, organization)?, people::list_identities(tx, organization)?))
    })?;
    identities.sort_by_key(|identity| identity.person);
    let entries: Vec<_> = people
        .into_iter()
        .map(|person| {
            let first = identities.partition_point(|identity| identity.person < person.number);
            let own = identities[first..].iter().take_while(|identity| identity.person == person.number);
            let identities = own.map(|identity| IdentityEntry {
                issuer: identity.issuer.clone(),
                tenant: identity.tenant,
                object: identity.object,
            });
            UserEntry { identities: identities.collect(), ..UserEntry::from(person) }
        })
        .collect();
    session.printer.list(&entries, ["NAME", "E-MAIL", "ROLE", "TYPE", "STATUS", "SIGN-INS"], |user| {
        [
            user.name.clone(),
            user.email.clone(),
            user.role.clone(),
            user.member_type.clone(),
            user.status.clone(),
            user.identities.iter().map(|identity| identity.issuer.as_str()).collect::<Vec<_>>().join(", "),
        ]
    })
}

fn print(session: &Session, person: Person) -> Result<(), Failure> {
    let entry = UserEntry::from(person);
    session.printer.one(&entry, || {
        let UserEntry { name, email, role, member_type, status, .. } = &entry;
        let (name, email) = (plain(name), plain(email));
        format!("Name      {name}\nE-mail    {email}\nRole      {role}\nType      {member_type}\nStatus    {status}")
    })
}

async fn link_sign_in(args: LinkArgs, session: &Session) -> Result<(), Failure> {
    let known = session.config.issuers.iter().any(|issuer| issuer.issuer == args.issuer);
    if !known {
        super::printer::remark(
            "warning",
            &format!(
                "no `issuers` entry of the settings has the issuer `{}`: its tokens are refused",
                args.issuer
            ),
        );
    }
    let LinkArgs { organization, user, issuer, tenant, object } = args;
    let subject = Subject { issuer, tenant, object };
    let linked = subject.clone();
    let app = session.open()?;
    let person = app.db.write(Scope::Global, move |tx| {
        let organization = lookup::organization(tx, organization)?;
        let person = lookup::person(tx, &organization, &user)?;
        link(tx, &linked, organization.number, person.number)?;
        let detail = json!({ "issuer": linked.issuer, "tenant": linked.tenant, "object": linked.object });
        audit::record(tx, organization.number, None, "identity.link", &person.guid.to_string(), &detail)?;
        Ok::<_, Failure>(person)
    });
    let person = person.await?;
    let value = json!({
        "id": person.guid,
        "email": person.email,
        "issuer": subject.issuer,
        "tenant": subject.tenant,
        "object": subject.object,
    });
    session
        .printer
        .one(&value, || format!("{} is now {} of {}", subject.object, person.email, subject.issuer))
}
