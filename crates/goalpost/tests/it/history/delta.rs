//! R14: everything at one time and the changes since are everything at another.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::thread::ScopedJoinHandle;

use goalpost::goals::filter::Filter;
use goalpost::goals::history::{AsOf, Changed, Changes, Delta, Moment, now};
use goalpost::ids::{OrganizationNumber, PersonNumber};
use goalpost::views::Selection;
use goalpost_db::{Error, Tx};
use goalpost_testing::Engine;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use proptest::prelude::Strategy;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::deeds::{Dice, Undone, create, deed};
use super::{Houses, Seen, hidden_today, keep_parents, look, visible_ids};
use crate::filter::any::any_filter;
use crate::filter::house::TODAY;

/// Threads that change the goals of one organization, and what each does.
const WRITERS: u64 = 2;
const DEEDS: u64 = 25;
/// Callers who ask for changes, each for other goals.
const CLIENTS: usize = 3;

/// Somebody who keeps a copy up to date by deltas alone.
struct Client {
    selection: Selection,
    person: Option<PersonNumber>,
    from: Moment,
    copy: Seen,
    /// What was seen at earlier times.
    earlier: Vec<(Moment, Seen)>,
    /// Deltas that said something.
    told: usize,
}

/// On the last day of which so many revisions were made, but for a few days: time passes.
fn moment(tx: &Tx<'_>, house: OrganizationNumber) -> Result<Moment, Error> {
    let revision = now(tx, house)?.revision;
    let day = TODAY.saturating_add((revision / 20).days());
    let at = TimeZone::UTC.to_timestamp(day.at(9, 0, 0, 0)).expect("a day of this age");
    Ok(Moment { revision, at_us: at.as_microsecond() })
}

impl Client {
    fn new(
        tx: &Tx<'_>,
        house: OrganizationNumber,
        selection: Selection,
        dice: &mut Dice,
    ) -> Result<Self, Error> {
        let person = Some(dice.roll(6)).filter(|&person| person > 0).map(PersonNumber);
        let from = moment(tx, house)?;
        let copy = look(tx, &selection, &from.subject(house, person), AsOf::Now)?;
        Ok(Self { selection, person, from, copy, earlier: Vec::new(), told: 0 })
    }

    /// Ask what changed, apply it, and see whether it is what there is.
    fn follow(&mut self, tx: &Tx<'_>, house: OrganizationNumber) -> Result<(), Error> {
        let at = moment(tx, house)?;
        let subject = at.subject(house, self.person);
        let full = look(tx, &self.selection, &subject, AsOf::Now)?;
        let delta = self.selection.delta(tx, &subject, self.from)?;
        let Delta::Changes(changes) = delta else { panic!("{delta:?} by {:?}", self.selection) };
        let Changes { to, goals, checkins, comments } = *changes;
        assert_eq!(to.revision, at.revision);
        self.told += usize::from(!goals.is_empty());
        self.earlier.push((self.from, self.copy.clone()));
        apply(&mut self.copy.goals, &goals, &full.goals);
        apply(&mut self.copy.checkins, &checkins, &full.checkins);
        apply(&mut self.copy.comments, &comments, &full.comments);
        assert_eq!(self.copy, full, "{:?} for {:?}", self.selection, self.person);
        self.from = at;
        Ok(())
    }

    /// Whatever was seen earlier is seen as of then, but for what was hidden since.
    fn look_back(&self, tx: &Tx<'_>, house: OrganizationNumber) -> Result<(), Error> {
        for (at, seen) in &self.earlier {
            let subject = at.subject(house, self.person);
            let hidden = hidden_today(tx, &subject)?;
            let mut expected = seen.clone();
            expected.goals.retain(|id, _| !hidden.contains(id));
            expected.checkins.retain(|id, _| !hidden.contains(&id.goal));
            expected.comments.retain(|id, _| !hidden.contains(&id.goal));
            let visible = visible_ids(tx, &subject, at.as_of())?;
            assert!(visible.is_disjoint(&hidden));
            for goal in expected.goals.values_mut() {
                keep_parents(goal, &visible);
            }
            let found = look(tx, &self.selection, &subject, at.as_of())?;
            assert_eq!(found, expected, "as of {at:?}: {:?} for {:?}", self.selection, self.person);
        }
        Ok(())
    }
}

