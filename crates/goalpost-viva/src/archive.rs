//! Opening the ZIP and reading its members as streams.

use std::io::{BufReader, Read, Seek, SeekFrom};

use jiff::civil::DateTime;
use zip::CompressionMethod;
use zip::read::{Config, OwnedZipFileEntry, ZipFileEntry};
use zip::unstable::read::ZipIterable;

use crate::array::Elements;
use crate::error::{Error, ValueError, shown};
use crate::member::{Entity, MemberName};
use crate::read::{self, Element};

/// How much a file may ask for. All of it is checked against the directory of the ZIP before anything is
/// unpacked, and again while reading, since a directory may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The file's size in bytes.
    pub packed_bytes: u64,
    /// The size of all entries in bytes, unpacked.
    pub unpacked_bytes: u64,
    /// How many times its packed size an entry, and the whole file, may unpack to.
    pub ratio: u64,
    /// Entries in the ZIP, known or not.
    pub entries: u64,
    /// One text in bytes, as it stands in the file.
    pub text_bytes: usize,
    /// Elements of one member, be it goals, users or teams.
    pub elements: u64,
    /// Elements of the members for check-ins and for comments, of which a goal has many.
    pub check_ins: u64,
}

impl Limits {
    /// For a file that the server's operator names on the command line.
    pub const OPERATOR: Limits = Limits {
        packed_bytes: 2 << 30,
        unpacked_bytes: 16 << 30,
        ratio: 100,
        entries: 100,
        text_bytes: 1 << 20,
        elements: 5_000_000,
        check_ins: 50_000_000,
    };

    /// For a file that somebody uploads.
    pub const UPLOAD: Limits = Limits {
        packed_bytes: 25 << 20,
        unpacked_bytes: 200 << 20,
        elements: 1_000_000,
        check_ins: 2_000_000,
        ..Limits::OPERATOR
    };
}

/// An organization's ZIP, opened and checked as far as its directory goes.
#[derive(Debug)]
pub struct Archive<R> {
    reader: R,
    limits: Limits,
    members: Vec<Member>,
    ignored: Vec<String>,
}

/// Entries up to this size may be packed beyond the ratio: a page of blanks is, and does no harm.
pub(crate) const HARMLESS_BYTES: u64 = 1 << 20;

#[derive(Debug)]
struct Member {
    name: MemberName,
    entry: OwnedZipFileEntry,
    size_bytes: u64,
}

impl<R: Read + Seek> Archive<R> {
    /// Opens a ZIP and finds its members by their names. Reads the directory only; an entry's path is never
    /// used as one.
    ///
    /// # Errors
    /// When this is no ZIP, breaks a limit, has an encrypted entry or one that is not packed with deflate,
    /// lacks a member, has one twice, or is of two organizations.
    pub fn open(mut reader: R, limits: Limits) -> Result<Self, Error> {
        let packed_bytes = reader.seek(SeekFrom::End(0))?;
        at_most("bytes in the file", packed_bytes, limits.packed_bytes)?;
        let mut zip = ZipIterable::try_new(&mut reader, Config::default())?;
        at_most("entries in the ZIP", zip.len() as u64, limits.entries)?;

        let mut members = Vec::new();
        let mut ignored = Vec::new();
        let mut unpacked_bytes: u64 = 0;
        for entry in zip.files()? {
            let entry = entry?;
            let path = String::from_utf8_lossy(entry.name_raw()).into_owned();
            if entry.is_dir() {
                continue;
            }
            check_entry(&entry, &shown(&path), limits.ratio)?;
            unpacked_bytes = unpacked_bytes.saturating_add(entry.size());
            at_most("bytes in all entries, unpacked", unpacked_bytes, limits.unpacked_bytes)?;
            match MemberName::parse(&path) {
                Some(name) => members.push(Member { name, size_bytes: entry.size(), entry: entry.into() }),
                None => ignored.push(shown(&path)),
            }
        }
        // Entries that share their bytes each keep the ratio, but not all of them together.
        if unpacked_bytes > packed_bytes.saturating_mul(limits.ratio).max(HARMLESS_BYTES) {
            return Err(Error::Ratio { entry: "(all entries)".to_owned(), limit: limits.ratio });
        }
        members.sort_by_key(|member| member.name.entity);
        check_members(&members)?;
        Ok(Self { reader, limits, members, ignored })
    }

