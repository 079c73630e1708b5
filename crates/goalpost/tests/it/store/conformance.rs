//! What every store must do, tried on each of them.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Entry, ErrorKind, Shelf, name, noise};

const MIB: usize = 1024 * 1024;

macro_rules! on_every_store {
    ($($test:ident),* $(,)?) => {
        on_store!(folder, Shelf::folder(); $($test),*);
        on_store!(s3, Shelf::s3(); $($test),*);
        on_store!(azure, Shelf::azure().await; $($test),*);
    };
}

macro_rules! on_store {
    ($store:ident, $shelf:expr; $($test:ident),*) => {
        mod $store {
            use super::Shelf;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$test($shelf).await;
                }
            )*
        }
    };
}

on_every_store!(
    what_is_finished_is_read_back_whole,
    every_part_can_be_read_alone,
    a_name_is_written_once,
    of_two_writers_of_one_name_one_is_refused,
    what_is_dropped_unfinished_leaves_nothing,
    what_is_removed_is_gone,
    everything_is_listed,
    a_probe_finds_nothing_wrong_and_leaves_nothing,
);

async fn what_is_finished_is_read_back_whole(shelf: Shelf) {
    for size in [0, 1, 300_000, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 12 * MIB, 24 * MIB + 7] {
        let (name, bytes) = (name(), noise(size));
        let stored = shelf.write("15229", &name, &bytes).await.unwrap();
        assert_eq!((stored.key.as_str(), stored.size_bytes), (format!("15229/{name}").as_str(), size as u64));
        assert_eq!(stored.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
        let reading = shelf.store.read(&stored.key, 0..size as u64).await.unwrap();
        assert_eq!(reading.size_bytes, size as u64);
        assert!(
            shelf.read(&stored.key, 0..size as u64).await.unwrap() == bytes,
            "{size} bytes came back changed"
        );
    }
}

async fn every_part_can_be_read_alone(shelf: Shelf) {
    let bytes = noise(12 * MIB);
    let key = shelf.write("15229", &name(), &bytes).await.unwrap().key;
    let size = bytes.len();
    for (first, end) in [
        (0, 1),
        (0, 0),
        (17, 18),
        (8 * MIB - 3, 8 * MIB + 3),
        (size - 1, size),
        (size - 70_000, size),
        (1, size),
        (size, size),
    ] {
        let part = shelf.read(&key, first as u64..end as u64).await.unwrap();
        assert!(part == bytes[first..end], "{first}..{end}: {} bytes", part.len());
    }
    let beyond = shelf.read(&key, size as u64 - 1..size as u64 + 1).await;
    assert!(beyond.is_err(), "there is nothing behind the end");
    let unknown = shelf.read("15229/unknown.csv", 0..1).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound, "{unknown}");
}

async fn a_name_is_written_once(shelf: Shelf) {
    for (first, second) in [(1, 1), (1, 12 * MIB), (12 * MIB, 1), (12 * MIB, 12 * MIB)] {
        let (name, bytes) = (name(), noise(first));
        let key = shelf.write("15229", &name, &bytes).await.unwrap().key;
        let refused = shelf.write("15229", &name, &vec![0; second]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists, "{first} and {second} bytes: {refused}");
        assert!(shelf.read(&key, 0..first as u64).await.unwrap() == bytes, "{first} and {second} bytes");
        assert_eq!(shelf.keys().await, std::slice::from_ref(&key));
        shelf.store.remove(&key).await.unwrap();
    }
}

async fn of_two_writers_of_one_name_one_is_refused(shelf: Shelf) {
    let shelf = Arc::new(shelf);
    for size in [100, 9 * MIB] {
        let name = name();
        let writers = [1, 2].map(|byte| {
            let (shelf, name) = (Arc::clone(&shelf), name.clone());
            tokio::spawn(async move { shelf.write("15229", &name, &vec![byte; size]).await.map(|_| byte) })
        });
        let mut written = Vec::new();
        for writer in writers {
            match writer.await.unwrap() {
                Ok(byte) => written.push(byte),
                Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}"),
            }
        }
        assert_eq!(written.len(), 1, "{size} bytes");
        let read = shelf.read(&format!("15229/{name}"), 0..size as u64).await.unwrap();
        assert!(read == vec![written[0]; size], "{size} bytes: a mixture, or the loser's");
    }
}

async fn what_is_dropped_unfinished_leaves_nothing(shelf: Shelf) {
    for size in [0, 1, 9 * MIB, 30 * MIB] {
        let mut writer = shelf.store.create("15229", &name()).unwrap();
        let dropping = tokio::task::spawn_blocking(move || writer.write(&noise(size)).map(|()| drop(writer)));
        dropping.await.unwrap().unwrap();
        shelf.until_empty().await;
    }
}

async fn what_is_removed_is_gone(shelf: Shelf) {
    for size in [1, 9 * MIB] {
        let key = shelf.write("15229", &name(), &noise(size)).await.unwrap().key;
        shelf.store.remove(&key).await.unwrap();
        assert_eq!(shelf.read(&key, 0..1).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(shelf.keys().await, Vec::<String>::new());
        shelf.store.remove(&key).await.unwrap();
        let left = Entry { key, size_bytes: size as u64, modified_at: 0 };
        shelf.store.discard(&left).await.unwrap();
    }
}

async fn everything_is_listed(shelf: Shelf) {
    let shelf = Arc::new(shelf);
    let many = 1_003; // more than a page
    let writers: Vec<_> = (0..17)
        .map(|writer| {
            let shelf = Arc::clone(&shelf);
            tokio::spawn(async move {
                let mut keys = Vec::new();
                for number in (writer..many).step_by(17) {
                    let folder = (number % 3).to_string();
                    keys.push(
                        shelf.write(&folder, &format!("{number}.csv"), &noise(number)).await.unwrap().key,
                    );
                }
                keys
            })
        })
        .collect();
    let mut expected = Vec::new();
    for writer in writers {
        expected.extend(writer.await.unwrap());
    }
    expected.sort();
    let listed = shelf.list().await;
    let keys: Vec<_> = listed.iter().map(|entry| entry.key.clone()).collect();
    assert_eq!(keys, expected);
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_micros()).unwrap();
    for entry in &listed {
        let number = entry.key.split(['/', '.']).nth(1).unwrap();
        assert_eq!(entry.size_bytes.to_string(), number);
        assert!((now - entry.modified_at).abs() < 600_000_000, "{entry:?} at {now}");
    }
}

async fn a_probe_finds_nothing_wrong_and_leaves_nothing(shelf: Shelf) {
    let key = shelf.write("15229", &name(), b"Id,Title\r\n").await.unwrap().key;
    shelf.store.probe(&name()).await.unwrap();
    assert_eq!(shelf.keys().await, [key]);
}
