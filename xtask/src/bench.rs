//! `cargo xtask bench`: how long an import, an export and its download take, and how much memory the server needs.

use clap::Args;

use crate::program::{self, debian, goalpost, output, program};
use crate::steps::{Failed, Steps};

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// How many goals are invented
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    goals: u64,
}

pub(crate) fn run(steps: &mut Steps, args: &BenchArgs) -> Result<(), Failed> {
    steps.step("measure", "`tests/clients/bench.py` says what is measured", || {
        debian("python3", || output(program("python3").arg("--version")).is_some())?;
        let goalpost = goalpost("release")?;
        let mut bench = program("python3");
        program::run(bench.args(["-B", "tests/clients/bench.py"]).arg(goalpost).arg(args.goals.to_string()))
    })
}
