//! What all nodes must have in common.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::place::Place;
use crate::app::App;

/// What a node says of itself. What another version does not say is no difference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Agreed {
    /// Where the files of exports lie.
    pub content: Place,
    /// Whether it finds files of exports in the database as well.
    pub reads_database: bool,
    /// What should be the same, by its name in the settings; a difference does no harm to exports.
    pub settings: BTreeMap<String, Value>,
}

impl Agreed {
    /// What this process says.
    ///
    /// # Errors
    /// A place for files that cannot be marked.
    pub fn of(app: &App) -> io::Result<Self> {
        let exports = &app.config.exports;
        let settings = [
            ("audience", app.config.audience.as_str().into()),
            ("exports.lease_secs", exports.lease_secs.into()),
            ("exports.max_attempts", exports.max_attempts.into()),
            ("exports.deadline_secs", exports.deadline_secs.into()),
            ("exports.start_within_secs", exports.start_within_secs.into()),
            ("exports.expire_after_secs", exports.expire_after_secs.into()),
            // Not a setting, but people will look for a difference there.
            ("the key in `keys/signing-key.pk8`", app.own_issuer.jwks()["keys"][0]["kid"].clone()),
        ];
        let settings = settings.map(|(name, value): (&str, Value)| (name.to_owned(), value));
        Ok(Self { content: Place::of(app)?, reads_database: true, settings: settings.into() })
    }

    /// Names and both values of what differs, apart from the place for files.
    pub fn differences<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (&'a str, String, String)> + 'a {
        self.settings.iter().filter_map(|(name, ours)| {
            let theirs = other.settings.get(name).filter(|theirs| *theirs != ours)?;
            Some((name.as_str(), ours.to_string(), theirs.to_string()))
        })
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What another node, perhaps of another version, said; nothing, if it is not understood.
    pub(super) fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_version_says_or_does_not_say_is_no_difference() {
        let ours = Agreed {
            settings: [("exports.lease_secs".to_owned(), 15.into()), ("new".to_owned(), 1.into())].into(),
            ..Agreed::default()
        };
        let theirs = Agreed::from_json(
            r#"{ "content": { "url": "/a", "size": 1 }, "settings": { "exports.lease_secs": 16, "old": 1 }, "x": 0 }"#,
        );
        let differences: Vec<_> = ours.differences(&theirs).collect();
        assert_eq!(differences, [("exports.lease_secs", "15".to_owned(), "16".to_owned())]);
        assert_eq!(Agreed::from_json("neither JSON nor ours"), Agreed::default());
        assert_eq!(Agreed::from_json(&ours.to_json()), ours);
    }
}
