//! Rows of `view`, and whom each is shown to.

use goalpost_db::{Error, Result, Row, Tx, Value, params};
use jiff::civil::Date;
use uuid::Uuid;

use super::{NewView, Preset, Selection, View, ViewError, sharing};
use crate::goals::filter::{Condition, Filter, Subject};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::mint_numbers;

const SELECT: &str = "select v.id, v.guid, v.name, v.owner, v.is_public, v.preset, v.filter, v.top_level, v.flat, \
                      v.sort, v.revision, v.created_at, v.api_settings from view v";

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
        shares: Vec::new(),
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
        api_settings: row.opt_text(12)?.map(str::to_owned),
    })
}

/// Views, with whom they are shown to.
fn read(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    sql: &str,
    params: goalpost_db::Params<'_>,
) -> Result<Vec<View>> {
    let mut views = tx.query(sql, params, from_row)?;
    let owned: Vec<i64> = views.iter().filter(|view| view.owner.is_some()).map(|view| view.number).collect();
    for (number, share) in sharing::read(tx, organization, &owned)? {
        if let Some(view) = views.iter_mut().find(|view| view.number == number) {
            view.shares.push(share);
        }
    }
    Ok(views)
}

/// The view with this GUID, whoever may see it. For what concerns the organization itself; a person's request asks
/// [`find_visible`].
pub fn find(tx: &Tx<'_>, organization: OrganizationNumber, guid: Uuid) -> Result<Option<View>> {
    let sql = format!("-- views::find\n{SELECT} where v.organization = ?1 and v.guid = ?2");
    Ok(read(tx, organization, &sql, params![organization, guid.into_bytes()])?.pop())
}

/// The view with this GUID, if this person may see it: it is public, the organization's, their own, or shared with them
/// or a team of theirs.
pub fn find_visible(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    guid: Uuid,
    person: PersonNumber,
) -> Result<Option<View>> {
    let Condition { sql: visible, params: mut more } = visible(organization, person, 3);
    let sql =
        format!("-- views::find_visible\n{SELECT} where v.organization = ?1 and v.guid = ?2 and {visible}");
    let mut params = params![organization, guid.into_bytes()].to_vec();
    params.append(&mut more);
    Ok(read(tx, organization, &sql, &params)?.pop())
}

/// Of the views with these GUIDs, those that this person may see: as [`find_visible`], in few statements.
pub fn find_all_visible(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    guids: &[Uuid],
    person: PersonNumber,
) -> Result<Vec<View>> {
    let mut found = Vec::with_capacity(guids.len());
    // So few texts, and so few plans, serve all numbers of views. Joined and not by `in`: for that, SQLite would rather
    // read all views of the organization than use the index.
    let at_once = if guids.len() == 1 { 1 } else { 16 };
    let Condition { sql: visible, params: visible_to } = visible(organization, person, 2);
    let first = 2 + visible_to.len();
    let wanted: Vec<_> = (first..first + at_once).map(|place| format!("(?{place})")).collect();
    let sql = format!(
        "-- views::find_all_visible
        {SELECT} join (values {}) wanted on v.organization = ?1 and v.guid = wanted.column1 where {visible}",
        wanted.join(", ")
    );
    for guids in guids.chunks(at_once) {
        let mut params = params![organization].to_vec();
        params.extend(visible_to.iter().cloned());
        params.extend(guids.iter().map(|guid| Value::from(guid.into_bytes())));
        params.resize(first - 1 + at_once, Value::Null);
        found.append(&mut read(tx, organization, &sql, &params)?);
    }
    Ok(found)
}

fn visible(organization: OrganizationNumber, person: PersonNumber, first: usize) -> Condition {
    let subject = Subject { organization, person: Some(person), today: Date::default() };
    sharing::visible_to(&subject, first)
}

/// Every view of the organization, private ones of all people included: presets first, then in order of creation.
pub fn list(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Vec<View>> {
    let sql = format!("-- views::list\n{SELECT} where v.organization = ?1 order by v.id");
    read(tx, organization, &sql, params![organization])
}

/// The views that a person may see, in the same order.
pub fn list_visible(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    person: PersonNumber,
) -> Result<Vec<View>> {
    let Condition { sql: visible, params: mut more } = visible(organization, person, 2);
    let sql =
        format!("-- views::list_visible\n{SELECT} where v.organization = ?1 and {visible} order by v.id");
    let mut params = params![organization].to_vec();
    params.append(&mut more);
    read(tx, organization, &sql, &params)
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
    sharing::write(tx, organization, revision, number, &[], &new.shares)?;
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
    let filter = filter_text(new.guid, &new.selection.filter)?;
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
            new.sort.to_string(),
            tx.now_us(),
        ],
    )?;
    Ok(())
}

fn filter_text(view: Uuid, filter: &Filter) -> Result<String> {
    serde_json::to_string(filter)
        .map_err(|error| Error::unexpected(format!("the filter of view {view}: {error}")))
}

/// Write a view over what its row holds, which moves to the history as of this revision.
pub(super) fn update(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    view: &View,
) -> Result<()> {
    retire(tx, organization, revision, view.number)?;
    tx.execute(
        "-- views::update
        update view set revision = ?3, name = ?4, is_public = ?5, top_level = ?6, flat = ?7, filter = ?8, sort = ?9,
            api_settings = ?10
        where organization = ?1 and id = ?2",
        params![
            organization,
            view.number,
            revision,
            view.name.as_str(),
            view.is_public,
            view.selection.top_level,
            view.flat,
            filter_text(view.guid, &view.selection.filter)?,
            view.sort.to_string(),
            view.api_settings.as_deref(),
        ],
    )?;
    Ok(())
}

/// Move a view to the history, as of this revision.
pub fn delete(tx: &Tx<'_>, organization: OrganizationNumber, revision: i64, number: i64) -> Result<()> {
    retire(tx, organization, revision, number)?;
    tx.execute(
        "-- views::delete\ndelete from view where organization = ?1 and id = ?2",
        params![organization, number],
    )?;
    Ok(())
}

fn retire(tx: &Tx<'_>, organization: OrganizationNumber, revision: i64, number: i64) -> Result<()> {
    tx.execute(
        "-- views::retire
        insert into view_history (organization, id, revision, guid, name, owner, is_public, preset, top_level, flat,
            filter, sort, api_settings, created_at, until)
        select organization, id, revision, guid, name, owner, is_public, preset, top_level, flat,
            filter, sort, api_settings, created_at, ?3
        from view where organization = ?1 and id = ?2",
        params![organization, number, revision],
    )?;
    Ok(())
}
