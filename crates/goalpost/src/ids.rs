//! Keys, and where new ones come from.
//!
//! Inside, a row is found by two numbers: its organization's and its own. GUIDs are for the doors.

use std::fmt;

use goalpost_db::{Scope, Value};
use uuid::{Timestamp, Uuid};

/// The first number that is minted here; smaller ones belong to the service that the files came from.
pub const FIRST_MINTED: i64 = 1 << 40;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl From<$name> for Value {
            fn from(number: $name) -> Self {
                Self::Int(number.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// An organization, in every key of its rows.
    OrganizationNumber
);
impl From<OrganizationNumber> for Scope {
    fn from(organization: OrganizationNumber) -> Self {
        Self::Organization(organization.0)
    }
}

number!(
    /// A person of one organization.
    PersonNumber
);

/// Mints ids. The only source of randomness for keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ids;

impl Ids {
    /// A random GUID.
    #[expect(clippy::disallowed_methods, reason = "this is where they are minted")]
    pub fn guid(self) -> Uuid {
        Uuid::new_v4()
    }

    /// A GUID that sorts by time and carries it: version 7, with `at_us` cut to milliseconds.
    pub fn timed_guid(self, at_us: i64) -> Uuid {
        let millis = u64::try_from(at_us / 1000).unwrap_or(0);
        let nanos = u32::try_from(millis % 1000).expect("less than a thousand") * 1_000_000;
        Uuid::new_v7(Timestamp::from_unix(uuid::NoContext, millis / 1000, nanos))
    }
}

/// Text as it is searched and sorted: without regard to case, the same on every engine.
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}
