//! What must hold after every step, whatever the step was.

use std::collections::BTreeMap;

use goalpost_db::{Error, Scope};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::place::Place;

/// A job as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) organization: i64,
    pub(super) state: String,
    pub(super) attempt: i64,
    pub(super) token: Option<[u8; 16]>,
    pub(super) lease_until: Option<i64>,
    pub(super) failure: Option<String>,
    finished_at: Option<i64>,
    pub(super) expires_at: i64,
    created_at: i64,
    deadline_at: Option<i64>,
    pair: [u8; 16],
    file: Option<File>,
}

/// What a row says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    key: String,
    size_bytes: i64,
    sha256: [u8; 32],
    revision: i64,
    /// The file itself, if the database keeps it.
    bytes: Option<Vec<u8>>,
}

/// All jobs, in the order in which they were made.
pub(super) type Rows = BTreeMap<(i64, Uuid), Row>;

/// Who took a step, as far as jobs are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Actor {
    /// Somebody who claims.
    Claim,
    /// The worker with this token.
    Worker([u8; 16]),
    /// A sweep, or somebody who makes jobs.
    Nobody,
}

impl Row {
    pub(super) fn is_pending(&self) -> bool {
        self.state == "notStarted" || self.state == "running"
    }

    fn rank(&self) -> u8 {
        match self.state.as_str() {
            "notStarted" => 0,
            "running" => 1,
            _ => 2,
        }
    }

    fn is_live(&self, now: i64) -> bool {
        self.state == "running" && self.lease_until.is_some_and(|until| until >= now)
    }

    pub(super) fn key(&self) -> Option<&str> {
        self.file.as_ref().map(|file| file.key.as_str())
    }

    /// The key of its file in the store.
    pub(super) fn stored_key(&self) -> Option<&str> {
        self.key().filter(|_| self.file.as_ref().is_some_and(|file| file.bytes.is_none()))
    }
}

impl Place {
    /// All jobs, and the database's time.
    pub(super) fn rows(&self) -> (Rows, i64) {
        self.faults.decide([]);
        let rows = self.t.app.db.snapshot(Scope::Keys, |tx| {
            let all = tx.query(
                "select job.organization, job.id, job.state, job.attempt, job.lease_token, job.lease_until, job.failure,
                        job.finished_at, job.expires_at, job.created_at, job.deadline_at, job.pair,
                        export.content_key, export.size_bytes, export.sha256, export.revision,
                        export.content
                   from job left join export on export.organization = job.organization and export.job = job.id",
                &[],
                |row| {
                    let file = match row.opt_text(12)? {
                        None => None,
                        Some(key) => Some(File {
                            key: key.to_owned(),
                            size_bytes: row.int(13)?,
                            sha256: row.bytes(14)?,
                            revision: row.int(15)?,
                            bytes: row.opt_blob(16)?.map(<[u8]>::to_vec),
                        }),
                    };
                    let found = Row {
                        organization: row.int(0)?,
                        state: row.text(2)?.to_owned(),
                        attempt: row.int(3)?,
                        token: row.opt_bytes(4)?,
                        lease_until: row.opt_int(5)?,
                        failure: row.opt_text(6)?.map(str::to_owned),
                        finished_at: row.opt_int(7)?,
                        expires_at: row.int(8)?,
                        created_at: row.int(9)?,
                        deadline_at: row.opt_int(10)?,
                        pair: row.bytes(11)?,
                        file,
                    };
                    Ok::<_, Error>(((found.created_at, Uuid::from_bytes(row.bytes(1)?)), found))
                },
            )?;
            Ok::<_, Error>((all.into_iter().collect(), tx.now_us()))
        });
        rows.unwrap()
    }

    /// Whether what became of the jobs in a step of this actor may become of them.
    pub(super) async fn check(&self, before: &Rows, after: &Rows, now: i64, actor: Actor) {
        let figures = self.t.app.figures();
        for (key, old) in before {
            let Some(new) = after.get(key) else {
                assert!(!old.is_pending(), "a pending job is lost: {old:?}");
                assert!(old.expires_at + figures.forget_after_us <= now, "forgotten early: {old:?}");
                continue;
            };
            if old == new {
                continue;
            }
            assert!(old.rank() <= new.rank(), "a status went backwards: {old:?}, {new:?}");
            if old.rank() == 2 {
                let same = Row { expires_at: old.expires_at, ..new.clone() };
                assert_eq!(*old, same, "an ended job changed");
                assert!(actor == Actor::Nobody && new.expires_at <= now, "{new:?}");
                continue;
            }
            if let Actor::Worker(token) = actor {
                assert_eq!(old.token, Some(token), "a zombie changed {old:?}, {new:?}");
            } else {
                assert!(!old.is_live(now), "a live lease lost {old:?}, {new:?}");
            }
            if actor == Actor::Claim {
                assert!(old.deadline_at.is_none_or(|deadline| deadline > now), "claimed late: {old:?}");
                let live = |row: &&Row| row.organization == new.organization && row.is_live(now);
                let running = after.values().filter(live).count();
                assert!(running as i64 <= figures.max_running_per_organization, "{running} jobs run");
            }
            match new.failure.as_deref() {
                Some("workerLost") => assert!(old.attempt >= figures.max_attempts, "given up early: {old:?}"),
                Some("deadlineExceeded") => assert!(old.deadline_at.is_some_and(|at| at <= now), "{old:?}"),
                Some("notStartedInTime") => {
                    assert!(old.rank() == 0 && old.created_at + figures.start_within_us <= now, "{old:?}");
                }
                _ => {}
            }
            if new.state == "succeeded" {
                let token = old.token.map(|token| Uuid::from_bytes(token).simple().to_string());
                let owner = token.is_some_and(|token| new.key().is_some_and(|key| key.contains(&token)));
                // Or that of an earlier export, which is still there.
                let reuses = self.t.app.config.exports.reuse;
                let shared = reuses && before.values().any(|other| other.key() == new.key());
                assert!(owner || shared, "not the file of who published it: {old:?}, {new:?}");
            }
        }
        let mut pairs = std::collections::BTreeSet::new();
        let mut pending = BTreeMap::new();
        for (key, row) in after {
            assert!((0..=figures.max_attempts).contains(&row.attempt), "{row:?}");
            assert_eq!(row.file.is_some(), row.state == "succeeded", "{row:?}");
            if row.is_pending() {
                assert!(
                    pairs.insert((row.organization, row.pair)),
                    "two jobs of a pair are pending: {row:?}"
                );
                *pending.entry(row.organization).or_insert(0) += 1;
            }
            if let Some(file) = &row.file {
                let stored = self.objects.bytes(&file.key).await.filter(|_| file.bytes.is_none());
                let bytes = file.bytes.as_deref().or(stored.as_deref());
                let bytes = bytes.unwrap_or_else(|| panic!("a published file is gone: {row:?}"));
                if before.get(key) != Some(row) {
                    assert!(bytes == self.expected(row.organization, file.revision).as_bytes(), "{row:?}");
                    assert_eq!(Sha256::digest(bytes)[..], file.sha256);
                    assert_eq!(bytes.len() as i64, file.size_bytes);
                    let may_be_kept = bytes.len() <= self.t.app.config.exports.in_database_bytes;
                    assert_eq!(file.bytes.is_some(), may_be_kept, "{row:?}");
                }
            }
        }
        let most = pending.values().max().copied().unwrap_or(0);
        assert!(most <= self.t.app.config.exports.max_open, "{most} jobs are pending");
    }
}
