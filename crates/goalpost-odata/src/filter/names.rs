//! Which properties a filter speaks of, even one that does not parse.

use std::collections::HashSet;

use super::lexer::{Lexer, Token};
use super::{is_operator, split_quantifier};

/// The paths that a filter text names, in order of appearance and each one once.
///
/// Only the lexer looks at the text, so the answer does not depend on its being valid: a service can say
/// "there is no `colour` here" before it says what is wrong with the value that `colour` is compared with.
/// Operators, functions, literals, range variables and paths that begin with one are left out; the collection
/// of a lambda is in. Linear in the length of the text, whatever its length.
///
/// ```
/// use goalpost_odata::property_names;
///
/// assert_eq!(property_names("owner/name eq \u{2018}Ann and not contains(title, 7x)"), ["owner/name"]);
/// assert_eq!(property_names("tags/any(t: t/name eq 'x') or title eq 9z"), ["tags", "title"]);
/// ```
pub fn property_names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    let mut variables = HashSet::new();
    let mut tokens = Lexer::new(text).peekable();
    while let Some(token) = tokens.next() {
        let Token::Word(word) = token.token else { continue };
        if is_operator(word) {
            continue;
        }
        let name = match tokens.peek() {
            Some(next) if next.token == Token::Open && next.start == token.end => {
                let Some((collection, _)) = split_quantifier(word) else { continue };
                collection
            }
            Some(next) if next.token == Token::Colon => {
                variables.insert(word);
                continue;
            }
            _ => word,
        };
        let is_inside_item = name.split('/').next().is_some_and(|first| variables.contains(first));
        if !is_inside_item && seen.insert(name) {
            names.push(name);
        }
    }
    names
}
