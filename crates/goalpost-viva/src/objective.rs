//! A row of `objectives` and its parts.

use jiff::civil::{Date, DateTime};
use serde::Serialize;

use crate::elements::{Aside, Named, Person, Tag};
use crate::print;

/// A row of `objectives`: an objective, key result or initiative.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Objective {
    /// The goal's id.
    #[serde(rename = "ID")]
    pub id: i64,
    /// The title.
    #[serde(rename = "Title")]
    pub title: String,
    /// The organization's own word for the object type, such as `Big rock`.
    #[serde(rename = "Type")]
    pub type_label: Option<String>,
    /// Who made it.
    #[serde(rename = "Created By")]
    pub created_by: Option<Person>,
    /// Owners, the first of them being the default check-in owner.
    #[serde(rename = "Owner")]
    pub owners: Vec<Person>,
    /// Teams; none for an individual's or the organization's goal.
    #[serde(rename = "Teams", serialize_with = "print::list_or_null")]
    pub teams: Vec<Named>,
    /// The period.
    #[serde(rename = "Time Period")]
    pub period: Option<Named>,
    /// The first day.
    #[serde(rename = "Start Date", serialize_with = "print::day")]
    pub start_date: Option<Date>,
    /// The last day.
    #[serde(rename = "End Date", serialize_with = "print::day")]
    pub end_date: Option<Date>,
    /// Weights by parent. Not every parent is here: [`Objective::parent_ids`] is the truth.
    #[serde(rename = "Alignment", serialize_with = "print::list_or_null")]
    pub alignment: Vec<Alignment>,
    /// Who may edit in the owner's stead.
    #[serde(rename = "Delegated To")]
    pub delegated_to: Option<Person>,
    /// Who may see, edit and align to it.
    #[serde(rename = "Permissions")]
    pub permissions: Permissions,
    /// The description.
    #[serde(rename = "Description")]
    pub description: Option<String>,
    /// Tags.
    #[serde(rename = "Tags", serialize_with = "print::list_or_null")]
    pub tags: Vec<Tag>,
    /// How progress and status come about.
    #[serde(rename = "Progress and Status Configuration")]
    pub configuration: Configuration,
    /// The metric's present value, or percent for a percentage outcome; may lie outside 0 to 100; `None` if
    /// never updated.
    #[serde(rename = "Progress")]
    pub progress: Option<f64>,
    /// `Not Started`, `On Track`, `Behind`, `At Risk`, `Closed`, `Postponed`.
    #[serde(rename = "Status")]
    pub status: Option<String>,
    /// What is measured.
    #[serde(rename = "Outcome")]
    pub outcome: Option<Outcome>,
    /// Targets on the way; `None` for the file's word `Disabled`.
    #[serde(rename = "Phased Targets", serialize_with = "print::phased_targets")]
    pub phased_targets: Option<PhasedTargets>,
    /// Who is asked to check in.
    #[serde(rename = "Check-in Owners")]
    pub check_in_owners: Vec<Person>,
    /// Ids of all parents.
    #[serde(rename = "Parent IDs", serialize_with = "print::list_or_null")]
    pub parent_ids: Vec<i64>,
    /// Child goals, or the tasks of an initiative.
    #[serde(rename = "Children")]
    pub children: Vec<Child>,
    /// 0 to 1; the file prints 0.0 also where there is none.
    #[serde(rename = "Score")]
    pub score: Option<f64>,
    /// `Aspirational` or `Committed`.
    #[serde(rename = "Goal Type")]
    pub goal_type: Option<String>,
    /// When it was made, in UTC; midnight where the file has a date only.
    #[serde(rename = "Created At", serialize_with = "print::day_or_moment")]
    pub created_at: Option<DateTime>,
    /// The last check-in, in UTC; midnight where the file has a date only.
    #[serde(rename = "Last Check-in", serialize_with = "print::day_or_moment")]
    pub last_check_in: Option<DateTime>,
    /// What is not understood.
    #[serde(skip)]
    pub aside: Vec<Aside>,
}

