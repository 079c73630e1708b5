//! Exports whose files the database has itself.

use super::{Backup, content, export};
use crate::jobs::process::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_keeps_comes_with_its_rows() {
    let folder = Folder::new(5, "[exports]\nin_database_bytes = 65536\n");
    let server = folder.serve(&[]);
    let (id, bytes) = export(&server).await;
    assert!(folder.open().content.list().next_page().await.unwrap().is_empty());
    let backup = Backup::of(&folder);
    assert!(!backup.files().iter().any(|file| file.starts_with("content/")), "{:?}", backup.files());
    let place = backup.restored(&folder);
    assert_eq!(content(&place.serve(&[]), &id).await, bytes);
}
