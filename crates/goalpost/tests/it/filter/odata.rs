//! The same filter by way of OData: written as a `$filter`, read back, and asked of the database.

use std::cell::Cell;

use goalpost::goals::filter::{
    Aligned, Amount, Day, Due, Filter, Ids, Integration, Link, Moment, OneOf, Owner, Period, Reference, Team,
    Text, compile,
};
use goalpost_testing::TestDatabase;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

use super::any::{any_filter, any_leaf};
use super::house::{TODAY, any_house, found, subject};
use crate::setting;

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn listed(property: &str, words: &[String]) -> String {
    format!("{property} in ({})", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(","))
}

fn one_of(property: &str, words: &OneOf) -> String {
    match words {
        OneOf::In(words) => listed(property, words),
        OneOf::NotIn(words) => format!("not ({})", listed(property, words)),
    }
}

fn text_of(property: &str, text: &Text) -> String {
    match text {
        Text::Contains(words) => format!("contains(tolower({property}),{})", quoted(words)),
        Text::StartsWith(words) => format!("startswith({property},{})", quoted(words)),
        Text::Is(words) => format!("{} eq {property}", quoted(words)),
        Text::None => format!("{property} eq null"),
    }
}

fn link(collection: &str, by_name: &str, link: &Link) -> String {
    let any = |references: &[Reference]| {
        let each: Vec<String> = references
            .iter()
            .map(|reference| match reference {
                Reference::Number(number) => format!("x/id eq {number}"),
                Reference::Name(name) => format!("{} eq x/{by_name}", quoted(name)),
            })
            .collect();
        format!("{collection}/any(x: {})", each.join(" or "))
    };
    match link {
        Link::None => format!("{collection}/$count eq 0"),
        Link::In(references) => any(references),
        Link::All(references) => {
            references.iter().map(|one| any(std::slice::from_ref(one))).collect::<Vec<_>>().join(" and ")
        }
    }
}

fn one_link(number: &str, name: &str, link: &Link) -> String {
    let (Link::In(references) | Link::All(references)) = link else { return format!("{number} eq null") };
    let each: Vec<String> = references
        .iter()
        .map(|reference| match reference {
            Reference::Number(value) => format!("{number} eq {value}"),
            Reference::Name(value) => format!("{name} eq {}", quoted(value)),
        })
        .collect();
    each.join(" or ")
}

fn day(property: &str, day: &Day) -> Option<String> {
    Some(match day {
        Day::On(day) => format!("{property} eq {day}"),
        Day::Before(day) => format!("{property} lt {day}"),
        Day::After(day) => format!("{property} gt {day}"),
        Day::Between(first, last) => format!("{property} ge {first} and {property} le {last}"),
        Day::None => format!("{property} eq null"),
        Day::LessThanDays(_) | Day::MoreThanDays(_) => return None,
    })
}

fn moment(property: &str, moment: &Moment) -> Option<String> {
    Some(match moment {
        Moment::From(at) => format!("{property} ge {at}"),
        Moment::Until(at) => format!("{at} gt {property}"),
        Moment::Day(Day::None) => format!("{property} eq null"),
        Moment::Day(Day::Before(day)) => format!("{property} lt {day}"),
        Moment::Day(_) => return None,
    })
}

fn amount(property: &str, amount: Amount) -> String {
    match amount {
        Amount::Lt(bound) => format!("{property} lt {bound}"),
        Amount::Le(bound) => format!("{bound} ge {property}"),
        Amount::Eq(bound) => format!("{property} in ({bound})"),
        Amount::Ge(bound) => format!("{property} ge {bound}"),
        Amount::Gt(bound) => format!("{property} gt {bound}"),
        Amount::Between(least, most) => {
            format!("not ({property} lt {least} or {property} gt {most}) and {property} ne null")
        }
        Amount::None => format!("{property} eq null"),
    }
}

fn joined(parts: &[Filter], by: &str, empty: &str) -> Option<String> {
    if parts.is_empty() {
        return Some(empty.to_owned());
    }
    let parts: Option<Vec<String>> = parts.iter().map(|part| Some(format!("({})", odata(part)?))).collect();
    Some(parts?.join(by))
}

