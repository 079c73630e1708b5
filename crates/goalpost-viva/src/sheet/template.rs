//! A template that people fill in to bring goals, as Viva Goals had one: a workbook, or the CSV of its sheet.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use jiff::civil::Date;

use super::cells;
use super::error::SheetError;
use super::explorer::SheetLimits;
use super::header::{Column, fold};
use super::source::{Text, text};
use super::workbook::{Spool, Workbook};
use crate::error::shown;

/// The sheet that is filled in.
pub const SHEET: &str = "OKRs and Project";
/// Rows that a template may have.
pub const ROWS: usize = 1_000;
/// How large a template may be, in bytes.
pub const BYTES: u64 = 5 << 20;
/// Bytes of text that all its cells may have, which share texts in a workbook.
const TEXT_BYTES: u64 = 4 * BYTES;
/// The column that a list of what was left out has behind the others. It is not read.
pub const REASON: &str = "reason";

macro_rules! columns {
    ($($column:ident = $header:literal $basic:literal $about:literal, $example:literal;)*) => {
        /// A column of a template.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum TemplateColumn { $(#[doc = concat!("`", $header, "`: ", $about, ".")] $column),* }

        impl TemplateColumn {
            /// Every column, in the order of the template.
            pub const ALL: &[Self] = &[$(Self::$column),*];

            /// Its header.
            pub fn header(self) -> &'static str {
                match self { $(Self::$column => $header),* }
            }

            /// Whether no template may lack it.
            pub fn is_basic(self) -> bool {
                match self { $(Self::$column => $basic),* }
            }

            /// What its cells say.
            pub fn about(self) -> &'static str {
                match self { $(Self::$column => $about),* }
            }

            /// What one of them may be.
            pub fn example(self) -> &'static str {
                match self { $(Self::$column => $example),* }
            }
        }

        /// What to change where a header is wrong.
        pub(super) const HEADERS: &str = concat!(
            "take the headers of the template as they are, with none renamed or removed:", $(" `", $header, "`,",)*
            " as `goalpost import template` writes them"
        );
    };
}

columns! {
    Reference = "OKR Reference" true "A word of your own for the row, so that others can name it as their parent", "O1";
    Parent = "Parent OKR" true "The OKR Reference of the row that this one is aligned to", "";
    ObjectType = "Object Type" true "Objective, Key Result or Initiative, or your organization's word for it", "Objective";
    Title = "Title" true "What is to be achieved; never empty", "Healthy trees";
    Owner = "Owner" true "E-mail addresses of people who are here, joined by `;`; a name will do if only one bears it", "ada.quill@contoso.example";
    Type = "Type" true "Organization, Individual, or the name of a team that is here", "Organization";
    Team = "Team" true "Names of further teams that are here, joined by `;`", "";
    Period = "Time period" true "The name of a time period that is here; never empty", "Q1 2026";
    StartDate = "Start Date" false "The first day; that of the period if empty", "2026-01-01";
    EndDate = "End Date" false "The last day; that of the period if empty", "2026-03-31";
    Description = "Description" false "More words", "";
    Tag = "Tag" false "Tags, joined by `,`", "Winter, Orchard";
    GoalType = "Goal Type" false "Aspirational or Committed", "Aspirational";
    MetricName = "Metric Name" false "What is counted; empty for a percentage", "Trees";
    Unit = "Unit" false "%, $, or empty for a number", "";
    TargetType = "Target Type" false "Reach, Increase From, Decrease From, Stay Above, Stay Below or Find a Baseline", "Increase From";
    Start = "Start" false "The value to begin with", "100";
    Target = "Target" false "The value to reach", "300";
    Current = "Current" false "The value now; percent where nothing is counted", "150";
    Status = "Status" false "Not Started, On Track, Behind, At Risk, Closed or Postponed", "On Track";
    Weight = "Weight" false "What it counts for in its parent, in percent", "50%";
    ProgressMode = "Progress mode" false "Update Manually or Update from Children", "Update Manually";
    CheckInOwner = "Check-in owner" false "Who is asked to check in, like Owner", "";
    Visibility = "Visibility" false "Everybody, or Private for its own people alone", "Everybody";
}

impl TemplateColumn {
    fn of(word: &str) -> Option<Self> {
        let word = fold(word);
        Self::ALL.iter().copied().find(|column| fold(column.header()) == word)
    }
}

/// A template that was filled in, in memory.
#[derive(Debug)]
pub struct Template {
    /// The headers, as they stand.
    pub headers: Vec<String>,
    /// The rows that have anything.
    pub rows: Vec<TemplateRow>,
    text_bytes: u64,
}

/// A row of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateRow {
    /// The row as a spreadsheet counts it.
    pub row: u64,
    /// All cells, in the order of the headers.
    pub cells: Vec<String>,
    values: BTreeMap<TemplateColumn, String>,
}

impl TemplateRow {
    /// What stands in a column, without blanks around it; empty where there is nothing.
    pub fn get(&self, column: TemplateColumn) -> &str {
        self.values.get(&column).map_or("", |cell| cell.trim())
    }

    /// The number in a column.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn number(&self, column: TemplateColumn) -> Result<Option<f64>, String> {
        cells::unless_blank(self.get(column), cells::percent)
            .map_err(|_| self.wrong(column, "is no number such as 1234.5 or 1,234.5"))
    }

    /// The day in a column.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn day(&self, column: TemplateColumn) -> Result<Option<Date>, String> {
        cells::unless_blank(self.get(column), cells::day)
            .map_err(|_| self.wrong(column, "is no day such as 2025-01-31"))
    }

    /// What is wrong with a cell, in words.
    pub fn wrong(&self, column: TemplateColumn, what: &str) -> String {
        format!("{}: `{}` {what}", column.header(), shown(self.get(column)))
    }
}

