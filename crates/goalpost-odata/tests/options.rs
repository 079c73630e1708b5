//! Query strings and the options in them.

use goalpost_odata::{
    Direction, OptionsError, OrderBy, OrderByError, Path, PathError, QueryError, QueryOptions, QueryString,
    SelectError, SelectItem,
};

fn query(raw: &str) -> QueryString {
    QueryString::parse(raw).unwrap_or_else(|error| panic!("{raw}: {error}"))
}

fn options(raw: &str) -> Result<QueryOptions, OptionsError> {
    QueryOptions::from_query(&query(raw))
}

fn path(text: &str) -> Path {
    Path::parse(text).expect("the tests write valid paths")
}

#[test]
fn a_query_is_split_into_decoded_pairs_in_order() {
    for (raw, pairs) in [
        ("", &[][..]),
        ("&&", &[]),
        ("a=1&b=2&a=3", &[("a", "1"), ("b", "2"), ("a", "3")]),
        ("a=b=c&d&=e", &[("a", "b=c"), ("d", ""), ("", "e")]),
        ("%24filter=title%20eq%20%27x%27", &[("$filter", "title eq 'x'")]),
        ("$filter=title+eq+'a%2Bb'", &[("$filter", "title eq 'a+b'")]),
        ("a=1%26b%3D2", &[("a", "1&b=2")]),
        ("a=%2541", &[("a", "%41")]),
        ("a=%E2%80%98x%e2%80%99", &[("a", "\u{2018}x\u{2019}")]),
        ("a=é", &[("a", "é")]),
    ] {
        assert_eq!(query(raw).pairs().collect::<Vec<_>>(), pairs, "{raw}");
    }
}

#[test]
fn a_query_that_does_not_decode_is_refused_with_the_part_that_is_wrong() {
    for (raw, part) in
        [("a=%", "%"), ("b=1&a=%4", "%4"), ("a=1%zz", "1%zz"), ("%é=1", "%é"), ("a=%%41", "%%41")]
    {
        assert_eq!(
            QueryString::parse(raw),
            Err(QueryError::PercentEncoding { raw: part.to_owned() }),
            "{raw}"
        );
    }
    for (raw, part) in [("a=%ff", "%ff"), ("%C3=1", "%C3"), ("a=%ED%A0%80", "%ED%A0%80")] {
        assert_eq!(QueryString::parse(raw), Err(QueryError::NotUtf8 { raw: part.to_owned() }), "{raw}");
    }
}

#[test]
fn the_next_page_repeats_the_pairs_as_they_were_sent() {
    for (raw, next) in [
        ("", "$skiptoken=T-1_"),
        ("$top=5", "$top=5&$skiptoken=T-1_"),
        ("%24filter=a+eq+%27x%27&x=1", "%24filter=a+eq+%27x%27&x=1&$skiptoken=T-1_"),
        ("$skiptoken=old&$top=5", "$top=5&$skiptoken=T-1_"),
        ("$skip=10&%24skip%74oken=old&Skip=3&$top=5", "$top=5&$skiptoken=T-1_"),
        ("$filter=title eq '{x}'", "$filter=title%20eq%20'%7Bx%7D'&$skiptoken=T-1_"),
        ("a=\"<é>\\^`|#", "a=%22%3C%C3%A9%3E%5C%5E%60%7C%23&$skiptoken=T-1_"),
    ] {
        assert_eq!(query(raw).with_skiptoken("T-1_"), next, "{raw}");
    }
    assert_eq!(query("").with_skiptoken("a&b=c{d}+é%"), "$skiptoken=a%26b%3Dc%7Bd%7D%2B%C3%A9%25");
}

#[test]
fn each_option_is_read_into_its_own_form() {
    let raw = "$filter=+a eq 1&$select=id, owner/name,*&$orderby=createdDateTime desc,id&$top=5&$skip=0&$count=true\
               &$skiptoken=t&$search=s&$expand=e&$format=json";
    let wanted = QueryOptions {
        filter: Some(" a eq 1".to_owned()),
        select: Some(vec![
            SelectItem::Path(path("id")),
            SelectItem::Path(path("owner/name")),
            SelectItem::All,
        ]),
        orderby: Some(vec![
            OrderBy { path: path("createdDateTime"), direction: Direction::Descending },
            OrderBy { path: path("id"), direction: Direction::Ascending },
        ]),
        top: Some(5),
        skip: Some(0),
        count: Some(true),
        skiptoken: Some("t".to_owned()),
        search: Some("s".to_owned()),
        expand: Some("e".to_owned()),
        format: Some("json".to_owned()),
        unknown: vec![],
    };
    assert_eq!(options(raw), Ok(wanted.clone()));
    assert_eq!(options(&raw.replace('$', "")), Ok(wanted.clone()));
    assert_eq!(options(&raw.replace('$', "%24")), Ok(wanted));
}

