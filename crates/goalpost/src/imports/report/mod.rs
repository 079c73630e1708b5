//! What an import did, for people and for programs.

pub(super) mod csv;
mod text;

use std::path::PathBuf;

use goalpost_tabular::Csv;
use goalpost_viva::Entity;
use goalpost_viva::sheet::REASON;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::goals::ObjectType;

/// What an import did, or would do. It prints as a text for people, and as JSON through `serde`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Whose data it is.
    pub organization: ImportedOrganization,
    /// What was read.
    pub file: ImportedFile,
    /// The organization's revision that the import made; none if nothing changed, or in a dry run.
    pub revision: Option<i64>,
    /// How many of each entity.
    pub entities: Vec<Tally>,
    /// Tasks of initiatives, which stand inside their goals.
    pub tasks: u64,
    /// The organization's words for object types, and what they were taken to mean.
    pub labels: Vec<Label>,
    /// Words that were given a meaning and that no goal has.
    pub unused_labels: Vec<String>,
    /// What the file mentions and does not hold.
    pub references: Listed<Reference>,
    /// What has no place in the model and is kept word for word.
    pub asides: Listed<KeptAside>,
    /// Fields that were changed here and that the file has another value for.
    pub conflicts: Listed<Conflict>,
    /// What is here and no longer in the file.
    pub missing: Listed<Missing>,
    /// Goals that only the people around them see.
    pub restricted_goals: u64,
    /// Goals whose permissions have a shape that is not understood; only owners, creator, delegate and check-in owners
    /// see them.
    pub unclear_permissions: Listed<i64>,
    /// Entries of the ZIP that are no member of an organization's export.
    pub ignored_members: Vec<String>,
    /// What else should be known about the file.
    pub notes: Vec<String>,
    /// Rows of a template that were left out.
    pub left_out: Listed<LeftOut>,
    /// The headers of their cells.
    #[serde(skip)]
    pub left_out_headers: Vec<String>,
    /// A file for `--map` with the names that lead to nobody or to several people, ready to be filled in.
    pub mapping: Option<String>,
    /// Where this report lies as JSON; none in a dry run, or if it could not be written.
    pub report_file: Option<PathBuf>,
}

/// The organization that a file was imported into.
#[derive(Clone, Debug, Serialize)]
pub struct ImportedOrganization {
    /// The GUID that clients name.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether the import made it.
    pub created: bool,
}

/// The file that was read.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportedFile {
    /// Its name, without the folder.
    pub name: String,
    /// The hash of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// The organization's number, by the names of the ZIP's members or that of the table.
    pub organization_number: Option<i64>,
    /// When it was made, by the same names; UTC.
    pub exported_at: Option<String>,
}

/// How many elements of one entity met which fate. Each element that was read is either kept aside or one of added,
/// changed and unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// The entity.
    #[serde(serialize_with = "word")]
    pub entity: Entity,
    /// Elements in the file.
    pub read: u64,
    /// Not here before, or only as a mention.
    pub added: u64,
    /// Here before, and changed.
    pub changed: u64,
    /// Here before, the same.
    pub unchanged: u64,
    /// Whole elements that have no place.
    pub aside: u64,
    /// Here, and not in the file.
    pub missing: u64,
    /// Of those, taken away.
    pub removed: u64,
}

impl Tally {
    /// Nothing of this entity yet.
    pub fn new(entity: Entity) -> Self {
        Self { entity, read: 0, added: 0, changed: 0, unchanged: 0, aside: 0, missing: 0, removed: 0 }
    }
}

/// A word for an object type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Label {
    /// The word, as exports print it.
    pub label: String,
    /// How many goals have it.
    pub goals: u64,
    /// What it was taken to mean.
    pub object_type: ObjectType,
    /// How sure that is.
    pub certainty: Certainty,
    /// Why.
    pub reason: &'static str,
}

/// How sure the meaning of a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Certainty {
    /// The operator said so.
    Said,
    /// The word has no other meaning.
    Known,
    /// It may be wrong.
    Guessed,
}

/// Something that the file mentions and does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// What kind of thing.
    pub kind: ReferenceKind,
    /// Its id here; none where only a name stands for it.
    pub id: Option<i64>,
    /// Its name, title or e-mail address, if one stands beside it.
    pub name: String,
    /// How often it is mentioned.
    pub times: u64,
}

