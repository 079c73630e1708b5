//! The columns and cells of a Viva Goals CSV, as the service wrote them (docs/DATA.md, "The CSV").

use goalpost_tabular::{Csv, rounded, write_date, write_date_time, write_int, write_number, write_percent};

use super::wording::Wording;
use crate::goals::rows::{CheckInRow, GoalRow};

/// The named columns. `Checkins` holds the first check-in; each further one has a column without a name.
pub const COLUMNS: [&str; 24] = [
    "Id",
    "Title",
    "Team",
    "Creator",
    "Owner",
    "Period",
    "Start Date",
    "End Date",
    "Description",
    "Aligned To (weight, Objective ID)",
    "Metric Name",
    "Unit",
    "Target",
    "Object Type",
    "Goal Type",
    "Start",
    "Created At",
    "Last Check-in",
    "Progress %",
    "Actual Progress",
    "Status",
    "Last Check-in Note",
    "Score",
    "Checkins",
];

/// The header, for rows of up to `checkins` check-ins.
pub fn write_header(csv: &mut Csv, checkins: usize) {
    for column in COLUMNS {
        csv.text(column);
    }
    for _ in 1..checkins {
        csv.empty();
    }
    csv.end_record();
}

/// The record of one goal, as wide as the header.
pub fn write_goal(csv: &mut Csv, row: &GoalRow<'_>, checkins: usize) {
    let (unit, wording) = (unit(row), Wording::default());
    csv.plain_with(|out| write_int(out, row.id()));
    csv.text(row.title().unwrap_or_default());
    csv.text_with(|out| join(out, row.teams.iter().map(|link| row.team(*link)), "; "));
    csv.text(row.creator().map_or("", |id| row.person(id)));
    csv.text_with(|out| join(out, row.owners.iter().map(|link| row.owner(*link)), ", "));
    csv.text(row.period_name());
    csv.text(row.start_date().unwrap_or_default());
    csv.text(row.end_date().unwrap_or_default());
    csv.text(row.description().unwrap_or_default());
    csv.text_with(|out| write_alignments(out, row));
    csv.text(metric_name(row));
    csv.text(unit);
    number(csv, target(row));
    csv.text(row.type_label().unwrap_or_default());
    csv.text_with(|out| write_goal_type(out, row.goal_type().unwrap_or_default()));
    number(csv, start(row));
    csv.plain_with(|out| {
        if let Some(at) = row.created_at() {
            write_date_time(out, at);
        }
    });
    csv.text(row.last_checkin_date().unwrap_or_default());
    number(csv, percent(row));
    number(csv, row.progress());
    csv.text(row.status().unwrap_or_default());
    csv.text(row.checkins.iter().next_back().and_then(|last| last.note).unwrap_or_default());
    number(csv, score(row));
    for checkin in row.checkins.iter() {
        csv.text_with(|out| write_checkin(out, row, &checkin, unit, &wording));
    }
    for _ in row.checkins.len()..checkins.max(1) {
        csv.empty();
    }
    csv.end_record();
}

fn number(csv: &mut Csv, number: Option<f64>) {
    csv.plain_with(|out| {
        if let Some(number) = number {
            write_number(out, number);
        }
    });
}

fn is_metric(row: &GoalRow<'_>) -> bool {
    row.outcome_type().is_some_and(|kind| kind.eq_ignore_ascii_case("metric"))
}

fn is_percentage(row: &GoalRow<'_>) -> bool {
    row.outcome_type().is_some_and(|kind| kind.eq_ignore_ascii_case("percentage"))
}

/// `Progress` for a percentage, or where there is no name.
pub(super) fn metric_name<'a>(row: &'a GoalRow<'_>) -> &'a str {
    if is_percentage(row) { "Progress" } else { row.metric_name().unwrap_or("Progress") }
}

/// 100 for a percentage.
pub(super) fn target(row: &GoalRow<'_>) -> Option<f64> {
    if is_percentage(row) { Some(100.0) } else { row.metric_target() }
}

/// 0 for a percentage.
pub(super) fn start(row: &GoalRow<'_>) -> Option<f64> {
    if is_percentage(row) { Some(0.0) } else { row.metric_start() }
}

/// Computed percentages have at most two decimals. What was stated as one is not computed, and so not rounded.
pub(super) fn percent(row: &GoalRow<'_>) -> Option<f64> {
    row.progress_percent().map(|percent| if is_metric(row) { rounded(percent) } else { percent })
}

/// A score of 0 is one only of a closed goal.
pub(super) fn score(row: &GoalRow<'_>) -> Option<f64> {
    row.score().filter(|score| *score != 0.0 || row.status() == Some("Closed"))
}

/// `%` for percentages, `$` for dollars, nothing for plain numbers; a unit of another name as it stands.
pub(super) fn unit<'a>(row: &'a GoalRow<'_>) -> &'a str {
    match row.metric_unit() {
        _ if is_percentage(row) => "%",
        Some("Percentage") => "%",
        Some("Dollar") => "$",
        None | Some("Number") => "",
        Some(other) => other,
    }
}

pub(super) fn join<'n>(out: &mut Vec<u8>, names: impl Iterator<Item = &'n str>, separator: &str) {
    for (position, name) in names.enumerate() {
        if position > 0 {
            out.extend_from_slice(separator.as_bytes());
        }
        out.extend_from_slice(name.as_bytes());
    }
}

/// `Parent title(weight: 14.29%, Id: 2295704)`, several joined by ` / `; a weight that no file stated is 0.
pub(super) fn write_alignments(out: &mut Vec<u8>, row: &GoalRow<'_>) {
    for (position, parent) in row.alignments().enumerate() {
        if position > 0 {
            out.extend_from_slice(b" / ");
        }
        out.extend_from_slice(parent.title.as_bytes());
        out.extend_from_slice(b"(weight: ");
        write_percent(out, parent.weight.unwrap_or(0.0));
        out.extend_from_slice(b"%, Id: ");
        write_int(out, parent.id);
        out.push(b')');
    }
}

/// `Aspirational` is printed `Aspirational Goal`.
pub(super) fn write_goal_type(out: &mut Vec<u8>, goal_type: &str) {
    if !goal_type.is_empty() {
        out.extend_from_slice(goal_type.as_bytes());
        out.extend_from_slice(b" Goal");
    }
}

/// One check-in in one cell. The note stands as it was written: the original escapes nothing in it either.
pub(super) fn write_checkin(
    out: &mut Vec<u8>,
    row: &GoalRow<'_>,
    checkin: &CheckInRow<'_>,
    unit: &str,
    wording: &Wording,
) {
    out.extend_from_slice(b"Checkin Date: ");
    write_date(out, checkin.as_of_at);
    out.extend_from_slice(b"; User: ");
    out.extend_from_slice(checkin.owner.map_or("", |id| row.person(id)).as_bytes());
    out.extend_from_slice(b"; Note: ");
    out.extend_from_slice(checkin.note.unwrap_or_default().as_bytes());
    out.extend_from_slice(b"; Metric Name: ");
    out.extend_from_slice(checkin.metric_name.unwrap_or("Progress").as_bytes());
    out.extend_from_slice(b"; Status: ");
    out.extend_from_slice(wording.status(checkin.status).as_bytes());
    out.extend_from_slice(b"; Current Value: ");
    if let Some(value) = checkin.value {
        write_number(out, value);
        if unit == "%" {
            out.push(b'%');
        }
    }
    out.extend_from_slice(b"; Activity Date: ");
    if let Some(at) = checkin.recorded_at {
        wording.write_moment(out, at);
    }
    out.push(b';');
}
