//! Rows of a table as the elements of an organization's ZIP.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::path::Path;

use goalpost_db::{Tx, Value, params};
use goalpost_viva::sheet::{self, CellError, Column as Header, GoalRow, SheetError};
use goalpost_viva::{Alignment, Archive, Aside, Named, Objective, Period, Permissions, Person, Tag, Team};
use jiff::civil::Date;
use roaring::RoaringTreemap;

use super::super::spool::Spool;
use super::super::time::micros;
use super::super::{ImportError, ImportOptions};
use super::check::CheckedTable;
use super::checkins::{in_order, midnight, moment, settle_last_note, settle_told_note};
use super::names::Names;
use super::numbers::{Minter, Unnumbered, numbers};
use super::outcome::{MeasureColumns, Measured, measured, number_text};
use super::partial::Partial;
use crate::goals::Origin;
use crate::goals::edit::Field;
use crate::goals::record::{Column, GoalRecord, List};
use crate::ids::{FIRST_MINTED, OrganizationNumber};

/// Rows that are compared with what is here together, and their bytes.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 4 << 20;

/// What was made of a table: the elements, and what they leave open.
pub(in crate::imports) fn translate(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    checked: &mut CheckedTable,
    options: &ImportOptions,
    path: &Path,
    data_folder: &Path,
) -> Result<(Archive<File>, Partial), ImportError> {
    let partial = Partial::of(&checked.table);
    let mut translation = Translation {
        tx,
        organization,
        options,
        people: Names::of_people(tx, organization)?,
        teams: Names::of_things(tx, organization, "team")?,
        periods: Names::of_things(tx, organization, "period")?,
        tags: Names::of_things(tx, organization, "tag")?,
        minter: Minter::new(tx, organization, options.dry_run),
        restricted: restricted(tx, organization)?,
        ids: HashMap::new(),
        new_teams: Vec::new(),
        new_tags: Vec::new(),
        new_periods: BTreeMap::new(),
        partial,
        problems: Vec::new(),
    };
    let archive = translation.write(checked, data_folder, path)?;
    Ok((archive, translation.partial))
}

pub(super) struct Translation<'a> {
    pub(super) tx: &'a Tx<'a>,
    pub(super) organization: OrganizationNumber,
    pub(super) options: &'a ImportOptions,
    pub(super) people: Names,
    pub(super) teams: Names,
    pub(super) periods: Names,
    pub(super) tags: Names,
    pub(super) minter: Minter<'a>,
    /// Goals that not everybody sees.
    pub(super) restricted: RoaringTreemap,
    /// The numbers of rows that do not say theirs.
    ids: HashMap<u64, i64>,
    new_teams: Vec<Team>,
    new_tags: Vec<Tag>,
    new_periods: BTreeMap<i64, NewPeriod>,
    pub(super) partial: Partial,
    problems: Vec<CellError>,
}

/// A period that is not here.
struct NewPeriod {
    name: String,
    /// The days that its goals have, and how many of them.
    days: HashMap<(Date, Date), u64>,
}

fn restricted(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<RoaringTreemap, ImportError> {
    let ids = tx.query(
        "-- imports::restricted\nselect id from goal where organization = ?1 and restricted",
        params![organization],
        |row| row.int(0),
    )?;
    Ok(ids.into_iter().map(i64::cast_unsigned).collect())
}

/// What is done with some rows.
type Visit<'v, 'a> = dyn FnMut(&mut Translation<'a>, Vec<GoalRow>, &Columns) -> Result<(), ImportError> + 'v;

/// What stops a pass over the rows.
enum Stop {
    Sheet(SheetError),
    Import(ImportError),
}

impl From<SheetError> for Stop {
    fn from(error: SheetError) -> Self {
        Self::Sheet(error)
    }
}

impl<E: Into<ImportError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Import(error.into())
    }
}

