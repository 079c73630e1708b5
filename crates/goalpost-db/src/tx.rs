use std::ops::ControlFlow;

use crate::error::{Error, ErrorKind, Result};
use crate::row::{Cursor, Row};
use crate::value::Params;

/// An open transaction. Statements are prepared once per connection and reused.
#[derive(Debug)]
pub struct Tx<'a> {
    connection: &'a rusqlite::Connection,
    now_us: i64,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(connection: &'a rusqlite::Connection, now_us: i64) -> Self {
        Self { connection, now_us }
    }

    /// The database's clock when this transaction began: microseconds since 1970, UTC. Leases, deadlines,
    /// creation and expiry are decided by it, never by a node's own clock.
    pub fn now_us(&self) -> i64 {
        self.now_us
    }

    /// Run a statement that answers no rows; returns how many rows it changed.
    pub fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
    }

    /// Run the same statement for each set of parameters, prepared once.
    pub fn execute_each<'p>(&self, sql: &str, sets: impl IntoIterator<Item = Params<'p>>) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql)?;
        for params in sets {
            statement.execute(rusqlite::params_from_iter(params))?;
        }
        Ok(())
    }

    /// Hand every row to `f` until it breaks.
    pub fn each<E: From<Error>>(
        &self,
        sql: &str,
        params: Params<'_>,
        mut f: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let mut statement = self.connection.prepare_cached(sql).map_err(Error::from)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params)).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            if f(&Row(row))?.is_break() {
                break;
            }
        }
        Ok(())
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

    /// Open one cursor per query, all on this transaction's snapshot, and read them side by side: a merge join
    /// in the caller's hands.
    pub fn cursors<T, E: From<Error>, const N: usize>(
        &self,
        queries: [(&str, Params<'_>); N],
        f: impl FnOnce(&mut [Cursor<'_>; N]) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut statements = Vec::with_capacity(N);
        for (sql, _) in &queries {
            statements.push(self.connection.prepare_cached(sql).map_err(Error::from)?);
        }
        let mut cursors = Vec::with_capacity(N);
        for (statement, (_, params)) in statements.iter_mut().zip(&queries) {
            let rows = statement.query(rusqlite::params_from_iter(params.iter())).map_err(Error::from)?;
            cursors.push(Cursor(rows));
        }
        let Ok(mut cursors) = <[Cursor<'_>; N]>::try_from(cursors) else {
            return Err(Error::new(ErrorKind::Unexpected, "as many cursors as queries").into());
        };
        f(&mut cursors)
    }
}
