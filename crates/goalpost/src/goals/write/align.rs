//! Below which goals a goal is, and how much it contributes there.

use std::collections::BTreeMap;

use goalpost_db::{Error, Tx, Value, params};
use goalpost_okr::{Contribution, WeightError, shares};

use super::change::share_visibility;
use super::{Change, GoalError, Written, is_restricted, parents};
use crate::goals::record::{Column, GoalRecord, List};
use crate::goals::{ObjectType, recompute};
use crate::ids::{OrganizationNumber, PersonNumber};

/// A goal's part in the progress of the one above it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weight {
    /// So many percent, whatever others are aligned.
    Fixed(f64),
    /// An equal share of what the fixed ones leave; nothing for an initiative.
    Free,
}

/// That a goal is below another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alignment {
    /// The goal above.
    pub parent: i64,
    /// Its part there; without, a share of what is free, or nothing where new goals do not contribute.
    pub weight: Option<Weight>,
}

/// Put a goal below another one, or give it another weight there.
pub fn align(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    goal: i64,
    alignment: &Alignment,
) -> Result<Written, GoalError> {
    let change = Change::begin(tx, organization, actor, "goal align")?;
    let present = change.find_open(goal)?;
    let mut changed = present.clone();
    change.add_parent(&mut changed, alignment)?;
    change.check_visibility(&changed)?;
    change.save(&present, &mut changed)?;
    change.check_weights(&changed)?;
    let above = change.recompute(&[], &[alignment.parent])?;
    Ok(change.written("goal.align", goal, above)?)
}

/// Take a goal away from the one above it.
pub fn unalign(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    goal: i64,
    parent: i64,
) -> Result<Written, GoalError> {
    let change = Change::begin(tx, organization, actor, "goal unalign")?;
    let present = change.find_open(goal)?;
    let mut changed = present.clone();
    if !remove_parent(&mut changed, parent) {
        return Err(GoalError::NotAligned { goal, parent });
    }
    change.save(&present, &mut changed)?;
    let above = change.recompute(&[], &[parent])?;
    Ok(change.written("goal.unalign", goal, above)?)
}

/// What a change of weights says.
#[derive(Clone, Debug, PartialEq)]
pub enum NewWeights {
    /// These goals get other weights, the others keep theirs.
    Of(Vec<(i64, Weight)>),
    /// Nobody's is fixed any more: all share equally.
    Reset,
}

/// Say what the goals below a goal contribute. A weight that is set is fixed; the free ones share what is left.
pub fn set_weights(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    parent: i64,
    weights: &NewWeights,
) -> Result<Written, GoalError> {
    let change = Change::begin(tx, organization, actor, "goal weights")?;
    change.find_open(parent)?;
    let below = change.below(parent)?;
    let wanted: BTreeMap<i64, Weight> = match weights {
        NewWeights::Of(weights) => weights.iter().copied().collect(),
        NewWeights::Reset => below.iter().map(|&goal| (goal, Weight::Free)).collect(),
    };
    let present = GoalRecord::read(tx, organization, &wanted.keys().copied().collect::<Vec<_>>())?;
    let mut also = Vec::new();
    for (&goal, &weight) in &wanted {
        let Some(present) = present.get(&goal).filter(|_| below.contains(&goal)) else {
            return Err(GoalError::NotAligned { goal, parent });
        };
        let mut changed = present.clone();
        set_weight(&mut changed, parent, weight)?;
        if change.save(present, &mut changed)? {
            also.push(goal);
        }
    }
    change.check_whole(parent)?;
    also.extend(change.recompute(&[], &[parent])?.into_iter().filter(|&goal| goal != parent));
    Ok(change.written("goal.weights", parent, also)?)
}

