//! `$filter`: from text to a tree, and back to text.
//!
//! [`lexer`] cuts the text into tokens (with [`literal`] for what carries a value), [`parser`] builds the tree,
//! [`mod@print`] writes it back, and [`names`] answers the one question that must not wait for a valid filter.

mod lexer;
mod literal;
mod names;
mod parser;
mod print;

pub use literal::Literal;
pub use names::property_names;
pub use parser::{FilterError, MAX_FILTER_BYTES, MAX_FILTER_DEPTH, MAX_FILTER_NODES};

use crate::path::Path;

/// A filter expression, as OData 4.01 writes it (URL Conventions, "Common Expression Syntax").
///
/// Every expression of the common grammar is here: comparisons, `and`, `or`, `not`, arithmetic, `in` with a
/// list, `has`, calls, and `any`/`all` over a collection. Left out are parameter aliases (`@p`), `case(…)`,
/// JSON literals, `$count(…)` with options inside, `in` with a collection, and functions bound to a path.
///
/// The tree is syntax only: it may compare a name with a number or be no condition at all (`$filter=title`).
/// A parsed tree has at most [`MAX_FILTER_NODES`] nodes, so it is safe to walk it recursively.
///
/// `Display` writes text that parses to an equal tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A value: `'it''s'`, `42`, `2026-11-23`.
    Literal(Literal),
    /// A property: `owner/name`. Inside a lambda, the first segment may be the range variable.
    Path(Path),
    /// A function: `contains(title,'ship')`, `now()`.
    Call {
        /// The name as written. The built-in functions count in any case (`toLower`), others do not.
        name: String,
        /// The arguments from left to right.
        arguments: Vec<Expr>,
    },
    /// `not` before a condition. It binds tighter than a comparison: `not a eq b` is `(not a) eq b`.
    Not(Box<Expr>),
    /// A minus sign before something that is no number literal.
    Negate(Box<Expr>),
    /// An operator between two operands.
    Binary {
        /// What is done with them.
        operator: BinaryOperator,
        /// What stands before the operator.
        left: Box<Expr>,
        /// What stands after the operator.
        right: Box<Expr>,
    },
    /// `status in ('On Track','Behind')`.
    In {
        /// What is looked for.
        value: Box<Expr>,
        /// Where it is looked for; there is at least one item.
        list: Vec<Literal>,
    },
    /// `tags/any(t: t/name eq 'growth')`.
    Lambda {
        /// The collection: `tags`.
        collection: Path,
        /// Whether one item or every item has to meet the condition.
        quantifier: Quantifier,
        /// The condition; only `any` can do without, and then asks whether there is an item at all.
        condition: Option<Condition>,
    },
}

/// What a lambda asks of each item.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The name that stands for the item: `t`.
    pub variable: String,
    /// What has to hold for it.
    pub predicate: Box<Expr>,
}

/// How many items of a collection have to meet a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// `any`: at least one.
    Any,
    /// `all`: every one.
    All,
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `or`
    Or,
    /// `and`
    And,
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
    /// `add`
    Add,
    /// `sub`
    Subtract,
    /// `mul`
    Multiply,
    /// `div`: of two integers, an integer.
    Divide,
    /// `divby`: of any two numbers, a fraction.
    DivideBy,
    /// `mod`
    Modulo,
    /// `has`: whether the flags on the right are set on the left.
    Has,
}

impl BinaryOperator {
    const ALL: [Self; 15] = [
        Self::Or,
        Self::And,
        Self::Equal,
        Self::NotEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
        Self::DivideBy,
        Self::Modulo,
        Self::Has,
    ];

    /// The operator as OData spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
            Self::Add => "add",
            Self::Subtract => "sub",
            Self::Multiply => "mul",
            Self::Divide => "div",
            Self::DivideBy => "divby",
            Self::Modulo => "mod",
            Self::Has => "has",
        }
    }

    /// The operator spelled `word`, in any case (URL Conventions, "Common Expression Syntax").
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.as_str().eq_ignore_ascii_case(word))
    }

    fn strength(self) -> Strength {
        match self {
            Self::Or => Strength::Or,
            Self::And => Strength::And,
            Self::Equal | Self::NotEqual => Strength::Equality,
            Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual => Strength::Relational,
            Self::Add | Self::Subtract => Strength::Additive,
            Self::Multiply | Self::Divide | Self::DivideBy | Self::Modulo => Strength::Multiplicative,
            Self::Has => Strength::Membership,
        }
    }
}

impl Quantifier {
    fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
        }
    }
}

/// How tightly an expression holds together, weakest first (URL Conventions, "Operator Precedence").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Or,
    And,
    Equality,
    Relational,
    Additive,
    Multiplicative,
    Unary,
    Membership,
    Operand,
}

impl Strength {
    /// The next tighter one: what the right side of an operator needs, since all of them group to the left.
    fn tighter(self) -> Self {
        match self {
            Self::Or => Self::And,
            Self::And => Self::Equality,
            Self::Equality => Self::Relational,
            Self::Relational => Self::Additive,
            Self::Additive => Self::Multiplicative,
            Self::Multiplicative => Self::Unary,
            Self::Unary => Self::Membership,
            Self::Membership | Self::Operand => Self::Operand,
        }
    }
}

/// Whether `word`, standing alone, is an operator and so cannot be the name of a property.
fn is_operator(word: &str) -> bool {
    is_not(word) || is_in(word) || BinaryOperator::from_word(word).is_some()
}

fn is_not(word: &str) -> bool {
    word.eq_ignore_ascii_case("not")
}

fn is_in(word: &str) -> bool {
    word.eq_ignore_ascii_case("in")
}

/// The collection and the quantifier, if `word` (which stands before a bracket) begins a lambda.
fn split_quantifier(word: &str) -> Option<(&str, Quantifier)> {
    let (collection, last) = word.rsplit_once('/')?;
    let quantifier = [Quantifier::Any, Quantifier::All]
        .into_iter()
        .find(|quantifier| quantifier.as_str().eq_ignore_ascii_case(last))?;
    Some((collection, quantifier))
}
