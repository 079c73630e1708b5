//! What the past costs: a scan as of then against one of now, and what changed since against everything.

use std::time::{Duration, Instant};

use goalpost::goals::edit::{Field, change_field};
use goalpost::goals::filter::{Filter, Subject};
use goalpost::goals::history::{AsOf, Delta, Moment, now};
use goalpost::goals::record::Column;
use goalpost::goals::rows::{self, Plan, Query};
use goalpost::ids::{Ids, OrganizationNumber, PersonNumber};
use goalpost::orgs::queries as orgs;
use goalpost::views::Selection;
use goalpost_db::{Db, Error, Scope, Value};
use goalpost_testing::TestDatabase;

use crate::house::{self, WAIT};

const GOALS: i64 = 100_000;
/// Goals changed before the scans, and before a delta.
const CHANGED: i64 = 10_000;
const FEW: i64 = 100;
const ROUNDS: usize = 5;

pub(crate) fn measure() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = TestDatabase::new(folder.path());
    let db = database.open();
    let house = db.write_alone(Scope::Global, WAIT, |tx| {
        Ok::<_, Error>(orgs::insert(tx, Ids.guid(), "House", None)?.number)
    })?;
    house::fill(&db, house, GOALS)?;
    let first = db.snapshot(house, |tx| now(tx, house))?;
    edit(&db, house, CHANGED)?;
    db.settle()?;
    let before = db.snapshot(house, |tx| now(tx, house))?;
    edit(&db, house, FEW)?;
    let everything = Selection::default();
    let top = Selection { filter: Filter::parse(r#"{"status": {"in": ["On Track"]}}"#)?, top_level: true };
    println!("{} goals on {}, {CHANGED} of them changed since they were made", GOALS, db.engine());
    for (what, selection) in [("everything", &everything), ("top level, on track", &top)] {
        let scan = |as_of| scan(&db, house, selection, as_of);
        let (present, past, nearly) =
            (median(|| scan(AsOf::Now)), median(|| scan(first.as_of())), median(|| scan(before.as_of())));
        println!(
            "{what}: now {present:?}, as of the first revision {past:?}, before the last {FEW} changes {nearly:?}"
        );
        println!("  {:.2} and {:.2} times", ratio(past, present), ratio(nearly, present));
        let changes = median(|| since(&db, house, selection, before));
        println!("  what changed by the last {FEW} changes: {changes:?}");
        let all = median(|| since(&db, house, selection, first));
        println!("  what changed by all {} changes: {all:?}", CHANGED + FEW);
    }
    Ok(())
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

/// So many changes, each of another goal and a revision of its own.
fn edit(db: &Db, house: OrganizationNumber, count: i64) -> Result<(), Error> {
    let begin = db.snapshot(house, |tx| now(tx, house))?.revision;
    db.write_alone(house, WAIT, |tx| {
        for number in 0..count {
            let revision = orgs::raise_revision(tx, house, None, "edit")?;
            let goal = 1 + (number * 7_919) % GOALS;
            let title = Value::from(format!("Renamed by {}", begin + number));
            change_field(tx, house, goal, revision, Field::Column(Column::Title), &[title])
                .map_err(|error| Error::unexpected(error.to_string()))?;
        }
        Ok(())
    })
}

fn subject(house: OrganizationNumber) -> Subject {
    Subject::on_day(house, Some(PersonNumber(7)), 1_772_323_200_000_000)
}

/// Read every row of a choice, as an export does.
fn scan(db: &Db, house: OrganizationNumber, selection: &Selection, as_of: AsOf) {
    let subject = subject(house);
    let chosen = |first: usize| selection.condition(&subject, first);
    let query = Query {
        subject: &subject,
        chosen: &chosen,
        everything: selection.is_everything(),
        levels: 0,
        as_of,
        wide: false,
        unrestricted: false,
    };
    let summary = db.snapshot(house, |tx| {
        let plan = Plan::new(tx, &query)?;
        rows::each(tx, &query, &plan, |_| Ok::<_, Error>(()))
    });
    assert!(summary.expect("readable").rows > 5_000);
}

fn since(db: &Db, house: OrganizationNumber, selection: &Selection, from: Moment) {
    let subject = subject(house);
    let from = Moment { at_us: 1_772_323_200_000_000, ..from };
    let delta = db.snapshot(house, |tx| selection.delta(tx, &subject, from)).expect("readable");
    assert!(matches!(delta, Delta::Changes(changes) if !changes.goals.is_empty()));
}
