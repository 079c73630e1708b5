//! The filter tree as SQL, held against a second reading of its rules in plain Rust.

use std::collections::BTreeSet;
use std::time::Duration;

use goalpost::goals::filter::{
    Condition, Day, Due, Filter, Keyword, Link, OBJECT_TYPES, OneOf, Owner, Percent, Reference, STATUSES,
    Subject, compile,
};
use goalpost::goals::visibility::visible_to;
use goalpost::ids::{OrganizationNumber, PersonNumber, fold};
use goalpost::views::{Preset, Selection};
use goalpost_db::{Db, Error, Scope, Tx, Value, params};
use goalpost_testing::TestDatabase;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

const HOUSE: i64 = 7;
const TODAY: Date = date(2026, 3, 1);

/// A goal as the reference evaluator knows it.
#[derive(Clone, Debug, Default)]
struct Goal {
    id: i64,
    reference: bool,
    restricted: bool,
    object_type: &'static str,
    status: &'static str,
    title: &'static str,
    period: Option<i64>,
    creator: Option<i64>,
    delegate: Option<i64>,
    due: Option<Date>,
    check_in: Option<Date>,
    percent: Option<f64>,
    owners: Vec<i64>,
    checkin_owners: Vec<i64>,
    viewers: Vec<i64>,
    teams: Vec<i64>,
    tags: Vec<i64>,
    parents: Vec<i64>,
}

/// Names stand for everything that bears them: two teams share one.
const PEOPLE: [(i64, &str); 3] =
    [(1, "ada.quill@contoso.example"), (2, "bela.stone@contoso.example"), (3, "Chidi.Ölund@contoso.example")];
const TEAMS: [(i64, &str); 3] = [(1, "Orchard"), (2, "orchard"), (3, "Kites & Co")];
const TAGS: [(i64, &str); 2] = [(1, "Pilot"), (2, "100 %")];
const PERIODS: [(i64, &str); 2] = [(1, "Q1 2026"), (2, "Annual 2026")];
const TITLES: [&str; 6] = [
    "Ship 100% of Crates",
    "Ship 100 crates",
    "snake_case",
    "snakeXcase",
    "Back\\slash ÄRZTE",
    "Goal #3 of 17",
];

fn named(things: &[(i64, &str)], reference: &Reference) -> Vec<i64> {
    match reference {
        Reference::Number(number) => vec![*number],
        Reference::Name(name) => things.iter().filter(|(_, n)| fold(n) == fold(name)).map(|t| t.0).collect(),
    }
}

fn holds_link(link: &Link, things: &[(i64, &str)], linked: &[i64]) -> bool {
    match link {
        Link::None => linked.is_empty(),
        Link::In(references) => {
            references.iter().flat_map(|r| named(things, r)).any(|number| linked.contains(&number))
        }
    }
}

fn holds_day(day: &Day, value: Option<Date>, ahead: bool) -> bool {
    let Some(value) = value else { return false };
    let away = (value - TODAY).get_days() * if ahead { 1 } else { -1 };
    match *day {
        Day::On(day) => value == day,
        Day::Before(day) => value < day,
        Day::After(day) => value > day,
        Day::LessThanDays(days) => away < i32::from(days) && (!ahead || away >= 0),
        Day::MoreThanDays(days) => away > i32::from(days),
    }
}

/// What the filter's documentation says, written down a second time.
fn holds(filter: &Filter, goal: &Goal, me: Option<i64>) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| holds(part, goal, me)),
        Filter::Or(parts) => parts.iter().any(|part| holds(part, goal, me)),
        Filter::Not(part) => !holds(part, goal, me),
        Filter::Status(OneOf::In(words)) => words.iter().any(|word| word == goal.status),
        Filter::ObjectType(OneOf::In(words)) => words.iter().any(|word| word == goal.object_type),
        Filter::Period(link) => holds_link(link, &PERIODS, goal.period.as_slice()),
        Filter::Team(link) => holds_link(link, &TEAMS, &goal.teams),
        Filter::Tag(link) => holds_link(link, &TAGS, &goal.tags),
        Filter::Owner(Owner::Link(link)) => holds_link(link, &PEOPLE, &goal.owners),
        Filter::Owner(Owner::Me) => me.is_some_and(|me| goal.owners.contains(&me)),
        Filter::Due(Due::Overdue) => goal.due.is_some_and(|due| due < TODAY) && goal.status != "Closed",
        Filter::Due(Due::Day(day)) => holds_day(day, goal.due, true),
        Filter::CheckIn(day) => holds_day(day, goal.check_in, false),
        Filter::Progress(percent) => goal.percent.is_some_and(|value| match *percent {
            Percent::Lt(bound) => value < bound,
            Percent::Le(bound) => value <= bound,
            Percent::Eq(bound) => (value - bound).abs() < f64::EPSILON,
            Percent::Ge(bound) => value >= bound,
            Percent::Gt(bound) => value > bound,
        }),
        Filter::Keyword(Keyword::Contains(text)) => {
            fold(goal.title).contains(&fold(text))
                || text.trim().trim_start_matches('#') == goal.id.to_string()
        }
        Filter::Aligned(aligned) => *aligned != goal.parents.is_empty(),
    }
}

