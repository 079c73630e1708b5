//! The figures: a table for people, and the same in docs/BENCHMARKS.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use anyhow::Context as _;

use crate::load::Load;

/// Figures of all rounds, by what was measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// In the order in which they came.
    names: Vec<String>,
    values: BTreeMap<String, (Unit, Vec<Round>)>,
}

/// Ours, and the peer's if there is one.
type Round = (f64, Option<f64>);

/// How a figure is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    PerSecond,
    Milliseconds,
    Microseconds,
    GigabytesPerSecond,
}

impl Unit {
    fn write(self, value: f64) -> String {
        match self {
            Self::PerSecond => format!("{value:.0} a second"),
            Self::Milliseconds => format!("{value:.1} ms"),
            Self::Microseconds => format!("{value:.0} µs"),
            Self::GigabytesPerSecond => format!("{value:.2} GB/s"),
        }
    }
}

impl Report {
    /// A figure of one round, and that of a peer in the same one.
    pub(crate) fn add(&mut self, what: &str, unit: Unit, ours: f64, theirs: Option<f64>) {
        eprintln!(
            "{what}: {} | {}",
            unit.write(ours),
            theirs.map_or_else(String::new, |theirs| unit.write(theirs))
        );
        if !self.values.contains_key(what) {
            self.names.push(what.to_owned());
        }
        self.values.entry(what.to_owned()).or_insert((unit, Vec::new())).1.push((ours, theirs));
    }

    /// How many requests a load was a second, and what each cost those that answered.
    pub(crate) fn add_load(&mut self, what: &str, ours: &Load, theirs: &Load) {
        self.add(what, Unit::PerSecond, ours.per_sec(), Some(theirs.per_sec()));
        self.add(
            &format!("{what}, CPU of an answer"),
            Unit::Microseconds,
            ours.cpu_us(),
            Some(theirs.cpu_us()),
        );
    }

    /// The medians in Markdown, under a line about the machine.
    pub(crate) fn to_markdown(&self, rounds: usize) -> anyhow::Result<String> {
        let memory = fs::read_to_string("/proc/meminfo")?;
        let kibibytes: f64 =
            memory.split_whitespace().nth(1).context("/proc/meminfo does not begin with a size")?.parse()?;
        let (cores, gibibytes) = (thread::available_parallelism()?, kibibytes / 1024.0 / 1024.0);
        let mut text = format!("{cores} cores, {gibibytes:.0} GiB of memory; medians of {rounds}.\n\n");
        text.push_str("| | Goalpost | peer | ratio |\n|---|---:|---:|---:|\n");
        for name in &self.names {
            let Some((unit, rounds)) = self.values.get(name) else { continue };
            let ours = unit.write(median(rounds.iter().map(|both| both.0)));
            let both = rounds.iter().filter_map(|(ours, theirs)| Some((*ours, (*theirs)?)));
            let (mut theirs, mut ratio) = (String::new(), String::new());
            if both.clone().next().is_some() {
                theirs = unit.write(median(both.clone().map(|(_, theirs)| theirs)));
                ratio = format!("**{:.2}**", median(both.map(|(ours, theirs)| ours / theirs)));
            }
            writeln!(text, "| {name} | {ours} | {theirs} | {ratio} |")?;
        }
        Ok(text)
    }
}

/// Put the table in the place of the one that a document has.
///
/// # Errors
/// When the document has no such place.
pub(crate) fn write(table: &str, place: &str, document: &Path) -> anyhow::Result<()> {
    let begin = format!("<!-- {place} figures: `cargo xtask bench` writes what follows -->\n");
    let end = format!("<!-- end of {place} figures -->\n");
    let text = fs::read_to_string(document).with_context(|| format!("cannot read {}", document.display()))?;
    let parts = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = parts.with_context(|| format!("{} has no place for it", document.display()))?;
    Ok(fs::write(document, format!("{before}{begin}\n{table}\n{end}{after}"))?)
}

/// The middle value, or the lower of the two that are in the middle.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    percentile(values.collect(), 50)
}

/// The value that so many of a hundred are at most.
pub(crate) fn percentile(mut values: Vec<f64>, percent: usize) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get((values.len() * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default()
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
