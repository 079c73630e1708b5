//! A file that is not the one of Viva Goals: the chosen columns of goals, or of their check-ins, in the chosen format.

use goalpost_db::Tx;
use goalpost_tabular::{Cell, ColumnKind, DialectCsv, Head, JsonLines, Parquet, Sink, Unfit, Xlsx};

use super::changes::{CHANGE, RowChanges};
use super::columns::{CHECK_IN_COLUMNS, Column};
use super::options::{Format, Options, Rows, Tags};
use super::viva_csv;
use crate::goals::rows::{GoalRow, Plan, Query};

/// A table in the making.
pub(super) struct Table<'a> {
    sink: Box<dyn Sink>,
    columns: Vec<&'static Column>,
    rows: Rows,
    /// Columns of check-ins, and of tags, behind those of the goal.
    check_ins: usize,
    tags: Option<usize>,
    /// What became of each row, if only those that changed are in it.
    changes: Option<&'a RowChanges>,
    heads: Vec<Head>,
    scratch: Vec<u8>,
    count: u64,
    expected: u64,
}

impl<'a> Table<'a> {
    /// Begin a table of the goals of a query.
    pub(super) fn new(
        tx: &Tx<'_>,
        query: &Query<'_>,
        plan: &Plan,
        options: &Options,
        name: &str,
        changes: Option<&'a RowChanges>,
    ) -> Result<Self, goalpost_db::Error> {
        let columns = options.goal_columns();
        let tags = match options.tags {
            Tags::Columns if columns.iter().any(|column| column.name == "Tag") => {
                Some(plan.most_tags(tx, query)?)
            }
            _ => None,
        };
        let check_ins = if options.spills_check_ins() { plan.most_checkins.max(1) as usize } else { 0 };
        let extent = plan.extent(tx, query)?;
        let rows = match options.rows {
            Rows::Goals => extent.goals + changes.map_or(0, |changes| changes.removed().len() as u64),
            Rows::CheckIns => extent.check_ins,
        };
        let sink: Box<dyn Sink> = match options.format {
            Format::Csv => Box::new(DialectCsv::new(options.dialect())),
            Format::JsonLines => Box::new(JsonLines::new()),
            Format::Parquet => Box::new(Parquet::new()),
            Format::Xlsx => Box::new(Xlsx::new(name, rows)),
        };
        let mut table = Self {
            sink,
            columns,
            rows: options.rows,
            check_ins,
            tags,
            changes,
            heads: Vec::new(),
            scratch: Vec::new(),
            count: 0,
            expected: rows,
        };
        table.heads = table.all_heads();
        Ok(table)
    }

    /// Write the header. The columns are as they are told by [`Table::heads`].
    pub(super) fn begin(&mut self) -> Result<(), Unfit> {
        let heads = self.heads.clone();
        self.sink.begin(&heads)
    }

    /// All columns.
    pub(super) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// Rows written until now.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Rows that there will be.
    pub(super) fn expected(&self) -> u64 {
        self.expected
    }

    fn all_heads(&self) -> Vec<Head> {
        let mut heads = Vec::new();
        let mut put = |name: String, kind| heads.push(Head { name, kind });
        if self.changes.is_some() {
            put(CHANGE.to_owned(), ColumnKind::Text);
        }
        for column in &self.columns {
            match self.tags.filter(|_| column.name == "Tag") {
                Some(tags) => {
                    for number in 1..=tags {
                        put(format!("Tag {number}"), ColumnKind::Text);
                    }
                }
                None => put(column.name.to_owned(), column.kind),
            }
        }
        if self.rows == Rows::CheckIns {
            for column in CHECK_IN_COLUMNS {
                put(column.name.to_owned(), column.kind);
            }
        }
        for number in 0..self.check_ins {
            put(if number == 0 { "Checkins".to_owned() } else { String::new() }, ColumnKind::Text);
        }
        heads
    }

    /// Write what a goal has.
    pub(super) fn write(&mut self, row: &GoalRow<'_>) -> Result<(), Unfit> {
        if self.rows == Rows::Goals {
            self.write_goal(row)?;
            let unit = viva_csv::unit(row);
            for checkin in row.checkins.iter().take(self.check_ins) {
                self.scratch.clear();
                viva_csv::write_checkin(&mut self.scratch, row, &checkin, unit);
                // Made of texts and digits alone.
                self.sink.cell(Cell::Text(std::str::from_utf8(&self.scratch).unwrap_or_default()))?;
            }
            for _ in row.checkins.len()..self.check_ins {
                self.sink.cell(Cell::Empty)?;
            }
            return self.end_row();
        }
        for checkin in row.checkins.iter() {
            self.write_goal(row)?;
            for column in CHECK_IN_COLUMNS {
                self.sink.cell((column.cell)(row, &checkin))?;
            }
            self.end_row()?;
        }
        Ok(())
    }

    fn write_goal(&mut self, row: &GoalRow<'_>) -> Result<(), Unfit> {
        if let Some(changes) = self.changes {
            self.sink.cell(Cell::Text(changes.of(row.id())))?;
        }
        for column in &self.columns {
            if let Some(tags) = self.tags.filter(|_| column.name == "Tag") {
                for place in 0..tags {
                    let tag = row.tags.get(place).map_or(Cell::Empty, |link| Cell::Text(row.tag(*link)));
                    self.sink.cell(tag)?;
                }
                continue;
            }
            self.scratch.clear();
            self.sink.cell((column.cell)(row, &mut self.scratch))?;
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Unfit> {
        self.count += 1;
        self.sink.end_row()
    }

    /// Of a goal that is gone there is its number.
    pub(super) fn end(&mut self) -> Result<(), Unfit> {
        for goal in self.changes.map_or(&[][..], RowChanges::removed) {
            self.sink.cell(Cell::Text("removed"))?;
            for place in 1..self.heads.len() {
                let is_id = self.heads[place].name == "Id";
                self.sink.cell(if is_id { Cell::Int(*goal) } else { Cell::Empty })?;
            }
            self.end_row()?;
        }
        self.sink.end()
    }

    pub(super) fn waiting(&self) -> usize {
        self.sink.waiting()
    }

    pub(super) fn take(&mut self, next: Vec<u8>) -> Vec<u8> {
        self.sink.take(next)
    }
}
