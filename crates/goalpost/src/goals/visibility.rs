//! Who may see which goal.
//!
//! A goal is open to every member of its organization, or restricted to the people around it: owners, creator,
//! delegate, owners of its check-ins, and the people that its permissions name. An organization owner who is none of
//! these does not see it.
//!
//! All conditions are on `goal g` and are never `null`.

use super::filter::{Condition, Subject};

/// The goal is one that files held or that was made here. A placeholder, which a file only mentioned, belongs to no
/// view.
pub const IS_HELD: &str = "g.origin <> 'reference'";

/// The goal's visibility is limited: whether it is among an export's rows depends on who asks.
pub const IS_RESTRICTED: &str = "g.restricted";

/// No parent of the goal is held (see [`IS_HELD`]): it has none, or placeholders only. It does not ask whether the
/// reader may see the parent, so that the rows of a view of top-level goals are the same for everyone.
pub const IS_TOP_LEVEL: &str = "not exists (select 1 from goal_parent l \
     join goal p on p.organization = l.organization and p.id = l.parent \
     where l.organization = g.organization and l.goal = g.id and p.origin <> 'reference')";

/// The subject may see the goal. Parameters are numbered from `first` on.
pub fn visible_to(subject: &Subject, first: usize) -> Condition {
    let Some(person) = subject.person else {
        return Condition { sql: format!("(not {IS_RESTRICTED})"), params: Vec::new() };
    };
    let (organization, me) = (format!("?{first}"), format!("?{}", first + 1));
    let is = |column: &str| format!("(g.{column} is not null and g.{column} = {me})");
    let linked = |table: &str| {
        format!(
            "exists (select 1 from {table} where organization = {organization} and goal = g.id and person = {me})"
        )
    };
    let ways = [
        format!("not {IS_RESTRICTED}"),
        is("creator"),
        is("delegate"),
        linked("goal_owner"),
        linked("goal_checkin_owner"),
        linked("goal_viewer"),
    ];
    Condition {
        sql: format!("({})", ways.join(" or ")),
        params: vec![subject.organization.into(), person.into()],
    }
}
