//! Changing a view that was saved.

use goalpost_db::Tx;
use uuid::Uuid;

use super::{Share, Sort, View, ViewError, check_name, queries, sharing};
use crate::goals::filter::Filter;
use crate::goals::rights::{self, Action};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::raise_revision;

/// What of a view becomes another; the rest stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ViewChange {
    /// Its name.
    pub name: Option<String>,
    /// Whether every member sees it although it has an owner.
    pub is_public: Option<bool>,
    /// Who else sees it although it has an owner: all of them.
    pub shares: Option<Vec<Share>>,
    /// Which goals it holds.
    pub filter: Option<Filter>,
    /// Whether goals below another goal are left out.
    pub top_level: Option<bool>,
    /// Whether a page shows them one below the other.
    pub flat: Option<bool>,
    /// In which order a page shows them.
    pub sort: Option<Sort>,
    /// How the files look that the Graph door makes of it; `Some(None)`: as Viva Goals made them.
    pub api_settings: Option<Option<String>>,
}

/// Change a saved view, as one change of the organization's data made by `actor`; what it was stays in the history.
/// Exports that were asked for before go on with what it was.
///
/// # Errors
/// [`ViewError::NotFound`] (also where the actor does not see it), [`ViewError::IsPreset`], [`ViewError::MayNot`],
/// [`ViewError::InvalidName`], and what is wrong with the shares; the transaction must then be given up.
pub fn update(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    guid: Uuid,
    change: &ViewChange,
    actor: Option<PersonNumber>,
) -> Result<View, ViewError> {
    // First of all: whoever changes the organization meanwhile has to wait, so what is read here stays true.
    let revision = raise_revision(tx, organization, actor, "view changed")?;
    let present = changeable(tx, organization, guid, actor)?;
    let mut changed = present.clone();
    let ViewChange { name, is_public, shares, filter, top_level, flat, sort, api_settings } = change.clone();
    changed.name = name.unwrap_or(changed.name);
    changed.is_public = is_public.unwrap_or(changed.is_public);
    changed.shares = shares.unwrap_or(changed.shares);
    changed.selection.filter = filter.unwrap_or(changed.selection.filter);
    changed.selection.top_level = top_level.unwrap_or(changed.selection.top_level);
    changed.flat = flat.unwrap_or(changed.flat);
    changed.sort = sort.unwrap_or(changed.sort);
    changed.api_settings = api_settings.unwrap_or(changed.api_settings);
    check_name(&changed.name)?;
    sharing::check(tx, organization, &changed.shares)?;
    sharing::write(tx, organization, revision, present.number, &present.shares, &changed.shares)?;
    queries::update(tx, organization, revision, &changed)?;
    queries::find(tx, organization, guid)?.ok_or(ViewError::NotFound(guid))
}

/// The view, if the actor may change it: nobody is the operator, who may. A person must see it, and be its owner or an
/// owner of the organization.
pub(super) fn changeable(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    guid: Uuid,
    actor: Option<PersonNumber>,
) -> Result<View, ViewError> {
    let found = match actor {
        None => queries::find(tx, organization, guid)?,
        Some(person) => queries::find_visible(tx, organization, guid, person)?,
    };
    let view = found.ok_or(ViewError::NotFound(guid))?;
    if let Some(preset) = view.preset {
        return Err(ViewError::IsPreset(preset));
    }
    let Some(person) = actor else { return Ok(view) };
    let manages =
        || rights::may(tx, organization, person, Action::ManageOrganization, rights::Subject::Organization);
    if view.owner == Some(person) || manages()?.is_yes() { Ok(view) } else { Err(ViewError::MayNot(guid)) }
}
