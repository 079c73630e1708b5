//! Finding what a command names, with a hint when it is not there.

use goalpost::ids::fold;
use goalpost::orgs::people::{self, Person};
use goalpost::orgs::{self, Organization};
use goalpost_db::{Db, Lock, Scope, Tx};
use uuid::Uuid;

use super::failure::Failure;

/// The organization with this GUID, whose rows the transaction is about from here on; changes of it come one after
/// another.
pub(super) fn organization(tx: &Tx<'_>, guid: Uuid) -> Result<Organization, Failure> {
    let organization = orgs::queries::find_by_guid(tx, guid)?.ok_or_else(|| {
        Failure::new(format!("there is no organization `{guid}`"))
            .hint("`goalpost org list` shows those that exist")
    })?;
    tx.enter(organization.number.0);
    tx.lock(organization.number.0, Lock::Data)?;
    Ok(organization)
}

/// The GUID of the organization, where there is one.
pub(super) fn only_organization(db: &Db) -> Result<Uuid, Failure> {
    only(&db.snapshot(Scope::Global, orgs::queries::list)?.iter().map(|found| found.guid).collect::<Vec<_>>())
}

/// The one of these organizations.
pub(super) fn only(found: &[Uuid]) -> Result<Uuid, Failure> {
    match found {
        [organization] => Ok(*organization),
        [] => Err(Failure::new("there is no organization").hint("`goalpost import` brings one")),
        all => Err(Failure::new(format!("there are {} organizations", all.len()))
            .hint("name one by `--organization`; `goalpost org list` shows them")),
    }
}

/// The one person of the organization with this e-mail address.
pub(super) fn person(tx: &Tx<'_>, organization: &Organization, email: &str) -> Result<Person, Failure> {
    let mut found = people::find_by_email(tx, organization.number, email)?;
    let guid = organization.guid;
    match (found.pop(), found.is_empty()) {
        (Some(person), true) => Ok(person),
        (Some(_), false) => {
            Err(Failure::new(format!("several people of `{}` have the e-mail `{email}`", organization.name))
                .hint(format!(
                    "`goalpost user list --organization {guid}` shows them; their file must tell them apart"
                )))
        }
        (None, _) => Err(Failure::new(format!("nobody in `{}` has the e-mail `{email}`", organization.name))
            .hint(match nearest(people::list(tx, organization.number)?, email) {
                Some(other) => format!("did you mean `{other}`?"),
                None => format!("`goalpost user list --organization {guid}` shows everyone"),
            })),
    }
}

/// The first active owner of the organization.
pub(super) fn owner(tx: &Tx<'_>, organization: &Organization) -> Result<Person, Failure> {
    people::find_owner(tx, organization.number)?.ok_or_else(|| {
        Failure::new(format!("`{}` has no active owner", organization.name))
            .hint("name the person whose rights the file is made by, with --as")
    })
}

/// The address of somebody that begins like `email`, up to the `@`; what is left is mostly a wrong domain.
fn nearest(people: Vec<Person>, email: &str) -> Option<String> {
    let name = |email: &str| fold(email).split('@').next().map(str::to_owned);
    let wanted = name(email);
    people.into_iter().map(|person| person.email).find(|other| name(other) == wanted)
}
