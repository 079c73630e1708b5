//! A data folder with organizations, and the programs that serve and work on it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use goalpost::app::App;
use goalpost::config::{Config, FILE_NAME, Overrides};
use goalpost::exports::{ExportId, ExportSpec, KIND};
use goalpost::goals::Origin;
use goalpost::goals::record::{Column, GoalRecord, NewGoals};
use goalpost::identity::{OWN_ISSUER, Subject, queries as identity};
use goalpost::ids::{Ids, OrganizationNumber, PersonNumber};
use goalpost::jobs::{JobKey, NewJob, queries as jobs};
use goalpost::orgs::queries as orgs;
use goalpost::views::{self, NewView, Selection, Sort, View};
use goalpost_db::{Db, Scope, params};
use goalpost_testing::{NewNode, Node, READ_WRITE};
use tempfile::TempDir;
use uuid::Uuid;

/// Nobody waits for a limit here: what is measured is how fast things are, not how often they may be asked for. Files
/// are made, and not found again.
pub(crate) const SETTINGS: &str = "[limits]\nrequests_per_10_secs = 10000000\ncreates_per_10_secs = 10000000\n\
                                   [exports]\nreuse = false\n";
const WAIT: Duration = Duration::from_mins(5);
const OWNER: PersonNumber = PersonNumber(1);

/// What the programs of one database share.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    database: Option<String>,
    pub(crate) houses: Vec<House>,
    token: String,
}

/// An organization without goals, and its views.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) number: OrganizationNumber,
    pub(crate) guid: Uuid,
    pub(crate) views: Vec<View>,
}

impl Place {
    /// So many organizations with so many views each, all owned by the same caller; on PostgreSQL by the URL of an
    /// empty database. Every program on it has these settings. Blocks, and must not be called from within a runtime.
    pub(crate) fn make(
        database: Option<&str>,
        houses: usize,
        views: usize,
        settings: &str,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(target())?;
        fs::write(folder.path().join(FILE_NAME), settings)?;
        let database = database.map(str::to_owned);
        let mut this = Self { folder, database, houses: Vec::new(), token: String::new() };
        let app = this.open()?;
        let owner = Ids.guid();
        let subject =
            Subject { issuer: OWN_ISSUER.to_owned(), tenant: app.own_issuer.tenant(), object: owner };
        this.token = app.own_issuer.issue(owner, READ_WRITE, app.clock.now_secs(), 12 * 60 * 60)?;
        for _ in 0..houses {
            this.houses.push(make_house(&app.db, &subject, owner, views)?);
        }
        app.db.settle()?;
        Ok(this)
    }

    /// The parts of a server, in this process.
    pub(crate) fn open(&self) -> anyhow::Result<App> {
        let data = Some(self.folder.path().to_owned());
        App::open(Config::load(&Overrides { data, database: self.database.clone(), ..Overrides::default() })?)
    }

    /// A server on it, not yet running.
    pub(crate) fn node(&self, program: &Path, words: &[&str]) -> NewNode {
        let node = Node::of(program).args(words).env("GOALPOST_DATA", self.folder.path());
        match &self.database {
            Some(url) => node.env("GOALPOST_DATABASE", url),
            None => node,
        }
    }

