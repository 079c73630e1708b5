use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use goalpost_processes::{ProcessId, Signal};

use super::{env_file, folder};
use crate::program::target_folder;

/// What the tests are told: names and values, as `target/services.env` has them.
#[derive(Clone, Debug, Default)]
pub(super) struct Env(Vec<(String, String)>);

/// What was started and is to be ended: one line each, written before anything can go wrong with it, so that the next
/// chore can clean up after one that was killed. Whoever has this, has it alone.
#[derive(Debug)]
pub(super) struct Registry {
    _lock: File,
}

impl Env {
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// The value of that name; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The lines of the file.
    pub(super) fn text(&self) -> String {
        let lines: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        lines.join("\n") + "\n"
    }

    fn parse(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

impl Registry {
    /// Wait for other chores that start or end services.
    pub(super) fn locked() -> anyhow::Result<Self> {
        fs::create_dir_all(target_folder())?;
        let path = target_folder().join("services.lock");
        let lock = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        lock.lock()?;
        Ok(Self { _lock: lock })
    }

    /// Write down a process that was started.
    pub(super) fn add_process(&self, name: &str, process: ProcessId, ends_by: Signal) -> anyhow::Result<()> {
        self.add(&format!("process {name} {process} {}", ends_by.as_str()))
    }

    /// Write down a folder that is to be removed.
    pub(super) fn add_folder(&self, path: &std::path::Path) -> anyhow::Result<()> {
        self.add(&format!("folder {}", path.display()))
    }

    #[expect(clippy::unused_self, reason = "who writes must hold the lock")]
    fn add(&self, line: &str) -> anyhow::Result<()> {
        let mut file = File::options().create(true).append(true).open(path())?;
        writeln!(file, "{line}")?;
        Ok(())
    }

    /// What the tests are told now.
    #[expect(clippy::unused_self, reason = "who reads must hold the lock")]
    pub(super) fn env(&self) -> Env {
        Env::parse(&fs::read_to_string(env_file()).unwrap_or_default())
    }

    /// The process of that name, which may have ended.
    pub(super) fn process(&self, name: &str) -> Option<ProcessId> {
        self.processes().into_iter().find(|(known, ..)| known == name).map(|(_, process, _)| process)
    }

    /// Whether something was started, and all of it is still there.
    pub(super) fn is_running(&self) -> bool {
        let processes = self.processes();
        !processes.is_empty() && processes.iter().all(|(_, process, _)| process.is_running())
    }

    /// End everything that is written down, and forget it. Logs stay.
    pub(super) fn end_all(&self) -> anyhow::Result<()> {
        let _ = fs::remove_file(env_file());
        for (name, process, ends_by) in self.processes().into_iter().rev() {
            process.end(ends_by);
            if process.is_running() {
                bail!("{name} (process {process}) does not end");
            }
        }
        for folder in self.lines("folder ") {
            let folder = PathBuf::from(folder);
            if folder.exists() {
                fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
            }
        }
        let _ = fs::remove_file(path());
        Ok(())
    }

    fn processes(&self) -> Vec<(String, ProcessId, Signal)> {
        let parse = |line: String| {
            let mut words = line.split(' ');
            let name = words.next()?.to_owned();
            Some((name, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
        };
        self.lines("process ").into_iter().filter_map(parse).collect()
    }

    #[expect(clippy::unused_self, reason = "who reads must hold the lock")]
    fn lines(&self, kind: &str) -> Vec<String> {
        let lines = fs::read_to_string(path()).unwrap_or_default();
        lines.lines().filter_map(|line| line.strip_prefix(kind)).map(str::to_owned).collect()
    }
}

fn path() -> PathBuf {
    folder().join("registry")
}
