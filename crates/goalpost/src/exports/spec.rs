//! What an export is to do, frozen when it is asked for: later edits of the view change nothing.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::options::Options;
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
    /// Only what changed since this state, with what became of it; `None`: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// How the file is to look; `None`: as Viva Goals made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Options>,
}

/// As a job keeps it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Kept {
    /// With options, or of changes: in a shape that a program which does not know them cannot read, so that it fails rather than make
    /// another file.
    Table {
        table: ExportSpec,
    },
    Viva(ExportSpec),
}

impl ExportSpec {
    /// The spec of an export of this view, made now.
    pub fn freeze(view: &View) -> Self {
        Self {
            view_name: view.name.clone(),
            selection: view.selection.clone(),
            as_of: None,
            since: None,
            options: None,
        }
    }

    /// The same of the organization as it was.
    #[must_use]
    pub fn as_of(self, moment: Moment) -> Self {
        Self { as_of: Some(moment), ..self }
    }

    /// Only what changed since then.
    #[must_use]
    pub fn since(self, moment: Moment) -> Self {
        Self { since: Some(moment), ..self }
    }

    /// The same as a file that looks like this.
    #[must_use]
    pub fn with(self, options: Options) -> Self {
        Self { options: Some(options).filter(|options| *options != Options::default()), ..self }
    }

    /// Whether it shows the organization as it is when the file is made, and needs nothing of its history.
    pub fn is_of_now(&self) -> bool {
        self.as_of.is_none() && self.since.is_none()
    }

    /// Whether the file is the one that Viva Goals made.
    pub fn is_viva(&self) -> bool {
        self.options.is_none() && self.since.is_none()
    }

    /// As the job row keeps it.
    pub fn to_json(&self) -> String {
        let kept =
            if self.is_viva() { Kept::Viva(self.clone()) } else { Kept::Table { table: self.clone() } };
        serde_json::to_string(&kept).expect("names and filters are JSON")
    }

    /// The spec that a job row keeps.
    ///
    /// # Errors
    /// A text that is none.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        Ok(match serde_json::from_str(text)? {
            Kept::Table { table: spec } | Kept::Viva(spec) => spec,
        })
    }

    /// What tells this export from others of the same view that are made at the same time.
    pub fn pair(&self, view: Uuid) -> Uuid {
        if self.is_viva() && self.as_of.is_none() {
            return view;
        }
        let choice = (&self.options, &self.as_of, &self.since);
        let choice = serde_json::to_vec(&choice).expect("words and numbers are JSON");
        Uuid::new_v5(&view, &choice)
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
        let extension = self.options.as_ref().map_or_else(|| "csv".to_owned(), Options::extension);
        format!("VivaGoals_{organization}_{name}_{day}_{second}.{extension}")
    }
}
