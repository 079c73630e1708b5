//! What is written is read again, value for value.

use std::io::Cursor;

use goalpost_viva::{
    Alignment, Archive, CheckIn, Child, Comment, Configuration, Element, Entity, Error, Heading, Limits,
    Named, Note, Objective, Outcome, Period, Permissions, Person, PhasedTarget, PhasedTargets, Tag, Task,
    Team, User, Writer,
};
use jiff::civil::{Date, DateTime};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const HEADING: Heading = Heading {
    organization_number: 48_117,
    user_number: 515_000,
    exported_at: jiff::civil::datetime(2025, 11, 3, 4, 5, 6, 0),
};

fn id() -> impl Strategy<Value = i64> {
    prop_oneof![4_000_000..4_100_000_i64, Just(0), Just(i64::MAX)]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{0,12}", any::<String>(), Just("Paused, \"weight: 5%\"\r\n🎯\\u0000".to_owned())]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("JSON has finite numbers only", |number| number.is_finite()),
        Just(25.0)
    ]
}

fn day() -> impl Strategy<Value = Date> {
    (0..=9999_i16, 1..=12_i8, 1..=28_i8).prop_map(|(year, month, day)| jiff::civil::date(year, month, day))
}

fn moment() -> impl Strategy<Value = DateTime> {
    let clock = prop_oneof![Just((0, 0, 0)), (0..24_i8, 0..60_i8, 0..60_i8)];
    (day(), clock).prop_map(|(day, (hour, minute, second))| day.at(hour, minute, second, 0))
}

fn person() -> impl Strategy<Value = Person> {
    (id(), option::of(text()), option::of(text())).prop_map(|(id, name, email)| Person {
        id: Some(id),
        name,
        email,
    })
}

fn named() -> impl Strategy<Value = Named> {
    (id(), option::of(text())).prop_map(|(id, name)| Named { id, name })
}

prop_compose! {
    fn user()(
        (id, name, email, manager) in (id(), option::of(text()), option::of(text()), option::of(person())),
        teams in vec(named(), 0..3),
        last_active in option::of(moment()),
        (role, source, member_type, status) in (option::of(text()), option::of(text()), option::of(text()), option::of(text())),
    ) -> User {
        User { id, name, email, manager, teams, last_active, role, source, member_type, status, aside: Vec::new() }
    }
}

prop_compose! {
    fn team()(
        (id, name, owners) in (id(), text(), vec(person(), 0..3)),
        parent_team in option::of("[A-Z]{1,5}"),
        (team_type, status, description) in (option::of(text()), option::of(text()), option::of(text())),
    ) -> Team {
        Team { id, name, parent_team, owners, team_type, status, description, aside: Vec::new() }
    }
}

prop_compose! {
    fn period()(id in id(), name in text(), start_date in day(), end_date in day()) -> Period {
        Period { id, name, start_date, end_date, aside: Vec::new() }
    }
}

prop_compose! {
    fn tag()(id in id(), name in option::of(text())) -> Tag {
        Tag { id, name, aside: Vec::new() }
    }
}

prop_compose! {
    fn outcome()(
        outcome_type in option::of(text()),
        (metric_name, metric_unit) in (option::of(text()), option::of(text())),
        (start, target, target_type) in (option::of(number()), option::of(number()), option::of(text())),
    ) -> Outcome {
        Outcome { outcome_type, metric_name, metric_unit, start, target, target_type }
    }
}

fn child() -> impl Strategy<Value = Child> {
    prop_oneof![
        (id(), text(), option::of(text())).prop_map(|(id, title, type_label)| Child::Goal {
            id,
            title: Some(title),
            type_label
        }),
        (id(), text(), option::of(text()), option::of(day()), option::of(person()))
            .prop_map(|(id, name, status, date, owner)| Child::Task(Task { id, name, status, date, owner })),
    ]
}

