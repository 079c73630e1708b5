//! Statements that wait for the next one, in whose round trip they are sent: each costs both sides its work, but no
//! message and no switch of tasks of its own.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use futures_util::future::maybe_done;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Statement};

use super::statement::Insert;
use super::transaction::{PgRow, typed, untyped};
use crate::tx::Changed;
use crate::value::Value;

/// A statement that waits.
pub(super) struct Queued {
    /// As the connection has it prepared; `None` if it is to be sent whole.
    pub(super) statement: Option<Statement>,
    pub(super) text: Text,
    pub(super) heard: Heard,
}

/// What is sent.
pub(super) enum Text {
    Whole { sql: String, params: Vec<Value> },
    Insert { table: &'static str, columns: &'static [&'static str], rows: Vec<Value> },
}

/// What of the answer matters to somebody.
pub(super) enum Heard {
    Nothing,
    Changed(Changed),
    Rows(Rows),
}

/// The rows of a statement, once it was sent; until they are taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows(Rc<RefCell<Option<Vec<PgRow>>>>);

impl Rows {
    pub(super) fn take(&self) -> Option<Vec<PgRow>> {
        self.0.take()
    }
}

/// Send all of them at once, and hear their answers; the first failure, after which the server does no more of them.
pub(super) async fn send(client: &Client, queue: &[Queued]) -> Result<(), Error> {
    let mut all: Vec<_> = queue.iter().map(|queued| Box::pin(maybe_done(send_one(client, queued)))).collect();
    // Polled for the first time each is with the connection, so they are sent in order.
    poll_fn(|cx| {
        let mut is_pending = false;
        for one in &mut all {
            is_pending |= one.as_mut().poll(cx).is_pending();
        }
        if is_pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    all.iter_mut().filter_map(|one| one.as_mut().take_output()).collect()
}

async fn send_one(client: &Client, queued: &Queued) -> Result<(), Error> {
    match &queued.text {
        Text::Whole { sql, params } => send_whole(client, queued, sql, &typed(params)).await,
        Text::Insert { table, columns, rows } => {
            let insert = Insert::new(table, columns, 1, rows);
            send_whole(client, queued, &insert.sql, &insert.params()).await
        }
    }
}

async fn send_whole(
    client: &Client,
    Queued { statement, heard, .. }: &Queued,
    sql: &str,
    params: &[(&(dyn ToSql + Sync), Type)],
) -> Result<(), Error> {
    if let Heard::Rows(heard) = heard {
        let rows = match statement {
            Some(statement) => client.query(statement, &untyped(params)).await,
            None => client.query_typed(sql, params).await,
        };
        *heard.0.borrow_mut() = Some(rows?.into_iter().map(PgRow::new).collect());
        return Ok(());
    }
    let count = match statement {
        Some(statement) => client.execute(statement, &untyped(params)).await?,
        None => client.execute_typed(sql, params).await?,
    };
    if let Heard::Changed(changed) = heard {
        changed.set(count == 1);
    }
    Ok(())
}
