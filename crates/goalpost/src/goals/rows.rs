//! The goals of a view, row by row, out of one snapshot: what a file is made of.
//!
//! Goals come in the order of their numbers. People, teams and periods are few and repeat, so their names are held in
//! memory; what hangs on goals (owners, teams, parents, check-ins) is clustered by goal, so it is read in the same
//! order beside them. The scan of the goals itself joins nothing. Memory is bounded by bytes, not by rows: a chunk of
//! goals ends at [`CHUNK_BYTES`], and check-ins are held for one goal at a time.

use std::collections::HashMap;
use std::ops::ControlFlow;

use goalpost_db::{Cursor, Error, Result, Row, Tx, Value};

use super::filter::{Condition, Subject};
use super::visibility;

/// Goals of one chunk when a view holds all of them: then what hangs on them is read as one range.
const DENSE_CHUNK: usize = 2_000;
/// Goals of one chunk when a filter picks some: then what hangs on them is looked up by their numbers.
const SPARSE_CHUNK: usize = 200;
/// Texts of one chunk; a chunk may exceed it by one goal.
const CHUNK_BYTES: usize = 2 * 1024 * 1024;
/// Numbers in one look-up; the statement is prepared once for that many.
const LOOKUP: usize = 200;
/// Titles of parents that are kept for the goals to come.
const KEPT_PARENTS: usize = 50_000;

/// Which goals, for whom.
#[expect(missing_debug_implementations, reason = "holds a closure")]
pub struct Query<'a> {
    /// For whom: only goals that this person may see are read.
    pub subject: &'a Subject,
    /// The condition on `goal g`, with parameters numbered from the given first one on.
    pub chosen: &'a dyn Fn(usize) -> Condition,
    /// Whether the condition holds for practically every goal.
    pub everything: bool,
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
    /// Check-ins, oldest first.
    pub checkins: &'a CheckIns,
    parents: &'a [ParentLink],
    titles: &'a HashMap<i64, Parent>,
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

