//! What stands behind the `?` of a request: printing and parsing are inverse, links to the next page keep every option.
#![no_main]

use goalpost_odata::{Expr, QueryOptions, QueryString, parse_orderby, parse_select, property_names};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    assert!(property_names(text).iter().all(|name| text.contains(name)));
    if let Ok(tree) = Expr::parse(text) {
        assert_eq!(Expr::parse(&tree.to_string()), Ok(tree));
    }
    drop((parse_select(text), parse_orderby(text)));
    if let Ok(query) = QueryString::parse(text) {
        let next = query.with_skiptoken(text);
        let repeated = QueryString::parse(&next).expect("a link that was made here can be read here");
        assert_eq!(repeated.pairs().last(), Some(("$skiptoken", text)));
        if let Ok(options) = QueryOptions::from_query(&query) {
            let again = QueryOptions::from_query(&repeated).expect("the options were valid before");
            assert_eq!(again, QueryOptions { skiptoken: Some(text.to_owned()), skip: None, ..options });
        }
    }
});
