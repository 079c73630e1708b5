//! In which order goals are shown: by up to four keys, then by number, so that no two goals share a place.
//!
//! ```text
//! order     key [, key …]
//! key       word [ asc | desc ]
//! word      id | priority | title | owner | period | start | due | progress | status | updated | created | checkIn
//! ```
//!
//! What has no value comes last, in either direction. `title`, `owner` (the name of the first one) and `period` (its
//! first day) are compared as they are searched, without regard to case. `status` begins with what needs a look: at
//! risk, behind, on track, in progress, reopened, not started, postponed, closed. `updated`, `created` and `checkIn`
//! begin with the latest unless `asc` is said.
//!
//! A page begins after the last goal of the page before, whatever came or went meanwhile: see [`Order::after`].

use std::fmt;
use std::str::FromStr;

use goalpost_db::{Row, Value};
use goalpost_odata::{Direction, OrderBy};
use serde_json::Value as Json;

use super::filter::{Condition, updated_at};
use crate::keyset::Keyset;
use crate::table::Kind;

/// Keys that an order may have.
pub const MAX_KEYS: usize = 4;

const WORDS: &str =
    "id, priority, title, owner, period, start, due, progress, status, updated, created, checkIn";

macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident = $word:literal $property:literal),* $(,)?) => {
        /// What goals are compared by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum SortKey { $($(#[$doc])* $key),* }

        impl SortKey {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$key),*];

            /// The word for it in the database, on the command line and in URLs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$key => $word),* }
            }

            /// The property of a goal that it compares, in OData's `$orderby`.
            fn property(self) -> &'static str {
                match self { $(Self::$key => $property),* }
            }
        }
    };
}

keys! {
    /// Its number: the older goal first.
    Id = "id" "id",
    /// The place that people gave it.
    Priority = "priority" "priority",
    /// Its title.
    Title = "title" "title",
    /// The name of its first owner.
    Owner = "owner" "owners/name",
    /// The first day of its time period.
    Period = "period" "period/startDate",
    /// Its first day.
    Start = "start" "startDate",
    /// The day by which it is due.
    Due = "due" "endDate",
    /// Percent of the way to the target.
    Progress = "progress" "progressPercent",
    /// How it goes: what needs a look comes first.
    Status = "status" "status",
    /// When it was last changed.
    Updated = "updated" "lastUpdatedDateTime",
    /// When it was made.
    Created = "created" "createdDateTime",
    /// The day of its last check-in.
    CheckIn = "checkIn" "lastCheckInDate",
}

impl SortKey {
    /// Whether the largest comes first where nobody says.
    fn is_latest_first(self) -> bool {
        matches!(self, Self::Updated | Self::Created | Self::CheckIn)
    }

    /// An expression on `goal g`, what it holds, and whether it may be null.
    fn expression(self) -> (String, Kind, bool) {
        let column = |name: &str, kind| (format!("g.{name}"), kind, true);
        match self {
            Self::Id => ("g.id".to_owned(), Kind::Int, false),
            Self::Title => ("g.title_fold".to_owned(), Kind::Text, false),
            Self::Status => (rank_of_status(), Kind::Int, false),
            Self::Priority => column("priority", Kind::Int),
            Self::Start => column("start_date", Kind::Text),
            Self::Due => column("end_date", Kind::Text),
            Self::Progress => column("progress_percent", Kind::Real),
            Self::Created => column("created_at", Kind::Int),
            Self::CheckIn => column("last_checkin_date", Kind::Text),
            Self::Updated => (updated_at(), Kind::Int, true),
            Self::Owner => {
                let name = "(select x.name_fold from goal_owner l \
                    join person x on x.organization = l.organization and x.id = l.person \
                    where l.organization = ?1 and l.goal = g.id order by l.position limit 1)";
                (name.to_owned(), Kind::Text, true)
            }
            Self::Period => {
                let day = "(select x.start_date from period x where x.organization = ?1 and x.id = g.period)";
                (day.to_owned(), Kind::Text, true)
            }
        }
    }
}

