//! `$filter` over the properties of a set, as SQL. Values always travel as parameters.
//!
//! A comparison with a value is false where the property is null, but `ne` is true (OData 4.01 Part 2, 5.1.1.1.2).
//! Texts that are searched are compared without regard to case, as filters of goals do.
//! Every condition is true or false, never unknown, so that `not` is its exact opposite.

use goalpost_db::Value;
use goalpost_odata::{BinaryOperator, Expr, Literal};
use jiff::Timestamp;
use uuid::Uuid;

use super::sets::{Property, PropertyKind, Set};
use crate::goals::filter::Condition;
use crate::http::GraphError;
use crate::ids::fold;

/// The filter as a condition on the set's rows, with parameters numbered from `first` on.
///
/// # Errors
/// 400 that names what is not understood, and what could stand there.
pub(super) fn compile(set: &'static Set, text: &str, first: usize) -> Result<Condition, GraphError> {
    let expr = Expr::parse(text)
        .map_err(|error| GraphError::bad_request(format!("The $filter cannot be read: {error}.")))?;
    let mut compiler = Compiler { set, first, params: Vec::new() };
    let sql = compiler.condition(&expr)?;
    Ok(Condition { sql, params: compiler.params })
}

struct Compiler {
    set: &'static Set,
    first: usize,
    params: Vec<Value>,
}

impl Compiler {
    fn condition(&mut self, expr: &Expr) -> Result<String, GraphError> {
        match expr {
            Expr::Binary { operator: BinaryOperator::And, left, right } => {
                Ok(format!("({} and {})", self.condition(left)?, self.condition(right)?))
            }
            Expr::Binary { operator: BinaryOperator::Or, left, right } => {
                Ok(format!("({} or {})", self.condition(left)?, self.condition(right)?))
            }
            Expr::Not(inner) => Ok(format!("(not {})", self.condition(inner)?)),
            Expr::Binary { operator, left, right } => match (&**left, &**right) {
                // Some clients write conditions as `contains(title,'x') eq true`.
                (call @ Expr::Call { name, .. }, Expr::Literal(Literal::Boolean(value)))
                    if is_equality(*operator) && is_search(name) =>
                {
                    let sql = self.condition(call)?;
                    let holds = (*operator == BinaryOperator::Equal) == *value;
                    Ok(if holds { sql } else { format!("(not {sql})") })
                }
                (operand, Expr::Literal(literal)) => self.compare(*operator, operand, literal),
                (Expr::Literal(literal), operand) => self.compare(mirrored(*operator), operand, literal),
                _ => Err(refused("A comparison has a property on one side and a value on the other")),
            },
            Expr::In { value, list } => {
                let ways = list.iter().map(|item| self.compare(BinaryOperator::Equal, value, item));
                Ok(format!("({})", ways.collect::<Result<Vec<_>, _>>()?.join(" or ")))
            }
            Expr::Call { name, arguments } => self.call(name, arguments),
            Expr::Path(path) => match self.property(path.as_str())? {
                Property { kind: PropertyKind::Flag, sql, .. } => {
                    Ok(format!("({sql} is not null and {sql})"))
                }
                property => {
                    Err(refused(format!("'{}' is no condition; compare it with a value", property.name)))
                }
            },
            Expr::Literal(Literal::Boolean(value)) => Ok(if *value { "1 = 1" } else { "1 = 0" }.to_owned()),
            Expr::Lambda { collection, .. } => {
                Err(refused(format!("'{collection}' of {} cannot be looked into by a filter", self.set.name)))
            }
            Expr::Literal(_) | Expr::Negate(_) => Err(refused("A value alone is no condition")),
        }
    }

    fn compare(
        &mut self,
        operator: BinaryOperator,
        operand: &Expr,
        literal: &Literal,
    ) -> Result<String, GraphError> {
        let property = self.operand(operand)?;
        let sql = property.fold.unwrap_or(property.sql);
        let is = match operator {
            BinaryOperator::Equal => "=",
            BinaryOperator::NotEqual => "<>",
            BinaryOperator::Greater => ">",
            BinaryOperator::GreaterOrEqual => ">=",
            BinaryOperator::Less => "<",
            BinaryOperator::LessOrEqual => "<=",
            other => return Err(refused(format!("The operator '{}' is not supported", other.as_str()))),
        };
        if *literal == Literal::Null {
            return Ok(match operator {
                BinaryOperator::Equal => format!("({sql} is null)"),
                BinaryOperator::NotEqual => format!("({sql} is not null)"),
                _ => "1 = 0".to_owned(),
            });
        }
        let value = value(property, literal)?;
        let value = self.bind(value);
        Ok(match operator {
            BinaryOperator::NotEqual => format!("({sql} is null or {sql} <> {value})"),
            _ => format!("({sql} is not null and {sql} {is} {value})"),
        })
    }

