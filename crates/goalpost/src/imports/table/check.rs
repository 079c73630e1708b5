//! The first pass over a table: every row is read, and what must be known before the first is written is gathered.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;

use goalpost_viva::sheet::{CellError, Column, Encoding, Explorer, HeaderWords, SheetError, SheetLimits};
use roaring::RoaringTreemap;

use super::super::spool::file_in;
use super::super::{ImportError, ImportOptions, Progress};
use super::Kind;
use super::numbers::hash;

/// Problems that are listed; the others are counted.
const LISTED: usize = 50;
/// Bytes of names and titles that are held at most.
const TEXT_BYTES: usize = 64 << 20;

/// A table that can be read to its end, and what is in it.
pub(in crate::imports) struct CheckedTable {
    pub(super) table: Explorer<File>,
    pub(in crate::imports) rows: u64,
    pub(super) ids: RoaringTreemap,
    /// Names that stand alone in a cell, so that they are known to be one name each.
    pub(super) lone_names: HashSet<String>,
    /// The number that `Aligned To` gives each title; none for a title of several goals. Gathered if rows lack one.
    pub(super) parents: HashMap<String, Option<i64>>,
    /// How many rows have each title, by its hash.
    pub(super) titles: HashMap<u64, u32>,
    /// Titles that hold what ends a parent in `Aligned To`, by number.
    pub(super) bracketed: HashMap<i64, String>,
    /// What the operator should know about the file.
    pub(in crate::imports) notes: Vec<String>,
}

/// Read a whole table.
pub(in crate::imports) fn check(
    file: File,
    path: &Path,
    kind: Kind,
    data_folder: &Path,
    limits: SheetLimits,
    options: &ImportOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<CheckedTable, ImportError> {
    let wrong = |source| ImportError::Table { path: path.to_owned(), source };
    if options.prune {
        return Err(ImportError::NothingToPrune);
    }
    let words = options.map.headers.iter().map(|(word, header)| (word.as_str(), header.as_str()));
    let words = HeaderWords::new(words).map_err(wrong)?;
    let table = match kind {
        Kind::Workbook => Explorer::open_workbook(file, limits, &words, &|| file_in(data_folder, "texts")),
        Kind::Parquet => Explorer::open_parquet(file, limits, &words),
        Kind::Lines => Explorer::open_json_lines(file, limits, &words),
        _ => Explorer::open(file, limits, &words),
    };
    let table = table.map_err(wrong)?;
    let mut checked = CheckedTable {
        table,
        rows: 0,
        ids: RoaringTreemap::new(),
        lone_names: HashSet::new(),
        parents: HashMap::new(),
        titles: HashMap::new(),
        bracketed: HashMap::new(),
        notes: Vec::new(),
    };
    let mut problems = CellProblems::default();
    let mut bytes = 0;
    let CheckedTable { table, rows, ids, lone_names, parents, titles, bracketed, .. } = &mut checked;
    let read = table.each(|row, errors| {
        *rows += 1;
        if rows.is_multiple_of(1_000) {
            progress(Progress::Checking { done: *rows, total: *rows });
        }
        for error in errors {
            problems.add(error);
        }
        match row.id {
            Some(id) if !ids.insert(id.cast_unsigned()) => problems.add(CellError {
                row: row.row,
                column: Column::Id.header().to_owned(),
                value: id.to_string(),
                what: "is the number of an earlier row too".to_owned(),
            }),
            _ => {}
        }
        for name in std::iter::once(&row.creator).chain(row.check_ins.iter().map(|check_in| &check_in.user)) {
            if !lone_names.contains(name) {
                bytes += name.len() + 48;
                lone_names.insert(name.clone());
            }
        }
        for parent in row.parents {
            match parents.get_mut(&parent.title) {
                Some(known) if *known != Some(parent.id) => *known = None,
                Some(_) => {}
                None => {
                    bytes += parent.title.len() + 64;
                    parents.insert(parent.title, Some(parent.id));
                }
            }
        }
        if let Some(id) = row.id
            && row.title.contains("%, Id: ")
        {
            bytes += row.title.len() + 64;
            bracketed.insert(id, row.title.clone());
        }
        *titles.entry(hash(&row.title)).or_insert_with(|| {
            bytes += 24;
            0
        }) += 1;
        if bytes > TEXT_BYTES {
            let (what, limit) = ("bytes of different titles and names", TEXT_BYTES as u64);
            return Err(SheetError::TooLarge { what, limit, row: row.row });
        }
        Ok::<_, SheetError>(())
    });
    read.map_err(wrong)?;
    problems.into_result()?;
    if ids.len() == *rows {
        // Every row says its number.
        (*parents, *titles) = (HashMap::new(), HashMap::new());
    }
    if checked.table.encoding() == Encoding::Windows1252 {
        let note =
            "the file is no UTF-8 and was read as Windows-1252: look whether letters with accents are right";
        checked.notes.push(note.to_owned());
    }
    if checked.table.has_mixed_line_ends() {
        checked.notes.push("rows of the file end in different ways: it was edited by hand".to_owned());
    }
    for sheet in checked.table.ignored_sheets() {
        checked.notes.push(format!("the sheet `{sheet}` is not part of the table and was not read"));
    }
    let (formulas, count) = checked.table.formulas();
    if count > 0 {
        let more = if count > formulas.len() as u64 { ", …" } else { "" };
        let formulas = formulas.join(", ");
        let cells =
            if count == 1 { "1 cell is a formula".to_owned() } else { format!("{count} cells are formulas") };
        checked.notes.push(format!(
            "{cells}: nothing was computed, the values that were last saved were taken: {formulas}{more}"
        ));
    }
    Ok(checked)
}

/// Cells that cannot be taken: the first of them, and how many there are.
#[derive(Default)]
pub(in crate::imports) struct CellProblems {
    listed: Vec<CellError>,
    total: u64,
}

impl CellProblems {
    pub(in crate::imports) fn add(&mut self, error: CellError) {
        self.total += 1;
        if self.listed.len() < LISTED {
            self.listed.push(error);
        }
    }
    /// An error if there are any.
    pub(in crate::imports) fn into_result(self) -> Result<(), ImportError> {
        match self.total {
            0 => Ok(()),
            total => Err(ImportError::Cells { shown: self.listed, total }),
        }
    }
}