impl<'a> Translation<'a> {
    fn write(
        &mut self,
        checked: &mut CheckedTable,
        data_folder: &Path,
        path: &Path,
    ) -> Result<Archive<File>, ImportError> {
        let table_error = |stop| match stop {
            Stop::Sheet(source) => ImportError::Table { path: path.to_owned(), source },
            Stop::Import(error) => error,
        };
        self.name_everything(checked).map_err(table_error)?;
        self.make_room_for(checked)?;

        let mut spool = Spool::begin(data_folder, path)?;
        for team in std::mem::take(&mut self.new_teams) {
            spool.write(&team)?;
        }
        for period in self.take_new_periods() {
            spool.write(&period)?;
        }
        for tag in std::mem::take(&mut self.new_tags) {
            spool.write(&tag)?;
        }
        let mut write_goals = |this: &mut Self, rows: Vec<GoalRow>, table: &Columns| {
            let ids: Vec<i64> = rows.iter().filter_map(|row| row.id).collect();
            let present = GoalRecord::read(this.tx, this.organization, &ids)?;
            let last_notes = this.last_notes(&rows)?;
            for mut row in rows {
                let old = row.id.and_then(|id| present.get(&id));
                settle_told_note(&mut row, &last_notes);
                let (goal, aside) = this.goal(row, old, table)?;
                spool.write_with(&goal, &aside)?;
            }
            Ok(())
        };
        self.each_batch(checked, &mut write_goals).map_err(table_error)?;
        if !self.problems.is_empty() {
            let total = self.problems.len() as u64;
            self.problems.truncate(50);
            return Err(ImportError::Cells { shown: std::mem::take(&mut self.problems), total });
        }
        let mut write_check_ins = |this: &mut Self, rows: Vec<GoalRow>, _: &Columns| {
            for check_in in this.check_ins(rows)? {
                spool.write(&check_in)?;
            }
            Ok(())
        };
        self.each_batch(checked, &mut write_check_ins).map_err(table_error)?;
        spool.into_archive()
    }

    /// Give every row its number, and every team, period and tag that is new one as well.
    fn name_everything(&mut self, checked: &mut CheckedTable) -> Result<(), Stop> {
        let mut unnumbered = Unnumbered::new(self.tx, self.organization, checked)?;
        let mut rows = Vec::new();
        // The table is read while it says what else is in it, so rows without a number are looked up afterwards.
        checked.table.each(|mut row, _| {
            settle_type(&mut row);
            for name in self.team_names(&row) {
                if self.teams.thing(&name).is_none() {
                    let id = self.minter.mint()?;
                    self.teams.add(id, &name);
                    let status = Some("Active".to_owned());
                    self.new_teams.push(Team { id, name, status, ..Team::default() });
                }
            }
            for name in self.tag_names(&row) {
                if self.tags.thing(&name).is_none() {
                    let id = self.minter.mint()?;
                    self.tags.add(id, &name);
                    self.new_tags.push(Tag { id, name: Some(name), aside: Vec::new() });
                }
            }
            self.note_period(&row)?;
            if row.id.is_none() {
                let GoalRow { row, title, owner_cell, period, .. } = row;
                rows.push(GoalRow { row, title, owner_cell, period, ..GoalRow::default() });
            }
            Ok::<_, Stop>(())
        })?;
        for row in rows {
            let names = (&self.people, &self.periods);
            let minter = &mut self.minter;
            let id = unnumbered.find(self.tx, self.organization, checked, &row, names, minter)?;
            self.ids.insert(row.row, id);
        }
        Ok(())
    }

    fn note_period(&mut self, row: &GoalRow) -> Result<(), ImportError> {
        if row.period.is_empty() {
            return Ok(());
        }
        let id = if let Some(id) = self.periods.thing(&row.period) {
            id
        } else {
            let id = self.minter.mint()?;
            self.periods.add(id, &row.period);
            self.new_periods.insert(id, NewPeriod { name: row.period.clone(), days: HashMap::new() });
            id
        };
        if let (Some(NewPeriod { days, .. }), Some(start), Some(end)) =
            (self.new_periods.get_mut(&id), row.start_date, row.end_date)
        {
            *days.entry((start, end)).or_default() += 1;
        }
        Ok(())
    }

    /// New periods with the days that most of their goals have; those without any are only mentioned.
    fn take_new_periods(&mut self) -> Vec<Period> {
        let mut periods = Vec::new();
        for (id, NewPeriod { name, days }) in std::mem::take(&mut self.new_periods) {
            let most = days.into_iter().max_by_key(|(days, count)| (*count, std::cmp::Reverse(*days)));
            let Some(((start_date, end_date), _)) = most else {
                self.partial.loose.insert(id);
                continue;
            };
            self.partial.notes.push(format!(
                "the time period `{name}` is new; most of its goals run from {start_date} to {end_date}, and so it does now"
            ));
            periods.push(Period { id, name, start_date, end_date, aside: Vec::new() });
        }
        periods
    }

    /// Numbers that a Goalpost gave come back with its own exports: none of them is given a second time.
    fn make_room_for(&self, checked: &CheckedTable) -> Result<(), ImportError> {
        let Some(largest) = checked.ids.max().map(u64::cast_signed).filter(|id| *id >= FIRST_MINTED) else {
            return Ok(());
        };
        if !self.options.dry_run {
            self.tx.execute(
                "-- imports::make_room
                update organization set next_number = ?2 where number = ?1 and next_number < ?2",
                params![self.organization, largest + 1],
            )?;
        }
        Ok(())
    }

