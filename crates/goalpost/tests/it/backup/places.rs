//! Where backups may go, and where they may be restored to.

use std::fs;
use std::process::Command;

use goalpost_testing::{Engine, TestDatabase};
use tempfile::TempDir;

use super::{Backup, IN_STORE, empty_place, export, stderr};
use crate::jobs::process::Folder;

#[test]
fn a_backup_does_not_go_into_a_folder_that_holds_something() {
    let folder = Folder::new(1, "");
    let out = TempDir::new().unwrap();
    fs::write(out.path().join("other"), "").unwrap();
    let refused = folder.command("backup").arg("--out").arg(out.path()).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("is not empty"), "{refused:?}");
}

#[test]
fn a_place_without_data_is_not_backed_up() {
    let folder = Folder::new(1, "");
    let place = empty_place(Engine::of_this_run(), &folder);
    let refused =
        place.command("backup").args(["--out", "backup"]).current_dir(place.path()).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("no Goalpost data"), "{refused:?}");
    assert!(!place.path().join("backup").exists());
}

#[test]
fn a_place_that_holds_something_is_not_restored_to() {
    let folder = Folder::new(5, "");
    let backup = Backup::of(&folder);
    let before = Backup::of(&folder).tables();
    let refused = backup.restore_to(&folder, &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("is not empty"), "{refused:?}");
    assert_eq!(Backup::of(&folder).tables(), before);
}

#[test]
fn a_database_that_holds_something_is_not_restored_to() {
    let folder = Folder::on(Engine::Postgres, 5, "");
    let backup = Backup::of(&folder);
    // The same database, and a data folder that is empty.
    let data = TempDir::new().unwrap();
    let refused =
        folder.command("restore").arg(&backup.path).env("GOALPOST_DATA", data.path()).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("the database `postgres://"), "{refused:?}");
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn a_zero_with_a_sign_is_a_zero_on_an_engine_that_keeps_none() {
    let folder = Folder::on(Engine::Postgres, 5, "");
    folder.change("update goal set progress = cast(?1 as double precision)", "-0");
    Backup::of(&folder).restored_on(Engine::Sqlite, &folder);
}

#[test]
fn the_settings_of_the_backup_hold_unless_the_folder_has_its_own() {
    let folder = Folder::new(1, "[exports]\nmax_open = 7\n");
    let backup = Backup::of(&folder);
    let settings = |place: &Folder| fs::read_to_string(place.path().join("goalpost.toml")).unwrap();
    assert!(settings(&backup.restored(&folder)).contains("max_open = 7"));
    let place = empty_place(Engine::of_this_run(), &folder);
    fs::write(place.path().join("goalpost.toml"), "[exports]\nmax_open = 8\n").unwrap();
    let restored = backup.restore_to(&place, &[]);
    assert!(restored.status.success(), "{}", stderr(&restored));
    assert!(settings(&place).contains("max_open = 8"));
}

#[test]
fn the_database_that_the_settings_of_the_backup_name_is_restored_to() {
    let folder = Folder::on(Engine::Postgres, 5, "");
    let database = TestDatabase::empty_on_postgres();
    // Settings that lie elsewhere, and so say where the data folder is.
    let above = TempDir::new().unwrap();
    let settings = above.path().join("server.toml");
    let write = |url: &str| {
        let text = format!("data = '{}'\n[database]\nurl = '{url}'\n", folder.path().display());
        fs::write(&settings, text).unwrap();
    };
    write(folder.database_url().unwrap());
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_goalpost"));
        command.args(words).env_clear().current_dir(above.path()).output().unwrap()
    };
    let taken = run(&["backup", "--config", "server.toml", "--out", "backup"]);
    assert!(taken.status.success(), "{}", stderr(&taken));
    // Its own database holds something.
    let refused = run(&["restore", "backup", "--data", "new"]);
    assert!(stderr(&refused).contains("the database `postgres://"), "{refused:?}");
    let url = database.url.as_deref().unwrap();
    let restored = run(&["restore", "backup", "--data", "new", "--database", url]);
    assert!(restored.status.success(), "{}", stderr(&restored));
    assert!(above.path().join("new/goalpost.backup.toml").exists());
    assert!(!above.path().join("new/goalpost.toml").exists());
    let shown = run(&["org", "list", "--data", "new", "--database", url, "--output", "json"]);
    assert!(String::from_utf8(shown.stdout).unwrap().contains(&goalpost::demo::ORGANIZATION.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_and_a_restore_say_what_they_did_and_how_long_it_took() {
    let folder = Folder::new(5, IN_STORE);
    let server = folder.serve(&[]);
    export(&server).await;
    let backup = Backup::of(&folder);
    for field in ["rows", "bytes", "elapsedMs", "instant", "exportFiles"] {
        assert!(!backup.told[field].is_null(), "{}", backup.told);
    }
    assert_eq!(backup.told["exportFiles"], 1);
    let checked = backup.restore_to(&folder, &["--check"]);
    let told = String::from_utf8(checked.stdout).unwrap();
    assert!(told.contains("is whole") && told.contains("Took  "), "{told}");
    let place = empty_place(Engine::of_this_run(), &folder);
    let restored = backup.restore_to(&place, &["--output", "json"]);
    let told: serde_json::Value = serde_json::from_slice(&restored.stdout).unwrap();
    assert_eq!((&told["restored"], &told["rows"]), (&true.into(), &backup.told["rows"]));
}
