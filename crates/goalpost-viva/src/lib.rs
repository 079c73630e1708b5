//! The ZIP of a whole Viva Goals organization, read and written: what an organization took out of Viva Goals
//! before it ended, and what Goalpost gives back in the same form.
//!
//! ```text
//! Users_export_file_{organization}_{user}_Organization_{organization}_{YYYYMMDDHHMMSS}.json
//!               people, and groups of the directory
//! Teams_…       teams and subteams
//! TimePeriods_… years, quarters and others
//! Tags_…        tags; absent in older exports
//! objectives_…  objectives, key results and initiatives, in one id space
//! checkins_…    check-ins
//! comments_…    comments
//! ```
//!
//! Each member is one JSON array, UTF-8 and indented. Keys are words with blanks, `Last Check-in`; people are
//! `{ID, Name, Email}` wherever they stand; ids are numbers. docs/DATA.md has every key.
//!
//! - [`Archive`] opens a file and streams its elements. It trusts nothing: sizes are checked against
//!   [`Limits`] before anything is unpacked and while it is, one element is in memory at a time, entry names
//!   are names only.
//! - [`survey()`] reads a file once, finds what stands in the way of an import, and gathers what an importer
//!   needs.
//! - [`Writer`] writes such a file, and [`sample`] invents one of any size.
//! - [`sheet`] reads the CSV of a view.
//! - [`label`] tells what an organization's own words for objectives, key results and initiatives mean.
//!
//! Nothing of an element is lost without a word: a value that is wrong is an [`Error`] with its place, and
//! what is not understood is in the element's `aside`.
//!
//! ```
//! use std::io::Cursor;
//! use goalpost_viva::{Archive, Error, Limits, Objective, sample};
//!
//! # fn main() -> Result<(), Error> {
//! let mut file = Cursor::new(Vec::new());
//! sample::write(&mut file, &sample::Options { goals: 12, ..Default::default() }, &mut |_| {})?;
//!
//! let mut titles = Vec::new();
//! Archive::open(file, Limits::UPLOAD)?.each(|goal: Objective| {
//!     titles.push(goal.title);
//!     Ok::<(), Error>(())
//! })?;
//! assert_eq!(titles.len(), 12);
//! # Ok(())
//! # }
//! ```
//!
//! Read in this order: `member`, [`Archive`], `array`, `object`, `value`, `elements`, `objective`, `read`,
//! `survey`.

mod archive;
mod array;
mod elements;
mod error;
mod hierarchy;
mod ids;
pub mod label;
mod member;
mod object;
mod objective;
mod print;
mod read;
pub mod sample;
pub mod sheet;
mod survey;
mod tape;
mod unresolved;
mod value;
mod write;

pub use archive::{Archive, Limits};
pub use elements::{Aside, CheckIn, Comment, Named, Note, Period, Person, Tag, Team, User};
pub use error::{Error, ValueError};
pub use member::Entity;
pub use objective::{
    Access, Alignment, Child, Configuration, Objective, Outcome, Permissions, PhasedTarget, PhasedTargets,
    Task,
};
pub use read::Element;
pub use survey::{Problems, Survey, survey};
pub use unresolved::{Orphans, Unresolved};
pub use write::{Heading, Writer};
