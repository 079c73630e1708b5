//! What every door of the HTTP server shares: the error envelope, request ids, paths and limits.

mod access;
pub mod body;
pub mod envelope;
pub mod error;
pub mod options;
pub mod path;
pub mod time;

pub use envelope::{Outside, RequestIds};
pub use error::GraphError;

use uuid::Uuid;

/// A GUID as Graph takes it: 8-4-4-4-12 hexadecimal digits in any case, and nothing around them.
pub fn parse_guid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}
