//! `cargo xtask bench-smoke`: how many instructions an export takes, against what it took when that was last written down.
//!
//! Instructions that callgrind counts are the same whatever else a machine does, to one in a thousand, so they can
//! be judged where time cannot. They are those of a test build, which is there anyway when the suite has run: its own
//! code is not optimised, so what comes in addition for each row or cell counts the more.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::program::{self, debian, goalpost, output, program, root, target_folder};
use crate::steps::{Failed, Steps};

/// A line for each kind of file: its name, and how many instructions.
const FIGURES: &str = "xtask/smoke.txt";
/// What is exported: invented goals, always the same ones.
const GOALS: &str = "3000";
/// Percent that a figure may be above the one that is written down.
const MARGIN: f64 = 5.0;

#[derive(Debug, Args)]
pub(crate) struct SmokeArgs {
    /// Write down what was counted, as what is expected from now on
    #[arg(long)]
    pub(crate) write: bool,
}

pub(crate) fn run(steps: &mut Steps, write: bool) -> Result<(), Failed> {
    let hint = "`cargo xtask bench-smoke --write` writes a new figure down, if the feature is worth it";
    steps.step("instructions of an export", hint, || {
        debian("valgrind", || output(program("valgrind").arg("--version")).is_some())?;
        let built = goalpost("dev")?;
        let folder = target_folder().join("smoke");
        // What an earlier run left.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let mut demo = program(&built);
        demo.args(["demo", "--goals", GOALS, "--no-serve", "--data"]).arg(folder.join("data"));
        program::run(demo.stdout(Stdio::null()))?;
        let written =
            fs::read_to_string(root().join(FIGURES)).with_context(|| format!("cannot read {FIGURES}"))?;
        let mut counted = String::new();
        let mut slower = Vec::new();
        for line in written.lines() {
            let (format, before) =
                line.split_once(' ').with_context(|| format!("{FIGURES} has a line `{line}`"))?;
            let before: f64 = before.parse().with_context(|| format!("{FIGURES} has a line `{line}`"))?;
            let now = instructions(&built, &folder, format)?;
            let percent = (now as f64 / before - 1.0) * 100.0;
            println!("{format:8} {now:>14} instructions, {percent:+.1} %");
            let _ = writeln!(counted, "{format} {now}");
            if percent > MARGIN {
                slower.push(format);
            }
        }
        if write {
            return Ok(fs::write(root().join(FIGURES), counted)?);
        }
        if !slower.is_empty() {
            bail!("an export takes more instructions than it did, by over {MARGIN} %: {}", slower.join(", "));
        }
        Ok(())
    })
}

/// What the export of every goal in this format takes, the start of the program included.
fn instructions(built: &Path, folder: &Path, format: &str) -> anyhow::Result<u64> {
    let counts = folder.join(format!("{format}.callgrind"));
    let mut option = OsString::from("--callgrind-out-file=");
    option.push(&counts);
    let mut valgrind = program("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind"]).arg(option).arg(built);
    valgrind.args(["export", "--format", format, "--data"]).arg(folder.join("data"));
    valgrind.arg("--out").arg(folder.join(format));
    // A file that is there would be pointed to.
    program::run(valgrind.env("GOALPOST_EXPORTS_REUSE", "false").stdout(Stdio::null()))?;
    let text = fs::read_to_string(&counts)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    Ok(total.context("callgrind counted nothing")?.trim().parse()?)
}