#[derive(Debug)]
struct Parent {
    title: Box<str>,
    visible: bool,
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

/// The largest number of check-ins of any goal of the query, which is how wide its file must be.
pub fn most_checkins(tx: &Tx<'_>, query: &Query<'_>) -> Result<i64> {
    let (condition, params) = conditions(query, vec![query.subject.organization.into()]);
    let sql = format!(
        "-- goals::most_checkins
        select g.checkin_count from goal g where g.organization = ?1 and {condition}
         order by g.checkin_count desc limit 1"
    );
    Ok(tx.query_opt(&sql, &params, |row| row.int(0))?.unwrap_or(0))
}

/// Whether a restricted goal is among the chosen ones, for the subject to see or not.
pub fn has_restricted(tx: &Tx<'_>, query: &Query<'_>) -> Result<bool> {
    let Condition { sql, params } = (query.chosen)(2);
    let sql = format!(
        "-- goals::has_restricted
        select 1 from goal g where g.organization = ?1 and {} and {sql} limit 1",
        visibility::IS_RESTRICTED
    );
    let params = [vec![query.subject.organization.into()], params].concat();
    Ok(tx.query_opt(&sql, &params, |_| Ok::<_, Error>(()))?.is_some())
}

/// The conditions of a query, with their parameters after those given.
fn conditions(query: &Query<'_>, mut params: Vec<Value>) -> (String, Vec<Value>) {
    let chosen = (query.chosen)(params.len() + 1);
    params.extend(chosen.params);
    let visible = visibility::visible_to(query.subject, params.len() + 1);
    params.extend(visible.params);
    (format!("{} and {}", chosen.sql, visible.sql), params)
}

/// Hand every goal of the query to `f`, by number.
pub fn each<E: From<Error>>(
    tx: &Tx<'_>,
    query: &Query<'_>,
    mut f: impl FnMut(&GoalRow<'_>) -> Result<(), E>,
) -> Result<Summary, E> {
    let reader = Reader::new(tx, query)?;
    let mut summary = Summary::default();
    let mut chunk = Chunk::default();
    let mut links = Links::default();
    let mut titles = HashMap::new();
    let mut after = i64::MIN;
    loop {
        let more = reader.read_chunk(&mut chunk, after)?;
        let Some(last) = chunk.goals.last() else { return Ok(summary) };
        after = last.id;
        reader.read_links(&chunk, &mut links)?;
        summary.met_restricted |= reader.read_titles(&links.parents, &mut titles)?;
        reader.with_checkins(&chunk, |cursor| {
            let mut checkins = CheckIns::default();
            let mut walk = Walk(cursor);
            let (mut owner, mut team, mut parent) = (0, 0, 0);
            for goal in &chunk.goals {
                walk.read(goal.id, &mut checkins)?;
                let row = GoalRow {
                    goal,
                    chunk: &chunk,
                    names: &reader.names,
                    owners: take(&links.owners, &mut owner, goal.id, |link| link.goal),
                    teams: take(&links.teams, &mut team, goal.id, |link| link.goal),
                    parents: take(&links.parents, &mut parent, goal.id, |link| link.goal),
                    titles: &titles,
                    checkins: &checkins,
                };
                summary.rows += 1;
                summary.omitted += row.parents.len() as u64 - row.alignments().count() as u64;
                f(&row)?;
            }
            Ok::<_, E>(())
        })?;
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

/// Where a text lies in its chunk's bytes.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    const NULL: Self = Self { start: u32::MAX, end: 0 };

    fn push(texts: &mut String, text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::NULL };
        let start = texts.len() as u32;
        texts.push_str(text);
        Self { start, end: texts.len() as u32 }
    }

    fn of(self, texts: &str) -> Option<&str> {
        texts.get(self.start as usize..self.end as usize)
    }
}

macro_rules! goal_columns {
    (texts { $($text:ident),* $(,)? } ints { $($int:ident),* $(,)? } reals { $($real:ident),* $(,)? }) => {
        #[derive(Clone, Copy, Debug)]
        struct Goal { id: i64, $($int: Option<i64>,)* $($real: Option<f64>,)* $($text: Span,)* }

        const COLUMNS: &[&str] = &["id", $(stringify!($int),)* $(stringify!($real),)* $(stringify!($text),)*];

        impl Goal {
            fn from_row(row: &Row<'_>, texts: &mut String) -> Result<Self> {
                let mut column = 0;
                let mut next = || { column += 1; column };
                Ok(Self {
                    id: row.int(0)?,
                    $($int: row.opt_int(next())?,)*
                    $($real: row.opt_real(next())?,)*
                    $($text: Span::push(texts, row.opt_text(next())?),)*
                })
            }
        }

        impl GoalRow<'_> {
            $(#[doc = concat!("Column `", stringify!($int), "`.")] pub fn $int(&self) -> Option<i64> { self.goal.$int })*
            $(#[doc = concat!("Column `", stringify!($real), "`.")] pub fn $real(&self) -> Option<f64> { self.goal.$real })*
            $(#[doc = concat!("Column `", stringify!($text), "`.")]
            pub fn $text(&self) -> Option<&str> { self.goal.$text.of(&self.chunk.texts) })*
        }
    };
}

goal_columns! {
    texts {
        type_label, status, start_date, end_date, last_checkin_date, goal_type, outcome_type, metric_name, metric_unit,
        title, description,
    }
    ints { period, creator, created_at }
    reals { metric_start, metric_target, progress, progress_percent, score }
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
            let parent = titles.get(&link.parent).filter(|parent| parent.visible)?;
            Some(Alignment { id: link.parent, title: &parent.title, weight: link.weight })
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

    /// The name of a time period.
    pub fn period_name(&self) -> &'a str {
        self.goal.period.and_then(|id| self.names.periods.get(&id)).map_or("", |name| name)
    }
}

#[derive(Debug, Default)]
struct Chunk {
    goals: Vec<Goal>,
    texts: String,
}

#[derive(Debug, Default)]
struct Links {
    owners: Vec<Link>,
    teams: Vec<Link>,
    parents: Vec<ParentLink>,
}

/// The check-ins of one goal, oldest first: by the moment they speak about, then by number.
#[derive(Debug, Default)]
pub struct CheckIns {
    items: Vec<CheckIn>,
    texts: String,
}

#[derive(Clone, Copy, Debug)]
struct CheckIn {
    as_of_at: i64,
    id: i64,
    recorded_at: Option<i64>,
    owner: Option<i64>,
    value: Option<f64>,
    status: Span,
    metric_name: Span,
    note: Span,
}

/// One check-in.
#[derive(Clone, Copy, Debug)]
pub struct CheckInRow<'a> {
    /// The moment that it speaks about, microseconds.
    pub as_of_at: i64,
    /// When it was written down, microseconds.
    pub recorded_at: Option<i64>,
    /// Who wrote it.
    pub owner: Option<i64>,
    /// The metric's value, or the percentage.
    pub value: Option<f64>,
    /// The status that it set.
    pub status: &'a str,
    /// What was measured.
    pub metric_name: Option<&'a str>,
    /// The note.
    pub note: Option<&'a str>,
}

impl CheckIns {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = CheckInRow<'_>> {
        self.items.iter().map(|item| CheckInRow {
            as_of_at: item.as_of_at,
            recorded_at: item.recorded_at,
            owner: item.owner,
            value: item.value,
            status: item.status.of(&self.texts).unwrap_or_default(),
            metric_name: item.metric_name.of(&self.texts),
            note: item.note.of(&self.texts),
        })
    }
}

