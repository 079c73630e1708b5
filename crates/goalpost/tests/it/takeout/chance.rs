//! Organizations by chance: whatever people did, what comes back is what it was, and so is its past.

use std::time::Duration;

use goalpost::goals::ObjectType;
use goalpost::goals::filter::{Filter, Subject};
use goalpost::goals::history::{AsOf, Delta, Moment, now};
use goalpost::goals::record::GoalRecord;
use goalpost::goals::write::create::NewGoal;
use goalpost::goals::write::tasks::TaskPatch;
use goalpost::goals::write::{checkins, comments, tasks};
use goalpost::ids::OrganizationNumber;
use goalpost::imports::ImportOptions;
use goalpost::orgs::queries::find_by_guid;
use goalpost::takeout::{read, write};
use goalpost::views::{self, NewView, Selection, Share, Sort, ViewChange};
use goalpost_db::{Db, Error, Scope, Tx, params};
use goalpost_testing::{Engine, TestDatabase};
use tempfile::TempDir;
use uuid::Uuid;

use super::{assert_same, lines, other_engine};
use crate::goals::laws::{Dice, act};
use crate::goals::{BO, ILSE, ORGANIZATION, PERIOD, deed, made, server};
use crate::imports::{Company, Server, options};

/// Organizations, and what people do in each.
const HOUSES: usize = 2;
const DEEDS: usize = 50;
/// Every how many revisions the past is looked at.
const LOOK_EVERY: usize = 9;

/// What [`act`] does not do: what is said, steps, views, sign-ins.
fn say(server: &Server, dice: &mut Dice, goals: &[i64]) {
    let Some(&goal) = goals.get(dice.below(goals.len().max(1))) else { return };
    let first = |sql: &str| server.rows(sql, |row| row.int(0)).into_iter().next().unwrap_or_default();
    match dice.below(7) {
        0 | 1 => drop(deed(server, |tx| {
            comments::add(
                tx,
                ORGANIZATION,
                Some(BO),
                goal,
                "Tab\t, \"quotes\", \u{1} and \u{1f333}\nlines",
                None,
            )
        })),
        2 => {
            let id = first("select coalesce(min(id), 0) from comment where organization = ?1");
            drop(deed(server, |tx| comments::change(tx, ORGANIZATION, None, id, "Better")));
        }
        3 => {
            let id = first("select coalesce(max(id), 0) from checkin where organization = ?1");
            drop(deed(server, |tx| checkins::delete(tx, ORGANIZATION, Some(ILSE), id)));
        }
        4 => {
            let initiative = made(server, &NewGoal::named(ObjectType::Initiative, "Dig", PERIOD));
            let task =
                TaskPatch { name: Some("Spade".to_owned()), owner: Some(Some(BO)), ..TaskPatch::default() };
            deed(server, |tx| tasks::add(tx, ORGANIZATION, Some(ILSE), initiative, &task)).unwrap();
        }
        5 => drop(deed(server, |tx| view(tx, dice.below(100)))),
        _ => drop(deed(server, |tx| {
            let guid = Uuid::from_u128(first("select min(id) from goal where organization = ?1") as u128);
            tx.execute(
                "insert into identity (issuer, tenant, object, organization, person, linked_at)
                 values ('https://login.example', ?1, ?2, ?3, ?4, 7)",
                params![guid.into_bytes(), Uuid::from_u128(dice.0.into()).into_bytes(), ORGANIZATION, BO],
            )
        })),
    }
}

/// Save a view of somebody's own, and change it.
fn view(tx: &Tx<'_>, number: usize) -> Result<(), views::ViewError> {
    let new = NewView {
        guid: Uuid::from_u128(1 << 64 | number as u128),
        name: format!("Number {number}"),
        owner: Some(ILSE),
        is_public: false,
        shares: vec![Share::Person(BO)],
        selection: Selection { filter: Filter::everything(), top_level: true },
        flat: false,
        sort: Sort::default(),
    };
    views::create(tx, ORGANIZATION, &new, Some(ILSE))?;
    let change = ViewChange { shares: Some(vec![Share::Team(20)]), ..ViewChange::default() };
    views::update(tx, ORGANIZATION, new.guid, &change, Some(ILSE))?;
    Ok(())
}

/// The organization in another database.
struct Copy {
    db: Db,
    _database: TestDatabase,
    _data: TempDir,
}

impl Copy {
    fn read_back(engine: Engine, folder: &std::path::Path) -> Self {
        let data = TempDir::new().unwrap();
        let database = TestDatabase::on(engine, data.path());
        let db = database.open();
        let read = read::restore(&db, folder, false, &mut |_| {});
        read.unwrap_or_else(|error| panic!("{engine:?}: {error}"));
        Self { db, _database: database, _data: data }
    }
}

