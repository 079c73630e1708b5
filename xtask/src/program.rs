//! The programs that chores run, and where things are.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, bail};
use goalpost_processes::{Launch, Process, Signal};

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is a folder of the workspace")
}

/// The folder for everything that is built or installed.
pub(crate) fn target_folder() -> PathBuf {
    // Cargo takes a relative folder from where it is called, and `cargo run` calls this program there.
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || root().join("target"),
        |folder| std::path::absolute(&folder).unwrap_or_else(|_| folder.into()),
    )
}

/// A program that runs in the workspace's folder, without standard input.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(Stdio::null()).env("CARGO_TARGET_DIR", target_folder());
    command
}

/// The Cargo of the pinned toolchain, with these words.
pub(crate) fn cargo<'a>(words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = program(cargo_program());
    command.args(words);
    command
}

/// Cargo likewise, for what must not go on when this chore is killed, such as a suite whose services are gone then.
pub(crate) fn cargo_while_here<'a>(words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = program("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(cargo_program()).args(words);
    command
}

fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Run a program to its end.
///
/// # Errors
/// When it cannot be started or does not end with 0.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// Run a program to its end, and then show what it printed, all at once: for what runs beside others.
///
/// # Errors
/// When it cannot be started or does not end with 0.
pub(crate) fn run_beside(name: &str, command: &mut Command) -> anyhow::Result<()> {
    let started = Instant::now();
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    let (printed, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    eprintln!("{complained}{printed}    {name}: {:.1} s", started.elapsed().as_secs_f64());
    if !output.status.success() {
        bail!("{name}: {command:?} ended with {}", output.status);
    }
    Ok(())
}

/// Do something with each of these, as many at a time as there are cores, in order.
///
/// # Errors
/// The first error; what had been begun by then is ended first.
pub(crate) fn at_once<T: Sync>(
    things: &[T],
    each: impl Fn(&T) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(thing) = things.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = each(thing) {
                // Nobody begins another.
                next.store(things.len(), Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(|worker| worker.join().expect("it does not panic"));
        ended.fold(Ok(()), Result::and)
    })
}

/// What a program prints; `None` if it is not there or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A package of Debian.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DebianPackage<'a> {
    pub(crate) name: &'a str,
    /// Whether what it is needed for is there, wherever it comes from.
    pub(crate) is_there: fn() -> bool,
}

/// Install a package of Debian unless `is_there`.
///
/// # Errors
/// When it cannot be installed, or is of no use.
pub(crate) fn debian(name: &str, is_there: fn() -> bool) -> anyhow::Result<()> {
    debian_packages(&[DebianPackage { name, is_there }])
}

/// Install those packages of Debian that are not there.
///
/// # Errors
/// When one of them cannot be installed, or is of no use.
pub(crate) fn debian_packages(packages: &[DebianPackage]) -> anyhow::Result<()> {
    let missing: Vec<_> = packages.iter().filter(|package| !(package.is_there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|package| package.name).collect();
    eprintln!("    installing {}", names.join(" "));
    let apt = |words: &[&str]| {
        let mut command = program("apt-get");
        run(command.env("DEBIAN_FRONTEND", "noninteractive").args(words))
    };
    let install = [&["install", "--yes", "--quiet", "--no-install-recommends"][..], &names].concat();
    apt(&["update", "--quiet"]).and_then(|()| apt(&install)).with_context(|| {
        format!("something is missing; as root: apt-get install --no-install-recommends {}", names.join(" "))
    })?;
    match missing.iter().find(|package| !(package.is_there)()) {
        Some(package) => bail!("`{}` is installed, but does not work", package.name),
        None => Ok(()),
    }
}

/// Run programs one after the other beside what comes next, giving way to that. They are ended when this is dropped,
/// and however this process ends; how they did, only the file `log` says.
///
/// # Errors
/// When nothing can be started.
pub(crate) fn beside(log: &Path, commands: &[Command]) -> anyhow::Result<Process> {
    let quoted = |word: &OsStr| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"));
    let line = |command: &Command| {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        format!("nice -n 19 {}", words.map(quoted).collect::<Vec<_>>().join(" "))
    };
    let lines: Vec<_> = commands.iter().map(line).collect();
    // Cargo that is ended leaves its compilers behind, so all of the group are ended.
    let script = format!("trap 'trap \"\" TERM; kill 0; wait' TERM; {{ {}; }} & wait $!", lines.join("; "));
    let _ = std::fs::remove_file(log);
    let launch = Launch::new("sh", log).args(["-c", &script]).env("CARGO_TARGET_DIR", target_folder());
    Ok(launch.in_folder(root()).ends_by(Signal::SIGTERM).start()?)
}

/// What builds the program in the profile of that name.
pub(crate) fn build_goalpost(profile: &str) -> Command {
    cargo(["build", "--locked", "--package", "goalpost", "--bin", "goalpost", "--profile", profile])
}

/// Build the program in the profile of that name, and say where it lies.
pub(crate) fn goalpost(profile: &str) -> anyhow::Result<PathBuf> {
    run(&mut build_goalpost(profile))?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target_folder().join(folder).join("goalpost"))
}

/// Whether a program of this name can be started.
pub(crate) fn is_installed(name: &str) -> bool {
    let started = program(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    !matches!(started, Err(error) if error.kind() == ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    #[test]
    fn all_are_done_unless_one_fails_and_then_its_error_is_told() {
        let done = Mutex::new(Vec::new());
        let push = |number: &u32| {
            done.lock().expect("nobody panicked").push(*number);
            Ok(())
        };
        at_once(&[1, 2, 3, 4, 5], push).expect("none fails");
        done.lock().expect("nobody panicked").sort_unstable();
        assert_eq!(*done.lock().expect("nobody panicked"), [1, 2, 3, 4, 5]);

        let fail = |number: &u32| if *number == 1 { bail!("number {number}") } else { push(number) };
        let many: Vec<u32> = (1..=10_000).collect();
        assert_eq!(at_once(&many, fail).expect_err("one fails").to_string(), "number 1");
    }

    #[test]
    fn programs_beside_run_in_turn_and_all_that_they_started_ends_with_them() {
        let folder = std::env::temp_dir().join(format!("goalpost-beside-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let (log, pid) = (folder.join("it's a log"), folder.join("pid"));
        let mut first = Command::new("echo");
        first.args(["it's", "done"]);
        let mut second = Command::new("sh");
        second.args(["-c", "sleep 600 & echo $! >$0.new; mv $0.new $0; wait"]).arg(&pid);
        let process = beside(&log, &[first, second]).expect("they start");
        let pid = goalpost_processes::poll(Duration::from_secs(10), || std::fs::read_to_string(&pid).ok());
        let pid = pid.expect("the second began").trim().parse().expect("a number");
        assert_eq!(process.log(), "it's done\n");
        let sleep = goalpost_processes::ProcessId::of(pid).expect("it runs");
        drop(process);
        goalpost_processes::poll(Duration::from_secs(10), || (!sleep.is_running()).then_some(()))
            .expect("it is gone");
        std::fs::remove_dir_all(folder).expect("the folder is removed");
    }
}
