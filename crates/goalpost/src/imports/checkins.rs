//! Check-ins and comments: written before the goals, which know how many check-ins they have.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::ops::ControlFlow;

use goalpost_db::{Error, Tx, Value, params};
use goalpost_viva::{Archive, Aside, CheckIn, Comment, Element, Entity, Note, Person};

use super::ImportError;
use super::aside::Asides;
use super::people::People;
use super::run::Import;
use super::time::micros;
use crate::goals::Origin;
use crate::goals::checkin::CHECKIN;
use crate::goals::record::{Column, GoalRecord};
use crate::goals::write::comments::COMMENT;
use crate::ids::OrganizationNumber;
use crate::table::{Table, key_batches, keys_at_once};

/// A check-in or a comment: an element that belongs to a goal.
trait OfGoal: Element {
    fn goal(&self) -> i64;
    fn author(&self) -> Option<&Person>;
    /// Whether it says enough to have a row.
    fn is_placeable(&self) -> bool;
    fn into_columns(self, author: Value) -> Vec<Value>;
}

impl OfGoal for CheckIn {
    fn goal(&self) -> i64 {
        self.goal_id
    }

    fn author(&self) -> Option<&Person> {
        self.owner.as_ref()
    }

    fn is_placeable(&self) -> bool {
        self.date.or(self.recorded_at).is_some()
    }

    fn into_columns(self, author: Value) -> Vec<Value> {
        let Note { text, html } = self.note.unwrap_or_default();
        vec![
            self.date.or(self.recorded_at).map(micros).into(),
            self.recorded_at.map(micros).into(),
            author,
            self.status.unwrap_or_default().into(),
            self.current_value.into(),
            self.metric_name.into(),
            text.into(),
            html.into(),
        ]
    }
}

impl OfGoal for Comment {
    fn goal(&self) -> i64 {
        self.goal_id
    }

    fn author(&self) -> Option<&Person> {
        self.created_by.as_ref()
    }

    fn is_placeable(&self) -> bool {
        true
    }

    fn into_columns(self, author: Value) -> Vec<Value> {
        vec![author, self.created_at.map(micros).into(), self.text.unwrap_or_default().into()]
    }
}

struct Entry {
    goal: i64,
    id: i64,
    columns: Vec<Value>,
}

