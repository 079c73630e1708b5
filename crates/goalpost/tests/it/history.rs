//! What was, and what changed since: held against what was seen at the time.

mod as_of;
mod changes;
mod deeds;
mod delta;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use goalpost::goals::filter::Subject;
use goalpost::goals::history::{AsOf, EntryId};
use goalpost::goals::record::{GoalRecord, List};
use goalpost::goals::visibility::{restricted_as_of, visible_as_of, visible_to};
use goalpost::ids::{Ids, OrganizationNumber};
use goalpost::orgs::queries as orgs;
use goalpost::views::Selection;
use goalpost_db::{Db, Error, Scope, Tx, Value, params};
use goalpost_testing::TestDatabase;
use jiff::civil::date;
use tempfile::TempDir;

use crate::filter::house::{House, PERIOD_NAMES};

/// A database with organizations that have people, teams, periods and tags, and no goals yet.
struct Houses {
    db: Db,
    _database: TestDatabase,
    _folder: TempDir,
}

impl Houses {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder for the database");
        let database = TestDatabase::new(folder.path());
        Self { db: database.open(), _database: database, _folder: folder }
    }

    /// Another organization; its first revision is made.
    fn build(&self) -> OrganizationNumber {
        let built = self.db.write_alone(Scope::Global, Duration::from_secs(5), |tx| {
            let number = orgs::insert(tx, Ids.guid(), "House", None)?.number;
            tx.enter(number.0);
            let revision = orgs::raise_revision(tx, number, None, "built")?;
            orgs::change_directory(tx, number, revision)?;
            Ok::<_, Error>(number)
        });
        let number = built.expect("the house is built");
        let quarter = |number, first: i8| {
            let days = (date(2026, first, 1), date(2026, first + 2, 28));
            (number, PERIOD_NAMES[0], Some(days))
        };
        let house = House {
            managers: vec![Some(2), Some(3), None, Some(3), Some(1)],
            above_teams: vec![None, Some(1), Some(2), None, Some(4)],
            periods: vec![quarter(1, 1), quarter(2, 4), quarter(3, 7)],
            ..House::of(&[])
        };
        house.write(&self.db, number.0).expect("names are written");
        number
    }

    /// Change an organization, as a transaction of its own.
    fn write<T>(&self, house: OrganizationNumber, f: impl FnOnce(&Tx<'_>, i64) -> Result<T, Error>) -> T {
        let written = self.db.write_alone(house, Duration::from_secs(5), |tx| {
            let revision = orgs::raise_revision(tx, house, None, "deed")?;
            f(tx, revision)
        });
        written.expect("the change is written")
    }

    fn read<T>(&self, house: OrganizationNumber, f: impl FnOnce(&Tx<'_>) -> Result<T, Error>) -> T {
        self.db.snapshot(house, f).expect("the database is readable")
    }
}

/// What a caller sees of a choice of goals: whole rows.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    goals: BTreeMap<i64, GoalRecord>,
    checkins: BTreeMap<EntryId, String>,
    comments: BTreeMap<EntryId, String>,
}

/// All that the subject sees of a choice, read as a client does that knows nothing yet.
fn look(tx: &Tx<'_>, selection: &Selection, subject: &Subject, as_of: AsOf) -> Result<Seen, Error> {
    let chosen = selection.condition(subject, 2);
    let visible = visible_as_of(subject, as_of, 2 + chosen.params.len());
    let mut params = vec![Value::from(subject.organization)];
    params.extend(chosen.params.into_iter().chain(visible.params));
    let sql = format!(
        "-- test\nselect g.id from goal g where g.organization = ?1 and {} and {}",
        chosen.sql, visible.sql
    );
    let members: Vec<i64> = tx.query(&as_of.text(tx, &sql), &params, |row| row.int(0))?;
    let all = visible_ids(tx, subject, as_of)?;
    let mut goals = GoalRecord::read_as_of(tx, subject.organization, &members, as_of)?;
    for goal in goals.values_mut() {
        keep_parents(goal, &all);
    }
    let mut seen = Seen { goals, ..Seen::default() };
    let checkins = "-- test\nselect goal, id, status, note, value from checkin where organization = ?1";
    let comments = "-- test\nselect goal, id, text, null, null from comment where organization = ?1";
    for (into, sql) in [(&mut seen.checkins, checkins), (&mut seen.comments, comments)] {
        let rows = tx.query(&as_of.text(tx, sql), params![subject.organization], |row| {
            let text = format!("{:?} {:?} {:?}", row.text(2)?, row.opt_text(3)?, row.opt_real(4)?);
            Ok::<_, Error>((EntryId { goal: row.int(0)?, id: row.int(1)? }, text))
        })?;
        into.extend(rows.into_iter().filter(|(id, _)| members.contains(&id.goal)));
    }
    Ok(seen)
}

/// Every goal that the subject may see, but for placeholders, which a row does not name as parents.
fn visible_ids(tx: &Tx<'_>, subject: &Subject, as_of: AsOf) -> Result<BTreeSet<i64>, Error> {
    let visible = visible_as_of(subject, as_of, 2);
    let mut params = vec![Value::from(subject.organization)];
    params.extend(visible.params);
    let sql = format!(
        "-- test\nselect g.id from goal g where g.organization = ?1 and g.origin <> 'reference' and {}",
        visible.sql
    );
    Ok(tx.query(&as_of.text(tx, &sql), &params, |row| row.int(0))?.into_iter().collect())
}

/// Goals that are there today and hidden from the subject.
fn hidden_today(tx: &Tx<'_>, subject: &Subject) -> Result<BTreeSet<i64>, Error> {
    let visible = visible_to(subject, 2);
    let mut params = vec![Value::from(subject.organization)];
    params.extend(visible.params);
    let sql = format!(
        "select g.id from goal g where g.organization = ?1 and {} and not {}",
        restricted_as_of(AsOf::Now),
        visible.sql
    );
    Ok(tx.query(&sql, &params, |row| row.int(0))?.into_iter().collect())
}

/// Leave out the parents that are not among some.
fn keep_parents(goal: &mut GoalRecord, kept: &BTreeSet<i64>) {
    let entries = goal.list(List::Parents).chunks_exact(List::Parents.width());
    let kept: Vec<Value> = entries
        .filter(|entry| matches!(entry[0], Value::Int(parent) if kept.contains(&parent)))
        .flatten()
        .cloned()
        .collect();
    *goal.list_mut(List::Parents) = kept;
}
