//! What an organization is called, and what it lets its people do.

use goalpost_db::{Tx, params};
use serde_json::json;

use super::change::{Change, OrgError, name};
use super::people::{set_export_people, set_export_policy};
use super::tables::PERSON;
use super::{ExportPolicy, GoalPolicy, Organization};
use crate::audit;
use crate::ids::PersonNumber;

/// What is to become of an organization. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Its name.
    pub name: Option<String>,
    /// Who may export.
    pub export_policy: Option<ExportPolicy>,
    /// Whom the export policy names, instead of those it named before.
    pub export_people: Option<Vec<PersonNumber>>,
    /// Who may make goals.
    pub goal_policy: Option<GoalPolicy>,
    /// The month with which planning years begin; time periods are then made by themselves.
    pub planning_year_start: Option<Option<u8>>,
}

/// Change an organization.
pub fn change(
    tx: &Tx<'_>,
    organization: &Organization,
    actor: Option<PersonNumber>,
    settings: &Settings,
) -> Result<(), OrgError> {
    let number = organization.number;
    let change = Change::begin(tx, number, actor, "org set")?;
    let renamed = settings.name.as_deref().map(|text| name("organization", text)).transpose()?;
    if let Some(text) = &renamed {
        super::people::rename(tx, organization, text)?;
    }
    if let Some(policy) = settings.export_policy {
        set_export_policy(tx, organization, policy)?;
    }
    let mut people = settings.export_people.clone();
    if let Some(people) = &mut people {
        people.sort_unstable();
        people.dedup();
        for person in &*people {
            change.find(&PERSON, "person", person.0)?;
        }
        set_export_people(tx, organization, people)?;
    }
    if let Some(policy) = settings.goal_policy {
        tx.execute(
            "-- orgs::set_goal_policy
            update organization set goal_policy = ?2 where number = ?1",
            params![number, policy.as_str()],
        )?;
    }
    if let Some(month) = settings.planning_year_start {
        if let Some(month) = month.filter(|month| !(1..=12).contains(month)) {
            return Err(OrgError::NoMonth(month));
        }
        tx.execute(
            "-- orgs::set_planning_year_start
            update organization set planning_year_start = ?2 where number = ?1",
            params![number, month.map(i64::from)],
        )?;
    }
    let detail = json!({
        "exportPolicy": settings.export_policy,
        "exportPeople": people.map(|people| people.iter().map(|person| person.0).collect::<Vec<_>>()),
        "renamed": renamed.is_some(),
        "goalPolicy": settings.goal_policy,
        "planningYearStart": settings.planning_year_start,
    });
    let subject = organization.guid.to_string();
    Ok(audit::record(tx, number, actor, "organization.set", &subject, &detail)?)
}
