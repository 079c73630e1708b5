//! Who sees a view: everybody, its owner alone, or also people and teams whom the owner named.
//!
//! A team stands for its members and its owners as they are when somebody looks, not for the teams below it.

use std::fmt;

use goalpost_db::{Error, Result, Tx, Value, params};

use super::ViewError;
use crate::goals::filter::{Condition, Subject};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::table::{Kind, Table, write_list};

/// People and teams that one view may be shared with.
pub const MAX_SHARES: usize = 100;

static SHARES: Table = Table {
    name: "view_share",
    key: &["view", "position"],
    columns: &[("person", Kind::Int), ("team", Kind::Int)],
    has_history: true,
};

/// Somebody whom a view is shown to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// A person.
    Person(PersonNumber),
    /// The members and owners of the team of this number.
    Team(i64),
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(person) => write!(f, "person {}", person.0),
            Self::Team(team) => write!(f, "team {team}"),
        }
    }
}

/// The subject may see `view v`. Parameters are numbered from `first` on.
pub fn visible_to(subject: &Subject, first: usize) -> Condition {
    let Some(person) = subject.person else {
        return Condition { sql: "(v.is_public or v.owner is null)".to_owned(), params: Vec::new() };
    };
    let (organization, me) = (format!("?{first}"), format!("?{}", first + 1));
    let team_in = |table: &str| {
        format!("s.team in (select team from {table} where organization = {organization} and person = {me})")
    };
    Condition {
        sql: format!(
            "(v.is_public or v.owner is null or v.owner = {me} or exists (select 1 from view_share s \
             where s.organization = {organization} and s.view = v.id and (s.person = {me} or {} or {})))",
            team_in("team_member"),
            team_in("team_owner"),
        ),
        params: vec![subject.organization.into(), person.into()],
    }
}

/// Whether a view may be shared so.
pub(super) fn check(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    shares: &[Share],
) -> Result<(), ViewError> {
    if shares.len() > MAX_SHARES {
        return Err(ViewError::TooManyShares);
    }
    for &share in shares {
        let (sql, number) = match share {
            Share::Person(person) => {
                ("-- views::share_person\nselect 1 from person where organization = ?1 and id = ?2", person.0)
            }
            Share::Team(team) => {
                ("-- views::share_team\nselect 1 from team where organization = ?1 and id = ?2", team)
            }
        };
        let found = tx.query_opt(sql, params![organization, number], |_| Ok::<_, Error>(()))?;
        found.ok_or(ViewError::NoSuchShare(share))?;
    }
    Ok(())
}

/// Make the shares of a view from `present` into `wanted`; none of them counts twice.
pub(super) fn write(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    revision: i64,
    view: i64,
    present: &[Share],
    wanted: &[Share],
) -> Result<()> {
    write_list(&SHARES, tx, organization, view, revision, &values(present), &values(wanted))
}

fn values(shares: &[Share]) -> Vec<Value> {
    let mut seen: Vec<Share> = Vec::new();
    for share in shares {
        if !seen.contains(share) {
            seen.push(*share);
        }
    }
    let entry = |share: &Share| match *share {
        Share::Person(person) => [person.into(), Value::Null],
        Share::Team(team) => [Value::Null, team.into()],
    };
    seen.iter().flat_map(entry).collect()
}

/// The shares of some views, as pairs of a view's number and a share, in their order.
pub(super) fn read(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    views: &[i64],
) -> Result<Vec<(i64, Share)>> {
    let mut shares = Vec::new();
    SHARES.each(tx, organization, views, |key, columns| {
        shares.extend(match columns[..] {
            [Value::Int(person), _] => Some((key[0], Share::Person(PersonNumber(person)))),
            [_, Value::Int(team)] => Some((key[0], Share::Team(team))),
            _ => None,
        });
        Ok::<_, Error>(())
    })?;
    Ok(shares)
}
