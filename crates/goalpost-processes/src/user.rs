use std::io;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use nix::unistd::{User, geteuid};

/// Debian's package of PostgreSQL makes it.
const NAME: &str = "postgres";

/// The user that programs run as that refuse to run as root, such as PostgreSQL.
#[derive(Clone, Debug)]
pub struct OrdinaryUser {
    uid: u32,
    gid: u32,
}

impl OrdinaryUser {
    /// The user to take; `None` if this process is not root, and can start such programs as it is. Makes the user if
    /// need be.
    ///
    /// # Errors
    /// When the user cannot be made.
    pub fn if_root() -> io::Result<Option<Self>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        if let Some(user) = Self::find()? {
            return Ok(Some(user));
        }
        // Another process may make it at the same time, so what counts is whether it is there afterwards.
        let _ =
            Command::new("useradd").args(["--system", "--user-group", "--no-create-home", NAME]).output()?;
        match Self::find()? {
            Some(user) => Ok(Some(user)),
            None => {
                Err(io::Error::other(format!("there is no user `{NAME}`, and `useradd` does not make it")))
            }
        }
    }

    fn find() -> io::Result<Option<Self>> {
        let user = User::from_name(NAME).map_err(io::Error::from)?;
        Ok(user.map(|user| Self { uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
    }

    /// Make it the owner of a file or folder.
    ///
    /// # Errors
    /// When the file is not there.
    pub fn give(&self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
    }

    pub(crate) fn for_setpriv(&self) -> Vec<String> {
        vec![
            "--reuid".to_owned(),
            self.uid.to_string(),
            "--regid".to_owned(),
            self.gid.to_string(),
            "--init-groups".to_owned(),
        ]
    }
}
