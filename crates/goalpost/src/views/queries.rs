//! Rows of `view`.

use goalpost_db::{Error, Result, Row, Tx, params};
use uuid::Uuid;

use super::{NewView, Preset, Selection, View, ViewError};
use crate::goals::filter::Filter;
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::mint_numbers;

const COLUMNS: &str =
    "id, guid, name, owner, is_public, preset, filter, top_level, flat, sort, revision, created_at";

fn from_row(row: &Row<'_>) -> Result<View> {
    let guid = Uuid::from_bytes(row.bytes(1)?);
    let unknown = |what: &str| Error::unexpected(format!("view {guid}: {what}"));
    let preset = row.opt_text(5)?.map(|word| {
        Preset::from_word(word).ok_or_else(|| unknown(&format!("`{word}` is no preset of this version")))
    });
    Ok(View {
        number: row.int(0)?,
        guid,
        name: row.text(2)?.to_owned(),
        owner: row.opt_int(3)?.map(PersonNumber),
        is_public: row.bool(4)?,
        preset: preset.transpose()?,
        selection: Selection {
            filter: Filter::parse(row.text(6)?).map_err(|error| unknown(&error.to_string()))?,
            top_level: row.bool(7)?,
        },
        flat: row.bool(8)?,
        // An order is for the eye only: one that this build does not know must not hide the view.
        sort: row.text(9)?.parse().unwrap_or_default(),
        revision: row.int(10)?,
        created_at_us: row.int(11)?,
    })
}

/// The view with this GUID, whoever may see it. For what concerns the organization itself; a person's request asks
/// [`find_visible`].
pub fn find(tx: &Tx<'_>, organization: OrganizationNumber, guid: Uuid) -> Result<Option<View>> {
    let sql = format!("-- views::find\nselect {COLUMNS} from view where organization = ?1 and guid = ?2");
    tx.query_opt(&sql, params![organization, guid.into_bytes()], from_row)
}

/// The view with this GUID, if this person may see it: it is public, the organization's, or their own.
pub fn find_visible(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    guid: Uuid,
    person: PersonNumber,
) -> Result<Option<View>> {
    let sql = format!(
        "-- views::find_visible
        select {COLUMNS} from view
        where organization = ?1 and guid = ?2 and (is_public or owner is null or owner = ?3)"
    );
    tx.query_opt(&sql, params![organization, guid.into_bytes(), person], from_row)
}

/// Every view of the organization, private ones of all people included: presets first, then in order of creation.
pub fn list(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Vec<View>> {
    let sql = format!("-- views::list\nselect {COLUMNS} from view where organization = ?1 order by id");
    tx.query(&sql, params![organization], from_row)
}

/// Save a view under a new number.
///
/// # Errors
/// [`ViewError::GuidTaken`] if a view of the organization has that GUID.
pub fn insert(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    new: &NewView,
) -> Result<View, ViewError> {
    // Asked, not tried: an error of the database may take the whole transaction along. The organization's row is
    // locked by the new revision, so nobody else takes the GUID in between.
    if find(tx, organization, new.guid)?.is_some() {
        return Err(ViewError::GuidTaken(new.guid));
    }
    let number = mint_numbers(tx, organization, 1)?;
    insert_row(tx, organization, revision, number, None, new)?;
    let missing = || Error::unexpected(format!("view {} is not there after it was saved", new.guid));
    Ok(find(tx, organization, new.guid)?.ok_or_else(missing)?)
}

/// Write the row of a new view; its GUID must be free.
pub(super) fn insert_row(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    number: i64,
    preset: Option<Preset>,
    new: &NewView,
) -> Result<()> {
    let filter = serde_json::to_string(&new.selection.filter)
        .map_err(|error| Error::unexpected(format!("the filter of view {}: {error}", new.guid)))?;
    tx.execute(
        "-- views::insert
        insert into view (organization, id, revision, guid, name, owner, is_public, preset, top_level, flat, filter,
            sort, api_settings, created_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, null, ?13)",
        params![
            organization,
            number,
            revision,
            new.guid.into_bytes(),
            new.name.as_str(),
            new.owner,
            new.is_public,
            preset.map(Preset::as_str),
            new.selection.top_level,
            new.flat,
            filter,
            new.sort.as_str(),
            tx.now_us(),
        ],
    )?;
    Ok(())
}

/// Move a view to the history, as of this revision.
pub fn delete(tx: &Tx<'_>, organization: OrganizationNumber, revision: i64, number: i64) -> Result<()> {
    tx.execute(
        "-- views::retire
        insert into view_history (organization, id, revision, guid, name, owner, is_public, preset, top_level, flat,
            filter, sort, api_settings, created_at, until)
        select organization, id, revision, guid, name, owner, is_public, preset, top_level, flat,
            filter, sort, api_settings, created_at, ?3
        from view where organization = ?1 and id = ?2",
        params![organization, number, revision],
    )?;
    tx.execute(
        "-- views::delete\ndelete from view where organization = ?1 and id = ?2",
        params![organization, number],
    )?;
    Ok(())
}
