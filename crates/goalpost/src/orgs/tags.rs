//! Tags.

use goalpost_db::{Error, Result, Tx, params};

use super::change::{Change, OrgError, name};
use super::queries::mint_numbers;
use super::tables::TAG;
use crate::ids::{OrganizationNumber, PersonNumber, fold};

/// A tag as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
}

/// Every tag, by name.
pub fn list(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Vec<Tag>> {
    tx.query(
        "-- orgs::list_tags
        select id, name from tag where organization = ?1 order by name_fold, id",
        params![organization],
        |row| Ok::<_, Error>(Tag { number: row.int(0)?, name: row.text(1)?.to_owned() }),
    )
}

/// Make a tag. Its name is unlike any other, without regard to case.
pub fn create(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    name: &str,
) -> Result<Tag, OrgError> {
    let change = Change::begin(tx, organization, actor, "tag create")?;
    change.put_tag("tag.create", mint_numbers(tx, organization, 1)?, name, "local")
}

/// Give a tag another name, on all goals that have it.
pub fn rename(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    number: i64,
    name: &str,
) -> Result<Tag, OrgError> {
    let change = Change::begin(tx, organization, actor, "tag change")?;
    let columns = change.find(&TAG, "tag", number)?;
    let origin = if let goalpost_db::Value::Text(origin) = &columns[2] { origin.as_str() } else { "local" };
    change.put_tag("tag.change", number, name, origin)
}

/// Take away a tag that no goal has.
pub fn delete(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    number: i64,
) -> Result<(), OrgError> {
    let change = Change::begin(tx, organization, actor, "tag delete")?;
    change.find(&TAG, "tag", number)?;
    change.require_unused(
        "tag",
        number,
        "-- orgs::count_goals_of_tag
        select count(distinct goal) from goal_tag where organization = ?1 and tag = ?2",
    )?;
    change.remove(&TAG, number)?;
    Ok(change.audit("tag.delete", number)?)
}

impl Change<'_, '_> {
    fn put_tag(&self, action: &str, number: i64, text: &str, origin: &str) -> Result<Tag, OrgError> {
        let text = name("tag", text)?;
        self.require_free_name(&TAG, "tag", number, &text)?;
        self.put(&TAG, number, &[text.as_str().into(), fold(&text).into(), origin.into()])?;
        self.audit(action, number)?;
        Ok(Tag { number, name: text })
    }
}
