//! What a goal can be given.

use goalpost_db::{Error, Value, params};
use goalpost_okr::TargetType;
use jiff::civil::Date;

use super::{Change, GoalError, MetricError};
use crate::goals::record::{Column, GoalRecord, List};
use crate::goals::{GoalType, ObjectType, ProgressMode, StatusMode};
use crate::ids::PersonNumber;
use crate::orgs::terms::Terms;

const TITLE_LIMIT: usize = 500;
const NAME_LIMIT: usize = 200;
/// Of a description, a note, a comment.
pub(super) const TEXT_LIMIT: usize = 50_000;

/// What is to become of a goal. What is `None` stays as it is; of what may be missing, `Some(None)` takes it away.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// What it is. Its label becomes the organization's word for that.
    pub object_type: Option<ObjectType>,
    /// One line.
    pub title: Option<String>,
    /// Any text.
    pub description: Option<Option<String>>,
    /// Whose it is, in this order; nobody's if empty.
    pub owners: Option<Vec<PersonNumber>>,
    /// Who is to check in. As long as it is the first owner, it stays so when the owners change.
    pub checkin_owners: Option<Vec<PersonNumber>>,
    /// Who acts for the owners.
    pub delegate: Option<Option<PersonNumber>>,
    /// Whose it is, by team.
    pub teams: Option<Vec<i64>>,
    /// Its tags.
    pub tags: Option<Vec<i64>>,
    /// Its time period. Days that are those of its period go with it.
    pub period: Option<i64>,
    /// Its first day; the period's if taken away.
    pub start_date: Option<Option<Date>>,
    /// Its last day; the period's if taken away.
    pub end_date: Option<Option<Date>>,
    /// How progress is counted.
    pub outcome: Option<Outcome>,
    /// Targets on the way.
    pub phased: Option<Option<Phased>>,
    /// Where progress comes from.
    pub progress_mode: Option<ProgressMode>,
    /// Where the status comes from.
    pub status_mode: Option<StatusMode>,
    /// How sure one may be of it.
    pub goal_type: Option<GoalType>,
    /// Who may see it, and with it its key results.
    pub visibility: Option<Visibility>,
    /// Its place among others.
    pub priority: Option<Option<i64>>,
    /// Whether goals that are aligned to it from now on contribute to its progress.
    pub new_children_contribute: Option<bool>,
}

/// How progress is counted.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// In percent of the whole.
    Percentage,
    /// On a scale.
    Metric(Metric),
}

/// A scale, and what it measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// What it measures.
    pub name: Option<String>,
    /// What it counts in: `Number`, `Percentage`, `Dollar`, or any other word.
    pub unit: Option<String>,
    /// How a value is held against the target.
    pub target_type: TargetType,
    /// Where it begins; only looked at for `increaseFrom` and `decreaseFrom`.
    pub start: Option<f64>,
    /// Where it shall go.
    pub target: Option<f64>,
    /// Of a control type, the value from which on missing the target is a risk.
    pub risk_threshold: Option<f64>,
}

/// Targets on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Phased {
    /// `Monthly`, `Quarterly`, `Custom`.
    pub interval: Option<String>,
    /// Value and day of each, in the metric's unit, or in percent.
    pub targets: Vec<(f64, Date)>,
}

/// Who may see a goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Every member.
    Everyone,
    /// The people around it, and these.
    Only(Vec<PersonNumber>),
}

