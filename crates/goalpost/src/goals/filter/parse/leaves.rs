//! The conditions of a filter, word by word.

use jiff::civil::Date;
use serde_json::Value as Json;

use super::super::{
    Aligned, Amount, Day, Ids, Integration, Keyword, Link, MAX_VALUES, Manager, Moment, OneOf, Owner, People,
    Period, Reference, Team, Text,
};
use super::{FilterError, Parser, Place, each};

const DAYS: [&str; 6] = ["on", "before", "after", "between", "lessThanDays", "moreThanDays"];
const MOMENTS: [&str; 2] = ["from", "until"];
const COMPARISONS: [&str; 6] = ["lt", "le", "eq", "ge", "gt", "between"];
const TEXTS: [&str; 3] = ["contains", "startsWith", "is"];

impl<'a> Place<'a> {
    /// The only key of an object and the place of its value.
    fn step<T>(
        self,
        words: &[&str],
        keys: &[&str],
        read: impl FnOnce(&'a str, Place<'_>) -> Result<T, FilterError>,
    ) -> Result<T, FilterError> {
        let (key, json) = self.operator(words, keys)?;
        read(key, Place { path: &format!("{}.{key}", self.path), json })
    }

    /// Two values, the first not after the second.
    fn pair<T: PartialOrd>(
        self,
        wanted: &str,
        read: impl Fn(Place<'_>) -> Result<T, FilterError>,
    ) -> Result<(T, T), FilterError> {
        let Some([first, last]) = self.json.as_array().map(Vec::as_slice) else {
            return self.unexpected(wanted);
        };
        let at =
            |index: usize, json: &'a Json| read(Place { path: &format!("{}[{index}]", self.path), json });
        match (at(0, first)?, at(1, last)?) {
            (first, last) if first <= last => Ok((first, last)),
            _ => self.unexpected(wanted),
        }
    }

    /// A day, with `words` and `more` keys that the caller knows besides.
    pub(super) fn day(self, words: &[&str], more: &[&str]) -> Result<Day, FilterError> {
        if self.is_word("none") {
            return Ok(Day::None);
        }
        let keys: Vec<&str> = DAYS.iter().chain(more).copied().collect();
        self.step(words, &keys, |key, value| {
            Ok(match key {
                "on" => Day::On(value.date()?),
                "before" => Day::Before(value.date()?),
                "after" => Day::After(value.date()?),
                "between" => {
                    let (first, last) = value.pair("a list of two days, the earlier one first", date)?;
                    Day::Between(first, last)
                }
                "lessThanDays" => Day::LessThanDays(value.days()?),
                _ => Day::MoreThanDays(value.days()?),
            })
        })
    }

    pub(super) fn moment(self) -> Result<Moment, FilterError> {
        let key = self.json.as_object().and_then(|object| object.keys().next());
        match key {
            Some(key) if MOMENTS.contains(&key.as_str()) => self.step(&[], &MOMENTS, |key, value| {
                let at = value.timestamp()?;
                Ok(if key == "from" { Moment::From(at) } else { Moment::Until(at) })
            }),
            _ => Ok(Moment::Day(self.day(&["none"], &MOMENTS)?)),
        }
    }

    pub(super) fn amount(self) -> Result<Amount, FilterError> {
        if self.is_word("none") {
            return Ok(Amount::None);
        }
        self.step(&["none"], &COMPARISONS, |key, value| {
            let make = match key {
                "lt" => Amount::Lt,
                "le" => Amount::Le,
                "eq" => Amount::Eq,
                "ge" => Amount::Ge,
                "gt" => Amount::Gt,
                _ => {
                    let (least, most) = value.pair("a list of two numbers, the smaller one first", number)?;
                    return Ok(Amount::Between(least, most));
                }
            };
            Ok(make(value.number()?))
        })
    }

    pub(super) fn text_of(self, may_be_none: bool) -> Result<Text, FilterError> {
        let words: &[&str] = if may_be_none { &["none"] } else { &[] };
        if may_be_none && self.is_word("none") {
            return Ok(Text::None);
        }
        self.step(words, &TEXTS, |key, value| {
            let text = value.text("the text to look for")?.to_owned();
            Ok(match key {
                "contains" => Text::Contains(text),
                "startsWith" => Text::StartsWith(text),
                _ => Text::Is(text),
            })
        })
    }

    pub(super) fn keyword(self) -> Result<Keyword, FilterError> {
        self.step(&[], &["contains", "anywhere"], |key, value| {
            let text = value.text("the text to look for")?.to_owned();
            Ok(if key == "contains" { Keyword::Contains(text) } else { Keyword::Anywhere(text) })
        })
    }
}

fn date(place: Place<'_>) -> Result<Date, FilterError> {
    place.date()
}

fn number(place: Place<'_>) -> Result<f64, FilterError> {
    place.number()
}

impl Parser {
    pub(super) fn ids(&mut self, place: Place<'_>) -> Result<Ids, FilterError> {
        place.step(&[], &["in"], |_, value| Ok(Ids::In(self.numbers(value)?)))
    }

    pub(super) fn one_of(&mut self, place: Place<'_>, words: &[&str]) -> Result<OneOf, FilterError> {
        self.one_of_by(place, |place| {
            let written = place.json.as_str().unwrap_or_default();
            match words.iter().find(|word| word.eq_ignore_ascii_case(written)) {
                Some(word) => Ok((*word).to_owned()),
                None => place.unexpected(format!("one of `{}`", words.join("`, `"))),
            }
        })
    }