/// The words of [`STATUSES`](super::filter::STATUSES), by how much they need a look.
const RANKS: [&str; 8] =
    ["At Risk", "Behind", "On Track", "In-progress", "Reopened", "Not Started", "Postponed", "Closed"];

/// A number that orders goals by their status; words that are not known come last.
fn rank_of_status() -> String {
    let ranks: Vec<String> =
        RANKS.iter().enumerate().map(|(rank, word)| format!("when '{word}' then {rank}")).collect();
    format!("case g.status {} else {} end", ranks.join(" "), RANKS.len())
}

/// Why a text is no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// There is no such key.
    #[error(
        "goals cannot be sorted by `{0}`; they can be by {WORDS}, each with `asc` or `desc` behind it or nothing"
    )]
    Unknown(String),
    /// A key stands twice, or there are too many.
    #[error("an order has 1 to {MAX_KEYS} keys, none of them twice")]
    Keys,
}

/// An order of goals. The default is by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order(Vec<(SortKey, Direction)>);

impl Order {
    /// By one key, in its own direction.
    pub fn by(key: SortKey) -> Self {
        Self(vec![(key, own_direction(key))])
    }

    /// The order of OData's `$orderby`: by names of properties of a goal, or by the words of the module. As OData has
    /// it, ascending unless it says otherwise; what has no value comes last all the same.
    ///
    /// # Errors
    /// [`OrderError`] names the key that is not known, and those that are.
    pub fn from_odata(items: &[OrderBy]) -> Result<Self, OrderError> {
        let key = |item: &OrderBy| {
            let name = item.path.as_str();
            let known = SortKey::ALL.iter().find(|key| key.property() == name || key.as_str() == name);
            known.map(|key| (*key, item.direction)).ok_or_else(|| OrderError::Unknown(name.to_owned()))
        };
        Self::new(items.iter().map(key).collect::<Result<_, _>>()?)
    }

    fn new(keys: Vec<(SortKey, Direction)>) -> Result<Self, OrderError> {
        let is_twice =
            |(at, (key, _)): (usize, &(SortKey, Direction))| keys[..at].iter().any(|(k, _)| k == key);
        if keys.is_empty() || keys.len() > MAX_KEYS || keys.iter().enumerate().any(is_twice) {
            return Err(OrderError::Keys);
        }
        Ok(Self(keys))
    }

    /// Its keys, the first one first.
    pub fn sort_keys(&self) -> &[(SortKey, Direction)] {
        &self.0
    }

    /// What stands behind `order by`, for rows of `goal g` of the organization `?1`. Both engines put all goals in the same
    /// place by it.
    pub fn order_by(&self) -> String {
        self.keyset().order_by()
    }

    /// The expressions that tell a goal's place, to be selected with it.
    pub fn keys(&self) -> Vec<String> {
        self.keyset().selected().map(str::to_owned).collect()
    }

    /// The place of a goal whose row has the [`keys`](Self::keys) from column `first` on.
    pub fn place(&self, row: &Row<'_>, first: usize) -> goalpost_db::Result<Vec<Value>> {
        self.keyset().read(row, first)
    }

    /// A goal comes after this place. Parameters are numbered from `first` on. The place must be one of this order:
    /// [`place`](Self::place) or [`place_from_json`](Self::place_from_json) made it.
    pub fn after(&self, place: Vec<Value>, first: usize) -> Condition {
        Condition { sql: self.keyset().after(first), params: place }
    }

    /// A place as JSON, to be handed to a client.
    pub fn place_to_json(place: &[Value]) -> Json {
        Keyset::to_json(place)
    }

    /// The place that a client gave back; `None` if it is none of this order.
    pub fn place_from_json(&self, place: &Json) -> Option<Vec<Value>> {
        self.keyset().from_json(place)
    }

