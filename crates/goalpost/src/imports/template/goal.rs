//! A row of a template as a goal.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use goalpost_db::{Error, Tx, Value, params};
use goalpost_viva::sheet::{TemplateColumn as Cell, TemplateRow};
use goalpost_viva::{Alignment, Configuration, Named, Objective, Outcome, Permissions, Person, Tag};
use jiff::SignedDuration;
use jiff::civil::Date;

use super::super::table::{Bearer, Minter, Names, Partial, numbers};
use super::super::time::EPOCH;
use super::super::{ImportError, ImportOptions};
use crate::goals::edit::Field;
use crate::goals::record::{Column, GoalRecord, List};
use crate::goals::{Origin, ProgressMode};
use crate::ids::{OrganizationNumber, fold};

/// What is here that rows name.
pub(super) struct Place<'a> {
    tx: &'a Tx<'a>,
    organization: OrganizationNumber,
    options: &'a ImportOptions,
    /// Goals that are here with the title of a row, the oldest first.
    here: HashMap<String, Vec<i64>>,
    people: Names,
    teams: Names,
    periods: Names,
    days: HashMap<i64, (Option<Date>, Option<Date>)>,
    tags: Names,
    minter: Minter<'a>,
    pub(super) new_tags: Vec<Tag>,
}

/// What a row says.
#[derive(Default)]
pub(super) struct Draft {
    /// Its word for itself.
    pub(super) reference: String,
    /// Its word for its parent.
    pub(super) parent_reference: Option<String>,
    /// The row of its parent.
    pub(super) parent: Option<usize>,
    weight: Option<f64>,
    pub(super) goal: Objective,
    tags: Vec<String>,
    /// The goal that is here already.
    present: Option<GoalRecord>,
    said: Vec<Field>,
    /// Why it cannot be taken.
    pub(super) reasons: Vec<String>,
}

impl Draft {
    /// What tells a goal from others: title, owners, teams, period; none where the row does not say it.
    pub(super) fn key(&self) -> Option<(String, Vec<i64>, Vec<i64>, i64)> {
        let mut owners: Vec<i64> = self.goal.owners.iter().filter_map(|owner| owner.id).collect();
        let mut teams: Vec<i64> = self.goal.teams.iter().map(|team| team.id).collect();
        owners.sort_unstable();
        teams.sort_unstable();
        let period = self.goal.period.as_ref().filter(|_| self.reasons.is_empty())?.id;
        Some((self.goal.title.clone(), owners, teams, period))
    }

    /// The number of the goal that is here already.
    pub(super) fn present_id(&self) -> Option<i64> {
        self.present.as_ref().map(|goal| goal.id)
    }

    fn say(&mut self, columns: &[Column]) {
        self.said.extend(columns.iter().map(|column| Field::Column(*column)));
    }

    /// The value of a cell, or its problem among the reasons.
    fn read<T>(&mut self, value: Result<Option<T>, String>) -> Option<T> {
        value.unwrap_or_else(|reason| {
            self.reasons.push(reason);
            None
        })
    }
}

impl<'a> Place<'a> {
    /// Costs a pass over the organization's goals, to find those of the same titles.
    pub(super) fn open(
        tx: &'a Tx<'a>,
        organization: OrganizationNumber,
        options: &'a ImportOptions,
        titles: &HashSet<&str>,
    ) -> Result<Self, ImportError> {
        let mut here: HashMap<String, Vec<i64>> = HashMap::new();
        tx.each(
            "-- imports::titles_of_template
            select id, title from goal where organization = ?1 and origin <> ?2 order by id",
            params![organization, Origin::Reference.as_str()],
            |row| {
                let title = row.text(1)?;
                if titles.contains(title) {
                    here.entry(title.to_owned()).or_default().push(row.int(0)?);
                }
                Ok::<_, Error>(ControlFlow::Continue(()))
            },
        )?;
        let mut days = HashMap::new();
        tx.each(
            "-- imports::days_of_periods
            select id, start_date, end_date from period where organization = ?1",
            params![organization],
            |row| {
                let day = |text: Option<&str>| text.and_then(|text| text.parse::<Date>().ok());
                days.insert(row.int(0)?, (day(row.opt_text(1)?), day(row.opt_text(2)?)));
                Ok::<_, Error>(ControlFlow::Continue(()))
            },
        )?;
        Ok(Self {
            tx,
            organization,
            options,
            here,
            people: Names::of_people(tx, organization)?,
            teams: Names::of_things(tx, organization, "team")?,
            periods: Names::of_things(tx, organization, "period")?,
            days,
            tags: Names::of_things(tx, organization, "tag")?,
            minter: Minter::new(tx, organization, options.dry_run),
            new_tags: Vec::new(),
        })
    }

