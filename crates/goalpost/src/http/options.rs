//! Query options of a request, refused in Graph's words where they cannot be read.

use goalpost_odata::{OptionsError, QueryOptions, QueryString};

use super::GraphError;

/// The query options of a request; those that the resource has not are refused, never ignored.
pub fn read_options(
    query: Option<&str>,
    admitted: &[&str],
) -> Result<(QueryString, QueryOptions), GraphError> {
    let query = QueryString::parse(query.unwrap_or_default())
        .map_err(|error| GraphError::bad_request(format!("The query string cannot be read: {error}.")))?;
    let options = QueryOptions::from_query(&query).map_err(|error| {
        GraphError::bad_request(match &error {
            OptionsError::NotAnInteger { name, value } => format!(
                "Invalid value '{value}' for ${name} query option found. The ${name} query option requires a \
                 non-negative integer value."
            ),
            OptionsError::Select(error) => format!("Parsing OData Select and Expand failed: {error}"),
            error => error.to_string(),
        })
    })?;
    let given = [
        ("filter", options.filter.is_some()),
        ("select", options.select.is_some()),
        ("orderby", options.orderby.is_some()),
        ("top", options.top.is_some()),
        ("skip", options.skip.is_some()),
        ("count", options.count.is_some()),
        ("skiptoken", options.skiptoken.is_some()),
        ("search", options.search.is_some()),
        ("expand", options.expand.is_some()),
        ("format", options.format.is_some()),
    ];
    let foreign =
        given.iter().find(|(name, given)| *given && !admitted.contains(name)).map(|(name, _)| *name);
    let foreign = foreign.map(|name| format!("${name}")).or_else(|| options.unknown.first().cloned());
    match foreign {
        Some(name) => Err(GraphError::bad_request(format!(
            "The query option '{name}' is not supported on this resource."
        ))),
        None => Ok((query, options)),
    }
}
