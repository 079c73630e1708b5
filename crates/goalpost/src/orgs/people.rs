//! People of an organization, and who of them may export.

use goalpost_db::{Error, Result, Row, Tx, params};
use uuid::Uuid;

use super::{ExportPolicy, Organization};
use crate::ids::{OrganizationNumber, PersonNumber, fold};

/// A person of one organization, as its file described them.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their number, in every row about them.
    pub number: PersonNumber,
    /// The id that tokens of this server's own issuer name.
    pub guid: Uuid,
    /// Their name.
    pub name: String,
    /// Their e-mail address, as the file wrote it.
    pub email: String,
    /// The file's word, such as `Organization Owner` or `Member`.
    pub role: String,
    /// The file's word, such as `regular` or `observer`.
    pub member_type: String,
    /// The file's word, such as `active`.
    pub status: String,
    /// Whether the organization's export policy names them.
    pub has_permit: bool,
}

/// A sign-in that is linked to a person.
#[derive(Clone, Debug)]
pub struct LinkedIdentity {
    /// Whose it is.
    pub person: PersonNumber,
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `tid` of its tokens.
    pub tenant: Uuid,
    /// The `oid` of its tokens.
    pub object: Uuid,
}

const SELECT: &str = "select p.id, p.guid, p.name, p.email, p.role, p.member_type, p.status,
               exists (select 1 from export_permit x where x.organization = ?1 and x.person = p.id)
          from person p";

fn from_row(row: &Row<'_>) -> Result<Person> {
    Ok(Person {
        number: PersonNumber(row.int(0)?),
        guid: Uuid::from_bytes(row.bytes(1)?),
        name: row.text(2)?.to_owned(),
        email: row.text(3)?.to_owned(),
        role: row.text(4)?.to_owned(),
        member_type: row.text(5)?.to_owned(),
        status: row.text(6)?.to_owned(),
        has_permit: row.bool(7)?,
    })
}

/// The person with this number.
pub fn find(tx: &Tx<'_>, organization: OrganizationNumber, number: PersonNumber) -> Result<Option<Person>> {
    let sql = format!("-- orgs::find_person\n{SELECT} where p.organization = ?1 and p.id = ?2");
    tx.query_opt(&sql, params![organization, number], from_row)
}

/// Everyone of the organization, by name.
pub fn list(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Vec<Person>> {
    let sql = format!("-- orgs::list_people\n{SELECT} where p.organization = ?1 order by p.name_fold, p.id");
    tx.query(&sql, params![organization], from_row)
}

/// The first active owner of the organization, by name.
pub fn find_owner(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Option<Person>> {
    let sql = format!(
        "-- orgs::find_owner
        {SELECT} where p.organization = ?1 and lower(p.status) = 'active'
           and lower(p.role) in ('organization owner', 'organization admin') order by p.name_fold, p.id limit 1"
    );
    tx.query_opt(&sql, params![organization], from_row)
}

/// The people with this e-mail address, without regard to case; a file may give two people the same.
pub fn find_by_email(tx: &Tx<'_>, organization: OrganizationNumber, email: &str) -> Result<Vec<Person>> {
    let sql = format!(
        "-- orgs::find_people_by_email\n{SELECT} where p.organization = ?1 and p.email_fold = ?2 order by p.id"
    );
    tx.query(&sql, params![organization, fold(email.trim())], from_row)
}

/// Every sign-in that is linked to a person of the organization, in the order of the people's numbers.
pub fn list_identities(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Vec<LinkedIdentity>> {
    tx.query(
        "-- orgs::list_identities
        select person, issuer, tenant, object from identity
         where organization = ?1 order by person, issuer, tenant, object",
        params![organization],
        |row| {
            Ok::<_, Error>(LinkedIdentity {
                person: PersonNumber(row.int(0)?),
                issuer: row.text(1)?.to_owned(),
                tenant: Uuid::from_bytes(row.bytes(2)?),
                object: Uuid::from_bytes(row.bytes(3)?),
            })
        },
    )
}

/// Who may export from now on. Part of the caller's revision, like every change of an organization.
pub fn set_export_policy(tx: &Tx<'_>, organization: &Organization, policy: ExportPolicy) -> Result<()> {
    tx.execute(
        "-- orgs::set_export_policy
        update organization set export_policy = ?2 where number = ?1",
        params![organization.number, policy.as_str()],
    )?;
    Ok(())
}

/// The people whom the export policy names, instead of those whom it named before.
pub fn set_export_people(tx: &Tx<'_>, organization: &Organization, people: &[PersonNumber]) -> Result<()> {
    tx.execute(
        "-- orgs::delete_permits
        delete from export_permit where organization = ?1",
        params![organization.number],
    )?;
    for person in people {
        tx.execute(
            "-- orgs::insert_permit
            insert into export_permit (organization, person) values (?1, ?2)",
            params![organization.number, *person],
        )?;
    }
    Ok(())
}

/// Give the organization another name.
pub fn rename(tx: &Tx<'_>, organization: &Organization, name: &str) -> Result<()> {
    tx.execute(
        "-- orgs::rename
        update organization set name = ?2 where number = ?1",
        params![organization.number, name],
    )?;
    Ok(())
}

/// How many people, goals and views the organization has. Reads an index entry for each of them.
pub fn count_contents(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<(i64, i64, i64)> {
    tx.query_one(
        "-- orgs::count_contents
        select (select count(*) from person where organization = ?1),
               (select count(*) from goal where organization = ?1),
               (select count(*) from view where organization = ?1)",
        params![organization],
        |row| Ok::<_, Error>((row.int(0)?, row.int(1)?, row.int(2)?)),
    )
}
