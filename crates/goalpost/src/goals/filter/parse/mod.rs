//! JSON to filter, with errors that say where, and what to write instead.

mod leaves;

use jiff::civil::Date;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde_json::Value as Json;

use super::{Due, Filter, LEVELS, MAX_CHARACTERS, MAX_DEPTH, MAX_NODES, OBJECT_TYPES, STATUSES};

const FILTERS: &str = "one of `and`, `or`, `not`, `id`, `title`, `description`, `keyword`, `status`, `objectType`, \
                       `level`, `period`, `team`, `teamType`, `tag`, `owner`, `delegate`, `manager`, `start`, `due`, \
                       `checkIn`, `created`, `updated`, `progress`, `value`, `score`, `integration`, `aligned`";
/// A hundred years: far beyond any goal, and no day that it leads to leaves the calendar.
const MAX_DAYS: u16 = 36_500;

/// Why a text is not a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// It is not JSON at all.
    #[error("the filter is not JSON: {0}")]
    NotJson(String),
    /// Something stands where something else belongs.
    #[error("at `{path}` of the filter stands {found}; write {wanted}")]
    Unexpected {
        /// The way to the place, such as `filter.and[1].status.in[0]`.
        path: String,
        /// What stands there, cut short.
        found: String,
        /// What may stand there.
        wanted: String,
    },
    /// It is larger than any view needs.
    #[error("the filter has more than {limit} {what}; make it smaller, or split the view")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
}

impl Filter {
    /// Read a filter from its JSON text.
    ///
    /// # Errors
    /// [`FilterError`] names the place and the words that may stand there. Any text is safe to give: what is nested or
    /// repeated beyond [`MAX_DEPTH`], [`MAX_NODES`] and [`MAX_VALUES`](super::MAX_VALUES) is refused.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let json: Json =
            serde_json::from_str(text).map_err(|error| FilterError::NotJson(error.to_string()))?;
        Self::try_from(json)
    }
}

impl TryFrom<Json> for Filter {
    type Error = FilterError;

    fn try_from(json: Json) -> Result<Self, FilterError> {
        Parser { nodes: 0, values: 0 }.filter(Place { path: "filter", json: &json }, 1)
    }
}

/// A value and the way to it.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    json: &'a Json,
}

impl<'a> Place<'a> {
    fn unexpected<T>(self, wanted: impl Into<String>) -> Result<T, FilterError> {
        let shown = self.json.to_string();
        let found = match shown.char_indices().nth(60) {
            Some((end, _)) => format!("`{}…`", &shown[..end]),
            None => format!("`{shown}`"),
        };
        Err(FilterError::Unexpected { path: self.path.to_owned(), found, wanted: wanted.into() })
    }

    fn is_word(self, word: &str) -> bool {
        self.json == word
    }

    /// The only key of an object, which is one of `keys`, and its value. What may stand there besides are `words`.
    fn operator(self, words: &[&str], keys: &[&str]) -> Result<(&'a str, &'a Json), FilterError> {
        let wanted = wanted(words, keys);
        let Some(object) = self.json.as_object() else { return self.unexpected(wanted) };
        match object.iter().next() {
            Some((key, value)) if object.len() == 1 && keys.contains(&key.as_str()) => Ok((key, value)),
            _ => self.unexpected(wanted),
        }
    }

    /// The only key of an object, and its value.
    fn entry(self, wanted: &str) -> Result<(&'a str, &'a Json), FilterError> {
        let object = self.json.as_object();
        match object.and_then(|object| Some((object.len(), object.iter().next()?))) {
            Some((1, (key, value))) => Ok((key, value)),
            Some(_) => {
                self.unexpected(format!("an object with one key only, {wanted}; join several by `and`"))
            }
            None => self.unexpected(format!("an object with one key, {wanted}")),
        }
    }

