//! Readers that ask for the same at the same time share one reading: however many they are, the database is asked by one
//! at a time.
//!
//! Invariant: nobody is given what was read before they asked. Whoever comes while a reading goes on waits for the next
//! one, which one of those who wait makes for all of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Readings that go on, by what is asked for. Clones share them.
#[derive(Clone, Debug)]
pub struct SharedRead<K: Key, V> {
    waiting: Arc<Mutex<ByKey<K, V>>>,
}

/// What can be asked for.
pub trait Key: Eq + Hash + Clone {}

impl<K: Eq + Hash + Clone> Key for K {}

type Waiting<K, V> = oneshot::Sender<Turn<K, V>>;
type ByKey<K, V> = HashMap<K, Vec<Waiting<K, V>>>;

/// What one who waits is told.
#[derive(Debug)]
enum Turn<K: Key, V> {
    /// Another has read.
    Read(V),
    /// Read, also for others.
    Lead(Leader<K, V>),
}

/// Whoever reads, and those who waited when the reading began. Dropped before its end, another of them takes its place.
#[derive(Debug)]
struct Leader<K: Key, V> {
    of: SharedRead<K, V>,
    key: K,
    followers: Vec<Waiting<K, V>>,
}

impl<K: Key, V> Default for SharedRead<K, V> {
    fn default() -> Self {
        Self { waiting: Arc::default() }
    }
}

impl<K: Key, V: Clone> SharedRead<K, V> {
    /// What `read` reads for this key: one's own reading, or that of another which began after this was asked.
    pub async fn get(&self, key: K, read: impl Future<Output = V>) -> V {
        let turn = match self.lock().entry(key.clone()) {
            Entry::Vacant(nobody) => {
                nobody.insert(Vec::new());
                None
            }
            Entry::Occupied(mut waiting) => {
                let (sender, turn) = oneshot::channel();
                waiting.get_mut().push(sender);
                Some(turn)
            }
        };
        let leader = match turn {
            None => Leader { of: self.clone(), key, followers: Vec::new() },
            Some(turn) => match turn.await {
                Ok(Turn::Read(value)) => return value,
                Ok(Turn::Lead(leader)) => leader,
                // Nobody drops a sender without a word; reading by oneself is right in any case.
                Err(_) => return read.await,
            },
        };
        let value = read.await;
        leader.tell(&value);
        value
    }
}

impl<K: Key, V> SharedRead<K, V> {
    fn lock(&self) -> MutexGuard<'_, ByKey<K, V>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Key, V: Clone> Leader<K, V> {
    /// Tell those who waited what was read; whoever came since reads next.
    fn tell(mut self, value: &V) {
        for follower in self.followers.drain(..) {
            // It may have gone away.
            let _ = follower.send(Turn::Read(value.clone()));
        }
    }
}

impl<K: Key, V> Drop for Leader<K, V> {
    fn drop(&mut self) {
        let mut followers = std::mem::take(&mut self.followers);
        let mut waiting = self.of.lock();
        followers.append(waiting.entry(self.key.clone()).or_default());
        followers.retain(|follower| !follower.is_closed());
        if followers.is_empty() {
            waiting.remove(&self.key);
            return;
        }
        drop(waiting);
        let next = followers.remove(0);
        let of = SharedRead { waiting: Arc::clone(&self.of.waiting) };
        // If it has gone since, its turn is dropped here, and goes on to the one behind it.
        drop(next.send(Turn::Lead(Leader { of, key: self.key.clone(), followers })));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use tokio::sync::Semaphore;
    use tokio::task::{LocalSet, yield_now};

    use super::*;

    /// Let everything else run until it waits.
    async fn settle() {
        for _ in 0..200 {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn all_who_come_while_one_reads_share_the_next_reading() {
        let local = LocalSet::new();
        let (shared, reads, gate) =
            (SharedRead::default(), Rc::new(Cell::new(0)), Rc::new(Semaphore::new(0)));
        let ask = || {
            let (shared, reads, gate) = (shared.clone(), Rc::clone(&reads), Rc::clone(&gate));
            local.spawn_local(async move {
                let read = async {
                    gate.acquire().await.unwrap().forget();
                    reads.set(reads.get() + 1);
                    reads.get()
                };
                shared.get("key", read).await
            })
        };
        let (first, rest) = local
            .run_until(async {
                let first = ask();
                settle().await;
                let rest: Vec<_> = (0..50).map(|_| ask()).collect();
                settle().await;
                gate.add_permits(2);
                let mut answers = Vec::new();
                for one in rest {
                    answers.push(one.await.unwrap());
                }
                (first.await.unwrap(), answers)
            })
            .await;
        assert_eq!((first, rest), (1, vec![2; 50]));
        assert!(shared.lock().is_empty(), "nothing is kept of what was read");
    }

    #[tokio::test]
    async fn whoever_goes_away_while_reading_is_replaced() {
        let local = LocalSet::new();
        let shared: SharedRead<&str, u32> = SharedRead::default();
        local
            .run_until(async {
                let forever = shared.clone();
                let first =
                    local.spawn_local(async move { forever.get("key", std::future::pending()).await });
                settle().await;
                let gone = shared.clone();
                let second = local.spawn_local(async move { gone.get("key", std::future::pending()).await });
                let stays = shared.clone();
                let third = local.spawn_local(async move { stays.get("key", async { 3 }).await });
                settle().await;
                first.abort();
                settle().await;
                second.abort();
                assert_eq!(third.await.unwrap(), 3);
            })
            .await;
        assert!(shared.lock().is_empty());
    }

    proptest! {
        #[test]
        fn nobody_is_given_what_was_read_before_they_asked(
            askers in vec((0..10_usize, 0..4_usize, any::<bool>()), 1..30)
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (shared, now) = (SharedRead::default(), Rc::new(Cell::new(0)));
            let ask = async |before: usize, during: usize, stays: bool| {
                for _ in 0..before {
                    yield_now().await;
                }
                let asked = now.get();
                let read = async {
                    let read = now.get();
                    for _ in 0..during {
                        yield_now().await;
                    }
                    now.set(now.get() + 1);
                    read
                };
                if stays {
                    assert!(shared.get("key", read).await >= asked);
                } else {
                    tokio::select! { _ = shared.get("key", read) => {}, () = yield_now() => {} }
                }
            };
            let all = askers.into_iter().map(|(before, during, stays)| ask(before, during, stays));
            runtime.block_on(futures_util::future::join_all(all));
            prop_assert!(shared.lock().is_empty());
        }
    }
}
