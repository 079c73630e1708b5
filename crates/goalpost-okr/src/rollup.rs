//! What children make of their parent's progress.

use crate::weights::sum;
use crate::{Contribution, Scale, WeightError, shares};

/// How a parent counts its progress.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// In percent, without a metric.
    Percentage,
    /// By a metric whose unit is percent: its children move it along its scale.
    PercentMetric(Scale),
    /// By a metric in another unit: its children's values add up to it.
    Metric,
}

/// What a roll-up needs to know of a child.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Child {
    /// How far it has come, in percent; `None` if it was never updated.
    pub percent: Option<f64>,
    /// Its metric's value, if its metric counts in another unit than percent.
    pub amount: Option<f64>,
    /// Its part.
    pub contribution: Contribution,
    /// It is left out, and the others take its part: it was put off, or only collects values.
    pub is_left_out: bool,
}

/// What a parent's progress becomes: percent for [`Outcome::Percentage`], the metric's value for the others. `None`, so
/// never updated, as long as no child that counts has been.
///
/// A child that was never updated counts as 0. Closed children count with their last value. The result is the same in
/// whatever order the children come.
pub fn roll_up(outcome: &Outcome, children: &[Child]) -> Result<Option<f64>, WeightError> {
    let counted: Vec<&Child> = children.iter().filter(|child| !child.is_left_out).collect();
    let shares = shares(&counted.iter().map(|child| child.contribution).collect::<Vec<_>>())?;
    let contributing = || counted.iter().zip(&shares).filter(|(_, share)| **share > 0.0);
    if matches!(outcome, Outcome::Metric) {
        let amounts: Vec<f64> = contributing().filter_map(|(child, _)| child.amount).collect();
        return Ok((!amounts.is_empty()).then(|| sum(amounts)).filter(|amount| amount.is_finite()));
    }
    if contributing().all(|(child, _)| child.percent.is_none()) {
        return Ok(None);
    }
    let parts = contributing().map(|(child, share)| child.percent.unwrap_or(0.0) * share / 100.0);
    let average = Some(sum(parts)).filter(|average| average.is_finite());
    Ok(match outcome {
        Outcome::PercentMetric(scale) => average.and_then(|average| scale.value(average)),
        _ => average,
    })
}

#[cfg(test)]
mod tests {
    use Contribution::{Fixed, Free};
    use proptest::prelude::*;

    use super::*;
    use crate::TargetType;

    fn children(percents: &[f64], first: Contribution) -> Vec<Child> {
        let mut children: Vec<Child> =
            percents.iter().map(|&percent| Child { percent: Some(percent), ..Child::default() }).collect();
        children[0].contribution = first;
        children
    }

    fn rounded(outcome: &Outcome, children: &[Child]) -> Option<f64> {
        let rolled = roll_up(outcome, children).expect("the weights make a whole");
        rolled.map(|value| (value * 100.0).round() / 100.0)
    }

    #[test]
    fn a_parent_in_percent_is_the_weighted_average() {
        for (percents, first, expected) in [
            (&[40.0, 80.0, 20.0][..], Free, 46.67),
            (&[40.0, 80.0, 20.0], Fixed(50.0), 45.0),
            (&[40.0, 80.0, 20.0, 0.0], Fixed(50.0), 36.67),
            // Beyond the target counts as much as it is.
            (&[275.0, 25.0], Free, 150.0),
        ] {
            let children = children(percents, first);
            assert_eq!(rounded(&Outcome::Percentage, &children), Some(expected), "{percents:?} {first:?}");
        }
    }

    #[test]
    fn a_metric_in_percent_moves_along_its_scale() {
        let target_type = TargetType::IncreaseFrom;
        let scale = Scale { target_type, start: Some(30.0), target: Some(60.0), risk: None };
        let children = children(&[0.0, 25.0, 20.0], Free);
        assert_eq!(rounded(&Outcome::PercentMetric(scale), &children), Some(34.5));
    }

