//! Check-ins of rows: a table does not number them, so each is told from those that are here by all that its cell says.

use std::collections::HashMap;

use goalpost_db::{Error, Value};
use goalpost_viva::sheet::{CheckInCell, GoalRow};
use goalpost_viva::{CheckIn, Note};
use jiff::civil::{Date, DateTime, Time};

use super::super::ImportError;
use super::super::time::micros;
use super::outcome::number_text;
use super::same::with_line_feeds;
use super::translate::Translation;
use crate::goals::checkin::CHECKIN;

impl Translation<'_> {
    /// The check-ins of some rows that are not here yet.
    pub(super) fn check_ins(&mut self, rows: Vec<GoalRow>) -> Result<Vec<CheckIn>, ImportError> {
        let with_any: Vec<i64> =
            rows.iter().filter(|row| !row.check_ins.is_empty()).filter_map(|row| row.id).collect();
        let mut here: HashMap<(i64, String), u64> = HashMap::new();
        CHECKIN.each(self.tx, self.organization, &with_any, |key, columns| {
            *here.entry((key[0], self.printed(&columns))).or_default() += 1;
            Ok::<_, Error>(())
        })?;
        let mut new = Vec::new();
        for row in rows {
            let goal_id = row.id.unwrap_or_default();
            for cell in in_order(&row.check_ins) {
                if let Some(count) = here.get_mut(&(goal_id, print_cell(cell)))
                    && *count > 0
                {
                    *count -= 1;
                    continue;
                }
                let owner = match cell.user.as_str() {
                    "" => None,
                    user => Some(self.person(user, &mut Vec::new())?),
                };
                let text = Some(cell.note.clone()).filter(|note| !note.is_empty());
                new.push(CheckIn {
                    id: self.minter.mint()?,
                    goal_id,
                    date: cell.date.map(midnight),
                    owner,
                    note: text.map(|text| Note { text: Some(text), html: None }),
                    metric_name: Some(cell.metric_name.clone()),
                    status: Some(cell.status.clone()),
                    current_value: cell.value,
                    recorded_at: cell.recorded_at,
                    aside: Vec::new(),
                });
            }
        }
        Ok(new)
    }

    /// The notes of the latest check-ins that goals have here, of rows that tell of no other.
    pub(super) fn last_notes(&self, rows: &[GoalRow]) -> Result<HashMap<i64, String>, ImportError> {
        let tells_one = |row: &&GoalRow| row.check_ins.is_empty() && !row.last_note.is_empty();
        let ids: Vec<i64> = rows.iter().filter(tells_one).filter_map(|row| row.id).collect();
        let mut last: HashMap<i64, ((i64, i64), String)> = HashMap::new();
        CHECKIN.each(self.tx, self.organization, &ids, |key, mut columns| {
            let at = if let Value::Int(at) = columns[0] { at } else { i64::MIN };
            let place = (at, key[1]);
            if last.get(&key[0]).is_none_or(|(latest, _)| *latest < place) {
                let note = if let Value::Text(note) = columns.swap_remove(6) { note } else { String::new() };
                last.insert(key[0], (place, note));
            }
            Ok::<_, Error>(())
        })?;
        Ok(last.into_iter().map(|(goal, (_, note))| (goal, note)).collect())
    }

    /// A check-in that is here, by what its cell says.
    fn printed(&self, columns: &[Value]) -> String {
        let text = |at: usize| match &columns[at] {
            Value::Text(text) => text.as_str(),
            _ => "",
        };
        let int = |at: usize| if let Value::Int(value) = columns[at] { Some(value) } else { None };
        let value = if let Value::Real(value) = columns[4] { Some(value) } else { None };
        let metric = match &columns[5] {
            Value::Text(name) => name,
            _ => "Progress",
        };
        let days = int(0).map(|at| at.div_euclid(86_400_000_000));
        let seconds = int(1).map(|at| at.div_euclid(1_000_000));
        let user = int(2).map_or("", |id| self.people.name(id));
        said(days, user, text(6), metric, text(3), value, seconds)
    }
}

/// Where a name holds what stands before a note, the last note of the row tells where the note begins.
pub(super) fn settle_last_note(row: &mut GoalRow) {
    const BEFORE: &str = "; Note: ";
    let is_turned = is_turned(&row.check_ins);
    let last = if is_turned { row.check_ins.first_mut() } else { row.check_ins.last_mut() };
    let Some(last) = last.filter(|last| last.note != row.last_note) else { return };
    let both = format!("{}{BEFORE}{}", last.user, last.note);
    if let Some(user) = both.strip_suffix(&format!("{BEFORE}{}", row.last_note)) {
        user.clone_into(&mut last.user);
        last.note.clone_from(&row.last_note);
    }
}

/// What a table without check-ins says of the latest one is nothing new where it is here.
pub(super) fn settle_told_note(row: &mut GoalRow, here: &HashMap<i64, String>) {
    let note = row.id.and_then(|id| here.get(&id));
    if note.is_some_and(|note| with_line_feeds(note) == with_line_feeds(&row.last_note)) {
        row.last_note.clear();
    }
}

/// Check-ins from the oldest to the newest: rows have them in this order or turned round.
pub(super) fn in_order(check_ins: &[CheckInCell]) -> Vec<&CheckInCell> {
    let mut ordered: Vec<&CheckInCell> = check_ins.iter().collect();
    if is_turned(check_ins) {
        ordered.reverse();
    }
    ordered
}

fn is_turned(check_ins: &[CheckInCell]) -> bool {
    matches!(check_ins, [first, .., last] if moment(first) > moment(last))
}

pub(super) fn moment(check_in: &CheckInCell) -> Option<Date> {
    check_in.date.or(check_in.recorded_at.map(DateTime::date))
}

pub(super) fn midnight(day: Date) -> DateTime {
    day.to_datetime(Time::midnight())
}

fn print_cell(cell: &CheckInCell) -> String {
    let days = moment(cell).map(|day| micros(midnight(day)).div_euclid(86_400_000_000));
    let seconds = cell.recorded_at.map(|at| micros(at).div_euclid(1_000_000));
    said(days, &cell.user, &cell.note, &cell.metric_name, &cell.status, cell.value, seconds)
}

fn said(
    days: Option<i64>,
    user: &str,
    note: &str,
    metric: &str,
    status: &str,
    value: Option<f64>,
    seconds: Option<i64>,
) -> String {
    let note = with_line_feeds(note);
    format!("{days:?}\0{user}\0{note}\0{metric}\0{status}\0{}\0{seconds:?}", number_text(value))
}
