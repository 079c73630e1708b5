use std::time::Duration;

use goalpost::app::App;
use goalpost::config::Config;
use goalpost::exports::{expiry, worker::MakeExport};
use goalpost::identity::{OWN_ISSUER, Subject, queries as identity};
use goalpost::jobs::{Lease, Runner};
use goalpost::server;
use goalpost_db::Scope;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{Client, Engine, READ_WRITE, TestDatabase, seed};

/// A server on a port of its own, with an organization of invented people. Its worker runs only when told to.
#[derive(Debug)]
pub struct TestApp {
    /// The server's parts.
    pub app: App,
    /// Where it listens: `http://127.0.0.1:port`.
    pub url: String,
    http: reqwest::Client,
    runner: Runner,
    _database: TestDatabase,
    _data: TempDir,
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.app.stop.cut_off();
    }
}

impl TestApp {
    /// A server with the default settings.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A server with settings changed by `change`.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(Engine::of_this_run(), change).await
    }

    /// The same on an engine that the test needs, whatever the others run on.
    pub async fn start_on(engine: Engine, change: impl FnOnce(&mut Config)) -> Self {
        // What the server warns of is shown with a test that fails. Another server of the test may have said so already.
        let log = tracing_subscriber::fmt().with_env_filter("warn").with_test_writer().with_ansi(false);
        let _ = log.try_init();
        let data = tempfile::tempdir().expect("a temporary folder");
        let database = TestDatabase::on(engine, data.path());
        let mut config = Config { data: data.path().to_owned(), ..Config::default() };
        // What makes files is tested, and data is changed behind its back.
        config.exports.reuse = false;
        database.configure(&mut config);
        change(&mut config);
        let app = App::open(config).expect("the data folder opens");
        seed::insert(&app.db).expect("the seed is written");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound address"));
        let serving = app.clone();
        tokio::spawn(async move { server::serve_http(&serving, listener).await });
        let http = reqwest::Client::builder().build().expect("an HTTP client");
        let runner = server::runner(&app);
        Self { app, url, http, runner, _database: database, _data: data }
    }

    /// A caller whose token is for the person with this e-mail, with the scope that creates exports.
    pub fn client(&self, email: &str) -> Client {
        self.client_with_scopes(email, READ_WRITE)
    }

    /// A caller with these scopes.
    pub fn client_with_scopes(&self, email: &str, scopes: &str) -> Client {
        self.client_with_token(Some(&self.token(email, scopes)))
    }

    /// A caller with this token, or none.
    pub fn client_with_token(&self, token: Option<&str>) -> Client {
        Client::new(self.http.clone(), self.url.clone(), token.map(str::to_owned))
    }

    /// A token as `goalpost token` makes it, good for an hour.
    pub fn token(&self, email: &str, scopes: &str) -> String {
        let people = self.app.db.snapshot(Scope::Global, |tx| identity::find_people_by_email(tx, email));
        let people = people.expect("people are readable");
        let first = people.first().unwrap_or_else(|| panic!("nobody has the e-mail {email}"));
        let subject = Subject {
            issuer: OWN_ISSUER.to_owned(),
            tenant: self.app.own_issuer.tenant(),
            object: first.guid,
        };
        self.app
            .db
            .write_alone(Scope::Global, Duration::from_secs(5), |tx| {
                people
                    .iter()
                    .try_for_each(|found| identity::link(tx, &subject, found.organization, found.person))
            })
            .expect("identities are written");
        self.app
            .own_issuer
            .issue(first.guid, scopes, self.app.clock.now_secs(), 3600)
            .expect("a token is issued")
    }

    /// The owner of the organization.
    pub fn ann(&self) -> Client {
        self.client("ann@wren.example")
    }

    /// Run one job to its end; `false` if there is none.
    pub async fn run_one(&self) -> bool {
        self.runner.run_one().await.expect("jobs are readable")
    }

    /// From now on the worker and the sweeper run by themselves, as in a server that people use.
    pub fn start_working(&self) {
        tokio::spawn(self.runner.clone().run(self.app.stop.clone()));
        tokio::spawn(expiry::run(self.app.clone()));
    }

    /// Claim one job, and then die.
    pub async fn claim_and_die(&self) -> Lease {
        self.runner.claim_next().await.expect("jobs are readable").expect("a job to claim")
    }

    /// Do the work of a lease that was claimed earlier, as a worker does that was away for a while.
    pub async fn finish(&self, lease: Lease) -> Result<(), goalpost::jobs::StepError> {
        goalpost::jobs::Step::run(&MakeExport(self.app.clone()), lease).await
    }

    /// Let time pass, for the database and for tokens.
    pub fn advance(&self, by: Duration) {
        self.app.db.advance_clock(by);
        self.app.clock.advance(by);
    }

    /// Do what the sweeper does now and again.
    pub async fn sweep(&self) {
        expiry::sweep_once(&self.app).await.expect("the sweep runs");
        expiry::remove_orphans(&self.app).await.expect("the store is readable");
    }
}
