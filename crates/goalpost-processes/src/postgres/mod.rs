//! PostgreSQL: the installation, a data folder, and a cluster of a test's own.

mod cluster;
mod data;
mod installation;

pub use cluster::{PgCluster, Replication};
pub use data::DataFolder;
pub use installation::Installation;

/// The role that Goalpost works as in tests: it may make databases and roles, and is no superuser.
pub const ROLE: &str = "goalpost";
/// The superuser of every cluster.
pub const SUPERUSER: &str = "postgres";
