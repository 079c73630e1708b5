//! Ways out and back that die in the middle, as by `kill -9`.

use std::path::Path;
use std::process::Command;

use goalpost::app::App;
use goalpost::backup::Progress;
use goalpost::config::{Config, Overrides};
use goalpost::demo;
use goalpost::takeout::{read, write};
use goalpost_testing::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Takeout, assert_same, empty_place};
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
    let app = App::open(Config::load(&overrides).unwrap()).unwrap();
    let folder = variable("FOLDER");
    tokio::task::block_in_place(|| {
        if variable("WHAT") == "export" {
            write::save(&app.db, demo::ORGANIZATION, Path::new(&folder), &mut tell).unwrap();
        } else {
            read::restore(&app.db, Path::new(&folder), false, &mut tell).unwrap();
        }
    });
}

/// Whether the work on this place died after so many steps, before it came to its end.
fn dies_after(steps: u32, what: &str, place: &Folder, folder: &Path) -> bool {
    let like = place.command(what);
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["--exact", "takeout::death::a_process_that_dies", "--ignored"]);
    process.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    process.env("FOLDER", folder).env("WHAT", what).env("STEPS", steps.to_string());
    let ended = process.output().unwrap();
    if !ended.status.success() {
        let signal = std::os::unix::process::ExitStatusExt::signal(&ended.status);
        assert_eq!(signal, Some(6), "{}", String::from_utf8_lossy(&ended.stdout));
    }
    !ended.status.success()
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
