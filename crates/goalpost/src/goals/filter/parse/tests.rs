use super::super::{MAX_VALUES, OneOf};
use super::*;

fn error(text: &str) -> String {
    Filter::parse(text).expect_err("not a filter").to_string()
}

#[test]
fn every_condition_is_read_and_written_back_alike() {
    for text in [
        r#"{"and":[]}"#,
        r#"{"and":[{"or":[{"not":{"aligned":false}}]}]}"#,
        r#"{"status":{"in":["Behind","At Risk"]}}"#,
        r#"{"objectType":{"in":["keyResult"]}}"#,
        r#"{"period":{"in":[12,"Q1 2026"]}}"#,
        r#"{"team":"none"}"#,
        r#"{"tag":{"in":["Pilot"]}}"#,
        r#"{"owner":"me"}"#,
        r#"{"owner":"none"}"#,
        r#"{"owner":{"in":["ada.quill@contoso.example",7]}}"#,
        r#"{"due":"overdue"}"#,
        r#"{"due":{"before":"2026-01-31"}}"#,
        r#"{"due":{"on":"2026-01-31"}}"#,
        r#"{"checkIn":{"after":"2026-01-31"}}"#,
        r#"{"checkIn":{"lessThanDays":7}}"#,
        r#"{"checkIn":{"moreThanDays":0}}"#,
        r#"{"progress":{"lt":-12.5}}"#,
        r#"{"progress":{"ge":275.0}}"#,
        r#"{"keyword":{"contains":"100 % \\ _"}}"#,
        r#"{"keyword":{"anywhere":"ladder"}}"#,
        r#"{"id":{"in":[12,-1]}}"#,
        r#"{"title":{"is":"Ship it"}}"#,
        r#"{"description":"none"}"#,
        r#"{"description":{"startsWith":"As we said"}}"#,
        r#"{"status":{"notIn":["Closed"]}}"#,
        r#"{"level":{"in":["organization","team","individual"]}}"#,
        r#"{"period":"none"}"#,
        r#"{"period":"previous"}"#,
        r#"{"team":{"withSubteams":["Orchard"]}}"#,
        r#"{"team":{"withAllSubteams":[3]}}"#,
        r#"{"teamType":{"notIn":["Classic"]}}"#,
        r#"{"tag":{"all":["Pilot",7]}}"#,
        r#"{"owner":{"withReports":"me"}}"#,
        r#"{"owner":{"withAllReports":["ada.quill@contoso.example"]}}"#,
        r#"{"delegate":"none"}"#,
        r#"{"manager":"me"}"#,
        r#"{"manager":{"in":[7]}}"#,
        r#"{"manager":{"above":"me"}}"#,
        r#"{"start":{"between":["2026-01-31","2026-01-31"]}}"#,
        r#"{"due":"none"}"#,
        r#"{"created":{"on":"2026-01-31"}}"#,
        r#"{"created":"none"}"#,
        r#"{"updated":{"from":"2026-01-31T09:30:00.5Z"}}"#,
        r#"{"updated":{"until":"2026-01-31T09:30:00Z"}}"#,
        r#"{"progress":{"between":[0.0,49.5]}}"#,
        r#"{"value":{"eq":300.0}}"#,
        r#"{"score":"none"}"#,
        r#"{"integration":{"in":["Excel Online"]}}"#,
        r#"{"integration":"none"}"#,
        r#"{"aligned":{"to":[100]}}"#,
        r#"{"aligned":{"below":[100,101]}}"#,
    ] {
        let filter = Filter::parse(text).expect(text);
        assert_eq!(serde_json::to_string(&filter).expect("plain data"), text);
        assert_eq!(serde_json::from_str::<Filter>(text).expect(text), filter);
    }
}

