//! A statement about the present, asked about the past.

use std::borrow::Cow;
use std::collections::BTreeSet;

use goalpost_db::Tx;

use crate::goals::checkin::CHECKIN;
use crate::goals::record::{GOAL, List};
use crate::goals::write::comments::COMMENT;
use crate::table::Table;

/// Behind the name of a table: its rows of today, in a statement as of another time.
const NOW: &str = "_now";

/// Which state of an organization a statement is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AsOf {
    /// The present one.
    #[default]
    Now,
    /// As it was after this revision.
    Revision(i64),
}

impl AsOf {
    /// The text of a statement about this state, made of one that reads the present tables. Its first line is its name,
    /// its first parameter the organization, and it does not begin with common table expressions of its own.
    ///
    /// Goals, their lists, check-ins and comments are as they were then; a name with `_now` behind it, such as
    /// `goal_now`, is the table of today. Everything else is as today. A scan costs what it costs now, and reads the
    /// history of the stretch that it goes along besides.
    pub fn text<'s>(self, tx: &Tx<'_>, sql: &'s str) -> Cow<'s, str> {
        let Self::Revision(revision) = self else { return Cow::Borrowed(sql) };
        let named = named(sql);
        let (today, then): (Vec<String>, Vec<String>) =
            tables().fold(Default::default(), |mut all, table| {
                let name = format!("{}{NOW}", table.name);
                if named.contains(name.as_str()) {
                    let beneath = tx.beneath(table.name);
                    all.0.push(format!(
                        "{name} as not materialized (select * from {beneath} where organization = ?1)"
                    ));
                }
                if named.contains(table.name) {
                    all.1.push(shadow(tx, table, revision));
                }
                all
            });
        // Those of today first: what stands before is not seen by what comes after on one engine, and all of it on the other.
        let expressions = [today, then].concat();
        if expressions.is_empty() {
            return Cow::Borrowed(sql);
        }
        let (name, body) = sql.split_once('\n').unwrap_or(("", sql));
        debug_assert!(!body.trim_start().starts_with("with "), "{name} begins with expressions of its own");
        Cow::Owned(format!("{name}\nwith {}\n{body}", expressions.join(",\n")))
    }
}

/// Tables whose past is kept, as far as goals go.
pub(super) fn tables() -> impl Iterator<Item = &'static Table> {
    let lists = List::ALL.iter().map(|list| list.table());
    std::iter::once(&GOAL).chain(lists).chain([&CHECKIN, &COMMENT])
}

/// The rows of a table as they were, under its name.
fn shadow(tx: &Tx<'_>, table: &Table, revision: i64) -> String {
    let columns: Vec<&str> = table.all_columns().collect();
    let (name, columns, beneath) = (table.name, columns.join(", "), tx.beneath(table.name));
    format!(
        "{name} as not materialized (
            select {columns} from {beneath} where organization = ?1 and revision <= {revision}
            union all
            select {columns} from {name}_history
             where organization = ?1 and revision <= {revision} and until > {revision})"
    )
}

/// The tables that a statement reads.
fn named(sql: &str) -> BTreeSet<&str> {
    let words = || sql.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    words()
        .zip(words().skip(1))
        .filter(|(before, _)| matches!(*before, "from" | "join"))
        .map(|pair| pair.1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_those_behind_from_and_join() {
        let sql = "select goal, from_day from checkin where exists (select 1 from goal_parent l\n join goal g on l.goal = g.id)";
        assert_eq!(named(sql).into_iter().collect::<Vec<_>>(), ["checkin", "goal", "goal_parent"]);
    }
}
