//! The SQL of exports. What all kinds of jobs share is in [`crate::jobs::queries`].

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use goalpost_db::{Ahead, Changed, Error, NewRow, Result, Row, Tx, Value, params};

use crate::audit;
use crate::goals::history::Moment;
use crate::identity::Member;
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::jobs::queries::{self as jobs, COLUMNS, job_from_row};
use crate::jobs::{Figures, Job, JobKey, Lease};
use crate::store::Stored;

/// An export as its callers see it: the job, and what it made.
#[derive(Clone, Debug)]
pub struct Export {
    /// The job.
    pub job: Job,
    /// When a worker first took it, microseconds.
    pub started_at: Option<i64>,
    /// When it ended, microseconds.
    pub finished_at: Option<i64>,
    /// What it made, once it succeeded.
    pub content: Option<Content>,
}

/// A published file.
#[derive(Clone, Debug)]
pub struct Content {
    /// Whether its rows do not depend on who asked for it.
    pub same_for_everyone: bool,
    /// Its name in the content store.
    pub key: String,
    /// Its name for people.
    pub file_name: String,
    /// Its length.
    pub size_bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// Whether its row holds it, and not the content store.
    pub in_row: bool,
}

impl Export {
    /// Whether its content is this member's to read: it is its creator's, and everybody's who may export if the rows
    /// do not depend on who asked.
    pub fn content_is_for(&self, member: &Member) -> bool {
        let created = self.job.creator == Some(member.person);
        created || self.content.as_ref().is_some_and(|content| content.same_for_everyone)
    }
}

/// What a worker made of an export.
#[derive(Clone, Debug)]
pub struct Made {
    /// What its bytes are.
    pub stored: Stored,
    /// All of them, if the row is to hold them; else they are in the content store.
    pub bytes: Option<Vec<u8>>,
    /// Whether its rows do not depend on who asked for it.
    pub same_for_everyone: bool,
    /// Its name for people.
    pub file_name: String,
    /// Records, without the header.
    pub row_count: u64,
    /// Alignments left out because the parent is not for the creator to see.
    pub omitted_count: u64,
    /// The state of the organization that it shows.
    pub revision: i64,
    /// The instant of that state, microseconds.
    pub as_of_at: i64,
    /// What stands beside it, as JSON.
    pub manifest: String,
    /// What it was made of; see `exports::reuse`.
    pub basis: [u8; 32],
}

fn export_from_row(row: &Row<'_>) -> Result<Export> {
    let content = match row.opt_text(10)? {
        None => None,
        Some(key) => Some(Content {
            key: key.to_owned(),
            same_for_everyone: row.bool(11)?,
            file_name: row.text(12)?.to_owned(),
            size_bytes: row.int(13)? as u64,
            sha256: row.bytes(14)?,
            in_row: row.bool(15)?,
        }),
    };
    Ok(Export { job: job_from_row(row)?, started_at: row.opt_int(8)?, finished_at: row.opt_int(9)?, content })
}

fn select(name: &str, rest: &str) -> String {
    format!(
        "-- exports::{name}
        select {COLUMNS}, job.started_at, job.finished_at, export.content_key, export.same_for_everyone,
               export.file_name, export.size_bytes, export.sha256, export.content is not null
          from job left join export on export.organization = job.organization and export.job = job.id
        {rest}"
    )
}

/// An ended job is gone when its time is over, whether or not it was swept; a pending one never is.
const ALIVE: &str = "(job.expires_at > ?2 or job.state in ('notStarted', 'running'))";

/// The export of the Graph door, if the member may know of it: their own, or any of the organization if they may export.
pub fn find(tx: &Tx<'_>, member: &Member, job: uuid::Uuid) -> Result<Option<Export>> {
    find_among(tx, member, job, [super::KIND; 2])
}

/// The same of both doors.
pub fn find_any(tx: &Tx<'_>, member: &Member, job: uuid::Uuid) -> Result<Option<Export>> {
    find_among(tx, member, job, [super::KIND, super::WITH_OPTIONS])
}

fn find_among(tx: &Tx<'_>, member: &Member, job: uuid::Uuid, kinds: [&str; 2]) -> Result<Option<Export>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        select(
            "find",
            &format!(
                "where job.organization = ?1 and job.id = ?3 and job.kind in (?4, ?7) and {ALIVE} and (?5 or job.creator = ?6)"
            ),
        )
    });
    if !member.active {
        return Ok(None);
    }
    tx.query_opt(
        &SQL,
        params![
            member.organization,
            tx.now_us(),
            job.into_bytes(),
            kinds[0],
            member.may_export,
            member.person,
            kinds[1]
        ],
        export_from_row,
    )
}

