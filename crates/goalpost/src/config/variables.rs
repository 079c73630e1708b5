//! The environment of the process: the one place that reads what object stores know themselves.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;

use object_store::aws::AmazonS3ConfigKey;

use super::content::{Key, Service};

/// Variables of the environment that object stores know: `AWS_…`, `AZURE_…`, `GOOGLE_…`. What they hold is not shown.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of this process.
    pub fn of_process() -> Self {
        let all = [Service::S3, Service::Azure, Service::Google];
        let known = |name: &str| all.iter().any(|service| service.knows(name));
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        std::env::vars_os().filter_map(text).filter(|(name, _)| known(name)).collect()
    }

    /// What they say to a service's client. `NAME_FILE` names a file that holds the value of the secret `NAME`.
    pub(super) fn of(&self, service: Service) -> (Vec<(Key, String)>, Vec<String>) {
        let (mut settings, mut problems) = (Vec::new(), Vec::new());
        for (name, value) in self.0.iter().filter(|(name, _)| service.knows(name)) {
            let lower = name.to_ascii_lowercase();
            if let Some(key) = service.key(&lower) {
                if !key.is_place() {
                    settings.push((key, value.clone()));
                }
                continue;
            }
            // Not `AWS_WEB_IDENTITY_TOKEN_FILE` and its like, which are settings themselves.
            let stem = lower.strip_suffix("_file").and_then(|stem| service.key(stem));
            let Some(key) = stem.filter(|key| may_be_in_a_file(*key)) else { continue };
            let plain = &name[..name.len() - "_FILE".len()];
            if self.0.contains_key(plain) {
                problems.push(format!("`{plain}` and `{name}` are both set: set one of them"));
                continue;
            }
            match fs::read_to_string(value) {
                Ok(text) => settings.push((key, text.trim_end().to_owned())),
                Err(error) => problems.push(format!("cannot read the file that `{name}` names: {error}")),
            }
        }
        (settings, problems)
    }
}

fn may_be_in_a_file(key: Key) -> bool {
    key.is_secret() || key == Key::S3(AmazonS3ConfigKey::AccessKeyId)
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
