//! Orders as SQL, held against the same comparisons in plain Rust, and their pages.

use std::cell::Cell;
use std::cmp::Ordering;

use goalpost::goals::order::{Order, SortKey};
use goalpost::ids::fold;
use goalpost_db::{Db, Error, Scope, Value};
use goalpost_odata::Direction;
use goalpost_testing::TestDatabase;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

use super::house::{Goal, House, NAMES, any_house};
use super::rules::updated;

/// Missing values last, whatever the direction.
fn compare<T: PartialOrd>(a: Option<T>, b: Option<T>, direction: Direction) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => {
            let order = a.partial_cmp(&b).expect("numbers that can be compared");
            if direction == Direction::Ascending { order } else { order.reverse() }
        }
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

fn rank(status: &str) -> Option<usize> {
    ["At Risk", "Behind", "On Track", "In-progress", "Reopened", "Not Started", "Postponed", "Closed"]
        .iter()
        .position(|word| *word == status)
}

fn compare_by(key: SortKey, direction: Direction, house: &House, a: &Goal, b: &Goal) -> Ordering {
    let owner = |goal: &Goal| goal.owners.first().map(|owner| fold(NAMES[*owner as usize - 1]));
    let first_day = |goal: &Goal| {
        let period = house.periods.iter().find(|period| Some(period.0) == goal.period)?;
        period.2.map(|(first, _)| first)
    };
    match key {
        SortKey::Id => compare(Some(a.id), Some(b.id), direction),
        SortKey::Priority => compare(a.priority, b.priority, direction),
        SortKey::Title => compare(Some(fold(a.title)), Some(fold(b.title)), direction),
        SortKey::Owner => compare(owner(a), owner(b), direction),
        SortKey::Period => compare(first_day(a), first_day(b), direction),
        SortKey::Start => compare(a.start, b.start, direction),
        SortKey::Due => compare(a.due, b.due, direction),
        SortKey::Progress => compare(a.percent, b.percent, direction),
        SortKey::Status => compare(rank(a.status), rank(b.status), direction),
        SortKey::Updated => compare(updated(a), updated(b), direction),
        SortKey::Created => compare(a.created, b.created, direction),
        SortKey::CheckIn => compare(a.check_in, b.check_in, direction),
    }
}

fn any_order() -> impl Strategy<Value = String> {
    let keys = subsequence(SortKey::ALL.to_vec(), 1..=3).prop_shuffle();
    (keys, prop::array::uniform3(select(&["", " asc", " desc"][..]))).prop_map(|(keys, directions)| {
        let keys = keys.iter().zip(directions).map(|(key, direction)| format!("{}{direction}", key.as_str()));
        keys.collect::<Vec<_>>().join(", ")
    })
}

/// All goals, a page of so many at a time. Each place is handed out and taken back as JSON text.
fn pages(db: &Db, house: i64, order: &Order, size: i64) -> Vec<i64> {
    let (mut ids, mut after): (Vec<i64>, Option<Vec<Value>>) = (Vec::new(), None);
    loop {
        let mut params = vec![Value::Int(house), Value::Int(size)];
        let place = after.take().map(|place| order.after(place, 3));
        let condition = place.as_ref().map_or_else(String::new, |place| format!(" and {}", place.sql));
        params.extend(place.into_iter().flat_map(|place| place.params));
        let sql = format!(
            "select g.id, {} from goal g where g.organization = ?1{condition} order by {} limit ?2",
            order.keys().join(", "),
            order.order_by(),
        );
        let page = db.snapshot(Scope::Organization(house), |tx| {
            tx.query(&sql, &params, |row| Ok((row.int(0)?, order.place(row, 1)?)))
        });
        let page = page.unwrap_or_else(|error: Error| panic!("{error}: {sql}"));
        let Some((_, last)) = page.last() else { return ids };
        let text = Order::place_to_json(last).to_string();
        after = order.place_from_json(&serde_json::from_str(&text).expect("JSON"));
        assert!(after.is_some(), "{text} is no place of `{order}`");
        ids.extend(page.into_iter().map(|(id, _)| id));
    }
}

#[test]
fn pages_by_any_order_are_the_whole_order() {
    let folder = TempDir::new().expect("a folder for the database");
    let database = TestDatabase::new(folder.path());
    let db = database.open();
    let number = Cell::new(0);
    let asked = prop::collection::vec((any_order(), 1_i64..8), 20);
    TestRunner::new(Config { max_shrink_iters: 200, ..Config::with_cases(25) })
        .run(&(any_house(), asked), |(house, asked)| {
            number.set(number.get() + 1);
            let number = number.get();
            house.write(&db, number).expect("goals are written");
            for (text, size) in asked {
                let order: Order = text.parse().expect("an order");
                prop_assert_eq!(order.to_string().parse::<Order>(), Ok(order.clone()));
                let mut goals: Vec<&Goal> = house.goals.iter().collect();
                goals.sort_by(|a, b| {
                    let keys = order.sort_keys().iter();
                    keys.map(|(key, direction)| compare_by(*key, *direction, &house, a, b))
                        .find(|order| order.is_ne())
                        .unwrap_or_else(|| a.id.cmp(&b.id))
                });
                let expected: Vec<i64> = goals.iter().map(|goal| goal.id).collect();
                prop_assert_eq!(pages(&db, number, &order, size), expected, "{} by {}", text, size);
            }
            Ok(())
        })
        .expect("no difference");
}