/// What a job was asked for: its view and its spec, as the row keeps it.
pub fn find_kept(tx: &Tx<'_>, job: JobKey) -> Result<Option<(String, uuid::Uuid, String)>> {
    tx.query_opt(
        "-- exports::find_kept
        select kind, coalesce(view, pair), spec from job where organization = ?1 and id = ?2",
        params![job.organization, job.id.into_bytes()],
        |row| Ok((row.text(0)?.to_owned(), uuid::Uuid::from_bytes(row.bytes(1)?), row.text(2)?.to_owned())),
    )
}

/// What stands beside a file; files of older programs have nothing.
pub fn find_manifest(tx: &Tx<'_>, job: JobKey) -> Result<Option<String>> {
    let found = tx.query_opt(
        "-- exports::find_manifest
        select manifest from export where organization = ?1 and job = ?2",
        params![job.organization, job.id.into_bytes()],
        |row| Ok::<_, goalpost_db::Error>(row.opt_text(0)?.map(str::to_owned)),
    )?;
    Ok(found.flatten())
}

/// The bytes of a file that its row holds; `None` if the export is gone.
pub fn find_bytes(tx: &Tx<'_>, job: JobKey) -> Result<Option<Vec<u8>>> {
    tx.query_opt(
        "-- exports::find_bytes
        select content from export where organization = ?1 and job = ?2 and content is not null",
        params![job.organization, job.id.into_bytes()],
        |row| Ok(row.blob(0)?.to_vec()),
    )
}

/// Forget an export, whatever it has come to: who works on it has lost its lease. The key of its file, if it had one
/// that nobody else points to; `None`: it is not there.
pub fn delete(tx: &Tx<'_>, job: JobKey) -> Result<Option<Option<String>>> {
    let gone = tx.execute(
        "-- exports::delete_job
        delete from job where organization = ?1 and id = ?2",
        params![job.organization, job.id.into_bytes()],
    )?;
    if gone == 0 {
        return Ok(None);
    }
    forget(tx, job).map(Some)
}

/// The key of the file in the store that goes with it.
fn forget(tx: &Tx<'_>, job: JobKey) -> Result<Option<String>> {
    let key = tx.query_opt(
        "-- exports::forget
        delete from export where organization = ?1 and job = ?2 returning content_key, content is not null",
        params![job.organization, job.id.into_bytes()],
        |row| Ok::<_, goalpost_db::Error>((!row.bool(1)?).then(|| row.text(0).map(str::to_owned))),
    )?;
    match key.flatten().transpose()? {
        Some(key) if !is_pointed_to(tx, job.organization, &key)? => Ok(Some(key)),
        _ => Ok(None),
    }
}

fn is_pointed_to(tx: &Tx<'_>, organization: OrganizationNumber, key: &str) -> Result<bool> {
    let found = tx.query_opt(
        "-- exports::is_pointed_to
        select 1 from export where organization = ?1 and content_key = ?2 limit 1",
        params![organization, key],
        |_| Ok::<_, goalpost_db::Error>(()),
    )?;
    Ok(found.is_some())
}

/// Where a page of a list begins: after this job, in the list's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    /// The job's creation, microseconds.
    pub created_at: i64,
    /// Its GUID.
    pub id: uuid::Uuid,
}

/// The first `limit` exports of one organization that the member may know of, by creation and id.
pub fn list(
    tx: &Tx<'_>,
    member: &Member,
    after: Option<After>,
    ascending: bool,
    limit: u64,
) -> Result<Vec<Export>> {
    if !member.active {
        return Ok(Vec::new());
    }
    let (beyond, order) = if ascending { (">", "asc") } else { ("<", "desc") };
    let mut params = vec![
        member.organization.into(),
        tx.now_us().into(),
        super::KIND.into(),
        member.may_export.into(),
        member.person.into(),
        Value::Int(limit as i64),
    ];
    let mut page = String::new();
    if let Some(after) = after {
        page = format!("and (job.created_at, job.id) {beyond} (?7, ?8)");
        params.extend([after.created_at.into(), after.id.into_bytes().into()]);
    }
    let sql = select(
        "list",
        &format!(
            "where job.organization = ?1 and job.kind = ?3 and {ALIVE} and (?4 or job.creator = ?5) {page}
             order by job.created_at {order}, job.id {order} limit ?6"
        ),
    );
    tx.query(&sql, &params, export_from_row)
}

