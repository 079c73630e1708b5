//! What every door of the HTTP server shares: the error envelope, request ids, paths and limits.

mod access;
pub mod body;
pub mod envelope;
pub mod error;
pub mod path;
pub mod time;

pub use envelope::{Outside, RequestIds};
pub use error::GraphError;
