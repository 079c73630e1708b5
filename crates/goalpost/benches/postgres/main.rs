//! What an export from PostgreSQL costs, against `psql` copying the same rows out of the same database.
//!
//! docs/BENCHMARKS.md says what is measured, and holds the figures. The programs take turns, and what they made is
//! compared cell by cell. Run it by `cargo xtask bench --postgres`, on a machine that does nothing else.

#[path = "../export/compare.rs"]
mod compare;
mod data;
mod peer;
#[path = "../export/report.rs"]
mod report;
#[path = "../export/server.rs"]
mod server;
#[path = "../export/usage.rs"]
mod usage;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Parser;

use data::{Cluster, Data};
use peer::Jit;
use report::{Place, Report, Rounds};
use server::{CheckIns, EVERY_GOAL, Server};
use usage::Cost;

/// The document's place for its figures.
const PLACE: Place = Place {
    begin: "<!-- figures: `cargo xtask bench --postgres --write` writes what follows -->\n",
    end: "<!-- end of figures -->\n",
};

/// Measure exports against `psql`
#[derive(Debug, Parser)]
struct BenchArgs {
    /// How many goals; everything is also done with a tenth of them, and memory measured with a hundredth
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10_000..))]
    goals: u64,
    /// How often everything is done
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Another build of the server than this one's
    #[arg(long, value_name = "FILE", default_value = env!("CARGO_BIN_EXE_goalpost"))]
    program: PathBuf,
    /// Write the table into docs/BENCHMARKS.md
    #[arg(long)]
    write: bool,
    /// Cargo says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = BenchArgs::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cluster = Cluster::start(&root.join("target/bench/postgres"))?;
    let ready = |goals| Data::ready(&args.program, &cluster, goals);
    let (fewest, few, many) = (ready(args.goals / 100)?, ready(args.goals / 10)?, ready(args.goals)?);
    let mut report = Report::default();
    for (checkins, what) in CheckIns::ALL {
        let fewest = export(&fewest, checkins, what, args.rounds).await?.without_jit;
        let few = export(&few, checkins, what, args.rounds).await?;
        let many = export(&many, checkins, what, args.rounds).await?;
        for both in [&few, &many] {
            report.compared(&both.without_jit);
            report.cpu(&both.as_it_comes);
        }
        report.grown(&fewest, &many.without_jit);
        report.grown(&few.without_jit, &many.without_jit);
    }
    let latencies = many.latencies().await?;
    report.latency("View of ten goals, from asking to seeing it done", many.goals, latencies);
    let again = many.again().await?;
    report.latency(
        "View of all goals again, nothing changed, from asking to seeing it done",
        many.goals,
        again,
    );
    let table = report.to_markdown(args.rounds.into())?;
    println!("{table}");
    if args.write {
        report::write(&table, &PLACE, &root.join("docs/BENCHMARKS.md"))?;
    }
    Ok(())
}

/// One export against two ways of the peer.
struct Both {
    without_jit: Rounds,
    as_it_comes: Rounds,
}

/// Export every goal to a CSV file: by a job of a running server, and by a query.
async fn export(data: &Data, checkins: CheckIns, what: &str, rounds: u8) -> anyhow::Result<Both> {
    let against = |peer: &str| Rounds {
        what: format!("{what}{peer}"),
        goals: data.goals,
        ours: Vec::new(),
        theirs: Vec::new(),
    };
    let (ours, theirs) = (data.folder.join("ours.csv"), data.folder.join("theirs.csv"));
    let mut done = Both { without_jit: against(""), as_it_comes: against(", `psql` with `jit = on`") };
    for _ in 0..rounds {
        done.as_it_comes.theirs.push(peer::export(data, checkins, Jit::On, &theirs)?);
        done.without_jit.theirs.push(peer::export(data, checkins, Jit::Off, &theirs)?);
        let view = data.view(checkins, EVERY_GOAL)?;
        let cost = Server::start(data, checkins)?.export(&view, &ours).await?;
        done.without_jit.ours.push(cost);
        done.as_it_comes.ours.push(cost);
        // A goal in a hundred is restricted, so almost all of them are in the file.
        let goals = compare::compare(&ours, &theirs)?;
        if goals < data.goals / 10 * 9 {
            bail!("the files hold {goals} goals of {}", data.goals);
        }
        tell(&done);
    }
    fs::remove_file(ours)?;
    fs::remove_file(theirs)?;
    Ok(done)
}

/// Show the newest round while the others are still to come.
fn tell(done: &Both) {
    let show = |costs: &[Cost]| {
        costs.last().map_or_else(String::new, |cost| {
            let (cpu, own) = (cost.cpu.as_secs_f64(), cost.own.as_secs_f64());
            let (wall, peak) = (cost.wall.as_secs_f64(), cost.peak_bytes as f64 / 1024.0 / 1024.0);
            format!("{cpu:.2} s CPU ({own:.2} s its own), {wall:.2} s, {peak:.1} MiB")
        })
    };
    let Both { without_jit, as_it_comes } = done;
    eprintln!(
        "{} of {} goals: {} | psql {} | with jit {}",
        without_jit.what,
        without_jit.goals,
        show(&without_jit.ours),
        show(&without_jit.theirs),
        show(&as_it_comes.theirs)
    );
}