    fn call(&mut self, name: &str, arguments: &[Expr]) -> Result<String, GraphError> {
        let lower = name.to_ascii_lowercase();
        let (before, after) = match lower.as_str() {
            "contains" => ("%", "%"),
            "startswith" => ("", "%"),
            "endswith" => ("%", ""),
            _ => {
                return Err(refused(format!(
                    "The function '{name}' is not supported; contains, startswith, endswith, tolower and toupper are"
                )));
            }
        };
        let [operand, Expr::Literal(Literal::String(text))] = arguments else {
            return Err(refused(format!("{name} takes a property and a text in quotes")));
        };
        let property = self.operand(operand)?;
        let Some(column) = property.fold else {
            let searched = self.set.properties.iter().filter(|property| property.fold.is_some());
            let searched: Vec<_> = searched.map(|property| property.name).collect();
            return Err(refused(format!(
                "'{}' cannot be searched by {name}; of {}, these can: {}",
                property.name,
                self.set.name,
                if searched.is_empty() { "none".to_owned() } else { searched.join(", ") },
            )));
        };
        let mut pattern = before.to_owned();
        for character in fold(text).chars() {
            if matches!(character, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern.push_str(after);
        let pattern = self.bind(pattern);
        Ok(format!("({column} like {pattern} escape '\\')"))
    }

    /// A property, perhaps in `tolower` or `toupper`.
    fn operand(&self, expr: &Expr) -> Result<&'static Property, GraphError> {
        match expr {
            Expr::Path(path) => self.property(path.as_str()),
            Expr::Call { name, arguments }
                if name.eq_ignore_ascii_case("tolower") || name.eq_ignore_ascii_case("toupper") =>
            {
                match &arguments[..] {
                    [Expr::Path(path)] => {
                        let property = self.property(path.as_str())?;
                        if property.fold.is_none() {
                            return Err(refused(format!("'{}' has no {name}", property.name)));
                        }
                        Ok(property)
                    }
                    _ => Err(refused(format!("{name} takes a property"))),
                }
            }
            _ => Err(refused("A comparison has a property on one side and a value on the other")),
        }
    }

    fn property(&self, name: &str) -> Result<&'static Property, GraphError> {
        let property = self.set.property(name).filter(|property| property.kind != PropertyKind::Json);
        property.ok_or_else(|| no_such_property(self.set, name))
    }

    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("?{}", self.first + self.params.len() - 1)
    }
}

/// 400 for a name that is no property of the set.
pub(super) fn no_such_property(set: &Set, name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "Could not find a property named '{name}' on type 'goalpost.{}'. Its properties are: {}.",
        set.entity,
        set.properties.iter().map(|property| property.name).collect::<Vec<_>>().join(", ")
    ))
}

fn refused(why: impl Into<String>) -> GraphError {
    GraphError::bad_request(format!("Invalid $filter: {}.", why.into()))
}

fn is_equality(operator: BinaryOperator) -> bool {
    matches!(operator, BinaryOperator::Equal | BinaryOperator::NotEqual)
}

fn is_search(function: &str) -> bool {
    ["contains", "startswith", "endswith"].iter().any(|name| function.eq_ignore_ascii_case(name))
}

/// `5 lt x` is `x gt 5`.
fn mirrored(operator: BinaryOperator) -> BinaryOperator {
    match operator {
        BinaryOperator::Greater => BinaryOperator::Less,
        BinaryOperator::GreaterOrEqual => BinaryOperator::LessOrEqual,
        BinaryOperator::Less => BinaryOperator::Greater,
        BinaryOperator::LessOrEqual => BinaryOperator::GreaterOrEqual,
        same => same,
    }
}

