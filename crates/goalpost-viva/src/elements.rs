//! The elements of the members, typed, with every key that is known; goals are in [`crate::objective`].
//!
//! The serialized name of a field is its key in the file, and the order of fields is the order of keys. A
//! field is `None` or empty where the file has null, an empty array, an empty object, or no such key. Labels
//! (`Type`, `Status`, `Target Type`, …) are kept in the words of the file; [`crate::label`] gives object
//! types their meaning.

use jiff::civil::{Date, DateTime};
use serde::Serialize;

use crate::print;

/// A value that is kept but not understood: an unknown key, or a known key whose value has an unknown shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// The keys that lead to it inside its element, such as `Children[3].Colour`.
    pub path: String,
    /// The value as compact JSON.
    pub json: String,
}

/// A person as goals, teams and check-ins name one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The user's id.
    #[serde(rename = "ID")]
    pub id: Option<i64>,
    /// The display name.
    #[serde(rename = "Name")]
    pub name: Option<String>,
    /// The e-mail address.
    #[serde(rename = "Email")]
    pub email: Option<String>,
}

/// A team or period as goals and users name one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its id.
    #[serde(rename = "ID")]
    pub id: i64,
    /// Its name.
    #[serde(rename = "Name")]
    pub name: Option<String>,
}

/// A row of `Users`: a person, or a group from the directory.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct User {
    /// The user's id.
    #[serde(rename = "ID")]
    pub id: i64,
    /// The display name.
    #[serde(rename = "Name")]
    pub name: Option<String>,
    /// The e-mail address.
    #[serde(rename = "Email")]
    pub email: Option<String>,
    /// The manager.
    #[serde(rename = "Manager")]
    pub manager: Option<Person>,
    /// Teams the user is a member of.
    #[serde(rename = "Teams")]
    pub teams: Vec<Named>,
    /// Last use, in UTC.
    #[serde(rename = "Last Active", serialize_with = "print::moment")]
    pub last_active: Option<DateTime>,
    /// `Organization Owner`, `Member`.
    #[serde(rename = "Role")]
    pub role: Option<String>,
    /// `Individual`, or `Group` for a row that is no person.
    #[serde(rename = "Source")]
    pub source: Option<String>,
    /// `regular` or `observer`.
    #[serde(rename = "Member Type")]
    pub member_type: Option<String>,
    /// `active`, `pending`, `deactivated`.
    #[serde(rename = "Status")]
    pub status: Option<String>,
    /// What is not understood.
    #[serde(skip)]
    pub aside: Vec<Aside>,
}

/// A row of `Teams`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Team {
    /// The team's id.
    #[serde(rename = "ID")]
    pub id: i64,
    /// The name.
    #[serde(rename = "Team Name")]
    pub name: String,
    /// The *name* of the parent team: the file has no id for it, and an empty text for none.
    #[serde(rename = "Parent Team", serialize_with = "print::text_or_empty")]
    pub parent_team: Option<String>,
    /// Owners.
    #[serde(rename = "Team Owners")]
    pub owners: Vec<Person>,
    /// `Classic` for a team of Viva Goals' own.
    #[serde(rename = "Team Type")]
    pub team_type: Option<String>,
    /// `Active` or `Archived`.
    #[serde(rename = "Status")]
    pub status: Option<String>,
    /// What the team is for.
    #[serde(rename = "Description")]
    pub description: Option<String>,
    /// What is not understood.
    #[serde(skip)]
    pub aside: Vec<Aside>,
}

/// A row of `TimePeriods`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Period {
    /// The period's id.
    #[serde(rename = "ID")]
    pub id: i64,
    /// The name, such as `Q1 2025`.
    #[serde(rename = "Time Period Name")]
    pub name: String,
    /// The first day.
    #[serde(rename = "Start Date", serialize_with = "print::date")]
    pub start_date: Date,
    /// The last day, which belongs to the period.
    #[serde(rename = "End Date", serialize_with = "print::date")]
    pub end_date: Date,
    /// What is not understood.
    #[serde(skip)]
    pub aside: Vec<Aside>,
}

/// A row of `Tags`; goals name their tags in the same shape.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tag {
    /// The tag's id.
    #[serde(rename = "ID")]
    pub id: i64,
    /// The name.
    #[serde(rename = "Tag Name")]
    pub name: Option<String>,
    /// What is not understood; empty on a goal, whose own `aside` has it.
    #[serde(skip)]
    pub aside: Vec<Aside>,
}

/// A row of `checkins`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CheckIn {
    /// The check-in's id.
    #[serde(rename = "ID")]
    pub id: i64,
    /// The goal.
    #[serde(rename = "OKR ID")]
    pub goal_id: i64,
    /// The day as of which it holds, at midnight UTC; people choose it, also in the past.
    #[serde(rename = "CheckIn Date", serialize_with = "print::moment")]
    pub date: Option<DateTime>,
    /// Who checked in.
    #[serde(rename = "Check In Owner")]
    pub owner: Option<Person>,
    /// The note.
    #[serde(rename = "Check In Note", serialize_with = "print::note")]
    pub note: Option<Note>,
    /// The metric's name; `Progress` for a percentage outcome.
    #[serde(rename = "Metric Name")]
    pub metric_name: Option<String>,
    /// The status that was set.
    #[serde(rename = "Status")]
    pub status: Option<String>,
    /// The value that was set, in the metric's unit or percent.
    #[serde(rename = "Current Value")]
    pub current_value: Option<f64>,
    /// When it was recorded, in UTC; midnight where the file has a date only.
    #[serde(rename = "Activity Date", serialize_with = "print::day_or_moment")]
    pub recorded_at: Option<DateTime>,
    /// What is not understood.
    #[serde(skip)]
    pub aside: Vec<Aside>,
}

/// The note of a check-in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Note {
    /// As plain text.
    #[serde(rename = "Check In Note")]
    pub text: Option<String>,
    /// As HTML. Not safe to show as it is.
    #[serde(rename = "Check In Note HTML")]
    pub html: Option<String>,
}

/// A row of `comments`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Comment {
    /// The comment's id.
    #[serde(rename = "ID")]
    pub id: i64,
    /// The goal.
    #[serde(rename = "OKR ID")]
    pub goal_id: i64,
    /// What was said.
    #[serde(rename = "Comment")]
    pub text: Option<String>,
    /// Who said it.
    #[serde(rename = "Created By")]
    pub created_by: Option<Person>,
    /// When, in UTC.
    #[serde(rename = "Created At", serialize_with = "print::moment")]
    pub created_at: Option<DateTime>,
    /// What is not understood.
    #[serde(skip)]
    pub aside: Vec<Aside>,
}
