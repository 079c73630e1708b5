//! `cargo xtask soak`: what is promised, tested for hours; in parts that are noted, so that it goes on where it was.

mod earlier;
mod ledger;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::program::{cargo, debian, goalpost, output, program};
use crate::services;
use crate::steps::{Failed, Steps};
use ledger::{Ledger, Part};

#[derive(Debug, Args)]
#[command(after_help = "Example: cargo xtask soak --only kills,restarts")]
pub(crate) struct SoakArgs {
    /// Only those of these names, in their usual order
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = names())]
    only: Vec<String>,
    /// Forget what was done, and begin anew
    #[arg(long)]
    afresh: bool,
    /// Only say what was done and found so far, as a table in Markdown
    #[arg(long, conflicts_with = "afresh")]
    report: bool,
}

/// Something that is repeated for long.
#[derive(Debug)]
struct Long {
    name: &'static str,
    /// What is repeated, how often in all, and how often at a time.
    unit: &'static str,
    total: u64,
    part: u64,
    run: Run,
}

/// How a part is run. It is told how often to repeat and, where that makes a difference, what was done before; what it
/// prints behind `soak: ` is kept.
#[derive(Clone, Copy, Debug)]
enum Run {
    /// A test of the suite on this kind of database, told by this variable.
    Test { test: &'static str, engine: &'static str, variable: &'static str },
    /// The test that needs the program of the version before this one.
    BothVersions,
    /// `tests/clients/soak.py`.
    Load,
}

impl Long {
    const fn test(
        name: &'static str,
        (total, unit, part): (u64, &'static str, u64),
        (test, engine, variable): (&'static str, &'static str, &'static str),
    ) -> Self {
        Self { name, unit, total, part, run: Run::Test { test, engine, variable } }
    }
}

const LONGS: [Long; 14] = [
    Long::test("seeds", (100_000, "seeds", 10_000), ("simulation::r28", "sqlite", "GOALPOST_SEEDS")),
    Long::test("kills", (1_000, "kills", 100), ("jobs::kill::r01_r02", "sqlite", "GOALPOST_KILLS")),
    Long::test(
        "kills-postgres",
        (1_000, "kills", 100),
        ("jobs::kill::r01_r02", "postgres", "GOALPOST_KILLS"),
    ),
    Long::test("storm", (300, "faults", 50), ("nodes::storm", "postgres", "GOALPOST_FAULTS")),
    Long::test("posts", (200, "rounds", 50), ("nodes::conflict::r03", "postgres", "GOALPOST_ROUNDS")),
    Long::test("restarts", (100, "restarts", 25), ("nodes::database::r06", "postgres", "GOALPOST_RESTARTS")),
    Long::test(
        "failovers",
        (20, "failovers", 5),
        ("nodes::failover::r07_what", "postgres", "GOALPOST_FAILOVERS"),
    ),
    Long::test("snapshots", (1_000, "exports", 250), ("jobs::snapshot::r12", "sqlite", "GOALPOST_SNAPSHOTS")),
    Long::test(
        "snapshots-postgres",
        (1_000, "exports", 250),
        ("jobs::snapshot::r12", "postgres", "GOALPOST_SNAPSHOTS"),
    ),
    Long::test(
        "downloads",
        (1_000, "downloads", 1_000),
        ("jobs::memory::r19_memory_stays_small_while", "sqlite", "GOALPOST_DOWNLOADS"),
    ),
    Long::test(
        "formats",
        (20_000, "goals", 20_000),
        ("jobs::memory::r19_memory_stays_small_in", "sqlite", "GOALPOST_ROWS"),
    ),
    Long::test("backups", (60, "backups", 20), ("backup::load::r18", "sqlite", "GOALPOST_BACKUPS")),
    Long { name: "versions", unit: "minutes", total: 15, part: 15, run: Run::BothVersions },
    Long { name: "load", unit: "minutes", total: 60, part: 10, run: Run::Load },
];

/// Clients that compare files while servers are killed: enough for 100,000 files in all the kills.
const READERS: &str = "24";

const HINT: &str = "docs/PROMISES.md says what has to hold; what was done before is kept, run it again";

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(LONGS.iter().map(|long| long.name))
}

pub(crate) fn run(steps: &mut Steps, args: &SoakArgs) -> Result<(), Failed> {
    let mut ledger = steps.step("what was done before", HINT, || Ledger::open(args.afresh))?;
    if !args.report {
        let _services = services::begin(steps)?;
        let chosen = |long: &&Long| args.only.is_empty() || args.only.iter().any(|name| name == long.name);
        for long in LONGS.iter().filter(chosen) {
            while ledger.done(long.name) < long.total {
                steps.step(long.name, HINT, || run_part(long, &mut ledger))?;
            }
        }
    }
    println!("| what | done | of | minutes | commits | found |\n|---|---|---|---|---|---|");
    for long in &LONGS {
        println!(
            "| {} | {} | {} {} | {}",
            long.name,
            ledger.done(long.name),
            long.total,
            long.unit,
            ledger.row(long.name)
        );
    }
    Ok(())
}

fn run_part(long: &Long, ledger: &mut Ledger) -> anyhow::Result<()> {
    let before = ledger.done(long.name);
    let amount = long.part.min(long.total - before);
    eprintln!("    {before} of {} {} done, {amount} to come", long.total, long.unit);
    let begun = Instant::now();
    let told = run_and_listen(&mut command(long.run, amount, before)?)?;
    ledger.add(Part { name: long.name.to_owned(), amount, seconds: begun.elapsed().as_secs(), told })
}

fn command(run: Run, amount: u64, before: u64) -> anyhow::Result<Command> {
    let suite = |filter| {
        ["test", "--locked", "--release", "-p", "goalpost", "--test", "it", filter, "--", "--nocapture"]
    };
    Ok(match run {
        Run::Test { test, engine, variable } => {
            let mut command = cargo(suite(test));
            command.env("GOALPOST_TEST_ENGINE", engine).env(variable, amount.to_string());
            command.env("GOALPOST_DONE_BEFORE", before.to_string());
            command.env("GOALPOST_READERS", READERS);
            command
        }
        Run::BothVersions => {
            let mut command = cargo(suite("upgrade::side_by_side").into_iter().chain(["--ignored"]));
            command.env("GOALPOST_EARLIER", earlier::program()?);
            command.env("GOALPOST_SECONDS", (amount * 60).to_string());
            command
        }
        Run::Load => {
            debian("python3", || output(program("python3").arg("--version")).is_some())?;
            let mut command = program("python3");
            command.args(["-B", "tests/clients/soak.py"]).arg(goalpost("release")?).arg(amount.to_string());
            command.envs(services::told()?);
            command
        }
    })
}

/// Run a program to its end, pass on what it prints, and keep what stands behind `soak: `.
fn run_and_listen(command: &mut Command) -> anyhow::Result<String> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start it")?;
    let stdout = child.stdout.take().context("it has no output")?;
    let mut told = Vec::new();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        if let Some((_, found)) = line.split_once("soak: ") {
            told.push(found.to_owned());
        }
        println!("{line}");
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    if told.is_empty() {
        bail!("{command:?} has not said what it found; has the test another name?");
    }
    Ok(told.join(", "))
}
