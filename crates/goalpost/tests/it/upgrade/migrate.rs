//! `goalpost migrate`, and nodes that leave it to that.

use std::fs;
use std::process::{Command, Output};

use goalpost::config::FILE_NAME;
use goalpost_db::{Db, SCHEMA_VERSION, Settings, Version};
use goalpost_testing::TestDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::FIRST;

/// A data folder, and a database that has this schema or none.
struct Site {
    database: TestDatabase,
    data: TempDir,
}

impl Site {
    fn new(schema: Option<Version>) -> Self {
        let data = TempDir::new().unwrap();
        let database = TestDatabase::empty(data.path());
        if let Some(newest) = schema {
            Db::open(&database.location(), Settings { newest, ..database.settings() }).unwrap();
        }
        Self { database, data }
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_goalpost"));
        command.args(args).env_clear().env("GOALPOST_DATA", self.data.path());
        command.envs(self.database.url.iter().map(|url| ("GOALPOST_DATABASE", url))).output().unwrap()
    }

    fn version(&self) -> Option<Version> {
        Db::version_of(&self.database.location()).unwrap()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn an_older_schema_is_brought_up_to_date_and_both_versions_are_told() {
    let site = Site::new(Some(FIRST));
    let told = site.run(&["migrate", "--output", "json"]);
    assert!(told.status.success(), "{told:?}");
    assert_eq!(json_of(&told), json!({ "from": "1.0", "to": SCHEMA_VERSION.to_string() }));
    assert_eq!(site.version(), Some(SCHEMA_VERSION));
    let again = site.run(&["migrate"]);
    assert!(again.status.success(), "{again:?}");
    assert_eq!(stdout(&again), format!("Schema {SCHEMA_VERSION} is up to date\n"));
}

#[test]
fn an_empty_database_gets_its_schema() {
    let site = Site::new(None);
    let told = site.run(&["migrate"]);
    assert!(told.status.success(), "{told:?}");
    assert_eq!(stdout(&told), format!("Made schema {SCHEMA_VERSION}\n"));
    assert_eq!(site.version(), Some(SCHEMA_VERSION));
}

#[test]
fn a_check_changes_nothing_and_ends_with_1_until_the_schema_is_up_to_date() {
    for schema in [None, Some(FIRST)] {
        let site = Site::new(schema);
        let checked = site.run(&["migrate", "--check"]);
        assert_eq!((checked.status.code(), stdout(&checked)), (Some(1), String::new()));
        assert!(stderr(&checked).contains("`goalpost migrate`"), "{checked:?}");
        let checked = site.run(&["migrate", "--check", "--output", "json"]);
        assert_eq!(checked.status.code(), Some(1));
        let schema_told = schema.map(|version| version.to_string());
        let needed = SCHEMA_VERSION.to_string();
        assert_eq!(json_of(&checked), json!({ "schema": schema_told, "needed": needed, "upToDate": false }));
        assert_eq!(site.version(), schema);
        assert!(schema.is_some() || !site.data.path().join("goalpost.db").exists());

        assert!(site.run(&["migrate"]).status.success());
        let checked = site.run(&["migrate", "--check", "--output", "json"]);
        assert!(checked.status.success(), "{checked:?}");
        assert_eq!(json_of(&checked)["upToDate"], true);
    }
}

#[test]
fn a_node_that_may_not_migrate_refuses_an_older_schema_until_somebody_has() {
    let site = Site::new(Some(FIRST));
    fs::write(site.data.path().join(FILE_NAME), "[database]\nmigrate = false\n").unwrap();
    let refused = site.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!((refused.status.code(), stdout(&refused)), (Some(1), String::new()));
    let told = stderr(&refused);
    assert!(told.contains("schema 1.0") && told.contains("hint: run `goalpost migrate`"), "{told}");
    assert_eq!(site.version(), Some(FIRST));
    assert!(site.run(&["migrate"]).status.success());
    assert!(site.run(&["org", "list"]).status.success());
}
