//! A file that is not the one of Viva Goals: the chosen columns of goals, or of their check-ins, in the chosen format.

use goalpost_db::Tx;
use goalpost_tabular::{Cell, ColumnKind, DialectCsv, Head, JsonLines, Parquet, Sink, Unfit, Xlsx};

use super::changes::{CHANGE, RowChanges};
use super::columns::{CHECK_IN_COLUMNS, Column};
use super::options::{Format, Options, Rows, Tags};
use super::viva_csv;
use super::wording::Wording;
use crate::goals::rows::{GoalRow, Plan, Query};

/// A table in the making.
pub(crate) struct Table<'a> {
    sink: Box<dyn Sink>,
    columns: Vec<&'static Column>,
    rows: Rows,
    /// Columns of check-ins, and of tags, behind those of the goal.
    check_ins: usize,
    tags: TagCells,
    wording: Wording,
    /// What became of each row, if only those that changed are in it.
    changes: Option<&'a RowChanges>,
    heads: Vec<Head>,
    scratch: Vec<u8>,
    count: u64,
    expected: u64,
}

/// Where tags go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TagCells {
    Joined,
    /// Into so many columns.
    Columns(usize),
    Rows,
}

impl<'a> Table<'a> {
    /// Begin a table of the goals of a query. `address`: where the numbers of a workbook lead, with
    /// the number behind it.
    pub(crate) fn new(
        tx: &Tx<'_>,
        query: &Query<'_>,
        plan: &Plan,
        options: &Options,
        name: &str,
        changes: Option<&'a RowChanges>,
        address: Option<&str>,
    ) -> Result<Self, goalpost_db::Error> {
        let columns = options.goal_columns();
        let tagged = || plan.tagged(tx, query);
        let (tags, more_rows) = match options.tags {
            // One that was promised before this was refused.
            _ if !columns.iter().any(|column| column.name == "Tag") => (TagCells::Joined, 0),
            Tags::Joined => (TagCells::Joined, 0),
            Tags::Columns => (TagCells::Columns(tagged()?.most), 0),
            Tags::Rows => (TagCells::Rows, tagged()?.behind_the_first),
        };
        let check_ins = if options.spills_check_ins() { plan.most_checkins.max(1) as usize } else { 0 };
        let extent = plan.extent(tx, query)?;
        let rows = match options.rows {
            Rows::Goals => {
                extent.goals + more_rows + changes.map_or(0, |changes| changes.removed().len() as u64)
            }
            Rows::CheckIns => extent.check_ins,
        };
        let sink: Box<dyn Sink> = match options.format {
            Format::Csv => Box::new(DialectCsv::new(options.dialect())),
            Format::JsonLines => Box::new(JsonLines::new()),
            Format::Parquet => Box::new(Parquet::new()),
            Format::Xlsx => {
                let book = Xlsx::new(name, rows);
                // Behind the columns of tags, and of what became of a row, `Id` stands elsewhere.
                let change = usize::from(changes.is_some());
                let before = columns.iter().take_while(|column| column.name != "Id");
                let width = |column: &&Column| match tags {
                    TagCells::Columns(tags) if column.name == "Tag" => tags,
                    _ => 1,
                };
                match address {
                    Some(address) => Box::new(book.link(change + before.map(width).sum::<usize>(), address)),
                    None => Box::new(book),
                }
            }
        };
        let mut table = Self {
            sink,
            columns,
            rows: options.rows,
            check_ins,
            tags,
            wording: Wording::of(options),
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
    pub(crate) fn begin(&mut self) -> Result<(), Unfit> {
        let heads = self.heads.clone();
        self.sink.begin(&heads)
    }

    /// All columns.
    pub(crate) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// Rows written until now.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Rows that there will be.
    pub(crate) fn expected(&self) -> u64 {
        self.expected
    }

    fn all_heads(&self) -> Vec<Head> {
        let mut heads = Vec::new();
        let mut put = |name: String, kind| heads.push(Head { name, kind });
        if self.changes.is_some() {
            put(CHANGE.to_owned(), ColumnKind::Text);
        }
        for column in &self.columns {
            match self.tags {
                TagCells::Columns(tags) if column.name == "Tag" => {
                    for number in 1..=tags {
                        put(format!("Tag {number}"), ColumnKind::Text);
                    }
                }
                _ => put(column.name.to_owned(), column.kind),
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
    pub(crate) fn write(&mut self, row: &GoalRow<'_>) -> Result<(), Unfit> {
        match (self.rows, self.tags) {
            (Rows::Goals, TagCells::Rows) => {
                // One without tags has a row, too.
                (0..row.tags.len().max(1)).try_for_each(|place| self.write_with_check_ins(row, place))
            }
            (Rows::Goals, _) => self.write_with_check_ins(row, 0),
            (Rows::CheckIns, _) => {
                for checkin in row.checkins.iter() {
                    self.write_goal(row, 0)?;
                    for column in CHECK_IN_COLUMNS {
                        self.sink.cell((column.cell)(row, &checkin, &self.wording))?;
                    }
                    self.end_row()?;
                }
                Ok(())
            }
        }
    }

    /// The row of a goal, or of one of its tags.
    fn write_with_check_ins(&mut self, row: &GoalRow<'_>, tag: usize) -> Result<(), Unfit> {
        self.write_goal(row, tag)?;
        let unit = viva_csv::unit(row);
        for checkin in row.checkins.iter().take(self.check_ins) {
            self.scratch.clear();
            viva_csv::write_checkin(&mut self.scratch, row, &checkin, unit, &self.wording);
            // Made of texts and digits alone.
            self.sink.cell(Cell::Text(std::str::from_utf8(&self.scratch).unwrap_or_default()))?;
        }
        for _ in row.checkins.len()..self.check_ins {
            self.sink.cell(Cell::Empty)?;
        }
        self.end_row()
    }

    /// The columns of a goal; of several rows that it has, the one of this tag.
    fn write_goal(&mut self, row: &GoalRow<'_>, tag: usize) -> Result<(), Unfit> {
        if let Some(changes) = self.changes {
            self.sink.cell(Cell::Text(changes.of(row.id())))?;
        }
        for column in &self.columns {
            let places = match self.tags {
                TagCells::Columns(tags) if column.name == "Tag" => 0..tags,
                TagCells::Rows if column.name == "Tag" => tag..tag + 1,
                _ => {
                    self.scratch.clear();
                    let cell = match (column.cell)(row, &mut self.scratch) {
                        Cell::Moment(at) => self.wording.moment(at),
                        cell => cell,
                    };
                    self.sink.cell(cell)?;
                    continue;
                }
            };
            for place in places {
                let tag = row.tags.get(place).map_or(Cell::Empty, |link| Cell::Text(row.tag(*link)));
                self.sink.cell(tag)?;
            }
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Unfit> {
        self.count += 1;
        self.sink.end_row()
    }

    /// Of a goal that is gone there is its number.
    pub(crate) fn end(&mut self) -> Result<(), Unfit> {
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

    pub(crate) fn waiting(&self) -> usize {
        self.sink.waiting()
    }

    pub(crate) fn take(&mut self, next: Vec<u8>) -> Vec<u8> {
        self.sink.take(next)
    }
}
