//! `cargo xtask test`: everything that the README promises.

use crate::program::{self, cargo, is_installed};
use crate::steps::{Failed, Steps};
use crate::{clients, fuzz, lint};

pub(crate) fn run(steps: &mut Steps) -> Result<(), Failed> {
    lint::run(steps)?;
    steps.step("tests", "`cargo test -p CRATE NAME` runs one of them", || {
        program::run(&mut if is_installed("cargo-nextest") {
            cargo(["nextest", "run", "--workspace", "--locked", "--no-fail-fast"])
        } else {
            cargo(["test", "--workspace", "--locked", "--no-fail-fast", "--lib", "--bins", "--tests"])
        })
    })?;
    steps.step(
        "examples in the documentation",
        "`cargo test --doc -p CRATE` runs those of one crate",
        || program::run(&mut cargo(["test", "--workspace", "--locked", "--doc"])),
    )?;
    clients::run(steps)?;
    fuzz::run(steps, &fuzz::FuzzArgs::default())
}
