//! Work that tells its steps, in a process of its own that dies at one of them, as by `kill -9`.

use std::path::{Path, PathBuf};
use std::process::Command;

use goalpost::backup::Progress;
use goalpost::config::{Config, Overrides};

use crate::jobs::process::Folder;

/// What [`dies_after`] has told this process to do, on which folder and by which settings; and what is called at each
/// step.
pub(crate) fn work() -> (String, PathBuf, Config, impl FnMut(Progress)) {
    let variable = |name| std::env::var(name).expect("the other test sets it");
    let overrides = Overrides {
        data: Some(variable("GOALPOST_DATA").into()),
        database: std::env::var("GOALPOST_DATABASE").ok(),
        ..Overrides::default()
    };
    let config = Config::load(&overrides).expect("the settings fit");
    let mut steps_left: u32 = variable("STEPS").parse().expect("a number");
    let tell = move |_: Progress| {
        steps_left -= 1;
        if steps_left == 0 {
            std::process::abort();
        }
    };
    (variable("WHAT"), variable("FOLDER").into(), config, tell)
}

/// Whether the work on a place died after so many steps, before it came to its end; `process` names the ignored test
/// that does it.
pub(crate) fn dies_after(process: &str, steps: u32, what: &str, place: &Folder, folder: &Path) -> bool {
    let like = place.command(what);
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", process, "--ignored"]);
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("FOLDER", folder).env("WHAT", what).env("STEPS", steps.to_string());
    let ended = command.output().expect("it starts");
    if !ended.status.success() {
        let signal = std::os::unix::process::ExitStatusExt::signal(&ended.status);
        assert_eq!(signal, Some(6), "{}", String::from_utf8_lossy(&ended.stdout));
    }
    !ended.status.success()
}
