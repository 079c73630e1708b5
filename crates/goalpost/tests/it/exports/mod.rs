//! What a ZIP holds is what an export shows: files are imported, exported over HTTP, and the bytes compared with what
//! the [`oracle`] makes of the same file.

mod golden;
mod oracle;
mod roundtrip;
mod views;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use goalpost::config::Config;
use goalpost::ids::OrganizationNumber;
use goalpost::imports::{self, ImportOptions, Report};
use goalpost::orgs::queries as orgs;
use goalpost::views::{NewView, Preset, Selection, Sort, ViewError, create};
use goalpost_db::{Scope, Tx};
use goalpost_testing::{Client, TestApp};
use goalpost_viva::sample::{self, Options};
use goalpost_viva::{CheckIn, Heading, Objective, Period, Permissions, Person, Tag, Team, User, Writer};
use jiff::civil::{date, datetime};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use oracle::Oracle;

/// A server, and an organization that came out of a file.
struct Imported {
    t: TestApp,
    folder: TempDir,
    organization: Uuid,
}

impl Imported {
    /// A server with the organization that the file holds.
    async fn new(write: impl FnOnce(&Path)) -> Self {
        let t = TestApp::start_with(|config: &mut Config| config.limits.creates_per_10_secs = 10_000).await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut this = Self { t, folder, organization: Uuid::nil() };
        this.organization = this.import(write).organization.id;
        this
    }

    /// A server with an invented organization.
    async fn sample(options: Options) -> Self {
        Self::new(|path| write_sample(path, &options)).await
    }

    /// Import a file, which becomes the one that the oracle reads.
    fn import(&self, write: impl FnOnce(&Path)) -> Report {
        write(&self.zip());
        let options = ImportOptions { organization_name: Some("Contoso".to_owned()), ..Default::default() };
        let app = &self.t.app;
        tokio::task::block_in_place(|| {
            imports::run(&app.db, &app.config.data, &self.zip(), &options, &mut |_| {})
        })
        .expect("the file is imported")
    }

    /// Import the table of a view.
    fn import_table(&self, csv: &[u8]) -> Report {
        self.import_view("view.csv", csv)
    }

    /// Import the workbook of a view.
    fn import_workbook(&self, xlsx: &[u8]) -> Report {
        self.import_view("view.xlsx", xlsx)
    }

    fn import_view(&self, name: &str, bytes: &[u8]) -> Report {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("the file is written");
        let options = ImportOptions { organization_id: Some(self.organization), ..Default::default() };
        let app = &self.t.app;
        tokio::task::block_in_place(|| imports::run(&app.db, &app.config.data, &path, &options, &mut |_| {}))
            .expect("the table is imported")
    }

    fn zip(&self) -> PathBuf {
        self.folder.path().join("organization.zip")
    }

    /// Save a view of the organization; its id.
    fn save_view(&self, selection: Selection, sort: Sort) -> Uuid {
        let guid = self.t.app.ids.guid();
        self.save_view_as(guid, selection, sort);
        guid
    }

    fn save_view_as(&self, guid: Uuid, selection: Selection, sort: Sort) {
        let name = "A view".to_owned();
        let new = NewView {
            shares: Vec::new(),
            guid,
            name,
            owner: None,
            is_public: true,
            selection,
            flat: true,
            sort,
        };
        self.write(|tx, organization| create(tx, organization, &new, None));
    }

