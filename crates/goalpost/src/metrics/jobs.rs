//! Jobs of all organizations, as far as this process made, ran or saw them.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

type ByOne = Family<[(&'static str, &'static str); 1], Counter>;

/// Why jobs fail, as far as that is known beforehand.
const CODES: [&str; 8] = [
    "databaseUnavailable",
    "deadlineExceeded",
    "internalError",
    "invalidSpec",
    "notStartedInTime",
    "storageFull",
    "storageUnavailable",
    "workerLost",
];

/// Jobs of all organizations.
#[derive(Debug)]
pub struct Jobs {
    /// Promised.
    pub created: Counter,
    /// Taken by a worker of this process, first and later attempts.
    pub claimed: Counter,
    /// Ended well by a worker of this process.
    pub succeeded: Counter,
    /// Given back with the attempt, because this process stopped.
    pub given_back: Counter,
    /// A worker of this process found that another owns its job.
    pub leases_lost: Counter,
    failed: ByOne,
    retried: ByOne,
    writes_refused: ByOne,
    running: Gauge,
    pending: Family<[(&'static str, &'static str); 1], Gauge>,
    oldest_pending: Gauge,
    swept: Gauge,
}

impl Jobs {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self {
            created: Counter::default(),
            claimed: Counter::default(),
            succeeded: Counter::default(),
            given_back: Counter::default(),
            leases_lost: Counter::default(),
            failed: Family::default(),
            retried: Family::default(),
            writes_refused: Family::default(),
            running: Gauge::default(),
            pending: Family::default(),
            oldest_pending: Gauge::default(),
            swept: Gauge::default(),
        };
        // At nought from the beginning: an increase from nothing is none to Prometheus.
        for state in ["notStarted", "running"] {
            drop(this.pending.get_or_create(&[("state", state)]));
        }
        for code in CODES {
            drop(this.failed.get_or_create(&[("code", code)]));
            drop(this.retried.get_or_create(&[("code", code)]));
        }
        for write in ["renew", "publish", "give back", "fail"] {
            drop(this.writes_refused.get_or_create(&[("write", write)]));
        }
        for (name, help, counter) in [
            ("jobs_created", "Jobs that were promised", &this.created),
            ("jobs_claimed", "Attempts that a worker of this process began", &this.claimed),
            ("jobs_succeeded", "Jobs that a worker of this process ended well", &this.succeeded),
            ("jobs_given_back", "Attempts given back because this process stopped", &this.given_back),
            ("jobs_leases_lost", "Attempts whose lease another worker took over", &this.leases_lost),
        ] {
            registry.register(name, help, counter.clone());
        }
        for (name, help, counters) in [
            ("jobs_failed", "Jobs that this process gave up, by reason", &this.failed),
            ("jobs_retried", "Attempts that failed and are repeated, by reason", &this.retried),
            (
                "jobs_writes_refused",
                "Writes of workers that had lost their lease, by kind",
                &this.writes_refused,
            ),
        ] {
            registry.register(name, help, counters.clone());
        }
        registry.register("jobs_running", "Jobs that this process works on", this.running.clone());
        registry.register("jobs_pending", "Jobs that have not ended, of all nodes", this.pending.clone());
        registry.register_with_unit(
            "jobs_oldest_pending_age",
            "Since the oldest job that has not ended was created, of all nodes; 0 if there is none",
            Unit::Seconds,
            this.oldest_pending.clone(),
        );
        registry.register_with_unit(
            "jobs_swept_timestamp",
            "When this process last looked after jobs that nobody holds, and counted the pending ones",
            Unit::Seconds,
            this.swept.clone(),
        );
        this
    }

    /// A job was given up, for the reason of this code.
    pub fn failed(&self, failure: &'static str) {
        self.failed.get_or_create(&[("code", failure)]).inc();
    }

    /// An attempt failed, and another follows.
    pub fn retried(&self, failure: &'static str) {
        self.retried.get_or_create(&[("code", failure)]).inc();
    }

    /// A write changed nothing, because its lease was lost.
    pub fn write_refused(&self, write: &'static str) {
        self.writes_refused.get_or_create(&[("write", write)]).inc();
    }

    /// A job is worked on until what this returns is dropped.
    pub fn runs(&self) -> RunningJob {
        self.running.inc();
        RunningJob(self.running.clone())
    }

    /// What a sweep found: pending jobs by state, the age of the oldest, and the time.
    pub fn swept(&self, not_started: i64, running: i64, oldest_secs: i64, now_secs: i64) {
        self.pending.get_or_create(&[("state", "notStarted")]).set(not_started);
        self.pending.get_or_create(&[("state", "running")]).set(running);
        self.oldest_pending.set(oldest_secs);
        self.swept.set(now_secs);
    }
}

/// A job that is worked on, counted while this lives.
#[derive(Debug)]
pub struct RunningJob(Gauge);

impl Drop for RunningJob {
    fn drop(&mut self) {
        self.0.dec();
    }
}
