//! OData's `$filter` to filter: what can be asked of a goal's properties in the words of the tree.
//!
//! ```text
//! status in ('At Risk','Behind') and endDate lt 2026-06-30 and not owners/any()
//! contains(tolower(title),'crates') or teams/any(t: t/name eq 'Harbour') or parents/any(p: p/id eq 100)
//! ```
//!
//! A comparison with a missing value is false, and `ne` is true (OData 4.01 URL Conventions, 5.1.1.1), which is what
//! `not` of the tree's conditions means. Texts are compared without regard to case, as everywhere in the tree.

mod collections;
mod properties;

use goalpost_odata::{BinaryOperator, Expr, Literal};

use self::collections::lambda;
use self::properties::{Property, call, compare};
use super::{
    Aligned, Filter, FilterError, Ids, Integration, Link, MAX_CHARACTERS, OneOf, Owner, Period, Team,
};

const PROPERTIES: &str = "id, title, description, objectType, level, status, progress, progressPercent, score, \
                          startDate, endDate, lastCheckInDate, createdDateTime, lastUpdatedDateTime, periodId, \
                          periodName, delegateId, dataSource, and of collections owners, teams, tags, parents";

/// Why a `$filter` is no filter of goals.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ODataError {
    /// It cannot be read at all.
    #[error(transparent)]
    Syntax(#[from] goalpost_odata::FilterError),
    /// A goal has no such property.
    #[error("goals cannot be asked for `{0}`; they can be for {PROPERTIES}")]
    Property(String),
    /// It can be read, and the tree cannot say it.
    #[error("`{found}` cannot be asked; {wanted}")]
    Unsupported {
        /// The part that cannot be said, cut short.
        found: String,
        /// What can.
        wanted: String,
    },
    /// It is larger than any view needs.
    #[error(transparent)]
    Tree(#[from] FilterError),
}

type Result<T, E = ODataError> = std::result::Result<T, E>;

impl Filter {
    /// Read a filter from the text of a `$filter`, decoded.
    ///
    /// # Errors
    /// [`ODataError`] says what cannot be asked, and what can. Any text is safe to give.
    pub fn parse_odata(text: &str) -> Result<Self> {
        Self::from_odata(&Expr::parse(text)?)
    }

    /// The filter that an OData expression is.
    ///
    /// # Errors
    /// As [`parse_odata`](Self::parse_odata).
    pub fn from_odata(expr: &Expr) -> Result<Self> {
        let filter = condition(expr)?;
        filter.check()?;
        Ok(filter)
    }

    /// Whether it keeps the bounds of a filter.
    pub(super) fn check(&self) -> Result<(), FilterError> {
        let json = serde_json::to_value(self).map_err(|error| FilterError::NotJson(error.to_string()))?;
        Self::try_from(json).map(|_| ())
    }

    pub(super) fn nothing() -> Self {
        Self::Not(Box::default())
    }
}

fn negated(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

fn unsupported<T>(expr: &Expr, wanted: impl Into<String>) -> Result<T> {
    let text = expr.to_string();
    let found = match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    Err(ODataError::Unsupported { found, wanted: wanted.into() })
}

fn condition(expr: &Expr) -> Result<Filter> {
    match expr {
        Expr::Binary { operator: BinaryOperator::And, .. } => {
            let mut parts = Vec::new();
            operands(expr, BinaryOperator::And, &mut parts)?;
            Ok(Filter::And(parts))
        }
        Expr::Binary { operator: BinaryOperator::Or, .. } => {
            let mut parts = Vec::new();
            operands(expr, BinaryOperator::Or, &mut parts)?;
            Ok(any_of(parts))
        }
        Expr::Not(inner) => Ok(negated(condition(inner)?)),
        Expr::Literal(Literal::Boolean(true)) => Ok(Filter::everything()),
        Expr::Literal(Literal::Boolean(false)) => Ok(Filter::nothing()),
        Expr::Binary { operator, left, right } => match (&**left, &**right) {
            (operand, Expr::Literal(literal)) => compare(expr, *operator, operand, literal),
            (Expr::Literal(literal), operand) => compare(expr, mirrored(*operator), operand, literal),
            _ => unsupported(expr, "compare a property with a value"),
        },
        Expr::In { value, list } => {
            let parts = list.iter().map(|literal| compare(expr, BinaryOperator::Equal, value, literal));
            Ok(any_of(parts.collect::<Result<_>>()?))
        }
        Expr::Call { name, arguments } => call(expr, name, arguments),
        Expr::Lambda { collection, quantifier, condition } => {
            lambda(expr, collection, *quantifier, condition.as_ref())
        }
        Expr::Path(path) => match Property::named(path) {
            Some(_) => unsupported(expr, "compare it with a value"),
            None => Err(ODataError::Property(path.to_string())),
        },
        Expr::Literal(_) | Expr::Negate(_) => unsupported(expr, "compare a property with a value"),
    }
}

/// The parts of a chain of one operator, from left to right. A chain is as long as a filter may be, and no nesting.
fn operands(expr: &Expr, chain: BinaryOperator, parts: &mut Vec<Filter>) -> Result<()> {
    match expr {
        Expr::Binary { operator, left, right } if *operator == chain => {
            operands(left, chain, parts)?;
            operands(right, chain, parts)
        }
        part => {
            parts.push(condition(part)?);
            Ok(())
        }
    }
}

/// At least one of them; lists of the same kind become one.
fn any_of(parts: Vec<Filter>) -> Filter {
    let mut joined: Vec<Filter> = Vec::new();
    for part in parts {
        let rest = match joined.last_mut() {
            Some(last) => absorb(last, part),
            None => Some(part),
        };
        joined.extend(rest);
    }
    if joined.len() == 1 { joined.remove(0) } else { Filter::Or(joined) }
}

/// Add what `other` lists to what `filter` lists; give it back if it is of another kind.
fn absorb(filter: &mut Filter, other: Filter) -> Option<Filter> {
    match (filter, other) {
        (Filter::Id(Ids::In(list)), Filter::Id(Ids::In(more)))
        | (Filter::Aligned(Aligned::To(list)), Filter::Aligned(Aligned::To(more))) => list.extend(more),
        (Filter::Status(OneOf::In(list)), Filter::Status(OneOf::In(more)))
        | (Filter::ObjectType(OneOf::In(list)), Filter::ObjectType(OneOf::In(more)))
        | (Filter::Level(OneOf::In(list)), Filter::Level(OneOf::In(more)))
        | (Filter::Integration(Integration::In(list)), Filter::Integration(Integration::In(more))) => {
            list.extend(more);
        }
        (Filter::Period(Period::Link(Link::In(list))), Filter::Period(Period::Link(Link::In(more))))
        | (Filter::Team(Team::Link(Link::In(list))), Filter::Team(Team::Link(Link::In(more))))
        | (Filter::Tag(Link::In(list)), Filter::Tag(Link::In(more)))
        | (Filter::Owner(Owner::Link(Link::In(list))), Filter::Owner(Owner::Link(Link::In(more))))
        | (Filter::Delegate(Owner::Link(Link::In(list))), Filter::Delegate(Owner::Link(Link::In(more)))) => {
            list.extend(more);
        }
        (_, other) => return Some(other),
    }
    None
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

/// A text that a filter may look for.
fn text(expr: &Expr, text: &str) -> Result<String> {
    if text.trim().is_empty() || text.contains('\0') || text.chars().nth(MAX_CHARACTERS).is_some() {
        return unsupported(expr, format!("write a text of 1 to {MAX_CHARACTERS} characters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
