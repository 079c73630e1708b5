//! The way of an import, from the lock to the report.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use goalpost_db::{Db, Scope, Tx, params};
use goalpost_viva::sheet::SheetLimits;
use goalpost_viva::{Archive, Element, Entity, Limits, Problems, Survey};
use sha2::{Digest, Sha256};

use super::aside::Asides;
use super::circles::Above;
use super::labels::Labels;
use super::mentions::Mentions;
use super::organization::{find_or_make, find_or_make_for_table};
use super::people::People;
use super::report::{ImportedFile, ImportedOrganization, Listed, Report, Tally};
use super::table::{self, ImportMap, Kind, Partial};
use super::{ImportError, ImportOptions, OfJob, Progress, packed, queries as record, template, users};
use crate::ids::{FIRST_MINTED, OrganizationNumber};
use crate::orgs::{Organization, queries};

/// Elements that are compared and written together.
pub(super) const BATCH: usize = 500;
/// Bytes of the file that are held for it at most, give or take one element.
const BATCH_BYTES: u64 = 4 << 20;
/// How long an import waits for the write lock; only short writes, or another long one, hold it.
const WRITE_WAIT: Duration = Duration::from_mins(1);

/// Import the ZIP of a whole organization, or the table of a view, all or nothing. Blocks; call it from a thread that may.
///
/// The report is also kept with the data: in the database, and as a file in `data_folder`, unless nothing was written.
/// Memory does not grow with the file, apart from sets of ids, and stays below 256 MiB for five million goals.
///
/// # Errors
/// Whatever is wrong with the file, the options or the place; see [`ImportError`]. Nothing was changed then.
pub fn run(
    db: &Db,
    data_folder: &Path,
    file: &Path,
    options: &ImportOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, ImportError> {
    let _lock = lock(data_folder)?;
    let mut opened = File::open(file).map_err(|source| io_error(file, source))?;
    let mut hashed = opened.try_clone().map_err(|source| io_error(file, source))?;
    let (number, made_at) = table::named(file);
    let mut report = Report {
        dry_run: options.dry_run,
        organization: ImportedOrganization { id: uuid::Uuid::nil(), name: String::new(), created: false },
        file: ImportedFile {
            name: options
                .file_name
                .clone()
                .unwrap_or_else(|| file.file_name().unwrap_or_default().to_string_lossy().into_owned()),
            sha256: String::new(),
            organization_number: number,
            exported_at: made_at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()),
        },
        revision: None,
        entities: Entity::ALL.into_iter().map(Tally::new).collect(),
        tasks: 0,
        labels: Vec::new(),
        unused_labels: Vec::new(),
        references: Listed::default(),
        asides: Listed::default(),
        conflicts: Listed::default(),
        missing: Listed::default(),
        restricted_goals: 0,
        unclear_permissions: Listed::default(),
        ignored_members: Vec::new(),
        notes: Vec::new(),
        left_out: Listed::default(),
        left_out_headers: Vec::new(),
        mapping: None,
        report_file: None,
    };
    let mut input = Input { options, sha256: [0; 32], size_bytes: 0, path: file };
    // Only a file that is good so far is worth the time. Whoever reads it afterwards says from where.
    let mut seal = |report: &mut Report| {
        let (sha256, size_bytes) = hash(&mut hashed).map_err(|source| io_error(file, source))?;
        report.file.sha256 = hex(&sha256);
        Ok::<_, ImportError>((sha256, size_bytes))
    };
    let (mut kind, mut limits) = (kind_of(&mut opened, file)?, options.sheet_limits());
    if let Kind::Packed(packing) = kind {
        opened = packed::unpack(&opened, packing, file, data_folder, limits)?;
        kind = kind_of(&mut opened, Path::new(table::stem(&file.to_string_lossy())))?;
        if !matches!(kind, Kind::Table | Kind::Lines) {
            return Err(ImportError::PackedTwice { path: file.to_owned() });
        }
        limits.bytes = SheetLimits::OPERATOR.bytes.min(limits.unpacked_bytes);
    }
    match kind {
        Kind::Compound => Err(ImportError::Protected { path: file.to_owned() }),
        Kind::Packed(_) => Err(ImportError::PackedTwice { path: file.to_owned() }),
        kind @ (Kind::Table | Kind::Lines | Kind::Parquet | Kind::Workbook) => {
            if let Some(template) = template::check(&opened, file, kind, data_folder, limits, options)? {
                (input.sha256, input.size_bytes) = seal(&mut report)?;
                return save(db, data_folder, options, |tx| {
                    write_translated(
                        tx,
                        &input,
                        report.clone(),
                        progress,
                        |(organization, is_new), report| {
                            // What a row names must be here.
                            if *is_new {
                                return Err(ImportError::NotHere);
                            }
                            template::translate(
                                tx,
                                organization.number,
                                &template,
                                options,
                                file,
                                data_folder,
                                report,
                            )
                        },
                    )
                });
            }
            if let Some(users) = users::check(&opened, file, kind, limits, options)? {
                (input.sha256, input.size_bytes) = seal(&mut report)?;
                return save(db, data_folder, options, |tx| {
                    write_translated(tx, &input, report.clone(), progress, |(organization, _), _| {
                        users::translate(tx, organization.number, &users, options, file, data_folder)
                    })
                });
            }
            let mut checked = table::check(opened, file, kind, data_folder, limits, options, progress)?;
            report.notes.clone_from(&checked.notes);
            (input.sha256, input.size_bytes) = seal(&mut report)?;
            save(db, data_folder, options, |tx| {
                write_translated(tx, &input, report.clone(), progress, |(organization, _), _| {
                    table::translate(tx, organization.number, &mut checked, options, file, data_folder)
                })
            })
        }
        Kind::Zip => {
            let file_error = |source| ImportError::File { path: file.to_owned(), source: Box::new(source) };
            let mut archive =
                Archive::open(opened, options.limits.unwrap_or(Limits::OPERATOR)).map_err(file_error)?;
            let survey = check(&mut archive, progress)?;
            report.file.organization_number = Some(archive.organization_number());
            report.file.exported_at = Some(archive.exported_at().strftime("%Y-%m-%d %H:%M:%S").to_string());
            report.ignored_members = archive.ignored().to_vec();
            (input.sha256, input.size_bytes) = seal(&mut report)?;
            save(db, data_folder, options, |tx| {
                let found = find_or_make(tx, options, archive.organization_number())?;
                write_all(tx, &mut archive, &input, &survey, found, None, report.clone(), progress)
            })
        }
    }
}

