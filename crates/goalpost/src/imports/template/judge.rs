//! Which rows can be taken together: parents are there, nothing goes in a circle, no goal stands twice.

use std::collections::HashMap;

use goalpost_db::Tx;
use goalpost_viva::sheet::TemplateRow;

use super::super::ImportError;
use super::super::circles::Above;
use super::goal::Draft;
use crate::ids::OrganizationNumber;

/// Find the parents of rows, and give those that cannot be taken their reasons. A row below one that is left out is left
/// out too: it would lose its place.
pub(super) fn judge(rows: &[TemplateRow], drafts: &mut [Draft]) {
    let mut by_reference: HashMap<String, usize> = HashMap::new();
    let mut by_goal: HashMap<(String, Vec<i64>, Vec<i64>, i64), usize> = HashMap::new();
    for (at, draft) in drafts.iter_mut().enumerate() {
        let mut reasons = Vec::new();
        if !draft.reference.is_empty() {
            match by_reference.get(&draft.reference) {
                Some(first) => {
                    reasons.push(format!(
                        "OKR Reference: `{}` stands in row {} too",
                        draft.reference, rows[*first].row
                    ));
                }
                None => drop(by_reference.insert(draft.reference.clone(), at)),
            }
        }
        if let Some(key) = draft.key() {
            match by_goal.get(&key) {
                Some(first) => reasons.push(format!("is the same goal as row {}", rows[*first].row)),
                None => drop(by_goal.insert(key, at)),
            }
        }
        draft.reasons.extend(reasons);
    }
    for draft in drafts.iter_mut() {
        let Some(reference) = &draft.parent_reference else { continue };
        draft.parent = by_reference.get(reference).copied();
        if draft.parent.is_none() {
            draft
                .reasons
                .push(format!("Parent OKR: no row of this file has the OKR Reference `{reference}`"));
        }
    }
    for at in 0..drafts.len() {
        let mut above = drafts[at].parent;
        for _ in 0..drafts.len() {
            match above {
                Some(parent) if parent == at => {
                    drafts[at].reasons.push("Parent OKR: the row would be its own ancestor".to_owned());
                    break;
                }
                Some(parent) => above = drafts[parent].parent,
                None => break,
            }
        }
    }
    leave_out_below(rows, drafts);
}

/// Give the rows that would close a circle with alignments that are here their reason: of the rows of a circle, the last.
pub(super) fn judge_circles(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    rows: &[TemplateRow],
    drafts: &mut [Draft],
) -> Result<(), ImportError> {
    // A new goal has no number yet; the row's stands for it.
    let numbers: Vec<i64> =
        (1..).zip(&*drafts).map(|(row, draft)| draft.present_id().unwrap_or(-row)).collect();
    let here = numbers.iter().copied().filter(|number| *number > 0);
    let above_here = Above::load(tx, organization, here, HashMap::new())?;
    // A row that is left out takes those below it along, and what these would have closed is open again.
    loop {
        let mut above = above_here.clone();
        let mut changed = false;
        for at in 0..drafts.len() {
            let draft = &mut drafts[at];
            let Some(parent) = draft.parent.filter(|_| draft.reasons.is_empty()).map(|row| numbers[row])
            else {
                continue;
            };
            if above.is_below(numbers[at], parent) {
                continue;
            }
            if above.path(parent, numbers[at]).is_some() {
                draft.reasons.push(
                    "Parent OKR: with alignments that are here, the goal would be its own ancestor"
                        .to_owned(),
                );
                changed = true;
                continue;
            }
            above.add(numbers[at], parent);
        }
        if !changed || !leave_out_below(rows, drafts) {
            return Ok(());
        }
    }
}

/// Leave out the rows below those that are left out; tells whether there are any.
fn leave_out_below(rows: &[TemplateRow], drafts: &mut [Draft]) -> bool {
    let mut any = false;
    // Parents may stand behind their children, so this is done until nothing changes; each time a row less is good.
    loop {
        let is_left_out: Vec<bool> = drafts.iter().map(|draft| !draft.reasons.is_empty()).collect();
        let mut changed = false;
        for draft in drafts.iter_mut().filter(|draft| draft.reasons.is_empty()) {
            if let Some(parent) = draft.parent.filter(|parent| is_left_out[*parent]) {
                draft.reasons.push(format!("its parent, row {}, is left out", rows[parent].row));
                changed = true;
            }
        }
        if !changed {
            return any;
        }
        any = true;
    }
}
