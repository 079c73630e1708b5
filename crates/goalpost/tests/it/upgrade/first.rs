//! What the first version made, in the hands of this one.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use goalpost::demo;
use goalpost::exports::ExportId;
use goalpost_db::{Db, Error, Location, SCHEMA_VERSION, Scope, Settings, Version, params};
use goalpost_testing::DiesBefore;
use sha2::{Digest as _, Sha256};

use super::{FIRST, GOLDEN, OWNER, first};
use crate::jobs::process::{Folder, create, until_status};

const SOON: Duration = Duration::from_secs(30);

fn version(folder: &Folder) -> Version {
    Db::version_of(&Location::file(&folder.path().join("goalpost.db"))).unwrap().unwrap()
}

/// An export of now, and the one that the first version made, are what the first version made.
async fn assert_golden(folder: &mut Folder) {
    folder.sign_in(OWNER);
    let server = folder.serve(&[]);
    let id = create(&server).await;
    until_status(&server, &id, "succeeded", SOON).await;
    let db = folder.open().db.clone();
    let finished = db.snapshot(Scope::Global, |tx| {
        let sql = "select id from job where state = 'succeeded' order by created_at";
        tx.query(sql, params![], |row| Ok::<_, Error>(uuid::Uuid::from_bytes(row.bytes(0)?)))
    });
    let finished = finished.unwrap();
    assert_eq!(finished.len(), 2);
    for job in finished {
        let id = ExportId { organization: demo::ORGANIZATION, job }.to_string();
        let content = server.client.get_content(&id).await;
        assert_eq!(content.status, 200, "{}", content.text());
        assert!(content.bytes == GOLDEN, "{id} differs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r17_data_of_the_first_version_are_brought_up_to_date_and_exported_alike() {
    let mut folder = first();
    assert_eq!(version(&folder), FIRST);
    assert_golden(&mut folder).await;
    assert_eq!(version(&folder), SCHEMA_VERSION);
}

#[test]
fn r17_a_migration_that_ran_somewhere_is_never_changed() {
    let folder = first();
    let settings = Settings { migrate: false, newest: FIRST, ..Settings::default() };
    let db = Db::open(&Location::file(&folder.path().join("goalpost.db")), settings).unwrap();
    let ran: Vec<[u8; 32]> = db
        .snapshot(Scope::Global, |tx| {
            tx.query("select sha256 from schema_migration order by version", params![], |row| row.bytes(0))
        })
        .unwrap();
    let text = include_bytes!("../../../../goalpost-db/migrations/0001_foundation.sql");
    assert_eq!(ran, [<[u8; 32]>::from(Sha256::digest(text))]);
}

/// Not a test: the process that the test below lets die.
#[test]
#[ignore = "the process that another test starts"]
fn a_migration_that_dies() {
    let variable = |name| std::env::var(name).expect("the other test sets it");
    let faults = Arc::new(DiesBefore::statement(variable("STATEMENT").parse().unwrap()));
    let settings = Settings { faults: Some(faults), ..Settings::default() };
    Db::open(&Location::file(variable("DATABASE").as_ref()), settings).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn r17_killed_before_each_of_its_statements_a_migration_completes_when_run_again() {
    let mut folder = first();
    let mut statement = 1;
    loop {
        let mut process = Command::new(std::env::current_exe().unwrap());
        process.args(["--exact", "upgrade::first::a_migration_that_dies", "--ignored"]);
        process.env("STATEMENT", statement.to_string()).env("DATABASE", folder.path().join("goalpost.db"));
        if process.output().unwrap().status.success() {
            break;
        }
        assert_eq!(version(&folder), FIRST, "killed before statement {statement}");
        statement += 1;
    }
    assert!(statement > 6, "{statement} statements");
    assert_eq!(version(&folder), SCHEMA_VERSION);
    assert_golden(&mut folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_an_older_schema_leaves_it_as_it_is_and_is_restored_to_that_of_today() {
    let folder = first();
    let above = tempfile::tempdir().unwrap();
    let backup = above.path().join("backup");
    let taken = folder.command("backup").arg("--out").arg(&backup).output().unwrap();
    assert!(taken.status.success(), "{taken:?}");
    assert_eq!(version(&folder), FIRST);
    let data = tempfile::tempdir().unwrap();
    let database = goalpost_testing::TestDatabase::empty(data.path());
    let location = database.location();
    let mut place = folder.copied_to(database, data);
    let restored = place.command("restore").arg(&backup).output().unwrap();
    assert!(restored.status.success(), "{restored:?}");
    assert_eq!(Db::version_of(&location).unwrap(), Some(SCHEMA_VERSION));
    place.sign_in(OWNER);
    let server = place.serve(&[]);
    let id = create(&server).await;
    until_status(&server, &id, "succeeded", SOON).await;
    assert!(server.client.get_content(&id).await.bytes == GOLDEN);
}
