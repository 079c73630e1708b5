//! The filter tree as SQL, held against a second reading of its rules in plain Rust.

use std::cell::Cell;

use goalpost::goals::filter::{Condition, Filter, Subject, compile};
use goalpost::goals::visibility::visible_to;
use goalpost::ids::OrganizationNumber;
use goalpost::views::{Preset, Selection};
use goalpost_testing::TestDatabase;
use jiff::ToSpan;
use jiff::civil::date;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

use self::any::{any_filter, any_leaf};
use self::house::{Goal, House, TODAY, any_house, any_reader, found, subject};
use self::rules::{Reader, sees};
use crate::setting;

pub(crate) mod any;
pub(crate) mod house;
mod odata;
mod order;
mod rules;

/// Filters that one organization is asked.
const AT_ONCE: usize = 100;

#[test]
fn the_database_and_the_written_rules_agree_on_every_filter() {
    let houses = setting("GOALPOST_FILTERS", 10_000).div_ceil(AT_ONCE) as u32;
    let folder = TempDir::new().expect("a folder for the database");
    let database = TestDatabase::new(folder.path());
    let db = database.open();
    let number = Cell::new(0);
    // Every condition alone as often as in a tree, where others may hide it.
    let asked = vec((prop_oneof![any_leaf(), any_filter()], any_reader()), AT_ONCE);
    TestRunner::new(Config { max_shrink_iters: 200, ..Config::with_cases(houses) })
        .run(&(any_house(), asked), |(house, asked)| {
            number.set(number.get() + 1);
            let number = number.get();
            house.write(&db, number).expect("goals are written");
            for (filter, (me, today)) in asked {
                let reader = Reader { house: &house, me, today };
                let sql = found(&db, number, compile(&filter, &subject(number, me, today), 3));
                let rules = house.expected(|goal| reader.holds(&filter, goal));
                prop_assert_eq!(sql, rules, "{:?} for {:?} on {}", filter, me, today);
            }
            for me in [None, Some(1), Some(2)] {
                let subject = subject(number, me, TODAY);
                let visible = visible_to(&subject, 3);
                let hidden = Condition { sql: format!("not {}", visible.sql), ..visible.clone() };
                let seen = house.expected(|goal| sees(goal, me));
                prop_assert_eq!(found(&db, number, visible), seen, "seen by {:?}", me);
                let unseen = house.expected(|goal| !sees(goal, me));
                prop_assert_eq!(found(&db, number, hidden), unseen, "hidden: {:?}", me);
            }
            let is_held = |id: &i64| house.goals.iter().any(|goal| goal.id == *id && !goal.reference);
            let top_level = Selection { filter: Filter::everything(), top_level: true };
            prop_assert_eq!(
                found(&db, number, top_level.condition(&subject(number, None, TODAY), 3)),
                house.expected(|goal| !goal.reference && !goal.parents.iter().any(is_held)),
                "top level"
            );
            Ok(())
        })
        .expect("no difference");
}

proptest! {
    #[test]
    fn a_filter_survives_being_written_down(filter in any_filter()) {
        let text = serde_json::to_string(&filter).expect("plain data");
        prop_assert_eq!(Filter::parse(&text), Ok(filter));
    }

    #[test]
    fn any_text_is_a_filter_or_an_error(text in r#"[\[\]{}":,a-z0-9\\ ]{0,60}|\PC*"#) {
        if let Ok(filter) = Filter::parse(&text) {
            compile(&filter, &subject(1, None, TODAY), 1);
        }
    }

    /// Filters with one character lost or changed: nearer to the grammar than any random text.
    #[test]
    fn any_damaged_filter_is_a_filter_or_an_error(
        filter in any_filter(), at in any::<prop::sample::Index>(), with in prop::option::of(any::<char>()),
    ) {
        let mut text: Vec<char> = serde_json::to_string(&filter).expect("plain data").chars().collect();
        let at = at.index(text.len());
        text.splice(at..=at, with);
        if let Ok(filter) = Filter::parse(&text.into_iter().collect::<String>()) {
            compile(&filter, &subject(1, Some(1), TODAY), 1);
        }
    }
}

