//! Files, options and places that an import refuses: with an error that says what to change, and nothing changed.

use std::fs::File;
use std::path::Path;

use goalpost::imports::{ImportError, ImportOptions};
use goalpost_viva::Entity;

use super::{Company, Server, goal, options, zip_of_json};

/// Import a company, then a bad file, and expect the database as it was; returns what is said.
fn refused(write: impl FnOnce(&Path) -> std::path::PathBuf, options: &ImportOptions) -> String {
    let server = Server::new();
    server.import(&Company::small());
    let before = server.bytes();
    let file = write(server.data());
    let error = server.import_with(&file, options).expect_err("the file is bad");
    assert!(server.bytes() == before, "a refused import changed the database");
    assert!(error.hint().is_some(), "no hint with: {error}");
    error.to_string()
}

fn refused_goals(objectives: &str) -> String {
    refused(|folder| zip_of_json(folder, &[("objectives", objectives)]), &options())
}

fn says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

#[test]
fn an_unreadable_zip_is_refused() {
    let message = refused(
        |folder| {
            let path = folder.join("broken.zip");
            std::fs::write(&path, b"PK\x03\x04 and no more").expect("a writable folder");
            path
        },
        &options(),
    );
    says(&message, &["broken.zip", "not a complete ZIP"]);
}

#[test]
fn a_file_cut_short_is_refused() {
    let message = refused(
        |folder| {
            let path = Company::small().zip(folder);
            let bytes = std::fs::read(&path).expect("the file just written");
            std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("a writable folder");
            path
        },
        &options(),
    );
    says(&message, &["not a complete ZIP"]);
}

#[test]
fn a_missing_file_is_refused() {
    let message = refused(|folder| folder.join("nowhere.zip"), &options());
    says(&message, &["nowhere.zip"]);
}

#[test]
fn a_missing_member_is_named() {
    let message = refused(
        |folder| {
            let path = folder.join("part.zip");
            let mut zip = zip::ZipWriter::new(File::create(&path).expect("a new file"));
            let name = "Users_export_file_48117_10_Organization_48117_20260201090000.json";
            zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("a new member");
            zip.finish().expect("a complete file");
            path
        },
        &options(),
    );
    says(&message, &["Teams"]);
}

#[test]
fn wrong_types_and_dates_that_are_none_are_all_told_at_once() {
    let message = refused_goals(
        r#"[{"ID": 7, "Title": "Plant hedges", "Start Date": "2026-02-30"}, {"ID": 8, "Title": 12},
            {"Title": "No id"}]"#,
    );
    says(&message, &["3 problems", "ID 7", "Start Date", "2026-02-30", "ID 8", "Title", "element 3"]);
}

#[test]
fn ids_that_stand_twice_and_circles_of_parents_are_refused() {
    says(
        &refused_goals(r#"[{"ID": 7, "Title": "One"}, {"ID": 7, "Title": "Two"}]"#),
        &["ID 7", "earlier element"],
    );
    let circle =
        r#"[{"ID": 7, "Title": "One", "Parent IDs": [8]}, {"ID": 8, "Title": "Two", "Parent IDs": [7]}]"#;
    says(&refused_goals(circle), &["circle", "7", "8"]);
}

#[test]
fn an_id_that_goalpost_may_give_itself_is_refused() {
    says(&refused_goals(r#"[{"ID": 1099511627776, "Title": "One"}]"#), &["1099511627776"]);
}

#[test]
fn a_file_of_another_organization_is_not_mixed_in() {
    let server = Server::new();
    let first = server.import(&Company::small());
    let other = server.data().join("other.zip");
    let sample = goalpost_viva::sample::Options { goals: 1, organization_number: 7, ..Default::default() };
    goalpost_viva::sample::write(File::create(&other).expect("a new file"), &sample, &mut |_| {})
        .expect("a writable file");
    let wrong = ImportOptions { organization_id: Some(first.organization.id), ..options() };
    let error = server.import_with(&other, &wrong).expect_err("the file is of another organization");
    assert!(matches!(error, ImportError::OtherOrganization { expected: 48_117, found: 7, .. }), "{error}");
}

#[test]
fn a_new_organization_needs_a_name() {
    let server = Server::new();
    let file = Company::small().zip(server.data());
    let error = server.import_with(&file, &ImportOptions::default()).expect_err("there is no name");
    assert!(matches!(error, ImportError::NoName { number: 48_117 }), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("--organization")));
    assert_eq!(server.count("select count(*) from organization"), 0);
}

#[test]
fn a_second_import_at_once_is_refused() {
    let server = Server::new();
    let file = Company::small().zip(server.data());
    let first = File::create(server.data().join("import.lock")).expect("a new lock");
    first.try_lock().expect("nobody else imports");
    let error = server.import_with(&file, &options()).expect_err("another import runs");
    assert!(matches!(error, ImportError::AlreadyRunning), "{error}");
    drop(first);
    server.import_file(&file);
}

#[test]
fn an_import_waits_for_no_reader_and_no_reader_for_it() {
    let server = Server::new();
    server.import(&Company::small());
    let mut company = Company::small();
    company.goals.push(goal(102, "Project", "Buy ladders"));
    let file = company.zip(server.data());
    let sql = "select count(*) from goal where organization = ?1";
    let organization = goalpost::ids::OrganizationNumber(super::NUMBER);
    let counts = server.db.snapshot(organization, |tx| {
        let count = || tx.query_one(sql, goalpost_db::params![organization], |row| row.int(0));
        let before = count()?;
        server.import_with(&file, &options()).expect("a reader is no hindrance");
        Ok::<_, goalpost_db::Error>((before, count()?))
    });
    assert_eq!(counts.expect("a readable database"), (2, 2), "the reader's state stands still");
    assert_eq!(server.count(sql), 3);
}

#[test]
fn a_dry_run_tells_everything_and_writes_nothing() {
    let dry = ImportOptions { dry_run: true, ..options() };
    let server = Server::new();
    let before = server.bytes();
    let report = server.import_company_with(&Company::small(), &dry);
    assert!(report.organization.created && report.dry_run);
    assert_eq!(report.tally(Entity::Objectives).added, 2);
    assert_eq!(report.report_file, None);
    assert!(server.bytes() == before, "a dry run wrote");

    server.import(&Company::small());
    let before = server.bytes();
    let mut company = Company::small();
    company.goal(101).title = "Prune 400 trees".to_owned();
    company.goals.remove(0);
    company.goals.push(goal(102, "Project", "Buy ladders"));
    let report = server.import_company_with(&company, &ImportOptions { prune: true, ..dry });
    let tally = report.tally(Entity::Objectives);
    assert_eq!((tally.added, tally.changed, tally.missing, tally.removed), (1, 1, 1, 1));
    assert!(server.bytes() == before, "a dry run wrote");
    let reports = std::fs::read_dir(server.data().join("reports")).expect("the real import's report").count();
    assert_eq!(reports, 1, "a dry run left a report");
}

#[test]
fn the_report_is_kept_with_the_data() {
    let server = Server::new();
    let report = server.import(&Company::small());
    let path = report.report_file.as_ref().expect("a report was written");
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path).expect("the report")).expect("the report is JSON");
    assert_eq!(written["organization"]["name"], "Contoso Orchards");
    assert_eq!(written["entities"][4]["added"], 2);
    let kept = server.text("select report from import_run where organization = ?1");
    assert!(kept.contains(&report.file.sha256));
}
