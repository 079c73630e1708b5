use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};

use crate::{OrdinaryUser, Process, Signal};

/// A program to be started: what it is given, where it logs, and how it ends.
#[derive(Clone, Debug)]
pub struct Launch {
    program: OsString,
    args: Vec<OsString>,
    envs: Vec<(OsString, OsString)>,
    keeps_environment: bool,
    folder: Option<PathBuf>,
    log: PathBuf,
    user: Option<OrdinaryUser>,
    ends_by: Signal,
    stays: bool,
}

impl Launch {
    /// A program, by its name or path, whose standard output and standard error are added to the file `log`.
    pub fn new(program: impl AsRef<OsStr>, log: &Path) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            envs: Vec::new(),
            keeps_environment: true,
            folder: None,
            log: log.to_owned(),
            user: None,
            ends_by: Signal::SIGKILL,
            stays: false,
        }
    }

    /// Add a word to its command line.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Add words to its command line.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Set a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.envs.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Hand on nothing of this process's environment but `PATH`.
    #[must_use]
    pub fn without_environment(mut self) -> Self {
        self.keeps_environment = false;
        self
    }

    /// Log into another file.
    #[must_use]
    pub fn log_to(mut self, log: &Path) -> Self {
        log.clone_into(&mut self.log);
        self
    }

    /// Run it in this folder.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Run it as this user, if there has to be another one than this process's.
    #[must_use]
    pub fn as_user(mut self, user: Option<&OrdinaryUser>) -> Self {
        self.user = user.cloned();
        self
    }

    /// What it is sent when it shall end; `SIGKILL` unless said.
    #[must_use]
    pub fn ends_by(mut self, signal: Signal) -> Self {
        self.ends_by = signal;
        self
    }

    /// It goes on when this process has ended, if its [`Process`] is left ([`Process::leave`]).
    #[must_use]
    pub fn stays(mut self) -> Self {
        self.stays = true;
        self
    }

    /// Start it, in a process group of its own.
    ///
    /// # Errors
    /// When its log cannot be written, or `setpriv`, which starts it, is not there. A program that cannot be started
    /// ends at once, and its log says why.
    pub fn start(self) -> io::Result<Process> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new("setpriv");
        if let Some(user) = &self.user {
            command.args(user.for_setpriv());
        }
        if !self.stays {
            command.args(["--pdeathsig", signal_name(self.ends_by)]);
        }
        command.arg("--").arg(&self.program).args(&self.args);
        if !self.keeps_environment {
            command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        }
        command.envs(self.envs).process_group(0);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        Ok(Process::new(spawn(command)?, self.program, self.log, self.ends_by))
    }
}

/// The name as `setpriv` takes it.
fn signal_name(signal: Signal) -> &'static str {
    signal.as_str().trim_start_matches("SIG")
}

/// Spawn from a thread that lives as long as this process. The kernel ends the program with the *thread* that started
/// it, and those of a test or of an async runtime come and go.
fn spawn(command: Command) -> io::Result<Child> {
    type Order = (Command, SyncSender<io::Result<Child>>);
    static ORDERS: OnceLock<Sender<Order>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        let (orders, taken) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, started) in taken {
                let _ = started.send(command.spawn());
            }
        });
        orders
    });
    let (started, child) = sync_channel(1);
    orders.send((command, started)).map_err(io::Error::other)?;
    child.recv().map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Where the log of a test goes, and the file that its program writes.
    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    #[test]
    fn a_program_outlives_the_thread_that_started_it_and_ends_when_dropped() {
        let folder = folder();
        let log = folder.path().join("log");
        let start = move || Launch::new("sleep", &log).arg("600").start().expect("it starts");
        let mut process = std::thread::spawn(start).join().expect("it is started");
        assert_eq!(process.wait(Duration::from_millis(200)), None);
        let id = process.id();
        assert!(id.is_running());
        drop(process);
        assert!(!id.is_running());
    }

    #[test]
    fn a_program_dies_with_the_process_that_started_it() {
        let folder = folder();
        let (log, pid) = (folder.path().join("log"), folder.path().join("pid"));
        // The shell is what starts a program here, and is killed.
        let inner = format!(
            "setpriv --pdeathsig KILL -- sleep 600 & echo $! >{0}.new; mv {0}.new {0}; wait",
            pid.display()
        );
        let mut outer = Launch::new("sh", &log).arg("-c").arg(inner).start().expect("it starts");
        let pid = crate::poll(Duration::from_secs(10), || std::fs::read_to_string(&pid).ok()).expect("a pid");
        let inner = crate::ProcessId::of(pid.trim().parse().expect("a number")).expect("it runs");
        assert!(inner.is_running());
        outer.kill();
        crate::poll(Duration::from_secs(10), || (!inner.is_running()).then_some(())).expect("it is gone");
    }

    #[test]
    fn nothing_of_the_environment_is_handed_on_unless_it_shall() {
        let folder = folder();
        let log = folder.path().join("log");
        let launch = Launch::new("env", &log).without_environment().env("GOALPOST_DATA", "here");
        let mut process = launch.start().expect("it starts");
        assert!(process.wait(Duration::from_secs(10)).is_some_and(|status| status.success()));
        let mut lines: Vec<String> = process.log().lines().map(str::to_owned).collect();
        lines.retain(|line| !line.starts_with("PATH="));
        assert_eq!(lines, ["GOALPOST_DATA=here"]);
    }
}
