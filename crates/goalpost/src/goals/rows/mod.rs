//! The goals of a view, row by row, out of one snapshot: what a file is made of.
//!
//! Goals come in the order of their numbers. People, teams and periods are few and repeat, so their names are held in
//! memory; what hangs on goals (owners, teams, parents, check-ins) is clustered by goal, so it is read in the same
//! order beside them. The scan of the goals itself joins nothing. Memory is bounded by bytes, not by rows: a chunk of
//! goals ends at a number of bytes, and check-ins are held for one goal at a time.
//!
//! Read in this order: [`Plan`] (which goals; `below`: those that come along), `reader` (chunks of them), `chunk` and
//! `checkins` (in memory).

mod below;
mod checkins;
mod chunk;
mod plan;
mod reader;

use goalpost_db::{Error, Result, Tx};

use super::filter::{Condition, Subject};
use super::history::AsOf;
use super::visibility;

use self::checkins::Walk;
pub use self::checkins::{CheckInRow, CheckIns};
use self::chunk::{Chunk, Goal};
pub use self::plan::{Extent, Plan, Tagged};
use self::reader::{Links, Names, Reader, Titles};

/// Which goals, for whom.
#[expect(missing_debug_implementations, reason = "holds a closure")]
pub struct Query<'a> {
    /// For whom: only goals that this person may see are read.
    pub subject: &'a Subject,
    /// The condition on `goal g`, with parameters numbered from the given first one on.
    pub chosen: &'a dyn Fn(usize) -> Condition,
    /// Whether the condition leaves out nothing but placeholders.
    pub everything: bool,
    /// How many levels below the chosen goals come along, chosen or not.
    pub levels: u32,
    /// Which state of the organization.
    pub as_of: AsOf,
    /// Whether to read what a Viva Goals file does not have: tags, e-mail addresses and the columns that say so.
    pub wide: bool,
    /// Whether the subject's rights do not count: for what the operator takes out whole.
    pub unrestricted: bool,
}

impl Query<'_> {
    /// The condition that the subject may see a goal, with parameters numbered from `first` on.
    fn visible(&self, first: usize) -> Condition {
        if self.unrestricted {
            return Condition { sql: "(1 = 1)".to_owned(), params: Vec::new() };
        }
        visibility::visible_as_of(self.subject, self.as_of, first)
    }
}

/// A goal and what hangs on it. Names and texts are borrowed from the reader.
#[derive(Debug)]
pub struct GoalRow<'a> {
    chunk: &'a Chunk,
    goal: &'a Goal,
    names: &'a Names,
    /// Owners in their order.
    pub owners: &'a [Link],
    /// Teams in their order.
    pub teams: &'a [Link],
    /// Tags in their order, in a wide read.
    pub tags: &'a [Link],
    /// Check-ins, oldest first.
    pub checkins: &'a CheckIns,
    parents: &'a [ParentLink],
    titles: &'a Titles,
}

/// A number that hangs on a goal: an owner's or a team's.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    goal: i64,
    to: i64,
}

/// A parent as the reader may see it.
#[derive(Clone, Copy, Debug)]
pub struct Alignment<'a> {
    /// The parent's number.
    pub id: i64,
    /// Its title.
    pub title: &'a str,
    /// What the goal counts for in it, percent; `None` if no file said.
    pub weight: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
struct ParentLink {
    goal: i64,
    parent: i64,
    weight: Option<f64>,
}

/// What a read came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Goals read.
    pub rows: u64,
    /// Alignments left out because the parent is not for the subject to see.
    pub omitted: u64,
    /// Whether a restricted parent was met, seen or not: then another subject might read other rows.
    pub met_restricted: bool,
}

/// Hand every goal of the query to `f`, by number.
pub fn each<E: From<Error>>(
    tx: &Tx<'_>,
    query: &Query<'_>,
    plan: &Plan,
    mut f: impl FnMut(&GoalRow<'_>) -> Result<(), E>,
) -> Result<Summary, E> {
    let mut reader = Reader::new(tx, query, plan);
    let mut summary = Summary::default();
    let mut chunk = Chunk::default();
    let mut links = Links::default();
    let mut titles = Titles::default();
    let mut checkins = CheckIns::default();
    loop {
        let more = reader.read_chunk(&mut chunk)?;
        if !chunk.goals.is_empty() {
            reader.read_names()?;
            reader.read_links(&chunk, &mut links)?;
            summary.met_restricted |= reader.read_titles(&links.parents, &mut titles)?;
            reader.with_checkins(&chunk, |cursor| {
                let mut walk = Walk(cursor);
                let (mut owner, mut team, mut tag, mut parent) = (0, 0, 0, 0);
                for goal in &chunk.goals {
                    walk.read(goal.id, &mut checkins)?;
                    let row = GoalRow {
                        goal,
                        chunk: &chunk,
                        names: &reader.names,
                        owners: take(&links.owners, &mut owner, goal.id, |link| link.goal),
                        teams: take(&links.teams, &mut team, goal.id, |link| link.goal),
                        tags: take(&links.tags, &mut tag, goal.id, |link| link.goal),
                        parents: take(&links.parents, &mut parent, goal.id, |link| link.goal),
                        titles: &titles,
                        checkins: &checkins,
                    };
                    summary.rows += 1;
                    summary.omitted += (row.parents.len() - row.alignments().count()) as u64;
                    f(&row)?;
                }
                Ok::<_, E>(())
            })?;
        }
        if !more {
            return Ok(summary);
        }
    }
}

/// The part of a list that belongs to `goal`; the list and the goals asked for are in the same order.
fn take<'l, T>(list: &'l [T], from: &mut usize, goal: i64, key: impl Fn(&T) -> i64) -> &'l [T] {
    while list.get(*from).is_some_and(|item| key(item) < goal) {
        *from += 1;
    }
    let start = *from;
    while list.get(*from).is_some_and(|item| key(item) == goal) {
        *from += 1;
    }
    &list[start..*from]
}

impl<'a> GoalRow<'a> {
    /// The goal's number.
    pub fn id(&self) -> i64 {
        self.goal.id
    }

    /// The parents that the subject may see, in their order.
    pub fn alignments(&self) -> impl Iterator<Item = Alignment<'a>> + use<'a> {
        let titles = self.titles;
        self.parents.iter().filter_map(move |link| {
            let title = titles.visible(link.parent)?;
            Some(Alignment { id: link.parent, title, weight: link.weight })
        })
    }

    /// The name of a person.
    pub fn person(&self, id: i64) -> &'a str {
        self.names.people.get(&id).map_or("", |name| name)
    }

    /// The name of an owner.
    pub fn owner(&self, link: Link) -> &'a str {
        self.person(link.to)
    }

    /// The name of a team.
    pub fn team(&self, link: Link) -> &'a str {
        self.names.teams.get(&link.to).map_or("", |name| name)
    }

    /// The name of a tag.
    pub fn tag(&self, link: Link) -> &'a str {
        self.names.tags.get(&link.to).map_or("", |name| name)
    }

    /// The e-mail address of an owner, in a wide read.
    pub fn owner_email(&self, link: Link) -> &'a str {
        self.names.emails.get(&link.to).map_or("", |email| email)
    }

    /// The name of a time period.
    pub fn period_name(&self) -> &'a str {
        self.period().and_then(|id| self.names.periods.get(&id)).map_or("", |name| name)
    }
}
