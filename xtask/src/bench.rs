//! `cargo xtask bench`: what an export and an import cost, against `sqlite3` and `psql`; what the service costs, against
//! others.

use std::path::PathBuf;

use clap::Args;
use goalpost_processes::postgres::Installation;

use crate::clients::install_packages;
use crate::program::{self, cargo, debian, output, program, root, target_folder};
use crate::services::tools;
use crate::steps::{Failed, Steps};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
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
    /// Measure the service beside its files instead: the queue, polls, POSTs, downloads, against others
    #[arg(long, conflicts_with_all = ["files", "goals"])]
    service: bool,
    /// With `--service`: how it does with many jobs pending, by workers and organizations
    #[arg(long, requires = "service")]
    growth: bool,
    /// Measure workbooks and Parquet files instead, against what others write them with
    #[arg(long)]
    files: bool,
    /// Measure imports alone: of a ZIP, a CSV and a workbook, with few and with many check-ins
    #[arg(long, conflicts_with = "files")]
    imports: bool,
    /// Measure exports from PostgreSQL instead, against `psql`
    #[arg(long, conflicts_with_all = ["files", "imports"])]
    postgres: bool,
    /// Measure CSV exports alone, against `DuckDB`, Python's `csv` and Datasette as well
    #[arg(long, conflicts_with_all = ["files", "imports", "postgres", "service"])]
    peers: bool,
}

pub(crate) fn run(steps: &mut Steps, args: &BenchArgs) -> Result<(), Failed> {
    if args.files {
        return files(steps, args);
    }
    if args.service {
        return service(steps, args);
    }
    let install = || {
        steps.step("install the peers", "`crates/goalpost/benches/export/peers` names them", || {
            python_with("crates/goalpost/benches/export/peers/requirements.txt")
        })
    };
    let python = args.peers.then(install).transpose()?;
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
        if let Some(python) = &python {
            bench.arg("--peers").arg(python);
        }
        if args.write {
            bench.arg("--write");
        }
        program::run(&mut bench)
    })
}

fn service(steps: &mut Steps, args: &BenchArgs) -> Result<(), Failed> {
    let queues = root().join("crates/goalpost/benches/service/peers");
    steps.step("install the other queues", "`crates/goalpost/benches/service/peers` names them", || {
        tools::install_node()?;
        install_packages(&queues, &target_folder().join("bench-queues"))
    })?;
    steps.step("measure", "docs/BENCHMARKS.md says what is measured", || {
        let mut bench = cargo(["bench", "--locked", "--package", "goalpost", "--bench", "service", "--"]);
        bench.args(["--rounds", &args.rounds.to_string()]).env("GOALPOST_BENCH_NODE", tools::node()?);
        bench.args(args.growth.then_some("--growth")).args(args.write.then_some("--write"));
        program::run(&mut bench)
    })
}

/// Where those are that others wrote, and what they need.
const PEERS: &str = "crates/goalpost/benches/files";

fn files(steps: &mut Steps, args: &BenchArgs) -> Result<(), Failed> {
    let built = target_folder().join("bench-peer");
    let python = steps.step("install the peers", "`crates/goalpost/benches/files` names them", || {
        debian("sqlite3", || output(program("sqlite3").arg("--version")).is_some())?;
        let python = python_with(&format!("{PEERS}/requirements.txt"))?;
        let mut build = cargo(["build", "--release", "--locked", "--manifest-path"]);
        build.arg(root().join(PEERS).join("rust-peer/Cargo.toml")).arg("--target-dir").arg(&built);
        program::run(&mut build)?;
        Ok(python)
    })?;
    steps.step("measure", "docs/BENCHMARKS.md says what is measured", || {
        let mut bench = cargo(["bench", "--locked", "--package", "goalpost", "--bench", "files", "--"]);
        bench.args(["--goals", &args.goals.to_string(), "--rounds", &args.rounds.to_string()]);
        bench.arg("--python").arg(python);
        bench.arg("--rust-peer").arg(built.join("release/files-peer"));
        program::run(&mut bench)
    })
}

/// A Python of the target folder that has what a file of requirements names.
fn python_with(requirements: &str) -> anyhow::Result<PathBuf> {
    let environment = target_folder().join("bench-python");
    debian("python3-venv", || output(program("python3").args(["-c", "import ensurepip"])).is_some())?;
    program::run(program("python3").args(["-m", "venv"]).arg(&environment))?;
    let python = environment.join("bin/python");
    let mut install = program(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    program::run(install.arg(root().join(requirements)))?;
    Ok(python)
}
