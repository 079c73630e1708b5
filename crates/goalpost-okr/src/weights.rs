//! What each child contributes to its parent.

/// A child's part in its parent's progress.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Contribution {
    /// An equal part of what the fixed ones leave.
    #[default]
    Free,
    /// So many percent, set by a person; 0 for a child that does not contribute.
    Fixed(f64),
}

/// Why contributions make no whole.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum WeightError {
    /// One of them is not a percentage.
    #[error("a weight is {0} %; write a number from 0 to 100")]
    NotAPercentage(f64),
    /// Together they are more than the whole.
    #[error("the fixed weights are {0} % together; they may be 100 % at most")]
    Above100(f64),
}

/// What sums may be off, being sums of thirds and sevenths as files print them.
const ROUNDING: f64 = 0.05;

/// Each child's share in percent, in the order given; they sum to 100, or are all 0 if nobody contributes.
///
/// Fixed weights stand; free ones share the rest equally. If there is a rest and nobody to take it, because a child
/// went away, the fixed ones take it in proportion.
pub fn shares(contributions: &[Contribution]) -> Result<Vec<f64>, WeightError> {
    let fixed: Vec<f64> = contributions
        .iter()
        .filter_map(|contribution| match contribution {
            Contribution::Fixed(weight) => Some(*weight),
            Contribution::Free => None,
        })
        .collect();
    if let Some(&weight) = fixed.iter().find(|weight| !(0.0..=100.0).contains(*weight)) {
        return Err(WeightError::NotAPercentage(weight));
    }
    let taken = sum(fixed.iter().copied());
    if taken > 100.0 + ROUNDING {
        return Err(WeightError::Above100(taken));
    }
    let free = contributions.len() - fixed.len();
    let (scale, each) = match free {
        0 if taken == 0.0 => (0.0, 0.0),
        0 => (100.0 / taken, 0.0),
        // More than the whole by rounding only.
        _ if taken >= 100.0 => (100.0 / taken, 0.0),
        _ => (1.0, (100.0 - taken) / free as f64),
    };
    Ok(contributions
        .iter()
        .map(|contribution| match contribution {
            Contribution::Fixed(weight) => weight * scale,
            Contribution::Free => each,
        })
        .collect())
}

/// The sum, the same in whatever order the numbers come.
pub(crate) fn sum(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.iter().sum()
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the same numbers come out exactly")]
mod tests {
    use Contribution::{Fixed, Free};
    use proptest::prelude::*;

    use super::*;

    fn rounded(contributions: &[Contribution]) -> Vec<f64> {
        let shares = shares(contributions).expect("they make a whole");
        shares.iter().map(|share| (share * 100.0).round() / 100.0).collect()
    }

    #[test]
    fn free_children_share_what_fixed_ones_leave() {
        for (contributions, expected) in [
            (&[Free, Free, Free][..], &[33.33, 33.33, 33.33][..]),
            (&[Fixed(50.0), Free, Free], &[50.0, 25.0, 25.0]),
            (&[Fixed(50.0), Free, Free, Free], &[50.0, 16.67, 16.67, 16.67]),
            (&[Fixed(60.0), Fixed(40.0), Free], &[60.0, 40.0, 0.0]),
            (&[Fixed(0.0), Free], &[0.0, 100.0]),
            // One that was fixed at 50 went away.
            (&[Fixed(30.0), Fixed(20.0)], &[60.0, 40.0]),
            (&[Fixed(0.0), Fixed(0.0)], &[0.0, 0.0]),
            (&[], &[]),
            // Sevenths as a file prints them.
            (&[Fixed(14.29); 7], &[14.29; 7]),
        ] {
            assert_eq!(rounded(contributions), expected, "{contributions:?}");
        }
    }

    #[test]
    fn more_than_the_whole_is_refused() {
        assert_eq!(shares(&[Fixed(60.0), Fixed(50.0)]), Err(WeightError::Above100(110.0)));
        assert_eq!(shares(&[Fixed(-1.0)]), Err(WeightError::NotAPercentage(-1.0)));
        assert!(matches!(shares(&[Fixed(f64::NAN)]), Err(WeightError::NotAPercentage(_))));
        let said = WeightError::Above100(110.0).to_string();
        assert_eq!(said, "the fixed weights are 110 % together; they may be 100 % at most");
    }

    fn contribution() -> impl Strategy<Value = Contribution> {
        prop_oneof![2 => Just(Free), 1 => (0.0..20.0_f64).prop_map(Fixed)]
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_whole(contributions in prop::collection::vec(contribution(), 1..40)) {
            let Ok(shares) = shares(&contributions) else { return Ok(()) };
            let total: f64 = shares.iter().sum();
            prop_assert!((total - 100.0).abs() < 1e-9 || shares.iter().all(|share| *share == 0.0), "{total}");
            prop_assert!(shares.iter().all(|share| *share >= 0.0));
        }

        #[test]
        fn a_further_child_changes_no_fixed_share(contributions in prop::collection::vec(contribution(), 1..20)) {
            prop_assume!(contributions.contains(&Free));
            let Ok(before) = shares(&contributions) else { return Ok(()) };
            let after = shares(&[&contributions[..], &[Free]].concat()).expect("a free one needs nothing");
            for (place, contribution) in contributions.iter().enumerate() {
                match contribution {
                    Fixed(_) => prop_assert_eq!(before[place], after[place]),
                    Free => prop_assert!(after[place] <= before[place]),
                }
            }
        }
    }
}
