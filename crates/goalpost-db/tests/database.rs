//! What callers of the database may rely on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use goalpost_db::{Db, Error, ErrorKind, Settings, Tx, Value, params};

fn open(folder: &Path) -> Db {
    open_with(folder, Settings::default())
}

/// A database with a table of the tests' own.
fn open_with(folder: &Path, settings: Settings) -> Db {
    let db = Db::open(&folder.join("test.db"), settings).expect("the database opens");
    let sql = "create table if not exists note (key text not null primary key, value text not null)";
    db.write_alone(Duration::from_secs(5), |tx| tx.execute(sql, params![])).expect("the table is made");
    db
}

fn put(tx: &Tx<'_>, key: &str, value: &str) -> Result<u64, Error> {
    tx.execute("insert into note (key, value) values (?1, ?2)", params![key, value])
}

fn keys(db: &Db) -> Vec<String> {
    db.read(|tx| {
        tx.query("select key from note order by key", params![], |row| {
            Ok::<_, Error>(row.text(0)?.to_owned())
        })
    })
    .expect("keys are readable")
}

#[tokio::test]
async fn a_write_that_fails_leaves_no_trace_and_spares_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    let bad = db.write(|tx| {
        put(tx, "half", "done")?;
        Err::<(), _>(Error::unexpected("no"))
    });
    let good = db.write(|tx| put(tx, "good", "1"));
    let (bad, good) = tokio::join!(bad, good);
    assert!(bad.is_err() && good.is_ok());
    assert_eq!(keys(&db), ["good"]);
}

#[tokio::test]
async fn a_write_that_panics_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    let panicked = db
        .write(|tx| {
            put(tx, "half", "done")?;
            assert!(tx.now_us() < 0, "on purpose");
            Ok::<_, Error>(())
        })
        .await;
    assert_eq!(panicked.unwrap_err().kind(), ErrorKind::Unexpected);
    db.write(|tx| put(tx, "after", "1")).await.unwrap();
    assert_eq!(keys(&db), ["after"]);
}

#[tokio::test]
async fn a_second_row_with_the_same_key_is_refused_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    db.write(|tx| put(tx, "one", "1")).await.unwrap();
    assert!(db.write(|tx| put(tx, "one", "2")).await.unwrap_err().is_unique());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_all_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    let writes = (0..500).map(|n| {
        let db = db.clone();
        tokio::spawn(async move { db.write(move |tx| put(tx, &format!("{n:03}"), "x")).await })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap().unwrap();
    }
    assert_eq!(keys(&db).len(), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_waits_for_its_turn_only_so_long_and_reads_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { write_wait: Duration::from_millis(300), ..Settings::default() };
    let db = open_with(folder.path(), settings);
    let (held, release) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        let long = db.clone();
        scope.spawn(|| {
            let long = long;
            long.write_alone(Duration::from_secs(5), |tx| {
                put(tx, "long", "1")?;
                held.wait();
                release.wait();
                Ok::<_, Error>(())
            })
        });
        held.wait();
        let begun = Instant::now();
        let refused = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(db.write(|tx| put(tx, "short", "1")))
        });
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Busy);
        assert!(begun.elapsed() >= Duration::from_millis(300));
        assert!(keys(&db).is_empty(), "a reader sees the state before the open transaction");
        release.wait();
    });
    db.write(|tx| put(tx, "short", "1")).await.unwrap();
    assert_eq!(keys(&db), ["long", "short"]);
}

#[test]
fn a_snapshot_does_not_see_what_is_written_after_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    let count = |tx: &Tx<'_>| tx.query_one("select count(*) from note", params![], |row| row.int(0));
    let seen = db.snapshot(|tx| {
        let before = count(tx)?;
        db.write_alone(Duration::from_secs(5), |tx| put(tx, "later", "1"))?;
        Ok::<_, Error>((before, count(tx)?))
    });
    assert_eq!(seen.unwrap(), (0, 0));
    assert_eq!(db.read(count).unwrap(), 1);
}

#[test]
fn a_newer_schema_and_foreign_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    db.write_alone(Duration::from_secs(5), |tx| {
        tx.execute(
            "insert into schema_migration (version, sha256, applied_at) values (9999, ?1, 0)",
            &[Value::from([0_u8; 32])],
        )
    })
    .unwrap();
    let newer = Db::open(&folder.path().join("test.db"), Settings::default()).unwrap_err();
    assert_eq!(newer.kind(), ErrorKind::NewerSchema);
    std::fs::write(folder.path().join("text.db"), "this is no database, whatever its name says").unwrap();
    let foreign = Db::open(&folder.path().join("text.db"), Settings::default()).unwrap_err();
    assert_eq!(foreign.kind(), ErrorKind::NotADatabase);
}

#[test]
fn cursors_walk_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    db.write_alone(Duration::from_secs(5), |tx| {
        ["a", "b", "c"].iter().try_for_each(|key| put(tx, key, "x").map(drop))
    })
    .unwrap();
    let pairs = db.read(|tx| {
        tx.cursors(
            [
                ("select key from note order by key", params![]),
                ("select key from note where key > ?1 order by key", params!["a"]),
            ],
            |[left, right]| {
                let mut pairs = Vec::new();
                while left.advance()? && right.advance()? {
                    let text =
                        |cursor: &goalpost_db::Cursor<'_>| cursor.row().unwrap().text(0).map(str::to_owned);
                    pairs.push((text(left)?, text(right)?));
                }
                Ok::<_, Error>(pairs)
            },
        )
    });
    assert_eq!(pairs.unwrap(), [("a".into(), "b".into()), ("b".into(), "c".into())]);
}

#[test]
fn two_processes_may_open_a_new_database_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Arc::new(AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let (path, opened) = (folder.path(), Arc::clone(&opened));
            scope.spawn(move || {
                open(path);
                opened.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(opened.load(Ordering::Relaxed), 8);
}
