//! The query string: pairs in, pairs out again for the next page.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What is escaped when a pair of the request is repeated in a link: everything but the characters that
/// RFC 3986 (section 3.4) allows in a query. `%` stays, since it begins an escape that was checked when the
/// pair was read; `{` and `}` are escaped, because clients run links through URI templates.
const NOT_IN_QUERY: &AsciiSet = &NOT_IN_TOKEN
    .remove(b'%')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@')
    .remove(b'/')
    .remove(b'?');

/// What is escaped in a value that this crate adds: everything but the unreserved characters of RFC 3986.
const NOT_IN_TOKEN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The query of a request as ordered pairs, each of which remembers how it was spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryString {
    pairs: Vec<Pair>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pair {
    raw: String,
    name: String,
    value: String,
}

/// Why a query string could not be split into pairs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A `%` is not followed by two hexadecimal digits.
    #[error("`{raw}` has a `%` without two hexadecimal digits after it; write a percent sign as `%25`")]
    PercentEncoding {
        /// The name or value as it was sent.
        raw: String,
    },
    /// The decoded bytes are not text.
    #[error("`{raw}` does not decode to UTF-8; encode the text as UTF-8 before escaping its bytes")]
    NotUtf8 {
        /// The name or value as it was sent.
        raw: String,
    },
}

impl QueryString {
    /// Splits what stands behind the `?` of a URL, without the `?`; an empty text has no pairs.
    ///
    /// Names and values are percent-decoded once, after the split, and `+` is a space. A pair without `=` has
    /// an empty value; a pair without any text (`a&&b`) is none.
    pub fn parse(raw: &str) -> Result<Self, QueryError> {
        let pairs =
            raw.split('&').filter(|pair| !pair.is_empty()).map(Pair::parse).collect::<Result<_, _>>()?;
        Ok(Self { pairs })
    }

    /// The decoded names and values in the order of the request.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|pair| (pair.name.as_str(), pair.value.as_str()))
    }

    /// The query of the page after this one: the pairs as they were sent, in their order, then `$skiptoken`
    /// with `token`.
    ///
    /// An earlier `$skiptoken` is replaced. `$skip` is dropped, since the token stands behind what was skipped
    /// already. The result holds only characters that may stand in a query (RFC 3986, section 3.4), and never
    /// an unescaped `{` or `}`.
    pub fn with_skiptoken(&self, token: &str) -> String {
        let mut query = String::new();
        for pair in self.pairs.iter().filter(|pair| !is_position(&pair.name)) {
            query.extend(utf8_percent_encode(&pair.raw, NOT_IN_QUERY));
            query.push('&');
        }
        query.push_str("$skiptoken=");
        query.extend(utf8_percent_encode(token, NOT_IN_TOKEN));
        query
    }
}

impl Pair {
    fn parse(raw: &str) -> Result<Self, QueryError> {
        let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
        Ok(Self { raw: raw.to_owned(), name: decode(name)?, value: decode(value)? })
    }
}

/// The option that `name` stands for, in lower case and without `$`: OData 4.01 (URL Conventions, section 5.1)
/// takes the names of system query options in any case, with or without the `$`.
pub(crate) fn option_key(name: &str) -> String {
    name.strip_prefix('$').unwrap_or(name).to_ascii_lowercase()
}

fn is_position(name: &str) -> bool {
    matches!(option_key(name).as_str(), "skip" | "skiptoken")
}

fn decode(raw: &str) -> Result<String, QueryError> {
    let escapes_are_whole = raw.split('%').skip(1).all(|after| {
        after.as_bytes().first_chunk::<2>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if !escapes_are_whole {
        return Err(QueryError::PercentEncoding { raw: raw.to_owned() });
    }
    // An escaped plus sign is `%2B`, so the plain ones go first.
    let spaced = raw.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8();
    text.map(String::from).map_err(|_| QueryError::NotUtf8 { raw: raw.to_owned() })
}
