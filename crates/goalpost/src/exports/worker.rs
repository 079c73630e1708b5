//! Making the file: one snapshot is read and written on one thread, hashed and stored on another, then published.

use std::future::Future;
use std::pin::Pin;
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use goalpost_db::{Error, Scope, Tx};
use goalpost_tabular::Csv;
use serde_json::json;
use tracing::Span;

use super::queries::{Made, Order};
use super::spec::ExportSpec;
use super::{expiry, queries, viva_csv};
use crate::app::App;
use crate::audit;
use crate::goals::filter::Subject;
use crate::goals::history::{AsOf, Moment};
use crate::goals::rows::{self, Plan, Query};
use crate::jobs::lease::Abandoned;
use crate::jobs::{JobKey, Lease, Step, StepError};
use crate::store::{self, Writer};

/// Bytes handed to the storing thread at a time, and how many such pieces may wait there: the memory of a job.
const PIECE: usize = 256 * 1024;
const PIECES: usize = 4;

/// The step of an export's job.
#[derive(Debug)]
pub struct MakeExport(pub App);

impl Step for MakeExport {
    fn run(&self, lease: Lease) -> Pin<Box<dyn Future<Output = Result<(), StepError>> + Send + '_>> {
        Box::pin(make(&self.0, lease))
    }
}

/// Make the file of one claimed export and publish it.
async fn make(app: &App, lease: Lease) -> Result<(), StepError> {
    let begun = Instant::now();
    let spec: ExportSpec = serde_json::from_str(&lease.spec).map_err(|error| {
        tracing::error!(%error, "a job's frozen spec cannot be read");
        StepError::Final {
            failure: "invalidSpec",
            detail: "What this export was to do cannot be read any more. Create it again.".to_owned(),
        }
    })?;
    let db = app.db.clone();
    let order = db
        .read(lease.job.organization, |tx| queries::find_order(tx, lease.job))
        .await?
        .ok_or(StepError::LeaseLost)?;
    if app.config.sandbox.fail_views.contains(&order.view) {
        return Err(StepError::Final {
            failure: "sandbox",
            detail: "The sandbox lets every export of this view fail (serve --sandbox fail-view).".to_owned(),
        });
    }
    let (folder, name) =
        expiry::content_name(lease.job.organization, lease.job.id, lease.attempt, lease.token);
    let writer = app.content.create(&folder, &name).map_err(|error| storage_error(&error))?;
    let (job, abandoned) = (lease.job, lease.abandoned.clone());
    let span = Span::current();
    let making = move || {
        span.in_scope(|| {
            let written =
                db.snapshot(job.organization, |tx| write_file(tx, job, &spec, writer, &abandoned))?;
            // The snapshot is over: what is left may take its time.
            written.finish(&spec)
        })
    };
    let made = tokio::task::spawn_blocking(making).await.map_err(|panic| {
        tracing::error!(%panic, "making a file panicked");
        StepError::internal()
    })??;
    hold_running(app, &lease).await;
    publish(app, lease, made, begun).await
}

/// A file that is written from one snapshot, and not yet durable.
struct Written {
    writer: Writer,
    summary: rows::Summary,
    order: Order,
    moment: Moment,
    depends_on_caller: bool,
}

impl Written {
    fn finish(self, spec: &ExportSpec) -> Result<Made, StepError> {
        let stored = self.writer.finish().map_err(|error| storage_error(&error))?;
        Ok(Made {
            stored,
            same_for_everyone: !self.depends_on_caller && !self.summary.met_restricted,
            file_name: spec.file_name(self.order.file_number, self.order.created_at),
            row_count: self.summary.rows,
            omitted_count: self.summary.omitted,
            revision: self.moment.revision,
            as_of_at: self.moment.at_us,
        })
    }
}