    pub(super) fn team_type(&mut self, place: Place<'_>) -> Result<OneOf, FilterError> {
        self.one_of_by(place, |place| Ok(place.text("a team type, as the files print it")?.to_owned()))
    }

    fn one_of_by(
        &mut self,
        place: Place<'_>,
        read: impl FnMut(Place<'_>) -> Result<String, FilterError>,
    ) -> Result<OneOf, FilterError> {
        place.step(&[], &["in", "notIn"], |key, value| {
            let words = self.values(value, read)?;
            Ok(if key == "in" { OneOf::In(words) } else { OneOf::NotIn(words) })
        })
    }

    pub(super) fn integration(&mut self, place: Place<'_>) -> Result<Integration, FilterError> {
        if place.is_word("none") {
            return Ok(Integration::None);
        }
        place.step(&["none"], &["in"], |_, value| {
            let read = |place: Place<'_>| Ok(place.text("an integration, as the files print it")?.to_owned());
            Ok(Integration::In(self.values(value, read)?))
        })
    }

    /// `"none"`, `in`, or `all` where it may stand; `words` and `keys` are what may stand there at all.
    pub(super) fn link(
        &mut self,
        place: Place<'_>,
        words: &[&str],
        keys: &[&str],
    ) -> Result<Link, FilterError> {
        if place.is_word("none") {
            return Ok(Link::None);
        }
        place.step(words, keys, |key, value| {
            let things = self.references(value)?;
            Ok(if key == "all" { Link::All(things) } else { Link::In(things) })
        })
    }

    pub(super) fn period(&mut self, place: Place<'_>) -> Result<Period, FilterError> {
        Ok(match place.json.as_str() {
            Some("current") => Period::Current,
            Some("next") => Period::Next,
            Some("previous") => Period::Previous,
            _ => Period::Link(self.link(place, &["none", "current", "next", "previous"], &["in"])?),
        })
    }

    pub(super) fn team(&mut self, place: Place<'_>) -> Result<Team, FilterError> {
        if place.is_word("none") {
            return Ok(Team::Link(Link::None));
        }
        place.step(&["none"], &["in", "all", "withSubteams", "withAllSubteams"], |key, value| {
            let teams = self.references(value)?;
            Ok(match key {
                "in" => Team::Link(Link::In(teams)),
                "all" => Team::Link(Link::All(teams)),
                "withSubteams" => Team::WithSubteams(teams),
                _ => Team::WithAllSubteams(teams),
            })
        })
    }

    pub(super) fn owner(&mut self, place: Place<'_>, keys: &[&str]) -> Result<Owner, FilterError> {
        match place.json.as_str() {
            Some("me") => return Ok(Owner::Me),
            Some("none") => return Ok(Owner::Link(Link::None)),
            _ => {}
        }
        place.step(&["me", "none"], keys, |key, value| {
            Ok(match key {
                "in" => Owner::Link(Link::In(self.references(value)?)),
                "all" => Owner::Link(Link::All(self.references(value)?)),
                "withReports" => Owner::WithReports(self.people(value)?),
                _ => Owner::WithAllReports(self.people(value)?),
            })
        })
    }

    pub(super) fn manager(&mut self, place: Place<'_>) -> Result<Manager, FilterError> {
        if place.is_word("me") {
            return Ok(Manager::Me);
        }
        place.step(&["me"], &["in", "above"], |key, value| {
            Ok(if key == "in" {
                Manager::In(self.references(value)?)
            } else {
                Manager::Above(self.people(value)?)
            })
        })
    }

    fn people(&mut self, place: Place<'_>) -> Result<People, FilterError> {
        if place.is_word("me") {
            return Ok(People::Me);
        }
        if !place.json.is_array() {
            return place.unexpected("`\"me\"` or a list of people, each by number or e-mail");
        }
        Ok(People::These(self.references(place)?))
    }

    pub(super) fn aligned(&mut self, place: Place<'_>) -> Result<Aligned, FilterError> {
        if let Some(aligned) = place.json.as_bool() {
            return Ok(Aligned::Any(aligned));
        }
        if !place.json.is_object() {
            return place.unexpected("`true`, `false` or an object with one key, one of `to`, `below`");
        }
        place.step(&[], &["to", "below"], |key, value| {
            let goals = self.numbers(value)?;
            Ok(if key == "to" { Aligned::To(goals) } else { Aligned::Below(goals) })
        })
    }

    fn references(&mut self, place: Place<'_>) -> Result<Vec<Reference>, FilterError> {
        self.values(place, |place| match place.json.as_i64() {
            Some(number) => Ok(Reference::Number(number)),
            None => Ok(Reference::Name(place.text("a number, a name, or a person's e-mail")?.to_owned())),
        })
    }

    fn numbers(&mut self, place: Place<'_>) -> Result<Vec<i64>, FilterError> {
        self.values(place, |place| match place.json.as_i64() {
            Some(number) => Ok(number),
            None => place.unexpected("the number of a goal"),
        })
    }

    fn values<T>(
        &mut self,
        place: Place<'_>,
        mut read: impl FnMut(Place<'_>) -> Result<T, FilterError>,
    ) -> Result<Vec<T>, FilterError> {
        each(place, |place| {
            self.values += 1;
            if self.values > MAX_VALUES {
                return Err(FilterError::TooLarge { what: "values in its lists", limit: MAX_VALUES });
            }
            read(place)
        })
    }
}
