//! Which organization a file belongs to.

use goalpost_db::{Lock, Tx};
use uuid::Uuid;

use super::{ImportError, ImportOptions};
use crate::ids::{FIRST_MINTED, OrganizationNumber};
use crate::orgs::{ExportPolicy, GoalPolicy, Organization, queries};
use crate::views;

/// A number that no organization has: rows are looked for under it in a dry run, and none are found.
const NOBODY: OrganizationNumber = OrganizationNumber(-1);

/// Find the organization of a file, or make one; the second value tells which. By the GUID that the operator says,
/// else by the number in the file, else by exact name.
pub(super) fn find_or_make(
    tx: &Tx<'_>,
    options: &ImportOptions,
    file_number: i64,
) -> Result<(Organization, bool), ImportError> {
    if let Some(organization) = find(tx, options, file_number)? {
        tx.enter(organization.number.0);
        if !options.dry_run {
            // What is compared must stay as it is until it is written.
            tx.lock(organization.number.0, Lock::Data)?;
        }
        return Ok((adopt(organization, file_number)?, false));
    }
    let name = options.organization_name.as_deref().ok_or(ImportError::NoName { number: file_number })?;
    make(tx, options, name, Some(file_number))
}

fn make(
    tx: &Tx<'_>,
    options: &ImportOptions,
    name: &str,
    file_number: Option<i64>,
) -> Result<(Organization, bool), ImportError> {
    let guid = options.organization_id.unwrap_or_else(|| options.ids.guid());
    if options.dry_run {
        let name = name.to_owned();
        let export_policy = ExportPolicy::Owners;
        let organization = Organization {
            number: NOBODY,
            guid,
            name,
            file_number,
            export_policy,
            goal_policy: GoalPolicy::TeamOwners,
            planning_year_start: None,
            revision: 0,
        };
        return Ok((organization, true));
    }
    Ok((views::presets::found(tx, guid, name, file_number, "import")?, true))
}

/// The same for a table, which may say no number. What the operator says comes first, and a number that the
/// organization does not have is never given to it.
pub(super) fn find_or_make_for_table(
    tx: &Tx<'_>,
    options: &ImportOptions,
    number: Option<i64>,
) -> Result<(Organization, bool), ImportError> {
    let by_name = match &options.organization_name {
        Some(name) if options.organization_id.is_none() => {
            only(queries::list(tx)?.into_iter().filter(|organization| organization.name == *name).collect())?
        }
        _ => None,
    };
    let of_number = match number {
        Some(number) => queries::list_by_file_number(tx, number)?,
        None => Vec::new(),
    };
    let found = match (options.organization_id, by_name) {
        (Some(guid), _) => queries::find_by_guid(tx, guid)?,
        (None, Some(organization)) => Some(organization),
        (None, None) if options.organization_name.is_none() => only(of_number.clone())?,
        _ => None,
    };
    if let Some(organization) = found {
        tx.enter(organization.number.0);
        if !options.dry_run {
            tx.lock(organization.number.0, Lock::Data)?;
        }
        return match (organization.file_number, number) {
            (Some(expected), Some(found)) if expected != found && organization.number.0 != found => {
                let Organization { guid, name, .. } = organization;
                Err(ImportError::OtherOrganization { guid, name, expected, found })
            }
            _ => Ok((organization, false)),
        };
    }
    let name = options.organization_name.as_deref().ok_or(ImportError::NoOrganization)?;
    let number = number.filter(|number| of_number.is_empty() && *number < FIRST_MINTED);
    make(tx, options, name, number)
}

fn find(tx: &Tx<'_>, options: &ImportOptions, file_number: i64) -> Result<Option<Organization>, ImportError> {
    if let Some(guid) = options.organization_id {
        return Ok(queries::find_by_guid(tx, guid)?);
    }
    let by_number = queries::list_by_file_number(tx, file_number)?;
    if !by_number.is_empty() {
        return only(by_number);
    }
    let Some(name) = &options.organization_name else { return Ok(None) };
    only(queries::list(tx)?.into_iter().filter(|organization| organization.name == *name).collect())
}

fn only(mut found: Vec<Organization>) -> Result<Option<Organization>, ImportError> {
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(ImportError::Ambiguous(
            found.iter().map(|organization| organization.guid).collect::<Vec<Uuid>>(),
        )),
    }
}

/// Let an organization that was made here have its file's number. Files of two organizations are never mixed: their
/// ids would be taken for each other.
fn adopt(mut organization: Organization, file_number: i64) -> Result<Organization, ImportError> {
    match organization.file_number {
        Some(expected) if expected != file_number => {
            let Organization { guid, name, .. } = organization;
            Err(ImportError::OtherOrganization { guid, name, expected, found: file_number })
        }
        Some(_) => Ok(organization),
        // It is written with what else changes.
        None => {
            organization.file_number = Some(file_number);
            Ok(organization)
        }
    }
}