/// Write in one transaction, and leave a report; in a dry run look only.
fn save(
    db: &Db,
    data_folder: &Path,
    options: &ImportOptions,
    mut write: impl FnMut(&Tx<'_>) -> Result<Report, ImportError>,
) -> Result<Report, ImportError> {
    if options.dry_run {
        let report = db.snapshot(Scope::Global, write)?;
        if let Some(OfJob { lease, keep_us, .. }) = &options.job {
            let organization = lease.job.organization;
            db.write_alone(organization, WRITE_WAIT, |tx| record::end(tx, lease, *keep_us, &report))?;
        }
        return Ok(report);
    }
    let made_at = db.snapshot(Scope::Global, |tx| Ok::<_, ImportError>(tx.now_us()))?;
    let mut report = db.write_alone(Scope::Global, WRITE_WAIT, |tx| write(tx))?;
    if report.revision.is_some() {
        // The import stands whether or not the journal can be folded back now, or the report written.
        let _ = db.settle();
        report.report_file = write_report(data_folder, made_at, &report).ok();
    }
    Ok(report)
}

/// Hold the data folder against a second import, until the file is dropped.
fn lock(data_folder: &Path) -> Result<File, ImportError> {
    let path = data_folder.join("import.lock");
    let lock =
        File::options().create(true).append(true).open(&path).map_err(|source| io_error(&path, source))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(ImportError::AlreadyRunning),
        Err(TryLockError::Error(source)) => Err(io_error(&path, source)),
    }
}

