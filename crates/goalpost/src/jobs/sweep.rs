//! What time alone decides: jobs that can no longer end by themselves, and ended ones that are forgotten.

use goalpost_db::{Db, Error, Scope};

use super::{Figures, JobKey, queries};
use crate::metrics::Jobs;

/// Give up pending jobs that nobody can finish any more. Returns how many.
///
/// Any node may do this at any time: each job is changed by one statement that checks again.
pub async fn fail_overdue(db: &Db, figures: Figures, metrics: &Jobs) -> Result<u64, Error> {
    let mut failed = 0;
    for (job, overdue) in db.read(Scope::Keys, |tx| queries::list_overdue(tx, &figures)).await? {
        if db.write(job.organization, move |tx| queries::fail_overdue(tx, job, overdue, &figures)).await? {
            tracing::warn!(
                job.id = %job.id,
                organization.number = %job.organization,
                failure = overdue.code(),
                "job failed"
            );
            metrics.failed(overdue.code());
            failed += 1;
        }
    }
    Ok(failed)
}

/// Count what has not ended, for the metrics.
pub async fn count_pending(db: &Db, metrics: &Jobs) -> Result<(), Error> {
    let (pending, now) =
        db.read(Scope::Keys, |tx| Ok::<_, Error>((queries::count_all_pending(tx)?, tx.now_us()))).await?;
    let age_secs = pending.oldest_at.map_or(0, |at| (now - at).max(0) / 1_000_000);
    metrics.swept(pending.not_started, pending.running, age_secs, now / 1_000_000);
    Ok(())
}

/// Ended jobs whose time is over; the slice that knows what they made forgets them.
pub async fn list_expired(db: &Db, figures: Figures) -> Result<Vec<JobKey>, Error> {
    db.read(Scope::Keys, |tx| queries::list_expired(tx, &figures)).await
}
