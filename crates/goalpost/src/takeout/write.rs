//! Everything of an organization into a folder, while others read and write.

use std::collections::HashMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use goalpost_db::{Db, Scope, Table, Tx, params, schema_version};
use goalpost_tabular::Csv;
use serde_json::json;
use uuid::Uuid;

use super::dictionary::{Lines, Part};
use super::manifest::{FileEntry, Manifest};
use super::{Result, TakeoutError, field, readme};
use crate::backup::files::{self, Hashed, PIECE};
use crate::backup::{BackupError, Progress, Tell};
use crate::exports::options::{CheckInCells, Columns, Format, KnownColumns, Options};
use crate::exports::table;
use crate::exports::viva_csv;
use crate::goals::filter::{Condition, Subject};
use crate::goals::history::AsOf;
use crate::goals::rows::{self, Plan, Query};
use crate::goals::visibility::IS_HELD;
use crate::ids::{Ids, OrganizationNumber};
use crate::orgs::queries::find_by_guid;

/// The file of all goals, as Viva Goals wrote it.
pub const GOALS_CSV: &str = "goals.csv";
/// The same with every column that a file may have, typed, for programs that analyse tables.
pub const GOALS_PARQUET: &str = "goals.parquet";
/// Rows between two words about how far the work is.
const TELL_EVERY: u64 = 20_000;

/// Write everything of an organization into a folder, which is there once all of it is.
///
/// What goals say that nobody but a few may see is among it: this is for the operator.
///
/// # Errors
/// An organization that is not there, a folder that is; then, and after any other error, nothing is left.
pub fn save(db: &Db, organization: Uuid, out: &Path, tell: Tell<'_>) -> Result<Manifest> {
    if fs::symlink_metadata(out).is_ok() {
        return Err(TakeoutError::Taken(out.to_owned()));
    }
    let draft = Draft::beside(out)?;
    let manifest = db.snapshot(Scope::Global, |tx| {
        let found = find_by_guid(tx, organization)?.ok_or(TakeoutError::NoOrganization(organization))?;
        tx.enter(found.number.0);
        let named = (found.guid, found.name);
        let mut manifest = Manifest::new(schema_version(tx)?, named, found.revision, tx.now_us());
        Save { tx, organization: found.number, folder: &draft.path, tell, done: 0 }.all(&mut manifest)?;
        Ok::<_, TakeoutError>(manifest)
    })?;
    manifest.write(&draft.path)?;
    draft.place(out)?;
    Ok(manifest)
}

