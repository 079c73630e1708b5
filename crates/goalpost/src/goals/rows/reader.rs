//! The statements of one read, and the names that all its rows share.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::sync::LazyLock;

use goalpost_db::{Cursor, Error, Result, Tx, Value};
use roaring::RoaringTreemap;

use super::chunk::{COLUMNS, Chunk, WIDE_COLUMNS};
use super::plan::{Plan, Way};
use super::{Link, ParentLink, Query};
use crate::goals::filter::Condition;
use crate::goals::history::AsOf;
use crate::goals::visibility;

/// Goals of one chunk that is read along the key.
const RANGE_CHUNK: usize = 2_000;
/// Numbers in one look-up; the statement is prepared once for that many.
pub(super) const LOOKUP: usize = 200;
/// Texts of one chunk; a chunk may exceed it by one goal.
const CHUNK_BYTES: usize = 2 * 1024 * 1024;
/// Parents, and bytes of their titles, that are kept for the goals to come.
const KEPT_PARENTS: usize = 20_000;
const KEPT_BYTES: usize = 2 * 1024 * 1024;

/// Names by number.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) people: HashMap<i64, Box<str>>,
    pub(super) teams: HashMap<i64, Box<str>>,
    pub(super) periods: HashMap<i64, Box<str>>,
    /// Of a wide read.
    pub(super) tags: HashMap<i64, Box<str>>,
    pub(super) emails: HashMap<i64, Box<str>>,
}

impl Names {
    fn read(tx: &Tx<'_>, organization: &Value, wide: bool) -> Result<Self> {
        let names = |sql: &str| {
            let rows = tx.query(sql, std::slice::from_ref(organization), |row| {
                Ok::<_, Error>((row.int(0)?, Box::from(row.text(1)?)))
            });
            Ok::<_, Error>(rows?.into_iter().collect())
        };
        let of_wide = |sql: &str| if wide { names(sql) } else { Ok(HashMap::new()) };
        Ok(Self {
            people: names("-- goals::people\nselect id, name from person where organization = ?1")?,
            teams: names("-- goals::teams\nselect id, name from team where organization = ?1")?,
            periods: names("-- goals::periods\nselect id, name from period where organization = ?1")?,
            tags: of_wide("-- goals::tags\nselect id, name from tag where organization = ?1")?,
            emails: of_wide(
                "-- goals::emails\nselect id, email from person where organization = ?1 and email is not null",
            )?,
        })
    }
}

/// What hangs on the goals of a chunk, in the order of the goals.
#[derive(Debug, Default)]
pub(super) struct Links {
    pub(super) owners: Vec<Link>,
    pub(super) teams: Vec<Link>,
    pub(super) tags: Vec<Link>,
    pub(super) parents: Vec<ParentLink>,
}

/// The parents that were met, by number. Their titles are one text, so that forgetting them leaves no holes in memory.
#[derive(Debug, Default)]
pub(super) struct Titles {
    parents: HashMap<i64, Parent>,
    text: String,
}

#[derive(Debug)]
struct Parent {
    title: Range<usize>,
    visible: bool,
}

impl Titles {
    /// The title of a parent, if the subject may see it.
    pub(super) fn visible(&self, parent: i64) -> Option<&str> {
        let parent = self.parents.get(&parent).filter(|parent| parent.visible)?;
        Some(&self.text[parent.title.clone()])
    }
}

