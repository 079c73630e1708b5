//! The grammar of `$filter`: what each text means, and how a wrong one is refused.

use goalpost_odata::{
    BinaryOperator, Expr, FilterError, Literal, MAX_FILTER_BYTES, MAX_FILTER_DEPTH, MAX_FILTER_NODES, Path,
    property_names,
};

const ORGANIZATION: &str = "5f0c1d52-8a7e-4b0e-9c55-0c3f4e2a7b19";

fn parse(text: &str) -> Expr {
    Expr::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn path(text: &str) -> Expr {
    Expr::Path(Path::parse(text).expect("the tests write valid paths"))
}

fn compare(left: Expr, operator: BinaryOperator, right: Literal) -> Expr {
    Expr::Binary { operator, left: Box::new(left), right: Box::new(Expr::Literal(right)) }
}

/// The text with a bracket around every operation, so that grouping shows.
fn grouped(expr: &Expr) -> String {
    match expr {
        Expr::Not(operand) => format!("(not {})", grouped(operand)),
        Expr::Negate(operand) => format!("(- {})", grouped(operand)),
        Expr::Binary { operator, left, right } => {
            format!("({} {} {})", grouped(left), operator.as_str(), grouped(right))
        }
        Expr::In { value, list } => format!("({} in {})", grouped(value), list.len()),
        other => other.to_string(),
    }
}

#[test]
fn the_documented_comparison_is_read_however_it_is_spaced_and_quoted() {
    let wanted =
        compare(path("goalsOrganizationId"), BinaryOperator::Equal, Literal::String(ORGANIZATION.to_owned()));
    for text in [
        format!("goalsOrganizationId eq '{ORGANIZATION}'"),
        format!(" goalsOrganizationId eq '{ORGANIZATION}' "),
        format!("goalsOrganizationId  eq\t'{ORGANIZATION}'"),
        format!("goalsOrganizationId eq'{ORGANIZATION}'"),
        format!("goalsOrganizationId EQ '{ORGANIZATION}'"),
        format!("(goalsOrganizationId eq '{ORGANIZATION}')"),
        format!("goalsOrganizationId eq \u{2018}{ORGANIZATION}\u{2019}"),
        format!("goalsOrganizationId eq \u{2019}{ORGANIZATION}\u{2019}"),
    ] {
        assert_eq!(parse(&text), wanted, "{text}");
    }
}

#[test]
fn every_kind_of_literal_is_recognised() {
    let decimal = |text: &str| Literal::Decimal(text.to_owned());
    let string = |text: &str| Literal::String(text.to_owned());
    let date_time = |text: &str| Literal::DateTimeOffset(text.to_owned());
    let time = |text: &str| Literal::TimeOfDay(text.to_owned());
    let duration = |text: &str| Literal::Duration(text.to_owned());
    let cases = [
        ("null", Literal::Null),
        ("true", Literal::Boolean(true)),
        ("FALSE", Literal::Boolean(false)),
        ("0", Literal::Integer(0)),
        ("-17", Literal::Integer(-17)),
        ("+17", Literal::Integer(17)),
        ("-9223372036854775808", Literal::Integer(i64::MIN)),
        ("9223372036854775808", decimal("9223372036854775808")),
        ("1.50", decimal("1.50")),
        ("-6.02e+23", decimal("-6.02e+23")),
        ("1e-3", decimal("1e-3")),
        ("NaN", decimal("NaN")),
        ("INF", decimal("INF")),
        ("-INF", decimal("-INF")),
        ("''", string("")),
        ("''''", string("'")),
        ("'it''s'", string("it's")),
        ("'Ann\u{2019}s goal'", string("Ann\u{2019}s goal")),
        ("\u{2018}it's\u{2019}", string("it's")),
        ("\u{2018}it\u{2019}\u{2019}s\u{2019}", string("it\u{2019}s")),
        ("'/ ( ) , and %'", string("/ ( ) , and %")),
        (
            "2C8B5FD3-67C3-4677-8EB3-E0066C4D2FD7",
            Literal::Guid("2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7".to_owned()),
        ),
        (
            "fc8b5fd3-67c3-4677-8eb3-e0066c4d2fd7",
            Literal::Guid("fc8b5fd3-67c3-4677-8eb3-e0066c4d2fd7".to_owned()),
        ),
        ("2024-02-29", Literal::Date("2024-02-29".to_owned())),
        ("23:59", time("23:59")),
        ("07:00:59.25", time("07:00:59.25")),
        ("2026-11-23T18:43:07Z", date_time("2026-11-23T18:43:07Z")),
        ("2026-11-23t18:43z", date_time("2026-11-23T18:43Z")),
        ("2026-11-23T18:43:07.123-05:30", date_time("2026-11-23T18:43:07.123-05:30")),
        ("2026-11-23T18:43:07+01:00", date_time("2026-11-23T18:43:07+01:00")),
        ("duration'P1DT2H30M'", duration("P1DT2H30M")),
        ("duration'-pt0.5s'", duration("-PT0.5S")),
        (
            "Contoso.Colour'Red'",
            Literal::Typed { type_name: "Contoso.Colour".to_owned(), text: "Red".to_owned() },
        ),
    ];
    for (text, literal) in cases {
        assert_eq!(parse(text), Expr::Literal(literal), "{text}");
    }
}

#[test]
fn what_only_looks_like_a_literal_is_refused_where_it_stands() {
    for literal in [
        "5eq",
        "1.",
        ".5",
        "1e",
        "0x1f",
        "1_000",
        "2026-13-01",
        "2026-00-10",
        "2026-02-30",
        "2025-02-29",
        "1900-02-29",
        "26-01-01",
        "2026-1-1",
        "24:00",
        "12:60",
        "12:00:60",
        "12:00:5",
        "12:00:00.",
        "2026-11-23T18:43:07",
        "2026-11-23T18:43:07+1",
        "2026-11-23TZ",
        "2026-11-23 18:43Z",
        "duration''",
        "duration'P'",
        "duration'PT'",
        "duration'P1Y'",
        "duration'PT1M1H'",
        "duration'P1.5D'",
        "duration'PT1H",
        "'open",
        "\u{2018}open'",
        "\"double\"",
        "5f0c1d52-8a7e-4b0e-9c55-0c3f4e2a7b1",
        "{5f0c1d52-8a7e-4b0e-9c55-0c3f4e2a7b19}",
        "a//b",
        "/a",
        "a/",
        "a..b",
        "it's",
        "on-track",
        "@p1",
        "#",
        "",
    ] {
        let text = format!("when eq {literal}");
        match Expr::parse(&text) {
            Err(FilterError::Unexpected { position, .. }) => assert!(position >= 8, "{text}: {position}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn operators_group_by_the_precedence_of_odata() {
    for (text, wanted) in [
        ("a or b and c", "(a or (b and c))"),
        ("a and b or c", "((a and b) or c)"),
        ("a and b and c", "((a and b) and c)"),
        ("a and (b and c)", "(a and (b and c))"),
        ("not a and b", "((not a) and b)"),
        ("not (a and b)", "(not (a and b))"),
        ("not a eq b", "((not a) eq b)"),
        ("not a in (1,2)", "(not (a in 2))"),
        ("not not a", "(not (not a))"),
        ("a eq b gt c", "(a eq (b gt c))"),
        ("a gt b eq c lt d", "((a gt b) eq (c lt d))"),
        ("a add b mul c gt 5", "((a add (b mul c)) gt 5)"),
        ("(a add b) divby c le 5", "(((a add b) divby c) le 5)"),
        ("a sub b sub c ge 5", "(((a sub b) sub c) ge 5)"),
        ("a div b mod c ne 5", "(((a div b) mod c) ne 5)"),
        ("-a mul b eq - 5", "(((- a) mul b) eq (- 5))"),
        ("a sub -5 eq b", "((a sub -5) eq b)"),
        ("style has Contoso.Flag'Bold' and b", "((style has Contoso.Flag'Bold') and b)"),
        ("A AND Not B", "(A and (not B))"),
        ("eq/x eq 1", "(eq/x eq 1)"),
    ] {
        assert_eq!(grouped(&parse(text)), wanted, "{text}");
    }
}

#[test]
fn calls_lists_and_lambdas_are_read_and_printed() {
    for (text, printed) in [
        ("contains( title , 'ship' )", "contains(title,'ship')"),
        ("startswith(tolower(title),'a') eq true", "startswith(tolower(title),'a') eq true"),
        ("length(title) gt 3", "length(title) gt 3"),
        ("due lt now()", "due lt now()"),
        ("Contoso.rank(goal=title)", ""),
        ("Contoso.rank(title) ge 1", "Contoso.rank(title) ge 1"),
        ("status in ( 'On Track' , null, 3 )", "status in ('On Track',null,3)"),
        ("tags/any()", "tags/any()"),
        ("tags/any(t: t/name eq 'x')", "tags/any(t:t/name eq 'x')"),
        ("owner/tags/ALL(t:t ne 'x' and not t/old)", "owner/tags/all(t:t ne 'x' and not t/old)"),
        ("a/any(x:x/b/any(y:y eq x/c))", "a/any(x:x/b/any(y:y eq x/c))"),
        ("tags/$count gt 2 and $it/open", "tags/$count gt 2 and $it/open"),
        ("tags/all()", ""),
        ("tags/any(t)", ""),
        ("tags/any(t/u:t)", ""),
        ("tags/first(t)", ""),
        ("contains (title,'ship')", ""),
        ("contains(title,)", ""),
        ("contains(,title)", ""),
        ("contains(title 'ship')", ""),
        ("status in ()", ""),
        ("status in 'On Track'", ""),
        ("status in (other)", ""),
        ("in (1)", ""),
    ] {
        let found = Expr::parse(text).map(|tree| tree.to_string()).unwrap_or_default();
        assert_eq!(found, printed, "{text}");
    }
}

#[test]
fn a_refusal_says_where_what_was_due_and_what_was_found() {
    for (text, message) in [
        ("", "the filter is empty; write a condition such as `title eq 'Ship it'`, or leave $filter out"),
        (" \t ", "the filter is empty; write a condition such as `title eq 'Ship it'`, or leave $filter out"),
        (
            "title eq",
            "expected a property, a value or a function at position 8 of the filter, but found the end",
        ),
        ("eq 'x'", "expected a property, a value or a function at position 0 of the filter, but found `eq`"),
        ("title 'x'", "expected an operator or the end at position 6 of the filter, but found `'x'`"),
        ("title like 'x'", "expected an operator or the end at position 6 of the filter, but found `like`"),
        ("(title eq 'x'", "expected an operator or `)` at position 13 of the filter, but found the end"),
        ("title eq 'x')", "expected an operator or the end at position 12 of the filter, but found `)`"),
        (
            "a eq 1 and and b",
            "expected a property, a value or a function at position 11 of the filter, but found `and`",
        ),
        ("f(a", "expected an operator, `,` or `)` at position 3 of the filter, but found the end"),
        (
            "title eq \"x\"",
            "expected a value in single quotes at position 9 of the filter, but found `\"x\"`",
        ),
    ] {
        let error = Expr::parse(text).expect_err("the text is no filter");
        assert_eq!(error.to_string(), message, "{text}");
    }
}

#[test]
fn an_unquoted_text_is_a_path_and_no_value() {
    let Expr::Binary { right, .. } = parse("title eq shipped") else { panic!("a comparison") };
    assert_eq!(*right, path("shipped"));
}

#[test]
fn nesting_is_read_to_the_limit_and_refused_beyond_it() {
    let nested = |open: &str, close: &str, levels: usize| {
        Expr::parse(&format!("{}a{}", open.repeat(levels), close.repeat(levels)))
    };
    for (open, close) in [("(", ")"), ("not ", ""), ("-", ""), ("f(", ")"), ("b/any(x:", ")")] {
        let level_begins = open.find('(').map_or(open.len(), |bracket| bracket + 1);
        assert!(nested(open, close, MAX_FILTER_DEPTH).is_ok(), "{open}");
        for levels in [MAX_FILTER_DEPTH + 1, 1500] {
            let error = nested(open, close, levels).expect_err("too deep");
            let position = open.len() * MAX_FILTER_DEPTH + level_begins;
            assert_eq!(error, FilterError::TooDeep { position }, "{open} {levels}");
        }
    }
}

#[test]
fn size_is_read_to_the_limit_and_refused_beyond_it() {
    let chain = |operands: usize| vec!["a"; operands].join(" or ");
    let operands = MAX_FILTER_NODES.div_ceil(2);
    let largest = parse(&chain(operands));
    assert_eq!(parse(&largest.to_string()), largest);
    assert_eq!(Expr::parse(&chain(operands + 1)), Err(FilterError::TooManyNodes));

    let list = |items: usize| format!("a in ({})", vec!["1"; items].join(","));
    assert!(Expr::parse(&list(MAX_FILTER_NODES - 2)).is_ok());
    assert_eq!(Expr::parse(&list(MAX_FILTER_NODES - 1)), Err(FilterError::TooManyNodes));

    let text = |bytes: usize| format!("'{}'", "x".repeat(bytes - 2));
    assert!(Expr::parse(&text(MAX_FILTER_BYTES)).is_ok());
    assert_eq!(
        Expr::parse(&text(MAX_FILTER_BYTES + 1)),
        Err(FilterError::TooLong { bytes: MAX_FILTER_BYTES + 1 })
    );
}

#[test]
fn property_names_are_found_whatever_the_state_of_the_rest() {
    for (text, names) in [
        ("goalsOrganizationId eq 'x'", &["goalsOrganizationId"][..]),
        ("explorerViewId eq \u{2018}f5b62cb2-5e35-4ba1-862d-9c6cf0c88830\u{2019}", &["explorerViewId"]),
        ("explorerViewId eq \u{2018}never closed and x eq 1", &["explorerViewId"]),
        ("explorerViewId eq \"double quoted\"", &["explorerViewId"]),
        ("explorerViewId eq f5b62cb2-5e35-4ba1-862d", &["explorerViewId"]),
        ("explorerViewId eq 2026-99-99", &["explorerViewId"]),
        ("b eq 1 and a eq 2 or b eq 3", &["b", "a"]),
        ("NOT (a IN (1,2)) and -b has Contoso.Flag'x'", &["a", "b"]),
        ("contains(title,'ship') and due lt now()", &["title", "due"]),
        ("a eq null or b eq true or c eq NaN or d eq -INF", &["a", "b", "c", "d"]),
        ("tags/any(t: t/name eq 'x' and t ne title) and t/name eq 1", &["tags", "title"]),
        ("owner/name eq 'x'", &["owner/name"]),
        ("a b ) c ( # d", &["a", "b", "c", "d"]),
        ("eq", &[]),
        ("", &[]),
    ] {
        assert_eq!(property_names(text), names, "{text}");
    }
}
