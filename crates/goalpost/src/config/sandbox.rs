//! The words of `serve --sandbox KEY=VALUE`.

use std::time::Duration;

use jiff::SignedDuration;
use uuid::Uuid;

use super::Sandbox;

const KEYS: &str = "not-started, running, retry-after, fail-view, burst, expire-after";

/// Why a sandbox setting was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SandboxError {
    /// No `=` in it.
    #[error("sandbox setting `{0}` has no value: write KEY=VALUE, such as running=2s")]
    NoValue(String),
    /// A key that does not exist.
    #[error("there is no sandbox setting `{0}`: the settings are {KEYS}")]
    UnknownKey(String),
    /// A value of the wrong form.
    #[error("sandbox setting `{key}` needs {expected}, not `{value}`")]
    Value {
        /// The setting.
        key: String,
        /// What was written.
        value: String,
        /// What may be written.
        expected: &'static str,
    },
}

impl Sandbox {
    /// Add one `KEY=VALUE`. A key given twice counts the last time; `fail-view` adds up.
    pub fn set(&mut self, setting: &str) -> Result<(), SandboxError> {
        let (key, value) =
            setting.split_once('=').ok_or_else(|| SandboxError::NoValue(setting.to_owned()))?;
        let wrong = |expected| SandboxError::Value { key: key.to_owned(), value: value.to_owned(), expected };
        let duration = || parse_duration(value).ok_or_else(|| wrong("a duration such as 500ms, 10s or 1h"));
        let count = || value.parse().map_err(|_| wrong("a whole number"));
        let positive =
            || value.parse().ok().filter(|n| *n > 0).ok_or_else(|| wrong("a whole number above 0"));
        match key {
            "not-started" => self.not_started = Some(duration()?),
            "running" => self.running = Some(duration()?),
            "retry-after" => self.retry_after_secs = Some(count()?),
            "fail-view" => self.fail_views.push(Uuid::try_parse(value).map_err(|_| wrong("a view's GUID"))?),
            "burst" => self.burst = Some(positive()?),
            "expire-after" => self.expire_after = Some(duration()?),
            _ => return Err(SandboxError::UnknownKey(key.to_owned())),
        }
        Ok(())
    }

    /// Whether anything is set, so that the server is not an honest one.
    pub fn is_on(&self) -> bool {
        *self != Self::default()
    }
}

/// A length of time as people write it: `500ms`, `10s`, `1h 30m`. `None` if it is none, or negative.
pub fn parse_duration(text: &str) -> Option<Duration> {
    text.parse::<SignedDuration>().ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_lands_in_its_field() {
        let view = Uuid::from_u128(7);
        let mut sandbox = Sandbox::default();
        assert!(!sandbox.is_on());
        for setting in ["not-started=1s", "running=1m 30s", "retry-after=1", "burst=50", "expire-after=500ms"]
        {
            sandbox.set(setting).unwrap();
        }
        sandbox.set(&format!("fail-view={view}")).unwrap();
        assert!(sandbox.is_on());
        let expected = Sandbox {
            not_started: Some(Duration::from_secs(1)),
            running: Some(Duration::from_secs(90)),
            retry_after_secs: Some(1),
            fail_views: vec![view],
            burst: Some(50),
            expire_after: Some(Duration::from_millis(500)),
        };
        assert_eq!(sandbox, expected);
    }

    #[test]
    fn what_is_not_understood_says_what_would_be() {
        let told = |setting| Sandbox::default().set(setting).unwrap_err().to_string();
        assert!(told("running").contains("KEY=VALUE"));
        assert!(told("runing=2s").contains("not-started, running"));
        assert!(told("running=-2s").contains("a duration such as"));
        assert!(told("running=2").contains("a duration such as"));
        assert!(told("burst=many").contains("a whole number"));
        assert!(told("fail-view=all").contains("a view's GUID"));
    }
}
