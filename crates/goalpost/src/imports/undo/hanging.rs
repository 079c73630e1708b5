//! What has come to hang on something that goes: it was written since the import, for what was there before cannot name
//! what came later.

use std::ops::ControlFlow;

use goalpost_db::{Error, params};
use roaring::RoaringTreemap;

use super::{Undo, UndoError};

/// Rows with history that name a thing: the table, the column of their own number, the column that names it.
type Naming = (&'static str, &'static str, &'static str, &'static str);

const OF_GOALS: [Naming; 3] = [
    ("goal", "goal_parent", "goal", "parent"),
    ("check-in", "checkin", "id", "goal"),
    ("comment", "comment", "id", "goal"),
];
const OF_PEOPLE: [Naming; 10] = [
    ("goal", "goal", "id", "creator"),
    ("goal", "goal", "id", "delegate"),
    ("goal", "goal_owner", "goal", "person"),
    ("goal", "goal_checkin_owner", "goal", "person"),
    ("goal", "goal_viewer", "goal", "person"),
    ("goal", "task", "goal", "owner"),
    ("check-in", "checkin", "id", "owner"),
    ("comment", "comment", "id", "author"),
    ("view", "view", "id", "owner"),
    ("view", "view_share", "view", "person"),
];
const OF_TEAMS: [Naming; 2] = [("goal", "goal_team", "goal", "team"), ("view", "view_share", "view", "team")];
const OF_PERIODS: [Naming; 1] = [("goal", "goal", "id", "period")];
const OF_TAGS: [Naming; 1] = [("goal", "goal_tag", "goal", "tag")];

/// The same without history.
const PEOPLE_OF_DIRECTORY: [Naming; 2] =
    [("person", "person", "id", "manager"), ("team", "team_owner", "team", "person")];
const TEAMS_OF_DIRECTORY: [Naming; 2] =
    [("team", "team", "id", "parent"), ("person", "team_member", "person", "team")];

/// The directory is small: no condition is needed to find its few rows among many.
const ALL: &str = "1 = 1";
const GONE: &str = "would name something again that was taken away since";
const WHY: &str = "was given something since that came with the import";

impl Undo<'_> {
    /// Find what names something that goes, and what is restored and names something that went since.
    pub(super) fn find_hanging(&mut self) -> Result<(), UndoError> {
        let removed = std::mem::take(&mut self.removed);
        // The last condition says to the indexes what they are made for.
        let written = format!("revision > {} and revision < {} and revision > 1", self.made, self.revision);
        for (all, condition, things) in [
            (&OF_GOALS[..], &*written, &removed.goals),
            (&OF_PEOPLE, &written, &removed.people),
            (&OF_TEAMS, &written, &removed.teams),
            (&OF_PERIODS, &written, &removed.periods),
            (&OF_TAGS, &written, &removed.tags),
            (&PEOPLE_OF_DIRECTORY, ALL, &removed.people),
            (&TEAMS_OF_DIRECTORY, ALL, &removed.teams),
        ] {
            for naming in all.iter().filter(|_| !things.is_empty()) {
                self.find_naming(*naming, condition, things)?;
            }
        }
        self.removed = removed;
        let restored = format!("r.revision = {} and r.revision > 1", self.revision);
        for (all, condition, named) in [
            (&OF_GOALS[..], &*restored, "goal"),
            (&OF_PEOPLE, &restored, "person"),
            (&OF_TEAMS, &restored, "team"),
            (&OF_PERIODS, &restored, "period"),
            (&OF_TAGS, &restored, "tag"),
            (&PEOPLE_OF_DIRECTORY, ALL, "person"),
            (&TEAMS_OF_DIRECTORY, ALL, "team"),
        ] {
            for naming in all {
                self.find_naming_nothing(*naming, condition, named)?;
            }
        }
        Ok(())
    }

    fn find_naming_nothing(
        &mut self,
        (what, table, own, column): Naming,
        condition: &str,
        named: &str,
    ) -> Result<(), UndoError> {
        let sql = format!(
            "-- imports::naming_nothing
            select r.{own} from {table} r
             where r.organization = ?1 and {condition} and r.{column} is not null
               and not exists (select 1 from {named} n where n.organization = ?1 and n.id = r.{column})"
        );
        for id in self.tx.query(&sql, params![self.organization], |row| row.int(0))? {
            self.is_in_the_way(what, id, GONE);
        }
        Ok(())
    }

    fn find_naming(
        &mut self,
        (what, table, own, column): Naming,
        condition: &str,
        things: &RoaringTreemap,
    ) -> Result<(), UndoError> {
        let sql = format!(
            "-- imports::naming
            select {own}, {column} from {table} where organization = ?1 and {column} is not null and {condition}"
        );
        let mut found = Vec::new();
        self.tx.each(&sql, params![self.organization], |row| {
            if things.contains(row.int(1)?.cast_unsigned()) {
                found.push(row.int(0)?);
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        for id in found {
            self.is_in_the_way(what, id, WHY);
        }
        Ok(())
    }
}