/// Do to a copy what a delta says; each word of it must be true and needed.
fn apply<K: Copy + Debug + Ord, V: Clone + Debug + PartialEq>(
    copy: &mut BTreeMap<K, V>,
    changes: &Changed<K>,
    full: &BTreeMap<K, V>,
) {
    for id in &changes.created {
        let row = full.get(id).unwrap_or_else(|| panic!("{id:?} is created, and not to be seen"));
        assert!(copy.insert(*id, row.clone()).is_none(), "{id:?} was there before");
    }
    for id in &changes.changed {
        let row = full.get(id).unwrap_or_else(|| panic!("{id:?} is changed, and not to be seen"));
        let old = copy.insert(*id, row.clone());
        assert!(old.is_some_and(|old| old != *row), "{id:?} did not change for the caller");
    }
    for id in &changes.deleted {
        assert!(copy.remove(id).is_some(), "{id:?} is deleted, and was never seen");
    }
}

/// One organization is changed by some while others follow it.
fn live(houses: &Houses, filters: &mut TestRunner, seed: u64) -> usize {
    let house = houses.build();
    let mut dice = Dice(seed);
    houses.write(house, |tx, revision| {
        let mut goals = Vec::new();
        for _ in 0..8 {
            let id = create(tx, house, revision, &goals, &mut dice)?;
            goals.push(id);
        }
        Ok(())
    });
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|_| {
            let filter = match dice.roll(4) {
                0 => Filter::everything(),
                _ => any_filter().new_tree(filters).expect("a filter").current(),
            };
            let selection = Selection { filter, top_level: dice.roll(3) == 0 };
            houses.read(house, |tx| Client::new(tx, house, selection, &mut dice))
        })
        .collect();
    std::thread::scope(|scope| {
        let write = |writer: u64| {
            let db = houses.db.clone();
            move || {
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
                let runtime = runtime.expect("a runtime");
                for turn in 0..DEEDS {
                    let dice = Dice(seed ^ (writer * DEEDS + turn + 1).wrapping_mul(0x5851_f42d_4c95_7f2d));
                    let done =
                        runtime.block_on(db.write(house, move |tx| deed(tx, house, &mut dice.clone())));
                    if let Err(Undone::Failed(error)) = done {
                        panic!("seed {seed}: {error}");
                    }
                }
            }
        };
        let writing: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(write(writer))).collect();
        let mut last = false;
        while !last {
            last = writing.iter().all(ScopedJoinHandle::is_finished);
            for client in &mut clients {
                houses.read(house, |tx| {
                    if last || now(tx, house)?.revision > client.from.revision + 2 {
                        client.follow(tx, house)?;
                    }
                    Ok(())
                });
            }
            std::thread::yield_now();
        }
    });
    for client in &clients {
        houses.read(house, |tx| client.look_back(tx, house));
    }
    clients.iter().map(|client| client.told).sum()
}

#[test]
fn r14_everything_then_and_all_changes_since_are_everything_now() {
    // A server takes longer for each statement.
    let few = if Engine::of_this_run() == Engine::Sqlite { 20 } else { 5 };
    let histories = crate::setting("GOALPOST_HISTORIES", few);
    let houses = Houses::new();
    let begun = std::time::Instant::now();
    let mut told = 0;
    let mut filters = TestRunner::deterministic();
    for seed in 0..histories as u64 {
        told += live(&houses, &mut filters, seed);
    }
    println!("soak: {histories} histories, {told} deltas, {:?}", begun.elapsed());
    assert!(told > histories * 2, "the deltas hardly said anything: {told}");
}
