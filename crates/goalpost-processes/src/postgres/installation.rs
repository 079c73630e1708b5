use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the programs of PostgreSQL's server are.
#[derive(Clone, Debug)]
pub struct Installation {
    bin: PathBuf,
}

impl Installation {
    /// The one whose `initdb` is in the `PATH`, or the newest of Debian's; `None` if there is none.
    pub fn find() -> Option<Self> {
        // Debian has wrappers and links in the `PATH`, but not of everything that is needed.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let initdb =
            std::env::split_paths(&path).find_map(|folder| folder.join("initdb").canonicalize().ok());
        let in_path = initdb.and_then(|initdb| Self::of(initdb.parent()?));
        in_path.or_else(|| {
            let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
            let mut versions: Vec<(u32, PathBuf)> = versions
                .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
                .collect();
            versions.sort();
            versions.iter().rev().find_map(|(_, folder)| Self::of(&folder.join("bin")))
        })
    }

    fn of(bin: &Path) -> Option<Self> {
        let needed = ["initdb", "postgres", "pg_basebackup", "pg_isready", "psql"];
        needed.iter().all(|name| bin.join(name).exists()).then(|| Self { bin: bin.to_owned() })
    }

    /// The folder of `initdb`, `pg_ctl`, `postgres` and the others.
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// Run statements at a server; the rows, columns parted by `|`.
    ///
    /// # Errors
    /// What the server says of the first that fails, or that it cannot be reached.
    pub fn sql(&self, url: &str, statements: &str) -> io::Result<String> {
        let mut psql = Command::new(self.program("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]);
        psql.args(["--dbname", url, "--command", statements]);
        let output = psql.env("PGCONNECT_TIMEOUT", "10").stdin(Stdio::null()).output()?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        } else {
            let error = String::from_utf8_lossy(&output.stderr);
            Err(io::Error::other(format!("`{statements}`: {}", error.trim_end())))
        }
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}
