//! `cargo xtask test`: everything that the README promises.

use crate::program::{self, cargo, cargo_while_here, is_installed};
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
    {
        let _services = services::begin(steps)?;
        for pass in &PASSES {
            steps.step(pass.name, "docs/TESTING.md says how to run one of them", || run_pass(pass))?;
        }
    }
    steps.step(
        "tests of exported spans",
        "`cargo test -p goalpost --features otel otel` runs them",
        || {
            let otel =
                ["test", "-p", "goalpost", "--features", "otel", "--locked", "--test", "it", "observe::otel"];
            program::run(&mut cargo(otel))
        },
    )?;
    steps.step(
        "examples in the documentation",
        "`cargo test --doc -p CRATE` runs those of one crate",
        || program::run(&mut cargo(["test", "--workspace", "--locked", "--doc"])),
    )?;
    clients::run(steps)?;
    smoke::run(steps, false)?;
    fuzz::run(steps, &fuzz::FuzzArgs::default())
}

fn run_pass(pass: &Pass) -> anyhow::Result<()> {
    let nextest = is_installed("cargo-nextest");
    let mut test = if nextest {
        cargo_while_here(["nextest", "run", "--locked", "--no-fail-fast"])
    } else {
        cargo_while_here(["test", "--locked", "--no-fail-fast", "--lib", "--bins", "--tests"])
    };
    if pass.packages.is_empty() {
        test.arg("--workspace");
    } else if nextest {
        test.args(["-E", &format!("not test(/^({})/)", ONCE.join("|"))]);
    }
    test.args(pass.packages.iter().flat_map(|package| ["--package", package]));
    if !pass.packages.is_empty() && !nextest {
        test.arg("--").args(ONCE.iter().flat_map(|name| ["--skip", name]));
    }
    program::run(test.env("GOALPOST_TEST_ENGINE", pass.engine))
}
