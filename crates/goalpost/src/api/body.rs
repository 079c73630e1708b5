//! Bodies of requests: what they may hold is a table, by which they are read and described.

use jiff::civil::Date;
use serde_json::{Map, Value as Json};

use crate::exports::options::Options;
use crate::http::GraphError;

/// A member that a body may have.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether there is no doing without.
    pub required: bool,
    /// Whether it may be null, which takes away what is there.
    pub nullable: bool,
    /// What it says.
    pub about: &'static str,
}

/// What a member holds.
#[derive(Clone, Copy, Debug)]
pub enum FieldKind {
    /// A text.
    Text,
    /// A text that is not blank.
    Words,
    /// A whole number.
    Int,
    /// A number.
    Real,
    /// True or false.
    Flag,
    /// A day.
    Day,
    /// A GUID.
    Guid,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Things by their numbers, each alone or as the `id` of an object.
    References,
    /// Objects with these members.
    Objects(&'static [Field]),
    /// A filter of a view.
    Filter,
    /// How a file is to look.
    ExportOptions,
}

/// Things that a list of a body may name, and objects that it may have: each is looked for by itself.
const MAX_REFERENCES: usize = 1_000;
const MAX_OBJECTS: usize = 100;

/// A member that may be missing.
pub(super) const fn field(name: &'static str, kind: FieldKind, about: &'static str) -> Field {
    Field { name, kind, required: false, nullable: false, about }
}

impl Field {
    pub(super) const fn or_null(mut self) -> Self {
        self.nullable = true;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// A body that holds what its table says, and nothing else.
#[derive(Clone, Debug)]
pub(super) struct Body(Map<String, Json>);

#[expect(clippy::option_option, reason = "not given, null, and a value are three things")]
impl Body {
    /// Hold the members of a body against its table. Those with an `@` are notes of OData's, and passed over.
    ///
    /// # Errors
    /// 400 that names the member and what may stand there.
    pub(super) fn new(fields: &[Field], members: Vec<(String, Json)>) -> Result<Self, GraphError> {
        check(fields, members.into_iter().filter(|(name, _)| !name.contains('@')).collect(), "").map(Self)
    }

    /// What was given; `Some(Json::Null)` for null.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// A text, if given.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.as_str().map(str::to_owned)
    }

    /// A text or null, if given.
    pub(super) fn opt_text(&self, name: &str) -> Option<Option<String>> {
        self.get(name).map(|json| json.as_str().map(str::to_owned))
    }

    /// A whole number, if given.
    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64()
    }

    /// A whole number or null, if given.
    pub(super) fn opt_int(&self, name: &str) -> Option<Option<i64>> {
        self.get(name).map(Json::as_i64)
    }

    /// A number, if given.
    pub(super) fn real(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_f64()
    }

    /// True or false, if given.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    /// A day, if given.
    pub(super) fn day(&self, name: &str) -> Option<Date> {
        self.get(name)?.as_str()?.parse().ok()
    }

    /// A day or null, if given.
    pub(super) fn opt_day(&self, name: &str) -> Option<Option<Date>> {
        self.get(name).map(|json| json.as_str().and_then(|text| text.parse().ok()))
    }

    /// One of the words of an enum, if given.
    pub(super) fn word<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.as_str()?.parse().ok()
    }

    /// Numbers of things, if given.
    pub(super) fn references(&self, name: &str) -> Option<Vec<i64>> {
        let mut numbers = Vec::new();
        for item in self.get(name)?.as_array()? {
            let number = item.as_i64().or_else(|| item["id"].as_i64());
            numbers.extend(number.filter(|number| !numbers.contains(number)));
        }
        Some(numbers)
    }

    /// Objects, if given.
    pub(super) fn objects(&self, name: &str) -> Option<Vec<Self>> {
        let items = self.get(name)?.as_array()?.iter();
        Some(items.filter_map(|item| item.as_object().cloned().map(Self)).collect())
    }
}

fn check(fields: &[Field], members: Map<String, Json>, place: &str) -> Result<Map<String, Json>, GraphError> {
    for (name, value) in &members {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            let known: Vec<_> = fields.iter().map(|field| field.name).collect();
            return Err(invalid(format!(
                "'{place}{name}' cannot be set here; what can is {}",
                if known.is_empty() { "nothing".to_owned() } else { known.join(", ") }
            )));
        };
        if !(value.is_null() && field.nullable) {
            check_value(field, value, place)?;
        }
    }
    match fields.iter().find(|field| field.required && !members.contains_key(field.name)) {
        Some(missing) => Err(invalid(format!("'{place}{}' is missing", missing.name))),
        None => Ok(members),
    }
}

