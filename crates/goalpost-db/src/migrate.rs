//! Schema versions. Each file in `migrations/` is applied once, in one transaction with its record.
//!
//! A file is written once for both engines, with tokens where their types differ: `{int}`, `{real}`, `{text}`,
//! `{blob}`, `{bool}`, and `{table}` or `{clustered}` after the closing bracket of a table (rows in order of
//! insertion, or stored in the order of the primary key; PostgreSQL knows only the first). A statement that begins with
//! `{sqlite}` is for that engine alone.
//!
//! A version is `major.minor`. A minor one only adds: nullable columns, tables and indexes that an older program does
//! without; or it puts other indexes in the place of some, or lays the same rows of a table out in another way. So two
//! versions work side by side on one database while nodes are replaced one by one. Where the older could not read what
//! the newer makes by such an addition, the newer makes it once the older is gone (docs/OPERATIONS.md, "Upgrading").
//! What an older program could not live with is a major one, and refused by it.

use std::fmt::{self, Write as _};

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::{Settings, postgres};

/// The version of a schema. One with the same major number and a higher minor one has additions that may be ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Raised by what an older program cannot live with.
    pub major: i64,
    /// Raised by additions.
    pub minor: i64,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

const MIGRATIONS: &[(Version, &str)] = &[
    (Version { major: 1, minor: 0 }, include_str!("../migrations/0001_foundation.sql")),
    (Version { major: 1, minor: 1 }, include_str!("../migrations/0001_01_nodes.sql")),
    (Version { major: 1, minor: 2 }, include_str!("../migrations/0001_02_model.sql")),
    (Version { major: 1, minor: 3 }, include_str!("../migrations/0001_03_exports.sql")),
    (Version { major: 1, minor: 4 }, include_str!("../migrations/0001_04_imports.sql")),
    (Version { major: 1, minor: 5 }, include_str!("../migrations/0001_05_reuse.sql")),
    (Version { major: 1, minor: 6 }, include_str!("../migrations/0001_06_queue.sql")),
    (Version { major: 1, minor: 7 }, include_str!("../migrations/0001_07_contents.sql")),
    (Version { major: 1, minor: 8 }, include_str!("../migrations/0001_08_export_rows.sql")),
];

/// The newest schema that this program knows; it refuses to work on one with a higher major number.
pub const NEWEST: Version = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// What a statement begins with that is for SQLite alone.
const SQLITE_ALONE: &str = "{sqlite} ";

const SQLITE_TOKENS: &[(&str, &str)] = &[
    (SQLITE_ALONE, ""),
    ("{int}", "integer"),
    ("{real}", "real"),
    ("{text}", "text"),
    ("{blob}", "blob"),
    ("{bool}", "integer"),
    ("{table}", "strict"),
    ("{clustered}", "strict, without rowid"),
];

const POSTGRES_TOKENS: &[(&str, &str)] = &[
    ("{int}", "bigint"),
    ("{real}", "double precision"),
    // Bytewise, as SQLite compares.
    ("{text}", "text collate \"C\""),
    ("{blob}", "bytea"),
    ("{bool}", "boolean"),
    ("{table}", ""),
    ("{clustered}", ""),
];

fn spelled(text: &str, tokens: &[(&str, &str)]) -> String {
    tokens.iter().fold(text.to_owned(), |sql, (token, word)| sql.replace(token, word))
}

/// The migrations that a schema lacks, up to the one that is wanted.
fn missing(
    present: Option<Version>,
    wanted: Version,
) -> impl Iterator<Item = &'static (Version, &'static str)> {
    MIGRATIONS.iter().filter(move |(version, _)| Some(*version) > present && *version <= wanted)
}

