//! What a client asks of goals: `$filter`, `$orderby` and `$select`, a URL's query and an order's text. What is accepted
//! is written as it was read, and becomes SQL.
#![no_main]

use goalpost::goals::filter::{Filter, Subject, compile};
use goalpost::goals::order::Order;
use goalpost::ids::{OrganizationNumber, PersonNumber};
use goalpost_odata::{Path, SelectItem, parse_orderby, parse_select};
use jiff::civil::date;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let filters = [Filter::parse_odata(text).ok(), Filter::parse_url(text).ok()];
    for filter in filters.into_iter().flatten() {
        let written = serde_json::to_string(&filter).expect("a filter is plain data");
        assert_eq!(Filter::parse(&written).as_ref(), Ok(&filter), "{written}");
        let subject = Subject {
            organization: OrganizationNumber(1),
            person: Some(PersonNumber(1)),
            today: date(2026, 3, 1),
        };
        let condition = compile(&filter, &subject, 3);
        for number in 3..3 + condition.params.len() {
            assert!(condition.sql.contains(&format!("?{number}")), "?{number} of {}", condition.sql);
        }
    }
    let by_odata = parse_orderby(text).ok().and_then(|items| Order::from_odata(&items).ok());
    for order in [by_odata, text.parse::<Order>().ok()].into_iter().flatten() {
        assert_eq!(order.to_string().parse::<Order>().as_ref(), Ok(&order));
        assert!(order.after(Vec::new(), 1).sql.contains(&format!("?{}", order.keys().len())));
    }
    for item in parse_select(text).into_iter().flatten() {
        if let SelectItem::Path(path) = item {
            assert_eq!(Path::parse(path.as_str()), Ok(path));
        }
    }
});
