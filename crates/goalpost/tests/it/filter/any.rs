//! Any filter at all.

use goalpost::goals::filter::{
    Aligned, Amount, Day, Due, Filter, Ids, Integration, Keyword, LEVELS, Link, Manager, Moment,
    OBJECT_TYPES, OneOf, Owner, People, Period, Reference, STATUSES, Team, Text,
};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

use super::house::{
    INTEGRATIONS, PEOPLE, PERIOD_NAMES, TAGS, TEAMS, TITLES, day_near_today, moment_near_today,
};

fn owned(words: Vec<&'static str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = OneOf> {
    let words = vec(select(words), 1..3).prop_map(owned);
    prop_oneof![words.clone().prop_map(OneOf::In), words.prop_map(OneOf::NotIn)]
}

fn references(names: Vec<&'static str>) -> impl Strategy<Value = Vec<Reference>> + Clone {
    let reference = prop_oneof![
        (0_i64..7).prop_map(Reference::Number),
        select(names).prop_map(|name| Reference::Name(name.to_uppercase())),
        Just(Reference::Name("nobody' or 1=1 --".to_owned())),
    ];
    vec(reference, 1..4)
}

fn people_named() -> Vec<&'static str> {
    PEOPLE.iter().map(|person| person.1).collect()
}

fn any_link(names: Vec<&'static str>) -> impl Strategy<Value = Link> {
    let things = references(names);
    prop_oneof![Just(Link::None), things.clone().prop_map(Link::In), things.prop_map(Link::All)]
}

/// Without `all`, which makes no sense where there is one at most.
fn any_one(names: Vec<&'static str>) -> impl Strategy<Value = Link> {
    prop_oneof![Just(Link::None), references(names).prop_map(Link::In)]
}

fn any_people() -> impl Strategy<Value = People> + Clone {
    prop_oneof![Just(People::Me), references(people_named()).prop_map(People::These)]
}

fn any_owner(link: impl Strategy<Value = Link>) -> impl Strategy<Value = Owner> {
    prop_oneof![
        Just(Owner::Me),
        link.prop_map(Owner::Link),
        any_people().prop_map(Owner::WithReports),
        any_people().prop_map(Owner::WithAllReports),
    ]
}

fn any_manager() -> impl Strategy<Value = Manager> {
    prop_oneof![
        Just(Manager::Me),
        references(people_named()).prop_map(Manager::In),
        any_people().prop_map(Manager::Above),
    ]
}

fn any_team() -> impl Strategy<Value = Team> {
    let names: Vec<&str> = TEAMS.iter().map(|team| team.1).collect();
    prop_oneof![
        any_link(names.clone()).prop_map(Team::Link),
        references(names.clone()).prop_map(Team::WithSubteams),
        references(names).prop_map(Team::WithAllSubteams),
    ]
}

fn any_period() -> impl Strategy<Value = Period> {
    prop_oneof![
        Just(Period::Current),
        Just(Period::Next),
        Just(Period::Previous),
        any_one(PERIOD_NAMES.to_vec()).prop_map(Period::Link),
    ]
}

fn any_day() -> impl Strategy<Value = Day> + Clone {
    prop_oneof![
        day_near_today().prop_map(Day::On),
        day_near_today().prop_map(Day::Before),
        day_near_today().prop_map(Day::After),
        (day_near_today(), day_near_today()).prop_map(|(a, b)| Day::Between(a.min(b), a.max(b))),
        (0_u16..20).prop_map(Day::LessThanDays),
        (0_u16..20).prop_map(Day::MoreThanDays),
        Just(Day::None),
    ]
}

fn any_moment() -> impl Strategy<Value = Moment> + Clone {
    let at = moment_near_today().prop_map(|us| Timestamp::from_microsecond(us).expect("a moment"));
    prop_oneof![
        any_day().prop_map(Moment::Day),
        at.clone().prop_map(Moment::From),
        at.prop_map(Moment::Until),
    ]
}

