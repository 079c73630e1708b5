//! `cargo xtask soak`: exports without a pause, while the server is stopped and killed again and again.

use clap::Args;

use crate::program::{self, cargo, debian, goalpost, output, program};
use crate::steps::{Failed, Steps};

#[derive(Debug, Args)]
pub(crate) struct SoakArgs {
    /// How long
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// How often a server is killed in the middle of its exports before that
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    kills: u64,
}

pub(crate) fn run(steps: &mut Steps, args: &SoakArgs) -> Result<(), Failed> {
    steps.step(
        "kills",
        "the test in `crates/goalpost/tests/it/jobs/kill.rs` says what has to hold",
        || {
            let kill =
                ["test", "--locked", "-p", "goalpost", "--test", "it", "jobs::kill", "--", "--nocapture"];
            program::run(cargo(kill).env("GOALPOST_KILLS", args.kills.to_string()))
        },
    )?;
    steps.step("soak", "`tests/clients/soak.py` says what has to hold", || {
        debian("python3", || output(program("python3").arg("--version")).is_some())?;
        let goalpost = goalpost("release")?;
        let mut soak = program("python3");
        program::run(soak.args(["-B", "tests/clients/soak.py"]).arg(goalpost).arg(args.minutes.to_string()))
    })
}
