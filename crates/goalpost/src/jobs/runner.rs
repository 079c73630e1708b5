//! The loop that claims jobs and watches over their leases. It runs any step and knows no export.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use goalpost_db::{Db, Error, ErrorKind, Scope};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, Span};

use super::{Figures, JobKey, Lease, queries};
use crate::ids::{Ids, OrganizationNumber};
use crate::metrics::Metrics;
use crate::stop::Stop;
use crate::trace;

/// How often a runner looks for jobs while the sandbox holds them back, so that they start on time.
const SANDBOX_POLL: Duration = Duration::from_millis(50);
/// How long a job rests whose database was away, microseconds.
const AWAY_DELAY_US: i64 = 1_000_000;
/// How often to look whether it is back.
const AWAY_LOOK: Duration = Duration::from_millis(200);
/// Jobs that are claimed in one transaction, at most.
const AT_ONCE: usize = 16;
/// Jobs of an organization that are claimed in its turn where places enough are free: two cost little more than one.
const IN_TURN: usize = 2;
/// How long free places may wait for others while there are more jobs than places.
const GATHERED: Duration = Duration::from_millis(5);
/// How long a step may take to say that it has ended its job, when the job is found ended.
const LAST_WORD: Duration = Duration::from_secs(1);

/// What jobs of a kind do. A step publishes its own result, in one transaction with
/// [`queries::succeed`] or [`queries::succeed_and_add`]; everything else is the runner's.
pub trait Step: Send + Sync + 'static {
    /// Do the work of one claimed job.
    fn run(&self, lease: Lease) -> Pin<Box<dyn Future<Output = Result<(), StepError>> + Send + '_>>;
}

/// Why a step did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepError {
    /// Another attempt may help, as after a full disk.
    Retry {
        /// The reason's code.
        failure: &'static str,
        /// The reason in words, for the caller of the API.
        detail: String,
    },
    /// The database was away, for which the job can do nothing: the attempt does not count against it.
    DatabaseAway,
    /// No further attempt can help.
    Final {
        /// The reason's code.
        failure: &'static str,
        /// The reason in words, for the caller of the API.
        detail: String,
    },
    /// Somebody else owns the job now, or it is over.
    LeaseLost,
}

impl StepError {
    /// A fault of ours, such as a panic; its cause is in the log.
    pub fn internal() -> Self {
        Self::Retry {
            failure: "internalError",
            detail: "The server met an error of its own. Tell the operator, with the id of this job."
                .to_owned(),
        }
    }
}

impl From<Error> for StepError {
    fn from(error: Error) -> Self {
        tracing::warn!(%error, "a job's step could not use the database");
        if error.kind() == ErrorKind::Unavailable {
            return Self::DatabaseAway;
        }
        Self::Retry {
            failure: "databaseUnavailable",
            detail: "The database could not be read or written. Try again.".to_owned(),
        }
    }
}

/// Claims jobs and runs them, up to a number at a time.
#[derive(Clone)]
pub struct Runner {
    db: Db,
    ids: Ids,
    figures: Figures,
    step: Arc<dyn Step>,
    wake: Arc<Notify>,
    permits: Arc<Semaphore>,
    max_running: usize,
    /// Whether the last claim left organizations with jobs, or found as many of each as it asked for, so that there may
    /// be more.
    has_more: Arc<AtomicBool>,
    /// Whether it found as many as it asked for: else organizations have a job each, and are asked for no more.
    has_several: Arc<AtomicBool>,
    /// Organizations that had claimable jobs a while ago: each gets its turn before any gets a second one, so one with
    /// many jobs does not hold up the others.
    turns: Arc<Mutex<VecDeque<OrganizationNumber>>>,
    /// Where among organizations with equal rights this runner begins, so that not all run after the same job.
    begins_at: usize,
    metrics: Arc<Metrics>,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("figures", &self.figures).finish_non_exhaustive()
    }
}

impl Runner {
    /// A runner that has not begun. `wake` is notified by whoever makes a job in this process.
    pub fn new(
        db: Db,
        ids: Ids,
        figures: Figures,
        max_running: usize,
        step: Arc<dyn Step>,
        wake: Arc<Notify>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let max_running = max_running.max(1);
        Self {
            db,
            ids,
            figures,
            step,
            wake,
            permits: Arc::new(Semaphore::new(max_running)),
            max_running,
            has_more: Arc::default(),
            has_several: Arc::default(),
            turns: Arc::default(),
            begins_at: 0,
            metrics,
        }
    }

