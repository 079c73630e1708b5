//! Exports: a caller asks for a file, a worker makes it, the caller fetches it until it expires.
//!
//! ```text
//! notStarted ──claim──▶ running ──finish──▶ succeeded ──expiry──▶ gone
//!                        │  ▲ │
//!                        └──┘ └── fail (attempt 3) ──▶ failed ──expiry──▶ gone
//!                   lease lapsed
//! ```
//! Read in this order: [`api`] (a job is asked for), [`promise`] (it is written down), [`id`] (its name on the wire),
//! [`spec`] (what it is to do), [`worker`] (the file is made from [`crate::goals::rows`] by [`viva_csv`], or by `table`
//! as its [`options`] say; of what changed only, by `changes`), `together` (several small ones at once), `packer` (its
//! pieces are stored), `draft` (or held, so that the database may keep them), `reuse` (or it is there already),
//! [`resource`] and [`list`] (a job is looked at), [`content`] (the file is fetched), [`expiry`] (it is forgotten).
//! [`queries`] holds the SQL of most of them.
//!
//! Invariant: bytes become visible only through [`queries::publish`], in the transaction that ends the job under the
//! live lease's token. Each attempt writes a file of its own, so a zombie overwrites nothing.

pub mod api;
pub(crate) mod changes;
pub mod columns;
pub mod content;
mod draft;
pub mod expiry;
pub mod id;
pub mod list;
pub mod manifest;
pub mod options;
mod packer;
pub mod promise;
pub mod queries;
pub mod resource;
mod reuse;
pub mod spec;
pub(crate) mod table;
mod together;
pub mod viva_csv;
mod wording;
pub mod worker;

pub use id::ExportId;
pub use spec::ExportSpec;

/// The kind of an export's job.
pub const KIND: &str = "export";
/// That of one with options, which the Graph door does not list: its clients would not know what to do with the file.
pub const WITH_OPTIONS: &str = "exportWithOptions";
