//! A way out: everything of one organization in open formats, for whoever leaves, and back again on either engine.
//!
//! ```text
//! folder/
//!   README.txt                 what this is, for somebody who has never heard of Goalpost
//!   schema.json                every file and field, what it means and what it refers to
//!   organization.jsonl, …      every row of the organization, one JSON object a line
//!   history/goals.jsonl, …     what rows said before, and until which revision
//!   goals.csv                  all goals as Viva Goals wrote them, also restricted ones
//!   goals.parquet              the same goals with every column, typed
//!   manifest.json              rows, bytes and SHA-256 of each file
//! ```
//! All of it is of one instant, from one snapshot. The bytes are the same for the same data on either engine, and what
//! was read back is written as the same bytes again, so nothing is lost on the way. Memory does not grow with the rows.
//!
//! A [backup](crate::backup) is another thing: that of a whole server, in the words of its tables, for its operator.
//!
//! Read in this order: [`dictionary`] (which table is which file), `field` (a value in a line), [`write`](mod@write),
//! [`manifest`], `check` (a folder before it is trusted), [`read`], `agree` (rows that must fit each other).

mod agree;
mod check;
pub mod dictionary;
mod error;
mod field;
pub mod manifest;
pub mod read;
mod readme;
pub mod write;

pub use error::{Result, TakeoutError};
