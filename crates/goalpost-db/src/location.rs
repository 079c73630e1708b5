//! Where a database is: a file, or a server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where a database is.
#[derive(Clone, Debug)]
pub enum Location {
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL server, and a database on it.
    Server(Box<Server>),
}

/// A PostgreSQL server as its URL names it, password and all; shown without it.
#[derive(Clone)]
pub struct Server {
    pub(crate) config: tokio_postgres::Config,
    /// A file of certificates of authorities, besides those of the machine.
    pub(crate) root_certificates: Option<PathBuf>,
    pub(crate) encryption: Encryption,
}

/// Whether the connection is encrypted. An encrypted one always checks whom it speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    Never,
    IfOffered,
    Always,
}

/// Why a URL names no database.
#[derive(Debug, thiserror::Error)]
pub enum LocationError {
    /// It is no URL of PostgreSQL.
    #[error("a database is named like `postgres://user:password@host:5432/name`")]
    Scheme,
    /// A part of it cannot be understood.
    #[error("the database's URL cannot be understood: {0}")]
    Malformed(String),
}

impl Location {
    /// An SQLite file.
    pub fn file(path: &Path) -> Self {
        Self::File(path.to_owned())
    }

    /// Let a server in by this password, whatever the URL says.
    pub fn set_password(&mut self, password: &str) {
        if let Self::Server(server) = self {
            server.config.password(password);
        }
    }

    /// Whether there may be a database: of a server one learns that only by asking it.
    pub fn may_exist(&self) -> bool {
        match self {
            Self::File(path) => path.exists(),
            Self::Server(_) => true,
        }
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(url: &str) -> Result<Self, LocationError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(LocationError::Scheme);
        }
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut kept, mut root_certificates, mut encryption) = (Vec::new(), None, Encryption::IfOffered);
        for option in query.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslrootcert", path)) => root_certificates = Some(PathBuf::from(path)),
                Some(("sslmode", mode)) => {
                    encryption = match mode {
                        "disable" => Encryption::Never,
                        "allow" | "prefer" => Encryption::IfOffered,
                        "require" | "verify-ca" | "verify-full" => Encryption::Always,
                        _ => {
                            return Err(LocationError::Malformed(format!(
                                "`sslmode={mode}`: write disable, prefer or verify-full"
                            )));
                        }
                    }
                }
                _ => kept.push(option),
            }
        }
        let plain =
            if kept.is_empty() { address.to_owned() } else { format!("{address}?{}", kept.join("&")) };
        let mut config: tokio_postgres::Config =
            plain.parse().map_err(|error| LocationError::Malformed(crate::postgres::chain(&error)))?;
        config.ssl_mode(match encryption {
            Encryption::Never => tokio_postgres::config::SslMode::Disable,
            Encryption::IfOffered => tokio_postgres::config::SslMode::Prefer,
            Encryption::Always => tokio_postgres::config::SslMode::Require,
        });
        Ok(Self::Server(Box::new(Server { config, root_certificates, encryption })))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(server) => write!(f, "{server}"),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use tokio_postgres::config::Host;
        write!(f, "postgres://")?;
        let ports = self.config.get_ports();
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            if let Some(port) = ports.get(index).or(ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().or(self.config.get_user()).unwrap_or_default())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let location: Location = "postgres://ann:secret@db.example:6432/goals".parse().unwrap();
        assert_eq!(location.to_string(), "postgres://db.example:6432/goals");
        assert!(!format!("{location:?}").contains("secret"));
    }

    #[test]
    fn encryption_is_what_the_url_says() {
        let encryption = |url: &str| match url.parse() {
            Ok(Location::Server(server)) => server.encryption,
            other => panic!("{other:?}"),
        };
        assert_eq!(encryption("postgres://a/b"), Encryption::IfOffered);
        assert_eq!(encryption("postgres://a/b?sslmode=disable"), Encryption::Never);
        assert_eq!(encryption("postgres://a/b?connect_timeout=3&sslmode=verify-full"), Encryption::Always);
    }

    #[test]
    fn what_is_no_url_says_how_one_is_written() {
        for url in ["mysql://a/b", "goals.db", ""] {
            assert!(url.parse::<Location>().unwrap_err().to_string().contains("postgres://user"), "{url}");
        }
        let typo = "postgres://a/b?sslmode=on".parse::<Location>().unwrap_err();
        assert!(typo.to_string().contains("verify-full"), "{typo}");
        assert!("postgres://a/b?sslmoode=require".parse::<Location>().is_err());
    }
}