    #[test]
    fn another_metric_is_the_sum_of_its_children() {
        let child =
            |amount, contribution| Child { amount, contribution, percent: Some(10.0), ..Child::default() };
        let children = [child(Some(5.0), Free), child(Some(7.5), Free), child(None, Free)];
        assert_eq!(rounded(&Outcome::Metric, &children), Some(12.5));
        // One that does not contribute adds nothing either.
        let children = [child(Some(5.0), Free), child(Some(7.5), Fixed(0.0))];
        assert_eq!(rounded(&Outcome::Metric, &children), Some(5.0));
        assert_eq!(rounded(&Outcome::Metric, &[child(None, Free)]), None);
    }

    #[test]
    fn one_that_was_put_off_leaves_its_part_to_the_others() {
        let mut children = children(&[40.0, 80.0, 20.0], Fixed(50.0));
        children[2].is_left_out = true;
        assert_eq!(rounded(&Outcome::Percentage, &children), Some(60.0));
        for child in &mut children {
            child.is_left_out = true;
        }
        assert_eq!(rounded(&Outcome::Percentage, &children), None);
    }

    #[test]
    fn a_parent_is_never_updated_before_its_children_are() {
        let never = Child::default();
        assert_eq!(rounded(&Outcome::Percentage, &[never, never]), None);
        let once = Child { percent: Some(50.0), ..never };
        assert_eq!(rounded(&Outcome::Percentage, &[never, once]), Some(25.0));
        // What does not contribute does not begin anything.
        let beside = Child { contribution: Fixed(0.0), ..once };
        assert_eq!(rounded(&Outcome::Percentage, &[never, beside]), None);
        assert_eq!(rounded(&Outcome::Percentage, &[]), None);
    }

    #[test]
    fn weights_above_the_whole_roll_nothing_up() {
        let child = Child { percent: Some(1.0), contribution: Fixed(60.0), ..Child::default() };
        assert_eq!(roll_up(&Outcome::Percentage, &[child, child]), Err(WeightError::Above100(120.0)));
    }

    fn child() -> impl Strategy<Value = Child> {
        let percent = prop::option::weighted(0.9, -50.0..500.0_f64);
        let amount = prop::option::of(-1e6..1e6_f64);
        let contribution = prop_oneof![3 => Just(Free), 1 => (0.0..5.0_f64).prop_map(Fixed)];
        (percent, amount, contribution, prop::bool::weighted(0.1)).prop_map(
            |(percent, amount, contribution, is_left_out)| Child {
                percent,
                amount,
                contribution,
                is_left_out,
            },
        )
    }

    fn outcome() -> impl Strategy<Value = Outcome> {
        let target_type = TargetType::IncreaseFrom;
        prop_oneof![
            Just(Outcome::Percentage),
            Just(Outcome::Metric),
            (-1e3..1e3_f64, -1e3..1e3_f64).prop_map(move |(start, target)| {
                Outcome::PercentMetric(Scale {
                    target_type,
                    start: Some(start),
                    target: Some(target),
                    risk: None,
                })
            }),
        ]
    }

    proptest! {
        #[test]
        fn the_order_of_children_is_nothing(
            outcome in outcome(),
            (children, shuffled) in prop::collection::vec(child(), 0..30)
                .prop_flat_map(|children| (Just(children.clone()), Just(children).prop_shuffle())),
        ) {
            prop_assert_eq!(roll_up(&outcome, &children), roll_up(&outcome, &shuffled));
        }

        #[test]
        fn an_average_lies_among_its_children(children in prop::collection::vec(child(), 1..30)) {
            let Ok(Some(average)) = roll_up(&Outcome::Percentage, &children) else { return Ok(()) };
            let counted = children.iter().filter(|child| !child.is_left_out);
            let percents: Vec<f64> = counted.map(|child| child.percent.unwrap_or(0.0)).collect();
            let least = percents.iter().copied().fold(f64::INFINITY, f64::min);
            let most = percents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(least - 1e-6 <= average && average <= most + 1e-6, "{least} {average} {most}");
        }
    }
}
