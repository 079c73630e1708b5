//! Several processes on one PostgreSQL database: what everybody may rely on when nodes, networks and the database
//! itself fail (docs/PROMISES.md).

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod agreement;
mod clocks;
mod conflict;
mod database;
mod failover;
mod roles;
mod storm;
mod surroundings;
mod zombie;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use goalpost::app::App;
use goalpost::config::{Config, FILE_NAME, Overrides};
use goalpost::demo;
use goalpost::orgs::queries::find_by_guid;
use goalpost_db::Scope;
use goalpost_testing::{Answer, Client, Node};
use goalpost_viva::sample;
use tempfile::TempDir;
use uuid::Uuid;

/// Where exports are, as Microsoft's SDKs spell it.
const JOBS: &str = "/beta/employeeExperience/goals/exportJobs";
/// Goals of the organization.
const GOALS: u64 = 40;

/// What the nodes of one test share: the database, the folder of contents and keys, and an organization.
struct House {
    folder: TempDir,
    database: String,
    token: String,
}

impl House {
    /// An organization in the database of this URL, with these settings for every node.
    fn new(database: &str, settings: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(FILE_NAME), settings).unwrap();
        let mut this = Self { folder, database: database.to_owned(), token: String::new() };
        let app = this.open();
        let options = sample::Options { goals: GOALS, ..sample::Options::default() };
        let made = tokio::task::block_in_place(|| demo::make(&app, &options, &mut |_| {}));
        let user = made.expect("the demo is made").user_email;
        let token = std::process::Command::new(program())
            .args(["token", "--ttl", "12h", "--user", &user])
            .env_clear()
            .env("GOALPOST_DATA", this.folder.path())
            .env("GOALPOST_DATABASE", database)
            .output()
            .unwrap();
        assert!(token.status.success(), "{}", String::from_utf8_lossy(&token.stderr));
        String::from_utf8(token.stdout).unwrap().trim_end().clone_into(&mut this.token);
        this
    }

    /// The parts of a node, in this process.
    fn open(&self) -> App {
        self.open_at(&self.database)
    }

    /// The same, by another way to the database.
    fn open_at(&self, database: &str) -> App {
        let data = Some(self.folder.path().to_owned());
        let overrides = Overrides { data, database: Some(database.to_owned()), ..Overrides::default() };
        App::open(Config::load(&overrides).expect("the settings fit")).expect("the database opens")
    }

    /// A node that serves and works, not yet running.
    fn node(&self, args: &[&str]) -> goalpost_testing::NewNode {
        self.node_at(&self.database, args)
    }

    /// The same, by another way to the database.
    fn node_at(&self, database: &str, args: &[&str]) -> goalpost_testing::NewNode {
        Node::of(program())
            .args(["serve"])
            .args(args)
            .env("GOALPOST_DATA", self.folder.path())
            .env("GOALPOST_DATABASE", database)
            .env("GOALPOST_LOG", "info")
    }

    fn client(&self, url: &str) -> Client {
        Client::of(url, &self.token)
    }
}

/// Save so many views of all goals.
fn save_views(app: &App, number: u128) -> Vec<Uuid> {
    let organization = app.db.snapshot(Scope::Global, |tx| find_by_guid(tx, demo::ORGANIZATION));
    crate::jobs::save_views(&app.db, organization.unwrap().unwrap().number, number)
}

fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_goalpost").into()
}

/// Ask for an export of the organization; an error is one of the network.
async fn try_create(client: &Client, view: Uuid) -> reqwest::Result<Answer> {
    let body = serde_json::json!({ "goalsOrganizationId": demo::ORGANIZATION, "explorerViewId": view });
    let request = client.request("POST", JOBS).header("content-type", "application/json");
    client.try_send(request.body(body.to_string())).await
}

async fn try_status(client: &Client, id: &str) -> reqwest::Result<(u16, String)> {
    let seen = client.try_send(client.request("GET", &format!("{JOBS}/{id}"))).await?;
    let status =
        if seen.status == 200 { seen.json()["status"].as_str().unwrap().to_owned() } else { String::new() };
    assert!(
        seen.status == 200 || seen.status == 503 && seen.header("retry-after").is_some(),
        "{}: {}",
        seen.status,
        seen.text()
    );
    Ok((seen.status, status))
}

async fn try_content(client: &Client, id: &str) -> reqwest::Result<Answer> {
    client.try_send(client.request("GET", &format!("{JOBS}/{id}/content"))).await
}

/// How often each status was answered.
fn count<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> BTreeMap<u16, usize> {
    answers.into_iter().fold(BTreeMap::new(), |mut counts, answer| {
        *counts.entry(answer.status).or_default() += 1;
        counts
    })
}

/// Wait until an export has ended; its last status.
async fn until_ended(client: &Client, id: &str, within: Duration) -> String {
    crate::jobs::eventually(within, "the end of an export", async || {
        let (_, status) = try_status(client, id).await.ok()?;
        ["succeeded", "failed"].contains(&status.as_str()).then_some(status)
    })
    .await
}
