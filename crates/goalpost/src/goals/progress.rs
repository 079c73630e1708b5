//! How far a goal has come, in percent of the way from its start to its target.

use super::TargetType;

/// The place of `value` on the scale from start (0) to target (100). Not clamped: an overshoot is above 100, a value
/// on the wrong side of the start below 0.
///
/// `None` where the scale has no ends (a baseline, a missing start or target).
///
/// The rules are those of Viva Goals' documentation ("Configuring OKRs", "Key result types"); see docs/DATA.md. A
/// scale of no length is done when the value has reached the target. A control type ("stay above", "stay below") is
/// either fulfilled or not, and the target itself does not fulfil it.
pub fn percent(target_type: TargetType, start: Option<f64>, target: Option<f64>, value: f64) -> Option<f64> {
    let target = target?;
    let fulfilled = |is: bool| Some(if is { 100.0 } else { 0.0 });
    let start = match target_type {
        TargetType::Baseline => return None,
        TargetType::StayAbove => return fulfilled(value > target),
        TargetType::StayBelow => return fulfilled(value < target),
        TargetType::Reach => 0.0,
        TargetType::IncreaseFrom | TargetType::DecreaseFrom => start?,
    };
    let way = target - start;
    if way == 0.0 {
        return fulfilled(match target_type {
            TargetType::DecreaseFrom => value <= target,
            _ => value >= target,
        });
    }
    // A way too short for the number format is no scale either.
    Some((value - start) / way * 100.0).filter(|percent| percent.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_runs_from_start_to_target_and_beyond() {
        for (target_type, start, target, value, percent_expected) in [
            (TargetType::IncreaseFrom, 15.0, 35.0, 20.0, 25.0),
            (TargetType::DecreaseFrom, 50.0, 10.0, 30.0, 50.0),
            (TargetType::Reach, 0.0, 12.0, 33.0, 275.0),
            // "Reach" counts from 0, whatever the file prints as its start.
            (TargetType::Reach, 7.0, 10.0, 5.0, 50.0),
            (TargetType::IncreaseFrom, 871.0, 1500.0, 800.0, -71.0 / 629.0 * 100.0),
        ] {
            let found = percent(target_type, Some(start), Some(target), value).expect("both ends are given");
            assert!((found - percent_expected).abs() < 1e-9, "{target_type}: {found}");
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
            assert_eq!(
                percent(target_type, Some(5.0), Some(5.0), value),
                Some(expected),
                "{target_type} {value}"
            );
        }
        assert_eq!(percent(TargetType::Reach, None, Some(0.0), 0.0), Some(100.0));
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
                percent(target_type, None, Some(100.0), value),
                Some(expected),
                "{target_type} {value}"
            );
        }
    }

    #[test]
    fn without_ends_there_is_no_scale() {
        assert_eq!(percent(TargetType::Baseline, Some(0.0), Some(10.0), 5.0), None);
        assert_eq!(percent(TargetType::Reach, Some(0.0), None, 5.0), None);
        assert_eq!(percent(TargetType::IncreaseFrom, None, Some(10.0), 5.0), None);
        assert_eq!(percent(TargetType::IncreaseFrom, Some(0.0), Some(5e-324), 1e300), None);
    }
}
