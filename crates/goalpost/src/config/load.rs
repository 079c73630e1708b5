//! Where settings come from, in which order, and what makes them wrong.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::http::Uri;

use super::{Config, LogFormat, Variables};

/// The settings file that is read from the data folder if no other is named.
pub const FILE_NAME: &str = "goalpost.toml";

/// What the command line or the environment says; the rest is left to the file and the defaults.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The settings file, which must then exist; else `goalpost.toml` in the data folder, if there is one.
    pub config: Option<PathBuf>,
    /// Instead of [`Config::data`].
    pub data: Option<PathBuf>,
    /// Instead of [`Config::listen`].
    pub listen: Option<SocketAddr>,
    /// Instead of [`Config::public_url`].
    pub public_url: Option<String>,
    /// Instead of [`super::Database::url`].
    pub database: Option<String>,
    /// Instead of [`super::Observability::metrics_listen`].
    pub metrics_listen: Option<SocketAddr>,
    /// Instead of [`super::Observability::log_format`].
    pub log_format: Option<LogFormat>,
    /// Instead of [`super::Content::url`].
    pub content: Option<String>,
    /// Instead of [`super::Exports::reuse`].
    pub reuse: Option<bool>,
    /// What the environment says to object stores.
    pub variables: Variables,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there, or may not be read.
    #[error("cannot read settings file `{}`", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no TOML, or has a setting that does not exist or a value of the wrong type.
    #[error("settings file `{}` is not understood", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected.
        source: toml::de::Error,
    },
    /// A file that was found through the data folder cannot say where the data folder is.
    #[error(
        "settings file `{}` lies in the data folder and sets `data` to another: remove that line, or name the file by `--config`",
        .path.display()
    )]
    DataElsewhere {
        /// The file.
        path: PathBuf,
    },
    /// Values that contradict each other or cannot work; every one of them.
    #[error("the settings do not fit:\n  {}", .0.join("\n  "))]
    Invalid(Vec<String>),
}

