//! The filter tree: which goals a view holds.
//!
//! A filter is written as JSON. Each of its objects has exactly one key, so no condition can hide another:
//!
//! ```text
//! filter    {"and": [filter, …]}    all of them; an empty list holds every goal
//!           {"or": [filter, …]}     at least one of them
//!           {"not": filter}
//!           {"id": {"in": [number, …]}}
//!           {"title": text}
//!           {"description": text | "none"}
//!           {"keyword": {"contains" | "anywhere": "…"}}
//!           {"status": {"in" | "notIn": [status, …]}}
//!           {"objectType": {"in" | "notIn": ["objective" | "keyResult" | "initiative", …]}}
//!           {"level": {"in" | "notIn": ["organization" | "team" | "individual", …]}}
//!           {"period": things | "none" | "current" | "next" | "previous"}
//!           {"team": things | all | "none" | {"withSubteams" | "withAllSubteams": [number or name, …]}}
//!           {"teamType": {"in" | "notIn": [word, …]}}
//!           {"tag": things | all | "none"}
//!           {"owner": things | all | "none" | "me" | {"withReports" | "withAllReports": people}}
//!           {"delegate": things | "none" | "me" | {"withReports" | "withAllReports": people}}
//!           {"manager": things | "me" | {"above": people}}
//!           {"start": day | "none"}   {"checkIn": day | "none"}
//!           {"due": day | "none" | "overdue"}
//!           {"created": day | moment | "none"}   {"updated": day | moment | "none"}
//!           {"progress": amount | "none"}   {"value": amount | "none"}   {"score": amount | "none"}
//!           {"integration": {"in": [word, …]} | "none"}
//!           {"aligned": true | false | {"to" | "below": [number, …]}}
//! things    {"in": [number or name, …]}     people: number or e-mail
//! all       {"all": [number or name, …]}
//! people    "me" | [number or e-mail, …]
//! text      {"contains" | "startsWith" | "is": "…"}
//! day       {"on" | "before" | "after": "YYYY-MM-DD"}
//!           {"between": ["YYYY-MM-DD", "YYYY-MM-DD"]}    both days are in it
//!           {"lessThanDays" | "moreThanDays": days}
//! moment    {"from" | "until": "YYYY-MM-DDTHH:MM:SSZ"}   at or after it; before it
//! amount    {"lt" | "le" | "eq" | "ge" | "gt": number}
//!           {"between": [number, number]}                both numbers are in it
//! ```
//!
//! ```json
//! {"and": [{"status": {"in": ["Behind", "At Risk"]}}, {"owner": "me"}, {"not": {"tag": {"in": ["Pilot"]}}}]}
//! ```
//!
//! What the words mean:
//! - A missing value satisfies no comparison: a goal without a due date is due neither before nor after a day, and
//!   `not` of either holds it. `"none"` asks for it. Every condition is true or false, never unknown.
//! - Texts and names are compared without regard to case; team types and integrations as the files print them.
//! - `due` counts days ahead: less than 14 days holds today and the 13 days after it. The others count days back: less
//!   than 7 days holds today and the 6 days before it, and (but for `start`) what bears a later day by a slip of the
//!   pen. A start to come is neither less nor more than so many days ago. Exactly so many days is neither less nor more.
//! - `overdue`: the due date has passed and the goal is not closed.
//! - `updated`: when the goal was last changed here; if it never was, its last check-in; without one, its creation.
//! - `progress` is on the scale from start (0) to target (100) and may lie outside of it; `value` is in the metric's unit.
//! - `keyword`: `contains` looks into titles, `anywhere` also into descriptions; `17` or `#17` finds the goal of that
//!   number too.
//! - `level`: a goal that a team shares is a team's; any other one that somebody owns an individual's; the rest is the
//!   organization's.
//! - `current` is every period that today lies in: a quarter, and the year around it. `next` and `previous` of each are
//!   the nearest ones after and before it that are as long, give or take an eighth.
//! - `withSubteams` and `withReports`: the named ones, and those right below them; with `All`, below at any depth.
//! - `manager`: one of the owners is managed by one of these; `above`: at any distance.
//! - `aligned`: at least one parent is named, whether or not the files held that parent. `to`: one of these is a parent;
//!   `below`: an ancestor. Both look only at ancestors that the person who looks may see, and not past any other.
//! - A name stands for every team, period or tag that bears it, in any case; an e-mail likewise. `all`: each one named
//!   is there. People and teams in a circle end no search.
//!
//! [`Filter::parse`] reads it; [`compile()`] is the only place that turns it into SQL.

