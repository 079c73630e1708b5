//! Making the file: one snapshot is read and written on one thread, hashed and stored on another if it is more than a
//! piece, then published.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use goalpost_db::{Error, Scope, Tx};
use goalpost_tabular::{ColumnKind, Csv, Head, Unfit};
use serde_json::json;
use tracing::Span;

use super::changes::RowChanges;
use super::draft::{Beyond, Draft, Finished};
use super::expiry::{self, Room};
use super::options::Links;
use super::packer::{PIECE, Pieces, storage_error};
use super::queries::{Made, Order};
use super::spec::ExportSpec;
use super::table::Table;
use super::{manifest, queries, reuse, together, viva_csv};
use crate::app::App;
use crate::audit::{self, Deed};
use crate::goals::filter::Subject;
use crate::goals::history::{AsOf, Moment};
use crate::goals::rows::{self, Plan, Query};
use crate::jobs::lease::{Abandoned, Progress};
use crate::jobs::{JobKey, Lease, Step, StepError};
use crate::nodes;
use crate::web::explorer_path;

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
    let spec: ExportSpec = ExportSpec::from_json(&lease.spec).map_err(|error| {
        tracing::error!(%error, "a job's frozen spec cannot be read");
        StepError::Final {
            failure: "invalidSpec",
            detail: "What this export was to do cannot be read any more. Create it again.".to_owned(),
        }
    })?;
    let mut reuses = app.config.exports.reuse;
    loop {
        match read_beside(app, &lease, &spec, reuses).await? {
            Read::Made(made) => {
                hold_running(app, &lease).await;
                return publish(app, &lease, *made, None, begun).await.map(|_| ());
            }
            Read::There(owner, made) if is_there(app, &made).await => {
                hold_running(app, &lease).await;
                match publish(app, &lease, *made, Some(owner), begun).await? {
                    Published::Done => return Ok(()),
                    Published::FileGone => {}
                }
            }
            Read::There(..) => {}
        }
        reuses = false;
    }
}

/// What came of reading.
enum Read {
    /// The file, made.
    Made(Box<Made>),
    /// That of an earlier export, which owns it.
    There(JobKey, Box<Made>),
}

/// What came of a snapshot.
pub(super) enum Seen {
    /// The file, not yet durable.
    Written(Box<Written>),
    /// That of an earlier export, which owns it.
    There(JobKey, Box<Made>),
}

impl Seen {
    /// Whether the store has nothing to do with what is left to be done.
    fn is_in_memory(&self) -> bool {
        match self {
            Self::Written(written) => written.draft.is_for_database(),
            Self::There(..) => true,
        }
    }

    /// The snapshot is over: what is left may take its time.
    fn finish(self, spec: &ExportSpec, origin: Option<&str>) -> Result<Read, StepError> {
        Ok(match self {
            Self::Written(written) => Read::Made(Box::new(written.finish(spec, origin)?)),
            Self::There(owner, made) => Read::There(owner, made),
        })
    }
}

/// Make the file, or with `reuses` find the one that is there, on a thread that may block where it has to.
async fn read_beside(app: &App, lease: &Lease, spec: &ExportSpec, reuses: bool) -> Result<Read, StepError> {
    let mut seen = together::see(app, lease, spec, reuses).await;
    if let Some(seen) = seen.take_if(|seen| seen.is_in_memory()) {
        return seen.finish(spec, app.config.public_url.as_deref());
    }
    let (app, lease, spec, span) = (app.clone(), lease.clone(), spec.clone(), Span::current());
    let reading = move || {
        let _entered = span.enter();
        let seen = seen.map_or_else(|| see_alone(&app, &lease, &spec, reuses), Ok)?;
        seen.finish(&spec, app.config.public_url.as_deref())
    };
    tokio::task::spawn_blocking(reading).await.map_err(|panic| {
        tracing::error!(%panic, "making a file panicked");
        StepError::internal()
    })?
}

