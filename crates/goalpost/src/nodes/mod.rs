//! The processes on one database: each says that it is there, and one that would lose or hide what the others make
//! does not start.
//!
//! The database's transactions alone decide who works on what. This tells people what runs, and keeps them from two nodes
//! that look for the same files in two places. It tells the nodes whether one is there that could not read what they make.
//!
//! Read in this order: [`agreed`] (what all must have in common), [`place`] (where files lie), then this file.

pub mod agreed;
pub mod place;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use goalpost_db::{Db, ErrorKind, Result, Scope, Tx, params};
use uuid::Uuid;

use crate::app::App;
use agreed::Agreed;

/// How often a node says that it is there.
const EVERY: Duration = Duration::from_secs(10);
/// A node that was silent for longer is taken to be gone, microseconds.
const SILENT_US: i64 = 30_000_000;
/// The row of a node that was silent for longer is removed, microseconds.
const FORGOTTEN_US: i64 = 60 * 60 * 1_000_000;
/// How long the start waits for others that write. On SQLite an import may hold every writer up for minutes.
const WRITE_WAIT: Duration = Duration::from_secs(1);

/// A process on the database.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its own number, new at each start.
    pub id: Uuid,
    /// Of the program.
    pub version: String,
    /// When it started, microseconds.
    pub started_at: i64,
    /// When it last said that it is there, microseconds.
    pub seen_at: i64,
    /// What it says of what all must have in common.
    pub agreed: Agreed,
}

/// Two nodes that look for the files of exports in two places.
#[derive(Debug, thiserror::Error)]
#[error(
    "this node would keep the files of exports in `{ours}`, but another one on this database keeps them in `{theirs}` \
     (node {}, version {}, seen {seen_secs} s ago): what one makes, the other could not find",
    .other.id,
    .other.version
)]
pub struct Disagreement {
    /// Our place for files.
    ours: String,
    /// Theirs.
    theirs: String,
    /// Who.
    other: Box<Node>,
    /// How long ago they were seen.
    seen_secs: i64,
}

impl Disagreement {
    /// What can be done.
    pub fn hint(&self) -> String {
        format!(
            "let both name the same place; a folder must be one and the same, shared by their machines. A node that \
             died counts for {} s",
            SILENT_US / 1_000_000
        )
    }
}

/// Say that this process is there, and see whether the others agree with it. What differs without harm to exports is
/// logged.
///
/// # Errors
/// [`Disagreement`] if another node keeps files elsewhere; the database's.
pub async fn join(app: &App) -> anyhow::Result<()> {
    let ours = Agreed::of(app).context("cannot mark the place for the files of exports")?;
    let said = tokio::time::timeout(WRITE_WAIT, say(&app.db, app.node, &ours)).await;
    match said {
        Err(_) => tracing::debug!("the database is busy; this node will say later that it is there"),
        Ok(Err(error)) if error.kind() == ErrorKind::Busy => {}
        Ok(said) => said.context("cannot say to the other nodes that this one is there")?,
    }
    // After our own word, so that of two that start at once at least one hears of the other.
    let (others, now) = look(app).await.context("cannot see which other nodes there are")?;
    for other in others.into_iter().filter(|other| other.id != app.node) {
        if !ours.content.is(&other.agreed.content) {
            leave(app).await;
            return Err(anyhow::Error::new(Disagreement {
                ours: ours.content.url,
                theirs: other.agreed.content.url.clone(),
                seen_secs: (now - other.seen_at) / 1_000_000,
                other: Box::new(other),
            }));
        }
        for (setting, ours, theirs) in ours.differences(&other.agreed) {
            tracing::warn!(setting, ours, theirs, node.id = %other.id, "another node has another setting");
        }
    }
    Ok(())
}

/// Say now and again that this process is there, until its stop; then that it is gone.
pub async fn stay(app: App) {
    let Ok(ours) = Agreed::of(&app) else { return };
    loop {
        if let Err(error) = say(&app.db, app.node, &ours).await {
            tracing::debug!(%error, "could not say that this node is there");
        }
        if let Err(error) = look(&app).await {
            tracing::debug!(%error, "could not see which other nodes there are");
        }
        tokio::select! {
            () = app.stop.closing() => break,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    leave(&app).await;
}

/// Whether all nodes were last seen to find files of exports in the database as well.
#[derive(Debug, Default)]
struct AllReadDatabase(AtomicBool);

/// Whether a file of an export may be kept in the database, so that every node that is there finds it. As seen within
/// the last seconds; `false` in a process that has not joined the others.
pub fn all_read_database(app: &App) -> bool {
    app.kept.get::<AllReadDatabase>().0.load(Ordering::Relaxed)
}

/// As [`list`], and remember what [`all_read_database`] tells.
async fn look(app: &App) -> Result<(Vec<Node>, i64)> {
    let (nodes, now) = list(app).await?;
    let all = nodes.iter().all(|node| node.agreed.reads_database);
    app.kept.get::<AllReadDatabase>().0.store(all, Ordering::Relaxed);
    Ok((nodes, now))
}

/// The nodes that are there, and the instant at which they were, microseconds.
pub async fn list(app: &App) -> Result<(Vec<Node>, i64)> {
    app.db.read(Scope::Global, |tx| Ok((find(tx)?, tx.now_us()))).await
}

async fn leave(app: &App) {
    let id = app.node;
    let left = app.db.write(Scope::Global, move |tx| {
        tx.execute(
            "-- nodes::leave
            delete from node where id = ?1",
            params![id.into_bytes()],
        )
    });
    if let Err(error) = left.await {
        tracing::debug!(%error, "could not say that this node is gone; it counts as there for a while");
    }
}

async fn say(db: &Db, id: Uuid, agreed: &Agreed) -> Result<()> {
    let agreed = agreed.to_json();
    db.write(Scope::Global, move |tx| {
        tx.execute(
            "-- nodes::say
            insert into node (id, version, started_at, seen_at, agreed) values (?1, ?2, ?3, ?3, ?4)
            on conflict (id) do update set seen_at = excluded.seen_at",
            params![id.into_bytes(), env!("CARGO_PKG_VERSION"), tx.now_us(), &agreed],
        )?;
        tx.execute(
            "-- nodes::forget
            delete from node where seen_at < ?1",
            params![tx.now_us() - FORGOTTEN_US],
        )?;
        Ok(())
    })
    .await
}

fn find(tx: &Tx<'_>) -> Result<Vec<Node>> {
    tx.query(
        "-- nodes::find
        select id, version, started_at, seen_at, agreed from node where seen_at >= ?1 order by started_at, id",
        params![tx.now_us() - SILENT_US],
        |row| {
            Ok(Node {
                id: Uuid::from_bytes(row.bytes(0)?),
                version: row.text(1)?.to_owned(),
                started_at: row.int(2)?,
                seen_at: row.int(3)?,
                agreed: Agreed::from_json(row.text(4)?),
            })
        },
    )
}
