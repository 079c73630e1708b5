//! What a file mentions and does not hold, what the model has no place for, and what words mean.

use goalpost::goals::ObjectType;
use goalpost::imports::{Certainty, ImportOptions, ReferenceKind};
use goalpost_viva::{Alignment, Child, Entity, Named, Permissions, Person, Tag, Task};

use super::{Company, NUMBER, Server, check_in, goal, opt_text, options, person, zip_of_json};

#[test]
fn every_kind_of_reference_that_leads_nowhere_is_kept_and_reported() {
    let server = Server::new();
    let mut company = Company::small();
    let erased = Person { id: None, name: Some("Erased Person".to_owned()), email: None };
    let goal = company.goal(101);
    goal.owners = vec![person(99), erased.clone()];
    goal.created_by = Some(erased);
    goal.check_in_owners = vec![person(99)];
    goal.teams = vec![Named { id: 98, name: Some("Grafting".to_owned()) }];
    goal.period = Some(Named { id: 97, name: Some("Q4 2019".to_owned()) });
    goal.tags = vec![Tag { id: 96, name: Some("Summer".to_owned()), aside: Vec::new() }];
    goal.parent_ids = vec![95, 100];
    goal.alignment = vec![
        Alignment { id: 95, title: Some("Lost parent".to_owned()), weight: Some(25.0) },
        Alignment { id: 100, title: None, weight: None },
    ];
    goal.children = vec![Child::Task(Task {
        id: 5,
        name: "Sharpen saws".to_owned(),
        date: None,
        owner: Some(person(94)),
        status: Some("Complete".to_owned()),
    })];
    company.teams[0].parent_team = Some("Orchard".to_owned());
    company.check_ins.push(check_in(1009, 93));
    let report = server.import(&company);

    let found: Vec<_> = report
        .references
        .first
        .iter()
        .map(|reference| (reference.kind, reference.id, reference.name.as_str(), reference.times))
        .collect();
    let minted = server.count("select id from person where organization = ?1 and name = 'Erased Person'");
    for expected in [
        (ReferenceKind::Person, Some(99), "Person 99", 2),
        (ReferenceKind::Person, Some(94), "Person 94", 1),
        (ReferenceKind::Person, Some(minted), "Erased Person", 2),
        (ReferenceKind::Team, Some(98), "Grafting", 1),
        (ReferenceKind::Period, Some(97), "Q4 2019", 1),
        (ReferenceKind::Tag, Some(96), "Summer", 1),
        (ReferenceKind::Parent, Some(95), "Lost parent", 1),
        (ReferenceKind::ParentTeam, None, "Orchard", 1),
        (ReferenceKind::Goal, Some(93), "", 1),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not among {found:?}");
    }
    assert_eq!(report.references.total, 9);

    let made = server.row(
        "select name, email, status, role, origin from person where organization = ?1 and id = 99",
        |row| (0..5).map(|column| opt_text(row, column)).collect::<Result<Vec<_>, _>>(),
    );
    let expected = ["Person 99", "user99@contoso.example", "inactive", "Member", "reference"];
    assert_eq!(made, Some(expected.map(|text| Some(text.to_owned())).to_vec()));
    assert_eq!(server.text("select status from team where organization = ?1 and id = 98"), "Archived");
    assert_eq!(server.text("select origin from period where organization = ?1 and id = 97"), "reference");
    assert_eq!(server.text("select name from tag where organization = ?1 and id = 96"), "Summer");
    assert_eq!(server.text("select parent_name from team where organization = ?1 and id = 20"), "Orchard");
    assert_eq!(server.text("select title from goal where organization = ?1 and id = 95"), "Lost parent");
    assert_eq!(server.text("select origin from goal where organization = ?1 and id = 95"), "reference");
    let parents = server.rows(
        "select parent, weight from goal_parent where organization = ?1 and goal = 101 order by position",
        |row| Ok((row.int(0)?, row.opt_real(1)?)),
    );
    assert_eq!(parents, [(95, Some(25.0)), (100, None)]);
    assert_eq!(server.count("select count(*) from checkin where organization = ?1 and id = 1009"), 0);
    let aside = server.text("select value from import_aside where organization = ?1 and id = 1009");
    assert!(aside.contains("\"OKR ID\":93"), "{aside}");

    let before = server.bytes();
    let again = server.import(&company);
    assert_eq!(again.references, report.references);
    assert!(server.bytes() == before, "references were made twice");
}

#[test]
fn a_reference_that_a_later_file_holds_becomes_what_the_file_says() {
    let server = Server::new();
    let mut company = Company::small();
    company.goal(100).owners = vec![person(99)];
    company.goal(101).parent_ids = vec![95];
    company.check_ins.push(check_in(1009, 95));
    let first = server.import(&company);
    assert_eq!(first.tally(Entity::CheckIns).aside, 1);

    let mut user = company.users[0].clone();
    (user.id, user.name) = (99, Some("Mara Late".to_owned()));
    company.users.push(user);
    company.goals.push(goal(95, "Objective", "Found parent"));
    let second = server.import(&company);
    assert_eq!(second.references.total, 0);
    assert_eq!(second.tally(Entity::Users).added, 1);
    assert_eq!(second.tally(Entity::Objectives).added, 1);
    assert_eq!(server.text("select origin from person where organization = ?1 and id = 99"), "file");
    assert_eq!(server.text("select title from goal where organization = ?1 and id = 95"), "Found parent");
    assert_eq!(server.count("select checkin_count from goal where organization = ?1 and id = 95"), 1);
    assert_eq!(server.count("select count(*) from import_aside where organization = ?1"), 0);
}

