//! Goalpost: a self-hosted goals (OKR) server that speaks Microsoft Graph beta's Viva Goals export API.
//!
//! A saved Explorer view becomes a file, asynchronously, exactly once, fast, and only for those who may see it.
//! The way of one export: [`exports`], from its module head on. `docs/ARCHITECTURE.md` is the map of the house.

pub mod api;
pub mod app;
pub mod audit;
pub mod backup;
pub mod batch;
pub mod clock;
pub mod config;
pub mod demo;
pub mod exports;
pub mod goals;
pub mod http;
pub mod identity;
pub mod ids;
pub mod imports;
pub mod jobs;
pub mod kept;
pub mod keyset;
pub mod metrics;
pub mod nodes;
pub mod observe;
pub mod orgs;
pub mod origin;
pub mod router;
pub mod server;
pub(crate) mod shared_read;
pub mod stop;
pub mod store;
pub(crate) mod table;
pub mod takeout;
pub mod trace;
pub mod views;
pub mod web;
