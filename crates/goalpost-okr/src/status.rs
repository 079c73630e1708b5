//! How a goal does: from where it is and should be, or from how its children do.

use crate::words;

words!(
    /// How a goal does. Declared from the least worrying to the most, as far as it says something about that.
    Status {
        /// Nobody has updated it.
        NotStarted => "Not Started",
        /// Values are being collected; only baselines have it.
        InProgress => "In-progress",
        /// Where it should be, or farther.
        OnTrack => "On Track",
        /// A little less far than it should be.
        Behind => "Behind",
        /// Much less far than it should be.
        AtRisk => "At Risk",
        /// Over.
        Closed => "Closed",
        /// Put off to another period.
        Postponed => "Postponed",
    }
);

/// How far a goal may be from where it should be, in points of percent; an organization may change it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranges {
    /// More than this is behind.
    pub behind: f64,
    /// More than this is at risk.
    pub at_risk: f64,
}

impl Default for Ranges {
    fn default() -> Self {
        Self { behind: 0.0, at_risk: 25.0 }
    }
}

/// Where a goal is and where it should be, both in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// How far it has come; `None` if it was never updated.
    pub actual: Option<f64>,
    /// How far it should have come by today.
    pub expected: f64,
}

impl Place {
    fn status(self, ranges: Ranges) -> Status {
        let Some(actual) = self.actual else { return Status::NotStarted };
        let gap = self.expected - actual;
        if gap > ranges.at_risk {
            Status::AtRisk
        } else if gap > ranges.behind {
            Status::Behind
        } else {
            Status::OnTrack
        }
    }
}

/// The status of a goal that takes it from its progress. Children speak only when all of them are over or put off.
pub fn from_progress(place: Place, ranges: Ranges, children: &[Status]) -> Status {
    all_the_same(children)
        .filter(|status| matches!(status, Status::Closed | Status::Postponed))
        .unwrap_or_else(|| place.status(ranges))
}

/// The status of a goal that takes it from its children: what all of them have, else the worst of those under way. Where
/// they say nothing, since some are over and none of the others has begun, its own progress does. Children that were put
/// off are left out, unless all were.
pub fn from_children(place: Place, ranges: Ranges, children: &[Status]) -> Status {
    if let Some(Status::Postponed) = all_the_same(children) {
        return Status::Postponed;
    }
    let children: Vec<Status> =
        children.iter().copied().filter(|&status| status != Status::Postponed).collect();
    if let Some(status @ (Status::Closed | Status::NotStarted)) = all_the_same(&children) {
        return status;
    }
    let under_way = children.iter().copied().filter(|&status| status != Status::Closed);
    match under_way.max() {
        None | Some(Status::NotStarted) => place.status(ranges),
        // A baseline cannot do badly.
        Some(Status::InProgress) => Status::OnTrack,
        Some(worst) => worst,
    }
}

/// The status that all have, if there are any.
fn all_the_same(children: &[Status]) -> Option<Status> {
    let first = *children.first()?;
    children.iter().all(|&status| status == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use Status::{AtRisk, Behind, Closed, InProgress, NotStarted, OnTrack, Postponed};
    use proptest::prelude::*;

    use super::*;

    fn place(expected: f64, actual: impl Into<Option<f64>>) -> Place {
        Place { actual: actual.into(), expected }
    }

    #[test]
    fn the_gap_says_how_a_goal_does() {
        for (expected, actual, status) in [
            (52.0, 47.0, Behind),
            (60.0, 30.0, AtRisk),
            (50.0, 50.0, OnTrack),
            (50.0, 80.0, OnTrack),
            (50.0, 25.0, Behind),
            (50.0, 24.9, AtRisk),
        ] {
            assert_eq!(
                from_progress(place(expected, actual), Ranges::default(), &[]),
                status,
                "{expected} {actual}"
            );
        }
        assert_eq!(from_progress(place(50.0, None), Ranges::default(), &[]), NotStarted);
        let lenient = Ranges { behind: 10.0, at_risk: 40.0 };
        assert_eq!(from_progress(place(52.0, 47.0), lenient, &[]), OnTrack);
        assert_eq!(from_progress(place(60.0, 30.0), lenient, &[]), Behind);
    }

    #[test]
    fn children_that_are_all_over_or_put_off_decide_even_by_progress() {
        let behind = place(52.0, 47.0);
        for (children, expected) in [
            (&[Closed, Closed][..], Closed),
            (&[Postponed, Postponed], Postponed),
            (&[Closed, Postponed], Behind),
            (&[AtRisk, AtRisk], Behind),
            (&[NotStarted], Behind),
        ] {
            assert_eq!(from_progress(behind, Ranges::default(), children), expected, "{children:?}");
        }
    }

    #[test]
    fn children_decide_by_the_worst_of_them() {
        let behind = place(52.0, 47.0);
        for (children, expected) in [
            (&[Postponed, Postponed][..], Postponed),
            (&[Closed, Closed], Closed),
            (&[NotStarted, NotStarted], NotStarted),
            (&[OnTrack, AtRisk, Behind], AtRisk),
            (&[OnTrack, Behind, NotStarted], Behind),
            (&[OnTrack, NotStarted, Closed], OnTrack),
            (&[OnTrack, Postponed], OnTrack),
            (&[InProgress, Closed], OnTrack),
            (&[InProgress, Behind], Behind),
            // Only these two, and so the gap.
            (&[Closed, NotStarted], Behind),
            (&[Closed, NotStarted, Postponed], Behind),
            (&[Closed, Postponed], Closed),
            (&[NotStarted, Postponed], NotStarted),
            (&[], Behind),
        ] {
            assert_eq!(from_children(behind, Ranges::default(), children), expected, "{children:?}");
        }
    }

    #[test]
    fn words_are_those_of_the_files() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
        assert_eq!("on track".parse::<Status>(), Err(()));
    }

    proptest! {
        #[test]
        fn the_order_of_children_is_nothing(
            (children, shuffled) in prop::collection::vec(prop::sample::select(Status::ALL), 0..12)
                .prop_flat_map(|children| (Just(children.clone()), Just(children).prop_shuffle())),
            expected in 0.0..100.0_f64,
            actual in prop::option::of(-20.0..150.0_f64),
        ) {
            let place = Place { actual, expected };
            let ranges = Ranges::default();
            prop_assert_eq!(from_children(place, ranges, &children), from_children(place, ranges, &shuffled));
            prop_assert_eq!(from_progress(place, ranges, &children), from_progress(place, ranges, &shuffled));
        }

        #[test]
        fn more_progress_never_does_worse(expected in 0.0..100.0_f64, actual in -20.0..150.0_f64, more in 0.0..50.0_f64) {
            let status = |actual| from_progress(place(expected, actual), Ranges::default(), &[]);
            prop_assert!(status(actual + more) <= status(actual));
        }
    }
}
