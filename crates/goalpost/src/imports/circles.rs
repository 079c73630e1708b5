//! Circles of parents that a file closes together with alignments that are here.
//!
//! Who will be above whom is worked out from what is here and what the file changes, so a dry run, which writes nothing,
//! finds what the import finds.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::ControlFlow;

use goalpost_db::{Error, Result, Tx};

use crate::ids::OrganizationNumber;
use crate::table::{key_batches, keys_at_once};

/// The parents of some goals, and of all above them.
#[derive(Clone, Debug)]
pub(super) struct Above {
    parents: HashMap<i64, Vec<i64>>,
}

impl Above {
    /// Learn who is above `goals`; `instead` has the parents that goals will have, where they are others than here. Costs a
    /// statement for each level, and for every 250 goals of it.
    pub(super) fn load(
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        goals: impl IntoIterator<Item = i64>,
        instead: HashMap<i64, Vec<i64>>,
    ) -> Result<Self> {
        let mut above = Self { parents: instead };
        let mut level: Vec<i64> = goals.into_iter().collect();
        level.extend(above.parents.values().flatten());
        while !level.is_empty() {
            level.sort_unstable();
            level.dedup();
            level.retain(|goal| !above.parents.contains_key(goal));
            above.parents.extend(level.iter().map(|goal| (*goal, Vec::new())));
            let sql = format!(
                "-- imports::parents
                select goal, parent from goal_parent where organization = ?1 and goal in ({}) order by goal, position",
                keys_at_once(&level)
            );
            let mut next = Vec::new();
            for params in key_batches(organization, &level) {
                tx.each(&sql, &params, |row| {
                    let (goal, parent) = (row.int(0)?, row.int(1)?);
                    above.parents.entry(goal).or_default().push(parent);
                    next.push(parent);
                    Ok::<_, Error>(ControlFlow::Continue(()))
                })?;
            }
            level = next;
        }
        Ok(above)
    }

    /// Whether a goal is right below another.
    pub(super) fn is_below(&self, goal: i64, parent: i64) -> bool {
        self.parents.get(&goal).is_some_and(|parents| parents.contains(&parent))
    }

    /// Align a goal to another.
    pub(super) fn add(&mut self, goal: i64, parent: i64) {
        self.parents.entry(goal).or_default().push(parent);
    }

    /// The way up from one goal to another, both ends with it; `None` if the other is not above it.
    pub(super) fn path(&self, from: i64, to: i64) -> Option<Vec<i64>> {
        // Of each goal above, the one below it from which it was first come to.
        let mut came_from = HashMap::from([(from, from)]);
        let mut waiting = vec![from];
        while let Some(goal) = waiting.pop()
            && goal != to
        {
            for &parent in self.parents.get(&goal).into_iter().flatten() {
                if let Entry::Vacant(vacant) = came_from.entry(parent) {
                    vacant.insert(goal);
                    waiting.push(parent);
                }
            }
        }
        let mut path = vec![to];
        let mut goal = *came_from.get(&to)?;
        while path.last() != Some(&from) {
            path.push(goal);
            goal = came_from[&goal];
        }
        path.reverse();
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_up_are_found() {
        let mut above = Above { parents: HashMap::from([(1, vec![2, 3]), (3, vec![4]), (4, vec![3])]) };
        assert_eq!(above.path(1, 4), Some(vec![1, 3, 4]));
        assert_eq!(above.path(1, 1), Some(vec![1]));
        assert_eq!(above.path(2, 1), None);
        above.add(2, 1);
        assert!(above.is_below(2, 1) && !above.is_below(1, 4));
        assert_eq!(above.path(2, 4), Some(vec![2, 1, 3, 4]));
    }
}