    /// The bytes of a `GET`.
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        let token = &self.token;
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
            .into_bytes()
    }

    /// The bytes of a `POST` that asks for an export.
    pub(crate) fn post(&self, house: &House, view: &View) -> Vec<u8> {
        let body = format!(r#"{{"goalsOrganizationId":"{}","explorerViewId":"{}"}}"#, house.guid, view.guid);
        let (token, length) = (&self.token, body.len());
        format!(
            "POST {JOBS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// A `POST` for each view of each organization.
    pub(crate) fn posts(&self) -> Vec<Vec<u8>> {
        let each = |house: &House| house.views.iter().map(|view| self.post(house, view)).collect::<Vec<_>>();
        self.houses.iter().flat_map(each).collect()
    }

    /// Put so many pending exports into the first organizations, in turn; the id of one of them.
    pub(crate) fn enqueue(&self, houses: usize, number: usize) -> anyhow::Result<ExportId> {
        let app = self.open()?;
        let per_house = number.div_ceil(houses);
        let mut last = None;
        for house in &self.houses[..houses] {
            let spec = ExportSpec::freeze(&house.views[0]).to_json();
            last = Some(app.db.write_alone(house.number, WAIT, |tx| {
                let mut id = Uuid::nil();
                for _ in 0..per_house {
                    let created_at = tx.now_us() / 1000 * 1000;
                    id = Ids.timed_guid(created_at);
                    let job = NewJob {
                        key: JobKey { organization: house.number, id },
                        kind: KIND,
                        pair: Ids.guid(),
                        view: Some(house.views[0].guid),
                        creator: OWNER,
                        spec: spec.clone(),
                        expires_at: created_at + 24 * 60 * 60 * 1_000_000,
                        trace: None,
                    };
                    jobs::insert(tx, &job, created_at)?;
                }
                Ok::<_, goalpost_db::Error>(ExportId { job: id, organization: house.guid })
            })?);
        }
        app.db.settle()?;
        last.context("no organization")
    }

    /// Put goals into an organization: so many, each with a description of so many letters.
    pub(crate) fn fill(&self, house: &House, goals: i64, letters: usize) -> anyhow::Result<()> {
        let app = self.open()?;
        app.db.write_alone(house.number, WAIT, |tx| {
            let revision = orgs::raise_revision(tx, house.number, None, "import")?;
            let mut new = NewGoals::default();
            for id in 1..=goals {
                let mut goal = GoalRecord::new(id, Origin::File);
                goal.set(Column::ObjectType, "objective");
                goal.set(Column::Status, "On Track");
                goal.set(Column::Title, format!("Goal {id} of a good many"));
                goal.set(Column::Description, "d".repeat(letters));
                goal.derive();
                new.push(house.number, revision, goal);
                if id % 1_000 == 0 || letters > 100_000 {
                    new.insert(tx)?;
                }
            }
            new.insert(tx)
        })?;
        Ok(app.db.settle()?)
    }

    /// Forget the exports that are pending.
    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        let app = self.open()?;
        let forget = "-- bench::clear\ndelete from job where state = 'notStarted'";
        app.db.write_alone(Scope::Global, WAIT, |tx| tx.execute(forget, params![]))?;
        Ok(app.db.settle()?)
    }

    /// Put the files of forgotten exports where no worker finds them. Removed, they would cost the next ones: for minutes
    /// ext4 looks past each number of a file that it had lately.
    pub(crate) fn put_files_aside(&self) -> anyhow::Result<()> {
        let aside = self.folder.path().join(Ids.guid().to_string());
        fs::create_dir(&aside)?;
        for house in &self.houses {
            let files = self.folder.path().join("content").join(house.number.to_string());
            if files.exists() {
                fs::rename(files, aside.join(house.number.to_string()))?;
            }
        }
        Ok(())
    }

    /// The engine, for the table.
    pub(crate) fn engine(&self) -> &'static str {
        if self.database.is_some() { "PostgreSQL" } else { "SQLite" }
    }
}

/// Where exports are, as Microsoft's SDKs spell it.
pub(crate) const JOBS: &str = "/beta/employeeExperience/goals/exportJobs";

/// Where what is measured with lies: on the disk of the build, not in memory.
pub(crate) fn target() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

fn make_house(db: &Db, subject: &Subject, owner: Uuid, views: usize) -> anyhow::Result<House> {
    let guid = Ids.guid();
    let organization =
        db.write_alone(Scope::Global, WAIT, |tx| orgs::insert(tx, guid, "Wren & Co", None))?.number;
    let views = db.write_alone(organization, WAIT, |tx| {
        tx.execute(
            "-- bench::person
            insert into person (organization, id, guid, name, name_fold, email, email_fold, role, source, member_type,
                                status, origin)
            values (?1, ?2, ?3, 'Ann Wren', 'ann wren', 'ann@wren.example', 'ann@wren.example', 'Organization Owner',
                    'Individual', 'regular', 'active', 'file')",
            params![organization, OWNER, owner.into_bytes()],
        )?;
        identity::link(tx, subject, organization, OWNER)?;
        (0..views)
            .map(|number| {
                let new = NewView {
                    shares: Vec::new(),
                    guid: Ids.guid(),
                    name: format!("View {number}"),
                    owner: None,
                    is_public: false,
                    selection: Selection::default(),
                    flat: true,
                    sort: Sort::default(),
                };
                views::create(tx, organization, &new, None)
            })
            .collect::<Result<Vec<_>, _>>()
    })?;
    Ok(House { number: organization, guid, views })
}
