//! How a file is to look: what the caller may choose, and what of it fits together.

use goalpost_tabular::{Dialect, Formulas};
use serde::{Deserialize, Serialize};

use super::columns::{self, Column};
use super::viva_csv;

/// What a caller says of the file. What is not said is as the Viva Goals file is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Options {
    /// The kind of file.
    pub format: Format,
    /// Which columns, in which order.
    pub columns: Columns,
    /// What has a row.
    pub rows: Rows,
    /// Whether check-ins stand behind the columns of their goal; as the format likes it otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_ins: Option<CheckInCells>,
    /// How several tags stand in a row.
    pub tags: Tags,
    /// How many levels below the view's goals come along, whether they are the view's or not.
    #[serde(skip_serializing_if = "is_default")]
    pub children: u32,
    /// In whose words types and statuses are called.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: Labels,
    /// By the clocks of which zone it is told when something was written down; UTC otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What leads to the server's page in a workbook.
    #[serde(skip_serializing_if = "is_default")]
    pub links: Links,
    /// How the file is packed.
    pub compression: Compression,
    /// Who opens a CSV; the next four say it one by one.
    pub profile: Profile,
    /// What stands between the cells of a CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<Separator>,
    /// What stands before the decimals in a CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal_mark: Option<DecimalMark>,
    /// Whether a CSV begins with a byte order mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte_order_mark: Option<bool>,
    /// What becomes of texts in a CSV that a spreadsheet would take for formulas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formulas: Option<FormulaGuard>,
}

/// What is as it was before there was a choice is not written: an earlier program refuses what it does not know.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

