//! Properties with one value, and what they are compared with.

use goalpost_odata::{BinaryOperator, Expr, Literal, Path};
use jiff::Timestamp;
use jiff::civil::Date;

use super::super::{
    Amount, Day, Due, Filter, Ids, Integration, LEVELS, Link, Moment, OBJECT_TYPES, OneOf, Owner, Period,
    Reference, STATUSES, Text,
};
use super::collections::{Collection, count};
use super::{ODataError, Result, negated, text, unsupported};

/// A property of a goal that has one value.
#[derive(Clone, Copy)]
pub(super) enum Property {
    Id,
    Title,
    Description,
    Words(fn(OneOf) -> Filter, &'static [&'static str]),
    Amount(fn(Amount) -> Filter),
    Day(fn(Day) -> Filter),
    Moment(fn(Moment) -> Filter),
    Link(fn(Link) -> Filter, ByName),
    DataSource,
}

/// Whether a link is given by a name, or by a number.
#[derive(Clone, Copy)]
pub(super) struct ByName(bool);

fn period(link: Link) -> Filter {
    Filter::Period(Period::Link(link))
}

fn delegate(link: Link) -> Filter {
    Filter::Delegate(Owner::Link(link))
}

fn due(day: Day) -> Filter {
    Filter::Due(Due::Day(day))
}

impl Property {
    pub(super) fn named(path: &Path) -> Option<Self> {
        Some(match path.as_str() {
            "id" => Self::Id,
            "title" => Self::Title,
            "description" => Self::Description,
            "objectType" => Self::Words(Filter::ObjectType, &OBJECT_TYPES),
            "level" => Self::Words(Filter::Level, &LEVELS),
            "status" => Self::Words(Filter::Status, &STATUSES),
            "progress" => Self::Amount(Filter::Value),
            "progressPercent" => Self::Amount(Filter::Progress),
            "score" => Self::Amount(Filter::Score),
            "startDate" => Self::Day(Filter::Start),
            "endDate" => Self::Day(due),
            "lastCheckInDate" => Self::Day(Filter::CheckIn),
            "createdDateTime" => Self::Moment(Filter::Created),
            "lastUpdatedDateTime" => Self::Moment(Filter::Updated),
            "periodId" | "period/id" => Self::Link(period, ByName(false)),
            "periodName" | "period/name" => Self::Link(period, ByName(true)),
            "delegateId" | "delegate/id" => Self::Link(delegate, ByName(false)),
            "delegate/email" => Self::Link(delegate, ByName(true)),
            "dataSource" => Self::DataSource,
            _ => return None,
        })
    }
}

/// The property, and whether it stands in `tolower`, which changes nothing here.
fn property(expr: &Expr) -> Result<Property> {
    match expr {
        Expr::Path(path) => Property::named(path).ok_or_else(|| ODataError::Property(path.to_string())),
        Expr::Call { name, arguments } => match (name.to_ascii_lowercase().as_str(), arguments.as_slice()) {
            ("tolower" | "toupper", [inner @ Expr::Path(_)]) => match property(inner)? {
                text @ (Property::Title | Property::Description) => Ok(text),
                _ => unsupported(expr, format!("{name} takes title or description")),
            },
            _ => unsupported(expr, "compare a property with a value"),
        },
        _ => unsupported(expr, "compare a property with a value"),
    }
}

pub(super) fn compare(
    expr: &Expr,
    operator: BinaryOperator,
    operand: &Expr,
    literal: &Literal,
) -> Result<Filter> {
    if let Expr::Path(path) = operand
        && let Some(collection) = path.as_str().strip_suffix("/$count")
    {
        return count(expr, Collection::named(collection)?, operator, literal);
    }
    let property = property(operand)?;
    match operator {
        BinaryOperator::NotEqual => {
            return Ok(negated(compare(expr, BinaryOperator::Equal, operand, literal)?));
        }
        BinaryOperator::Equal
        | BinaryOperator::Greater
        | BinaryOperator::GreaterOrEqual
        | BinaryOperator::Less
        | BinaryOperator::LessOrEqual => {}
        _ => return unsupported(expr, "compare by eq, ne, lt, le, gt, ge or in"),
    }
    if *literal == Literal::Null {
        return Ok(match operator {
            BinaryOperator::Equal => missing(property),
            _ => Filter::nothing(),
        });
    }
    let is_equal = operator == BinaryOperator::Equal;
    match (property, literal) {
        (Property::Amount(make), literal) => match number(literal) {
            Some(bound) => Ok(make(amount(operator, bound))),
            None => unsupported(expr, "write a number such as 0.5"),
        },
        (Property::Day(make), literal) => match day(literal) {
            Some(bound) => Ok(days(make, operator, bound)),
            None => unsupported(expr, "write a day such as 2026-01-31"),
        },
        (Property::Moment(make), literal) => match moment(literal) {
            Some((at, next)) => Ok(moments(make, operator, at, next)),
            None => unsupported(expr, "write a moment such as 2026-01-31T09:30:00Z"),
        },
        _ if !is_equal => unsupported(expr, "this property can be compared by eq, ne and in only"),
        (Property::Id, Literal::Integer(number)) => Ok(Filter::Id(Ids::In(vec![*number]))),
        (Property::Title, Literal::String(words)) => Ok(Filter::Title(Text::Is(text(expr, words)?))),
        (Property::Description, Literal::String(words)) => {
            Ok(Filter::Description(Text::Is(text(expr, words)?)))
        }
        (Property::Words(make, words), Literal::String(word)) => {
            match words.iter().find(|known| known.eq_ignore_ascii_case(word)) {
                Some(word) => Ok(make(OneOf::In(vec![(*word).to_owned()]))),
                None => unsupported(expr, format!("write one of '{}'", words.join("', '"))),
            }
        }
        (Property::Link(make, ByName(false)), Literal::Integer(number)) => {
            Ok(make(Link::In(vec![Reference::Number(*number)])))
        }
        (Property::Link(make, ByName(true)), Literal::String(name)) => {
            Ok(make(Link::In(vec![Reference::Name(text(expr, name)?)])))
        }
        (Property::DataSource, Literal::String(name)) => {
            Ok(Filter::Integration(Integration::In(vec![text(expr, name)?])))
        }
        (Property::Id | Property::Link(_, ByName(false)), _) => {
            unsupported(expr, "write a whole number such as 42")
        }
        _ => unsupported(expr, "write a text such as 'Ship it'"),
    }
}

