//! What holds for every input: printing and parsing are inverse, and no text makes anything panic.

use goalpost_odata::{
    BinaryOperator, Condition, Expr, Literal, Path, Quantifier, QueryOptions, QueryString, parse_orderby,
    parse_select, property_names,
};
use proptest::prelude::*;
use proptest::sample::select;

fn any_literal() -> impl Strategy<Value = Literal> {
    let text = || "[ -~é’‘]{0,12}";
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        any::<i64>().prop_map(Literal::Integer),
        "-?[0-9]{1,20}\\.[0-9]{1,6}(e[+-]?[0-9]{1,3})?".prop_map(Literal::Decimal),
        select(vec!["NaN", "INF", "-INF"]).prop_map(|word| Literal::Decimal(word.to_owned())),
        text().prop_map(Literal::String),
        "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}".prop_map(Literal::Guid),
        "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])".prop_map(Literal::Date),
        "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?".prop_map(Literal::TimeOfDay),
        "2026-0[1-9]-1[0-9]T0[0-9]:[0-5][0-9](Z|[+-]0[0-9]:[0-5][0-9])".prop_map(Literal::DateTimeOffset),
        "-?P[0-9]{1,3}D(T[0-9]{1,2}H)?".prop_map(Literal::Duration),
        ("[A-Z][a-z]{0,5}\\.X[a-z]{0,5}", text())
            .prop_map(|(type_name, text)| Literal::Typed { type_name, text }),
    ]
}

/// Names that begin with `p`, since no operator does.
fn any_path() -> impl Strategy<Value = Path> {
    "p[a-zA-Z0-9_é]{0,4}(/[a-z]{1,4}|/\\$count)?"
        .prop_map(|text| Path::parse(&text).expect("the pattern is a path"))
}

fn any_operator() -> impl Strategy<Value = BinaryOperator> {
    use BinaryOperator::{
        Add, And, Divide, DivideBy, Equal, Greater, GreaterOrEqual, Has, Less, LessOrEqual, Modulo, Multiply,
        NotEqual, Or, Subtract,
    };
    select(vec![
        Or,
        And,
        Equal,
        NotEqual,
        Greater,
        GreaterOrEqual,
        Less,
        LessOrEqual,
        Add,
        Subtract,
        Multiply,
        Divide,
        DivideBy,
        Modulo,
        Has,
    ])
}

fn any_expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![any_literal().prop_map(Expr::Literal), any_path().prop_map(Expr::Path)];
    leaf.prop_recursive(6, 48, 4, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        let condition =
            ("v[a-z]{0,3}", boxed()).prop_map(|(variable, predicate)| Condition { variable, predicate });
        prop_oneof![
            boxed().prop_map(Expr::Not),
            boxed().prop_map(Expr::Negate),
            (any_operator(), boxed(), boxed()).prop_map(|(operator, left, right)| Expr::Binary {
                operator,
                left,
                right
            }),
            (boxed(), prop::collection::vec(any_literal(), 1..4))
                .prop_map(|(value, list)| Expr::In { value, list }),
            ("f[a-z]{0,5}(\\.g[a-z]{0,2})?", prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(name, arguments)| Expr::Call { name, arguments })
                .prop_filter("`false` is a literal", |call| !call.to_string().starts_with("false(")),
            (any_path(), condition, select(vec![Quantifier::Any, Quantifier::All])).prop_map(
                |(collection, condition, quantifier)| Expr::Lambda {
                    collection,
                    quantifier,
                    condition: Some(condition)
                }
            ),
            any_path().prop_map(|collection| Expr::Lambda {
                collection,
                quantifier: Quantifier::Any,
                condition: None
            }),
        ]
    })
}

/// Texts that are nearly filters: pieces of the grammar in any order.
fn token_soup() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "a",
        "b/c",
        " eq ",
        " and ",
        " or ",
        "not ",
        " in ",
        "(",
        ")",
        "(",
        ")",
        ",",
        "-",
        " - ",
        "1",
        "-2.5",
        "'x'",
        "''",
        "'",
        "\u{2018}",
        "\u{2019}",
        "null",
        "tags/any(t:",
        "t",
        "f(",
        " has ",
        " add ",
        " ",
        "/",
        ":",
        "$it",
        "\"",
        "duration'P1D'",
        "2026-11-23",
        "fc8b5fd3-67c3-4677-8eb3-e0066c4d2fd7",
        ".",
        "é",
        "%",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

/// Calls everything that takes text from a request.
fn read_in_every_way(text: &str) {
    let names = property_names(text);
    assert!(names.iter().all(|name| text.contains(name)));
    if let Ok(tree) = Expr::parse(text) {
        assert_eq!(Expr::parse(&tree.to_string()), Ok(tree));
    }
    let lists = (parse_select(text).is_ok(), parse_orderby(text).is_ok());
    assert!(lists.1 || !lists.0 || text.contains('*'), "a list of paths is a list of sort keys: {text}");
    if let Ok(query) = QueryString::parse(text) {
        let next = query.with_skiptoken(text);
        assert!(
            next.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}\"<>\\^`|#".contains(&byte)),
            "{next}"
        );
        let repeated = QueryString::parse(&next).expect("a link that was made here can be read here");
        assert_eq!(repeated.pairs().last(), Some(("$skiptoken", text)));
        if let Ok(options) = QueryOptions::from_query(&query) {
            let again = QueryOptions::from_query(&repeated).expect("the options were valid before");
            let skiptoken = Some(text.to_owned());
            assert_eq!(again, QueryOptions { skiptoken, skip: None, ..options });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_tree_parses_to_itself(tree in any_expr()) {
        prop_assert_eq!(Expr::parse(&tree.to_string()), Ok(tree.clone()), "{}", tree);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in any::<String>()) {
        read_in_every_way(&text);
    }

    #[test]
    fn no_arrangement_of_tokens_makes_a_reader_panic(text in token_soup()) {
        read_in_every_way(&text);
    }

    #[test]
    fn no_query_makes_a_reader_panic(text in "(\\$?(filter|top|skip|count|select|skiptoken|x)(=([a-z0-9,{} ]|%2[0-9]){0,6})?&?){0,5}") {
        read_in_every_way(&text);
    }
}
