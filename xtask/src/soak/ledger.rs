//! What was done and found so far: a line for each part, in a file that only grows.
//!
//! ```text
//! name  amount  seconds  commit  812 exports, 91 tried again, 3 ms at most
//! ```
//! Fields are divided by tabs. What was found are numbers, each with its name.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::program::{output, program, target_folder};

/// A part that passed.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) amount: u64,
    pub(super) seconds: u64,
    /// What the part has found, as it said it.
    pub(super) told: String,
}

/// All parts so far.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    /// Each with its commit.
    parts: Vec<(Part, String)>,
}

impl Ledger {
    /// Read it, or begin it.
    pub(super) fn open(afresh: bool) -> anyhow::Result<Self> {
        let path = target_folder().join("soak/ledger.tsv");
        fs::create_dir_all(path.with_file_name(""))?;
        if afresh {
            fs::remove_file(&path)
                .or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
        }
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).context("cannot read what was done"),
        };
        let parts = text.lines().map(|line| part(line).with_context(|| format!("not a part: {line}")));
        Ok(Self { parts: parts.collect::<anyhow::Result<_>>()?, path })
    }

    /// Note that a part has passed.
    pub(super) fn add(&mut self, part: Part) -> anyhow::Result<()> {
        let mut commit = program("git");
        let commit = output(commit.args(["describe", "--always", "--dirty", "--exclude", "*"]));
        let commit = commit.map_or_else(|| "unknown".to_owned(), |commit| commit.trim().to_owned());
        let line = format!("{}\t{}\t{}\t{commit}\t{}\n", part.name, part.amount, part.seconds, part.told);
        File::options().create(true).append(true).open(&self.path)?.write_all(line.as_bytes())?;
        self.parts.push((part, commit));
        Ok(())
    }

    /// How often it was repeated so far.
    pub(super) fn done(&self, name: &str) -> u64 {
        self.of(name).map(|(part, _)| part.amount).sum()
    }

    /// The last cells of its row in the table: minutes, commits, and what was found in all.
    pub(super) fn row(&self, name: &str) -> String {
        let minutes = self.of(name).map(|(part, _)| part.seconds).sum::<u64>().div_ceil(60);
        let commits: BTreeSet<_> = self.of(name).map(|(_, commit)| commit.as_str()).collect();
        let mut found: Vec<(u64, String)> = Vec::new();
        for number in self.of(name).flat_map(|(part, _)| part.told.split(", ")) {
            let Some((value, label)) = numbered(number) else { continue };
            match found.iter_mut().find(|(_, known)| known == label) {
                // The most of all parts, or all of them together.
                Some((all, _)) if label.contains("at most") => *all = value.max(*all),
                Some((all, _)) => *all += value,
                None => found.push((value, label.to_owned())),
            }
        }
        let found: Vec<_> = found.iter().map(|(value, label)| format!("{value} {label}")).collect();
        let commits: Vec<_> = commits.into_iter().collect();
        format!("{minutes} | {} | {} |", commits.join(", "), found.join(", "))
    }

    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a (Part, String)> {
        self.parts.iter().filter(move |(part, _)| part.name == name)
    }
}

fn part(line: &str) -> anyhow::Result<(Part, String)> {
    let fields: Vec<_> = line.split('\t').collect();
    let [name, amount, seconds, commit, told] = *fields else { bail!("it has {} fields", fields.len()) };
    let part = Part {
        name: name.to_owned(),
        amount: amount.parse()?,
        seconds: seconds.parse()?,
        told: told.to_owned(),
    };
    Ok((part, commit.to_owned()))
}

fn numbered(text: &str) -> Option<(u64, &str)> {
    let (value, label) = text.split_once(' ')?;
    Some((value.parse().ok()?, label))
}
