//! `goalpost user`.

use clap::{Args, Subcommand};
use goalpost::audit;
use goalpost::identity::{Subject, queries::link};
use goalpost::orgs::people;
use goalpost_db::Scope;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::failure::Failure;
use super::{Session, lookup};

/// List people, and link their sign-ins
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:
  goalpost user list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853")]
pub(super) enum UserCommand {
    /// List the people of an organization
    List(ListArgs),
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

#[derive(Debug, Serialize)]
struct IdentityEntry {
    issuer: String,
    tenant: Uuid,
    object: Uuid,
}

pub(super) async fn run(command: UserCommand, session: &Session) -> Result<(), Failure> {
    match command {
        UserCommand::List(args) => list(&args, session),
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
            UserEntry {
                id: person.guid,
                number: person.number.0,
                name: person.name,
                email: person.email,
                role: person.role,
                member_type: person.member_type,
                status: person.status,
                identities: own
                    .map(|identity| IdentityEntry {
                        issuer: identity.issuer.clone(),
                        tenant: identity.tenant,
                        object: identity.object,
                    })
                    .collect(),
            }
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
