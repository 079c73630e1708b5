//! The built program on a data folder of its own, to be killed and started again.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use goalpost::app::App;
use goalpost::config::{Config, FILE_NAME, Overrides};
use goalpost::demo;
use goalpost::orgs::queries::find_by_guid;
use goalpost_db::{Scope, params};
use goalpost_testing::{Answer, Client, Engine, NewNode, Node, TestDatabase, poll};
use goalpost_viva::sample;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::eventually;

/// Where exports are, as Microsoft's SDKs spell it.
pub(super) const JOBS: &str = "/beta/employeeExperience/goals/exportJobs";
/// How long a request to a server that may be killed is waited for. One in some hundred killed servers leaves a client
/// behind that never hears of it.
const PATIENCE: Duration = Duration::from_secs(15);

/// The data folder of a server, with the demo's organization in it.
pub(crate) struct Folder {
    database: TestDatabase,
    path: TempDir,
    token: String,
}

impl Folder {
    /// A folder with so many goals and these settings.
    pub(crate) fn new(goals: u64, settings: &str) -> Self {
        Self::on(Engine::of_this_run(), goals, settings)
    }

    /// The same with a database that the test needs, whatever the others run on.
    pub(crate) fn on(engine: Engine, goals: u64, settings: &str) -> Self {
        let path = TempDir::new().unwrap();
        fs::write(path.path().join(FILE_NAME), settings).unwrap();
        let database = TestDatabase::on(engine, path.path());
        let mut this = Self { database, path, token: String::new() };
        let app = this.open();
        let options = sample::Options { goals, ..sample::Options::default() };
        let made = demo::make(&app, &options, &mut |_| {}).expect("the demo is made");
        this.sign_in(&made.user_email);
        this
    }

    /// A folder that holds the demo's organization already; nobody is signed in.
    pub(crate) fn found(database: TestDatabase, path: TempDir) -> Self {
        Self { database, path, token: String::new() }
    }

    /// Be this person to servers that are started, or asked, from now on.
    pub(crate) fn sign_in(&mut self, email: &str) {
        self.sign_in_by(env!("CARGO_BIN_EXE_goalpost"), email);
    }

    /// The same, by a token that this program makes.
    pub(crate) fn sign_in_by(&mut self, program: &str, email: &str) {
        self.token = self.run(program, &["token", "--user", email, "--ttl", "12h"]);
    }

    /// What a command of this program prints about the folder.
    pub(crate) fn run(&self, program: &str, words: &[&str]) -> String {
        let mut command = Command::new(program);
        command.args(words).env_clear().env("GOALPOST_DATA", self.path());
        let done =
            command.envs(self.database.url.iter().map(|url| ("GOALPOST_DATABASE", url))).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim_end().to_owned()
    }

    /// A client of a server on this folder that was started elsewhere.
    pub(crate) fn client(&self, url: &str) -> Client {
        Client::of(url, &self.token)
    }

    /// A folder and a database that are to hold what this one holds, for whom the same token is good.
    pub(crate) fn copied_to(&self, database: TestDatabase, path: TempDir) -> Self {
        Self { database, path, token: self.token.clone() }
    }