fn phased_targets() -> impl Strategy<Value = PhasedTargets> {
    let target =
        (option::of(number()), option::of(day())).prop_map(|(value, date)| PhasedTarget { value, date });
    (option::of(text()), vec(target, 0..3))
        .prop_map(|(interval, targets)| PhasedTargets { interval, targets })
}

prop_compose! {
    fn objective()(
        (id, title, type_label, description) in (id(), text(), option::of(text()), option::of(text())),
        (created_by, owners, delegated_to, check_in_owners) in
            (option::of(person()), vec(person(), 0..3), option::of(person()), vec(person(), 0..2)),
        (teams, period, tags) in (vec(named(), 0..3), option::of(named()), vec(tag(), 0..3)),
        (start_date, end_date, created_at, last_check_in) in
            (option::of(day()), option::of(day()), option::of(moment()), option::of(moment())),
        alignment in vec(
            (id(), option::of(text()), option::of(number()))
                .prop_map(|(id, title, weight)| Alignment { id, title, weight }),
            0..3,
        ),
        permissions in prop_oneof![
            Just(Permissions::everybody()),
            Just(Permissions::default()),
            vec(person(), 0..3).prop_map(Permissions::only),
        ],
        configuration in (option::of(text()), option::of(text()), option::of(text()))
            .prop_map(|(progress, status, data_source)| Configuration { progress, status, data_source }),
        (progress, score, status, goal_type) in
            (option::of(number()), option::of(number()), option::of(text()), option::of(text())),
        (outcome, phased_targets) in (option::of(outcome()), option::of(phased_targets())),
        (parent_ids, children) in (vec(self::id(), 0..3), vec(child(), 0..4)),
    ) -> Objective {
        Objective {
            id, title, type_label, created_by, owners, teams, period, start_date, end_date, alignment, delegated_to,
            permissions, description, tags, configuration, progress, status, outcome, phased_targets, check_in_owners,
            parent_ids, children, score, goal_type, created_at, last_check_in, aside: Vec::new(),
        }
    }
}

prop_compose! {
    fn check_in()(
        (id, goal_id, date, owner) in (id(), id(), option::of(moment()), option::of(person())),
        note in option::of((option::of(text()), option::of(text())).prop_map(|(text, html)| Note { text, html })),
        (metric_name, status, current_value) in (option::of(text()), option::of(text()), option::of(number())),
        recorded_at in option::of(moment()),
    ) -> CheckIn {
        CheckIn { id, goal_id, date, owner, note, metric_name, status, current_value, recorded_at, aside: Vec::new() }
    }
}

prop_compose! {
    fn comment()(
        (id, goal_id, text) in (id(), id(), option::of(text())),
        (created_by, created_at) in (option::of(person()), option::of(moment())),
    ) -> Comment {
        Comment { id, goal_id, text, created_by, created_at, aside: Vec::new() }
    }
}

