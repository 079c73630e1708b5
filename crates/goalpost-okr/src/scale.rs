//! A metric's scale: what a value on it is worth.

use crate::{Status, TargetType};

/// A metric: where it starts and where it shall go, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// How a value is held against the target.
    pub target_type: TargetType,
    /// The value at the beginning. Not looked at by [`TargetType::Reach`], which counts from 0, and by control types.
    pub start: Option<f64>,
    /// The value to be reached, or to be kept away from.
    pub target: Option<f64>,
    /// For control types, the value from which on missing the target is a risk and not only a delay.
    pub risk: Option<f64>,
}

impl Scale {
    /// The place of `value` on the scale from start (0) to target (100). Not clamped: an overshoot is above 100, a value
    /// on the wrong side of the start below 0.
    ///
    /// `None` where the scale has no ends (a baseline, a missing start or target).
    ///
    /// The rules are those of Viva Goals' documentation ("Configuring OKRs", "Key result types"); see docs/DATA.md. A
    /// scale of no length is done when the value has reached the target. A control type ("stay above", "stay below") is
    /// either fulfilled or not, and the target itself does not fulfil it.
    pub fn percent(&self, value: f64) -> Option<f64> {
        let target = self.target?;
        let fulfilled = |is: bool| Some(if is { 100.0 } else { 0.0 });
        let start = match self.target_type {
            TargetType::Baseline => return None,
            TargetType::StayAbove => return fulfilled(value > target),
            TargetType::StayBelow => return fulfilled(value < target),
            TargetType::Reach => 0.0,
            TargetType::IncreaseFrom | TargetType::DecreaseFrom => self.start?,
        };
        let way = target - start;
        if way == 0.0 {
            return fulfilled(match self.target_type {
                TargetType::DecreaseFrom => value <= target,
                _ => value >= target,
            });
        }
        // A way too short for the number format is no scale either.
        Some((value - start) / way * 100.0).filter(|percent| percent.is_finite())
    }

    /// The value at this place of the scale: what [`percent`](Self::percent) came from. `None` where a percentage says
    /// nothing about the value: no ends, or a control type.
    pub fn value(&self, percent: f64) -> Option<f64> {
        let start = match self.target_type {
            TargetType::Reach => 0.0,
            TargetType::IncreaseFrom | TargetType::DecreaseFrom => self.start?,
            TargetType::StayAbove | TargetType::StayBelow | TargetType::Baseline => return None,
        };
        Some(start + percent / 100.0 * (self.target? - start)).filter(|value| value.is_finite())
    }

    /// The status that a value has by itself, whatever the day: only control types and baselines have one.
    ///
    /// Between target and risk threshold a control type is behind; at the threshold it is at risk.
    pub fn status(&self, value: f64) -> Option<Status> {
        // Both control types are the same with the signs turned.
        let sign = match self.target_type {
            TargetType::StayBelow => 1.0,
            TargetType::StayAbove => -1.0,
            TargetType::Baseline => return Some(Status::InProgress),
            TargetType::Reach | TargetType::IncreaseFrom | TargetType::DecreaseFrom => return None,
        };
        let value = value * sign;
        Some(if value < self.target? * sign {
            Status::OnTrack
        } else if self.risk.is_some_and(|risk| value < risk * sign) {
            Status::Behind
        } else {
            Status::AtRisk
        })
    }

