//! From an instant to the state of then.

use goalpost_db::{Error, Result, Tx, params};
use serde::{Deserialize, Serialize};

use super::AsOf;
use crate::goals::filter::Subject;
use crate::ids::{OrganizationNumber, PersonNumber};

/// A state of an organization, and the instant as of which it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    /// The state.
    pub revision: i64,
    /// The instant, in microseconds since 1970; its day is the day that filters count from.
    pub at_us: i64,
}

impl Moment {
    /// The state, for the statements of a read.
    pub fn as_of(self) -> AsOf {
        AsOf::Revision(self.revision)
    }

    /// Somebody who looks on the day of this moment.
    pub fn subject(self, organization: OrganizationNumber, person: Option<PersonNumber>) -> Subject {
        Subject::on_day(organization, person, self.at_us)
    }
}

/// Why there is no state of an instant or a revision.
#[derive(Debug, thiserror::Error)]
pub enum MomentError {
    /// It lies before the first goal; the instant of that, in microseconds since 1970, if there is one.
    #[error("nothing is known of that time: it lies before the first goal")]
    TooEarly {
        /// From when on something is known.
        earliest_us: Option<i64>,
    },
    /// It is still to come.
    #[error("that time is still to come")]
    Future,
    /// The database refused.
    #[error(transparent)]
    Database(#[from] Error),
}

/// The present state.
pub fn now(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Moment> {
    Ok(Moment { revision: newest(tx, organization)?, at_us: tx.now_us() })
}

/// The state that was in force at an instant, in microseconds since 1970: that of the last change begun by then. One that
/// was under way at the instant counts as soon as it is committed, so who needs the same answer for ever keeps the
/// revision, not the instant.
///
/// # Errors
/// [`MomentError::TooEarly`] before the first goal, [`MomentError::Future`] after now.
pub fn revision_at(tx: &Tx<'_>, organization: OrganizationNumber, at_us: i64) -> Result<Moment, MomentError> {
    if at_us > tx.now_us() {
        return Err(MomentError::Future);
    }
    let revision = tx.query_opt(
        "-- history::revision_at
        select revision from revision where organization = ?1 and made_at <= ?2
         order by made_at desc, revision desc limit 1",
        params![organization, at_us],
        |row| row.int(0),
    )?;
    known(tx, organization, Moment { revision: revision.unwrap_or(0), at_us })
}

/// The state after a revision, as of the instant when that was made.
///
/// # Errors
/// As [`revision_at`].
pub fn at_revision(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
) -> Result<Moment, MomentError> {
    if revision > newest(tx, organization)? {
        return Err(MomentError::Future);
    }
    let at_us = made_at(tx, organization, revision)?.unwrap_or(0);
    known(tx, organization, Moment { revision, at_us })
}

fn newest(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<i64> {
    tx.query_one(
        "-- history::newest\nselect revision from organization where number = ?1",
        params![organization],
        |row| row.int(0),
    )
}

fn made_at(tx: &Tx<'_>, organization: OrganizationNumber, revision: i64) -> Result<Option<i64>> {
    tx.query_opt(
        "-- history::made_at\nselect made_at from revision where organization = ?1 and revision = ?2",
        params![organization, revision],
        |row| row.int(0),
    )
}

/// The moment, unless it lies before the first goal. Where goals are there, the first one met says so.
fn known(tx: &Tx<'_>, organization: OrganizationNumber, moment: Moment) -> Result<Moment, MomentError> {
    let any =
        moment.as_of().text(tx, "-- history::any_goal\nselect 1 from goal where organization = ?1 limit 1");
    if tx.query_opt(&any, params![organization], |_| Ok::<_, Error>(()))?.is_some() {
        return Ok(moment);
    }
    let first = tx.query_one(
        "-- history::first_goal
        select min(revision) from (select min(revision) as revision from goal where organization = ?1
                                   union all
                                   select min(revision) from goal_history where organization = ?1) firsts",
        params![organization],
        |row| row.opt_int(0),
    )?;
    match first {
        Some(first) if first <= moment.revision => Ok(moment),
        Some(first) => Err(MomentError::TooEarly { earliest_us: made_at(tx, organization, first)? }),
        None => Err(MomentError::TooEarly { earliest_us: None }),
    }
}