fn sees(goal: &Goal, person: Option<i64>) -> bool {
    !goal.restricted
        || person.is_some_and(|me| {
            [goal.creator, goal.delegate].contains(&Some(me))
                || [&goal.owners, &goal.checkin_owners, &goal.viewers].iter().any(|list| list.contains(&me))
        })
}

fn subject(me: Option<i64>) -> Subject {
    Subject { organization: OrganizationNumber(HOUSE), person: me.map(PersonNumber), today: TODAY }
}

fn write_links(tx: &Tx<'_>, goal: i64, table: &str, column: &str, linked: &[i64]) -> Result<(), Error> {
    let sql = format!(
        "insert into {table} (organization, goal, position, revision, {column}) values (?1, ?2, ?3, 1, ?4)"
    );
    for (position, number) in linked.iter().enumerate() {
        tx.execute(&sql, params![HOUSE, goal, position, *number])?;
    }
    Ok(())
}

fn write_goal(tx: &Tx<'_>, goal: &Goal) -> Result<(), Error> {
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    tx.execute(
        "insert into goal (organization, id, revision, origin, object_type, type_label, status, period, creator,
            delegate, end_date, last_checkin_date, checkin_count, restricted, goal_type, outcome_type,
            progress_percent, phased, title, title_fold)
        values (?1, ?2, 1, ?3, ?4, 'Objective', ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11, '', '', ?12, ?13, ?14, ?15)",
        params![
            HOUSE,
            goal.id,
            if goal.reference { "reference" } else { "file" },
            goal.object_type,
            goal.status,
            goal.period,
            goal.creator,
            goal.delegate,
            day(goal.due),
            day(goal.check_in),
            goal.restricted,
            goal.percent,
            false,
            goal.title,
            fold(goal.title),
        ],
    )?;
    write_links(tx, goal.id, "goal_owner", "person", &goal.owners)?;
    write_links(tx, goal.id, "goal_checkin_owner", "person", &goal.checkin_owners)?;
    write_links(tx, goal.id, "goal_viewer", "person", &goal.viewers)?;
    write_links(tx, goal.id, "goal_team", "team", &goal.teams)?;
    write_links(tx, goal.id, "goal_tag", "tag", &goal.tags)?;
    for (position, parent) in goal.parents.iter().enumerate() {
        tx.execute(
            "insert into goal_parent (organization, goal, position, revision, parent, weight, fixed)
            values (?1, ?2, ?3, 1, ?4, null, ?5)",
            params![HOUSE, goal.id, position, *parent, false],
        )?;
    }
    Ok(())
}

