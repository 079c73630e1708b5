use jiff::civil::date;

use super::*;
use crate::ids::{OrganizationNumber, PersonNumber};

fn compiled(filter: &str, person: Option<i64>) -> Condition {
    let subject = Subject {
        organization: OrganizationNumber(5),
        person: person.map(PersonNumber),
        today: date(2026, 3, 1),
    };
    compile(&Filter::parse(filter).expect(filter), &subject, 3)
}

#[test]
fn values_become_parameters_numbered_from_the_first_given() {
    let condition =
        compiled(r#"{"and": [{"status": {"in": ["Behind", "At Risk"]}}, {"owner": "me"}]}"#, Some(9));
    assert_eq!(
        condition.sql,
        "(g.status in (?3, ?4) and g.id in (select goal from goal_owner where organization = ?5 \
         and (person in (?6))))"
    );
    assert_eq!(condition.params, ["Behind".into(), "At Risk".into(), Value::Int(5), Value::Int(9)]);
}

#[test]
fn names_are_folded_and_looked_up_in_the_subjects_organization_only() {
    let condition = compiled(r#"{"team": {"in": [4, "Nordwind", "ÄRZTE"]}}"#, None);
    assert_eq!(
        condition.sql,
        "g.id in (select goal from goal_team where organization = ?3 and (team in (?4) or team in \
         (select id from team where organization = ?3 and name_fold in (?5, ?6))))"
    );
    assert_eq!(condition.params, [Value::Int(5), Value::Int(4), "nordwind".into(), "ärzte".into()]);
}

#[test]
fn days_count_from_the_subjects_today() {
    let due = compiled(r#"{"due": {"lessThanDays": 14}}"#, None);
    assert_eq!(due.sql, "(g.end_date is not null and g.end_date >= ?3 and g.end_date < ?4)");
    assert_eq!(due.params, ["2026-03-01".into(), "2026-03-15".into()]);
    let stale = compiled(r#"{"checkIn": {"moreThanDays": 7}}"#, None);
    assert_eq!(stale.sql, "(g.last_checkin_date is not null and g.last_checkin_date < ?3)");
    assert_eq!(stale.params, ["2026-02-22".into()]);
}

#[test]
fn wildcards_of_a_keyword_are_letters() {
    let condition = compiled(r#"{"keyword": {"contains": "100%_\\"}}"#, None);
    assert_eq!(condition.sql, "g.title_fold like ?3 escape '\\'");
    assert_eq!(condition.params, [r"%100\%\_\\%".into()]);
}

#[test]
fn the_empty_filter_holds_everything_without_a_parameter() {
    assert_eq!(compiled(r#"{"and": []}"#, None), Condition { sql: "1 = 1".to_owned(), params: vec![] });
}

#[test]
fn nobody_owns_nothing() {
    assert_eq!(compiled(r#"{"owner": "me"}"#, None).sql, "1 = 0");
}
