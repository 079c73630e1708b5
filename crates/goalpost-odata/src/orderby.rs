//! `$orderby`: by which properties the answer is sorted.

use crate::path::{Path, PathError};

/// One sort key of `$orderby`; the first one weighs most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    /// The property that is compared.
    pub path: Path,
    /// Which end comes first; ascending unless the request says otherwise.
    pub direction: Direction,
}

/// The direction of a sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `asc`: smallest first.
    Ascending,
    /// `desc`: largest first.
    Descending,
}

/// Why an `$orderby` could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderByError {
    /// Nothing stands before, between or after the commas.
    #[error("item {number} of $orderby is empty; write property names with one comma between them")]
    EmptyItem {
        /// Which item, counted from 1.
        number: usize,
    },
    /// What follows the path is no direction.
    #[error("`{text}` is not a sort direction; write `asc` or `desc` after the property, or nothing")]
    Direction {
        /// The text after the path.
        text: String,
    },
    /// The key is no path. Expressions such as `tolower(title)` are not read here.
    #[error("a key of $orderby is not a property")]
    Path(#[from] PathError),
}

/// Reads the value of `$orderby`: paths, each with an optional `asc` or `desc` (in any case), with commas
/// between them.
pub fn parse_orderby(text: &str) -> Result<Vec<OrderBy>, OrderByError> {
    text.split(',').enumerate().map(|(index, item)| parse_item(index + 1, item.trim())).collect()
}

fn parse_item(number: usize, item: &str) -> Result<OrderBy, OrderByError> {
    if item.is_empty() {
        return Err(OrderByError::EmptyItem { number });
    }
    let (path, direction) = item.split_once(char::is_whitespace).unwrap_or((item, ""));
    Ok(OrderBy { path: Path::parse(path)?, direction: parse_direction(direction.trim_start())? })
}

fn parse_direction(text: &str) -> Result<Direction, OrderByError> {
    if text.is_empty() || text.eq_ignore_ascii_case("asc") {
        Ok(Direction::Ascending)
    } else if text.eq_ignore_ascii_case("desc") {
        Ok(Direction::Descending)
    } else {
        Err(OrderByError::Direction { text: text.to_owned() })
    }
}
