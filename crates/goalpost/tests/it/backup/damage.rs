//! Backups that are not what they were.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{Backup, IN_STORE, empty_place, export, stderr};
use crate::jobs::process::Folder;
use goalpost_testing::Engine;

async fn backup() -> (Folder, Backup) {
    let folder = Folder::new(20, &format!("listen = '127.0.0.1:9'\n{IN_STORE}"));
    let server = folder.serve(&[]);
    export(&server).await;
    let backup = Backup::of(&folder);
    (folder, backup)
}

#[tokio::test(flavor = "multi_thread")]
async fn r18_one_flipped_bit_is_found_in_any_file_and_nothing_is_restored() {
    let (folder, backup) = backup().await;
    let place = empty_place(Engine::Sqlite, &folder);
    let files = backup.files();
    for kind in ["tables/goal.jsonl", "content/", "keys/signing-key.pk8", "goalpost.toml", "manifest.json"] {
        assert!(files.iter().any(|file| file.starts_with(kind)), "{kind} is not in {files:?}");
    }
    for file in files {
        let path = backup.path.join(&file);
        let bytes = fs::read(&path).unwrap();
        if bytes.is_empty() {
            continue;
        }
        for place in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1;
            fs::write(&path, flipped).unwrap();
            let checked = backup.restore_to(&folder, &["--check"]);
            let told = stderr(&checked);
            assert_eq!(checked.status.code(), Some(1), "{file}: {told}");
            assert!(told.contains(&format!("`{file}`")), "{file}: {told}");
        }
        let refused = backup.restore_to(&place, &[]);
        assert_eq!(refused.status.code(), Some(1), "{file}");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "{file}: something was written");
        fs::write(&path, bytes).unwrap();
    }
    let checked = backup.restore_to(&folder, &["--check"]);
    assert!(checked.status.success(), "{}", stderr(&checked));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_missing_or_shortened_file_is_named() {
    let (folder, backup) = backup().await;
    let goals = backup.path.join("tables/goal.jsonl");
    let shorter = fs::read(&goals).unwrap();
    fs::write(&goals, &shorter[..shorter.len() - 1]).unwrap();
    fs::remove_file(backup.path.join("keys/tenant-id")).unwrap();
    let file = backup.files().into_iter().find(|file| file.starts_with("content/")).unwrap();
    fs::remove_file(backup.path.join(&file)).unwrap();
    let told = stderr(&backup.restore_to(&folder, &["--check"]));
    for words in [
        "`tables/goal.jsonl` has another length".to_owned(),
        "`keys/tenant-id` is missing".to_owned(),
        format!("`{file}` is missing"),
    ] {
        assert!(told.contains(&words), "{words}: {told}");
    }
    fs::remove_file(backup.path.join("manifest.json")).unwrap();
    let told = stderr(&backup.restore_to(&folder, &["--check"]));
    assert!(told.contains("no finished backup"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_for_nobody_else_to_see() {
    let (_, backup) = backup().await;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&backup.path), 0o700);
    for file in backup.files() {
        assert_eq!(mode(&backup.path.join(&file)), 0o600, "{file}");
    }
}