fn check_value(field: &Field, value: &Json, place: &str) -> Result<(), GraphError> {
    let wanted = |what: &str| Err(invalid(format!("'{place}{}' must be {what}", field.name)));
    match field.kind {
        // SQL texts cannot hold NUL on every engine, and no text has one.
        FieldKind::Text if value.as_str().is_none_or(|text| text.contains('\0')) => wanted("a text"),
        FieldKind::Words
            if value.as_str().is_none_or(|text| text.trim().is_empty() || text.contains('\0')) =>
        {
            wanted("a text that is not empty")
        }
        FieldKind::Int if value.as_i64().is_none() => wanted("a whole number"),
        FieldKind::Real if value.as_f64().is_none() => wanted("a number"),
        FieldKind::Flag if !value.is_boolean() => wanted("true or false"),
        FieldKind::Day if day(value).is_none() => wanted("a day such as \"2026-01-31\""),
        FieldKind::Guid if value.as_str().and_then(crate::http::parse_guid).is_none() => wanted("a GUID"),
        FieldKind::OneOf(words) if value.as_str().is_none_or(|word| !words.contains(&word)) => {
            wanted(&format!("one of \"{}\"", words.join("\", \"")))
        }
        FieldKind::Filter if !value.is_object() => wanted("a filter of goals; see docs/DATA.md, \"Filters\""),
        FieldKind::ExportOptions => Options::parse(value.clone())
            .map_or_else(|why| wanted(&format!("options of an export: {why}")), |_| Ok(())),
        FieldKind::References => {
            let is_reference = |item: &Json| item.is_i64() || item["id"].is_i64();
            match value.as_array() {
                Some(items) if items.len() > MAX_REFERENCES => {
                    wanted(&format!("a list of at most {MAX_REFERENCES}"))
                }
                Some(items) if items.iter().all(is_reference) => Ok(()),
                _ => wanted("a list of numbers, or of objects with an `id`"),
            }
        }
        FieldKind::Objects(fields) => {
            let Some(items) = value.as_array() else { return wanted("a list of objects") };
            if items.len() > MAX_OBJECTS {
                return wanted(&format!("a list of at most {MAX_OBJECTS}"));
            }
            for (number, item) in items.iter().enumerate() {
                let Some(item) = item.as_object() else { return wanted("a list of objects") };
                check(fields, item.clone(), &format!("{place}{}[{number}].", field.name))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn day(value: &Json) -> Option<Date> {
    value.as_str().filter(|text| text.len() == "2026-01-31".len())?.parse().ok()
}

/// 400 for a body that cannot be what it is.
pub(super) fn invalid(why: impl Into<String>) -> GraphError {
    GraphError::service(
        axum::http::StatusCode::BAD_REQUEST,
        "badRequest",
        "invalidBody",
        format!("{}.", why.into()),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: &[Field] = &[
        field("title", FieldKind::Text, "").required(),
        field("end", FieldKind::Day, "").or_null(),
        field("owners", FieldKind::References, ""),
        field("kind", FieldKind::OneOf(&["a", "b"]), ""),
        field("parents", FieldKind::Objects(&[field("id", FieldKind::Int, "").required()]), ""),
    ];

    fn read(json: Json) -> Result<Body, String> {
        let Json::Object(members) = json else { panic!("an object") };
        Body::new(FIELDS, members.into_iter().collect()).map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn what_the_table_says_is_read() {
        let body = read(json!({
            "@odata.etag": 1, "title": "x", "end": null, "owners": [1, { "id": 2, "name": "n" }], "parents": [{ "id": 3 }],
        }))
        .expect("a body");
        assert_eq!(body.opt_day("end"), Some(None));
        assert_eq!(body.references("owners"), Some(vec![1, 2]));
        assert_eq!(body.objects("parents").and_then(|parents| parents[0].int("id")), Some(3));
        assert_eq!(body.text("kind"), None);
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for (json, says) in [
            (json!({}), "'title' is missing"),
            (json!({ "title": 1 }), "'title' must be a text"),
            (json!({ "title": "x", "id": 1 }), "'id' cannot be set here"),
            (json!({ "title": "x", "end": "soon" }), "'end' must be a day"),
            (json!({ "title": null }), "'title' must be a text"),
            (json!({ "title": "x", "kind": "c" }), "one of \\\\\"a\\\\\", \\\\\"b\\\\\""),
            (json!({ "title": "x", "owners": [true] }), "'owners' must be a list"),
            (json!({ "title": "x", "parents": [{ "id": "y" }] }), "'parents[0].id' must be a whole number"),
            (json!({ "title": "a\0b" }), "'title' must be a text"),
        ] {
            let error = read(json.clone()).expect_err("refused");
            assert!(error.contains(says) || error.contains(&says.replace("\\\\", "\\")), "{json}: {error}");
        }
    }
}
