//! Goals, check-ins and comments: the history has what they were.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use goalpost_db::{Error, Value, params};
use roaring::RoaringTreemap;
use serde_json::Value as Json;

use super::super::kept::IMPORTED_VALUES;
use super::super::run::BATCH;
use super::{CHANGED, Undo, UndoError};
use crate::goals::checkin::CHECKIN;
use crate::goals::edit::ImportedValues;
use crate::goals::history::AsOf;
use crate::goals::record::{Column, GOAL, GoalRecord, List};
use crate::goals::write::comments::COMMENT;
use crate::table::Table;

/// Check-ins or comments, by number: the goal that each is of, and its columns.
type Entries = BTreeMap<i64, (i64, Vec<Value>)>;

impl Undo<'_> {
    pub(super) fn restore_goals(&mut self) -> Result<(), UndoError> {
        for (what, table) in [("check-in", &CHECKIN), ("comment", &COMMENT)] {
            let goals = self.touched(&[table])?;
            // What goes first, since one that has moved must have left its new goal before it is back at its old one.
            for step in [Step::Remove, Step::Put] {
                for batch in batches(&goals) {
                    self.restore_entries(what, table, &batch, step)?;
                }
            }
        }
        let tables: Vec<&Table> =
            std::iter::once(&GOAL).chain(List::ALL.iter().map(|list| list.table())).collect();
        let mut goals = self.touched(&tables)?;
        let kept = self.kept_values()?;
        goals.extend(kept.keys().map(|id| id.cast_unsigned()));
        for batch in batches(&goals) {
            self.restore_records(&batch, &kept)?;
        }
        Ok(())
    }

    /// The goals of which the import wrote or replaced rows of these tables.
    fn touched(&self, tables: &[&Table]) -> Result<RoaringTreemap, UndoError> {
        let mut touched = RoaringTreemap::new();
        // Says to the index what it is made for.
        let indexed = if self.made > 1 { "and revision > 1" } else { "" };
        for Table { name, key, .. } in tables {
            let goal = key[0];
            let sql = format!(
                "-- imports::touched
                select {goal} from {name} where organization = ?1 and revision = ?2 {indexed}
                union select {goal} from {name}_history where organization = ?1 and until = ?2
                union select {goal} from {name}_history where organization = ?1 and until > ?2 and revision = ?2"
            );
            self.tx.each(&sql, params![self.organization, self.made], |row| {
                touched.insert(row.int(0)?.cast_unsigned());
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
        }
        Ok(touched)
    }

    /// The values imported last that the import kept, by goal.
    fn kept_values(&self) -> Result<BTreeMap<i64, Json>, UndoError> {
        let kept = self.tx.query(
            "-- imports::kept_values
            select id, was from import_kept where organization = ?1 and revision = ?2 and kind = ?3",
            params![self.organization, self.made, IMPORTED_VALUES],
            |row| {
                let values = serde_json::from_str(row.opt_text(1)?.unwrap_or("null"));
                Ok::<_, Error>((
                    row.int(0)?,
                    values.map_err(|_| Error::unexpected("kept values are no JSON"))?,
                ))
            },
        )?;
        Ok(kept.into_iter().collect())
    }

    fn restore_records(&mut self, ids: &[i64], kept: &BTreeMap<i64, Json>) -> Result<(), UndoError> {
        let (tx, organization) = (self.tx, self.organization);
        let mut was = GoalRecord::read_as_of(tx, organization, ids, AsOf::Revision(self.made - 1))?;
        let mut became = GoalRecord::read_as_of(tx, organization, ids, AsOf::Revision(self.made))?;
        let mut now = GoalRecord::read(tx, organization, ids)?;
        for &id in ids {
            let (was, became, now) = (was.remove(&id), became.remove(&id), now.remove(&id));
            if !is_same(now.as_ref(), became.as_ref()) {
                self.is_in_the_way("goal", id, CHANGED);
                continue;
            }
            ImportedValues::restore(tx, organization, id, kept.get(&id).unwrap_or(&Json::Null))?;
            match (was, now) {
                (Some(was), now) => {
                    self.restored += u64::from(was.write(tx, organization, self.revision, now.as_ref())?);
                }
                (None, Some(now)) => {
                    now.remove(tx, organization, self.revision)?;
                    self.removed.goals.insert(id.cast_unsigned());
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// Restore check-ins or comments of some goals, as far as the import changed them.
    fn restore_entries(
        &mut self,
        what: &'static str,
        table: &Table,
        goals: &[i64],
        step: Step,
    ) -> Result<(), UndoError> {
        let (before, after) = (AsOf::Revision(self.made - 1), AsOf::Revision(self.made));
        let (was, became) = (self.entries(table, goals, before)?, self.entries(table, goals, after)?);
        let now = self.entries(table, goals, AsOf::Now)?;
        let (tx, organization, revision) = (self.tx, self.organization, self.revision);
        if step == Step::Remove {
            for (id, entry) in became.iter().filter(|(id, entry)| was.get(id) != Some(*entry)) {
                if now.get(id) != Some(entry) {
                    self.is_in_the_way(what, *id, CHANGED);
                } else if was.get(id).is_none_or(|(goal, _)| *goal != entry.0) {
                    table.remove(tx, organization, &[entry.0, *id], revision)?;
                    self.removed.check_ins += u64::from(!was.contains_key(id));
                }
            }
            return Ok(());
        }
        for (id, (goal, columns)) in was.iter().filter(|(id, entry)| became.get(id) != Some(*entry)) {
            let is_elsewhere = || table.find(tx, organization, *id).map(|found| found.is_some());
            match now.get(id) {
                // Told of in the first step.
                Some(entry) if became.get(id) != Some(entry) => {
                    if !became.contains_key(id) {
                        self.is_in_the_way(what, *id, CHANGED);
                    }
                }
                None if is_elsewhere()? => self.is_in_the_way(what, *id, CHANGED),
                None if became.get(id).is_some_and(|(other, _)| other == goal) => {}
                _ => {
                    table.put(tx, organization, &[*goal, *id], revision, columns)?;
                    self.restored += 1;
                }
            }
        }
        Ok(())
    }

    fn entries(&self, table: &Table, goals: &[i64], as_of: AsOf) -> Result<Entries, UndoError> {
        let mut entries = Entries::new();
        let spell = |sql: &str| as_of.text(self.tx, sql).into_owned();
        table.each_spelled(self.tx, self.organization, goals, spell, |key, columns| {
            entries.insert(key[1], (key[0], columns));
            Ok::<_, Error>(())
        })?;
        Ok(entries)
    }
}

/// What is done with check-ins and comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Remove,
    Put,
}

fn batches(goals: &RoaringTreemap) -> impl Iterator<Item = Vec<i64>> {
    let mut left = goals.iter().map(u64::cast_signed).peekable();
    std::iter::from_fn(move || {
        left.peek()?;
        Some(left.by_ref().take(BATCH).collect())
    })
}

/// Whether a goal is what the import made of it; that it was another one in between does not matter.
fn is_same(now: Option<&GoalRecord>, became: Option<&GoalRecord>) -> bool {
    match (now, became) {
        (Some(now), Some(became)) => {
            let mut now = now.clone();
            now.set(Column::UpdatedAt, became.get(Column::UpdatedAt).clone());
            now == *became
        }
        (now, became) => now == became,
    }
}
