//! OData query options as typed values: what stands behind the `?` of a request, read but not yet judged.
//!
//! ```text
//! raw query ──QueryString──▶ ordered pairs ──QueryOptions──▶ $top, $select, … ──Expr──▶ the tree of $filter
//!     ▲                          │
//!     └────── with_skiptoken ────┘   the query of the next page
//! ```
//!
//! The crate knows no HTTP, no database and no property: whether `$search` is welcome, whether `owner` exists
//! and whether it may be compared with a number is for the caller to say. Errors are values that name the
//! cause, so that each caller can word them its own way.
//!
//! The grammar is that of OData 4.01 (*Part 2: URL Conventions*, section 5.1, and its ABNF) with the
//! boundaries named at [`Expr`]. Whatever the text, nothing here panics, and the work is linear in its length.
//!
//! ```
//! use goalpost_odata::{BinaryOperator, Expr, QueryOptions, QueryString};
//!
//! let query = QueryString::parse("$filter=title+eq+'Ship+it'&$top=10")?;
//! let options = QueryOptions::from_query(&query)?;
//! let filter = Expr::parse(options.filter.as_deref().unwrap_or_default())?;
//!
//! assert_eq!(options.top, Some(10));
//! assert!(matches!(filter, Expr::Binary { operator: BinaryOperator::Equal, .. }));
//! assert_eq!(query.with_skiptoken("abc"), "$filter=title+eq+'Ship+it'&$top=10&$skiptoken=abc");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod filter;
mod options;
mod orderby;
mod path;
mod query;
mod select;

pub use filter::{
    BinaryOperator, Condition, Expr, FilterError, Literal, MAX_FILTER_BYTES, MAX_FILTER_DEPTH,
    MAX_FILTER_NODES, Quantifier, property_names,
};
pub use options::{OptionsError, QueryOptions};
pub use orderby::{Direction, OrderBy, OrderByError, parse_orderby};
pub use path::{Path, PathError};
pub use query::{QueryError, QueryString};
pub use select::{SelectError, SelectItem, parse_select};
