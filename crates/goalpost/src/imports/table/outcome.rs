//! What a row measures. A table does not say of which type a target is: it is the one by which the value comes to the
//! percentage that stands beside it.

use goalpost_okr::{Scale, TargetType};
use goalpost_tabular::{write_number, write_percent};
use goalpost_viva::Outcome;
use goalpost_viva::sheet::GoalRow;

/// What a row says is measured, and how far it is.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Measured {
    pub(super) outcome: Option<Outcome>,
    pub(super) progress: Option<f64>,
    /// Whether `Progress %` follows from the rest.
    pub(super) is_consistent: bool,
}

/// Columns that a table may lack.
#[derive(Clone, Copy, Debug)]
pub(super) struct MeasureColumns {
    pub(super) metric_name: bool,
    pub(super) unit: bool,
    pub(super) actual: bool,
}

/// How numbers are compared: by what exports print.
pub(super) fn percent_text(percent: Option<f64>) -> String {
    print(percent, write_percent)
}

pub(super) fn number_text(number: Option<f64>) -> String {
    print(number, write_number)
}

fn print(number: Option<f64>, write: impl Fn(&mut Vec<u8>, f64)) -> String {
    let mut out = Vec::new();
    if let Some(number) = number {
        write(&mut out, number);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `before` is the type of the target that the goal has here.
pub(super) fn measured(row: &GoalRow, columns: MeasureColumns, before: Option<TargetType>) -> Measured {
    let MeasureColumns { unit: has_unit, actual: has_actual, .. } = columns;
    // An empty cell is not the word that stands for none.
    let metric_name = (columns.metric_name && row.metric_name != "Progress").then(|| row.metric_name.clone());
    let is_named = !row.metric_name.is_empty() && row.metric_name != "Progress";
    let is_percentage = !is_named
        && (!has_unit || row.unit == "%")
        && [None, Some(0.0)].contains(&row.start)
        && [None, Some(100.0)].contains(&row.target)
        && (has_unit || row.target.is_some() || row.progress_percent.is_some())
        // A value that was rounded to its percentage is that of a metric.
        && (!has_actual || row.actual_progress == row.progress_percent);
    if is_percentage {
        let outcome = Outcome { outcome_type: Some("Percentage".to_owned()), ..Outcome::default() };
        let progress = if has_actual { row.actual_progress } else { row.progress_percent };
        return Measured { outcome: Some(outcome), progress, is_consistent: true };
    }
    if !is_named && row.unit.is_empty() && row.start.is_none() && row.target.is_none() {
        let progress = row.actual_progress.or(row.progress_percent);
        let is_consistent = row.progress_percent.is_none() || row.progress_percent == progress;
        let outcome = metric_name.map(|name| Outcome { metric_name: Some(name), ..Outcome::default() });
        return Measured { outcome, progress, is_consistent };
    }
    let unit = match row.unit.as_str() {
        "" => "Number",
        "%" => "Percentage",
        "$" => "Dollar",
        other => other,
    };
    let scale = |target_type| Scale { target_type, start: row.start, target: row.target, risk: None };
    let likely = match (row.start, row.target) {
        (Some(start), Some(target)) if target < start => TargetType::DecreaseFrom,
        (None, _) => TargetType::Reach,
        _ => TargetType::IncreaseFrom,
    };
    let last = row.check_ins.iter().max_by_key(|check_in| check_in.date).and_then(|check_in| check_in.value);
    let progress = match row.actual_progress {
        None if !has_actual => {
            last.or_else(|| row.progress_percent.and_then(|percent| scale(likely).value(percent)))
        }
        actual => actual,
    };
    let printed = percent_text(row.progress_percent);
    let fits = |target_type: Option<TargetType>| {
        percent_text(progress.and_then(|value| scale(target_type?).percent(value))) == printed
    };
    let mut candidates = vec![before.unwrap_or(likely), likely];
    candidates.extend([
        TargetType::IncreaseFrom,
        TargetType::Reach,
        TargetType::StayAbove,
        TargetType::StayBelow,
        TargetType::Baseline,
    ]);
    let found = candidates.into_iter().map(Some).chain([None]).find(|candidate| fits(*candidate));
    let target_type = found.unwrap_or(Some(likely));
    let outcome = Outcome {
        outcome_type: Some("Metric".to_owned()),
        metric_name,
        metric_unit: Some(unit.to_owned()),
        start: row.start,
        target: row.target,
        target_type: target_type.map(|kind| words(kind).to_owned()),
    };
    Measured { outcome: Some(outcome), progress, is_consistent: found.is_some() }
}

/// As the ZIP of an organization prints it.
fn words(target_type: TargetType) -> &'static str {
    match target_type {
        TargetType::Reach => "Reach",
        TargetType::IncreaseFrom => "Increase From",
        TargetType::DecreaseFrom => "Decrease From",
        TargetType::StayAbove => "Stay Above",
        TargetType::StayBelow => "Stay Below",
        TargetType::Baseline => "Find a Baseline",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: MeasureColumns = MeasureColumns { metric_name: true, unit: true, actual: true };

    fn row(start: f64, target: f64, actual: f64, percent: f64) -> GoalRow {
        GoalRow {
            metric_name: "Trees".to_owned(),
            start: Some(start),
            target: Some(target),
            actual_progress: Some(actual),
            progress_percent: Some(percent),
            ..GoalRow::default()
        }
    }

    #[test]
    fn the_type_of_a_target_is_the_one_that_gives_the_percentage() {
        for (row, words) in [
            (row(100.0, 300.0, 150.0, 25.0), "Increase From"),
            (row(300.0, 100.0, 250.0, 25.0), "Decrease From"),
            (row(100.0, 300.0, 150.0, 50.0), "Reach"),
            (row(50.0, 50.0, 40.0, 100.0), "Stay Below"),
            (row(40.0, 50.0, 60.0, 100.0), "Stay Above"),
        ] {
            let measured = measured(&row, ALL, None);
            let found = measured.outcome.and_then(|outcome| outcome.target_type);
            assert_eq!((found.as_deref(), measured.is_consistent), (Some(words), true));
        }
        assert!(!measured(&row(0.0, 200.0, 50.0, 77.0), ALL, None).is_consistent);
    }

    #[test]
    fn a_percentage_has_no_metric() {
        let row = GoalRow {
            metric_name: "Progress".to_owned(),
            unit: "%".to_owned(),
            ..row(0.0, 100.0, 64.0, 64.0)
        };
        let row = GoalRow { metric_name: "Progress".to_owned(), ..row };
        let found = measured(&row, ALL, None);
        assert_eq!(found.outcome.and_then(|outcome| outcome.outcome_type).as_deref(), Some("Percentage"));
        assert_eq!(found.progress, Some(64.0));
    }
}
