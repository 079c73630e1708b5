//! What time alone decides: jobs that can no longer end by themselves, and ended ones that are forgotten.

use goalpost_db::{Db, Error};

use super::{Figures, JobKey, queries};

/// Give up pending jobs that nobody can finish any more. Returns how many.
///
/// Any node may do this at any time: each job is changed by one statement that checks again.
pub async fn fail_overdue(db: &Db, figures: Figures) -> Result<u64, Error> {
    let mut failed = 0;
    for (job, overdue) in db.read(|tx| queries::list_overdue(tx, &figures))? {
        if db.write(move |tx| queries::fail_overdue(tx, job, overdue, &figures)).await? {
            tracing::warn!(job.id = %job.id, failure = overdue.code(), "job failed");
            failed += 1;
        }
    }
    Ok(failed)
}

/// Ended jobs whose time is over; the slice that knows what they made forgets them.
pub fn list_expired(db: &Db) -> Result<Vec<JobKey>, Error> {
    db.read(queries::list_expired)
}
