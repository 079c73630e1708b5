//! Chores: `cargo xtask test` checks everything that is promised, the others do a part of it.
//!
//! Nothing has to be installed for it but Rust and a C compiler. What else it needs, such as PostgreSQL and Node, it
//! installs on a Debian machine by itself: packages of Debian into the system, everything else into the target folder.

mod bench;
mod clients;
mod fuzz;
mod lint;
mod program;
mod services;
mod smoke;
mod soak;
mod steps;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use steps::Steps;

/// Chores of Goalpost
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Everything that the README promises: lint, tests, clients that others wrote, five minutes of fuzzing
    #[command(alias = "ci")]
    Test,
    /// Form, warnings, documentation and dependencies
    Lint,
    /// Give every reader of foreign input surprising texts
    Fuzz(fuzz::FuzzArgs),
    /// Run clients that others wrote against the built program: Microsoft's own, OData libraries, schemathesis
    Clients,
    /// Measure import and export on invented goals
    Bench(bench::BenchArgs),
    /// Count the instructions of an export, which must not have grown
    BenchSmoke(smoke::SmokeArgs),
    /// The real programs that tests talk to: PostgreSQL, PgBouncer, S3, Azure Blob
    #[command(subcommand)]
    Services(services::ServicesArgs),
    /// What is promised, tested for hours, in parts
    Soak(soak::SoakArgs),
}

fn main() -> ExitCode {
    let chore = Cli::parse().chore;
    let mut steps = Steps::begin();
    let done = match &chore {
        Chore::Test => test::run(&mut steps),
        Chore::Lint => lint::run(&mut steps),
        Chore::Fuzz(args) => fuzz::run(&mut steps, args),
        Chore::Clients => clients::run(&mut steps),
        Chore::Bench(args) => bench::run(&mut steps, args),
        Chore::BenchSmoke(args) => smoke::run(&mut steps, args.write),
        Chore::Services(args) => services::run(&mut steps, args),
        Chore::Soak(args) => soak::run(&mut steps, args),
    };
    steps.end(done)
}