fn kind_of(opened: &mut File, path: &Path) -> Result<Kind, ImportError> {
    Kind::of(opened, path).map_err(|source| io_error(path, source))
}

fn io_error(path: &Path, source: std::io::Error) -> ImportError {
    ImportError::Io { path: path.to_owned(), source }
}

/// The hash of a file, and its length.
fn hash(file: &mut File) -> std::io::Result<([u8; 32], u64)> {
    let (mut hasher, mut size_bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    file.seek(SeekFrom::Start(0))?;
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => {
                hasher.update(&buffer[..read]);
                size_bytes += read as u64;
            }
        }
    }
    Ok((hasher.finalize().into(), size_bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn check(archive: &mut Archive<File>, progress: &mut dyn FnMut(Progress)) -> Result<Survey, ImportError> {
    let total = Entity::ALL.into_iter().map(|entity| archive.size_bytes(entity)).sum();
    let survey = survey_of(archive, &mut |done| progress(Progress::Checking { done, total }))?;
    for entity in Entity::ALL {
        if let Some(largest) = survey.ids(entity).max()
            && largest >= FIRST_MINTED.cast_unsigned()
        {
            let (what, limit) = (entity.word(), FIRST_MINTED);
            return Err(ImportError::IdTooLarge { what, id: largest.cast_signed(), limit });
        }
    }
    Ok(survey)
}

fn survey_of(archive: &mut Archive<File>, progress: &mut dyn FnMut(u64)) -> Result<Survey, ImportError> {
    goalpost_viva::survey(archive, progress).map_err(|Problems { listed, further }| ImportError::Problems {
        total: listed.len() as u64 + further,
        shown: listed,
    })
}

fn write_report(data_folder: &Path, made_at_us: i64, report: &Report) -> std::io::Result<PathBuf> {
    let folder = data_folder.join("reports");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("import-{made_at_us}.json"));
    let mut file = File::create(&path)?;
    serde_json::to_writer_pretty(&mut file, report)?;
    file.write_all(b"\n")?;
    Ok(path)
}

/// What an import works from.
struct Input<'a> {
    options: &'a ImportOptions,
    sha256: [u8; 32],
    size_bytes: u64,
    path: &'a Path,
}

/// What another form of file becomes: elements, and what they leave open.
type Translated = Result<(Archive<File>, Partial), ImportError>;

/// Turn what is no ZIP into one, for this organization, which may just have been made; and write its elements.
fn write_translated(
    tx: &Tx<'_>,
    input: &Input<'_>,
    mut report: Report,
    progress: &mut dyn FnMut(Progress),
    translate: impl FnOnce(&(Organization, bool), &mut Report) -> Translated,
) -> Result<Report, ImportError> {
    let found = find_or_make_for_table(tx, input.options, report.file.organization_number)?;
    let (mut archive, partial) = translate(&found, &mut report)?;
    let survey = survey_of(&mut archive, &mut |_| {})?;
    write_all(tx, &mut archive, input, &survey, found, Some(partial), report, progress)
}