/// A database of these goals, and of the same short lists under another organization, which must never be found.
fn database(folder: &TempDir, goals: &[Goal]) -> Result<(TestDatabase, Db), Error> {
    let database = TestDatabase::new(folder.path());
    let db = database.open();
    db.write_alone(Scope::Organization(HOUSE), Duration::from_secs(5), |tx| {
        for (number, email) in PEOPLE {
            tx.execute(
                "insert into person (organization, id, guid, name, name_fold, email, email_fold, role, source,
                    member_type, status, origin)
                values (?1, ?2, ?3, '', '', ?4, ?5, '', '', '', 'active', 'file')",
                params![HOUSE, number, [number as u8; 16], email, fold(email)],
            )?;
        }
        for (table, things) in [("tag", &TAGS[..]), ("period", &PERIODS[..])] {
            let sql = format!(
                "insert into {table} (organization, id, name, name_fold, origin) values (?1, ?2, ?3, ?4, 'file')"
            );
            for (number, name) in things {
                tx.execute(&sql, params![HOUSE, *number, *name, fold(name)])?;
                tx.enter(HOUSE + 1)?;
                tx.execute(&sql, params![HOUSE + 1, *number + 1, *name, fold(name)])?;
                tx.enter(HOUSE)?;
            }
        }
        for (number, name) in TEAMS {
            tx.execute(
                "insert into team (organization, id, name, name_fold, team_type, status, origin)
                values (?1, ?2, ?3, ?4, 'Classic', 'Active', 'file')",
                params![HOUSE, number, name, fold(name)],
            )?;
        }
        goals.iter().try_for_each(|goal| write_goal(tx, goal))
    })?;
    Ok((database, db))
}

/// The ids of the goals that a condition holds. Its parameters begin at the third.
fn found(db: &Db, condition: Condition) -> BTreeSet<i64> {
    let sql =
        format!("select g.id from goal g where g.organization = ?1 and g.id > ?2 and {}", condition.sql);
    let mut params = vec![Value::Int(HOUSE), Value::Int(0)];
    params.extend(condition.params);
    let ids = db.snapshot(Scope::Organization(HOUSE), |tx| tx.query(&sql, &params, |row| row.int(0)));
    ids.unwrap_or_else(|error: Error| panic!("{error}: {sql}")).into_iter().collect()
}

fn expected(goals: &[Goal], test: impl Fn(&Goal) -> bool) -> BTreeSet<i64> {
    goals.iter().filter(|goal| test(goal)).map(|goal| goal.id).collect()
}

fn day_near_today() -> impl Strategy<Value = Date> {
    (-20_i64..20).prop_map(|days| TODAY.saturating_add(days.days()))
}

fn some_of(count: i64) -> impl Strategy<Value = Vec<i64>> {
    vec(1..=count, 0..3)
}

prop_compose! {
    fn any_goal()(
        (reference, restricted) in (prop::bool::weighted(0.1), prop::bool::weighted(0.3)),
        object_type in select(&OBJECT_TYPES[..]),
        status in select(&STATUSES[..]),
        title in select(&TITLES[..]),
        period in prop::option::of(1_i64..3),
        (creator, delegate) in (prop::option::of(1_i64..4), prop::option::of(1_i64..4)),
        (due, check_in) in (prop::option::of(day_near_today()), prop::option::of(day_near_today())),
        percent in prop::option::of(select(&[-10.0, 0.0, 33.5, 50.0, 100.0, 275.0][..])),
        (owners, checkin_owners, viewers) in (some_of(3), some_of(3), some_of(3)),
        (teams, tags, parents) in (some_of(3), some_of(2), some_of(20)),
    ) -> Goal {
        Goal {
            id: 0, reference, restricted, object_type, status, title, period, creator, delegate, due, check_in,
            percent, owners, checkin_owners, viewers, teams, tags, parents,
        }
    }
}

fn organization() -> impl Strategy<Value = Vec<Goal>> {
    vec(any_goal(), 20).prop_map(|goals| (1..).zip(goals).map(|(id, goal)| Goal { id, ..goal }).collect())
}

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = OneOf> {
    vec(select(words), 1..3).prop_map(|words| OneOf::In(words.into_iter().map(str::to_owned).collect()))
}

fn any_link(things: &'static [(i64, &'static str)]) -> impl Strategy<Value = Link> {
    let reference = prop_oneof![
        (0_i64..5).prop_map(Reference::Number),
        select(things).prop_map(|(_, name)| Reference::Name(name.to_uppercase())),
        Just(Reference::Name("nobody' or 1=1 --".to_owned())),
    ];
    prop_oneof![Just(Link::None), vec(reference, 1..4).prop_map(Link::In)]
}

fn any_day() -> impl Strategy<Value = Day> {
    prop_oneof![
        day_near_today().prop_map(Day::On),
        day_near_today().prop_map(Day::Before),
        day_near_today().prop_map(Day::After),
        (0_u16..20).prop_map(Day::LessThanDays),
        (0_u16..20).prop_map(Day::MoreThanDays),
    ]
}