/// Whether a program may work on a schema that it may not change: the newest that it knows is `newest`.
pub(crate) fn admit(present: Option<Version>, newest: Version) -> Result<()> {
    let refused = |kind, message| Err(Error::new(kind, message));
    match present {
        Some(present) if present.major > newest.major => refused(
            ErrorKind::NewerSchema,
            format!(
                "the data was written by a newer Goalpost (schema {present}; this one knows up to {newest})"
            ),
        ),
        Some(present) if present < newest => refused(
            ErrorKind::OlderSchema,
            format!("the data was written by an older Goalpost (schema {present}; this one needs {newest})"),
        ),
        None => refused(
            ErrorKind::OlderSchema,
            format!("the database is empty, and this program may not fill it (schema {newest} is needed)"),
        ),
        Some(_) => Ok(()),
    }
}

/// Whether the schema lacks something that this program may add; an error if it cannot work on it.
fn lacks(present: Option<Version>, settings: &Settings) -> Result<bool> {
    match admit(present, settings.newest) {
        Err(older) if older.kind() == ErrorKind::OlderSchema && settings.migrate => Ok(true),
        refused => refused.map(|()| false),
    }
}

/// A migration's statements, one by one: each ends with the line that ends with a semicolon.
fn statements(text: &str) -> impl Iterator<Item = String> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        let mut statement = String::new();
        for line in lines.by_ref() {
            let is_comment = line.trim_start().starts_with("--");
            if statement.is_empty() && (is_comment || line.trim().is_empty()) {
                continue;
            }
            statement.push_str(line);
            statement.push('\n');
            if !is_comment && line.trim_end().ends_with(';') {
                return Some(statement);
            }
        }
        (!statement.is_empty()).then_some(statement)
    })
}

/// Tables and their columns that hold truth values.
pub(crate) fn truth_columns() -> impl Iterator<Item = (String, String)> {
    let of_statement = |statement: String| {
        let mut lines = statement.lines();
        let first: Vec<_> = lines.next().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let first: Vec<_> = first.iter().map(String::as_str).collect();
        let found: Vec<_> = match first[..] {
            ["create", "table", table, ..] => {
                let words = lines.map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
                let truths =
                    words.filter(|words| words.get(1).is_some_and(|kind| kind.starts_with("{bool}")));
                truths.map(|words| (table.to_owned(), words[0].to_owned())).collect()
            }
            ["alter", "table", table, "add", "column", column, kind, ..] if kind.starts_with("{bool}") => {
                vec![(table.to_owned(), column.to_owned())]
            }
            _ => Vec::new(),
        };
        found
    };
    MIGRATIONS.iter().flat_map(|(_, text)| statements(text)).flat_map(of_statement)
}

/// A chance to fail, or to die, before the next statement. For tests.
fn go_on(settings: &Settings) -> Result<()> {
    settings.faults.as_ref().map_or(Ok(()), |faults| faults.next_of_migration().before())
}

/// The statement that records a version as applied: major number, hash, time, minor number. The first program knew no
/// additions: theirs is a table of their own, so that it goes on working beside them.
fn record(version: Version) -> &'static str {
    if version.minor == 0 {
        "insert into schema_migration (version, sha256, applied_at) values (?1, ?2, ?3)"
    } else {
        "insert into schema_addition (version, addition, sha256, applied_at) values (?1, ?4, ?2, ?3)"
    }
}

/// Bring the schema up to date. Two processes may call this at once: the second waits, then finds nothing to do.
pub(crate) fn sqlite(connection: &Connection, settings: &Settings, now_us: i64) -> Result<()> {
    if !lacks(sqlite_version(connection)?, settings)? {
        return Ok(());
    }
    connection.execute_batch("begin immediate")?;
    let done = apply_sqlite(connection, settings, now_us);
    connection.execute_batch(if done.is_ok() { "commit" } else { "rollback" })?;
    done
}

fn apply_sqlite(connection: &Connection, settings: &Settings, now_us: i64) -> Result<()> {
    for (version, text) in missing(sqlite_version(connection)?, settings.newest) {
        for statement in statements(&spelled(text, SQLITE_TOKENS)) {
            go_on(settings)?;
            connection.execute_batch(&statement)?;
        }
        go_on(settings)?;
        let sha256 = Sha256::digest(text.as_bytes());
        let mut record = connection.prepare(record(*version))?;
        if version.minor == 0 {
            record.execute((version.major, sha256.as_slice(), now_us))?;
        } else {
            record.execute((version.major, sha256.as_slice(), now_us, version.minor))?;
        }
    }
    go_on(settings)
}

