//! The SQL of imports as they are asked for, listed and kept. What they write is in the files of their entities.

use goalpost_db::{Error, Result, Tx, params};
use serde_json::json;
use uuid::Uuid;

use super::{ImportError, ImportOptions, Report};
use crate::audit;
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::jobs::{JobKey, Lease, queries as jobs};
use crate::store::Stored;

/// Write down an import that was asked for, whose file waits in the store.
pub fn insert(
    tx: &Tx<'_>,
    key: JobKey,
    creator: PersonNumber,
    created_at: i64,
    file_name: &str,
    file: &Stored,
    dry_run: bool,
) -> Result<()> {
    tx.execute(
        "-- imports::insert
        insert into import (organization, id, created_at, creator, file_name, size_bytes, file_sha256, dry_run, content_key)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            key.organization,
            key.id.into_bytes(),
            created_at,
            creator,
            file_name,
            file.size_bytes as i64,
            file.sha256,
            dry_run,
            &file.key
        ],
    )?;
    Ok(())
}

/// What a worker needs of an import besides its spec.
#[derive(Clone, Debug)]
pub struct Order {
    /// For whom it runs.
    pub creator: Option<PersonNumber>,
    /// What the file was called where it came from.
    pub file_name: String,
    /// The file, in the store.
    pub file: Stored,
}

/// The order of a job; `None` if it was called off.
pub fn find_order(tx: &Tx<'_>, job: JobKey) -> Result<Option<Order>> {
    tx.query_opt(
        "-- imports::find_order
        select creator, file_name, content_key, size_bytes, file_sha256 from import
         where organization = ?1 and id = ?2 and content_key is not null",
        params![job.organization, job.id.into_bytes()],
        |row| {
            Ok(Order {
                creator: row.opt_int(0)?.map(PersonNumber),
                file_name: row.text(1)?.to_owned(),
                file: Stored {
                    key: row.text(2)?.to_owned(),
                    size_bytes: row.int(3)? as u64,
                    sha256: row.bytes(4)?,
                },
            })
        },
    )
}

/// Whether a job may still be worked on.
pub fn is_pending(tx: &Tx<'_>, job: JobKey) -> Result<bool> {
    let found = tx.query_opt(
        "-- imports::is_pending
        select 1 from job where organization = ?1 and id = ?2 and state in ('notStarted', 'running')",
        params![job.organization, job.id.into_bytes()],
        |_| Ok::<_, Error>(()),
    )?;
    Ok(found.is_some())
}

/// Write down what an import did, in its own transaction: with its job it ends well or not at all.
pub(super) fn record(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    options: &ImportOptions,
    report: &Report,
    sha256: [u8; 32],
    size_bytes: u64,
) -> std::result::Result<(), ImportError> {
    let id = match &options.job {
        Some(of) => {
            end(tx, &of.lease, of.keep_us, report)?;
            of.lease.job.id
        }
        None if report.revision.is_none() => return Ok(()),
        None => {
            let id = options.ids.timed_guid(tx.now_us());
            let [read, added, changed, removed] = report.counts();
            tx.execute(
                "-- imports::insert_done
                insert into import (organization, id, created_at, file_name, size_bytes, file_sha256, dry_run, finished_at,
                                    read_count, added_count, changed_count, removed_count, revision)
                values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?3, ?8, ?9, ?10, ?11, ?12)",
                params![
                    organization,
                    id.into_bytes(),
                    tx.now_us(),
                    &report.file.name,
                    size_bytes as i64,
                    sha256,
                    false,
                    read,
                    added,
                    changed,
                    removed,
                    report.revision
                ],
            )?;
            id
        }
    };
    if let Some(revision) = report.revision {
        let [_, added, changed, removed] = report.counts();
        let detail = json!({ "revision": revision, "added": added, "changed": changed, "removed": removed });
        let actor = options.job.as_ref().and_then(|of| of.creator);
        audit::record(tx, organization, actor, "import.run", &id.to_string(), &detail)?;
    }
    Ok(())
}

/// End the job of an import that went well, and keep what it did.
///
/// # Errors
/// [`ImportError::Stopped`] if the lease is lost: then nothing else of the transaction may stay.
pub(super) fn end(
    tx: &Tx<'_>,
    lease: &Lease,
    keep_us: i64,
    report: &Report,
) -> std::result::Result<(), ImportError> {
    if !jobs::succeed(tx, lease, tx.now_us() + keep_us)? {
        return Err(ImportError::Stopped);
    }
    let [read, added, changed, removed] = report.counts();
    let text = match report.revision {
        // It stands with the revision.
        Some(_) => None,
        None => Some(report.to_json()?),
    };
    tx.execute(
        "-- imports::finish
        update import set content_key = null, finished_at = ?3, read_count = ?4, added_count = ?5, changed_count = ?6,
               removed_count = ?7, revision = ?8, report = ?9
         where organization = ?1 and id = ?2",
        params![
            lease.job.organization,
            lease.job.id.into_bytes(),
            tx.now_us(),
            read,
            added,
            changed,
            removed,
            report.revision,
            text
        ],
    )?;
    Ok(())
}

