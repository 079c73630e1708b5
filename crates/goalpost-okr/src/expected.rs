//! Where a goal should be on a day.

use jiff::civil::Date;

/// A target on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Milestone {
    /// The day by which it is due.
    pub due: Date,
    /// How far the goal shall have come then, in percent.
    pub percent: f64,
}

/// How far a goal should have come on a day, in percent: 0 on its first day, 100 on its last, in a straight line between
/// them, or from milestone to milestone where it has some. Before and after it stays.
///
/// A milestone on the last day stands for the 100; of several on one day the last one counts. A goal of one day, or of
/// less, is due on it.
pub fn expected(start: Date, end: Date, milestones: &[Milestone], today: Date) -> f64 {
    let mut way = vec![Milestone { due: start, percent: 0.0 }];
    way.extend(milestones);
    way[1..].sort_by_key(|milestone| milestone.due);
    if way.iter().skip(1).all(|milestone| milestone.due < end) {
        way.push(Milestone { due: end, percent: 100.0 });
    }
    let passed = way.iter().rposition(|milestone| milestone.due <= today);
    let Some(passed) = passed else { return 0.0 };
    let from = way[passed];
    let Some(to) = way.get(passed + 1) else { return from.percent };
    let days = |from: Date, to: Date| f64::from((to - from).get_days());
    from.percent + (to.percent - from.percent) * days(from.due, today) / days(from.due, to.due)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the same numbers come out exactly")]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const START: Date = date(2025, 1, 1);
    const END: Date = date(2025, 3, 31);

    #[test]
    fn without_milestones_the_line_is_straight() {
        for (today, expected_percent) in [
            (date(2024, 12, 31), 0.0),
            (START, 0.0),
            (date(2025, 2, 15), 45.0 / 89.0 * 100.0),
            (END, 100.0),
            (date(2025, 4, 1), 100.0),
        ] {
            let found = expected(START, END, &[], today);
            assert!((found - expected_percent).abs() < 1e-9, "{today}: {found}");
        }
    }

    #[test]
    fn milestones_are_gone_to_one_after_another() {
        let milestone = |month, day, percent| Milestone { due: date(2025, month, day), percent };
        // Given in no order.
        let milestones = [milestone(3, 1, 40.0), milestone(2, 1, 20.0)];
        for (today, expected_percent) in [
            (date(2025, 1, 1), 0.0),
            (date(2025, 2, 1), 20.0),
            (date(2025, 2, 15), 30.0),
            (date(2025, 3, 1), 40.0),
            (date(2025, 3, 16), 70.0),
            (END, 100.0),
            (date(2025, 5, 1), 100.0),
        ] {
            assert_eq!(expected(START, END, &milestones, today), expected_percent, "{today}");
        }
        // The last one says how far the goal goes.
        let milestones = [milestone(2, 1, 20.0), milestone(3, 31, 80.0)];
        assert_eq!(expected(START, END, &milestones, END), 80.0);
        assert_eq!(
            expected(START, END, &[milestone(2, 1, 20.0), milestone(2, 1, 30.0)], date(2025, 2, 1)),
            30.0
        );
    }

    #[test]
    fn a_goal_of_one_day_is_due_on_it() {
        assert_eq!(expected(START, START, &[], date(2024, 12, 31)), 0.0);
        assert_eq!(expected(START, START, &[], START), 100.0);
        assert_eq!(expected(END, START, &[], END), 100.0);
    }

    proptest! {
        #[test]
        fn with_growing_milestones_nothing_is_ever_expected_less_than_the_day_before(
            length in 0..400_i64,
            steps in prop::collection::vec((0..400_i64, 0.0..20.0_f64), 0..5),
            day in -10..420_i64,
        ) {
            let end = START.saturating_add(jiff::Span::new().days(length));
            let mut days: Vec<i64> = steps.iter().map(|(day, _)| (*day).min(length)).collect();
            days.sort_unstable();
            let mut percent = 0.0;
            let milestones: Vec<Milestone> = days
                .iter()
                .zip(&steps)
                .map(|(&day, &(_, step))| {
                    percent += step;
                    Milestone { due: START.saturating_add(jiff::Span::new().days(day)), percent }
                })
                .collect();
            let on = |day| expected(START, end, &milestones, START.saturating_add(jiff::Span::new().days(day)));
            let (before, after) = (on(day - 1), on(day));
            prop_assert!((0.0..=100.0).contains(&after), "{after}");
            prop_assert!(before <= after + 1e-9, "{before} {after}");
        }
    }
}
