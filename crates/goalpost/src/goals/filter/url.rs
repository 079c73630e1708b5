//! A filter as the query of a URL, as people paste it.
//!
//! ```text
//! status=Behind,At Risk&owner=me&period=current&due=overdue&progress=lt:50
//! ```
//!
//! Keys are the words of the tree's conditions, values what stands behind them. Different keys all hold; of several
//! values of one key, at least one. An operator stands before a colon: `title=contains:crates`; without one, a list is
//! meant (`tag=Pilot,7`: a number or a name), of days `on`, of numbers `eq`, of texts `contains`, of goals `to`. `!`
//! before a key turns it round: `!status=Closed,Postponed`. Two values of `between` are joined by `..`.
//!
//! Values are decoded as forms encode them (`+` and `%20` are spaces); what is to stand for itself in a name (`,`, `:`,
//! `!`) is written behind a backslash.

use std::collections::BTreeMap;

use goalpost_odata::QueryString;
use serde_json::{Value as Json, json};

use super::{Filter, FilterError, MAX_NODES};

/// The longest query that is read, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// How the values of a key are read.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// `{"in": [word, …]}`
    Words,
    /// `{"in": [number or name, …]}`, or a list behind another operator, some of which may be `me`.
    Things,
    /// `{"contains": "…"}`, a single text for each value.
    Text,
    /// A day, a moment or a number of days.
    Day,
    /// A number.
    Amount,
    /// Goals: `{"in": […]}` or `{"to": […]}`.
    Goals,
}

/// A key, how its values are read, and the words and operators that it has.
struct Key {
    name: &'static str,
    form: Form,
    words: &'static [&'static str],
    /// The first one is meant where none is written.
    operators: &'static [&'static str],
}

const fn key(
    name: &'static str,
    form: Form,
    words: &'static [&'static str],
    operators: &'static [&'static str],
) -> Key {
    Key { name, form, words, operators }
}

const IN: &[&str] = &["in"];
const DAYS: &[&str] = &["on", "before", "after", "between", "lessThanDays", "moreThanDays"];
const MOMENTS: &[&str] =
    &["on", "before", "after", "between", "lessThanDays", "moreThanDays", "from", "until"];
const AMOUNTS: &[&str] = &["eq", "lt", "le", "ge", "gt", "between"];
const TEXTS: &[&str] = &["contains", "startsWith", "is"];

const KEYS: [Key; 24] = [
    key("id", Form::Goals, &[], IN),
    key("title", Form::Text, &[], TEXTS),
    key("description", Form::Text, &["none"], TEXTS),
    key("keyword", Form::Text, &[], &["contains", "anywhere"]),
    key("status", Form::Words, &[], IN),
    key("objectType", Form::Words, &[], IN),
    key("level", Form::Words, &[], IN),
    key("period", Form::Things, &["none", "current", "next", "previous"], IN),
    key("team", Form::Things, &["none"], &["in", "all", "withSubteams", "withAllSubteams"]),
    key("teamType", Form::Words, &[], IN),
    key("tag", Form::Things, &["none"], &["in", "all"]),
    key("owner", Form::Things, &["none", "me"], &["in", "all", "withReports", "withAllReports"]),
    key("delegate", Form::Things, &["none", "me"], &["in", "withReports", "withAllReports"]),
    key("manager", Form::Things, &["me"], &["in", "above"]),
    key("start", Form::Day, &["none"], DAYS),
    key("due", Form::Day, &["none", "overdue"], DAYS),
    key("checkIn", Form::Day, &["none"], DAYS),
    key("created", Form::Day, &["none"], MOMENTS),
    key("updated", Form::Day, &["none"], MOMENTS),
    key("progress", Form::Amount, &["none"], AMOUNTS),
    key("value", Form::Amount, &["none"], AMOUNTS),
    key("score", Form::Amount, &["none"], AMOUNTS),
    key("integration", Form::Words, &["none"], IN),
    key("aligned", Form::Goals, &["true", "false"], &["to", "below"]),
];

