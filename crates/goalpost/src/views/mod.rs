//! Explorer views: a name and a GUID for a choice of goals, which is what an export names.
//!
//! Every organization has the seven [`presets`]. Any other view is saved by someone: with an owner it is that person's
//! own, unless it is public or [`sharing`] shows it to others; without one it belongs to the organization, and every
//! member sees it.
//!
//! A view holds every goal that its [`Selection`] chooses and that its reader may see, and an export writes exactly
//! those, by number. `flat` and [`Sort`] say how a page shows them; they choose nothing.
//!
//! A new view may take the GUID that a customer's pipeline already names, so that the pipeline needs no change.

pub mod change;
pub mod presets;
pub mod queries;
pub mod sharing;

use goalpost_db::Tx;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::change::{ViewChange, update};
pub use self::presets::Preset;
pub use self::sharing::Share;
use crate::goals::filter::{Condition, Filter, Subject, compile};
use crate::goals::history::{self, Delta, DeltaQuery, Moment};
pub use crate::goals::order::Order as Sort;
use crate::goals::visibility::{IS_HELD, IS_TOP_LEVEL};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::raise_revision;

/// Characters that a view's name may have.
pub const MAX_NAME: usize = 200;

/// A saved view.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Its number within the organization.
    pub number: i64,
    /// The id that Graph clients name.
    pub guid: Uuid,
    /// Its name, as people call it; also part of an export's file name.
    pub name: String,
    /// Whose it is; `None`: the organization's.
    pub owner: Option<PersonNumber>,
    /// Whether every member sees it although it has an owner.
    pub is_public: bool,
    /// Who else sees it although it has an owner.
    pub shares: Vec<Share>,
    /// Which preset it is, if it is one.
    pub preset: Option<Preset>,
    /// Which goals it holds.
    pub selection: Selection,
    /// Whether a page shows them one below the other, not as a tree.
    pub flat: bool,
    /// In which order a page shows them.
    pub sort: Sort,
    /// How the files look that the Graph door makes of it, as JSON that the views only keep; `None`: as Viva Goals made
    /// them.
    pub api_settings: Option<String>,
    /// The organization's revision that wrote it.
    pub revision: i64,
    /// When it was saved, in microseconds since 1970.
    pub created_at_us: i64,
}

/// A view to be saved.
#[derive(Clone, Debug, PartialEq)]
pub struct NewView {
    /// A free GUID: a new one, or the one that clients already name.
    pub guid: Uuid,
    /// Its name: not blank, at most [`MAX_NAME`] characters, none of them a control character.
    pub name: String,
    /// Whose it is; `None`: the organization's, seen by every member.
    pub owner: Option<PersonNumber>,
    /// Whether every member sees it although it has an owner.
    pub is_public: bool,
    /// Who else sees it although it has an owner.
    pub shares: Vec<Share>,
    /// Which goals it holds.
    pub selection: Selection,
    /// Whether a page shows them one below the other, not as a tree.
    pub flat: bool,
    /// In which order a page shows them.
    pub sort: Sort,
}

/// What of a view decides the rows of an export. An export freezes it, so later edits of the view change nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// The condition on each goal.
    pub filter: Filter,
    /// Whether goals below another goal are left out, see [`IS_TOP_LEVEL`].
    pub top_level: bool,
}

impl Selection {
    /// Whether nothing is left out: every goal of the organization is chosen.
    pub fn is_everything(&self) -> bool {
        self.filter == Filter::everything() && !self.top_level
    }

    /// The chosen goals as a condition on `goal g`, whoever may see them. Parameters are numbered from `first` on; the
    /// statement around it must restrict `g.organization` to the subject's.
    pub fn condition(&self, subject: &Subject, first: usize) -> Condition {
        let Condition { sql, params } = compile(&self.filter, subject, first);
        let top_level = if self.top_level { format!(" and {IS_TOP_LEVEL}") } else { String::new() };
        Condition { sql: format!("({IS_HELD}{top_level} and {sql})"), params }
    }

    /// What became of the chosen goals since `from`, as far as they are the subject's to see.
    pub fn delta(&self, tx: &Tx<'_>, subject: &Subject, from: Moment) -> Result<Delta, goalpost_db::Error> {
        let chosen = |subject: &Subject, first: usize| self.condition(subject, first);
        history::delta(tx, &DeltaQuery { subject, filter: &self.filter, chosen: &chosen, from })
    }
}

/// Why a view was not saved, changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// Another view of the organization has this GUID.
    #[error("the organization already has a view {0}; delete that one first, or choose another id")]
    GuidTaken(Uuid),
    /// The name cannot be one.
    #[error("a view's name has 1 to {MAX_NAME} characters, and no control characters such as line breaks")]
    InvalidName,
    /// The organization has no such view.
    #[error("the organization has no view {0}; list its views to see their ids")]
    NotFound(Uuid),
    /// Presets are part of every organization.
    #[error("`{}` is a preset, which every organization has; only saved views can be changed or deleted", .0.name())]
    IsPreset(Preset),
    /// Somebody else made it.
    #[error("the view {0} can be changed by its owner and by owners of the organization only")]
    MayNot(Uuid),
    /// It is to be shown to somebody whom the organization does not have.
    #[error("the organization has no {0}; a view is shared with its people and teams")]
    NoSuchShare(Share),
    /// It is to be shown to more than can be named.
    #[error("a view is shared with at most {} people and teams; make it public instead", sharing::MAX_SHARES)]
    TooManyShares,
    /// The database refused.
    #[error(transparent)]
    Database(#[from] goalpost_db::Error),
}

/// Save a view, as one change of the organization's data made by `actor`.
///
/// # Errors
/// [`ViewError::GuidTaken`], [`ViewError::InvalidName`], and what is wrong with the shares; the transaction must then be
/// given up.
pub fn create(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    new: &NewView,
    actor: Option<PersonNumber>,
) -> Result<View, ViewError> {
    check_name(&new.name)?;
    sharing::check(tx, organization, &new.shares)?;
    let revision = raise_revision(tx, organization, actor, "view created")?;
    queries::insert(tx, organization, revision, new)
}

fn check_name(name: &str) -> Result<(), ViewError> {
    let length = name.chars().count();
    if name.trim().is_empty() || length > MAX_NAME || name.contains(char::is_control) {
        return Err(ViewError::InvalidName);
    }
    Ok(())
}

/// Delete a saved view, as one change of the organization's data made by `actor`; its last state stays in the history.
/// Exports that were asked for before go on.
///
/// # Errors
/// [`ViewError::NotFound`] (also where the actor does not see it), [`ViewError::IsPreset`] and [`ViewError::MayNot`]; the
/// transaction must then be given up.
pub fn delete(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    guid: Uuid,
    actor: Option<PersonNumber>,
) -> Result<View, ViewError> {
    let revision = raise_revision(tx, organization, actor, "view deleted")?;
    let view = change::changeable(tx, organization, guid, actor)?;
    sharing::write(tx, organization, revision, view.number, &view.shares, &[])?;
    queries::delete(tx, organization, revision, view.number)?;
    Ok(view)
}