impl Change<'_, '_> {
    /// Put `goal` below another, or change its weight there.
    pub(super) fn add_parent(&self, goal: &mut GoalRecord, alignment: &Alignment) -> Result<(), GoalError> {
        let parent = self.find_open(alignment.parent)?;
        if parents(goal).contains(&parent.id) {
            return alignment.weight.map_or(Ok(()), |weight| set_weight(goal, parent.id, weight));
        }
        if parent.text(Column::ObjectType) == ObjectType::Initiative.as_str() {
            return Err(GoalError::NotAbove(parent.id));
        }
        if let Some(circle) = recompute::path_up(self.tx, self.organization, parent.id, goal.id)? {
            return Err(GoalError::Circle([&[goal.id][..], &circle].concat()));
        }
        if is_restricted(&parent) && is_key_result(goal) && !is_restricted(goal) {
            share_visibility(&parent, goal);
        }
        let contributes = *parent.get(Column::NewChildrenContribute) != Value::Bool(false);
        let weight = alignment.weight.unwrap_or(if contributes { Weight::Free } else { Weight::Fixed(0.0) });
        goal.list_mut(List::Parents).extend([parent.id.into(), Value::Null, false.into()]);
        set_weight(goal, parent.id, weight)
    }

    /// A restricted goal is below restricted goals alone, and as a key result below one.
    pub(super) fn check_visibility(&self, goal: &GoalRecord) -> Result<(), GoalError> {
        if !is_restricted(goal) {
            return Ok(());
        }
        let above = parents(goal);
        for (parent, found) in GoalRecord::read_with(self.tx, self.organization, &above, &[])? {
            if !is_restricted(&found) {
                return Err(GoalError::OpenParent { goal: goal.id, parent });
            }
        }
        if above.len() > 1 && is_key_result(goal) {
            return Err(GoalError::OneParent(goal.id));
        }
        Ok(())
    }

    /// The weights below the goals above `goal`, which is written, make a whole.
    pub(super) fn check_weights(&self, goal: &GoalRecord) -> Result<(), GoalError> {
        parents(goal).into_iter().try_for_each(|parent| self.check_whole(parent))
    }

    /// The weights that people fixed below a goal are 100 at most.
    pub(super) fn check_whole(&self, parent: i64) -> Result<(), GoalError> {
        let fixed = self.tx.query(
            "-- goals::fixed_weights
            select weight from goal_parent where organization = ?1 and parent = ?2 and fixed and weight is not null",
            params![self.organization, parent],
            |row| Ok::<_, Error>(Contribution::Fixed(row.opt_real(0)?.unwrap_or(0.0))),
        )?;
        shares(&fixed)?;
        Ok(())
    }
}

fn is_key_result(goal: &GoalRecord) -> bool {
    goal.text(Column::ObjectType) == ObjectType::KeyResult.as_str()
}

/// Give a goal another weight below one that it is aligned to.
fn set_weight(goal: &mut GoalRecord, parent: i64, weight: Weight) -> Result<(), GoalError> {
    let (weight, is_fixed) = match weight {
        Weight::Fixed(weight) if !(0.0..=100.0).contains(&weight) => {
            return Err(WeightError::NotAPercentage(weight).into());
        }
        Weight::Fixed(weight) => (Some(weight), true),
        Weight::Free => (None, false),
    };
    for entry in goal.list_mut(List::Parents).chunks_exact_mut(List::Parents.width()) {
        if entry[0] == Value::Int(parent) {
            (entry[1], entry[2]) = (weight.into(), is_fixed.into());
        }
    }
    Ok(())
}

/// Take a goal away from one above it; whether it was there.
pub(super) fn remove_parent(goal: &mut GoalRecord, parent: i64) -> bool {
    let entries = goal.list(List::Parents).chunks_exact(List::Parents.width());
    let kept: Vec<Value> =
        entries.filter(|entry| entry[0] != Value::Int(parent)).flatten().cloned().collect();
    let is_shorter = kept.len() < goal.list(List::Parents).len();
    *goal.list_mut(List::Parents) = kept;
    is_shorter
}
