//! Who did what to which rows: appended to in the transaction of the deed, never changed.
//!
//! Entries hold ids and counts, never titles, texts or tokens.

use goalpost_db::{Result, Tx};
use serde_json::Value;

use crate::ids::{OrganizationNumber, PersonNumber};

/// The table, and the columns of an entry.
pub const TABLE: &str = "audit";
/// See [`values`].
pub const COLUMNS: [&str; 7] = ["organization", "id", "at", "actor", "action", "subject", "detail"];

/// What [`record`] writes, for a statement that does more.
pub fn values(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    action: &str,
    subject: &str,
    detail: &Value,
) -> [goalpost_db::Value; 7] {
    [
        organization.into(),
        tx.serial().into(),
        tx.now_us().into(),
        actor.into(),
        action.into(),
        subject.into(),
        detail.to_string().into(),
    ]
}

/// Record a deed. `subject` is the id of what it was done to.
pub fn record(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    action: &str,
    subject: &str,
    detail: &Value,
) -> Result<()> {
    tx.execute(
        "-- audit::record
        insert into audit (organization, id, at, actor, action, subject, detail)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &values(tx, organization, actor, action, subject, detail),
    )?;
    Ok(())
}

/// A deed, as [`record`] takes it.
#[derive(Clone, Debug)]
pub struct Deed {
    /// Whose.
    pub actor: Option<PersonNumber>,
    /// What.
    pub action: &'static str,
    /// The id of what it was done to.
    pub subject: String,
    /// What else is to be known.
    pub detail: Value,
}

/// Record several deeds at once.
pub fn record_all(tx: &Tx<'_>, organization: OrganizationNumber, deeds: &[Deed]) -> Result<()> {
    let rows: Vec<_> = deeds
        .iter()
        .flat_map(|deed| values(tx, organization, deed.actor, deed.action, &deed.subject, &deed.detail))
        .collect();
    tx.insert_all(TABLE, &COLUMNS, &rows)
}