/// A folder in the making, beside its place; gone with this unless it was placed.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn beside(out: &Path) -> Result<Self> {
        let name = out.file_name().ok_or_else(|| TakeoutError::Taken(out.to_owned()))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.unfinished", Ids.guid().simple()));
        let draft = Self { path: above(out).join(hidden) };
        files::make_folder(&draft.path.join("history"))?;
        Ok(draft)
    }

    fn place(self, out: &Path) -> Result<()> {
        files::sync_folder(&self.path.join("history"))?;
        files::sync_folder(&self.path)?;
        if fs::symlink_metadata(out).is_ok() {
            return Err(TakeoutError::Taken(out.to_owned()));
        }
        fs::rename(&self.path, out).map_err(BackupError::io("make", out))?;
        Ok(files::sync_folder(above(out))?)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Once it is placed there is nothing of this name.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The folder that something lies in.
fn above(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

struct Save<'a> {
    tx: &'a Tx<'a>,
    organization: OrganizationNumber,
    folder: &'a Path,
    tell: Tell<'a>,
    done: u64,
}

impl Save<'_> {
    fn all(mut self, manifest: &mut Manifest) -> Result<()> {
        let tables: HashMap<_, _> =
            self.tx.tables()?.into_iter().map(|table| (table.name.clone(), table)).collect();
        let mut described = Vec::new();
        for lines in Part::all() {
            let table = tables.get(&lines.table()).ok_or_else(|| TakeoutError::Strange(lines.table()))?;
            manifest.files.push(self.lines(lines, table)?);
            let nullable =
                |column: &str| table.columns.iter().any(|(name, _, nullable)| name == column && *nullable);
            described.push(lines.describe(&table.key, nullable));
            self.done += 1;
        }
        manifest.files.push(self.goals_csv()?);
        manifest.files.push(self.goals_parquet()?);
        let schema = json!({ "files": described });
        let schema = serde_json::to_string_pretty(&schema).expect("texts are written to memory") + "\n";
        manifest.files.push(self.text("schema.json", &schema)?);
        manifest.files.push(self.text("README.txt", &readme::text())?);
        manifest.files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(())
    }

    fn tell(&mut self, what: String) {
        // The two tables of all goals take about as long as all else.
        let total = 2 * Part::all().count() as u64;
        (self.tell)(Progress { what, done: self.done, total });
    }

    /// Write the rows of a table, in the order of its key.
    fn lines(&mut self, lines: Lines, table: &Table) -> Result<FileEntry> {
        let path = lines.path();
        self.tell(path.clone());
        let fields: Vec<_> = lines.fields().collect();
        let columns: Vec<_> = fields.iter().map(|field| field.column).collect();
        let sql = format!(
            "-- takeout::lines\nselect {} from {} where {} = ?1 order by {}",
            columns.join(", "),
            table.name,
            lines.part.organization(),
            table.key.join(", ")
        );
        let mut out = Hashed::create(&self.folder.join(&path))?;
        let (mut line, mut rows) = (Vec::new(), 0);
        self.tx.each(&sql, params![self.organization], |row| {
            line.clear();
            for (column, field) in fields.iter().enumerate() {
                line.push(if column == 0 { b'{' } else { b',' });
                field::write_text(&mut line, field.name);
                line.push(b':');
                field::write(row, column, field, &mut line)?;
            }
            line.extend_from_slice(b"}\n");
            out.append(&line)?;
            rows += 1;
            if rows % TELL_EVERY == 0 {
                let total = 2 * Part::all().count() as u64;
                (self.tell)(Progress { what: format!("{path} ({rows} rows)"), done: self.done, total });
            }
            Ok::<_, TakeoutError>(ControlFlow::Continue(()))
        })?;
        Ok(FileEntry::new(path, Some(rows), out.finish()?))
    }

    /// Write all goals as Viva Goals wrote them.
    fn goals_csv(&mut self) -> Result<FileEntry> {
        self.tell(GOALS_CSV.to_owned());
        let subject = self.nobody();
        let query = all_goals(&subject, false);
        let plan = Plan::new(self.tx, &query)?;
        let check_ins = plan.most_checkins as usize;
        let mut out = Hashed::create(&self.folder.join(GOALS_CSV))?;
        let mut csv = Csv::new();
        viva_csv::write_header(&mut csv, check_ins);
        let summary = rows::each(self.tx, &query, &plan, |row| {
            viva_csv::write_goal(&mut csv, row, check_ins);
            if csv.buffer().len() >= PIECE {
                out.append(csv.buffer())?;
                csv.buffer().clear();
            }
            Ok::<_, TakeoutError>(())
        })?;
        out.append(csv.buffer())?;
        Ok(FileEntry::new(GOALS_CSV.to_owned(), Some(summary.rows), out.finish()?))
    }

    /// Write every column of all goals.
    fn goals_parquet(&mut self) -> Result<FileEntry> {
        self.tell(GOALS_PARQUET.to_owned());
        let subject = self.nobody();
        let query = all_goals(&subject, true);
        let plan = Plan::new(self.tx, &query)?;
        let options = Options {
            format: Format::Parquet,
            columns: Columns::Known(KnownColumns::All),
            check_ins: Some(CheckInCells::None),
            ..Options::default()
        };
        let mut out = Hashed::create(&self.folder.join(GOALS_PARQUET))?;
        let mut file = table::Table::new(self.tx, &query, &plan, &options, GOALS_PARQUET, None, None)?;
        let mut piece = Vec::new();
        let mut hand_over = |file: &mut table::Table<'_>, enough: usize| {
            while file.waiting() >= enough {
                piece = file.take(std::mem::take(&mut piece));
                out.append(&piece)?;
                piece.clear();
            }
            Ok::<_, TakeoutError>(())
        };
        file.begin()?;
        rows::each(self.tx, &query, &plan, |row| {
            file.write(row)?;
            hand_over(&mut file, PIECE)
        })?;
        file.end()?;
        hand_over(&mut file, 1)?;
        Ok(FileEntry::new(GOALS_PARQUET.to_owned(), Some(file.count()), out.finish()?))
    }

    fn nobody(&self) -> Subject {
        Subject::on_day(self.organization, None, self.tx.now_us())
    }

    fn text(&self, name: &str, text: &str) -> Result<FileEntry> {
        let mut out = Hashed::create(&self.folder.join(name))?;
        out.append(text.as_bytes())?;
        Ok(FileEntry::new(name.to_owned(), None, out.finish()?))
    }
}

/// Every goal, whoever may see it.
fn all_goals(subject: &Subject, wide: bool) -> Query<'_> {
    Query {
        subject,
        chosen: &|_| Condition { sql: IS_HELD.to_owned(), params: Vec::new() },
        everything: true,
        as_of: AsOf::Now,
        wide,
        levels: 0,
        unrestricted: true,
    }
}