/// Reads chunk after chunk.
pub(super) struct Reader<'a> {
    tx: &'a Tx<'a>,
    as_of: AsOf,
    wide: bool,
    organization: Value,
    pub(super) names: Names,
    has_names: bool,
    way: &'a Way,
    hidden: Option<&'a RoaringTreemap>,
    goals: (String, Vec<Value>),
    parents: (String, Vec<Value>),
    /// How a statement about what hangs on goals names those of a chunk.
    within: String,
    /// The number of the last goal read along the key, and how many were looked up.
    after: i64,
    done: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(tx: &'a Tx<'_>, query: &Query<'_>, plan: &'a Plan) -> Self {
        let organization = Value::from(query.subject.organization);
        let more = if query.wide { WIDE_COLUMNS } else { &[] };
        let columns = [COLUMNS, more].concat().join(", g.");
        let select =
            format!("-- goals::read_chunk\nselect g.{columns} from goal g where g.organization = ?1 and");
        let range = vec![organization.clone(), Value::Null, RANGE_CHUNK.into()];
        let goals = match &plan.way {
            Way::All => {
                let Condition { sql, params } = (query.chosen)(range.len() + 1);
                (format!("{select} g.id > ?2 and {sql} order by g.id limit ?3"), [range, params].concat())
            }
            Way::Range(_) => (format!("{select} g.id > ?2 order by g.id limit ?3"), range),
            Way::Lookup(_) => (format!("{select} g.id in ({}) order by g.id", *PLACEHOLDERS), Vec::new()),
        };
        // Known without asking, if the plan knows what is hidden.
        let visible = match plan.hidden {
            Some(_) => Condition { sql: "(1 = 1)".to_owned(), params: Vec::new() },
            None => query.visible(LOOKUP + 2),
        };
        let parents = format!(
            "-- goals::read_titles
            select g.id, g.title, {}, {} from goal g where g.organization = ?1 and g.id in ({})",
            visibility::restricted_as_of(query.as_of),
            visible.sql,
            *PLACEHOLDERS
        );
        let within = match &plan.way {
            Way::Lookup(_) => format!("in ({})", *PLACEHOLDERS),
            Way::All | Way::Range(_) => "between ?2 and ?3".to_owned(),
        };
        Self {
            tx,
            as_of: query.as_of,
            wide: query.wide,
            names: Names::default(),
            has_names: false,
            organization,
            way: &plan.way,
            hidden: plan.hidden.as_ref(),
            goals: (query.as_of.text(tx, &goals.0).into_owned(), goals.1),
            parents: (query.as_of.text(tx, &parents).into_owned(), visible.params),
            within,
            after: i64::MIN,
            done: 0,
        }
    }

    /// The next goals; `false` when there are no more. A chunk may be empty and yet not the last.
    pub(super) fn read_chunk(&mut self, chunk: &mut Chunk) -> Result<bool> {
        chunk.clear();
        match self.way {
            Way::All => self.read_range(chunk, None),
            Way::Range(ids) => self.read_range(chunk, Some(ids)),
            Way::Lookup(ids) => self.read_some(chunk, ids),
        }
    }

    /// Learn the names, which nobody needs before the first goal.
    pub(super) fn read_names(&mut self) -> Result<()> {
        if !std::mem::replace(&mut self.has_names, true) {
            self.names = Names::read(self.tx, &self.organization, self.wide)?;
        }
        Ok(())
    }

    /// The goals after the last one, along the key, of which only those among `ids` count.
    fn read_range(&mut self, chunk: &mut Chunk, ids: Option<&RoaringTreemap>) -> Result<bool> {
        let (sql, params) = &mut self.goals;
        params[1] = self.after.into();
        let (mut read, mut full) = (0, false);
        self.tx.each(sql, params, |row| {
            read += 1;
            self.after = row.int(0)?;
            let is_chosen = ids.is_none_or(|ids| ids.contains(self.after as u64));
            if is_chosen && !self.hidden.is_some_and(|hidden| hidden.contains(self.after as u64)) {
                chunk.push(row, self.wide)?;
            }
            full = chunk.texts.len() >= CHUNK_BYTES;
            Ok::<_, Error>(if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(full || read == RANGE_CHUNK)
    }

    /// The next of `ids`.
    fn read_some(&mut self, chunk: &mut Chunk, ids: &[i64]) -> Result<bool> {
        let wanted = &ids[self.done..ids.len().min(self.done + LOOKUP)];
        if wanted.is_empty() {
            return Ok(false);
        }
        let mut params = vec![self.organization.clone()];
        params.extend(padded(wanted.iter().copied()));
        self.tx.each(&self.goals.0, &params, |row| {
            chunk.push(row, self.wide)?;
            let full = chunk.texts.len() >= CHUNK_BYTES;
            Ok::<_, Error>(if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        // Every one of them is there, since all is one snapshot.
        self.done += chunk.goals.len();
        Ok(self.done < ids.len())
    }

    /// The parameters that name the goals of a chunk, after the organization.
    fn within(&self, chunk: &Chunk) -> Vec<Value> {
        let mut params = vec![self.organization.clone()];
        let ids = || chunk.goals.iter().map(|goal| goal.id);
        match self.way {
            Way::Lookup(_) => params.extend(padded(ids())),
            Way::All | Way::Range(_) => params.extend([ids().next(), ids().next_back()].map(Value::from)),
        }
        params
    }

    pub(super) fn read_links(&self, chunk: &Chunk, links: &mut Links) -> Result<()> {
        let params = self.within(chunk);
        let list = |table: &str, columns: &str| {
            format!(
                "-- goals::read_links
                select goal, {columns} from {table} where organization = ?1 and goal {} order by goal, position",
                self.within
            )
        };
        links.tags.clear();
        let mut all = vec![
            (&mut links.owners, list("goal_owner", "person")),
            (&mut links.teams, list("goal_team", "team")),
        ];
        if self.wide {
            all.push((&mut links.tags, list("goal_tag", "tag")));
        }
        for (into, sql) in all {
            into.clear();
            self.tx.each(&self.as_of.text(self.tx, &sql), &params, |row| {
                into.push(Link { goal: row.int(0)?, to: row.int(1)? });
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
        }
        links.parents.clear();
        let sql = list("goal_parent", "parent, weight");
        self.tx.each(&self.as_of.text(self.tx, &sql), &params, |row| {
            links.parents.push(ParentLink {
                goal: row.int(0)?,
                parent: row.int(1)?,
                weight: row.opt_real(2)?,
            });
            Ok::<_, Error>(ControlFlow::Continue(()))
        })
    }

    /// Learn the titles of parents that are not known yet; whether one of them is restricted.
    pub(super) fn read_titles(&self, links: &[ParentLink], titles: &mut Titles) -> Result<bool> {
        let Titles { parents, text } = titles;
        if parents.len() > KEPT_PARENTS || text.len() > KEPT_BYTES {
            parents.clear();
            text.clear();
            text.shrink_to(KEPT_BYTES);
        }
        let mut unknown: Vec<i64> =
            links.iter().map(|link| link.parent).filter(|parent| !parents.contains_key(parent)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        let mut restricted = false;
        let (sql, visible) = &self.parents;
        for ids in unknown.chunks(LOOKUP) {
            let mut params = vec![self.organization.clone()];
            params.extend(padded(ids.iter().copied()));
            params.extend(visible.iter().cloned());
            self.tx.each(sql, &params, |row| {
                restricted |= row.bool(2)?;
                let from = text.len();
                text.push_str(row.text(1)?);
                let (id, title) = (row.int(0)?, from..text.len());
                let hidden = self.hidden.is_some_and(|hidden| hidden.contains(id as u64));
                parents.insert(id, Parent { title, visible: row.bool(3)? && !hidden });
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
        }
        Ok(restricted)
    }

    /// Open the check-ins of the chunk's goals, by goal.
    pub(super) fn with_checkins<E: From<Error>>(
        &self,
        chunk: &Chunk,
        f: impl FnOnce(&mut Cursor<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!(
            "-- goals::read_checkins
            select goal, id, as_of_at, recorded_at, owner, value, status, metric_name, note from checkin
             where organization = ?1 and goal {} order by goal, id",
            self.within
        );
        self.tx.cursor(&self.as_of.text(self.tx, &sql), &self.within(chunk), |cursor| {
            cursor.advance()?;
            f(cursor)
        })
    }
}

/// `?2, ?3, …` for one look-up.
pub(super) static PLACEHOLDERS: LazyLock<String> =
    LazyLock::new(|| (2..LOOKUP + 2).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", "));

/// As many numbers as a look-up takes: the last one repeated fills the rest.
pub(super) fn padded(ids: impl Iterator<Item = i64>) -> Vec<Value> {
    let mut values: Vec<Value> = ids.map(Value::from).collect();
    let last = values.last().cloned().unwrap_or(Value::Null);
    values.resize(LOOKUP, last);
    values
}