/// Read one snapshot for this file alone.
fn see_alone(app: &App, lease: &Lease, spec: &ExportSpec, reuses: bool) -> Result<Seen, StepError> {
    let order = |tx: &Tx<'_>| queries::find_order(tx, lease)?.ok_or(StepError::LeaseLost);
    let see = |tx: &Tx<'_>, order| see(app, tx, lease, spec, reuses, order, Beyond::Store);
    app.db.snapshot_from(lease.job.organization, order, see)
}

/// Write the file from a snapshot, or with `reuses` find the one that is there.
pub(super) fn see(
    app: &App,
    tx: &Tx<'_>,
    lease: &Lease,
    spec: &ExportSpec,
    reuses: bool,
    order: Order,
    beyond: Beyond,
) -> Result<Seen, StepError> {
    if app.config.sandbox.fail_views.contains(&order.view) {
        return Err(StepError::Final {
            failure: "sandbox",
            detail: "The sandbox lets every export of this view fail (serve --sandbox fail-view).".to_owned(),
        });
    }
    if order.goals.is_some() && spec.is_of_now() {
        tx.reads_few()?;
    }
    let origin = app.config.public_url.as_deref();
    let in_database = if nodes::all_read_database(app) { app.config.exports.in_database_bytes } else { 0 };
    if reuses && let Some((owner, made)) = reuse::find(tx, lease.job, &order, spec, origin, in_database)? {
        return Ok(Seen::There(owner, Box::new(made)));
    }
    let (folder, name) =
        expiry::content_name(lease.job.organization, lease.job.id, lease.attempt, lease.token);
    let watched = Watched { abandoned: lease.abandoned.clone(), progress: lease.progress.clone() };
    let draft = Draft::create(&app.content, folder, name, in_database, beyond);
    let draft = draft.map_err(|error| storage_error(&error))?;
    let written = write_file(tx, lease.job, order, spec, origin, draft, &watched)?;
    Ok(Seen::Written(Box::new(written)))
}

/// Whether a file that a row speaks of can be fetched: what was lost is made anew.
async fn is_there(app: &App, made: &Made) -> bool {
    if made.bytes.is_some() {
        return true;
    }
    let found = app.content.read(&made.stored.key, 0..0).await;
    found.is_ok_and(|reading| reading.size_bytes == made.stored.size_bytes)
}

/// What is looked at and told between two pieces of a file.
struct Watched {
    abandoned: Abandoned,
    progress: Progress,
}

/// A file that is written from one snapshot, and not yet durable.
pub(super) struct Written {
    draft: Draft,
    summary: rows::Summary,
    order: Order,
    moment: Moment,
    depends_on_caller: bool,
    /// Records, and what their columns are.
    rows: u64,
    heads: Vec<Head>,
}

impl Written {
    fn finish(self, spec: &ExportSpec, origin: Option<&str>) -> Result<Made, StepError> {
        let Finished { stored, bytes } = self.draft.finish().map_err(|error| storage_error(&error))?;
        let mut made = Made {
            stored,
            bytes,
            same_for_everyone: !self.depends_on_caller && !self.summary.met_restricted,
            file_name: spec.file_name(self.order.file_number, self.order.created_at),
            row_count: self.rows,
            omitted_count: self.summary.omitted,
            revision: self.moment.revision,
            as_of_at: self.moment.at_us,
            manifest: String::new(),
            basis: reuse::basis(spec, &self.order, origin, self.moment),
        };
        made.manifest = manifest::of(&made, &self.order, spec, &self.heads);
        Ok(made)
    }
}

