//! Exports whose files a backup cannot have.

use std::fs;
use std::time::Duration;

use goalpost::app::App;
use goalpost::backup::manifest::Why;
use goalpost::backup::save::{Source, save};
use goalpost::exports::expiry;
use tempfile::TempDir;

use super::{Backup, IN_STORE, export};
use crate::jobs::process::Folder;

/// The one file in the place for files.
async fn file_of(app: &App) -> std::path::PathBuf {
    let files = app.content.list().next_page().await.unwrap();
    assert_eq!(files.len(), 1, "{files:?}");
    app.config.data.join("content").join(&files[0].key)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_or_damaged_is_told_of_and_its_export_is_not_restored() {
    for why in ["missing", "damaged"] {
        let folder = Folder::new(5, IN_STORE);
        let server = folder.serve(&[]);
        let (id, _) = export(&server).await;
        let file = file_of(&folder.open()).await;
        if why == "missing" {
            fs::remove_file(&file).unwrap();
        } else {
            fs::write(&file, "x").unwrap();
        }
        let backup = Backup::of(&folder);
        assert_eq!(backup.told["leftOut"], 1);
        assert_eq!(backup.manifest()["leftOut"][0]["why"], why);
        let place = backup.restored(&folder);
        let restored = place.serve(&[]);
        assert_eq!(restored.client.get_export(&id).await.status, 404);
        assert_eq!(restored.client.get_content(&id).await.status, 404);
        export(&restored).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_expires_while_its_file_is_copied_is_left_out_as_if_it_had_expired_before() {
    let folder = Folder::new(5, IN_STORE);
    let server = folder.serve(&[]);
    let (id, _) = export(&server).await;
    assert!(server.terminate().await.success());
    let app = folder.open();
    let (out, runtime) = (TempDir::new().unwrap(), tokio::runtime::Handle::current());
    let manifest = tokio::task::block_in_place(|| {
        let source = Source::open(&app.config, None).unwrap();
        save(&source, &out.path().join("backup"), &mut |step| {
            if step.what == "files of exports" {
                app.db.advance_clock(Duration::from_hours(25));
                runtime.block_on(expiry::sweep_once(&app)).unwrap();
            }
        })
    });
    let left_out: Vec<_> = manifest.unwrap().left_out.iter().map(|left| left.why).collect();
    assert_eq!(left_out, [Why::Expired]);
    let place = super::empty_place(goalpost_testing::Engine::of_this_run(), &folder);
    let restored = place.command("restore").arg(out.path().join("backup")).output().unwrap();
    assert!(restored.status.success(), "{restored:?}");
    assert_eq!(place.serve(&[]).client.get_export(&id).await.status, 404);
}
