use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::str::FromStr;
use std::time::Duration;

use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::{Signal, poll};

/// How long a program may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// A program that was started; ended when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    program: OsString,
    log: PathBuf,
    ends_by: Signal,
    left: bool,
}

/// A process of this machine, which need not be a child of this one. Unlike a bare number it does not become another
/// process when the number is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessId {
    pid: i32,
    /// In ticks since the machine started.
    started: u64,
}

impl Process {
    pub(crate) fn new(child: Child, program: OsString, log: PathBuf, ends_by: Signal) -> Self {
        Self { child, program, log, ends_by, left: false }
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its number, good for others and for later.
    pub fn id(&self) -> ProcessId {
        let pid = self.child.id() as i32;
        // A child that was not waited for has its line in the process table, even when it has ended.
        ProcessId::of(pid).unwrap_or(ProcessId { pid, started: 0 })
    }

    /// Send a signal; nothing happens if it has ended.
    pub fn send(&mut self, signal: Signal) {
        if self.ended().is_none() {
            let _ = kill(Pid::from_raw(self.child.id() as i32), signal);
        }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// How it ended, if it does so in time.
    pub fn wait(&mut self, within: Duration) -> Option<ExitStatus> {
        poll(within, || self.ended())
    }

    /// `kill -9`, and wait for its end.
    pub fn kill(&mut self) -> ExitStatus {
        self.send(Signal::SIGKILL);
        self.child.wait().expect("a child can be waited for")
    }

    /// Ask it to end by the signal that it was launched with, and kill it if it does not.
    pub fn end(&mut self) -> ExitStatus {
        self.send(self.ends_by);
        self.send(Signal::SIGCONT); // a stopped process would not hear it
        self.wait(GRACE).unwrap_or_else(|| self.kill())
    }

    /// What it has written to standard output and standard error.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// Let it go on for itself; for a program that [stays](crate::Launch::stays).
    pub fn leave(mut self) -> ProcessId {
        self.left = true;
        self.id()
    }
}

/// The name, how it does, and the last lines of its log: what a failure has to tell.
impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = &lines[lines.len().saturating_sub(40)..];
        write!(f, "{} ({}):\n{}", self.program.display(), self.log.display(), last.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.left {
            self.end();
        }
    }
}

impl ProcessId {
    /// The process that has this number now.
    pub fn of(pid: i32) -> Option<Self> {
        Some(Self { pid, started: stat(pid)?.1 })
    }

    /// Whether it has not ended.
    pub fn is_running(self) -> bool {
        stat(self.pid).is_some_and(|(state, started)| state != "Z" && started == self.started)
    }

    /// End it by this signal, or kill it if that does not help; this returns when it is gone.
    pub fn end(self, signal: Signal) {
        for (signal, within) in [(signal, GRACE), (Signal::SIGKILL, GRACE)] {
            if !self.is_running() {
                return;
            }
            let _ = kill(Pid::from_raw(self.pid), signal);
            let _ = kill(Pid::from_raw(self.pid), Signal::SIGCONT);
            poll(within, || (!self.is_running()).then_some(()));
        }
    }
}

/// The form in which it can be written down.
impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.pid, self.started)
    }
}

impl FromStr for ProcessId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('.').and_then(|(pid, started)| Some((pid.parse().ok()?, started.parse().ok()?)));
        let (pid, started) = parts.ok_or_else(|| format!("`{text}` is no process"))?;
        Ok(Self { pid, started })
    }
}

/// State and start of a process, as `/proc` has them.
fn stat(pid: i32) -> Option<(String, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may have spaces and parentheses; after it come the third field and so on.
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let state = fields.next()?.to_owned();
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Launch;

    fn sleeping(folder: &tempfile::TempDir) -> Process {
        Launch::new("sleep", &folder.path().join("log"))
            .arg("600")
            .ends_by(Signal::SIGTERM)
            .start()
            .expect("it starts")
    }

    #[test]
    fn a_stopped_process_ends_all_the_same() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut process = sleeping(&folder);
        process.send(Signal::SIGSTOP);
        let id = process.id();
        poll(GRACE, || (stat(id.pid)?.0 == "T").then_some(())).expect("it stops");
        id.end(Signal::SIGTERM);
        assert!(!id.is_running(), "a dead child counts as ended before it is waited for");
        assert!(!process.end().success());
    }

    #[test]
    fn an_id_that_was_written_down_is_the_same_process_and_no_other() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut process = sleeping(&folder);
        let id: ProcessId = process.id().to_string().parse().expect("it is read back");
        assert_eq!(id, process.id());
        let another = ProcessId { started: id.started + 1, ..id };
        assert!(id.is_running() && !another.is_running());
        another.end(Signal::SIGKILL);
        assert_eq!(process.ended(), None, "a process that took the number is left alone");
    }
}
