//! Goals that come along with those above them, level by level, whether the query chose them or not.

use std::ops::ControlFlow;

use goalpost_db::{Error, Result, Tx, Value};
use roaring::RoaringTreemap;

use super::Query;
use super::plan::Plan;
use super::reader::{LOOKUP, PLACEHOLDERS, padded};
use crate::goals::visibility::{self, IS_HELD};

/// Add what lies below `ids`, down to the query's number of levels, each goal once. What the subject may not see comes
/// not along, and what lies below it neither, unless it also lies below something seen.
///
/// Two look-ups for each two hundred goals of a level: children by their parents, and which of them may be seen. Neither
/// joins, so the past is looked up by its keys as well.
pub(super) fn add(tx: &Tx<'_>, query: &Query<'_>, ids: &mut RoaringTreemap, plan: &mut Plan) -> Result<()> {
    let children = format!(
        "-- goals::below
        select goal from goal_parent where organization = ?1 and parent in ({})",
        *PLACEHOLDERS
    );
    let visible = query.visible(LOOKUP + 2);
    let seen = format!(
        "-- goals::seen_below
        select g.id, g.checkin_count, {}, {} from goal g where g.organization = ?1 and {IS_HELD} and g.id in ({})",
        visibility::restricted_as_of(query.as_of),
        visible.sql,
        *PLACEHOLDERS
    );
    let (children, seen) = (query.as_of.text(tx, &children), query.as_of.text(tx, &seen));
    let with_ids = |ids: &[i64], more: &[Value]| {
        let mut params = vec![Value::from(query.subject.organization)];
        params.extend(padded(ids.iter().copied()));
        params.extend(more.iter().cloned());
        params
    };
    let mut level: Vec<i64> =
        if query.levels > 0 { ids.iter().map(|id| id as i64).collect() } else { Vec::new() };
    for _ in 0..query.levels {
        let mut met = RoaringTreemap::new();
        for parents in level.chunks(LOOKUP) {
            tx.each(&children, &with_ids(parents, &[]), |row| {
                met.insert(row.int(0)? as u64);
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
        }
        let unknown: Vec<i64> = (met - &*ids).into_iter().map(|id| id as i64).collect();
        level.clear();
        for goals in unknown.chunks(LOOKUP) {
            tx.each(&seen, &with_ids(goals, &visible.params), |row| {
                plan.has_restricted |= row.bool(2)?;
                if row.bool(3)? {
                    level.push(row.int(0)?);
                    plan.most_checkins = plan.most_checkins.max(row.int(1)?);
                    plan.checkins += row.int(1)?;
                }
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
        }
        ids.extend(level.iter().map(|id| *id as u64));
        if level.is_empty() {
            return Ok(());
        }
    }
    Ok(())
}
