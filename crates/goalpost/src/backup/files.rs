//! Files that are hashed as they are written and read, and for nobody else to see.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{BackupError, Result};

/// Bytes read or written at a time.
pub(crate) const PIECE: usize = 256 * 1024;

/// What a file must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes from hexadecimal; `None` if it is none.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |sign: u8| char::from(sign).to_digit(16).map(|value| value as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

/// A new file, for this user alone.
#[derive(Debug)]
pub(crate) struct Hashed {
    out: BufWriter<Hashing>,
    path: PathBuf,
}

/// Where pieces go that are hashed; nowhere, if only their hash is wanted.
#[derive(Debug)]
struct Hashing {
    file: Option<File>,
    sha256: Sha256,
    bytes: u64,
}

impl Hashed {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(BackupError::io("make", path))?;
        Ok(Self::to(Some(file), path))
    }

    /// No file: only what it would be.
    pub(crate) fn nowhere() -> Self {
        Self::to(None, Path::new("nowhere"))
    }

    fn to(file: Option<File>, path: &Path) -> Self {
        let hashing = Hashing { file, sha256: Sha256::new(), bytes: 0 };
        Self { out: BufWriter::with_capacity(PIECE, hashing), path: path.to_owned() }
    }

    /// Bring it to the disk; its name too is there once its folder is [synced](sync_folder).
    pub(crate) fn finish(self) -> Result<Sum> {
        let Self { out, path } = self;
        let written = out.into_inner().map_err(io::IntoInnerError::into_error).and_then(|hashing| {
            hashing.file.as_ref().map_or(Ok(()), File::sync_all)?;
            Ok(Sum { bytes: hashing.bytes, sha256: hex(&hashing.sha256.finalize()) })
        });
        written.map_err(BackupError::io("write", &path))
    }

    /// Append, and name the file where that fails.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(BackupError::io("write", &self.path))
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.as_mut().map_or(Ok(bytes.len()), |file| file.write(bytes))?;
        self.sha256.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hand a file to `f` piece by piece; what the file is. `None` if there is none.
pub(crate) fn read(path: &Path, mut f: impl FnMut(&[u8]) -> Result<()>) -> Result<Option<Sum>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(BackupError::io("open", path))?,
    };
    let mut piece = vec![0; PIECE];
    let sum = sum_of(|sum| {
        loop {
            match file.read(&mut piece).map_err(BackupError::io("read", path))? {
                0 => return Ok(()),
                read => {
                    sum(&piece[..read])?;
                    f(&piece[..read])?;
                }
            }
        }
    });
    sum.map(Some)
}

/// What a file must be that consists of the pieces that `give` hands out.
pub(crate) fn sum_of(give: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>) -> Result<Sum> {
    let (mut sha256, mut bytes) = (Sha256::new(), 0);
    give(&mut |piece| {
        sha256.update(piece);
        bytes += piece.len() as u64;
        Ok(())
    })?;
    Ok(Sum { bytes, sha256: hex(&sha256.finalize()) })
}

/// Copy a file; what it is.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<Sum> {
    let mut out = Hashed::create(to)?;
    match read(from, |piece| out.append(piece))? {
        Some(_) => out.finish(),
        None => Err(BackupError::io("open", from)(io::ErrorKind::NotFound.into())),
    }
}

/// Make a folder and those above it, for this user alone; fine if it is there.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(BackupError::io("make", path))
}

/// The names in a folder; none if it is not there.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(BackupError::io("read", folder))?,
    };
    let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    entries.map(name).collect::<io::Result<_>>().map_err(BackupError::io("read", folder))
}

/// Bring the names in a folder to the disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(BackupError::io("sync", folder))
}

/// Whether this is the name of a file in a folder, and leads nowhere else.
pub(crate) fn is_plain(name: &str) -> bool {
    let allowed = |sign: char| sign.is_ascii_alphanumeric() || "-_.".contains(sign);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_hexadecimal_and_nothing_else_is_taken_for_it() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&all)), Some(all));
        for wrong in ["0", "0g", "é", "+1"] {
            assert_eq!(unhex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_plain_name_leads_nowhere_else() {
        assert!(is_plain("tenant-id") && is_plain("0198.1.ab.csv"));
        for name in ["", "..", ".", ".hidden", "a/b", "a\\b", "a\0"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