#[test]
fn a_person_mentioned_by_another_id_is_found_by_e_mail() {
    let server = Server::new();
    let mut company = Company::small();
    let email = Some("USER11@contoso.example".to_owned());
    company.goal(100).owners = vec![Person { id: None, name: None, email: email.clone() }];
    company.goal(101).owners = vec![Person { id: Some(77), name: None, email }];
    let report = server.import(&company);
    assert_eq!(report.references.total, 0);
    assert_eq!(server.count("select count(*) from goal_owner where organization = ?1 and person = 11"), 2);
}

#[test]
fn labels_are_kept_and_mapped_and_what_the_operator_says_wins() {
    let server = Server::new();
    let mut company = Company::small();
    company.goals.push(goal(102, "Project", "Buy ladders"));
    company.goals.push(goal(103, "Moonshot", "Blue apples"));
    company.goals.push(goal(104, "Outcome", "Sweeter apples"));
    let report = server.import(&company);
    let types = || {
        server.rows("select type_label, object_type from goal where organization = ?1 order by id", |row| {
            Ok(format!("{}={}", row.text(0)?, row.text(1)?))
        })
    };
    let guessed = [
        "Big rock=objective",
        "Kpi=keyResult",
        "Project=initiative",
        "Moonshot=objective",
        "Outcome=keyResult",
    ];
    assert_eq!(types(), guessed);
    let certainty = |label: &str| {
        report.labels.iter().find(|listed| listed.label == label).map(|listed| listed.certainty)
    };
    assert_eq!(certainty("Big rock"), Some(Certainty::Known));
    assert_eq!(certainty("Moonshot"), Some(Certainty::Guessed));
    assert_eq!(certainty("Outcome"), Some(Certainty::Guessed));
    assert!(report.to_string().contains("--label"), "{report}");

    let said =
        vec![("moonshot".to_owned(), ObjectType::Initiative), ("Epic".to_owned(), ObjectType::Objective)];
    let report = server.import_company_with(&company, &ImportOptions { labels: said, ..options() });
    assert_eq!(types()[3], "Moonshot=initiative");
    assert_eq!(report.tally(Entity::Objectives).changed, 1);
    assert_eq!(report.unused_labels, ["Epic"]);
}

#[test]
fn a_goal_that_not_everybody_may_see_is_restricted_from_the_first_import_on() {
    let server = Server::new();
    let mut company = Company::small();
    company.goal(100).permissions = Permissions::only(vec![person(11), person(99)]);
    company.goals.push(goal(102, "Project", "Secret ladders"));
    company.goal(102).permissions = Permissions::default();
    let report = server.import(&company);
    assert_eq!(report.restricted_goals, 2);
    assert_eq!(report.unclear_permissions.first, [102]);
    let restricted = server
        .rows("select id from goal where organization = ?1 and restricted order by id", |row| row.int(0));
    assert_eq!(restricted, [100, 102]);
    let viewers = server.rows(
        "select person from goal_viewer where organization = ?1 and goal = 100 order by position",
        |row| row.int(0),
    );
    assert_eq!(viewers, [11, 99]);
    let permissions = "select permissions from goal where organization = ?1 and id = 100";
    assert!(server.text(permissions).contains("user11@contoso.example"));
    let of_101 = server
        .row("select permissions from goal where organization = ?1 and id = 101", |row| opt_text(row, 0));
    assert_eq!(of_101, Some(None), "what everybody may see needs no record");
}

#[test]
fn no_cell_is_dropped_silently() {
    let server = Server::new();
    let objectives = r#"[{"ID": 7, "Title": "Plant hedges", "Type": "Objective", "Colour": "green",
        "Children": [{"ID": 8, "Title": "Lost child", "Type": "Kpi"}, {"Shape": [1, 2]}],
        "Alignment": [{"ID": 9, "Title": "No parent", "Weight": "5.0%"}], "Parent IDs": null,
        "Outcome": {"Outcome Type": "Metric", "Target": 5, "Target Type": "Hover Around"},
        "Last Check-in": "2026-01-02 03:04:05"}]"#;
    let users = r#"[{"ID": 1, "Name": "Ida Moss", "Email": "ida@contoso.example", "Shoe Size": 39}]"#;
    let file = zip_of_json(server.data(), &[("objectives", objectives), ("Users", users)]);
    let report = server.import_file(&file);
    let asides = server.rows(
        "select entity, id, path, value from import_aside where organization = ?1 order by entity, id, path",
        |row| Ok(format!("{} {} {} {}", row.text(0)?, row.int(1)?, row.text(2)?, row.text(3)?)),
    );
    assert_eq!(
        asides,
        [
            r"Users 1 Shoe Size 39",
            r#"objectives 7 Alignment[0] {"ID":9,"Title":"No parent","Weight":5.0}"#,
            r#"objectives 7 Children[0] {"ID":8,"Title":"Lost child","Type":"Kpi"}"#,
            r"objectives 7 Children[1].Shape [1,2]",
            r#"objectives 7 Colour "green""#,
            r#"objectives 7 Last Check-in "2026-01-02T03:04:05""#,
            r#"objectives 7 Outcome.Target Type "Hover Around""#,
        ]
    );
    assert_eq!(report.asides.total, 7);
    let before = server.bytes();
    server.import_file(&file);
    assert!(server.bytes() == before, "asides were written twice");
}

#[test]
fn the_organization_is_found_by_the_number_of_its_file_and_keeps_it() {
    let server = Server::new();
    let first = server.import(&Company::small());
    assert!(first.organization.created);
    assert_eq!(server.organization().number.0, NUMBER);
    assert_eq!(server.count("select count(*) from view where organization = ?1 and preset is not null"), 7);

    let unnamed = ImportOptions::default();
    let second = server.import_company_with(&Company::small(), &unnamed);
    assert_eq!(second.organization.id, first.organization.id);
    assert!(!second.organization.created);
}