/// Write the whole file from one snapshot.
fn write_file(
    tx: &Tx<'_>,
    job: JobKey,
    spec: &ExportSpec,
    writer: Writer,
    abandoned: &Abandoned,
) -> Result<Written, StepError> {
    let order = queries::find_order(tx, job)?.ok_or(StepError::LeaseLost)?;
    let now = Moment { revision: order.revision, at_us: tx.now_us() };
    let moment = spec.as_of.unwrap_or(now);
    let subject = Subject::on_day(job.organization, Some(order.creator), moment.at_us);
    let chosen = |first: usize| spec.selection.condition(&subject, first);
    let query = Query {
        subject: &subject,
        chosen: &chosen,
        everything: spec.selection.is_everything(),
        as_of: spec.as_of.map_or(AsOf::Now, |moment| AsOf::Revision(moment.revision)),
    };
    let plan = Plan::new(tx, &query)?;
    let depends_on_caller = spec.selection.filter.depends_on_caller() || plan.has_restricted;
    let checkins = plan.most_checkins as usize;
    let (writer, summary) = std::thread::scope(|scope| {
        let (full, to_store) = sync_channel(PIECES);
        let (to_reuse, empty) = sync_channel(PIECES);
        let storing = scope.spawn(move || store(writer, &to_store, &to_reuse));
        let mut out = Pieces { csv: Csv::new(), full, empty };
        viva_csv::write_header(&mut out.csv, checkins);
        let summary = rows::each(tx, &query, &plan, |row| {
            viva_csv::write_goal(&mut out.csv, row, checkins);
            if out.csv.buffer().len() >= PIECE {
                if abandoned.is_set() {
                    return Err(StepError::LeaseLost);
                }
                out.hand_over()?;
            }
            Ok(())
        });
        // A failed hand-over only says that storing has ended: its own error is the cause, and wins.
        let summary = summary.and_then(|summary| out.hand_over().map(|()| summary));
        drop(out);
        let writer = storing.join().map_err(|_| stored_badly())?.map_err(|error| storage_error(&error))?;
        Ok::<_, StepError>((writer, summary?))
    })?;
    Ok(Written { writer, summary, order, moment, depends_on_caller })
}

/// The file in the making, piece by piece; buffers come back from the storing thread to be filled again.
struct Pieces {
    csv: Csv,
    full: SyncSender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
}

impl Pieces {
    fn hand_over(&mut self) -> Result<(), StepError> {
        let next = self.empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(PIECE + PIECE / 8));
        let piece = std::mem::replace(self.csv.buffer(), next);
        self.full.send(piece).map_err(|_| stored_badly())
    }
}

/// Store pieces until there are no more.
fn store(
    mut writer: Writer,
    pieces: &Receiver<Vec<u8>>,
    emptied: &SyncSender<Vec<u8>>,
) -> store::Result<Writer> {
    for mut piece in pieces {
        writer.write(&piece)?;
        piece.clear();
        // A cell of a megabyte must not keep its buffer large for the rest of the file.
        piece.shrink_to(2 * PIECE);
        let _ = emptied.try_send(piece);
    }
    Ok(writer)
}

fn stored_badly() -> StepError {
    StepError::Retry {
        failure: "storageUnavailable",
        detail: "The file could not be stored. Try again.".to_owned(),
    }
}

fn storage_error(error: &store::Error) -> StepError {
    tracing::warn!(%error, "could not store a file");
    match error.kind() {
        store::ErrorKind::Full => StepError::Retry {
            failure: "storageFull",
            detail: "The server's storage is full. Tell the operator; a retry helps once there is space."
                .to_owned(),
        },
        _ => stored_badly(),
    }
}

/// In the sandbox, let the job be seen `running` for a while.
async fn hold_running(app: &App, lease: &Lease) {
    let Some(hold) = app.config.sandbox.running else { return };
    let until = lease.started_at + hold.as_micros() as i64;
    let now = app.db.read(Scope::Global, |tx| Ok::<_, Error>(tx.now_us())).await;
    if let Ok(now) = now {
        tokio::time::sleep(std::time::Duration::from_micros(u64::try_from(until - now).unwrap_or(0))).await;
    }
}

/// Point to the file and end the job, in one transaction that needs the live lease.
async fn publish(app: &App, lease: Lease, made: Made, begun: Instant) -> Result<(), StepError> {
    let expire_after_us = app.figures().expire_after_us;
    let (key, owned) = (made.stored.key.clone(), lease.clone());
    let (rows, size_bytes) = (made.row_count, made.stored.size_bytes);
    let published = app
        .db
        .write(lease.job.organization, move |tx| {
            if !queries::publish(tx, &owned, &made, tx.now_us() + expire_after_us)? {
                return Ok(false);
            }
            let id = owned.job.id.to_string();
            let detail =
                json!({ "rows": made.row_count, "bytes": made.stored.size_bytes, "revision": made.revision });
            audit::record(tx, owned.job.organization, None, "exportFinished", &id, &detail)?;
            Ok::<_, Error>(true)
        })
        .await;
    if !matches!(published, Ok(false)) {
        // Also if nobody knows: the sweeper will find out.
        app.published.lock().unwrap_or_else(PoisonError::into_inner).insert(lease.job.organization);
    }
    if published? {
        tracing::info!(rows, size_bytes, elapsed_ms = begun.elapsed().as_millis() as u64, "export published");
        app.metrics.exports.published(rows, size_bytes, begun.elapsed());
        return Ok(());
    }
    app.metrics.jobs.write_refused("publish");
    if let Err(error) = app.content.remove(&key).await {
        tracing::warn!(%error, "could not remove the file of a lost attempt; it is swept later");
    }
    Err(StepError::LeaseLost)
}