#[test]
fn names_that_are_no_option_are_reported_with_a_dollar_and_passed_over_without() {
    let found = options("$levels=1&view=2&$Filter=a&%24nope&$=3").expect("no value is wrong");
    assert_eq!(found.unknown, ["$levels", "$nope", "$"]);
    assert_eq!(found.filter.as_deref(), Some("a"));
    assert_eq!(options("view=1&view=2"), Ok(QueryOptions::default()));
}

#[test]
fn an_option_given_twice_is_refused_however_it_is_spelled() {
    for (raw, name) in [
        ("$filter=a&$filter=a", "filter"),
        ("$filter=a&filter=b", "filter"),
        ("$top=1&%24TOP=1", "top"),
        ("count=true&$count=false", "count"),
    ] {
        assert_eq!(options(raw), Err(OptionsError::Repeated { name }), "{raw}");
    }
}

#[test]
fn top_and_skip_take_digits_only_and_keep_the_wrong_text() {
    for value in ["", "abc", "-1", "1.5", " 5", "5 ", "0x5", "٣", "1e2"] {
        for name in ["top", "skip"] {
            let wanted = OptionsError::NotAnInteger { name, value: value.to_owned() };
            assert_eq!(options(&format!("${name}={value}")), Err(wanted), "{name} {value}");
        }
    }
    let read = |value: &str| options(&format!("$top={value}")).expect("a number").top;
    assert_eq!(read("007"), Some(7));
    assert_eq!(read("4294967296"), Some(u32::MAX));
    assert_eq!(read(&"9".repeat(1000)), Some(u32::MAX));
}

#[test]
fn count_takes_true_and_false_in_lower_case_only() {
    assert_eq!(options("$count=false").expect("a boolean").count, Some(false));
    for value in ["", "True", "FALSE", "1", "true "] {
        let wanted = OptionsError::NotABoolean { value: value.to_owned() };
        assert_eq!(options(&format!("$count={value}")), Err(wanted), "{value}");
    }
}

#[test]
fn select_refuses_empty_items_and_what_is_no_path() {
    for (value, number) in [("", 1), (",id", 1), ("id,", 2), ("id,,status", 2), ("id, ,status", 2)] {
        let wanted = OptionsError::Select(SelectError::EmptyItem { number });
        assert_eq!(options(&format!("$select={value}")), Err(wanted), "{value}");
    }
    for item in ["a b", "a-b", "a//b", "1a", "owner($select=name)", "'id'"] {
        let wanted = OptionsError::Select(SelectError::Path(PathError { text: item.to_owned() }));
        assert_eq!(options(&format!("$select=id,{item}")), Err(wanted), "{item}");
    }
}

#[test]
fn orderby_refuses_empty_keys_wrong_directions_and_what_is_no_path() {
    for (value, number) in [("", 1), ("id,", 2), ("id,,status", 2)] {
        let wanted = OptionsError::OrderBy(OrderByError::EmptyItem { number });
        assert_eq!(options(&format!("$orderby={value}")), Err(wanted), "{value}");
    }
    for (value, text) in [("id up", "up"), ("id desc asc", "desc asc"), ("id  descending", "descending")] {
        let wanted = OptionsError::OrderBy(OrderByError::Direction { text: text.to_owned() });
        assert_eq!(options(&format!("$orderby={value}")), Err(wanted), "{value}");
    }
    let wanted = OptionsError::OrderBy(OrderByError::Path(PathError { text: "tolower(title)".to_owned() }));
    assert_eq!(options("$orderby=tolower(title) desc"), Err(wanted));

    let keys = options("$orderby=a ASC, b%09Desc").expect("two keys").orderby.expect("it was given");
    assert_eq!(
        keys.iter().map(|key| key.direction).collect::<Vec<_>>(),
        [Direction::Ascending, Direction::Descending]
    );
}
