//! A check-in and what follows above it: through twelve levels, beside a thousand others, and many writers at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use goalpost::goals::checkin::{NewCheckIn, check_in, check_in_all};
use goalpost::goals::write::create::{NewGoal, create};
use goalpost::goals::{ObjectType, ProgressMode};
use goalpost::ids::{Ids, OrganizationNumber};
use goalpost::orgs::periods::{self, PeriodPatch};
use goalpost::views::presets::found;
use goalpost_db::{Db, Scope, Tx};
use goalpost_testing::TestDatabase;
use jiff::civil::date;

use crate::house::WAIT;

const ROUNDS: usize = 101;
const WRITERS: usize = 32;
const GOALS: i64 = 320;
const FOR: Duration = Duration::from_secs(10);

pub(crate) fn measure(runtime: &tokio::runtime::Runtime) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = TestDatabase::new(folder.path());
    let db = database.open();
    let (house, period) = db.write_alone(Scope::Global, WAIT, |tx| {
        let house = found(tx, Ids.guid(), "House", None, "bench")?.number;
        let year = PeriodPatch {
            name: Some("Year".to_owned()),
            start: Some(date(2026, 1, 1)),
            end: Some(date(2026, 12, 31)),
        };
        let period = periods::create(tx, house, None, &year).map_err(|error| unexpected(&error))?;
        Ok::<_, goalpost_db::Error>((house, period.number))
    })?;
    println!("check-ins on {}", db.engine());
    let key_result = |title: &str| {
        let mut new = NewGoal::named(ObjectType::KeyResult, title, period);
        new.fields.progress_mode = Some(ProgressMode::Manual);
        new
    };
    let mut top = made(&db, house, &NewGoal::named(ObjectType::Objective, "Top", period))?;
    for _ in 0..11 {
        top = made(&db, house, &NewGoal::named(ObjectType::Objective, "Lower", period).below(top))?;
    }
    let leaf = made(&db, house, &key_result("Leaf").below(top))?;
    println!("  through 12 levels: {:.2?}", median(runtime, &db, house, leaf)?);
    let wide = made(&db, house, &NewGoal::named(ObjectType::Objective, "Wide", period))?;
    let mut last = 0;
    for _ in 0..1_000 {
        last = made(&db, house, &key_result("One of a thousand").below(wide))?;
    }
    println!("  beside 999 others: {:.2?}", median(runtime, &db, house, last)?);
    let mut goals = Vec::new();
    for _ in 0..GOALS / 4 {
        let above = made(&db, house, &NewGoal::named(ObjectType::Objective, "Above", period))?;
        for _ in 0..4 {
            goals.push(made(&db, house, &key_result("Below").below(above))?);
        }
    }
    let goals = Arc::new(goals);
    for together in [1, 10, 100] {
        let rate = runtime.block_on(sustained(&db, house, &goals, together))?;
        println!(
            "  {WRITERS} writers on {GOALS} goals in fours below objectives, {together} at a time: {rate:.0} a second over {FOR:?}"
        );
    }
    Ok(())
}

fn unexpected(error: &dyn std::fmt::Display) -> goalpost_db::Error {
    goalpost_db::Error::unexpected(error.to_string())
}

fn made(db: &Db, house: OrganizationNumber, new: &NewGoal) -> Result<i64, goalpost_db::Error> {
    db.write_alone(house, WAIT, |tx| {
        create(tx, house, None, new).map(|made| made.goal).map_err(|error| unexpected(&error))
    })
}

fn say(tx: &Tx<'_>, house: OrganizationNumber, goal: i64, value: f64) -> Result<(), goalpost_db::Error> {
    let new = NewCheckIn { goal, value: Some(value), ..NewCheckIn::default() };
    check_in(tx, house, None, &new).map(|_| ()).map_err(|error| unexpected(&error))
}

/// The middle of many check-ins, each a transaction on the disk.
fn median(
    runtime: &tokio::runtime::Runtime,
    db: &Db,
    house: OrganizationNumber,
    goal: i64,
) -> Result<Duration, goalpost_db::Error> {
    let mut times = Vec::new();
    for turn in 0..ROUNDS {
        let (begun, value) = (Instant::now(), turn as f64 % 97.0 + 0.5);
        runtime.block_on(db.write(house, move |tx| say(tx, house, goal, value)))?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[ROUNDS / 2])
}

/// Check-ins a second, of writers that each begin the next ones when the last are on the disk.
async fn sustained(
    db: &Db,
    house: OrganizationNumber,
    goals: &Arc<Vec<i64>>,
    together: usize,
) -> anyhow::Result<f64> {
    let (done, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let writers = (0..WRITERS).map(|writer| {
        let (db, goals, done) = (db.clone(), Arc::clone(goals), Arc::clone(&done));
        tokio::spawn(async move {
            let mut turn = writer;
            while begun.elapsed() < FOR {
                let new: Vec<_> = (turn..turn + together)
                    .map(|turn| NewCheckIn {
                        // One after the other, and each writer in a place of its own.
                        goal: goals[turn * 7 % goals.len()],
                        value: Some(turn as f64 % 89.0),
                        ..NewCheckIn::default()
                    })
                    .collect();
                db.write(house, move |tx| {
                    check_in_all(tx, house, None, &new).map(|_| ()).map_err(|(_, error)| unexpected(&error))
                })
                .await?;
                done.fetch_add(together as u64, Ordering::Relaxed);
                turn += WRITERS * together;
            }
            Ok::<_, goalpost_db::Error>(())
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await??;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64())
}
