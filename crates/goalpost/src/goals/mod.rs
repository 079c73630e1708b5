//! Goals: objectives, key results and initiatives in one table with one space of ids, and what hangs on them.
//!
//! [`record`] is a goal as its rows hold it, [`edit`] the way to change it, [`write`](mod@write) what people do with it. A [`checkin`] tells how it goes, its
//! [`ending`] how it went; what follows from either for the goals above is [`recompute`]d by the rules of
//! `goalpost_okr`.

pub mod checkin;
pub mod edit;
pub mod ending;
pub mod filter;
pub mod history;
pub mod order;
pub mod recompute;
pub mod record;
pub mod rights;
pub mod rows;
pub mod visibility;
pub mod write;

use goalpost_okr::words;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::orgs::terms::Terms;

/// The day (UTC) of a moment, in microseconds since 1970.
pub(crate) fn day(at_us: i64) -> Date {
    let at = Timestamp::from_microsecond(at_us).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(at).date()
}

/// The first moment of a day (UTC), in microseconds since 1970.
pub(crate) fn midnight(day: Date) -> i64 {
    let at = TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight()));
    at.map_or(i64::MIN, Timestamp::as_microsecond)
}

words!(
    /// What a goal is, whatever word its organization has for it.
    ObjectType {
        /// What is to be achieved.
        Objective => "objective",
        /// How it is seen that an objective is achieved.
        KeyResult => "keyResult",
        /// Work that is done for it.
        Initiative => "initiative",
    }
);

impl ObjectType {
    /// The organization's word for it, as exports print it.
    pub fn label(self, terms: &Terms) -> String {
        match self {
            Self::Objective => terms.label_of_objective(),
            Self::KeyResult => terms.label_of_key_result(),
            Self::Initiative => terms.label_of_initiative(),
        }
    }
}

words!(
    /// How sure one may be that a goal is reached, in the words of the files.
    GoalType {
        /// More than can be expected.
        Aspirational => "Aspirational",
        /// To be reached in full.
        Committed => "Committed",
    }
);

words!(
    /// How a task of an initiative stands, in the words of the files.
    TaskStatus {
        /// Done.
        Complete => "Complete",
        /// To be done.
        Incomplete => "Incomplete",
        /// Nobody says.
        Unknown => "Unknown",
    }
);

words!(
    /// How a row came to be.
    Origin {
        /// A file held it.
        File => "file",
        /// No file held it, only a mention of it: a placeholder.
        Reference => "reference",
        /// It was made here.
        Local => "local",
    }
);

words!(
    /// Where a goal's progress comes from, in the words of the files.
    ProgressMode {
        /// From its check-ins.
        Manual => "Update Manually",
        /// From the goals below it.
        FromChildren => "Update from Children",
        /// From another program.
        FromIntegration => "Update from Integration",
    }
);

words!(
    /// Where a goal's status comes from, in the words of the files.
    StatusMode {
        /// From its check-ins.
        Manual => "Update Manually",
        /// From where it is and where it should be by today.
        FromProgress => "Update based on Progress",
        /// From the goals below it.
        FromChildren => "Update based on Key Results",
    }
);