    fn list(self) -> Result<&'a [Json], FilterError> {
        match self.json.as_array() {
            Some(list) if !list.is_empty() => Ok(list),
            _ => self.unexpected("a list that is not empty"),
        }
    }

    fn text(self, wanted: &str) -> Result<&'a str, FilterError> {
        match self.json.as_str() {
            Some(text) if text.chars().nth(MAX_CHARACTERS).is_some() => {
                Err(FilterError::TooLarge { what: "characters in one value", limit: MAX_CHARACTERS })
            }
            // SQL texts cannot hold NUL on every engine, and no name has one.
            Some(text) if !text.trim().is_empty() && !text.contains('\0') => Ok(text),
            _ => self.unexpected(wanted),
        }
    }

    fn date(self) -> Result<Date, FilterError> {
        let day = self.json.as_str().filter(|text| text.len() == "2026-01-31".len());
        match day.and_then(|text| text.parse().ok()) {
            Some(day) => Ok(day),
            None => self.unexpected("a day such as \"2026-01-31\""),
        }
    }

    fn timestamp(self) -> Result<Timestamp, FilterError> {
        let at = self.json.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        // Rows hold whole microseconds: what is at or after a moment is at or after the next one of these.
        let whole = at.and_then(|at| {
            at.round(TimestampRound::new().smallest(Unit::Microsecond).mode(RoundMode::Ceil)).ok()
        });
        match whole {
            Some(at) => Ok(at),
            None => self.unexpected("a moment such as \"2026-01-31T09:30:00Z\""),
        }
    }

    fn number(self) -> Result<f64, FilterError> {
        match self.json.as_f64() {
            Some(number) => Ok(number),
            None => self.unexpected("a number"),
        }
    }

    fn days(self) -> Result<u16, FilterError> {
        let days = self.json.as_u64().and_then(|days| u16::try_from(days).ok());
        match days.filter(|days| *days <= MAX_DAYS) {
            Some(days) => Ok(days),
            None => self.unexpected(format!("a whole number of days from 0 to {MAX_DAYS}")),
        }
    }
}

/// Counts what has been read so far.
struct Parser {
    nodes: usize,
    values: usize,
}

impl Parser {
    fn filter(&mut self, place: Place<'_>, depth: usize) -> Result<Filter, FilterError> {
        if depth > MAX_DEPTH {
            return Err(FilterError::TooLarge { what: "levels", limit: MAX_DEPTH });
        }
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(FilterError::TooLarge { what: "conditions", limit: MAX_NODES });
        }
        let (key, json) = place.entry(FILTERS)?;
        let path = format!("{}.{key}", place.path);
        let inner = Place { path: &path, json };
        Ok(match key {
            "and" if json.as_array().is_some_and(Vec::is_empty) => Filter::everything(),
            "and" => Filter::And(self.filters(inner, depth)?),
            "or" => Filter::Or(self.filters(inner, depth)?),
            "not" => Filter::Not(Box::new(self.filter(inner, depth + 1)?)),
            "id" => Filter::Id(self.ids(inner)?),
            "title" => Filter::Title(inner.text_of(false)?),
            "description" => Filter::Description(inner.text_of(true)?),
            "keyword" => Filter::Keyword(inner.keyword()?),
            "status" => Filter::Status(self.one_of(inner, &STATUSES)?),
            "objectType" => Filter::ObjectType(self.one_of(inner, &OBJECT_TYPES)?),
            "level" => Filter::Level(self.one_of(inner, &LEVELS)?),
            "period" => Filter::Period(self.period(inner)?),
            "team" => Filter::Team(self.team(inner)?),
            "teamType" => Filter::TeamType(self.team_type(inner)?),
            "tag" => Filter::Tag(self.link(inner, &["none"], &["in", "all"])?),
            "owner" => Filter::Owner(self.owner(inner, &["in", "all", "withReports", "withAllReports"])?),
            "delegate" => Filter::Delegate(self.owner(inner, &["in", "withReports", "withAllReports"])?),
            "manager" => Filter::Manager(self.manager(inner)?),
            "start" => Filter::Start(inner.day(&["none"], &[])?),
            "due" if json == "overdue" => Filter::Due(Due::Overdue),
            "due" => Filter::Due(Due::Day(inner.day(&["overdue", "none"], &[])?)),
            "checkIn" => Filter::CheckIn(inner.day(&["none"], &[])?),
            "created" => Filter::Created(inner.moment()?),
            "updated" => Filter::Updated(inner.moment()?),
            "progress" => Filter::Progress(inner.amount()?),
            "value" => Filter::Value(inner.amount()?),
            "score" => Filter::Score(inner.amount()?),
            "integration" => Filter::Integration(self.integration(inner)?),
            "aligned" => Filter::Aligned(self.aligned(inner)?),
            _ => return place.unexpected(FILTERS),
        })
    }

    fn filters(&mut self, place: Place<'_>, depth: usize) -> Result<Vec<Filter>, FilterError> {
        each(place, |place| self.filter(place, depth + 1))
    }
}

/// What may stand at a place: one of some words, or an object with one of some keys.
fn wanted(words: &[&str], keys: &[&str]) -> String {
    let mut ways: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
    match keys {
        [] => {}
        [key] => ways.push(format!("an object with one key, `{key}`")),
        keys => ways.push(format!("an object with one key, one of `{}`", keys.join("`, `"))),
    }
    match ways.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn each<T>(
    place: Place<'_>,
    mut read: impl FnMut(Place<'_>) -> Result<T, FilterError>,
) -> Result<Vec<T>, FilterError> {
    let list = place.list()?.iter().enumerate();
    list.map(|(n, json)| read(Place { path: &format!("{}[{n}]", place.path), json })).collect()
}

#[cfg(test)]
mod tests;
