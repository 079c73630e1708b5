//! `goalpost token`.

use std::time::Duration;

use clap::Args;
use goalpost::app::App;
use goalpost::identity::queries::{PersonFound, find_people_by_email, link};
use goalpost::identity::{OWN_ISSUER, Subject};
use goalpost_db::Scope;
use uuid::Uuid;

use super::Session;
use super::failure::Failure;
use super::printer;

/// The scope that every call of the export API accepts.
const READ_WRITE: &str = "Goals-Export.ReadWrite.All";

/// Print an access token for a person, signed by this server's own issuer, and nothing else
///
/// The token says who the person is; what they may do is decided at every call. It works in every organization that
/// has a person with this e-mail.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost token --user ada@contoso.example
  TOKEN=$(goalpost token --user ada@contoso.example --scope Goals-Export.Read.All --ttl 8h)
  TOKEN=$(goalpost token --user ada@contoso.example --scope \"Goals-Export.ReadWrite.All Goals.ReadWrite.All\")")]
pub(super) struct TokenArgs {
    /// The person's e-mail
    #[arg(long, value_name = "E-MAIL")]
    user: String,
    /// What the token allows; several are separated by spaces
    #[arg(long, value_name = "SCOPES", default_value = READ_WRITE)]
    scope: String,
    /// How long it lives, at most 24h
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    ttl: Duration,
}

/// A clap value parser.
fn duration(text: &str) -> Result<Duration, String> {
    goalpost::config::parse_duration(text)
        .ok_or_else(|| "not a duration: write it as 30s, 15m or 1h".to_owned())
}

pub(super) async fn run(args: TokenArgs, session: &Session) -> Result<(), Failure> {
    let app = session.open()?;
    printer::write(&issue(&app, args.user, &args.scope, args.ttl).await?)
}

/// A token for whoever has this e-mail, who is joined to the own issuer's sign-in of that GUID.
pub(super) async fn issue(app: &App, email: String, scopes: &str, ttl: Duration) -> Result<String, Failure> {
    let tenant = app.own_issuer.tenant();
    let object = app.db.write(Scope::Global, move |tx| {
        let people = find_people_by_email(tx, email.trim())?;
        let object = the_one_object(&people, &email)?;
        let subject = Subject { issuer: OWN_ISSUER.to_owned(), tenant, object };
        for found in people {
            link(tx, &subject, found.organization, found.person)?;
        }
        Ok::<_, Failure>(object)
    });
    let seconds = u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX);
    app.own_issuer
        .issue(object.await?, scopes, app.clock.now_secs(), seconds)
        .map_err(|error| Failure::from_error(&error))
}

/// The `oid` of everybody found: one person, however many organizations know them.
fn the_one_object(people: &[PersonFound], email: &str) -> Result<Uuid, Failure> {
    let Some(first) = people.first() else {
        return Err(Failure::new(format!("nobody has the e-mail `{email}`"))
            .hint("`goalpost org list` and `goalpost user list --organization GUID` show everyone"));
    };
    match people.windows(2).find(|pair| pair[0].organization == pair[1].organization) {
        None => Ok(first.guid),
        Some(_) => Err(Failure::new(format!("several people of one organization have the e-mail `{email}`"))
            .hint("`goalpost user list` shows them; their file must tell them apart")),
    }
}
