//! `cargo xtask lint`: what can be said of the code without running it.

use anyhow::{Context as _, bail};

use crate::program::{self, cargo, output};
use crate::steps::{Failed, Steps};

/// A second implementation of TLS besides rustls on aws-lc: two of them in one program fail at its first connection,
/// and those of the system differ from machine to machine.
const BANNED: [&str; 3] = ["ring", "openssl-sys", "native-tls"];

pub(crate) fn run(steps: &mut Steps) -> Result<(), Failed> {
    steps.step("form", "`cargo fmt` brings it about; in `fuzz` too", || {
        program::run(&mut cargo(["fmt", "--all", "--check"]))?;
        program::run(&mut cargo(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))
    })?;
    steps.step(
        "dependencies",
        "`cargo tree --invert NAME` says whose feature to turn off",
        no_banned_dependency,
    )?;
    steps.step("warnings", "`cargo clippy --all-targets` shows them; with `--all-features`, too", || {
        let clippy = ["clippy", "--workspace", "--all-targets", "--locked"];
        let deny = ["--", "--deny", "warnings"];
        program::run(cargo(clippy).args(deny))?;
        program::run(cargo(clippy).arg("--all-features").args(deny))
    })?;
    steps.step("documentation", "`cargo doc --no-deps --document-private-items` shows it", || {
        let doc = ["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"];
        program::run(cargo(doc).env("RUSTDOCFLAGS", "--deny warnings"))
    })
}

/// Looks at what is built, since `Cargo.lock` also names what no feature asks for.
fn no_banned_dependency() -> anyhow::Result<()> {
    let mut tree = cargo(["tree", "--workspace", "--locked", "--all-features"]);
    tree.args(["--prefix", "none", "--format", "{p}"]);
    let packages = output(&mut tree).context("cargo tree failed")?;
    let mut names = packages.lines().filter_map(|package| package.split(' ').next());
    match names.find(|name| BANNED.contains(name)) {
        Some(name) => bail!("`{name}` is among the dependencies"),
        None => Ok(()),
    }
}