/// The version of the schema as it is now, which another process may have changed since the database was opened.
pub fn schema_version(tx: &crate::Tx<'_>) -> Result<Version> {
    tx.query_one(
        "-- db::schema_version
        select coalesce(max(version), 0),
               (select coalesce(max(addition), 0) from schema_addition
                 where version = (select max(version) from schema_migration))
          from schema_migration",
        crate::params![],
        |row| Ok(Version { major: row.int(0)?, minor: row.int(1)? }),
    )
}

/// The version found; `None` for an empty database; an error for one that is not ours.
pub(crate) fn sqlite_version(connection: &Connection) -> Result<Option<Version>> {
    let count = |sql: &str| connection.query_row(sql, (), |row| row.get::<_, i64>(0));
    if count("select count(*) from sqlite_schema")? == 0 {
        return Ok(None);
    }
    if count("select count(*) from sqlite_schema where name = 'schema_migration'")? == 0 {
        return Err(Error::new(ErrorKind::NotADatabase, "the file is an SQLite database of another program"));
    }
    let major = count("select max(version) from schema_migration")?;
    let has_additions = count("select count(*) from sqlite_schema where name = 'schema_addition'")? > 0;
    let minor = if has_additions {
        let sql = "select coalesce(max(addition), 0) from schema_addition where version = ?1";
        connection.query_row(sql, [major], |row| row.get(0))?
    } else {
        0
    };
    Ok(Some(Version { major, minor }))
}

/// Held while a schema is made, so that of several nodes that start at once one makes it.
const LOCK: i64 = 0x676f_616c_706f_7374;
/// Whether row-level security is on.
const IS_SECURED: &str = "select count(*) from pg_class where oid = to_regclass('job') and relrowsecurity";
/// A floor under the queries, which name their organization anyway: each table whose rows are an organization's shows
/// only those of the one that the transaction is for. `force`, since we own the tables. The keys of jobs alone can be
/// read for all, by a role that can do nothing else.
const ROW_SECURITY: &str = include_str!("../migrations/row_security.sql");

/// Bring the schema of a PostgreSQL database up to date, in one transaction. Tells whether the keys of jobs are read
/// under the role that row-level security leaves them to.
pub(crate) fn postgres(connection: &mut postgres::Connection, settings: &Settings) -> Result<bool> {
    if lacks(postgres_version(connection)?, settings)? {
        connection.batch(&format!("begin; select pg_advisory_xact_lock({LOCK})"))?;
        let done = apply_postgres(connection, settings);
        connection.batch(if done.is_ok() { "commit" } else { "rollback" })?;
        done?;
    }
    Ok(connection.number(IS_SECURED)? == Some(1))
}

fn apply_postgres(connection: &mut postgres::Connection, settings: &Settings) -> Result<()> {
    let present = postgres_version(connection)?;
    let row_security = match present {
        None => settings.row_security,
        Some(_) => connection.number(IS_SECURED)? == Some(1),
    };
    for (version, text) in missing(present, settings.newest) {
        let spelled = spelled(text, POSTGRES_TOKENS);
        for sql in statements(&spelled).filter(|sql| !sql.starts_with(SQLITE_ALONE)) {
            go_on(settings)?;
            connection.batch(&settings.partitions.map_or(sql.clone(), |count| partitioned(&sql, count)))?;
        }
        go_on(settings)?;
        let record = record(*version)
            .replace("?1", &version.major.to_string())
            .replace("?2", &format!("sha256(convert_to($text${text}$text$, 'UTF8'))"))
            .replace("?3", "(extract(epoch from clock_timestamp()) * 1000000)::bigint")
            .replace("?4", &version.minor.to_string());
        connection.batch(&record)?;
    }
    if row_security {
        go_on(settings)?;
        connection.batch(ROW_SECURITY)?;
    }
    go_on(settings)
}