#[derive(Debug)]
struct Names {
    people: HashMap<i64, Box<str>>,
    teams: HashMap<i64, Box<str>>,
    periods: HashMap<i64, Box<str>>,
}

impl Names {
    fn read(tx: &Tx<'_>, organization: &Value) -> Result<Self> {
        let names = |sql: &str| {
            let rows = tx.query(sql, std::slice::from_ref(organization), |row| {
                Ok::<_, Error>((row.int(0)?, Box::from(row.text(1)?)))
            });
            Ok::<_, Error>(rows?.into_iter().collect())
        };
        Ok(Self {
            people: names("-- goals::people\nselect id, name from person where organization = ?1")?,
            teams: names("-- goals::teams\nselect id, name from team where organization = ?1")?,
            periods: names("-- goals::periods\nselect id, name from period where organization = ?1")?,
        })
    }
}

/// The statements of one read, and the names that all its rows share.
struct Reader<'a> {
    tx: &'a Tx<'a>,
    organization: Value,
    names: Names,
    chunk: usize,
    goals: (String, Vec<Value>),
    parents: (String, Vec<Value>),
    /// How a statement about what hangs on goals names those of a chunk.
    within: String,
}

impl<'a> Reader<'a> {
    fn new(tx: &'a Tx<'_>, query: &Query<'_>) -> Result<Self> {
        let organization = Value::from(query.subject.organization);
        let chunk = if query.everything { DENSE_CHUNK } else { SPARSE_CHUNK };
        let (condition, params) = conditions(query, vec![organization.clone(), Value::Null, chunk.into()]);
        let goals = format!(
            "-- goals::read_chunk
            select g.{} from goal g where g.organization = ?1 and g.id > ?2 and {condition} order by g.id limit ?3",
            COLUMNS.join(", g.")
        );
        let visible = visibility::visible_to(query.subject, LOOKUP + 2);
        let parents = format!(
            "-- goals::read_titles
            select g.id, g.title, g.restricted, {} from goal g where g.organization = ?1 and g.id in ({})",
            visible.sql,
            placeholders()
        );
        let within =
            if query.everything { "between ?2 and ?3".to_owned() } else { format!("in ({})", placeholders()) };
        Ok(Self {
            tx,
            names: Names::read(tx, &organization)?,
            organization,
            chunk,
            goals: (goals, params),
            parents: (parents, visible.params),
            within,
        })
    }

