//! Orders of rows, and pages by keyset: a page begins after the keys of the last row of the page before, so it costs the
//! same however far down it lies, and rows that come or go meanwhile neither repeat nor hide others.

use goalpost_db::{Result, Row, Value};
use serde_json::Value as Json;

use crate::table::Kind;

/// One part of an order. Its expression is never null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    sql: String,
    kind: Kind,
    descending: bool,
}

/// An order of rows. It is total if its last key is unique.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyset(Vec<Key>);

impl Keyset {
    /// Append an expression that is never null.
    #[must_use]
    pub fn by(mut self, sql: &str, kind: Kind, descending: bool) -> Self {
        if self.0.iter().all(|key| key.sql != sql) {
            self.0.push(Key { sql: sql.to_owned(), kind, descending });
        }
        self
    }

    /// Append an expression that may be null. Null comes before every value, and after all of them in descending order
    /// (OData 4.01 Part 2, 5.1.7), on either engine.
    #[must_use]
    pub fn by_nullable(self, sql: &str, kind: Kind, descending: bool) -> Self {
        self.by(&format!("case when {sql} is null then 0 else 1 end"), Kind::Int, descending)
            .by_value(sql, kind, descending)
    }

    /// Append an expression that may be null, and then comes after every value in either direction, as people expect it
    /// of a list.
    #[must_use]
    pub fn by_nullable_last(self, sql: &str, kind: Kind, descending: bool) -> Self {
        self.by(&format!("case when {sql} is null then 1 else 0 end"), Kind::Int, false)
            .by_value(sql, kind, descending)
    }

    fn by_value(self, sql: &str, kind: Kind, descending: bool) -> Self {
        let nothing = match kind {
            Kind::Int | Kind::Real => "0",
            Kind::Bool => "false",
            Kind::Text | Kind::Guid => "''",
        };
        self.by(&format!("coalesce({sql}, {nothing})"), kind, descending)
    }

    /// What stands behind `order by`.
    pub fn order_by(&self) -> String {
        let key = |key: &Key| format!("{}{}", key.sql, if key.descending { " desc" } else { "" });
        self.0.iter().map(key).collect::<Vec<_>>().join(", ")
    }

    /// The expressions of the keys, to be selected, so that the place of a row is known.
    pub fn selected(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| key.sql.as_str())
    }

    /// The place of a row whose keys were selected from column `first` on.
    pub(crate) fn read(&self, row: &Row<'_>, first: usize) -> Result<Vec<Value>> {
        self.0.iter().zip(first..).map(|(key, column)| key.kind.read(row, column)).collect()
    }

    /// The condition that a row comes after a place, with parameters numbered from `first` on: one for each key.
    pub fn after(&self, first: usize) -> String {
        let mut keys = self.0.iter().zip(first..first + self.0.len()).rev();
        let compare = |key: &Key| if key.descending { "<" } else { ">" };
        let Some((last, place)) = keys.next() else { return "1 = 0".to_owned() };
        let innermost = format!("{} {} ?{place}", last.sql, compare(last));
        keys.fold(innermost, |rest, (key, place)| {
            let (sql, beyond) = (&key.sql, compare(key));
            // The first comparison says nothing new; an index can begin with it.
            format!("({sql} {beyond}= ?{place} and ({sql} {beyond} ?{place} or {rest}))")
        })
    }

    /// A place as JSON, for the token of the next page.
    pub fn to_json(place: &[Value]) -> Json {
        place
            .iter()
            .map(|value| match value {
                Value::Int(value) => Json::from(*value),
                // A number that JSON has no form for is no key: nothing stores one.
                Value::Real(value) => Json::from(*value),
                Value::Bool(value) => Json::from(*value),
                Value::Text(value) => Json::from(value.as_str()),
                Value::Blob(value) => Json::from(value.as_slice()),
                Value::Null => Json::Null,
            })
            .collect()
    }

    /// The place that a token names; `None` if it is not one of this order.
    pub fn from_json(&self, place: &Json) -> Option<Vec<Value>> {
        let place = place.as_array().filter(|place| place.len() == self.0.len())?;
        self.0
            .iter()
            .zip(place)
            .map(|(key, json)| match key.kind {
                Kind::Int => json.as_i64().map(Value::Int),
                Kind::Real => json.as_f64().map(Value::Real),
                Kind::Bool => json.as_bool().map(Value::Bool),
                Kind::Text => json.as_str().filter(|text| !text.contains('\0')).map(Value::from),
                Kind::Guid => {
                    let bytes = json.as_array()?.iter().map(|byte| byte.as_u64()?.try_into().ok());
                    bytes.collect::<Option<Vec<u8>>>().map(Value::Blob)
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_after_the_last_row_in_each_direction() {
        let keys = Keyset::default().by("g.status", Kind::Text, true).by("g.id", Kind::Int, false);
        assert_eq!(keys.order_by(), "g.status desc, g.id");
        assert_eq!(keys.after(4), "(g.status <= ?4 and (g.status < ?4 or g.id > ?5))");
    }

    #[test]
    fn a_place_is_read_back_from_its_token_and_no_other_is() {
        let keys = Keyset::default().by_nullable("x", Kind::Real, false).by("id", Kind::Guid, false);
        let place = vec![Value::Int(1), Value::Real(0.1), Value::Blob(vec![1, 255])];
        assert_eq!(keys.from_json(&Keyset::to_json(&place)), Some(place));
        for strange in ["[]", "[1, 0.5]", "[1, \"x\", []]", "[1, 0.5, [256]]", "{}"] {
            assert_eq!(keys.from_json(&serde_json::from_str(strange).unwrap()), None, "{strange}");
        }
    }
}
