//! What changed in a choice of goals since an earlier state, for one caller.
//!
//! A *row* is what the caller may see of a goal: its columns and lists, with people, teams, periods and tags by number,
//! and of its parents those that the caller may see. So a goal also changes when one of its parents becomes visible or
//! stops being so, but not when a parent gets another title. Check-ins and comments are rows of their own; they belong
//! to the choice as their goal does.
//!
//! ```text
//! rows written or replaced since ──▶ candidates ──▶ how each stood then and stands now ──▶ created, deleted
//!   (partial indexes)          and children of            (the filter, asked twice)    └──▶ rows compared: changed
//!                              those seen otherwise
//! ```
//! So the cost follows what changed, whatever else there is; but for a filter that depends on the day, once the day is
//! another one, and for one that goes up the hierarchy: then every goal is looked at twice.

use std::collections::{BTreeMap, BTreeSet};

use goalpost_db::{Error, Result, Tx, Value, params};

use super::as_of::tables;
use super::members::End;
use super::{AsOf, Moment};
use crate::goals::checkin::CHECKIN;
use crate::goals::filter::{Condition, Filter, Subject};
use crate::goals::record::{GoalRecord, List};
use crate::goals::write::comments::COMMENT;
use crate::ids::OrganizationNumber;
use crate::orgs::queries::directory_revision;
use crate::table::{Table, key_batches, keys_at_once};

/// Goals that a delta looks at; whoever is further behind reads everything anew.
pub const MOST: usize = 10_000;
/// Rows that are compared at a time.
const BATCH: usize = 250;

/// What is asked: which goals, for whom, since when.
#[expect(missing_debug_implementations, reason = "holds a closure")]
pub struct DeltaQuery<'a> {
    /// For whom, on which day now.
    pub subject: &'a Subject,
    /// The filter of the choice.
    pub filter: &'a Filter,
    /// The whole choice as a condition on `goal g`, for this subject, with parameters numbered from the given first one
    /// on. Besides the filter it may ask whether the goal and its parents are held.
    pub chosen: &'a dyn Fn(&Subject, usize) -> Condition,
    /// What the caller has: the state, and the instant whose day filters counted from.
    pub from: Moment,
}

/// What became of a choice.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// What changed.
    Changes(Box<Changes>),
    /// It cannot be told: everything must be read anew.
    FullRead(FullRead),
}

/// Why a delta cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullRead {
    /// People, teams, periods or tags changed, which the filter names and which have no history.
    Directory,
    /// More than [`MOST`] goals were touched.
    TooMuch,
    /// The organization never had the state that the caller has.
    UnknownState,
}

/// The ids of what changed, each list in order. All of them were or are the caller's to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// The state that the caller has with these: where the next delta begins.
    pub to: Moment,
    /// Goals.
    pub goals: Changed<i64>,
    /// Check-ins of the chosen goals.
    pub checkins: Changed<EntryId>,
    /// Comments on the chosen goals.
    pub comments: Changed<EntryId>,
}

/// A check-in or a comment. One that moves to another goal is deleted and created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId {
    /// Its goal.
    pub goal: i64,
    /// Its own number.
    pub id: i64,
}

/// What became of rows of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed<T> {
    /// They are there now and were not before, for the caller.
    pub created: Vec<T>,
    /// They say something else now.
    pub changed: Vec<T>,
    /// They were there before and are not now, for the caller.
    pub deleted: Vec<T>,
}

impl<T> Default for Changed<T> {
    fn default() -> Self {
        Self { created: Vec::new(), changed: Vec::new(), deleted: Vec::new() }
    }
}

impl<T> Changed<T> {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.created.is_empty() && self.changed.is_empty() && self.deleted.is_empty()
    }
}

