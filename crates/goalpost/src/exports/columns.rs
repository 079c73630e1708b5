//! Every column that a file of goals may have: its name, what it means, and how its cell comes out of a goal.
//!
//! Those with a Viva Goals name print what the service printed (docs/DATA.md, "The CSV"); the others, named like the
//! properties of `/api/v1`, say the same without the organization's words, and what such a file does not have.

use goalpost_tabular::{Cell, ColumnKind, write_int, write_percent};

use super::options::Labels;
use super::viva_csv;
use super::wording::{Wording, neutral_status};
use crate::goals::rows::{CheckInRow, GoalRow};

/// The version of the tables below. It rises when a column changes its meaning or goes; new ones do not raise it.
pub const VERSION: u32 = 1;

/// A column of goals.
#[derive(Debug)]
pub struct Column {
    /// The first cell.
    pub name: &'static str,
    /// What its cells are.
    pub kind: ColumnKind,
    /// What they say.
    pub about: &'static str,
    /// The cell of a goal; a text may be put together in the buffer, which is empty.
    pub(super) cell: for<'a> fn(&'a GoalRow<'a>, &'a mut Vec<u8>) -> Cell<'a>,
}

/// A column of check-ins, of which each has a row.
#[derive(Debug)]
pub struct CheckInColumn {
    /// The first cell.
    pub name: &'static str,
    /// What its cells are.
    pub kind: ColumnKind,
    /// What they say.
    pub about: &'static str,
    pub(super) cell: for<'a> fn(&'a GoalRow<'a>, &CheckInRow<'a>, &Wording) -> Cell<'a>,
}

macro_rules! columns {
    ($($name:literal $kind:ident $about:literal, |$row:ident, $out:ident| $cell:expr;)*) => {
        /// The columns of goals.
        pub static COLUMNS: &[Column] = &[$(Column {
            name: $name,
            kind: ColumnKind::$kind,
            about: $about,
            cell: |$row, $out| $cell,
        }),*];
    };
}

columns! {
    "Id" Int "The goal's number", |row, _out| Cell::Int(row.id());
    "Title" Text "Its title", |row, _out| text(row.title());
    "Tag" Text "Names of its tags, joined by `, `", |row, out| joined(out, row.tags.iter().map(|link| row.tag(*link)), ", ");
    "OKR type" Text "organization, team or individual", |row, _out| Cell::Text(level(row));
    "Type name" Text "Names of its teams, else of its owners; empty for a goal of the organization", |row, out| {
        match level(row) {
            "team" => joined(out, row.teams.iter().map(|link| row.team(*link)), "; "),
            "individual" => joined(out, row.owners.iter().map(|link| row.owner(*link)), ", "),
            _ => Cell::Empty,
        }
    };
    "Team" Text "Names of its teams, joined by `; `", |row, out| joined(out, row.teams.iter().map(|link| row.team(*link)), "; ");
    "Creator" Text "Name of who made it", |row, _out| named(row.creator().map_or("", |id| row.person(id)));
    "Owner" Text "Names of its owners, joined by `, `", |row, out| joined(out, row.owners.iter().map(|link| row.owner(*link)), ", ");
    "Period" Text "Name of its time period", |row, _out| named(row.period_name());
    "Start Date" Day "Its first day", |row, _out| day(row.start_date());
    "End Date" Day "Its last day", |row, _out| day(row.end_date());
    "Description" Text "Its description", |row, _out| text(row.description());
    "Aligned To (weight, Objective ID)" Text "Goals above it that the reader may see, with weights and numbers, joined by ` / `", |row, out| {
        viva_csv::write_alignments(out, row);
        composed(out)
    };
    "Metric Name" Text "Its metric's name; Progress without one", |row, _out| Cell::Text(viva_csv::metric_name(row));
    "Unit" Text "% for percentages, $ for dollars, empty for plain numbers", |row, _out| named(viva_csv::unit(row));
    "Target" Number "The value at which it is reached", |row, _out| number(viva_csv::target(row));
    "Object Type" Text "Its type in the organization's word", |row, _out| text(row.type_label());
    "Goal Type" Text "Aspirational Goal or Committed Goal", |row, out| {
        viva_csv::write_goal_type(out, row.goal_type().unwrap_or_default());
        composed(out)
    };
    "Start" Number "The value at which it began", |row, _out| number(viva_csv::start(row));
    "Created At" Moment "When it was made", |row, _out| row.created_at().map_or(Cell::Empty, Cell::Moment);
    "Last Check-in" Day "The day of its latest check-in", |row, _out| day(row.last_checkin_date());
    "Progress %" Number "Its progress in percent, computed ones with two decimals", |row, _out| number(viva_csv::percent(row));
    "Actual Progress" Number "The value that it has", |row, _out| number(row.progress());
    "Status" Text "Its status, in the word of the files", |row, _out| text(row.status());
    "Last Check-in Note" Text "The note of its latest check-in", |row, _out| text(row.checkins.iter().next_back().and_then(|last| last.note));
    "Score" Number "Its score; 0 only if it is closed", |row, _out| number(viva_csv::score(row));
    "objectType" Text "objective, keyResult or initiative", |row, _out| text(row.object_type());
    "targetType" Text "How its metric is to move", |row, _out| text(row.target_type());
    "outcomeType" Text "Percentage or Metric", |row, _out| text(row.outcome_type());
    "metricUnit" Text "The unit of its metric", |row, _out| text(row.metric_unit());
    "progressMode" Text "Where its progress comes from", |row, _out| text(row.progress_mode());
    "statusMode" Text "Where its status comes from", |row, _out| text(row.status_mode());
    "progressPercent" Number "Its progress in percent, not rounded", |row, _out| number(row.progress_percent());
    "ownerEmails" Text "E-mail addresses of its owners, joined by `; `", |row, out| joined(out, row.owners.iter().map(|link| row.owner_email(*link)), "; ");
    "parentIds" Text "Numbers of the goals above it that the reader may see, joined by `; `", |row, out| {
        for (position, parent) in row.alignments().enumerate() {
            separate(out, position, "; ");
            write_int(out, parent.id);
        }
        composed(out)
    };
    "parentWeights" Text "What it counts for in each of them, in percent, joined by `; `; empty where nobody said", |row, out| {
        for (position, parent) in row.alignments().enumerate() {
            separate(out, position, "; ");
            if let Some(weight) = parent.weight {
                write_percent(out, weight);
            }
        }
        composed(out)
    };
    "isRestricted" Flag "Whether not everybody may see it", |row, _out| Cell::Flag(row.restricted());
    "checkInCount" Int "How many check-ins it has", |row, _out| Cell::Int(row.checkins.len() as i64);
}

