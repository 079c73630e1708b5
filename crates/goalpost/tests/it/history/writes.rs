//! Every way to write: what a change replaces is kept, under its revision.

use std::collections::BTreeMap;
use std::time::Duration;

use goalpost::goals::history::now;
use goalpost::ids::{OrganizationNumber, PersonNumber};
use goalpost::imports::ImportOptions;
use goalpost::views::{self, NewView, Selection, Sort};
use goalpost_db::{Db, Error, Table, params};
use uuid::Uuid;

use super::Houses;
use super::deeds::{Dice, deed};
use crate::imports::{Company, NUMBER, Server, goal, options};

/// What people do, by chance.
const DEEDS: u64 = 50;

/// A row: the revision that wrote it, and all its columns as text.
type Row = (i64, String);
type Rows = BTreeMap<(String, String), Row>;

/// Columns as one text, by which rows are compared.
fn as_text<'a>(columns: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<_> =
        columns.into_iter().map(|column| format!("coalesce(cast({column} as text), '-')")).collect();
    texts.join(" || ' | ' || ")
}

/// The tables whose past is kept.
fn tables(db: &Db) -> Vec<Table> {
    let all = db.tables().expect("the schema is readable");
    let has_twin = |table: &Table| all.iter().any(|twin| twin.name == format!("{}_history", table.name));
    all.iter().filter(|table| has_twin(table)).cloned().collect()
}

/// What a table holds, or its past as of a replacement by `until`.
fn rows(db: &Db, organization: OrganizationNumber, until: Option<i64>) -> Rows {
    let mut rows = Rows::new();
    for table in tables(db) {
        let columns: Vec<String> = table
            .columns
            .iter()
            .filter(|(name, kind, _)| *kind != "blob" && name != "revision")
            .map(|(name, ..)| name.clone())
            .collect();
        let (twin, condition) = match until {
            None => ("", String::new()),
            Some(until) => ("_history", format!(" and until = {until}")),
        };
        let sql = format!(
            "select {}, {}, revision from {}{twin} where organization = ?1{condition}",
            as_text(&table.key),
            as_text(&columns),
            table.name,
        );
        db.snapshot(organization, |tx| {
            for (key, row) in tx.query(&sql, params![organization], |row| {
                Ok::<_, Error>((row.text(0)?.to_owned(), (row.int(2)?, row.text(1)?.to_owned())))
            })? {
                rows.insert((table.name.clone(), key), row);
            }
            Ok::<_, Error>(())
        })
        .expect("the rows are readable");
    }
    rows
}

/// Whether a change, if it was one, kept what it replaced and wrote everything else under its revision, which says who
/// made it.
struct Watch {
    organization: OrganizationNumber,
    revision: i64,
    rows: Rows,
}

impl Watch {
    fn new(db: &Db, organization: OrganizationNumber) -> Self {
        let revision = db.snapshot(organization, |tx| now(tx, organization)).expect("readable").revision;
        Self { organization, revision, rows: rows(db, organization, None) }
    }

    /// How many rows of the past the change made.
    fn change(&mut self, db: &Db, what: &str) -> usize {
        let before = std::mem::replace(self, Self::new(db, self.organization));
        if self.revision == before.revision {
            assert!(self.rows == before.rows, "{what} changed rows and made no revision");
            return 0;
        }
        assert_eq!(self.revision, before.revision + 1, "{what}");
        for (key, row) in &self.rows {
            let old = before.rows.get(key);
            assert!(old == Some(row) || row.0 == self.revision, "{what}: {key:?} was {old:?} and is {row:?}");
        }
        let mut replaced = before.rows;
        replaced.retain(|key, row| self.rows.get(key) != Some(row));
        assert_eq!(rows(db, self.organization, Some(self.revision)), replaced, "{what}");
        let sql = "select count(*) from revision where organization = ?1 and revision = ?2 and cause <> ''";
        let told = db.snapshot(self.organization, |tx| {
            tx.query_one(sql, params![self.organization, self.revision], |row| row.int(0))
        });
        assert_eq!(told.expect("readable"), 1, "{what}: nobody knows who made it");
        replaced.len()
    }
}