    fn each_batch(&mut self, checked: &mut CheckedTable, visit: &mut Visit<'_, 'a>) -> Result<(), Stop> {
        let columns = Columns {
            measure: MeasureColumns {
                metric_name: checked.table.has(Header::MetricName),
                unit: checked.table.has(Header::Unit),
                actual: checked.table.has(Header::ActualProgress),
            },
            has_last: checked.table.has(Header::LastCheckIn),
            lone_names: std::mem::take(&mut checked.lone_names),
        };
        let (mut rows, mut bytes) = (Vec::new(), 0);
        let CheckedTable { table, bracketed, .. } = &mut *checked;
        let read = table.each(|mut row, _| {
            settle_type(&mut row);
            settle_last_note(&mut row);
            if !bracketed.is_empty() {
                sheet::settle_titles(&row.aligned_cell, &mut row.parents, |id| {
                    bracketed.get(&id).map(String::as_str)
                });
            }
            row.id = row.id.or_else(|| self.ids.get(&row.row).copied());
            bytes += bytes_of(&row);
            rows.push(row);
            if rows.len() == BATCH || bytes > BATCH_BYTES {
                bytes = 0;
                visit(self, std::mem::take(&mut rows), &columns)?;
            }
            Ok::<_, Stop>(())
        });
        read?;
        visit(self, rows, &columns)?;
        checked.lone_names = columns.lone_names;
        Ok(())
    }

    fn team_names(&self, row: &GoalRow) -> Vec<String> {
        sheet::names(&row.team_cell, "; ", |name| self.teams.has(name))
    }

    pub(super) fn tag_names(&self, row: &GoalRow) -> Vec<String> {
        let separator = if row.tag_cell.contains(", ") { ", " } else { "," };
        let mut tags = sheet::names(&row.tag_cell, separator, |name| self.tags.has(name));
        tags.extend(row.tags.iter().cloned());
        tags
    }

    /// The person of a name, preferably one of those who stand in its place here.
    pub(super) fn person(&mut self, name: &str, here: &mut Vec<i64>) -> Result<Person, ImportError> {
        let mapped =
            self.options.map.people.get(name).map(|email| email.trim()).filter(|email| !email.is_empty());
        let email = mapped.or_else(|| (name.contains('@') && !name.contains(' ')).then_some(name));
        let found = match email {
            Some(email) => self.people.person_of_email(email),
            None => match here.iter().position(|id| self.people.name(*id) == name) {
                Some(at) => Some(here.remove(at)),
                None => self.people.person(name),
            },
        };
        let id = if let Some(id) = found {
            id
        } else {
            let id = self.minter.mint()?;
            self.people.add_person(id, name, email);
            self.partial.loose.insert(id);
            id
        };
        if email.is_none() && self.people.is_mentioned(id) {
            *self.partial.unknown_people.entry(name.to_owned()).or_default() += 1;
        }
        Ok(Person { id: Some(id), name: Some(name.to_owned()), email: email.map(str::to_owned) })
    }

    fn people(&mut self, names: &[String], here: &[Value]) -> Result<Vec<Person>, ImportError> {
        let mut here = numbers(here).collect();
        names.iter().map(|name| self.person(name, &mut here)).collect()
    }

