//! What an export should be, worked out a second time: straight from the elements of a ZIP, all in memory, one plain
//! rule per column. It shares no code with the server but the reader of the ZIP.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use goalpost_viva::{
    Access, Archive, CheckIn, Element, Error, Limits, Objective, Outcome, Period, Person, Team, User,
};
use jiff::civil::{Date, DateTime};

pub(super) const HEADER: [&str; 24] = [
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

/// An organization's file, read whole.
pub(super) struct Oracle {
    users: HashMap<i64, User>,
    emails: HashMap<String, i64>,
    teams: HashMap<i64, Team>,
    periods: HashMap<i64, Period>,
    /// In the order of their numbers.
    goals: Vec<Objective>,
    places: HashMap<i64, usize>,
    /// Titles of parents that are not in the file, as alignments print them.
    strangers: HashMap<i64, String>,
    /// By goal, the oldest first.
    check_ins: HashMap<i64, Vec<CheckIn>>,
}

impl Oracle {
    pub(super) fn read(zip: &Path) -> Self {
        let file = File::open(zip).expect("the file is there");
        let mut archive = Archive::open(file, Limits::OPERATOR).expect("the file is one");
        let users: Vec<User> = all(&mut archive);
        let mut goals: Vec<Objective> = all(&mut archive);
        goals.sort_by_key(|goal| goal.id);

        let mut strangers = HashMap::new();
        for entry in goals.iter().flat_map(|goal| &goal.alignment) {
            if let Some(title) = &entry.title {
                strangers.entry(entry.id).or_insert_with(|| title.clone());
            }
        }
        let mut check_ins: HashMap<i64, Vec<CheckIn>> = HashMap::new();
        for check_in in all::<CheckIn>(&mut archive) {
            if day_of(&check_in).is_some() {
                check_ins.entry(check_in.goal_id).or_default().push(check_in);
            }
        }
        for list in check_ins.values_mut() {
            list.sort_by_key(|check_in| (day_of(check_in), check_in.id));
        }
        let mut emails = HashMap::new();
        for user in &users {
            if let Some(email) = &user.email {
                emails.entry(email.trim().to_lowercase()).or_insert(user.id);
            }
        }
        Self {
            emails,
            users: users.into_iter().map(|user| (user.id, user)).collect(),
            teams: all(&mut archive).into_iter().map(|team: Team| (team.id, team)).collect(),
            periods: all(&mut archive).into_iter().map(|period: Period| (period.id, period)).collect(),
            places: goals.iter().enumerate().map(|(place, goal)| (goal.id, place)).collect(),
            goals,
            strangers,
            check_ins,
        }
    }

    /// A goal by its number, if the file holds it.
    pub(super) fn goal(&self, id: i64) -> Option<&Objective> {
        self.places.get(&id).map(|&place| &self.goals[place])
    }

    /// The goals that a view holds for a person, in the order of their numbers.
    pub(super) fn rows(&self, reader: i64, holds: impl Fn(&Objective) -> bool) -> Vec<&Objective> {
        self.goals.iter().filter(|goal| self.may_see(goal, reader) && holds(goal)).collect()
    }

    /// The export of a view by a person: the view holds these goals.
    pub(super) fn csv(&self, reader: i64, holds: impl Fn(&Objective) -> bool) -> Vec<u8> {
        let mut csv = String::new();
        for record in self.records(reader, holds) {
            write_record(&mut csv, &record);
        }
        csv.into_bytes()
    }

    /// The same, cell by cell: the header, then a record for each goal, all of one width.
    pub(super) fn records(&self, reader: i64, holds: impl Fn(&Objective) -> bool) -> Vec<Vec<String>> {
        let rows = self.rows(reader, holds);
        let widest = rows.iter().map(|goal| self.check_ins_of(goal).len()).max().unwrap_or(0);
        let width = HEADER.len() + widest.saturating_sub(1);

        let mut records = vec![HEADER.map(str::to_owned).to_vec()];
        records.extend(rows.into_iter().map(|goal| self.cells(goal, reader)));
        for record in &mut records {
            record.resize(width, String::new());
        }
        records
    }

    /// Whether a goal is open to everybody, or the person is one of those around it.
    fn may_see(&self, goal: &Objective, reader: i64) -> bool {
        let viewers: &[Person] = match &goal.permissions.view {
            Access::Everybody => return true,
            Access::Only(people) => people,
            Access::Unclear => &[],
        };
        let around = goal.owners.iter().chain(&goal.check_in_owners).chain(&goal.created_by);
        around.chain(&goal.delegated_to).chain(viewers).any(|person| self.number_of(person) == Some(reader))
    }

    fn cells(&self, goal: &Objective, reader: i64) -> Vec<String> {
        let check_ins = self.check_ins_of(goal);
        let team = |named: &goalpost_viva::Named| match self.teams.get(&named.id) {
            Some(team) => team.name.clone(),
            None => text(named.name.as_ref()),
        };
        let period = |named: &goalpost_viva::Named| match self.periods.get(&named.id) {
            Some(period) => period.name.clone(),
            None => text(named.name.as_ref()),
        };
        let measure = Measure::of(goal);
        let last_note = check_ins.last().map(note).unwrap_or_default();
        let is_closed = goal.status.as_deref() == Some("Closed");
        let mut cells = vec![
            goal.id.to_string(),
            goal.title.clone(),
            goal.teams.iter().map(team).collect::<Vec<_>>().join("; "),
            goal.created_by.as_ref().map(|person| self.name(person)).unwrap_or_default(),
            goal.owners.iter().map(|person| self.name(person)).collect::<Vec<_>>().join(", "),
            goal.period.as_ref().map(period).unwrap_or_default(),
            goal.start_date.map(day).unwrap_or_default(),
            goal.end_date.map(day).unwrap_or_default(),
            text(goal.description.as_ref()),
            self.aligned_to(goal, reader),
            measure.name,
            measure.unit.clone(),
            measure.target.map(number).unwrap_or_default(),
            text(goal.type_label.as_ref()),
            goal.goal_type.as_ref().map(|word| format!("{word} Goal")).unwrap_or_default(),
            measure.start.map(number).unwrap_or_default(),
            goal.created_at.map(moment).unwrap_or_default(),
            goal.last_check_in.map(|at| day(at.date())).unwrap_or_default(),
            measure.percent.map(if measure.computed { two_decimals } else { number }).unwrap_or_default(),
            goal.progress.map(number).unwrap_or_default(),
            text(goal.status.as_ref()),
            last_note,
            goal.score.filter(|score| *score != 0.0 || is_closed).map(number).unwrap_or_default(),
        ];
        cells.extend(check_ins.iter().map(|check_in| self.check_in(check_in, &measure.unit)));
        cells
    }

    /// Parents as the goal names them. One that the reader may not see is left out.
    fn aligned_to(&self, goal: &Objective, reader: i64) -> String {
        let mut parents = Vec::new();
        for &id in &goal.parent_ids {
            let entry = goal.alignment.iter().find(|entry| entry.id == id);
            let title = match self.goal(id) {
                Some(parent) if !self.may_see(parent, reader) => continue,
                Some(parent) => parent.title.clone(),
                None => text(self.strangers.get(&id)),
            };
            let weight = entry.and_then(|entry| entry.weight).unwrap_or(0.0);
            parents.push(format!("{title}(weight: {}%, Id: {id})", two_decimals(weight)));
        }
        parents.join(" / ")
    }

    fn check_in(&self, check_in: &CheckIn, unit: &str) -> String {
        let day = day_of(check_in).map(|at| day(at.date())).unwrap_or_default();
        let user = check_in.owner.as_ref().map(|person| self.name(person)).unwrap_or_default();
        let note = note(check_in);
        let metric = check_in.metric_name.as_deref().unwrap_or("Progress");
        let status = text(check_in.status.as_ref());
        let value = match check_in.current_value {
            Some(value) if unit == "%" => format!("{}%", number(value)),
            Some(value) => number(value),
            None => String::new(),
        };
        let recorded = check_in.recorded_at.map(moment).unwrap_or_default();
        format!(
            "Checkin Date: {day}; User: {user}; Note: {note}; Metric Name: {metric}; Status: {status}; \
             Current Value: {value}; Activity Date: {recorded};"
        )
    }

    fn check_ins_of(&self, goal: &Objective) -> &[CheckIn] {
        self.check_ins.get(&goal.id).map_or(&[], Vec::as_slice)
    }

    /// Who a mention means: by id, else by e-mail address.
    fn number_of(&self, person: &Person) -> Option<i64> {
        if let Some(id) = person.id.filter(|id| self.users.contains_key(id)) {
            return Some(id);
        }
        let email = person.email.as_ref().map(|email| email.trim().to_lowercase());
        email.and_then(|email| self.emails.get(&email).copied()).or(person.id)
    }

    /// The name that the list of users has, or the one that stands beside a mention which leads to nobody.
    fn name(&self, person: &Person) -> String {
        match self.number_of(person).and_then(|id| self.users.get(&id)) {
            Some(user) => text(user.name.as_ref()),
            None => text(person.name.as_ref()),
        }
    }
}

/// The columns that say what a goal measures, and how far it is.
struct Measure {
    name: String,
    unit: String,
    start: Option<f64>,
    target: Option<f64>,
    percent: Option<f64>,
    /// Out of a metric's value; otherwise it is what the file states.
    computed: bool,
}

impl Measure {
    fn of(goal: &Objective) -> Self {
        match &goal.outcome {
            Some(outcome) if outcome.outcome_type.as_deref() == Some("Metric") => Self {
                name: text(outcome.metric_name.as_ref()),
                unit: match outcome.metric_unit.as_deref() {
                    Some("Number") | None => String::new(),
                    Some("Percentage") => "%".to_owned(),
                    Some("Dollar") => "$".to_owned(),
                    Some(other) => other.to_owned(),
                },
                start: outcome.start,
                target: outcome.target,
                percent: goal.progress.and_then(|value| scaled(outcome, value)),
                computed: true,
            },
            outcome => {
                let is_percentage = outcome.is_some();
                Self {
                    name: "Progress".to_owned(),
                    unit: if is_percentage { "%".to_owned() } else { String::new() },
                    start: is_percentage.then_some(0.0),
                    target: is_percentage.then_some(100.0),
                    percent: goal.progress,
                    computed: false,
                }
            }
        }
    }
}

/// How far a goal is, in percent.
pub(super) fn percent(goal: &Objective) -> Option<f64> {
    Measure::of(goal).percent
}

/// Where a metric's value lies between its start (0) and its target (100).
fn scaled(outcome: &Outcome, value: f64) -> Option<f64> {
    let target = outcome.target?;
    let yes_or_no = |yes: bool| Some(if yes { 100.0 } else { 0.0 });
    let start = match outcome.target_type.as_deref()? {
        "Reach" => 0.0,
        "Increase From" | "Decrease From" => outcome.start?,
        "Stay Above" => return yes_or_no(value > target),
        "Stay Below" => return yes_or_no(value < target),
        _ => return None,
    };
    let way = target - start;
    if way == 0.0 {
        let falls = outcome.target_type.as_deref() == Some("Decrease From");
        return yes_or_no(if falls { value <= target } else { value >= target });
    }
    Some((value - start) / way * 100.0).filter(|percent| percent.is_finite())
}

fn all<T: Element>(archive: &mut Archive<File>) -> Vec<T> {
    let mut elements = Vec::new();
    let read = archive.each(|element: T| {
        elements.push(element);
        Ok::<_, Error>(())
    });
    read.expect("every element can be read");
    elements
}

fn day_of(check_in: &CheckIn) -> Option<DateTime> {
    check_in.date.or(check_in.recorded_at)
}

fn note(check_in: &CheckIn) -> String {
    text(check_in.note.as_ref().and_then(|note| note.text.as_ref()))
}

fn text(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}

fn day(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day())
}

fn moment(at: DateTime) -> String {
    format!("{} {:02}:{:02}:{:02} UTC", day(at.date()), at.hour(), at.minute(), at.second())
}

/// The shortest text that reads back as the same number; nothing has a sign that is nothing.
fn number(number: f64) -> String {
    if number == 0.0 { "0".to_owned() } else { number.to_string() }
}

fn two_decimals(value: f64) -> String {
    let hundredths = (value * 100.0).round();
    number(if hundredths.is_finite() { hundredths / 100.0 } else { value })
}

/// RFC 4180: lines end in CR LF, and a cell is quoted if it holds a comma, a quote or a line break.
fn write_record(csv: &mut String, cells: &[String]) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            csv.push(',');
        }
        if cell.contains([',', '"', '\r', '\n']) {
            csv.push('"');
            csv.push_str(&cell.replace('"', "\"\""));
            csv.push('"');
        } else {
            csv.push_str(cell);
        }
    }
    csv.push_str("\r\n");
}
