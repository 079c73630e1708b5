//! The figures: a table for people, and the same in docs/BENCHMARKS.md.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context as _, bail};

use crate::peer;
use crate::usage::Cost;

/// A place for a table in docs/BENCHMARKS.md, between two lines.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) begin: &'static str,
    pub(crate) end: &'static str,
}

/// The costs of one thing, round by round, here and with the peer.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// What was done.
    pub(crate) what: String,
    /// To how many goals.
    pub(crate) goals: u64,
    pub(crate) ours: Vec<Cost>,
    pub(crate) theirs: Vec<Cost>,
}

/// A row of the table.
type Line = [String; 5];

/// The whole report.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Line>);

impl Report {
    /// Processor time, time on the wall and memory of both, and their ratios; of ours, where there is no peer.
    pub(crate) fn compared(&mut self, rounds: &Rounds) {
        if rounds.theirs.is_empty() {
            return self.alone(rounds);
        }
        self.cpu(rounds);
        if rounds.theirs.iter().any(|cost| cost.own < cost.cpu) {
            self.times(rounds, "CPU of the program alone", |cost| cost.own);
        }
        self.times(rounds, "wall", |cost| cost.wall);
        let mebibytes = |costs: &[Cost]| median(costs, |cost| cost.peak_bytes) as f64 / 1024.0 / 1024.0;
        let (ours, theirs) = (mebibytes(&rounds.ours), mebibytes(&rounds.theirs));
        let ratio = format!("{:.2}", ours / theirs);
        self.line(rounds, "peak memory", format!("{ours:.1} MiB"), format!("{theirs:.1} MiB"), ratio);
    }

    fn alone(&mut self, rounds: &Rounds) {
        let none = String::new;
        for (figure, get) in
            [("CPU", (|cost: &Cost| cost.cpu) as fn(&Cost) -> Duration), ("wall", |cost| cost.wall)]
        {
            let ours = format!("{:.2} s", median(&rounds.ours, get).as_secs_f64());
            self.line(rounds, figure, ours, none(), none());
        }
        let peak = median(&rounds.ours, |cost| cost.peak_bytes) as f64 / 1024.0 / 1024.0;
        self.line(rounds, "peak memory", format!("{peak:.1} MiB"), none(), none());
    }

    /// Processor time of both.
    pub(crate) fn cpu(&mut self, rounds: &Rounds) {
        self.times(rounds, "CPU", |cost| cost.cpu);
    }

    fn times(&mut self, rounds: &Rounds, figure: &str, get: fn(&Cost) -> Duration) {
        let seconds = |value: Duration| format!("{:.2} s", value.as_secs_f64());
        let (ours, theirs) = (median(&rounds.ours, get), median(&rounds.theirs, get));
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        self.line(rounds, figure, seconds(ours), seconds(theirs), format!("**{ratio:.2}**"));
    }

    /// The server's peak of memory, for many goals against few.
    pub(crate) fn grown(&mut self, few: &Rounds, many: &Rounds) {
        let bytes = |rounds: &Rounds| median(&rounds.ours, |cost| cost.peak_bytes) as f64;
        self.0.push([
            format!("{}, peak memory against {} goals", many.what, few.goals),
            many.goals.to_string(),
            String::new(),
            String::new(),
            format!("**{:.2}**", bytes(many) / bytes(few)),
        ]);
    }

    /// Half of the values are at most p50, and of twenty nineteen at most p95.
    pub(crate) fn latency(&mut self, what: &str, goals: u64, mut values: Vec<Duration>) {
        values.sort_unstable();
        for percent in [50, 95] {
            let value = values[(values.len() * percent).div_ceil(100) - 1];
            let milliseconds = format!("{:.1} ms", value.as_secs_f64() * 1e3);
            let what = format!("{what}, p{percent} of {}", values.len());
            self.0.push([what, goals.to_string(), milliseconds, String::new(), String::new()]);
        }
    }

    fn line(&mut self, rounds: &Rounds, figure: &str, ours: String, theirs: String, ratio: String) {
        let what = format!("{}, {figure}", rounds.what);
        self.0.push([what, rounds.goals.to_string(), ours, theirs, ratio]);
    }

    /// The table in Markdown, under a line about the machine.
    pub(crate) fn to_markdown(&self, rounds: usize) -> anyhow::Result<String> {
        let mut text = format!("{}; rounds: {rounds}.\n\n", machine()?);
        writeln!(text, "| | goals | Goalpost | {} | ratio |\n|---|---:|---:|---:|---:|", peer::NAME)?;
        for line in &self.0 {
            writeln!(text, "| {} |", line.join(" | "))?;
        }
        Ok(text)
    }
}

/// Put a table in the place of the one that a document has.
///
/// # Errors
/// When the document has no such place.
pub(crate) fn write(table: &str, place: &Place, document: &Path) -> anyhow::Result<()> {
    let Place { begin, end } = place;
    let text = fs::read_to_string(document).with_context(|| format!("cannot read {}", document.display()))?;
    let Some((before, rest)) = text.split_once(begin) else {
        bail!("`{}` has no line `{}`", document.display(), begin.trim());
    };
    let Some((_, after)) = rest.split_once(end) else {
        bail!("`{}` has no line `{}`", document.display(), end.trim());
    };
    Ok(fs::write(document, format!("{before}{begin}\n{table}\n{end}{after}"))?)
}

/// What the figures were measured on, without saying whose it is.
pub(crate) fn machine() -> anyhow::Result<String> {
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kibibytes = memory.split_whitespace().nth(1).context("/proc/meminfo does not begin with a size")?;
    let gibibytes = kibibytes.parse::<f64>()? / 1024.0 / 1024.0;
    let cores = thread::available_parallelism()?;
    Ok(format!("{cores} cores, {gibibytes:.0} GiB of memory, {}", peer::version()?))
}

/// The middle value, or the lower of the two that are in the middle.
pub(crate) fn median<T: Copy + Ord>(costs: &[Cost], get: impl Fn(&Cost) -> T) -> T {
    let mut values: Vec<T> = costs.iter().map(get).collect();
    values.sort_unstable();
    values[(values.len() - 1) / 2]
}