/// What a reference leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ReferenceKind {
    /// A person: now an inactive one.
    Person,
    /// A team: now an archived one.
    Team,
    /// A team that is only named as a parent: only the name is kept.
    ParentTeam,
    /// A time period: now one without dates.
    Period,
    /// A tag.
    Tag,
    /// A goal's parent: now a placeholder, which no view shows.
    Parent,
    /// The goal of check-ins or comments, which are kept aside.
    Goal,
}

/// A cell or an element that has no place in the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeptAside {
    /// Of which entity.
    #[serde(serialize_with = "word")]
    pub entity: Entity,
    /// Of which element.
    pub id: i64,
    /// The keys that lead to it; empty for the whole element.
    pub path: String,
    /// The value as JSON, shortened; it is kept in full.
    pub value: String,
}

/// A field that was changed here since the last import, and that the file has another value for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conflict {
    /// The goal.
    pub goal: i64,
    /// The field.
    pub field: &'static str,
    /// The value here.
    pub here: serde_json::Value,
    /// The file's value.
    pub file: serde_json::Value,
    /// Whether the file's value was taken.
    pub taken: bool,
}

/// Something that an earlier import brought and that the file does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// What it is.
    #[serde(serialize_with = "word")]
    pub entity: Entity,
    /// Its id.
    pub id: i64,
    /// Its name or title; empty for what has none.
    pub name: String,
    /// Whether it was taken away.
    pub removed: bool,
}

/// A row of a template that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The row as a spreadsheet counts it.
    pub row: u64,
    /// Its title.
    pub title: String,
    /// Everything that is wrong with it.
    pub reason: String,
    /// Its cells, by the headers of the file.
    #[serde(skip)]
    pub cells: Vec<String>,
}

/// A list of which the first thousand entries are kept, and all are counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// How many there are.
    pub total: u64,
    /// The first of them.
    pub first: Vec<T>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { total: 0, first: Vec::new() }
    }
}

impl<T> Listed<T> {
    const KEPT: usize = 1_000;

    pub(super) fn add(&mut self, entry: impl FnOnce() -> T) {
        self.total += 1;
        if self.first.len() < Self::KEPT {
            self.first.push(entry());
        }
    }
}

impl Report {
    /// The counts of one entity.
    pub fn tally(&self, entity: Entity) -> &Tally {
        &self.entities[entity as usize]
    }

    /// Elements that were read, added, changed and removed, of all entities together.
    pub fn counts(&self) -> [i64; 4] {
        let sum = |count: fn(&Tally) -> u64| self.entities.iter().map(count).sum::<u64>() as i64;
        [
            sum(|tally| tally.read),
            sum(|tally| tally.added),
            sum(|tally| tally.changed),
            sum(|tally| tally.removed),
        ]
    }

    /// The report as it is kept.
    pub(super) fn to_json(&self) -> goalpost_db::Result<String> {
        serde_json::to_string(self)
            .map_err(|error| goalpost_db::Error::unexpected(format!("the report cannot be printed: {error}")))
    }

    pub(super) fn tally_mut(&mut self, entity: Entity) -> &mut Tally {
        &mut self.entities[entity as usize]
    }

    /// The rows that were left out as CSV: the cells of the file, and a last column `reason`. Corrected, it can be imported.
    /// None where no row was.
    pub fn left_out_csv(&self) -> Option<Vec<u8>> {
        if self.left_out.total == 0 {
            return None;
        }
        let is_reason = |word: &str| word.trim().eq_ignore_ascii_case(REASON);
        let kept: Vec<bool> = self.left_out_headers.iter().map(|word| !is_reason(word)).collect();
        let mut table = Csv::new();
        let mut write = |cells: &[String], reason: &str| {
            cells.iter().zip(&kept).filter(|(_, kept)| **kept).for_each(|(cell, _)| table.text(cell));
            table.text(reason);
            table.end_record();
        };
        write(&self.left_out_headers, REASON);
        self.left_out.first.iter().for_each(|row| write(&row.cells, &row.reason));
        Some(std::mem::take(table.buffer()))
    }

    /// Whether the import changed anything, or would.
    pub fn changes_anything(&self) -> bool {
        self.organization.created
            || self.entities.iter().any(|tally| tally.added + tally.changed + tally.removed > 0)
            || self.revision.is_some()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
fn word<S: Serializer>(entity: &Entity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(entity.word())
}
