//! `$select`: which properties the caller wants to see.

use crate::path::{Path, PathError};

/// One item of `$select`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectItem {
    /// `*`: every property that is not a navigation.
    All,
    /// The property at this path.
    Path(Path),
}

/// Why a `$select` could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// Nothing stands before, between or after the commas.
    #[error("item {number} of $select is empty; write property names with one comma between them")]
    EmptyItem {
        /// Which item, counted from 1.
        number: usize,
    },
    /// An item is no path. Nested options such as `owner($select=name)` are not read here.
    #[error("an item of $select is not a property")]
    Path(#[from] PathError),
}

/// Reads the value of `$select`: paths with commas between them, in the order of the request.
///
/// White space around an item is ignored; a repeated item stays repeated.
pub fn parse_select(text: &str) -> Result<Vec<SelectItem>, SelectError> {
    text.split(',').enumerate().map(|(index, item)| parse_item(index + 1, item.trim())).collect()
}

fn parse_item(number: usize, item: &str) -> Result<SelectItem, SelectError> {
    match item {
        "" => Err(SelectError::EmptyItem { number }),
        "*" => Ok(SelectItem::All),
        path => Ok(SelectItem::Path(Path::parse(path)?)),
    }
}
