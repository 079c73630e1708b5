use std::path::PathBuf;

use uuid::Uuid;

use crate::backup::BackupError;

/// What the work on a takeout answers.
pub type Result<T, E = TakeoutError> = std::result::Result<T, E>;

/// Why nothing was written, or nothing was read back.
#[derive(Debug, thiserror::Error)]
pub enum TakeoutError {
    /// The place for the folder is taken.
    #[error("`{}` is there already", .0.display())]
    Taken(PathBuf),
    /// There is no such organization.
    #[error("there is no organization `{0}`")]
    NoOrganization(Uuid),
    /// The folder is none that was written here.
    #[error("`{}` is not what `goalpost export --everything` writes: there is no `manifest.json` in it", .0.display())]
    NoTakeout(PathBuf),
    /// It is of a newer program.
    #[error("the folder was written by a newer Goalpost ({0}; this one knows up to {1})")]
    Newer(String, String),
    /// It is not what was written, or does not hold together.
    #[error("the folder cannot be read back:\n  {}", .0.join("\n  "))]
    Damaged(Vec<String>),
    /// The organization is there.
    #[error("the organization `{0}` is there already, with the name \"{1}\"")]
    Present(Uuid, String),
    /// A row cannot be written down.
    #[error("the database holds a value that does not fit its column `{0}`")]
    Strange(String),
    /// The Parquet file of all goals cannot be written.
    #[error("the goals do not fit into Parquet: {0}")]
    Unfit(#[from] goalpost_tabular::Unfit),
    /// A file or folder cannot be used.
    #[error(transparent)]
    Files(#[from] BackupError),
    /// The database's.
    #[error(transparent)]
    Database(#[from] goalpost_db::Error),
}

impl TakeoutError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Taken(_) => "name a folder that is not there yet by `--out`".to_owned(),
            Self::NoOrganization(_) => "`goalpost org list` shows them".to_owned(),
            Self::NoTakeout(_) => {
                "name the folder that was named by `--out`; a backup is read by `goalpost restore`".to_owned()
            }
            Self::Newer(..) => "use the newer `goalpost`".to_owned(),
            Self::Damaged(_) => "nothing was written: take another copy of the folder, or export again".to_owned(),
            Self::Present(..) => {
                "nothing was written: name an empty place by `--data` or `--database`; an organization is read back \
                 where it is not there yet, so that nothing is overwritten"
                    .to_owned()
            }
            Self::Strange(_) => "restore the server from its backup".to_owned(),
            _ => return None,
        })
    }

    pub(super) fn damaged(file: &str, why: impl std::fmt::Display) -> Self {
        Self::Damaged(vec![format!("`{file}` {why}")])
    }
}
