//! `cargo xtask soak`: exports without a pause, while the server is stopped and killed again and again.

use clap::Args;

use crate::program::{self, debian, goalpost, output, program};
use crate::steps::{Failed, Steps};

#[derive(Debug, Args)]
pub(crate) struct SoakArgs {
    /// How long
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
}

pub(crate) fn run(steps: &mut Steps, args: &SoakArgs) -> Result<(), Failed> {
    steps.step("soak", "`tests/clients/soak.py` says what has to hold", || {
        debian("python3", || output(program("python3").arg("--version")).is_some())?;
        let goalpost = goalpost("release")?;
        let mut soak = program("python3");
        program::run(soak.args(["-B", "tests/clients/soak.py"]).arg(goalpost).arg(args.minutes.to_string()))
    })
}
