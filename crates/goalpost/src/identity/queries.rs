//! Sign-in identities and the people they are.

use goalpost_db::{Error, Result, Tx, params};
use uuid::Uuid;

use super::{Member, Subject};
use crate::ids::{OrganizationNumber, PersonNumber, fold};

/// What [`Member`] is read from.
pub(super) const MEMBER_COLUMNS: &str = "o.number, o.guid, p.id, p.role, p.source, p.member_type, p.status, o.export_policy, \
     exists (select 1 from export_permit e where e.organization = p.organization and e.person = p.id)";

/// The caller in the organization with this GUID.
pub(super) fn find_member(tx: &Tx<'_>, subject: &Subject, organization: Uuid) -> Result<Option<Member>> {
    tx.query_opt(
        &format!(
            "-- identity::find_member
            select {MEMBER_COLUMNS}
              from organization o
              join identity i on i.organization = o.number
              join person p on p.organization = o.number and p.id = i.person
             where o.guid = ?1 and i.issuer = ?2 and i.tenant = ?3 and i.object = ?4"
        ),
        params![
            organization.into_bytes(),
            &subject.issuer,
            subject.tenant.into_bytes(),
            subject.object.into_bytes()
        ],
        Member::from_row,
    )
}

/// The caller in each of their organizations.
pub(super) fn list_members(tx: &Tx<'_>, subject: &Subject) -> Result<Vec<Member>> {
    tx.query(
        &format!(
            "-- identity::list_members (all organizations)
            select {MEMBER_COLUMNS}
              from identity i
              join organization o on o.number = i.organization
              join person p on p.organization = i.organization and p.id = i.person
             where i.issuer = ?1 and i.tenant = ?2 and i.object = ?3
             order by o.number"
        ),
        params![&subject.issuer, subject.tenant.into_bytes(), subject.object.into_bytes()],
        Member::from_row,
    )
}

/// Join the caller to the one person of the organization who has this e-mail and no identity yet; `false` if there is
/// none, or more than one.
pub(super) fn link_by_email(tx: &Tx<'_>, subject: &Subject, organization: Uuid, email: &str) -> Result<bool> {
    let people = tx.query(
        "-- identity::list_unlinked
        select p.organization, p.id from organization o
          join person p on p.organization = o.number
         where o.guid = ?1 and p.email_fold = ?2
           and not exists (select 1 from identity i where i.organization = p.organization and i.person = p.id)",
        params![organization.into_bytes(), fold(email)],
        |row| Ok::<_, Error>((OrganizationNumber(row.int(0)?), PersonNumber(row.int(1)?))),
    )?;
    let [(organization, person)] = people[..] else { return Ok(false) };
    link(tx, subject, organization, person)?;
    Ok(true)
}

/// Say that this identity is that person. An older word about the same identity in the organization is replaced.
pub fn link(
    tx: &Tx<'_>,
    subject: &Subject,
    organization: OrganizationNumber,
    person: PersonNumber,
) -> Result<()> {
    tx.execute(
        "-- identity::link
        insert into identity (issuer, tenant, object, organization, person, linked_at) values (?1, ?2, ?3, ?4, ?5, ?6)
        on conflict (issuer, tenant, object, organization)
        do update set person = excluded.person, linked_at = excluded.linked_at",
        params![
            &subject.issuer,
            subject.tenant.into_bytes(),
            subject.object.into_bytes(),
            organization,
            person,
            tx.now_us()
        ],
    )?;
    Ok(())
}

/// Somebody with an e-mail, in one organization.
#[derive(Clone, Debug)]
pub struct PersonFound {
    /// The organization.
    pub organization: OrganizationNumber,
    /// The person's number in it.
    pub person: PersonNumber,
    /// The person's GUID.
    pub guid: Uuid,
}

/// Everybody who has this e-mail, without regard to case, in any organization.
pub fn find_people_by_email(tx: &Tx<'_>, email: &str) -> Result<Vec<PersonFound>> {
    tx.query(
        "-- identity::find_people_by_email (all organizations)
        select p.organization, p.id, p.guid from organization o
          join person p on p.organization = o.number and p.email_fold = ?1
         order by p.organization, p.id",
        params![fold(email)],
        |row| {
            Ok(PersonFound {
                organization: OrganizationNumber(row.int(0)?),
                person: PersonNumber(row.int(1)?),
                guid: Uuid::from_bytes(row.bytes(2)?),
            })
        },
    )
}