/// How many exports of one organization the member may know of.
pub fn count(tx: &Tx<'_>, member: &Member) -> Result<u64> {
    if !member.active {
        return Ok(0);
    }
    let sql = format!(
        "-- exports::count
        select count(*) from job where job.organization = ?1 and job.kind = ?3 and {ALIVE} and (?4 or job.creator = ?5)"
    );
    tx.query_one(
        &sql,
        params![member.organization, tx.now_us(), super::KIND, member.may_export, member.person],
        |row| Ok(row.int(0)? as u64),
    )
}

/// Make a file visible, end its job and write down the deed, under the live lease. If the lease is lost, nothing of it
/// happens.
pub fn publish(tx: &Tx<'_>, lease: &Lease, made: &Made, expires_at: i64, deed: &[Value]) -> Result<Changed> {
    let export = params![
        lease.job.organization,
        lease.job.id.into_bytes(),
        made.same_for_everyone,
        &made.stored.key,
        &made.file_name,
        made.row_count as i64,
        made.omitted_count as i64,
        made.stored.size_bytes as i64,
        made.stored.sha256,
        made.revision,
        made.as_of_at,
        &made.manifest,
        made.basis,
        made.bytes.as_deref(),
    ];
    let columns = [
        "organization",
        "job",
        "same_for_everyone",
        "content_key",
        "file_name",
        "row_count",
        "omitted_count",
        "size_bytes",
        "sha256",
        "revision",
        "as_of_at",
        "manifest",
        "basis",
        "content",
    ];
    let rows = [
        NewRow { table: "export", columns: &columns, values: export },
        NewRow { table: audit::TABLE, columns: &audit::COLUMNS, values: deed },
    ];
    jobs::succeed_and_add(tx, lease, expires_at, &rows)
}

/// Let the oldest finished exports expire now, as far as there are more, or more bytes of them, than the organization may
/// keep. The newest stays whatever its size. Returns how many, and how many and how many bytes more it may keep now.
pub fn expire_excess(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    max_kept: i64,
    max_kept_bytes: i64,
) -> Result<(u64, (i64, i64))> {
    // What has a row in `export` has succeeded. Were that said, PostgreSQL would go through the ended jobs of all
    // organizations, which it takes for few until it has counted them.
    let (kept, bytes) = tx.query_one(
        "-- exports::sum_kept
        select count(*), cast(coalesce(sum(export.size_bytes), 0) as bigint)
          from export join job on job.organization = ?1 and job.id = export.job
         where export.organization = ?1 and job.expires_at > ?2",
        params![organization, tx.now_us()],
        |row| Ok::<_, goalpost_db::Error>((row.int(0)?, row.int(1)?)),
    )?;
    if kept <= max_kept && bytes <= max_kept_bytes {
        return Ok((0, (max_kept - kept, max_kept_bytes - bytes)));
    }
    let (mut kept, mut bytes, mut excess) = (0, 0, Vec::new());
    // Exports that point to one file of the store cost its bytes once.
    let mut files = HashSet::new();
    tx.each(
        "-- exports::list_kept
        select job.id, export.size_bytes, export.content_key, export.content is not null
          from export join job on job.organization = ?1 and job.id = export.job
         where export.organization = ?1 and job.expires_at > ?2
         order by job.finished_at desc, job.id desc",
        params![organization, tx.now_us()],
        |row| {
            kept += 1;
            if row.bool(3)? || files.insert(row.text(2)?.to_owned()) {
                bytes += row.int(1)?;
            }
            if kept > 1 && (kept > max_kept || bytes > max_kept_bytes) {
                excess.push(row.bytes::<16>(0)?);
            }
            Ok::<_, goalpost_db::Error>(ControlFlow::Continue(()))
        },
    )?;
    for id in &excess {
        tx.execute(
            "-- exports::expire_early
            update job set expires_at = ?3 where organization = ?1 and id = ?2",
            params![organization, *id, tx.now_us()],
        )?;
    }
    Ok((excess.len() as u64, (0, 0)))
}