#[test]
fn words_are_taken_in_any_case_and_kept_in_the_databases() {
    assert_eq!(
        Filter::parse(r#"{"status": {"in": ["at risk"]}}"#),
        Ok(Filter::Status(OneOf::In(vec!["At Risk".to_owned()])))
    );
}

#[test]
fn an_error_names_the_place_and_the_words_that_may_stand_there() {
    assert_eq!(
        error(r#"{"and": [{"aligned": true}, {"status": {"in": ["Late"]}}]}"#),
        "at `filter.and[1].status.in[0]` of the filter stands `\"Late\"`; write one of `Not Started`, `On Track`, \
         `Behind`, `At Risk`, `Closed`, `Postponed`, `Reopened`, `In-progress`"
    );
    assert_eq!(
        error(r#"{"due": {"lessThanDays": 1.5}}"#),
        "at `filter.due.lessThanDays` of the filter stands `1.5`; write a whole number of days from 0 to 36500"
    );
    assert_eq!(
        error(r#"{"owner": "you"}"#),
        "at `filter.owner` of the filter stands `\"you\"`; write `\"me\"`, `\"none\"` or an object \
         with one key, one of `in`, `all`, `withReports`, `withAllReports`"
    );
    assert_eq!(
        error(r#"{"start": {"between": ["2026-01-31", "2026-01-30"]}}"#),
        "at `filter.start.between` of the filter stands `[\"2026-01-31\",\"2026-01-30\"]`; write a list of two days, \
         the earlier one first"
    );
}

#[test]
fn what_is_not_a_filter_is_refused() {
    for text in [
        "",
        "not json",
        "null",
        "[]",
        "{}",
        r#"{"and": {}}"#,
        r#"{"or": []}"#,
        r#"{"colour": "red"}"#,
        r#"{"aligned": true, "owner": "me"}"#,
        r#"{"aligned": "yes"}"#,
        r#"{"status": {"in": []}}"#,
        r#"{"status": {"is": ["Closed"]}}"#,
        r#"{"team": {"in": [1.5]}}"#,
        r#"{"tag": {"in": [" "]}}"#,
        r#"{"due": "tomorrow"}"#,
        r#"{"due": {"on": "2026-02-30"}}"#,
        r#"{"due": {"on": "+002026-01"}}"#,
        r#"{"due": {"moreThanDays": 36501}}"#,
        r#"{"progress": {"lt": "50"}}"#,
        r#"{"progress": {"lt": 1e999}}"#,
        r#"{"keyword": {"contains": "a\u0000b"}}"#,
        r#"{"keyword": {"is": "a"}}"#,
        r#"{"title": "none"}"#,
        r#"{"id": {"in": ["12"]}}"#,
        r#"{"id": {"notIn": [12]}}"#,
        r#"{"period": {"all": [1]}}"#,
        r#"{"period": "now"}"#,
        r#"{"delegate": {"all": [1]}}"#,
        r#"{"owner": {"withReports": "you"}}"#,
        r#"{"manager": "none"}"#,
        r#"{"start": {"from": "2026-01-31T09:30:00Z"}}"#,
        r#"{"start": "overdue"}"#,
        r#"{"updated": {"from": "2026-01-31"}}"#,
        r#"{"progress": {"between": [2, 1]}}"#,
        r#"{"progress": {"between": [1, 2, 3]}}"#,
        r#"{"integration": {"in": [1]}}"#,
        r#"{"aligned": {"to": ["Ship it"]}}"#,
        r#"{"aligned": "none"}"#,
    ] {
        error(text);
    }
}

#[test]
fn size_is_bounded_in_every_direction() {
    let nested = |levels: usize| {
        format!("{}{{\"aligned\":true}}{}", "{\"not\":".repeat(levels - 1), "}".repeat(levels - 1))
    };
    assert!(Filter::parse(&nested(MAX_DEPTH)).is_ok());
    assert!(error(&nested(MAX_DEPTH + 1)).contains("more than 16 levels"));
    assert!(error(&nested(100_000)).contains("recursion limit"));

    let wide = |conditions: usize| format!("{{\"or\":{}}}", list(r#"{"aligned":true}"#, conditions));
    assert!(Filter::parse(&wide(MAX_NODES - 1)).is_ok());
    assert!(error(&wide(MAX_NODES)).contains("more than 200 conditions"));

    let long = |values: usize| format!("{{\"tag\":{{\"in\":{}}}}}", list("1", values));
    assert!(Filter::parse(&long(MAX_VALUES)).is_ok());
    assert!(error(&long(MAX_VALUES + 1)).contains("more than 1000 values"));

    let keyword = |characters| format!(r#"{{"keyword":{{"contains":"{}"}}}}"#, "é".repeat(characters));
    assert!(Filter::parse(&keyword(MAX_CHARACTERS)).is_ok());
    assert!(error(&keyword(MAX_CHARACTERS + 1)).contains("more than 500 characters"));
}

fn list(item: &str, count: usize) -> String {
    format!("[{}]", vec![item; count].join(","))
}
