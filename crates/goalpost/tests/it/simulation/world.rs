//! One seed: steps that are drawn from it, taken by the real code, each of them checked.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use goalpost::exports::api::NewExport;
use goalpost::exports::promise::{Promise, promise};
use goalpost::exports::worker::MakeExport;
use goalpost::exports::{content, expiry, queries as exports};
use goalpost::jobs::queries::Overdue;
use goalpost::jobs::{JobKey, Lease, Runner, Step as _, StepError, queries};
use goalpost_db::{Fault, Scope};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::objects::Fate;
use super::place::Place;
use super::rows::{Actor, Rows};
use crate::store::download::Dice;

const WORKERS: usize = 3;
const STEPS: usize = 60;
/// Rounds after which everything must have ended once nothing fails any more.
const ROUNDS: usize = 60;

type Outcome = Result<(), StepError>;

/// Something that waits at the store's door.
struct Parked<T> {
    task: JoinHandle<T>,
    go: oneshot::Sender<bool>,
}

/// What a worker has in its hands.
enum Hands {
    Empty,
    Claimed(Lease),
    Making(Lease, Parked<Outcome>),
    Done(Lease, Outcome),
}

struct Worker {
    runner: Runner,
    hands: Hands,
}

/// A place, and what goes on there.
struct World<'a> {
    place: &'a mut Place,
    dice: Dice,
    rows: Rows,
    workers: Vec<Worker>,
    /// Steps that go on though their runner has turned to something else.
    zombies: Vec<(Lease, Parked<Outcome>)>,
    overdue: Vec<(JobKey, Overdue)>,
    orphans: Option<Parked<()>>,
    trace: DefaultHasher,
}

/// Go through one seed; what happened, as a number.
pub(super) async fn run(place: &mut Place, seed: u64) -> u64 {
    let (rows, _) = place.rows();
    assert!(rows.is_empty(), "the seed before this one has left jobs");
    let [shorter, longer] = place.lengths();
    place.t.app.change(|parts| {
        let exports = &mut Arc::make_mut(&mut parts.config).exports;
        // Half of all seeds make every file anew.
        exports.reuse = seed % 2 == 1;
        // A third keep all files in the database, a third none, and a third those of one organization.
        exports.in_database_bytes = [longer, 0, shorter][(seed % 3) as usize];
    });
    let worker = |_| Worker { runner: place.runner(), hands: Hands::Empty };
    let workers = (0..WORKERS).map(worker).collect();
    // Far from its neighbours on the one road that all dice go.
    let dice = Dice(seed.wrapping_mul(0xd6e8_feb8_6659_fd93));
    let (zombies, overdue, orphans) = (Vec::new(), Vec::new(), None);
    let trace = DefaultHasher::new();
    let mut world = World { place, dice, rows, workers, zombies, overdue, orphans, trace };
    for step in 0..STEPS {
        world.step(step).await;
    }
    world.drain().await;
    world.trace.finish()
}

