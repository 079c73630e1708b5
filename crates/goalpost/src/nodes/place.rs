//! Where the files of exports lie, so that two nodes can tell whether it is the same place.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::App;
use crate::config::content::Location;
use crate::ids::Ids;

/// The file in a folder that tells it from all others: the same path may be another folder on another machine, and
/// another path the same one.
const MARK: &str = ".place";

/// A place for files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Its URL, or the folder's path on the machine that says so; empty if it is not known.
    pub url: String,
    /// A folder's mark.
    pub mark: Option<Uuid>,
}

impl Place {
    /// The place of this process, marked if it is a folder.
    pub(super) fn of(app: &App) -> io::Result<Self> {
        match app.config.content.location(&app.config.data).map_err(io::Error::other)? {
            Location::Folder(folder) => {
                let path = fs::canonicalize(&folder)?;
                Ok(Self { url: path.display().to_string(), mark: Some(mark(&folder, app.ids)?) })
            }
            Location::Bucket(bucket) => Ok(Self { url: bucket.url(), mark: None }),
        }
    }

    /// Whether both are one place, as far as can be told.
    pub fn is(&self, other: &Self) -> bool {
        match (self.mark, other.mark) {
            (Some(ours), Some(theirs)) => ours == theirs,
            // An object store, or two of them; or one that says nothing.
            _ => self.url.is_empty() || other.url.is_empty() || self.url == other.url,
        }
    }
}

/// The mark of a folder, made by whoever comes first: a whole file under a name of its own, then given the final name,
/// which fails if that is taken. So nobody ever reads half a mark.
fn mark(folder: &Path, ids: Ids) -> io::Result<Uuid> {
    let path = folder.join(MARK);
    if let Some(mark) = read(&path)? {
        return Ok(mark);
    }
    let guid = ids.guid();
    let draft = folder.join(format!("{MARK}.{guid}.new"));
    let mut file = File::create_new(&draft)?;
    file.write_all(format!("{guid}\n").as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => File::open(folder)?.sync_all()?,
    }
    read(&path)?.ok_or_else(|| io::Error::from(ErrorKind::NotFound))
}

fn read(path: &Path) -> io::Result<Option<Uuid>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let mark = text.trim_end().parse();
    mark.map(Some).map_err(|_| {
        io::Error::new(
            ErrorKind::InvalidData,
            format!("`{}` does not hold a GUID: remove it while no node runs", path.display()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_told_by_its_mark_and_an_object_store_by_its_url() {
        let folder = |url: &str, mark| Place { url: url.to_owned(), mark: Some(Uuid::from_u128(mark)) };
        let bucket = |url: &str| Place { url: url.to_owned(), mark: None };
        assert!(folder("/a", 1).is(&folder("/b", 1)));
        assert!(!folder("/a", 1).is(&folder("/a", 2)));
        assert!(bucket("s3://a/b").is(&bucket("s3://a/b")));
        assert!(!bucket("s3://a/b").is(&bucket("s3://a/c")));
        assert!(!bucket("s3://a/b").is(&folder("/a", 1)));
        assert!(folder("/a", 1).is(&Place::default()));
    }

    #[test]
    fn all_who_come_at_once_find_the_same_mark() {
        let folder = tempfile::tempdir().unwrap();
        let marks = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..16).map(|_| scope.spawn(|| mark(folder.path(), Ids).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(marks.iter().all(|mark| *mark == marks[0]), "{marks:?}");
        let left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [MARK]);
    }
}
