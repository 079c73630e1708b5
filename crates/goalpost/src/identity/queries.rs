//! Sign-in identities and the people they are.

use std::sync::LazyLock;

use goalpost_db::{Error, Lock, Result, Tx, params};
use uuid::Uuid;

use super::{Member, Subject};
use crate::ids::{OrganizationNumber, PersonNumber, fold};

/// What [`Member`] is read from, in a statement whose `?1` is the organization.
pub(super) const MEMBER_COLUMNS: &str = "o.number, o.guid, p.id, p.role, p.source, p.member_type, p.status, o.export_policy, \
     exists (select 1 from export_permit e where e.organization = ?1 and e.person = p.id)";

/// The number of the organization with this GUID, which never changes.
pub(super) fn find_organization(tx: &Tx<'_>, guid: Uuid) -> Result<Option<OrganizationNumber>> {
    tx.query_opt(
        "-- identity::find_organization\nselect number from organization where guid = ?1",
        params![guid.into_bytes()],
        |row| Ok(OrganizationNumber(row.int(0)?)),
    )
}

/// The caller in this organization.
pub fn find_member(
    tx: &Tx<'_>,
    subject: &Subject,
    organization: OrganizationNumber,
) -> Result<Option<Member>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "-- identity::find_member
            select {MEMBER_COLUMNS}
              from identity i
              join organization o on o.number = ?1
              join person p on p.organization = ?1 and p.id = i.person
             where i.issuer = ?2 and i.tenant = ?3 and i.object = ?4 and i.organization = ?1"
        )
    });
    tx.query_opt(
        &SQL,
        params![organization, &subject.issuer, subject.tenant.into_bytes(), subject.object.into_bytes()],
        Member::from_row,
    )
}

/// The organizations that the caller is joined to a person of, by number.
pub(super) fn list_organizations(tx: &Tx<'_>, subject: &Subject) -> Result<Vec<OrganizationNumber>> {
    tx.query(
        "-- identity::list_organizations
        select organization from identity where issuer = ?1 and tenant = ?2 and object = ?3 order by organization",
        params![&subject.issuer, subject.tenant.into_bytes(), subject.object.into_bytes()],
        |row| Ok(OrganizationNumber(row.int(0)?)),
    )
}

/// Join the caller to the one person of the organization who has this e-mail and no identity yet; `false` if there is
/// none, or more than one.
pub(super) fn link_by_email(
    tx: &Tx<'_>,
    subject: &Subject,
    organization: OrganizationNumber,
    email: &str,
) -> Result<bool> {
    // Two callers who claim the same address at once must not both find its person free.
    tx.lock(organization.0, Lock::Data)?;
    let people = tx.query(
        "-- identity::list_unlinked
        select id from person p where organization = ?1 and email_fold = ?2
           and not exists (select 1 from identity i where i.organization = ?1 and i.person = p.id)",
        params![organization, fold(email)],
        |row| Ok::<_, Error>(PersonNumber(row.int(0)?)),
    )?;
    let [person] = people[..] else { return Ok(false) };
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
    let organizations = tx.query(
        "-- identity::organizations\nselect number from organization order by number",
        params![],
        |row| Ok::<_, Error>(OrganizationNumber(row.int(0)?)),
    )?;
    let mut found = Vec::new();
    for organization in organizations {
        tx.enter(organization.0);
        found.extend(tx.query(
            "-- identity::find_people_by_email
            select id, guid from person where organization = ?1 and email_fold = ?2 order by id",
            params![organization, fold(email)],
            |row| {
                Ok::<_, Error>(PersonFound {
                    organization,
                    person: PersonNumber(row.int(0)?),
                    guid: Uuid::from_bytes(row.bytes(1)?),
                })
            },
        )?);
    }
    Ok(found)
}
