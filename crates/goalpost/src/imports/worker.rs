//! The work of an import's job: the file is fetched from the store into a folder of this attempt, and goes the way of every
//! import. Its one transaction ends the job too, under the live lease: so what a worker wrote that lost it is not kept.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::PoisonError;
use std::time::Instant;

use futures_util::TryStreamExt as _;
use goalpost_db::{Error, Scope};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use tracing::Span;
use uuid::Uuid;

use super::queries::{self, Order};
use super::spec::ImportSpec;
use super::table::stem;
use super::{ImportError, ImportOptions, OfJob, Progress, Report, run};
use crate::app::App;
use crate::ids::OrganizationNumber;
use crate::jobs::{JobKey, Lease, Step, StepError};
use crate::store::ErrorKind;

/// The longest reason of a failure that the job itself tells; its report has all of it.
const DETAIL_CHARS: usize = 2_000;

/// The step of an import's job.
#[derive(Debug)]
pub struct DoImport(pub App);

impl Step for DoImport {
    fn run(&self, lease: Lease) -> Pin<Box<dyn Future<Output = Result<(), StepError>> + Send + '_>> {
        Box::pin(work(&self.0, lease))
    }
}

async fn work(app: &App, lease: Lease) -> Result<(), StepError> {
    let begun = Instant::now();
    let job = lease.job;
    let order = app.db.read(job.organization, |tx| queries::find_order(tx, job));
    let order = order.await?.ok_or(StepError::LeaseLost)?;
    let running = || app.running.lock().unwrap_or_else(PoisonError::into_inner);
    running().insert(job.id, lease.progress.clone());
    let done = import(app, &lease, &order).await;
    running().remove(&job.id);
    let may_come_again = lease.attempt < app.figures().max_attempts;
    match &done {
        Ok(report) => tracing::info!(
            elements = report.counts()[0],
            revision = report.revision,
            elapsed_ms = begun.elapsed().as_millis() as u64,
            "file imported"
        ),
        Err(StepError::LeaseLost | StepError::DatabaseAway) => return done.map(|_| ()),
        Err(StepError::Retry { .. }) if may_come_again => return done.map(|_| ()),
        Err(_) => {}
    }
    // The job has come to its end: nobody needs the file any more.
    if let Err(error) = app.content.remove(&order.file.key).await {
        tracing::warn!(%error, "could not remove the file of an import; it is swept later");
    }
    done.map(|_| ())
}

async fn import(app: &App, lease: &Lease, order: &Order) -> Result<Report, StepError> {
    let spec = ImportSpec::from_json(&lease.spec).map_err(|error| {
        tracing::error!(%error, "a job's frozen spec cannot be read");
        StepError::Final {
            failure: "invalidSpec",
            detail: "What this import was to do cannot be read any more. Send the file again.".to_owned(),
        }
    })?;
    let job = lease.job;
    let guid = app.db.read(Scope::Global, |tx| crate::orgs::queries::find_guid(tx, job.organization));
    let guid = guid.await?.ok_or(StepError::LeaseLost)?;
    remove_left_folders(app, job).await;
    let folder = AttemptFolder::new(&app.config.data, lease).map_err(|error| local_trouble(&error))?;
    let path = folder.0.join(staged_name(&order.file_name));
    fetch(app, order, &path).await?;

    let of = OfJob { lease: lease.clone(), creator: order.creator, keep_us: app.figures().expire_after_us };
    let options = spec.options(of, guid, order.file_name.clone(), &app.config.imports);
    let (db, span, progress) = (app.db.clone(), Span::current(), lease.progress.clone());
    let importing = move || {
        span.in_scope(|| {
            let mut tell = |step| {
                if let Progress::Writing { done, total } = step {
                    progress.expect(total);
                    progress.reach(done);
                }
            };
            let done = run(&db, &folder.0, &path, &options, &mut tell);
            done.map_err(|error| refusal(&error, &path, &options))
        })
    };
    let done = tokio::task::spawn_blocking(importing).await.map_err(|panic| {
        tracing::error!(%panic, "an import panicked");
        StepError::internal()
    })?;
    match done {
        Ok(report) => Ok(report),
        Err(Refusal { step, report: None }) => Err(step),
        Err(Refusal { step, report: Some(report) }) => {
            let owned = lease.clone();
            app.db.write(job.organization, move |tx| queries::keep_failure(tx, &owned, &report)).await?;
            Err(step)
        }
    }
}

/// Why an import came to nothing, for the job, and for its report.
struct Refusal {
    step: StepError,
    report: Option<String>,
}

