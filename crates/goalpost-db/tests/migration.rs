//! What a database may rely on while its schema is brought up to date.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use goalpost_db::{Db, Error, Location, SCHEMA_VERSION, Scope, Settings, Tx, Value, Version};
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

#[test]
fn rows_of_exports_that_are_laid_out_anew_say_what_they_said() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::on(Engine::Sqlite, folder.path());
    let location = database.location();
    let older = Version { major: 1, minor: 7 };
    let db = Db::open(&location, Settings { newest: older, ..database.settings() }).unwrap();
    let tables = db.tables().unwrap();
    let table = tables.iter().find(|table| table.name == "export").unwrap();
    let columns: Vec<_> = table.columns.iter().map(|(name, ..)| name.as_str()).collect();
    let rows: Vec<Vec<Value>> = (0..3).map(|row| values(&table.columns, row)).collect();
    let sql = format!("select {} from export order by job", columns.join(", "));
    let read = |tx: &Tx<'_>| {
        let row = |row: &goalpost_db::Row<'_>| {
            let of = |(at, (_, kind, _)): (usize, &(String, &str, bool))| {
                Ok::<_, Error>(match *kind {
                    "text" => row.opt_text(at)?.map_or(Value::Null, |text| text.to_owned().into()),
                    "blob" => row.opt_blob(at)?.map_or(Value::Null, |bytes| Value::Blob(bytes.to_vec())),
                    _ => Value::Int(row.int(at)?),
                })
            };
            table.columns.iter().enumerate().map(of).collect::<Result<Vec<_>, _>>()
        };
        tx.query(&sql, &[], row)
    };
    db.write_alone(Scope::Global, Duration::from_secs(5), |tx| {
        tx.insert_all("export", &columns, &rows.concat())
    })
    .unwrap();
    assert_eq!(db.snapshot(Scope::Global, read).unwrap(), rows);
    drop(db);
    let db = Db::open(&location, database.settings()).unwrap();
    assert_eq!(db.snapshot(Scope::Global, read).unwrap(), rows);
    // A clustered table has no such column.
    let numbered = |tx: &Tx<'_>| tx.query_one("select count(rowid) from export", &[], |row| row.int(0));
    assert_eq!(db.snapshot(Scope::Global, numbered).unwrap(), 3);
}

/// A row, each cell of which is its own; every other row has nothing where it may.
fn values(columns: &[(String, &'static str, bool)], row: i64) -> Vec<Value> {
    let of = |(at, (_, kind, may_be_null)): (i64, &(String, &'static str, bool))| match *kind {
        _ if *may_be_null && row % 2 == 1 => Value::Null,
        "text" => format!("{row} {at} ").repeat(2_000).into(),
        "blob" => Value::Blob([row as u8, at as u8].repeat(1_000)),
        _ => Value::Int(row + at),
    };
    (0..).zip(columns).map(of).collect()
}
