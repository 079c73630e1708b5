//! From tokens to a tree: one function per level of the grammar, bounded in depth and size.

use std::iter::Peekable;
use std::str::FromStr;

use super::lexer::{Lexer, Spanned, Token};
use super::literal::Literal;
use super::{
    BinaryOperator, Condition, Expr, Quantifier, Strength, is_in, is_not, is_operator, split_quantifier,
};
use crate::path::{Path, is_identifier, is_qualified_name};

/// The longest filter that is read, in bytes of decoded UTF-8.
pub const MAX_FILTER_BYTES: usize = 16 * 1024;

/// How deep brackets, calls, lambdas, `not` and minus signs may stand in each other.
pub const MAX_FILTER_DEPTH: usize = 32;

/// How many operands, operators and list items a filter may have.
pub const MAX_FILTER_NODES: usize = 500;

/// The longest piece of the filter that an error repeats, in characters.
const MAX_QUOTE_CHARS: usize = 40;

/// Why a text is not a filter. Positions are byte offsets into the decoded text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// There is nothing but white space.
    #[error("the filter is empty; write a condition such as `title eq 'Ship it'`, or leave $filter out")]
    Empty,
    /// The text is longer than [`MAX_FILTER_BYTES`].
    #[error("the filter is {bytes} bytes long; at most {MAX_FILTER_BYTES} are read")]
    TooLong {
        /// The length of the text.
        bytes: usize,
    },
    /// The text nests deeper than [`MAX_FILTER_DEPTH`].
    #[error(
        "the filter nests deeper than {MAX_FILTER_DEPTH} levels at position {position}; use fewer brackets"
    )]
    TooDeep {
        /// Where the first level too many begins.
        position: usize,
    },
    /// The tree would be larger than [`MAX_FILTER_NODES`].
    #[error("the filter has more than {MAX_FILTER_NODES} operands and operators; ask for less at a time")]
    TooManyNodes,
    /// Something else was due here.
    #[error("expected {expected} at position {position} of the filter, but found {found}")]
    Unexpected {
        /// Where it stands.
        position: usize,
        /// What was due, in words.
        expected: &'static str,
        /// What stands there: a piece of the text in backquotes, or `the end`.
        found: String,
    },
}

type Result<T, E = FilterError> = std::result::Result<T, E>;

impl Expr {
    /// Reads a filter, decoded but not trimmed. Operators count in any case.
    ///
    /// Linear in the length of the text; needs stack for [`MAX_FILTER_DEPTH`] levels at most.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MAX_FILTER_BYTES {
            return Err(FilterError::TooLong { bytes: text.len() });
        }
        if text.trim_start().is_empty() {
            return Err(FilterError::Empty);
        }
        let mut parser = Parser { text, tokens: Lexer::new(text).peekable(), depth: 0, nodes: 0 };
        let filter = parser.expression(Strength::Or)?;
        match parser.tokens.next() {
            None => Ok(filter),
            Some(token) => Err(parser.unexpected(Some(token), "an operator or the end")),
        }
    }
}

impl FromStr for Expr {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Peekable<Lexer<'a>>,
    depth: usize,
    nodes: usize,
}

/// An operator that stands behind its first operand.
#[derive(Clone, Copy)]
enum Infix {
    Binary(BinaryOperator),
    In,
}

impl Infix {
    fn from_token(token: &Token<'_>) -> Option<Self> {
        match token {
            Token::Word(word) if is_in(word) => Some(Self::In),
            Token::Word(word) => BinaryOperator::from_word(word).map(Self::Binary),
            _ => None,
        }
    }

    fn strength(self) -> Strength {
        match self {
            Self::Binary(operator) => operator.strength(),
            Self::In => Strength::Membership,
        }
    }
}

impl<'a> Parser<'a> {
    /// Operands and the operators between them, as far as these are at least as strong as `weakest`.
    fn expression(&mut self, weakest: Strength) -> Result<Expr> {
        let mut left = if weakest > Strength::Unary { self.operand()? } else { self.unary()? };
        while let Some(infix) = self.next_infix(weakest) {
            left = match infix {
                Infix::In => {
                    let list = self.literals()?;
                    self.node(Expr::In { value: Box::new(left), list })?
                }
                Infix::Binary(operator) => {
                    let right = self.expression(operator.strength().tighter())?;
                    self.node(Expr::Binary { operator, left: Box::new(left), right: Box::new(right) })?
                }
            };
        }
        Ok(left)
    }

    fn next_infix(&mut self, weakest: Strength) -> Option<Infix> {
        let infix =
            Infix::from_token(&self.tokens.peek()?.token).filter(|infix| infix.strength() >= weakest)?;
        self.tokens.next();
        Some(infix)
    }

    fn unary(&mut self) -> Result<Expr> {
        let build: fn(Box<Expr>) -> Expr = match self.tokens.peek().map(|next| &next.token) {
            Some(Token::Word(word)) if is_not(word) => Expr::Not,
            Some(Token::Minus) => Expr::Negate,
            _ => return self.operand(),
        };
        self.tokens.next();
        let operand = self.nested(|parser| parser.expression(Strength::Unary))?;
        self.node(build(Box::new(operand)))
    }

