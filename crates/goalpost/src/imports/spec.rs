//! What an import over HTTP is to do, as its job keeps it.

use goalpost_viva::Limits;
use serde::{Deserialize, Serialize};

use super::{ImportMap, ImportOptions, OfJob};
use crate::config::Imports;
use crate::goals::ObjectType;
use crate::ids::Ids;

/// The options of an import, frozen when it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImportSpec {
    /// Find out and report everything, and write nothing.
    pub dry_run: bool,
    /// Take away what an earlier import brought and this file does not hold.
    pub prune: bool,
    /// Let the file win where a field was changed here and in the file.
    pub take_file: bool,
    /// Meanings of labels of object types, in the words of [`ObjectType`].
    pub labels: Vec<(String, String)>,
    /// What names and headers of a table mean.
    pub map: ImportMap,
}

impl ImportSpec {
    /// As a job keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("options can be printed")
    }

    /// # Errors
    /// A spec that another program wrote.
    pub(super) fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// What [`super::run()`] is told for a job, about a file of this name.
    pub(super) fn options(
        self,
        job: OfJob,
        organization: uuid::Uuid,
        file_name: String,
        bounds: &Imports,
    ) -> ImportOptions {
        let labels = self.labels.into_iter();
        let known = |word: String| word.parse::<ObjectType>().ok();
        ImportOptions {
            organization_name: None,
            organization_id: Some(organization),
            dry_run: self.dry_run,
            prune: self.prune,
            take_file: self.take_file,
            labels: labels.filter_map(|(label, word)| Some((label, known(word)?))).collect(),
            map: self.map,
            ids: Ids,
            file_name: Some(file_name),
            limits: Some(Limits {
                packed_bytes: bounds.max_bytes,
                unpacked_bytes: bounds.max_unpacked_bytes,
                ..Limits::UPLOAD
            }),
            job: Some(job),
        }
    }
}

/// A label and what it means, from `Big rock=objective`.
///
/// # Errors
/// How it is written.
pub fn parse_label(text: &str) -> Result<(String, ObjectType), String> {
    let wrong = || {
        "write it as \"Big rock=objective\"; the types are objective, key result and initiative".to_owned()
    };
    let (label, word) = text.rsplit_once('=').ok_or_else(wrong)?;
    let word = word.trim().to_lowercase().replace(['-', ' ', '_'], "");
    let object_type = ObjectType::ALL.iter().find(|known| known.as_str().to_lowercase() == word);
    let object_type = object_type.copied().filter(|_| !label.trim().is_empty());
    Ok((label.trim().to_owned(), object_type.ok_or_else(wrong)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_everything_before_the_last_equals_sign() {
        assert_eq!(parse_label("Big rock=objective"), Ok(("Big rock".to_owned(), ObjectType::Objective)));
        assert_eq!(parse_label("a=b = Key Result"), Ok(("a=b".to_owned(), ObjectType::KeyResult)));
        assert_eq!(parse_label("Project=initiative"), Ok(("Project".to_owned(), ObjectType::Initiative)));
        for wrong in ["Big rock", "=objective", "Big rock=", "Big rock=goal"] {
            assert!(parse_label(wrong).unwrap_err().contains("Big rock=objective"), "{wrong}");
        }
    }
}
