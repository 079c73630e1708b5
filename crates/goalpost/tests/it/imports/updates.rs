//! A second file of the same organization.

use goalpost::goals::edit::Field;
use goalpost::goals::record::{Column, List};
use goalpost::imports::ImportOptions;
use goalpost_db::Value;
use goalpost_viva::Entity;

use super::{Company, Server, check_in, goal, options};

const TITLE: Field = Field::Column(Column::Title);

fn title(server: &Server, goal: i64) -> String {
    server.text(&format!("select title from goal where organization = ?1 and id = {goal}"))
}

#[test]
fn the_same_file_again_changes_no_byte() {
    let server = Server::new();
    let first = server.import(&Company::small());
    assert_eq!(first.revision, Some(1));
    let before = server.bytes();
    let second = server.import(&Company::small());
    assert!(!second.changes_anything());
    assert_eq!(second.tally(Entity::Objectives).unchanged, 2);
    assert!(server.bytes() == before, "the database file changed");
    assert_eq!(server.organization().revision, 1);
}

#[test]
fn a_newer_file_updates_what_it_changed_and_keeps_the_old_rows_as_history() {
    let server = Server::new();
    let mut company = Company::small();
    server.import(&company);
    company.goal(101).title = "Prune 400 trees".to_owned();
    company.goal(101).owners.pop();
    company.goals.push(goal(102, "Project", "Buy ladders"));
    company.check_ins.push(check_in(1001, 101));
    company.users[1].status = Some("deactivated".to_owned());
    let report = server.import(&company);

    assert_eq!(report.revision, Some(2));
    let goals = report.tally(Entity::Objectives);
    assert_eq!((goals.added, goals.changed, goals.unchanged), (1, 1, 1));
    assert_eq!(report.tally(Entity::Users).changed, 1);
    assert_eq!(report.tally(Entity::CheckIns).added, 1);
    assert_eq!(title(&server, 101), "Prune 400 trees");
    assert_eq!(
        server.text("select title_fold from goal where organization = ?1 and id = 101"),
        "prune 400 trees"
    );
    assert_eq!(server.count("select checkin_count from goal where organization = ?1 and id = 101"), 2);
    assert_eq!(server.count("select count(*) from goal_owner where organization = ?1 and goal = 101"), 1);
    let history = server
        .rows("select title, revision, until from goal_history where organization = ?1", |row| {
            Ok((row.text(0)?.to_owned(), row.int(1)?, row.int(2)?))
        });
    assert_eq!(history, [("Prune 300 trees".to_owned(), 1, 2)]);
    let owners = server.rows(
        "select goal, position, person, until from goal_owner_history where organization = ?1",
        |row| Ok([row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?]),
    );
    assert_eq!(owners, [[101, 1, 11, 2]]);
    assert_eq!(server.text("select status from person where organization = ?1 and id = 11"), "deactivated");
}

#[test]
fn a_person_keeps_the_guid() {
    let server = Server::new();
    let mut company = Company::small();
    server.import(&company);
    let guid = || {
        server.row("select guid from person where organization = ?1 and id = 10", |row| row.bytes::<16>(0))
    };
    let before = guid();
    company.users[0].name = Some("Ilse Anders-Quint".to_owned());
    server.import(&company);
    assert_eq!(guid(), before);
}