impl Config {
    /// The settings of one server: defaults, changed by the file, changed by `overrides`, then validated.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        let mut config = Self::read(overrides)?;
        if let Some(data) = &overrides.data {
            config.data.clone_from(data);
        }
        if let Some(listen) = overrides.listen {
            config.listen = listen;
        }
        if let Some(public_url) = &overrides.public_url {
            config.public_url = Some(public_url.clone());
        }
        if let Some(database) = &overrides.database {
            config.database.url = Some(database.clone());
        }
        if overrides.metrics_listen.is_some() {
            config.observability.metrics_listen = overrides.metrics_listen;
        }
        if let Some(log_format) = overrides.log_format {
            config.observability.log_format = log_format;
        }
        if let Some(content) = &overrides.content {
            config.content.url = Some(content.clone());
        }
        if let Some(reuse) = overrides.reuse {
            config.exports.reuse = reuse;
        }
        config.content.variables.clone_from(&overrides.variables);
        if let Some(public_url) = &mut config.public_url {
            public_url.truncate(public_url.trim_end_matches('/').len());
        }
        let problems = config.validate();
        if problems.is_empty() { Ok(config) } else { Err(ConfigError::Invalid(problems)) }
    }

    fn read(overrides: &Overrides) -> Result<Self, ConfigError> {
        if let Some(path) = &overrides.config {
            let text = fs::read_to_string(path)
                .map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
            return toml::from_str(&text)
                .map_err(|source| ConfigError::Syntax { path: path.clone(), source });
        }
        let data = overrides.data.clone().unwrap_or_else(|| Self::default().data);
        let path = data.join(FILE_NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(ConfigError::Unreadable { path, source }),
        };
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(source) => return Err(ConfigError::Syntax { path, source }),
        };
        match toml::from_str::<Self>(&text) {
            Ok(config) if table.contains_key("data") && config.data != data => {
                Err(ConfigError::DataElsewhere { path })
            }
            Ok(config) => Ok(Self { data, ..config }),
            Err(source) => Err(ConfigError::Syntax { path, source }),
        }
    }

    /// Everything that is wrong with these settings; empty if nothing is.
    pub fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, problem: &str| {
            if !holds {
                problems.push(problem.to_owned());
            }
        };
        require(
            self.public_url.as_deref().is_none_or(is_origin),
            "`public_url` must be scheme, host and port alone, such as `https://goals.example.com`",
        );
        require(!self.audience.is_empty(), "`audience` must not be empty");
        if let Some(Err(error)) = self.database.url.as_deref().map(str::parse::<goalpost_db::Location>) {
            require(false, &format!("`database.url`: {error}"));
        }
        require(self.database.connections > 0, "`database.connections` must be at least 1");
        let exports = &self.exports;
        require(exports.max_running > 0, "`exports.max_running` must be at least 1");
        require(exports.poll_ms >= 10, "`exports.poll_ms` must be at least 10");
        require(
            exports.max_running_per_organization.is_none_or(|limit| limit > 0),
            "`exports.max_running_per_organization` must be at least 1",
        );
        require(exports.max_kept > 0, "`exports.max_kept` must be at least 1");
        require(
            exports.in_database_bytes <= 65_536,
            "`exports.in_database_bytes` must be at most 65536: larger files are the content store's",
        );
        require(exports.max_kept_bytes > 0, "`exports.max_kept_bytes` must be at least 1");
        require(exports.max_open > 0, "`exports.max_open` must be at least 1");
        require(exports.lease_secs >= 3, "`exports.lease_secs` must be at least 3: it is renewed at a third");
        require(exports.max_attempts > 0, "`exports.max_attempts` must be at least 1");
        require(
            exports.deadline_secs >= exports.lease_secs,
            "`exports.deadline_secs` must not be less than `exports.lease_secs`",
        );
        require(exports.start_within_secs > 0, "`exports.start_within_secs` must be at least 1");
        require(exports.expire_after_secs > 0, "`exports.expire_after_secs` must be at least 1");
        require(self.imports.max_bytes > 0, "`imports.max_bytes` must be at least 1");
        require(self.imports.max_unpacked_bytes > 0, "`imports.max_unpacked_bytes` must be at least 1");
        for problem in self.content.validate(&self.data) {
            require(false, &problem);
        }
        require(self.limits.requests_per_10_secs > 0, "`limits.requests_per_10_secs` must be at least 1");
        require(self.limits.creates_per_10_secs > 0, "`limits.creates_per_10_secs` must be at least 1");
        let connections = &self.connections;
        require(connections.header_secs > 0, "`connections.header_secs` must be at least 1");
        require(connections.body_bytes_per_sec > 0, "`connections.body_bytes_per_sec` must be at least 1");
        require(connections.stall_secs > 0, "`connections.stall_secs` must be at least 1");
        require(connections.idle_secs > 0, "`connections.idle_secs` must be at least 1");
        let stop = &self.stop;
        require(stop.grace_secs > 0, "`stop.grace_secs` must be at least 1");
        require(
            stop.drain_secs < stop.grace_secs,
            "`stop.drain_secs` must be less than `stop.grace_secs`: it is a part of it",
        );
        let metrics_listen = self.observability.metrics_listen;
        require(
            metrics_listen.is_none_or(|address| address.port() == 0 || address != self.listen),
            "`observability.metrics_listen` must be another address than `listen`",
        );
        for (index, issuer) in self.issuers.iter().enumerate() {
            let number = index + 1;
            require(
                self.issuers[..index].iter().all(|other| other.issuer != issuer.issuer),
                &format!("issuer {number}: `{}` is listed twice", issuer.issuer),
            );
            for problem in issuer.validate() {
                require(false, &format!("issuer {number}: {problem}"));
            }
        }
        problems
    }
}

