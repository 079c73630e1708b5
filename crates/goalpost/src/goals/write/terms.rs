//! The organization's words for its goals.

use std::ops::ControlFlow;

use goalpost_db::{Error, Tx, params};
use serde_json::json;

use super::Change;
use crate::goals::record::{Column, GoalRecord};
use crate::goals::{ObjectType, Origin};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::terms::{NoTerm, Terms};

/// Goals that are written at a time.
const BATCH: usize = 250;

/// Why the words stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum TermsError {
    /// Viva Goals did not offer it.
    #[error(transparent)]
    NoTerm(#[from] NoTerm),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] Error),
}

/// Give the organization other words. Goals that were made here and bear the old word get the new one; labels that a
/// file brought stand. Tells how many goals got another label.
pub fn set(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    terms: &Terms,
) -> Result<u64, TermsError> {
    let terms = terms.checked()?;
    let change = Change::begin(tx, organization, actor, "organization terms")?;
    let before = Terms::read(tx, organization)?;
    terms.write(tx, organization)?;
    let mut relabelled = 0;
    for &object_type in ObjectType::ALL {
        let (old, new) = (object_type.label(&before), object_type.label(&terms));
        if old != new {
            relabelled += change.relabel(object_type, &old, &new)?;
        }
    }
    let subject = organization.to_string();
    crate::audit::record(
        tx,
        organization,
        actor,
        "organization.terms",
        &subject,
        &json!({ "goals": relabelled }),
    )?;
    Ok(relabelled)
}

impl Change<'_, '_> {
    fn relabel(&self, object_type: ObjectType, old: &str, new: &str) -> Result<u64, Error> {
        let mut goals = Vec::new();
        self.tx.each(
            "-- goals::local_goals_labelled
            select id from goal
             where organization = ?1 and origin = ?2 and object_type = ?3 and type_label = ?4 order by id",
            params![self.organization, Origin::Local.as_str(), object_type.as_str(), old],
            |row| {
                goals.push(row.int(0)?);
                Ok::<_, Error>(ControlFlow::Continue(()))
            },
        )?;
        for batch in goals.chunks(BATCH) {
            for (_, present) in GoalRecord::read_with(self.tx, self.organization, batch, &[])? {
                let mut changed = present.clone();
                changed.set(Column::TypeLabel, new);
                self.save(&present, &mut changed)?;
            }
        }
        Ok(goals.len() as u64)
    }
}
