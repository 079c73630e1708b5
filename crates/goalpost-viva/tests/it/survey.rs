//! The first pass finds whatever stands in the way of an import, and gathers what the importer needs.

use goalpost_viva::{Access, Child, Entity, Error, Objective, Problems, Survey, survey};

use crate::export::{export_of, open};

/// Surveys a file that has these members.
fn survey_of(members: &[(Entity, &str)]) -> Result<Survey, Problems> {
    survey(&mut open(&export_of(members)).expect("the file opens"), &mut |_| {})
}

/// The problems of a file, as they are told.
fn problems_of(members: &[(Entity, &str)]) -> Vec<String> {
    let problems = survey_of(members).expect_err("the file has a problem");
    problems.listed.iter().map(ToString::to_string).collect()
}

fn goals_of(json: &str) -> Vec<Objective> {
    let mut goals = Vec::new();
    open(&export_of(&[(Entity::Objectives, json)]))
        .expect("the file opens")
        .each(|goal| {
            goals.push(goal);
            Ok::<(), Error>(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    goals
}

#[test]
fn an_empty_organization_has_no_problems() {
    let survey = survey_of(&[]).expect("nothing is wrong");
    assert!(Entity::ALL.into_iter().all(|entity| survey.count(entity) == 0));
    assert_eq!((survey.unresolved.persons, survey.unresolved.check_ins.count), (Vec::new(), 0));
}

#[test]
fn values_that_cannot_be_read_are_told_with_their_place() {
    for (entity, json, expected) in [
        (
            Entity::TimePeriods,
            r#"[{"ID": 5, "Time Period Name": "Q1", "Start Date": "01.02.2025", "End Date": "2025-03-31"}]"#,
            r#"TimePeriods element 1 (ID 5), `Start Date`: found "01.02.2025", expected a date such as "2025-01-31""#,
        ),
        (
            Entity::TimePeriods,
            r#"[{"ID": 5, "Time Period Name": "Q1", "Start Date": "2025-01-01", "End Date": "2025-02-30"}]"#,
            r#"TimePeriods element 1 (ID 5), `End Date`: found "2025-02-30", expected a date such as "2025-01-31""#,
        ),
        (
            Entity::Users,
            r#"[{"ID": "5"}]"#,
            r#"Users element 1, `ID`: found "5", expected a whole number, not negative"#,
        ),
        (Entity::Users, r#"[{"ID": 1}, {"Name": "Ann"}]"#, "Users element 2, `ID`: the value is missing"),
        (
            Entity::Users,
            r#"[{"ID": 1, "Last Active": "yesterday"}]"#,
            r#"Users element 1 (ID 1), `Last Active`: found "yesterday", expected a time such as "2025-01-31 09:30:00" or a date"#,
        ),
        (
            Entity::Teams,
            r#"[{"ID": 1, "Team Name": 7}]"#,
            "Teams element 1 (ID 1), `Team Name`: found 7, expected a text",
        ),
        (
            Entity::Teams,
            r#"[{"ID": 1, "Team Name": "A", "Team Owners": [{"ID": 2}, {"ID": true}]}]"#,
            "Teams element 1 (ID 1), `Team Owners[1].ID`: found true, expected a whole number, not negative",
        ),
        (
            Entity::Objectives,
            r#"[{"ID": 1, "Title": "A", "Progress": "half"}]"#,
            r#"objectives element 1 (ID 1), `Progress`: found "half", expected a number such as 1234.5 or "1,234.5""#,
        ),
        (
            Entity::Objectives,
            r#"[{"ID": 1, "Title": "A", "Parent IDs": [1, "x"]}]"#,
            r#"objectives element 1 (ID 1), `Parent IDs`: found "x", expected a whole number, not negative"#,
        ),
        (
            Entity::Objectives,
            r#"[{"ID": 1, "Title": "A", "Alignment": [{"ID": 2, "Weight": "heavy"}]}]"#,
            r#"objectives element 1 (ID 1), `Alignment[0].Weight`: found "heavy", expected a weight such as "25.0%""#,
        ),
        (
            Entity::Objectives,
            r#"[{"ID": 1, "Title": "A", "Children": [{"ID": 2, "Task Name": "B", "Task Date": "soon"}]}]"#,
            r#"objectives element 1 (ID 1), `Children[0].Task Date`: found "soon", expected a date such as "2025-01-31""#,
        ),
        (
            Entity::Objectives,
            r#"[{"ID": 1, "Title": "A", "Owner": "Ann"}]"#,
            r#"objectives element 1 (ID 1), `Owner`: found "Ann", expected a list"#,
        ),
        (
            Entity::CheckIns,
            r#"[{"ID": 1, "OKR ID": 2, "Current Value": [3]}]"#,
            r#"checkins element 1 (ID 1), `Current Value`: found [3], expected a number such as 1234.5 or "1,234.5""#,
        ),
        (
            Entity::Comments,
            r#"[{"ID": 1, "OKR ID": 2, "Comment": "a", "Comment": "b"}]"#,
            "comments element 1 (ID 1), `Comment`: the key stands twice in one object",
        ),
    ] {
        assert_eq!(problems_of(&[(entity, json)]), [expected], "{json}");
    }
}

#[test]
fn an_id_that_stands_twice_is_a_problem_in_every_member() {
    for (entity, element) in [
        (Entity::Users, r#"{"ID": 7}"#),
        (Entity::Teams, r#"{"ID": 7, "Team Name": "A"}"#),
        (Entity::Tags, r#"{"ID": 7}"#),
        (Entity::Objectives, r#"{"ID": 7, "Title": "A"}"#),
        (Entity::CheckIns, r#"{"ID": 7, "OKR ID": 1}"#),
        (Entity::Comments, r#"{"ID": 7, "OKR ID": 1}"#),
    ] {
        let json = format!("[{element},\n{element}]");
        let expected = format!("{entity} element 2 has the ID 7, which an earlier element has too");
        assert_eq!(problems_of(&[(entity, &json)]), [expected]);
    }
}

#[test]
fn circles_of_parents_are_told_with_their_goals() {
    let json = r#"[
        {"ID": 1, "Title": "A", "Parent IDs": [3]},
        {"ID": 2, "Title": "B", "Parent IDs": [1]},
        {"ID": 3, "Title": "C", "Parent IDs": [2]},
        {"ID": 4, "Title": "D", "Parent IDs": [4]}
    ]"#;
    let told = problems_of(&[(Entity::Objectives, json)]);
    assert_eq!(told.len(), 2);
    assert!(told[0].contains("in a circle: 1, 3, 2;"), "{}", told[0]);
    assert!(told[1].contains("in a circle: 4;"), "{}", told[1]);
}

#[test]
fn fifty_problems_are_listed_and_the_others_counted() {
    let json = format!("[{}]", vec![r#"{"ID": "x"}"#; 120].join(","));
    let problems = survey_of(&[(Entity::Users, &json)]).expect_err("many problems");
    assert_eq!((problems.listed.len(), problems.further), (50, 70));
    assert!(problems.to_string().starts_with("120 problems, the first: Users element 1"), "{problems}");
}

#[test]
fn problems_of_all_members_are_told_at_once() {
    let told = problems_of(&[
        (Entity::Users, r#"[{"ID": 1}"#),
        (Entity::Teams, "{}"),
        (Entity::Comments, r#"[{"ID": 1}]"#),
    ]);
    assert_eq!(
        told,
        [
            "Users: expected a comma or the end of the array at byte 10",
            "Teams: expected a JSON array in UTF-8 at byte 0",
            "comments element 1 (ID 1), `OKR ID`: the value is missing",
        ]
    );
}

#[test]
fn references_that_lead_nowhere_are_gathered_once_each() {
    let users = r#"[{"ID": 1, "Email": "Ann@contoso.example", "Manager": {"ID": 90, "Name": "Gone"}, "Teams": [{"ID": 40, "Name": "Lost"}]},
        {"ID": 2, "Manager": {"ID": 1}, "Teams": [{"ID": 11}]}]"#;
    let teams = r#"[{"ID": 10, "Team Name": "Top", "Parent Team": ""}, {"ID": 11, "Team Name": "Sub", "Parent Team": "Top"},
        {"ID": 12, "Team Name": "Stray", "Parent Team": "Dissolved", "Team Owners": [{"Name": "Nobody"}]}]"#;
    let goals = r#"[{"ID": 100, "Title": "A", "Type": "Kpi", "Parent IDs": [101, 999],
            "Alignment": [{"ID": 101, "Title": "B"}, {"ID": 999, "Title": "Elsewhere"}],
            "Owner": [{"ID": 77, "Email": "ANN@contoso.example"}, {"Email": "stranger@contoso.example"}],
            "Time Period": {"ID": 60, "Name": "Q9"}, "Tags": [{"ID": 50, "Tag Name": "Old"}],
            "Children": [{"ID": 1, "Task Name": "T", "Task Owner": {"ID": 91}}]},
        {"ID": 101, "Title": "B", "Type": "Kpi", "Parent IDs": [998], "Created By": {"ID": 90}, "Teams": [{"ID": 40}]},
        {"ID": 102, "Title": "C"}]"#;
    let check_ins = r#"[{"ID": 1, "OKR ID": 100}, {"ID": 2, "OKR ID": 555}, {"ID": 3, "OKR ID": 555}]"#;
    let comments = r#"[{"ID": 1, "OKR ID": 556, "Created By": {"ID": 2}}]"#;
    let survey = survey_of(&[
        (Entity::Users, users),
        (Entity::Teams, teams),
        (Entity::Objectives, goals),
        (Entity::CheckIns, check_ins),
        (Entity::Comments, comments),
    ])
    .expect("loose ends are no problems");

    let found = survey.unresolved;
    let persons: Vec<_> = found.persons.iter().map(|person| (person.id, person.name.as_deref())).collect();
    assert_eq!(persons, [(Some(90), Some("Gone")), (None, Some("Nobody")), (None, None), (Some(91), None)]);
    assert_eq!(found.persons[2].email.as_deref(), Some("stranger@contoso.example"));
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(found.teams, [(40, named("Lost"))].into());
    assert_eq!(found.periods, [(60, named("Q9"))].into());
    assert_eq!(found.tags, [(50, named("Old"))].into());
    assert_eq!(found.parents, [(998, None), (999, named("Elsewhere"))].into());
    assert_eq!(found.parent_teams, ["Dissolved".to_owned()].into());
    assert_eq!((found.check_ins.count, found.check_ins.goal_ids().iter().collect()), (2, vec![555]));
    assert_eq!((found.comments.count, found.comments.goal_ids().iter().collect()), (1, vec![556]));
    assert_eq!(survey.type_labels, [("Kpi".to_owned(), 2), (String::new(), 1)].into());
}

#[test]
fn what_is_not_understood_is_set_aside_with_its_place() {
    let goals = goals_of(
        r#"[{"ID": 1, "Title": "A", "Mood": {"a": [1, "x y"]}, "Owner": [{"ID": 2, "Badge": "gold"}],
            "Children": [{"ID": 3, "Poll": true}, 17], "Phased Targets": "Later",
            "Delegated To": [{"ID": 4}, {"ID": 5}], "Outcome": {"Outcome Type": "Metric", "Colour": null}}]"#,
    );
    let aside: Vec<_> =
        goals[0].aside.iter().map(|aside| (aside.path.as_str(), aside.json.as_str())).collect();
    assert_eq!(
        aside,
        [
            ("Owner[0].Badge", r#""gold""#),
            ("Delegated To", r#"[{"ID":4},{"ID":5}]"#),
            ("Outcome.Colour", "null"),
            ("Phased Targets", r#""Later""#),
            ("Children[0].ID", "3"),
            ("Children[0].Poll", "true"),
            ("Children[1]", "17"),
            ("Mood", r#"{"a":[1,"x y"]}"#),
        ]
    );
}

#[test]
fn null_absent_and_empty_are_the_same() {
    let goals = goals_of(
        r#"[{"ID": 1, "Title": "A"},
            {"ID": 1, "Title": "A", "Owner": null, "Teams": null, "Alignment": null, "Children": null, "Delegated To": null,
             "Permissions": null, "Phased Targets": "Disabled", "Progress": null, "Start Date": null, "Outcome": null},
            {"ID": 1, "Title": "A", "Owner": [], "Teams": [ ], "Alignment": [], "Children": {}, "Delegated To": {},
             "Phased Targets": null, "Start Date": "", "Created By": {"ID": null}, "Outcome": {}}]"#,
    );
    assert_eq!(goals[0], goals[1]);
    assert_eq!(goals[0], goals[2]);
}

#[test]
fn only_everybody_makes_a_goal_public() {
    let access = |view: &str| {
        let json = format!(r#"[{{"ID": 1, "Title": "A", "Permissions": {{"View": {view}}}}}]"#);
        goals_of(&json).remove(0).permissions.view
    };
    let ids = |access| match access {
        Access::Only(people) => people.into_iter().filter_map(|person| person.id).collect(),
        _ => vec![-1],
    };
    assert_eq!(access(r#""Everybody""#), Access::Everybody);
    assert_eq!(ids(access(r#"[{"ID": 2}, {"ID": 3}]"#)), [2, 3]);
    assert_eq!(ids(access(r#"{"Users": [{"ID": 2}], "Owners": [{"ID": 3}]}"#)), [3, 2]);
    assert_eq!(ids(access("{}")), [0_i64; 0]);
    for unclear in [r#""Somebody""#, "true", "[1]", r#"[{"Nick": "x"}]"#, r#"{"Users": 3}"#, "null"] {
        assert_eq!(access(unclear), Access::Unclear, "{unclear}");
    }
    let json = r#"[{"ID": 1, "Title": "A", "Permissions": { "View": [ "x y" ] }}]"#;
    assert_eq!(goals_of(json)[0].permissions.json, r#"{"View":["x y"]}"#);
}

#[test]
fn an_initiative_has_tasks_for_children() {
    let goals = goals_of(
        r#"[{"ID": 1, "Title": "A", "Children": [{"ID": 2, "Title": "B", "Type": "Kpi"},
            {"ID": 3, "Task Name": "C", "Task Date": "2025-05-01", "Task Status": "Complete"}]}]"#,
    );
    assert!(matches!(&goals[0].children[0], Child::Goal { id: 2, .. }));
    let Child::Task(task) = &goals[0].children[1] else { panic!("{:?}", goals[0].children) };
    assert_eq!((task.id, task.name.as_str(), task.date), (3, "C", Some(jiff::civil::date(2025, 5, 1))));
}

#[test]
fn progress_ends_at_the_size_of_all_members() {
    let bytes = export_of(&[(Entity::Users, r#"[{"ID": 1}]"#)]);
    let mut archive = open(&bytes).expect("the file opens");
    let mut last = 0;
    survey(&mut archive, &mut |bytes| {
        assert!(bytes >= last);
        last = bytes;
    })
    .expect("nothing is wrong");
    assert_eq!(last, Entity::ALL.into_iter().map(|entity| archive.size_bytes(entity)).sum::<u64>());
}