mod compile;
mod leaves;
mod odata;
mod parse;
mod url;

use goalpost_db::Value;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::compile::compile;
pub(super) use self::compile::updated_at;
pub use self::leaves::{
    Aligned, Amount, Day, Due, Ids, Integration, Keyword, Link, Manager, Moment, OneOf, Owner, People,
    Period, Reference, Team, Text,
};
pub use self::odata::ODataError;
pub use self::parse::FilterError;
pub use self::url::UrlFilterError;
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

/// The words for whose goal it is.
pub const LEVELS: [&str; 3] = ["organization", "team", "individual"];

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
    /// The goal's number.
    Id(Ids),
    /// The title.
    Title(Text),
    /// The description.
    Description(Text),
    /// Words of the title or the description, or the goal's number.
    Keyword(Keyword),
    /// The status is one of these, or none of these; words of [`STATUSES`].
    Status(OneOf),
    /// The kind; words of [`OBJECT_TYPES`].
    ObjectType(OneOf),
    /// Whose goal it is; words of [`LEVELS`].
    Level(OneOf),
    /// The time period.
    Period(Period),
    /// A team that shares the goal.
    Team(Team),
    /// The kind of a team that shares the goal.
    TeamType(OneOf),
    /// A tag on the goal.
    Tag(Link),
    /// A person who owns the goal.
    Owner(Owner),
    /// The person whom the owner let act.
    Delegate(Owner),
    /// A person who manages an owner.
    Manager(Manager),
    /// The day on which it begins.
    Start(Day),
    /// The day by which the goal is to be reached.
    Due(Due),
    /// The day of the last check-in.
    CheckIn(Day),
    /// When it was made.
    Created(Moment),
    /// When it was last changed.
    Updated(Moment),
    /// Percent of the way from start to target.
    Progress(Amount),
    /// Where the metric stands, in its own unit.
    Value(Amount),
    /// The score that it ended with.
    Score(Amount),
    /// The program that its progress comes from.
    Integration(Integration),
    /// What the goal contributes to.
    Aligned(Aligned),
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
        let me = |owner: &Owner| match owner {
            Owner::Me | Owner::WithReports(People::Me) | Owner::WithAllReports(People::Me) => true,
            Owner::WithReports(_) | Owner::WithAllReports(_) | Owner::Link(_) => false,
        };
        self.any(&|filter| match filter {
            Self::Owner(owner) | Self::Delegate(owner) => me(owner),
            Self::Manager(manager) => matches!(manager, Manager::Me | Manager::Above(People::Me)),
            // Only what the person may see is gone along.
            Self::Aligned(aligned) => !matches!(aligned, Aligned::Any(_)),
            _ => false,
        })
    }

    /// Whether it asks below which goals a goal is, by their numbers.
    pub fn names_parents(&self) -> bool {
        self.any(&|filter| matches!(filter, Self::Aligned(Aligned::To(_) | Aligned::Below(_))))
    }

    /// Whether it may hold other goals tomorrow although nothing has changed.
    pub fn depends_on_today(&self) -> bool {
        let relative = |day: &Day| matches!(day, Day::LessThanDays(_) | Day::MoreThanDays(_));
        self.any(&|filter| match filter {
            Self::Due(Due::Overdue) => true,
            Self::Due(Due::Day(day))
            | Self::CheckIn(day)
            | Self::Start(day)
            | Self::Created(Moment::Day(day))
            | Self::Updated(Moment::Day(day)) => relative(day),
            Self::Period(period) => period.is_dynamic(),
            _ => false,
        })
    }

    /// Whether it may hold other goals after a change of people, teams, periods or tags, although no goal has changed.
    pub fn depends_on_directory(&self) -> bool {
        let owner = |owner: &Owner| match owner {
            Owner::Me => false,
            Owner::WithReports(_) | Owner::WithAllReports(_) => true,
            Owner::Link(link) => link.has_name(),
        };
        self.any(&|filter| match filter {
            Self::Period(Period::Link(link)) | Self::Team(Team::Link(link)) | Self::Tag(link) => {
                link.has_name()
            }
            Self::Owner(person) | Self::Delegate(person) => owner(person),
            Self::Period(_) | Self::Team(_) | Self::TeamType(_) | Self::Manager(_) => true,
            _ => false,
        })
    }

    /// Whether it may hold other goals after a change of goals above them, however far.
    pub fn depends_on_ancestors(&self) -> bool {
        self.any(&|filter| matches!(filter, Self::Aligned(Aligned::Below(_))))
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