/// Write the whole file from one snapshot.
fn write_file(
    tx: &Tx<'_>,
    job: JobKey,
    order: Order,
    spec: &ExportSpec,
    origin: Option<&str>,
    draft: Draft,
    watched: &Watched,
) -> Result<Written, StepError> {
    let now = Moment { revision: order.revision, at_us: tx.now_us() };
    let moment = spec.as_of.unwrap_or(now);
    let subject = Subject::on_day(job.organization, Some(order.creator), moment.at_us);
    let changes =
        spec.since.map(|since| RowChanges::find(tx, &subject, &spec.selection, since)).transpose()?;
    let chosen = |first: usize| {
        let chosen = spec.selection.condition(&subject, first);
        changes.iter().fold(chosen, |chosen, changes| changes.within(chosen, first))
    };
    let query = Query {
        subject: &subject,
        chosen: &chosen,
        everything: spec.selection.is_everything() && changes.is_none(),
        levels: spec.options.as_ref().map_or(0, |options| options.children),
        as_of: spec.as_of.map_or(AsOf::Now, |moment| AsOf::Revision(moment.revision)),
        wide: !spec.is_viva(),
        unrestricted: false,
    };
    let has_none = order.goals == Some(0) && spec.is_of_now();
    let plan = if has_none { Plan::of_nothing() } else { Plan::new(tx, &query)? };
    // What was removed may have been the caller's alone.
    let depends_on_caller =
        spec.selection.filter.depends_on_caller() || plan.has_restricted || changes.is_some();
    let options = spec.options.clone().unwrap_or_default();
    let compression = options.compression;
    let address = (options.links == Links::Id).then(|| page_of_goal(origin, &order)).transpose()?;
    let mut file = if spec.is_viva() {
        File::Viva(Csv::new(), plan.most_checkins as usize, 0)
    } else {
        let (changes, address) = (changes.as_ref(), address.as_deref());
        File::Table(Table::new(tx, &query, &plan, &options, &spec.view_name, changes, address)?)
    };
    let (draft, summary) = std::thread::scope(|scope| {
        let mut pieces = Pieces::new(scope, draft, compression);
        let written =
            write_rows(&mut file, &mut pieces, |write| rows::each(tx, &query, &plan, write), watched);
        let rest = || (written.is_ok() && file.waiting() > 0).then(|| file.take(Vec::new()));
        // A failed hand-over only says that storing has ended: its own error is the cause, and wins.
        let draft = pieces.finish(rest)?;
        Ok::<_, StepError>((draft, written?))
    })?;
    let (rows, heads) = (file.rows(), file.heads());
    Ok(Written { draft, summary, order, moment, depends_on_caller, rows, heads })
}

/// Where the page of the view is, for a goal whose number stands behind it.
fn page_of_goal(origin: Option<&str>, order: &Order) -> Result<String, StepError> {
    let Some(origin) = origin else {
        return Err(Unfit("links need `public_url` in the server's settings".to_owned()).into());
    };
    Ok(format!("{origin}{}&goal=", explorer_path(order.organization_guid, order.view)))
}