#[expect(clippy::too_many_arguments, reason = "each is said once, by one of two callers")]
fn write_all(
    tx: &Tx<'_>,
    archive: &mut Archive<File>,
    input: &Input<'_>,
    survey: &Survey,
    (organization, created): (Organization, bool),
    partial: Option<Partial>,
    mut report: Report,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, ImportError> {
    let labels = Labels::decide(&survey.type_labels, &input.options.labels);
    report.labels.clone_from(&labels.listed);
    report.unused_labels.clone_from(&labels.unused);
    let mut import = Import {
        tx,
        path: input.path,
        options: input.options,
        survey,
        labels: &labels,
        partial,
        revision: (created && !input.options.dry_run).then_some(organization.revision),
        organization,
        report,
        directory_changed: false,
        progress,
        done: 0,
        minted: 0,
        mentions: Mentions::default(),
        recount: BTreeSet::new(),
        new_parents: HashMap::new(),
    };
    import.report.organization = ImportedOrganization {
        id: import.organization.guid,
        name: import.organization.name.clone(),
        created,
    };
    let mut people = People::open(&import, archive)?;
    let mut asides = Asides::open(&import)?;
    import.write_references()?;
    import.write_users(archive, &mut people, &mut asides)?;
    import.write_teams(archive, &mut people, &mut asides)?;
    import.write_periods(archive, &mut asides)?;
    import.write_tags(archive, &mut asides)?;
    import.write_check_ins(archive, &mut people, &mut asides)?;
    import.write_comments(archive, &mut people, &mut asides)?;
    import.write_goals(archive, &mut people, &mut asides)?;
    import.find_missing()?;
    import.find_circle()?;
    import.recount()?;
    people.report_mentions(&mut import);
    import.report_mentions()?;
    import.report_partial();
    import.finish(input)
}

/// One import, in its transaction.
pub(super) struct Import<'a> {
    pub(super) tx: &'a Tx<'a>,
    pub(super) path: &'a Path,
    pub(super) options: &'a ImportOptions,
    pub(super) survey: &'a Survey,
    pub(super) labels: &'a Labels,
    /// What the file leaves open; none for that of a whole organization.
    pub(super) partial: Option<Partial>,
    pub(super) organization: Organization,
    pub(super) report: Report,
    /// Made when the first change is met, so that an import without changes makes none.
    revision: Option<i64>,
    /// Whether people, teams, periods or tags were changed.
    directory_changed: bool,
    progress: &'a mut dyn FnMut(Progress),
    done: u64,
    /// Numbers given in a dry run.
    minted: i64,
    pub(super) mentions: Mentions,
    /// Goals outside the file whose check-ins changed.
    pub(super) recount: BTreeSet<i64>,
    /// Goals of a file that shows a part whose parents change, with those that they have afterwards.
    pub(super) new_parents: HashMap<i64, Vec<i64>>,
}

