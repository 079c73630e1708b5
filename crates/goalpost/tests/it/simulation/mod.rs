//! Chance decides what happens, and what fails, in which order; the real code has to keep its promises (R28).
//!
//! A seed is a list of steps: jobs are made, three workers claim, work, renew, pause, crash; requests and replies of the
//! database and of the store are lost; time passes, sweeps run, each in the middle of the others. After every step
//! everything is looked at; at the end of a seed all must end well and leave nothing. One seed always goes the same way:
//! the clock stands still unless a step moves it, and one thing happens at a time.
//!
//! Read in this order: `world` (the steps), `rows` (what must hold), `place` and `objects` (where).

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod objects;
mod place;
mod rows;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

use place::Place;
use tracing::subscriber::NoSubscriber;

/// How many seeds are run, unless `GOALPOST_SEEDS` says how many, behind those of `GOALPOST_DONE_BEFORE`, or
/// `GOALPOST_SEED` which one.
const SEEDS: u64 = 2_000;
/// Seeds that have found something: a job given up though it had got its attempt back; more files kept than allowed,
/// after a publication whose reply was lost.
const FOUND: [u64; 2] = [133, 622];

fn number(name: &str) -> Option<u64> {
    let number = std::env::var(name).ok()?;
    Some(number.parse().unwrap_or_else(|_| panic!("{name} is `{number}`: write a number")))
}

/// Says which seed it was when the test fails.
struct Telltale(u64);

impl Drop for Telltale {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let seed = self.0;
            eprintln!(
                "seed {seed} failed; run it alone by\n  GOALPOST_SEED={seed} cargo test -p goalpost --test it simulation::r28"
            );
        }
    }
}

/// Run seeds at one place after another, on a runtime whose tasks take turns.
fn run(seeds: impl IntoIterator<Item = u64>) -> Vec<u64> {
    // What the server warns of is what the seed lets fail; who replays one reads it.
    let quiet = || tracing::subscriber::set_default(NoSubscriber::default());
    let _quiet = number("GOALPOST_SEED").is_none().then(quiet);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut place = Place::new().await;
        let mut traces = Vec::new();
        for seed in seeds {
            let _telltale = Telltale(seed);
            traces.push(world::run(&mut place, seed).await);
        }
        traces
    })
}

#[test]
fn r28_whatever_chance_brings_every_export_ends_once_and_whole() {
    if let Some(seed) = number("GOALPOST_SEED") {
        println!("seed {seed}: {:016x}", run([seed])[0]);
        return;
    }
    let (seeds, first) =
        (number("GOALPOST_SEEDS").unwrap_or(SEEDS), number("GOALPOST_DONE_BEFORE").unwrap_or(0));
    let next = AtomicU64::new(first);
    let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < first + seeds);
    std::thread::scope(|scope| {
        for _ in 0..available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| run(std::iter::from_fn(take)));
        }
    });
    println!("soak: {seeds} seeds");
}

#[test]
fn seeds_that_have_found_something_find_it_no_more() {
    run(FOUND);
}

#[test]
fn a_seed_goes_the_same_way_each_time() {
    let once = run(0..20);
    assert_eq!(run(0..20), once);
    let alone: Vec<_> = (17..20).flat_map(|seed| run([seed])).collect();
    assert_eq!(alone, once[17..]);
    assert!(once.windows(2).all(|pair| pair[0] != pair[1]), "seeds differ");
}