    /// The goals after number `after`; whether there may be more behind them.
    fn read_chunk(&self, chunk: &mut Chunk, after: i64) -> Result<bool> {
        chunk.goals.clear();
        chunk.texts.clear();
        let (sql, params) = &self.goals;
        let mut params = params.clone();
        params[1] = after.into();
        self.tx.each(sql, &params, |row| {
            chunk.goals.push(Goal::from_row(row, &mut chunk.texts)?);
            let full = chunk.texts.len() >= CHUNK_BYTES;
            Ok::<_, Error>(if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(chunk.goals.len() == self.chunk || chunk.texts.len() >= CHUNK_BYTES)
    }

    /// The parameters that name the goals of a chunk, after the organization.
    fn within(&self, chunk: &Chunk) -> Vec<Value> {
        let mut params = vec![self.organization.clone()];
        if self.within.starts_with("in") {
            params.extend(padded(chunk.goals.iter().map(|goal| goal.id)));
        } else {
            params.extend([chunk.goals.first(), chunk.goals.last()].map(|goal| Value::from(goal.map(|goal| goal.id))));
        }
        params
    }

    fn read_links(&self, chunk: &Chunk, links: &mut Links) -> Result<()> {
        let params = self.within(chunk);
        let list = |table: &str, columns: &str| {
            format!(
                "-- goals::read_links
                select goal, {columns} from {table} where organization = ?1 and goal {} order by goal, position",
                self.within
            )
        };
        for (into, sql) in [
            (&mut links.owners, list("goal_owner", "person")),
            (&mut links.teams, list("goal_team", "team")),
        ] {
            into.clear();
            self.tx.each(&sql, &params, |row| {
                into.push(Link { goal: row.int(0)?, to: row.int(1)? });
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
        }
        links.parents.clear();
        self.tx.each(&list("goal_parent", "parent, weight"), &params, |row| {
            links.parents.push(ParentLink { goal: row.int(0)?, parent: row.int(1)?, weight: row.opt_real(2)? });
            Ok::<_, Error>(ControlFlow::Continue(()))
        })
    }

    /// Learn the titles of parents that are not known yet; whether one of them is restricted.
    fn read_titles(&self, links: &[ParentLink], titles: &mut HashMap<i64, Parent>) -> Result<bool> {
        if titles.len() > KEPT_PARENTS {
            titles.clear();
        }
        let mut unknown: Vec<i64> =
            links.iter().map(|link| link.parent).filter(|parent| !titles.contains_key(parent)).collect();
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
                titles.insert(row.int(0)?, Parent { title: Box::from(row.text(1)?), visible: row.bool(3)? });
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
        }
        Ok(restricted)
    }

    /// Open the check-ins of the chunk's goals, by goal.
    fn with_checkins<E: From<Error>>(
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
        self.tx.cursors([(&sql, &self.within(chunk))], |[cursor]| {
            cursor.advance()?;
            f(cursor)
        })
    }
}

/// A cursor over check-ins that follows the goals.
struct Walk<'a, 'c>(&'a mut Cursor<'c>);

impl Walk<'_, '_> {
    /// The check-ins of `goal`, which comes after every goal asked for before.
    fn read(&mut self, goal: i64, into: &mut CheckIns) -> Result<()> {
        into.items.clear();
        into.texts.clear();
        while let Some(row) = self.0.row() {
            let of = row.int(0)?;
            if of > goal {
                break;
            }
            if of == goal {
                into.items.push(CheckIn {
                    id: row.int(1)?,
                    as_of_at: row.int(2)?,
                    recorded_at: row.opt_int(3)?,
                    owner: row.opt_int(4)?,
                    value: row.opt_real(5)?,
                    status: Span::push(&mut into.texts, row.opt_text(6)?),
                    metric_name: Span::push(&mut into.texts, row.opt_text(7)?),
                    note: Span::push(&mut into.texts, row.opt_text(8)?),
                });
            }
            self.0.advance()?;
        }
        into.items.sort_unstable_by_key(|item| (item.as_of_at, item.id));
        Ok(())
    }
}

/// `?2, ?3, …` for one look-up.
fn placeholders() -> String {
    (2..LOOKUP + 2).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ")
}

/// As many numbers as a look-up takes: the last one repeated fills the rest.
fn padded(ids: impl Iterator<Item = i64>) -> Vec<Value> {
    let mut values: Vec<Value> = ids.map(Value::from).collect();
    let last = values.last().cloned().unwrap_or(Value::Null);
    values.resize(LOOKUP, last);
    values
}