impl Import<'_> {
    pub(super) fn write_check_ins(
        &mut self,
        archive: &mut Archive<File>,
        people: &mut People,
        asides: &mut Asides,
    ) -> Result<(), ImportError> {
        self.write_entries::<CheckIn>(archive, people, asides, &CHECKIN)?;
        self.find_missing_entries(Entity::CheckIns, &CHECKIN)
    }

    pub(super) fn write_comments(
        &mut self,
        archive: &mut Archive<File>,
        people: &mut People,
        asides: &mut Asides,
    ) -> Result<(), ImportError> {
        self.write_entries::<Comment>(archive, people, asides, &COMMENT)?;
        self.find_missing_entries(Entity::Comments, &COMMENT)
    }

    fn write_entries<T: OfGoal>(
        &mut self,
        archive: &mut Archive<File>,
        people: &mut People,
        asides: &mut Asides,
        table: &'static Table,
    ) -> Result<(), ImportError> {
        let is_first = self.is_empty(table.name)?;
        let mut rows = Vec::new();
        self.batches(archive, |import, elements: Vec<T>| {
            let strays = import.strays(&elements)?;
            asides.write(import, &elements, |element| {
                let whole = || Aside { path: String::new(), json: whole_json(element) };
                strays.contains(&element.id()).then(whole).into_iter().collect()
            })?;
            let mut entries = Vec::with_capacity(elements.len());
            for element in elements {
                if strays.contains(&element.id()) {
                    import.report.tally_mut(T::ENTITY).aside += 1;
                    continue;
                }
                let (goal, id) = (element.goal(), element.id());
                let author = people.resolve(import, element.author())?;
                entries.push(Entry { goal, id, columns: element.into_columns(author) });
            }
            // In key order, which the file need not have.
            entries.sort_unstable_by_key(|entry| (entry.goal, entry.id));
            if !is_first {
                return import.update_entries(T::ENTITY, table, entries);
            }
            import.report.tally_mut(T::ENTITY).added += entries.len() as u64;
            if entries.is_empty() {
                return Ok(());
            }
            let Some(revision) = import.revision()? else { return Ok(()) };
            rows.clear();
            for Entry { goal, id, columns } in entries {
                table.push_row(&mut rows, import.number(), &[goal, id], revision, columns);
            }
            Ok(table.insert_all(import.tx, &rows)?)
        })
    }

    /// The elements that are kept aside as a whole: nobody knows their goal, or they say too little.
    fn strays<T: OfGoal>(&mut self, elements: &[T]) -> Result<BTreeSet<i64>, ImportError> {
        let mut strays = BTreeSet::new();
        for element in elements {
            let goal = element.goal();
            let has_goal =
                self.is_in_file(Entity::Objectives, goal) || is_known(self.tx, self.number(), goal)?;
            if !has_goal {
                self.mention_goal(goal);
            }
            if !has_goal || !element.is_placeable() {
                strays.insert(element.id());
            }
        }
        Ok(strays)
    }

    fn update_entries(
        &mut self,
        entity: Entity,
        table: &Table,
        entries: Vec<Entry>,
    ) -> Result<(), ImportError> {
        let (tx, organization) = (self.tx, self.number());
        let mut goals: Vec<i64> = entries.iter().map(|entry| entry.goal).collect();
        goals.dedup();
        let mut present = HashMap::new();
        table.each(tx, organization, &goals, |key, columns| {
            present.insert(key[1], (key[0], columns));
            Ok::<_, Error>(())
        })?;
        for Entry { goal, id, columns } in entries {
            let old = match present.remove(&id) {
                Some(old) => Some(old),
                // New, or of another goal until now.
                None => table.find(tx, organization, id)?.map(|(key, columns)| (key[0], columns)),
            };
            let tally = self.report.tally_mut(entity);
            match &old {
                None => tally.added += 1,
                Some((old_goal, old_columns)) if *old_goal == goal && *old_columns == columns => {
                    tally.unchanged += 1;
                    continue;
                }
                Some(_) => tally.changed += 1,
            }
            let Some(revision) = self.revision()? else { continue };
            if let Some((old_goal, _)) = old
                && old_goal != goal
            {
                table.remove(tx, organization, &[old_goal, id], revision)?;
                self.recount_later(old_goal);
            }
            table.put(tx, organization, &[goal, id], revision, &columns)?;
            self.recount_later(goal);
        }
        Ok(())
    }

    /// Note that a goal's check-ins changed. Goals of the file are counted anyway when they are written.
    pub(super) fn recount_later(&mut self, goal: i64) {
        if !self.is_in_file(Entity::Objectives, goal) {
            self.recount.insert(goal);
        }
    }

    /// Count the check-ins of goals that are not in the file, but have other check-ins now.
    pub(super) fn recount(&mut self) -> Result<(), ImportError> {
        for goal in std::mem::take(&mut self.recount) {
            let Some(present) = GoalRecord::read(self.tx, self.number(), &[goal])?.remove(&goal) else {
                continue;
            };
            let mut counted = present.clone();
            let count = count_check_ins(self.tx, self.number(), &[goal])?.remove(&goal).unwrap_or(0);
            counted.set(Column::CheckinCount, count);
            if counted != present
                && let Some(revision) = self.revision()?
            {
                self.keep_imported_values(goal)?;
                counted.write(self.tx, self.number(), revision, Some(&present))?;
            }
        }
        Ok(())
    }
}

fn whole_json<T: Element>(element: &T) -> String {
    serde_json::to_string(element).expect("an element that was read can be printed")
}

/// Whether a goal is here, and not only a mention of it.
pub(super) fn is_known(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    goal: i64,
) -> Result<bool, ImportError> {
    let found = tx.query_opt(
        "-- imports::is_known
        select 1 from goal where organization = ?1 and id = ?2 and origin <> ?3",
        params![organization, goal, Origin::Reference.as_str()],
        |_| Ok::<_, Error>(()),
    )?;
    Ok(found.is_some())
}

/// How many check-ins some goals have; those without any are left out.
pub(super) fn count_check_ins(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    goals: &[i64],
) -> Result<HashMap<i64, i64>, ImportError> {
    let sql = format!(
        "-- imports::count_check_ins
        select goal, count(*) from checkin where organization = ?1 and goal in ({}) group by goal",
        keys_at_once(goals)
    );
    let mut counts = HashMap::with_capacity(goals.len());
    for params in key_batches(organization, goals) {
        tx.each(&sql, &params, |row| {
            counts.insert(row.int(0)?, row.int(1)?);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
    }
    Ok(counts)
}