/// What changed since a state, up to the present one of this transaction.
pub fn delta(tx: &Tx<'_>, query: &DeltaQuery<'_>) -> Result<Delta> {
    let organization = query.subject.organization;
    let (from, to) = (query.from, super::now(tx, organization)?);
    if from.revision < 1 || from.revision > to.revision {
        return Ok(Delta::FullRead(FullRead::UnknownState));
    }
    if query.filter.depends_on_directory() && directory_revision(tx, organization)? > from.revision {
        return Ok(Delta::FullRead(FullRead::Directory));
    }
    let then = from.subject(organization, query.subject.person);
    let mut before = End::new(query, from.as_of(), then);
    let mut after = End::new(query, AsOf::Now, *query.subject);
    let other_day = then.today != query.subject.today && query.filter.depends_on_today();
    if other_day || query.filter.depends_on_ancestors() {
        before.look_at_all(tx)?;
        after.look_at_all(tx)?;
    }
    let (candidates, entries) = candidates(tx, organization, from.revision, &mut before, &mut after)?;
    if candidates.len() > MOST || entries.iter().any(|goals| goals.len() > MOST) {
        return Ok(Delta::FullRead(FullRead::TooMuch));
    }
    let goals = changed_goals(tx, candidates, &mut before, &mut after)?;
    let [checkins, comments] = entries;
    let checkins = changed_entries(tx, &CHECKIN, checkins, &goals, &before, &after)?;
    let comments = changed_entries(tx, &COMMENT, comments, &goals, &before, &after)?;
    Ok(Delta::Changes(Box::new(Changes { to, goals, checkins, comments })))
}

/// The goals that may have changed, and those whose check-ins and comments have, with a look at each from both ends.
fn candidates(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    from: i64,
    before: &mut End<'_>,
    after: &mut End<'_>,
) -> Result<(BTreeSet<i64>, [BTreeSet<i64>; 2])> {
    let (mut goals, mut entries) = (BTreeSet::new(), [BTreeSet::new(), BTreeSet::new()]);
    for table in tables() {
        let touched = touched(tx, table, organization, from)?;
        match table.name {
            name if name == CHECKIN.name => entries[0] = touched,
            name if name == COMMENT.name => entries[1] = touched,
            _ => goals.extend(touched),
        }
    }
    let mut looked_at: BTreeSet<i64> = entries.iter().flatten().copied().collect();
    looked_at.extend(&goals);
    before.look_at(tx, &looked_at)?;
    after.look_at(tx, &looked_at)?;
    // Their children's own alignments are as they were, or these were touched themselves.
    let seen_otherwise: Vec<i64> = goals
        .iter()
        .copied()
        .filter(|&goal| {
            let (then, now) = (before.of(goal), after.of(goal));
            (then.visible, then.held) != (now.visible, now.held)
        })
        .collect();
    let children = children(tx, organization, &seen_otherwise)?;
    before.look_at(tx, &children)?;
    after.look_at(tx, &children)?;
    goals.extend(children);
    Ok((goals, entries))
}

/// The goals of which a row in this table was written, replaced or taken away since.
fn touched(tx: &Tx<'_>, table: &Table, organization: OrganizationNumber, from: i64) -> Result<BTreeSet<i64>> {
    let Table { name, key, .. } = table;
    // That it is more than 1 is what lets the index be used.
    let sql = format!(
        "-- history::touched
        select {0} from {name} where organization = ?1 and revision > 1 and revision > ?2
        union all
        select {0} from {name}_history where organization = ?1 and until > ?2",
        key[0]
    );
    let goals = tx.query(&sql, params![organization, from], |row| row.int(0))?;
    Ok(goals.into_iter().collect())
}

fn children(tx: &Tx<'_>, organization: OrganizationNumber, goals: &[i64]) -> Result<BTreeSet<i64>> {
    let sql = format!(
        "-- history::children
        select goal from goal_parent where organization = ?1 and parent in ({})",
        keys_at_once(goals)
    );
    let mut children = BTreeSet::new();
    for params in key_batches(organization, goals) {
        children.extend(tx.query(&sql, &params, |row| row.int(0))?);
    }
    Ok(children)
}

/// The goals below one that had another title as of this revision: what prints the titles of parents prints another.
pub fn below_retitled(tx: &Tx<'_>, organization: OrganizationNumber, from: i64) -> Result<BTreeSet<i64>> {
    let retitled = tx.query(
        "-- history::retitled
        select g.id from goal_history h join goal g on g.organization = ?1 and g.id = h.id
         where h.organization = ?1 and h.until > ?2 and h.revision <= ?2 and g.title <> h.title",
        params![organization, from],
        |row| row.int(0),
    )?;
    children(tx, organization, &retitled)
}

