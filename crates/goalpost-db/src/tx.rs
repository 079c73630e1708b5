use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::{PgTx, Rows};
use crate::row::{Cursor, Row};
use crate::schema::{self, Table};
use crate::value::{Params, Value};

/// An open transaction.
#[derive(Debug)]
pub struct Tx<'a> {
    engine: Engine<'a>,
    now_us: Cell<i64>,
}

/// What of an organization a transaction may have to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Its data: people, goals, views. An import holds it to its end.
    Data,
    /// The number of its pending jobs; held for moments only.
    Pending,
}

/// A row that [`Tx::change_and_add`] adds.
#[derive(Clone, Copy, Debug)]
pub struct NewRow<'a> {
    /// Where.
    pub table: &'a str,
    /// Its columns that have a value.
    pub columns: &'a [&'a str],
    /// Their values.
    pub values: Params<'a>,
}

/// Whether a statement changed its row, once its transaction has ended; `false` until then.
#[derive(Clone, Debug, Default)]
pub struct Changed(Arc<AtomicBool>);

impl Changed {
    /// Whether it did.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, changed: bool) {
        self.0.store(changed, Ordering::Release);
    }
}

/// A statement that was told ahead: see [`Tx::ahead`].
#[derive(Debug)]
pub struct Ahead(Asked);

#[derive(Debug)]
enum Asked {
    Not(String, Vec<Value>),
    Postgres(Rows),
}

#[derive(Clone, Copy, Debug)]
enum Engine<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(&'a PgTx),
}

impl<'a> Tx<'a> {
    pub(crate) fn sqlite(connection: &'a rusqlite::Connection, now_us: i64) -> Self {
        Self { engine: Engine::Sqlite(connection), now_us: Cell::new(now_us) }
    }

    pub(crate) fn postgres(tx: &'a PgTx, now_us: i64) -> Self {
        Self { engine: Engine::Postgres(tx), now_us: Cell::new(now_us) }
    }

    /// The database's clock when this transaction began: microseconds since 1970, UTC. Leases, deadlines,
    /// creation and expiry are decided by it, never by a node's own clock.
    pub fn now_us(&self) -> i64 {
        self.now_us.get()
    }

    /// A number that no other row of this database has got from here, and that rises with time, but for a few
    /// milliseconds: the key of rows that are only added to.
    pub fn serial(&self) -> i64 {
        // 4 ms of the clock, and 23 bits of a count that begins anywhere: two processes meet in the same number only if
        // both add a row in the same 4 ms and their counts agree there. The highest six of them stand last, which leaves 63
        // free behind each: the first version, beside which this one may work, takes the one that follows on the greatest.
        static COUNT: LazyLock<AtomicU64> =
            LazyLock::new(|| AtomicU64::new(RandomState::new().build_hasher().finish()));
        let count = COUNT.fetch_add(1, Ordering::Relaxed) & 0x7f_ffff;
        let turned = (count << 6 | count >> 17) & 0x7f_ffff;
        (self.now_us() >> 12) << 23 | turned as i64
    }

