//! Organizations and what they hold besides goals: people, teams, time periods and tags.
//!
//! What changes one of these is one change of the organization: it raises the revision first, notes it as the one that
//! last changed them, since they have no history, and leaves an entry in the audit log. After an error the transaction
//! must not be committed.

mod change;
pub mod members;
pub mod people;
pub mod periods;
pub mod queries;
pub mod settings;
pub(crate) mod tables;
pub mod tags;
pub mod teams;
pub mod terms;

pub use change::OrgError;

use std::fmt;
use std::str::FromStr;

use goalpost_okr::words;
use serde::Serialize;
use uuid::Uuid;

use crate::ids::OrganizationNumber;

/// An organization: a company's own house, which sees nothing of any other.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its number, in every key of its rows.
    pub number: OrganizationNumber,
    /// The id that Graph clients name.
    pub guid: Uuid,
    /// Its name, as people call it.
    pub name: String,
    /// The number in the names of its Viva Goals files, if one was imported.
    pub file_number: Option<i64>,
    /// Who may export.
    pub export_policy: ExportPolicy,
    /// Who may make goals.
    pub goal_policy: GoalPolicy,
    /// The month, from 1, with which planning years begin; without, time periods are not made by themselves.
    pub planning_year_start: Option<i64>,
    /// Raised by every transaction that changes the organization's data.
    pub revision: i64,
}

/// Which members may export. Observers, groups and inactive people never may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ExportPolicy {
    /// Organization owners; the default.
    Owners,
    /// Every active member.
    Members,
    /// Organization owners, and the people named one by one.
    People,
}

impl ExportPolicy {
    /// The word for it in the database and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owners => "owners",
            Self::Members => "members",
            Self::People => "people",
        }
    }
}

impl FromStr for ExportPolicy {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        [Self::Owners, Self::Members, Self::People]
            .into_iter()
            .find(|policy| policy.as_str() == word)
            .ok_or(())
    }
}

impl fmt::Display for ExportPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

words!(
    /// Who may make goals of the whole organization, and besides their owners of teams.
    GoalPolicy {
        /// Organization owners; team owners for their teams.
        Owners => "owners",
        /// Team owners too; the default.
        TeamOwners => "teamOwners",
        /// Every member; of a team, its members.
        Members => "members",
    }
);

impl GoalPolicy {
    /// The policy of a word in the database. One that this build does not know must not open more doors than the
    /// narrowest.
    pub(crate) fn of(word: Option<&str>) -> Self {
        word.map_or(Self::TeamOwners, |word| word.parse().unwrap_or(Self::Owners))
    }
}