fn changed_goals(
    tx: &Tx<'_>,
    candidates: BTreeSet<i64>,
    before: &mut End<'_>,
    after: &mut End<'_>,
) -> Result<Changed<i64>> {
    let mut changed = Changed::default();
    let mut stayed = Vec::new();
    let mut looked_at = candidates;
    looked_at.extend(before.members.iter().flatten().chain(after.members.iter().flatten()));
    for goal in looked_at {
        match (before.is_member(goal), after.is_member(goal)) {
            (false, true) => changed.created.push(goal),
            (true, false) => changed.deleted.push(goal),
            // Whatever no row of which was touched is the same, and was not looked at one by one.
            (true, true) if after.standings.contains_key(&goal) => stayed.push(goal),
            _ => {}
        }
    }
    for batch in stayed.chunks(BATCH) {
        let organization = after.subject.organization;
        let mut then = GoalRecord::read_as_of(tx, organization, batch, before.as_of)?;
        let mut now = GoalRecord::read(tx, organization, batch)?;
        let parents =
            then.values().chain(now.values()).flat_map(|goal| parents(goal).map(|(parent, _)| parent));
        let parents: BTreeSet<i64> = parents.collect();
        before.look_at(tx, &parents)?;
        after.look_at(tx, &parents)?;
        for goal in batch {
            let (then, now) = (then.remove(goal), now.remove(goal));
            if then.map(|goal| as_seen(goal, before)) != now.map(|goal| as_seen(goal, after)) {
                changed.changed.push(*goal);
            }
        }
    }
    Ok(changed)
}

fn parents(goal: &GoalRecord) -> impl Iterator<Item = (i64, &[Value])> {
    goal.list(List::Parents).chunks_exact(List::Parents.width()).filter_map(|entry| match entry[0] {
        Value::Int(parent) => Some((parent, entry)),
        _ => None,
    })
}

/// A goal without those of its parents that the caller may not see.
fn as_seen(mut goal: GoalRecord, end: &End<'_>) -> GoalRecord {
    let shown = |parent: i64| end.of(parent).visible && end.of(parent).held;
    let visible = parents(&goal).filter(|(parent, _)| shown(*parent));
    let visible: Vec<Value> = visible.flat_map(|(_, entry)| entry).cloned().collect();
    *goal.list_mut(List::Parents) = visible;
    goal
}

/// The same for check-ins or comments; `touched` are the goals of those of which a row was touched.
fn changed_entries(
    tx: &Tx<'_>,
    table: &Table,
    touched: BTreeSet<i64>,
    goals: &Changed<i64>,
    before: &End<'_>,
    after: &End<'_>,
) -> Result<Changed<EntryId>> {
    let mut of = touched;
    of.extend(goals.created.iter().chain(&goals.deleted));
    let (then, mut now) = (entries(tx, table, &of, before)?, entries(tx, table, &of, after)?);
    let mut changed = Changed::default();
    for (id, row) in then {
        match now.remove(&id) {
            None => changed.deleted.push(id),
            Some(present) if present != row => changed.changed.push(id),
            Some(_) => {}
        }
    }
    changed.created.extend(now.into_keys());
    Ok(changed)
}

fn entries(
    tx: &Tx<'_>,
    table: &Table,
    goals: &BTreeSet<i64>,
    end: &End<'_>,
) -> Result<BTreeMap<EntryId, Vec<Value>>> {
    let goals: Vec<i64> = goals.iter().copied().filter(|&goal| end.is_member(goal)).collect();
    let spell = |sql: &str| end.as_of.text(tx, sql).into_owned();
    let mut entries = BTreeMap::new();
    table.each_spelled(tx, end.subject.organization, &goals, spell, |key, columns| {
        entries.insert(EntryId { goal: key[0], id: key[1] }, columns);
        Ok::<_, Error>(())
    })?;
    Ok(entries)
}
