//! `cargo xtask lint`: what can be said of the code without running it.

use anyhow::{Context as _, bail};

use crate::program::{self, cargo, root};
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
        "`cargo tree --invert NAME` says who brings it; turn off that feature",
        || {
            no_banned_dependency("Cargo.lock")?;
            no_banned_dependency("fuzz/Cargo.lock")
        },
    )?;
    steps.step("warnings", "`cargo clippy --all-targets` shows them", || {
        let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"];
        program::run(&mut cargo(clippy))
    })?;
    steps.step("documentation", "`cargo doc --no-deps --document-private-items` shows it", || {
        let doc = ["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"];
        program::run(cargo(doc).env("RUSTDOCFLAGS", "--deny warnings"))
    })
}

fn no_banned_dependency(file: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(root().join(file)).with_context(|| format!("cannot read {file}"))?;
    match BANNED.iter().find(|name| text.contains(&format!("\nname = \"{name}\"\n"))) {
        Some(name) => bail!("{file} has the dependency `{name}`"),
        None => Ok(()),
    }
}
