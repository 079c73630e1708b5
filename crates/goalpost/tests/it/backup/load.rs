//! Backups while people edit and export.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use goalpost::exports::ExportId;
use goalpost::orgs::queries::raise_revision;
use goalpost_db::{Db, Error, params};
use goalpost_testing::Engine;

use super::{Backup, SOON, content, export, organization};
use crate::jobs::eventually;
use crate::jobs::process::{Folder, Server};

/// Backups, unless `GOALPOST_BACKUPS` says how many.
const BACKUPS: usize = 3;

/// What was exported: of each state of the organization, and by each export.
#[derive(Clone, Default)]
struct Exported {
    by_revision: BTreeMap<i64, Vec<u8>>,
    by_id: BTreeMap<String, Vec<u8>>,
}

impl Exported {
    async fn export(&mut self, server: &Server, db: &Db) {
        let (id, bytes) = export(server).await;
        self.by_revision.insert(revision_of(db, &id), bytes.clone());
        self.by_id.insert(id, bytes);
    }
}

/// The state that an export shows.
fn revision_of(db: &Db, id: &str) -> i64 {
    let (organization, job) = (organization(db), ExportId::parse(id).unwrap().job);
    let sql = "select revision from export where organization = ?1 and job = ?2";
    let find = |tx: &goalpost_db::Tx<'_>| {
        tx.query_one(sql, params![organization, job.into_bytes()], |row| row.int(0))
    };
    db.snapshot(organization, find).unwrap()
}

/// Change every goal, as a new state of the organization.
fn edit(db: &Db, round: usize) {
    let organization = organization(db);
    let changed = db.write_alone(organization, Duration::from_secs(5), |tx| {
        raise_revision(tx, organization, None, "test")?;
        tx.execute(
            "update goal set title = ?2 where organization = ?1",
            params![organization, format!("Edited {round}")],
        )
    });
    assert!(changed.unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn r18_exports_of_a_restored_place_are_those_of_the_backups_instant() {
    let rounds = crate::setting("GOALPOST_BACKUPS", BACKUPS);
    let folder = Arc::new(Folder::new(200, "[limits]\ncreates_per_10_secs = 100000\n"));
    let server = folder.serve(&[]);
    let (stop, begun) = (AtomicBool::new(false), tokio::sync::Notify::new());
    let load = async {
        let db = folder.open().db.clone();
        let mut exported = Exported::default();
        for round in 0.. {
            // Every state is exported before the next one is made.
            exported.export(&server, &db).await;
            begun.notify_one();
            if stop.load(Ordering::Relaxed) {
                break;
            }
            tokio::task::block_in_place(|| edit(&db, round));
        }
        exported
    };
    let backing_up = async {
        let mut backups = Vec::new();
        for _ in 0..rounds {
            begun.notified().await;
            let folder = Arc::clone(&folder);
            backups.push(tokio::task::spawn_blocking(move || Backup::of(&folder)).await.unwrap());
        }
        stop.store(true, Ordering::Relaxed);
        backups
    };
    let (exported, backups) = tokio::join!(load, backing_up);
    for backup in &backups {
        assert_restored(&folder, backup, &exported).await;
    }
    println!("soak: {} backups restored, {} exports meanwhile", backups.len(), exported.by_id.len());
    let states: Vec<_> = backups.iter().map(Backup::tables).collect();
    assert!(states.windows(2).all(|pair| pair[0] != pair[1]), "nothing was edited between two backups");
}

async fn assert_restored(folder: &Folder, backup: &Backup, exported: &Exported) {
    let place = tokio::task::block_in_place(|| backup.restored(folder));
    let server = place.serve(&[]);
    let db = place.open().db.clone();
    // One that was pending is made first.
    eventually(SOON, "the end of what was pending", async || {
        let sql = "select count(*) from job where organization = ?1 and state not in ('succeeded', 'failed')";
        let pending = db.snapshot(organization(&db), |tx| {
            tx.query_one(sql, params![organization(&db)], |row| row.int(0))
        });
        (pending.unwrap() == 0).then_some(())
    })
    .await;
    let finished = db.snapshot(organization(&db), |tx| {
        let sql = "select id from job where organization = ?1 and state = 'succeeded'";
        tx.query(sql, params![organization(&db)], |row| Ok::<_, Error>(uuid::Uuid::from_bytes(row.bytes(0)?)))
    });
    let finished = finished.unwrap();
    assert!(!finished.is_empty(), "an export had finished before the backup");
    for job in finished {
        let id = ExportId { organization: goalpost::demo::ORGANIZATION, job }.to_string();
        assert!(content(&server, &id).await == exported.by_id[&id], "the file of {id} is another one");
    }
    let (id, bytes) = export(&server).await;
    let revision = revision_of(&db, &id);
    assert!(exported.by_revision[&revision] == bytes, "revision {revision} is exported otherwise");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_one_engine_is_restored_to_the_other_and_nothing_is_lost() {
    let folder = Folder::on(Engine::Sqlite, 120, "");
    let server = folder.serve(&[]);
    let (id, bytes) = export(&server).await;
    edit(&folder.open().db, 1);
    let (_, edited) = export(&server).await;
    assert!(server.terminate().await.success());
    let first = Backup::of(&folder);
    for engine in [Engine::Postgres, Engine::Sqlite] {
        let place = first.restored_on(engine, &folder);
        let again = Backup::of(&place);
        assert_eq!(again.tables(), first.tables(), "the same rows, from {engine:?}");
        assert_eq!(again.told["exportFiles"], 2);
        let back = again.restored_on(Engine::Sqlite, &folder);
        assert_eq!(Backup::of(&back).tables(), first.tables(), "there and back by {engine:?}");
        let server = place.serve(&[]);
        assert!(content(&server, &id).await == bytes);
        assert!(export(&server).await.1 == edited);
    }
}
