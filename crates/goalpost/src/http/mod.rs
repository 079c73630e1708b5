//! What every door of the HTTP server shares: the error envelope, request ids, paths and limits.

pub mod body;
pub mod envelope;
pub mod error;
pub mod path;
pub mod time;

pub use envelope::RequestIds;
pub use error::GraphError;
