use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use goalpost_processes::{Launch, Process, Signal};

use super::registry::{Env, Registry};
use super::{env_file, folder};

/// Services that are being started, or were; ended when this is dropped, and also when this process dies.
#[derive(Debug)]
pub(crate) struct Start {
    /// Gone once everything runs: other chores may look then.
    registry: Option<Registry>,
    stay: bool,
    left: bool,
    processes: Vec<Process>,
    env: Env,
}

impl Start {
    /// Begin with an empty folder. What `stays` goes on when this process has ended.
    pub(super) fn begin(registry: Registry, stay: bool) -> anyhow::Result<Self> {
        if folder().exists() {
            fs::remove_dir_all(folder()).context("cannot empty the folder of the services")?;
        }
        fs::create_dir_all(folder())?;
        Ok(Self { registry: Some(registry), stay, left: false, processes: Vec::new(), env: Env::default() })
    }

    /// A folder for the data of one service, gone when the service has ended.
    pub(super) fn data_folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = folder().join(name);
        fs::create_dir_all(&path)?;
        self.registry().add_folder(&path)?;
        Ok(path)
    }

    /// A folder for what runs as another user, for whom the workspace may be out of reach; likewise.
    pub(super) fn data_folder_for_all(&self, name: &str) -> anyhow::Result<PathBuf> {
        let pid = std::process::id();
        let name = |n: u32| std::env::temp_dir().join(format!("goalpost-{name}-{pid}-{n}"));
        let path = (0..1_000).map(name).find(|path| fs::create_dir(path).is_ok());
        let path = path.context("cannot make a temporary folder")?;
        self.registry().add_folder(&path)?;
        Ok(path)
    }

    /// Where a service logs.
    pub(super) fn log(name: &str) -> PathBuf {
        folder().join(name).with_extension("log")
    }

    /// Start a process of a service, and write down that it runs.
    pub(super) fn launch(
        &mut self,
        name: &str,
        launch: Launch,
        ends_by: Signal,
    ) -> anyhow::Result<&mut Process> {
        let launch = launch.ends_by(ends_by);
        let launch = if self.stay { launch.stays() } else { launch };
        let process = launch.start()?;
        self.registry().add_process(name, process.id(), ends_by)?;
        self.processes.push(process);
        Ok(self.processes.last_mut().expect("it was just added"))
    }

    /// Tell the tests something.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.env.set(name, value);
    }

    pub(super) fn env(&self) -> Env {
        self.env.clone()
    }

    pub(super) fn someone_ended(&mut self) -> bool {
        self.processes.iter_mut().any(|process| process.ended().is_some())
    }

    /// The last lines that each has logged.
    pub(super) fn logs(&self) -> String {
        self.processes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    /// Everything runs: write down for the tests where it is.
    pub(super) fn tell_tests(&mut self) -> anyhow::Result<()> {
        fs::write(env_file(), self.env.text()).context("cannot write the file for the tests")?;
        self.registry = None;
        Ok(())
    }

    /// Let everything go on.
    pub(super) fn leave(mut self) {
        for process in self.processes.drain(..) {
            process.leave();
        }
        self.left = true;
    }

    fn registry(&self) -> &Registry {
        self.registry.as_ref().expect("it is held while services are started")
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        self.processes.clear();
        let registry = self.registry.take().map_or_else(Registry::locked, Ok);
        if let Err(error) = registry.and_then(|registry| registry.end_all()) {
            eprintln!("warning: {error:#}");
        }
    }
}

/// Whether somebody at this address (`http://IP:PORT`, with or without a path) speaks HTTP.
pub(super) fn speaks_http(url: &str) -> bool {
    let address = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let ask = || -> Option<bool> {
        let mut stream =
            TcpStream::connect_timeout(&address.parse::<SocketAddr>().ok()?, Duration::from_secs(2)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        stream.write_all(format!("GET / HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).ok()?;
        let mut begin = [0; 5];
        stream.read_exact(&mut begin).ok()?;
        Some(&begin == b"HTTP/")
    };
    ask().unwrap_or_default()
}

/// A program by its name: in the `PATH`, or where Debian puts those of the administrator.
pub(super) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let administrators = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(administrators)
        .map(|folder| folder.join(name))
        .find(|path| is_file(path))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}
