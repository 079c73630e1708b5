//! Backups and restores that die in the middle, as by `kill -9`.

use std::path::Path;

use goalpost::backup::manifest::Manifest;
use goalpost::backup::restore;
use goalpost::backup::save::{Source, save};
use goalpost_testing::Engine;
use tempfile::TempDir;

use super::{Backup, empty_place, export, stderr};
use crate::dying;
use crate::jobs::process::Folder;

/// Not a test: the process that the tests below let die.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that another test starts"]
async fn a_process_that_dies() {
    let (what, folder, config, mut tell) = dying::work();
    tokio::task::block_in_place(|| {
        if what == "backup" {
            save(&Source::open(&config, None).unwrap(), &folder, &mut tell).unwrap();
        } else {
            restore::restore(&folder, &config, false, &mut tell).unwrap();
        }
    });
}

fn dies_after(steps: u32, what: &str, place: &Folder, folder: &Path) -> bool {
    dying::dies_after("backup::death::a_process_that_dies", steps, what, place, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_dies_at_any_step_is_none() {
    let folder = Folder::new(5, "");
    let server = folder.serve(&[]);
    export(&server).await;
    let above = TempDir::new().unwrap();
    let mut steps = 0;
    loop {
        steps += 1;
        let backup = above.path().join(steps.to_string());
        if !dies_after(steps, "backup", &folder, &backup) {
            assert!(Manifest::read(&backup).is_ok());
            break;
        }
        assert!(Manifest::read(&backup).unwrap_err().to_string().contains("no finished backup"));
        let refused = folder.command("restore").arg(&backup).arg("--check").output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    }
    assert!(steps > 40, "{steps} steps");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_dies_leaves_nothing_that_a_server_takes_for_whole_and_can_be_run_again() {
    let folder = Folder::new(30, "");
    let server = folder.serve(&[]);
    let (_, bytes) = export(&server).await;
    let backup = Backup::of(&folder);
    let place = empty_place(Engine::of_this_run(), &folder);
    let (mut steps, mut unfinished) = (0, 0);
    loop {
        steps += 1;
        if !dies_after(steps, "restore", &place, &backup.path) {
            break;
        }
        if place.path().join("restore.unfinished").exists() {
            let refused = place.command("serve").args(["--listen", "127.0.0.1:0"]).output().unwrap();
            assert_eq!(refused.status.code(), Some(1), "{refused:?}");
            assert!(stderr(&refused).contains("run `goalpost restore` again"), "{refused:?}");
            unfinished += 1;
        }
    }
    assert!(unfinished > 0, "it never died after it had begun to write");
    assert_eq!(Backup::of(&place).tables(), backup.tables());
    assert!(export(&place.serve(&[])).await.1 == bytes);
}