    /// The same runner that begins elsewhere than others do; any number.
    #[must_use]
    pub fn begins_at(self, begins_at: usize) -> Self {
        Self { begins_at, ..self }
    }

    /// Run until `stop` is asked for; then running steps may finish until it is over, and the rest is given back.
    pub async fn run(self, stop: Stop) {
        let tasks = TaskTracker::new();
        let poll = Duration::from_micros(self.figures.poll_us as u64);
        let poll = if self.figures.hold_back_us > 0 { SANDBOX_POLL.min(poll) } else { poll };
        loop {
            // Registered before the look, so that a job made just after it still wakes us.
            let woken = self.wake.notified();
            tokio::select! {
                () = stop.asked() => break,
                permit = Arc::clone(&self.permits).acquire_owned() => {
                    let Ok(permit) = permit else { break };
                    match self.claim_some(permit).await {
                        Ok(claimed) if claimed.is_empty() => {}
                        Ok(claimed) => {
                            for (lease, permit) in claimed {
                                tasks.spawn(self.clone().work(lease, permit, stop.clone()));
                            }
                            continue;
                        }
                        Err(error) => tracing::warn!(%error, "could not claim jobs"),
                    }
                }
            }
            tokio::select! {
                () = stop.asked() => break,
                () = woken => {}
                () = tokio::time::sleep(poll) => {}
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    /// Claim and run one job to its end; `false` if there is none. For tests.
    pub async fn run_one(&self) -> Result<bool, Error> {
        let Some(lease) = self.claim_next().await? else { return Ok(false) };
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return Ok(false) };
        self.clone().work(lease, permit, Stop::default()).await;
        Ok(true)
    }

    /// Claim one job and leave it at that, as a worker does that dies at once. For tests.
    pub async fn claim_next(&self) -> Result<Option<Lease>, Error> {
        let mut looked = false;
        loop {
            let next = lock(&self.turns).pop_front();
            match next {
                Some(turn) => {
                    if let Some(lease) = self.claim(&[turn], 1).await?.pop() {
                        return Ok(Some(lease));
                    }
                }
                None if looked => return Ok(None),
                None => {
                    looked = true;
                    self.look().await?;
                }
            }
        }
    }

    /// Claim a job for this permit, and for each that is free besides, as far as there are jobs: those that end while one
    /// claim is brought to the disk are followed by one other claim.
    async fn claim_some(
        &self,
        permit: OwnedSemaphorePermit,
    ) -> Result<Vec<(Lease, OwnedSemaphorePermit)>, Error> {
        let mut permits = vec![permit];
        if self.has_more.load(Ordering::Relaxed) {
            let enough = AT_ONCE.min(self.max_running / 2);
            let gathering = async {
                while permits.len() < enough
                    && let Ok(more) = Arc::clone(&self.permits).acquire_owned().await
                {
                    permits.push(more);
                }
            };
            let _ = tokio::time::timeout(GATHERED, gathering).await;
        }
        while permits.len() < AT_ONCE
            && let Ok(more) = Arc::clone(&self.permits).try_acquire_owned()
        {
            permits.push(more);
        }
        let is_bounded = self.figures.max_running_per_organization < i64::MAX;
        // Of few places each is another organization's.
        let takes_several =
            !is_bounded && permits.len() >= 2 * IN_TURN && self.has_several.load(Ordering::Relaxed);
        let in_turn = if takes_several { IN_TURN } else { 1 };
        loop {
            let looks = lock(&self.turns).is_empty();
            if looks {
                self.look().await?;
            }
            let (turns, are_left) = {
                let mut all = lock(&self.turns);
                let most = all.len().min(permits.len() / in_turn);
                let turns: Vec<_> = all.drain(..most).collect();
                (turns, !all.is_empty())
            };
            // Where all that have jobs get their turn, each gets more of the places.
            let of_each = if is_bounded || are_left { in_turn } else { permits.len() / turns.len().max(1) };
            let leases = self.claim(&turns, of_each).await?;
            let has_lease =
                |turn: &OrganizationNumber| leases.iter().any(|lease| lease.job.organization == *turn);
            if !turns.iter().all(has_lease) {
                // Others had the same turns.
                lock(&self.turns).clear();
            }
            // What looked claimable a moment ago and is not, others are claiming now.
            if looks || !leases.is_empty() {
                let is_filled = leases.len() == turns.len() * of_each;
                self.has_several.store(is_filled, Ordering::Relaxed);
                self.has_more.store(!leases.is_empty() && (is_filled || are_left), Ordering::Relaxed);
                return Ok(leases.into_iter().zip(permits).collect());
            }
        }
    }

    /// See who has jobs that look claimable.
    async fn look(&self) -> Result<(), Error> {
        let figures = self.figures;
        let mut candidates = self.db.read(Scope::Keys, |tx| queries::list_candidates(tx, &figures)).await?;
        for equals in candidates.chunk_by_mut(|one, other| one.busy == other.busy) {
            equals.rotate_left(self.begins_at % equals.len());
        }
        *lock(&self.turns) = candidates.into_iter().map(|candidate| candidate.organization).collect();
        Ok(())
    }

    /// Claim jobs of each of these organizations, so many at most, in one transaction.
    async fn claim(&self, turns: &[OrganizationNumber], of_each: usize) -> Result<Vec<Lease>, Error> {
        let Some(first) = turns.first().copied() else { return Ok(Vec::new()) };
        let figures = self.figures;
        let turns: Vec<_> = turns.iter().map(|turn| (*turn, self.ids.guid().into_bytes())).collect();
        let claimed = self.db.write(first, move |tx| queries::claim(tx, &turns, of_each, &figures));
        let leases = claimed.await?;
        self.metrics.jobs.claimed.inc_by(leases.len() as u64);
        Ok(leases)
    }

    async fn work(self, lease: Lease, permit: OwnedSemaphorePermit, stop: Stop) {
        // Of the highest level, so that whatever is logged of a job carries its id.
        let span = tracing::error_span!(
            "job",
            job.id = %lease.job.id,
            job.attempt = lease.attempt,
            organization.number = lease.job.organization.0,
            trace.id = tracing::field::Empty,
            otel.name = tracing::field::Empty,
            otel.kind = tracing::field::Empty,
        );
        trace::join(&span, lease.trace.as_ref(), || "job".to_owned(), "consumer");
        async {
            let _running = self.metrics.jobs.runs();
            self.bring_to_an_end(lease, &stop).await;
        }
        .instrument(span)
        .await;
        drop(permit);
        // The permit is free: look for the next job at once.
        self.wake.notify_one();
    }

    async fn bring_to_an_end(&self, lease: Lease, stop: &Stop) {
        tracing::info!("job claimed");
        let outcome = tokio::select! {
            outcome = self.run_and_watch(&lease) => outcome,
            () = stop.over() => return self.let_go(&lease).await,
        };
        if outcome != Err(StepError::DatabaseAway) {
            self.settle(&lease, &outcome).await;
            return;
        }
        tokio::select! {
            () = self.settle_when_possible(&lease, &outcome) => {}
            () = stop.over() => lease.abandoned.set(),
        }
    }

    /// As [`Self::settle`], as soon as the database can be written again, while the lease lasts; after that it lapses by
    /// itself, and the attempt is lost. The job's deadline bounds how often this can happen.
    async fn settle_when_possible(&self, lease: &Lease, outcome: &Result<(), StepError>) {
        let lapsed = Instant::now() + Duration::from_micros(self.figures.lease_us as u64);
        while !self.settle(lease, outcome).await {
            if Instant::now() >= lapsed {
                return tracing::warn!("could not give back a job");
            }
            tokio::time::sleep(AWAY_LOOK).await;
        }
    }

    /// Give back a job whose step must not go on, with its attempt. The runner's own, and for tests.
    pub async fn let_go(&self, lease: &Lease) {
        lease.abandoned.set();
        let owned = lease.clone();
        if self.write("give back", lease.job, move |tx| queries::give_back(tx, &owned, 0, true)).await {
            self.metrics.jobs.given_back.inc();
            tracing::info!("job given back");
        }
    }

    /// Write down how a step ended; `false` if the database is away, so that it has to be tried again. The runner's own,
    /// and for tests.
    pub async fn settle(&self, lease: &Lease, outcome: &Result<(), StepError>) -> bool {
        let metrics = &self.metrics.jobs;
        let owned = lease.clone();
        match outcome {
            Ok(()) => {
                metrics.succeeded.inc();
                tracing::info!("job succeeded");
            }
            Err(StepError::LeaseLost) => {
                lease.abandoned.set();
                metrics.leases_lost.inc();
                tracing::warn!("lost the lease; another worker owns the job");
            }
            Err(StepError::DatabaseAway) => {
                lease.abandoned.set();
                let giving =
                    move |tx: &goalpost_db::Tx<'_>| queries::give_back(tx, &owned, AWAY_DELAY_US, true);
                match self.db.write(lease.job.organization, giving).await {
                    Ok(true) => metrics.retried("databaseUnavailable"),
                    Ok(false) => metrics.write_refused("give back"),
                    Err(error) if error.kind() == ErrorKind::Unavailable => return false,
                    Err(error) => tracing::warn!(%error, "could not give back a job"),
                }
            }
            Err(StepError::Retry { failure, .. }) if lease.attempt < self.figures.max_attempts => {
                tracing::warn!(failure, "job will be tried again");
                // 2, 4, 8 … seconds: long enough for a full disk to be noticed, short against the deadline.
                let delay_us = 1_000_000 << lease.attempt.clamp(1, 6);
                let giving = move |tx: &goalpost_db::Tx<'_>| queries::give_back(tx, &owned, delay_us, false);
                if self.write("give back", lease.job, giving).await {
                    metrics.retried(failure);
                }
            }
            Err(StepError::Retry { failure, detail } | StepError::Final { failure, detail }) => {
                lease.abandoned.set();
                tracing::warn!(failure, detail, "job failed");
                let (keep_us, code, detail) = (self.figures.expire_after_us, *failure, detail.clone());
                let failed = self.write("fail", lease.job, move |tx| {
                    queries::fail(tx, &owned, tx.now_us() + keep_us, code, &detail)
                });
                if failed.await {
                    metrics.failed(failure);
                }
            }
        }
        true
    }

    /// Run the step while its lease lasts.
    async fn run_and_watch(&self, lease: &Lease) -> Result<(), StepError> {
        let mut step = std::pin::pin!(self.run_step(lease.clone()));
        tokio::select! {
            outcome = step.as_mut() => outcome,
            end = self.watch(lease) => match end {
                // Either another worker's, or ended by our own step a moment ago, which then says so.
                StepError::LeaseLost => {
                    lease.abandoned.set();
                    if let Ok(Ok(())) = tokio::time::timeout(LAST_WORD, step).await {
                        return Ok(());
                    }
                    self.metrics.jobs.write_refused("renew");
                    Err(StepError::LeaseLost)
                }
                end => Err(end),
            },
        }
    }

    /// Run the step on a task of its own, so that a panic in it fails this job and nothing else.
    async fn run_step(&self, lease: Lease) -> Result<(), StepError> {
        let step = Arc::clone(&self.step);
        let running = async move { step.run(lease).await }.instrument(Span::current());
        tokio::spawn(running).await.unwrap_or_else(|panic| {
            tracing::error!(%panic, "a job's step panicked");
            Err(StepError::internal())
        })
    }

    /// Renew the lease at a third of its life; returns when it is lost or the deadline has passed.
    async fn watch(&self, lease: &Lease) -> StepError {
        let third = Duration::from_micros(u64::try_from(self.figures.lease_us / 3).unwrap_or(1));
        loop {
            // Not longer than until the deadline, whose passing must be noticed within seconds.
            tokio::time::sleep(third.min(Duration::from_secs(2))).await;
            if let Some(end) = self.renew(lease).await {
                return end;
            }
        }
    }

    /// Renew a lease; why its step must not go on, if so. The runner's own, and for tests.
    pub async fn renew(&self, lease: &Lease) -> Option<StepError> {
        let figures = self.figures;
        let owned = lease.clone();
        let renewed = self
            .db
            .write(lease.job.organization, move |tx| {
                Ok::<_, Error>((queries::renew(tx, &owned, &figures)?, tx.now_us()))
            })
            .await;
        match renewed {
            Ok((true, now)) if now >= lease.deadline_at => {
                lease.abandoned.set();
                Some(StepError::Final {
                    failure: queries::Overdue::Deadline.code(),
                    detail: queries::Overdue::Deadline.detail().to_owned(),
                })
            }
            Ok((true, _)) => None,
            Ok((false, _)) => Some(StepError::LeaseLost),
            // The database is busy or away: the lease stays ours until somebody can write again.
            Err(error) => {
                tracing::warn!(%error, "could not renew a lease");
                None
            }
        }
    }

    /// Change the job under its lease; whether that was possible.
    async fn write<F>(&self, what: &'static str, job: JobKey, f: F) -> bool
    where
        F: Fn(&goalpost_db::Tx<'_>) -> Result<bool, Error> + Send + 'static,
    {
        match self.db.write(job.organization, f).await {
            Ok(true) => return true,
            Ok(false) => {
                self.metrics.jobs.write_refused(what);
                tracing::warn!("could not {what} a job: its lease is lost");
            }
            // The lease lapses by itself, and the job is claimed again.
            Err(error) => tracing::warn!(%error, "could not {what} a job"),
        }
        false
    }
}

/// A poisoned lock only means that somebody panicked beside it: what it holds is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
