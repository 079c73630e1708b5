//! Exports that were promised and not made yet when the backup was taken.

use std::time::Duration;

use goalpost_db::params;

use super::{Backup, SOON, content, organization};
use crate::jobs::Row;
use crate::jobs::process::{Folder, create, until_status};

#[tokio::test(flavor = "multi_thread")]
async fn a_promised_export_is_made_where_the_backup_is_restored() {
    let folder = Folder::new(20, "");
    let server = folder.serve(&["--no-worker"]);
    let id = create(&server).await;
    let backup = Backup::of(&folder);
    let place = backup.restored(&folder);
    let restored = place.serve(&[]);
    until_status(&restored, &id, "succeeded", SOON).await;
    assert!(!content(&restored, &id).await.is_empty());
    // The one that was backed up goes on as if nothing had been.
    until_status(&server, &id, "notStarted", SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_attempts_nor_the_time_before_the_restore_count() {
    let folder = Folder::new(20, "");
    let server = folder.serve(&["--no-worker"]);
    let id = create(&server).await;
    let db = folder.open().db.clone();
    let organization = organization(&db);
    // Its third worker holds it, and its deadline is over; it was promised two days ago.
    let aged = db.write_alone(organization, Duration::from_secs(5), |tx| {
        tx.execute(
            "update job set state = 'running', attempt = 3, lease_token = ?2, lease_until = ?3, deadline_at = ?4,
                    started_at = ?4, created_at = ?4 where organization = ?1",
            params![organization, [7; 16], tx.now_us() + 3_600_000_000, tx.now_us() - 2 * 86_400_000_000],
        )
    });
    assert_eq!(aged.unwrap(), 1);
    let place = Backup::of(&folder).restored(&folder);
    let restored = place.serve(&[]);
    until_status(&restored, &id, "succeeded", SOON).await;
    assert_eq!(Row::find(&place.open().db, &id).unwrap().attempt, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_nobody_had_begun_does_not_fail_for_the_age_of_its_backup() {
    let folder = Folder::new(20, "");
    let id = create(&folder.serve(&["--no-worker"])).await;
    folder.change("update job set created_at = 1000000 + length(?1)", "x");
    let place = Backup::of(&folder).restored(&folder);
    let restored = place.serve(&[]);
    until_status(&restored, &id, "succeeded", SOON).await;
}
