//! `psql`, PostgreSQL's own command line, and its `COPY`: what the server is measured against.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use goalpost_processes::postgres::Installation;

use crate::data::Data;
use crate::server::CheckIns;
use crate::usage::Cost;

/// What the report calls it.
pub(crate) const NAME: &str = "`psql`";
/// Stands between two check-ins in one cell; no text holds it.
pub(crate) const BETWEEN_CHECKINS: char = '\u{1e}';

const GOALS: &str = include_str!("goals.sql");
const CHECKINS: &str = include_str!("checkins.sql");

/// Whether PostgreSQL compiles the expressions of the query, which it does unless it is told not to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jit {
    On,
    Off,
}

/// The peer, with its version.
pub(crate) fn version() -> anyhow::Result<String> {
    let installation = Installation::find().context("PostgreSQL is not installed")?;
    let said = Command::new(installation.bin().join("psql")).arg("--version").output()?;
    let said = String::from_utf8(said.stdout)?;
    let number = said.split_whitespace().nth(2).context("`psql` does not say which version it is")?;
    Ok(format!("PostgreSQL {number}"))
}

/// Write the goals that the data's owner sees to `file`, as CSV.
pub(crate) fn export(data: &Data, checkins: CheckIns, jit: Jit, file: &Path) -> anyhow::Result<Cost> {
    let (joined, last_note, cells) = match checkins {
        CheckIns::Left => (CHECKINS, "checkins.last_note", "checkins.cells"),
        CheckIns::Removed => ("", "''", "''"),
    };
    let query = GOALS
        .replace("{joined}", joined)
        .replace("{last_note}", last_note)
        .replace("{checkins}", cells)
        .replace(":organization", &data.organization.to_string())
        .replace(":me", &data.owner.to_string());
    let script = data.folder.join("goals.sql");
    let jit = if jit == Jit::On { "on" } else { "off" };
    fs::write(&script, format!("set jit = {jit};\ncopy (\n{query}) to stdout with (format csv, header);\n"))?;
    let mut psql = data.psql(checkins);
    Cost::with(psql.arg("--file").arg(script).stdout(File::create(file)?), data.database_server())
}