impl Import<'_> {
    /// The number of the organization, in every key.
    pub(super) fn number(&self) -> OrganizationNumber {
        self.organization.number
    }

    /// Whether the file holds the element, and not only a mention of it.
    pub(super) fn is_in_file(&self, entity: Entity, id: i64) -> bool {
        self.survey.has(entity, id)
    }

    pub(super) fn file_error(&self, source: goalpost_viva::Error) -> ImportError {
        ImportError::File { path: self.path.to_owned(), source: Box::new(source) }
    }

    /// The revision to write under, now that something has to be written; none in a dry run, which writes nothing.
    pub(super) fn revision(&mut self) -> Result<Option<i64>, ImportError> {
        if self.options.dry_run {
            return Ok(None);
        }
        if self.revision.is_none() {
            let actor = self.options.job.as_ref().and_then(|of| of.creator);
            self.revision = Some(queries::raise_revision(self.tx, self.number(), actor, "import")?);
        }
        Ok(self.revision)
    }

    /// The same to write people, teams, periods or tags under.
    pub(super) fn directory_revision(&mut self) -> Result<Option<i64>, ImportError> {
        let revision = self.revision()?;
        if let (Some(revision), false) = (revision, self.directory_changed) {
            queries::change_directory(self.tx, self.number(), revision)?;
            self.directory_changed = true;
        }
        Ok(revision)
    }

    /// A number for something that the file gives none; in a dry run one that nothing else has.
    pub(super) fn mint(&mut self) -> Result<i64, ImportError> {
        if self.options.dry_run {
            self.minted += 1;
            return Ok(i64::MAX - self.minted);
        }
        Ok(queries::mint_numbers(self.tx, self.number(), 1)?)
    }

    /// Whether the organization has no row in a table yet.
    pub(super) fn is_empty(&self, table: &str) -> Result<bool, ImportError> {
        let sql = format!("-- imports::is_empty\nselect 1 from {table} where organization = ?1 limit 1");
        let row = self.tx.query_opt(&sql, params![self.number()], |_| Ok::<_, ImportError>(()))?;
        Ok(row.is_none())
    }

    /// Read one member in batches.
    pub(super) fn batches<T: Element>(
        &mut self,
        archive: &mut Archive<File>,
        mut write: impl FnMut(&mut Self, Vec<T>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let path = self.path.to_owned();
        let total = Entity::ALL.into_iter().map(|entity| self.survey.count(entity)).sum();
        let mut batch = Vec::with_capacity(BATCH);
        let mut flush = |import: &mut Self, batch: Vec<T>| {
            let count = batch.len() as u64;
            import.report.tally_mut(T::ENTITY).read += count;
            write(import, batch)?;
            import.done += count;
            (import.progress)(Progress::Writing { done: import.done, total });
            if import.options.job.as_ref().is_some_and(|of| of.lease.abandoned.is_set()) {
                return Err(ImportError::Stopped);
            }
            Ok::<(), ImportError>(())
        };
        let mut flushed_at = 0;
        archive
            .each_at(|element: T, offset| {
                batch.push(element);
                if batch.len() == BATCH || offset - flushed_at >= BATCH_BYTES {
                    flushed_at = offset;
                    flush(self, std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))?;
                }
                Ok::<(), Stop>(())
            })
            .map_err(|stop| match stop {
                Stop::Import(error) => error,
                Stop::File(source) => ImportError::File { path, source: Box::new(source) },
            })?;
        flush(self, batch)?;
        if self.report.tally(T::ENTITY).read == self.survey.count(T::ENTITY) {
            Ok(())
        } else {
            Err(ImportError::FileChanged)
        }
    }

    /// A file that shows a part may close a circle with what is here.
    fn find_circle(&mut self) -> Result<(), ImportError> {
        let Some(partial) = &mut self.partial else { return Ok(()) };
        let edges = std::mem::take(&mut partial.new_edges);
        let changed = std::mem::take(&mut self.new_parents);
        let above = Above::load(self.tx, self.number(), edges.iter().map(|(_, parent)| *parent), changed)?;
        for (goal, parent) in edges {
            // Where a goal keeps the parents that it was given here, the file's close nothing.
            if above.is_below(goal, parent)
                && let Some(circle) = above.path(parent, goal)
            {
                return Err(ImportError::Circle([&[goal][..], &circle].concat()));
            }
        }
        Ok(())
    }

    fn report_partial(&mut self) {
        let Some(partial) = &mut self.partial else { return };
        self.report.notes.append(&mut partial.notes);
        if !partial.unknown_people.is_empty() {
            let names = partial.unknown_people.keys().take(1_000).map(String::as_str);
            self.report.mapping = Some(ImportMap::to_fill_in(names));
        }
    }

    fn finish(mut self, input: &Input<'_>) -> Result<Report, ImportError> {
        if self.revision.is_some() {
            self.keep_file_number()?;
        }
        self.report.revision = self.revision;
        if let Some(revision) = self.revision {
            let report = self.report.to_json()?;
            self.tx.execute(
                "-- imports::insert_run
                insert into import_run (organization, id, made_at, revision, file_name, file_sha256, report)
                values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    self.number(),
                    revision,
                    self.tx.now_us(),
                    revision,
                    &self.report.file.name,
                    input.sha256,
                    report
                ],
            )?;
        }
        if !self.options.dry_run {
            let (options, report) = (self.options, &self.report);
            record::record(self.tx, self.number(), options, report, input.sha256, input.size_bytes)?;
        }
        Ok(self.report)
    }
}

/// Why reading a member stopped.
enum Stop {
    Import(ImportError),
    File(goalpost_viva::Error),
}

impl From<ImportError> for Stop {
    fn from(error: ImportError) -> Self {
        Self::Import(error)
    }
}

impl From<goalpost_viva::Error> for Stop {
    fn from(error: goalpost_viva::Error) -> Self {
        Self::File(error)
    }
}
