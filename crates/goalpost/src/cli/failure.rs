//! How a command ends when it does not succeed: what is wrong, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind as IoKind};
use std::path::Path;
use std::process::ExitCode;

use goalpost::backup::BackupError;
use goalpost::config::{ConfigError, SandboxError};
use goalpost::demo::DemoError;
use goalpost::imports::{ImportError, UndoError};
use goalpost::nodes::Disagreement;
use goalpost::store::Unusable;
use goalpost::takeout::TakeoutError;
use goalpost_db::ErrorKind as DbKind;

use super::printer::{visible, word};

/// A command's end: an `error:` line, and a `hint:` line where something can be done.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    is_usage: bool,
}

impl Failure {
    /// Something is wrong with the world, or with what was asked for.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, is_usage: false }
    }

    /// The command line itself is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { is_usage: true, ..Self::new(message) }
    }

    /// What the person can do about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// An error of the operating system about a file or folder.
    pub(crate) fn file(action: &str, path: &Path, error: &io::Error) -> Self {
        let message = format!("cannot {action} `{}`: {error}", path.display());
        Self { hint: io_hint(error.kind()), ..Self::new(message) }
    }

    /// 2 for a wrong command line, 1 for everything else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.is_usage { 2 } else { 1 })
    }

    /// From any error: its chain of causes as one line, and a hint for the causes that have a known remedy.
    pub(crate) fn from_error(error: &(dyn Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut hint = None;
        let mut cause = Some(error);
        while let Some(present) = cause {
            let told = present.to_string();
            if !message.contains(&told) {
                message = format!("{message}: {told}");
            }
            hint = hint.or_else(|| hint_for(present));
            cause = present.source();
        }
        Self { hint, ..Self::new(message) }
    }
}

fn hint_for(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<ImportError>() {
        return error.hint();
    }
    if let Some(hint) = error.downcast_ref::<UndoError>().and_then(UndoError::hint) {
        return Some(hint.to_owned());
    }
    if let Some(error) = error.downcast_ref::<Unusable>() {
        return error.hint();
    }
    if let Some(error) = error.downcast_ref::<BackupError>()
        && let Some(hint) = error.hint()
    {
        return Some(hint);
    }
    if let Some(error) = error.downcast_ref::<TakeoutError>()
        && let Some(hint) = error.hint()
    {
        return Some(hint);
    }
    if let Some(error) = error.downcast_ref::<Disagreement>() {
        return Some(error.hint());
    }
    if let Some(error) = error.downcast_ref::<goalpost_db::Error>() {
        return db_hint(error.kind()).map(str::to_owned);
    }
    error.downcast_ref::<io::Error>().and_then(|error| io_hint(error.kind()))
}

fn db_hint(kind: DbKind) -> Option<&'static str> {
    Some(match kind {
        DbKind::Busy => "another command, perhaps an import, is writing: run this again when it is done",
        DbKind::StorageFull => "the disk is full: make room and run this again; nothing was half written",
        DbKind::NewerSchema => "use the newer `goalpost`, or name another folder by `--data`",
        DbKind::OlderSchema => "run `goalpost migrate` once; other nodes may go on serving meanwhile",
        DbKind::Unavailable => {
            "check that the database server runs, and host and port of `--database`; a retry helps once it answers"
        }
        DbKind::Refused => {
            "check user, password, database and certificates of `--database`, and that the user may use that database"
        }
        DbKind::NotADatabase => {
            "name the data folder of a Goalpost server by `--data`, or restore its backup"
        }
        DbKind::Unexpected => "the data do not read as they were written: restore the folder from its backup",
        DbKind::Unique | DbKind::Other => return None,
    })
}

fn io_hint(kind: IoKind) -> Option<String> {
    let hint = match kind {
        IoKind::AddrInUse => {
            "another program, perhaps this one, listens there: choose another address by `--listen`"
        }
        IoKind::AddrNotAvailable => {
            "this machine does not have that address: `--listen 127.0.0.1:8080` always works"
        }
        IoKind::PermissionDenied => "run as the user whose file or folder it is, or name another",
        IoKind::NotFound => "check the name, and the folder that you are in",
        IoKind::NotADirectory => "a file stands where a folder is needed: name another",
        IoKind::StorageFull | IoKind::QuotaExceeded => "the disk is full: make room and run this again",
        IoKind::ReadOnlyFilesystem => "the disk cannot be written to: name another place",
        _ => return None,
    };
    Some(hint.to_owned())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Failure {
    /// Say it on standard error; in colour on a terminal, unless `NO_COLOR` is set.
    pub(crate) fn tell(&self) {
        let (error, hint) = (word("error", 31), word("hint", 36));
        eprintln!("{error}: {}", visible(self.message.trim_end()));
        if let Some(text) = &self.hint {
            eprintln!("{hint}: {}", visible(text));
        }
    }
}

macro_rules! from_errors {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::from_error(&error)
            }
        }
    )*};
}

from_errors!(
    goalpost_db::Error,
    BackupError,
    ConfigError,
    DemoError,
    ImportError,
    UndoError,
    TakeoutError,
    Unusable,
    reqwest::Error
);

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::from_error(error.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_deep_in_the_chain_gives_the_hint() {
        let full = io::Error::from(IoKind::StorageFull);
        let failure = Failure::from(anyhow::Error::from(full).context("cannot write the report"));
        assert!(failure.message.starts_with("cannot write the report: "), "{failure}");
        assert!(failure.hint.unwrap().contains("make room"));
    }

    #[test]
    fn a_cause_that_the_message_already_tells_is_not_repeated() {
        let failure = Failure::from(anyhow::anyhow!("no such table: goal").context("no such table: goal"));
        assert_eq!(failure.message, "no such table: goal");
    }
}
