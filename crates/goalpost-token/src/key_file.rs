//! Small secret files that exist exactly once, however many processes start at the same moment.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// Why a file of the own issuer could not be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file system says no.
    #[error("cannot {action} `{}`", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The file is readable or writable by more than its owner.
    #[error(
        "`{0}` can be reached by others (mode {mode:04o}): run `chmod 600 {0}`, \
         and replace it if others may have read it",
        .path.display()
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The folder is writable by more than its owner, so others could exchange the file.
    #[error("folder `{0}` can be changed by others (mode {mode:04o}): run `chmod 700 {0}`", .path.display())]
    FolderOpenToOthers {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Something else than a file has its name.
    #[error("`{}` is not a regular file: move it away", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
}

/// Longest file that is read; a P-256 key has 138 bytes.
const MAX_BYTES: u64 = 4096;

/// Make the folder for its owner alone (0700), or accept one that others cannot write to.
pub(crate) fn prepare_folder(folder: &Path) -> Result<(), KeyFileError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(failed("create", folder))?;
    let mode = fs::metadata(folder).map_err(failed("look at", folder))?.mode() & 0o7777;
    if mode & 0o022 != 0 {
        return Err(KeyFileError::FolderOpenToOthers { path: folder.to_owned(), mode });
    }
    Ok(())
}

/// The content of `folder/name`; if there is no such file yet, it is written with what `make` returns.
///
/// Of several processes that find no file, one wins and all return the winner's content: each writes a whole
/// file under a name of its own, and linking that to the final name fails if the name is taken. Nobody ever
/// sees half a file.
pub(crate) fn read_or_create(
    folder: &Path,
    name: &str,
    make: impl FnOnce() -> io::Result<Vec<u8>>,
) -> Result<Vec<u8>, KeyFileError> {
    let path = folder.join(name);
    if let Some(content) = read(&path)? {
        return Ok(content);
    }
    let guid = random_guid().map_err(failed("name a file in", folder))?;
    let draft = folder.join(format!("{name}.{guid}.new"));
    make().and_then(|content| write_durably(&draft, &content)).map_err(failed("write", &draft))?;
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft).map_err(failed("remove", &draft))?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("create", &path)(error));
        }
        _ => {}
    }
    // The loser syncs too: it may issue tokens before the winner has come this far.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))?;
    read(&path)?.ok_or_else(|| failed("read", &path)(io::ErrorKind::NotFound.into()))
}

/// A GUID that nobody can guess. Not a product id, so it needs no order and no test double.
pub(crate) fn random_guid() -> io::Result<Uuid> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gave no randomness"))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// The content, if the file exists and only its owner can reach it.
fn read(path: &Path) -> Result<Option<Vec<u8>>, KeyFileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", path)(error)),
    };
    let metadata = file.metadata().map_err(failed("look at", path))?;
    if !metadata.is_file() {
        return Err(KeyFileError::NotAFile { path: path.to_owned() });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::OpenToOthers { path: path.to_owned(), mode });
    }
    let mut content = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut content).map_err(failed("read", path))?;
    Ok(Some(content))
}

fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyFileError {
    let path = path.to_owned();
    move |source| KeyFileError::Io { action, path, source }
}