#[test]
fn what_the_file_no_longer_holds_stays_and_is_listed_until_it_is_pruned() {
    let server = Server::new();
    let mut company = Company::small();
    company.goals.push(goal(102, "Project", "Buy ladders"));
    company.check_ins.push(check_in(1001, 102));
    company.check_ins.push(check_in(1002, 101));
    server.import(&company);
    company.goals.pop();
    company.check_ins.truncate(1);
    company.comments.clear();
    company.tags.clear();
    company.goals.iter_mut().for_each(|goal| goal.tags.clear());

    let kept = server.import(&company);
    assert_eq!(kept.missing.total, 5);
    assert!(kept.missing.first.iter().all(|missing| !missing.removed));
    assert_eq!(title(&server, 102), "Buy ladders");
    assert_eq!(server.count("select checkin_count from goal where organization = ?1 and id = 101"), 2);

    let prune = ImportOptions { prune: true, ..options() };
    let pruned = server.import_company_with(&company, &prune);
    assert_eq!(pruned.tally(Entity::Objectives).removed, 1);
    assert_eq!(pruned.tally(Entity::CheckIns).removed, 2);
    assert_eq!(pruned.tally(Entity::Comments).removed, 1);
    assert_eq!(server.count("select count(*) from goal where organization = ?1 and id = 102"), 0);
    assert_eq!(server.count("select count(*) from goal_owner where organization = ?1 and goal = 102"), 0);
    assert_eq!(server.count("select count(*) from checkin where organization = ?1"), 1);
    assert_eq!(server.count("select checkin_count from goal where organization = ?1 and id = 101"), 1);
    assert_eq!(server.text("select origin from tag where organization = ?1 and id = 40"), "reference");
    let history = "select count(*) from goal_history where organization = ?1 and id = 102";
    assert_eq!(server.count(history), 1);
    assert_eq!(server.count("select count(*) from checkin_history where organization = ?1"), 2);

    let before = server.bytes();
    let again = server.import_company_with(&company, &prune);
    assert!(!again.changes_anything());
    assert!(server.bytes() == before, "a second prune changed something");
}

#[test]
fn a_pruned_goal_that_others_are_aligned_to_leaves_a_placeholder() {
    let server = Server::new();
    let mut company = Company::small();
    server.import(&company);
    company.goals.remove(0);
    company.comments.clear();
    server.import_company_with(&company, &ImportOptions { prune: true, ..options() });
    assert_eq!(server.text("select origin from goal where organization = ?1 and id = 100"), "reference");
    assert_eq!(title(&server, 100), "Healthy trees");
}

#[test]
fn a_check_in_that_moved_to_another_goal_is_counted_there() {
    let server = Server::new();
    let mut company = Company::small();
    server.import(&company);
    company.check_ins[0].goal_id = 100;
    let report = server.import(&company);
    assert_eq!(report.tally(Entity::CheckIns).changed, 1);
    let count = |goal| {
        server.count(&format!("select checkin_count from goal where organization = ?1 and id = {goal}"))
    };
    assert_eq!((count(100), count(101)), (1, 0));
    assert_eq!(server.count("select goal from checkin_history where organization = ?1 and id = 1000"), 101);
}

#[test]
fn a_field_changed_here_stays_silently_while_the_file_says_what_it_said() {
    let server = Server::new();
    server.import(&Company::small());
    server.edit(101, TITLE, &["Prune 350 trees".into()]);
    let report = server.import(&Company::small());
    assert_eq!(report.conflicts.total, 0);
    assert_eq!(report.revision, None);
    assert_eq!(title(&server, 101), "Prune 350 trees");
}

#[test]
fn what_no_file_says_of_a_goal_outlives_the_next_file() {
    let server = Server::new();
    let mut company = Company::small();
    server.import(&company);
    let updated_at = || {
        server.row("select updated_at from goal where organization = ?1 and id = 101", |row| row.opt_int(0))
    };
    assert_eq!(updated_at(), Some(None));
    for (column, value) in [
        (Column::RiskThreshold, Value::Real(90.0)),
        (Column::Priority, Value::Int(3)),
        (Column::NewChildrenContribute, Value::Bool(false)),
        (Column::EndingNote, "Frost".into()),
    ] {
        server.edit(101, Field::Column(column), &[value]);
    }
    let before = updated_at();
    assert!(before.flatten().is_some(), "a change has its moment");
    company.goal(101).title = "Prune 400 trees".to_owned();
    let report = server.import(&company);
    assert_eq!((report.conflicts.total, report.tally(Entity::Objectives).changed), (0, 1));
    let kept = "select risk_threshold, priority, new_children_contribute, ending_note from goal
        where organization = ?1 and id = 101";
    let kept = server.row(kept, |row| {
        Ok((row.opt_real(0)?, row.opt_int(1)?, row.bool(2)?, row.opt_text(3)?.map(str::to_owned)))
    });
    assert_eq!(kept, Some((Some(90.0), Some(3), false, Some("Frost".to_owned()))));
    assert_eq!(updated_at(), before, "an import is no change that was made here");
    assert_eq!(server.import(&company).revision, None);
}

