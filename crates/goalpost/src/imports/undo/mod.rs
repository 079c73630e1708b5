//! Taking an import back: what it changed becomes what it was, in one transaction and under one new revision, so that the
//! history has both.
//!
//! Goals, check-ins and comments are compared as they were before the import, after it, and now; people, teams, time
//! periods and tags likewise by what the import kept. What is not now what the import made of it stands in the way, and so
//! does what has come to hang on something that would go: then nothing is taken back, and all of it is told.
//!
//! Read in this order: `goals`, `directory`, `hanging`.

mod directory;
mod goals;
mod hanging;

use std::fmt::Write as _;
use std::time::Duration;

use goalpost_db::{Db, Error, ErrorKind, Lock, Tx, params};
use roaring::RoaringTreemap;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::kept::FILE_NUMBER;
use super::report::Listed;
use super::{ImportError, queries};
use crate::audit;
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::{change_directory, raise_revision};

/// How long it waits for the write lock, as an import does.
const WRITE_WAIT: Duration = Duration::from_mins(1);
/// Obstacles that an error names; the list has more.
const NAMED: usize = 10;

/// An import that was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Undone {
    /// Which one.
    pub import: Uuid,
    /// The revision that it had made.
    pub revision: i64,
    /// The one that took it back.
    pub undone_revision: i64,
    /// Things that are again what they were.
    pub restored: u64,
    /// Things that it had brought, and that are gone.
    pub removed: u64,
}

/// Something that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// What it is: goal, check-in, comment, person, team, period, tag, or what an element had that has no place.
    pub what: &'static str,
    /// Its number.
    pub id: i64,
    /// Why it stands in the way.
    pub why: &'static str,
}

/// Why an import was not taken back. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// There is no such import, or none that could be taken back.
    #[error("there is no import that could be taken back")]
    NoSuch,
    /// It was a dry run, failed, brought nothing new, or has not come to its end.
    #[error("the import has changed nothing that could be taken back")]
    NothingChanged,
    /// It was taken back before.
    #[error("the import was taken back already")]
    AlreadyUndone,
    /// Who asks is somebody whom the import brought.
    #[error("you came with this import, and would go with it")]
    OwnPerson,
    /// What was changed since.
    #[error("{} {} in the way:{}", .0.total, if .0.total == 1 { "thing stands" } else { "things stand" }, lines(.0))]
    InTheWay(Listed<Obstacle>),
    /// The database refused.
    #[error("the database refused: {0}")]
    Database(#[from] Error),
}

impl UndoError {
    /// What to change so that it goes through.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoSuch => {
                "`goalpost import list` shows the imports; one that an earlier version made cannot be taken back"
            }
            Self::OwnPerson => "let another owner do it, or the operator",
            Self::InTheWay(_) => {
                "make these what the import made of them, or take them away, and try again; later imports are taken back first"
            }
            Self::Database(error) if error.kind() == ErrorKind::Busy => {
                "another long write is running; nothing was taken back, try again"
            }
            Self::NothingChanged | Self::AlreadyUndone | Self::Database(_) => return None,
        })
    }
}

impl From<ImportError> for UndoError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Database(error) => Self::Database(error),
            other => Self::Database(Error::unexpected(other.to_string())),
        }
    }
}

fn lines(obstacles: &Listed<Obstacle>) -> String {
    let mut text = String::new();
    for Obstacle { what, id, why } in obstacles.first.iter().take(NAMED) {
        // Writing to a text never fails.
        let _ = write!(text, "\n  {what} {id} {why}");
    }
    match obstacles.total.saturating_sub(obstacles.first.len().min(NAMED) as u64) {
        0 => {}
        more => {
            let _ = write!(text, "\n  … and {more} more");
        }
    }
    text
}

/// Take back the import of this id, or the last one that changed something and was not taken back. Blocks; for a thread
/// that may.
///
/// # Errors
/// [`UndoError`]; nothing was changed then.
pub fn undo(
    db: &Db,
    organization: OrganizationNumber,
    import: Option<Uuid>,
    actor: Option<PersonNumber>,
) -> Result<Undone, UndoError> {
    let undone = db.write_alone(organization, WRITE_WAIT, |tx| undo_in(tx, organization, import, actor))?;
    // It stands whether or not the journal can be folded back now.
    let _ = db.settle();
    Ok(undone)
}