/// Operators that take `me` for a person.
const OF_PEOPLE: [&str; 3] = ["withReports", "withAllReports", "above"];

/// Why the query of a URL is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlFilterError {
    /// The query cannot be decoded.
    #[error("the filter is not a query: {0}")]
    Query(#[from] goalpost_odata::QueryError),
    /// It is longer than any view needs.
    #[error("the filter is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// There is no such key.
    #[error("goals cannot be filtered by `{0}`; they can be by {known}", known = names())]
    Key(String),
    /// The key has no such value.
    #[error("`{key}` cannot be `{value}`; write {wanted}")]
    Value {
        /// The key.
        key: &'static str,
        /// What stands there, cut short.
        value: String,
        /// What may stand there.
        wanted: String,
    },
    /// It is larger than any view needs.
    #[error(transparent)]
    Tree(#[from] FilterError),
}

fn names() -> String {
    KEYS.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")
}

impl Filter {
    /// Read a filter from the query of a URL, without the `?` before it. An empty one holds every goal.
    ///
    /// # Errors
    /// [`UrlFilterError`] names what is not understood and what may stand there. Any text is safe to give.
    pub fn parse_url(query: &str) -> Result<Self, UrlFilterError> {
        if query.len() > MAX_BYTES {
            return Err(UrlFilterError::TooLong);
        }
        let query = QueryString::parse(query)?;
        // By key, and in the order of the keys' first mention.
        let mut order: Vec<(usize, bool)> = Vec::new();
        let mut ways: BTreeMap<(usize, bool), Vec<Json>> = BTreeMap::new();
        for (name, value) in query.pairs() {
            let (positive, is_not) = name.strip_prefix('!').map_or((name, false), |name| (name, true));
            let at = KEYS.iter().position(|key| key.name == positive);
            let at = at.ok_or_else(|| UrlFilterError::Key(cut(positive)))?;
            if !order.contains(&(at, is_not)) {
                order.push((at, is_not));
            }
            ways.entry((at, is_not)).or_default().extend(KEYS[at].read(value)?);
        }
        if ways.values().map(Vec::len).sum::<usize>() > MAX_NODES {
            return Err(FilterError::TooLarge { what: "conditions", limit: MAX_NODES }.into());
        }
        let conditions = order.into_iter().map(|at| {
            let ways = ways.remove(&at).unwrap_or_default();
            let any = if ways.len() == 1 { json!(ways[0]) } else { json!({ "or": ways }) };
            if at.1 { json!({ "not": any }) } else { any }
        });
        let mut conditions: Vec<Json> = conditions.collect();
        let filter = if conditions.len() == 1 { conditions.remove(0) } else { json!({ "and": conditions }) };
        Ok(Self::try_from(filter)?)
    }
}

impl Key {
    /// The conditions of a value, of which one is to hold.
    fn read(&self, value: &str) -> Result<Vec<Json>, UrlFilterError> {
        let mut ways: Vec<Json> = Vec::new();
        let mut lists: Vec<(&str, Vec<Json>)> = Vec::new();
        let mut listing = self.operators[0];
        for part in split(value, ',') {
            let (operator, text) = self.split_operator(&part).ok_or_else(|| self.refused(&part))?;
            let text = unescaped(text);
            if text.trim().is_empty() {
                return Err(self.refused(value));
            }
            if operator.is_none() && self.words.contains(&text.as_str()) {
                let word = match text.as_str() {
                    "true" => json!(true),
                    "false" => json!(false),
                    word => json!(word),
                };
                ways.push(json!({ self.name: word }));
                continue;
            }
            match self.form {
                Form::Words | Form::Things | Form::Goals => {
                    listing = operator.unwrap_or(listing);
                    if self.form == Form::Things && text == "me" && OF_PEOPLE.contains(&listing) {
                        ways.push(json!({ self.name: { listing: "me" } }));
                        continue;
                    }
                    let item = self.item(&text).ok_or_else(|| self.refused(&text))?;
                    match lists.iter_mut().find(|(known, _)| *known == listing) {
                        Some((_, items)) => items.push(item),
                        None => lists.push((listing, vec![item])),
                    }
                }
                Form::Text | Form::Day | Form::Amount => {
                    let operator = operator.unwrap_or(self.operators[0]);
                    let bound = self.bound(operator, &text).ok_or_else(|| self.refused(&part))?;
                    ways.push(json!({ self.name: { operator: bound } }));
                }
            }
        }
        ways.extend(lists.into_iter().map(|(operator, items)| json!({ self.name: { operator: items } })));
        // What only the tree can judge (a status, a day) is judged here, where the key is known.
        for way in &ways {
            Filter::try_from(way.clone()).map_err(|error| match error {
                FilterError::Unexpected { wanted, .. } => {
                    UrlFilterError::Value { key: self.name, value: cut(value), wanted }
                }
                other => UrlFilterError::Tree(other),
            })?;
        }
        Ok(ways)
    }

    /// The operator before the first colon, and what stands behind it; `None` if it is one of other keys.
    fn split_operator<'a>(&self, part: &'a str) -> Option<(Option<&'static str>, &'a str)> {
        let Some((before, text)) = part.split_once(':') else { return Some((None, part)) };
        let is_meant = |operator: &&&str| **operator == before.trim();
        match self.operators.iter().find(is_meant) {
            Some(operator) => Some((Some(*operator), text)),
            None if KEYS.iter().any(|key| key.operators.iter().any(|known| is_meant(&known))) => None,
            None => Some((None, part)),
        }
    }

    fn item(&self, text: &str) -> Option<Json> {
        match (self.form, text.parse::<i64>()) {
            (Form::Words, _) | (Form::Things, Err(_)) => Some(json!(text)),
            (_, Ok(number)) => Some(json!(number)),
            (_, Err(_)) => None,
        }
    }

    fn bound(&self, operator: &str, text: &str) -> Option<Json> {
        if operator == "between" {
            let (first, last) = text.split_once("..")?;
            return Some(json!([self.bound("", first.trim())?, self.bound("", last.trim())?]));
        }
        match self.form {
            Form::Amount => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Json::from),
            _ if operator.ends_with("Days") => text.parse::<u16>().ok().map(Json::from),
            _ => Some(json!(text)),
        }
    }

    fn refused(&self, value: &str) -> UrlFilterError {
        let mut ways: Vec<String> = self.words.iter().map(|word| format!("`{word}`")).collect();
        let (what, operators) = match self.form {
            Form::Words => ("words", self.operators),
            Form::Things => ("numbers or names", self.operators),
            Form::Goals => ("numbers of goals", self.operators),
            Form::Text => ("a text", self.operators),
            Form::Day => ("a day or a number of days", self.operators),
            Form::Amount => ("a number", self.operators),
        };
        ways.push(what.to_owned());
        let prefixes: Vec<String> = operators[1..].iter().map(|operator| format!("`{operator}:`")).collect();
        let prefixes = if prefixes.is_empty() {
            String::new()
        } else {
            format!(", also behind {}", prefixes.join(", "))
        };
        let wanted = format!("{}{prefixes}", ways.join(", "));
        UrlFilterError::Value { key: self.name, value: cut(value), wanted }
    }
}

