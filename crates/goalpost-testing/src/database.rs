//! A database of a test's own, on the engine that `GOALPOST_TEST_ENGINE` names: `sqlite` (also without it),
//! `postgres`, or `partitioned`, which is PostgreSQL with every table of an organization split by hash, asked through a
//! transaction pooler.

use std::path::{Path, PathBuf};

use goalpost::config::Config;
use goalpost_db::{Db, Location, Settings};
use tokio_postgres::NoTls;

use crate::services;

/// Partitions of each table on the partitioned engine.
const PARTITIONS: u32 = 4;
/// Held while the database is made that the others are copies of.
const TEMPLATE_LOCK: i64 = 7_265_014;

/// Where tests keep their data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
    /// A server with partitioned tables, behind a pooler.
    Partitioned,
}

impl Engine {
    /// The engine of this run.
    pub fn of_this_run() -> Self {
        match std::env::var("GOALPOST_TEST_ENGINE").as_deref() {
            Err(_) | Ok("" | "sqlite") => Self::Sqlite,
            Ok("postgres") => Self::Postgres,
            Ok("partitioned") => Self::Partitioned,
            Ok(other) => panic!("GOALPOST_TEST_ENGINE is `{other}`: write sqlite, postgres or partitioned"),
        }
    }
}

/// A database of a test's own; a server's is dropped with it.
#[derive(Debug)]
pub struct TestDatabase {
    file: PathBuf,
    /// The URL under which the database is reached, if it is a server's.
    pub url: Option<String>,
    partitions: Option<u32>,
    owned: Option<Owned>,
}

#[derive(Debug)]
struct Owned {
    server: String,
    name: String,
}

impl TestDatabase {
    /// A new database with its schema; a file lies in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self::on(Engine::of_this_run(), folder)
    }

    /// The same on an engine that the test needs, whatever the others run on.
    pub fn on(engine: Engine, folder: &Path) -> Self {
        let file = folder.join("goalpost.db");
        if engine == Engine::Sqlite {
            return Self { file, url: None, partitions: None, owned: None };
        }
        let server = services::postgres();
        let partitions = (engine == Engine::Partitioned).then_some(PARTITIONS);
        let name = format!("goalpost_{}", unique());
        let template = template(&server, partitions);
        run(&server, &[&format!("create database {name} template {template}")]);
        let door = match engine {
            Engine::Partitioned => services::pgbouncer(),
            _ => server.clone(),
        };
        Self { file, url: Some(format!("{door}/{name}")), partitions, owned: Some(Owned { server, name }) }
    }

    /// A database without a schema, on the engine of this run; a file is not there yet.
    pub fn empty(folder: &Path) -> Self {
        Self::empty_on(Engine::of_this_run(), folder)
    }

    /// The same on an engine that the test needs.
    pub fn empty_on(engine: Engine, folder: &Path) -> Self {
        match engine {
            Engine::Sqlite => Self::on(Engine::Sqlite, folder),
            Engine::Postgres => Self::empty_on_postgres(),
            Engine::Partitioned => {
                let Self { owned, .. } = &mut Self::empty_on_postgres();
                let owned = owned.take();
                let name = owned.as_ref().map(|owned| owned.name.clone()).unwrap_or_default();
                let url = Some(format!("{}/{name}", services::pgbouncer()));
                Self { file: PathBuf::new(), url, partitions: Some(PARTITIONS), owned }
            }
        }
    }

    /// An empty database on PostgreSQL, without a schema.
    pub fn empty_on_postgres() -> Self {
        let server = services::postgres();
        let name = format!("goalpost_{}", unique());
        run(&server, &[&format!("create database {name}")]);
        let url = Some(format!("{server}/{name}"));
        Self { file: PathBuf::new(), url, partitions: None, owned: Some(Owned { server, name }) }
    }

    /// Where it is.
    pub fn location(&self) -> Location {
        match &self.url {
            Some(url) => url.parse().expect("a URL of PostgreSQL"),
            None => Location::file(&self.file),
        }
    }

    /// How it is opened.
    pub fn settings(&self) -> Settings {
        Settings { partitions: self.partitions, ..Settings::default() }
    }

    /// A handle on it.
    pub fn open(&self) -> Db {
        Db::open(&self.location(), self.settings()).expect("the database opens")
    }

    /// Let a server use it.
    pub fn configure(&self, config: &mut Config) {
        config.database.url.clone_from(&self.url);
        config.database.settings = self.settings();
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(Owned { server, name }) = &self.owned {
            let drop = format!("drop database if exists {name} with (force)");
            let server = server.clone();
            on_a_thread(async move {
                let client = connect(&server).await;
                // The server's own vacuum may be in it for a moment, and nobody but an administrator may stop that.
                while client.batch_execute(&drop).await.is_err() {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            });
        }
    }
}

fn unique() -> String {
    goalpost::ids::Ids.guid().simple().to_string()
}

/// The database with the schema, made once by each build of the tests.
fn template(server: &str, partitions: Option<u32>) -> String {
    let program = std::env::current_exe().expect("a program");
    let made = std::fs::metadata(&program).and_then(|about| about.modified()).expect("its time");
    let mut build = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(&(program, made, partitions), &mut build);
    let name = format!("template_{:016x}", std::hash::Hasher::finish(&build));
    let found = format!("select 1 from pg_database where datname = '{name}'");
    if run(server, &[&found]) == 1 {
        return name;
    }
    let (server, made) = (server.to_owned(), name.clone());
    on_a_thread(async move {
        let client = connect(&server).await;
        // The lock goes with the connection.
        client.batch_execute(&format!("select pg_advisory_lock({TEMPLATE_LOCK})")).await.expect("the lock");
        if client.query(&found, &[]).await.expect("an answer").is_empty() {
            client.batch_execute(&format!("drop database if exists {made}_draft")).await.expect("no draft");
            client.batch_execute(&format!("create database {made}_draft")).await.expect("a database");
            let location = format!("{server}/{made}_draft").parse().expect("a URL");
            tokio::task::spawn_blocking(move || {
                drop(
                    Db::open(&location, Settings { partitions, ..Settings::default() }).expect("the schema"),
                );
            })
            .await
            .expect("the schema is made");
            let rename = format!("alter database {made}_draft rename to {made}");
            // Its last connection may still be ending.
            while client.batch_execute(&rename).await.is_err() {
                tokio::task::yield_now().await;
            }
        }
    });
    name
}

/// Run statements one by one; returns the rows of the last.
fn run(server: &str, statements: &[&str]) -> usize {
    let server = server.to_owned();
    let statements: Vec<_> = statements.iter().map(|&text| text.to_owned()).collect();
    on_a_thread(async move {
        let client = connect(&server).await;
        let mut rows = 0;
        for statement in statements {
            let answer = client.simple_query(&statement).await;
            let answer = answer.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
            rows = answer
                .iter()
                .filter(|message| matches!(message, tokio_postgres::SimpleQueryMessage::Row(_)))
                .count();
        }
        rows
    })
}

async fn connect(server: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&format!("{server}/postgres"), NoTls)
        .await
        .unwrap_or_else(|error| panic!("PostgreSQL for tests does not answer: {error:?}"));
    tokio::spawn(connection);
    client
}

/// Wait for something asynchronous from wherever a test is.
fn on_a_thread<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(work)
    })
    .join()
    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
