//! What callers of the database may rely on.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use goalpost_db::{
    Db, Error, ErrorKind, Location, NewRow, SCHEMA_VERSION, Scope, Settings, Tx, Value, Version, params,
};
use goalpost_testing::{Engine, TestDatabase};
use tempfile::TempDir;

/// A database with a table of the tests' own.
struct Notes {
    db: Db,
    database: TestDatabase,
    _folder: TempDir,
}

impl Notes {
    fn open() -> Self {
        Self::open_with(|_| {})
    }

    fn open_with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::new(folder.path());
        let mut settings = database.settings();
        change(&mut settings);
        let db = Db::open(&database.location(), settings).expect("the database opens");
        let sql = "create table if not exists note (key text not null primary key, value text not null)";
        db.write_alone(Scope::Global, Duration::from_secs(5), |tx| tx.execute(sql, params![]))
            .expect("the table is made");
        Self { db, database, _folder: folder }
    }
}

fn put(tx: &Tx<'_>, key: &str, value: &str) -> Result<u64, Error> {
    tx.execute("insert into note (key, value) values (?1, ?2)", params![key, value])
}

fn keys(db: &Db) -> Vec<String> {
    db.snapshot(Scope::Global, |tx| {
        tx.query("select key from note order by key", params![], |row| {
            Ok::<_, Error>(row.text(0)?.to_owned())
        })
    })
    .expect("keys are readable")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_leaves_no_trace_and_spares_its_neighbours() {
    let Notes { db, .. } = &Notes::open();
    let bad = db.write(Scope::Global, |tx| {
        put(tx, "half", "done")?;
        Err::<(), _>(Error::unexpected("no"))
    });
    let good = db.write(Scope::Global, |tx| put(tx, "good", "1"));
    let (bad, good) = tokio::join!(bad, good);
    assert!(bad.is_err() && good.is_ok());
    assert_eq!(keys(db), ["good"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_panics_fails_alone() {
    let Notes { db, .. } = &Notes::open();
    let panicked = db
        .write(Scope::Global, |tx| {
            put(tx, "half", "done")?;
            assert!(tx.now_us() < 0, "on purpose");
            Ok::<_, Error>(())
        })
        .await;
    assert_eq!(panicked.unwrap_err().kind(), ErrorKind::Unexpected);
    db.write(Scope::Global, |tx| put(tx, "after", "1")).await.unwrap();
    assert_eq!(keys(db), ["after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_row_with_the_same_key_is_refused_as_such() {
    let Notes { db, .. } = &Notes::open();
    db.write(Scope::Global, |tx| put(tx, "one", "1")).await.unwrap();
    assert!(db.write(Scope::Global, |tx| put(tx, "one", "2")).await.unwrap_err().is_unique());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_swallows_a_failed_statement_is_not_committed() {
    let Notes { db, .. } = &Notes::open();
    db.write(Scope::Global, |tx| put(tx, "one", "1")).await.unwrap();
    let written = db.write(Scope::Global, |tx| {
        put(tx, "two", "2")?;
        drop(put(tx, "one", "2"));
        Ok::<_, Error>(())
    });
    // SQLite undoes the statement alone; PostgreSQL the transaction, and then nobody may be told that it stands.
    let stands = written.await.is_ok();
    assert_eq!(keys(db), if stands { vec!["one", "two"] } else { vec!["one"] });
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_all_succeed() {
    let Notes { db, .. } = &Notes::open();
    let writes = (0..500).map(|n| {
        let db = db.clone();
        tokio::spawn(async move { db.write(Scope::Global, move |tx| put(tx, &format!("{n:03}"), "x")).await })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap().unwrap();
    }
    assert_eq!(keys(db).len(), 500);
}

/// Writes that wait for one that is under way; three of them, which wait with others, cannot be done.
#[tokio::test(flavor = "multi_thread")]
async fn writes_that_come_together_share_a_transaction_and_fail_alone() {
    const BAD: std::ops::Range<i64> = 17..20;
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::new(folder.path());
    let db = database.open();
    let (has_begun, all_wait) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let mut writes: Vec<_> = (0..60)
        .map(|n: i64| {
            let (has_begun, all_wait) = (Arc::clone(&has_begun), Arc::clone(&all_wait));
            let write = db.write_together(Scope::Organization(n % 3), move |tx| {
                has_begun.store(true, Ordering::Relaxed);
                while n == 0 && !all_wait.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                let tag = "insert into tag (organization, id, name, name_fold, origin)
                           values (?1, ?2, ?3, ?3, 'file')";
                tx.execute(tag, params![n % 3, n, n.to_string()])?;
                match n - BAD.start {
                    0 => Err(Error::unexpected("no")),
                    1 => tx.execute(tag, params![n % 3, n, "again"]),
                    2 => panic!("a write that panics"),
                    _ => Ok(1),
                }
            });
            Box::pin(write)
        })
        .collect();
    for write in &mut writes {
        assert!(write.as_mut().now_or_never().is_none());
        while !has_begun.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
    }
    all_wait.store(true, Ordering::Relaxed);
    let mut transactions = HashSet::new();
    for (n, write) in (0..).zip(writes) {
        assert_eq!(write.await.is_err(), BAD.contains(&n), "{n}");
    }
    let by = if db.engine() == "postgresql" { "cast(xmin as text)" } else { "''" };
    for organization in 0..3 {
        let sql = format!("select id, {by} from tag where organization = ?1 order by id");
        let kept = db.snapshot(Scope::Organization(organization), |tx| {
            tx.query(&sql, params![organization], |row| {
                transactions.insert(row.text(1)?.to_owned());
                row.int(0)
            })
        });
        let good = (0..60).filter(|n| n % 3 == organization && !BAD.contains(n));
        assert_eq!(kept.unwrap(), good.collect::<Vec<_>>());
    }
    if db.engine() == "postgresql" {
        // The first, sixteen together, thirteen alone that were with the bad ones, sixteen, and the rest.
        assert_eq!(transactions.len(), 1 + 1 + 13 + 1 + 1);
    }
}

#[test]
fn writes_go_on_when_whoever_served_them_has_gone() {
    let Notes { db, .. } = &Notes::open();
    let write = |key: &'static str| db.write_together(Scope::Organization(1), move |tx| put(tx, key, "1"));
    // On PostgreSQL it ends with its runtime, before it has served anybody.
    let ends = tokio::runtime::Builder::new_current_thread().build().unwrap();
    drop(ends.block_on(async { Box::pin(write("first")).now_or_never() }));
    drop(ends);
    let stays = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let second =
        stays.block_on(async { tokio::time::timeout(Duration::from_secs(30), write("second")).await });
    assert_eq!(second.expect("somebody serves").unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn serial_numbers_are_never_given_twice_and_leave_room_for_those_of_the_first_version() {
    let Notes { db, .. } = &Notes::open();
    let mut all = Vec::new();
    for _ in 0..20 {
        let some = db.write(Scope::Global, |tx| Ok::<_, Error>([(); 500].map(|()| tx.serial())));
        all.extend(some.await.unwrap());
    }
    let first = all[0];
    all.sort_unstable();
    // The first version counts on from the greatest.
    assert!(all.windows(2).all(|two| two[1] - two[0] >= 64));
    assert_eq!(all.len(), 10_000);
    assert!(first > 0);
    // As a file of everybody in a large house takes at once.
    let many = db.write(Scope::Global, |tx| Ok::<_, Error>((0..1_000_000).map(|_| tx.serial()).collect()));
    let many: HashSet<i64> = many.await.unwrap();
    assert_eq!(many.len(), 1_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_waits_for_its_turn_only_so_long_and_reads_go_on() {
    let Notes { db, .. } = &Notes::open_with(|settings| settings.write_wait = Duration::from_millis(300));
    let (held, release) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            db.write_alone(Scope::Global, Duration::from_secs(5), |tx| {
                if db.engine() == "postgresql" {
                    tx.execute("lock table note in exclusive mode", params![])?;
                }
                put(tx, "long", "1")?;
                held.wait();
                release.wait();
                Ok::<_, Error>(())
            })
        });
        held.wait();
        let begun = Instant::now();
        let refused = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(db.write(Scope::Global, |tx| put(tx, "short", "1")))
        });
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Busy);
        assert_eq!(db.counters().busy, 1);
        assert!(begun.elapsed() >= Duration::from_millis(300));
        assert!(keys(db).is_empty(), "a reader sees the state before the open transaction");
        release.wait();
    });
    // The long write may still be ending.
    let shorts = tokio::time::timeout(Duration::from_secs(10), async {
        while db.write(Scope::Global, |tx| put(tx, "short", "1")).await.is_err() {}
    });
    shorts.await.expect("the lock is free");
    assert_eq!(keys(db), ["long", "short"]);
    assert!(db.counters().writes >= 1);
}

#[test]
fn a_snapshot_does_not_see_what_is_written_after_it_began() {
    let Notes { db, .. } = &Notes::open();
    let count = |tx: &Tx<'_>| tx.query_one("select count(*) from note", params![], |row| row.int(0));
    let seen = db.snapshot(Scope::Global, |tx| {
        let before = count(tx)?;
        db.write_alone(Scope::Global, Duration::from_secs(5), |tx| put(tx, "later", "1"))?;
        Ok::<_, Error>((before, count(tx)?))
    });
    assert_eq!(seen.unwrap(), (0, 0));
    assert_eq!(db.snapshot(Scope::Global, count).unwrap(), 1);
}

#[test]
fn a_schema_of_a_newer_program_is_refused_and_one_with_additions_is_not() {
    let Notes { db, database, .. } = &Notes::open();
    let record = |sql: &'static str| {
        db.write_alone(Scope::Global, Duration::from_secs(5), |tx| {
            tx.execute(sql, &[Value::from([0_u8; 32])])
        })
        .unwrap();
    };
    record("insert into schema_addition (version, addition, sha256, applied_at) values (1, 999, ?1, 0)");
    let version = Db::version_of(&database.location()).unwrap();
    assert_eq!(version, Some(Version { minor: 999, ..SCHEMA_VERSION }));
    database.open();
    record("insert into schema_migration (version, sha256, applied_at) values (9999, ?1, 0)");
    let newer = Db::open(&database.location(), database.settings()).unwrap_err();
    assert_eq!(newer.kind(), ErrorKind::NewerSchema);
}

#[test]
fn a_program_that_may_not_migrate_refuses_an_empty_database_and_leaves_it_empty() {
    let folder = tempfile::tempdir().unwrap();
    for database in [TestDatabase::on(Engine::Sqlite, folder.path()), TestDatabase::empty_on_postgres()] {
        let settings = Settings { migrate: false, ..Settings::default() };
        let refused = Db::open(&database.location(), settings).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::OlderSchema, "{refused}");
        assert_eq!(Db::version_of(&database.location()).unwrap(), None);
        drop(database.open());
        assert_eq!(Db::version_of(&database.location()).unwrap(), Some(SCHEMA_VERSION));
    }
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.db");
    std::fs::write(&path, "this is no database, whatever its name says").unwrap();
    let foreign = Db::open(&Location::file(&path), Settings::default()).unwrap_err();
    assert_eq!(foreign.kind(), ErrorKind::NotADatabase);
}

#[test]
fn a_cursor_is_read_at_its_own_pace() {
    let Notes { db, .. } = &Notes::open();
    db.write_alone(Scope::Global, Duration::from_secs(5), |tx| {
        tx.insert_all("note", &["key", "value"], &["a", "x", "b", "y", "c", "z"].map(Value::from))
    })
    .unwrap();
    let read = db.snapshot(Scope::Global, |tx| {
        tx.cursor("select key from note where key > ?1 order by key", params!["a"], |cursor| {
            assert!(cursor.row().is_none());
            let mut read = Vec::new();
            while cursor.advance()? {
                read.push(cursor.row().unwrap().text(0)?.to_owned());
            }
            assert!(cursor.row().is_none());
            Ok::<_, Error>(read)
        })
    });
    assert_eq!(read.unwrap(), ["b", "c"]);
}

#[test]
fn rows_come_only_with_the_change_that_they_follow_from() {
    let Notes { db, .. } = &Notes::open();
    let change = "-- test::change\nupdate note set value = ?2 where key = ?1";
    let [first, second, never] = ["first", "second", "never"].map(|key| [Value::from(key), "1".into()]);
    let row = |values| NewRow { table: "note", columns: &["key", "value"], values };
    let changed = db.write_alone(Scope::Global, Duration::from_secs(5), |tx| {
        put(tx, "old", "1")?;
        let rows = [row(&first[..]), row(&second[..])];
        Ok::<_, Error>([
            tx.change_and_add(change, params!["old", "2"], &rows)?,
            tx.change_and_add(change, params!["old", "3"], &[])?,
            tx.change_and_add(change, params!["none", "2"], &[row(&never[..])])?,
        ])
    });
    assert_eq!(changed.unwrap().map(|changed| changed.is_set()), [true, true, false]);
    assert_eq!(keys(db), ["first", "old", "second"]);
}

#[test]
fn rows_whose_place_is_taken_are_left_out_and_those_that_are_not_are_told() {
    let Notes { db, .. } = &Notes::open();
    let insert = |tx: &Tx<'_>, notes: [&str; 4], most: i64| {
        let (rows, few) = (
            notes.map(Value::from),
            ("(select count(*) from note where value = ?1) < ?2", &params!["2", most][..]),
        );
        tx.insert_free("note", &["key", "value"], &rows, few, "key", |row| {
            Ok::<_, Error>(row.text(0)?.to_owned())
        })
    };
    let inserted = db.write_alone(Scope::Global, Duration::from_secs(5), |tx| {
        put(tx, "taken", "1")?;
        Ok::<_, Error>([
            insert(tx, ["free", "2", "taken", "2"], 1)?,
            insert(tx, ["other", "2", "another", "2"], 1)?,
            insert(tx, ["other", "2", "another", "2"], 2)?,
        ])
    });
    assert_eq!(inserted.unwrap(), [&["free"][..], &[], &["other", "another"]]);
    assert_eq!(keys(db), ["another", "free", "other", "taken"]);
}

const NOTE: [&str; 2] = ["key", "value"];

fn append(tx: &Tx<'_>, keys: &[String]) -> Result<(), Error> {
    let rows: Vec<Value> = keys.iter().flat_map(|key| [key.into(), "1".into()]).collect();
    tx.append("note", &NOTE, &rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn appended_rows_are_there_for_the_next_statement_and_after_the_end() {
    let Notes { db, .. } = &Notes::open();
    // Often enough for statements to be prepared.
    for round in 0..4 {
        let written = db.write(Scope::Global, move |tx| {
            append(tx, &[format!("{round}, first of all")])?;
            append(tx, &[format!("{round}, before a look")])?;
            let seen = tx.query_one("select count(*) from note", params![], |row| row.int(0))?;
            append(tx, &[format!("{round}, before an organization")])?;
            tx.enter(1);
            append(tx, &[format!("{round}, in it")])?;
            append(tx, &["last", "of all"].map(|word| format!("{round}, {word}")))?;
            Ok::<_, Error>(seen)
        });
        assert_eq!(written.await.unwrap(), 6 * round + 2);
    }
    assert_eq!(keys(db).len(), 24);
}

#[tokio::test(flavor = "multi_thread")]
async fn appended_rows_that_cannot_be_take_everything_back() {
    let Notes { db, .. } = &Notes::open();
    for looks in [false, true] {
        let written = db.write(Scope::Global, move |tx| {
            put(tx, "taken", "1")?;
            append(tx, &["other", "taken"].map(str::to_owned))?;
            if looks {
                tx.query_one("select count(*) from note", params![], |row| row.int(0))?;
            }
            Ok::<_, Error>(())
        });
        assert_eq!(written.await.unwrap_err().kind(), ErrorKind::Unique);
        assert!(keys(db).is_empty());
    }
}

#[test]
fn every_kind_of_value_comes_back_as_it_went_in() {
    let Notes { db, .. } = &Notes::open();
    let (large, small) = (i64::MAX, i64::MIN);
    let values = db.write_alone(Scope::Global, Duration::from_secs(5), |tx| {
        let float = if db.engine() == "postgresql" { "double precision" } else { "real" };
        let (blob, bool) =
            if db.engine() == "postgresql" { ("bytea", "boolean") } else { ("blob", "integer") };
        let sql = format!(
            "create table kind (i bigint, j bigint, r {float}, b {bool}, t text, x {blob}, n bigint)"
        );
        tx.execute(&sql, params![])?;
        let row = [
            large.into(),
            small.into(),
            0.1.into(),
            true.into(),
            "Ä \u{1f34e}\0".into(),
            Value::from(&b"\0\xff"[..]),
            Value::Null,
        ];
        tx.insert_all("kind", &["i", "j", "r", "b", "t", "x", "n"], &[row.clone(), row.clone()].concat())?;
        tx.execute("insert into kind (i, j, r, b, t, x, n) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)", &row)?;
        tx.query("select i, j, r, b, t, x, n from kind", params![], |row| {
            let blob = row.blob(5)?.to_vec();
            Ok::<_, Error>((
                row.int(0)?,
                row.int(1)?,
                row.opt_real(2)?,
                row.bool(3)?,
                row.text(4)?.to_owned(),
                blob,
                row.opt_int(6)?,
            ))
        })
    });
    let expected = (large, small, Some(0.1), true, "Ä \u{1f34e}\0".to_owned(), b"\0\xff".to_vec(), None);
    assert_eq!(values.unwrap(), [expected.clone(), expected.clone(), expected]);
}

#[test]
fn two_processes_may_open_a_new_database_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for database in [TestDatabase::on(Engine::Sqlite, folder.path()), TestDatabase::empty_on_postgres()] {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| database.open());
            }
        });
        assert_eq!(Db::version_of(&database.location()).unwrap(), Some(SCHEMA_VERSION));
    }
}