/// A parent with the weight that the goal has in its progress.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alignment {
    /// The parent's id.
    #[serde(rename = "ID")]
    pub id: i64,
    /// The parent's title.
    #[serde(rename = "Title")]
    pub title: Option<String>,
    /// Percent of the parent's progress.
    #[serde(rename = "Weight", serialize_with = "print::weight")]
    pub weight: Option<f64>,
}

/// How a goal's progress and status come about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Configuration {
    /// `Update Manually`, `Update from Children`, `Update from Integration`.
    #[serde(rename = "Progress")]
    pub progress: Option<String>,
    /// `Update Manually`, `Update based on Progress`.
    #[serde(rename = "Status")]
    pub status: Option<String>,
    /// What an integration reads, such as `Excel Online`.
    #[serde(rename = "Data Source", skip_serializing_if = "Option::is_none")]
    pub data_source: Option<String>,
}

/// What a goal measures.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// `Percentage`, which has no more fields, or `Metric`.
    #[serde(rename = "Outcome Type")]
    pub outcome_type: Option<String>,
    /// The metric's name.
    #[serde(rename = "Metric Name", skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// `Number`, `Percentage`, `Dollar`.
    #[serde(rename = "Metric Unit", skip_serializing_if = "Option::is_none")]
    pub metric_unit: Option<String>,
    /// The value to start from, in the metric's unit.
    #[serde(rename = "Start", skip_serializing_if = "Option::is_none")]
    pub start: Option<f64>,
    /// The value to reach or keep to, in the metric's unit.
    #[serde(rename = "Target", skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// `Reach`, `Increase From`, `Decrease From`, `Stay Above`, `Stay Below`, `Find a Baseline`.
    #[serde(rename = "Target Type", skip_serializing_if = "Option::is_none")]
    pub target_type: Option<String>,
}

/// Targets on the way to the last one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PhasedTargets {
    /// `monthly`, `quarterly`, `custom`.
    #[serde(rename = "Interval")]
    pub interval: Option<String>,
    /// The targets, as ordered in the file.
    #[serde(rename = "Phased Targets")]
    pub targets: Vec<PhasedTarget>,
}

/// One target on the way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhasedTarget {
    /// In the metric's unit, or percent for a percentage outcome.
    #[serde(rename = "Target Value")]
    pub value: Option<f64>,
    /// When it is due.
    #[serde(rename = "Target Date", serialize_with = "print::day")]
    pub date: Option<Date>,
}

/// An entry of `Children`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Child {
    /// A goal that names this one as a parent.
    Goal {
        /// Its id.
        #[serde(rename = "ID")]
        id: i64,
        /// Its title.
        #[serde(rename = "Title")]
        title: Option<String>,
        /// Its type label.
        #[serde(rename = "Type")]
        type_label: Option<String>,
    },
    /// A task of an initiative.
    Task(Task),
}

/// A task of an initiative.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// The task's id.
    #[serde(rename = "ID")]
    pub id: i64,
    /// What is to be done.
    #[serde(rename = "Task Name")]
    pub name: String,
    /// `Complete`, `Incomplete`, `Unknown`.
    #[serde(rename = "Task Status")]
    pub status: Option<String>,
    /// When it is due.
    #[serde(rename = "Task Date", skip_serializing_if = "Option::is_none", serialize_with = "print::day")]
    pub date: Option<Date>,
    /// Who does it.
    #[serde(rename = "Task Owner", skip_serializing_if = "Option::is_none")]
    pub owner: Option<Person>,
}

/// Who may see, edit and align to a goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// Who may see it.
    pub view: Access,
    /// Who may edit it beyond those whose role allows it.
    pub edit: Access,
    /// Who may align goals to it.
    pub align: Access,
    /// The whole value as compact JSON, `null` where the file has none. This is what is written.
    pub json: String,
}

/// Who has a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everybody in the organization.
    Everybody,
    /// These people only; nobody beyond a goal's own people where the list is empty.
    Only(Vec<Person>),
    /// A shape that is not understood: to be treated as restricted.
    Unclear,
}
