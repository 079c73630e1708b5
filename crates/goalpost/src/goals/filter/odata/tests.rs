use super::*;

fn read(text: &str) -> String {
    let filter = Filter::parse_odata(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    serde_json::to_string(&filter).expect("plain data")
}

#[test]
fn what_is_asked_becomes_the_tree() {
    for (text, json) in [
        ("true", r#"{"and":[]}"#),
        ("false", r#"{"not":{"and":[]}}"#),
        ("id in (4,5) or id eq 6", r#"{"id":{"in":[4,5,6]}}"#),
        ("status eq 'at risk'", r#"{"status":{"in":["At Risk"]}}"#),
        ("status ne 'Closed'", r#"{"not":{"status":{"in":["Closed"]}}}"#),
        ("objectType in ('keyResult','objective')", r#"{"objectType":{"in":["keyResult","objective"]}}"#),
        ("progressPercent lt 50", r#"{"progress":{"lt":50.0}}"#),
        ("50 gt progressPercent", r#"{"progress":{"lt":50.0}}"#),
        ("progress ge -1.5", r#"{"value":{"ge":-1.5}}"#),
        ("score eq null", r#"{"score":"none"}"#),
        ("endDate ne null", r#"{"not":{"due":"none"}}"#),
        ("endDate lt null", r#"{"not":{"and":[]}}"#),
        ("startDate eq 2026-01-31", r#"{"start":{"on":"2026-01-31"}}"#),
        (
            "lastCheckInDate le 2026-01-31",
            r#"{"or":[{"checkIn":{"on":"2026-01-31"}},{"checkIn":{"before":"2026-01-31"}}]}"#,
        ),
        ("createdDateTime ge 2026-01-31T09:30Z", r#"{"created":{"from":"2026-01-31T09:30:00Z"}}"#),
        ("createdDateTime lt 2026-01-31", r#"{"created":{"until":"2026-01-31T00:00:00Z"}}"#),
        (
            "lastUpdatedDateTime gt 2026-01-31T09:30:00+01:00",
            r#"{"updated":{"from":"2026-01-31T08:30:00.000001Z"}}"#,
        ),
        ("periodId eq 7 or period/name eq 'Q1 2026'", r#"{"period":{"in":[7,"Q1 2026"]}}"#),
        ("periodId eq null", r#"{"period":"none"}"#),
        ("dataSource eq 'Jira'", r#"{"integration":{"in":["Jira"]}}"#),
        ("title eq 'Ship it'", r#"{"title":{"is":"Ship it"}}"#),
        ("contains(tolower(title),'x')", r#"{"title":{"contains":"x"}}"#),
        ("startswith(description,'As')", r#"{"description":{"startsWith":"As"}}"#),
        ("owners/any(o: o/email eq 'a@b.example' or o/id eq 5)", r#"{"owner":{"in":["a@b.example",5]}}"#),
        ("not owners/any()", r#"{"not":{"not":{"owner":"none"}}}"#),
        ("owners/$count eq 0", r#"{"owner":"none"}"#),
        ("teams/$count gt 0", r#"{"not":{"team":"none"}}"#),
        ("tags/any(t: t/name in ('Pilot','New'))", r#"{"tag":{"in":["Pilot","New"]}}"#),
        ("tags/all(t: t/name ne 'Pilot' and t/id ne 3)", r#"{"not":{"tag":{"in":["Pilot",3]}}}"#),
        ("parents/any(p: p/id eq 5)", r#"{"aligned":{"to":[5]}}"#),
        ("not parents/any()", r#"{"not":{"not":{"aligned":false}}}"#),
        (
            "status eq 'Behind' and (id eq 1 or title eq 'a') and id ne 2",
            r#"{"and":[{"status":{"in":["Behind"]}},{"or":[{"id":{"in":[1]}},{"title":{"is":"a"}}]},{"not":{"id":{"in":[2]}}}]}"#,
        ),
    ] {
        assert_eq!(read(text), json, "{text}");
    }
}

#[test]
fn what_the_tree_cannot_say_is_an_error_that_says_what_can_be_said() {
    let error = |text| Filter::parse_odata(text).expect_err(text).to_string();
    assert_eq!(
        error("title lt 'b'"),
        "`title lt 'b'` cannot be asked; this property can be compared by eq, ne and in only"
    );
    assert!(error("colour eq 'red'").starts_with("goals cannot be asked for `colour`; they can be for id, "));
    assert!(error("status eq 'Late'").contains("write one of 'Not Started', 'On Track'"));
    assert_eq!(
        error("owners/any(o: o/name eq 'Ann')"),
        "`owners/any(o:o/name eq 'Ann')` cannot be asked; write any(x: x/id eq 5 or x/email eq '…'), several joined \
         by or, or all(…) of ne, joined by and"
    );
    for text in [
        "title",
        "5",
        "id eq 1.5",
        "id eq title",
        "id add 1 eq 2",
        "endsWith(title,'x')",
        "contains(status,'x')",
        "contains(title,'')",
        "title eq 'a\0b'",
        "endDate eq '2026-01-31'",
        "createdDateTime eq 'now'",
        "createdDateTime eq 9999-12-31",
        "year(endDate) eq 2026",
        "tolower(status) eq 'closed'",
        "owners eq null",
        "owners/$count eq 2",
        "owners/any(o: o/id eq 5 and o/id eq 6)",
        "owners/any(o: o/id ne 5)",
        "owners/all(o: o/id eq 5)",
        "owners/any(o: p/id eq 5)",
        "parents/any(p: p/name eq 'x')",
        "viewers/any()",
    ] {
        error(text);
    }
}

#[test]
fn bounds_are_those_of_every_filter() {
    let chain = |count: usize| vec!["score eq 1"; count].join(" and ");
    assert!(Filter::parse_odata(&chain(100)).is_ok());
    let nested = |levels: usize| format!("{}score eq 1{}", "not (".repeat(levels), ")".repeat(levels));
    assert!(Filter::parse_odata(&nested(15)).is_ok());
    assert_eq!(
        Filter::parse_odata(&nested(16)).expect_err("too deep").to_string(),
        "the filter has more than 16 levels; make it smaller, or split the view"
    );
}
