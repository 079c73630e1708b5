//! The members of an organization's ZIP: which entity each holds, and what its name says.

use std::fmt;

use jiff::civil::DateTime;

use crate::value::digits;

/// What one member of the ZIP holds, in the order in which the file is written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// People and group rows.
    Users,
    /// Teams and subteams.
    Teams,
    /// Quarters, years and other periods.
    TimePeriods,
    /// Tags of the organization.
    Tags,
    /// Objectives, key results and initiatives, which share one id space.
    Objectives,
    /// Check-ins on goals.
    CheckIns,
    /// Comments on goals.
    Comments,
}

impl Entity {
    /// Every entity, in file order.
    pub const ALL: [Entity; 7] = [
        Entity::Users,
        Entity::Teams,
        Entity::TimePeriods,
        Entity::Tags,
        Entity::Objectives,
        Entity::CheckIns,
        Entity::Comments,
    ];

    /// The word that begins the member's name, in the capital letters that Viva Goals used.
    pub fn word(self) -> &'static str {
        match self {
            Entity::Users => "Users",
            Entity::Teams => "Teams",
            Entity::TimePeriods => "TimePeriods",
            Entity::Tags => "Tags",
            Entity::Objectives => "objectives",
            Entity::CheckIns => "checkins",
            Entity::Comments => "comments",
        }
    }

    /// Whether a file without this member is refused. Older exports have no `Tags`.
    pub fn is_required(self) -> bool {
        self != Entity::Tags
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What the name of a member says:
/// `{Entity}_export_file_{organization}_{user}_Organization_{organization}_{YYYYMMDDHHMMSS}.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemberName {
    pub(crate) entity: Entity,
    pub(crate) organization_number: i64,
    pub(crate) user_number: i64,
    pub(crate) exported_at: DateTime,
}

impl MemberName {
    /// Reads a name. A folder prefix is skipped and case does not matter; anything else that is unlike the
    /// pattern is `None`.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let name = path.rsplit(['/', '\\']).next()?.to_ascii_lowercase();
        let (word, rest) = name.strip_suffix(".json")?.split_once("_export_file_")?;
        let entity = Entity::ALL.into_iter().find(|entity| entity.word().eq_ignore_ascii_case(word))?;
        let mut parts = rest.split('_');
        let organization_number = digits(parts.next()?)?;
        let user_number = digits(parts.next()?)?;
        let kind = parts.next()?;
        let again: i64 = digits(parts.next()?)?;
        let exported_at = stamp(parts.next()?)?;
        (kind == "organization" && again == organization_number && parts.next().is_none()).then_some(Self {
            entity,
            organization_number,
            user_number,
            exported_at,
        })
    }
}

impl fmt::Display for MemberName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entity, organization_number, user_number, exported_at } = self;
        write!(
            f,
            "{entity}_export_file_{organization_number}_{user_number}_Organization_{organization_number}_{}.json",
            exported_at.strftime("%Y%m%d%H%M%S"),
        )
    }
}

/// `YYYYMMDDHHMMSS` as a time.
fn stamp(text: &str) -> Option<DateTime> {
    if text.len() != 14 || !text.is_ascii() {
        return None;
    }
    DateTime::new(
        digits(&text[..4])?,
        digits(&text[4..6])?,
        digits(&text[6..8])?,
        digits(&text[8..10])?,
        digits(&text[10..12])?,
        digits(&text[12..])?,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for entity in Entity::ALL {
            let name = MemberName {
                entity,
                organization_number: 48_001,
                user_number: 515_002,
                exported_at: jiff::civil::datetime(2025, 11, 3, 4, 5, 6, 0),
            };
            assert_eq!(MemberName::parse(&name.to_string()), Some(name));
            assert_eq!(MemberName::parse(&format!("some folder/{name}")), Some(name));
            assert_eq!(MemberName::parse(&name.to_string().to_uppercase()), Some(name));
        }
    }

    #[test]
    fn other_names_are_not_members() {
        for name in [
            "Users.json",
            "Users_export_file_1_2_Organization_1_20251103.json",
            "Users_export_file_1_2_Organization_1_20251303040506.json",
            "Users_export_file_1_2_Organization_9_20251103040506.json",
            "Users_export_file_1_2_Organization_1_20251103040506_3.json",
            "Users_export_file_1_2_Organization_1_2025110304050é.json",
            "Users_export_file_-1_2_Organization_-1_20251103040506.json",
            "Views_export_file_1_2_Organization_1_20251103040506.json",
            "Users_export_file_99999999999999999999_2_Organization_1_20251103040506.json",
        ] {
            assert_eq!(MemberName::parse(name), None, "{name}");
        }
    }
}