    /// The database's URL, if it is a server's.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.database.url.as_deref()
    }

    pub(crate) fn path(&self) -> &Path {
        self.path.path()
    }

    /// The parts of a server on this folder, in this process.
    pub(crate) fn open(&self) -> App {
        let (data, database) = (Some(self.path().to_owned()), self.database.url.clone());
        let overrides = Overrides { data, database, ..Overrides::default() };
        App::open(Config::load(&overrides).expect("the settings fit")).expect("the folder opens")
    }

    /// Change the data of the demo's organization behind the server's back.
    pub(crate) fn change(&self, sql: &str, text: &str) {
        let db = self.open().db.clone();
        let found = db.snapshot(Scope::Global, |tx| find_by_guid(tx, demo::ORGANIZATION));
        let organization = found.unwrap().unwrap().number;
        db.write_alone(organization, Duration::from_secs(5), |tx| {
            tx.execute(&format!("{sql} where organization = ?2"), params![text, organization])
        })
        .expect("the change is written");
    }

    /// The program on this folder.
    pub(crate) fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_goalpost"));
        command.arg(subcommand).env_clear().env("GOALPOST_DATA", self.path());
        command.env("GOALPOST_EXPORTS_REUSE", "false");
        command.envs(self.database.url.iter().map(|url| ("GOALPOST_DATABASE", url)));
        command
    }

    /// A server on a free port.
    pub(crate) fn serve(&self, args: &[&str]) -> Server {
        self.start(Self::server().args(args))
    }

    /// A server where an earlier one was.
    pub(crate) fn serve_again(&self, earlier: &Server) -> Server {
        self.start(Self::server().on_port(earlier.node.port()))
    }

    /// The server, not yet started.
    pub(crate) fn server() -> NewNode {
        Node::of(env!("CARGO_BIN_EXE_goalpost")).args(["serve"])
    }

    /// Start a command that serves; it answers when this returns, and logs into the folder.
    pub(crate) fn start(&self, new: NewNode) -> Server {
        let new = self.database.url.iter().fold(new, |new, url| new.env("GOALPOST_DATABASE", url));
        let mut node = new.env("GOALPOST_DATA", self.path()).log(&self.log_path()).launch();
        let listens = poll(Duration::from_secs(30), || {
            assert_eq!(node.process().ended(), None, "{}", node.process());
            answers(node.address())
        });
        assert!(listens.is_some(), "{}", node.process());
        let url = node.url();
        Server { client: Client::of(&url, &self.token), url, node }
    }

    /// What processes on this folder log into.
    pub(crate) fn log_file(&self) -> File {
        File::options().create(true).append(true).open(self.log_path()).unwrap()
    }

    fn log_path(&self) -> PathBuf {
        self.path().join("server.log")
    }

    /// What all servers on this folder have logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap()
    }
}

/// Something if a server there answers: it takes connections a moment before, when it does not heed signals yet.
fn answers(address: String) -> Option<()> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.read_exact(&mut [0; 12]).ok()
}

/// A running server; killed when it goes.
pub(crate) struct Server {
    pub(crate) node: Node,
    pub(crate) url: String,
    pub(crate) client: Client,
}

impl Server {
    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.node.kill();
    }

    /// Ask it to stop, as a service manager does, and wait for its end.
    pub(crate) async fn terminate(mut self) -> ExitStatus {
        self.node.terminate(Duration::from_secs(30)).await
    }
}

/// Ask for an export of the demo's organization.
pub(crate) async fn try_create(client: &Client, view: Uuid) -> reqwest::Result<Answer> {
    let body = json!({ "goalsOrganizationId": demo::ORGANIZATION, "explorerViewId": view }).to_string();
    let request = client.request("POST", JOBS).header("content-type", "application/json").body(body);
    client.try_send(request.timeout(PATIENCE)).await
}

/// Look at an export, or with `rest` at something of it.
pub(crate) async fn try_get(client: &Client, id: &str, rest: &str) -> reqwest::Result<Answer> {
    client.try_send(client.request("GET", &format!("{JOBS}/{id}{rest}")).timeout(PATIENCE)).await
}

/// Ask a server that is there; the id.
pub(crate) async fn create(server: &Server) -> String {
    let made = try_create(&server.client, demo::VIEW).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    made.id()
}

/// Wait until the export has this status.
pub(crate) async fn until_status(server: &Server, id: &str, status: &str, within: Duration) {
    eventually(within, status, async || {
        let seen = server.client.get_export(id).await;
        assert_eq!(seen.status, 200, "{}", seen.text());
        (super::told(&seen).0 == status).then_some(())
    })
    .await;
}