#[test]
fn a_new_file_that_another_process_is_writing_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("goalpost.db");
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let (opened, result) = std::sync::mpsc::channel();
    std::thread::spawn(move || opened.send(Db::open(&Location::file(&file), Settings::default()).map(drop)));
    let early = result.recv_timeout(Duration::from_millis(100));
    assert!(early.is_err(), "it did not wait: {early:?}");
    other.execute_batch("commit").unwrap();
    result.recv().unwrap().unwrap();
}

#[test]
fn both_engines_have_the_same_schema() {
    let folder = tempfile::tempdir().unwrap();
    let [sqlite, postgres] = [Engine::Sqlite, Engine::Postgres].map(|engine| {
        TestDatabase::on(engine, folder.path()).open().tables().expect("the schema is readable")
    });
    assert!(sqlite.len() > 40, "{} tables", sqlite.len());
    for (ours, theirs) in sqlite.iter().zip(&postgres) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(sqlite.len(), postgres.len());
}

#[test]
fn rows_of_another_organization_are_neither_seen_nor_written() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::on(Engine::Postgres, folder.path());
    let db = database.open();
    let insert = |scope, organization: i64| {
        db.write_alone(scope, Duration::from_secs(5), |tx| {
            tx.execute(
                "insert into tag (organization, id, name, name_fold, origin) values (?1, 1, 'a', 'a', 'file')",
                params![organization],
            )
        })
    };
    insert(Scope::Organization(1), 1).unwrap();
    assert_eq!(insert(Scope::Organization(1), 2).unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(insert(Scope::Global, 2).unwrap_err().kind(), ErrorKind::Refused);
    let count = |scope, table: &str| {
        let sql = format!("select count(*) from {table}");
        db.snapshot(scope, |tx| tx.query_one(&sql, params![], |row| row.int(0)))
    };
    assert_eq!(count(Scope::Organization(1), "tag").unwrap(), 1);
    assert_eq!(count(Scope::Organization(2), "tag").unwrap(), 0);
    assert_eq!(count(Scope::Global, "tag").unwrap(), 0);
    // The keys of jobs are all that is read across organizations.
    assert_eq!(count(Scope::Keys, "tag").unwrap_err().kind(), ErrorKind::Refused);
    let read = |column: &str| {
        let sql = format!("select {column} from job");
        db.snapshot(Scope::Keys, |tx| tx.query(&sql, params![], |_| Ok::<_, Error>(())))
    };
    assert!(read("organization, id, state").is_ok());
    assert_eq!(read("spec").unwrap_err().kind(), ErrorKind::Refused);
}

