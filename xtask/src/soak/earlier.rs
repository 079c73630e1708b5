//! The program of the version before this one.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, bail};

use crate::program::{self, cargo, target_folder};

/// The last commit of the version before this one.
const EARLIER: &str = "0e64c86";

/// Build it, and say where it lies.
///
/// # Errors
/// When this is not the whole history, or it cannot be built.
pub(super) fn program() -> anyhow::Result<PathBuf> {
    let folder = target_folder().join("soak").join(EARLIER);
    let built = folder.join("target/release/goalpost");
    if built.exists() {
        return Ok(built);
    }
    fs::create_dir_all(&folder)?;
    let mut archive = program::program("git");
    let mut archive =
        archive.args(["archive", EARLIER]).stdout(Stdio::piped()).spawn().context("cannot start git")?;
    let files = archive.stdout.take().context("git has no output")?;
    program::run(program::program("tar").args(["-x", "-C"]).arg(&folder).stdin(files))?;
    if !archive.wait()?.success() {
        bail!("git has no commit {EARLIER}: fetch the whole history");
    }
    let build = ["build", "--locked", "--release", "--package", "goalpost", "--bin", "goalpost"];
    program::run(cargo(build).current_dir(&folder).env("CARGO_TARGET_DIR", folder.join("target")))?;
    Ok(built)
}