#[test]
fn a_field_changed_here_and_in_the_file_is_a_conflict_that_ours_wins_unless_told_otherwise() {
    let server = Server::new();
    let mut company = Company::small();
    server.import(&company);
    server.edit(101, TITLE, &["Prune 350 trees".into()]);
    company.goal(101).title = "Prune 400 trees".to_owned();
    company.goal(101).status = Some("Behind".to_owned());

    for _ in 0..2 {
        let report = server.import(&company);
        let conflict = &report.conflicts.first[0];
        assert_eq!((report.conflicts.total, conflict.goal, conflict.field), (1, 101, "title"));
        assert_eq!(
            (conflict.here.as_str(), conflict.file.as_str()),
            (Some("Prune 350 trees"), Some("Prune 400 trees"))
        );
        assert!(!conflict.taken);
        assert_eq!(title(&server, 101), "Prune 350 trees");
    }
    assert_eq!(server.text("select status from goal where organization = ?1 and id = 101"), "Behind");

    let take = ImportOptions { take_file: true, ..options() };
    let report = server.import_company_with(&company, &take);
    assert!(report.conflicts.first[0].taken);
    assert_eq!(title(&server, 101), "Prune 400 trees");
    assert_eq!(server.count("select count(*) from goal_imported_value where organization = ?1"), 0);
}

#[test]
fn the_same_change_here_and_in_the_file_is_no_conflict() {
    let server = Server::new();
    let mut company = Company::small();
    server.import(&company);
    server.edit(101, Field::List(List::Owners), &[Value::Int(11)]);
    company.goal(101).owners.remove(0);
    let report = server.import(&company);
    assert_eq!(report.conflicts.total, 0);
    assert_eq!(server.count("select count(*) from goal_imported_value where organization = ?1"), 0);
    company.goal(101).owners.clear();
    server.import(&company);
    assert_eq!(server.count("select count(*) from goal_owner where organization = ?1 and goal = 101"), 0);
}

#[test]
fn a_field_changed_back_is_as_if_it_had_never_been_changed() {
    let server = Server::new();
    server.import(&Company::small());
    let progress = Field::Column(Column::Progress);
    server.edit(101, progress, &[Value::Real(200.0)]);
    let percent = "select cast(progress_percent as integer) from goal where organization = ?1 and id = 101";
    assert_eq!(server.count(percent), 50);
    assert_eq!(server.text("select value from goal_imported_value where organization = ?1"), "150.0");
    server.edit(101, progress, &[Value::Real(150.0)]);
    assert_eq!(server.count(percent), 25);
    assert_eq!(server.count("select count(*) from goal_imported_value where organization = ?1"), 0);
    assert_eq!(server.count("select count(*) from goal_history where organization = ?1"), 2);
}

#[test]
fn a_value_of_the_wrong_kind_is_refused() {
    let server = Server::new();
    server.import(&Company::small());
    let organization = server.organization();
    for (field, value) in [
        (TITLE, Value::Int(1)),
        (Field::Column(Column::CheckinCount), Value::Int(1)),
        (Field::List(List::Parents), Value::Int(1)),
    ] {
        let refused = server.db.write_alone(organization.number, std::time::Duration::from_secs(1), |tx| {
            goalpost::goals::edit::change_field(
                tx,
                organization.number,
                100,
                2,
                field,
                std::slice::from_ref(&value),
            )
        });
        assert!(refused.is_err(), "{field:?} took {value:?}");
    }
}