fn undo_in(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    import: Option<Uuid>,
    actor: Option<PersonNumber>,
) -> Result<Undone, UndoError> {
    tx.lock(organization.0, Lock::Data)?;
    // First of all, so that whoever else writes waits, and what is read stays true.
    let revision = raise_revision(tx, organization, actor, "undo")?;
    let (id, made) = find(tx, organization, import)?;
    // Before what the import kept is read: who deletes the import, and with it what was kept, waits from here on.
    let held = tx.execute(
        "-- imports::undone
        update import set undone_revision = ?3, undone_at = ?4, undone_by = ?5 where organization = ?1 and id = ?2",
        params![organization, id.into_bytes(), revision, tx.now_us(), actor],
    )?;
    if held == 0 {
        return Err(UndoError::NoSuch);
    }
    let mut undo = Undo {
        tx,
        organization,
        made,
        revision,
        obstacles: Listed::default(),
        removed: Removed::default(),
        restored: 0,
    };
    undo.restore_goals()?;
    undo.restore_directory()?;
    if actor.is_some_and(|actor| undo.removed.people.contains(actor.0.cast_unsigned())) {
        return Err(UndoError::OwnPerson);
    }
    undo.find_hanging()?;
    if undo.obstacles.total > 0 {
        return Err(UndoError::InTheWay(undo.obstacles));
    }
    let undone = Undone {
        import: id,
        revision: made,
        undone_revision: revision,
        restored: undo.restored,
        removed: undo.removed.count(),
    };
    queries::forget_kept(tx, organization, made)?;
    let detail = json!({ "revision": made, "restored": undone.restored, "removed": undone.removed });
    audit::record(tx, organization, actor, "import.undo", &id.to_string(), &detail)?;
    Ok(undone)
}

/// The import, and the revision that it made.
fn find(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    import: Option<Uuid>,
) -> Result<(Uuid, i64), UndoError> {
    let mut params = vec![organization.into()];
    let condition = match import {
        Some(id) => {
            params.push(id.into_bytes().into());
            "id = ?2"
        }
        None => "revision is not null and undone_revision is null",
    };
    let sql = format!(
        "-- imports::find_to_undo
        select id, revision, undone_revision from import where organization = ?1 and {condition}
         order by revision desc limit 1"
    );
    let found = tx.query_opt(&sql, &params, |row| {
        Ok::<_, Error>((Uuid::from_bytes(row.bytes(0)?), row.opt_int(1)?, row.opt_int(2)?))
    })?;
    match found {
        None => Err(UndoError::NoSuch),
        Some((_, _, Some(_))) => Err(UndoError::AlreadyUndone),
        Some((_, None, None)) => Err(UndoError::NothingChanged),
        Some((id, Some(revision), None)) => Ok((id, revision)),
    }
}

/// What goes.
#[derive(Debug, Default)]
struct Removed {
    goals: RoaringTreemap,
    check_ins: u64,
    people: RoaringTreemap,
    teams: RoaringTreemap,
    periods: RoaringTreemap,
    tags: RoaringTreemap,
}

impl Removed {
    fn count(&self) -> u64 {
        let sets = [&self.goals, &self.people, &self.teams, &self.periods, &self.tags];
        sets.iter().map(|set| set.len()).sum::<u64>() + self.check_ins
    }
}

/// One import that is taken back, in its transaction.
struct Undo<'a> {
    tx: &'a Tx<'a>,
    organization: OrganizationNumber,
    /// The revision of the import.
    made: i64,
    /// That of taking it back.
    revision: i64,
    obstacles: Listed<Obstacle>,
    removed: Removed,
    restored: u64,
}

const CHANGED: &str = "was changed since";

impl Undo<'_> {
    fn is_in_the_way(&mut self, what: &'static str, id: i64, why: &'static str) {
        self.obstacles.add(|| Obstacle { what, id, why });
    }

    /// Take the number of the file's organization away again.
    fn restore_file_number(&self, became: &serde_json::Value) -> Result<(), UndoError> {
        debug_assert!(became.is_i64(), "{FILE_NUMBER} is a number");
        self.tx.execute(
            "-- imports::restore_file_number
            update organization set file_number = null where number = ?1 and file_number = ?2",
            params![self.organization, became.as_i64()],
        )?;
        Ok(())
    }

    fn directory_changed(&self) -> Result<(), UndoError> {
        Ok(change_directory(self.tx, self.organization, self.revision)?)
    }
}
