//! What an operator's machines ask a server: whether it lives, whether it is ready, and what it has counted.

pub mod health;
pub mod metrics;