impl Metric {
    /// # Errors
    /// What makes no sense of it.
    pub fn check(&self) -> Result<(), GoalError> {
        let Self { target_type, start, target, risk_threshold, .. } = self;
        let (target_type, start) = (*target_type, start.as_ref().copied());
        let numbers = [start, *target, *risk_threshold];
        if let Some(number) = numbers.into_iter().flatten().find(|number| !number.is_finite()) {
            return Err(GoalError::NoNumber(number));
        }
        let is_control = matches!(target_type, TargetType::StayAbove | TargetType::StayBelow);
        if risk_threshold.is_some() && !is_control {
            return Err(MetricError::NoThreshold(target_type).into());
        }
        let target = match (target_type, *target) {
            (TargetType::Baseline, None) => return Ok(()),
            (TargetType::Baseline, Some(_)) => return Err(MetricError::BaselineTarget.into()),
            (_, target) => target.ok_or(MetricError::NoTarget(target_type))?,
        };
        if matches!(target_type, TargetType::IncreaseFrom | TargetType::DecreaseFrom) {
            let start = start.ok_or(MetricError::NoStart(target_type))?;
            if if target_type == TargetType::IncreaseFrom { target < start } else { target > start } {
                return Err(MetricError::WrongWay { target_type, start, target }.into());
            }
        }
        if let Some(threshold) = *risk_threshold {
            let (side, stands) = match target_type {
                TargetType::StayAbove => ("below", threshold < target),
                _ => ("above", threshold > target),
            };
            if !stands {
                return Err(MetricError::ThresholdSide { target_type, threshold, side, target }.into());
            }
        }
        Ok(())
    }

    fn put(&self, record: &mut GoalRecord) {
        let start = match self.target_type {
            TargetType::Reach => Some(0.0),
            TargetType::IncreaseFrom | TargetType::DecreaseFrom => self.start,
            TargetType::StayAbove | TargetType::StayBelow | TargetType::Baseline => None,
        };
        record.set(Column::OutcomeType, "Metric");
        record.set(Column::MetricName, self.name.as_deref());
        record.set(Column::MetricUnit, self.unit.as_deref());
        record.set(Column::TargetType, self.target_type.as_str());
        record.set(Column::MetricStart, start);
        record.set(Column::MetricTarget, self.target);
        record.set(Column::RiskThreshold, self.risk_threshold);
    }
}

impl Outcome {
    fn put(&self, record: &mut GoalRecord) {
        match self {
            Self::Metric(metric) => metric.put(record),
            Self::Percentage => {
                record.set(Column::OutcomeType, "Percentage");
                for column in [
                    Column::MetricName,
                    Column::MetricUnit,
                    Column::TargetType,
                    Column::MetricStart,
                    Column::MetricTarget,
                    Column::RiskThreshold,
                ] {
                    record.set(column, Value::Null);
                }
            }
        }
    }
}

/// A text of one line, trimmed.
pub(super) fn line(what: &'static str, text: &str, limit: usize) -> Result<String, GoalError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(GoalError::Empty(what));
    }
    if text.chars().count() > limit || text.chars().any(char::is_control) {
        return Err(GoalError::TooLong { what, limit, line: ", and is one line" });
    }
    Ok(text.to_owned())
}

/// A text of any number of lines; `None` if nothing is left of it.
pub(super) fn text(what: &'static str, text: Option<&str>) -> Result<Option<String>, GoalError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > TEXT_LIMIT {
        return Err(GoalError::TooLong { what, limit: TEXT_LIMIT, line: "" });
    }
    Ok(Some(text.to_owned()))
}

/// First and last day of a time period, where it has them.
pub(super) type Days = [Option<Date>; 2];

