//! `cargo xtask fuzz`: every reader of foreign input gets texts that libFuzzer finds worth a try.
//!
//! Without a sanitizer, which needs a nightly toolchain: the code has no `unsafe`, and what it promises of every input
//! stands in the targets as assertions.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::program::{self, at_once, cargo, debian, is_installed, output, program, root, target_folder};
use crate::steps::{Failed, Steps};

/// One reader each: `fuzz/fuzz_targets` has a file of that name, `fuzz/seeds` a folder of inputs to begin with.
const TARGETS: [&str; 11] = [
    "csv",
    "goal_query",
    "job_key",
    "odata_filter",
    "token",
    "view_filter",
    "viva_lines",
    "viva_parquet",
    "viva_table",
    "viva_workbook",
    "viva_zip",
];
/// The version of cargo-fuzz that is installed.
const VERSION: &str = "0.13.2";

#[derive(Debug, Args)]
pub(crate) struct FuzzArgs {
    /// Seconds that the targets share; each runs on a core of its own, as many at a time as there are
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Only this target
    #[arg(long, value_parser = TARGETS)]
    target: Option<String>,
}

impl Default for FuzzArgs {
    /// As long as `cargo xtask test` fuzzes.
    fn default() -> Self {
        Self { seconds: 300, target: None }
    }
}

pub(crate) fn run(steps: &mut Steps, args: &FuzzArgs) -> Result<(), Failed> {
    let mut build = build(steps)?;
    steps.step("build the fuzz targets", "`fuzz/Cargo.toml` names their dependencies", || {
        program::run(&mut build)
    })?;
    steps.step("fuzz", "keep the input that is named above in `fuzz/seeds`, and mend what it broke", || {
        let targets: Vec<&str> = match &args.target {
            Some(target) => vec![target],
            None => TARGETS.to_vec(),
        };
        let seconds = args.seconds.div_ceil(targets.len() as u64);
        at_once(&targets, |target| fuzz(target, seconds))?;
        println!("fuzz: {} passed, 0 failed", targets.len());
        Ok(())
    })
}

fn install(steps: &mut Steps) -> Result<(), Failed> {
    steps.step("cargo-fuzz", "the message above says what is missing", || {
        debian("g++", || is_installed("c++"))?;
        let installed = output(program(tools().join("bin/cargo-fuzz")).arg("--version"));
        if installed.is_some_and(|version| version.trim().ends_with(VERSION)) {
            return Ok(());
        }
        let mut install =
            cargo(["install", "cargo-fuzz", "--locked", "--force", "--quiet", "--version", VERSION]);
        program::run(install.arg("--root").arg(tools()))
    })
}

/// What builds the targets, for whoever wants them built before.
pub(crate) fn build(steps: &mut Steps) -> Result<Command, Failed> {
    install(steps)?;
    Ok(cargo_fuzz("build"))
}

fn tools() -> PathBuf {
    target_folder().join("tools")
}

/// Runs for so many seconds; inputs that turn out useful are kept in `fuzz/corpus` for the next time.
fn fuzz(target: &str, seconds: u64) -> anyhow::Result<()> {
    let corpus = root().join("fuzz/corpus").join(target);
    std::fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    let mut command = cargo_fuzz("run");
    command.arg(target).arg(corpus).arg(root().join("fuzz/seeds").join(target)).arg("--");
    command.arg(format!("-max_total_time={seconds}"));
    command.args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let tried = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    match tried {
        Some(tried) if output.status.success() => {
            println!("ok   {target}: {} inputs in {seconds} s", tried.trim());
            Ok(())
        }
        _ => {
            eprintln!("{log}");
            bail!("{command:?} ended with {}", output.status)
        }
    }
}

/// A command of cargo-fuzz. What it builds is instrumented, so it has a target folder of its own.
fn cargo_fuzz(verb: &str) -> Command {
    let mut command = program(tools().join("bin/cargo-fuzz"));
    command.args([verb, "--sanitizer", "none", "--fuzz-dir", "fuzz", "--target-dir"]);
    command.arg(target_folder().join("fuzz"));
    command
}
