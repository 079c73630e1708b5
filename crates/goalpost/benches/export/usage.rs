//! What a process costs: time on the wall, time on the processors, and memory at its peak. Linux only.

use std::fs;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// Linux counts processor time for programs in hundredths of a second, whatever its own clock does.
const TICK: Duration = Duration::from_millis(10);
/// How often a running program's peak of memory is looked at, and whether it has ended.
const LOOK: Duration = Duration::from_millis(5);

/// What was used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// From start to end.
    pub(crate) wall: Duration,
    /// In user mode and in the system, by all threads, to the hundredth of a second.
    pub(crate) cpu: Duration,
    /// Of that, what was used by the server or the program that is measured, without a client or a database beside it.
    pub(crate) own: Duration,
    /// The most memory that was resident at one time, bytes.
    pub(crate) peak_bytes: u64,
}

impl Cost {
    /// Run a program to its end.
    ///
    /// # Errors
    /// When it cannot be started or fails.
    pub(crate) fn of(command: &mut Command) -> anyhow::Result<Self> {
        Self::with(command, None)
    }

    /// Run a program to its end that lets a database server work for it: the process that all others of it descend from.
    ///
    /// # Errors
    /// When it cannot be started or fails.
    pub(crate) fn with(command: &mut Command, database: Option<u32>) -> anyhow::Result<Self> {
        let (cpu, beside) = (own()?.children, tree_of(database)?);
        let started = Instant::now();
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let mut peak_bytes = 0;
        let status: ExitStatus = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            // The system's own count for an ended child begins at its parent's size, so it is read while it runs.
            peak_bytes = peak(child.id()).unwrap_or(peak_bytes);
            thread::sleep(LOOK);
        };
        let wall = started.elapsed();
        if !status.success() {
            bail!("{command:?} ended with {status}");
        }
        let own = own()?.children.saturating_sub(cpu);
        Ok(Self { wall, cpu: own + tree_of(database)?.saturating_sub(beside), own, peak_bytes })
    }
}

/// Measures a server, the database server that works for it, and this process, which is its client, from
/// [`Meter::start`] on.
#[derive(Debug)]
pub(crate) struct Meter {
    server: u32,
    database: Option<u32>,
    started: Instant,
    beside: Duration,
    own: Duration,
}

impl Meter {
    /// Begin to measure; the server's peak of memory is what it holds now.
    pub(crate) fn start(server: u32, database: Option<u32>) -> anyhow::Result<Self> {
        let reset = format!("/proc/{server}/clear_refs");
        fs::write(&reset, "5").with_context(|| format!("cannot write {reset}"))?;
        let (beside, own) = (spent_beside(database)?, spent(server)?);
        Ok(Self { server, database, started: Instant::now(), beside, own })
    }

    /// What all of them have used since the start, and the server's peak of memory.
    pub(crate) fn stop(&self) -> anyhow::Result<Cost> {
        let wall = self.started.elapsed();
        let peak_bytes = peak(self.server).context("the server has no memory to be counted")?;
        let own = spent(self.server)?.saturating_sub(self.own);
        let beside = spent_beside(self.database)?.saturating_sub(self.beside);
        Ok(Cost { wall, cpu: own + beside, own, peak_bytes })
    }
}

fn spent(server: u32) -> anyhow::Result<Duration> {
    Ok(times(&server.to_string())?.itself)
}

fn spent_beside(database: Option<u32>) -> anyhow::Result<Duration> {
    Ok(own()?.itself + tree_of(database)?)
}

fn tree_of(database: Option<u32>) -> anyhow::Result<Duration> {
    database.map_or(Ok(Duration::ZERO), tree)
}

/// Processor time of a process and of all that descend from it, those that have ended as well.
fn tree(process: u32) -> anyhow::Result<Duration> {
    let name = process.to_string();
    loop {
        let before = times(&name)?;
        let children = format!("/proc/{name}/task/{name}/children");
        let children = fs::read_to_string(&children).with_context(|| format!("cannot read {children}"))?;
        // One that is gone by now was added to what its parent says of those that have ended.
        let below: Duration =
            children.split_whitespace().filter_map(|child| tree(child.parse().ok()?).ok()).sum();
        let after = times(&name)?;
        if after.children == before.children {
            return Ok(after.itself + after.children + below);
        }
    }
}

fn own() -> anyhow::Result<Times> {
    times("self")
}

/// Processor time of a process, and of its children that have ended.
struct Times {
    itself: Duration,
    children: Duration,
}

fn times(process: &str) -> anyhow::Result<Times> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    // The name, in parentheses, may hold blanks; the state after it is field 3 of proc_pid_stat(5).
    let (_, fields) = stat.rsplit_once(')').with_context(|| format!("{path} has no name"))?;
    let ticks: Vec<u32> =
        fields.split_whitespace().skip(11).take(4).map(str::parse).collect::<Result<_, _>>()?;
    let [user, system, children_user, children_system] = ticks[..] else {
        bail!("{path} is too short");
    };
    Ok(Times { itself: TICK * (user + system), children: TICK * (children_user + children_system) })
}

/// `VmHWM` of `proc_pid_status(5)`; `None` once the process has ended.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
