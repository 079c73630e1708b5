//! JSON to filter, with errors that say where, and what to write instead.

use jiff::civil::Date;
use serde_json::Value as Json;

use super::{
    Day, Due, Filter, Keyword, Link, MAX_CHARACTERS, MAX_DEPTH, MAX_NODES, MAX_VALUES, OBJECT_TYPES, OneOf,
    Owner, Percent, Reference, STATUSES,
};

const FILTERS: &str = "one of `and`, `or`, `not`, `status`, `objectType`, `period`, `team`, `tag`, `owner`, `due`, \
                       `checkIn`, `progress`, `keyword`, `aligned`";
const DAYS: &str = "one of `on`, `before`, `after`, `lessThanDays`, `moreThanDays`";
const COMPARISONS: &str = "one of `lt`, `le`, `eq`, `ge`, `gt`";
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
    /// repeated beyond [`MAX_DEPTH`], [`MAX_NODES`] and [`MAX_VALUES`] is refused.
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
            "status" => Filter::Status(self.one_of(inner, &STATUSES)?),
            "objectType" => Filter::ObjectType(self.one_of(inner, &OBJECT_TYPES)?),
            "period" => Filter::Period(self.link(inner, "`\"none\"` or an object with `in`")?),
            "team" => Filter::Team(self.link(inner, "`\"none\"` or an object with `in`")?),
            "tag" => Filter::Tag(self.link(inner, "`\"none\"` or an object with `in`")?),
            "owner" if json == "me" => Filter::Owner(Owner::Me),
            "owner" => {
                Filter::Owner(Owner::Link(self.link(inner, "`\"me\"`, `\"none\"` or an object with `in`")?))
            }
            "due" if json == "overdue" => Filter::Due(Due::Overdue),
            "due" if json.is_string() => {
                return inner.unexpected(format!("`\"overdue\"` or an object with {DAYS}"));
            }
            "due" => Filter::Due(Due::Day(day(inner)?)),
            "checkIn" => Filter::CheckIn(day(inner)?),
            "progress" => Filter::Progress(percent(inner)?),
            "keyword" => Filter::Keyword(keyword(inner)?),
            "aligned" => match json.as_bool() {
                Some(aligned) => Filter::Aligned(aligned),
                None => return inner.unexpected("`true` or `false`"),
            },
            _ => return place.unexpected(FILTERS),
        })
    }

    fn filters(&mut self, place: Place<'_>, depth: usize) -> Result<Vec<Filter>, FilterError> {
        each(place, |place| self.filter(place, depth + 1))
    }

    fn one_of(&mut self, place: Place<'_>, words: &[&str]) -> Result<OneOf, FilterError> {
        let wanted = || format!("one of `{}`", words.join("`, `"));
        let values = self.values(place, |place| {
            let written = place.json.as_str().unwrap_or_default();
            match words.iter().find(|word| word.eq_ignore_ascii_case(written)) {
                Some(word) => Ok((*word).to_owned()),
                None => place.unexpected(wanted()),
            }
        })?;
        Ok(OneOf::In(values))
    }

    fn link(&mut self, place: Place<'_>, wanted: &str) -> Result<Link, FilterError> {
        if place.json == "none" {
            return Ok(Link::None);
        }
        if !place.json.is_object() {
            return place.unexpected(wanted);
        }
        let values = self.values(place, |place| match place.json.as_i64() {
            Some(number) => Ok(Reference::Number(number)),
            None => Ok(Reference::Name(place.text("a number, a name, or a person's e-mail")?.to_owned())),
        })?;
        Ok(Link::In(values))
    }

    /// The values of `{"in": [...]}`.
    fn values<T>(
        &mut self,
        place: Place<'_>,
        mut read: impl FnMut(Place<'_>) -> Result<T, FilterError>,
    ) -> Result<Vec<T>, FilterError> {
        let ("in", json) = place.entry("`in`")? else {
            return place.unexpected("an object with one key, `in`");
        };
        each(Place { path: &format!("{}.in", place.path), json }, |place| {
            self.values += 1;
            if self.values > MAX_VALUES {
                return Err(FilterError::TooLarge { what: "values in its lists", limit: MAX_VALUES });
            }
            read(place)
        })
    }
}