fn refusal(error: &ImportError, path: &Path, options: &ImportOptions) -> Refusal {
    let step = match error {
        ImportError::Stopped => StepError::LeaseLost,
        ImportError::Database(error) => StepError::from(error.clone()),
        ImportError::Io { source, .. } => local_trouble(source),
        ImportError::FileChanged | ImportError::AlreadyRunning => {
            tracing::error!(%error, "an import met what it should not");
            StepError::internal()
        }
        _ => {
            // Where the file lies here is nobody's business.
            let name = options.file_name.as_deref().unwrap_or_default();
            let message = error.to_string().replace(&path.display().to_string(), name);
            let hint = error.hint();
            let mut detail: String = match &hint {
                Some(hint) => format!("{message}\n{hint}"),
                None => message.clone(),
            };
            if let Some((at, _)) = detail.char_indices().nth(DETAIL_CHARS) {
                detail.truncate(at);
                detail.push('…');
            }
            let mut lines = message.lines().map(str::trim);
            let first = lines.next().unwrap_or_default();
            let report = json!({
                "dryRun": options.dry_run,
                "failed": true,
                "file": { "name": name },
                "message": first.trim_end_matches(':'),
                "hint": hint,
                "problems": lines.collect::<Vec<_>>(),
            });
            let step = StepError::Final { failure: "importRefused", detail };
            return Refusal { step, report: Some(report.to_string()) };
        }
    };
    Refusal { step, report: None }
}

fn local_trouble(error: &std::io::Error) -> StepError {
    tracing::warn!(%error, "an import could not use the data folder");
    StepError::Retry {
        failure: "storageUnavailable",
        detail: "The server could not read or write a file of its own. Tell the operator.".to_owned(),
    }
}

/// Bring the file from the store to `path`.
async fn fetch(app: &App, order: &Order, path: &Path) -> Result<(), StepError> {
    let trouble = |error: &dyn std::fmt::Display| {
        tracing::warn!(%error, "could not fetch the file of an import");
        StepError::Retry {
            failure: "storageUnavailable",
            detail: "The file could not be read from the server's storage. Try again.".to_owned(),
        }
    };
    let reading = app.content.read(&order.file.key, 0..order.file.size_bytes).await;
    let mut reading = reading.map_err(|error| match error.kind() {
        ErrorKind::NotFound => StepError::Final {
            failure: "fileGone",
            detail: "The file is not in the server's storage any more. Send it again.".to_owned(),
        },
        _ => trouble(&error),
    })?;
    let mut file = tokio::fs::File::create_new(path).await.map_err(|error| local_trouble(&error))?;
    let mut hash = Sha256::new();
    while let Some(piece) = reading.bytes.try_next().await.map_err(|error| trouble(&error))? {
        hash.update(&piece);
        file.write_all(&piece).await.map_err(|error| local_trouble(&error))?;
    }
    file.flush().await.map_err(|error| local_trouble(&error))?;
    if <[u8; 32]>::from(hash.finalize()) != order.file.sha256 {
        return Err(trouble(&"it is not what was stored"));
    }
    Ok(())
}

/// The name that a file has here: of the one that it came with, what a table's name may say and no path can hold.
fn staged_name(file_name: &str) -> String {
    let stem = stem(file_name);
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    format!("{}.upload", stem.chars().take(100).map(plain).collect::<String>())
}

/// The folder of one attempt, gone with it.
struct AttemptFolder(PathBuf);

fn folders(data: &Path) -> PathBuf {
    data.join("imports")
}

impl AttemptFolder {
    fn new(data: &Path, lease: &Lease) -> std::io::Result<Self> {
        let JobKey { organization, id } = lease.job;
        let token = Uuid::from_bytes(lease.token).simple();
        let path = folders(data).join(format!("{organization}.{id}.{token}"));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for AttemptFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "could not remove the folder of an import; the next one does");
        }
    }
}

/// Remove what attempts left that died here: earlier ones of this job, and those of jobs that have ended since.
async fn remove_left_folders(app: &App, own: JobKey) {
    let Ok(entries) = fs::read_dir(folders(&app.config.data)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let mut parts = name.to_str().unwrap_or_default().split('.');
        let organization = parts.next().and_then(|text| text.parse().ok());
        let id = parts.next().and_then(|text| Uuid::try_parse(text).ok());
        let (Some(organization), Some(id)) = (organization, id) else { continue };
        let job = JobKey { organization: OrganizationNumber(organization), id };
        let pending = app.db.read(job.organization, |tx| queries::is_pending(tx, job)).await;
        if job == own || matches!(pending, Ok::<_, Error>(false)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_client_is_no_path_here() {
        let of_table = staged_name("VivaGoals_15229_all_2025_11_20_1763665314.csv");
        assert_eq!(of_table, "VivaGoals_15229_all_2025_11_20_1763665314.upload");
        let packed = staged_name("VivaGoals_15229_all_2025_11_20_1763665314.jsonl.gz");
        assert_eq!(packed, of_table);
        assert_eq!(staged_name("../../etc/p\0sswd.zip"), "______etc_p_sswd.upload");
        assert_eq!(staged_name(""), ".upload");
    }
}