/// A text cut at a letter, but not behind a backslash. The backslashes stay.
fn split(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_escaped = false;
    for letter in text.chars() {
        let last = parts.len() - 1;
        if letter == at && !is_escaped {
            parts.push(String::new());
        } else {
            parts[last].push(letter);
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    parts
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.trim().chars();
    while let Some(letter) = letters.next() {
        plain.push(if letter == '\\' { letters.next().unwrap_or('\\') } else { letter });
    }
    plain
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> String {
        let filter = Filter::parse_url(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        serde_json::to_string(&filter).expect("plain data")
    }

    #[test]
    fn what_people_paste_becomes_the_tree() {
        for (query, json) in [
            ("", r#"{"and":[]}"#),
            ("status=Behind,At Risk", r#"{"status":{"in":["Behind","At Risk"]}}"#),
            (
                "status=Behind&status=At+Risk",
                r#"{"or":[{"status":{"in":["Behind"]}},{"status":{"in":["At Risk"]}}]}"#,
            ),
            (
                "status=at%20risk&owner=me&period=current&due=overdue&progress=lt:50",
                r#"{"and":[{"status":{"in":["At Risk"]}},{"owner":"me"},{"period":"current"},{"due":"overdue"},{"progress":{"lt":50.0}}]}"#,
            ),
            ("!status=Closed,Postponed", r#"{"not":{"status":{"in":["Closed","Postponed"]}}}"#),
            ("tag=Pilot,7,none", r#"{"or":[{"tag":"none"},{"tag":{"in":["Pilot",7]}}]}"#),
            ("tag=all:Pilot,New", r#"{"tag":{"all":["Pilot","New"]}}"#),
            (r"tag=R%26D\, north", r#"{"tag":{"in":["R&D, north"]}}"#),
            ("owner=withAllReports:me", r#"{"owner":{"withAllReports":"me"}}"#),
            ("owner=ada@contoso.example,5", r#"{"owner":{"in":["ada@contoso.example",5]}}"#),
            ("manager=above:me", r#"{"manager":{"above":"me"}}"#),
            ("team=withSubteams:Harbour", r#"{"team":{"withSubteams":["Harbour"]}}"#),
            ("due=before:2026-01-31", r#"{"due":{"before":"2026-01-31"}}"#),
            (
                "created=between:2026-01-01..2026-01-31",
                r#"{"created":{"between":["2026-01-01","2026-01-31"]}}"#,
            ),
            ("updated=from:2026-01-31T09:30:00Z", r#"{"updated":{"from":"2026-01-31T09:30:00Z"}}"#),
            ("checkIn=moreThanDays:7", r#"{"checkIn":{"moreThanDays":7}}"#),
            ("progress=between:0..49.5", r#"{"progress":{"between":[0.0,49.5]}}"#),
            ("score=none", r#"{"score":"none"}"#),
            ("title=Ship 100: all", r#"{"title":{"contains":"Ship 100: all"}}"#),
            ("title=is:Ship it", r#"{"title":{"is":"Ship it"}}"#),
            ("keyword=anywhere:ladder", r#"{"keyword":{"anywhere":"ladder"}}"#),
            ("integration=Jira", r#"{"integration":{"in":["Jira"]}}"#),
            ("aligned=false", r#"{"aligned":false}"#),
            ("aligned=below:100,101", r#"{"aligned":{"below":[100,101]}}"#),
            ("id=4,5", r#"{"id":{"in":[4,5]}}"#),
        ] {
            assert_eq!(read(query), json, "{query}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let error = |query: &str| Filter::parse_url(query).expect_err(query).to_string();
        assert!(
            error("colour=red")
                .starts_with("goals cannot be filtered by `colour`; they can be by id, title, ")
        );
        assert_eq!(
            error("status=Late"),
            "`status` cannot be `Late`; write one of `Not Started`, `On Track`, `Behind`, `At Risk`, `Closed`, \
             `Postponed`, `Reopened`, `In-progress`"
        );
        assert_eq!(
            error("progress=some"),
            "`progress` cannot be `some`; write `none`, a number, also behind `lt:`, `le:`, `ge:`, `gt:`, `between:`"
        );
        for query in [
            "status=",
            "status",
            "=Behind",
            "status=Behind,",
            "progress=lt:",
            "progress=NaN",
            "due=tomorrow",
            "due=on:2026-02-30",
            "due=between:2026-01-31",
            "checkIn=moreThanDays:-1",
            "id=Ship",
            "aligned=maybe",
            "period=all:1",
            "tag=%zz",
        ] {
            error(query);
        }
        assert!(Filter::parse_url(&format!("title={}", vec!["a"; 201].join(","))).is_err());
    }
}
