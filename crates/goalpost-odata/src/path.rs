//! Property paths: `title`, `owner/name`, `tags/$count`.

use std::fmt;

/// A path to a property: one or more segments, divided by `/`.
///
/// A segment is an OData identifier, possibly qualified (`Namespace.Type`) or one of the special segments that
/// begin with `$` (`$count`, `$it`). Names are case-sensitive (OData 4.01 URL Conventions, "Resource Path").
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path(String);

/// The text is not a property path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a property path; write names of letters, digits and `_`, divided by `/`")]
pub struct PathError {
    /// The text as it was given.
    pub text: String,
}

impl Path {
    /// Reads a path, without any white space around it.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if is_path(text) { Ok(Self(text.to_owned())) } else { Err(PathError { text: text.to_owned() }) }
    }

    /// The path of a text (or of the front segments of one) that [`is_path`] has accepted.
    pub(crate) fn from_checked(text: &str) -> Self {
        debug_assert!(is_path(text), "`{text}` is not a path");
        Self(text.to_owned())
    }

    /// The segments from left to right; there is at least one.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn is_path(text: &str) -> bool {
    text.split('/').all(|segment| is_qualified_name(segment.strip_prefix('$').unwrap_or(segment)))
}

pub(crate) fn is_qualified_name(text: &str) -> bool {
    text.split('.').all(is_identifier)
}

pub(crate) fn is_identifier(text: &str) -> bool {
    text.starts_with(is_identifier_start) && text.chars().all(is_identifier_char)
}

pub(crate) fn is_identifier_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

pub(crate) fn is_identifier_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
