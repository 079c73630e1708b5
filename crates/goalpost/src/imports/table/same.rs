//! The fields of a goal of which a row says what this server prints: they stay as they are, since names and rounded numbers
//! say less than what is here.

use std::borrow::Cow;

use goalpost_db::Value;
use goalpost_viva::sheet::{self, GoalRow};
use jiff::civil::DateTime;

use super::super::time::{day, micros};
use super::names::Names;
use super::numbers::numbers;
use super::outcome::percent_text;
use super::translate::Translation;
use crate::goals::ObjectType;
use crate::goals::edit::Field;
use crate::goals::record::{Column, GoalRecord, List};
use crate::ids::fold;

impl Translation<'_> {
    /// The fields of a goal of which a row says what this server prints for it.
    pub(super) fn same_fields(&self, row: &GoalRow, present: &GoalRecord) -> Vec<Field> {
        let mut same = Vec::new();
        let mut note = |is_same: bool, fields: &[Field]| {
            if is_same {
                same.extend_from_slice(fields);
            }
        };
        let join = |names: &Names, list, separator: &str| {
            numbers(present.list(list)).map(|id| names.name(id)).collect::<Vec<_>>().join(separator)
        };
        let one = |names: &Names, column| match present.get(column) {
            Value::Int(id) => names.name(*id).to_owned(),
            _ => String::new(),
        };
        let is_mapped = |cell: &str| self.options.map.people.keys().any(|name| cell.contains(name.as_str()));
        let owners = join(&self.people, List::Owners, ", ");
        note(owners == row.owner_cell && !is_mapped(&owners), &[Field::List(List::Owners)]);
        let creator = one(&self.people, Column::Creator);
        note(creator == row.creator && !is_mapped(&creator), &[Field::Column(Column::Creator)]);
        note(join(&self.teams, List::Teams, "; ") == row.team_cell, &[Field::List(List::Teams)]);
        let tags = numbers(present.list(List::Tags)).map(|id| self.tags.name(id));
        let said = self.tag_names(row);
        note(tags.eq(said.iter().map(String::as_str)), &[Field::List(List::Tags)]);
        note(one(&self.periods, Column::Period) == row.period, &[Field::Column(Column::Period)]);
        let created = present.int(Column::CreatedAt).map(|at| at.div_euclid(1_000_000));
        let said = row.created_at.map(|at| micros(at).div_euclid(1_000_000));
        note(created == said, &[Field::Column(Column::CreatedAt)]);
        let last = day(row.last_check_in.map(DateTime::date));
        note(*present.get(Column::LastCheckinDate) == last, &[Field::Column(Column::LastCheckinDate)]);
        let is_same = with_line_feeds(present.text(Column::Description)) == with_line_feeds(&row.description);
        note(is_same, &[Field::Column(Column::Description)]);
        let score = present.real(Column::Score);
        let printed = score.filter(|score| *score != 0.0 || present.text(Column::Status) == "Closed");
        note(printed == row.score, &[Field::Column(Column::Score)]);
        let is_label = present.text(Column::TypeLabel) == row.type_label;
        let is_said = self.options.labels.iter().any(|(word, _)| fold(word) == fold(&row.type_label));
        let is_type = present.text(Column::ObjectType).parse::<ObjectType>().is_ok();
        note(is_label && !is_said && is_type, &[Field::Column(Column::ObjectType)]);

        let parents: Vec<_> =
            parents(present).filter(|(parent, _)| !self.is_kept_from(row, *parent)).collect();
        let is_parent = |((id, weight), file): (&(i64, Option<f64>), &sheet::Parent)| {
            *id == file.id && percent_text(Some(weight.unwrap_or(0.0))) == percent_text(Some(file.weight))
        };
        let is_same = parents.len() == row.parents.len() && parents.iter().zip(&row.parents).all(is_parent);
        note(is_same, &[Field::List(List::Parents)]);

        let is_percentage = present.text(Column::OutcomeType).eq_ignore_ascii_case("percentage");
        let (metric, unit, target, start) = if is_percentage {
            ("Progress", "%", Some(100.0), Some(0.0))
        } else {
            let metric = match present.get(Column::MetricName) {
                Value::Text(name) => name,
                _ => "Progress",
            };
            let unit = match present.text(Column::MetricUnit) {
                "Percentage" => "%",
                "Dollar" => "$",
                "Number" => "",
                other => other,
            };
            (metric, unit, present.real(Column::MetricTarget), present.real(Column::MetricStart))
        };
        let is_same = metric == row.metric_name
            && (unit == row.unit || self.partial.is_unsaid(Field::Column(Column::MetricUnit)))
            && (target, start) == (row.target, row.start);
        let outcome = [
            Column::OutcomeType,
            Column::MetricName,
            Column::MetricUnit,
            Column::MetricStart,
            Column::MetricTarget,
            Column::TargetType,
        ];
        note(is_same, &outcome.map(Field::Column));
        let percent = percent_text(present.real(Column::ProgressPercent));
        let is_same = percent == percent_text(row.progress_percent)
            && (row.actual_progress.is_none() || row.actual_progress == present.real(Column::Progress));
        note(is_same, &[Field::Column(Column::Progress)]);
        same
    }

    /// The alignments of a goal that its row could not tell: whoever exported the table may not see what they lead to.
    pub(super) fn untold_parents(&self, row: &GoalRow, present: &GoalRecord) -> Vec<(i64, Option<f64>)> {
        parents(present).filter(|(parent, _)| self.is_kept_from(row, *parent)).collect()
    }

    fn is_kept_from(&self, row: &GoalRow, parent: i64) -> bool {
        self.restricted.contains(parent.cast_unsigned()) && row.parents.iter().all(|told| told.id != parent)
    }
}

/// The parents of a goal, and what it counts for in each, percent.
fn parents(goal: &GoalRecord) -> impl Iterator<Item = (i64, Option<f64>)> {
    goal.list(List::Parents).chunks(List::Parents.width()).filter_map(|parent| match parent {
        [Value::Int(id), Value::Real(weight), ..] => Some((*id, Some(*weight))),
        [Value::Int(id), ..] => Some((*id, None)),
        _ => None,
    })
}

/// A text whose lines end with a line feed alone, as those of a workbook do: how a line ends is no change.
pub(super) fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}
