//! What an export is to do, frozen when it is asked for: later edits of the view change nothing.

use serde::{Deserialize, Serialize};

use crate::goals::history::Moment;
use crate::views::{Selection, View};

/// The frozen part of a view, as the job keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportSpec {
    /// The view's name, which the file's name repeats.
    pub view_name: String,
    /// Which goals the view holds.
    pub selection: Selection,
    /// The state of the organization that the file shows; `None`: that of the moment when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Moment>,
}

impl ExportSpec {
    /// The spec of an export of this view, made now.
    pub fn freeze(view: &View) -> Self {
        Self { view_name: view.name.clone(), selection: view.selection.clone(), as_of: None }
    }

    /// The same of the organization as it was.
    #[must_use]
    pub fn as_of(self, moment: Moment) -> Self {
        Self { as_of: Some(moment), ..self }
    }

    /// As the job row keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("names and filters are JSON")
    }

    /// `VivaGoals_15229_new_view_2025_11_20_1763665314.csv`: the number of the organization's files, the view's name in
    /// snake case, the day and the second of the export (docs/DATA.md, "File names").
    pub fn file_name(&self, organization: i64, created_at_us: i64) -> String {
        let mut name = String::new();
        for c in self.view_name.chars().flat_map(char::to_lowercase).take(80) {
            if c.is_alphanumeric() {
                name.push(c);
            } else if !name.ends_with('_') && !name.is_empty() {
                name.push('_');
            }
        }
        let name = match name.trim_end_matches('_') {
            "" => "view",
            name => name,
        };
        let second = created_at_us.div_euclid(1_000_000);
        let day = crate::http::time::error_date(created_at_us)[..10].replace('-', "_");
        format!("VivaGoals_{organization}_{name}_{day}_{second}.csv")
    }
}
