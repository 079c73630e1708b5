//! The programs that chores run, and where things are.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

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

/// Build the program in the profile of that name, and say where it lies.
pub(crate) fn goalpost(profile: &str) -> anyhow::Result<PathBuf> {
    run(&mut cargo([
        "build",
        "--locked",
        "--package",
        "goalpost",
        "--bin",
        "goalpost",
        "--profile",
        profile,
    ]))?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target_folder().join(folder).join("goalpost"))
}

/// Whether a program of this name can be started.
pub(crate) fn is_installed(name: &str) -> bool {
    let started = program(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    !matches!(started, Err(error) if error.kind() == ErrorKind::NotFound)
}
