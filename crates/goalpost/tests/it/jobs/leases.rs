//! One worker at a time owns a job, and who lost it changes nothing any more.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use goalpost::exports::ExportId;
use goalpost::exports::worker::MakeExport;
use goalpost::jobs::queries::Overdue;
use goalpost::jobs::{Figures, JobKey, Lease, Runner, Step, StepError, queries};
use goalpost_db::Scope;
use goalpost_testing::TestApp;

use super::{LEASE, NUMBER, assert_failed, create, create_of, eventually, files, row, save_views, status};

#[tokio::test(flavor = "multi_thread")]
async fn a_live_lease_keeps_other_workers_away() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    let lease = t.claim_and_die().await;
    assert!(!t.run_one().await);
    t.advance(Duration::from_secs(14));
    assert!(!t.run_one().await);
    assert_eq!(row(&t, &id).token, Some(lease.token));
    assert_eq!(status(&t, &id).await.0, "running");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lapsed_lease_is_claimed_like_a_new_job() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    let dead = t.claim_and_die().await;
    t.advance(LEASE);
    assert!(t.run_one().await);
    assert_eq!(status(&t, &id).await.0, "succeeded");
    assert_eq!((dead.attempt, row(&t, &id).attempt), (1, 2));
    assert_eq!(t.ann().get_content(&id).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn r05_a_zombie_changes_nothing_after_another_worker_claimed_its_job() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    let zombie = t.claim_and_die().await;
    t.advance(LEASE);
    let owner = t.claim_and_die().await;
    let before = row(&t, &id);
    assert_eq!(before.token, Some(owner.token));

    assert_refused(&t, &zombie).await;
    assert_eq!(t.finish(zombie.clone()).await, Err(StepError::LeaseLost));
    assert_eq!(row(&t, &id), before);
    assert_eq!(files(&t), Vec::<String>::new());
    assert_eq!(t.ann().get_content(&id).await.status, 409);

    t.finish(owner).await.unwrap();
    let ended = row(&t, &id);
    let content = t.ann().get_content(&id).await;
    let files_of_owner = files(&t);
    assert_eq!((content.status, files_of_owner.len()), (200, 1));

    assert_refused(&t, &zombie).await;
    assert_eq!(t.finish(zombie).await, Err(StepError::LeaseLost));
    assert_eq!(row(&t, &id), ended);
    assert_eq!(files(&t), files_of_owner);
    assert_eq!(t.ann().get_content(&id).await.bytes, content.bytes);
}

/// Each write that a lease allows is refused to this one.
async fn assert_refused(t: &TestApp, lease: &Lease) {
    let figures = t.app.figures();
    let lease = lease.clone();
    let written = t.app.db.write(super::NUMBER, move |tx| {
        Ok::<_, goalpost_db::Error>([
            queries::renew(tx, &lease, &figures)?,
            queries::give_back(tx, &lease, 0, true)?,
            queries::fail(tx, &lease, 0, "zombie", "A zombie wrote this.")?,
            queries::succeed(tx, &lease, 0)?,
        ])
    });
    assert_eq!(written.await.unwrap(), [false; 4]);
}

/// Workers and sweepers choose jobs by an earlier look, so what they found may have changed since.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_taken_since_it_was_seen_is_neither_claimed_nor_given_up() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    let owner = t.claim_and_die().await;
    let held = row(&t, &id);
    assert_eq!(claim_or_give_up(&t, owner.job).await, (false, [false; 3]));
    assert_eq!(row(&t, &id), held);
    t.finish(owner.clone()).await.unwrap();
    let ended = row(&t, &id);
    assert_eq!(claim_or_give_up(&t, owner.job).await, (false, [false; 3]));
    assert_eq!(row(&t, &id), ended);
}

/// Between a sweep's look and its act an attempt may have been given back, and the job has another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_got_its_attempt_back_since_it_was_listed_is_not_given_up() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    for _ in 1..3 {
        t.claim_and_die().await;
        t.advance(LEASE);
    }
    let last = t.claim_and_die().await;
    t.advance(LEASE);
    let figures = t.app.figures();
    let listed = t.app.db.read(Scope::Keys, |tx| queries::list_overdue(tx, &figures)).await.unwrap();
    assert_eq!(listed, [(last.job, Overdue::WorkerLost)]);

    // Its worker slept, and awakes to be stopped.
    let given = t.app.db.write(NUMBER, move |tx| queries::give_back(tx, &last, 0, true));
    assert!(given.await.unwrap());
    t.advance(Duration::from_secs(1));
    let (job, overdue) = listed[0];
    let failed = t.app.db.write(NUMBER, move |tx| queries::fail_overdue(tx, job, overdue, &figures));
    assert!(!failed.await.unwrap());
    assert!(t.run_one().await);
    assert_eq!(status(&t, &id).await.0, "succeeded");
}

