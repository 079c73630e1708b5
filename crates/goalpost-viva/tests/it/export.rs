//! ZIP files made for tests.

use std::io::{Cursor, Write};

use goalpost_viva::{Archive, Entity, Error, Limits};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The name of a member in an organization's export.
pub(crate) fn name(entity: Entity) -> String {
    format!("{entity}_export_file_48117_515000_Organization_48117_20251103040506.json")
}

/// A ZIP of entries by name.
pub(crate) fn zip_of<'a>(entries: impl IntoIterator<Item = (String, &'a [u8])>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(name, SimpleFileOptions::default()).expect("the name is new");
        zip.write_all(bytes).expect("memory takes all");
    }
    zip.finish().expect("memory takes all").into_inner()
}

/// An organization's ZIP with these members, and empty ones for the others.
pub(crate) fn export_of(members: &[(Entity, &str)]) -> Vec<u8> {
    zip_of(Entity::ALL.into_iter().map(|entity| {
        let given = members.iter().find(|(given, _)| *given == entity);
        (name(entity), given.map_or("[]", |(_, json)| json).as_bytes())
    }))
}

/// Opens within the limits for uploads.
pub(crate) fn open(bytes: &[u8]) -> Result<Archive<Cursor<&[u8]>>, Error> {
    Archive::open(Cursor::new(bytes), Limits::UPLOAD)
}
