use std::io;
use std::path::{Path, PathBuf};

use goalpost_db::Version;

/// What the work on a backup answers.
pub type Result<T, E = BackupError> = std::result::Result<T, E>;

/// Why there is no backup, or none that could be restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder cannot be used.
    #[error("cannot {action} `{}`", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The folder for a new backup holds something.
    #[error("`{}` is not empty", .0.display())]
    FolderNotEmpty(PathBuf),
    /// There is nothing to back up.
    #[error("there are no Goalpost data in `{0}`")]
    NoData(String),
    /// The folder is no backup, or one that was not finished.
    #[error("`{}` holds no finished backup: there is no `manifest.json` in it", .0.display())]
    NoBackup(PathBuf),
    /// Files that are not what was backed up.
    #[error("the backup is damaged:\n  {}", .0.join("\n  "))]
    Damaged(Vec<String>),
    /// The backup is of a newer program.
    #[error("the backup was made by a newer Goalpost (schema {0}; this one knows up to {1})")]
    Newer(Version, Version),
    /// The place to restore to holds something.
    #[error(
        "{0} is not empty: a backup is restored into an empty place only, so that nothing is overwritten"
    )]
    NotEmpty(String),
    /// What was restored is read back otherwise than it was backed up.
    #[error("what was restored is not what was backed up:\n  {}", .0.join("\n  "))]
    Unlike(Vec<String>),
    /// The settings do not say where to restore to.
    #[error(transparent)]
    Settings(#[from] crate::config::ConfigError),
    /// The database's, or the store's.
    #[error("{action}")]
    Other {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: anyhow::Error,
    },
    /// The database's.
    #[error(transparent)]
    Database(#[from] goalpost_db::Error),
}

impl BackupError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::FolderNotEmpty(_) => "name a folder that is not there yet by `--out`".to_owned(),
            Self::NoData(_) => "name the data folder by `--data`".to_owned(),
            Self::NoBackup(_) => {
                "name a folder that `goalpost backup` filled; one that was broken off cannot be restored"
                    .to_owned()
            }
            Self::Damaged(_) => "restore another backup; nothing was written".to_owned(),
            Self::Newer(..) => "use the newer `goalpost`".to_owned(),
            Self::NotEmpty(_) => {
                "name an empty data folder by `--data`, or an empty database by `--database`; with `--check`, a backup \
                 is read and nothing is written"
                    .to_owned()
            }
            Self::Unlike(_) => "see to the disk or the database, and restore again".to_owned(),
            _ => return None,
        })
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    pub(super) fn other(action: &str) -> impl FnOnce(anyhow::Error) -> Self {
        let action = action.to_owned();
        move |source| Self::Other { action, source }
    }

    pub(super) fn damaged(file: &str, why: &str) -> Self {
        Self::Damaged(vec![format!("`{file}` {why}")])
    }
}
