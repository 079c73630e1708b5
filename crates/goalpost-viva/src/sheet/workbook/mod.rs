//! A workbook (ECMA-376, `.xlsx`), read from top to bottom: one row is in memory at a time.
//!
//! ```text
//! ZIP ──package──▶ parts ──xml──▶ pieces ──rows──▶ cells, with strings and styles
//! ```
//! Nothing in it is run: of a formula the value is taken that was last computed. Sizes are checked against
//! [`SheetLimits`] before anything is unpacked, and while it is. No reader of others is used, since those at hand hold
//! all texts of a workbook, or a whole sheet.
//!
//! Read in this order: `package`, `xml`, `strings`, `styles`, `rows`.

mod package;
mod rows;
mod strings;
mod styles;
mod xml;

use std::io::{Read, Seek};

use zip::read::Config;
use zip::unstable::read::ZipIterable;

pub(super) use rows::{Cell, Value};
pub use strings::Spool;
pub(super) use styles::moment;

use package::Package;
use rows::Rows;
use strings::Strings;
use styles::Styles;

use super::error::SheetError;
use super::explorer::SheetLimits;
use crate::archive::HARMLESS_BYTES;

/// Sheets that are read at most.
const SHEETS: usize = 100;

/// A workbook that is open.
#[derive(Debug)]
pub(super) struct Workbook<R> {
    package: Package<R>,
    limits: SheetLimits,
    strings: Strings,
    styles: Styles,
    /// Whether days are counted from 1904.
    pub(super) is_1904: bool,
    sheets: Vec<Sheet>,
}

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    /// What its tab says.
    pub(super) name: String,
    part: String,
}

/// Whether a ZIP is a workbook, by its directory.
pub fn is_workbook<R: Read + Seek>(input: &mut R) -> bool {
    let Ok(mut zip) = ZipIterable::try_new(input, Config::default()) else { return false };
    let Ok(entries) = zip.files() else { return false };
    entries.flatten().take(1_000).any(|entry| *entry.name_raw() == *b"[Content_Types].xml")
}

impl<R: Read + Seek> Workbook<R> {
    /// Opens a workbook: checks the ZIP, and reads what cells share.
    ///
    /// # Errors
    /// When it is no workbook, breaks a limit, or leads out of itself.
    pub(super) fn open(input: R, limits: SheetLimits, spool: Spool<'_>) -> Result<Self, SheetError> {
        let mut package = Package::open(input, limits)?;
        let main = package.relations("")?.into_iter().find(|relation| relation.kind == "officeDocument");
        let Some(main) = main.map(|relation| relation.target) else {
            return Err(SheetError::NoPart { part: "xl/workbook.xml".to_owned() });
        };
        if main.to_ascii_lowercase().rsplit('.').next() == Some("bin") {
            return Err(SheetError::Binary);
        }
        let relations = package.relations(&main)?;
        let (mut sheets, mut is_1904) = (Vec::new(), false);
        let mut xml = package.part(&main)?;
        while let Some(tag) = xml.next_start()? {
            match tag.name.as_str() {
                "workbookPr" => is_1904 = matches!(tag.get("date1904"), Some("1" | "true")),
                "sheet" => {
                    let found = relations.iter().find(|relation| Some(relation.id.as_str()) == tag.get("id"));
                    let name = tag.get("name").unwrap_or_default().to_owned();
                    let Some(relation) = found else {
                        return Err(xml.damaged("names a sheet that is nowhere"));
                    };
                    // A sheet may be a chart.
                    if relation.kind == "worksheet" {
                        sheets.push(Sheet { name, part: relation.target.clone() });
                    }
                }
                _ => {}
            }
            if sheets.len() > SHEETS {
                return Err(SheetError::TooLarge { what: "sheets", limit: SHEETS as u64, row: 0 });
            }
        }
        drop(xml);
        let part = |kind: &str| relations.iter().find(|relation| relation.kind == kind);
        let styles = match part("styles") {
            Some(relation) => Styles::read(package.part(&relation.target)?)?,
            None => Styles::default(),
        };
        let strings = match part("sharedStrings") {
            Some(relation) => Strings::read(package.part(&relation.target)?, limits, spool)?,
            None => Strings::default(),
        };
        Ok(Self { package, limits, strings, styles, is_1904, sheets })
    }

    /// Its sheets, as their tabs stand.
    pub(super) fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }

    /// Reads the rows of a sheet that have anything, each with its number, until `visit` says that it is enough.
    pub(super) fn each_row<E: From<SheetError>>(
        &mut self,
        sheet: usize,
        mut visit: impl FnMut(u64, &[Cell]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let Self { package, limits, strings, styles, is_1904, sheets } = self;
        let Some(sheet) = sheets.get(sheet) else { return Ok(()) };
        // A text that many cells share costs each of them its bytes.
        let bound = package.packed_bytes.saturating_mul(limits.ratio).max(64 * HARMLESS_BYTES);
        let budget = bound.min(limits.unpacked_bytes);
        let xml = package.part(&sheet.part)?;
        let mut rows = Rows { xml, strings, styles, is_1904: *is_1904, limits: *limits, row: 0 };
        let (mut cells, mut bytes) = (Vec::new(), 0);
        while rows.next(&mut cells)? {
            if cells.is_empty() {
                continue;
            }
            bytes += cells.iter().map(Cell::size_bytes).sum::<u64>();
            if bytes > budget {
                let what = "bytes of texts in the cells of a sheet";
                return Err(SheetError::TooLarge { what, limit: budget, row: rows.row }.into());
            }
            if !visit(rows.row, &cells)? {
                break;
            }
        }
        Ok(())
    }
}
