//! Taking a goal away.

use goalpost_db::{Error, Tx, params};

use super::align::remove_parent;
use super::comments::COMMENT;
use super::{Change, GoalError, Written, parents};
use crate::goals::checkin::CHECKIN;
use crate::goals::record::GoalRecord;
use crate::ids::{OrganizationNumber, PersonNumber};

/// What becomes of goals below one that goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Below {
    /// There must be none.
    None,
    /// They stay, and are aligned to it no more.
    Stays,
}

/// Take a goal away with its check-ins, comments and tasks; all of it stays in the history. A closed goal can go too,
/// but not the goals below it that are over: those are only aligned to it no more.
///
/// A goal that a file brought comes back with the next import of a file that holds it.
pub fn delete(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    goal: i64,
    below: Below,
) -> Result<Written, GoalError> {
    let change = Change::begin(tx, organization, actor, "goal delete")?;
    let present = change.find(goal)?;
    let children = change.below(goal)?;
    if below == Below::None && !children.is_empty() {
        return Err(GoalError::HasChildren { goal, count: children.len() });
    }
    let mut also = Vec::new();
    for (id, child) in GoalRecord::read(tx, organization, &children)? {
        let mut changed = child.clone();
        remove_parent(&mut changed, goal);
        change.save(&child, &mut changed)?;
        also.push(id);
    }
    remove(tx, organization, change.revision, &present)?;
    also.extend(change.recompute(&[], &parents(&present))?);
    Ok(change.written("goal.delete", goal, also)?)
}

/// Take a goal's rows away, and what hangs on it.
fn remove(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    goal: &GoalRecord,
) -> Result<(), Error> {
    remove_said(tx, organization, revision, goal.id)?;
    goal.remove(tx, organization, revision)
}

/// Take away what was said on a goal, and what is known of its last import.
pub(crate) fn remove_said(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    goal: i64,
) -> Result<(), Error> {
    for table in [&CHECKIN, &COMMENT] {
        let mut keys = Vec::new();
        table.each(tx, organization, &[goal], |key, _| {
            keys.push([key[0], key[1]]);
            Ok::<_, Error>(())
        })?;
        for key in keys {
            table.remove(tx, organization, &key, revision)?;
        }
    }
    tx.execute(
        "-- goals::forget_imports
        delete from goal_imported_value where organization = ?1 and goal = ?2",
        params![organization, goal],
    )?;
    Ok(())
}
