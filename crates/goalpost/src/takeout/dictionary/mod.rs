//! Which table becomes which file, and what each field says. Written once: rows are written and read by it, and
//! `schema.json` and `README.txt` are made of it.

mod goals;
mod house;

use serde_json::{Value as Json, json};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of 64 bits.
    Int,
    /// A number.
    Real,
    /// True or false.
    Flag,
    /// A text.
    Text,
    /// One of these texts.
    Word(&'static [&'static str]),
    /// A day, `2026-01-31`.
    Day,
    /// An instant in UTC, `2026-01-31T12:00:00.123456Z`, with as many decimals as it has.
    Instant,
    /// A GUID.
    Guid,
    /// Bytes, as hexadecimal digits.
    Bytes,
}

impl Kind {
    /// Its name in `schema.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Int => "integer",
            Self::Real => "number",
            Self::Flag => "boolean",
            Self::Text | Self::Word(_) => "text",
            Self::Day => "day",
            Self::Instant => "instant",
            Self::Guid => "guid",
            Self::Bytes => "hex",
        }
    }
}

/// A field of every object of a file.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in the file.
    pub name: &'static str,
    /// The column.
    pub column: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What it says.
    pub about: &'static str,
    /// The table whose `id` it is; a row of that number is there, but for rows of the past.
    pub to: Option<&'static str>,
}

impl Field {
    const fn to(mut self, table: &'static str) -> Self {
        self.to = Some(table);
        self
    }
}

const fn field(name: &'static str, column: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, column, kind, about, to: None }
}

/// A table of an organization, as a file.
#[derive(Debug)]
pub struct Part {
    /// The table.
    pub table: &'static str,
    /// The file's name, without its ending.
    pub name: &'static str,
    /// What it holds, in one sentence.
    pub about: &'static str,
    /// The fields, in their order.
    pub fields: &'static [Field],
    /// Columns that are made of another one, and so are not written: theirs, and the name of that one.
    pub folds: &'static [(&'static str, &'static str)],
    /// Whether what rows said before is kept in a twin of the table.
    pub has_history: bool,
}

/// Behind the name of a table: what its rows said before.
pub(super) const HISTORY: &str = "_history";

/// The field that rows of the past have besides.
pub(super) const UNTIL: Field =
    field("replacedBy", "until", Kind::Int, "The revision that replaced it or took it away");

/// The revision that wrote a row.
const REVISION: Field =
    field("revision", "revision", Kind::Int, "The revision that wrote it; revisions.jsonl says when");
/// How a thing came to be.
const ORIGIN: Field = field(
    "origin",
    "origin",
    Kind::Word(&["file", "reference", "local"]),
    "file (an import brought it), reference (only mentioned) or local (made here)",
);

/// Every part, each after those that it refers to.
pub static PARTS: &[&Part] = &[
    &house::ORGANIZATION,
    &house::REVISIONS,
    &house::PEOPLE,
    &house::SIGN_INS,
    &house::EXPORT_PERMITS,
    &house::TEAMS,
    &house::TEAM_OWNERS,
    &house::TEAM_MEMBERS,
    &house::PERIODS,
    &house::TAGS,
    &goals::GOALS,
    &goals::GOAL_OWNERS,
    &goals::GOAL_CHECK_IN_OWNERS,
    &goals::GOAL_VIEWERS,
    &goals::GOAL_TEAMS,
    &goals::GOAL_TAGS,
    &goals::ALIGNMENTS,
    &goals::PHASED_TARGETS,
    &goals::TASKS,
    &goals::CHECK_INS,
    &goals::COMMENTS,
    &goals::IMPORTED_VALUES,
    &house::VIEWS,
    &house::VIEW_SHARES,
    &house::AUDIT,
    &house::IMPORTS,
    &house::IMPORT_ASIDES,
];

/// Tables of organizations that are not taken along, what they hold and why. One that is neither here nor in [`PARTS`] fails a test.
pub static LEFT_OUT: &[(&str, &str)] = &[
    ("job", "Exports that were asked for: they are forgotten after a day, and can be asked for again"),
    ("export", "The files of these"),
    ("import", "Imports of files, which can be taken back where they were made, and their reports"),
    ("import_kept", "What these imports replaced"),
];

impl Part {
    /// Its file.
    pub fn path(&self) -> String {
        format!("{}.jsonl", self.name)
    }

    /// The file of what its rows said before.
    pub fn history_path(&self) -> String {
        format!("history/{}.jsonl", self.name)
    }

    /// The column that says which organization a row is of.
    pub(super) fn organization(&self) -> &'static str {
        if self.table == "organization" { "number" } else { "organization" }
    }

    /// Every table and its file: the present one, and that of the past.
    pub fn all() -> impl Iterator<Item = Lines> {
        let present = PARTS.iter().map(|part| Lines { part, past: false });
        let past = PARTS.iter().filter(|part| part.has_history).map(|part| Lines { part, past: true });
        present.chain(past)
    }
}

/// A file of a part: what its rows say, or what they said before.
#[derive(Clone, Copy, Debug)]
pub struct Lines {
    /// The part.
    pub part: &'static Part,
    /// Whether it is the past.
    pub past: bool,
}

impl Lines {
    /// Its path in the folder.
    pub fn path(self) -> String {
        if self.past { self.part.history_path() } else { self.part.path() }
    }

    /// Its table.
    pub fn table(self) -> String {
        if self.past { format!("{}{HISTORY}", self.part.table) } else { self.part.table.to_owned() }
    }

    /// Its fields.
    pub fn fields(self) -> impl Iterator<Item = &'static Field> {
        self.part.fields.iter().chain(self.past.then_some(&UNTIL))
    }

    /// What it holds.
    pub fn about(self) -> String {
        if self.past { format!("Before: {}", self.part.about) } else { self.part.about.to_owned() }
    }

    /// What `schema.json` says of it; `nullable` knows which columns may be null, `key` which make a row the only one.
    pub(super) fn describe(self, key: &[String], nullable: impl Fn(&str) -> bool) -> Json {
        let name =
            |column: &String| self.fields().find(|field| field.column == column).map(|field| field.name);
        let describe = |field: &Field| {
            let mut json = json!({
                "name": field.name,
                "type": field.kind.as_str(),
                "nullable": nullable(field.column),
                "about": field.about,
            });
            if let Kind::Word(words) = field.kind {
                json["words"] = json!(words);
            }
            if let Some(part) = field.to.and_then(|table| PARTS.iter().find(|part| part.table == table)) {
                json["refersTo"] = format!("{} id", part.path()).into();
            }
            json
        };
        json!({
            "path": self.path(),
            "about": self.about(),
            "key": key.iter().filter_map(name).collect::<Vec<_>>(),
            "fields": self.fields().map(describe).collect::<Vec<_>>(),
        })
    }
}
