//! Tables that people took out of Viva Goals: the CSV, or the workbook, of a view of the Explorer; and the other kinds
//! of files that such a table is exported as here.
//!
//! ```text
//! CSV ──encoding──▶ UTF-8 ──records──▶ cells ──header──▶ columns ──cells──▶ GoalRow
//! XLSX ─────────────workbook─────────────▲
//! JSON Lines ─────json_lines─────────────▲
//! Parquet ────────parquet────────────────▲
//! ```
//! Nothing is trusted and nothing is lost: the size of a cell, a row and a header is bounded while reading; a
//! value that is wrong is a [`CellError`] with its row and column; what is not understood is in the row's
//! `aside`. One row is in memory at a time.
//!
//! Read in this order: `encoding`, `records`, `workbook`, `json_lines`, `parquet`, `header`, `cells`, `goal`, `source`, `explorer`, `template`, `users`.

mod cells;
mod encoding;
mod error;
mod explorer;
mod goal;
mod header;
mod json_lines;
mod parquet;
mod records;
mod source;
mod template;
mod users;
mod workbook;

pub use cells::{CheckInCell, Parent, aligned_to, check_in, names, settle_titles};
pub use encoding::Encoding;
pub use error::{CellError, SheetError};
pub use explorer::{Explorer, SheetLimits};
pub use goal::GoalRow;
pub use header::{Column, HeaderWords};
pub use template::{
    BYTES as TEMPLATE_BYTES, REASON, ROWS as TEMPLATE_ROWS, SHEET as TEMPLATE_SHEET, Template,
    TemplateColumn, TemplateRow, read_template,
};
pub use users::{UserColumn, UserRow, UserRows, read_users};
pub use workbook::{Spool, is_workbook};
