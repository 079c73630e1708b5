//! The filter tree: which goals a view holds.
//!
//! A filter is written as JSON. Each of its objects has exactly one key, so no condition can hide another:
//!
//! ```text
//! filter    {"and": [filter, …]}    all of them; an empty list holds every goal
//!           {"or": [filter, …]}     at least one of them
//!           {"not": filter}
//!           {"status": {"in": [status, …]}}
//!           {"objectType": {"in": ["objective" | "keyResult" | "initiative", …]}}
//!           {"period": link}   {"team": link}   {"tag": link}
//!           {"owner": link | "me"}
//!           {"due": day | "overdue"}
//!           {"checkIn": day}
//!           {"progress": {"lt" | "le" | "eq" | "ge" | "gt": percent}}
//!           {"keyword": {"contains": text}}
//!           {"aligned": true | false}
//! link      {"in": [number or name, …]}     people: number or e-mail
//!           "none"                          for owners: unassigned
//! day       {"on" | "before" | "after": "YYYY-MM-DD"}
//!           {"lessThanDays" | "moreThanDays": days}
//! ```
//!
//! ```json
//! {"and": [{"status": {"in": ["Behind", "At Risk"]}}, {"owner": "me"}, {"not": {"tag": {"in": ["Pilot"]}}}]}
//! ```
//!
//! What the words mean:
//! - A missing value satisfies no comparison: a goal without a due date is due neither before nor after a day, and
//!   `not` of either holds it. Every condition is true or false, never unknown.
//! - `due` counts days ahead: less than 14 days holds today and the 13 days after it. `checkIn` counts days back: less
//!   than 7 days holds a last check-in of today, the 6 days before it, or (a slip of the pen) later than today. Exactly
//!   so many days is neither less nor more.
//! - `overdue`: the due date has passed and the goal is not closed.
//! - `progress` is on the scale from start (0) to target (100) and may lie outside of it.
//! - `keyword` looks for a text in titles without regard to case; `17` or `#17` finds the goal of that number too.
//! - `aligned`: at least one parent is named, whether or not the files held that parent.
//! - A name stands for every team, period or tag that bears it, in any case; an e-mail likewise.
//!
//! [`Filter::parse`] reads it; [`compile()`] is the only place that turns it into SQL.

mod compile;
mod parse;

use goalpost_db::Value;
use jiff::civil::Date;
use serde::{Deserialize, Serialize, Serializer};

pub use self::compile::compile;
pub use self::parse::FilterError;
use crate::ids::{OrganizationNumber, PersonNumber};

/// Levels of `and`, `or` and `not` that a filter may have.
pub const MAX_DEPTH: usize = 16;
/// Objects that a filter may be made of.
pub const MAX_NODES: usize = 200;
/// Values that all lists of a filter may hold together.
pub const MAX_VALUES: usize = 1_000;
/// Characters of one value. Keeps a keyword far below what a database takes as a pattern.
pub const MAX_CHARACTERS: usize = 500;

/// The words that a status may be, as Viva Goals prints them.
pub const STATUSES: [&str; 8] =
    ["Not Started", "On Track", "Behind", "At Risk", "Closed", "Postponed", "Reopened", "In-progress"];
/// The words for the kinds of goals, whatever an organization calls them.
pub const OBJECT_TYPES: [&str; 3] = ["objective", "keyResult", "initiative"];

/// Which goals a view holds; see the module for the grammar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "serde_json::Value")]
pub enum Filter {
    /// All of them hold.
    And(Vec<Filter>),
    /// At least one of them holds.
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// The status is one of these; words of [`STATUSES`].
    Status(OneOf),
    /// The kind is one of these; words of [`OBJECT_TYPES`].
    ObjectType(OneOf),
    /// The time period.
    Period(Link),
    /// A team that shares the goal.
    Team(Link),
    /// A tag on the goal.
    Tag(Link),
    /// A person who owns the goal.
    Owner(Owner),
    /// The day by which the goal is to be reached.
    Due(Due),
    /// The day of the last check-in.
    CheckIn(Day),
    /// Percent of the way from start to target.
    Progress(Percent),
    /// Words of the title, or the goal's number.
    Keyword(Keyword),
    /// Whether the goal contributes to another.
    Aligned(bool),
}

