//! `cargo xtask bench`: what an export and an import cost, against `sqlite3` and `psql`.

use clap::Args;
use goalpost_processes::postgres::Installation;

use crate::program::{self, cargo, debian, output, program, root, target_folder};
use crate::steps::{Failed, Steps};

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// How many goals are invented; everything but --imports is also done with a tenth of them
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    goals: u64,
    /// How often everything is done
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Write the table into docs/BENCHMARKS.md
    #[arg(long, conflicts_with = "files")]
    write: bool,
    /// Measure workbooks and Parquet files instead, against what others write them with
    #[arg(long)]
    files: bool,
    /// Measure imports alone: of a ZIP, a CSV and a workbook, with few and with many check-ins
    #[arg(long, conflicts_with = "files")]
    imports: bool,
    /// Measure exports from PostgreSQL instead, against `psql`
    #[arg(long, conflicts_with_all = ["files", "imports"])]
    postgres: bool,
}

pub(crate) fn run(steps: &mut Steps, args: &BenchArgs) -> Result<(), Failed> {
    if args.files {
        return files(steps, args);
    }
    steps.step("measure", "docs/BENCHMARKS.md says what is measured", || {
        let bench = if args.postgres {
            debian("postgresql", || Installation::find().is_some())?;
            "postgres"
        } else {
            debian("sqlite3", || output(program("sqlite3").arg("--version")).is_some())?;
            "export"
        };
        let mut bench = cargo(["bench", "--locked", "--package", "goalpost", "--bench", bench, "--"]);
        bench.args(["--goals", &args.goals.to_string(), "--rounds", &args.rounds.to_string()]);
        if args.imports {
            bench.arg("--imports");
        }
        if args.write {
            bench.arg("--write");
        }
        program::run(&mut bench)
    })
}

/// Where those are that others wrote, and what they need.
const PEERS: &str = "crates/goalpost/benches/files";

fn files(steps: &mut Steps, args: &BenchArgs) -> Result<(), Failed> {
    let (environment, built) = (target_folder().join("bench-python"), target_folder().join("bench-peer"));
    steps.step("install the peers", "`crates/goalpost/benches/files` names them", || {
        debian("sqlite3", || output(program("sqlite3").arg("--version")).is_some())?;
        debian("python3-venv", || output(program("python3").args(["-c", "import ensurepip"])).is_some())?;
        program::run(program("python3").args(["-m", "venv"]).arg(&environment))?;
        let mut install = program(environment.join("bin/python"));
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        program::run(install.arg(root().join(PEERS).join("requirements.txt")))?;
        let mut build = cargo(["build", "--release", "--locked", "--manifest-path"]);
        build.arg(root().join(PEERS).join("rust-peer/Cargo.toml")).arg("--target-dir").arg(&built);
        program::run(&mut build)
    })?;
    steps.step("measure", "docs/BENCHMARKS.md says what is measured", || {
        let mut bench = cargo(["bench", "--locked", "--package", "goalpost", "--bench", "files", "--"]);
        bench.args(["--goals", &args.goals.to_string(), "--rounds", &args.rounds.to_string()]);
        bench.arg("--python").arg(environment.join("bin/python"));
        bench.arg("--rust-peer").arg(built.join("release/files-peer"));
        program::run(&mut bench)
    })
}