    fn keyset(&self) -> Keyset {
        let mut keyset = Keyset::default();
        for (key, direction) in &self.0 {
            let (sql, kind, is_nullable) = key.expression();
            let descending = *direction == Direction::Descending;
            keyset = if is_nullable {
                keyset.by_nullable_last(&sql, kind, descending)
            } else {
                keyset.by(&sql, kind, descending)
            };
        }
        keyset.by("g.id", Kind::Int, false)
    }
}

fn own_direction(key: SortKey) -> Direction {
    if key.is_latest_first() { Direction::Descending } else { Direction::Ascending }
}

impl FromStr for Order {
    type Err = OrderError;

    fn from_str(text: &str) -> Result<Self, OrderError> {
        let key = |item: &str| {
            let unknown = || OrderError::Unknown(item.trim().chars().take(60).collect());
            let mut words = item.split_whitespace();
            let word = words.next().unwrap_or_default();
            let key = SortKey::ALL
                .iter()
                .find(|key| key.as_str().eq_ignore_ascii_case(word))
                .ok_or_else(unknown)?;
            let direction = match words.next() {
                None => own_direction(*key),
                Some(word) if word.eq_ignore_ascii_case("asc") => Direction::Ascending,
                Some(word) if word.eq_ignore_ascii_case("desc") => Direction::Descending,
                Some(_) => return Err(unknown()),
            };
            if words.next().is_some() { Err(unknown()) } else { Ok((*key, direction)) }
        };
        Self::new(text.split(',').map(key).collect::<Result<_, _>>()?)
    }
}

/// Text that reads back as the same order; directions are left out where nobody would say them.
impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(SortKey::Id.as_str());
        }
        for (at, (key, direction)) in self.0.iter().enumerate() {
            let separator = if at > 0 { ", " } else { "" };
            let direction = match direction {
                direction if *direction == own_direction(*key) => "",
                Direction::Ascending => " asc",
                Direction::Descending => " desc",
            };
            write!(f, "{separator}{}{direction}", key.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use goalpost_odata::parse_orderby;

    use super::super::filter::STATUSES;
    use super::*;

    fn read(text: &str) -> Result<String, OrderError> {
        text.parse::<Order>().map(|order| order.to_string())
    }

    #[test]
    fn an_order_is_read_and_written_back_alike() {
        for text in
            ["id", "checkIn", "checkIn asc", "title desc, due", "priority, status, owner, updated asc"]
        {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
        assert_eq!(read("Title DESC,  due asc").as_deref(), Ok("title desc, due"));
        assert_eq!(Order::default().to_string(), "id");
    }

    #[test]
    fn what_is_no_order_is_refused() {
        for text in [
            "",
            "colour",
            "title up",
            "title asc asc",
            "title,",
            "title, title desc",
            "id,title,due,start,owner",
        ] {
            read(text).expect_err(text);
        }
        assert_eq!(
            read("size").expect_err("no key").to_string(),
            "goals cannot be sorted by `size`; they can be by id, priority, title, owner, period, start, due, progress, \
             status, updated, created, checkIn, each with `asc` or `desc` behind it or nothing"
        );
    }

    #[test]
    fn odata_names_properties_and_ascends() {
        let order =
            |text| Order::from_odata(&parse_orderby(text).expect(text)).map(|order| order.to_string());
        assert_eq!(order("endDate desc,lastCheckInDate,id").as_deref(), Ok("due desc, checkIn asc, id"));
        assert_eq!(order("priority").as_deref(), Ok("priority"));
        order("description").expect_err("no key");
    }

    #[test]
    fn every_status_has_a_rank() {
        assert!(STATUSES.iter().all(|status| RANKS.contains(status)), "{RANKS:?}");
    }

    #[test]
    fn values_that_may_be_missing_come_last_in_both_directions() {
        let order: Order = "due desc".parse().expect("an order");
        assert_eq!(
            order.order_by(),
            "case when g.end_date is null then 1 else 0 end, coalesce(g.end_date, '') desc, g.id"
        );
    }
}
