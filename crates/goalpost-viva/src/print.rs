//! How values are printed where the file's form is not serde's own.

#![expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]

use jiff::civil::{Date, DateTime, Time};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::elements::Note;
use crate::objective::{Permissions, PhasedTargets};

/// `YYYY-MM-DD`.
pub(crate) fn date<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

/// `YYYY-MM-DD`.
pub(crate) fn day<S: Serializer>(day: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    match day {
        Some(day) => serializer.collect_str(day),
        None => serializer.serialize_none(),
    }
}

/// `YYYY-MM-DD HH:MM:SS`, with the microseconds behind it unless there are none.
pub(crate) fn moment<S: Serializer>(moment: &Option<DateTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => {
            let (date, hour, minute, second) =
                (moment.date(), moment.hour(), moment.minute(), moment.second());
            match moment.subsec_nanosecond() / 1_000 {
                0 => serializer.collect_str(&format_args!("{date} {hour:02}:{minute:02}:{second:02}")),
                micros => serializer
                    .collect_str(&format_args!("{date} {hour:02}:{minute:02}:{second:02}.{micros:06}")),
            }
        }
        None => serializer.serialize_none(),
    }
}

/// `YYYY-MM-DD`, followed by the time unless that is midnight.
pub(crate) fn day_or_moment<S: Serializer>(at: &Option<DateTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) if at.time() == Time::midnight() => serializer.collect_str(&at.date()),
        _ => moment(at, serializer),
    }
}

/// `"25.0%"`.
pub(crate) fn weight<S: Serializer>(weight: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match weight {
        Some(weight) => serializer.collect_str(&format_args!("{weight:?}%")),
        None => serializer.serialize_none(),
    }
}

/// `""` for none.
pub(crate) fn text_or_empty<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text.as_deref().unwrap_or_default())
}

/// `null` for an empty list.
pub(crate) fn list_or_null<S: Serializer, T: Serialize>(
    list: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if list.is_empty() { serializer.serialize_none() } else { serializer.collect_seq(list) }
}

/// `"Disabled"` for none.
pub(crate) fn phased_targets<S: Serializer>(
    targets: &Option<PhasedTargets>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match targets {
        Some(targets) => targets.serialize(serializer),
        None => serializer.serialize_str("Disabled"),
    }
}

/// `{}` for none.
pub(crate) fn note<S: Serializer>(note: &Option<Note>, serializer: S) -> Result<S::Ok, S::Error> {
    match note {
        Some(note) => note.serialize(serializer),
        None => serializer.collect_map::<(), (), _>([]),
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json: &RawValue = serde_json::from_str(&self.json).map_err(S::Error::custom)?;
        json.serialize(serializer)
    }
}