    /// What a row says, and everything that is wrong with it by itself.
    pub(super) fn draft(&self, row: &TemplateRow) -> Result<Draft, ImportError> {
        let mut draft = Draft { reference: row.get(Cell::Reference).to_owned(), ..Draft::default() };
        let parent = row.get(Cell::Parent);
        draft.parent_reference = Some(parent.to_owned()).filter(|parent| !parent.is_empty());
        row.get(Cell::Title).clone_into(&mut draft.goal.title);
        for cell in [Cell::Title, Cell::ObjectType, Cell::Period] {
            if row.get(cell).is_empty() {
                draft.reasons.push(format!("{}: is empty", cell.header()));
            }
        }
        draft.goal.owners = self.people(row, Cell::Owner, &mut draft.reasons);
        self.read_teams(row, &mut draft);
        let period = row.get(Cell::Period);
        match self.periods.thing(period) {
            Some(id) => draft.goal.period = Some(Named { id, name: Some(period.to_owned()) }),
            None if period.is_empty() => {}
            None => draft.reasons.push(row.wrong(Cell::Period, "is no time period that is here")),
        }
        draft.present = self.find(&draft)?;
        let label = row.get(Cell::ObjectType);
        let before = draft.present.as_ref().map(|goal| goal.text(Column::TypeLabel).to_owned());
        draft.goal.type_label =
            Some(before.filter(|before| fold(before) == fold(label)).unwrap_or_else(|| type_label(label)));
        // Title, owners, teams and period are those of the goal that is here, or it would be another one.
        draft.say(&[Column::ObjectType, Column::TypeLabel]);
        self.read_words(row, &mut draft);
        read_measure(row, &mut draft);
        Ok(draft)
    }

    /// The people of a cell.
    fn people(&self, row: &TemplateRow, cell: Cell, reasons: &mut Vec<String>) -> Vec<Person> {
        let mut people: Vec<Person> = Vec::new();
        for word in parts(row.get(cell), &[';']) {
            let mapped = self.options.map.people.get(word).map(|email| email.trim());
            let found = match mapped.filter(|email| !email.is_empty()).unwrap_or(word) {
                email if email.contains('@') => {
                    self.people.person_of_email(email).map_or(Bearer::Nobody, Bearer::One)
                }
                name => self.people.bearer(name),
            };
            match found {
                Bearer::One(id) if people.iter().any(|person| person.id == Some(id)) => {}
                Bearer::One(id) => people.push(Person { id: Some(id), name: None, email: None }),
                Bearer::Nobody => reasons.push(format!("{}: `{word}` is nobody who is here", cell.header())),
                Bearer::Several => {
                    reasons.push(format!(
                        "{}: `{word}` are several people; say the e-mail address",
                        cell.header()
                    ));
                }
            }
        }
        people
    }

    fn read_teams(&self, row: &TemplateRow, draft: &mut Draft) {
        let level = row.get(Cell::Type);
        let is_team = !level.is_empty() && !["organization", "individual"].contains(&fold(level).as_str());
        let named = is_team.then_some((Cell::Type, level));
        let teams =
            named.into_iter().chain(parts(row.get(Cell::Team), &[';']).map(|name| (Cell::Team, name)));
        for (cell, name) in teams {
            match self.teams.thing(name) {
                Some(id) if draft.goal.teams.iter().any(|team| team.id == id) => {}
                Some(id) => draft.goal.teams.push(Named { id, name: Some(name.to_owned()) }),
                None => draft.reasons.push(format!("{}: `{name}` is no team that is here", cell.header())),
            }
        }
    }

    /// The goal that is here with the same title, owners, teams and period; the oldest of several.
    fn find(&self, draft: &Draft) -> Result<Option<GoalRecord>, ImportError> {
        let Some((title, owners, teams, period)) = draft.key() else { return Ok(None) };
        let Some(ids) = self.here.get(&title) else { return Ok(None) };
        let sorted = |list: &[Value]| {
            let mut ids: Vec<i64> = numbers(list).collect();
            ids.sort_unstable();
            ids
        };
        let is_same = |goal: &GoalRecord| {
            *goal.get(Column::Period) == Value::Int(period)
                && sorted(goal.list(List::Owners)) == owners
                && sorted(goal.list(List::Teams)) == teams
        };
        Ok(GoalRecord::read(self.tx, self.organization, ids)?.into_values().find(is_same))
    }

