//! A file shows the organization at one instant, and the same instant always gives the same file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use goalpost_db::params;
use goalpost_testing::{ORGANIZATION, TestApp, VIEW};

use super::{NUMBER, create, insert_goals, row, write};

/// Enough that an export reads them in several statements.
const GOALS: i64 = 5_000;
/// What all goals have together, at any instant.
const TOTAL: i64 = GOALS * 100;
/// Columns of the file.
const ACTUAL_PROGRESS: usize = 19;
const CHECK_IN: usize = 23;

/// Every goal at 100, and its one check-in too.
async fn start() -> TestApp {
    let t = TestApp::start_with(|config| config.limits.creates_per_10_secs = 10_000).await;
    insert_goals(&t, GOALS, 8);
    write(&t.app.db, |tx| {
        tx.execute(
            "update goal set progress = 100, checkin_count = 1 where organization = ?1",
            params![NUMBER],
        )?;
        tx.execute(
            "insert into checkin (organization, goal, id, revision, as_of_at, recorded_at, status, value)
             select organization, id, id, 1, 0, 0, 'On Track', 100 from goal where organization = ?1",
            params![NUMBER],
        )
    });
    t
}

#[tokio::test(flavor = "multi_thread")]
async fn r12_a_sum_that_moves_between_goals_while_they_are_exported_is_never_torn() {
    let t = start().await;
    // Once: to be let in is a write, which would wait for the writer below.
    let ann = t.ann();
    let stop = Arc::new(AtomicBool::new(false));
    let (db, stopped) = (t.app.db.clone(), Arc::clone(&stop));
    let writer = tokio::spawn(async move {
        let mut moves = 0;
        while !stopped.load(Ordering::Relaxed) {
            let (from, to) = (1 + moves * 7 % GOALS, 1 + (moves * 7 + GOALS / 2) % GOALS);
            db.write(NUMBER, move |tx| {
                for (goal, change) in [(from, -1_i64), (to, 1)] {
                    for sql in [
                        "update goal set progress = progress + ?3 where organization = ?1 and id = ?2",
                        "update checkin set value = value + ?3 where organization = ?1 and goal = ?2",
                    ] {
                        tx.execute(sql, params![NUMBER, goal, change])?;
                    }
                }
                Ok::<_, goalpost_db::Error>(())
            })
            .await
            .unwrap();
            moves += 1;
        }
        moves
    });
    let mut different = std::collections::HashSet::new();
    let exports = crate::setting("GOALPOST_SNAPSHOTS", 15);
    for _ in 0..exports {
        let id = ann.create_export(ORGANIZATION, VIEW).await.id();
        assert!(t.run_one().await);
        let content = ann.get_content(&id).await;
        assert_eq!(content.status, 200, "{:?}", row(&t, &id));
        let text = content.text();
        let (mut sum, mut rows) = (0, 0);
        for record in text.lines().skip(1) {
            let cells: Vec<_> = record.split(',').collect();
            let progress: i64 = cells[ACTUAL_PROGRESS].parse().unwrap();
            let value = format!("Current Value: {progress};");
            assert!(cells[CHECK_IN].contains(&value), "a goal and its check-in differ: {record}");
            sum += progress;
            rows += 1;
        }
        assert_eq!((rows, sum), (GOALS, TOTAL));
        different.insert(content.header("etag").map(str::to_owned));
    }
    stop.store(true, Ordering::Relaxed);
    let moves = writer.await.unwrap();
    println!("soak: {moves} moves, {} different files", different.len());
    assert!(moves > 50, "the writer hardly wrote");
    assert!(different.len() > exports / 2, "the exports hardly met a change");
}

#[tokio::test(flavor = "multi_thread")]
async fn r13_equal_data_give_equal_bytes() {
    let t = start().await;
    let mut first = None;
    for _ in 0..5 {
        let id = create(&t).await;
        assert!(t.run_one().await);
        let content = t.ann().get_content(&id).await;
        assert_eq!(content.status, 200);
        let seen = (content.header("etag").map(str::to_owned), content.bytes);
        assert_eq!(first.get_or_insert_with(|| seen.clone()), &seen);
        t.advance(std::time::Duration::from_mins(1));
    }
    assert_eq!(t.ann().create_export(ORGANIZATION, VIEW).await.status, 201);
}
