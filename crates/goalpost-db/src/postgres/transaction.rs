//! One transaction: it begins in the round trip of its first statement.

use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{FutureExt as _, join, join3};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, RowStream, Statement};

use super::connection::Connection;
use super::error::{is_conflict, is_lost, is_of_another};
use super::prepared::{BY_KEY, Micros, PROCESS_AND_CLOCK, Process, Way};
use super::queue::{self, Heard, Queued, Rows, Text};
use super::{statement, text};
use crate::error::{Error, ErrorKind, Result};
use crate::scope::Scope;
use crate::tx::{Changed, NewRow};
use crate::value::{Params, Value};

/// What kind of transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode {
    pub(super) begin: &'static str,
    /// How long it waits for locks of others.
    pub(super) lock_wait: Duration,
    /// How long one statement may take; and the server ends a transaction that says nothing for so long. `None` for
    /// long work.
    pub(super) patience: Option<Duration>,
    /// Whether rows are found by keys alone. Said to the server, since a statement that is prepared while a table is
    /// empty would look through the whole of it later.
    pub(super) by_keys: bool,
}

/// What became of a transaction's statements, apart from what its closure made of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Well,
    /// A statement failed, in this way: nothing of the transaction can stay.
    Failed(ErrorKind),
    /// The server undid it because of others; it may be run again.
    Conflict,
    /// The connection is gone.
    Lost,
}

/// What is said in the round trip of the first statement, before it: the word that begins the transaction, and a
/// statement that says what it is for.
struct Before {
    word: &'static str,
    settle: String,
    organization: Option<Value>,
}

/// An open transaction.
pub(crate) struct PgTx {
    connection: RefCell<Connection>,
    mode: Mode,
    /// Until it has begun.
    before: RefCell<Option<Before>>,
    /// Not sent yet.
    queue: RefCell<Vec<Queued>>,
    scope: Cell<Scope>,
    /// The scope that the server knows of, or will with what waits.
    told: Cell<Scope>,
    health: Cell<Health>,
    /// Whether others wait for it to be committed.
    is_waited_for: Cell<bool>,
    /// Whether it reads few rows from here on, by keys.
    reads_few: Cell<bool>,
    checks_partitions: bool,
}

impl fmt::Debug for PgTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgTx").field("mode", &self.mode).field("health", &self.health).finish_non_exhaustive()
    }
}

impl PgTx {
    pub(super) fn new(
        connection: Connection,
        mode: Mode,
        scope: Scope,
        keys_role: bool,
        checks_partitions: bool,
    ) -> Self {
        let millis = |wait: Duration| wait.as_millis();
        let mut settle = format!(
            "select {PROCESS_AND_CLOCK}, set_config('lock_timeout', '{}', true), \
             set_config('idle_in_transaction_session_timeout', '{}', true), set_config('jit', 'off', true)",
            millis(mode.lock_wait),
            mode.patience.map_or(0, millis),
        );
        if mode.by_keys {
            settle.push_str(", set_config('enable_seqscan', 'off', true)");
        }
        let mut organization = None;
        match scope {
            Scope::Organization(number) => {
                settle.push_str(", set_config('goalpost.organization', $1, true)");
                organization = Some(Value::Text(number.to_string()));
            }
            Scope::Keys if keys_role => settle.push_str(", set_config('role', 'goalpost_keys', true)"),
            Scope::Keys | Scope::Global => {}
        }
        Self {
            connection: RefCell::new(connection),
            mode,
            before: RefCell::new(Some(Before { word: mode.begin, settle, organization })),
            queue: RefCell::default(),
            scope: Cell::new(scope),
            told: Cell::new(scope),
            health: Cell::new(Health::Well),
            is_waited_for: Cell::new(false),
            reads_few: Cell::new(false),
            checks_partitions,
        }
    }

    pub(super) fn health(&self) -> Health {
        self.health.get()
    }

    /// The connection, once the transaction is over.
    pub(super) fn into_connection(self) -> Connection {
        self.connection.into_inner()
    }

    /// Whether anything was sent.
    pub(super) fn has_begun(&self) -> bool {
        self.before.borrow().is_none()
    }