/// Every goal at every revision, and what changed since each.
fn past(db: &Db, organization: OrganizationNumber, goals: &[i64]) -> Vec<String> {
    db.snapshot(organization, |tx| {
        let today = now(tx, organization)?;
        let selection = Selection { filter: Filter::everything(), top_level: false };
        let mut past = Vec::new();
        for revision in (1..=today.revision).rev().step_by(LOOK_EVERY) {
            let seen = GoalRecord::read_as_of(tx, organization, goals, AsOf::Revision(revision))?;
            let from = Moment { revision, at_us: 0 };
            let subject = Subject::on_day(organization, Some(ILSE), 0);
            let since = match selection.delta(tx, &subject, from)? {
                Delta::Changes(changes) => {
                    format!("{:?} {:?} {:?}", changes.goals, changes.checkins, changes.comments)
                }
                Delta::FullRead(why) => format!("{why:?}"),
            };
            past.push(format!("{seen:?} {since}"));
        }
        Ok::<_, Error>(past)
    })
    .unwrap()
}

#[test]
fn what_an_import_took_away_is_no_hindrance() {
    let server = Server::new();
    let company = Company::small();
    server.import(&company);
    // The goal above and one of two people are gone from the next file: a placeholder and a mere mention stay.
    let mut fewer = company.clone();
    fewer.goals.retain(|goal| goal.id != 100);
    fewer.users.retain(|user| user.id != 11);
    fewer.check_ins.retain(|said| said.goal_id != 100);
    fewer.comments.clear();
    server.import_company_with(&fewer, &ImportOptions { prune: true, ..options() });
    let guid = Uuid::from_bytes(
        server.rows("select guid from organization where number = ?1", |row| row.bytes::<16>(0))[0],
    );
    let above = TempDir::new().unwrap();
    let [first, second] = ["first", "second"].map(|name| above.path().join(name));
    write::save(&server.db, guid, &first, &mut |_| {}).unwrap();
    assert!(lines(&first, "goals.jsonl").iter().any(|goal| goal["origin"] == "reference"));
    assert!(!lines(&first, "history/goals.jsonl").is_empty());
    let copy = Copy::read_back(other_engine(), &first);
    write::save(&copy.db, guid, &second, &mut |_| {}).unwrap();
    assert_same(&first, &second, "after an import that took away");
}

#[test]
fn whatever_people_did_comes_back_with_its_past() {
    let above = TempDir::new().unwrap();
    let (houses, mut revisions) = (crate::setting("GOALPOST_TAKEOUTS", HOUSES), 0);
    for house in 1..=houses {
        let server = server();
        let (mut dice, mut goals) = (Dice(house as u64 * 104_729), vec![100, 101]);
        for _ in 0..DEEDS {
            act(&server, &mut dice, &mut goals);
            say(&server, &mut dice, &goals);
        }
        let guid = server.rows("select guid from organization where number = ?1", |row| row.bytes::<16>(0));
        let guid = Uuid::from_bytes(guid[0]);
        let all: Vec<i64> = server.rows(
            "select id from goal where organization = ?1 union select id from goal_history where organization = ?1",
            |row| row.int(0),
        );
        let out = |name: &str| above.path().join(format!("{name}-{house}"));
        let first = write::save(&server.db, guid, &out("first"), &mut |_| {}).unwrap();
        assert!(first.revision > 20, "house {house}: dice made too little");
        revisions += first.revision;
        let before = past(&server.db, ORGANIZATION, &all);
        let mut from = out("first");
        for engine in [other_engine(), Engine::of_this_run()] {
            let copy = Copy::read_back(engine, &from);
            let organization =
                copy.db.snapshot(Scope::Global, |tx| find_by_guid(tx, guid)).unwrap().unwrap().number;
            let to = out(&format!("{engine:?}"));
            write::save(&copy.db, guid, &to, &mut |_| {}).unwrap();
            assert_same(&from, &to, &format!("house {house} on {engine:?}"));
            assert!(
                past(&copy.db, organization, &all) == before,
                "house {house}: another past on {engine:?}"
            );
            // Life goes on where it was.
            let next = copy.db.write_alone(organization, Duration::from_secs(5), |tx| {
                comments::add(tx, organization, None, all[0], "Here", None).map(|_| ())
            });
            assert!(next.is_ok() || !goals.contains(&all[0]), "house {house}: {next:?}");
            from = to;
        }
    }
    println!("soak: {houses} organizations, {revisions} revisions");
}