#[test]
fn a_statement_of_one_organization_that_looks_into_all_partitions_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::on(Engine::Partitioned, folder.path());
    let db = database.open();
    let ask = |sql: &str| {
        db.snapshot(Scope::Organization(1), |tx| tx.query(sql, params![], |_| Ok::<_, Error>(())))
    };
    assert!(ask("select id from goal where organization = 1").is_ok());
    let refused = ask("select id from goal where id = 1").unwrap_err();
    assert!(refused.to_string().contains("several partitions of goal"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_wait_for_is_on_the_disk_before_its_caller_learns_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::on(Engine::Postgres, folder.path());
    // The tests' server does not wait for its disk.
    let waits = "do $$ begin
        execute format('alter database %I set synchronous_commit = on', current_database());
    end $$";
    database
        .open()
        .write_alone(Scope::Global, Duration::from_secs(5), |tx| tx.execute(waits, params![]))
        .unwrap();
    let db = database.open();
    let place = |tx: &Tx<'_>, of: &str| {
        let sql = format!("select ({of}() - '0/0')::bigint");
        tx.query_one(&sql, params![], |row| row.int(0))
    };
    for _ in 0..50 {
        let written = db.write(Scope::Global, move |tx| {
            tx.is_waited_for();
            tx.execute("update schema_migration set version = version", params![])?;
            place(tx, "pg_current_wal_insert_lsn")
        });
        let written = written.await.unwrap();
        let on_disk = db.read(Scope::Global, |tx| place(tx, "pg_current_wal_flush_lsn")).await.unwrap();
        assert!(on_disk >= written, "{on_disk} < {written}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_a_statement_is_never_taken_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::on(Engine::Partitioned, folder.path());
    let (db, other) = (database.open(), database.open());
    // A statement with a limit is never prepared.
    let process = "select pg_backend_pid()::bigint limit 1";
    let number = |tx: &Tx<'_>, sql: &str| tx.query_one(sql, params![], |row| row.int(0));
    let seven = "select 7::bigint";
    let mut home = 0;
    for _ in 0..10 {
        let asked = db.read(Scope::Global, |tx| Ok::<_, Error>((number(tx, seven)?, number(tx, process)?)));
        let (told, at) = asked.await.unwrap();
        assert_eq!(told, 7);
        home = at;
    }
    // While others hold the process where that was prepared, another program gives every name to a statement of its
    // own, in the process that is handed out next.
    let prepare_all = |tx: &Tx<'_>| {
        for name in 0..1_000 {
            tx.execute(&format!("prepare s{name} as select -1::bigint"), params![])?;
        }
        Ok::<_, Error>(())
    };
    let ask = || {
        other.snapshot(Scope::Global, prepare_all).unwrap();
        let asked = db.read(Scope::Global, |tx| number(tx, seven));
        assert_eq!(tokio::runtime::Handle::current().block_on(asked).unwrap(), 7);
    };
    tokio::task::block_in_place(|| while_held(&other, &|tx| number(tx, process), home, 8, &ask));
}

/// Hold server processes, one after the other, until `home` is among them; then do something.
fn while_held(
    db: &Db,
    process: &dyn Fn(&Tx<'_>) -> Result<i64, Error>,
    home: i64,
    most: u32,
    then: &dyn Fn(),
) {
    assert!(most > 0, "process {home} is not handed out any more");
    let held = db.snapshot(Scope::Global, |tx| {
        if process(tx)? == home {
            then();
        } else {
            while_held(db, process, home, most - 1, then);
        }
        Ok::<_, Error>(())
    });
    held.expect("the process is held");
}
