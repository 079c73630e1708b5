//! A server to test against: real sockets, a real data folder, invented people.
//!
//! Nothing here is a stand-in but time, which a test moves, and the worker, which a test runs when it wants to.

mod app;
mod client;
mod seed;

pub use app::TestApp;
pub use client::{Answer, Client};
pub use seed::{ORGANIZATION, OTHER_ORGANIZATION, PRIVATE_VIEW, VIEW};

/// The scope that reads.
pub const READ: &str = "Goals-Export.Read.All";
/// The scope that creates, and reads.
pub const READ_WRITE: &str = "Goals-Export.ReadWrite.All";