    /// Whether there is nothing to be committed.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_begun() && self.queue.borrow().is_empty()
    }

    /// Begin without waiting for a first statement.
    pub(crate) fn begin(&self) -> Result<()> {
        self.ask(async |_| Ok(()))
    }

    /// The server's clock, microseconds; begins the transaction if that is the only way to know.
    pub(super) fn now_us(&self) -> Result<i64> {
        if let Some(now_us) = self.connection()?.now_us() {
            return Ok(now_us);
        }
        self.begin()?;
        self.connection()?.now_us().ok_or_else(|| Error::unexpected("the server told no time"))
    }

    fn connection(&self) -> Result<RefMut<'_, Connection>> {
        self.connection
            .try_borrow_mut()
            .map_err(|_| Error::unexpected("a statement was run while the rows of another were being read"))
    }

    /// Ask the server, and begin the transaction before if that was not done.
    fn ask<T>(&self, ask: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>) -> Result<T> {
        self.ask_over(&mut *self.connection()?, ask)
    }

    fn ask_over<T>(
        &self,
        connection: &mut Connection,
        ask: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T> {
        // The server would answer that the transaction is aborted, which says nothing.
        if self.health.get() != Health::Well {
            return Err(Error::unexpected("a transaction went on after one of its statements had failed"));
        }
        let Some(Before { word, settle: text, organization }) = self.before.borrow_mut().take() else {
            let queue = self.queue.take();
            if queue.is_empty() {
                return self.hear(connection, ask);
            }
            let (done, answer) = self
                .hear(connection, async |client| Ok(join(queue::send(client, &queue), ask(client)).await))?;
            return done.and(answer).map_err(|error| self.failed(connection, error));
        };
        let mut word = Some(word);
        let types: Vec<_> = organization.iter().map(Value::postgres_type).collect();
        let settle = match connection.prepared.way(&text, &types, true) {
            Way::Whole => None,
            Way::Ready(settle) => Some(settle),
            Way::Prepare => {
                let word = word.take();
                let settle = self.hear(connection, async |client| {
                    let prepare = client.prepare_typed(&text, &types);
                    let (begun, settle) = join(say(client, word), prepare).await;
                    begun.and(settle)
                })?;
                connection.prepared.keep(&text, settle.clone());
                Some(settle)
            }
        };
        let params = typed(organization.as_slice());
        let queue = self.queue.take();
        let (settled, answer) = self.hear(connection, async |client| {
            let settled = async {
                match &settle {
                    Some(settle) => client.query(settle, &untyped(&params)).await,
                    None => client.query_typed(&text, &params).await,
                }
            };
            let rest = join(queue::send(client, &queue), ask(client));
            let (begun, settled, (done, answer)) = join3(say(client, word), settled, rest).await;
            begun.map(|()| (settled, done.and(answer)))
        })?;
        let settled = match settled {
            Ok(rows) => rows.first().and_then(said_at_the_beginning),
            Err(error) if settle.is_some() && is_of_another(&error) => None,
            Err(error) => return Err(self.failed(connection, error)),
        };
        match settled {
            Some((process, now_us)) if connection.prepared.is_at(process) => connection.set_clock(now_us.0),
            // Another process than before. If the statement was prepared there: that name stands for nothing here, or for
            // something else.
            _ => {
                connection.prepared.forbid();
                self.health.set(Health::Lost);
                return Err(Error::new(ErrorKind::Unavailable, "the connection changed its server"));
            }
        }
        answer.map_err(|error| self.failed(connection, error))
    }

    /// Ask the server, and wait for its answer.
    fn hear<T>(
        &self,
        connection: &mut Connection,
        ask: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T> {
        match connection.wait(self.mode.patience, ask) {
            Ok(answer) => answer.map_err(|error| self.failed(connection, error)),
            Err(lost) => {
                self.health.set(Health::Lost);
                Err(lost)
            }
        }
    }

    /// Remember how a statement failed.
    fn failed(&self, connection: &Connection, error: tokio_postgres::Error) -> Error {
        let lost = is_lost(&error) || connection.prepared.is_stale(&error);
        let conflict = is_conflict(&error);
        let error = Error::from(error);
        self.health.set(match (lost, conflict) {
            (true, _) => Health::Lost,
            (false, true) => Health::Conflict,
            (false, false) => Health::Failed(error.kind()),
        });
        error
    }

    /// As [`crate::Tx::enter`]. The server is told with the next statement, if that is still for this organization.
    pub(crate) fn enter(&self, organization: i64) {
        self.scope.set(Scope::Organization(organization));
    }

    /// Tell the server which organization the next statement is for.
    fn tell_scope(&self) -> Result<()> {
        let scope = self.scope.get();
        let Scope::Organization(organization) = scope else { return Ok(()) };
        let told = self.told.replace(scope);
        if told == scope {
            return Ok(());
        }
        let sql = format!("-- {BY_KEY}\nselect set_config('goalpost.organization', $1, true)");
        let queued = self.queue(sql, vec![organization.to_string().into()], Heard::Nothing);
        queued.inspect_err(|_| self.told.set(told))
    }

    /// Let a statement be sent in the round trip of the next one, before it.
    fn queue(&self, sql: String, params: Vec<Value>, heard: Heard) -> Result<()> {
        let types: Vec<Type> = params.iter().map(Value::postgres_type).collect();
        let statement = self.prepared(&sql, &types)?;
        self.queue.borrow_mut().push(Queued { statement, text: Text::Whole { sql, params }, heard });
        Ok(())
    }

    /// As [`crate::Tx::ahead`].
    pub(crate) fn ahead(&self, sql: &str, params: &[Value]) -> Result<Rows> {
        let sql = statement::numbered(sql);
        self.check_partitions(&sql, params)?;
        let rows = Rows::default();
        self.queue(sql, params.to_vec(), Heard::Rows(rows.clone()))?;
        Ok(rows)
    }

    /// The rows of a statement that was sent ahead.
    pub(crate) fn rows_ahead(&self, rows: &Rows) -> Result<Vec<PgRow>> {
        if let Some(rows) = rows.take() {
            return Ok(rows);
        }
        self.begin()?;
        rows.take().ok_or_else(|| Error::unexpected("a statement was not sent, or its rows were taken twice"))
    }

    pub(crate) fn is_waited_for(&self) {
        self.is_waited_for.set(true);
    }

    /// As [`crate::Tx::reads_few`].
    pub(crate) fn reads_few(&self) -> Result<()> {
        if self.reads_few.replace(true) || self.mode.by_keys {
            return Ok(());
        }
        let sql = format!("-- {BY_KEY}\nselect set_config('enable_seqscan', 'off', true)");
        self.queue(sql, Vec::new(), Heard::Nothing).inspect_err(|_| self.reads_few.set(false))
    }

    pub(crate) fn lock(&self, key: i64) -> Result<()> {
        self.is_waited_for();
        let sql = "select pg_advisory_xact_lock($1)";
        self.ask(async |client| client.execute_typed(sql, &typed(&[Value::Int(key)])).await)?;
        Ok(())
    }

    pub(crate) fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64> {
        let sql = statement::numbered(sql);
        self.check_partitions(&sql, params)?;
        self.change(&sql, &typed(params))
    }

    /// As [`crate::Tx::change_and_add`].
    pub(crate) fn change_and_add(
        &self,
        change: &str,
        params: Params<'_>,
        rows: &[NewRow<'_>],
    ) -> Result<Changed> {
        let mut sql = statement::numbered(change);
        let mut params = params.to_vec();
        if !rows.is_empty() {
            sql = statement::with_rows(&sql, params.len(), rows);
            params.extend(rows.iter().flat_map(|row| row.values).cloned());
        }
        self.check_partitions(&sql, &params)?;
        let changed = Changed::default();
        self.queue(sql, params, Heard::Changed(changed.clone()))?;
        Ok(changed)
    }

    /// Run a statement that answers no rows.
    fn change(&self, sql: &str, params: &[(&(dyn ToSql + Sync), Type)]) -> Result<u64> {
        let types: Vec<Type> = params.iter().map(|(_, kind)| kind.clone()).collect();
        match self.prepared(sql, &types)? {
            Some(statement) => self.ask(async |client| client.execute(&statement, &untyped(params)).await),
            None => self.ask(async |client| client.execute_typed(sql, params).await),
        }
    }

    /// The statement as the connection has it prepared; `None` if it is to be sent whole.
    ///
    /// Whoever asks for it sends it next, so this is where the server is told which organization it is for.
    fn prepared(&self, sql: &str, types: &[Type]) -> Result<Option<Statement>> {
        self.tell_scope()?;
        // A long transaction's statements are planned for what they look at, but for those that say that they need not.
        let reads_few = self.reads_few.get();
        if self.mode.patience.is_none() && !reads_few && !sql.contains(BY_KEY) {
            return Ok(None);
        }
        let mut connection = self.connection()?;
        match connection.prepared.way(sql, types, reads_few) {
            Way::Whole => Ok(None),
            Way::Ready(statement) => Ok(Some(statement)),
            Way::Prepare => {
                let prepare = async |client: &Client| client.prepare_typed(sql, types).await;
                let statement = self.ask_over(&mut connection, prepare)?;
                connection.prepared.keep(sql, statement.clone());
                Ok(Some(statement))
            }
        }
    }

    /// Begin to read the rows of a statement.
    pub(crate) fn rows(&self, sql: &str, params: Params<'_>) -> Result<PgRows<'_>> {
        let sql = statement::numbered(sql);
        self.check_partitions(&sql, params)?;
        self.rows_of(&sql, &typed(params))
    }

    fn rows_of(&self, sql: &str, params: &[(&(dyn ToSql + Sync), Type)]) -> Result<PgRows<'_>> {
        let types: Vec<Type> = params.iter().map(|(_, kind)| kind.clone()).collect();
        let statement = self.prepared(sql, &types)?;
        let mut connection = self.connection()?;
        let stream = if let Some(statement) = &statement {
            let values: Vec<_> = params.iter().map(|(value, _)| *value).collect();
            self.ask_over(&mut connection, async |client| client.query_raw(statement, values).await)?
        } else {
            let params = params.iter().cloned();
            self.ask_over(&mut connection, async |client| client.query_typed_raw(sql, params).await)?
        };
        Ok(PgRows { tx: self, connection, stream: Box::pin(stream), row: None })
    }

    pub(crate) fn insert_all(&self, table: &str, columns: &[&str], values: &[Value]) -> Result<()> {
        for rows in statement::batches(values, columns.len()) {
            let insert = statement::Insert::new(table, columns, 1, rows);
            self.change(&insert.sql, &insert.params())?;
        }
        Ok(())
    }

    /// As [`crate::Tx::append`].
    pub(crate) fn append(
        &self,
        table: &'static str,
        columns: &'static [&'static str],
        rows: Params<'_>,
    ) -> Result<()> {
        for rows in statement::batches(rows, columns.len()) {
            let insert = statement::Insert::new(table, columns, 1, rows);
            let types: Vec<Type> = insert.params().into_iter().map(|(_, kind)| kind).collect();
            let statement = self.prepared(&insert.sql, &types)?;
            let text = Text::Insert { table, columns, rows: rows.to_vec() };
            self.queue.borrow_mut().push(Queued { statement, text, heard: Heard::Nothing });
        }
        Ok(())
    }

    /// Insert rows that a unique index has a place for, while something holds, and hand each row that was to `f`.
    pub(crate) fn insert_free<E: From<Error>>(
        &self,
        table: &str,
        columns: &[&str],
        values: &[Value],
        while_holds: (&str, Params<'_>),
        returning: &str,
        mut f: impl FnMut(&PgRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let (holds, params) = while_holds;
        let holds = statement::numbered(holds);
        for rows in statement::batches(values, columns.len()) {
            let insert = statement::Insert::new(table, columns, params.len() + 1, rows);
            let sql = format!("{} where {holds} on conflict do nothing returning {returning}", insert.sql);
            let params = [typed(params), insert.params()].concat();
            let mut inserted = self.rows_of(&sql, &params)?;
            while inserted.advance()? {
                let Some(row) = inserted.row() else { break };
                f(row)?;
            }
        }
        Ok(())
    }

    /// Make what was done stay. The answer counts: a server that aborted the transaction says so by the word.
    ///
    /// A commit keeps its locks until its record is on the disk. If others wait for them and the server `can_hand_over`,
    /// it lets go before, and a second transaction that only writes a word into the journal is committed after it: the
    /// journal is written in order, so once that one is on the disk (and with the standbys that the server waits for),
    /// the first one is.
    pub(super) fn commit(&self, can_hand_over: bool) -> Result<()> {
        let sql = if can_hand_over && self.is_waited_for.get() {
            "set local synchronous_commit = off; commit; select pg_logical_emit_message(true, 'goalpost', '')"
        } else {
            "commit"
        };
        self.ask(async |client| client.simple_query(sql).await)?;
        Ok(())
    }

    /// Refuse a statement of one organization that looks into more than one partition of a table.
    fn check_partitions(&self, sql: &str, params: Params<'_>) -> Result<()> {
        let Scope::Organization(_) = self.scope.get() else { return Ok(()) };
        // What changes the schema has no plan.
        let has_plan = !["alter", "create", "drop"].iter().any(|word| sql.starts_with(word));
        if !self.checks_partitions || !has_plan || sql.contains("(all organizations)") {
            return Ok(());
        }
        self.tell_scope()?;
        let explain = format!("explain (costs off) {sql}");
        let plan = self.ask(async |client| {
            let rows: Vec<_> = query(client, &explain, params).await?.collect().await;
            rows.into_iter().map(|row| row?.try_get::<_, String>(0)).collect::<Result<Vec<_>, _>>()
        })?;
        statement::within_one_partition(&plan).map_err(|tables| {
            Error::unexpected(format!("the statement looks into several partitions of {tables}: {sql}"))
        })
    }
}

/// The rows of a statement, as they come in.
pub(crate) struct PgRows<'a> {
    tx: &'a PgTx,
    connection: RefMut<'a, Connection>,
    stream: Pin<Box<RowStream>>,
    row: Option<PgRow>,
}

impl PgRows<'_> {
    pub(crate) fn advance(&mut self) -> Result<bool> {
        // Most rows came in with the one before.
        let next = if let Some(next) = self.stream.next().now_or_never() {
            next.transpose()
        } else {
            let stream = &mut self.stream;
            self.connection
                .wait(self.tx.mode.patience, async |_| stream.next().await.transpose())
                .inspect_err(|_| self.tx.health.set(Health::Lost))?
        };
        self.row = next.map_err(|error| self.tx.failed(&self.connection, error))?.map(PgRow::new);
        Ok(self.row.is_some())
    }

    pub(crate) fn row(&self) -> Option<&PgRow> {
        self.row.as_ref()
    }
}

/// A row, and those of its texts that are not kept as they are.
#[derive(Debug)]
pub(crate) struct PgRow {
    pub(crate) row: tokio_postgres::Row,
    texts: OnceCell<Vec<Option<String>>>,
}

impl PgRow {
    pub(super) fn new(row: tokio_postgres::Row) -> Self {
        Self { row, texts: OnceCell::new() }
    }

    /// The original of the text in a column.
    pub(crate) fn decoded<'r>(&'r self, column: usize, kept: &'r str) -> &'r str {
        let texts = self.texts.get_or_init(|| {
            let texts =
                (0..self.row.len()).map(|column| self.row.try_get::<_, &str>(column).ok().map(text::decode));
            texts.collect()
        });
        texts.get(column).and_then(Option::as_deref).unwrap_or(kept)
    }
}

async fn query(client: &Client, sql: &str, params: Params<'_>) -> Result<RowStream, tokio_postgres::Error> {
    client.query_typed_raw(sql, params.iter().map(|value| (value, value.postgres_type()))).await
}

pub(super) fn typed(params: Params<'_>) -> Vec<(&(dyn ToSql + Sync), Type)> {
    params.iter().map(|value| (value as &(dyn ToSql + Sync), value.postgres_type())).collect()
}

pub(super) fn untyped<'p>(params: &[(&'p (dyn ToSql + Sync), Type)]) -> Vec<&'p (dyn ToSql + Sync)> {
    params.iter().map(|(value, _)| *value).collect()
}

/// Say a word, if there is one to say.
async fn say(client: &Client, word: Option<&str>) -> Result<(), tokio_postgres::Error> {
    match word {
        Some(word) => client.batch_execute(word).await,
        None => Ok(()),
    }
}

/// What the first columns say: the server's process, and its clock in microseconds. `None` of something else.
fn said_at_the_beginning(row: &Row) -> Option<(Process, Micros)> {
    // In this order: what another statement says breaks off at the first.
    let number = row.try_get(0).ok()?;
    let [started, now] = [1, 2].map(|column| row.try_get::<_, Micros>(column));
    Some((Process { number, started: started.ok()? }, now.ok()?))
}
