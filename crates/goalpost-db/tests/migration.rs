//! What a database may rely on while its schema is brought up to date.

use std::process::Command;
use std::sync::Arc;

use goalpost_db::{Db, Location, SCHEMA_VERSION, Settings, Version};
use goalpost_testing::{DiesBefore, Engine, TestDatabase};

/// The first schema that there was.
const FIRST: Version = Version { major: 1, minor: 0 };

/// Not a test: the process that the test below lets die.
#[test]
#[ignore = "the process that another test starts"]
fn a_process_that_dies() {
    let variable = |name| std::env::var(name).expect("the other test sets it");
    let location = match variable("LOCATION") {
        url if url.starts_with("postgres") => url.parse().unwrap(),
        path => Location::file(path.as_ref()),
    };
    let faults = Arc::new(DiesBefore::statement(variable("STATEMENT").parse().unwrap()));
    Db::open(&location, Settings { faults: Some(faults), ..Settings::default() }).unwrap();
}

/// Whether the process died before it came to the end.
fn dies_before(statement: u32, location: &str) -> bool {
    let mut process = Command::new(std::env::current_exe().expect("a program"));
    process.args(["--exact", "a_process_that_dies", "--ignored"]);
    let ended =
        process.env("LOCATION", location).env("STATEMENT", statement.to_string()).output().expect("it runs");
    if !ended.status.success() {
        let signal = std::os::unix::process::ExitStatusExt::signal(&ended.status);
        assert_eq!(signal, Some(6), "{}", String::from_utf8_lossy(&ended.stdout));
    }
    !ended.status.success()
}

#[test]
fn a_migration_that_is_killed_before_any_of_its_statements_leaves_what_was_and_completes_when_run_again() {
    for from in [None, Some(FIRST)] {
        let folder = tempfile::tempdir().unwrap();
        for database in [TestDatabase::on(Engine::Sqlite, folder.path()), TestDatabase::empty_on_postgres()] {
            let (location, settings) = (database.location(), database.settings());
            if let Some(newest) = from {
                Db::open(&location, Settings { newest, ..settings.clone() }).unwrap();
            }
            let file = folder.path().join("goalpost.db").display().to_string();
            let named = database.url.clone().unwrap_or(file);
            let mut statement = 1;
            while dies_before(statement, &named) {
                assert_eq!(Db::version_of(&location).unwrap(), from, "killed before statement {statement}");
                statement += 1;
            }
            assert!(statement > if from.is_none() { 60 } else { 6 }, "{statement} statements");
            assert_eq!(Db::version_of(&location).unwrap(), Some(SCHEMA_VERSION));
            let whole = tempfile::tempdir().unwrap();
            let whole = TestDatabase::on(Engine::Sqlite, whole.path()).open().tables().unwrap();
            assert_eq!(Db::open(&location, settings).unwrap().tables().unwrap(), whole);
        }
    }
}
