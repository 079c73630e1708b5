//! Forgetting: exports whose time is over, and files that no export points to.

use std::time::Duration;

use goalpost_db::Error;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::queries::{self, Standing};
use crate::app::App;
use crate::audit;
use crate::ids::OrganizationNumber;
use crate::jobs::sweep;

/// How often time's decisions are carried out. Readers never see them late: every query looks at the time itself.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Sweeps between two looks through the store for orphans.
const ORPHANS_EVERY: u32 = 600;

/// Sweep until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    let mut turn = 0_u32;
    loop {
        if let Err(error) = sweep_once(&app).await {
            tracing::warn!(%error, "could not sweep");
        }
        if turn.is_multiple_of(ORPHANS_EVERY)
            && let Err(error) = remove_orphans(&app)
        {
            tracing::warn!(%error, "could not look for orphans in the store");
        }
        turn = turn.wrapping_add(1);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
    }
}

/// Give up what nobody can finish, and forget what is over.
pub async fn sweep_once(app: &App) -> Result<(), Error> {
    sweep::fail_overdue(&app.db, app.figures()).await?;
    for job in sweep::list_expired(&app.db)? {
        let forgotten = app
            .db
            .write(move |tx| {
                let forgotten = queries::delete_expired(tx, job)?;
                if forgotten.is_some() {
                    let id = job.id.to_string();
                    audit::record(tx, job.organization, None, "exportExpired", &id, &json!({}))?;
                }
                Ok::<_, Error>(forgotten)
            })
            .await?;
        // The row first: whoever finds the row finds the file.
        if let Some(Some(key)) = forgotten
            && let Err(error) = app.content.remove(&key)
        {
            tracing::warn!(%error, "could not remove an expired content; it is swept later");
        }
    }
    Ok(())
}

/// Remove the files of attempts that nobody will publish. Returns how many.
///
/// A file is an orphan only if its job has ended without it, so one that is in the making is never touched.
pub fn remove_orphans(app: &App) -> anyhow::Result<u64> {
    let mut removed = 0;
    for key in app.content.list()? {
        let Some((organization, job)) = parse_key(&key) else { continue };
        if app.db.read(|tx| queries::standing(tx, organization, job, &key))? == Standing::Orphan {
            app.content.remove(&key)?;
            removed += 1;
        }
    }
    Ok(removed)
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