    /// A row as an element, and what of it has no place.
    fn goal(
        &mut self,
        mut row: GoalRow,
        present: Option<&GoalRecord>,
        columns: &Columns,
    ) -> Result<(Objective, Vec<Aside>), ImportError> {
        let id = row.id.unwrap_or_default();
        let present = present.filter(|present| !present.is_from(Origin::Reference));
        if let Some(present) = present {
            self.refuse_another(&row, present);
        }
        let before = present.and_then(|goal| goal.text(Column::TargetType).parse().ok());
        let Measured { outcome, progress, is_consistent } = measured(&row, columns.measure, before);
        if let Some(percent) = row.progress_percent.filter(|_| !is_consistent) {
            row.keep(Header::Progress.header(), &number_text(Some(percent)));
        }
        let last_note = in_order(&row.check_ins).last().map(|last| last.note.clone());
        if !row.last_note.is_empty() && last_note.as_ref() != Some(&row.last_note) {
            let note = std::mem::take(&mut row.last_note);
            row.keep(Header::LastNote.header(), &note);
        }
        keep_type(&mut row);
        if let Some(present) = present {
            let same = self.same_fields(&row, present);
            self.partial.keep(id, same);
        }
        let owner_names = {
            let known = |name: &str| self.people.has(name) || columns.lone_names.contains(name);
            sheet::names(&row.owner_cell, ", ", known)
        };
        let empty = Vec::new();
        let owners = self.people(&owner_names, present.map_or(&empty, |goal| goal.list(List::Owners)))?;
        let creator = [row.creator.clone()];
        let creator = if row.creator.is_empty() { &[][..] } else { &creator[..] };
        let here = present.map(|goal| goal.get(Column::Creator).clone());
        let created_by = self.people(creator, here.as_slice())?.pop();
        let teams = self
            .team_names(&row)
            .into_iter()
            .filter_map(|name| self.teams.thing(&name).map(|id| Named { id, name: Some(name) }));
        let teams = teams.collect();
        let tags = self.tag_names(&row).into_iter().filter_map(|name| {
            self.tags.thing(&name).map(|id| Tag { id, name: Some(name), aside: Vec::new() })
        });
        let tags = tags.collect();
        let period = self.periods.thing(&row.period).filter(|_| !row.period.is_empty());
        let mut parents = HashSet::new();
        let mut alignment: Vec<Alignment> = row
            .parents
            .iter()
            .filter(|parent| parents.insert(parent.id))
            .map(|parent| Alignment {
                id: parent.id,
                title: Some(parent.title.clone()),
                weight: Some(parent.weight),
            })
            .collect();
        let untold = present.map_or_else(Vec::new, |present| self.untold_parents(&row, present));
        alignment.extend(untold.into_iter().map(|(id, weight)| Alignment { id, title: None, weight }));
        if present.is_some() && !self.partial.is_same(id, Field::List(List::Parents)) {
            self.partial.new_edges.extend(alignment.iter().map(|parent| (id, parent.id)));
        }
        let last_check_in = match row.last_check_in {
            None if !columns.has_last => row.check_ins.iter().filter_map(moment).max().map(midnight),
            said => said,
        };
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let goal = Objective {
            id,
            title: row.title,
            type_label: Some(row.type_label),
            created_by,
            owners,
            teams,
            period: period.map(|id| Named { id, name: Some(row.period) }),
            start_date: row.start_date,
            end_date: row.end_date,
            parent_ids: alignment.iter().map(|parent| parent.id).collect(),
            alignment,
            permissions: Permissions::everybody(),
            description: some(row.description),
            tags,
            progress,
            status: some(row.status),
            outcome,
            score: row.score,
            goal_type: Some(row.goal_type.strip_suffix(" Goal").unwrap_or(&row.goal_type).to_owned()),
            created_at: row.created_at,
            last_check_in,
            ..Objective::default()
        };
        Ok((goal, distinct(row.aside)))
    }

    /// A number that a Goalpost gave may be that of another goal on another server.
    fn refuse_another(&mut self, row: &GoalRow, present: &GoalRecord) {
        let second = |at: i64| at.div_euclid(1_000_000);
        let here = match present.get(Column::CreatedAt) {
            Value::Int(at) => Some(second(*at)),
            _ => None,
        };
        let file = row.created_at.map(|at| second(micros(at)));
        if present.id >= FIRST_MINTED && !self.ids.contains_key(&row.row) && file.is_some() && file != here {
            self.problems.push(CellError {
                row: row.row,
                column: Header::Id.header().to_owned(),
                value: present.id.to_string(),
                what: "is a goal here that was made at another time; the file is of another server"
                    .to_owned(),
            });
        }
    }
}

/// What of a table's header matters for its rows.
struct Columns {
    measure: MeasureColumns,
    has_last: bool,
    lone_names: HashSet<String>,
}

/// How the keys of cells that are kept aside begin, so that they are told from those of the ZIP.
pub(in crate::imports) const CELLS: &str = "Cells.";

/// In an older table a team stands in `Type name`.
fn settle_type(row: &mut GoalRow) {
    if row.team_cell.is_empty() && row.okr_type.eq_ignore_ascii_case("team") {
        row.team_cell.clone_from(&row.type_name);
    }
}

fn bytes_of(row: &GoalRow) -> usize {
    let notes = row.check_ins.iter().map(|check_in| 200 + check_in.note.len()).sum::<usize>();
    let aside = row.aside.iter().map(|aside| aside.json.len()).sum::<usize>();
    400 + row.title.len() + row.description.len() + row.last_note.len() + row.owner_cell.len() + notes + aside
}

/// Cells of which no two have one key.
pub(in crate::imports) fn distinct(mut cells: Vec<Aside>) -> Vec<Aside> {
    let mut seen = HashSet::new();
    for cell in &mut cells {
        cell.path.insert_str(0, CELLS);
        while !seen.insert(cell.path.clone()) {
            cell.path.push('\'');
        }
    }
    cells
}

/// What an older table says of the level of a goal: it follows from owners and teams here.
fn keep_type(row: &mut GoalRow) {
    let follows = row.type_name == row.owner_cell || row.type_name == row.team_cell;
    let is_empty = row.type_name.is_empty() && row.okr_type.is_empty();
    if !follows && !is_empty {
        let (kind, name) = (std::mem::take(&mut row.okr_type), std::mem::take(&mut row.type_name));
        row.keep(Header::OkrType.header(), &kind);
        row.keep(Header::TypeName.header(), &name);
    }
}
