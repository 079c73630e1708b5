//! Forgetting: exports whose time is over, and files that no export points to.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use goalpost_db::{Error, Scope};
use serde_json::json;
use uuid::Uuid;

use super::queries::{self, Standing};
use crate::app::App;
use crate::audit;
use crate::ids::OrganizationNumber;
use crate::imports::queries::{self as imports, is_sent};
use crate::jobs::sweep;
use crate::store::{self, Entry};

/// How often time's decisions are carried out. Readers never see them late: every query looks at the time itself.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// After so long other nodes may have taken what was left of an organization's room.
const ROOM_IS_KNOWN: Duration = Duration::from_secs(5);
/// How often a folder, and an object store, is looked through for orphans.
const LOOK_EVERY: Duration = Duration::from_mins(10);
const LOOK_AFAR_EVERY: Duration = Duration::from_mins(30);
/// After so long nobody sends the file of an import any more whose job is not there, microseconds.
const SENDING_IS_OVER_US: i64 = 24 * 60 * 60 * 1_000_000;
/// After so long nobody needs what a probe left that died, microseconds.
const PROBE_IS_OVER_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Sweep until the app's stop. Looking through a large store takes its time, and nothing waits for it.
pub async fn run(app: App) {
    tokio::join!(sweep(&app), look_for_orphans(&app));
}

async fn sweep(app: &App) {
    while !app.stop.is_asked() {
        if let Err(error) = sweep_once(app).await {
            tracing::warn!(%error, "could not sweep");
        }
        wait(SWEEP_EVERY, app).await;
    }
}

async fn look_for_orphans(app: &App) {
    let every = if app.content.outlives_removal() { LOOK_EVERY } else { LOOK_AFAR_EVERY };
    while !app.stop.is_asked() {
        tokio::select! {
            removed = remove_orphans(app) => if let Err(error) = removed {
                tracing::warn!(%error, "could not look for orphans in the store");
            },
            () = app.stop.asked() => return,
        }
        wait(every, app).await;
    }
}

async fn wait(time: Duration, app: &App) {
    tokio::select! {
        () = app.stop.asked() => {}
        () = tokio::time::sleep(time) => {}
    }
}

/// Give up what nobody can finish, and forget what is over.
///
/// An export is forgotten when it expires if its file stays readable for who has it open; else only later
/// (`content.remove_after_secs`), since in the meantime nobody can begin to read it, and who has begun can end.
pub async fn sweep_once(app: &App) -> Result<(), Error> {
    let figures = app.figures();
    sweep::fail_overdue(&app.db, figures, &app.metrics.jobs).await?;
    expire_excess(app).await?;
    for job in sweep::list_expired(&app.db, figures).await? {
        let forgotten = app
            .db
            .write(job.organization, move |tx| {
                let forgotten = queries::delete_expired(tx, job, &figures)?;
                let Some(file) = forgotten else { return Ok(None) };
                if let Some(file) = imports::forget_job(tx, job)? {
                    return Ok(file);
                }
                let id = job.id.to_string();
                audit::record(tx, job.organization, None, "exportExpired", &id, &json!({}))?;
                Ok::<_, Error>(file)
            })
            .await?;
        // The row first: whoever finds the row finds the file. If the process dies in between, the file is an orphan.
        if let Some(key) = forgotten
            && let Err(error) = app.content.remove(&key).await
        {
            tracing::warn!(%error, "could not remove an expired content; it is swept later");
        }
    }
    sweep::count_pending(&app.db, &app.metrics.jobs).await
}

/// How much organizations may publish until somebody has to look whether they keep too much.
#[derive(Debug, Default)]
pub(super) struct Room(Mutex<HashMap<OrganizationNumber, Left>>);

/// Exports, and bytes of them.
type Extent = (i64, i64);

/// What an organization may still publish, and what it has since that was found out.
#[derive(Debug)]
struct Left {
    room: Extent,
    taken: Extent,
    known_since: Instant,
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, HashMap<OrganizationNumber, Left>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An export was published, of so many bytes.
    pub(super) fn take(&self, organization: OrganizationNumber, size_bytes: u64) {
        let unknown = || Left { room: (0, 0), taken: (0, 0), known_since: Instant::now() };
        let mut all = self.lock();
        let (exports, bytes) = &mut all.entry(organization).or_insert_with(unknown).taken;
        *exports += 1;
        *bytes += size_bytes as i64;
    }

    /// Organizations that have taken more than there was, or so long ago that other nodes may have taken the rest.
    fn to_look_at(&self) -> Vec<OrganizationNumber> {
        let is_due = |Left { room, taken, known_since }: &Left| {
            let is_over = taken.0 > room.0 || taken.1 > room.1;
            taken.0 > 0 && (is_over || known_since.elapsed() >= ROOM_IS_KNOWN)
        };
        self.lock().iter().filter(|(_, left)| is_due(left)).map(|(organization, _)| *organization).collect()
    }

    /// Somebody looks, and sees at least what was taken before.
    fn is_looked_at(&self, organization: OrganizationNumber) {
        self.lock().insert(organization, Left { room: (0, 0), taken: (0, 0), known_since: Instant::now() });
    }

