//! In whose words a file speaks: the labels of types and statuses, and the clock by which instants are printed.

use goalpost_tabular::{Cell, write_local_date_time};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::options::{Labels, Options};

/// The words of one file.
#[derive(Clone, Debug, Default)]
pub(super) struct Wording {
    labels: Labels,
    /// `None`: UTC.
    zone: Option<TimeZone>,
}

impl Wording {
    /// As the options say. A zone that is not known is UTC; [`Options::check`] has refused it.
    pub(super) fn of(options: &Options) -> Self {
        let zone = options.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        Self { labels: options.labels, zone }
    }

    /// A status.
    pub(super) fn status<'w>(&self, word: &'w str) -> &'w str {
        match self.labels {
            Labels::Custom => word,
            Labels::Neutral => neutral_status(word),
        }
    }

    /// An instant at which something was written down.
    pub(super) fn moment(&self, at_us: i64) -> Cell<'static> {
        match self.minutes_ahead(at_us) {
            Some(ahead) => Cell::Local(at_us, ahead),
            None => Cell::Moment(at_us),
        }
    }

    /// The same in the middle of a text.
    pub(super) fn write_moment(&self, out: &mut Vec<u8>, at_us: i64) {
        write_local_date_time(out, at_us, self.minutes_ahead(at_us));
    }

    /// How far the clocks of the zone are ahead of UTC then, in minutes: what is written behind a time has no seconds.
    fn minutes_ahead(&self, at_us: i64) -> Option<i32> {
        let zone = self.zone.as_ref()?;
        let at = Timestamp::from_microsecond(at_us).ok()?;
        Some(zone.to_offset(at).seconds().div_euclid(60))
    }
}

/// A status in a word for programs. One that no release knows stands as it is.
pub(super) fn neutral_status(word: &str) -> &str {
    match word {
        "Not Started" => "notStarted",
        "On Track" => "onTrack",
        "Behind" => "behind",
        "At Risk" => "atRisk",
        "Closed" => "closed",
        "Postponed" => "postponed",
        "Reopened" => "reopened",
        "In-progress" => "inProgress",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goals::filter::STATUSES;

    #[test]
    fn every_status_has_a_word_for_programs() {
        for status in STATUSES {
            let word = neutral_status(status);
            assert!(word.starts_with(char::is_lowercase) && word.chars().all(char::is_alphabetic), "{word}");
        }
        assert_eq!(neutral_status("Paused"), "Paused");
    }

    #[test]
    fn a_zone_knows_its_summers() {
        let options = Options { time_zone: Some("Europe/Berlin".to_owned()), ..Options::default() };
        let wording = Wording::of(&options);
        for (at, printed) in [
            ("2025-03-30T00:59:59Z", "2025-03-30 01:59:59 +01:00"),
            ("2025-03-30T01:00:00Z", "2025-03-30 03:00:00 +02:00"),
            // The local mean time of before 1893 had seconds.
            ("1890-01-01T00:00:00Z", "1890-01-01 00:53:00 +00:53"),
        ] {
            let at_us = at.parse::<Timestamp>().expect("an instant").as_microsecond();
            let mut out = Vec::new();
            wording.write_moment(&mut out, at_us);
            assert_eq!(String::from_utf8_lossy(&out), printed);
        }
        let west =
            Wording::of(&Options { time_zone: Some("America/St_Johns".to_owned()), ..Options::default() });
        let mut out = Vec::new();
        west.write_moment(&mut out, 1_741_640_228_000_000);
        assert_eq!(String::from_utf8_lossy(&out), "2025-03-10 18:27:08 -02:30");
    }
}
