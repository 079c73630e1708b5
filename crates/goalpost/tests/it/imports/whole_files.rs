//! Round trips: what a file of any size said is what the rows say.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;

use goalpost::imports::Report;
use goalpost_viva::{Archive, CheckIn, Child, Comment, Entity, Limits, Objective, User, sample};
use proptest::prelude::*;

use super::{Server, opt_text};

fn sample_file(server: &Server, goals: u64, seed: u64) -> PathBuf {
    let path = server.data().join("sample.zip");
    let options = sample::Options { goals, seed, ..sample::Options::default() };
    sample::write(File::create(&path).expect("a new file"), &options, &mut |_| {}).expect("a writable file");
    path
}

/// Read a file again and hold each element against the rows.
fn rows_say_what_the_file_says(server: &Server, file: &PathBuf, report: &Report) {
    let mut archive =
        Archive::open(File::open(file).expect("the file"), Limits::OPERATOR).expect("a good file");
    let mut people: HashMap<i64, (String, String)> = server
        .rows("select id, name, email from person where organization = ?1", |row| {
            Ok((row.int(0)?, (row.text(1)?.to_owned(), row.text(2)?.to_owned())))
        })
        .into_iter()
        .collect();
    let mut goals: HashMap<i64, Goal> = goals(server);
    let mut read = 0;
    archive
        .each(|goal: Objective| {
            read += 1;
            let row = goals.remove(&goal.id).expect("each goal has a row");
            assert_eq!(row, Goal::of(&goal), "goal {}", goal.id);
            for person in goal.owners.iter().chain(&goal.created_by) {
                let id = person.id.expect("the sample's people have ids");
                assert!(people.contains_key(&id), "person {id} has no row");
            }
            Ok::<_, goalpost_viva::Error>(())
        })
        .expect("a good file");
    assert_eq!(report.tally(Entity::Objectives).added, read);

    archive
        .each(|user: User| {
            let said = (user.name.unwrap_or_default(), user.email.unwrap_or_default());
            assert_eq!(people.remove(&user.id), Some(said), "user {}", user.id);
            Ok::<_, goalpost_viva::Error>(())
        })
        .expect("a good file");

    let check_ins = "select id, goal, note, value from checkin where organization = ?1";
    let mut check_ins: HashMap<i64, (i64, Option<String>, Option<f64>)> = server
        .rows(check_ins, |row| Ok((row.int(0)?, (row.int(1)?, opt_text(row, 2)?, row.opt_real(3)?))))
        .into_iter()
        .collect();
    let mut aside = 0;
    archive
        .each(|check_in: CheckIn| {
            let said = (check_in.goal_id, check_in.note.and_then(|note| note.text), check_in.current_value);
            match check_ins.remove(&check_in.id) {
                Some(row) => assert_eq!(row, said, "check-in {}", check_in.id),
                None => aside += 1,
            }
            Ok::<_, goalpost_viva::Error>(())
        })
        .expect("a good file");
    assert!(check_ins.is_empty(), "check-ins that no file holds");
    assert_eq!(aside, report.tally(Entity::CheckIns).aside);

    let mut comments = 0;
    archive
        .each(|_: Comment| {
            comments += 1;
            Ok::<_, goalpost_viva::Error>(())
        })
        .expect("a good file");
    let tally = report.tally(Entity::Comments);
    assert_eq!(comments, tally.added + tally.aside);
    let wrong_counts = "select count(*) from goal where organization = ?1 and checkin_count <>
        (select count(*) from checkin where checkin.organization = ?1 and checkin.goal = goal.id)";
    assert_eq!(server.count(wrong_counts), 0);
}

/// What is compared of a goal.
#[derive(Debug, Default, PartialEq)]
struct Goal {
    title: String,
    description: Option<String>,
    label: String,
    status: String,
    end_date: Option<String>,
    progress: Option<f64>,
    target: Option<f64>,
    owners: Vec<i64>,
    parents: Vec<(i64, Option<f64>)>,
    tasks: Vec<String>,
    phased: Vec<Option<f64>>,
}

