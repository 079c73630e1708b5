//! Exports that begin at the same time look at the database together: one snapshot for all of them, and one message that
//! asks for their orders. Those whose organization has few goals are made from it, one after the other; each of the
//! rest has a snapshot of its own, so that nobody waits for a large one.
//!
//! Only on PostgreSQL: to SQLite a snapshot is next to nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use goalpost_db::{Error, Tx};
use tokio::sync::oneshot;
use tracing::Span;

use super::queries;
use super::spec::ExportSpec;
use super::worker::{Seen, see as see_one};
use crate::app::App;
use crate::jobs::{Lease, StepError};

/// Exports that share a snapshot, at most.
const GROUP: usize = 16;

/// Exports that are about to begin, and who waits for each. Dropped without an answer, it is made alone.
#[derive(Default)]
struct Beginning(Mutex<Vec<(Export, oneshot::Sender<Seen>)>>);

/// One of them.
struct Export {
    lease: Lease,
    spec: ExportSpec,
    reuses: bool,
    span: Span,
}

impl Beginning {
    fn lock(&self) -> MutexGuard<'_, Vec<(Export, oneshot::Sender<Seen>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of an export that others shared the snapshot of; `None` if it is to be made alone: since none began at the
/// same time, since it is large, or since something failed, which making it alone will tell.
pub(super) async fn see(app: &App, lease: &Lease, spec: &ExportSpec, reuses: bool) -> Option<Seen> {
    if !app.db.is_remote() || spec.as_of.is_some() || spec.since.is_some() {
        return None;
    }
    let (answer, answered) = oneshot::channel();
    let export = Export { lease: lease.clone(), spec: spec.clone(), reuses, span: Span::current() };
    let is_first = {
        let beginning = app.kept.get::<Beginning>();
        let mut beginning = beginning.lock();
        beginning.push((export, answer));
        beginning.len() == 1
    };
    if is_first {
        // Apart from its caller, who may go away while others wait.
        tokio::spawn(serve(app.clone()));
    }
    answered.await.ok()
}

/// Serve those that begin before the runtime comes to this again, as those do that were claimed together.
async fn serve(app: App) {
    tokio::task::yield_now().await;
    let mut all = std::mem::take(&mut *app.kept.get::<Beginning>().lock());
    while all.len() > 1 {
        let group = all.split_off(all.len().saturating_sub(GROUP));
        let app = app.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = see_all(&app, group) {
                tracing::debug!(?error, "exports that shared a snapshot are made alone");
            }
        });
    }
}

/// Make those of a group that are small. At the first that fails the rest is left to be made alone.
fn see_all(app: &App, mut group: Vec<(Export, oneshot::Sender<Seen>)>) -> Result<(), StepError> {
    let organization = |export: &Export| export.lease.job.organization;
    // Those of an organization one after the other: the database is told once which it is.
    group.sort_by_key(|(export, _)| organization(export).0);
    let (exports, answers): (Vec<_>, Vec<_>) = group.into_iter().unzip();
    let Some(first) = exports.first().map(organization) else { return Ok(()) };
    let ask = |tx: &Tx<'_>| {
        let asked = exports.iter().map(|export| {
            tx.enter(organization(export).0);
            queries::ask_for_order(tx, &export.lease)
        });
        let asked = asked.collect::<Result<Vec<_>, Error>>()?;
        Ok(asked.into_iter().map(|asked| asked.hear(tx)).collect::<Result<Vec<_>, Error>>()?)
    };
    app.db.snapshot_from(first, ask, |tx, orders| {
        for ((export, answer), order) in exports.iter().zip(answers).zip(orders) {
            let Some(order) = order.filter(|order| order.goals.is_some()) else { continue };
            tx.enter(organization(export).0);
            let Export { lease, spec, reuses, span } = export;
            let seen = span.in_scope(|| see_one(app, tx, lease, spec, *reuses, order))?;
            // Whoever asked may be gone; the file is removed with what holds it.
            let _ = answer.send(seen);
        }
        Ok(())
    })
}
