//! A caller as a person of an organization.

use std::sync::PoisonError;

use goalpost_db::{Error, Result, Row, Scope, Tx};
use uuid::Uuid;

use super::{Caller, Identity, queries};
use crate::ids::{OrganizationNumber, PersonNumber};

/// What a caller is in one organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The organization.
    pub organization: OrganizationNumber,
    /// Its GUID, by which the doors know it.
    pub organization_guid: Uuid,
    /// The person.
    pub person: PersonNumber,
    /// Whether the person can sign in at all; one who left sees nothing any more.
    pub active: bool,
    /// Whether the organization's policy lets this person export.
    pub may_export: bool,
}

impl Member {
    /// From a row of [`queries::MEMBER_COLUMNS`].
    pub(super) fn from_row(row: &Row<'_>) -> Result<Self> {
        let is = |column: usize, word: &str| Ok::<_, Error>(row.text(column)?.eq_ignore_ascii_case(word));
        let active = is(6, "active")?;
        // Owners were called admins before 2024; observers may look, groups are not people.
        let owner = is(3, "organization owner")? || is(3, "organization admin")?;
        let eligible = active && !is(4, "group")? && !is(5, "observer")?;
        let admitted = match row.text(7)? {
            "members" => true,
            "people" => owner || row.bool(8)?,
            _ => owner,
        };
        Ok(Self {
            organization: OrganizationNumber(row.int(0)?),
            organization_guid: Uuid::from_bytes(row.bytes(1)?),
            person: PersonNumber(row.int(2)?),
            active,
            may_export: eligible && admitted,
        })
    }
}

impl Identity {
    /// What the caller is in the organization with this GUID; `None` if it does not exist or they are not in it.
    ///
    /// A caller whom nobody has joined to a person yet is joined here, once, if the issuer is trusted to vouch for
    /// e-mails and exactly one unjoined person has theirs.
    pub async fn member(&self, caller: &Caller, organization: Uuid) -> Result<Option<Member>> {
        Ok(self.member_and(caller, organization, |_, _| Ok(())).await?.map(|(member, ())| member))
    }

    /// The same, with what `read` finds for them in the organization, in the same transaction.
    pub async fn member_and<T>(
        &self,
        caller: &Caller,
        organization: Uuid,
        read: impl Fn(&Tx<'_>, &Member) -> Result<T>,
    ) -> Result<Option<(Member, T)>> {
        let Some(organization) = self.organization(organization).await? else { return Ok(None) };
        let found = self.0.db.read(organization, |tx| {
            let Some(member) = queries::find_member(tx, &caller.subject, organization)? else {
                return Ok(None);
            };
            Ok::<_, Error>(Some((member, read(tx, &member)?)))
        });
        if let Some(found) = found.await? {
            return Ok(Some(found));
        }
        let Some(email) = caller.linkable_email().map(str::to_owned) else { return Ok(None) };
        let subject = caller.subject.clone();
        let (joined, member) = self
            .0
            .db
            .write(organization, move |tx| {
                let joined = queries::link_by_email(tx, &subject, organization, &email)?;
                Ok::<_, Error>((joined, queries::find_member(tx, &subject, organization)?))
            })
            .await?;
        if joined {
            tracing::info!(
                issuer = caller.subject.issuer,
                "joined a sign-in identity to a person by verified e-mail"
            );
        }
        let Some(member) = member else { return Ok(None) };
        let read = self.0.db.read(organization, |tx| read(tx, &member)).await?;
        Ok(Some((member, read)))
    }

    /// What the caller is in each of their organizations.
    pub async fn memberships(&self, caller: &Caller) -> Result<Vec<Member>> {
        let organizations =
            self.0.db.read(Scope::Global, |tx| queries::list_organizations(tx, &caller.subject)).await?;
        let mut members = Vec::with_capacity(organizations.len());
        for organization in organizations {
            let member =
                self.0.db.read(organization, |tx| queries::find_member(tx, &caller.subject, organization));
            members.extend(member.await?);
        }
        Ok(members)
    }

    /// The number of the organization with this GUID. It never changes, so it is asked for once.
    pub(crate) async fn organization(&self, guid: Uuid) -> Result<Option<OrganizationNumber>> {
        let known = || self.0.organizations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = known().get(&guid) {
            return Ok(Some(*number));
        }
        let number = self.0.db.read(Scope::Global, |tx| queries::find_organization(tx, guid)).await?;
        if let Some(number) = number {
            known().insert(guid, number);
        }
        Ok(number)
    }
}
