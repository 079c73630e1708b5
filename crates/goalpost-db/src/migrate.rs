//! Schema versions. Each file in `migrations/` is applied once, in one transaction with its record.
//!
//! A file is written once for both engines, with tokens where their types differ: `{int}`, `{real}`, `{text}`,
//! `{blob}`, `{bool}`, and `{table}` or `{clustered}` after the closing bracket of a table (rows in order of
//! insertion, or stored in the order of the primary key).

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};

const MIGRATIONS: &[(i64, &str)] = &[(1, include_str!("../migrations/0001_foundation.sql"))];

pub(crate) const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

const SQLITE_TOKENS: &[(&str, &str)] = &[
    ("{int}", "integer"),
    ("{real}", "real"),
    ("{text}", "text"),
    ("{blob}", "blob"),
    ("{bool}", "integer"),
    ("{table}", "strict"),
    ("{clustered}", "strict, without rowid"),
];

/// Bring the schema up to date. Two processes may call this at once: the second waits, then finds nothing to do.
pub(crate) fn migrate(connection: &Connection, now_us: i64) -> Result<()> {
    if version(connection)? == NEWEST {
        return Ok(());
    }
    connection.execute_batch("begin immediate")?;
    let done = apply_missing(connection, now_us);
    connection.execute_batch(if done.is_ok() { "commit" } else { "rollback" })?;
    done
}

fn apply_missing(connection: &Connection, now_us: i64) -> Result<()> {
    let present = version(connection)?;
    for (number, text) in MIGRATIONS.iter().filter(|(number, _)| *number > present) {
        let sql =
            SQLITE_TOKENS.iter().fold((*text).to_owned(), |sql, (token, word)| sql.replace(token, word));
        connection.execute_batch(&sql)?;
        connection.execute(
            "insert into schema_migration (version, sha256, applied_at) values (?1, ?2, ?3)",
            (number, Sha256::digest(text.as_bytes()).as_slice(), now_us),
        )?;
    }
    Ok(())
}

/// The version found, 0 for an empty database; an error for one that is newer than this build, or not ours.
fn version(connection: &Connection) -> Result<i64> {
    let tables: i64 = connection.query_row("select count(*) from sqlite_schema", (), |row| row.get(0))?;
    if tables == 0 {
        return Ok(0);
    }
    let ours = "select count(*) from sqlite_schema where name = 'schema_migration'";
    if connection.query_row(ours, (), |row| row.get::<_, i64>(0))? == 0 {
        return Err(Error::new(ErrorKind::NotADatabase, "the file is an SQLite database of another program"));
    }
    let version = connection.query_row("select max(version) from schema_migration", (), |row| row.get(0))?;
    if version > NEWEST {
        return Err(Error::new(
            ErrorKind::NewerSchema,
            format!(
                "the data was written by a newer Goalpost (schema {version}; this one knows up to {NEWEST})"
            ),
        ));
    }
    Ok(version)
}