impl World<'_> {
    fn one_in(&mut self, number: usize) -> bool {
        self.dice.below(number) == 0
    }

    fn advance(&self, by: Duration) {
        self.place.t.app.db.advance_clock(by);
    }

    async fn step(&mut self, step: usize) {
        // Jobs are told apart by the millisecond in which they were made.
        self.advance(Duration::from_millis(1));
        if self.one_in(6) {
            let passed = self.dice.below(4);
            let fault = if self.one_in(2) { Fault::DropRequest } else { Fault::DropReply };
            self.place.faults.decide(std::iter::repeat_n(Fault::None, passed).chain([fault]));
        }
        let kind = self.dice.below(24);
        kind.hash(&mut self.trace);
        let actor = match kind {
            0..=3 => self.create().await,
            4..=13 => self.work().await,
            14 => self.wake_zombie().await,
            15..=16 => self.pass_time(),
            17 => self.sweep().await,
            18 => self.list_overdue().await,
            19..=20 => self.fail_overdue().await,
            21 => self.look_for_orphans().await,
            22 => self.read().await,
            _ => {
                let organization = self.dice.below(2);
                self.place.faults.decide([]);
                self.place.edit(organization, step);
                Actor::Nobody
            }
        };
        self.check(actor).await;
    }

    async fn check(&mut self, actor: Actor) {
        let (rows, now) = self.place.rows();
        self.place.check(&self.rows, &rows, now, actor).await;
        for row in rows.values() {
            (row.organization, &row.state, row.attempt, &row.failure).hash(&mut self.trace);
        }
        self.place.objects.decide([]);
        self.place.objects.keys().await.len().hash(&mut self.trace);
        self.rows = rows;
    }

    async fn create(&mut self) -> Actor {
        let organization = self.dice.below(2);
        let view = self.dice.below(3);
        let organization = &self.place.organizations[organization];
        let made = promise(
            &self.place.t.app,
            organization.member,
            &NewExport::of(&organization.views[view], None).unwrap(),
            None,
        )
        .await;
        let (rows, _) = self.place.rows();
        let stands = |key: &JobKey| rows.keys().any(|(_, id)| *id == key.id);
        match &made {
            Ok(Promise::Made(key, _)) => assert!(stands(key), "an accepted job is not there"),
            Ok(Promise::Pending(key)) => assert!(stands(key), "a pending job is not there"),
            Ok(Promise::Gone) | Err(_) => {}
        }
        Actor::Nobody
    }

    fn pass_time(&mut self) -> Actor {
        let seconds = match self.dice.below(12) {
            0..=4 => 1 + self.dice.below(5),
            5..=9 => 16,
            10 => 61 * 60,
            _ => 24 * 60 * 60,
        };
        self.advance(Duration::from_secs(seconds as u64));
        Actor::Nobody
    }

    async fn sweep(&mut self) -> Actor {
        if expiry::sweep_once(&self.place.t.app).await.is_ok() {
            let (rows, now) = self.place.rows();
            for organization in &self.place.organizations {
                let number = organization.member.organization.0;
                let kept = rows
                    .values()
                    .filter(|row| row.organization == number && row.key().is_some() && row.expires_at > now);
                let kept = kept.count();
                assert!(kept as i64 <= self.place.t.app.config.exports.max_kept, "{kept} files are kept");
            }
        }
        Actor::Nobody
    }

    /// What a sweep sees; what it does about that comes later.
    async fn list_overdue(&mut self) -> Actor {
        let app = &self.place.t.app;
        let figures = app.figures();
        if let Ok(found) = app.db.read(Scope::Keys, |tx| queries::list_overdue(tx, &figures)).await {
            self.overdue = found;
        }
        Actor::Nobody
    }

    async fn fail_overdue(&mut self) -> Actor {
        let app = &self.place.t.app;
        let figures = app.figures();
        for (job, overdue) in std::mem::take(&mut self.overdue) {
            let failing = move |tx: &goalpost_db::Tx<'_>| queries::fail_overdue(tx, job, overdue, &figures);
            let _ = app.db.write(job.organization, failing).await;
        }
        Actor::Nobody
    }

    async fn look_for_orphans(&mut self) -> Actor {
        if let Some(parked) = self.orphans.take() {
            let _ = parked.go.send(true);
            parked.task.await.unwrap();
            return Actor::Nobody;
        }
        let passed = self.dice.below(4);
        let fate = self.fate();
        self.place.objects.decide(std::iter::repeat_n(Fate::Pass, passed).chain([fate]));
        let app = self.place.t.app.clone();
        let mut task = tokio::spawn(async move {
            let _ = expiry::remove_orphans(&app).await;
        });
        tokio::select! {
            biased;
            done = &mut task => done.unwrap(),
            go = self.place.objects.parked() => self.orphans = Some(Parked { task, go }),
        }
        Actor::Nobody
    }

    /// What somebody gets who asks for all files of an organization.
    async fn read(&mut self) -> Actor {
        let index = self.dice.below(2);
        let place = &*self.place;
        let member = place.organizations[index].member;
        let found =
            place.t.app.db.read(member.organization, |tx| exports::list(tx, &member, None, true, 100));
        let found = found.await.unwrap_or_default();
        place.faults.decide([]);
        for export in found {
            let Some(content) = export.content else { continue };
            let reading = content::open(&place.t.app, export.job.key, &content, 0..content.size_bytes);
            let read = reading.await.unwrap();
            let bytes: Vec<_> = read.bytes.try_collect().await.unwrap();
            assert_eq!(Sha256::digest(bytes.concat())[..], content.sha256);
        }
        Actor::Nobody
    }

    fn fate(&mut self) -> Fate {
        match self.dice.below(12) {
            0..=3 => Fate::Pass,
            4 => Fate::DropRequest,
            5 => Fate::DropReply,
            6..=8 => Fate::HoldRequest,
            _ => Fate::HoldReply,
        }
    }

    async fn wake_zombie(&mut self) -> Actor {
        let Some((lease, parked)) = self.zombies.pop() else { return Actor::Nobody };
        let _ = parked.go.send(true);
        let _ = parked.task.await;
        Actor::Worker(lease.token)
    }

    /// Let a worker do something.
    async fn work(&mut self) -> Actor {
        let index = self.dice.below(WORKERS);
        let runner = self.workers[index].runner.clone();
        let hands = std::mem::replace(&mut self.workers[index].hands, Hands::Empty);
        let (actor, hands) = match hands {
            Hands::Empty => match runner.claim_next().await {
                Ok(Some(lease)) => (Actor::Claim, Hands::Claimed(lease)),
                Ok(None) | Err(_) => (Actor::Claim, Hands::Empty),
            },
            Hands::Claimed(lease) => (Actor::Worker(lease.token), self.begin(&runner, lease).await),
            Hands::Making(lease, parked) => {
                (Actor::Worker(lease.token), self.go_on(&runner, lease, parked).await)
            }
            Hands::Done(lease, outcome) => {
                let actor = Actor::Worker(lease.token);
                // Else it dies with what it knows.
                let settled = self.one_in(8) || runner.settle(&lease, &outcome).await;
                (actor, if settled { Hands::Empty } else { Hands::Done(lease, outcome) })
            }
        };
        self.workers[index].hands = hands;
        actor
    }

    /// The step of a claimed job, up to where it ends or waits.
    async fn begin(&mut self, runner: &Runner, lease: Lease) -> Hands {
        match self.dice.below(10) {
            0 => return Hands::Empty,
            1 => {
                runner.let_go(&lease).await;
                return Hands::Empty;
            }
            2 => {
                return match runner.renew(&lease).await {
                    None => Hands::Claimed(lease),
                    Some(end) => Hands::Done(lease, Err(end)),
                };
            }
            _ => {}
        }
        let fate = self.fate();
        self.place.objects.decide([fate]);
        let (step, owned) = (MakeExport(self.place.t.app.clone()), lease.clone());
        let mut task = tokio::spawn(async move { step.run(owned).await });
        tokio::select! {
            biased;
            outcome = &mut task => Hands::Done(lease, outcome.unwrap()),
            go = self.place.objects.parked() => Hands::Making(lease, Parked { task, go }),
        }
    }

    /// What comes next for a step that waits at the store.
    async fn go_on(&mut self, runner: &Runner, lease: Lease, parked: Parked<Outcome>) -> Hands {
        let end = match self.dice.below(8) {
            0..=2 => {
                let _ = parked.go.send(true);
                return Hands::Done(lease, parked.task.await.unwrap());
            }
            3 => {
                // The process dies; its request may arrive all the same.
                parked.task.abort();
                let arrives = self.one_in(2);
                let _ = parked.go.send(arrives);
                let _ = parked.task.await;
                tokio::task::yield_now().await;
                return Hands::Empty;
            }
            4..=5 => match runner.renew(&lease).await {
                None => return Hands::Making(lease, parked),
                Some(end) => Some(end),
            },
            _ => None,
        };
        let hands = if let Some(end) = end {
            Hands::Done(lease.clone(), Err(end))
        } else {
            runner.let_go(&lease).await;
            Hands::Empty
        };
        self.zombies.push((lease, parked));
        hands
    }

    /// Nothing fails any more: everything must end, and leave nothing but what was published; and that for its time.
    async fn drain(&mut self) {
        self.place.faults.decide([]);
        self.look_for_orphans().await;
        if self.orphans.is_some() {
            self.look_for_orphans().await;
        }
        self.check(Actor::Nobody).await;
        for index in 0..WORKERS {
            let hands = std::mem::replace(&mut self.workers[index].hands, Hands::Empty);
            if let Hands::Making(lease, parked) = hands {
                self.zombies.push((lease, parked));
            }
        }
        while !self.zombies.is_empty() {
            let actor = self.wake_zombie().await;
            self.check(actor).await;
        }
        let runner = self.place.runner();
        for _ in 0..ROUNDS {
            if !self.rows.values().any(super::rows::Row::is_pending) {
                break;
            }
            let claimed = runner.claim_next().await.unwrap();
            self.check(Actor::Claim).await;
            if let Some(lease) = claimed {
                let outcome = MakeExport(self.place.t.app.clone()).run(lease.clone()).await;
                assert_eq!(outcome, Ok(()), "nothing failed");
                self.check(Actor::Worker(lease.token)).await;
            } else {
                self.advance(Duration::from_secs(20));
                self.sweep().await;
                self.check(Actor::Nobody).await;
            }
        }
        let pending: Vec<_> = self.rows.values().filter(|row| row.is_pending()).collect();
        assert!(pending.is_empty(), "these never end: {pending:?}");
        self.tidy().await;
        let mut published: Vec<_> =
            self.rows.values().filter_map(|row| row.stored_key().map(str::to_owned)).collect();
        let mut stored = self.place.objects.keys().await;
        published.sort_unstable();
        published.dedup();
        stored.sort_unstable();
        assert_eq!(stored, published, "orphans are left");

        // An export is kept for a day, and its file for an hour more.
        self.advance(Duration::from_hours(26));
        self.sweep().await;
        self.tidy().await;
        assert!(self.rows.is_empty(), "these are never forgotten: {:?}", self.rows);
        assert_eq!(self.place.objects.keys().await, Vec::<String>::new());
    }

    async fn tidy(&mut self) {
        expiry::remove_orphans(&self.place.t.app).await.unwrap();
        self.check(Actor::Nobody).await;
    }
}