/// The version found; `None` for an empty database.
pub(crate) fn postgres_version(connection: &mut postgres::Connection) -> Result<Option<Version>> {
    if connection.number("select to_regclass('schema_migration')::oid::bigint")?.is_none() {
        return Ok(None);
    }
    let Some(major) = connection.number("select max(version) from schema_migration")? else {
        return Ok(None);
    };
    let minor = match connection.number("select to_regclass('schema_addition')::oid::bigint")? {
        None => None,
        Some(_) => connection
            .number(&format!("select max(addition) from schema_addition where version = {major}"))?,
    };
    Ok(Some(Version { major, minor: minor.unwrap_or(0) }))
}

/// The same statement; if it makes a table of organizations, split by hash: then every key must hold the organization,
/// and a query that does not name it shows in its plan.
fn partitioned(statement: &str, count: u32) -> String {
    let mut code = statement.lines().filter(|line| !line.trim_start().starts_with("--"));
    let name = code.next().and_then(|line| line.strip_prefix("create table ")?.split_whitespace().next());
    let first_column = code.next().map_or("", str::trim_start);
    let Some(name) = name.filter(|_| first_column.starts_with("organization ")) else {
        return statement.to_owned();
    };
    let mut out =
        format!("{} partition by hash (organization);\n", statement.trim_end().trim_end_matches(';'));
    for part in 0..count {
        let _ = writeln!(
            out,
            "create table {name}_p{part} partition of {name} \
             for values with (modulus {count}, remainder {part});"
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_organizations_are_partitioned_and_global_ones_are_not() {
        let sql = spelled(MIGRATIONS[0].1, POSTGRES_TOKENS);
        let sql: String = statements(&sql).map(|statement| partitioned(&statement, 3)).collect();
        assert!(
            sql.contains("create table goal_p2 partition of goal for values with (modulus 3, remainder 2)")
        );
        for global in ["schema_migration_p0", "organization_p0", "identity_p0"] {
            assert!(!sql.contains(global), "{global}");
        }
    }

    #[test]
    fn a_migration_is_cut_into_whole_statements_and_nothing_is_lost() {
        let text = "-- a; b\ncreate table t (\n  -- of it; see\n  a int\n);\n\ncreate index i\n  on t (a);\n";
        let cut: Vec<_> = statements(text).collect();
        assert_eq!(
            cut,
            ["create table t (\n  -- of it; see\n  a int\n);\n", "create index i\n  on t (a);\n"]
        );
        for (version, text) in MIGRATIONS {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let code: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
            let cut: Vec<_> = statements(text).collect();
            let kept: Vec<_> = cut
                .iter()
                .flat_map(|one| one.lines())
                .filter(|line| !line.trim_start().starts_with("--"))
                .collect();
            assert_eq!(words(&kept.join("\n")), words(&code.join("\n")), "{version}");
            let is_known = |text: &String| {
                let begins = |text: &str, words: &[&str]| words.iter().any(|word| text.starts_with(word));
                let of_sqlite = text.strip_prefix(SQLITE_ALONE);
                begins(of_sqlite.unwrap_or(text), &["create ", "alter ", "drop index "])
                    || of_sqlite.is_some_and(|text| begins(text, &["drop table ", "insert into "]))
            };
            assert!(cut.iter().all(is_known), "{version}");
        }
    }

    #[test]
    fn additions_do_not_keep_an_older_program_out() {
        let next = Version { minor: NEWEST.minor + 7, ..NEWEST };
        assert!(admit(Some(next), NEWEST).is_ok());
        let newer = Version { major: NEWEST.major + 1, minor: 0 };
        let settings = Settings::default();
        assert_eq!(lacks(Some(newer), &settings).unwrap_err().kind(), ErrorKind::NewerSchema);
        assert_eq!(admit(None, NEWEST).unwrap_err().kind(), ErrorKind::OlderSchema);
        assert!(lacks(None, &settings).unwrap());
    }
}