/// Reads a template; none where the file is none.
///
/// # Errors
/// Where it is one, and its sheet or a header was renamed, or a cell or the whole is too large.
pub fn read_template<R: Read + Seek>(
    mut input: R,
    is_workbook: bool,
    limits: SheetLimits,
    spool: Spool<'_>,
) -> Result<Option<Template>, SheetError> {
    // A larger file is a table, or refused by its reader.
    if input.seek(SeekFrom::End(0))? > BYTES {
        return Ok(None);
    }
    if is_workbook {
        return read_workbook(input, limits, spool);
    }
    let known = |cells: &[String]| cells.iter().filter(|cell| TemplateColumn::of(cell).is_some()).count();
    let Ok((mut table, headers)) = Text::open(input, limits, &known) else {
        return Ok(None);
    };
    if !is_header(&headers) {
        return Ok(None);
    }
    let mut template = Template::new(headers)?;
    table.each(limits, |row, cells| template.push(row, cells.iter().cloned()))?;
    Ok(Some(template))
}

fn read_workbook<R: Read + Seek>(
    input: R,
    limits: SheetLimits,
    spool: Spool<'_>,
) -> Result<Option<Template>, SheetError> {
    let mut workbook = Workbook::open(input, limits, spool)?;
    let named = workbook.sheets().iter().position(|sheet| fold(&sheet.name) == fold(SHEET));
    let is_1904 = workbook.is_1904;
    let Some(sheet) = named else {
        for sheet in 0..workbook.sheets().len() {
            let mut first = Vec::new();
            workbook.each_row(sheet, |_, cells| {
                first = cells.iter().map(|cell| text(cell, None, is_1904).0).collect();
                Ok::<_, SheetError>(false)
            })?;
            if is_header(&first) {
                return Err(SheetError::RenamedSheet { found: shown(&workbook.sheets()[sheet].name) });
            }
        }
        return Ok(None);
    };
    let mut template: Option<Template> = None;
    workbook.each_row(sheet, |row, cells| {
        let Some(template) = &mut template else {
            let mut headers = vec![String::new(); cells.last().map_or(0, |last| last.column + 1)];
            for cell in cells {
                headers[cell.column] = text(cell, None, is_1904).0;
            }
            template = Some(Template::new(headers)?);
            return Ok(true);
        };
        let place = |column: usize| template.headers.get(column).and_then(|word| TemplateColumn::of(word));
        let texts: Vec<(usize, String)> = cells
            .iter()
            .map(|cell| {
                let as_table = match place(cell.column) {
                    Some(TemplateColumn::StartDate) => Some(Column::StartDate),
                    Some(TemplateColumn::EndDate) => Some(Column::EndDate),
                    _ => None,
                };
                (cell.column, text(cell, as_table, is_1904).0)
            })
            .filter(|(_, text)| !text.is_empty())
            .collect();
        template.push(row, texts.into_iter())?;
        Ok::<_, SheetError>(true)
    })?;
    template.map(Some).ok_or(SheetError::Empty)
}

/// Refuses a first row that is a template's, in a file that is too large for one.
pub(super) fn refuse(cells: &[String]) -> Result<(), SheetError> {
    if is_header(cells) { Err(SheetError::LargeTemplate) } else { Ok(()) }
}

fn is_header(cells: &[String]) -> bool {
    let has = |column| cells.iter().any(|cell| TemplateColumn::of(cell) == Some(column));
    has(TemplateColumn::Reference) || has(TemplateColumn::Parent)
}

impl Template {
    fn new(mut headers: Vec<String>) -> Result<Self, SheetError> {
        while headers.last().is_some_and(|word| word.trim().is_empty()) {
            headers.pop();
        }
        let mut found = Vec::new();
        if headers.iter().filter(|word| fold(word) == fold(REASON)).count() > 1 {
            return Err(SheetError::TwoColumns { column: REASON });
        }
        for word in headers.iter().filter(|word| fold(word) != fold(REASON)) {
            match TemplateColumn::of(word) {
                Some(column) if found.contains(&column) => {
                    return Err(SheetError::TwoColumns { column: column.header() });
                }
                Some(column) => found.push(column),
                None => return Err(SheetError::NotOfTemplate { word: shown(word) }),
            }
        }
        let is_missing = |column: &&TemplateColumn| column.is_basic() && !found.contains(*column);
        match TemplateColumn::ALL.iter().find(is_missing) {
            Some(column) => Err(SheetError::NotInTemplate { column: column.header() }),
            None => Ok(Self { headers, rows: Vec::new(), text_bytes: 0 }),
        }
    }

    fn push(&mut self, row: u64, cells: impl Iterator<Item = (usize, String)>) -> Result<(), SheetError> {
        let mut read =
            TemplateRow { row, cells: vec![String::new(); self.headers.len()], ..Default::default() };
        for (at, cell) in cells {
            let Some(word) = self.headers.get(at) else {
                return Err(SheetError::BehindTemplate { row, value: shown(&cell) });
            };
            self.text_bytes += cell.len() as u64;
            if self.text_bytes > TEXT_BYTES {
                return Err(SheetError::LargeTemplate);
            }
            if let Some(column) = TemplateColumn::of(word) {
                read.values.insert(column, cell.clone());
            }
            read.cells[at] = cell;
        }
        if read.values.values().all(|cell| cell.trim().is_empty()) {
            return Ok(());
        }
        if self.rows.len() == ROWS {
            return Err(SheetError::TooLarge { what: "rows of a template", limit: ROWS as u64, row: 0 });
        }
        self.rows.push(read);
        Ok(())
    }
}
