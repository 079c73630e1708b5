//! A template that people fill in: its rows become the elements that the ZIP of an organization has, as those of a table
//! do, and go the same way from there.
//!
//! ```text
//! file ──read──▶ rows ──judge (in the transaction)──▶ goals, and rows that are left out, each with its reason ──▶ a ZIP ──▶ run
//! ```
//! Unlike elsewhere a row that is wrong stops nobody else's: it is left out and told, with the rows below it. Nobody is
//! invited and nothing founded: people, teams and periods must be here. A row of which a goal with the same title, owners,
//! teams and period is here changes that goal, so the same file can be given again once its rows are mended.
//!
//! Read in this order: `goal`, `judge`; `workbook` writes an empty one.

mod goal;
mod judge;
mod workbook;

pub use workbook::workbook;

use std::fs::File;
use std::path::Path;

use goalpost_db::Tx;
use goalpost_viva::Archive;
use goalpost_viva::sheet::{SheetLimits, Template, TemplateColumn, read_template};

use super::report::{LeftOut, Report};
use super::spool::{Spool, file_in};
use super::table::{Kind, Partial};
use super::{ImportError, ImportOptions};
use crate::ids::OrganizationNumber;
use goal::Place;

/// Read a file as a template; none where it is a table.
pub(super) fn check(
    file: &File,
    path: &Path,
    kind: Kind,
    data_folder: &Path,
    limits: SheetLimits,
    options: &ImportOptions,
) -> Result<Option<Template>, ImportError> {
    let wrong = |source| ImportError::Table { path: path.to_owned(), source };
    let is_workbook = kind == Kind::Workbook;
    if !is_workbook && kind != Kind::Table {
        return Ok(None);
    }
    let spool = || file_in(data_folder, "texts");
    let template = read_template(file, is_workbook, limits, &spool).map_err(wrong)?;
    if template.is_some() && options.prune {
        return Err(ImportError::NothingToPrune);
    }
    Ok(template)
}

/// Turn the rows that can be taken into elements, and tell the others.
pub(super) fn translate(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    template: &Template,
    options: &ImportOptions,
    path: &Path,
    data_folder: &Path,
    report: &mut Report,
) -> Result<(Archive<File>, Partial), ImportError> {
    let titles = template.rows.iter().map(|row| row.get(TemplateColumn::Title)).collect();
    let mut place = Place::open(tx, organization, options, &titles)?;
    let mut drafts = Vec::with_capacity(template.rows.len());
    for row in &template.rows {
        drafts.push(place.draft(row)?);
    }
    judge::judge(&template.rows, &mut drafts);
    judge::judge_circles(tx, organization, &template.rows, &mut drafts)?;
    let (goals, partial) = place.goals(&template.rows, &drafts)?;
    for (row, draft) in template.rows.iter().zip(&drafts) {
        if !draft.reasons.is_empty() {
            report.left_out.add(|| LeftOut {
                row: row.row,
                title: draft.goal.title.clone(),
                reason: draft.reasons.join("; "),
                cells: row.cells.clone(),
            });
        }
    }
    report.left_out_headers.clone_from(&template.headers);

    let mut spool = Spool::begin(data_folder, path)?;
    place.new_tags.iter().try_for_each(|tag| spool.write(tag))?;
    goals.iter().try_for_each(|goal| spool.write(goal))?;
    Ok((spool.into_archive()?, partial))
}
