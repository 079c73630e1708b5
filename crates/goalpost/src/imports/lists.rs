//! Teams, time periods and tags: those that the file lists, and those that it only mentions.

use std::collections::HashMap;
use std::fs::File;
use std::ops::ControlFlow;

use goalpost_db::{Value, params};
use goalpost_viva::{Archive, Entity, Period, Tag, Team};

use super::ImportError;
use super::aside::Asides;
use super::flat::FlatRow;
use super::kept::image;
use super::people::People;
use super::run::Import;
use super::time::day;
use crate::goals::Origin;
use crate::ids::fold;
use crate::orgs::tables::{PERIOD, TAG, TEAM, TEAM_OWNER};
use crate::table::Table;

impl Import<'_> {
    /// Make a row for each team, period and tag that is only mentioned, unless there is one.
    pub(super) fn write_references(&mut self) -> Result<(), ImportError> {
        let unresolved = &self.survey.unresolved;
        let origin = || Value::from(Origin::Reference.as_str());
        let null = || Value::Null;
        self.write_missing(&TEAM, &unresolved.teams, |name| {
            vec![
                name.into(),
                fold(name).into(),
                null(),
                null(),
                "".into(),
                "Archived".into(),
                null(),
                origin(),
            ]
        })?;
        self.write_missing(&PERIOD, &unresolved.periods, |name| {
            vec![name.into(), fold(name).into(), null(), null(), origin()]
        })?;
        self.write_missing(&TAG, &unresolved.tags, |name| vec![name.into(), fold(name).into(), origin()])
    }

    fn write_missing<'n>(
        &mut self,
        table: &Table,
        mentioned: impl IntoIterator<Item = (&'n i64, &'n Option<String>)>,
        columns: impl Fn(&str) -> Vec<Value>,
    ) -> Result<(), ImportError> {
        let sql =
            format!("-- imports::has_row\nselect 1 from {} where organization = ?1 and id = ?2", table.name);
        for (&id, name) in mentioned {
            let row = self.tx.query_opt(&sql, params![self.number(), id], |_| Ok::<_, ImportError>(()))?;
            if row.is_some() {
                continue;
            }
            if let Some(revision) = self.directory_revision()? {
                let columns = columns(name.as_deref().unwrap_or_default());
                table.put(self.tx, self.number(), &[id], revision, &columns)?;
                self.keep(table.name, id, &image(None), &image(Some((&columns, &[]))))?;
            }
        }
        Ok(())
    }

    pub(super) fn write_teams(
        &mut self,
        archive: &mut Archive<File>,
        people: &mut People,
        asides: &mut Asides,
    ) -> Result<(), ImportError> {
        let by_name = self.teams_by_name(archive)?;
        self.batches(archive, |import, teams: Vec<Team>| {
            asides.write(import, &teams, |_| Vec::new())?;
            let mut rows = Vec::with_capacity(teams.len());
            for team in teams {
                let parent = match &team.parent_team {
                    Some(name) if !by_name.contains_key(name) => {
                        import.mention_parent_team(name);
                        None
                    }
                    Some(name) => by_name[name],
                    None => None,
                };
                rows.push(FlatRow {
                    id: team.id,
                    list: people.resolve_all(import, &team.owners)?,
                    columns: vec![
                        (&team.name).into(),
                        fold(&team.name).into(),
                        team.parent_team.into(),
                        parent.into(),
                        team.team_type.unwrap_or_default().into(),
                        team.status.unwrap_or_default().into(),
                        team.description.into(),
                        Origin::File.as_str().into(),
                    ],
                });
            }
            import.write_flat(Entity::Teams, &TEAM, Some(&TEAM_OWNER), rows, |_, _| {})
        })
    }

    /// The team of each name; `None` for a name that several teams have. An organization has some thousands at most.
    fn teams_by_name(
        &self,
        archive: &mut Archive<File>,
    ) -> Result<HashMap<String, Option<i64>>, ImportError> {
        let mut by_name: HashMap<String, Option<i64>> = HashMap::new();
        let mut add = |name: &str, id| match by_name.get_mut(name) {
            Some(known) => *known = None,
            None => {
                by_name.insert(name.to_owned(), Some(id));
            }
        };
        let read = archive.each(|team: Team| {
            add(&team.name, team.id);
            Ok::<_, goalpost_viva::Error>(())
        });
        read.map_err(|error| self.file_error(error))?;
        self.tx.each(
            "-- imports::teams\nselect id, name from team where organization = ?1",
            params![self.number()],
            |row| {
                let id = row.int(0)?;
                if !self.is_in_file(Entity::Teams, id) {
                    add(row.text(1)?, id);
                }
                Ok::<_, goalpost_db::Error>(ControlFlow::Continue(()))
            },
        )?;
        Ok(by_name)
    }

    pub(super) fn write_periods(
        &mut self,
        archive: &mut Archive<File>,
        asides: &mut Asides,
    ) -> Result<(), ImportError> {
        self.batches(archive, |import, periods: Vec<Period>| {
            asides.write(import, &periods, |_| Vec::new())?;
            let row = |period: Period| FlatRow {
                id: period.id,
                list: Vec::new(),
                columns: vec![
                    (&period.name).into(),
                    fold(&period.name).into(),
                    day(Some(period.start_date)),
                    day(Some(period.end_date)),
                    Origin::File.as_str().into(),
                ],
            };
            let rows = periods.into_iter().map(row).collect();
            import.write_flat(Entity::TimePeriods, &PERIOD, None, rows, |_, _| {})
        })
    }

    pub(super) fn write_tags(
        &mut self,
        archive: &mut Archive<File>,
        asides: &mut Asides,
    ) -> Result<(), ImportError> {
        self.batches(archive, |import, tags: Vec<Tag>| {
            asides.write(import, &tags, |_| Vec::new())?;
            let row = |tag: Tag| {
                let name = tag.name.unwrap_or_default();
                let columns = vec![(&name).into(), fold(&name).into(), Origin::File.as_str().into()];
                FlatRow { id: tag.id, list: Vec::new(), columns }
            };
            let rows = tags.into_iter().map(row).collect();
            import.write_flat(Entity::Tags, &TAG, None, rows, |_, _| {})
        })
    }
}
