//! Numbers: new ones, and those of rows that do not say theirs.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use goalpost_db::{Error, Tx, Value, params};
use goalpost_viva::sheet::GoalRow;

use super::super::ImportError;
use super::check::CheckedTable;
use super::names::Names;
use crate::goals::Origin;
use crate::goals::record::{Column, GoalRecord, List};
use crate::ids::OrganizationNumber;
use crate::orgs::queries;

/// Gives numbers, some at once; in a dry run such as nothing has.
pub(in crate::imports) struct Minter<'a> {
    tx: &'a Tx<'a>,
    organization: OrganizationNumber,
    dry_run: bool,
    next: i64,
    end: i64,
    at_once: i64,
}

impl<'a> Minter<'a> {
    pub(in crate::imports) fn new(tx: &'a Tx<'a>, organization: OrganizationNumber, dry_run: bool) -> Self {
        // Where numbers of a dry run begin no number will ever be, and there is room for many.
        let (next, end) = if dry_run { (i64::MAX / 2, i64::MAX) } else { (0, 0) };
        Self { tx, organization, dry_run, next, end, at_once: 1 }
    }

    pub(in crate::imports) fn mint(&mut self) -> Result<i64, ImportError> {
        if self.next == self.end && !self.dry_run {
            self.next = queries::mint_numbers(self.tx, self.organization, self.at_once)?;
            self.end = self.next + self.at_once;
            self.at_once = (2 * self.at_once).min(1_024);
        }
        self.next += 1;
        Ok(self.next - 1)
    }
}

/// Finds numbers for rows that have none.
pub(super) struct Unnumbered {
    /// Goals that are here, by a hash of the title.
    here: HashMap<u64, Vec<i64>>,
    taken: HashSet<i64>,
}

impl Unnumbered {
    /// Costs a pass over the organization's goals, unless every row has a number.
    pub(super) fn new(
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        checked: &CheckedTable,
    ) -> Result<Self, ImportError> {
        let mut here: HashMap<u64, Vec<i64>> = HashMap::new();
        if checked.ids.len() < checked.rows {
            tx.each(
                "-- imports::titles
                select id, title from goal where organization = ?1 and origin <> ?2 order by id",
                params![organization, Origin::Reference.as_str()],
                |row| {
                    here.entry(hash(row.text(1)?)).or_default().push(row.int(0)?);
                    Ok::<_, Error>(ControlFlow::Continue(()))
                },
            )?;
        }
        Ok(Self { here, taken: HashSet::new() })
    }

    /// The number of a row: what `Aligned To` of others says for its title, if only this row has that title; else that
    /// of a goal with its title, owners and period, each taken once; else a new one.
    pub(super) fn find(
        &mut self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        checked: &CheckedTable,
        row: &GoalRow,
        names: (&Names, &Names),
        minter: &mut Minter<'_>,
    ) -> Result<i64, ImportError> {
        let is_free = |id: i64| !checked.ids.contains(id.cast_unsigned());
        if let Some(Some(id)) = checked.parents.get(&row.title)
            && checked.titles.get(&hash(&row.title)) == Some(&1)
            && is_free(*id)
            && self.taken.insert(*id)
        {
            return Ok(*id);
        }
        let candidates: Vec<i64> = self.here.get(&hash(&row.title)).into_iter().flatten().copied().collect();
        let candidates: Vec<i64> =
            candidates.into_iter().filter(|id| is_free(*id) && !self.taken.contains(id)).collect();
        let records: BTreeMap<i64, GoalRecord> = GoalRecord::read(tx, organization, &candidates)?;
        let found = records.iter().find(|(_, goal)| is_same(goal, row, names)).map(|(id, _)| *id);
        let id = match found {
            Some(id) => id,
            None => minter.mint()?,
        };
        self.taken.insert(id);
        Ok(id)
    }
}

fn is_same(goal: &GoalRecord, row: &GoalRow, (people, periods): (&Names, &Names)) -> bool {
    let owners = numbers(goal.list(List::Owners)).map(|id| people.name(id)).collect::<Vec<_>>().join(", ");
    let period = match goal.get(Column::Period) {
        Value::Int(id) => periods.name(*id),
        _ => "",
    };
    matches!(goal.get(Column::Title), Value::Text(title) if *title == row.title)
        && crate::ids::fold(&owners) == crate::ids::fold(&row.owner_cell)
        && period == row.period
}

/// The numbers in a list of which each entry is one.
pub(in crate::imports) fn numbers(list: &[Value]) -> impl Iterator<Item = i64> {
    list.iter().filter_map(|value| if let Value::Int(id) = value { Some(*id) } else { None })
}

pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