    fn write<T>(&self, write: impl Fn(&Tx<'_>, OrganizationNumber) -> Result<T, ViewError>) -> T {
        let written = self.t.app.db.write_alone(Scope::Global, Duration::from_secs(5), |tx| {
            let found = orgs::find_by_guid(tx, self.organization)?.expect("the organization is there");
            tx.enter(found.number.0);
            write(tx, found.number)
        });
        written.expect("the change is written")
    }

    fn oracle(&self) -> Oracle {
        Oracle::read(&self.zip())
    }

    /// The file of a view of all goals, as this person gets it.
    async fn export_all(&self, email: &str) -> Vec<u8> {
        self.export(&self.t.client(email), Preset::AllObjectives.guid(self.organization)).await
    }

    /// The file of a view.
    async fn export(&self, client: &Client, view: Uuid) -> Vec<u8> {
        let id = self.create(client, view).await;
        self.run_and_fetch(client, &id).await
    }

    /// The workbook of a view of all goals, as this person gets it.
    async fn export_workbook(&self, email: &str) -> Vec<u8> {
        self.export_as(email, &json!({ "format": "xlsx" })).await
    }

    /// The file of a view of all goals with these options, as this person gets it.
    async fn export_as(&self, email: &str, options: &serde_json::Value) -> Vec<u8> {
        let client = self.t.client_with_scopes(email, "Goals-Export.ReadWrite.All");
        let path = format!("/api/v1/organizations/{}/exports", self.organization);
        let mut body = options.clone();
        body["viewId"] = json!(Preset::AllObjectives.guid(self.organization));
        let created = client.post(&path, &body).await;
        assert_eq!(created.status, 201, "{}", created.text());
        assert!(self.t.run_one().await);
        let content = client.get(&format!("{path}/{}/content", created.id())).await;
        assert_eq!(content.status, 200, "{}", content.text());
        content.bytes
    }

    /// Ask for an export; its id.
    async fn create(&self, client: &Client, view: Uuid) -> String {
        let created = client.create_export(self.organization, view).await;
        assert_eq!(created.status, 201, "{}", created.text());
        created.id()
    }

    /// Do the work, and download what came of it.
    async fn run_and_fetch(&self, client: &Client, id: &str) -> Vec<u8> {
        assert!(self.t.run_one().await);
        let content = client.get_content(id).await;
        assert_eq!(content.status, 200, "{}", content.text());
        content.bytes
    }
}

/// Compare two files, and show the first line that differs rather than both of them.
fn assert_same(found: &[u8], expected: &[u8]) {
    if found == expected {
        return;
    }
    let lines = |csv: &[u8]| String::from_utf8_lossy(csv).split('\n').map(str::to_owned).collect::<Vec<_>>();
    let (found, expected) = (lines(found), lines(expected));
    let first = found.iter().zip(&expected).position(|(found, expected)| found != expected);
    let at = first.unwrap_or(found.len().min(expected.len()));
    assert_eq!(found.get(at), expected.get(at), "line {}", at + 1);
}

fn write_sample(path: &Path, options: &Options) {
    sample::write(File::create(path).expect("a new file"), options, &mut |_| {})
        .expect("the file is written");
}

/// The owner of every organization of [`write_sample`].
const OWNER: &str = "ada.quill@contoso.example";
/// The owner's number.
const OWNER_ID: i64 = 515_000;

/// A file made by hand.
#[derive(Clone, Debug, Default)]
struct Organization {
    users: Vec<User>,
    teams: Vec<Team>,
    periods: Vec<Period>,
    tags: Vec<Tag>,
    goals: Vec<Objective>,
    check_ins: Vec<CheckIn>,
}

impl Organization {
    /// Ivy owns it, Noor is a member, Tom too; two teams, a year and a quarter. No goals.
    fn of_ivy() -> Self {
        let period = |id, name: &str, start_date, end_date| Period {
            id,
            name: name.to_owned(),
            start_date,
            end_date,
            ..Period::default()
        };
        let team = |id, name: &str| Team {
            id,
            name: name.to_owned(),
            team_type: Some("Classic".to_owned()),
            status: Some("Active".to_owned()),
            ..Team::default()
        };
        Self {
            users: vec![
                user(IVY, "Ivy Castell", "ivy@contoso.example", "Organization Owner"),
                user(NOOR, "Noor \"Nu\" Haddad", "noor@contoso.example", "Organization Owner"),
                user(TOM, "Tom, Ürgen", "tom@contoso.example", "Member"),
            ],
            teams: vec![team(11, "Sales"), team(12, "R&D; \"Labs\"")],
            periods: vec![
                period(21, "Annual 2025", date(2025, 1, 1), date(2025, 12, 31)),
                period(22, "Q1 2025", date(2025, 1, 1), date(2025, 3, 31)),
            ],
            ..Self::default()
        }
    }

    fn write(&self, path: &Path) {
        let heading = Heading {
            organization_number: 7_007,
            user_number: IVY,
            exported_at: datetime(2025, 11, 24, 12, 0, 0, 0),
        };
        let mut writer =
            Writer::new(File::create(path).expect("a new file"), heading).expect("a file begins");
        let written = (|| {
            self.users.iter().try_for_each(|user| writer.write(user))?;
            self.teams.iter().try_for_each(|team| writer.write(team))?;
            self.periods.iter().try_for_each(|period| writer.write(period))?;
            self.tags.iter().try_for_each(|tag| writer.write(tag))?;
            self.goals.iter().try_for_each(|goal| writer.write(goal))?;
            self.check_ins.iter().try_for_each(|check_in| writer.write(check_in))?;
            writer.finish()
        })();
        written.expect("the file is written");
    }
}

const IVY: i64 = 1;
const NOOR: i64 = 2;
const TOM: i64 = 3;
const IVYS_EMAIL: &str = "ivy@contoso.example";

fn user(id: i64, name: &str, email: &str, role: &str) -> User {
    User {
        id,
        name: Some(name.to_owned()),
        email: Some(email.to_owned()),
        role: Some(role.to_owned()),
        source: Some("Individual".to_owned()),
        member_type: Some("regular".to_owned()),
        status: Some("active".to_owned()),
        ..User::default()
    }
}

/// A mention of a person.
fn person(id: i64) -> Person {
    Person { id: Some(id), ..Person::default() }
}

/// A goal that everybody may see, and of which little is said.
fn goal(id: i64, title: &str) -> Objective {
    Objective {
        id,
        title: title.to_owned(),
        type_label: Some("Objective".to_owned()),
        permissions: Permissions::everybody(),
        status: Some("On Track".to_owned()),
        goal_type: Some("Aspirational".to_owned()),
        score: Some(0.0),
        ..Objective::default()
    }
}