    /// The number that Viva Goals gave the organization.
    pub fn organization_number(&self) -> i64 {
        self.any_name().organization_number
    }

    /// The number of the user who asked for the export.
    pub fn user_number(&self) -> i64 {
        self.any_name().user_number
    }

    /// When the file was made, by the time stamp in the names of its members; UTC.
    pub fn exported_at(&self) -> DateTime {
        self.any_name().exported_at
    }

    fn any_name(&self) -> &MemberName {
        &self.members[0].name
    }

    /// Names of entries that are no member of an organization's export, shortened and with control characters
    /// escaped.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The size of a member in bytes, unpacked, as the directory declares it; 0 for a member that is not
    /// there.
    pub fn size_bytes(&self, entity: Entity) -> u64 {
        self.member(entity).map_or(0, |at| self.members[at].size_bytes)
    }

    /// Reads the elements of the member for `T`, one at a time and in file order. Can be called again; a
    /// member that is not there has no elements. Memory is one element, at most 4 MiB of JSON.
    ///
    /// # Errors
    /// The first value that cannot be read, any damage of the file, and whatever `visit` returns.
    pub fn each<T: Element, E: From<Error>>(
        &mut self,
        mut visit: impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_at(|element, _| visit(element))
    }

    /// Like [`Archive::each`], and tells with each element how many bytes of the member were read, for whoever
    /// must know how much they hold.
    pub fn each_at<T: Element, E: From<Error>>(
        &mut self,
        mut visit: impl FnMut(T, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        self.walk(|element: Result<T, ValueError>, offset| match element {
            Ok(element) => visit(element, offset),
            Err(wrong) => Err(Error::Value(Box::new(wrong)).into()),
        })
    }

    /// Reads like [`Archive::each_at`], but hands over elements that cannot be read as errors and goes on.
    pub(crate) fn walk<T: Element, E: From<Error>>(
        &mut self,
        mut visit: impl FnMut(Result<T, ValueError>, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(at) = self.member(T::ENTITY) else { return Ok(()) };
        let file = self.members[at].entry.as_ref().with_reader(&mut self.reader, zip::ZipReadOptions::new());
        let input = BufReader::with_capacity(64 << 10, file.map_err(Error::Zip)?);
        let mut elements = Elements::new(T::ENTITY, self.limits, input);
        while let Some((number, json)) = elements.next()? {
            let element = read::element(number, json);
            visit(element, elements.offset())?;
        }
        Ok(())
    }

    fn member(&self, entity: Entity) -> Option<usize> {
        self.members.iter().position(|member| member.name.entity == entity)
    }
}

pub(crate) fn at_most(what: &'static str, found: u64, limit: u64) -> Result<(), Error> {
    if found > limit { Err(Error::TooLarge { what, found, limit }) } else { Ok(()) }
}

pub(crate) fn check_entry(entry: &ZipFileEntry<'_>, shown: &str, ratio: u64) -> Result<(), Error> {
    if entry.encrypted() {
        return Err(Error::Encrypted { entry: shown.to_owned() });
    }
    let method = entry.compression();
    if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
        return Err(Error::Compression { entry: shown.to_owned(), method: method.to_string() });
    }
    let bound = entry.compressed_size().saturating_mul(ratio).max(HARMLESS_BYTES);
    if entry.size() > bound {
        return Err(Error::Ratio { entry: shown.to_owned(), limit: ratio });
    }
    Ok(())
}

/// Takes members sorted by entity.
fn check_members(members: &[Member]) -> Result<(), Error> {
    for pair in members.windows(2) {
        let (first, second) = (pair[0].name, pair[1].name);
        if first.entity == second.entity {
            let (first_name, second_name) = (first.to_string(), second.to_string());
            return Err(Error::TwoMembers { entity: first.entity, first: first_name, second: second_name });
        }
        if first.organization_number != second.organization_number {
            let (first, second) = (first.organization_number, second.organization_number);
            return Err(Error::TwoOrganizations { first, second });
        }
    }
    let is_missing = |entity: &Entity| !members.iter().any(|member| member.name.entity == *entity);
    match Entity::ALL.into_iter().filter(|entity| entity.is_required()).find(is_missing) {
        Some(entity) => Err(Error::MissingMember { entity }),
        None => Ok(()),
    }
}