macro_rules! words {
    ($($(#[$about:meta])* $name:ident { $($(#[$first:meta])* $variant:ident => $word:literal, $says:literal;)* })*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
        pub enum $name {
            $(
                #[doc = $says]
                $(#[$first])*
                #[serde(rename = $word)]
                #[value(name = $word)]
                $variant,
            )*
        }

        impl $name {
            /// Its words, and what each says.
            pub const WORDS: &[(&str, &str)] = &[$(($word, $says)),*];

            /// Its word.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    )*};
}

words! {
    /// The kind of a file.
    Format {
        #[default] Csv => "csv", "A text file of cells";
        Xlsx => "xlsx", "A workbook";
        JsonLines => "jsonl", "A JSON object on each line";
        Parquet => "parquet", "Typed columns, as Apache Parquet";
    }
    /// What has a row.
    Rows {
        #[default] Goals => "goals", "Each goal";
        CheckIns => "checkIns", "Each check-in, behind the columns of its goal";
    }
    /// Whether check-ins stand behind the columns of their goal.
    CheckInCells {
        #[default] Columns => "columns", "The first in the column `Checkins`, each further one in a column without a name";
        None => "none", "Not at all";
    }
    /// How several tags stand in a row.
    Tags {
        #[default] Joined => "joined", "In one cell";
        Columns => "columns", "Each in a column of its own: `Tag 1`, `Tag 2`, …";
        Rows => "rows", "Each in a row of its own, with all of its goal";
    }
    /// In whose words types and statuses are called.
    Labels {
        #[default] Custom => "custom", "The organization's words, as its files have them";
        Neutral => "neutral", "Words for programs: objective, keyResult, initiative; notStarted, onTrack and so on";
    }
    /// What leads to the server's page in a workbook.
    Links {
        #[default] None => "none", "Nothing";
        Id => "id", "The number in the column `Id`, to the page of the view";
    }
    /// How a file is packed.
    Compression {
        #[default] None => "none", "Not at all";
        Gzip => "gzip", "By gzip";
        Zstd => "zstd", "By Zstandard, which is smaller and sooner read";
    }
    /// Who opens a CSV.
    Profile {
        #[default] Machine => "machine", "Programs: RFC 4180";
        Excel => "excel", "Spreadsheets: a byte order mark, and no text is taken for a formula";
    }
    /// What stands between cells.
    Separator {
        #[default] Comma => "comma", "`,`";
        Semicolon => "semicolon", "`;`";
        Tab => "tab", "A tabulator";
    }
    /// What stands before decimals.
    DecimalMark {
        #[default] Point => "point", "`.`";
        Comma => "comma", "`,`";
    }
    /// What becomes of texts that a spreadsheet would take for formulas.
    FormulaGuard {
        #[default] None => "none", "They stand as they were written";
        Text => "text", "They get an apostrophe before them";
        Reject => "reject", "The file is not made";
    }
}

/// Which columns a file has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Columns {
    /// Those of a known kind of file.
    Known(KnownColumns),
    /// These.
    Chosen(Vec<String>),
}

impl Default for Columns {
    fn default() -> Self {
        Self::Known(KnownColumns::Viva)
    }
}

words! {
    /// Columns of a known kind of file.
    KnownColumns {
        #[default] Viva => "viva", "Those of Viva Goals' last files";
        Older => "vivaOlder", "Those of its older files";
        All => "all", "Every one";
    }
}

impl Options {
    /// Whether the file is the one that Viva Goals made, byte for byte.
    pub fn is_viva(&self) -> bool {
        *self == Self { compression: self.compression, ..Self::default() }
    }

    /// Read them, as a body or a command has them.
    ///
    /// # Errors
    /// What cannot be, and what could.
    pub fn parse(json: serde_json::Value) -> Result<Self, String> {
        let options: Self = serde_json::from_value(json).map_err(|error| error.to_string())?;
        options.check()?;
        Ok(options)
    }

    /// Whether all of it fits together.
    ///
    /// # Errors
    /// What does not, and what would.
    pub fn check(&self) -> Result<(), String> {
        if let Columns::Chosen(names) = &self.columns {
            if names.is_empty() {
                return Err("`columns` must name at least one column".to_owned());
            }
            for (position, name) in names.iter().enumerate() {
                let column = columns::find(name).ok_or_else(|| {
                    format!("there is no column `{name}`; the columns are listed at `/api/v1/exportColumns`")
                })?;
                if names[..position].iter().any(|other| other.eq_ignore_ascii_case(column.name)) {
                    return Err(format!("the column `{name}` is named twice"));
                }
            }
        }
        if self.tags != Tags::Joined && !self.goal_columns().iter().any(|column| column.name == "Tag") {
            return Err(format!(
                "`tags` cannot be `{}` without the column `Tag`; name it in `columns`",
                self.tags.word()
            ));
        }
        if self.tags == Tags::Rows && self.rows == Rows::CheckIns {
            return Err("of a file with a row for each check-in, `tags` cannot be `rows`".to_owned());
        }
        if let Some(zone) = &self.time_zone {
            if jiff::tz::TimeZone::get(zone).is_err() {
                return Err(format!("there is no time zone `{zone}`; name one such as `Europe/Berlin`"));
            }
            if self.format == Format::Parquet {
                return Err("Parquet holds instants, which are the same in every zone; leave `timeZone` out"
                    .to_owned());
            }
        }
        if self.links == Links::Id {
            if self.format != Format::Xlsx {
                return Err("`links` are for `xlsx` alone".to_owned());
            }
            if !self.goal_columns().iter().any(|column| column.name == "Id") {
                return Err("`links` cannot be `id` without the column `Id`; name it in `columns`".to_owned());
            }
        }
        let is_csv = self.format == Format::Csv;
        let says_csv = self.separator.is_some()
            || self.decimal_mark.is_some()
            || self.byte_order_mark.is_some()
            || self.formulas.is_some()
            || self.profile != Profile::Machine;
        if says_csv && !is_csv {
            return Err(
                "`profile`, `separator`, `decimalMark`, `byteOrderMark` and `formulas` are for `csv` alone"
                    .to_owned(),
            );
        }
        if self.decimal_mark == Some(DecimalMark::Comma)
            && self.separator.unwrap_or_default() == Separator::Comma
        {
            return Err(
                "`decimalMark` and `separator` cannot both be commas; say `\"separator\": \"semicolon\"`"
                    .to_owned(),
            );
        }
        if self.format.is_packed() && self.compression != Compression::None {
            return Err(
                "a workbook and a Parquet file are packed already; leave `compression` out".to_owned()
            );
        }
        if self.check_ins == Some(CheckInCells::Columns) && self.format.names_every_column() {
            return Err(
                "JSON and Parquet have no columns without a name; say `\"rows\": \"checkIns\"` for a file of check-ins"
                    .to_owned(),
            );
        }
        if self.check_ins == Some(CheckInCells::Columns) && self.rows == Rows::CheckIns {
            return Err("of a file with a row for each check-in, `checkIns` cannot be `columns`".to_owned());
        }
        Ok(())
    }

    /// Whether a file of changes can look like this.
    ///
    /// # Errors
    /// What it lacks.
    pub fn check_changes(&self) -> Result<(), String> {
        if self.rows != Rows::Goals || self.tags == Tags::Rows || self.children > 0 {
            return Err(
                "a file of what changed has a row for each goal of the view; leave `rows`, `children` and `tags` as rows out"
                    .to_owned(),
            );
        }
        if self.goal_columns().iter().all(|column| column.name != "Id") {
            return Err("a file of what changed needs the column `Id`".to_owned());
        }
        Ok(())
    }

    /// Whether a server at this configured address can make such a file.
    ///
    /// # Errors
    /// What its settings lack.
    pub fn check_origin(&self, public_url: Option<&str>) -> Result<(), String> {
        if self.links == Links::Id && public_url.is_none() {
            return Err("`links` need the server's address; the operator sets `public_url`".to_owned());
        }
        Ok(())
    }

    /// The columns of goals, in their order.
    pub(super) fn goal_columns(&self) -> Vec<&'static Column> {
        let named = |names: &[&str]| names.iter().filter_map(|name| columns::find(name)).collect();
        let columns: Vec<&'static Column> = match &self.columns {
            // The last is that of check-ins.
            Columns::Known(KnownColumns::Viva) => named(&viva_csv::COLUMNS[..viva_csv::COLUMNS.len() - 1]),
            Columns::Known(KnownColumns::Older) => named(&columns::OLDER),
            Columns::Known(KnownColumns::All) => columns::COLUMNS.iter().collect(),
            Columns::Chosen(names) => names.iter().filter_map(|name| columns::find(name)).collect(),
        };
        columns.into_iter().map(|column| columns::in_words(column, self.labels)).collect()
    }

    /// Whether check-ins stand behind the columns of goals.
    pub(super) fn spills_check_ins(&self) -> bool {
        let by_format = !self.format.names_every_column() && matches!(self.columns, Columns::Known(_));
        let wanted = self.check_ins.map_or(by_format, |cells| cells == CheckInCells::Columns);
        wanted && self.rows == Rows::Goals
    }

    pub(super) fn dialect(&self) -> Dialect {
        let profile = match self.profile {
            Profile::Machine => Dialect::MACHINE,
            Profile::Excel => Dialect::SPREADSHEET,
        };
        Dialect {
            separator: match self.separator {
                None => profile.separator,
                Some(Separator::Comma) => b',',
                Some(Separator::Semicolon) => b';',
                Some(Separator::Tab) => b'\t',
            },
            decimal: if self.decimal_mark == Some(DecimalMark::Comma) { b',' } else { b'.' },
            mark: self.byte_order_mark.unwrap_or(profile.mark),
            formulas: match self.formulas {
                None => profile.formulas,
                Some(FormulaGuard::None) => Formulas::Raw,
                Some(FormulaGuard::Text) => Formulas::AsText,
                Some(FormulaGuard::Reject) => Formulas::Refuse,
            },
        }
    }

    /// What the name of the file ends with.
    pub fn extension(&self) -> String {
        let packed = match self.compression {
            _ if self.format.is_packed() => "",
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
        };
        // The word of a format is what its files' names end with.
        format!("{}{packed}", self.format.word())
    }
}

impl Format {
    /// Whether what it holds is packed already.
    fn is_packed(self) -> bool {
        matches!(self, Self::Xlsx | Self::Parquet)
    }

    /// Whether every column needs a name of its own.
    fn names_every_column(self) -> bool {
        matches!(self, Self::JsonLines | Self::Parquet)
    }
}

/// What a file of this name is, for whoever fetches it.
pub fn media_type(file_name: &str) -> &'static str {
    match file_name.rsplit('.').next() {
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("jsonl") => "application/jsonl",
        Some("parquet") => "application/vnd.apache.parquet",
        Some("gz") => "application/gzip",
        // RFC 8878 §7.1.
        Some("zst") => "application/zstd",
        _ => "text/csv; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_together_is_refused_with_what_would() {
        for (options, says) in [
            (json!({ "format": "pdf" }), "unknown variant `pdf`"),
            (json!({ "colour": "red" }), "unknown field `colour`"),
            (json!({ "columns": ["Id", "Colour"] }), "no column `Colour`"),
            (json!({ "columns": ["Id", "id"] }), "named twice"),
            (json!({ "columns": [] }), "at least one"),
            (json!({ "format": "xlsx", "separator": "tab" }), "for `csv` alone"),
            (json!({ "decimalMark": "comma" }), "cannot both be commas"),
            (json!({ "format": "xlsx", "compression": "gzip" }), "packed already"),
            (json!({ "format": "parquet", "compression": "zstd" }), "packed already"),
            (json!({ "format": "jsonl", "checkIns": "columns" }), "no columns without a name"),
            (json!({ "format": "parquet", "checkIns": "columns" }), "no columns without a name"),
            (json!({ "rows": "checkIns", "checkIns": "columns" }), "cannot be `columns`"),
            (json!({ "tags": "rows" }), "without the column `Tag`"),
            (json!({ "tags": "columns", "columns": ["Id"] }), "without the column `Tag`"),
            (json!({ "tags": "rows", "columns": ["Tag"], "rows": "checkIns" }), "cannot be `rows`"),
            (json!({ "timeZone": "Europe/Atlantis" }), "no time zone `Europe/Atlantis`"),
            (json!({ "timeZone": "Europe/Berlin", "format": "parquet" }), "leave `timeZone` out"),
            (json!({ "links": "id" }), "for `xlsx` alone"),
            (json!({ "links": "id", "format": "xlsx", "columns": ["Title"] }), "without the column `Id`"),
            (json!({ "children": -1 }), "invalid value"),
        ] {
            let refused = Options::parse(options.clone()).expect_err("refused");
            assert!(refused.contains(says), "{options}: {refused}");
        }
        assert!(Options::parse(json!({})).expect("nothing said").is_viva());
        assert!(!Options::parse(json!({ "profile": "excel" })).expect("fits").is_viva());
        // An earlier program, which does not know them, is told of no choice that nobody made.
        let kept = serde_json::to_value(Options::default()).expect("words are JSON");
        for later in ["children", "labels", "timeZone", "links"] {
            assert_eq!(kept.get(later), None);
        }
    }

    #[test]
    fn every_known_column_is_there() {
        for (columns, count) in [("viva", viva_csv::COLUMNS.len() - 1), ("vivaOlder", columns::OLDER.len())] {
            let options = Options::parse(json!({ "columns": columns })).expect("fits");
            assert_eq!(options.goal_columns().len(), count, "{columns}");
        }
    }
}
