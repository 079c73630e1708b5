//! `cargo xtask test`: everything that the README promises.

use std::process::Command;

use crate::program::{self, build_goalpost, cargo, cargo_while_here, is_installed, target_folder};
use crate::steps::{Failed, Steps};
use crate::{clients, fuzz, lint, services, smoke};

/// The suite, or the part of it that looks at a database, on one kind of database.
#[derive(Debug)]
struct Pass {
    name: &'static str,
    /// What tests read as `GOALPOST_TEST_ENGINE`.
    engine: &'static str,
    /// The packages that are tested; all if there are none.
    packages: &'static [&'static str],
}

/// The packages whose tests work on a database.
const ON_DATABASES: &[&str] = &["goalpost", "goalpost-db"];

/// What a pass on a server leaves out, by the beginning of its name: what runs on engines of its own choice anyway,
/// what is refused before it meets an engine, and imports of a hundred thousand goals and more, which take minutes there
/// in a test build.
const ONCE: [&str; 6] = [
    "nodes::",
    "simulation::",
    "store::",
    "jobs::import_beside::",
    "imports::bombs::",
    "imports::whole_files::rows_of_a_hundred",
];

const PASSES: [Pass; 3] = [
    Pass { name: "tests", engine: "sqlite", packages: &[] },
    Pass { name: "tests on PostgreSQL", engine: "postgres", packages: ON_DATABASES },
    Pass { name: "tests on several databases", engine: "partitioned", packages: ON_DATABASES },
];

pub(crate) fn run(steps: &mut Steps) -> Result<(), Failed> {
    lint::run(steps)?;
    steps.step("build the tests", "`cargo test --workspace --no-run` says more", || {
        program::run(&mut test_of(&PASSES[0], "--no-run"))
    })?;
    // Where tests wait for something, a core has time for what is needed after them.
    let beside = [build_goalpost("dev"), fuzz::build(steps)?];
    let hint = "`setpriv`, `sh` and `nice` have to be there";
    let building = steps.step("begin to build the program and the fuzz targets", hint, || {
        program::beside(&target_folder().join("beside.log"), &beside)
    })?;
    {
        let _services = services::begin(steps)?;
        for pass in &PASSES {
            let run = || program::run(&mut test_of(pass, "--no-fail-fast"));
            steps.step(pass.name, "docs/TESTING.md says how to run one of them", run)?;
        }
    }
    steps.step(
        "tests of exported spans",
        "`cargo test -p goalpost --features otel otel` runs them",
        || {
            // The whole workspace for the features that the suite was built with; no other test has the name.
            let otel = ["test", "--workspace", "--features", "goalpost/otel", "--locked", "--test", "it"];
            program::run(cargo(otel).arg("observe::otel"))
        },
    )?;
    steps.step(
        "examples in the documentation",
        "`cargo test --doc -p CRATE` runs those of one crate",
        || program::run(&mut cargo(["test", "--workspace", "--locked", "--doc"])),
    )?;
    clients::run(steps)?;
    smoke::run(steps, false)?;
    drop(building);
    fuzz::run(steps, &fuzz::FuzzArgs::default())
}

/// The tests of a pass: to be run to their end (`--no-fail-fast`), or only built (`--no-run`).
fn test_of(pass: &Pass, how: &str) -> Command {
    let nextest = is_installed("cargo-nextest");
    let mut test = if nextest {
        cargo_while_here(["nextest", "run", "--locked", how])
    } else {
        cargo_while_here(["test", "--locked", how, "--lib", "--bins", "--tests"])
    };
    if pass.packages.is_empty() {
        test.arg("--workspace");
    } else if nextest {
        // A part of the workspace by itself has fewer features of what it depends on, and so would be built once more.
        let packages: Vec<_> = pass.packages.iter().map(|package| format!("package({package})")).collect();
        let part = format!("({}) - test(/^({})/)", packages.join(" | "), ONCE.join("|"));
        test.args(["--workspace", "-E", &part]);
    } else {
        test.args(pass.packages.iter().flat_map(|package| ["--package", package]));
        test.arg("--").args(ONCE.iter().flat_map(|name| ["--skip", name]));
    }
    test.env("GOALPOST_TEST_ENGINE", pass.engine);
    test
}
