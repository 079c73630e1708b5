//! Every statement that changes a job. Each changes exactly one row, or says that it did not.

use goalpost_db::{Ahead, Changed, Error, NewRow, Result, Row, Tx, Value, params};
use uuid::Uuid;

use super::lease::{Abandoned, Progress};
use super::{Figures, Job, JobKey, Lease, NewJob, State};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::trace::TraceParent;

/// The columns that [`job_from_row`] reads, of a table named `job`.
pub const COLUMNS: &str = "job.organization, job.id, job.pair, job.state, job.creator, job.created_at, \
                           job.expires_at, job.status_detail";

/// A job from the first columns of a row that selects [`COLUMNS`].
pub fn job_from_row(row: &Row<'_>) -> Result<Job> {
    let state = row.text(3)?;
    Ok(Job {
        key: key_from_row(row)?,
        pair: Uuid::from_bytes(row.bytes(2)?),
        state: State::from_word(state)
            .ok_or_else(|| Error::unexpected(format!("a job is in the unknown state `{state}`")))?,
        creator: row.opt_int(4)?.map(PersonNumber),
        created_at: row.int(5)?,
        expires_at: row.int(6)?,
        status_detail: row.opt_text(7)?.map(str::to_owned),
    })
}

fn key_from_row(row: &Row<'_>) -> Result<JobKey> {
    Ok(JobKey { organization: OrganizationNumber(row.int(0)?), id: Uuid::from_bytes(row.bytes(1)?) })
}

/// Whether the lease still holds, so that what is written for it counts.
pub fn is_held(tx: &Tx<'_>, lease: &Lease) -> Result<bool> {
    let held = tx.query_opt(
        "-- jobs::is_held
        select 1 from job where organization = ?1 and id = ?2 and lease_token = ?3 and state = 'running'",
        params![lease.job.organization, lease.job.id.into_bytes(), lease.token],
        |_| Ok::<_, Error>(()),
    )?;
    Ok(held.is_some())
}

/// The columns of a job that is made; see [`values`].
const MADE: [&str; 12] = [
    "organization",
    "id",
    "kind",
    "pair",
    "state",
    "creator",
    "attempt",
    "created_at",
    "expires_at",
    "spec",
    "traceparent",
    "view",
];

fn values(job: &NewJob, created_at: i64) -> [Value; MADE.len()] {
    [
        job.key.organization.into(),
        job.key.id.into_bytes().into(),
        job.kind.into(),
        job.pair.into_bytes().into(),
        State::NotStarted.as_str().into(),
        job.creator.into(),
        0_i64.into(),
        created_at.into(),
        job.expires_at.into(),
        (&job.spec).into(),
        job.trace.as_ref().map(TraceParent::as_str).into(),
        job.view.map(Uuid::into_bytes).into(),
    ]
}

/// Promise a job. [`goalpost_db::ErrorKind::Unique`] if one of this kind is pending for the pair: the index decides.
pub fn insert(tx: &Tx<'_>, job: &NewJob, created_at: i64) -> Result<()> {
    tx.insert_all("job", &MADE, &values(job, created_at))
}

/// Promise jobs of one kind in one organization, those whose pairs are free, if fewer than `most` are pending there. The
/// ids of those that were.
pub fn insert_free(tx: &Tx<'_>, jobs: &[NewJob], created_at: i64, most: i64) -> Result<Vec<Uuid>> {
    let Some(NewJob { key, kind, .. }) = jobs.first() else { return Ok(Vec::new()) };
    let rows: Vec<Value> = jobs.iter().flat_map(|job| values(job, created_at)).collect();
    let condition = format!("({COUNT_PENDING}) < ?3");
    let few = (&*condition, &params![key.organization, *kind, most][..]);
    tx.insert_free("job", &MADE, &rows, few, "id", |row| Ok(Uuid::from_bytes(row.bytes(0)?)))
}

/// The job that is pending for this pair.
pub fn find_pending(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    kind: &str,
    pair: Uuid,
) -> Result<Option<JobKey>> {
    tx.query_opt(
        "-- jobs::find_pending
        select organization, id from job
         where organization = ?1 and kind = ?2 and pair = ?3 and state in ('notStarted', 'running')",
        params![organization, kind, pair.into_bytes()],
        key_from_row,
    )
}

const COUNT_PENDING: &str = "select count(*) from job
         where organization = ?1 and kind = ?2 and state in ('notStarted', 'running')";

/// How many jobs of this kind are pending in the organization.
pub fn count_pending(tx: &Tx<'_>, organization: OrganizationNumber, kind: &str) -> Result<i64> {
    let sql = format!("-- jobs::count_pending\n{COUNT_PENDING}");
    tx.query_one(&sql, params![organization, kind], |row| row.int(0))
}

