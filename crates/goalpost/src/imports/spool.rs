//! The ZIP that an import makes for itself: what comes in another form is written into one such as Viva Goals made, and
//! goes the way of that from there.

use std::fs::File;
use std::path::Path;

use goalpost_viva::{Archive, Aside, Element, Error, Heading, Limits, Writer};
use jiff::civil::DateTime;

use super::ImportError;

/// Such a ZIP in the making, in a file of the data folder that is gone when it is closed.
pub(super) struct Spool<'a> {
    writer: Writer<File>,
    /// What is imported, which errors name.
    path: &'a Path,
}

impl<'a> Spool<'a> {
    /// Begin one for the file at `path`.
    pub(super) fn begin(data_folder: &Path, path: &'a Path) -> Result<Self, ImportError> {
        let file = file_in(data_folder, "part")
            .map_err(|source| ImportError::Io { path: data_folder.to_owned(), source })?;
        let exported_at = DateTime::constant(2000, 1, 1, 0, 0, 0, 0);
        let heading = Heading { organization_number: 0, user_number: 0, exported_at };
        let writer = Writer::new(file, heading).map_err(|source| wrong(path, source))?;
        Ok(Self { writer, path })
    }

    /// Write an element behind those before it, in the order of the ZIP's members.
    pub(super) fn write<T: Element>(&mut self, element: &T) -> Result<(), ImportError> {
        self.write_with(element, &[])
    }

    /// The same, with further keys behind its own.
    pub(super) fn write_with<T: Element>(&mut self, element: &T, more: &[Aside]) -> Result<(), ImportError> {
        self.writer.write_with(element, more).map_err(|source| wrong(self.path, source))
    }

    /// The ZIP, whole, to be read.
    pub(super) fn into_archive(self) -> Result<Archive<File>, ImportError> {
        // What was just written unpacks as well as it was packed, and is no larger than what it was made of.
        let limits = Limits {
            packed_bytes: u64::MAX,
            unpacked_bytes: u64::MAX,
            ratio: u64::MAX,
            text_bytes: 8 << 20,
            ..Limits::OPERATOR
        };
        let read = self.writer.finish().and_then(|file| Archive::open(file, limits));
        read.map_err(|source| wrong(self.path, source))
    }
}

fn wrong(path: &Path, source: Error) -> ImportError {
    ImportError::File { path: path.to_owned(), source: Box::new(source) }
}

/// A file in the data folder that is gone when it is closed.
pub(super) fn file_in(data_folder: &Path, name: &str) -> std::io::Result<File> {
    let path = data_folder.join(format!("import.{name}"));
    let file = File::options().create(true).truncate(true).read(true).write(true).open(&path)?;
    // Where an open file cannot be taken away, the next import begins it anew.
    let _ = std::fs::remove_file(&path);
    Ok(file)
}