    /// Begin without a statement.
    pub(crate) fn begin(&self) -> Result<()> {
        match self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(tx) => tx.begin(),
        }
    }

    /// From here on this transaction is for the rows of `organization`. For those that began as [`crate::Scope::Global`], such
    /// as an import that makes its organization first, and for those that do a little for each of several.
    pub fn enter(&self, organization: i64) {
        if let Engine::Postgres(tx) = self.engine {
            tx.enter(organization);
        }
    }

    /// From here on this transaction reads few rows, and finds them by keys whatever the values are: PostgreSQL keeps its
    /// statements prepared, as those of short transactions, and is not asked to plan each of them anew.
    pub fn reads_few(&self) -> Result<()> {
        match self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(tx) => tx.reads_few(),
        }
    }

    /// Others wait for rows that this transaction has changed: on PostgreSQL they need not wait until it is on the disk,
    /// only its own caller does.
    pub fn is_waited_for(&self) {
        if let Engine::Postgres(tx) = self.engine {
            tx.is_waited_for();
        }
    }

    /// Hold every other transaction off that asks for the same, until this one ends: for changes that depend on what is
    /// there. SQLite has one writer at a time anyway.
    pub fn lock(&self, organization: i64, lock: Lock) -> Result<()> {
        match self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(tx) => tx.lock(organization << 1 | lock as i64),
        }
    }

    /// The tables as the engine has them, by name.
    pub fn tables(&self) -> Result<Vec<Table>> {
        match self.engine {
            Engine::Sqlite(_) => schema::sqlite_tables(self),
            Engine::Postgres(_) => schema::postgres_tables(self),
        }
    }

    /// How a statement names a table whose name one of its own common table expressions has taken.
    pub fn beneath(&self, table: &str) -> String {
        match self.engine {
            Engine::Sqlite(_) => format!("main.{table}"),
            // Whatever is not recursive does not see itself.
            Engine::Postgres(_) => table.to_owned(),
        }
    }

    /// What stands at the end of a query that chooses the rows to be changed, and passes over those that others are
    /// changing. SQLite has one writer at a time anyway.
    pub fn unless_locked(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite(_) => "",
            Engine::Postgres(_) => "for update skip locked",
        }
    }

    /// Run a statement that answers no rows; returns how many rows it changed.
    pub fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64> {
        match self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
            }
            Engine::Postgres(tx) => tx.execute(sql, params),
        }
    }

    /// Run a statement that changes a row and, if it did, add rows that follow from it; whether it did is known when the
    /// transaction has ended. One statement on PostgreSQL, sent with the one that comes next, be it the commit: a message
    /// costs both sides as much as a small statement does.
    pub fn change_and_add(&self, change: &str, params: Params<'_>, rows: &[NewRow<'_>]) -> Result<Changed> {
        match self.engine {
            Engine::Sqlite(_) => {
                let changed = Changed::default();
                changed.set(self.execute(change, params)? == 1);
                if changed.is_set() {
                    for row in rows {
                        self.insert_all(row.table, row.columns, row.values)?;
                    }
                }
                Ok(changed)
            }
            Engine::Postgres(tx) => tx.change_and_add(change, params, rows),
        }
    }

    /// A statement whose few rows are asked for later, by [`Tx::query_ahead`]: PostgreSQL is told with the statement that
    /// comes next, SQLite when they are asked for.
    pub fn ahead(&self, sql: &str, params: Vec<Value>) -> Result<Ahead> {
        Ok(match self.engine {
            Engine::Sqlite(_) => Ahead(Asked::Not(sql.to_owned(), params)),
            Engine::Postgres(tx) => Ahead(Asked::Postgres(tx.ahead(sql, &params)?)),
        })
    }

    /// All rows of a statement that was told ahead, each turned into a `T`; once.
    pub fn query_ahead<T, E: From<Error>>(
        &self,
        ahead: &Ahead,
        mut f: impl FnMut(&Row<'_>) -> Result<T, E>,
    ) -> Result<Vec<T>, E> {
        match (&ahead.0, self.engine) {
            (Asked::Not(sql, params), _) => self.query(sql, params, f),
            (Asked::Postgres(rows), Engine::Postgres(tx)) => {
                tx.rows_ahead(rows)?.iter().map(|row| f(&Row::postgres(row))).collect()
            }
            (Asked::Postgres(_), Engine::Sqlite(_)) => {
                Err(Error::unexpected("a statement was told to another database").into())
            }
        }
    }

    /// Insert whole rows of `columns`, one after another in `values`, whose keys are free.
    pub fn insert_all(&self, table: &str, columns: &[&str], values: &[Value]) -> Result<()> {
        debug_assert_eq!(values.len() % columns.len().max(1), 0, "rows of {table} are whole");
        if values.is_empty() {
            return Ok(());
        }
        match self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(&insert_one(table, columns))?;
                for row in values.chunks_exact(columns.len()) {
                    statement.execute(rusqlite::params_from_iter(row))?;
                }
                Ok(())
            }
            Engine::Postgres(tx) => tx.insert_all(table, columns, values),
        }
    }

    /// Insert whole rows as [`Tx::insert_all`] does, of which it is certain that they can be. On PostgreSQL together with
    /// the statement that comes next, be it the commit, so that they cost no message of their own; if they fail, then it
    /// does.
    pub fn append(
        &self,
        table: &'static str,
        columns: &'static [&'static str],
        rows: Params<'_>,
    ) -> Result<()> {
        match self.engine {
            Engine::Sqlite(_) => self.insert_all(table, columns, rows),
            Engine::Postgres(tx) => tx.append(table, columns, rows),
        }
    }

    /// Insert whole rows as [`Tx::insert_all`] does, if a condition holds, but leave out those that a unique index has no
    /// place for; what `f` makes of the column `returning` of each that was inserted. A row that another transaction may
    /// still take back is waited for. The condition comes with its parameters.
    pub fn insert_free<T, E: From<Error>>(
        &self,
        table: &str,
        columns: &[&str],
        values: &[Value],
        condition: (&str, Params<'_>),
        returning: &str,
        mut f: impl FnMut(&Row<'_>) -> Result<T, E>,
    ) -> Result<Vec<T>, E> {
        debug_assert_eq!(values.len() % columns.len().max(1), 0, "rows of {table} are whole");
        let mut inserted = Vec::new();
        match self.engine {
            Engine::Sqlite(connection) => {
                let holds =
                    self.query_opt(&format!("select 1 where {}", condition.0), condition.1, |_| Ok(()))?;
                if holds.is_none() {
                    return Ok(inserted);
                }
                let insert = insert_one(table, columns);
                let sql = format!("{insert} on conflict do nothing returning {returning}");
                let mut statement = connection.prepare_cached(&sql).map_err(Error::from)?;
                for row in values.chunks_exact(columns.len()) {
                    let mut rows = statement.query(rusqlite::params_from_iter(row)).map_err(Error::from)?;
                    while let Some(row) = rows.next().map_err(Error::from)? {
                        inserted.push(f(&Row::sqlite(row))?);
                    }
                }
            }
            Engine::Postgres(tx) => tx.insert_free(table, columns, values, condition, returning, |row| {
                inserted.push(f(&Row::postgres(row))?);
                Ok::<_, E>(())
            })?,
        }
        Ok(inserted)
    }

    /// Hand every row to `f` until it breaks. `f` must not use the transaction.
    pub fn each<E: From<Error>>(
        &self,
        sql: &str,
        params: Params<'_>,
        mut f: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        match self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql).map_err(Error::from)?;
                let mut rows = statement.query(rusqlite::params_from_iter(params)).map_err(Error::from)?;
                while let Some(row) = rows.next().map_err(Error::from)? {
                    if f(&Row::sqlite(row))?.is_break() {
                        break;
                    }
                }
                Ok(())
            }
            Engine::Postgres(tx) => {
                let mut rows = tx.rows(sql, params)?;
                while rows.advance()? {
                    let Some(row) = rows.row() else { break };
                    if f(&Row::postgres(row))?.is_break() {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// All rows, each turned into a `T`.
    pub fn query<T, E: From<Error>>(
        &self,
        sql: &str,
        params: Params<'_>,
        mut f: impl FnMut(&Row<'_>) -> Result<T, E>,
    ) -> Result<Vec<T>, E> {
        let mut all = Vec::new();
        self.each(sql, params, |row| {
            all.push(f(row)?);
            Ok::<_, E>(ControlFlow::Continue(()))
        })?;
        Ok(all)
    }

    /// The first row, if there is one.
    pub fn query_opt<T, E: From<Error>>(
        &self,
        sql: &str,
        params: Params<'_>,
        mut f: impl FnMut(&Row<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let mut first = None;
        self.each(sql, params, |row| {
            first = Some(f(row)?);
            Ok::<_, E>(ControlFlow::Break(()))
        })?;
        Ok(first)
    }

    /// The first row of a statement that always answers one, such as a count.
    pub fn query_one<T, E: From<Error>>(
        &self,
        sql: &str,
        params: Params<'_>,
        f: impl FnMut(&Row<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.query_opt(sql, params, f)?.ok_or_else(|| {
            Error::new(ErrorKind::Unexpected, "a statement that answers one row answered none").into()
        })
    }

    /// Open a result that `f` reads at its own pace. `f` must not use the transaction otherwise.
    pub fn cursor<T, E: From<Error>>(
        &self,
        sql: &str,
        params: Params<'_>,
        f: impl FnOnce(&mut Cursor<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql).map_err(Error::from)?;
                let rows = statement.query(rusqlite::params_from_iter(params)).map_err(Error::from)?;
                f(&mut Cursor::sqlite(rows))
            }
            Engine::Postgres(tx) => f(&mut Cursor::postgres(tx.rows(sql, params)?)),
        }
    }
}

/// The statement that inserts one row.
fn insert_one(table: &str, columns: &[&str]) -> String {
    let places: Vec<_> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    format!("-- insert_all\ninsert into {table} ({}) values ({})", columns.join(", "), places.join(", "))
}