    fn was_looked_at(&self, organization: OrganizationNumber, room: Extent) {
        if let Some(left) = self.lock().get_mut(&organization) {
            left.room = room;
        }
    }
}

/// Let old exports go where new ones have brought an organization over what it may keep.
async fn expire_excess(app: &App) -> Result<(), Error> {
    let room = app.kept.get::<Room>();
    let (max_kept, max_kept_bytes) = (app.config.exports.max_kept, app.config.exports.max_kept_bytes);
    for organization in room.to_look_at() {
        room.is_looked_at(organization);
        let expired = app.db.write(organization, move |tx| {
            queries::expire_excess(tx, organization, max_kept, max_kept_bytes)
        });
        // As after a publication: it is to be looked at again.
        let (expired, left) = expired.await.inspect_err(|_| room.take(organization, 0))?;
        room.was_looked_at(organization, left);
        if expired > 0 {
            tracing::info!(%organization, expired, "old exports made room for new ones");
        }
    }
    Ok(())
}

/// Remove the files of attempts that nobody will publish. Returns how many.
///
/// A file is an orphan only if its job has ended without it, so one that is in the making is never touched; and any
/// node may look at any time, since what is an orphan once stays one.
pub async fn remove_orphans(app: &App) -> anyhow::Result<u64> {
    let (mut removed, mut left) = (0, 0);
    let mut listing = app.content.list();
    loop {
        let page = listing.next_page().await?;
        if page.is_empty() {
            app.metrics.store.orphans_left(left);
            return Ok(removed);
        }
        for orphan in orphans(app, page).await? {
            if let Err(error) = app.content.discard(&orphan).await {
                tracing::warn!(%error, "could not remove a file that no export needs");
                left += orphan.size_bytes;
            } else {
                app.metrics.store.orphan_removed(orphan.size_bytes);
                removed += 1;
            }
        }
    }
}

/// Those entries that nobody needs. Neighbours are mostly of one organization, and are looked up together.
async fn orphans(app: &App, entries: Vec<Entry>) -> Result<Vec<Entry>, Error> {
    let mut orphans = Vec::new();
    let mut known = Vec::new();
    let now = app.db.read(Scope::Global, |tx| Ok::<_, Error>(tx.now_us())).await?;
    for entry in entries {
        if let Some((organization, job)) = parse_key(&entry.key) {
            known.push((organization, job, entry));
        } else if store::is_probe(&entry.key) && entry.modified_at < now - PROBE_IS_OVER_US {
            orphans.push(entry);
        }
    }
    for neighbours in known.chunk_by(|(one, ..), (other, ..)| one == other) {
        let (organization, ..) = neighbours[0];
        let found = app.db.read(organization, |tx| {
            let mut found = Vec::new();
            for (_, job, entry) in neighbours {
                let is_orphan = match queries::standing(tx, organization, *job, &entry.key)? {
                    Standing::Orphan => true,
                    // A file that is sent is here before its job.
                    Standing::NoJob => !is_sent(&entry.key) || entry.modified_at < now - SENDING_IS_OVER_US,
                    Standing::Published | Standing::Pending => false,
                };
                if is_orphan {
                    found.push(entry.clone());
                }
            }
            Ok::<_, Error>(found)
        });
        orphans.extend(found.await?);
    }
    Ok(orphans)
}

/// The folder and name of an attempt's file: no two attempts share them, also not those of a zombie.
pub fn content_name(
    organization: OrganizationNumber,
    job: Uuid,
    attempt: i64,
    token: [u8; 16],
) -> (String, String) {
    (organization.to_string(), format!("{job}.{attempt}.{}.csv", Uuid::from_bytes(token).simple()))
}

fn parse_key(key: &str) -> Option<(OrganizationNumber, Uuid)> {
    let (folder, name) = key.split_once('/')?;
    let job = Uuid::try_parse(name.split('.').next()?).ok()?;
    Some((OrganizationNumber(folder.parse().ok()?), job))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUSE: OrganizationNumber = OrganizationNumber(1);

    #[test]
    fn an_organization_is_looked_at_once_it_may_keep_too_much() {
        let room = Room::default();
        assert_eq!(room.to_look_at(), []);
        room.take(HOUSE, 10);
        assert_eq!(room.to_look_at(), [HOUSE], "nobody knows what it keeps");
        room.is_looked_at(HOUSE);
        room.was_looked_at(HOUSE, (2, 100));
        for _ in 0..2 {
            room.take(HOUSE, 10);
            assert_eq!(room.to_look_at(), []);
        }
        room.take(HOUSE, 10);
        assert_eq!(room.to_look_at(), [HOUSE], "one export too many");
        room.is_looked_at(HOUSE);
        room.was_looked_at(HOUSE, (2, 100));
        room.take(HOUSE, 101);
        assert_eq!(room.to_look_at(), [HOUSE], "a byte too many");
    }

    #[test]
    fn what_is_published_while_somebody_looks_counts() {
        let room = Room::default();
        room.take(HOUSE, 10);
        room.is_looked_at(HOUSE);
        room.take(HOUSE, 10);
        room.was_looked_at(HOUSE, (0, 100));
        assert_eq!(room.to_look_at(), [HOUSE]);
    }
}
