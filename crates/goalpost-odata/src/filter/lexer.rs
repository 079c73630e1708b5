//! The tokens of a filter. The lexer never stops at a mistake: a piece of text that is nothing becomes a token
//! that says so, and the next one is read.

use super::is_operator;
use super::literal::Literal;
use crate::path::{is_identifier_char, is_identifier_start, is_path, is_qualified_name};

/// A token and the bytes of the text from which it was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanned<'a> {
    pub(super) token: Token<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    Comma,
    Colon,
    Minus,
    /// A valid path, which may be an operator or the name of a function as well.
    Word(&'a str),
    Literal(Literal),
    /// Meant as a value or a name, but malformed; what it would have to be.
    Malformed(&'static str),
    /// A character that begins no token.
    Unexpected,
}

/// Reads one token after the other; linear in the length of the text.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Spanned<'a>;

    fn next(&mut self) -> Option<Spanned<'a>> {
        let rest = self.text.get(self.position..)?.trim_start();
        let start = self.text.len() - rest.len();
        let (token, length) = first_token(rest)?;
        self.position = start + length;
        Some(Spanned { token, start, end: self.position })
    }
}

/// The token at the start of `rest`, which does not begin with white space, and its length in bytes.
fn first_token(rest: &str) -> Option<(Token<'_>, usize)> {
    let first = rest.chars().next()?;
    Some(match first {
        '(' => (Token::Open, 1),
        ')' => (Token::Close, 1),
        ',' => (Token::Comma, 1),
        ':' => (Token::Colon, 1),
        '"' => (Token::Malformed("a value in single quotes"), double_quoted_length(rest)),
        _ if is_quote(first) => string(rest),
        _ if begins_number(rest) => number_or_time(rest),
        '-' => minus(rest),
        '$' => word(rest),
        _ if is_identifier_start(first) => word(rest),
        _ => (Token::Unexpected, first.len_utf8()),
    })
}

fn string(rest: &str) -> (Token<'_>, usize) {
    match quoted(rest) {
        Some((text, length)) => (Token::Literal(Literal::String(text)), length),
        None => (Token::Malformed("a closing quote at the end of the text"), rest.len()),
    }
}

fn minus(rest: &str) -> (Token<'_>, usize) {
    match run_length(rest, |c| c == '-' || is_word_char(c)) {
        4 if rest.starts_with("-INF") => (Token::Literal(Literal::Decimal("-INF".to_owned())), 4),
        _ => (Token::Minus, 1),
    }
}

fn number_or_time(rest: &str) -> (Token<'_>, usize) {
    let length = run_length(rest, |c| is_identifier_char(c) || matches!(c, '.' | '-' | '+' | ':'));
    let token = Literal::from_bare(&rest[..length]).map_or(
        Token::Malformed("a number, a date, a time or a GUID; text goes in single quotes"),
        Token::Literal,
    );
    (token, length)
}

fn word(rest: &str) -> (Token<'_>, usize) {
    // No name holds a hyphen, but a GUID that begins with a letter does.
    let length = run_length(rest, |c| c == '-' || is_word_char(c));
    let word = &rest[..length];
    if let Some(literal) = Literal::from_word(word).or_else(|| Literal::from_bare(word)) {
        return (Token::Literal(literal), length);
    }
    if !is_path(word) {
        return (Token::Malformed("a property, or a value in single quotes"), length);
    }
    if rest[length..].starts_with(is_quote) && is_qualified_name(word) && !is_operator(word) {
        return typed(word, &rest[length..]);
    }
    (Token::Word(word), length)
}

/// `type_name` with the quoted text behind it.
fn typed<'a>(type_name: &'a str, rest: &str) -> (Token<'a>, usize) {
    let Some((text, length)) = quoted(rest) else {
        return (Token::Malformed("a closing quote at the end of the text"), type_name.len() + rest.len());
    };
    let token = Literal::from_typed(type_name, text)
        .map_or(Token::Malformed("a duration such as `duration'P1DT2H30M'`"), Token::Literal);
    (token, type_name.len() + length)
}

/// The text inside the quotes at the start of `rest`, and the length with quotes; `None` if they never close.
///
/// Typographic quotes do as well, since word processors put them into examples that people copy. Each kind
/// closes its own kind only: `'Ann’s goal'` is one text.
fn quoted(rest: &str) -> Option<(String, usize)> {
    let mut chars = rest.char_indices().peekable();
    let (_, open) = chars.next()?;
    let closes = |c: char| is_quote(c) && (c == '\'') == (open == '\'');
    let mut text = String::new();
    while let Some((index, c)) = chars.next() {
        if closes(c) && chars.next_if(|&(_, next)| next == c).is_none() {
            return Some((text, index + c.len_utf8()));
        }
        text.push(c);
    }
    None
}

fn double_quoted_length(rest: &str) -> usize {
    rest[1..].find('"').map_or(rest.len(), |index| index + 2)
}

fn run_length(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

fn begins_number(rest: &str) -> bool {
    rest.strip_prefix(['+', '-']).unwrap_or(rest).starts_with(|c: char| c.is_ascii_digit())
}

fn is_word_char(c: char) -> bool {
    is_identifier_char(c) || matches!(c, '.' | '/' | '$')
}

fn is_quote(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}')
}
