//! The system query options of a request, each in the form in which it is used.

use crate::orderby::{OrderBy, OrderByError, parse_orderby};
use crate::query::{QueryString, option_key};
use crate::select::{SelectError, SelectItem, parse_select};

/// The options of one request; `None` where the request does not name one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryOptions {
    /// `$filter` as text. It is not parsed yet, because a caller may want to judge its
    /// [`property_names`](crate::property_names) first; [`Expr::parse`](crate::Expr::parse) does the rest.
    pub filter: Option<String>,
    /// `$select`: the properties to answer with.
    pub select: Option<Vec<SelectItem>>,
    /// `$orderby`: the sort keys.
    pub orderby: Option<Vec<OrderBy>>,
    /// `$top`: how many items at most. A number past `u32::MAX` counts as `u32::MAX`, which is more than any
    /// answer holds and still fits every integer type of a database.
    pub top: Option<u32>,
    /// `$skip`: how many items to leave out first; capped like `top`.
    pub skip: Option<u32>,
    /// `$count`: whether the answer says how many items there are on all pages.
    pub count: Option<bool>,
    /// `$skiptoken` as text: where the page begins.
    pub skiptoken: Option<String>,
    /// `$search` as text.
    pub search: Option<String>,
    /// `$expand` as text.
    pub expand: Option<String>,
    /// `$format` as text.
    pub format: Option<String>,
    /// Names with a `$` that are none of the above, decoded and in the order of the request. An option that
    /// the service does not know must be refused, not ignored (OData 4.01 Protocol, "Query Option
    /// Extensibility").
    pub unknown: Vec<String>,
}

/// Why the options of a request could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The same option stands there twice, whatever its case and with or without `$` (OData 4.01 URL
    /// Conventions, section 5.1).
    #[error("the option ${name} is given more than once; give it once")]
    Repeated {
        /// The option in lower case, without `$`.
        name: &'static str,
    },
    /// `$top` or `$skip` is no number.
    #[error("`{value}` is not a value of ${name}; write a non-negative integer")]
    NotAnInteger {
        /// `top` or `skip`.
        name: &'static str,
        /// The decoded value.
        value: String,
    },
    /// `$count` is neither `true` nor `false`.
    #[error("`{value}` is not a value of $count; write `true` or `false`")]
    NotABoolean {
        /// The decoded value.
        value: String,
    },
    /// `$select` is no list of paths.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// `$orderby` is no list of sort keys.
    #[error(transparent)]
    OrderBy(#[from] OrderByError),
}

impl QueryOptions {
    /// Reads the options of a query; the first one that is wrong decides the error.
    ///
    /// Names count in any case, with or without `$`. A name without `$` that is no system option is the
    /// caller's own affair and is passed over.
    pub fn from_query(query: &QueryString) -> Result<Self, OptionsError> {
        let mut options = Self::default();
        for (name, value) in query.pairs() {
            match option_key(name).as_str() {
                "filter" => set(&mut options.filter, "filter", value.to_owned())?,
                "select" => set(&mut options.select, "select", parse_select(value)?)?,
                "orderby" => set(&mut options.orderby, "orderby", parse_orderby(value)?)?,
                "top" => set(&mut options.top, "top", parse_integer("top", value)?)?,
                "skip" => set(&mut options.skip, "skip", parse_integer("skip", value)?)?,
                "count" => set(&mut options.count, "count", parse_boolean(value)?)?,
                "skiptoken" => set(&mut options.skiptoken, "skiptoken", value.to_owned())?,
                "search" => set(&mut options.search, "search", value.to_owned())?,
                "expand" => set(&mut options.expand, "expand", value.to_owned())?,
                "format" => set(&mut options.format, "format", value.to_owned())?,
                _ if name.starts_with('$') => options.unknown.push(name.to_owned()),
                _ => {}
            }
        }
        Ok(options)
    }
}

fn set<T>(option: &mut Option<T>, name: &'static str, value: T) -> Result<(), OptionsError> {
    match option.replace(value) {
        None => Ok(()),
        Some(_) => Err(OptionsError::Repeated { name }),
    }
}

fn parse_integer(name: &'static str, value: &str) -> Result<u32, OptionsError> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(OptionsError::NotAnInteger { name, value: value.to_owned() });
    }
    // Digits alone can fail in one way only: the number is too large.
    Ok(value.parse().unwrap_or(u32::MAX))
}

fn parse_boolean(value: &str) -> Result<bool, OptionsError> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(OptionsError::NotABoolean { value: value.to_owned() }),
    }
}
