//! Changing a goal.

use std::collections::BTreeSet;

use goalpost_db::{Tx, Value};

use super::fields::{Patch, set_visibility};
use super::{Change, GoalError, Written, is_restricted};
use crate::goals::ObjectType;
use crate::goals::record::{Column, GoalRecord, List};
use crate::ids::{OrganizationNumber, PersonNumber};

/// What progress and status are counted with. A risk threshold is not among it: it counts from the next check-in on.
const COUNTED: [Column; 12] = [
    Column::ObjectType,
    Column::Period,
    Column::StartDate,
    Column::EndDate,
    Column::OutcomeType,
    Column::MetricUnit,
    Column::MetricStart,
    Column::MetricTarget,
    Column::TargetType,
    Column::ProgressMode,
    Column::StatusMode,
    Column::Phased,
];

/// Change a goal that is under way. What progress is counted with changes what follows from it, on the goal and above;
/// a title, an owner or a tag does not.
///
/// Who may see it applies to its key results too, who then name its owners and viewers. A goal that becomes restricted
/// is not aligned to open goals any more.
pub fn change(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    goal: i64,
    patch: &Patch,
) -> Result<Written, GoalError> {
    let change = Change::begin(tx, organization, actor, "goal change")?;
    let present = change.find_open(goal)?;
    let mut changed = present.clone();
    change.apply(patch, &mut changed)?;
    let mut left = Vec::new();
    if is_restricted(&changed) && !is_restricted(&present) {
        left = change.leave_open_parents(&mut changed)?;
    }
    let is_elsewhere = |list: List| present.list(list) != changed.list(list);
    let is_seen_otherwise = is_restricted(&present) != is_restricted(&changed)
        || (is_restricted(&changed) && (is_elsewhere(List::Viewers) || is_elsewhere(List::Owners)));
    // What a file brought in another order than ours stays until its order is changed.
    if is_seen_otherwise || present.get(Column::ObjectType) != changed.get(Column::ObjectType) {
        change.check_visibility(&changed)?;
        change.check_not_hidden_above(&changed)?;
    }
    change.save(&present, &mut changed)?;
    let mut also =
        if is_seen_otherwise { change.pass_on_visibility(&present, &changed)? } else { Vec::new() };
    let is_counted = COUNTED.iter().any(|&column| present.get(column) != changed.get(column))
        || present.list(List::PhasedTargets) != changed.list(List::PhasedTargets);
    let itself = if is_counted { &[goal][..] } else { &[] };
    left.extend(itself);
    let above = change.recompute(itself, &left)?;
    also.extend(above.into_iter().filter(|&other| other != goal));
    Ok(change.written("goal.change", goal, also)?)
}

impl Change<'_, '_> {
    /// Take a goal away from the open ones above it; tells which they were.
    fn leave_open_parents(&self, goal: &mut GoalRecord) -> Result<Vec<i64>, GoalError> {
        let above = GoalRecord::read_with(self.tx, self.organization, &super::parents(goal), &[])?;
        let is_open = |parent: &Value| match parent {
            Value::Int(parent) => above.get(parent).is_none_or(|parent| !is_restricted(parent)),
            _ => true,
        };
        let entries = goal.list(List::Parents).chunks_exact(List::Parents.width());
        let (left, kept): (Vec<_>, Vec<_>) = entries.partition(|entry| is_open(&entry[0]));
        let left =
            left.iter().filter_map(|entry| if let Value::Int(id) = entry[0] { Some(id) } else { None });
        let (left, kept) = (left.collect(), kept.concat());
        *goal.list_mut(List::Parents) = kept;
        Ok(left)
    }

    /// A key result is as visible as the goal above it: it is not opened alone.
    fn check_not_hidden_above(&self, goal: &GoalRecord) -> Result<(), GoalError> {
        if is_restricted(goal) || goal.text(Column::ObjectType) != ObjectType::KeyResult.as_str() {
            return Ok(());
        }
        let above = GoalRecord::read_with(self.tx, self.organization, &super::parents(goal), &[])?;
        if above.values().any(is_restricted) {
            return Err(GoalError::HiddenAbove(goal.id));
        }
        Ok(())
    }

    /// Give the key results below a goal that was `before` its visibility, and those below these; tells which changed. Those
    /// that were not as visible as it before stay as they are.
    fn pass_on_visibility(&self, before: &GoalRecord, goal: &GoalRecord) -> Result<Vec<i64>, GoalError> {
        let mut changed = Vec::new();
        let mut seen = BTreeSet::from([goal.id]);
        let mut level = vec![(before.clone(), goal.clone())];
        while let Some((before, above)) = level.pop() {
            let below = self.below(above.id)?;
            for (id, present) in GoalRecord::read(self.tx, self.organization, &below)? {
                if present.text(Column::ObjectType) != ObjectType::KeyResult.as_str() || !seen.insert(id) {
                    continue;
                }
                let mut as_before = present.clone();
                share_visibility(&before, &mut as_before);
                let is_shared = is_restricted(&as_before) == is_restricted(&present)
                    && as_before.list(List::Viewers) == present.list(List::Viewers);
                if !is_shared {
                    continue;
                }
                let mut wanted = present.clone();
                share_visibility(&above, &mut wanted);
                if is_restricted(&wanted) {
                    self.check_visibility(&wanted)?;
                }
                if self.save(&present, &mut wanted)? {
                    changed.push(id);
                }
                level.push((present, wanted));
            }
        }
        Ok(changed)
    }
}

/// Give a key result the visibility of the goal above it: that one's owners and viewers see it.
pub(super) fn share_visibility(above: &GoalRecord, key_result: &mut GoalRecord) {
    let mut viewers = Vec::new();
    if is_restricted(above) {
        for person in above.list(List::Owners).iter().chain(above.list(List::Viewers)) {
            match person {
                Value::Int(person) if !viewers.contains(person) => viewers.push(*person),
                _ => {}
            }
        }
    } else if !is_restricted(key_result) {
        return;
    }
    set_visibility(key_result, is_restricted(above), viewers);
}