fn any_percent() -> impl Strategy<Value = Percent> {
    let make = vec![Percent::Lt, Percent::Le, Percent::Eq, Percent::Ge, Percent::Gt];
    (select(make), select(&[-10.0, 0.0, 49.0, 50.0, 100.0][..])).prop_map(|(make, bound)| make(bound))
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let words = vec!["ship", "100%", "SNAKE_", "\\", "ärzte", "3", "#17", " crates", "'"];
    let leaf = prop_oneof![
        one_of(&STATUSES).prop_map(Filter::Status),
        one_of(&OBJECT_TYPES).prop_map(Filter::ObjectType),
        any_link(&PERIODS).prop_map(Filter::Period),
        any_link(&TEAMS).prop_map(Filter::Team),
        any_link(&TAGS).prop_map(Filter::Tag),
        any_link(&PEOPLE).prop_map(|link| Filter::Owner(Owner::Link(link))),
        Just(Filter::Owner(Owner::Me)),
        Just(Filter::Due(Due::Overdue)),
        any_day().prop_map(|day| Filter::Due(Due::Day(day))),
        any_day().prop_map(Filter::CheckIn),
        any_percent().prop_map(Filter::Progress),
        select(words).prop_map(|word| Filter::Keyword(Keyword::Contains(word.to_owned()))),
        any::<bool>().prop_map(Filter::Aligned),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Filter::And),
            vec(inner.clone(), 1..4).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

#[test]
fn the_database_and_the_written_rules_agree_on_every_filter() {
    let asked = (vec(any_filter(), 100), prop::option::of(1_i64..4));
    TestRunner::new(Config { max_shrink_iters: 200, ..Config::with_cases(30) })
        .run(&(organization(), asked), |(goals, (filters, me))| {
            let folder = TempDir::new().expect("a folder for the database");
            let (_database, db) = database(&folder, &goals).expect("goals are written");
            for filter in filters {
                let sql = found(&db, compile(&filter, &subject(me), 3));
                prop_assert_eq!(sql, expected(&goals, |goal| holds(&filter, goal, me)), "{:?}", filter);
            }
            let visible = visible_to(&subject(me), 3);
            let hidden = Condition { sql: format!("not {}", visible.sql), ..visible.clone() };
            prop_assert_eq!(found(&db, visible), expected(&goals, |goal| sees(goal, me)), "seen by {:?}", me);
            prop_assert_eq!(found(&db, hidden), expected(&goals, |goal| !sees(goal, me)), "hidden: {:?}", me);
            let is_held = |id: &i64| goals.iter().any(|goal| goal.id == *id && !goal.reference);
            let top_level = Selection { filter: Filter::everything(), top_level: true };
            prop_assert_eq!(
                found(&db, top_level.condition(&subject(me), 3)),
                expected(&goals, |goal| !goal.reference && !goal.parents.iter().any(is_held)),
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
            compile(&filter, &subject(None), 1);
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
            compile(&filter, &subject(Some(1)), 1);
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
    let (_database, db) = database(&folder, &goals).expect("goals are written");
    let held = |preset: Preset, top_level| {
        let selection = Selection { filter: preset.filter(), top_level };
        found(&db, selection.condition(&subject(Some(2)), 3)).into_iter().collect::<Vec<_>>()
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
fn only_me_depends_on_the_caller_and_only_counted_days_on_today() {
    let of = |text| Filter::parse(text).map(|filter| (filter.depends_on_caller(), filter.depends_on_today()));
    assert_eq!(of(r#"{"not": {"or": [{"aligned": true}, {"owner": "me"}]}}"#), Ok((true, false)));
    assert_eq!(of(r#"{"and": [{"due": "overdue"}, {"owner": "none"}]}"#), Ok((false, true)));
    assert_eq!(of(r#"{"checkIn": {"moreThanDays": 3}}"#), Ok((false, true)));
    assert_eq!(of(r#"{"checkIn": {"after": "2026-01-01"}}"#), Ok((false, false)));
}

#[test]
fn a_day_begins_at_midnight_utc() {
    let day = |at_us| Subject::on_day(OrganizationNumber(HOUSE), None, at_us).today;
    assert_eq!(day(1_772_323_199_999_999), date(2026, 2, 28));
    assert_eq!(day(1_772_323_200_000_000), date(2026, 3, 1));
}