fn any_amount() -> impl Strategy<Value = Amount> + Clone {
    let bound = select(&[-10.0, 0.0, 49.0, 50.0, 100.0][..]);
    let make = vec![Amount::Lt, Amount::Le, Amount::Eq, Amount::Ge, Amount::Gt];
    prop_oneof![
        4 => (select(make), bound.clone()).prop_map(|(make, bound)| make(bound)),
        1 => (bound.clone(), bound).prop_map(|(a, b): (f64, f64)| Amount::Between(a.min(b), a.max(b))),
        1 => Just(Amount::None),
    ]
}

fn any_words() -> impl Strategy<Value = String> + Clone {
    let words = ["ship", "100%", "SNAKE_", "\\", "ärzte", "ÄRZTE", "3", "#17", " crates", "'", "SNAKE_CASE"];
    prop_oneof![
        3 => select(words.to_vec()).prop_map(str::to_owned),
        1 => select(&TITLES[..]).prop_map(str::to_lowercase),
    ]
}

fn any_text() -> impl Strategy<Value = Text> + Clone {
    prop_oneof![
        any_words().prop_map(Text::Contains),
        any_words().prop_map(Text::StartsWith),
        any_words().prop_map(Text::Is),
    ]
}

fn any_goals() -> impl Strategy<Value = Vec<i64>> + Clone {
    vec(0_i64..22, 1..4)
}

fn any_aligned() -> impl Strategy<Value = Aligned> {
    prop_oneof![
        any::<bool>().prop_map(Aligned::Any),
        any_goals().prop_map(Aligned::To),
        any_goals().prop_map(Aligned::Below),
    ]
}

fn any_integration() -> impl Strategy<Value = Integration> {
    let words = vec(select(&INTEGRATIONS[1..]), 1..3).prop_map(owned);
    prop_oneof![Just(Integration::None), words.prop_map(Integration::In)]
}

/// Any condition: each word of the grammar as often as every other.
pub(crate) fn any_leaf() -> impl Strategy<Value = Filter> + Clone {
    let keyword =
        prop_oneof![any_words().prop_map(Keyword::Contains), any_words().prop_map(Keyword::Anywhere)];
    let description = prop_oneof![5 => any_text(), 1 => Just(Text::None)];
    let team_types = &["Classic", "Project", "Department", "nowhere"];
    Union::new([
        any_goals().prop_map(|goals| Filter::Id(Ids::In(goals))).boxed(),
        any_text().prop_map(Filter::Title).boxed(),
        description.prop_map(Filter::Description).boxed(),
        keyword.prop_map(Filter::Keyword).boxed(),
        one_of(&STATUSES).prop_map(Filter::Status).boxed(),
        one_of(&OBJECT_TYPES).prop_map(Filter::ObjectType).boxed(),
        one_of(&LEVELS).prop_map(Filter::Level).boxed(),
        any_period().prop_map(Filter::Period).boxed(),
        any_team().prop_map(Filter::Team).boxed(),
        one_of(team_types).prop_map(Filter::TeamType).boxed(),
        any_link(TAGS.iter().map(|tag| tag.1).collect()).prop_map(Filter::Tag).boxed(),
        any_owner(any_link(people_named())).prop_map(Filter::Owner).boxed(),
        any_owner(any_one(people_named())).prop_map(Filter::Delegate).boxed(),
        any_manager().prop_map(Filter::Manager).boxed(),
        any_day().prop_map(Filter::Start).boxed(),
        any_day().prop_map(|day| Filter::Due(Due::Day(day))).boxed(),
        Just(Filter::Due(Due::Overdue)).boxed(),
        any_day().prop_map(Filter::CheckIn).boxed(),
        any_moment().prop_map(Filter::Created).boxed(),
        any_moment().prop_map(Filter::Updated).boxed(),
        any_amount().prop_map(Filter::Progress).boxed(),
        any_amount().prop_map(Filter::Value).boxed(),
        any_amount().prop_map(Filter::Score).boxed(),
        any_integration().prop_map(Filter::Integration).boxed(),
        any_aligned().prop_map(Filter::Aligned).boxed(),
    ])
}

/// Any tree of conditions.
pub(crate) fn any_filter() -> impl Strategy<Value = Filter> {
    any_leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Filter::And),
            vec(inner.clone(), 1..4).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}
