//! Collections: who and what is among a goal's owners, teams, tags and parents.

use goalpost_odata::{BinaryOperator, Condition, Expr, Literal, Path, Quantifier};

use super::super::{Aligned, Filter, Link, Owner, Reference, Team};
use super::{ODataError, Result, negated, text, unsupported};

/// A list that hangs on a goal.
#[derive(Clone, Copy)]
pub(super) enum Collection {
    Owners,
    Teams,
    Tags,
    Parents,
}

impl Collection {
    pub(super) fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "owners" => Self::Owners,
            "teams" => Self::Teams,
            "tags" => Self::Tags,
            "parents" => Self::Parents,
            _ => return Err(ODataError::Property(name.to_owned())),
        })
    }

    fn is_empty(self) -> Filter {
        match self {
            Self::Parents => Filter::Aligned(Aligned::Any(false)),
            linked => linked.link(Link::None),
        }
    }

    fn link(self, link: Link) -> Filter {
        match self {
            Self::Owners => Filter::Owner(Owner::Link(link)),
            Self::Teams => Filter::Team(Team::Link(link)),
            Self::Tags | Self::Parents => Filter::Tag(link),
        }
    }

    /// One of the things is in it.
    fn has(self, things: Vec<Reference>) -> Filter {
        match self {
            Self::Parents => {
                let number = |thing| match thing {
                    Reference::Number(number) => Some(number),
                    Reference::Name(_) => None,
                };
                Filter::Aligned(Aligned::To(things.into_iter().filter_map(number).collect()))
            }
            linked => linked.link(Link::In(things)),
        }
    }

    /// By which properties its things are named: the number, and a text.
    fn text_property(self) -> Option<&'static str> {
        match self {
            Self::Owners => Some("email"),
            Self::Teams | Self::Tags => Some("name"),
            Self::Parents => None,
        }
    }

    fn wanted(self) -> String {
        let more = self.text_property().map(|name| format!(" or x/{name} eq '…'")).unwrap_or_default();
        format!("write any(x: x/id eq 5{more}), several joined by or, or all(…) of ne, joined by and")
    }
}

pub(super) fn count(
    expr: &Expr,
    collection: Collection,
    operator: BinaryOperator,
    literal: &Literal,
) -> Result<Filter> {
    let is_empty = match (operator, literal) {
        (BinaryOperator::Equal | BinaryOperator::LessOrEqual, Literal::Integer(0))
        | (BinaryOperator::Less, Literal::Integer(1)) => true,
        (BinaryOperator::NotEqual | BinaryOperator::Greater, Literal::Integer(0))
        | (BinaryOperator::GreaterOrEqual, Literal::Integer(1)) => false,
        _ => return unsupported(expr, "a number of things can be compared with 0: $count eq 0, $count gt 0"),
    };
    let empty = collection.is_empty();
    Ok(if is_empty { empty } else { negated(empty) })
}

pub(super) fn lambda(
    expr: &Expr,
    collection: &Path,
    quantifier: Quantifier,
    condition: Option<&Condition>,
) -> Result<Filter> {
    let collection = Collection::named(collection.as_str())?;
    let Some(Condition { variable, predicate }) = condition else {
        return Ok(negated(collection.is_empty()));
    };
    let mut things = Vec::new();
    let is_all = quantifier == Quantifier::All;
    // All are others than these: none is one of them.
    if !named_things(predicate, variable, collection, is_all, &mut things) {
        return unsupported(expr, collection.wanted());
    }
    for thing in &things {
        if let Reference::Name(name) = thing {
            text(expr, name)?;
        }
    }
    let has = collection.has(things);
    Ok(if is_all { negated(has) } else { has })
}

/// Collect the things that a predicate names by `eq`, `in` and `or`; with `is_negated`, by their opposites. Whether it
/// says no more than that.
fn named_things(
    predicate: &Expr,
    variable: &str,
    collection: Collection,
    is_negated: bool,
    things: &mut Vec<Reference>,
) -> bool {
    let (join, equal) = if is_negated {
        (BinaryOperator::And, BinaryOperator::NotEqual)
    } else {
        (BinaryOperator::Or, BinaryOperator::Equal)
    };
    let mut add = |operand: &Expr, literal: &Literal| {
        let Expr::Path(path) = operand else { return false };
        let mut segments = path.segments();
        let (Some(of), Some(name), None) = (segments.next(), segments.next(), segments.next()) else {
            return false;
        };
        let thing = match literal {
            Literal::Integer(number) if name == "id" => Reference::Number(*number),
            Literal::String(text) if Some(name) == collection.text_property() => {
                Reference::Name(text.clone())
            }
            _ => return false,
        };
        things.push(thing);
        of == variable
    };
    match predicate {
        Expr::Binary { operator, left, right } if *operator == equal => match (&**left, &**right) {
            (operand, Expr::Literal(literal)) | (Expr::Literal(literal), operand) => add(operand, literal),
            _ => false,
        },
        Expr::In { value, list } if !is_negated => list.iter().all(|literal| add(value, literal)),
        Expr::Binary { operator, left, right } if *operator == join => {
            named_things(left, variable, collection, is_negated, things)
                && named_things(right, variable, collection, is_negated, things)
        }
        Expr::Not(inner) => named_things(inner, variable, collection, !is_negated, things),
        _ => false,
    }
}
