//! The loop that claims jobs and watches over their leases. It runs any step and knows no export.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use goalpost_db::{Db, Error};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Figures, Lease, queries};
use crate::ids::Ids;

/// How often a runner looks for jobs when nobody wakes it: made by another process, or with a lapsed lease.
const POLL: Duration = Duration::from_millis(500);
/// The same while the sandbox holds jobs back, so that they start on time.
const SANDBOX_POLL: Duration = Duration::from_millis(50);
/// How long running steps may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// What jobs of a kind do. A step publishes its own result, in one transaction with
/// [`queries::succeed`]; everything else is the runner's.
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
            detail: "The server met an error of its own. Tell the operator, with the id of this export."
                .to_owned(),
        }
    }
}

impl From<Error> for StepError {
    fn from(error: Error) -> Self {
        tracing::warn!(%error, "a job's step could not use the database");
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
    ) -> Self {
        Self { db, ids, figures, step, wake, permits: Arc::new(Semaphore::new(max_running.max(1))) }
    }

    /// Run until `stop`, then let running steps finish for a while and give the rest back.
    pub async fn run(self, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        let halt = CancellationToken::new();
        let poll = if self.figures.hold_back_us > 0 { SANDBOX_POLL } else { POLL };
        loop {
            // Registered before the look, so that a job made just after it still wakes us.
            let woken = self.wake.notified();
            tokio::select! {
                () = stop.cancelled() => break,
                permit = Arc::clone(&self.permits).acquire_owned() => {
                    let Ok(permit) = permit else { break };
                    match self.claim_next().await {
                        Ok(Some(lease)) => {
                            tasks.spawn(self.clone().work(lease, permit, halt.clone()));
                            continue;
                        }
                        Ok(None) => {}
                        Err(error) => tracing::warn!(%error, "could not look for jobs"),
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = woken => {}
                () = tokio::time::sleep(poll) => {}
            }
        }
        tasks.close();
        if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
            halt.cancel();
            tasks.wait().await;
        }
    }

    /// Claim and run one job to its end; `false` if there is none. For tests.
    pub async fn run_one(&self) -> Result<bool, Error> {
        let Some(lease) = self.claim_next().await? else { return Ok(false) };
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return Ok(false) };
        self.clone().work(lease, permit, CancellationToken::new()).await;
        Ok(true)
    }

    /// Claim one job and leave it at that, as a worker does that dies at once. For tests.
    pub async fn claim_next(&self) -> Result<Option<Lease>, Error> {
        let figures = self.figures;
        let candidates = self.db.read(|tx| queries::list_candidates(tx, &figures))?;
        for job in candidates {
            let token = self.ids.guid().into_bytes();
            if let Some(lease) = self.db.write(move |tx| queries::claim(tx, job, token, &figures)).await? {
                return Ok(Some(lease));
            }
        }
        Ok(None)
    }

    async fn work(self, lease: Lease, permit: OwnedSemaphorePermit, halt: CancellationToken) {
        let job = lease.job;
        tracing::info!(job.id = %job.id, job.attempt = lease.attempt, organization = %job.organization, "job claimed");
        let outcome = tokio::select! {
            outcome = self.run_step(lease.clone()) => outcome,
            end = self.watch(&lease) => end,
            () = halt.cancelled() => {
                lease.abandoned.set();
                self.write("give back", move |tx| queries::give_back(tx, &lease, 0, true)).await;
                return;
            }
        };
        match outcome {
            Ok(()) => tracing::info!(job.id = %job.id, "job succeeded"),
            Err(StepError::LeaseLost) => {
                lease.abandoned.set();
                tracing::warn!(job.id = %job.id, "lost the lease; another worker owns the job");
            }
            Err(StepError::Retry { failure, detail }) if lease.attempt < self.figures.max_attempts => {
                tracing::warn!(job.id = %job.id, failure, "job will be tried again");
                // 2, 4, 8 … seconds: long enough for a full disk to be noticed, short against the deadline.
                let delay_us = 1_000_000 << lease.attempt.clamp(1, 6);
                self.write("give back", move |tx| queries::give_back(tx, &lease, delay_us, false)).await;
                let _ = detail;
            }
            Err(StepError::Retry { failure, detail } | StepError::Final { failure, detail }) => {
                lease.abandoned.set();
                tracing::warn!(job.id = %job.id, failure, detail, "job failed");
                let keep_us = self.figures.expire_after_us;
                self.write("fail", move |tx| {
                    queries::fail(tx, &lease, tx.now_us() + keep_us, failure, &detail)
                })
                .await;
            }
        }
        drop(permit);
        // The permit is free: look for the next job at once.
        self.wake.notify_one();
    }

    /// Run the step on a task of its own, so that a panic in it fails this job and nothing else.
    async fn run_step(&self, lease: Lease) -> Result<(), StepError> {
        let step = Arc::clone(&self.step);
        tokio::spawn(async move { step.run(lease).await }).await.unwrap_or_else(|panic| {
            tracing::error!(%panic, "a job's step panicked");
            Err(StepError::internal())
        })
    }

    /// Renew the lease at a third of its life; returns when it is lost or the deadline has passed.
    async fn watch(&self, lease: &Lease) -> Result<(), StepError> {
        let figures = self.figures;
        let third = Duration::from_micros(u64::try_from(figures.lease_us / 3).unwrap_or(1));
        loop {
            // Not longer than until the deadline, whose passing must be noticed within seconds.
            tokio::time::sleep(third.min(Duration::from_secs(2))).await;
            let owned = lease.clone();
            let renewed = self
                .db
                .write(move |tx| Ok::<_, Error>((queries::renew(tx, &owned, &figures)?, tx.now_us())))
                .await;
            match renewed {
                Ok((true, now)) if now >= lease.deadline_at => {
                    lease.abandoned.set();
                    return Err(StepError::Final {
                        failure: queries::Overdue::Deadline.code(),
                        detail: queries::Overdue::Deadline.detail().to_owned(),
                    });
                }
                Ok((true, _)) => {}
                // Either another worker's, or ended by our own step a moment ago: nothing is ours to do.
                Ok((false, _)) => return Err(StepError::LeaseLost),
                // The database is busy or away: the lease stays ours until somebody can write again.
                Err(error) => tracing::warn!(%error, "could not renew a lease"),
            }
        }
    }

    async fn write<F>(&self, what: &str, f: F)
    where
        F: Fn(&goalpost_db::Tx<'_>) -> Result<bool, Error> + Send + 'static,
    {
        match self.db.write(f).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!("could not {what} a job: its lease is lost"),
            // The lease lapses by itself, and the job is claimed again.
            Err(error) => tracing::warn!(%error, "could not {what} a job"),
        }
    }
}
