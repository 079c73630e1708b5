//! Behaviour from outside: HTTP, files, the command line. One binary; its modules mirror the slices.

mod admin;
mod api;
mod backup;
mod checkins;
mod cli;
mod dying;
mod exports;
mod filter;
mod goals;
mod graph;
mod history;
mod identity;
mod imports;
mod jobs;
mod nodes;
mod observe;
mod orgs;
mod simulation;
mod store;
mod takeout;
mod upgrade;
mod views;
mod web;

/// A number from the environment, for longer runs than those of every day: `cargo xtask soak` makes them, and keeps what
/// they print behind `soak: `, numbers each with their name.
fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}