/// One goal for each word of the preset's description, and which of them it holds.
#[test]
fn presets_hold_what_their_names_say() {
    let days_ago = |days: i64| Some(TODAY.saturating_sub(days.days()));
    let plain = Goal { object_type: "objective", status: "On Track", title: "Plant", ..Goal::default() };
    let goals = [
        Goal { id: 1, owners: vec![2], check_in: days_ago(0), due: days_ago(0), ..plain.clone() },
        Goal {
            id: 2,
            owners: vec![1, 2],
            check_in: days_ago(6),
            due: days_ago(1),
            parents: vec![1],
            ..plain.clone()
        },
        Goal { id: 3, status: "Closed", check_in: days_ago(6), due: days_ago(1), ..plain.clone() },
        Goal { id: 4, status: "Closed", check_in: days_ago(7), object_type: "initiative", ..plain.clone() },
        Goal { id: 5, status: "Behind", parents: vec![6], ..plain.clone() },
        Goal { id: 6, reference: true, status: "At Risk", owners: vec![2], due: days_ago(9), ..plain },
    ];
    let folder = TempDir::new().expect("a folder for the database");
    let database = TestDatabase::new(folder.path());
    let db = database.open();
    House::of(&goals).write(&db, 7).expect("goals are written");
    let held = |preset: Preset, top_level| {
        let selection = Selection { filter: preset.filter(), top_level };
        found(&db, 7, selection.condition(&subject(7, Some(2), TODAY), 3)).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(held(Preset::AllObjectives, false), [1, 2, 3, 4, 5]);
    assert_eq!(held(Preset::MyObjectives, false), [1, 2]);
    assert_eq!(held(Preset::Overdue, false), [2]);
    assert_eq!(held(Preset::NotUpdated, false), [4, 5]);
    assert_eq!(held(Preset::AtRisk, false), [5]);
    assert_eq!(held(Preset::RecentlyCompleted, false), [3]);
    assert_eq!(held(Preset::Unaligned, false), [1, 3, 4]);
    assert_eq!(
        held(Preset::AllObjectives, true),
        [1, 3, 4, 5],
        "a placeholder above a goal leaves it on top"
    );
}

#[test]
fn a_filter_tells_what_it_depends_on_besides_the_goals() {
    const CALLER: u8 = 1;
    const TODAY: u8 = 2;
    const DIRECTORY: u8 = 4;
    let of = |text| {
        Filter::parse(text).map(|filter| {
            u8::from(filter.depends_on_caller()) * CALLER
                + u8::from(filter.depends_on_today()) * TODAY
                + u8::from(filter.depends_on_directory()) * DIRECTORY
        })
    };
    for (text, expected) in [
        (r#"{"not": {"or": [{"aligned": true}, {"owner": "me"}]}}"#, CALLER),
        (r#"{"and": [{"due": "overdue"}, {"owner": "none"}]}"#, TODAY),
        (r#"{"checkIn": {"moreThanDays": 3}}"#, TODAY),
        (r#"{"start": {"lessThanDays": 3}}"#, TODAY),
        (r#"{"created": {"lessThanDays": 3}}"#, TODAY),
        (r#"{"updated": {"moreThanDays": 3}}"#, TODAY),
        (r#"{"updated": {"from": "2026-01-01T00:00:00Z"}}"#, 0),
        (r#"{"checkIn": {"after": "2026-01-01"}}"#, 0),
        (r#"{"due": {"between": ["2026-01-01", "2026-01-31"]}}"#, 0),
        (r#"{"owner": {"in": [1, 2]}}"#, 0),
        (r#"{"owner": {"in": [1, "ada.quill@contoso.example"]}}"#, DIRECTORY),
        (r#"{"owner": {"withReports": "me"}}"#, CALLER | DIRECTORY),
        (r#"{"owner": {"withAllReports": [1]}}"#, DIRECTORY),
        (r#"{"delegate": "me"}"#, CALLER),
        (r#"{"manager": {"in": [1]}}"#, DIRECTORY),
        (r#"{"manager": "me"}"#, CALLER | DIRECTORY),
        (r#"{"manager": {"above": "me"}}"#, CALLER | DIRECTORY),
        (r#"{"team": {"in": [4]}}"#, 0),
        (r#"{"team": {"in": ["Orchard"]}}"#, DIRECTORY),
        (r#"{"team": {"withSubteams": [4]}}"#, DIRECTORY),
        (r#"{"teamType": {"in": ["Classic"]}}"#, DIRECTORY),
        (r#"{"tag": {"all": [1, "Pilot"]}}"#, DIRECTORY),
        (r#"{"period": {"in": [3]}}"#, 0),
        (r#"{"period": "none"}"#, 0),
        (r#"{"period": "current"}"#, TODAY | DIRECTORY),
        (r#"{"period": "next"}"#, TODAY | DIRECTORY),
        (r#"{"level": {"in": ["team"]}}"#, 0),
        (r#"{"aligned": {"to": [3]}}"#, CALLER),
        (r#"{"aligned": {"below": [3]}}"#, CALLER),
    ] {
        assert_eq!(of(text), Ok(expected), "{text}");
    }
}

#[test]
fn a_day_begins_at_midnight_utc() {
    let day = |at_us| Subject::on_day(OrganizationNumber(7), None, at_us).today;
    assert_eq!(day(1_772_323_199_999_999), date(2026, 2, 28));
    assert_eq!(day(1_772_323_200_000_000), date(2026, 3, 1));
}
