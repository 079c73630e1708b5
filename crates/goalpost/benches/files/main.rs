//! What a workbook and a Parquet file cost, against the programs that people would write them with.
//!
//! docs/BENCHMARKS.md says what is measured, and holds the figures. Run it by `cargo xtask bench --files`.

#[path = "../export/data.rs"]
#[expect(dead_code, reason = "shared with the benchmark of exports, which needs more of it")]
mod data;
#[path = "../export/peer.rs"]
#[expect(dead_code, reason = "likewise")]
mod peer;
#[path = "../export/server.rs"]
#[expect(dead_code, reason = "likewise")]
mod server;
#[path = "../export/usage.rs"]
#[expect(dead_code, reason = "likewise")]
mod usage;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Parser;
use goalpost::demo::ORGANIZATION;

use data::Data;
use server::CheckIns;
use usage::Cost;

/// Measure files of other kinds than CSV against other programs
#[derive(Debug, Parser)]
struct BenchArgs {
    /// How many goals; everything is also done with a tenth of them
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    goals: u64,
    /// How often everything is done
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// A Python that has what requirements.txt names
    #[arg(long, value_name = "FILE")]
    python: PathBuf,
    /// The program in rust-peer, built
    #[arg(long, value_name = "FILE")]
    rust_peer: PathBuf,
    /// Cargo says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let args = BenchArgs::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("target/bench");
    fs::create_dir_all(&folder)?;
    println!("| file | goals | CPU | wall | peak memory | bytes | CPU against it |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for goals in [args.goals / 10, args.goals] {
        measure(&Data::ready(env!("CARGO_BIN_EXE_goalpost").as_ref(), &folder, goals)?, &args)?;
    }
    Ok(())
}

/// One way to make a file.
struct Way {
    name: &'static str,
    file: &'static str,
    command: Box<dyn Fn(&Path) -> Command>,
    /// What is taken off, as the mere reading of what a peer writes from.
    less: Option<usize>,
    /// Against which of ours it stands.
    against: Option<usize>,
    costs: Vec<Cost>,
    bytes: u64,
}

/// Every way in turn, round by round; then a table of medians.
fn measure(data: &Data, args: &BenchArgs) -> anyhow::Result<()> {
    let lines = data.folder.join("lines.jsonl");
    let mut ways = ways(data, args, &lines);
    for round in 0..args.rounds {
        for way in &mut ways {
            let out = data.folder.join(way.file);
            let cost = Cost::of(&mut (way.command)(&out))?;
            eprintln!("{}, round {round}: {:.2} s CPU", way.name, cost.cpu.as_secs_f64());
            way.bytes = fs::metadata(&out).map_or(0, |file| file.len());
            way.costs.push(cost);
            // The peers read the lines.
            if out != lines {
                let _ = fs::remove_file(&out);
            }
            let _ = fs::remove_file(out.with_added_extension("manifest.json"));
        }
    }
    for way in &ways {
        let cpu = own(way, &ways);
        let against = way.against.map(|of| own(&ways[of], &ways).as_secs_f64() / cpu.as_secs_f64());
        let ratio = against.map_or_else(String::new, |ratio| format!("**{ratio:.2}**"));
        println!(
            "| {} | {} | {:.2} s | {:.2} s | {:.0} MiB | {} MB | {ratio} |",
            way.name,
            data.goals,
            cpu.as_secs_f64(),
            median(way, |cost| cost.wall).as_secs_f64(),
            median(way, |cost| cost.peak_bytes) as f64 / 1024.0 / 1024.0,
            way.bytes / 1_000_000,
        );
    }
    fs::remove_file(lines)?;
    Ok(())
}

/// Processor time, less that of reading.
fn own(way: &Way, ways: &[Way]) -> Duration {
    let cpu = median(way, |cost| cost.cpu);
    way.less.map_or(cpu, |reading| cpu.saturating_sub(median(&ways[reading], |cost| cost.cpu)))
}

fn median<T: Copy + Ord>(way: &Way, get: impl Fn(&Cost) -> T) -> T {
    let mut values: Vec<T> = way.costs.iter().map(get).collect();
    values.sort_unstable();
    values[(values.len() - 1) / 2]
}

fn ways(data: &Data, args: &BenchArgs, lines: &Path) -> Vec<Way> {
    let ours = |name, file, format: &'static str| {
        let (program, folder) = (env!("CARGO_BIN_EXE_goalpost"), data.data(CheckIns::Left));
        let command = move |out: &Path| {
            let mut command = Command::new(program);
            command.arg("--data").arg(&folder).args(["export", "--organization", &ORGANIZATION.to_string()]);
            command.args(["--columns", "all", "--check-ins", "none", "--format", format]);
            // The manifest of the round before lies there.
            command.args(["--force", "--out"]).arg(out);
            command.env("GOALPOST_EXPORTS_REUSE", "false");
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        way(name, file, Box::new(command))
    };
    let python = |name, file, what: &'static str| {
        let (python, lines) = (args.python.clone(), lines.to_owned());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/files/peers.py");
        way(
            name,
            file,
            Box::new(move |out: &Path| {
                let mut command = Command::new(&python);
                command.arg("-B").arg(&script).arg(what).arg(&lines).arg(out);
                command
            }),
        )
    };
    let rust = |name, file, what: &'static str| {
        let (program, lines) = (args.rust_peer.clone(), lines.to_owned());
        way(
            name,
            file,
            Box::new(move |out: &Path| {
                let mut command = Command::new(&program);
                command.arg(what).arg(&lines).arg(out);
                command
            }),
        )
    };
    let less = |way: Way, reading, against| Way { less: Some(reading), against: Some(against), ..way };
    vec![
        ours("JSON Lines, which the peers read", "lines.jsonl", "jsonl"),
        ours("workbook", "ours.xlsx", "xlsx"),
        ours("Parquet", "ours.parquet", "parquet"),
        python("the lines, read by Python", "none", "read"),
        rust("the lines, read by Rust", "none", "read"),
        python("the lines, read by DuckDB", "none", "duckdb-read"),
        less(python("workbook, XlsxWriter with `constant_memory`", "theirs.xlsx", "xlsxwriter"), 3, 1),
        less(rust("workbook, rust_xlsxwriter with constant memory", "theirs.xlsx", "xlsx"), 4, 1),
        less(python("Parquet, DuckDB", "theirs.parquet", "duckdb"), 5, 2),
    ]
}

fn way(name: &'static str, file: &'static str, command: Box<dyn Fn(&Path) -> Command>) -> Way {
    Way { name, file, command, less: None, against: None, costs: Vec::new(), bytes: 0 }
}
