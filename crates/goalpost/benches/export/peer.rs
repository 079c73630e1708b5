//! `sqlite3`, SQLite's own command line: the program that the server is measured against.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::data::Data;
use crate::server::CheckIns;
use crate::usage::Cost;

/// What the report calls it.
pub(crate) const NAME: &str = "`sqlite3`";
/// Stands between two check-ins in one cell; no text holds it.
pub(crate) const BETWEEN_CHECKINS: char = '\u{1e}';

const GOALS: &str = include_str!("goals.sql");
const LAST_NOTE: &str =
    "(select c.note from checkin c where c.organization = g.organization and c.goal = g.id
     order by c.as_of_at desc, c.id desc limit 1)";
const CHECKINS: &str = "(select group_concat(cell, char(30))
     from (select 'Checkin Date: ' || date(c.as_of_at / 1000000, 'unixepoch')
               || '; User: ' || ifnull(p.name, '')
               || '; Note: ' || ifnull(c.note, '')
               || '; Metric Name: ' || ifnull(c.metric_name, 'Progress')
               || '; Status: ' || c.status
               || '; Current Value: ' || iif(c.value is null, '', printf('%.15g', c.value) ||
                    iif(g.outcome_type = 'Percentage' or g.metric_unit = 'Percentage', '%', ''))
               || '; Activity Date: '
               || ifnull(strftime('%Y-%m-%d %H:%M:%S UTC', c.recorded_at / 1000000, 'unixepoch'), '') || ';' as cell
             from checkin c left join person p on p.organization = c.organization and p.id = c.owner
            where c.organization = g.organization and c.goal = g.id
            order by c.as_of_at, c.id))";

/// What an import writes most of: goals, and what hangs on them.
const IMPORTED: [&str; 10] = [
    "goal",
    "goal_owner",
    "goal_checkin_owner",
    "goal_viewer",
    "goal_team",
    "goal_tag",
    "goal_parent",
    "goal_phased_target",
    "task",
    "checkin",
];

/// `sqlite3` on a database, which must be there unless the statements make it.
fn sqlite3(database: &Path) -> Command {
    let mut command = Command::new("sqlite3");
    command.arg("-batch").arg("-bail").arg(database).stdin(Stdio::null());
    command
}

/// What statements print.
///
/// # Errors
/// When `sqlite3` is not there or refuses.
pub(crate) fn ask(database: &Path, statements: &str) -> anyhow::Result<String> {
    let answer = sqlite3(database)
        .arg(statements)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start `sqlite3`; install SQLite's command line")?;
    if !answer.status.success() {
        bail!("sqlite3 ended with {}", answer.status);
    }
    Ok(String::from_utf8(answer.stdout)?.trim().to_owned())
}

/// The peer, with its version.
pub(crate) fn version() -> anyhow::Result<String> {
    Ok(format!("sqlite3 {}", ask(Path::new(":memory:"), "select sqlite_version()")?))
}

/// The rows and columns of the file, with `:organization` and `:me`, who asks.
pub(crate) fn query(checkins: CheckIns) -> String {
    let (last_note, cells) = match checkins {
        CheckIns::Left => (LAST_NOTE, CHECKINS),
        CheckIns::Removed => ("''", "''"),
    };
    GOALS.replace("{last_note}", last_note).replace("{checkins}", cells)
}

/// Write the goals that the data's owner sees to `file`, as CSV.
pub(crate) fn export(data: &Data, checkins: CheckIns, file: &Path) -> anyhow::Result<Cost> {
    let script = data.folder.join("goals.sql");
    fs::write(
        &script,
        format!(
            ".mode csv\n.headers on\n.parameter set :organization {}\n.parameter set :me {}\n{}",
            data.organization,
            data.owner,
            query(checkins)
        ),
    )?;
    Cost::of(sqlite3(&data.database(checkins)).stdin(File::open(script)?).stdout(File::create(file)?))
}

/// The rows of an import as CSV files, made once; their size in bytes.
pub(crate) fn dump(data: &Data) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for table in IMPORTED {
        let file = dumped(data, table);
        if !file.exists() {
            let rows = File::create(&file)?;
            let mut command = sqlite3(&data.database(CheckIns::Left));
            Cost::of(command.arg("-csv").arg(format!("select * from {table}")).stdout(rows))?;
        }
        bytes += fs::metadata(file)?.len();
    }
    Ok(bytes)
}

/// Read those files into a new database with the same tables and indexes.
pub(crate) fn import(data: &Data) -> anyhow::Result<Cost> {
    let database = data.folder.join("imported.db");
    let _ = fs::remove_file(&database);
    // A CSV file has no null, so a strict table would refuse its empty numbers.
    let schema = ask(
        &data.database(CheckIns::Left),
        "select replace(sql, ') strict, without rowid', ') without rowid') || ';' from sqlite_schema
          where sql like 'create table%strict, without rowid'
         union all select substr(sql, 1, length(sql) - length(' strict')) || ';' from sqlite_schema
          where sql like 'create table%) strict'
         union all select sql || ';' from sqlite_schema where type = 'index' and sql is not null",
    )?;
    let script = data.folder.join("import.sql");
    let mut out = File::create(&script)?;
    writeln!(out, "{schema}\n.mode csv")?;
    for table in IMPORTED {
        writeln!(out, ".import \"{}\" {table}", dumped(data, table).display())?;
    }
    let cost = Cost::of(sqlite3(&database).stdin(File::open(script)?).stdout(Stdio::null()))?;
    let goals = "select count(*) from goal";
    if ask(&database, goals)? != ask(&data.database(CheckIns::Left), goals)? {
        bail!("sqlite3 did not import every goal");
    }
    fs::remove_file(database)?;
    Ok(cost)
}

fn dumped(data: &Data, table: &str) -> PathBuf {
    data.folder.join(format!("{table}.csv"))
}