impl Goal {
    fn of(goal: &Objective) -> Self {
        let weight =
            |parent| goal.alignment.iter().find(|entry| entry.id == parent).and_then(|entry| entry.weight);
        let task = |child: &Child| match child {
            Child::Task(task) => Some(task.name.clone()),
            Child::Goal { .. } => None,
        };
        Self {
            title: goal.title.clone(),
            description: goal.description.clone(),
            label: goal.type_label.clone().unwrap_or_default(),
            status: goal.status.clone().unwrap_or_default(),
            end_date: goal.end_date.map(|day| day.to_string()),
            progress: goal.progress,
            target: goal.outcome.as_ref().and_then(|outcome| outcome.target),
            owners: goal.owners.iter().filter_map(|person| person.id).collect(),
            parents: goal.parent_ids.iter().map(|&parent| (parent, weight(parent))).collect(),
            tasks: goal.children.iter().filter_map(task).collect(),
            phased: goal
                .phased_targets
                .iter()
                .flat_map(|phased| &phased.targets)
                .map(|target| target.value)
                .collect(),
        }
    }
}

/// Every goal that a file held, from its rows.
fn goals(server: &Server) -> HashMap<i64, Goal> {
    let columns = "select id, title, description, type_label, status, end_date, progress, metric_target
        from goal where organization = ?1 and origin = 'file'";
    let mut goals: HashMap<i64, Goal> = server
        .rows(columns, |row| {
            let goal = Goal {
                title: row.text(1)?.to_owned(),
                description: opt_text(row, 2)?,
                label: row.text(3)?.to_owned(),
                status: row.text(4)?.to_owned(),
                end_date: opt_text(row, 5)?,
                progress: row.opt_real(6)?,
                target: row.opt_real(7)?,
                ..Goal::default()
            };
            Ok((row.int(0)?, goal))
        })
        .into_iter()
        .collect();
    let mut goal = |id: i64, add: &dyn Fn(&mut Goal)| goals.get_mut(&id).into_iter().for_each(add);
    for (id, person) in list(server, "person from goal_owner", |row| row.int(1)) {
        goal(id, &|goal| goal.owners.push(person));
    }
    for (id, parent) in
        list(server, "parent, weight from goal_parent", |row| Ok((row.int(1)?, row.opt_real(2)?)))
    {
        goal(id, &|goal| goal.parents.push(parent));
    }
    for (id, name) in list(server, "name from task", |row| Ok(row.text(1)?.to_owned())) {
        goal(id, &|goal| goal.tasks.push(name.clone()));
    }
    for (id, value) in list(server, "value from goal_phased_target", |row| row.opt_real(1)) {
        goal(id, &|goal| goal.phased.push(value));
    }
    goals
}

fn list<T>(
    server: &Server,
    columns: &str,
    mut read: impl FnMut(&goalpost_db::Row<'_>) -> goalpost_db::Result<T>,
) -> Vec<(i64, T)> {
    let sql = format!("select goal, {columns} where organization = ?1 order by goal, position");
    server.rows(&sql, |row| Ok((row.int(0)?, read(row)?)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rows_of_ten_goals_say_what_the_file_said(seed: u64) {
        let server = Server::new();
        let file = sample_file(&server, 10, seed);
        let report = server.import_file(&file);
        rows_say_what_the_file_says(&server, &file, &report);
    }
}

#[test]
fn rows_of_a_thousand_goals_say_what_the_file_said() {
    let server = Server::new();
    let file = sample_file(&server, 1_000, 3);
    let report = server.import_file(&file);
    rows_say_what_the_file_says(&server, &file, &report);
    let before = server.bytes();
    let again = server.import_file(&file);
    assert!(!again.changes_anything());
    assert_eq!(again.references, report.references);
    assert!(server.bytes() == before, "the second import changed something");
}

#[test]
fn rows_of_a_hundred_thousand_goals_say_what_the_file_said() {
    let server = Server::new();
    let file = sample_file(&server, 100_000, 1);
    let report = server.import_file(&file);
    rows_say_what_the_file_says(&server, &file, &report);
}
