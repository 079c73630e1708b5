//! Who belonged to a choice of goals, then and now.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use goalpost_db::{Error, Result, Tx};

use super::AsOf;
use super::delta::DeltaQuery;
use crate::goals::filter::Subject;
use crate::goals::visibility::{IS_HELD, visible_to};
use crate::table::{key_batches, keys_at_once};

/// What a goal is to the caller in one state; one that is not there is nothing of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// The caller may see it.
    pub(super) visible: bool,
    /// It is no placeholder.
    pub(super) held: bool,
    /// It is chosen, and the caller may see it.
    pub(super) member: bool,
}

/// One end of a delta: a state, who looks, and on which day.
pub(super) struct End<'a> {
    pub(super) as_of: AsOf,
    pub(super) subject: Subject,
    pub(super) standings: BTreeMap<i64, Standing>,
    /// All members, where it took a look at every goal to know them.
    pub(super) members: Option<BTreeSet<i64>>,
    query: &'a DeltaQuery<'a>,
}

impl<'a> End<'a> {
    pub(super) fn new(query: &'a DeltaQuery<'a>, as_of: AsOf, subject: Subject) -> Self {
        Self { as_of, subject, standings: BTreeMap::new(), members: None, query }
    }

    pub(super) fn of(&self, goal: i64) -> Standing {
        self.standings.get(&goal).copied().unwrap_or_default()
    }

    pub(super) fn is_member(&self, goal: i64) -> bool {
        self.members.as_ref().map_or_else(|| self.of(goal).member, |members| members.contains(&goal))
    }

    /// Learn how these goals stand. Two statements for every 250.
    pub(super) fn look_at(&mut self, tx: &Tx<'_>, goals: &BTreeSet<i64>) -> Result<()> {
        let goals: Vec<i64> =
            goals.iter().copied().filter(|goal| !self.standings.contains_key(goal)).collect();
        let mut params = key_batches(self.subject.organization, &goals).peekable();
        let Some(first) = params.peek().map(|batch| batch.len() + 1) else { return Ok(()) };
        let visible = visible_to(&self.subject, first);
        let chosen = (self.query.chosen)(&self.subject, first + visible.params.len());
        let standings = format!(
            "-- history::standings
            select g.id, {}, {IS_HELD} from goal g where g.organization = ?1 and g.id in ({})",
            visible.sql,
            keys_at_once(&goals)
        );
        let members = format!(
            "-- history::members_among
            select g.id from goal g where g.organization = ?1 and g.id in ({}) and {} and {}",
            keys_at_once(&goals),
            visible.sql,
            chosen.sql
        );
        let (standings, members) = (self.as_of.text(tx, &standings), self.as_of.text(tx, &members));
        for mut params in params {
            params.extend(visible.params.iter().cloned());
            tx.each(&standings, &params, |row| {
                let standing = Standing { visible: row.bool(1)?, held: row.bool(2)?, member: false };
                self.standings.insert(row.int(0)?, standing);
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
            params.extend(chosen.params.iter().cloned());
            tx.each(&members, &params, |row| {
                self.standings.entry(row.int(0)?).or_default().member = true;
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
        }
        for goal in goals {
            self.standings.entry(goal).or_default();
        }
        Ok(())
    }

    /// Learn all members, by a look at every goal.
    pub(super) fn look_at_all(&mut self, tx: &Tx<'_>) -> Result<()> {
        let visible = visible_to(&self.subject, 2);
        let chosen = (self.query.chosen)(&self.subject, 2 + visible.params.len());
        let sql = format!(
            "-- history::members
            select g.id from goal g where g.organization = ?1 and {} and {}",
            visible.sql, chosen.sql
        );
        let mut params = vec![self.subject.organization.into()];
        params.extend(visible.params.into_iter().chain(chosen.params));
        let members = tx.query(&self.as_of.text(tx, &sql), &params, |row| row.int(0))?;
        self.members = Some(members.into_iter().collect());
        Ok(())
    }
}
