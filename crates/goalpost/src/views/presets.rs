//! The seven views that every organization has from its first day, as the Explorer of Viva Goals had them.

use goalpost_db::Tx;
use uuid::Uuid;

use super::{NewView, Selection, Sort, queries};
use crate::goals::filter::{Aligned, Day, Due, Filter, OneOf, Owner};
use crate::orgs::Organization;
use crate::orgs::queries::{self as orgs, mint_numbers};

/// A check-in is recent for so many days, today included.
const RECENT_DAYS: u16 = 7;

/// A view that every organization has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Every goal, as a flat list.
    AllObjectives,
    /// Owned by the person who looks.
    MyObjectives,
    /// Past their due date and not closed.
    Overdue,
    /// No check-in in the last seven days, or none ever.
    NotUpdated,
    /// At risk or behind.
    AtRisk,
    /// Closed, with a check-in in the last seven days. Viva Goals files hold no moment of closing; closing makes a
    /// check-in.
    RecentlyCompleted,
    /// Aligned to no other goal.
    Unaligned,
}

impl Preset {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 7] = [
        Self::AllObjectives,
        Self::MyObjectives,
        Self::Overdue,
        Self::NotUpdated,
        Self::AtRisk,
        Self::RecentlyCompleted,
        Self::Unaligned,
    ];

    /// The word for it in the database, which its GUIDs come from too: it never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllObjectives => "allObjectives",
            Self::MyObjectives => "myObjectives",
            Self::Overdue => "overdue",
            Self::NotUpdated => "notUpdated",
            Self::AtRisk => "atRisk",
            Self::RecentlyCompleted => "recentlyCompleted",
            Self::Unaligned => "unaligned",
        }
    }

    /// The preset of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == word)
    }

    /// Its name in lists and file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::AllObjectives => "All objectives",
            Self::MyObjectives => "All my objectives",
            Self::Overdue => "Overdue OKRs",
            Self::NotUpdated => "Not updated in the last seven days",
            Self::AtRisk => "At risk or behind",
            Self::RecentlyCompleted => "Recently completed OKRs",
            Self::Unaligned => "Unaligned OKRs",
        }
    }

    /// Its GUID in the organization with this GUID: the same on every server and after every import (RFC 9562 §5.5).
    pub fn guid(self, organization: Uuid) -> Uuid {
        Uuid::new_v5(&organization, self.as_str().as_bytes())
    }

    /// The goals that it holds.
    pub fn filter(self) -> Filter {
        let status =
            |words: &[&str]| Filter::Status(OneOf::In(words.iter().map(|word| (*word).to_owned()).collect()));
        let recent = Filter::CheckIn(Day::LessThanDays(RECENT_DAYS));
        match self {
            Self::AllObjectives => Filter::everything(),
            Self::MyObjectives => Filter::Owner(Owner::Me),
            Self::Overdue => Filter::Due(Due::Overdue),
            Self::NotUpdated => Filter::Not(Box::new(recent)),
            Self::AtRisk => status(&["At Risk", "Behind"]),
            Self::RecentlyCompleted => Filter::And(vec![status(&["Closed"]), recent]),
            Self::Unaligned => Filter::Aligned(Aligned::Any(false)),
        }
    }
}

/// Give a new organization its presets, as part of the change that has this revision.
///
/// # Errors
/// Of kind `Unique` if the organization has them already.
pub fn insert(tx: &Tx<'_>, organization: &Organization, revision: i64) -> Result<(), goalpost_db::Error> {
    let first = mint_numbers(tx, organization.number, Preset::ALL.len() as i64)?;
    for (number, preset) in (first..).zip(Preset::ALL) {
        let view = NewView {
            guid: preset.guid(organization.guid),
            name: preset.name().to_owned(),
            owner: None,
            is_public: true,
            shares: Vec::new(),
            selection: Selection { filter: preset.filter(), top_level: false },
            flat: true,
            sort: Sort::default(),
        };
        queries::insert_row(tx, organization.number, revision, number, Some(preset), &view)?;
    }
    Ok(())
}

/// Make an organization with its presets, for `cause`. Its number is the one that its files carry, if that is given and
/// free. The transaction is about it from here on.
///
/// # Errors
/// Of kind `Unique` if the GUID is taken.
pub fn found(
    tx: &Tx<'_>,
    guid: Uuid,
    name: &str,
    file_number: Option<i64>,
    cause: &str,
) -> Result<Organization, goalpost_db::Error> {
    let organization = orgs::insert(tx, guid, name, file_number)?;
    tx.enter(organization.number.0);
    let revision = orgs::raise_revision(tx, organization.number, None, cause)?;
    orgs::change_directory(tx, organization.number, revision)?;
    insert(tx, &organization, revision)?;
    Ok(Organization { revision, ..organization })
}
