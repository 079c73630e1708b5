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

/// A deed.
#[derive(Clone, Debug)]
pub struct Deed<'a> {
    /// Whose.
    pub actor: Option<PersonNumber>,
    /// What.
    pub action: &'a str,
    /// The id of what it was done to.
    pub subject: String,
    /// What else is to be known.
    pub detail: Value,
}

/// What [`record_all`] writes of a deed, for a statement that does more.
pub fn values(tx: &Tx<'_>, organization: OrganizationNumber, deed: &Deed<'_>) -> [goalpost_db::Value; 7] {
    [
        organization.into(),
        tx.serial().into(),
        tx.now_us().into(),
        deed.actor.into(),
        deed.action.into(),
        (&deed.subject).into(),
        deed.detail.to_string().into(),
    ]
}

/// Record several deeds at once.
pub fn record_all(tx: &Tx<'_>, organization: OrganizationNumber, deeds: &[Deed<'_>]) -> Result<()> {
    let rows: Vec<_> = deeds.iter().flat_map(|deed| values(tx, organization, deed)).collect();
    tx.append(TABLE, &COLUMNS, &rows)
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
    let deed = Deed { actor, action, subject: subject.to_owned(), detail: detail.clone() };
    record_all(tx, organization, &[deed])
}