/// What has not ended, of all organizations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Jobs that no worker has claimed.
    pub not_started: i64,
    /// Jobs that a worker has claimed.
    pub running: i64,
    /// When the oldest of them was made, microseconds.
    pub oldest_at: Option<i64>,
}

/// Count what has not ended.
pub fn count_all_pending(tx: &Tx<'_>) -> Result<Pending> {
    tx.query_one(
        "-- jobs::count_all_pending (all organizations)
        select count(*), coalesce(sum(case when state = 'running' then 1 else 0 end), 0), min(created_at) from job
         where state in ('notStarted', 'running')",
        params![],
        |row| {
            let running = row.int(1)?;
            Ok(Pending { not_started: row.int(0)? - running, running, oldest_at: row.opt_int(2)? })
        },
    )
}

/// An organization that has a job which looks claimable.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Which.
    pub organization: OrganizationNumber,
    /// How many of its jobs are running.
    pub busy: i64,
}

/// Organizations with jobs that look claimable, those with the fewest running jobs first; without a lock: [`claim`]
/// decides. Costs a few index look-ups an organization that has pending jobs, however many it has.
pub fn list_candidates(tx: &Tx<'_>, figures: &Figures) -> Result<Vec<Candidate>> {
    tx.query(
        "-- jobs::list_candidates (all organizations) (by key)
        with recursive turn (organization) as (
          select min(organization) from job where state in ('notStarted', 'running')
          union all
          select (select min(later.organization) from job later
                   where later.state in ('notStarted', 'running') and later.organization > turn.organization)
            from turn where turn.organization is not null
        ), candidate (organization, id, busy) as (
          select turn.organization,
                 (select job.id from job
                   where job.organization = turn.organization and job.state in ('notStarted', 'running')
                     and (job.state = 'notStarted' or job.lease_until < ?1) and job.created_at <= ?2
                     and (job.deadline_at is null or job.deadline_at > ?1) and job.attempt < ?3
                   order by job.created_at, job.id limit 1),
                 (select count(*) from job
                   where job.organization = turn.organization and job.state = 'running' and job.lease_until >= ?1)
            from turn where turn.organization is not null
        )
        select organization, busy from candidate where id is not null and busy < ?4 order by busy, organization",
        params![
            tx.now_us(),
            youngest(tx, figures),
            figures.max_attempts,
            figures.max_running_per_organization
        ],
        |row| Ok(Candidate { organization: OrganizationNumber(row.int(0)?), busy: row.int(1)? }),
    )
}

/// When the youngest job was made that may be claimed.
fn youngest(tx: &Tx<'_>, figures: &Figures) -> i64 {
    // Without the sandbox no job is too young: between two processes' readings of the database's clock lies a
    // millisecond, and a worker that is told of a job at once may read the earlier one.
    let hold_back_us = figures.hold_back_us;
    if hold_back_us > 0 { tx.now_us() - hold_back_us } else { i64::MAX }
}

/// For each of these turns, an organization and the token of its leases, take its oldest jobs, so many at most, that may
/// still be taken and that nobody else is taking: not started, or running with a lapsed lease, while fewer of its jobs
/// are running than may. Where that is bounded, one is taken at most. Of several workers at once each may find that last
/// place free: the bound is one of good order.
pub fn claim(
    tx: &Tx<'_>,
    turns: &[(OrganizationNumber, [u8; 16])],
    of_each: usize,
    figures: &Figures,
) -> Result<Vec<Lease>> {
    let mut claims = Vec::with_capacity(turns.len());
    for (organization, token) in turns {
        tx.enter(organization.0);
        claims.push(claim_ahead(tx, *organization, *token, of_each, figures)?);
    }
    let mut leases = Vec::new();
    for (claim, turn) in claims.iter().zip(turns) {
        leases.extend(tx.query_ahead(claim, |row| lease_from_row(row, *turn))?);
    }
    Ok(leases)
}

