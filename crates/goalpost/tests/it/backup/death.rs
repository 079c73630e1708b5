//! Backups and restores that die in the middle, as by `kill -9`.

use std::path::Path;
use std::process::Command;

use goalpost::backup::manifest::Manifest;
use goalpost::backup::save::{Source, save};
use goalpost::backup::{Progress, restore};
use goalpost::config::{Config, Overrides};
use goalpost_testing::Engine;
use tempfile::TempDir;

use super::{Backup, empty_place, export, stderr};
use crate::jobs::process::Folder;

/// Not a test: the process that the tests below let die.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that another test starts"]
async fn a_process_that_dies() {
    let variable = |name| std::env::var(name).expect("the other test sets it");
    let mut steps_left: u32 = variable("STEPS").parse().unwrap();
    let mut tell = |_: Progress| {
        steps_left -= 1;
        if steps_left == 0 {
            std::process::abort();
        }
    };
    let overrides = Overrides {
        data: Some(variable("GOALPOST_DATA").into()),
        database: std::env::var("GOALPOST_DATABASE").ok(),
        ..Overrides::default()
    };
    let config = Config::load(&overrides).unwrap();
    let backup = variable("BACKUP");
    tokio::task::block_in_place(|| {
        if variable("WHAT") == "backup" {
            save(&Source::open(&config, None).unwrap(), Path::new(&backup), &mut tell).unwrap();
        } else {
            restore::restore(Path::new(&backup), &config, false, &mut tell).unwrap();
        }
    });
}

/// Whether the work on this place died after so many steps, before it came to its end.
fn dies_after(steps: u32, what: &str, place: &Folder, backup: &Path) -> bool {
    let program = std::env::current_exe().unwrap();
    let like = place.command(what);
    let mut process = Command::new(program);
    process.args(["--exact", "backup::death::a_process_that_dies", "--ignored"]);
    process.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    process.env("BACKUP", backup).env("WHAT", what).env("STEPS", steps.to_string());
    let ended = process.output().unwrap();
    if !ended.status.success() {
        let signal = std::os::unix::process::ExitStatusExt::signal(&ended.status);
        assert_eq!(signal, Some(6), "{}", String::from_utf8_lossy(&ended.stdout));
    }
    !ended.status.success()
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
