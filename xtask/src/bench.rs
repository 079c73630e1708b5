//! `cargo xtask bench`: what an export and an import cost, against `sqlite3`.

use clap::Args;

use crate::program::{self, cargo, debian, output, program};
use crate::steps::{Failed, Steps};

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// How many goals are invented; everything is also done with a tenth of them
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    goals: u64,
    /// How often everything is done
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Write the table into docs/BENCHMARKS.md
    #[arg(long)]
    write: bool,
}

pub(crate) fn run(steps: &mut Steps, args: &BenchArgs) -> Result<(), Failed> {
    steps.step("measure", "docs/BENCHMARKS.md says what is measured", || {
        debian("sqlite3", || output(program("sqlite3").arg("--version")).is_some())?;
        let mut bench = cargo(["bench", "--locked", "--package", "goalpost", "--bench", "export", "--"]);
        bench.args(["--goals", &args.goals.to_string(), "--rounds", &args.rounds.to_string()]);
        if args.write {
            bench.arg("--write");
        }
        program::run(&mut bench)
    })
}
