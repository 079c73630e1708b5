//! What an earlier import brought and the file no longer holds: it stays and is listed, or is taken away.
//!
//! Rows of goals, check-ins and comments move to the history. People, teams, periods and tags have no history, and
//! that of the goals still names them: they stay as mere mentions, a person inactive and a team archived.

use std::ops::ControlFlow;

use goalpost_db::{Error, params};
use goalpost_viva::Entity;

use super::ImportError;
use super::goals::placeholder;
use super::kept::present;
use super::report::Missing;
use super::run::{BATCH, Import};
use crate::goals::Origin;
use crate::goals::record::{Column, GoalRecord};
use crate::goals::write::delete::remove_said;
use crate::ids::FIRST_MINTED;
use crate::orgs::tables::{PERIOD, PERSON, TAG, TEAM, TEAM_MEMBER, TEAM_OWNER};
use crate::table::Table;

impl Import<'_> {
    /// Find, and if asked to take away, what is missing among goals, people, teams, periods and tags.
    pub(super) fn find_missing(&mut self) -> Result<(), ImportError> {
        if self.partial.is_some() {
            return Ok(());
        }
        self.find_missing_goals()?;
        self.find_missing_mentions(
            Entity::Users,
            &PERSON,
            Some(&TEAM_MEMBER),
            "status = 'inactive', manager = null",
        )?;
        self.find_missing_mentions(Entity::Teams, &TEAM, Some(&TEAM_OWNER), "status = 'Archived'")?;
        self.find_missing_mentions(Entity::TimePeriods, &PERIOD, None, "name = name")?;
        self.find_missing_mentions(Entity::Tags, &TAG, None, "name = name")
    }

    /// The same for check-ins or comments. What was written here, and not brought by a file, is never missing.
    pub(super) fn find_missing_entries(&mut self, entity: Entity, table: &Table) -> Result<(), ImportError> {
        if self.partial.is_some() {
            return Ok(());
        }
        let sql = format!(
            "-- imports::file_entries\nselect id, goal from {} where organization = ?1 and id < ?2",
            table.name
        );
        let mut missing = Vec::new();
        self.tx.each(&sql, params![self.number(), FIRST_MINTED], |row| {
            let id = row.int(0)?;
            if !self.is_in_file(entity, id) {
                missing.push((id, row.int(1)?));
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        missing.sort_unstable();
        for (id, goal) in missing {
            self.list_missing(entity, id, String::new());
            if self.options.prune
                && let Some(revision) = self.revision()?
            {
                table.remove(self.tx, self.number(), &[goal, id], revision)?;
                self.recount_later(goal);
            }
        }
        Ok(())
    }

    fn list_missing(&mut self, entity: Entity, id: i64, name: String) {
        let removed = self.options.prune;
        self.report.missing.add(|| Missing { entity, id, name, removed });
        let tally = self.report.tally_mut(entity);
        tally.missing += 1;
        tally.removed += u64::from(removed);
    }

    fn find_missing_goals(&mut self) -> Result<(), ImportError> {
        let mut missing = Vec::new();
        let mut unused = Vec::new();
        self.tx.each(
            "-- imports::file_goals
            select id, origin from goal where organization = ?1 and origin <> ?2 order by id",
            params![self.number(), Origin::Local.as_str()],
            |row| {
                let id = row.int(0)?;
                if row.text(1)? == Origin::Reference.as_str() {
                    unused.push(id);
                } else if !self.is_in_file(Entity::Objectives, id) {
                    missing.push(id);
                }
                Ok::<_, Error>(ControlFlow::Continue(()))
            },
        )?;
        for batch in missing.chunks(BATCH) {
            for (id, goal) in GoalRecord::read(self.tx, self.number(), batch)? {
                let title = match goal.get(Column::Title) {
                    goalpost_db::Value::Text(title) => title.clone(),
                    _ => String::new(),
                };
                self.list_missing(Entity::Objectives, id, title.clone());
                if self.options.prune {
                    self.remove_goal(&goal, &title)?;
                }
            }
        }
        if self.options.prune {
            for id in unused.into_iter().filter(|id| !self.survey.unresolved.parents.contains_key(id)) {
                self.remove_unused_placeholder(id)?;
            }
        }
        Ok(())
    }

    /// Take a goal away with all that hangs on it. One that others are still aligned to leaves a placeholder.
    fn remove_goal(&mut self, goal: &GoalRecord, title: &str) -> Result<(), ImportError> {
        let Some(revision) = self.revision()? else { return Ok(()) };
        self.keep_imported_values(goal.id)?;
        let (tx, organization) = (self.tx, self.number());
        remove_said(tx, organization, revision, goal.id)?;
        if self.is_parent(goal.id)? {
            placeholder(goal.id, title).write(tx, organization, revision, Some(goal))?;
        } else {
            goal.remove(tx, organization, revision)?;
        }
        Ok(())
    }

    fn remove_unused_placeholder(&mut self, id: i64) -> Result<(), ImportError> {
        if self.is_parent(id)? {
            return Ok(());
        }
        let present = GoalRecord::read(self.tx, self.number(), &[id])?.remove(&id);
        if let Some(placeholder) = present
            && let Some(revision) = self.revision()?
        {
            placeholder.remove(self.tx, self.number(), revision)?;
        }
        Ok(())
    }

    fn is_parent(&self, goal: i64) -> Result<bool, ImportError> {
        let child = self.tx.query_opt(
            "-- imports::is_parent
            select 1 from goal_parent where organization = ?1 and parent = ?2 limit 1",
            params![self.number(), goal],
            |_| Ok::<_, Error>(()),
        )?;
        Ok(child.is_some())
    }

    fn find_missing_mentions(
        &mut self,
        entity: Entity,
        table: &Table,
        list: Option<&Table>,
        retired: &str,
    ) -> Result<(), ImportError> {
        let name = table.name;
        let sql = format!(
            "-- imports::file_rows\nselect id, name from {name} where organization = ?1 and origin = ?2 order by id"
        );
        let mut missing = Vec::new();
        self.tx.each(&sql, params![self.number(), Origin::File.as_str()], |row| {
            let id = row.int(0)?;
            if !self.is_in_file(entity, id) {
                missing.push((id, row.text(1)?.to_owned()));
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        let sql = format!(
            "-- imports::retire_row\nupdate {name} set origin = ?3, {retired} where organization = ?1 and id = ?2"
        );
        for (id, name) in missing {
            self.list_missing(entity, id, name);
            if !self.options.prune || self.directory_revision()?.is_none() {
                continue;
            }
            let was = present(self.tx, self.number(), table, list, id)?;
            self.tx.execute(&sql, params![self.number(), id, Origin::Reference.as_str()])?;
            if entity == Entity::Users {
                self.tx.execute(
                    "-- imports::leave_teams
                    delete from team_member where organization = ?1 and person = ?2",
                    params![self.number(), id],
                )?;
            }
            let became = present(self.tx, self.number(), table, list, id)?;
            self.keep(table.name, id, &was, &became)?;
        }
        Ok(())
    }
}