/// One of several words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OneOf {
    /// Any of these words, as they stand in the database.
    In(Vec<String>),
}

/// Something that a goal is linked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Link {
    /// At least one of these.
    In(Vec<Reference>),
    /// None at all.
    None,
}

/// A thing, by the number that exports print or by its name; a person by number or e-mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Reference {
    /// Its number.
    Number(i64),
    /// Its whole name, or a person's e-mail, in any case.
    Name(String),
}

/// Who owns a goal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Owner {
    /// The person who looks.
    Me,
    /// Named people, or nobody.
    #[serde(untagged)]
    Link(Link),
}

/// When a goal is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Due {
    /// Past its day and not closed.
    Overdue,
    /// Compared with a day.
    #[serde(untagged)]
    Day(Day),
}

/// A comparison with a day, or with a number of days from today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Day {
    /// On this day.
    On(#[serde(serialize_with = "as_text")] Date),
    /// Earlier than this day.
    Before(#[serde(serialize_with = "as_text")] Date),
    /// Later than this day.
    After(#[serde(serialize_with = "as_text")] Date),
    /// Nearer to today than so many days.
    LessThanDays(u16),
    /// Further from today than so many days.
    MoreThanDays(u16),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn as_text<S: Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

/// A comparison with a percentage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Percent {
    /// Less than.
    Lt(f64),
    /// Less than or equal to.
    Le(f64),
    /// Equal to.
    Eq(f64),
    /// Greater than or equal to.
    Ge(f64),
    /// Greater than.
    Gt(f64),
}

/// A search for words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Keyword {
    /// The title contains this text, or the text is the goal's number.
    Contains(String),
}

/// Who looks, at which organization, on which day: what a filter leaves open until it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The organization whose goals are looked at.
    pub organization: OrganizationNumber,
    /// The person who is `me`; with `None`, `me` owns nothing.
    pub person: Option<PersonNumber>,
    /// The day that `overdue` and numbers of days count from.
    pub today: Date,
}

/// A truth about the table `goal`, under the alias `g`, as a piece of a `where` clause. Never `null`, so that `not` of
/// it is its exact opposite.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The text, safe to stand between `and` and `not`.
    pub sql: String,
    /// Its parameters, the first number first.
    pub params: Vec<Value>,
}

impl Subject {
    /// Who looks at which organization on the day (UTC) of this moment, in microseconds since 1970.
    pub fn on_day(organization: OrganizationNumber, person: Option<PersonNumber>, at_us: i64) -> Self {
        Self { organization, person, today: super::day(at_us) }
    }
}

impl Filter {
    /// The filter that holds every goal.
    pub fn everything() -> Self {
        Self::And(Vec::new())
    }

    /// Whether different people get different goals from it, rights aside.
    pub fn depends_on_caller(&self) -> bool {
        self.any(&|filter| matches!(filter, Self::Owner(Owner::Me)))
    }

    /// Whether it may hold other goals tomorrow although nothing has changed.
    pub fn depends_on_today(&self) -> bool {
        let relative = |day: &Day| matches!(day, Day::LessThanDays(_) | Day::MoreThanDays(_));
        self.any(&|filter| match filter {
            Self::Due(Due::Overdue) => true,
            Self::Due(Due::Day(day)) | Self::CheckIn(day) => relative(day),
            _ => false,
        })
    }

    fn any(&self, test: &impl Fn(&Self) -> bool) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.any(test)),
            Self::Not(part) => part.any(test),
            leaf => test(leaf),
        }
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::everything()
    }
}