/// The filter as a `$filter`, if OData has words for it.
fn odata(filter: &Filter) -> Option<String> {
    Some(match filter {
        Filter::And(parts) => joined(parts, " and ", "true")?,
        Filter::Or(parts) => joined(parts, " or ", "false")?,
        Filter::Not(part) => format!("not ({})", odata(part)?),
        Filter::Id(Ids::In(numbers)) => {
            format!("id in ({})", numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(","))
        }
        Filter::Title(text) => text_of("title", text),
        // OData tells an empty text from none.
        Filter::Description(Text::None) => return None,
        Filter::Description(text) => text_of("description", text),
        Filter::Status(words) => one_of("status", words),
        Filter::ObjectType(words) => one_of("objectType", words),
        Filter::Level(words) => one_of("level", words),
        Filter::Period(Period::Link(of)) => one_link("periodId", "period/name", of),
        Filter::Team(Team::Link(of)) => link("teams", "name", of),
        Filter::Tag(of) => link("tags", "name", of),
        Filter::Owner(Owner::Link(of)) => link("owners", "email", of),
        Filter::Delegate(Owner::Link(of)) => one_link("delegateId", "delegate/email", of),
        Filter::Start(asked) => day("startDate", asked)?,
        Filter::Due(Due::Day(asked)) => day("endDate", asked)?,
        Filter::CheckIn(asked) => day("lastCheckInDate", asked)?,
        Filter::Created(asked) => moment("createdDateTime", asked)?,
        Filter::Updated(asked) => moment("lastUpdatedDateTime", asked)?,
        Filter::Progress(asked) => amount("progressPercent", *asked),
        Filter::Value(asked) => amount("progress", *asked),
        Filter::Score(asked) => amount("score", *asked),
        Filter::Integration(Integration::In(words)) => listed("dataSource", words),
        Filter::Aligned(Aligned::Any(true)) => "parents/any()".to_owned(),
        Filter::Aligned(Aligned::Any(false)) => "not parents/any()".to_owned(),
        Filter::Aligned(Aligned::To(goals)) => {
            let goals: Vec<String> = goals.iter().map(|goal| format!("p/id ne {goal}")).collect();
            format!("not parents/all(p: {})", goals.join(" and "))
        }
        _ => return None,
    })
}

#[test]
fn a_filter_means_the_same_by_way_of_odata() {
    let houses = setting("GOALPOST_FILTERS", 10_000).div_ceil(1_000) as u32;
    let folder = TempDir::new().expect("a folder for the database");
    let database = TestDatabase::new(folder.path());
    let db = database.open();
    let (number, said) = (Cell::new(0), Cell::new(0_usize));
    TestRunner::new(Config { max_shrink_iters: 200, ..Config::with_cases(houses) })
        .run(&(any_house(), vec(prop_oneof![any_leaf(), any_filter()], 100)), |(house, filters)| {
            number.set(number.get() + 1);
            let number = number.get();
            house.write(&db, number).expect("goals are written");
            let subject = subject(number, Some(1), TODAY);
            for filter in filters {
                let Some(text) = odata(&filter) else { continue };
                said.set(said.get() + 1);
                let read = Filter::parse_odata(&text);
                prop_assert!(read.is_ok(), "{}: {:?}", text, read);
                let read = read.expect("just looked at");
                let (as_tree, as_odata) = (compile(&filter, &subject, 3), compile(&read, &subject, 3));
                prop_assert_eq!(found(&db, number, as_tree), found(&db, number, as_odata), "{}", text);
            }
            Ok(())
        })
        .expect("no difference");
    assert!(said.get() > 300, "only {} filters could be said", said.get());
}

proptest! {
    #[test]
    fn any_filter_of_odata_is_a_filter_or_an_error(
        filter in any_leaf(), at in any::<prop::sample::Index>(), with in prop::option::of(any::<char>()),
    ) {
        let mut text: Vec<char> = odata(&filter).unwrap_or_default().chars().collect();
        if !text.is_empty() {
            let at = at.index(text.len());
            text.splice(at..=at, with);
        }
        if let Ok(filter) = Filter::parse_odata(&text.into_iter().collect::<String>()) {
            compile(&filter, &subject(1, Some(1), TODAY), 1);
        }
    }
}
