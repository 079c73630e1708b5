//! Rows that were read back must fit each other: what every later statement takes for granted.

use std::collections::HashMap;

use goalpost_db::{Error, Table, Tx, params};

use super::dictionary::{Lines, PARTS, Part};
use super::{Result, TakeoutError};
use crate::ids::{FIRST_MINTED, OrganizationNumber};
use crate::views;

/// No revision and no number comes near to this, so that both can still be counted on.
const LAST: i64 = i64::MAX / 2;

/// Look at all that was inserted.
///
/// # Errors
/// [`TakeoutError::Damaged`] with everything that does not fit, once for each field.
pub(super) fn agree(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    tables: &HashMap<String, Table>,
) -> Result<()> {
    let mut wrong = Vec::new();
    let (revision, next_number) = tx.query_one(
        "-- takeout::bounds
        select revision, next_number from organization where number = ?1",
        params![organization],
        |row| Ok::<_, Error>((row.int(0)?, row.int(1)?)),
    )?;
    for (name, number, first) in [("revision", revision, 1), ("nextNumber", next_number, FIRST_MINTED)] {
        if !(first..=LAST).contains(&number) {
            wrong.push(format!("`organization.jsonl`: {name} must be between {first} and {LAST}"));
        }
    }
    if !wrong.is_empty() {
        return Err(TakeoutError::Damaged(wrong));
    }
    for lines in Part::all() {
        let Some(table) = tables.get(&lines.table()) else { continue };
        references(tx, organization, lines, table, &mut wrong)?;
        bounds(tx, organization, lines, (revision, next_number), &mut wrong)?;
    }
    counts(tx, organization, &mut wrong)?;
    if let Err(error) = views::queries::list(tx, organization) {
        wrong.push(format!("`views.jsonl` has a view that cannot be read: {error}"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(TakeoutError::Damaged(wrong)) }
}

/// What a row names is there. The past may name what is gone.
fn references(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    lines: Lines,
    table: &Table,
    wrong: &mut Vec<String>,
) -> Result<()> {
    if lines.past {
        return Ok(());
    }
    for field in lines.part.fields {
        let Some(to) = field.to else { continue };
        let sql = format!(
            "-- takeout::dangling
            select x.{0} from {1} x where x.organization = ?1 and x.{0} is not null
               and not exists (select 1 from {to} t where t.organization = ?1 and t.id = x.{0}) limit 1",
            field.column, table.name
        );
        if let Some(id) = tx.query_opt(&sql, params![organization], |row| row.int(0))? {
            let there =
                PARTS.iter().find(|part| part.table == to).map_or_else(String::new, |part| part.path());
            wrong.push(format!("`{}`: {} {id} is not in `{there}`", lines.path(), field.name));
        }
    }
    Ok(())
}

/// No row is of a revision that has not been, and no number is one that is still to be given.
fn bounds(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    lines: Lines,
    (revision, next_number): (i64, i64),
    wrong: &mut Vec<String>,
) -> Result<()> {
    if lines.part.table == "organization" {
        return Ok(());
    }
    let minted = ["goal", "person", "team", "period", "tag", "checkin", "comment", "task", "view"];
    for field in lines.fields() {
        let above = match field.column {
            "revision" | "until" => revision,
            "id" if minted.contains(&lines.part.table) => next_number - 1,
            _ => continue,
        };
        let sql = format!(
            "-- takeout::largest
            select max({}) from {} where organization = ?1",
            field.column,
            lines.table()
        );
        let largest = tx.query_one(&sql, params![organization], |row| row.opt_int(0))?;
        if let Some(largest) = largest.filter(|largest| *largest > above) {
            wrong.push(format!(
                "`{}`: {} {largest} is beyond what `organization.jsonl` says has been",
                lines.path(),
                field.name
            ));
        }
    }
    Ok(())
}

/// Every goal has as many check-ins as it says: files are as wide as that.
fn counts(tx: &Tx<'_>, organization: OrganizationNumber, wrong: &mut Vec<String>) -> Result<()> {
    let goal = tx.query_opt(
        "-- takeout::miscounted
        select g.id from goal g where g.organization = ?1 and g.checkin_count <>
          (select count(*) from checkin c where c.organization = ?1 and c.goal = g.id) limit 1",
        params![organization],
        |row| row.int(0),
    )?;
    if let Some(goal) = goal {
        wrong.push(format!("`goals.jsonl`: checkInCount of goal {goal} is not that of `check-ins.jsonl`"));
    }
    Ok(())
}
