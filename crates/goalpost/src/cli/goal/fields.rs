//! What `goalpost goal create` and `change` can give a goal.

use clap::Args;
use goalpost::goals::write::fields::{Metric, Outcome, Patch, Visibility};
use goalpost::goals::{GoalType, ObjectType, ProgressMode, StatusMode};
use goalpost_okr::TargetType;
use jiff::civil::Date;

use crate::cli::deed::{Place, day_or_none};
use crate::cli::failure::Failure;

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What it is")]
pub(super) struct FieldArgs {
    /// Its title: one line
    #[arg(long, value_name = "TEXT")]
    pub(super) title: Option<String>,
    /// What it is
    #[arg(long = "type", value_name = "TYPE", value_parser = object_type)]
    object_type: Option<ObjectType>,
    /// Its time period, by name or number
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// Any text; an empty one takes it away
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// E-mails of its owners; an empty one leaves it nobody's
    #[arg(long, value_name = "E-MAIL,…", value_delimiter = ',')]
    owner: Option<Vec<String>>,
    /// E-mails of those who are to check in [default: the first owner]
    #[arg(long, value_name = "E-MAIL,…", value_delimiter = ',')]
    checkin_owner: Option<Vec<String>>,
    /// E-mail of who acts for the owners; an empty one takes them away
    #[arg(long, value_name = "E-MAIL")]
    delegate: Option<String>,
    /// Its teams, by name or number
    #[arg(long, value_name = "TEAM,…", value_delimiter = ',')]
    team: Option<Vec<String>>,
    /// Its tags, by name or number
    #[arg(long, value_name = "TAG,…", value_delimiter = ',')]
    tag: Option<Vec<String>>,
    /// Its first day; an empty one is the period's
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day_or_none)]
    start: Option<Maybe>,
    /// Its last day; an empty one is the period's
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day_or_none)]
    end: Option<Maybe>,
    /// `Aspirational` or `Committed`
    #[arg(long, value_name = "WORD", value_parser = goal_type)]
    goal_type: Option<GoalType>,
    /// E-mails of people who see it besides those around it; `everyone` opens it to all
    #[arg(long, value_name = "E-MAIL,…", value_delimiter = ',')]
    visible_to: Option<Vec<String>>,
    /// Its place among others, from 1
    #[arg(long, value_name = "NUMBER")]
    priority: Option<i64>,
    #[command(flatten)]
    metric: MetricArgs,
    #[command(flatten)]
    modes: ModeArgs,
}

/// clap would take an `Option<Option<…>>` for an argument whose value may be missing.
type Maybe = Option<Date>;

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "How progress counts")]
struct MetricArgs {
    /// Count in percent of the whole, without a metric
    #[arg(long, conflicts_with = "target_type")]
    percentage: bool,
    /// How a value is held against the target
    #[arg(long, value_name = "TYPE", value_parser = target_type)]
    target_type: Option<TargetType>,
    /// Where the metric begins
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, requires = "target_type")]
    from: Option<f64>,
    /// Where it shall go
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, requires = "target_type")]
    target: Option<f64>,
    /// From which value on missing the target is a risk
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, requires = "target_type")]
    risk_threshold: Option<f64>,
    /// What it measures
    #[arg(long, value_name = "TEXT", requires = "target_type")]
    metric_name: Option<String>,
    /// What it counts in: `Number`, `Percentage`, `Dollar` or any other word
    #[arg(long, value_name = "TEXT", requires = "target_type")]
    unit: Option<String>,
}

#[derive(Clone, Debug, Default, Args)]
struct ModeArgs {
    /// Where progress comes from: `manual`, `children` or `integration`
    #[arg(long, value_name = "MODE", value_parser = progress_mode)]
    progress_from: Option<ProgressMode>,
    /// Where the status comes from: `manual`, `progress` or `children`
    #[arg(long, value_name = "MODE", value_parser = status_mode)]
    status_from: Option<StatusMode>,
    /// Whether goals that are aligned to it from now on count in its progress
    #[arg(long, value_name = "YES OR NO")]
    new_children_contribute: Option<bool>,
}

impl FieldArgs {
    pub(super) fn patch(&self, at: &Place<'_, '_>) -> Result<Patch, Failure> {
        let people =
            |emails: &Option<Vec<String>>| emails.as_ref().map(|emails| at.people(emails)).transpose();
        let visibility = match &self.visible_to {
            None => None,
            Some(words) if words.iter().any(|word| word == "everyone") => Some(Visibility::Everyone),
            Some(emails) => Some(Visibility::Only(at.people(emails)?)),
        };
        Ok(Patch {
            object_type: self.object_type,
            title: self.title.clone(),
            description: self.description.clone().map(Some),
            owners: people(&self.owner)?,
            checkin_owners: people(&self.checkin_owner)?,
            delegate: self.delegate.as_deref().map(|email| at.maybe_person(email)).transpose()?,
            teams: self.team.as_ref().map(|words| at.teams(words)).transpose()?,
            tags: self.tag.as_ref().map(|words| at.tags(words)).transpose()?,
            period: self.period.as_deref().map(|word| at.period(word)).transpose()?,
            start_date: self.start,
            end_date: self.end,
            outcome: self.metric.outcome(),
            phased: None,
            progress_mode: self.modes.progress_from,
            status_mode: self.modes.status_from,
            goal_type: self.goal_type,
            visibility,
            priority: self.priority.map(Some),
            new_children_contribute: self.modes.new_children_contribute,
        })
    }
}

impl MetricArgs {
    fn outcome(&self) -> Option<Outcome> {
        let Some(target_type) = self.target_type else {
            return self.percentage.then_some(Outcome::Percentage);
        };
        Some(Outcome::Metric(Metric {
            name: self.metric_name.clone(),
            unit: self.unit.clone(),
            target_type,
            start: self.from,
            target: self.target,
            risk_threshold: self.risk_threshold,
        }))
    }
}

/// One of some words, in any case.
fn word<T: Copy + std::fmt::Display>(all: &[T], text: &str) -> Result<T, String> {
    let found = all.iter().find(|word| word.to_string().eq_ignore_ascii_case(text));
    let words = || all.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    found.copied().ok_or_else(|| format!("write one of {}", words()))
}

fn object_type(text: &str) -> Result<ObjectType, String> {
    word(ObjectType::ALL, text)
}

fn goal_type(text: &str) -> Result<GoalType, String> {
    word(GoalType::ALL, text)
}

fn target_type(text: &str) -> Result<TargetType, String> {
    word(TargetType::ALL, text)
}

fn progress_mode(text: &str) -> Result<ProgressMode, String> {
    match text {
        "manual" => Ok(ProgressMode::Manual),
        "children" => Ok(ProgressMode::FromChildren),
        "integration" => Ok(ProgressMode::FromIntegration),
        _ => Err("write `manual`, `children` or `integration`".to_owned()),
    }
}

fn status_mode(text: &str) -> Result<StatusMode, String> {
    match text {
        "manual" => Ok(StatusMode::Manual),
        "progress" => Ok(StatusMode::FromProgress),
        "children" => Ok(StatusMode::FromChildren),
        _ => Err("write `manual`, `progress` or `children`".to_owned()),
    }
}