    /// The scale of what is left when a goal is put off to another period: it starts where the metric stands now.
    #[must_use]
    pub fn from_now(self, value: f64) -> Self {
        match self.target_type {
            TargetType::Reach | TargetType::IncreaseFrom => {
                Self { target_type: TargetType::IncreaseFrom, start: Some(value), ..self }
            }
            TargetType::DecreaseFrom => Self { start: Some(value), ..self },
            TargetType::StayAbove | TargetType::StayBelow | TargetType::Baseline => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scale(
        target_type: TargetType,
        start: impl Into<Option<f64>>,
        target: impl Into<Option<f64>>,
    ) -> Scale {
        Scale { target_type, start: start.into(), target: target.into(), risk: None }
    }

    #[test]
    fn the_scale_runs_from_start_to_target_and_beyond() {
        for (target_type, start, target, value, expected) in [
            (TargetType::IncreaseFrom, 15.0, 35.0, 20.0, 25.0),
            (TargetType::DecreaseFrom, 50.0, 10.0, 30.0, 50.0),
            (TargetType::Reach, 0.0, 12.0, 33.0, 275.0),
            // "Reach" counts from 0, whatever the file prints as its start.
            (TargetType::Reach, 7.0, 10.0, 5.0, 50.0),
            (TargetType::IncreaseFrom, 871.0, 1500.0, 800.0, -71.0 / 629.0 * 100.0),
        ] {
            let found = scale(target_type, start, target).percent(value).expect("both ends are given");
            assert!((found - expected).abs() < 1e-9, "{target_type}: {found}");
        }
    }

    #[test]
    fn a_scale_of_no_length_is_done_when_the_target_is_reached() {
        for (target_type, value, expected) in [
            (TargetType::IncreaseFrom, 5.0, 100.0),
            (TargetType::IncreaseFrom, 4.9, 0.0),
            (TargetType::DecreaseFrom, 5.0, 100.0),
            (TargetType::DecreaseFrom, 5.1, 0.0),
        ] {
            assert_eq!(scale(target_type, 5.0, 5.0).percent(value), Some(expected), "{target_type} {value}");
        }
        assert_eq!(scale(TargetType::Reach, None, 0.0).percent(0.0), Some(100.0));
    }

    #[test]
    fn control_types_are_fulfilled_or_not() {
        for (target_type, value, expected) in [
            (TargetType::StayBelow, 99.0, 100.0),
            (TargetType::StayBelow, 100.0, 0.0),
            (TargetType::StayBelow, 105.0, 0.0),
            (TargetType::StayAbove, 101.0, 100.0),
            (TargetType::StayAbove, 100.0, 0.0),
        ] {
            assert_eq!(
                scale(target_type, None, 100.0).percent(value),
                Some(expected),
                "{target_type} {value}"
            );
        }
    }

    #[test]
    fn the_value_of_a_control_type_says_how_it_does() {
        for (target_type, risk, value, expected) in [
            (TargetType::StayBelow, None, 99.0, Status::OnTrack),
            (TargetType::StayBelow, None, 100.0, Status::AtRisk),
            (TargetType::StayBelow, Some(110.0), 99.0, Status::OnTrack),
            (TargetType::StayBelow, Some(110.0), 100.0, Status::Behind),
            (TargetType::StayBelow, Some(110.0), 105.0, Status::Behind),
            (TargetType::StayBelow, Some(110.0), 110.0, Status::AtRisk),
            (TargetType::StayAbove, None, 100.0, Status::AtRisk),
            (TargetType::StayAbove, Some(90.0), 101.0, Status::OnTrack),
            (TargetType::StayAbove, Some(90.0), 100.0, Status::Behind),
            (TargetType::StayAbove, Some(90.0), 90.0, Status::AtRisk),
            (TargetType::Baseline, None, 3.0, Status::InProgress),
        ] {
            let scale = Scale { risk, ..scale(target_type, None, 100.0) };
            assert_eq!(scale.status(value), Some(expected), "{target_type} {risk:?} {value}");
        }
        assert_eq!(scale(TargetType::Reach, None, 10.0).status(3.0), None);
        assert_eq!(scale(TargetType::StayAbove, None, None).status(3.0), None);
    }

    #[test]
    fn without_ends_there_is_no_scale() {
        assert_eq!(scale(TargetType::Baseline, 0.0, 10.0).percent(5.0), None);
        assert_eq!(scale(TargetType::Reach, 0.0, None).percent(5.0), None);
        assert_eq!(scale(TargetType::IncreaseFrom, None, 10.0).percent(5.0), None);
        assert_eq!(scale(TargetType::IncreaseFrom, 0.0, 5e-324).percent(1e300), None);
        assert_eq!(scale(TargetType::StayBelow, None, 10.0).value(50.0), None);
    }

    #[test]
    fn what_is_put_off_starts_where_it_stands() {
        let half = scale(TargetType::Reach, None, 10.0).from_now(5.0);
        assert_eq!(half, scale(TargetType::IncreaseFrom, 5.0, 10.0));
        assert_eq!(half.percent(5.0), Some(0.0));
        assert_eq!(half.percent(10.0), Some(100.0));
        let down = scale(TargetType::DecreaseFrom, 50.0, 10.0).from_now(30.0);
        assert_eq!((down.percent(30.0), down.percent(10.0)), (Some(0.0), Some(100.0)));
        let control = scale(TargetType::StayBelow, None, 10.0);
        assert_eq!(control.from_now(12.0), control);
    }

    proptest! {
        #[test]
        fn a_percentage_leads_back_to_its_value(
            target_type in prop_oneof![
                Just(TargetType::Reach),
                Just(TargetType::IncreaseFrom),
                Just(TargetType::DecreaseFrom),
            ],
            start in -1e6..1e6_f64,
            target in -1e6..1e6_f64,
            value in -1e6..1e6_f64,
        ) {
            let scale = scale(target_type, start, target);
            let way = (target - if target_type == TargetType::Reach { 0.0 } else { start }).abs();
            prop_assume!(way > 1e-3);
            let percent = scale.percent(value).expect("both ends are given");
            let back = scale.value(percent).expect("both ends are given");
            prop_assert!((back - value).abs() <= 1e-6 * (1.0 + value.abs() + way), "{value} came back as {back}");
        }
    }
}
