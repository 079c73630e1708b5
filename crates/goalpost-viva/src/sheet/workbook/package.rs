//! The ZIP of a workbook and the parts in it. Only the directory is held; a part is a stream.

use std::io::{BufReader, Read, Seek, SeekFrom};

use zip::read::{Config, OwnedZipFileEntry};
use zip::unstable::read::ZipIterable;

use super::super::error::SheetError;
use super::super::explorer::SheetLimits;
use super::xml::Xml;
use crate::archive::{HARMLESS_BYTES, at_most, check_entry};
use crate::error::{Error, shown};

/// The parts of a workbook, by name.
#[derive(Debug)]
pub(super) struct Package<R> {
    reader: R,
    limits: SheetLimits,
    entries: Vec<(String, OwnedZipFileEntry)>,
    /// How many bytes the file has.
    pub(super) packed_bytes: u64,
}

/// What a part refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    pub(super) id: String,
    /// The last word of its type: `worksheet`, `styles`.
    pub(super) kind: String,
    /// The part.
    pub(super) target: String,
}

impl<R: Read + Seek> Package<R> {
    /// Opens the ZIP and checks its directory, and that nothing in it leads out of it.
    pub(super) fn open(mut reader: R, limits: SheetLimits) -> Result<Self, SheetError> {
        let packed_bytes = reader.seek(SeekFrom::End(0))?;
        at_most("bytes in the file", packed_bytes, limits.bytes)?;
        let mut zip = ZipIterable::try_new(&mut reader, Config::default()).map_err(Error::Zip)?;
        at_most("entries in the ZIP", zip.len() as u64, limits.entries)?;
        let mut entries: Vec<(String, OwnedZipFileEntry)> = Vec::new();
        let mut unpacked_bytes: u64 = 0;
        for entry in zip.files().map_err(Error::Zip)? {
            let entry = entry.map_err(Error::Zip)?;
            if entry.is_dir() {
                continue;
            }
            let name = String::from_utf8_lossy(entry.name_raw()).replace('\\', "/");
            check_entry(&entry, &shown(&name), limits.ratio)?;
            unpacked_bytes = unpacked_bytes.saturating_add(entry.size());
            at_most("bytes in all entries, unpacked", unpacked_bytes, limits.unpacked_bytes)?;
            // Which of two is meant, readers of workbooks do not agree upon.
            if entries.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
                return Err(damaged(&name, "stands twice in the ZIP"));
            }
            entries.push((name, entry.into()));
        }
        if unpacked_bytes > packed_bytes.saturating_mul(limits.ratio).max(HARMLESS_BYTES) {
            let entry = "(all entries)".to_owned();
            return Err(Error::Ratio { entry, limit: limits.ratio }.into());
        }
        let mut package = Self { reader, limits, entries, packed_bytes };
        package.refuse_external()?;
        Ok(package)
    }

    /// The part as a stream of XML; the name may begin with a `/`.
    pub(super) fn part(&mut self, name: &str) -> Result<Xml<impl Read + '_>, SheetError> {
        let name = name.trim_start_matches('/');
        let Some((_, entry)) = self.entries.iter().find(|(entry, _)| entry.eq_ignore_ascii_case(name)) else {
            return Err(SheetError::NoPart { part: shown(name) });
        };
        let options = zip::ZipReadOptions::new();
        let file = entry.as_ref().with_reader(&mut self.reader, options).map_err(Error::Zip)?;
        Ok(Xml::new(name, BufReader::with_capacity(64 << 10, file), self.limits.cell_bytes))
    }

    /// What a part refers to; nothing if it has no relationships.
    pub(super) fn relations(&mut self, part: &str) -> Result<Vec<Relation>, SheetError> {
        let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
        let relations = format!("{folder}/_rels/{name}.rels");
        let relations = relations.trim_start_matches('/').to_owned();
        if !self.entries.iter().any(|(entry, _)| entry.eq_ignore_ascii_case(&relations)) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        self.each_relation(&relations, &mut |id, kind, target, _| {
            found.push(Relation { id, kind, target: resolve(folder, &target) });
            // A workbook has some; those of a sheet are not asked for.
            if found.len() > 10_000 { Err(damaged(&relations, "has too many relationships")) } else { Ok(()) }
        })?;
        Ok(found)
    }

    fn each_relation(
        &mut self,
        part: &str,
        visit: &mut dyn FnMut(String, String, String, bool) -> Result<(), SheetError>,
    ) -> Result<(), SheetError> {
        let mut xml = self.part(part)?;
        while let Some(tag) = xml.next_start()? {
            if tag.name != "Relationship" {
                continue;
            }
            let kind = tag.get("Type").unwrap_or_default();
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            let is_external = tag.get("TargetMode").is_some_and(|mode| mode.eq_ignore_ascii_case("external"));
            let text = |name| tag.get(name).unwrap_or_default().to_owned();
            visit(text("Id"), kind, text("Target"), is_external)?;
        }
        Ok(())
    }

    /// A link in a cell is text and followed by nobody; anything else that leads out of the file is refused.
    fn refuse_external(&mut self) -> Result<(), SheetError> {
        let is_relations = |name: &&String| name.to_ascii_lowercase().ends_with(".rels");
        let parts: Vec<String> =
            self.entries.iter().map(|(name, _)| name).filter(is_relations).cloned().collect();
        for part in parts {
            self.each_relation(&part, &mut |_, kind, target, is_external| {
                let is_refused = is_external && kind != "hyperlink";
                if is_refused { Err(SheetError::External { target: shown(&target) }) } else { Ok(()) }
            })?;
        }
        Ok(())
    }
}

pub(super) fn damaged(part: &str, what: &str) -> SheetError {
    SheetError::Part { part: shown(part), what: what.to_owned() }
}

/// The name of a part that is named from a folder.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_from_a_folder_or_from_the_top() {
        for (target, name) in [
            ("worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("/xl/styles.xml", "xl/styles.xml"),
            ("../a/./b.xml", "a/b.xml"),
            ("..\\..\\..\\b.xml", "b.xml"),
        ] {
            assert_eq!(resolve("xl", target), name);
        }
    }
}