fn claim_ahead(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    token: [u8; 16],
    most: usize,
    figures: &Figures,
) -> Result<Ahead> {
    let now = tx.now_us();
    let mut params = params![
        organization,
        token,
        now + figures.lease_us,
        now,
        now + figures.deadline_us,
        figures.max_attempts,
        youngest(tx, figures),
    ]
    .to_vec();
    let (mut most, mut while_free) = (most, "");
    if figures.max_running_per_organization < i64::MAX {
        most = most.min(1);
        while_free = "and (select count(*) from job busy
                 where busy.organization = ?1 and busy.state = 'running' and busy.lease_until >= ?4) < ?8";
        params.push(figures.max_running_per_organization.into());
    }
    // Not as a parameter, without whose value the first few would be planned as a tenth of all.
    let sql = format!(
        "-- jobs::claim (by key)
        with next as materialized (
          select next.id from job next
           where next.organization = ?1 and next.state in ('notStarted', 'running')
             and (next.state = 'notStarted' or next.lease_until < ?4) and next.created_at <= ?7
             and (next.deadline_at is null or next.deadline_at > ?4) and next.attempt < ?6
           order by next.created_at, next.id limit {most} {unless_locked}
        )
        update job set state = 'running', lease_token = ?2, lease_until = ?3, attempt = attempt + 1,
               started_at = coalesce(started_at, ?4), deadline_at = coalesce(deadline_at, ?5)
         where organization = ?1 and id in (select next.id from next) {while_free}
        returning id, kind, attempt, deadline_at, started_at, created_at, creator, coalesce(view, pair), spec, traceparent",
        unless_locked = tx.unless_locked()
    );
    tx.ahead(&sql, params)
}

fn lease_from_row(row: &Row<'_>, (organization, token): (OrganizationNumber, [u8; 16])) -> Result<Lease> {
    Ok(Lease {
        job: JobKey { organization, id: Uuid::from_bytes(row.bytes(0)?) },
        kind: row.text(1)?.to_owned(),
        token,
        attempt: row.int(2)?,
        deadline_at: row.int(3)?,
        started_at: row.int(4)?,
        created_at: row.int(5)?,
        creator: row.opt_int(6)?.map(PersonNumber),
        subject: Uuid::from_bytes(row.bytes(7)?),
        spec: row.text(8)?.to_owned(),
        trace: row.opt_text(9)?.and_then(TraceParent::parse),
        abandoned: Abandoned::default(),
        progress: Progress::default(),
    })
}

/// Hold the lease for another while, and say how far the job has come; `false` if it is lost. A lease that lapsed but
/// that nobody took is still ours.
pub fn renew(tx: &Tx<'_>, lease: &Lease, figures: &Figures) -> Result<bool> {
    let changed = tx.execute(
        "-- jobs::renew
        update job set lease_until = ?4, rows_done = ?5, rows_all = ?6
         where organization = ?1 and id = ?2 and lease_token = ?3 and state = 'running'",
        params![
            lease.job.organization,
            lease.job.id.into_bytes(),
            lease.token,
            tx.now_us() + figures.lease_us,
            lease.progress.done(),
            lease.progress.all(),
        ],
    )?;
    Ok(changed == 1)
}

/// Let another worker try in `delay_us`; with `as_if_unclaimed`, the attempt is given back, as on a graceful stop.
pub fn give_back(tx: &Tx<'_>, lease: &Lease, delay_us: i64, as_if_unclaimed: bool) -> Result<bool> {
    let changed = tx.execute(
        "-- jobs::give_back
        update job set lease_token = null, lease_until = ?4, attempt = attempt - ?5
         where organization = ?1 and id = ?2 and lease_token = ?3 and state = 'running'",
        params![
            lease.job.organization,
            lease.job.id.into_bytes(),
            lease.token,
            // A lease has lapsed when its end lies before now.
            tx.now_us() + delay_us - 1,
            i64::from(as_if_unclaimed),
        ],
    )?;
    Ok(changed == 1)
}

/// End the job well; `false` if the lease is lost, and then nothing else of the transaction may stay.
pub fn succeed(tx: &Tx<'_>, lease: &Lease, expires_at: i64) -> Result<bool> {
    Ok(tx.execute(END, &end(tx, lease, State::Succeeded, expires_at, None))? == 1)
}

/// End the job well, and add what follows from it, unless the lease is lost.
pub fn succeed_and_add(tx: &Tx<'_>, lease: &Lease, expires_at: i64, rows: &[NewRow<'_>]) -> Result<Changed> {
    tx.change_and_add(END, &end(tx, lease, State::Succeeded, expires_at, None), rows)
}

/// Give the job up; `false` if the lease is lost.
pub fn fail(tx: &Tx<'_>, lease: &Lease, expires_at: i64, failure: &str, detail: &str) -> Result<bool> {
    Ok(tx.execute(END, &end(tx, lease, State::Failed, expires_at, Some((failure, detail))))? == 1)
}

const END: &str = "-- jobs::end
        update job set state = ?4, finished_at = ?5, expires_at = ?6, failure = ?7, status_detail = ?8,
               lease_token = null, lease_until = null
         where organization = ?1 and id = ?2 and lease_token = ?3 and state = 'running'";