/// Keep why an import came to nothing, while its worker holds the lease.
pub(super) fn keep_failure(tx: &Tx<'_>, lease: &Lease, report: &str) -> Result<()> {
    if jobs::is_held(tx, lease)? {
        tx.execute(
            "-- imports::keep_failure
            update import set report = ?3 where organization = ?1 and id = ?2",
            params![lease.job.organization, lease.job.id.into_bytes(), report],
        )?;
    }
    Ok(())
}

/// Who asked for an import, and its report as JSON, if it has one yet; `None` if there is no such import.
pub fn find_report(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    id: Uuid,
) -> Result<Option<(Option<PersonNumber>, Option<String>)>> {
    tx.query_opt(
        "-- imports::find_report
        select i.creator, coalesce(i.report, r.report) from import i
          left join import_run r on r.organization = ?1 and r.id = i.revision
         where i.organization = ?1 and i.id = ?2",
        params![organization, id.into_bytes()],
        |row| Ok((row.opt_int(0)?.map(PersonNumber), row.opt_text(1)?.map(str::to_owned))),
    )
}

/// An import as the command line lists it. Times are microseconds since 1970, UTC.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub id: Uuid,
    /// When it was asked for.
    pub created_at: i64,
    /// What its file was called.
    pub file_name: String,
    /// What it has come to, in a word: the state of its job, or `undone`.
    pub status: String,
    /// The revision that it made, if it changed something.
    pub revision: Option<i64>,
    /// Elements that were new, others, and taken away; none before its end.
    pub counts: Option<[i64; 3]>,
}

/// The imports of an organization, the last one first.
pub fn list(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Vec<Listed>> {
    tx.query(
        "-- imports::list
        select i.id, i.created_at, i.file_name,
               case when i.undone_at is not null then 'undone' else coalesce(x.state, 'succeeded') end,
               i.revision, i.added_count, i.changed_count, i.removed_count
          from import i left join job x on x.organization = ?1 and x.id = i.id
         where i.organization = ?1 order by i.created_at desc, i.id desc",
        params![organization],
        |row| {
            let counts = match (row.opt_int(5)?, row.opt_int(6)?, row.opt_int(7)?) {
                (Some(added), Some(changed), Some(removed)) => Some([added, changed, removed]),
                _ => None,
            };
            Ok(Listed {
                id: Uuid::from_bytes(row.bytes(0)?),
                created_at: row.int(1)?,
                file_name: row.text(2)?.to_owned(),
                status: row.text(3)?.to_owned(),
                revision: row.opt_int(4)?,
                counts,
            })
        },
    )
}

/// Forget an import, whatever it has come to: who works on it has lost its lease. What it changed stays, and can not be
/// taken back any more. The key of its file, if it waits; `None`: there is no such import.
pub fn delete(tx: &Tx<'_>, key: JobKey) -> Result<Option<Option<String>>> {
    let id = key.id.into_bytes();
    tx.execute(
        "-- imports::delete_job\ndelete from job where organization = ?1 and id = ?2 and kind = ?3",
        params![key.organization, id, super::KIND],
    )?;
    let gone = tx.query_opt(
        "-- imports::delete
        delete from import where organization = ?1 and id = ?2 returning content_key, revision",
        params![key.organization, id],
        |row| Ok::<_, Error>((row.opt_text(0)?.map(str::to_owned), row.opt_int(1)?)),
    )?;
    let Some((file, revision)) = gone else { return Ok(None) };
    if let Some(revision) = revision {
        forget_kept(tx, key.organization, revision)?;
    }
    Ok(Some(file))
}

/// Forget what an import replaced.
pub(super) fn forget_kept(tx: &Tx<'_>, organization: OrganizationNumber, revision: i64) -> Result<()> {
    tx.execute(
        "-- imports::forget_kept\ndelete from import_kept where organization = ?1 and revision = ?2",
        params![organization, revision],
    )?;
    Ok(())
}

/// The job of an import is forgotten: so is the import, unless it changed something. The key of its file, if that was
/// left; the outer `None` if the job was no import's.
pub fn forget_job(tx: &Tx<'_>, job: JobKey) -> Result<Option<Option<String>>> {
    let params = params![job.organization, job.id.into_bytes()];
    let file = tx.query_opt(
        "-- imports::file_of_job\nselect content_key from import where organization = ?1 and id = ?2",
        params,
        |row| Ok::<_, Error>(row.opt_text(0)?.map(str::to_owned)),
    )?;
    tx.execute(
        "-- imports::forget_job\ndelete from import where organization = ?1 and id = ?2 and revision is null",
        params,
    )?;
    Ok(file)
}

/// The folder and name of the file of an import in the store.
pub fn content_name(job: JobKey, random: Uuid) -> (String, String) {
    (job.organization.to_string(), format!("{}{SENT}{}", job.id, random.simple()))
}

const SENT: &str = ".sent.";

/// Whether a file of the store was sent to be imported.
pub fn is_sent(key: &str) -> bool {
    key.contains(SENT)
}
