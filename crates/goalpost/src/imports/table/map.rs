//! What the operator says about the names and headers of a table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Names of people and words of headers that mean something else, as the TOML file of `--map` has them.
///
/// ```toml
/// [people]
/// "Ada Quill" = "ada.quill@contoso.example"
/// [headers]
/// "Titel" = "Title"
/// ```
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ImportMap {
    /// The e-mail address of whom a name means. An empty one says nothing.
    #[serde(default)]
    pub people: BTreeMap<String, String>,
    /// The header that a word of the first row stands for.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

impl ImportMap {
    /// Read the file's text.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// A map of people that is ready to be filled in.
    pub(in crate::imports) fn to_fill_in<'n>(names: impl Iterator<Item = &'n str>) -> String {
        let mut text = "[people]\n".to_owned();
        for name in names {
            // A text of JSON is one of TOML, but for a control character that JSON leaves as it is.
            let quoted = serde_json::Value::from(name).to_string();
            text.push_str(&quoted.replace('\u{7f}', "\\u007F"));
            text.push_str(" = \"\"\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_was_written_can_be_read() {
        let names = ["Ada Quill", "O\"Hara\n\u{7f}", "日本"];
        let map = ImportMap::parse(&ImportMap::to_fill_in(names.into_iter())).expect("a map");
        assert_eq!(map.people.keys().collect::<Vec<_>>(), names);
        assert!(ImportMap::parse("[peple]\n").is_err());
    }
}
