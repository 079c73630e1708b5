//! Imports: the ZIP of a whole Viva Goals organization, or the table of a view, becomes rows.
//!
//! ```text
//! file ──survey──▶ what is in it, what is wrong ──one transaction──▶ rows, report
//!        (no lock)                                 (the write lock)
//! ```
//! The file is read twice. The first pass checks every element and finds what the file mentions but does not hold; the
//! second one writes, all or nothing, while readers go on with the state before. What stands in the database already
//! is compared field by field, so a file that brings nothing new changes nothing. A table is made into such a ZIP first,
//! and goes the same way. Over HTTP it is a job, whose [`worker`] does just that.
//!
//! Read in this order: `run`, `organization`, `people`, `lists`, `checkins`, `goals` (which knows the rule for fields
//! that were changed here), `prune`, `aside`, `report`, `table`, `packed`, `template`, `users`; then `spec`, [`worker`] and
//! [`queries`]; then `kept` and `undo`.

mod aside;
mod checkins;
mod circles;
mod error;
mod flat;
mod goals;
mod kept;
mod labels;
mod lists;
mod mentions;
mod organization;
mod packed;
mod people;
mod prune;
pub mod queries;
mod report;
mod run;
mod spec;
mod spool;
mod table;
mod template;
mod time;
mod undo;
mod users;
pub mod worker;

pub use error::ImportError;
use goalpost_viva::Limits;
use goalpost_viva::sheet::SheetLimits;
pub use report::csv::table as report_table;
pub use report::{
    Certainty, Conflict, ImportedFile, ImportedOrganization, KeptAside, Label, LeftOut, Listed, Missing,
    Reference, ReferenceKind, Report, Tally,
};
pub use run::run;
pub use spec::{ImportSpec, parse_label};
pub use table::ImportMap;
pub use template::workbook as template;
pub use undo::{Obstacle, UndoError, Undone, undo};
use uuid::Uuid;

use crate::goals::ObjectType;
use crate::ids::{Ids, PersonNumber};
use crate::jobs::Lease;

/// The kind of an import's job.
pub const KIND: &str = "import";

/// What the operator says about an import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The name of the organization, exactly: finds one that is there, or names the one that is made.
    pub organization_name: Option<String>,
    /// Its GUID: finds one that is there, or becomes the GUID of the one that is made.
    pub organization_id: Option<Uuid>,
    /// Find out and report everything, and write nothing.
    pub dry_run: bool,
    /// Take away what an earlier import brought and this file does not hold. History stays.
    pub prune: bool,
    /// Let the file win where a field was changed here and in the file.
    pub take_file: bool,
    /// Meanings of labels of object types, which go before what is known about them.
    pub labels: Vec<(String, ObjectType)>,
    /// What names and headers of a table mean.
    pub map: ImportMap,
    /// Where new GUIDs come from.
    pub ids: Ids,
    /// What the file is called where it came from, if not as it is here.
    pub file_name: Option<String>,
    /// How much a ZIP may hold; without them, as much as that of an operator.
    pub limits: Option<Limits>,
    /// The job that it is the work of; none for the operator's own.
    pub job: Option<OfJob>,
}

/// The job that an import is the work of, and ends in its own transaction.
#[derive(Clone, Debug)]
pub struct OfJob {
    /// The lease that must hold to the end.
    pub lease: Lease,
    /// For whom it runs.
    pub creator: Option<PersonNumber>,
    /// How long the job is kept once it has ended, microseconds.
    pub keep_us: i64,
}

impl ImportOptions {
    /// How large a table may be: as an operator's own, but no larger than a file that is sent may be.
    pub(crate) fn sheet_limits(&self) -> SheetLimits {
        let all = SheetLimits::OPERATOR;
        match self.limits {
            None => all,
            Some(Limits { packed_bytes, unpacked_bytes, .. }) => SheetLimits {
                bytes: all.bytes.min(packed_bytes),
                unpacked_bytes: all.unpacked_bytes.min(unpacked_bytes),
                ..all
            },
        }
    }
}

/// How far an import is. Told now and then, never more often than every few hundred elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The file is read and checked.
    Checking {
        /// Bytes read, unpacked.
        done: u64,
        /// Bytes to read.
        total: u64,
    },
    /// The rows are compared and written.
    Writing {
        /// Elements done.
        done: u64,
        /// Elements to do.
        total: u64,
    },
}
