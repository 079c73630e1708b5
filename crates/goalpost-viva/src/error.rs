//! What can be wrong with a file, said so that its owner can act on it.

use std::fmt;
use std::io;

use crate::member::Entity;

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or the output failed.
    #[error("the file could not be read or written")]
    Io(#[from] io::Error),
    /// No ZIP, or one that is damaged or cut off.
    #[error("this is not a complete ZIP file; export or copy it again")]
    Zip(#[from] zip::result::ZipError),
    /// A size or count that its limit forbids, as the directory of the ZIP declares it.
    #[error("{what}: {found}, the limit is {limit}")]
    TooLarge {
        /// What was counted, with its unit.
        what: &'static str,
        /// The count.
        found: u64,
        /// The largest that is taken.
        limit: u64,
    },
    /// An entry that unpacks to far more than it holds.
    #[error("the entry `{entry}` unpacks to more than {limit} times its size, which no export does")]
    Ratio {
        /// The entry's name, shortened.
        entry: String,
        /// How many times the packed size may be exceeded.
        limit: u64,
    },
    /// An entry under a password.
    #[error("the entry `{entry}` is encrypted; unpack the file and pack it again without a password")]
    Encrypted {
        /// The entry's name, shortened.
        entry: String,
    },
    /// An entry packed by a method other than deflate.
    #[error(
        "the entry `{entry}` is packed with {method}; pack the file again with deflate, the usual method"
    )]
    Compression {
        /// The entry's name, shortened.
        entry: String,
        /// The method, as the ZIP library names it.
        method: String,
    },
    /// A member that every export has is not there.
    #[error(
        "the file has no member `{entity}_export_file_….json`; it must be the ZIP of a whole organization, not a part"
    )]
    MissingMember {
        /// What is missing.
        entity: Entity,
    },
    /// Two members hold the same entity.
    #[error("the file has two members for {entity}: `{first}` and `{second}`; take out the older one")]
    TwoMembers {
        /// The entity.
        entity: Entity,
        /// The first name.
        first: String,
        /// The second name.
        second: String,
    },
    /// Members of two organizations in one file.
    #[error(
        "the members are of two organizations, {first} and {second}; import each organization's file by itself"
    )]
    TwoOrganizations {
        /// The number in the first member's name.
        first: i64,
        /// The other number.
        second: i64,
    },
    /// A member could not be unpacked: damaged, or larger than declared.
    #[error("{entity} could not be unpacked; the ZIP is damaged")]
    Unpack {
        /// The member.
        entity: Entity,
        /// What unpacking met.
        #[source]
        source: io::Error,
    },
    /// A member is not a JSON array of objects.
    #[error("{entity}: expected {expected} at byte {offset}")]
    Malformed {
        /// The member.
        entity: Entity,
        /// Bytes before it in the unpacked member.
        offset: u64,
        /// What must stand there.
        expected: &'static str,
    },
    /// A member ends inside an element.
    #[error("{entity} ends in the middle of element {element}; the export is not complete")]
    Truncated {
        /// The member.
        entity: Entity,
        /// The element, from 1.
        element: u64,
    },
    /// An element has bytes that are no UTF-8.
    #[error("{entity} element {element} is not UTF-8; the export must not be converted")]
    NotUtf8 {
        /// The member.
        entity: Entity,
        /// The element, from 1.
        element: u64,
    },
    /// More elements than are taken.
    #[error("{entity} has more than {limit} elements, which is the limit")]
    TooManyElements {
        /// The member.
        entity: Entity,
        /// The largest count that is taken.
        limit: u64,
    },
    /// A text is longer than is taken.
    #[error("{entity} element {element} has a text longer than {limit} bytes, which is the limit")]
    TextTooLong {
        /// The member.
        entity: Entity,
        /// The element, from 1.
        element: u64,
        /// The longest that is taken, in bytes as they stand in the file.
        limit: usize,
    },
    /// An element is larger than is taken.
    #[error("{entity} element {element} is larger than {limit} bytes, which is the limit")]
    ElementTooLarge {
        /// The member.
        entity: Entity,
        /// The element, from 1.
        element: u64,
        /// The largest that is taken, in bytes.
        limit: usize,
    },
    /// Arrays and objects lie too deep in each other.
    #[error("{entity} element {element} nests more than {limit} arrays and objects, which is the limit")]
    TooDeep {
        /// The member.
        entity: Entity,
        /// The element, from 1.
        element: u64,
        /// The deepest that is taken.
        limit: u32,
    },
    /// A value that cannot be read.
    #[error(transparent)]
    Value(Box<ValueError>),
    /// Two elements have one id.
    #[error("{entity} element {element} has the ID {id}, which an earlier element has too")]
    DuplicateId {
        /// The member.
        entity: Entity,
        /// The later element, from 1.
        element: u64,
        /// The id of both.
        id: i64,
    },
    /// Goals are each other's parents in a circle.
    #[error("these goals are each other's parents in a circle: {}; take one out of `Parent IDs`", Circle(.ids, *.length))]
    ParentCycle {
        /// Their ids, each followed by its parent and the last by the first; not more than 20.
        ids: Vec<i64>,
        /// How many goals the circle has.
        length: usize,
    },
    /// Ids have nothing of a sequence, so that they cannot be held in bounded memory.
    #[error("the IDs of {entity}, or in references to them, are spread too widely to come from Viva Goals")]
    IdsTooWide {
        /// Whose ids.
        entity: Entity,
    },
    /// Goals name more parents than are taken.
    #[error("`Parent IDs` name more than {limit} parents in all, which is the limit")]
    TooManyParents {
        /// The largest count that is taken.
        limit: usize,
    },
    /// So much refers to what the file does not hold that the file is not the whole organization.
    #[error(
        "more than {limit} bytes of references lead to nothing in the file; it is not a whole organization's export"
    )]
    TooManyUnresolved {
        /// What is remembered of unresolved references, in bytes.
        limit: usize,
    },
    /// Elements were written in another order than that of [`Entity::ALL`].
    #[error("{entity} cannot be written after {after}: the members of the file have one order")]
    WrittenOutOfOrder {
        /// What was to be written.
        entity: Entity,
        /// What was written before.
        after: Entity,
    },
    /// An element could not be printed as JSON.
    #[error("{entity} could not be printed")]
    Print {
        /// The member.
        entity: Entity,
        /// What printing met.
        #[source]
        source: serde_json::Error,
    },
}

/// A value that cannot be read, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    /// The member.
    pub entity: Entity,
    /// The element, from 1.
    pub element: u64,
    /// The element's id, if that could be read.
    pub id: Option<i64>,
    /// The keys that lead to the value, such as `Children[3].Task Date`; empty for the element itself.
    pub path: String,
    /// The value, shortened, and what was expected.
    pub what: String,
}

impl std::error::Error for ValueError {}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} element {}", self.entity, self.element)?;
        if let Some(id) = self.id {
            write!(f, " (ID {id})")?;
        }
        if !self.path.is_empty() {
            write!(f, ", `{}`", self.path)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// The first ids of a circle, and how many goals it has.
struct Circle<'a>(&'a [i64], usize);

impl fmt::Display for Circle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(ids, length) = *self;
        for (index, id) in ids.iter().enumerate() {
            write!(f, "{}{id}", if index == 0 { "" } else { ", " })?;
        }
        match length.saturating_sub(ids.len()) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// A name or key from the file, fit to be shown: short, and without control characters.
pub(crate) fn shown(text: &str) -> String {
    const CHARS: usize = 120;
    text.chars().flat_map(char::escape_debug).take(CHARS).collect()
}
