//! What a goal was worth when it was closed, from 0 to 1.

use crate::weights::sum;
use crate::{Contribution, WeightError, shares};

/// The score that a closed goal is offered, from how far it has come in percent. At most 1, at least 0.
pub fn suggested(percent: f64) -> f64 {
    (percent / 100.0).clamp(0.0, 1.0)
}

/// The score of an objective whose key results were all closed: the average of their scores, by the weights of its
/// progress. Those without a score are left out, and the others take their part; `None` if none has one.
pub fn of_objective(children: &[(Option<f64>, Contribution)]) -> Result<Option<f64>, WeightError> {
    let (scores, contributions): (Vec<f64>, Vec<Contribution>) =
        children.iter().filter_map(|(score, contribution)| Some(((*score)?, *contribution))).unzip();
    let shares = shares(&contributions)?;
    let parts = scores.iter().zip(&shares).map(|(score, share)| score * share / 100.0);
    Ok(shares.iter().any(|share| *share > 0.0).then(|| sum(parts).clamp(0.0, 1.0)))
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the same numbers come out exactly")]
mod tests {
    use Contribution::{Fixed, Free};

    use super::*;
    use crate::{Scale, TargetType};

    #[test]
    fn a_score_is_what_was_done() {
        let reach = Scale { target_type: TargetType::Reach, start: None, target: Some(10.0), risk: None };
        for (scale, value, expected) in [
            (reach, 8.0, 0.8),
            (Scale { target: Some(20.0), ..reach }, 15.0, 0.75),
            // More than all is all, and backwards is nothing.
            (reach, 33.0, 1.0),
            (reach, -1.0, 0.0),
        ] {
            assert_eq!(suggested(scale.percent(value).expect("it has ends")), expected, "{value}");
        }
    }

    #[test]
    fn an_objective_takes_the_average_of_its_key_results() {
        for (children, expected) in [
            (&[(Some(0.8), Free), (Some(0.4), Free)][..], Some(0.6)),
            (&[(Some(0.8), Fixed(75.0)), (Some(0.4), Free)], Some(0.7)),
            (&[(Some(0.8), Free), (None, Fixed(75.0))], Some(0.8)),
            (&[(Some(0.8), Fixed(0.0))], None),
            (&[(None, Free)], None),
            (&[], None),
        ] {
            let found = of_objective(children).expect("the weights make a whole");
            assert_eq!(found.map(|score| (score * 1e9).round() / 1e9), expected, "{children:?}");
        }
        assert_eq!(of_objective(&[(Some(1.0), Fixed(101.0))]), Err(WeightError::NotAPercentage(101.0)));
    }
}