fn each<T>(
    place: Place<'_>,
    mut read: impl FnMut(Place<'_>) -> Result<T, FilterError>,
) -> Result<Vec<T>, FilterError> {
    let list = place.list()?.iter().enumerate();
    list.map(|(n, json)| read(Place { path: &format!("{}[{n}]", place.path), json })).collect()
}

fn day(place: Place<'_>) -> Result<Day, FilterError> {
    let (key, json) = place.entry(DAYS)?;
    let path = format!("{}.{key}", place.path);
    let value = Place { path: &path, json };
    Ok(match key {
        "on" => Day::On(value.date()?),
        "before" => Day::Before(value.date()?),
        "after" => Day::After(value.date()?),
        "lessThanDays" => Day::LessThanDays(value.days()?),
        "moreThanDays" => Day::MoreThanDays(value.days()?),
        _ => return place.unexpected(format!("an object with one key, {DAYS}")),
    })
}

fn percent(place: Place<'_>) -> Result<Percent, FilterError> {
    let (key, json) = place.entry(COMPARISONS)?;
    let make = match key {
        "lt" => Percent::Lt,
        "le" => Percent::Le,
        "eq" => Percent::Eq,
        "ge" => Percent::Ge,
        "gt" => Percent::Gt,
        _ => return place.unexpected(format!("an object with one key, {COMPARISONS}")),
    };
    match json.as_f64() {
        Some(percent) => Ok(make(percent)),
        None => Place { path: &format!("{}.{key}", place.path), json }.unexpected("a number"),
    }
}

fn keyword(place: Place<'_>) -> Result<Keyword, FilterError> {
    let ("contains", json) = place.entry("`contains`")? else {
        return place.unexpected("an object with one key, `contains`");
    };
    let path = format!("{}.contains", place.path);
    Ok(Keyword::Contains(Place { path: &path, json }.text("the text to look for")?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Filter::parse(text).expect_err("not a filter").to_string()
    }

    #[test]
    fn every_condition_is_read_and_written_back_alike() {
        for text in [
            r#"{"and":[]}"#,
            r#"{"and":[{"or":[{"not":{"aligned":false}}]}]}"#,
            r#"{"status":{"in":["Behind","At Risk"]}}"#,
            r#"{"objectType":{"in":["keyResult"]}}"#,
            r#"{"period":{"in":[12,"Q1 2026"]}}"#,
            r#"{"team":"none"}"#,
            r#"{"tag":{"in":["Pilot"]}}"#,
            r#"{"owner":"me"}"#,
            r#"{"owner":"none"}"#,
            r#"{"owner":{"in":["ada.quill@contoso.example",7]}}"#,
            r#"{"due":"overdue"}"#,
            r#"{"due":{"before":"2026-01-31"}}"#,
            r#"{"due":{"on":"2026-01-31"}}"#,
            r#"{"checkIn":{"after":"2026-01-31"}}"#,
            r#"{"checkIn":{"lessThanDays":7}}"#,
            r#"{"checkIn":{"moreThanDays":0}}"#,
            r#"{"progress":{"lt":-12.5}}"#,
            r#"{"progress":{"ge":275.0}}"#,
            r#"{"keyword":{"contains":"100 % \\ _"}}"#,
        ] {
            let filter = Filter::parse(text).expect(text);
            assert_eq!(serde_json::to_string(&filter).expect("plain data"), text);
            assert_eq!(serde_json::from_str::<Filter>(text).expect(text), filter);
        }
    }

    #[test]
    fn words_are_taken_in_any_case_and_kept_in_the_databases() {
        assert_eq!(
            Filter::parse(r#"{"status": {"in": ["at risk"]}}"#),
            Ok(Filter::Status(OneOf::In(vec!["At Risk".to_owned()])))
        );
    }

    #[test]
    fn an_error_names_the_place_and_the_words_that_may_stand_there() {
        assert_eq!(
            error(r#"{"and": [{"aligned": true}, {"status": {"in": ["Late"]}}]}"#),
            "at `filter.and[1].status.in[0]` of the filter stands `\"Late\"`; write one of `Not Started`, `On Track`, \
             `Behind`, `At Risk`, `Closed`, `Postponed`, `Reopened`, `In-progress`"
        );
        assert_eq!(
            error(r#"{"due": {"lessThanDays": 1.5}}"#),
            "at `filter.due.lessThanDays` of the filter stands `1.5`; write a whole number of days from 0 to 36500"
        );
        assert_eq!(
            error(r#"{"owner": "you"}"#),
            "at `filter.owner` of the filter stands `\"you\"`; write `\"me\"`, `\"none\"` or an object with `in`"
        );
    }

    #[test]
    fn what_is_not_a_filter_is_refused() {
        for text in [
            "",
            "not json",
            "null",
            "[]",
            "{}",
            r#"{"and": {}}"#,
            r#"{"or": []}"#,
            r#"{"colour": "red"}"#,
            r#"{"aligned": true, "owner": "me"}"#,
            r#"{"aligned": "yes"}"#,
            r#"{"status": {"in": []}}"#,
            r#"{"status": {"is": ["Closed"]}}"#,
            r#"{"team": {"in": [1.5]}}"#,
            r#"{"tag": {"in": [" "]}}"#,
            r#"{"due": "tomorrow"}"#,
            r#"{"due": {"on": "2026-02-30"}}"#,
            r#"{"due": {"on": "+002026-01"}}"#,
            r#"{"due": {"moreThanDays": 36501}}"#,
            r#"{"progress": {"lt": "50"}}"#,
            r#"{"progress": {"lt": 1e999}}"#,
            r#"{"keyword": {"contains": "a\u0000b"}}"#,
        ] {
            error(text);
        }
    }

    #[test]
    fn size_is_bounded_in_every_direction() {
        let nested = |levels: usize| {
            format!("{}{{\"aligned\":true}}{}", "{\"not\":".repeat(levels - 1), "}".repeat(levels - 1))
        };
        assert!(Filter::parse(&nested(MAX_DEPTH)).is_ok());
        assert!(error(&nested(MAX_DEPTH + 1)).contains("more than 16 levels"));
        assert!(error(&nested(100_000)).contains("recursion limit"));

        let wide = |conditions: usize| format!("{{\"or\":{}}}", list(r#"{"aligned":true}"#, conditions));
        assert!(Filter::parse(&wide(MAX_NODES - 1)).is_ok());
        assert!(error(&wide(MAX_NODES)).contains("more than 200 conditions"));

        let long = |values: usize| format!("{{\"tag\":{{\"in\":{}}}}}", list("1", values));
        assert!(Filter::parse(&long(MAX_VALUES)).is_ok());
        assert!(error(&long(MAX_VALUES + 1)).contains("more than 1000 values"));

        let keyword = |characters| format!(r#"{{"keyword":{{"contains":"{}"}}}}"#, "é".repeat(characters));
        assert!(Filter::parse(&keyword(MAX_CHARACTERS)).is_ok());
        assert!(error(&keyword(MAX_CHARACTERS + 1)).contains("more than 500 characters"));
    }

    fn list(item: &str, count: usize) -> String {
        format!("[{}]", vec![item; count].join(","))
    }
}
