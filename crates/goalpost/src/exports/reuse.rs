//! An export of what has not changed since an earlier one: it points to the file that is there, and reads nothing.
//!
//! Every change of an organization raises its revision, and a file is made of one revision, of the job's frozen spec, and
//! of the day where the filter asks for it: its *basis*. Two files of one basis have the same bytes (docs/PROMISES.md,
//! R13), for everybody if their rows do not depend on who asked, else for the person who asked. The file goes with the
//! last export that points to it.

use goalpost_db::{Error, Result, Tx, params};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::columns::VERSION;
use super::manifest;
use super::options::Links;
use super::queries::{Made, Order};
use super::spec::ExportSpec;
use crate::goals::history::Moment;
use crate::http::time::precise_date_time;
use crate::jobs::JobKey;
use crate::store::Stored;

/// What the file of an order is made of at a moment; links in it lead to `origin`.
///
/// A file as of earlier shows the people and teams of now, so it needs the present revision as well.
pub(super) fn basis(spec: &ExportSpec, order: &Order, origin: Option<&str>, moment: Moment) -> [u8; 32] {
    let day = spec.selection.filter.depends_on_today().then(|| crate::goals::day(moment.at_us).to_string());
    let links =
        spec.options.as_ref().filter(|options| options.links == Links::Id).map(|_| (origin, order.view));
    // Another program may make other bytes of the same.
    let made_by = (env!("CARGO_PKG_VERSION"), VERSION);
    let made_of = (made_by, spec.to_json(), order.revision, moment.revision, day, links);
    Sha256::digest(serde_json::to_vec(&made_of).expect("texts and numbers are JSON")).into()
}

/// What the export of this order would make, if an earlier one made it, and whose it is. Of those that the database keeps,
/// one that it may keep again: of so many bytes at most.
pub(super) fn find(
    tx: &Tx<'_>,
    job: JobKey,
    order: &Order,
    spec: &ExportSpec,
    origin: Option<&str>,
    in_database: usize,
) -> Result<Option<(JobKey, Made)>> {
    let moment = spec.as_of.unwrap_or(Moment { revision: order.revision, at_us: tx.now_us() });
    let basis = basis(spec, order, origin, moment);
    // Named in the order in which they are to be looked at: SQLite would go through all exports of the organization.
    // The newest ones are enough, and of those that are still there the newest is the last to go.
    let found = tx.query_opt(
        "-- exports::find_reusable (by key)
        with same as materialized (
          select job from export where organization = ?1 and basis = ?2 order by job desc limit 64
        )
        select export.job, export.content_key, export.size_bytes, export.sha256, export.row_count,
               export.omitted_count, export.same_for_everyone, export.manifest, export.content
          from same cross join job cross join export
         where job.organization = ?1 and job.id = same.job and job.expires_at > ?3
           and export.organization = ?1 and export.job = same.job
           and (export.same_for_everyone or job.creator = ?4)
           and (export.content is null or export.size_bytes <= ?5)
         order by export.job desc limit 1",
        params![job.organization, basis, tx.now_us(), order.creator, in_database],
        |row| {
            let owner = JobKey { organization: job.organization, id: Uuid::from_bytes(row.bytes(0)?) };
            let stored = Stored {
                key: row.text(1)?.to_owned(),
                size_bytes: row.int(2)? as u64,
                sha256: row.bytes(3)?,
            };
            let made = Made {
                stored,
                bytes: row.opt_blob(8)?.map(<[u8]>::to_vec),
                same_for_everyone: row.bool(6)?,
                file_name: spec.file_name(order.file_number, order.created_at),
                row_count: row.int(4)? as u64,
                omitted_count: row.int(5)? as u64,
                revision: moment.revision,
                as_of_at: moment.at_us,
                manifest: row.text(7)?.to_owned(),
                basis,
            };
            Ok::<_, Error>((owner, made))
        },
    )?;
    Ok(found.and_then(|(owner, mut made)| {
        made.manifest = told_anew(&made, order, spec)?;
        Some((owner, made))
    }))
}

/// The manifest of the same file as another export's; `None` if it is none.
fn told_anew(made: &Made, order: &Order, spec: &ExportSpec) -> Option<String> {
    let mut manifest: serde_json::Map<String, Value> = serde_json::from_str(&made.manifest).ok()?;
    manifest.insert("fileName".to_owned(), made.file_name.clone().into());
    manifest.insert("view".to_owned(), manifest::view(order, spec));
    manifest.insert("asOf".to_owned(), precise_date_time(made.as_of_at).into());
    manifest.insert("visibleAsPerson".to_owned(), order.creator.0.into());
    Some(Value::Object(manifest).to_string())
}

/// Keep the export that owns the file, and so the file, until this transaction points to it as well; `false` if it is
/// gone. Whoever forgets it waits, and then sees that the file is pointed to.
pub(super) fn hold(tx: &Tx<'_>, owner: JobKey) -> Result<bool> {
    let held = tx.execute(
        "-- exports::hold
        update export set basis = basis where organization = ?1 and job = ?2",
        params![owner.organization, owner.id.into_bytes()],
    )?;
    Ok(held == 1)
}
