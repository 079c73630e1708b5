//! Who did what to which rows: appended to in the transaction of the deed, never changed.
//!
//! Entries hold ids and counts, never titles, texts or tokens.

use goalpost_db::{Result, Tx, params};
use serde_json::Value;

use crate::ids::{OrganizationNumber, PersonNumber};

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
        params![organization, tx.serial(), tx.now_us(), actor, action, subject, detail.to_string()],
    )?;
    Ok(())
}
