//! What becomes of exports when things go wrong: workers die, disks fill, the server is killed; and what everybody
//! may rely on all the same (docs/API.md, "Life of an export").

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod conflict;
mod expiry;
mod fairness;
mod faults;
mod import_beside;
mod in_row;
mod kill;
mod leases;
mod memory;
pub(crate) mod process;
mod resume;
mod reuse;
mod sandbox;
mod snapshot;
mod stop;
pub(crate) mod storage;
mod together;

use std::fs;
use std::path::Path;
use std::time::Duration;

use goalpost::exports::ExportId;
use goalpost::ids::OrganizationNumber;
use goalpost::orgs::queries::find_by_guid;
use goalpost::views::{self, NewView, Selection, Sort};
use goalpost_db::{Db, Scope, Tx, params};
use goalpost_testing::{Answer, ORGANIZATION, TestApp, VIEW};
use uuid::Uuid;

/// The number of the organization of most tests.
pub(crate) const NUMBER: OrganizationNumber = OrganizationNumber(15_229);
/// Longer than the default lease.
pub(crate) const LEASE: Duration = Duration::from_secs(16);

/// A job as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) state: String,
    pub(crate) attempt: i64,
    token: Option<[u8; 16]>,
    failure: Option<String>,
}

impl Row {
    /// The job of an id on the wire; `None` once it is forgotten.
    pub(crate) fn find(db: &Db, id: &str) -> Option<Self> {
        let job = ExportId::parse(id).unwrap().job;
        let organization = organization(db, id);
        db.snapshot(organization, |tx| {
            tx.query_opt(
                "select state, attempt, lease_token, failure from job where organization = ?1 and id = ?2",
                params![organization, job.into_bytes()],
                |row| {
                    Ok::<_, goalpost_db::Error>(Self {
                        state: row.text(0)?.to_owned(),
                        attempt: row.int(1)?,
                        token: row.opt_bytes(2)?,
                        failure: row.opt_text(3)?.map(str::to_owned),
                    })
                },
            )
        })
        .unwrap()
    }
}

/// The organization that a job's id names.
pub(crate) fn organization(db: &Db, id: &str) -> OrganizationNumber {
    let guid = ExportId::parse(id).unwrap().organization;
    db.snapshot(Scope::Global, |tx| find_by_guid(tx, guid)).unwrap().unwrap().number
}

pub(crate) fn row(t: &TestApp, id: &str) -> Row {
    Row::find(&t.app.db, id).expect("the job has a row")
}

/// The files of contents, as they lie in their folders.
fn files(t: &TestApp) -> Vec<String> {
    let content = t.app.config.data.join("content");
    let names = |path: &Path| {
        let entries: Vec<_> = fs::read_dir(path).unwrap().map(Result::unwrap).collect();
        entries.into_iter().map(|entry| entry.file_name().into_string().unwrap())
    };
    let in_folder = |folder: String| {
        names(&content.join(&folder)).map(move |name| format!("{folder}/{name}")).collect::<Vec<_>>()
    };
    names(&content).flat_map(in_folder).collect()
}

/// Ask for an export of the usual view; its id.
pub(crate) async fn create(t: &TestApp) -> String {
    create_of(t, VIEW).await
}

async fn create_of(t: &TestApp, view: Uuid) -> String {
    let made = t.ann().create_export(ORGANIZATION, view).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.id()
}

/// The status and its reason, as the creator sees them.
pub(crate) async fn status(t: &TestApp, id: &str) -> (String, Option<String>) {
    let seen = t.ann().get_export(id).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    told(&seen)
}

/// The status and its reason in an answer.
fn told(seen: &Answer) -> (String, Option<String>) {
    let json = seen.json();
    (json["status"].as_str().unwrap().to_owned(), json["statusDetail"].as_str().map(str::to_owned))
}

/// A job that failed for this reason, says so to its creator in words, and blocks its pair no longer.
pub(crate) async fn assert_failed(t: &TestApp, id: &str, failure: &str) {
    let row = row(t, id);
    assert_eq!((row.state.as_str(), row.failure.as_deref()), ("failed", Some(failure)));
    assert_eq!(row.token, None);
    let (status, detail) = status(t, id).await;
    assert_eq!(status, "failed");
    assert!(detail.is_some_and(|detail| detail.len() > 20), "{failure} is not explained");
    assert_eq!(t.ann().get_content(id).await.error().2.as_deref(), Some("exportJobFailed"));
    assert_ne!(create(t).await, id);
}

/// Save so many views of all goals, seen by every member.
pub(crate) fn save_views(db: &Db, organization: OrganizationNumber, number: u128) -> Vec<Uuid> {
    let view = |index| Uuid::from_u128(0x7777_0000_0000_4000_8000_0000_0000_0000 + index);
    let views: Vec<_> = (0..number).map(view).collect();
    db.write_alone(organization, Duration::from_secs(5), |tx| {
        for guid in &views {
            let new = NewView {
                shares: Vec::new(),
                guid: *guid,
                name: format!("Goals {guid}"),
                owner: None,
                is_public: false,
                selection: Selection::default(),
                flat: true,
                sort: Sort::default(),
            };
            views::create(tx, organization, &new, None)?;
        }
        Ok::<_, views::ViewError>(())
    })
    .expect("the views are saved");
    views
}

/// Change the data behind the server's back.
pub(crate) fn write<T>(db: &Db, f: impl FnOnce(&Tx<'_>) -> goalpost_db::Result<T>) -> T {
    db.write_alone(NUMBER, Duration::from_secs(5), f).expect("the change is written")
}

/// Give the organization goals with the numbers 1 to `last`, each with a description of so many bytes.
pub(crate) fn insert_goals(t: &TestApp, last: i64, description: usize) {
    write(&t.app.db, |tx| {
        tx.execute(
            "insert into goal (organization, id, revision, origin, object_type, type_label, status, checkin_count,
                               restricted, goal_type, outcome_type, phased, progress, title, title_fold, description)
             with recursive number (n) as (select 1 union all select n + 1 from number where n < ?2)
             select ?1, n, 1, 'file', 'objective', 'Objective', 'On Track', 0, ?3, '', '', ?3, 0, 'Goal', 'goal', ?4
               from number",
            params![NUMBER, last, false, "d".repeat(description)],
        )
    });
}

/// What `look` finds, as soon as it finds something.
pub(crate) async fn eventually<T>(
    within: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let mut every = tokio::time::interval(Duration::from_millis(10));
    let looking = async {
        loop {
            every.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    let found = tokio::time::timeout(within, looking).await;
    found.unwrap_or_else(|_| panic!("{what}: not within {within:?}"))
}
