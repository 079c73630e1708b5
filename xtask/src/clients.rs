//! `cargo xtask clients`: Microsoft's own Python client, in exactly the versions of `tests/clients/requirements.txt`,
//! against the built program.

use std::path::PathBuf;

use crate::program::{self, debian, goalpost, output, program, target_folder};
use crate::steps::{Failed, Steps};

pub(crate) fn run(steps: &mut Steps) -> Result<(), Failed> {
    steps.step(
        "install Microsoft's client",
        "`tests/clients/requirements.txt` names what is installed",
        || {
            debian("python3-venv", || output(program("python3").args(["-c", "import ensurepip"])).is_some())?;
            program::run(program("python3").args(["-m", "venv"]).arg(environment()))?;
            program::run(program(python()).args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
                "tests/clients/requirements.txt",
            ]))
        },
    )?;
    steps.step(
        "Microsoft's client",
        "`tests/clients` has the checks, the message above the one that failed",
        || {
            let goalpost = goalpost("dev")?;
            program::run(program(python()).args(["-B", "tests/clients/msgraph_beta_sdk.py"]).arg(goalpost))
        },
    )
}

fn environment() -> PathBuf {
    target_folder().join("python")
}

fn python() -> PathBuf {
    environment().join("bin/python")
}
