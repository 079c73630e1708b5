//! The built program on a data folder of its own, to be killed and started again.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use goalpost::app::App;
use goalpost::config::{Config, FILE_NAME, Overrides};
use goalpost::demo;
use goalpost_testing::{Answer, Client};
use goalpost_viva::sample;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::eventually;

/// Where exports are, as Microsoft's SDKs spell it.
const JOBS: &str = "/beta/employeeExperience/goals/exportJobs";

/// The data folder of a server, with the demo's organization in it.
pub(super) struct Folder {
    path: TempDir,
    token: String,
}

impl Folder {
    /// A folder with so many goals and these settings.
    pub(super) fn new(goals: u64, settings: &str) -> Self {
        let path = TempDir::new().unwrap();
        fs::write(path.path().join(FILE_NAME), settings).unwrap();
        let mut this = Self { path, token: String::new() };
        let app = this.open();
        let options = sample::Options { goals, ..sample::Options::default() };
        let made = demo::make(&app, &options, &mut |_| {}).expect("the demo is made");
        let token = this.command("token").args(["--user", &made.user_email]).output().unwrap();
        assert!(token.status.success(), "{}", String::from_utf8_lossy(&token.stderr));
        String::from_utf8(token.stdout).unwrap().trim_end().clone_into(&mut this.token);
        this
    }

    pub(super) fn path(&self) -> &Path {
        self.path.path()
    }

    /// The parts of a server on this folder, in this process.
    pub(super) fn open(&self) -> App {
        let overrides = Overrides { data: Some(self.path().to_owned()), ..Overrides::default() };
        App::open(Config::load(&overrides).expect("the settings fit")).expect("the folder opens")
    }

    /// The program on this folder.
    pub(super) fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_goalpost"));
        command.arg(subcommand).env_clear().env("GOALPOST_DATA", self.path());
        command
    }

    /// A server on a free port.
    pub(super) fn serve(&self, args: &[&str]) -> Server {
        let mut command = self.command("serve");
        command.args(["--listen", "127.0.0.1:0"]).args(args);
        self.spawn(command)
    }

    /// A server where an earlier one was.
    pub(super) fn serve_again(&self, earlier: &Server) -> Server {
        let mut command = self.command("serve");
        command.args(["--listen", earlier.url.trim_start_matches("http://")]);
        self.spawn(command)
    }

    /// Start a command that serves; it has a port when this returns, and logs into the folder.
    pub(super) fn spawn(&self, mut command: Command) -> Server {
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().rsplit(' ').next().unwrap_or_default().to_owned();
        assert!(url.starts_with("http"), "the server said `{line}`:\n{}", self.log());
        Server { client: Client::of(&url, &self.token), url, child }
    }

    fn log_path(&self) -> PathBuf {
        self.path().join("server.log")
    }

    /// What all servers on this folder have logged.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap()
    }
}

/// A running server; killed when it goes.
pub(super) struct Server {
    pub(super) child: Child,
    pub(super) client: Client,
    pub(super) url: String,
}

impl Server {
    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ask it to stop, as a service manager does, and wait for its end.
    pub(super) async fn terminate(mut self) -> ExitStatus {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        eventually(Duration::from_secs(30), "the server's end", async || self.child.try_wait().unwrap()).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ask for an export of the demo's organization.
pub(super) async fn try_create(client: &Client, view: Uuid) -> reqwest::Result<Answer> {
    let body = json!({ "goalsOrganizationId": demo::ORGANIZATION, "explorerViewId": view }).to_string();
    let request = client.request("POST", JOBS).header("content-type", "application/json").body(body);
    client.try_send(request).await
}

/// Look at an export, or with `rest` at something of it.
pub(super) async fn try_get(client: &Client, id: &str, rest: &str) -> reqwest::Result<Answer> {
    client.try_send(client.request("GET", &format!("{JOBS}/{id}{rest}"))).await
}

/// Ask a server that is there; the id.
pub(super) async fn create(server: &Server) -> String {
    let made = try_create(&server.client, demo::VIEW).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    made.id()
}

/// Wait until the export has this status.
pub(super) async fn until_status(server: &Server, id: &str, status: &str, within: Duration) {
    eventually(within, status, async || {
        let seen = server.client.get_export(id).await;
        assert_eq!(seen.status, 200, "{}", seen.text());
        (super::told(&seen).0 == status).then_some(())
    })
    .await;
}
