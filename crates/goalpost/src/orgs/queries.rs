//! The organization's own row.

use goalpost_db::{Error, Result, Row, Tx, params};
use uuid::Uuid;

use super::{ExportPolicy, GoalPolicy, Organization};
use crate::ids::{FIRST_MINTED, OrganizationNumber, PersonNumber};

const COLUMNS: &str =
    "number, guid, name, file_number, export_policy, revision, goal_policy, planning_year_start";

fn from_row(row: &Row<'_>) -> Result<Organization> {
    Ok(Organization {
        number: OrganizationNumber(row.int(0)?),
        guid: Uuid::from_bytes(row.bytes(1)?),
        name: row.text(2)?.to_owned(),
        file_number: row.opt_int(3)?,
        // A word that this build does not know must not open more doors than the narrowest policy.
        export_policy: row.text(4)?.parse().unwrap_or(ExportPolicy::Owners),
        revision: row.int(5)?,
        goal_policy: GoalPolicy::of(row.opt_text(6)?),
        planning_year_start: row.opt_int(7)?,
    })
}

/// The organization with this GUID.
pub fn find_by_guid(tx: &Tx<'_>, guid: Uuid) -> Result<Option<Organization>> {
    let sql = format!("-- orgs::find_by_guid\nselect {COLUMNS} from organization where guid = ?1");
    tx.query_opt(&sql, params![guid.into_bytes()], from_row)
}

/// The GUID of an organization.
pub fn find_guid(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Option<Uuid>> {
    tx.query_opt(
        "-- orgs::find_guid\nselect guid from organization where number = ?1",
        params![organization],
        |row| Ok(Uuid::from_bytes(row.bytes(0)?)),
    )
}

/// Every organization, by name.
pub fn list(tx: &Tx<'_>) -> Result<Vec<Organization>> {
    let sql = format!("-- orgs::list\nselect {COLUMNS} from organization order by name, number");
    tx.query(&sql, params![], from_row)
}

/// The organizations whose files carry this number.
pub fn list_by_file_number(tx: &Tx<'_>, file_number: i64) -> Result<Vec<Organization>> {
    let sql =
        format!("-- orgs::list_by_file_number\nselect {COLUMNS} from organization where file_number = ?1");
    tx.query(&sql, params![file_number], from_row)
}

/// Make an organization. Its number is the one that its files carry, if that is given and free.
pub fn insert(tx: &Tx<'_>, guid: Uuid, name: &str, file_number: Option<i64>) -> Result<Organization> {
    let number = free_number(tx, file_number.filter(|number| *number < FIRST_MINTED))?;
    tx.execute(
        "-- orgs::insert
        insert into organization (number, guid, name, file_number, export_policy, revision, next_number, created_at)
        values (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)",
        params![
            number,
            guid.into_bytes(),
            name,
            file_number,
            ExportPolicy::Owners.as_str(),
            FIRST_MINTED,
            tx.now_us()
        ],
    )?;
    find_by_guid(tx, guid)?.ok_or_else(|| missing(OrganizationNumber(number)))
}

/// A number that no organization has: the wanted one, or a new one where that is taken.
pub fn free_number(tx: &Tx<'_>, wanted: Option<i64>) -> Result<i64> {
    let taken = "-- orgs::is_taken\nselect 1 from organization where number = ?1";
    if let Some(number) = wanted.filter(|number| (1..FIRST_MINTED << 1).contains(number))
        && tx.query_opt(taken, params![number], |_| Ok::<_, Error>(()))?.is_none()
    {
        return Ok(number);
    }
    tx.query_one(
        "-- orgs::next_number
        select coalesce(max(number), 0) from organization",
        params![],
        |row| Ok::<_, Error>(row.int(0)?.max(FIRST_MINTED - 1) + 1),
    )
}

/// Let no change of the organization's data come between what is read from here on and what is written: whoever changes
/// it meanwhile waits until the transaction ends.
pub fn hold(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<()> {
    tx.is_waited_for();
    tx.execute(
        "-- orgs::hold
        update organization set revision = revision where number = ?1",
        params![organization],
    )?;
    Ok(())
}

/// Begin a change of the organization's data: the revision that every row of it carries. The row stays locked until
/// the transaction ends, so revisions are committed in their order, and none was made before the one before it.
pub fn raise_revision(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    cause: &str,
) -> Result<i64> {
    tx.is_waited_for();
    let revision = tx
        .query_opt(
            "-- orgs::raise_revision
            update organization set revision = revision + 1 where number = ?1 returning revision",
            params![organization],
            |row| row.int(0),
        )?
        .ok_or_else(|| missing(organization))?;
    tx.execute(
        "-- orgs::insert_revision
        insert into revision (organization, revision, made_at, actor, cause)
        select ?1, ?2, case when before.made_at > ?3 then before.made_at else ?3 end, ?4, ?5
          from organization o
          left join revision before on before.organization = ?1 and before.revision = ?2 - 1
         where o.number = ?1",
        params![organization, revision, tx.now_us(), actor, cause],
    )?;
    Ok(revision)
}

/// Say that a change with this revision changes people, teams, periods or tags, which have no history: whatever looks
/// at them cannot be told for the time before.
pub fn change_directory(tx: &Tx<'_>, organization: OrganizationNumber, revision: i64) -> Result<()> {
    tx.execute(
        "-- orgs::change_directory
        update organization set directory_revision = ?2 where number = ?1",
        params![organization, revision],
    )?;
    Ok(())
}

/// The revision that last changed people, teams, periods or tags; the present one where nobody noted it.
pub fn directory_revision(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<i64> {
    tx.query_opt(
        "-- orgs::directory_revision
        select coalesce(directory_revision, revision) from organization where number = ?1",
        params![organization],
        |row| row.int(0),
    )?
    .ok_or_else(|| missing(organization))
}

/// Mint `count` numbers for objects of this organization that no file brought; returns the first.
pub fn mint_numbers(tx: &Tx<'_>, organization: OrganizationNumber, count: i64) -> Result<i64> {
    tx.query_opt(
        "-- orgs::mint_numbers
        update organization set next_number = next_number + ?2 where number = ?1 returning next_number - ?2",
        params![organization, count],
        |row| row.int(0),
    )?
    .ok_or_else(|| missing(organization))
}

fn missing(organization: OrganizationNumber) -> Error {
    Error::unexpected(format!("organization {organization} has no row"))
}
