//! What an export and an import cost, against `sqlite3` and others doing the same with the same rows on the same machine.
//!
//! docs/BENCHMARKS.md says what is measured, and holds the figures. The programs take turns, and what they made is
//! compared cell by cell. Run it by `cargo xtask bench`, on a machine that does nothing else.

mod compare;
mod data;
mod peer;
mod peers;
mod report;
mod server;
mod usage;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Parser;

use data::Data;
use peers::Peers;
use report::{Place, Report, Rounds};
use server::{CheckIns, EVERY_GOAL, Server};
use usage::Cost;

/// The document's place for its figures.
const PLACE: Place = Place {
    begin: "<!-- figures: `cargo xtask bench --write` writes what follows -->\n",
    end: "<!-- end of figures -->\n",
};
/// That for imports by themselves.
const IMPORTS: Place = Place {
    begin: "<!-- imports: `cargo xtask bench --imports --write` writes what follows -->\n",
    end: "<!-- end of imports -->\n",
};
/// That for exports against more programs.
const PEERS: Place = Place {
    begin: "<!-- peers: `cargo xtask bench --peers --write` writes what follows -->\n",
    end: "<!-- end of peers -->\n",
};

/// Measure import and export against `sqlite3`
#[derive(Debug, Parser)]
struct BenchArgs {
    /// How many goals; everything is also done with a tenth of them
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    goals: u64,
    /// How often everything is done
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Measure imports alone, of all the goals: of a ZIP, a CSV and a workbook, with few and with many check-ins
    #[arg(long)]
    imports: bool,
    /// Measure exports alone, against more programs, by a Python that has what `peers/requirements.txt` names
    #[arg(long, value_name = "PYTHON", conflicts_with = "imports")]
    peers: Option<PathBuf>,
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
    let folder = root.join("target/bench");
    fs::create_dir_all(&folder)?;
    let document = root.join("docs/BENCHMARKS.md");
    if args.imports {
        let table = imports(&args, &folder)?;
        println!("{table}");
        return if args.write { report::write(&table, &IMPORTS, &document) } else { Ok(()) };
    }
    let few = Data::ready(&args.program, &folder, args.goals / 10)?;
    let many = Data::ready(&args.program, &folder, args.goals)?;
    if let Some(python) = &args.peers {
        let table = Peers::of(python).measure([&few, &many], args.rounds).await?;
        println!("{table}");
        return if args.write { report::write(&table, &PEERS, &document) } else { Ok(()) };
    }
    let mut report = Report::default();
    for (checkins, what) in CheckIns::ALL {
        let few = export(&few, checkins, what, args.rounds).await?;
        let many = export(&many, checkins, what, args.rounds).await?;
        report.compared(&few);
        report.compared(&many);
        report.grown(&few, &many);
    }
    let latencies = many.latencies().await?;
    report.latency("View of ten goals, from asking to seeing it done", many.goals, latencies);
    let again = many.again().await?;
    report.latency(
        "View of all goals again, nothing changed, from asking to seeing it done",
        many.goals,
        again,
    );
    report.compared(&import(&few, args.rounds)?);
    // Ten times as many goals take minutes, so they are imported a single time.
    report.compared(&import(&many, 1)?);
    let table = report.to_markdown(args.rounds.into())?;
    println!("{table}");
    if args.write {
        report::write(&table, &PLACE, &document)?;
    }
    Ok(())
}

/// Export every goal to a CSV file: by a job of a running server, and by a query.
async fn export(data: &Data, checkins: CheckIns, what: &str, rounds: u8) -> anyhow::Result<Rounds> {
    let mut done = Rounds { what: what.to_owned(), goals: data.goals, ours: Vec::new(), theirs: Vec::new() };
    let (ours, theirs) = (data.folder.join("ours.csv"), data.folder.join("theirs.csv"));
    for _ in 0..rounds {
        done.theirs.push(peer::export(data, checkins, &theirs)?);
        let view = data.view(checkins, EVERY_GOAL)?;
        done.ours.push(Server::start(data, checkins)?.export(&view, &ours).await?);
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

/// Read everything into a new database: the ZIP, and CSV files of the tables that came of it.
fn import(data: &Data, rounds: u8) -> anyhow::Result<Rounds> {
    let megabytes = |bytes: u64| bytes / 1_000_000;
    let (zip, csv) = (fs::metadata(data.zip())?.len(), peer::dump(data)?);
    let times = if rounds == 1 { "once; " } else { "" };
    let what = format!("Import ({times}{} MB of ZIP, {} MB of CSV)", megabytes(zip), megabytes(csv));
    let mut done = Rounds { what, goals: data.goals, ours: Vec::new(), theirs: Vec::new() };
    for _ in 0..rounds {
        done.theirs.push(peer::import(data)?);
        done.ours.push(data.import()?);
        tell(&done);
    }
    Ok(done)
}

/// How many check-ins a goal has where there are many.
const MANY_CHECK_INS: u32 = 8;

/// Read all goals into a new database from each kind of file, with as many check-ins as usual and with many.
fn imports(args: &BenchArgs, folder: &Path) -> anyhow::Result<String> {
    let mut report = Report::default();
    for (mean, words) in [(None, "2.3"), (Some(MANY_CHECK_INS), "8")] {
        let data = Data::ready_with(&args.program, folder, args.goals, mean)?;
        let zip = import(&data, args.rounds)?;
        report.compared(&Rounds { what: format!("{words} check-ins a goal: {}", zip.what), ..zip });
        for (name, kind) in [("goals.csv", "CSV"), ("goals.xlsx", "workbook")] {
            let file = data.table(name)?;
            let megabytes = fs::metadata(&file)?.len() / 1_000_000;
            let what = format!("{words} check-ins a goal: Import ({megabytes} MB of {kind})");
            let mut done = Rounds { what, goals: data.goals, ours: Vec::new(), theirs: Vec::new() };
            for _ in 0..args.rounds {
                done.ours.push(data.import_file(&file)?);
                tell(&done);
            }
            report.compared(&done);
        }
    }
    report.to_markdown(args.rounds.into())
}

/// Show the newest round while the others are still to come.
fn tell(done: &Rounds) {
    let show = |costs: &[Cost]| {
        costs.last().map_or_else(String::new, |cost| {
            let (cpu, wall) = (cost.cpu.as_secs_f64(), cost.wall.as_secs_f64());
            format!("{cpu:.2} s CPU, {wall:.2} s, {:.1} MiB", cost.peak_bytes as f64 / 1024.0 / 1024.0)
        })
    };
    eprintln!("{} of {} goals: {} | sqlite3 {}", done.what, done.goals, show(&done.ours), show(&done.theirs));
}
