/// An enum each of whose variants has one word in the database and in JSON: with `ALL`, `as_str`, `FromStr`, `Display`
/// and `Serialize`. The caller's crate needs `serde`.
#[macro_export]
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

        impl ::std::str::FromStr for $name {
            type Err = ();

            fn from_str(word: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or(())
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

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
