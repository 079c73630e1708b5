//! Ways out and back that die in the middle, as by `kill -9`.

use std::path::Path;

use goalpost::app::App;
use goalpost::demo;
use goalpost::takeout::{read, write};
use goalpost_testing::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Takeout, assert_same, empty_place};
use crate::dying;
use crate::jobs::process::Folder;

/// Not a test: the process that the tests below let die.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that another test starts"]
async fn a_process_that_dies() {
    let (what, folder, config, mut tell) = dying::work();
    let app = App::open(config).unwrap();
    tokio::task::block_in_place(|| {
        if what == "export" {
            write::save(&app.db, demo::ORGANIZATION, &folder, &mut tell).unwrap();
        } else {
            read::restore(&app.db, &folder, false, &mut tell).unwrap();
        }
    });
}

fn dies_after(steps: u32, what: &str, place: &Folder, folder: &Path) -> bool {
    dying::dies_after("takeout::death::a_process_that_dies", steps, what, place, folder)
}

#[test]
fn a_folder_is_there_whole_or_not_at_all() {
    let folder = Folder::new(5, "");
    let above = TempDir::new().unwrap();
    let out = above.path().join("contoso");
    let mut steps = 1;
    while dies_after(steps, "export", &folder, &out) {
        assert!(!out.exists(), "after {steps} steps");
        steps += 8;
    }
    assert!(steps > 30, "{steps} steps");
    assert_same(&out, &Takeout::of(&folder).path, "what was left in the way is in nobody's way");
}

#[test]
fn an_organization_is_read_back_whole_or_not_at_all() {
    let folder = Folder::new(600, "");
    let takeout = Takeout::of(&folder);
    let place = empty_place(Engine::of_this_run(), &folder);
    let mut steps = 1;
    while dies_after(steps, "import", &place, &takeout.path) {
        let listed = place.command("org").args(["list", "--output", "json"]).output().unwrap();
        let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
        assert_eq!(listed, json!([]), "after {steps} steps");
        steps += 6;
    }
    assert!(steps > 70, "{steps} steps: it never died after it had begun to write");
    assert_same(&takeout.path, &Takeout::of(&place).path, "in the end");
}