    fn operand(&mut self) -> Result<Expr> {
        let next = self.tokens.next();
        match next {
            Some(Spanned { token: Token::Literal(literal), .. }) => self.node(Expr::Literal(literal)),
            Some(Spanned { token: Token::Word(word), end, .. }) if !is_operator(word) => {
                // Only a bracket that follows at once makes a call.
                let is_call =
                    self.tokens.peek().is_some_and(|next| next.token == Token::Open && next.start == end);
                if !is_call {
                    return self.node(Expr::Path(Path::from_checked(word)));
                }
                if !is_qualified_name(word) && split_quantifier(word).is_none() {
                    return Err(self
                        .unexpected(next, "the name of a function, or `any` or `all` behind a collection"));
                }
                self.tokens.next();
                self.nested(|parser| parser.call(word))
            }
            Some(Spanned { token: Token::Open, .. }) => {
                let inner = self.nested(|parser| parser.expression(Strength::Or))?;
                self.expect(&Token::Close, "an operator or `)`")?;
                Ok(inner)
            }
            other => Err(self.unexpected(other, "a property, a value or a function")),
        }
    }

    /// What follows `word` and an opening bracket.
    fn call(&mut self, word: &str) -> Result<Expr> {
        if let Some((collection, quantifier)) = split_quantifier(word) {
            return self.lambda(collection, quantifier);
        }
        let arguments = self.arguments()?;
        self.node(Expr::Call { name: word.to_owned(), arguments })
    }

    fn arguments(&mut self) -> Result<Vec<Expr>> {
        let mut arguments = Vec::new();
        if self.accept(&Token::Close) {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression(Strength::Or)?);
            if !self.accept(&Token::Comma) {
                self.expect(&Token::Close, "an operator, `,` or `)`")?;
                return Ok(arguments);
            }
        }
    }

    fn lambda(&mut self, collection: &str, quantifier: Quantifier) -> Result<Expr> {
        let collection = Path::from_checked(collection);
        let condition = if quantifier == Quantifier::Any && self.accept(&Token::Close) {
            None
        } else {
            let variable = self.variable()?;
            self.expect(&Token::Colon, "`:`")?;
            let predicate = Box::new(self.expression(Strength::Or)?);
            self.expect(&Token::Close, "an operator or `)`")?;
            Some(Condition { variable, predicate })
        };
        self.node(Expr::Lambda { collection, quantifier, condition })
    }

    fn variable(&mut self) -> Result<String> {
        match self.tokens.next() {
            Some(Spanned { token: Token::Word(word), .. }) if is_identifier(word) && !is_operator(word) => {
                Ok(word.to_owned())
            }
            other => {
                Err(self
                    .unexpected(other, "the name of a range variable, as in `tags/any(t: t/name eq 'x')`"))
            }
        }
    }

    /// The list behind `in`.
    fn literals(&mut self) -> Result<Vec<Literal>> {
        self.expect(&Token::Open, "`(` and a list of values")?;
        let mut list = Vec::new();
        loop {
            match self.tokens.next() {
                Some(Spanned { token: Token::Literal(literal), .. }) => list.push(literal),
                other => return Err(self.unexpected(other, "a value")),
            }
            self.count_node()?;
            if !self.accept(&Token::Comma) {
                self.expect(&Token::Close, "`,` or `)`")?;
                return Ok(list);
            }
        }
    }

    /// Runs `inner` one level deeper.
    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Result<Expr>) -> Result<Expr> {
        if self.depth == MAX_FILTER_DEPTH {
            let position = self.tokens.peek().map_or(self.text.len(), |next| next.start);
            return Err(FilterError::TooDeep { position });
        }
        self.depth += 1;
        let made = inner(self);
        self.depth -= 1;
        made
    }

    fn node(&mut self, node: Expr) -> Result<Expr> {
        self.count_node()?;
        Ok(node)
    }

    fn count_node(&mut self) -> Result<()> {
        self.nodes += 1;
        if self.nodes > MAX_FILTER_NODES { Err(FilterError::TooManyNodes) } else { Ok(()) }
    }

    fn accept(&mut self, token: &Token<'_>) -> bool {
        self.tokens.next_if(|next| next.token == *token).is_some()
    }

    fn expect(&mut self, token: &Token<'_>, expected: &'static str) -> Result<()> {
        match self.tokens.next() {
            Some(next) if next.token == *token => Ok(()),
            other => Err(self.unexpected(other, expected)),
        }
    }

    /// The error for `found`, or for the end of the text. A malformed token knows better what was due.
    fn unexpected(&self, found: Option<Spanned<'a>>, expected: &'static str) -> FilterError {
        let Some(Spanned { token, start, end }) = found else {
            return FilterError::Unexpected {
                position: self.text.len(),
                expected,
                found: "the end".to_owned(),
            };
        };
        let expected = if let Token::Malformed(instead) = token { instead } else { expected };
        let quote: String = self.text[start..end].chars().take(MAX_QUOTE_CHARS).collect();
        FilterError::Unexpected { position: start, expected, found: format!("`{quote}`") }
    }
}
