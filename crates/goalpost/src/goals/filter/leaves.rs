//! What the conditions of a filter compare with.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Serialize, Serializer};

/// Some goals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Ids {
    /// Any of these numbers.
    In(Vec<i64>),
}

/// One of several words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OneOf {
    /// Any of these words, as they stand in the database.
    In(Vec<String>),
    /// None of these.
    NotIn(Vec<String>),
}

/// A comparison of texts, without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Text {
    /// It stands somewhere in it.
    Contains(String),
    /// It begins with it.
    StartsWith(String),
    /// It is all of it.
    Is(String),
    /// There is none.
    None,
}

/// A search for words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Keyword {
    /// The title contains this text, or the text is the goal's number.
    Contains(String),
    /// The title or the description contains it, or it is the goal's number.
    Anywhere(String),
}

/// Something that a goal is linked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Link {
    /// At least one of these.
    In(Vec<Reference>),
    /// Each of these.
    All(Vec<Reference>),
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

impl Link {
    /// Whether something is given by its name.
    pub(super) fn has_name(&self) -> bool {
        match self {
            Self::In(references) | Self::All(references) => {
                references.iter().any(|reference| matches!(reference, Reference::Name(_)))
            }
            Self::None => false,
        }
    }
}

/// In which period a goal lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Period {
    /// One that today lies in.
    Current,
    /// The one after such a one.
    Next,
    /// The one before such a one.
    Previous,
    /// Named ones, or none.
    #[serde(untagged)]
    Link(Link),
}

impl Period {
    /// Whether today decides.
    pub(super) fn is_dynamic(&self) -> bool {
        !matches!(self, Self::Link(_))
    }
}

/// Which teams share a goal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Team {
    /// One of these, or a team right below one.
    WithSubteams(Vec<Reference>),
    /// One of these, or a team anywhere below one.
    WithAllSubteams(Vec<Reference>),
    /// Named ones, or none.
    #[serde(untagged)]
    Link(Link),
}

/// Who owns a goal, or acts for its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Owner {
    /// The person who looks.
    Me,
    /// One of these, or somebody whom one of them manages.
    WithReports(People),
    /// One of these, or somebody below one of them at any distance.
    WithAllReports(People),
    /// Named people, or nobody.
    #[serde(untagged)]
    Link(Link),
}

/// Who manages an owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Manager {
    /// The person who looks.
    Me,
    /// One of these.
    In(Vec<Reference>),
    /// One of these, or somebody below one of them.
    Above(People),
}

/// Some people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum People {
    /// The person who looks.
    Me,
    /// These, by number or e-mail.
    #[serde(untagged)]
    These(Vec<Reference>),
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
    /// From the first day to the second, both included.
    Between(#[serde(serialize_with = "as_text")] Date, #[serde(serialize_with = "as_text")] Date),
    /// Nearer to today than so many days.
    LessThanDays(u16),
    /// Further from today than so many days.
    MoreThanDays(u16),
    /// There is none.
    None,
}

/// A comparison with a moment, or with a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Moment {
    /// At this moment or later. Moments have whole microseconds.
    From(#[serde(serialize_with = "as_text")] Timestamp),
    /// Before this moment.
    Until(#[serde(serialize_with = "as_text")] Timestamp),
    /// Compared with a day.
    #[serde(untagged)]
    Day(Day),
}

fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// A comparison with a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Amount {
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
    /// From the first to the second, both included.
    Between(f64, f64),
    /// There is none.
    None,
}

/// The program that a goal's progress comes from, as files name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Integration {
    /// One of these.
    In(Vec<String>),
    /// None.
    None,
}

/// What a goal contributes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Aligned {
    /// One of these is a parent, and may be seen.
    To(Vec<i64>),
    /// One of these is above it, by a way that may be seen.
    Below(Vec<i64>),
    /// Whether there is a parent at all.
    #[serde(untagged)]
    Any(bool),
}