impl Change<'_, '_> {
    /// Put into `record` what the patch says. Of what it names everything must be there; of people who are new to the
    /// goal, each must be able to act on it.
    pub(super) fn apply(&self, patch: &Patch, record: &mut GoalRecord) -> Result<(), GoalError> {
        if let Some(object_type) = patch.object_type {
            self.set_object_type(record, object_type)?;
        }
        if let Some(title) = &patch.title {
            record.set(Column::Title, line("title", title, TITLE_LIMIT)?);
        }
        if let Some(description) = &patch.description {
            record.set(Column::Description, text("description", description.as_deref())?);
        }
        self.set_people(patch, record)?;
        for (list, what, numbers) in [(List::Teams, "team", &patch.teams), (List::Tags, "tag", &patch.tags)] {
            if let Some(numbers) = numbers {
                let numbers = without_repeats(numbers);
                numbers.iter().try_for_each(|&number| self.require(what, number))?;
                *record.list_mut(list) = numbers.into_iter().map(Value::Int).collect();
            }
        }
        self.set_days(patch, record)?;
        if let Some(outcome) = &patch.outcome {
            if let Outcome::Metric(metric) = outcome {
                metric.check()?;
                for (what, word) in [("metric's name", &metric.name), ("unit", &metric.unit)] {
                    word.as_deref().map(|word| line(what, word, NAME_LIMIT)).transpose()?;
                }
            }
            outcome.put(record);
        }
        if let Some(phased) = &patch.phased {
            set_phased(phased.as_ref(), record)?;
        }
        let words = [
            (Column::ProgressMode, patch.progress_mode.map(ProgressMode::as_str)),
            (Column::StatusMode, patch.status_mode.map(StatusMode::as_str)),
            (Column::GoalType, patch.goal_type.map(GoalType::as_str)),
        ];
        for (column, word) in words {
            if let Some(word) = word {
                record.set(column, word);
            }
        }
        if let Some(priority) = patch.priority {
            record.set(Column::Priority, priority);
        }
        if let Some(contribute) = patch.new_children_contribute {
            record.set(Column::NewChildrenContribute, contribute);
        }
        Ok(())
    }

    /// What a goal is, in the organization's own word.
    pub(super) fn set_object_type(
        &self,
        record: &mut GoalRecord,
        object_type: ObjectType,
    ) -> Result<(), Error> {
        if record.text(Column::ObjectType) != object_type.as_str() {
            let terms = Terms::read(self.tx, self.organization)?;
            record.set(Column::ObjectType, object_type.as_str());
            record.set(Column::TypeLabel, object_type.label(&terms));
        }
        Ok(())
    }

    fn set_people(&self, patch: &Patch, record: &mut GoalRecord) -> Result<(), GoalError> {
        let first = |record: &GoalRecord| record.list(List::Owners).first().cloned();
        let by_default = |record: &GoalRecord| record.list(List::CheckinOwners) == first(record).as_slice();
        let was_default = by_default(record);
        if let Some(owners) = &patch.owners {
            self.put_people(owners, record, List::Owners)?;
        }
        match &patch.checkin_owners {
            Some(owners) => self.put_people(owners, record, List::CheckinOwners)?,
            None if was_default => *record.list_mut(List::CheckinOwners) = Vec::from_iter(first(record)),
            None => {}
        }
        if let Some(delegate) = patch.delegate {
            let number = delegate.map(|person| person.0);
            if let Some(number) = number.filter(|_| record.int(Column::Delegate) != number) {
                self.require_owner(number)?;
            }
            record.set(Column::Delegate, number);
        }
        if let Some(visibility) = &patch.visibility {
            let viewers = match visibility {
                Visibility::Everyone => &[][..],
                Visibility::Only(viewers) => viewers,
            };
            let viewers = without_repeats(&viewers.iter().map(|person| person.0).collect::<Vec<_>>());
            viewers.iter().try_for_each(|&viewer| self.require("person", viewer))?;
            set_visibility(record, *visibility != Visibility::Everyone, viewers);
        }
        Ok(())
    }

    fn put_people(
        &self,
        people: &[PersonNumber],
        record: &mut GoalRecord,
        list: List,
    ) -> Result<(), GoalError> {
        let people = without_repeats(&people.iter().map(|person| person.0).collect::<Vec<_>>());
        let present = record.list_mut(list);
        for &person in &people {
            if !present.contains(&Value::Int(person)) {
                self.require_owner(person)?;
            }
        }
        *present = people.into_iter().map(Value::Int).collect();
        Ok(())
    }

