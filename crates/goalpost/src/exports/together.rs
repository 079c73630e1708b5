//! Exports that begin at the same time look at the database together: one snapshot for all of them, and one message that
//! asks for their orders. Those whose organization has few goals are made from it, one after the other, and in memory.
//! Each of the rest has a snapshot of its own, also one that turns out to be large for other reasons: the others wait
//! for it until it outgrows memory.
//!
//! Only on PostgreSQL: to SQLite a snapshot is next to nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use goalpost_db::{Error, Tx};
use tokio::sync::oneshot;
use tracing::Span;

use super::draft::Beyond;
use super::queries::{self, Order};
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
    if !app.db.is_remote() || !spec.is_of_now() {
        return None;
    }
    let (answer, answered) = oneshot::channel();
    let export = Export { lease: lease.clone(), spec: spec.clone(), reuses, span: Span::current() };
    let beginning = app.kept.get::<Beginning>();
    let is_first = {
        let mut waiting = beginning.lock();
        waiting.push((export, answer));
        waiting.len() == 1
    };
    if is_first {
        // Apart from its caller, who may go away while others wait.
        tokio::spawn(serve(app.clone(), Serving { beginning, is_over: false }));
    }
    answered.await.ok()
}

/// Whoever serves. Should it end before it has taken those who wait, as with its runtime, they are made alone, and
/// whoever comes next is the first again.
struct Serving {
    beginning: Arc<Beginning>,
    is_over: bool,
}

impl Serving {
    fn take(&mut self) -> Vec<(Export, oneshot::Sender<Seen>)> {
        self.is_over = true;
        std::mem::take(&mut *self.beginning.lock())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if !self.is_over {
            self.take();
        }
    }
}

/// Serve those who wait, once the tasks have run that are ready: jobs that were claimed together begin in as many tasks.
async fn serve(app: App, mut serving: Serving) {
    tokio::task::yield_now().await;
    let mut all = serving.take();
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
    app.db.snapshot_from(first, ask, |tx, orders: Vec<Option<Order>>| {
        let each = exports.iter().zip(answers).zip(orders);
        let small = each.filter_map(|(one, order)| Some((one, order.filter(|order| order.goals.is_some())?)));
        // All at once, so that those that are not need not wait for those that are.
        let small: Vec<_> = small.collect();
        for ((export, answer), order) in small {
            tx.enter(organization(export).0);
            let Export { lease, spec, reuses, span } = export;
            let see = || see_one(app, tx, lease, spec, *reuses, order, Beyond::Nothing);
            // Whoever asked may be gone.
            let _ = answer.send(span.in_scope(see)?);
        }
        Ok(())
    })
}
