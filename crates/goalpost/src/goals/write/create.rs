//! Making a goal.

use goalpost_db::Tx;
use goalpost_okr::Status;

use super::align::{Alignment, Weight};
use super::fields::{Outcome, Patch, Visibility};
use super::{Change, GoalError, Written};
use crate::goals::record::{Column, GoalRecord};
use crate::goals::{GoalType, ObjectType, Origin, ProgressMode, StatusMode};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::mint_numbers;

/// A goal to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewGoal {
    /// What it is given. A title and a time period are needed. Without others it counts in percent, is nobody's, is open
    /// to all and aspirational, and its days are the period's; an objective takes its progress from below, anything else
    /// from its check-ins; its status comes from its progress.
    pub fields: Patch,
    /// Below which goals it is.
    pub parents: Vec<Alignment>,
}

/// Make a goal that nobody has updated yet; whoever acts is its creator.
pub fn create(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    new: &NewGoal,
) -> Result<Written, GoalError> {
    let change = Change::begin(tx, organization, actor, "goal create")?;
    let fields = &new.fields;
    if fields.title.is_none() {
        return Err(GoalError::Empty("title"));
    }
    if fields.period.is_none() {
        return Err(GoalError::NoPeriod);
    }
    let object_type = fields.object_type.unwrap_or(ObjectType::Objective);
    let by_default = Patch {
        outcome: Some(fields.outcome.clone().unwrap_or(Outcome::Percentage)),
        object_type: Some(object_type),
        progress_mode: Some(fields.progress_mode.unwrap_or(match object_type {
            ObjectType::Objective => ProgressMode::FromChildren,
            ObjectType::KeyResult | ObjectType::Initiative => ProgressMode::Manual,
        })),
        status_mode: Some(fields.status_mode.unwrap_or(StatusMode::FromProgress)),
        goal_type: Some(fields.goal_type.unwrap_or(GoalType::Aspirational)),
        ..fields.clone()
    };
    let mut record = GoalRecord::new(mint_numbers(tx, organization, 1)?, Origin::Local);
    record.set(Column::Status, Status::NotStarted.as_str());
    record.set(Column::Creator, actor.map(|person| person.0));
    record.set(Column::CreatedAt, tx.now_us());
    record.set(Column::UpdatedAt, tx.now_us());
    change.apply(&by_default, &mut record)?;
    for alignment in &new.parents {
        change.add_parent(&mut record, alignment)?;
    }
    change.check_visibility(&record)?;
    record.derive();
    record.write(tx, organization, change.revision, None)?;
    change.check_weights(&record)?;
    let parents = super::parents(&record);
    let above = change.recompute(&[], &parents)?;
    Ok(change.written("goal.create", record.id, above)?)
}

impl NewGoal {
    /// A goal with a title in a time period, and nothing else said.
    pub fn named(object_type: ObjectType, title: &str, period: i64) -> Self {
        let fields = Patch {
            object_type: Some(object_type),
            title: Some(title.to_owned()),
            period: Some(period),
            ..Patch::default()
        };
        Self { fields, parents: Vec::new() }
    }

    /// The same below a goal, with a share of what is free.
    #[must_use]
    pub fn below(mut self, parent: i64) -> Self {
        self.parents.push(Alignment { parent, weight: None::<Weight> });
        self
    }

    /// The same for these people alone.
    #[must_use]
    pub fn only_for(mut self, viewers: Vec<PersonNumber>) -> Self {
        self.fields.visibility = Some(Visibility::Only(viewers));
        self
    }
}