fn all<T: Element>(archive: &mut Archive<Cursor<Vec<u8>>>) -> Vec<T> {
    let mut found = Vec::new();
    archive
        .each(|element| {
            found.push(element);
            Ok::<(), Error>(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_value_survives_writing_and_reading(
        (users, teams, periods, tags) in (vec(user(), 0..3), vec(team(), 0..3), vec(period(), 0..3), vec(tag(), 0..3)),
        (goals, check_ins, comments) in (vec(objective(), 0..4), vec(check_in(), 0..4), vec(comment(), 0..4)),
    ) {
        let mut writer = Writer::new(Cursor::new(Vec::new()), HEADING).expect("memory takes all");
        for user in &users { writer.write(user).expect("memory takes all"); }
        for team in &teams { writer.write(team).expect("memory takes all"); }
        for period in &periods { writer.write(period).expect("memory takes all"); }
        for tag in &tags { writer.write(tag).expect("memory takes all"); }
        for goal in &goals { writer.write(goal).expect("memory takes all"); }
        for check_in in &check_ins { writer.write(check_in).expect("memory takes all"); }
        for comment in &comments { writer.write(comment).expect("memory takes all"); }
        let bytes = writer.finish().expect("memory takes all").into_inner();

        let mut archive = Archive::open(Cursor::new(bytes), Limits::UPLOAD).expect("a written file opens");
        prop_assert_eq!(archive.organization_number(), HEADING.organization_number);
        prop_assert_eq!(archive.user_number(), HEADING.user_number);
        prop_assert_eq!(archive.exported_at(), HEADING.exported_at);
        // Twice: an importer reads a file once to check it and once to take it over.
        for _ in 0..2 {
            prop_assert_eq!(&all::<User>(&mut archive), &users);
            prop_assert_eq!(&all::<Team>(&mut archive), &teams);
            prop_assert_eq!(&all::<Period>(&mut archive), &periods);
            prop_assert_eq!(&all::<Tag>(&mut archive), &tags);
            prop_assert_eq!(&all::<Objective>(&mut archive), &goals);
            prop_assert_eq!(&all::<CheckIn>(&mut archive), &check_ins);
            prop_assert_eq!(&all::<Comment>(&mut archive), &comments);
        }
    }
}

#[test]
fn elements_are_printed_as_viva_goals_printed_them() {
    let mut writer = Writer::new(Cursor::new(Vec::new()), HEADING).expect("memory takes all");
    let ada = Person {
        id: Some(3),
        name: Some("Ada Quill".to_owned()),
        email: Some("ada@contoso.example".to_owned()),
    };
    writer
        .write(&Objective {
            id: 4_080_001,
            title: "Grow".to_owned(),
            type_label: Some("Big rock".to_owned()),
            owners: vec![ada],
            permissions: Permissions::everybody(),
            parent_ids: vec![7],
            alignment: vec![Alignment { id: 7, title: None, weight: Some(25.0) }],
            progress: Some(12.0),
            ..Objective::default()
        })
        .expect("memory takes all");
    let bytes = writer.finish().expect("memory takes all").into_inner();
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a ZIP");
    let names: Vec<String> = zip.file_names().map(|name| name.expect("UTF-8").into_owned()).collect();
    assert_eq!(names, Entity::ALL.map(crate::export::name));
    let mut member = zip.by_name(&crate::export::name(Entity::Objectives)).expect("a member");
    let mut json = String::new();
    std::io::Read::read_to_string(&mut member, &mut json).expect("UTF-8");
    let expected = r#"[
  {
    "ID": 4080001,
    "Title": "Grow",
    "Type": "Big rock",
    "Created By": null,
    "Owner": [
      {
        "ID": 3,
        "Name": "Ada Quill",
        "Email": "ada@contoso.example"
      }
    ],
    "Teams": null,
    "Time Period": null,
    "Start Date": null,
    "End Date": null,
    "Alignment": [
      {
        "ID": 7,
        "Title": null,
        "Weight": "25.0%"
      }
    ],
    "Delegated To": null,
    "Permissions": {"View":"Everybody","Edit":{},"Align":"Everybody"},
    "Description": null,
    "Tags": null,
    "Progress and Status Configuration": {
      "Progress": null,
      "Status": null
    },
    "Progress": 12.0,
    "Status": null,
    "Outcome": null,
    "Phased Targets": "Disabled",
    "Check-in Owners": [],
    "Parent IDs": [
      7
    ],
    "Children": [],
    "Score": null,
    "Goal Type": null,
    "Created At": null,
    "Last Check-in": null
  }
]
"#;
    assert_eq!(json, expected);
}

#[test]
fn members_are_written_in_one_order() {
    let mut writer = Writer::new(Cursor::new(Vec::new()), HEADING).expect("memory takes all");
    writer.write(&Tag::default()).expect("memory takes all");
    let error = writer.write(&User::default()).expect_err("users come before tags");
    assert_eq!(
        error.to_string(),
        "Users cannot be written after Tags: the members of the file have one order"
    );
}
