//! Imports of whole organizations: what the rows say afterwards, what a second file changes, what is refused.

mod bad_input;
mod bombs;
mod bombs_typed;
mod command;
mod references;
mod tables;
mod templates;
mod typed_files;
mod undo;
mod updates;
mod users;
mod whole_files;
mod workbooks;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use goalpost::goals::edit::{Field, change_field};
use goalpost::ids::OrganizationNumber;
use goalpost::imports::{ImportError, ImportOptions, Report, run};
use goalpost::orgs::{Organization, queries};
use goalpost_db::{Db, Error, Params, Scope, Value};
use goalpost_testing::TestDatabase;
use goalpost_viva::{
    CheckIn, Comment, Heading, Named, Objective, Outcome, Period, Permissions, Person, Tag, Team, User,
    Writer,
};
use tempfile::TempDir;

/// The number in the names of the members of the tests' files.
pub(crate) const NUMBER: i64 = 48_117;

/// A data folder with its database.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) db: Db,
    database: TestDatabase,
}

impl Server {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a folder for the test");
        let database = TestDatabase::new(folder.path());
        Self { db: database.open(), database, folder }
    }

    fn data(&self) -> &Path {
        self.folder.path()
    }

    fn import_with(&self, file: &Path, options: &ImportOptions) -> Result<Report, ImportError> {
        run(&self.db, self.data(), file, options, &mut |_| {})
    }

    fn import_file(&self, file: &Path) -> Report {
        self.import_with(file, &options()).expect("the file can be imported")
    }

    pub(crate) fn import(&self, company: &Company) -> Report {
        self.import_file(&company.zip(self.data()))
    }

    pub(crate) fn import_company_with(&self, company: &Company, options: &ImportOptions) -> Report {
        self.import_with(&company.zip(self.data()), options).expect("the file can be imported")
    }

    /// One number, by a statement whose first parameter is the organization.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.row(sql, |row| row.opt_int(0)).flatten().expect("a statement that answers one number")
    }

    pub(crate) fn text(&self, sql: &str) -> String {
        self.row(sql, |row| Ok(row.opt_text(0)?.map(str::to_owned)))
            .flatten()
            .expect("a statement that answers one text")
    }

    fn row<T>(
        &self,
        sql: &str,
        read: impl FnMut(&goalpost_db::Row<'_>) -> goalpost_db::Result<T>,
    ) -> Option<T> {
        self.rows(sql, read).into_iter().next()
    }

    pub(crate) fn rows<T>(
        &self,
        sql: &str,
        read: impl FnMut(&goalpost_db::Row<'_>) -> goalpost_db::Result<T>,
    ) -> Vec<T> {
        let organization = [Value::Int(NUMBER)];
        let params: Params<'_> = if sql.contains("?1") { &organization } else { &[] };
        self.db
            .snapshot(OrganizationNumber(NUMBER), |tx| tx.query(sql, params, read))
            .expect("the statement is right")
    }

    /// Everything that the database holds: every byte of the file, or every row that a server shows of the organization.
    fn bytes(&self) -> Vec<u8> {
        if self.database.url.is_none() {
            self.db.settle().expect("nobody reads");
            return std::fs::read(self.data().join("goalpost.db")).expect("the database file");
        }
        let tables = self.db.tables().expect("the schema is readable");
        let rows = self.db.snapshot(OrganizationNumber(NUMBER), |tx| {
            let mut rows = Vec::new();
            for table in tables {
                let sql = format!("-- (all organizations)\nselect t::text from {} t order by 1", table.name);
                rows.extend(tx.query(&sql, &[], |row| Ok::<_, goalpost_db::Error>(row.text(0)?.to_owned()))?);
            }
            Ok::<_, goalpost_db::Error>(rows)
        });
        rows.expect("the rows are readable").join("\n").into_bytes()
    }

    fn organization(&self) -> Organization {
        let found = self
            .db
            .snapshot(Scope::Global, |tx| queries::list_by_file_number(tx, NUMBER))
            .expect("a readable database");
        found.into_iter().next().expect("the organization is there")
    }

    /// Change a field of a goal here, as a person would.
    pub(crate) fn edit(&self, goal: i64, field: Field, value: &[Value]) {
        let wait = std::time::Duration::from_secs(1);
        self.db
            .write_alone(OrganizationNumber(NUMBER), wait, |tx| {
                let organization = OrganizationNumber(NUMBER);
                let revision = queries::raise_revision(tx, organization, None, "edit")?;
                change_field(tx, organization, goal, revision, field, value)
            })
            .expect("the field can be changed");
    }
}

pub(crate) fn options() -> ImportOptions {
    ImportOptions { organization_name: Some("Contoso Orchards".to_owned()), ..ImportOptions::default() }
}

/// What a test's file holds.
#[derive(Clone, Default)]
pub(crate) struct Company {
    pub(crate) users: Vec<User>,
    pub(crate) teams: Vec<Team>,
    pub(crate) periods: Vec<Period>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) goals: Vec<Objective>,
    pub(crate) check_ins: Vec<CheckIn>,
    pub(crate) comments: Vec<Comment>,
}

