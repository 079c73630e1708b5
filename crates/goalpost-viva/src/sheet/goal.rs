//! One row of the Explorer, column by column.

use jiff::civil::{Date, DateTime};

use super::cells::{self, CheckInCell, Parent};
use super::error::CellError;
use super::header::{Column, Header, Place};
use super::source::TextCell;
use crate::elements::Aside;
use crate::error::shown;

/// A goal as a view's table shows it. People, teams, periods and tags are names. What the table does not hold, or
/// an empty cell, is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GoalRow {
    /// The row, as [`CellError::row`] has it.
    pub row: u64,
    /// The goal's number.
    pub id: Option<i64>,
    /// The title.
    pub title: String,
    /// Tags in one cell, with commas between them.
    pub tag_cell: String,
    /// Tags that have a cell each.
    pub tags: Vec<String>,
    /// `organization`, `team` or `individual`.
    pub okr_type: String,
    /// The name of that organization, team or person.
    pub type_name: String,
    /// Teams in one cell, joined by `; `.
    pub team_cell: String,
    /// Who made it.
    pub creator: String,
    /// Owners in one cell, joined by `, `.
    pub owner_cell: String,
    /// The period.
    pub period: String,
    /// The first day.
    pub start_date: Option<Date>,
    /// The last day.
    pub end_date: Option<Date>,
    /// The description.
    pub description: String,
    /// The cell of what it is aligned to.
    pub aligned_cell: String,
    /// What it is aligned to.
    pub parents: Vec<Parent>,
    /// The metric's name.
    pub metric_name: String,
    /// The metric's unit.
    pub unit: String,
    /// The value to reach.
    pub target: Option<f64>,
    /// The value to start from.
    pub start: Option<f64>,
    /// The organization's word for the object type.
    pub type_label: String,
    /// `Aspirational Goal`, `Committed Goal`.
    pub goal_type: String,
    /// When it was made, in UTC.
    pub created_at: Option<DateTime>,
    /// The day of the last check-in.
    pub last_check_in: Option<DateTime>,
    /// The place on the way from start to target.
    pub progress_percent: Option<f64>,
    /// The metric's value.
    pub actual_progress: Option<f64>,
    /// The status.
    pub status: String,
    /// The note of the last check-in.
    pub last_note: String,
    /// The score.
    pub score: Option<f64>,
    /// Check-ins, in the order of the row.
    pub check_ins: Vec<CheckInCell>,
    /// Cells that are not understood: by header, as JSON texts.
    pub aside: Vec<Aside>,
}

impl GoalRow {
    /// Take the cells of a row apart; what cannot be taken goes to `errors`.
    pub(super) fn read(row: u64, cells: &[TextCell], header: &Header, errors: &mut Vec<CellError>) -> Self {
        let mut goal = Self { row, ..Self::default() };
        for (index, cell) in cells {
            let index = *index;
            let is_behind = index >= header.places.len();
            match header.place(index) {
                // A row may go on with check-ins; with anything else it lost a quotation mark or a separator.
                Some(Place::Column(Column::CheckIns)) if is_behind && cells::check_in(cell).is_none() => {
                    errors.push(behind(row, index, cell));
                }
                Some(Place::Column(column)) => {
                    if let Err(what) = goal.take(*column, index, cell) {
                        let column = column.header().to_owned();
                        errors.push(CellError { row, column, value: shown(cell), what: what.to_owned() });
                    }
                }
                Some(Place::OneTag) => goal.tags.push(cell.clone()),
                Some(Place::Unknown(name)) => goal.keep(name, cell),
                None => errors.push(behind(row, index, cell)),
            }
        }
        goal
    }

    /// Keep a cell word for word.
    pub fn keep(&mut self, header: &str, cell: &str) {
        self.aside.push(Aside { path: header.to_owned(), json: serde_json::Value::from(cell).to_string() });
    }

    fn take(&mut self, column: Column, index: usize, cell: &str) -> Result<(), &'static str> {
        let text = |field: &mut String| cell.clone_into(field);
        match column {
            Column::Id => self.id = Some(cells::id(cell).ok_or("is no number of a goal")?),
            Column::Title => text(&mut self.title),
            Column::Tag => text(&mut self.tag_cell),
            Column::OkrType => text(&mut self.okr_type),
            Column::TypeName => text(&mut self.type_name),
            Column::Team => text(&mut self.team_cell),
            Column::Creator => text(&mut self.creator),
            Column::Owner => text(&mut self.owner_cell),
            Column::Period => text(&mut self.period),
            Column::StartDate => self.start_date = day(cell)?,
            Column::EndDate => self.end_date = day(cell)?,
            Column::Description => text(&mut self.description),
            Column::AlignedTo => match cells::aligned_to(cell) {
                Some(parents) => {
                    self.parents = parents;
                    text(&mut self.aligned_cell);
                }
                None => self.keep(column.header(), cell),
            },
            Column::MetricName => text(&mut self.metric_name),
            Column::Unit => text(&mut self.unit),
            Column::Target => self.target = number(cell)?,
            Column::ObjectType => text(&mut self.type_label),
            Column::GoalType => text(&mut self.goal_type),
            Column::Start => self.start = number(cell)?,
            Column::CreatedAt => self.created_at = moment(cell)?,
            Column::LastCheckIn => self.last_check_in = moment(cell)?,
            Column::Progress => self.progress_percent = number(cell)?,
            Column::ActualProgress => self.actual_progress = number(cell)?,
            Column::Status => text(&mut self.status),
            Column::LastNote => text(&mut self.last_note),
            Column::Score => self.score = number(cell)?,
            Column::CheckIns => match cells::check_in(cell) {
                Some(check_in) => self.check_ins.push(check_in),
                None => self.keep(&format!("{} (column {})", column.header(), index + 1), cell),
            },
        }
        Ok(())
    }
}

fn behind(row: u64, index: usize, cell: &str) -> CellError {
    let what = "stands behind the last header; was a quotation mark or a separator lost?".to_owned();
    CellError { row, column: format!("column {}", index + 1), value: shown(cell), what }
}

fn number(cell: &str) -> Result<Option<f64>, &'static str> {
    cells::unless_blank(cell, cells::percent).map_err(|_| "is no number such as 1234.5 or 1,234.5")
}

fn day(cell: &str) -> Result<Option<Date>, &'static str> {
    cells::unless_blank(cell, cells::day).map_err(|_| "is no day such as 2025-01-31")
}

fn moment(cell: &str) -> Result<Option<DateTime>, &'static str> {
    cells::unless_blank(cell, cells::moment).map_err(|_| "is no time such as 2025-01-31 09:30:00 UTC")
}