    fn set_days(&self, patch: &Patch, record: &mut GoalRecord) -> Result<(), GoalError> {
        let of_period = |number: Option<i64>| number.map_or(Ok([None; 2]), |number| self.days(number));
        let before = record.int(Column::Period);
        let period = patch.period.or(before);
        if patch.period.is_none() && patch.start_date.is_none() && patch.end_date.is_none() {
            return Ok(());
        }
        let (old, new) = (of_period(before)?, of_period(period)?);
        record.set(Column::Period, period);
        let mut days = [None; 2];
        for (at, (column, said)) in
            [(Column::StartDate, patch.start_date), (Column::EndDate, patch.end_date)].into_iter().enumerate()
        {
            let present = record.text(column).parse::<Date>().ok();
            days[at] = match said {
                Some(day) => day.or(new[at]),
                None if present == old[at] => new[at],
                None => present,
            };
            record.set(column, days[at].map(|day| day.to_string()));
        }
        if let [Some(start), Some(end)] = days
            && end < start
        {
            return Err(GoalError::Turned { start, end });
        }
        Ok(())
    }

    /// The days of a time period, which must be there.
    pub(super) fn days(&self, period: i64) -> Result<Days, GoalError> {
        let found = self.tx.query_opt(
            "-- goals::days_of_period
            select start_date, end_date from period where organization = ?1 and id = ?2",
            params![self.organization, period],
            |row| {
                let day = |text: Option<&str>| text.and_then(|text| text.parse().ok());
                Ok::<_, Error>([day(row.opt_text(0)?), day(row.opt_text(1)?)])
            },
        )?;
        found.ok_or(GoalError::NoSuch { what: "time period", number: period })
    }

    /// There is such a person, team or tag.
    fn require(&self, what: &'static str, number: i64) -> Result<(), GoalError> {
        let sql = format!("-- goals::is_there\nselect 1 from {what} where organization = ?1 and id = ?2");
        let found = self.tx.query_opt(&sql, params![self.organization, number], |_| Ok::<_, Error>(()))?;
        found.ok_or(GoalError::NoSuch { what, number })
    }

    /// There is such a person, and they can act on a goal.
    pub(super) fn require_owner(&self, person: i64) -> Result<(), GoalError> {
        let can = self.tx.query_opt(
            "-- goals::can_own
            select lower(source) <> 'group' and lower(member_type) <> 'observer'
                   and lower(status) in ('active', 'pending')
              from person where organization = ?1 and id = ?2",
            params![self.organization, person],
            |row| row.bool(0),
        )?;
        match can {
            Some(true) => Ok(()),
            Some(false) => Err(GoalError::CannotOwn(person)),
            None => Err(GoalError::NoSuch { what: "person", number: person }),
        }
    }
}

/// Who may see a goal from now on. What its file said of permissions is over.
pub(super) fn set_visibility(record: &mut GoalRecord, is_restricted: bool, viewers: Vec<i64>) {
    record.set(Column::Restricted, is_restricted);
    record.set(Column::Permissions, Value::Null);
    *record.list_mut(List::Viewers) = viewers.into_iter().map(Value::Int).collect();
}

fn set_phased(phased: Option<&Phased>, record: &mut GoalRecord) -> Result<(), GoalError> {
    let mut targets: Vec<(f64, Date)> = phased.map_or_else(Vec::new, |phased| phased.targets.clone());
    if let Some((number, _)) = targets.iter().find(|(number, _)| !number.is_finite()) {
        return Err(GoalError::NoNumber(*number));
    }
    targets.sort_by_key(|(_, day)| *day);
    let interval = phased.and_then(|phased| phased.interval.as_deref());
    let interval = interval.map(|word| line("interval", word, NAME_LIMIT)).transpose()?;
    record.set(Column::Phased, phased.is_some());
    record.set(Column::PhasedInterval, interval);
    *record.list_mut(List::PhasedTargets) =
        targets.into_iter().flat_map(|(value, day)| [value.into(), day.to_string().into()]).collect();
    Ok(())
}

/// Each number where it stands first.
fn without_repeats(numbers: &[i64]) -> Vec<i64> {
    let mut kept = Vec::with_capacity(numbers.len());
    for &number in numbers {
        if !kept.contains(&number) {
            kept.push(number);
        }
    }
    kept
}
