//! Filters of views: one that is accepted is written as it was read, and becomes SQL that the database takes and that
//! is either true or false, even of a goal that has no value but those it must have.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use goalpost::goals::filter::{Condition, Filter, Subject, compile};
use goalpost::ids::{OrganizationNumber, PersonNumber};
use goalpost_db::{Db, Error, Location, Settings, Value, params};
use jiff::civil::date;
use libfuzzer_sys::fuzz_target;

const ORGANIZATION: OrganizationNumber = OrganizationNumber(1);

fuzz_target!(|text: &str| {
    let Ok(filter) = Filter::parse(text) else { return };
    let written = serde_json::to_string(&filter).expect("a filter is plain data");
    assert_eq!(Filter::parse(&written).as_ref(), Ok(&filter), "{written}");

    for person in [None, Some(PersonNumber(1))] {
        let subject = Subject { organization: ORGANIZATION, person, today: date(2026, 3, 1) };
        let holds = compile(&filter, &subject, 2);
        let fails = Condition { sql: format!("not {}", holds.sql), params: holds.params.clone() };
        assert_eq!(count(&holds) + count(&fails), 1, "{written}: {}", holds.sql);
    }
});

/// How many goals a condition holds.
fn count(condition: &Condition) -> i64 {
    let sql = format!("select count(*) from goal g where g.organization = ?1 and {}", condition.sql);
    let params: Vec<Value> =
        [ORGANIZATION.into()].into_iter().chain(condition.params.iter().cloned()).collect();
    let count = ONE_GOAL.snapshot(ORGANIZATION, |tx| tx.query_one(&sql, &params, |row| row.int(0)));
    count.unwrap_or_else(|error: Error| panic!("{error}: {sql}"))
}

/// A database that holds one goal.
static ONE_GOAL: LazyLock<Db> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("the machine has a folder for temporary files");
    let location = Location::file(&folder.path().join("goalpost.db"));
    let db = Db::open(&location, Settings::default()).expect("the folder is new");
    db.write_alone(ORGANIZATION, Duration::from_secs(5), |tx| {
        tx.execute(
            "insert into goal (organization, id, revision, origin, object_type, type_label, status, checkin_count,
                restricted, goal_type, outcome_type, phased, title, title_fold)
            values (?1, 17, 1, 'file', 'objective', '', 'On Track', 0, false, '', '', false, 'Ship', 'ship')",
            params![ORGANIZATION],
        )
    })
    .unwrap_or_else(|error: Error| panic!("{error}"));
    // Opens the connection that every later read uses, before the folder goes: libFuzzer ends the process without
    // dropping anything, so it would stay otherwise. Open files outlive their names.
    let goals =
        db.snapshot(ORGANIZATION, |tx| tx.query_one("select count(*) from goal", &[], |row| row.int(0)));
    assert_eq!(goals.unwrap_or_else(|error: Error| panic!("{error}")), 1);
    db
});
