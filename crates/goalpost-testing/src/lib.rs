//! A server to test against: real sockets, a real data folder, invented people.
//!
//! Nothing here is a stand-in but time, which a test moves, and the worker, which a test runs when it wants to.
//!
//! For what one process cannot show: [`Node`] is a server as a process of its own, [`Nginx`] stands before several of
//! them, [`PgCluster`] is a database to break, [`ChaosProxy`] breaks a connection, and [`services`] are the programs
//! that all tests share.

mod app;
mod chaos;
mod client;
mod database;
mod dies;
mod nginx;
mod node;
mod seed;
pub mod services;

pub use app::TestApp;
pub use chaos::{ChaosProxy, Counters, Way};
pub use client::{Answer, Client};
pub use database::{Engine, TestDatabase};
pub use dies::DiesBefore;
pub use goalpost_processes::postgres::Replication;
pub use goalpost_processes::{PgCluster, Process, Signal, free_port, poll};
pub use nginx::Nginx;
pub use node::{NewNode, Node};
pub use seed::{ORGANIZATION, OTHER_ORGANIZATION, PRIVATE_VIEW, VIEW};

/// The scope that reads.
pub const READ: &str = "Goals-Export.Read.All";
/// The scope that creates, and reads.
pub const READ_WRITE: &str = "Goals-Export.ReadWrite.All";
