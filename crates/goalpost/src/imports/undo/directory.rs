//! People, teams, time periods, tags, and what has no place: the import kept what they were.

use goalpost_db::{Error, params};
use serde_json::Value as Json;

use super::super::aside::{Cells, write_cells};
use super::super::kept::{ASIDE, FILE_NUMBER, IMPORTED_VALUES, present, row_of};
use super::super::run::BATCH;
use super::{CHANGED, Undo, UndoError};
use crate::orgs::tables::{PERIOD, PERSON, TAG, TEAM, TEAM_MEMBER, TEAM_OWNER};
use crate::table::{Table, write_list};

/// A kept thing: its kind and number, what it was and what the import made of it.
struct KeptRow {
    kind: String,
    id: i64,
    was: Json,
    became: Json,
}

impl Undo<'_> {
    pub(super) fn restore_directory(&mut self) -> Result<(), UndoError> {
        let mut after = (String::new(), i64::MIN);
        let mut is_changed = false;
        loop {
            let rows = self.kept_after(&after)?;
            let Some(last) = rows.last() else { break };
            after = (last.kind.clone(), last.id);
            for row in rows {
                if row.kind == FILE_NUMBER {
                    self.restore_file_number(&row.became)?;
                } else if let Some(entity) = row.kind.strip_prefix(ASIDE) {
                    self.restore_aside(entity, &row)?;
                } else if row.kind != IMPORTED_VALUES {
                    is_changed = true;
                    self.restore_row(&row)?;
                }
            }
        }
        if is_changed { self.directory_changed() } else { Ok(()) }
    }

    fn kept_after(&self, (kind, id): &(String, i64)) -> Result<Vec<KeptRow>, UndoError> {
        let json = |text: Option<&str>| {
            serde_json::from_str(text.unwrap_or("null"))
                .map_err(|_| Error::unexpected("a kept row is no JSON"))
        };
        let rows = self.tx.query(
            "-- imports::kept
            select kind, id, was, became from import_kept
             where organization = ?1 and revision = ?2 and (kind > ?3 or (kind = ?3 and id > ?4))
             order by kind, id limit ?5",
            params![self.organization, self.made, kind, *id, BATCH as i64],
            |row| {
                let (was, became) = (json(row.opt_text(2)?)?, json(row.opt_text(3)?)?);
                Ok::<_, Error>(KeptRow { kind: row.text(0)?.to_owned(), id: row.int(1)?, was, became })
            },
        )?;
        Ok(rows)
    }

    fn restore_row(&mut self, row: &KeptRow) -> Result<(), UndoError> {
        let (table, list): (&Table, Option<&Table>) = match &*row.kind {
            "person" => (&PERSON, Some(&TEAM_MEMBER)),
            "team" => (&TEAM, Some(&TEAM_OWNER)),
            "period" => (&PERIOD, None),
            "tag" => (&TAG, None),
            kind => return Err(Error::unexpected(format!("an import kept a `{kind}`")).into()),
        };
        let (tx, organization, id) = (self.tx, self.organization, row.id);
        let now = present(tx, organization, table, list, id)?;
        if now != row.became {
            self.is_in_the_way(table.name, id, CHANGED);
            return Ok(());
        }
        let (_, entries) = row_of(&now, table, list)?.unwrap_or_default();
        let was = row_of(&row.was, table, list)?;
        if let Some(list) = list {
            let before = was.as_ref().map_or(&[][..], |(_, entries)| entries);
            write_list(list, tx, organization, id, self.revision, &entries, before)?;
        }
        if let Some((columns, _)) = was {
            table.put(tx, organization, &[id], self.revision, &columns)?;
            self.restored += 1;
            return Ok(());
        }
        table.remove(tx, organization, &[id], self.revision)?;
        let removed = &mut self.removed;
        match table.name {
            "person" => {
                removed.people.insert(id.cast_unsigned());
                self.forget_sign_ins(id)?;
            }
            "team" => _ = removed.teams.insert(id.cast_unsigned()),
            "period" => _ = removed.periods.insert(id.cast_unsigned()),
            _ => _ = removed.tags.insert(id.cast_unsigned()),
        }
        Ok(())
    }

    /// Somebody who goes cannot sign in any more.
    fn forget_sign_ins(&self, person: i64) -> Result<(), UndoError> {
        for table in ["identity", "export_permit"] {
            let sql = format!(
                "-- imports::forget_{table}\ndelete from {table} where organization = ?1 and person = ?2"
            );
            self.tx.execute(&sql, params![self.organization, person])?;
        }
        Ok(())
    }

    fn restore_aside(&mut self, entity: &str, row: &KeptRow) -> Result<(), UndoError> {
        let now = self.tx.query(
            "-- imports::asides_now
            select path, value from import_aside where organization = ?1 and entity = ?2 and id = ?3",
            params![self.organization, entity, row.id],
            |cell| Ok::<_, Error>((cell.text(0)?.to_owned(), cell.text(1)?.to_owned())),
        )?;
        let now: Cells = now.into_iter().collect();
        let cells = |json: &Json| serde_json::from_value::<Cells>(json.clone()).unwrap_or_default();
        if now != cells(&row.became) {
            self.is_in_the_way("what has no place of element", row.id, CHANGED);
            return Ok(());
        }
        Ok(write_cells(self.tx, self.organization, entity, row.id, &now, &cells(&row.was))?)
    }
}
