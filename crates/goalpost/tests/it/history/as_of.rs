//! Reads of an earlier state.

use std::time::Duration;

use goalpost::exports::ExportId;
use goalpost::exports::spec::ExportSpec;
use goalpost::goals::edit::{Field, change_field};
use goalpost::goals::filter::{Due, Filter, Subject};
use goalpost::goals::history::{AsOf, Moment, MomentError, at_revision, now, revision_at};
use goalpost::goals::record::{Column, List};
use goalpost::ids::PersonNumber;
use goalpost::orgs::queries::raise_revision;
use goalpost::views::{self, NewView, Selection, Sort};
use goalpost_db::{Db, Error, Value, params};
use goalpost_testing::{ORGANIZATION, TestApp};
use jiff::civil::date;
use uuid::Uuid;

use super::deeds::{Dice, Undone, create, deed};
use super::{Houses, look};
use crate::jobs::NUMBER;

/// So many deeds, by chance.
fn do_deeds(db: &Db, from: u64, count: u64) {
    for seed in from..from + count {
        let done = db.write_alone(NUMBER, Duration::from_secs(5), |tx| deed(tx, NUMBER, &mut Dice(seed)));
        if let Err(Undone::Failed(error)) = done {
            panic!("{error}");
        }
    }
}

fn save_views(db: &Db) -> Vec<Uuid> {
    let selections = [
        Selection::default(),
        Selection { filter: Filter::everything(), top_level: true },
        Selection { filter: Filter::Due(Due::Overdue), top_level: false },
    ];
    let mut guids = Vec::new();
    for (number, selection) in (1..).zip(selections) {
        let guid = Uuid::from_u128(0x7777_0000_0000_4000_8000_0000_0000_0000 + number);
        let (name, sort) = (format!("View {number}"), Sort::default());
        let new = NewView {
            shares: Vec::new(),
            guid,
            name,
            owner: None,
            is_public: true,
            selection,
            flat: true,
            sort,
        };
        db.write_alone(NUMBER, Duration::from_secs(5), |tx| views::create(tx, NUMBER, &new, None))
            .expect("the view is saved");
        guids.push(guid);
    }
    guids
}

/// Make an export, of an earlier state if one is given; its bytes, and the moment that it shows.
async fn export(t: &TestApp, view: Uuid, as_of: Option<Moment>) -> (Vec<u8>, Moment) {
    let id = t.ann().create_export(ORGANIZATION, view).await.id();
    let job = ExportId::parse(&id).expect("an id").job.into_bytes();
    if let Some(moment) = as_of {
        t.app
            .db
            .write_alone(NUMBER, Duration::from_secs(5), |tx| {
                let sql = "select spec from job where organization = ?1 and id = ?2";
                let spec =
                    tx.query_one(sql, params![NUMBER, job], |row| Ok::<_, Error>(row.text(0)?.to_owned()))?;
                let spec: ExportSpec = serde_json::from_str(&spec).expect("the spec is JSON");
                let sql = "update job set spec = ?3 where organization = ?1 and id = ?2";
                tx.execute(sql, params![NUMBER, job, spec.as_of(moment).to_json()])
            })
            .expect("the spec is changed");
    }
    assert!(t.run_one().await);
    let content = t.ann().get_content(&id).await;
    assert_eq!(content.status, 200, "{}", content.text());
    let sql = "select revision, as_of_at from export where organization = ?1 and job = ?2";
    let shown = t.app.db.snapshot(NUMBER, |tx| {
        tx.query_one(sql, params![NUMBER, job], |row| {
            Ok::<_, Error>(Moment { revision: row.int(0)?, at_us: row.int(1)? })
        })
    });
    (content.bytes, shown.expect("the export has a row"))
}

#[tokio::test(flavor = "multi_thread")]
async fn r12_an_export_as_of_then_is_the_export_of_then_byte_for_byte() {
    let t = TestApp::start_with(|config| config.limits.creates_per_10_secs = 10_000).await;
    let views = save_views(&t.app.db);
    do_deeds(&t.app.db, 0, 80);
    let mut then = Vec::new();
    for &view in &views {
        then.push(export(&t, view, None).await);
    }
    do_deeds(&t.app.db, 1_000, 120);
    // What is hidden today would stay hidden.
    t.app
        .db
        .write_alone(NUMBER, Duration::from_secs(5), |tx| {
            let revision = raise_revision(tx, NUMBER, None, "opened")?;
            let restricted = "select id from goal where organization = ?1 and restricted";
            let open = [Value::Bool(false)];
            for goal in tx.query(restricted, params![NUMBER], |row| row.int(0))? {
                change_field(tx, NUMBER, goal, revision, Field::Column(Column::Restricted), &open)
                    .expect("the goal can be opened");
            }
            Ok::<_, Error>(())
        })
        .expect("the goals are opened");
    t.advance(Duration::from_hours(72));
    for (&view, (bytes, moment)) in views.iter().zip(&then) {
        let (present, _) = export(&t, view, None).await;
        assert!(present != *bytes, "nothing happened since");
        let rows = String::from_utf8_lossy(bytes).lines().count() - 1;
        assert!(rows > 3, "hardly a goal was exported: {rows}");
        let (again, shown) = export(&t, view, Some(*moment)).await;
        assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(bytes));
        assert_eq!(shown, *moment);
    }
}