/// Write the header, every row and the end, and hand full pieces over.
fn write_rows(
    file: &mut File<'_>,
    pieces: &mut Pieces<'_, '_>,
    each: impl FnOnce(
        &mut dyn FnMut(&rows::GoalRow<'_>) -> Result<(), StepError>,
    ) -> Result<rows::Summary, StepError>,
    watched: &Watched,
) -> Result<rows::Summary, StepError> {
    if let File::Table(table) = file {
        watched.progress.expect(table.expected());
    }
    file.begin()?;
    let summary = each(&mut |row| {
        file.write(row)?;
        if file.waiting() >= PIECE {
            if watched.abandoned.is_set() {
                return Err(StepError::LeaseLost);
            }
            watched.progress.reach(file.rows());
            while file.waiting() >= PIECE {
                let next = pieces.emptied();
                pieces.store(file.take(next))?;
            }
        }
        Ok(())
    })?;
    file.end()?;
    Ok(summary)
}

/// A file in the making.
enum File<'a> {
    /// As Viva Goals made it: so wide, and with so many rows until now.
    Viva(Csv, usize, u64),
    /// As the caller wants it.
    Table(Table<'a>),
}

impl File<'_> {
    fn begin(&mut self) -> Result<(), Unfit> {
        match self {
            Self::Viva(csv, checkins, _) => viva_csv::write_header(csv, *checkins),
            Self::Table(table) => table.begin()?,
        }
        Ok(())
    }

    fn write(&mut self, row: &rows::GoalRow<'_>) -> Result<(), Unfit> {
        match self {
            Self::Viva(csv, checkins, rows) => {
                *rows += 1;
                viva_csv::write_goal(csv, row, *checkins);
            }
            Self::Table(table) => table.write(row)?,
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Unfit> {
        match self {
            Self::Viva(..) => Ok(()),
            Self::Table(table) => table.end(),
        }
    }

    fn waiting(&mut self) -> usize {
        match self {
            Self::Viva(csv, ..) => csv.buffer().len(),
            Self::Table(table) => table.waiting(),
        }
    }

    fn take(&mut self, next: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Viva(csv, ..) => std::mem::replace(csv.buffer(), next),
            Self::Table(table) => table.take(next),
        }
    }

    fn rows(&self) -> u64 {
        match self {
            Self::Viva(_, _, rows) => *rows,
            Self::Table(table) => table.count(),
        }
    }

    fn heads(&self) -> Vec<Head> {
        match self {
            Self::Viva(_, checkins, _) => {
                let named = viva_csv::COLUMNS.iter().map(|name| (*name).to_owned());
                let names = named.chain((1..*checkins).map(|_| String::new()));
                let kind =
                    |name: &str| super::columns::find(name).map_or(ColumnKind::Text, |column| column.kind);
                names.map(|name| Head { kind: kind(&name), name }).collect()
            }
            Self::Table(table) => table.heads().to_vec(),
        }
    }
}

/// A table that its format cannot hold will not fit the next time either.
impl From<Unfit> for StepError {
    fn from(unfit: Unfit) -> Self {
        Self::Final {
            failure: "doesNotFit",
            detail: format!(
                "The file cannot be made: {unfit}. Choose other options, and create the export again."
            ),
        }
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

/// What came of [`publish`].
enum Published {
    /// The job has succeeded.
    Done,
    /// The file of the earlier export is gone, and nothing was done.
    FileGone,
}

/// Point to the file and end the job, in one transaction that needs the live lease. The file is this attempt's, or that
/// of an earlier export, its `owner`.
async fn publish(
    app: &App,
    lease: &Lease,
    made: Made,
    owner: Option<JobKey>,
    begun: Instant,
) -> Result<Published, StepError> {
    let expire_after_us = app.figures().expire_after_us;
    // Of a file that goes with this attempt.
    let key = (owner.is_none() && made.bytes.is_none()).then(|| made.stored.key.clone());
    let owned = lease.clone();
    let (rows, size_bytes) = (made.row_count, made.stored.size_bytes);
    let published = app
        .db
        .write_together(lease.job.organization, move |tx| {
            if let Some(owner) = owner
                && made.bytes.is_none()
                && !reuse::hold(tx, owner)?
            {
                return Ok(None);
            }
            let id = owned.job.id.to_string();
            let detail =
                json!({ "rows": made.row_count, "bytes": made.stored.size_bytes, "revision": made.revision,
                        "reused": owner.map(|owner| owner.id) });
            let deed = Deed { actor: None, action: "exportFinished", subject: id, detail };
            let deed = audit::values(tx, owned.job.organization, &deed);
            queries::publish(tx, &owned, &made, tx.now_us() + expire_after_us, &deed).map(Some)
        })
        .await;
    let published = published.map(|published| published.map(|changed| changed.is_set()));
    if !matches!(published, Ok(Some(false) | None)) {
        // Also if nobody knows: the sweeper will find out.
        app.kept.get::<Room>().take(lease.job.organization, size_bytes);
    }
    match published? {
        Some(true) => {
            let (reused, elapsed_ms) = (owner.is_some(), begun.elapsed().as_millis() as u64);
            tracing::info!(rows, size_bytes, reused, elapsed_ms, "export published");
            app.metrics.exports.published(rows, size_bytes, begun.elapsed());
            return Ok(Published::Done);
        }
        Some(false) => app.metrics.jobs.write_refused("publish"),
        None => return Ok(Published::FileGone),
    }
    if let Some(key) = key
        && let Err(error) = app.content.remove(&key).await
    {
        tracing::warn!(%error, "could not remove the file of a lost attempt; it is swept later");
    }
    Err(StepError::LeaseLost)
}
