//! What is known before the first goal is read: which goals, how wide, and whether the answer depends on who asks.

use std::ops::ControlFlow;

use goalpost_db::{Error, Result, Tx, Value, params};
use roaring::RoaringTreemap;

use super::{Query, below};
use crate::goals::filter::Condition;
use crate::goals::visibility;

/// How the goals of a query are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// All that the subject may see, along the key.
    All,
    /// These, but along the key, since they are many of those that are there.
    Range(RoaringTreemap),
    /// These, one by one.
    Lookup(Vec<i64>),
}

/// A query that was evaluated: the filter is asked once, here, whatever is read later.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) way: Way,
    /// The largest number of check-ins of any goal, which is how wide a file must be.
    pub most_checkins: i64,
    /// Whether a restricted goal is among the chosen ones, for the subject to see or not.
    pub has_restricted: bool,
    /// The check-ins of all of them, where they were counted.
    pub(super) checkins: i64,
    /// The restricted goals that the subject may not see, where a read goes along the key: known beforehand, so that
    /// no statement asks for rights again. PostgreSQL would look at all owners of check-ins for each chunk of goals.
    pub(super) hidden: Option<RoaringTreemap>,
}

/// How much a query comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Goals.
    pub goals: u64,
    /// Their check-ins.
    pub check_ins: u64,
}

/// How many tags goals have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tagged {
    /// The largest number of any goal.
    pub most: usize,
    /// Tags of all of them, without the first one of each.
    pub behind_the_first: u64,
}

/// A look-up by number costs about as much as reading past this many neighbours.
const LOOKUP_COST: u64 = 4;
/// Below this many goals, looking them up is quick whatever else there is.
const FEW: u64 = 1_000;

impl Plan {
    /// Evaluate a query. Holds about a byte for each goal in memory, eight where few are chosen.
    pub fn new(tx: &Tx<'_>, query: &Query<'_>) -> Result<Self> {
        if query.everything { Self::all(tx, query) } else { Self::some(tx, query) }
    }

    /// The plan of an organization that has no goals.
    pub fn of_nothing() -> Self {
        let way = Way::Lookup(Vec::new());
        Self { way, most_checkins: 0, has_restricted: false, checkins: 0, hidden: None }
    }

    fn all(tx: &Tx<'_>, query: &Query<'_>) -> Result<Self> {
        let (condition, params) = conditions(query, vec![query.subject.organization.into()]);
        let sql = format!(
            "-- goals::overview (by key)
            select (select g.checkin_count from goal g where g.organization = ?1 and {condition}
                     order by g.checkin_count desc limit 1),
                   exists (select 1 from goal g where g.organization = ?1 and {})",
            visibility::restricted_as_of(query.as_of)
        );
        let (most_checkins, has_restricted) = tx.query_one(&query.as_of.text(tx, &sql), &params, |row| {
            Ok::<_, Error>((row.opt_int(0)?, row.bool(1)?))
        })?;
        // Where there is nothing to be seen, nothing more is asked.
        let (way, hidden) = match most_checkins {
            Some(_) => (Way::All, Some(hidden(tx, query)?)),
            None => (Way::Lookup(Vec::new()), None),
        };
        let most_checkins = most_checkins.unwrap_or(0);
        Ok(Self { way, checkins: 0, hidden, most_checkins, has_restricted })
    }