#[test]
fn whatever_people_do_keeps_what_it_replaces() {
    let houses = Houses::new();
    let house = houses.build();
    let mut watch = Watch::new(&houses.db, house);
    let (mut kept, mut done) = (0, 0);
    for seed in 0..DEEDS {
        let written =
            houses.db.write_alone(house, Duration::from_secs(5), |tx| deed(tx, house, &mut Dice(seed)));
        done += usize::from(written.is_ok());
        kept += watch.change(&houses.db, &format!("deed {seed}"));
    }
    assert!(kept > 30 && done > 30, "{done} deeds hardly replaced anything: {kept}");
}

#[test]
fn views_are_kept() {
    let houses = Houses::new();
    let house = houses.build();
    let mut watch = Watch::new(&houses.db, house);
    let new = NewView {
        shares: Vec::new(),
        guid: Uuid::from_u128(7),
        name: "Mine".to_owned(),
        owner: Some(PersonNumber(1)),
        is_public: false,
        selection: Selection::default(),
        flat: true,
        sort: Sort::default(),
    };
    let wait = Duration::from_secs(5);
    let actor = Some(PersonNumber(1));
    houses.db.write_alone(house, wait, |tx| views::create(tx, house, &new, actor)).expect("it is saved");
    assert_eq!(watch.change(&houses.db, "a view is saved"), 0);
    houses
        .db
        .write_alone(house, wait, |tx| views::delete(tx, house, new.guid, actor))
        .expect("it is deleted");
    assert_eq!(watch.change(&houses.db, "a view is deleted"), 1);
    let sql = "select count(*) from revision where organization = ?1 and actor = 1";
    assert_eq!(houses.read(house, |tx| tx.query_one(sql, params![house], |row| row.int(0))), 2);
}

/// The revision that last changed people, teams, periods or tags.
fn directory(server: &Server) -> i64 {
    server.count("select directory_revision from organization where number = ?1")
}

#[test]
fn imports_keep_what_they_replace_and_note_changes_of_people_teams_periods_and_tags() {
    let server = Server::new();
    let mut company = Company::small();
    company.goals.push(goal(102, "Project", "Buy ladders"));
    company.goal(102).parent_ids = vec![999];
    server.import(&company);
    assert_eq!(directory(&server), 1);
    let organization = OrganizationNumber(NUMBER);
    let mut watch = Watch::new(&server.db, organization);

    company.goal(101).title = "Prune 400 trees".to_owned();
    company.goal(101).owners.pop();
    company.goal(100).parent_ids = vec![102];
    server.import(&company);
    assert!(watch.change(&server.db, "a newer file") >= 2);
    assert_eq!(directory(&server), 1, "nobody and no team changed");

    company.goals.retain(|goal| goal.id != 102);
    let prune = ImportOptions { prune: true, ..options() };
    server.import_company_with(&company, &prune);
    assert!(watch.change(&server.db, "a prune") >= 5, "the goal and its lists, and the placeholder above");
    assert_eq!(directory(&server), 1);

    for (what, change) in CHANGES {
        change(&mut company);
        let report = server.import_company_with(&company, &prune);
        watch.change(&server.db, what);
        assert_eq!(Some(directory(&server)), report.revision, "{what}");
    }
    server.import(&company);
    assert_eq!(watch.change(&server.db, "the same file"), 0);
}

type Change = (&'static str, fn(&mut Company));

const CHANGES: [Change; 5] = [
    ("somebody has left", |company| company.users[1].status = Some("deactivated".to_owned())),
    ("a team has another name", |company| "Pruners".clone_into(&mut company.teams[0].name)),
    ("a period has another name", |company| "Q2 2026".clone_into(&mut company.periods[0].name)),
    ("a tag has another name", |company| company.tags[0].name = Some("Spring".to_owned())),
    ("a tag is gone", |company| {
        company.tags.clear();
        company.goals.iter_mut().for_each(|goal| goal.tags.clear());
    }),
];