/// What of the job the worker needs besides its spec.
#[derive(Clone, Debug)]
pub struct Order {
    /// For whom it runs.
    pub creator: PersonNumber,
    /// Which view it is about.
    pub view: uuid::Uuid,
    /// When it was asked for, microseconds.
    pub created_at: i64,
    /// The organization's id.
    pub organization_guid: uuid::Uuid,
    /// The number that the organization's files carry.
    pub file_number: i64,
    /// The state of the organization.
    pub revision: i64,
    /// How many goals it has, if they are few.
    pub goals: Option<i64>,
}

/// Goals of an organization whose exports mostly take no longer than a few statements do.
const FEW_GOALS: i64 = 200;

/// The state that a finished export shows, if its content is this member's to read: where what changed since begins.
pub fn find_moment(tx: &Tx<'_>, member: &Member, job: uuid::Uuid) -> Result<Option<Moment>> {
    let Some(export) = find_any(tx, member, job)?.filter(|export| export.content_is_for(member)) else {
        return Ok(None);
    };
    tx.query_opt(
        "-- exports::find_moment
        select revision, as_of_at from export where organization = ?1 and job = ?2",
        params![export.job.key.organization, job.into_bytes()],
        |row| Ok(Moment { revision: row.int(0)?, at_us: row.int(1)? }),
    )
}

/// The job's order, with the organization as the snapshot has it that the file shows; `None` if that is gone.
pub fn find_order(tx: &Tx<'_>, lease: &Lease) -> Result<Option<Order>> {
    ask_for_order(tx, lease)?.hear(tx)
}

/// An [`Order`] that was asked for ahead.
pub(super) struct AskedOrder<'a>(Ahead, &'a Lease);

/// As [`find_order`], with the statement that comes next.
pub(super) fn ask_for_order<'a>(tx: &Tx<'_>, lease: &'a Lease) -> Result<AskedOrder<'a>> {
    // In the order of the key: a plan for organizations of any size would go through all goals of all of them.
    let sql = "-- exports::find_order (by key)
        select coalesce(file_number, number), revision, guid,
               (select count(*) from (select 1 from goal where organization = ?1 order by id limit ?2) few)
          from organization where number = ?1";
    Ok(AskedOrder(tx.ahead(sql, params![lease.job.organization, FEW_GOALS + 1].to_vec())?, lease))
}

impl AskedOrder<'_> {
    pub(super) fn hear(self, tx: &Tx<'_>) -> Result<Option<Order>> {
        let Self(asked, lease) = self;
        let creator = lease.creator.ok_or_else(|| Error::unexpected("an export is for nobody"))?;
        let mut orders = tx.query_ahead(&asked, |row| {
            Ok::<_, Error>(Order {
                creator,
                view: lease.subject,
                created_at: lease.created_at,
                file_number: row.int(0)?,
                revision: row.int(1)?,
                organization_guid: uuid::Uuid::from_bytes(row.bytes(2)?),
                goals: Some(row.int(3)?).filter(|goals| *goals <= FEW_GOALS),
            })
        })?;
        Ok(orders.pop())
    }
}

/// Forget an ended export whose time is over; the key of its content, if it had one that nobody else points to. `None`:
/// it is not to be forgotten.
pub fn delete_expired(tx: &Tx<'_>, job: JobKey, figures: &Figures) -> Result<Option<Option<String>>> {
    if !jobs::delete_expired(tx, job, figures)? {
        return Ok(None);
    }
    forget(tx, job).map(Some)
}

/// What the store's file of this job's attempt is to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A finished export points to it.
    Published,
    /// Its job is pending: it may be in the making.
    Pending,
    /// Nobody needs it.
    Orphan,
    /// No job of its id is there: nobody needs it, unless the job is about to be made.
    NoJob,
}

/// The standing of a file in the store.
pub fn standing(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    job: uuid::Uuid,
    key: &str,
) -> Result<Standing> {
    let is_pending = tx.query_opt(
        "-- exports::standing
        select state in ('notStarted', 'running') from job where organization = ?1 and id = ?2",
        params![organization, job.into_bytes()],
        |row| row.bool(0),
    )?;
    Ok(match is_pending {
        Some(true) => Standing::Pending,
        _ if is_pointed_to(tx, organization, key)? => Standing::Published,
        Some(false) => Standing::Orphan,
        None => Standing::NoJob,
    })
}