    fn some(tx: &Tx<'_>, query: &Query<'_>) -> Result<Self> {
        let mut params = vec![Value::from(query.subject.organization)];
        let visible = query.visible(2);
        params.extend(visible.params);
        let chosen = (query.chosen)(params.len() + 1);
        params.extend(chosen.params);
        let sql = format!(
            "-- goals::choose
            select g.id, g.checkin_count, {}, {} from goal g where g.organization = ?1 and {}",
            visibility::restricted_as_of(query.as_of),
            visible.sql,
            chosen.sql
        );
        let mut plan =
            Self { way: Way::All, most_checkins: 0, has_restricted: false, checkins: 0, hidden: None };
        let mut ids = RoaringTreemap::new();
        tx.each(&query.as_of.text(tx, &sql), &params, |row| {
            plan.has_restricted |= row.bool(2)?;
            if row.bool(3)? {
                ids.insert(row.int(0)? as u64);
                plan.most_checkins = plan.most_checkins.max(row.int(1)?);
                plan.checkins += row.int(1)?;
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        below::add(tx, query, &mut ids, &mut plan)?;
        if ids.len() > FEW && ids.len() * LOOKUP_COST > count(tx, query)? {
            plan.way = Way::Range(ids);
            plan.hidden = Some(hidden(tx, query)?);
        } else {
            plan.way = Way::Lookup(ids.into_iter().map(|id| id as i64).collect());
        }
        Ok(plan)
    }
}

impl Plan {
    /// How many rows a reader meets. One statement at most, which looks at every goal if all were chosen.
    pub fn extent(&self, tx: &Tx<'_>, query: &Query<'_>) -> Result<Extent> {
        let goals = match &self.way {
            Way::Range(ids) => ids.len(),
            Way::Lookup(ids) => ids.len() as u64,
            Way::All => {
                let (condition, params) = conditions(query, vec![query.subject.organization.into()]);
                let sql = format!(
                    "-- goals::extent
                    select count(*), cast(coalesce(sum(g.checkin_count), 0) as bigint) from goal g where g.organization = ?1 and {condition}"
                );
                return tx.query_one(&query.as_of.text(tx, &sql), &params, |row| {
                    Ok(Extent { goals: row.int(0)? as u64, check_ins: row.int(1)? as u64 })
                });
            }
        };
        Ok(Extent { goals, check_ins: self.checkins as u64 })
    }

    /// How many tags the goals have.
    pub fn tagged(&self, tx: &Tx<'_>, query: &Query<'_>) -> Result<Tagged> {
        let organization = vec![query.subject.organization.into()];
        let (join, params) = match &self.way {
            Way::All => {
                let (condition, params) = conditions(query, organization);
                let join = format!(
                    "join goal g on g.organization = ?1 and g.id = l.goal where l.organization = ?1 and {condition}"
                );
                (join, params)
            }
            Way::Range(_) | Way::Lookup(_) => ("where l.organization = ?1".to_owned(), organization),
        };
        let sql = format!("-- goals::tagged\nselect l.goal, count(*) from goal_tag l {join} group by l.goal");
        let mut tagged = Tagged::default();
        tx.each(&query.as_of.text(tx, &sql), &params, |row| {
            if self.holds(row.int(0)?) {
                let tags = row.int(1)?;
                tagged.most = tagged.most.max(tags as usize);
                tagged.behind_the_first += tags as u64 - 1;
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        Ok(tagged)
    }

    /// Whether this goal, which its statement found, is among those that are read.
    fn holds(&self, goal: i64) -> bool {
        match &self.way {
            Way::All => true,
            Way::Range(ids) => ids.contains(goal as u64),
            Way::Lookup(ids) => ids.binary_search(&goal).is_ok(),
        }
    }
}

/// The goals that the subject may not see. Only those that not everybody may see are looked at.
fn hidden(tx: &Tx<'_>, query: &Query<'_>) -> Result<RoaringTreemap> {
    let mut hidden = RoaringTreemap::new();
    if query.unrestricted {
        return Ok(hidden);
    }
    let Condition { sql: visible, params } = query.visible(2);
    let sql = format!(
        "-- goals::hidden
        select g.id from goal g where g.organization = ?1 and {} and not {visible}",
        visibility::restricted_as_of(query.as_of)
    );
    let params = [vec![query.subject.organization.into()], params].concat();
    tx.each(&query.as_of.text(tx, &sql), &params, |row| {
        hidden.insert(row.int(0)? as u64);
        Ok::<_, Error>(ControlFlow::Continue(()))
    })?;
    Ok(hidden)
}

fn count(tx: &Tx<'_>, query: &Query<'_>) -> Result<u64> {
    let sql = "-- goals::count\nselect count(*) from goal where organization = ?1";
    tx.query_one(
        &query.as_of.text(tx, sql),
        params![query.subject.organization],
        |row| Ok(row.int(0)? as u64),
    )
}

/// The conditions of a query, with their parameters after those given.
fn conditions(query: &Query<'_>, mut params: Vec<Value>) -> (String, Vec<Value>) {
    let chosen = (query.chosen)(params.len() + 1);
    params.extend(chosen.params);
    let Condition { sql: visible, params: more } = query.visible(params.len() + 1);
    params.extend(more);
    (format!("{} and {visible}", chosen.sql), params)
}