fn end(
    tx: &Tx<'_>,
    lease: &Lease,
    state: State,
    expires_at: i64,
    failure: Option<(&str, &str)>,
) -> [Value; 8] {
    [
        lease.job.organization.into(),
        lease.job.id.into_bytes().into(),
        lease.token.into(),
        state.as_str().into(),
        tx.now_us().into(),
        expires_at.into(),
        failure.map(|(code, _)| code).into(),
        failure.map(|(_, detail)| detail).into(),
    ]
}

/// Pending jobs that nobody can bring to an end any more, with the reason. Read without a lock; [`fail_overdue`]
/// decides.
pub fn list_overdue(tx: &Tx<'_>, figures: &Figures) -> Result<Vec<(JobKey, Overdue)>> {
    tx.query(
        "-- jobs::list_overdue (all organizations)
        select organization, id, state, attempt >= ?2, deadline_at <= ?1 from job
         where state in ('notStarted', 'running')
           and ((state = 'notStarted' and created_at <= ?3)
             or (state = 'running' and lease_until < ?1 and (attempt >= ?2 or deadline_at <= ?1)))
         limit 64",
        params![tx.now_us(), figures.max_attempts, tx.now_us() - figures.start_within_us],
        |row| {
            let overdue = match (row.text(2)?, row.bool(4).unwrap_or(false)) {
                ("notStarted", _) => Overdue::NotStarted,
                (_, true) => Overdue::Deadline,
                (_, false) => Overdue::WorkerLost,
            };
            Ok((key_from_row(row)?, overdue))
        },
    )
}

/// Why a job that nobody holds must be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// No worker came in time.
    NotStarted,
    /// All attempts together took too long.
    Deadline,
    /// Each attempt ended without a word: the worker died.
    WorkerLost,
}

impl Overdue {
    /// The reason's code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotStarted => "notStartedInTime",
            Self::Deadline => "deadlineExceeded",
            Self::WorkerLost => "workerLost",
        }
    }

    /// The reason in words, and whether a retry helps.
    pub fn detail(self) -> &'static str {
        match self {
            Self::NotStarted => "No worker was free in time. Ask for it again.",
            Self::Deadline => {
                "It took longer than the server allows. Ask for less, such as a narrower view, or ask the operator for a longer deadline."
            }
            Self::WorkerLost => {
                "The worker stopped at every attempt without finishing. Try again once; if it fails again, tell the operator."
            }
        }
    }
}

/// Give up a job that nobody holds; `false` if the reason holds no more, as of a job whose attempt was given back since
/// it was listed.
pub fn fail_overdue(tx: &Tx<'_>, job: JobKey, overdue: Overdue, figures: &Figures) -> Result<bool> {
    let now = tx.now_us();
    let changed = tx.execute(
        "-- jobs::fail_overdue
        update job set state = 'failed', finished_at = ?3, expires_at = ?4, failure = ?5, status_detail = ?6,
               lease_token = null, lease_until = null
         where organization = ?1 and id = ?2
           and ((?7 and state = 'notStarted' and created_at <= ?10)
             or (?8 and state = 'running' and lease_until < ?3 and deadline_at <= ?3)
             or (?9 and state = 'running' and lease_until < ?3 and attempt >= ?11))",
        params![
            job.organization,
            job.id.into_bytes(),
            now,
            now + figures.expire_after_us,
            overdue.code(),
            overdue.detail(),
            overdue == Overdue::NotStarted,
            overdue == Overdue::Deadline,
            overdue == Overdue::WorkerLost,
            now - figures.start_within_us,
            figures.max_attempts,
        ],
    )?;
    Ok(changed == 1)
}

/// Ended jobs whose time is over for so long that they may be forgotten.
pub fn list_expired(tx: &Tx<'_>, figures: &Figures) -> Result<Vec<JobKey>> {
    tx.query(
        "-- jobs::list_expired (all organizations)
        select organization, id from job
         where expires_at <= ?1 and state in ('succeeded', 'failed') order by expires_at limit 64",
        params![tx.now_us() - figures.forget_after_us],
        key_from_row,
    )
}

/// Forget an ended job, if its time is over for long enough.
pub fn delete_expired(tx: &Tx<'_>, job: JobKey, figures: &Figures) -> Result<bool> {
    let changed = tx.execute(
        "-- jobs::delete_expired
        delete from job
         where organization = ?1 and id = ?2 and expires_at <= ?3 and state in ('succeeded', 'failed')",
        params![job.organization, job.id.into_bytes(), tx.now_us() - figures.forget_after_us],
    )?;
    Ok(changed == 1)
}