/// A value as the database holds those of the property.
fn value(property: &Property, literal: &Literal) -> Result<Value, GraphError> {
    let Property { name, kind, .. } = property;
    let found = match (kind, literal) {
        (PropertyKind::Int, Literal::Integer(value)) => Some(Value::Int(*value)),
        (PropertyKind::Real, Literal::Integer(value)) => Some(Value::Real(*value as f64)),
        (PropertyKind::Real, Literal::Decimal(text)) => {
            text.parse().ok().filter(|value: &f64| value.is_finite()).map(Value::Real)
        }
        (PropertyKind::Flag, Literal::Boolean(value)) => Some(Value::Bool(*value)),
        (PropertyKind::Text, Literal::String(text)) if property.fold.is_some() => {
            Some(Value::Text(fold(text)))
        }
        (PropertyKind::Text, Literal::String(text)) => Some(Value::Text(text.clone())),
        (PropertyKind::Day, Literal::Date(day)) => Some(Value::Text(day.clone())),
        (PropertyKind::Moment, Literal::DateTimeOffset(text)) => moment(text).map(Value::Int),
        (PropertyKind::Moment, Literal::Date(day)) => moment(&format!("{day}T00:00:00Z")).map(Value::Int),
        (PropertyKind::Guid, Literal::Guid(text) | Literal::String(text)) => {
            Uuid::try_parse(text).ok().map(|guid| Value::from(guid.into_bytes()))
        }
        _ => None,
    };
    // SQL texts cannot hold NUL on every engine, and no text here has one.
    let found = found.filter(|value| !matches!(value, Value::Text(text) if text.contains('\0')));
    found.ok_or_else(|| {
        let example = match kind {
            PropertyKind::Int => "42",
            PropertyKind::Real => "0.5",
            PropertyKind::Flag => "true",
            PropertyKind::Text | PropertyKind::Json => "'text'",
            PropertyKind::Day => "2026-01-31",
            PropertyKind::Moment => "2026-01-31T12:00:00Z",
            PropertyKind::Guid => "2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7",
        };
        refused(format!("'{name}' cannot be compared with {literal}; write a value such as {example}"))
    })
}

/// An instant in microseconds since 1970.
pub(super) fn moment(text: &str) -> Option<i64> {
    // Seconds may be missing in OData; a time without them is read with.
    let with_seconds = || {
        let (time, zone) = text.split_at(text.rfind(['Z', '+', '-']).filter(|at| *at > 10)?);
        Some(format!("{time}:00{zone}"))
    };
    let parsed = text.parse::<Timestamp>().ok().or_else(|| with_seconds()?.parse().ok())?;
    Some(parsed.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::super::sets::{CHECK_INS, PEOPLE, VIEWS};
    use super::*;

    fn compiled(set: &'static Set, text: &str) -> (String, Vec<Value>) {
        let condition = compile(set, text, 3).expect(text);
        (condition.sql, condition.params)
    }

    #[test]
    fn values_become_parameters_and_null_is_no_value() {
        assert_eq!(
            compiled(&PEOPLE, "name ne 'Ann' and not (managerId gt 4)"),
            (
                "((p.name_fold is null or p.name_fold <> ?3) and (not (p.manager is not null and p.manager > ?4)))"
                    .to_owned(),
                vec!["ann".into(), Value::Int(4)]
            )
        );
        assert_eq!(compiled(&PEOPLE, "managerId eq null").0, "(p.manager is null)");
        assert_eq!(compiled(&PEOPLE, "4 lt managerId"), compiled(&PEOPLE, "managerId gt 4"));
    }

    #[test]
    fn texts_are_searched_without_regard_to_case_and_wildcards_are_letters() {
        let (sql, params) = compiled(&PEOPLE, "contains(tolower(email), '50%_ÄB')");
        assert_eq!(sql, "(p.email_fold like ?3 escape '\\')");
        assert_eq!(params, [r"%50\%\_äb%".into()]);
        assert_eq!(compiled(&PEOPLE, "tolower(name) eq 'ANN'").1, ["ann".into()]);
        let found = compiled(&PEOPLE, "contains(name,'a')");
        assert_eq!(compiled(&PEOPLE, "contains(name,'a') eq true"), found);
        let (sql, params) = compiled(&PEOPLE, "contains(name,'a') eq false");
        assert_eq!((sql, params), (format!("(not {})", found.0), found.1));
    }

    #[test]
    fn instants_are_microseconds_and_guids_are_bytes() {
        let (_, params) =
            compiled(&CHECK_INS, "asOfDateTime ge 2026-01-01 and recordedDateTime lt 2026-01-01T00:01Z");
        let midnight = 1_767_225_600_000_000;
        assert_eq!(params, [Value::Int(midnight), Value::Int(midnight + 60_000_000)]);
        let (_, params) = compiled(&VIEWS, "id eq 2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7");
        assert!(matches!(&params[..], [Value::Blob(bytes)] if bytes.len() == 16));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "colour eq 1",
            "name eq 1",
            "name",
            "id add 1 eq 2",
            "managerId gt name",
            "year(lastActiveDateTime) eq 2026",
            "contains(role, 'x')",
            "teamIds/any(t: t eq 1)",
            "filter eq 'x'",
            "name eq 'a\0b'",
            "id eq",
        ] {
            assert!(compile(&PEOPLE, text, 1).is_err(), "{text}");
        }
    }
}
