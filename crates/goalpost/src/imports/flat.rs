//! Rows of one table under one number, with or without a list that hangs on them: people, teams, periods, tags.

use std::collections::HashMap;

use goalpost_db::Value;
use goalpost_viva::Entity;

use super::ImportError;
use super::kept::{Kept, image};
use super::run::Import;
use crate::table::{Table, write_list};

/// One such row, as the file has it.
pub(super) struct FlatRow {
    pub(super) id: i64,
    pub(super) columns: Vec<Value>,
    /// The entries of its list.
    pub(super) list: Vec<Value>,
}

impl Import<'_> {
    /// Compare rows with those that are there, and write what differs. `keep` carries over to the new columns what the
    /// file does not know of a row that is there.
    pub(super) fn write_flat(
        &mut self,
        entity: Entity,
        table: &Table,
        list: Option<&Table>,
        mut rows: Vec<FlatRow>,
        keep: impl Fn(&[Value], &mut [Value]),
    ) -> Result<(), ImportError> {
        rows.sort_unstable_by_key(|row| row.id);
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let (tx, organization) = (self.tx, self.number());
        let mut present: HashMap<i64, (Vec<Value>, Vec<Value>)> = HashMap::new();
        table.each(tx, organization, &ids, |key, columns| {
            present.insert(key[0], (columns, Vec::new()));
            Ok::<_, goalpost_db::Error>(())
        })?;
        if let Some(list) = list {
            list.each(tx, organization, &ids, |key, values| {
                if let Some((_, entries)) = present.get_mut(&key[0]) {
                    entries.extend(values);
                }
                Ok::<_, goalpost_db::Error>(())
            })?;
        }
        let origin = table.columns.len() - 1;
        let mut kept = Kept::default();
        for mut row in rows {
            let old = present.remove(&row.id);
            if let Some((columns, _)) = &old {
                keep(columns, &mut row.columns);
            }
            let was_there = old.as_ref().is_some_and(|(columns, _)| columns[origin] == row.columns[origin]);
            let was = image(old.as_ref().map(|(columns, entries)| (columns.as_slice(), entries.as_slice())));
            let (old_columns, old_list) = old.unwrap_or_default();
            let is_same = old_columns == row.columns && old_list == row.list;
            let tally = self.report.tally_mut(entity);
            match (was_there, is_same) {
                (false, _) => tally.added += 1,
                (true, false) => tally.changed += 1,
                (true, true) => tally.unchanged += 1,
            }
            if is_same {
                continue;
            }
            let Some(revision) = self.directory_revision()? else { continue };
            kept.push(
                organization,
                revision,
                table.name,
                row.id,
                &was,
                &image(Some((&row.columns, &row.list))),
            );
            table.put(tx, organization, &[row.id], revision, &row.columns)?;
            if let Some(list) = list {
                write_list(list, tx, organization, row.id, revision, &old_list, &row.list)?;
            }
        }
        Ok(kept.insert(tx)?)
    }
}