impl Company {
    /// A company of two people with an objective (id 100) and a key result (id 101) below it, a check-in and a comment.
    pub(crate) fn small() -> Self {
        let team = Named { id: 20, name: Some("Pruning".to_owned()) };
        let user = |id, name: &str| User {
            id,
            name: Some(name.to_owned()),
            email: Some(format!("user{id}@contoso.example")),
            teams: vec![team.clone()],
            role: Some("Member".to_owned()),
            source: Some("Individual".to_owned()),
            member_type: Some("regular".to_owned()),
            status: Some("active".to_owned()),
            ..User::default()
        };
        let mut key_result = goal(101, "Kpi", "Prune 300 trees");
        key_result.parent_ids = vec![100];
        key_result.outcome = Some(Outcome {
            outcome_type: Some("Metric".to_owned()),
            metric_name: Some("Trees".to_owned()),
            metric_unit: Some("Number".to_owned()),
            start: Some(100.0),
            target: Some(300.0),
            target_type: Some("Increase From".to_owned()),
        });
        key_result.progress = Some(150.0);
        Self {
            users: vec![user(10, "Ilse Anders"), user(11, "Bo Quint")],
            teams: vec![Team {
                id: 20,
                name: "Pruning".to_owned(),
                owners: vec![person(10)],
                ..Team::default()
            }],
            periods: vec![Period {
                id: 30,
                name: "Q1 2026".to_owned(),
                start_date: jiff::civil::date(2026, 1, 1),
                end_date: jiff::civil::date(2026, 3, 31),
                aside: Vec::new(),
            }],
            tags: vec![Tag { id: 40, name: Some("Winter".to_owned()), aside: Vec::new() }],
            goals: vec![goal(100, "Big rock", "Healthy trees"), key_result],
            check_ins: vec![check_in(1000, 101)],
            comments: vec![Comment {
                id: 2000,
                goal_id: 100,
                text: Some("Well begun".to_owned()),
                created_by: Some(person(11)),
                created_at: Some(jiff::civil::datetime(2026, 1, 9, 8, 0, 0, 0)),
                aside: Vec::new(),
            }],
        }
    }

    pub(crate) fn goal(&mut self, id: i64) -> &mut Objective {
        self.goals.iter_mut().find(|goal| goal.id == id).expect("the company has this goal")
    }

    /// Write the company's file into a folder.
    pub(crate) fn zip(&self, folder: &Path) -> PathBuf {
        let path = folder.join("Organization_CompleteData.zip");
        let heading = Heading {
            organization_number: NUMBER,
            user_number: 10,
            exported_at: jiff::civil::datetime(2026, 2, 1, 9, 0, 0, 0),
        };
        let mut writer =
            Writer::new(File::create(&path).expect("a new file"), heading).expect("a writable file");
        let mut write = || {
            self.users.iter().try_for_each(|user| writer.write(user))?;
            self.teams.iter().try_for_each(|team| writer.write(team))?;
            self.periods.iter().try_for_each(|period| writer.write(period))?;
            self.tags.iter().try_for_each(|tag| writer.write(tag))?;
            self.goals.iter().try_for_each(|goal| writer.write(goal))?;
            self.check_ins.iter().try_for_each(|check_in| writer.write(check_in))?;
            self.comments.iter().try_for_each(|comment| writer.write(comment))
        };
        write().expect("elements in order");
        writer.finish().expect("a complete file");
        path
    }
}

pub(crate) fn person(id: i64) -> Person {
    let (name, email) = (format!("Person {id}"), format!("user{id}@contoso.example"));
    Person { id: Some(id), name: Some(name), email: Some(email) }
}

pub(crate) fn goal(id: i64, label: &str, title: &str) -> Objective {
    Objective {
        id,
        title: title.to_owned(),
        type_label: Some(label.to_owned()),
        created_by: Some(person(10)),
        owners: vec![person(10), person(11)],
        teams: vec![Named { id: 20, name: Some("Pruning".to_owned()) }],
        period: Some(Named { id: 30, name: Some("Q1 2026".to_owned()) }),
        permissions: Permissions::everybody(),
        tags: vec![Tag { id: 40, name: Some("Winter".to_owned()), aside: Vec::new() }],
        progress: Some(40.0),
        status: Some("On Track".to_owned()),
        outcome: Some(Outcome { outcome_type: Some("Percentage".to_owned()), ..Outcome::default() }),
        goal_type: Some("Aspirational".to_owned()),
        created_at: Some(jiff::civil::datetime(2026, 1, 5, 0, 0, 0, 0)),
        ..Objective::default()
    }
}

pub(crate) fn check_in(id: i64, goal_id: i64) -> CheckIn {
    CheckIn {
        id,
        goal_id,
        date: Some(jiff::civil::datetime(2026, 1, 12, 0, 0, 0, 0)),
        owner: Some(person(10)),
        metric_name: Some("Trees".to_owned()),
        status: Some("On Track".to_owned()),
        current_value: Some(150.0),
        ..CheckIn::default()
    }
}

/// A file whose members are given as JSON; those not given are empty.
fn zip_of_json(folder: &Path, members: &[(&str, &str)]) -> PathBuf {
    let path = folder.join("by_hand.zip");
    let mut zip = zip::ZipWriter::new(File::create(&path).expect("a new file"));
    let options = zip::write::SimpleFileOptions::default();
    for word in ["Users", "Teams", "TimePeriods", "Tags", "objectives", "checkins", "comments"] {
        let json = members.iter().find(|(name, _)| *name == word).map_or("[]", |(_, json)| json);
        let name = format!("{word}_export_file_{NUMBER}_10_Organization_{NUMBER}_20260201090000.json");
        zip.start_file(name, options).expect("a new member");
        zip.write_all(json.as_bytes()).expect("a writable file");
    }
    zip.finish().expect("a complete file");
    path
}

/// A text that may be null.
fn opt_text(row: &goalpost_db::Row<'_>, column: usize) -> Result<Option<String>, Error> {
    Ok(row.opt_text(column)?.map(str::to_owned))
}
