//! Short writes that share a transaction: those that come while one is under way wait for the next, so that many cost the
//! server little more than one. One that cannot be done is undone with all of its group, and then each runs alone.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Postgres;
use crate::Tx;
use crate::error::{Error, ErrorKind, Result};
use crate::pending::{Pending, Write};
use crate::scope::Scope;

/// Writes that share a transaction, at most.
const GROUP: usize = 16;

/// Writes that wait; `None` if no transaction of such is under way.
#[derive(Default)]
pub(super) struct Together(Mutex<Option<Vec<Joined>>>);

/// A write of an organization.
struct Joined {
    organization: i64,
    write: Box<dyn Write>,
}

impl Together {
    /// Let a write wait; whether nobody is there to serve it.
    fn add(&self, joined: Joined) -> bool {
        let mut waiting = lock(&self.0);
        let is_first = waiting.is_none();
        waiting.get_or_insert_default().push(joined);
        is_first
    }

    /// Those that are served next; `None` if nobody waits, and then whoever comes next is the first again.
    fn take(&self) -> Option<Vec<Joined>> {
        let mut waiting = lock(&self.0);
        let all = waiting.as_mut().filter(|all| !all.is_empty());
        let Some(all) = all else {
            *waiting = None;
            return None;
        };
        let most = all.len().min(GROUP);
        Some(all.drain(..most).collect())
    }
}

/// As [`crate::Db::write_together`].
pub(crate) async fn write<T, E, F>(postgres: &Arc<Postgres>, scope: Scope, f: F) -> Result<T, E>
where
    F: Fn(&Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let Scope::Organization(organization) = scope else { return postgres.write(scope, f).await };
    let (pending, answer) = Pending::new(f, postgres.settings.write_wait);
    if postgres.together.add(Joined { organization, write: Box::new(pending) }) {
        // Apart from its caller, who may go away while others wait.
        tokio::spawn(serve(Serving { postgres: Arc::clone(postgres), is_over: false }));
    }
    answer.wait().await
}

/// Whoever serves. Should it end before nobody waits, as with its runtime, those who wait are refused, and whoever comes
/// next is the first again.
struct Serving {
    postgres: Arc<Postgres>,
    is_over: bool,
}

impl Drop for Serving {
    fn drop(&mut self) {
        if !self.is_over {
            lock(&self.postgres.together.0).take();
        }
    }
}

/// Serve groups until nobody waits.
async fn serve(mut serving: Serving) {
    let postgres = Arc::clone(&serving.postgres);
    while let Some(group) = postgres.together.take() {
        let group = Mutex::new(group);
        let result = postgres.short(|_| write_all(&postgres, &group)).await;
        for one in lock(&group).drain(..) {
            one.write.answer(result.clone());
        }
    }
    serving.is_over = true;
}

/// Write a group in one transaction, or else each of it in one of its own.
fn write_all(postgres: &Postgres, group: &Mutex<Vec<Joined>>) -> Result<()> {
    // Those of an organization one after the other: the server is told once which it is.
    lock(group).sort_by_key(|one| one.organization);
    let Some(first) = lock(group).first().map(|one| one.organization) else { return Ok(()) };
    for one in lock(group).iter() {
        postgres.tally.write_began(one.write.asked_at().elapsed());
    }
    let all = |tx: &Tx<'_>| {
        for one in lock(group).iter_mut() {
            tx.enter(one.organization);
            one.run(tx)?;
        }
        Ok::<_, Error>(())
    };
    let result = postgres.repeat(postgres.short_write(), Scope::Organization(first), &all);
    match result {
        // Where nobody knows whether they were written, they are not written again.
        Err(error) if error.kind() != ErrorKind::Unavailable && lock(group).len() > 1 => {}
        known => return known,
    }
    for mut one in std::mem::take(&mut *lock(group)) {
        let scope = Scope::Organization(one.organization);
        let alone = RefCell::new(&mut one);
        let result = postgres.repeat(postgres.short_write(), scope, &|tx| alone.borrow_mut().run(tx));
        one.write.answer(result);
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Joined {
    fn run(&mut self, tx: &Tx<'_>) -> Result<()> {
        if self.write.run(tx) { Ok(()) } else { Err(Error::unexpected("a write is to leave no trace")) }
    }
}