/// The property has no value.
fn missing(property: Property) -> Filter {
    match property {
        Property::Id | Property::Title | Property::Words(..) => Filter::nothing(),
        Property::Description => Filter::Description(Text::None),
        Property::Amount(make) => make(Amount::None),
        Property::Day(make) => make(Day::None),
        Property::Moment(make) => make(Moment::Day(Day::None)),
        Property::Link(make, _) => make(Link::None),
        Property::DataSource => Filter::Integration(Integration::None),
    }
}

fn amount(operator: BinaryOperator, bound: f64) -> Amount {
    match operator {
        BinaryOperator::Greater => Amount::Gt(bound),
        BinaryOperator::GreaterOrEqual => Amount::Ge(bound),
        BinaryOperator::Less => Amount::Lt(bound),
        BinaryOperator::LessOrEqual => Amount::Le(bound),
        _ => Amount::Eq(bound),
    }
}

fn days(make: fn(Day) -> Filter, operator: BinaryOperator, day: Date) -> Filter {
    match operator {
        BinaryOperator::Greater => make(Day::After(day)),
        BinaryOperator::Less => make(Day::Before(day)),
        BinaryOperator::GreaterOrEqual => Filter::Or(vec![make(Day::On(day)), make(Day::After(day))]),
        BinaryOperator::LessOrEqual => Filter::Or(vec![make(Day::On(day)), make(Day::Before(day))]),
        _ => make(Day::On(day)),
    }
}

/// `at` is the first whole microsecond that is not before the moment, `next` the first one after it.
fn moments(make: fn(Moment) -> Filter, operator: BinaryOperator, at: Timestamp, next: Timestamp) -> Filter {
    match operator {
        BinaryOperator::Greater => make(Moment::From(next)),
        BinaryOperator::GreaterOrEqual => make(Moment::From(at)),
        BinaryOperator::Less => make(Moment::Until(at)),
        BinaryOperator::LessOrEqual => make(Moment::Until(next)),
        _ => Filter::And(vec![make(Moment::From(at)), make(Moment::Until(next))]),
    }
}

fn number(literal: &Literal) -> Option<f64> {
    match literal {
        Literal::Integer(value) => Some(*value as f64),
        Literal::Decimal(text) => text.parse().ok().filter(|value: &f64| value.is_finite()),
        _ => None,
    }
}

fn day(literal: &Literal) -> Option<Date> {
    match literal {
        Literal::Date(text) => text.parse().ok(),
        _ => None,
    }
}

/// A day is its first moment.
fn moment(literal: &Literal) -> Option<(Timestamp, Timestamp)> {
    let text = match literal {
        Literal::Date(day) => format!("{day}T00:00:00Z"),
        Literal::DateTimeOffset(text) => with_seconds(text),
        _ => return None,
    };
    let at: Timestamp = text.parse().ok()?;
    let floor = at.as_nanosecond().div_euclid(1_000);
    let whole = |us: i128| i64::try_from(us).ok().and_then(|us| Timestamp::from_microsecond(us).ok());
    let next = whole(floor + 1)?;
    let is_whole = at.as_nanosecond().rem_euclid(1_000) == 0;
    Some((if is_whole { at } else { next }, next))
}

/// OData lets seconds go.
fn with_seconds(text: &str) -> String {
    match text.find('T').and_then(|t| text[t..].find(['Z', '+', '-']).map(|zone| t + zone)) {
        Some(zone) if text[..zone].matches(':').count() == 1 => {
            format!("{}:00{}", &text[..zone], &text[zone..])
        }
        _ => text.to_owned(),
    }
}

pub(super) fn call(expr: &Expr, name: &str, arguments: &[Expr]) -> Result<Filter> {
    const CALLS: &str = "contains and startswith of title or description can be";
    let make: fn(String) -> Text = match name.to_ascii_lowercase().as_str() {
        "contains" => Text::Contains,
        "startswith" => Text::StartsWith,
        _ => return unsupported(expr, CALLS),
    };
    let [operand, Expr::Literal(Literal::String(words))] = arguments else {
        return unsupported(expr, format!("write {name}(title,'…') or {name}(description,'…')"));
    };
    let found = make(text(expr, words)?);
    match property(operand)? {
        Property::Title => Ok(Filter::Title(found)),
        Property::Description => Ok(Filter::Description(found)),
        _ => unsupported(expr, CALLS),
    }
}