/// Whether this is `http(s)://host[:port]` and nothing else (Graph contract §1: `{origin}/beta`).
fn is_origin(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.authority().is_some_and(|authority| !authority.as_str().contains(['@', '\'', '"']))
        && uri.path_and_query().is_none_or(|rest| rest == "/" && !url.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), text).unwrap();
        folder
    }

    fn of_folder(folder: &tempfile::TempDir) -> Overrides {
        Overrides { data: Some(folder.path().to_owned()), ..Overrides::default() }
    }

    #[test]
    fn the_command_line_beats_the_file_and_the_file_beats_the_defaults() {
        let folder = folder_with("listen = '127.0.0.1:9001'\n[exports]\nmax_running = 7\n");
        let config = Config::load(&of_folder(&folder)).unwrap();
        assert_eq!(config.listen.port(), 9001);
        assert_eq!((config.exports.max_running, config.exports.max_open), (7, 100));
        assert_eq!(config.data, folder.path());
        let listen = "127.0.0.1:9002".parse().ok();
        let config = Config::load(&Overrides { listen, ..of_folder(&folder) }).unwrap();
        assert_eq!(config.listen.port(), 9002);
    }

    #[test]
    fn a_named_file_is_read_instead_and_may_name_the_data_folder() {
        let folder = folder_with("listen = '127.0.0.1:9001'");
        let elsewhere = folder_with("data = './elsewhere'");
        let config = Some(elsewhere.path().join(FILE_NAME));
        let loaded = Config::load(&Overrides { config: config.clone(), ..Overrides::default() }).unwrap();
        assert_eq!(loaded.data, PathBuf::from("./elsewhere"));
        let loaded = Config::load(&Overrides { config, ..of_folder(&folder) }).unwrap();
        assert_eq!((loaded.data.as_path(), loaded.listen.port()), (folder.path(), 8080));
    }

    #[test]
    fn a_named_file_that_is_missing_is_an_error_and_an_unnamed_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Config::load(&of_folder(&folder)).is_ok());
        let config = Some(folder.path().join("none.toml"));
        let error = Config::load(&Overrides { config, ..Overrides::default() }).unwrap_err();
        assert!(error.to_string().contains("none.toml"), "{error}");
    }

    #[test]
    fn the_file_in_a_data_folder_cannot_lead_to_another() {
        let folder = folder_with("data = './elsewhere'");
        let error = Config::load(&of_folder(&folder)).unwrap_err();
        assert!(error.to_string().contains("--config"), "{error}");
    }

    #[test]
    fn an_unknown_setting_is_an_error_that_names_it() {
        let folder = folder_with("[exports]\nmax_runing = 7\n");
        let Err(ConfigError::Syntax { source, .. }) = Config::load(&of_folder(&folder)) else {
            panic!("it was accepted")
        };
        assert!(source.to_string().contains("max_runing"), "{source}");
    }

    #[test]
    fn every_problem_is_listed_at_once() {
        let folder = folder_with(
            "public_url = 'https://goals.example.com/goals'\naudience = ''\n[exports]\nlease_secs = 1\n[[issuers]]\nissuer = 'x'\n",
        );
        let told = Config::load(&of_folder(&folder)).unwrap_err().to_string();
        for word in [
            "`public_url`",
            "`audience`",
            "`exports.lease_secs`",
            "issuer 1: `issuer`",
            "issuer 1: `audiences`",
        ] {
            assert!(told.contains(word), "{word} is missing in {told}");
        }
    }

    #[test]
    fn a_public_url_is_an_origin() {
        for url in ["https://goals.example.com", "http://127.0.0.1:8080", "http://[::1]:8080"] {
            assert!(is_origin(url), "{url}");
        }
        for url in [
            "goals.example.com",
            "https://goals.example.com/a",
            "https://goals.example.com?a",
            "ftp://a",
            "https://a@b",
            "https://",
        ] {
            assert!(!is_origin(url), "{url}");
        }
        let config = Config::load(&Overrides {
            public_url: Some("https://a.example/".into()),
            ..Overrides::default()
        });
        assert_eq!(config.unwrap().public_url.as_deref(), Some("https://a.example"));
    }
}