    fn read_words(&self, row: &TemplateRow, draft: &mut Draft) {
        let some = |cell: Cell| Some(row.get(cell).to_owned()).filter(|text| !text.is_empty());
        let days = draft.goal.period.as_ref().and_then(|period| self.days.get(&period.id)).copied();
        let (start, end) = days.unwrap_or_default();
        let is_new = draft.present.is_none();
        for (cell, column, of_period) in
            [(Cell::StartDate, Column::StartDate, start), (Cell::EndDate, Column::EndDate, end)]
        {
            let said = draft.read(row.day(cell));
            let day = said.or(of_period.filter(|_| is_new));
            match cell {
                Cell::StartDate => draft.goal.start_date = day,
                _ => draft.goal.end_date = day,
            }
            if said.is_some() {
                draft.say(&[column]);
            }
        }
        if let Some(description) = some(Cell::Description) {
            draft.goal.description = Some(description);
            draft.say(&[Column::Description]);
        }
        draft.tags = parts(row.get(Cell::Tag), &[',', ';']).map(str::to_owned).collect();
        if !draft.tags.is_empty() {
            draft.said.push(Field::List(List::Tags));
        }
        draft.goal.check_in_owners = self.people(row, Cell::CheckInOwner, &mut draft.reasons);
        if some(Cell::CheckInOwner).is_some() {
            draft.said.push(Field::List(List::CheckinOwners));
        }
        let mut word = |cell: Cell, words: &[(&str, &'static str)]| {
            let said = fold(row.get(cell));
            let found = words.iter().find(|(word, _)| fold(word) == said).map(|(_, meaning)| *meaning);
            if found.is_none() && !said.is_empty() {
                draft.reasons.push(row.wrong(cell, "is no word that is known there"));
            }
            found
        };
        let goal_type = word(
            Cell::GoalType,
            &[
                ("Aspirational", "Aspirational"),
                ("Aspirational Goal", "Aspirational"),
                ("Committed", "Committed"),
                ("Committed Goal", "Committed"),
            ],
        );
        let status = ["Not Started", "On Track", "Behind", "At Risk", "Closed", "Postponed"];
        let status = word(Cell::Status, &status.map(|status| (status, status)));
        let (manual, children) = (ProgressMode::Manual.as_str(), ProgressMode::FromChildren.as_str());
        let mode = word(
            Cell::ProgressMode,
            &[
                (manual, manual),
                ("Manual", manual),
                (children, children),
                ("From Children", children),
                ("Rollup", children),
            ],
        );
        let visibility = word(
            Cell::Visibility,
            &[
                ("Everybody", "Everybody"),
                ("Everyone", "Everybody"),
                ("Public", "Everybody"),
                ("Private", "Private"),
            ],
        );
        for (said, columns) in [
            (goal_type, &[Column::GoalType][..]),
            (status, &[Column::Status]),
            (mode, &[Column::ProgressMode]),
            (visibility, &[Column::Restricted, Column::Permissions]),
        ] {
            if said.is_some() {
                draft.say(columns);
            }
        }
        if visibility.is_some() {
            draft.said.push(Field::List(List::Viewers));
        }
        draft.goal.goal_type = Some(goal_type.unwrap_or("Aspirational").to_owned());
        draft.goal.status = Some(status.unwrap_or("Not Started").to_owned());
        draft.goal.configuration =
            Configuration { progress: Some(mode.unwrap_or(manual).to_owned()), ..Configuration::default() };
        draft.goal.permissions = match visibility {
            Some("Private") => Permissions::only(Vec::new()),
            _ => Permissions::everybody(),
        };
        draft.weight = draft.read(row.number(Cell::Weight));
    }

    /// The rows that are taken, as goals with numbers and parents, and what they leave open.
    pub(super) fn goals(
        &mut self,
        rows: &[TemplateRow],
        drafts: &[Draft],
    ) -> Result<(Vec<Objective>, Partial), ImportError> {
        let mut partial = Partial::default();
        let mut ids = Vec::with_capacity(rows.len());
        for draft in drafts {
            ids.push(match &draft.present {
                _ if !draft.reasons.is_empty() => 0,
                Some(present) => present.id,
                None => self.minter.mint()?,
            });
        }
        let now = EPOCH.saturating_add(SignedDuration::from_micros(self.tx.now_us()));
        let mut goals = Vec::new();
        for (draft, id) in drafts.iter().zip(&ids).filter(|(draft, _)| draft.reasons.is_empty()) {
            let mut goal = Objective { id: *id, ..draft.goal.clone() };
            let mut said = draft.said.clone();
            for name in &draft.tags {
                goal.tags.push(self.tag(name)?);
            }
            let before = draft.present.as_ref().map(|goal| goal.list(List::Parents)).unwrap_or_default();
            for parent in before.chunks(List::Parents.width()) {
                if let (Value::Int(id), weight) = (&parent[0], &parent[1]) {
                    let weight = if let Value::Real(weight) = weight { Some(*weight) } else { None };
                    goal.alignment.push(Alignment { id: *id, title: None, weight });
                }
            }
            if let Some(parent) = draft.parent {
                match goal.alignment.iter_mut().find(|entry| entry.id == ids[parent]) {
                    Some(entry) if draft.weight.is_some() && entry.weight != draft.weight => {
                        entry.weight = draft.weight;
                        said.push(Field::List(List::Parents));
                    }
                    Some(_) => {}
                    None => {
                        let title = Some(drafts[parent].goal.title.clone());
                        goal.alignment.push(Alignment { id: ids[parent], title, weight: draft.weight });
                        said.push(Field::List(List::Parents));
                        if draft.present.is_some() {
                            partial.new_edges.push((*id, ids[parent]));
                        }
                    }
                }
            }
            goal.parent_ids = goal.alignment.iter().map(|entry| entry.id).collect();
            match &draft.present {
                Some(_) => partial.keep(*id, Field::all().filter(|field| !said.contains(field)).collect()),
                None => goal.created_at = Some(now),
            }
            goals.push(goal);
        }
        Ok((goals, partial))
    }

    fn tag(&mut self, name: &str) -> Result<Tag, ImportError> {
        let tag = |id| Tag { id, name: Some(name.to_owned()), aside: Vec::new() };
        if let Some(id) = self.tags.thing(name) {
            return Ok(tag(id));
        }
        let id = self.minter.mint()?;
        self.tags.add(id, name);
        self.new_tags.push(tag(id));
        Ok(tag(id))
    }
}

/// The neutral words as files print them; an organization's own word as it stands.
fn type_label(word: &str) -> String {
    match fold(word).as_str() {
        "objective" => "Objective".to_owned(),
        "key result" => "Key result".to_owned(),
        "initiative" => "Initiative".to_owned(),
        _ => word.to_owned(),
    }
}

fn read_measure(row: &TemplateRow, draft: &mut Draft) {
    const CELLS: [Cell; 5] = [Cell::MetricName, Cell::Unit, Cell::TargetType, Cell::Start, Cell::Target];
    const TYPES: [&str; 6] =
        ["Reach", "Increase From", "Decrease From", "Stay Above", "Stay Below", "Find a Baseline"];
    let (start, target) = (draft.read(row.number(Cell::Start)), draft.read(row.number(Cell::Target)));
    draft.goal.progress = draft.read(row.number(Cell::Current));
    if draft.goal.progress.is_some() {
        draft.say(&[Column::Progress]);
    }
    let said = row.get(Cell::TargetType);
    let kind = TYPES.into_iter().find(|kind| fold(kind) == fold(said));
    if kind.is_none() && !said.is_empty() {
        draft.reasons.push(row.wrong(Cell::TargetType, "is no type of a target"));
    }
    if CELLS.iter().any(|cell| !row.get(*cell).is_empty()) {
        draft.say(&[
            Column::OutcomeType,
            Column::MetricName,
            Column::MetricUnit,
            Column::MetricStart,
            Column::MetricTarget,
            Column::TargetType,
        ]);
    }
    let (name, unit) = (row.get(Cell::MetricName), row.get(Cell::Unit));
    let is_percentage = ["", "Progress"].contains(&name)
        && ["", "%"].contains(&unit)
        && (start.unwrap_or(0.0), target.unwrap_or(100.0)) == (0.0, 100.0)
        && [None, Some("Reach"), Some("Increase From")].contains(&kind);
    let likely = match (start, target) {
        (Some(start), Some(target)) if target < start => "Decrease From",
        (None, _) => "Reach",
        _ => "Increase From",
    };
    draft.goal.outcome = Some(if is_percentage {
        Outcome { outcome_type: Some("Percentage".to_owned()), ..Outcome::default() }
    } else {
        let unit = match unit {
            "" => "Number",
            "%" => "Percentage",
            "$" => "Dollar",
            other => other,
        };
        Outcome {
            outcome_type: Some("Metric".to_owned()),
            metric_name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            metric_unit: Some(unit.to_owned()),
            start,
            target,
            target_type: Some(kind.unwrap_or(likely).to_owned()),
        }
    });
}

/// The parts of a cell, without blanks around them.
fn parts<'c>(cell: &'c str, separators: &'c [char]) -> impl Iterator<Item = &'c str> {
    cell.split(separators).map(str::trim).filter(|part| !part.is_empty())
}