/// Whether the job can be claimed, and given up for each reason.
async fn claim_or_give_up(t: &TestApp, job: JobKey) -> (bool, [bool; 3]) {
    let figures = t.app.figures();
    let written = t.app.db.write(super::NUMBER, move |tx| {
        let claimed = !queries::claim(tx, &[(job.organization, [7; 16])], 1, &figures)?.is_empty();
        let give_up = |reason| queries::fail_overdue(tx, job, reason, &figures);
        let given_up =
            [give_up(Overdue::NotStarted)?, give_up(Overdue::Deadline)?, give_up(Overdue::WorkerLost)?];
        Ok::<_, goalpost_db::Error>((claimed, given_up))
    });
    written.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_finish_counts_while_nobody_else_has_claimed() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    let lease = t.claim_and_die().await;
    t.advance(Duration::from_mins(2));
    t.finish(lease).await.unwrap();
    assert_eq!(status(&t, &id).await.0, "succeeded");
    assert!(!t.run_one().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn r24_a_job_whose_workers_die_each_time_fails_after_three_attempts() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    for attempt in 1..=3 {
        t.sweep().await;
        assert_eq!(status(&t, &id).await.0, if attempt == 1 { "notStarted" } else { "running" });
        assert_eq!(t.claim_and_die().await.attempt, attempt);
        t.advance(LEASE);
    }
    // Not claimed again, and in nobody's way until a sweep gives it up.
    let next = create_of(&t, save_views(&t.app.db, NUMBER, 1)[0]).await;
    assert!(t.run_one().await);
    assert_eq!(status(&t, &next).await.0, "succeeded");
    t.sweep().await;
    assert_failed(&t, &id, "workerLost").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_fails_at_its_deadline_although_attempts_are_left() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    t.claim_and_die().await;
    t.advance(Duration::from_mins(61));
    assert!(!t.run_one().await);
    t.sweep().await;
    assert_failed(&t, &id, "deadlineExceeded").await;
}

/// A step that never ends.
#[derive(Debug)]
struct Stuck;

impl Step for Stuck {
    fn run(&self, _: Lease) -> Pin<Box<dyn Future<Output = Result<(), StepError>> + Send + '_>> {
        Box::pin(std::future::pending())
    }
}

/// A step that finds no database so many times, and then is the honest one.
#[derive(Debug)]
struct Away {
    honest: MakeExport,
    times: AtomicUsize,
}

impl Step for Away {
    fn run(&self, lease: Lease) -> Pin<Box<dyn Future<Output = Result<(), StepError>> + Send + '_>> {
        let again = self.times.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if again.is_ok() {
            return Box::pin(std::future::ready(Err(StepError::DatabaseAway)));
        }
        self.honest.run(lease)
    }
}

/// The honest step, which panics at one job.
#[derive(Debug)]
struct Poisoned {
    honest: MakeExport,
    poison: JobKey,
}

impl Step for Poisoned {
    fn run(&self, lease: Lease) -> Pin<Box<dyn Future<Output = Result<(), StepError>> + Send + '_>> {
        assert_ne!(lease.job, self.poison, "this panic belongs to the test");
        self.honest.run(lease)
    }
}

fn runner(t: &TestApp, figures: Figures, step: impl Step) -> Runner {
    Runner::new(
        t.app.db.clone(),
        t.app.ids,
        figures,
        2,
        Arc::new(step),
        Arc::clone(&t.app.wake),
        Arc::clone(&t.app.metrics),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn r23_a_step_that_never_ends_is_stopped_at_its_deadline() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    let figures = Figures { lease_us: 300_000, deadline_us: 200_000, ..t.app.figures() };
    let worker = runner(&t, figures, Stuck);
    let stopped = tokio::time::timeout(Duration::from_secs(5), worker.run_one()).await;
    assert!(stopped.expect("the watch notices").unwrap());
    assert_failed(&t, &id, "deadlineExceeded").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_as_long_as_its_worker_lives() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    let figures = Figures { lease_us: 3_000_000, ..t.app.figures() };
    let working = runner(&t, figures, Stuck);
    let worker = tokio::spawn(async move { working.run_one().await });
    eventually(Duration::from_secs(5), "a claim", async || row(&t, &id).token).await;
    let begun = Instant::now();
    eventually(Duration::from_secs(30), "two leases' time", async || {
        assert!(!t.run_one().await, "a live worker lost its job");
        (begun.elapsed() > Duration::from_secs(6)).then_some(())
    })
    .await;
    assert_eq!(row(&t, &id).attempt, 1);
    worker.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_costs_a_job_no_attempt() {
    let t = TestApp::start().await;
    let id = create(&t).await;
    let step = Away { honest: MakeExport(t.app.clone()), times: AtomicUsize::new(5) };
    let worker = runner(&t, t.app.figures(), step);
    for _ in 0..5 {
        assert!(worker.run_one().await.unwrap());
        assert_eq!((row(&t, &id).state.as_str(), row(&t, &id).attempt), ("running", 0));
        assert!(!worker.run_one().await.unwrap(), "a job whose database was away rests for a moment");
        t.advance(Duration::from_secs(2));
    }
    assert!(worker.run_one().await.unwrap());
    assert_eq!(status(&t, &id).await.0, "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn r10_a_panic_in_a_step_fails_its_own_job_alone() {
    let t = TestApp::start().await;
    let poisoned = create(&t).await;
    let other = create_of(&t, save_views(&t.app.db, NUMBER, 1)[0]).await;
    let poison = JobKey { organization: NUMBER, id: ExportId::parse(&poisoned).unwrap().job };
    let worker = runner(&t, t.app.figures(), Poisoned { honest: MakeExport(t.app.clone()), poison });
    for attempt in 1..=3 {
        assert!(worker.run_one().await.unwrap());
        assert_eq!(row(&t, &poisoned).attempt, attempt);
        if attempt == 1 {
            assert!(worker.run_one().await.unwrap());
            assert_eq!(row(&t, &other).state, "succeeded");
        }
        // Past the pause before the next attempt.
        t.advance(Duration::from_secs(9));
    }
    assert_failed(&t, &poisoned, "internalError").await;
}
