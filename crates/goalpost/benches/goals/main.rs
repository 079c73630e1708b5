//! What goals cost: a page of many of them, a check-in below others, and the past.
//!
//! docs/BENCHMARKS.md says what is measured. On the engine that `GOALPOST_TEST_ENGINE` names; a server's is found by
//! `cargo xtask services up`.

mod history;
mod house;
mod pages;
mod rules;

use clap::Parser;

/// Measure goals
#[derive(Debug, Parser)]
struct BenchArgs {
    /// Of how many goals pages are read
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(i64).range(10_000..))]
    goals: i64,
    /// Measure this alone
    #[arg(long, value_parser = ["pages", "rules", "history"])]
    only: Option<String>,
    /// Cargo says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let args = BenchArgs::parse();
    let is_meant = |part: &str| args.only.as_deref().is_none_or(|only| only == part);
    let runtime = tokio::runtime::Runtime::new()?;
    let _entered = runtime.enter();
    if is_meant("rules") {
        rules::measure(&runtime)?;
    }
    if is_meant("history") {
        history::measure()?;
    }
    if is_meant("pages") {
        runtime.block_on(pages::measure(args.goals))?;
    }
    Ok(())
}
