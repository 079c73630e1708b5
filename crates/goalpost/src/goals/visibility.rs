//! Who may see which goal.
//!
//! A goal is open to every member of its organization, or restricted to the people around it: owners, creator,
//! delegate, owners of its check-ins, and the people that its permissions name. An organization owner who is none of
//! these does not see it.
//!
//! All conditions are on `goal g` and are never `null`.

use super::filter::{Condition, Subject};
use super::history::AsOf;

/// The goal is one that files held or that was made here. A placeholder, which a file only mentioned, belongs to no
/// view.
pub const IS_HELD: &str = "g.origin <> 'reference'";

/// The goal's visibility is limited: whether it is among an export's rows depends on who asks.
pub const IS_RESTRICTED: &str = "g.restricted";

/// No parent of the goal is held (see [`IS_HELD`]): it has none, or placeholders only. It does not ask whether the
/// reader may see the parent, so that the rows of a view of top-level goals are the same for everyone.
///
/// A subquery in a subquery, since SQLite looks a parent up by its key there also in a statement about the past, and
/// would read all goals for each in a join. The first parameter is the organization.
pub const IS_TOP_LEVEL: &str = "not exists (select 1 from goal_parent l where l.organization = ?1 and l.goal = g.id \
     and exists (select 1 from goal p where p.organization = ?1 and p.id = l.parent and p.origin <> 'reference'))";

/// The subject may see the goal. Parameters are numbered from `first` on.
pub fn visible_to(subject: &Subject, first: usize) -> Condition {
    let Some(person) = subject.person else {
        return Condition { sql: format!("(not {IS_RESTRICTED})"), params: Vec::new() };
    };
    Condition { sql: ways("g", "", first), params: vec![subject.organization.into(), person.into()] }
}

/// The same in a statement that [`AsOf::text`] makes one of the past: the subject might see the goal then, and it is not
/// hidden from them today. Who restricts a goal hides its past as well.
pub fn visible_as_of(subject: &Subject, as_of: AsOf, first: usize) -> Condition {
    let then = visible_to(subject, first);
    if as_of == AsOf::Now {
        return then;
    }
    let now = subject.person.map_or_else(|| "(1 = 0)".to_owned(), |_| ways("n", "_now", first));
    let sql = format!(
        "({} and not exists (select 1 from goal_now n where n.organization = g.organization and n.id = g.id \
         and n.restricted and not {now}))",
        then.sql
    );
    Condition { sql, ..then }
}

/// Whether it depends on who asks that the goal is seen as of then: [`IS_RESTRICTED`], then or today.
pub fn restricted_as_of(as_of: AsOf) -> &'static str {
    match as_of {
        AsOf::Now => IS_RESTRICTED,
        AsOf::Revision(_) => {
            "(g.restricted or exists (select 1 from goal_now n where n.organization = g.organization \
             and n.id = g.id and n.restricted))"
        }
    }
}

/// How a goal, under this alias, is open to the person of the second parameter; tables have this behind their names.
fn ways(goal: &str, behind: &str, first: usize) -> String {
    let (organization, me) = (format!("?{first}"), format!("?{}", first + 1));
    let is = |column: &str| format!("({goal}.{column} is not null and {goal}.{column} = {me})");
    let linked = |table: &str| {
        format!(
            "exists (select 1 from {table}{behind} where organization = {organization} and goal = {goal}.id \
             and person = {me})"
        )
    };
    let ways = [
        format!("not {goal}.restricted"),
        is("creator"),
        is("delegate"),
        linked("goal_owner"),
        linked("goal_checkin_owner"),
        linked("goal_viewer"),
    ];
    format!("({})", ways.join(" or "))
}
