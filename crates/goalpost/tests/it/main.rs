//! Behaviour from outside: HTTP, files, the command line. One binary; its modules mirror the slices.

mod cli;
mod exports;
mod filter;
mod graph;
mod identity;
mod imports;
mod jobs;
mod views;