/// The columns of check-ins; before them stand those of their goals that were chosen.
pub static CHECK_IN_COLUMNS: &[CheckInColumn] = &[
    CheckInColumn {
        name: "Checkin Date",
        kind: ColumnKind::Moment,
        about: "The moment of which it speaks, in UTC: most files name a day, which no zone may move",
        cell: |_, checkin, _| Cell::Moment(checkin.as_of_at),
    },
    CheckInColumn {
        name: "User",
        kind: ColumnKind::Text,
        about: "Name of who said it",
        cell: |row, checkin, _| named(checkin.owner.map_or("", |id| row.person(id))),
    },
    CheckInColumn {
        name: "Note",
        kind: ColumnKind::Text,
        about: "What was said",
        cell: |_, checkin, _| text(checkin.note),
    },
    CheckInColumn {
        name: "Checkin Metric Name",
        kind: ColumnKind::Text,
        about: "What was measured",
        cell: |_, checkin, _| Cell::Text(checkin.metric_name.unwrap_or("Progress")),
    },
    CheckInColumn {
        name: "Checkin Status",
        kind: ColumnKind::Text,
        about: "The status that it set",
        cell: |_, checkin, wording| named(wording.status(checkin.status)),
    },
    CheckInColumn {
        name: "Current Value",
        kind: ColumnKind::Number,
        about: "The value that it set",
        cell: |_, checkin, _| number(checkin.value),
    },
    CheckInColumn {
        name: "Activity Date",
        kind: ColumnKind::Moment,
        about: "When it was written down",
        cell: |_, checkin, wording| checkin.recorded_at.map_or(Cell::Empty, |at| wording.moment(at)),
    },
];

/// The columns of an older Viva Goals file, before its check-ins.
pub const OLDER: [&str; 23] = [
    "Id",
    "Title",
    "Tag",
    "OKR type",
    "Type name",
    "Creator",
    "Owner",
    "Period",
    "Start Date",
    "End Date",
    "Description",
    "Aligned To (weight, Objective ID)",
    "Metric Name",
    "Target",
    "Object Type",
    "Goal Type",
    "Start",
    "Created At",
    "Last Check-in",
    "Progress %",
    "Status",
    "Last Check-in Note",
    "Score",
];

/// Columns that an organization has words for, in words for programs.
static NEUTRAL: &[Column] = &[
    Column {
        name: "Object Type",
        kind: ColumnKind::Text,
        about: "Its type: objective, keyResult or initiative",
        cell: |row, _| text(row.object_type()),
    },
    Column {
        name: "Status",
        kind: ColumnKind::Text,
        about: "Its status: notStarted, onTrack, behind, atRisk, closed, postponed, reopened or inProgress",
        cell: |row, _| text(row.status().map(neutral_status)),
    },
];

/// The column in these words.
pub(super) fn in_words(column: &'static Column, labels: Labels) -> &'static Column {
    let neutral = || NEUTRAL.iter().find(|neutral| neutral.name == column.name);
    match labels {
        Labels::Custom => column,
        Labels::Neutral => neutral().unwrap_or(column),
    }
}

/// The column of this name, in any case.
pub fn find(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name.eq_ignore_ascii_case(name.trim()))
}

/// Whose goal it is: of teams, else of people, else of the organization.
fn level(row: &GoalRow<'_>) -> &'static str {
    match (row.teams, row.owners) {
        ([_, ..], _) => "team",
        ([], [_, ..]) => "individual",
        ([], []) => "organization",
    }
}

fn text(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Empty, Cell::Text)
}

fn named(name: &str) -> Cell<'_> {
    if name.is_empty() { Cell::Empty } else { Cell::Text(name) }
}

fn day(day: Option<&str>) -> Cell<'_> {
    day.map_or(Cell::Empty, Cell::Day)
}

fn number(number: Option<f64>) -> Cell<'static> {
    number.map_or(Cell::Empty, Cell::Number)
}

fn joined<'n, 'o>(out: &'o mut Vec<u8>, names: impl Iterator<Item = &'n str>, separator: &str) -> Cell<'o> {
    viva_csv::join(out, names, separator);
    composed(out)
}

fn separate(out: &mut Vec<u8>, position: usize, separator: &str) {
    if position > 0 {
        out.extend_from_slice(separator.as_bytes());
    }
}

/// The text that was put together.
fn composed(out: &[u8]) -> Cell<'_> {
    // Made of texts and digits alone.
    named(std::str::from_utf8(out).unwrap_or_default())
}
