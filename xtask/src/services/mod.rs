//! `cargo xtask services`: the real programs that the tests talk to, on free ports of this machine.
//!
//! ```text
//! up ──▶ tools: what is missing is installed   ──▶ processes ──▶ target/services.env: where they are
//! ```
//! The tests find them only through that file. Nothing in them is worth keeping: every start begins empty.

mod azurite;
mod pgbouncer;
mod postgres;
mod registry;
mod seaweedfs;
mod start;
pub(crate) mod tools;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use goalpost_processes::poll;

use crate::program::target_folder;
use crate::steps::{Failed, Steps};
use registry::{Env, Registry};
pub(crate) use start::Start;

#[derive(Debug, Subcommand)]
pub(crate) enum ServicesArgs {
    /// Install and start what is missing; leave it running if all of it answers
    Up,
    /// End all of it
    Down,
    /// What runs, and whether it answers
    Status,
}

/// One of the programs.
#[derive(Debug)]
struct Service {
    name: &'static str,
    start: fn(&mut Start) -> anyhow::Result<()>,
    /// Whether it answers, going by what the tests are told.
    answers: fn(&Env) -> bool,
    /// What is left to do once it answers.
    prepare: fn(&Env) -> anyhow::Result<()>,
}

/// In the order in which they are started: slow ones first, and each after what it needs.
const SERVICES: [Service; 4] = [seaweedfs::SERVICE, azurite::SERVICE, postgres::SERVICE, pgbouncer::SERVICE];
/// How long they may take to come up, on a machine that does other things, too.
const PATIENCE: Duration = Duration::from_mins(2);

const TOOLS_HINT: &str = "the message above says what is missing";
const HINT: &str = "`target/services` has the logs";

pub(crate) fn run(steps: &mut Steps, args: &ServicesArgs) -> Result<(), Failed> {
    match args {
        ServicesArgs::Up => {
            steps.step("tools", TOOLS_HINT, tools::install)?;
            steps.step("services", HINT, up)
        }
        ServicesArgs::Down => steps.step("services", HINT, || Registry::locked()?.end_all()),
        ServicesArgs::Status => steps.step("services", "`cargo xtask services up` starts them", status),
    }
}

/// Start services of a chore's own, which end with what is returned; those of an earlier `up` are ended.
pub(crate) fn begin(steps: &mut Steps) -> Result<Start, Failed> {
    steps.step("tools", TOOLS_HINT, tools::install)?;
    steps.step("services", HINT, || start_all(Registry::locked()?, false))
}

fn up() -> anyhow::Result<()> {
    let registry = Registry::locked()?;
    if registry.is_running() && unanswered(&registry.env()).is_empty() {
        eprintln!("    all of them run");
    } else {
        start_all(registry, true)?.leave();
    }
    print!("{}", std::fs::read_to_string(env_file())?);
    Ok(())
}

fn start_all(registry: Registry, stay: bool) -> anyhow::Result<Start> {
    registry.end_all()?;
    let mut start = Start::begin(registry, stay)?;
    for service in &SERVICES {
        (service.start)(&mut start).with_context(|| format!("{} does not start", service.name))?;
    }
    tools::tell(&mut start)?;
    let env = start.env();
    let answered = poll(PATIENCE, || (start.someone_ended() || unanswered(&env).is_empty()).then_some(()));
    let missing = unanswered(&env);
    if answered.is_none() || !missing.is_empty() {
        bail!("no answer from {}\n{}", missing.join(" and "), start.logs());
    }
    for service in &SERVICES {
        (service.prepare)(&env).with_context(|| format!("{} cannot be used", service.name))?;
    }
    start.tell_tests()?;
    Ok(start)
}

fn unanswered(env: &Env) -> Vec<&'static str> {
    SERVICES.iter().filter(|service| !(service.answers)(env)).map(|service| service.name).collect()
}

fn status() -> anyhow::Result<()> {
    let registry = Registry::locked()?;
    let missing = unanswered(&registry.env());
    for service in &SERVICES {
        let answers = if missing.contains(&service.name) { "does not answer" } else { "answers" };
        let process = registry.process(service.name).filter(|process| process.is_running());
        let process =
            process.map_or_else(|| "not running".to_owned(), |process| format!("process {process}"));
        println!("{:<12}{answers:<18}{process}", service.name);
    }
    if !missing.is_empty() {
        bail!("{} of {} services do not answer", missing.len(), SERVICES.len());
    }
    Ok(())
}

/// Where the data and logs of the services are.
fn folder() -> PathBuf {
    target_folder().join("services")
}

/// What the tests read: where the services are that run.
pub(crate) fn told() -> anyhow::Result<Vec<(String, String)>> {
    let text = std::fs::read_to_string(env_file())?;
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Where that stands.
fn env_file() -> PathBuf {
    target_folder().join("services.env")
}
