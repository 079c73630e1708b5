//! What the service costs beside the files that it makes: the queue, polls, POSTs, downloads; against bare servers and
//! queues of others, in turn on the same machine.
//!
//! docs/BENCHMARKS.md says what is measured, and holds the figures. Run it by `cargo xtask bench --service`, on a
//! machine that does nothing else.

mod load;
mod peers;
mod place;
mod postgres;
mod report;
mod sqlite;

use std::path::PathBuf;

use clap::Parser;
use goalpost_testing::PgCluster;

use place::Place;
use postgres::{Base, WITH_GOALS, WITHOUT_GOALS, growth, url_of};
use report::Report;

/// Organizations, and views of each: together the POSTs of a round, few enough of each to meet no limit.
const HOUSES: usize = 160;
const VIEWS: usize = 25;

/// Measure the service
#[derive(Debug, Parser)]
struct BenchArgs {
    /// How often everything is done
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Measure this alone
    #[arg(long, value_parser = ["sqlite", "serve", "work"])]
    only: Option<String>,
    /// Measure how it does with many jobs pending instead
    #[arg(long)]
    growth: bool,
    /// Another build of the server than this one's
    #[arg(long, value_name = "FILE", default_value = env!("CARGO_BIN_EXE_goalpost"))]
    program: PathBuf,
    /// Another bound than the default of files that are kept in the database
    #[arg(long, value_name = "BYTES")]
    in_database_bytes: Option<usize>,
    /// Write the table into docs/BENCHMARKS.md
    #[arg(long)]
    write: bool,
    /// Be a bare server
    #[arg(long, hide = true, num_args = 2)]
    peer: Option<Vec<String>>,
    /// Cargo says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl BenchArgs {
    /// What every server that is measured is set to.
    fn settings(&self) -> String {
        let bound = self.in_database_bytes.map(|bytes| format!("in_database_bytes = {bytes}\n"));
        format!("{}{}", place::SETTINGS, bound.unwrap_or_default())
    }
}

fn main() -> anyhow::Result<()> {
    let args = BenchArgs::parse();
    if let Some([deed, of]) = args.peer.as_deref() {
        return peers::serve(deed, of);
    }
    let mut report = Report::default();
    if args.growth {
        grow(&args, &mut report)?;
    } else {
        measure(&args, &mut report)?;
    }
    let table = report.to_markdown(args.rounds.into())?;
    println!("{table}");
    if args.write {
        let place = if args.growth { "growth" } else { "service" };
        report::write(&table, place, &place::target().join("../docs/BENCHMARKS.md"))?;
    }
    Ok(())
}

fn measure(args: &BenchArgs, report: &mut Report) -> anyhow::Result<()> {
    let is_meant = |part: &str| args.only.as_deref().is_none_or(|only| only == part);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Removed when all is measured: see `Place::put_files_aside`.
    let mut on_sqlite = None;
    let settings = args.settings();
    if is_meant("sqlite") {
        let place = on_sqlite.insert(Place::make(None, HOUSES, VIEWS, &settings)?);
        sqlite::prepare(place)?;
        for _ in 0..args.rounds {
            runtime.block_on(sqlite::round(place, &args.program, report))?;
            place.clear()?;
        }
    }
    if !is_meant("serve") && !is_meant("work") {
        return Ok(());
    }
    let cluster = PgCluster::start();
    postgres::prepare(&cluster);
    let place = Place::make(Some(&cluster.url()), HOUSES, VIEWS, &settings)?;
    let base = Base { cluster: &cluster, place: &place, program: &args.program, database: WITHOUT_GOALS };
    let few = Place::make(Some(&url_of(&cluster, WITH_GOALS)), HOUSES, 1, &settings)?;
    let with_goals = Base { place: &few, database: WITH_GOALS, ..base };
    for house in &few.houses {
        few.fill(house, 10, 400)?;
    }
    for _ in 0..args.rounds {
        if is_meant("serve") {
            runtime.block_on(postgres::serve(&base, report))?;
            base.clear()?;
        }
        if is_meant("work") {
            place.enqueue(HOUSES, postgres::JOBS_DONE)?;
            runtime.block_on(postgres::work(&base, report))?;
            base.clear()?;
            with_goals.place.enqueue(HOUSES, postgres::JOBS_DONE)?;
            runtime.block_on(postgres::work_on_goals(&with_goals, report))?;
            with_goals.clear()?;
        }
    }
    Ok(())
}

fn grow(args: &BenchArgs, report: &mut Report) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cluster = PgCluster::start();
    let place = Place::make(Some(&cluster.url()), growth::HOUSES, 1, &args.settings())?;
    let base = Base { cluster: &cluster, place: &place, program: &args.program, database: WITHOUT_GOALS };
    for _ in 0..args.rounds {
        let one = place.enqueue(1, 1)?.to_string();
        let alone = runtime.block_on(growth::polls(&base, &one))?;
        base.clear()?;
        for step in growth::STEPS {
            let pending = place.enqueue(step.1, growth::PENDING)?.to_string();
            // As it does by itself within a minute; what the step before has left would be read past until then.
            cluster.sql("goalpost", "vacuum analyze");
            runtime.block_on(growth::measure(&base, step, &pending, alone, report))?;
            base.clear()?;
        }
    }
    Ok(())
}