#[test]
fn an_instant_is_the_last_change_begun_by_then() {
    let houses = Houses::new();
    let house = houses.build();
    let goalless = houses.read(house, |tx| Ok(tx.now_us()));
    let mut made = Vec::new();
    for _ in 0..3 {
        houses.db.advance_clock(Duration::from_mins(10));
        made.push(houses.write(house, |tx, revision| {
            create(tx, house, revision, &[], &mut Dice(1))?;
            Ok((revision, tx.now_us()))
        }));
    }
    houses.db.advance_clock(Duration::from_mins(10));
    houses.read(house, |tx| {
        let at = |at_us| revision_at(tx, house, at_us);
        for &(revision, at_us) in &made {
            for later in [0, 1, 5 * 60 * 1_000_000] {
                let found = at(at_us + later).expect("a state of then");
                assert_eq!(found, Moment { revision, at_us: at_us + later });
            }
            assert_eq!(at_revision(tx, house, revision).expect("it was made"), Moment { revision, at_us });
        }
        let earliest = Some(made[0].1);
        for early in [goalless, made[0].1 - 1, 0] {
            let refused = at(early).expect_err("there was no goal yet");
            assert!(matches!(refused, MomentError::TooEarly { earliest_us } if earliest_us == earliest));
        }
        let refused = at_revision(tx, house, 1).expect_err("there was no goal yet");
        assert!(matches!(refused, MomentError::TooEarly { earliest_us } if earliest_us == earliest));
        assert!(matches!(at(tx.now_us() + 1), Err(MomentError::Future)));
        assert!(matches!(at_revision(tx, house, 5), Err(MomentError::Future)));
        assert_eq!(now(tx, house)?, Moment { revision: 4, at_us: tx.now_us() });
        Ok(())
    });
}

#[test]
fn who_restricts_a_goal_hides_its_past() {
    let houses = Houses::new();
    let house = houses.build();
    let goal = houses.write(house, |tx, revision| create(tx, house, revision, &[], &mut Dice(3)));
    let set = |column, value: Value| {
        houses.write(house, |tx, revision| {
            change_field(tx, house, goal, revision, Field::Column(column), &[value]).expect("it can be set");
            Ok(revision)
        })
    };
    set(Column::Creator, Value::Int(2));
    for list in [List::Owners, List::CheckinOwners, List::Viewers] {
        houses.write(house, |tx, revision| {
            change_field(tx, house, goal, revision, Field::List(list), &[]).expect("it can be set");
            Ok(())
        });
    }
    let open = set(Column::Restricted, false.into());
    let seen = |person: Option<i64>, as_of| {
        let today = date(2026, 3, 1);
        let subject = Subject { organization: house, person: person.map(PersonNumber), today };
        let found = houses.read(house, |tx| look(tx, &Selection::default(), &subject, as_of));
        found.goals.contains_key(&goal)
    };
    let callers = [None, Some(1), Some(2)];
    assert_eq!(callers.map(|person| seen(person, AsOf::Revision(open))), [true; 3]);
    let restricted = set(Column::Restricted, true.into());
    for as_of in [AsOf::Revision(open), AsOf::Revision(restricted), AsOf::Now] {
        assert_eq!(callers.map(|person| seen(person, as_of)), [false, false, true], "{as_of:?}");
    }
    // Who opens it opens what it was while it was open, and no more.
    set(Column::Restricted, false.into());
    for (as_of, expected) in
        [(AsOf::Revision(open), [true; 3]), (AsOf::Revision(restricted), [false, false, true])]
    {
        assert_eq!(callers.map(|person| seen(person, as_of)), expected, "{as_of:?}");
    }
}

#[test]
fn a_spec_of_before_asks_for_the_present() {
    let spec = r#"{"viewName":"All","selection":{"filter":{"and":[]},"topLevel":false}}"#;
    let spec: ExportSpec = serde_json::from_str(spec).expect("a spec of an older version");
    assert_eq!(spec.as_of, None);
    assert!(!spec.to_json().contains("asOf"), "an older version could not read {}", spec.to_json());
}
