//! Who changed what of one goal.

use std::time::Duration;

use goalpost::goals::checkin::{NewCheckIn, check_in};
use goalpost::goals::edit::{Field, change_field};
use goalpost::goals::filter::Subject;
use goalpost::goals::history::{Change, changes};
use goalpost::goals::record::{Column, List};
use goalpost::ids::{OrganizationNumber, PersonNumber};
use goalpost::orgs::queries::raise_revision;
use goalpost_db::{Db, Value};
use jiff::civil::date;
use serde_json::{Value as Json, json};

use super::Houses;
use super::deeds::{Dice, create, deed, remove};

const WAIT: Duration = Duration::from_secs(5);

fn set(db: &Db, house: OrganizationNumber, person: i64, goal: i64, field: Field, value: &[Value]) -> i64 {
    db.write_alone(house, WAIT, |tx| {
        let revision = raise_revision(tx, house, Some(PersonNumber(person)), "edit")?;
        change_field(tx, house, goal, revision, field, value).map(|()| revision)
    })
    .expect("the field can be changed")
}

/// The fields of a change, with their values before and since.
fn told(change: &Change) -> Vec<(&'static str, &Json, &Json)> {
    change.fields.iter().map(|field| (field.field.name(), &field.old, &field.new)).collect()
}

#[test]
fn a_goal_tells_who_changed_what_and_when() {
    let houses = Houses::new();
    let house = houses.build();
    let goal = houses.write(house, |tx, revision| create(tx, house, revision, &[], &mut Dice(1)));
    let title = Field::Column(Column::Title);
    set(&houses.db, house, 1, goal, title, &["Prune".into()]);
    set(&houses.db, house, 1, goal, Field::List(List::Owners), &[Value::Int(1)]);
    houses.db.advance_clock(Duration::from_mins(5));
    let renamed = set(&houses.db, house, 2, goal, title, &["Prune 300 trees".into()]);
    let at_us = houses.read(house, |tx| Ok(tx.now_us()));
    set(&houses.db, house, 3, goal, Field::List(List::Owners), &[Value::Int(2), Value::Int(1)]);
    // Nothing of it is said to have changed.
    set(&houses.db, house, 3, goal, title, &["Prune 300 trees".into()]);
    let new = NewCheckIn { goal, value: Some(7.0), ..NewCheckIn::default() };
    houses.db.write_alone(house, WAIT, |tx| check_in(tx, house, Some(PersonNumber(1)), &new)).expect("made");
    houses.write(house, |tx, revision| remove(tx, house, revision, goal));

    let all = houses.read(house, |tx| changes(tx, house, goal, None));
    let edits: Vec<&Change> = all.iter().filter(|change| change.revision >= renamed).collect();
    let [rename, owners, check_in, removal] = edits[..] else { panic!("{edits:?}") };
    assert_eq!((rename.actor, rename.cause.as_str()), (Some(PersonNumber(2)), "edit"));
    assert!((at_us - rename.at_us) < 60_000_000, "{rename:?}");
    assert_eq!(told(rename), [("title", &json!("Prune"), &json!("Prune 300 trees"))]);
    assert_eq!(told(owners), [("goal_owner", &json!([1]), &json!([2, 1]))]);
    assert_eq!(check_in.cause, "checkIn");
    assert!(told(check_in).iter().any(|(field, _, new)| (*field, *new) == ("progress", &json!(7.0))));
    assert!(removal.deleted && !removal.created);
    assert!(told(removal).contains(&("title", &json!("Prune 300 trees"), &Json::Null)), "{removal:?}");
    let first = &all[0];
    assert!(first.created && !first.deleted && first.revision == 2, "{first:?}");
    assert_eq!(houses.read(house, |tx| changes(tx, house, goal + 1, None)), []);
}

#[test]
fn parents_that_the_reader_may_not_see_are_not_told() {
    let houses = Houses::new();
    let house = houses.build();
    let [goal, open, hidden] = houses.write(house, |tx, revision| {
        let make = || create(tx, house, revision, &[], &mut Dice(1));
        Ok([make()?, make()?, make()?])
    });
    let restrict = |goal, restricted: bool| {
        set(&houses.db, house, 1, goal, Field::Column(Column::Restricted), &[restricted.into()]);
    };
    restrict(open, false);
    restrict(hidden, true);
    for list in [List::Owners, List::CheckinOwners, List::Viewers] {
        set(&houses.db, house, 1, hidden, Field::List(list), &[]);
    }
    set(&houses.db, house, 1, hidden, Field::Column(Column::Creator), &[Value::Int(2)]);
    let parents = Field::List(List::Parents);
    let entry = |parent: i64| [parent.into(), Value::Null, false.into()];
    set(&houses.db, house, 1, goal, parents, &entry(hidden));
    let both = set(&houses.db, house, 1, goal, parents, &[entry(open), entry(hidden)].concat());
    let seen_by = |person: Option<i64>| {
        let subject = person.map(|person| Subject {
            organization: house,
            person: Some(PersonNumber(person)),
            today: date(2026, 3, 1),
        });
        let all = houses.read(house, |tx| changes(tx, house, goal, subject.as_ref()));
        let of_parents = |change: &Change| {
            let field = change.fields.iter().find(|field| field.field == parents)?;
            Some((change.revision, field.new.clone()))
        };
        all.iter().filter_map(of_parents).collect::<Vec<_>>()
    };
    let (of_open, of_hidden) = (json!([open, null, false]), json!([hidden, null, false]));
    assert_eq!(seen_by(Some(3)), [(both, of_open)]);
    let of_both = json!([open, null, false, hidden, null, false]);
    for reader in [None, Some(2)] {
        assert_eq!(seen_by(reader), [(both - 1, of_hidden.clone()), (both, of_both.clone())]);
    }
}

#[test]
fn changes_lead_to_what_is_there() {
    let houses = Houses::new();
    let house = houses.build();
    for seed in 0..80 {
        let _ = houses.db.write_alone(house, WAIT, |tx| deed(tx, house, &mut Dice(seed)));
    }
    houses.read(house, |tx| {
        let ids: Vec<i64> =
            tx.query("select id from goal where organization = ?1", &[house.into()], |row| row.int(0))?;
        let present = goalpost::goals::record::GoalRecord::read(tx, house, &ids)?;
        for (id, goal) in present {
            let mut last = std::collections::BTreeMap::new();
            for change in changes(tx, house, id, None)? {
                for field in change.fields {
                    let before = last.insert(field.field, field.new.clone()).unwrap_or(Json::Null);
                    assert!(before == field.old || before.is_null() && field.old == json!([]), "{field:?}");
                }
            }
            for (field, value) in last {
                assert_eq!(value, field.to_json(field.value(&goal)), "{} of {id}", field.name());
            }
        }
        Ok(())
    });
}
