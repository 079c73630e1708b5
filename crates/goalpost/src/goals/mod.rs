//! Goals: objectives, key results and initiatives in one table with one space of ids, and what hangs on them.
//!
//! [`record`] is a goal as its rows hold it, [`edit`] the way to change one field of it, [`progress`] the rules that
//! turn a metric's value into a percentage.

pub mod edit;
pub mod filter;
pub mod progress;
pub mod record;
pub mod rows;
pub mod visibility;

use std::fmt;
use std::str::FromStr;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word for it in the database and in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(word: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or(())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words!(
    /// What a goal is, whatever word its organization has for it.
    ObjectType {
        /// What is to be achieved.
        Objective => "objective",
        /// How it is seen that an objective is achieved.
        KeyResult => "keyResult",
        /// Work that is done for it.
        Initiative => "initiative",
    }
);

words!(
    /// How a metric's value is held against its target.
    TargetType {
        /// From 0 up to the target.
        Reach => "reach",
        /// From the start up to the target.
        IncreaseFrom => "increaseFrom",
        /// From the start down to the target.
        DecreaseFrom => "decreaseFrom",
        /// Fulfilled while the value is above the target.
        StayAbove => "stayAbove",
        /// Fulfilled while the value is below the target.
        StayBelow => "stayBelow",
        /// Values are only collected.
        Baseline => "baseline",
    }
);

words!(
    /// How a row came to be.
    Origin {
        /// A file held it.
        File => "file",
        /// No file held it, only a mention of it: a placeholder.
        Reference => "reference",
        /// It was made here.
        Local => "local",
    }
);
