//! Organizations, people, teams, time periods and tags, as administrators make and change them.

use goalpost::goals::record::Column;
use goalpost::goals::write::terms;
use goalpost::ids::{Ids, PersonNumber};
use goalpost::orgs::members::{self, MemberRole, MemberStatus, MemberType, PersonPatch};
use goalpost::orgs::people::Person;
use goalpost::orgs::periods::{self, PeriodPatch};
use goalpost::orgs::settings::{self, Settings};
use goalpost::orgs::teams::{self, TeamPatch};
use goalpost::orgs::terms::Terms;
use goalpost::orgs::{GoalPolicy, OrgError, queries, tags};
use goalpost_db::Scope;
use jiff::civil::date;

use crate::goals::{
    BO, ILSE, ORGANIZATION, PERIOD, deed, key_result, made, objective, refused, server, text,
};
use crate::imports::Server;

fn add(server: &Server, name: &str, email: &str) -> Result<Person, OrgError> {
    let patch =
        PersonPatch { name: Some(name.to_owned()), email: Some(email.to_owned()), ..PersonPatch::default() };
    deed(server, |tx| members::add(tx, ORGANIZATION, Some(ILSE), Ids.guid(), &patch))
}

fn change(server: &Server, person: PersonNumber, patch: &PersonPatch) -> Result<Person, OrgError> {
    deed(server, |tx| members::change(tx, ORGANIZATION, Some(ILSE), person, patch))
}

#[test]
fn a_person_comes_changes_and_goes() {
    let server = server();
    let eve = add(&server, "Eve Lund", "Eve@contoso.example").expect("she is new");
    assert_eq!((eve.role.as_str(), eve.status.as_str()), ("Member", "active"));
    refused(&server, "somebody has the e-mail `eve@contoso.example` already", || {
        add(&server, "Other", "eve@contoso.example")
    });
    refused(&server, "`eve` is no e-mail address", || add(&server, "Other", "eve"));
    let patch = PersonPatch {
        role: Some(MemberRole::Owner),
        manager: Some(Some(BO)),
        teams: Some(vec![20]),
        ..PersonPatch::default()
    };
    change(&server, eve.number, &patch).expect("she is there");
    refused(&server, "person 11 would be above itself", || {
        change(&server, BO, &PersonPatch { manager: Some(Some(eve.number)), ..PersonPatch::default() })
    });
    let leave = PersonPatch { status: Some(MemberStatus::Deactivated), ..PersonPatch::default() };
    let words = format!("person {} is the last active owner of the organization", eve.number);
    refused(&server, &words, || change(&server, eve.number, &leave));
    change(&server, ILSE, &PersonPatch { role: Some(MemberRole::Owner), ..PersonPatch::default() })
        .expect("there");
    assert_eq!(change(&server, eve.number, &leave).expect("another is left").status, "deactivated");
    assert_eq!(
        change(
            &server,
            BO,
            &PersonPatch { member_type: Some(MemberType::Observer), ..PersonPatch::default() }
        )
        .expect("there")
        .member_type,
        "observer"
    );
    // Each of it is known as a change of who is there.
    let behind = "select revision - directory_revision from organization where number = ?1";
    assert_eq!(server.count(behind), 0);
    assert_eq!(
        server.count("select count(*) from audit where organization = ?1 and action = 'person.change'"),
        4
    );
}

#[test]
fn a_team_is_made_put_aside_and_taken_away() {
    let server = server();
    let create = |patch: &TeamPatch| deed(&server, |tx| teams::create(tx, ORGANIZATION, Some(ILSE), patch));
    let named = |name: &str| TeamPatch { name: Some(name.to_owned()), ..TeamPatch::default() };
    let new = TeamPatch {
        parent: Some(Some(20)),
        owners: Some(vec![BO]),
        members: Some(vec![ILSE, BO]),
        team_type: Some("Department".to_owned()),
        ..named("Grafting")
    };
    let team = create(&new).expect("it is new");
    assert_eq!((team.parent, team.owners.as_slice(), team.status.as_str()), (Some(20), &[BO][..], "Active"));
    let sql = format!("select count(*) from team_member where organization = ?1 and team = {}", team.number);
    assert_eq!(server.count(&sql), 2);
    refused(&server, "there is a team named `pruning` already", || create(&named("pruning")));
    refused(&server, "team 20 would be above itself", || {
        let patch = TeamPatch { parent: Some(Some(team.number)), ..TeamPatch::default() };
        deed(&server, |tx| teams::change(tx, ORGANIZATION, None, 20, &patch))
    });
    let mut goal = objective("Trees");
    goal.fields.teams = Some(vec![team.number]);
    let goal = made(&server, &goal);
    let delete = || deed(&server, |tx| teams::delete(tx, ORGANIZATION, None, team.number));
    refused(&server, &format!("1 goals have the team {}", team.number), delete);
    let archived = deed(&server, |tx| teams::archive(tx, ORGANIZATION, None, 20)).expect("it is there");
    assert_eq!(archived.status, "Archived");
    assert_eq!(server.count("select count(*) from team_member where organization = ?1 and team = 20"), 0);
    let all = server.db.snapshot(ORGANIZATION, |tx| teams::list(tx, ORGANIZATION)).expect("readable");
    assert_eq!(
        all.iter().map(|team| (team.name.as_str(), team.parent)).collect::<Vec<_>>(),
        [("Grafting", None), ("Pruning", None)]
    );
    assert_eq!(
        deed(&server, |tx| teams::restore(tx, ORGANIZATION, None, 20)).expect("there").status,
        "Active"
    );
    let patch = goalpost::goals::write::fields::Patch { teams: Some(Vec::new()), ..Default::default() };
    crate::goals::changed(&server, goal, &patch);
    delete().expect("no goal has it");
}

#[test]
fn a_time_period_with_goals_stays() {
    let server = server();
    let patch = PeriodPatch {
        name: Some("Q2 2026".to_owned()),
        start: Some(date(2026, 4, 1)),
        end: Some(date(2026, 6, 30)),
    };
    let period =
        deed(&server, |tx| periods::create(tx, ORGANIZATION, None, &patch)).expect("it is new").number;
    refused(&server, "there is a period named `Q2 2026` already", || {
        deed(&server, |tx| periods::create(tx, ORGANIZATION, None, &patch))
    });
    refused(&server, "a time period cannot end on 2026-03-01, before it begins on 2026-04-01", || {
        let patch = PeriodPatch { end: Some(date(2026, 3, 1)), ..PeriodPatch::default() };
        deed(&server, |tx| periods::change(tx, ORGANIZATION, None, period, &patch))
    });
    made(&server, &objective("In the first quarter"));
    let delete = |period| deed(&server, |tx| periods::delete(tx, ORGANIZATION, None, period));
    let goals = server.count("select count(*) from goal where organization = ?1 and period = 30");
    refused(&server, &format!("{goals} goals have the time period {PERIOD}"), || delete(PERIOD));
    delete(period).expect("no goal is in it");
}

#[test]
fn planning_years_bring_their_periods_once() {
    let server = server();
    let roll =
        |today| deed(&server, |tx| periods::roll_over(tx, ORGANIZATION, None, today)).expect("it rolls");
    assert!(roll(date(2026, 11, 1)).is_empty(), "nobody asked for planning years");
    set(&server, &Settings { planning_year_start: Some(Some(1)), ..Settings::default() })
        .expect("it is a month");
    // The file's first quarter is of this year, so what else there is was meant so.
    assert!(roll(date(2026, 9, 30)).is_empty());
    let made = roll(date(2026, 10, 1));
    let names: Vec<_> = made.iter().map(|period| period.name.as_str()).collect();
    assert_eq!(names, ["Q1 2027", "Q2 2027", "Q3 2027", "Q4 2027", "Annual 2027"]);
    assert_eq!((made[1].start, made[1].end), (Some(date(2027, 4, 1)), Some(date(2027, 6, 30))));
    let before = server.count("select revision from organization where number = ?1");
    assert!(roll(date(2026, 12, 31)).is_empty());
    assert_eq!(server.count("select revision from organization where number = ?1"), before);
    // A server that was away makes up for the year that has begun.
    assert_eq!(roll(date(2029, 2, 1)).len(), 5);
    refused(&server, "there is no month 13", || {
        set(&server, &Settings { planning_year_start: Some(Some(13)), ..Settings::default() })
    });
}

fn set(server: &Server, settings: &Settings) -> Result<(), OrgError> {
    deed(server, |tx| {
        let found = queries::list_by_file_number(tx, ORGANIZATION.0)?.pop().expect("it is there");
        settings::change(tx, &found, Some(ILSE), settings)
    })
}

#[test]
fn words_are_for_goals_made_here() {
    let server = server();
    let goal = made(&server, &key_result("Graft"));
    let new = Terms {
        key_result: Some("kpi".to_owned()),
        objective: Some("Big rock".to_owned()),
        ..Terms::default()
    };
    let relabelled =
        deed(&server, |tx| terms::set(tx, ORGANIZATION, Some(ILSE), &new)).expect("they are offered");
    assert_eq!(relabelled, 1);
    assert_eq!(text(&server, goal, Column::TypeLabel), "Kpi");
    assert_eq!(text(&server, made(&server, &objective("Trees")), Column::TypeLabel), "Big rock");
    assert_eq!(text(&server, 100, Column::TypeLabel), "Big rock");
    deed(&server, |tx| terms::set(tx, ORGANIZATION, None, &Terms::default())).expect("the usual ones");
    assert_eq!(text(&server, goal, Column::TypeLabel), "Key result");
    assert_eq!(text(&server, 100, Column::TypeLabel), "Big rock", "as its file said");
    let wrong = Terms { initiative: Some("Wish".to_owned()), ..Terms::default() };
    let words = "`Wish` is no word for initiatives: there are Initiative, Project, To Do, Deliverable, Milestone, Action";
    refused(&server, words, || deed(&server, |tx| terms::set(tx, ORGANIZATION, None, &wrong)));
}

#[test]
fn a_tag_is_made_renamed_and_taken_away() {
    let server = server();
    let create = |name: &'static str| deed(&server, move |tx| tags::create(tx, ORGANIZATION, None, name));
    let tag = create("Pilot").expect("it is new").number;
    refused(&server, "there is a tag named `PILOT` already", || create("PILOT"));
    deed(&server, |tx| tags::rename(tx, ORGANIZATION, None, tag, "pilot")).expect("its own name is free");
    let mut goal = objective("Trees");
    goal.fields.tags = Some(vec![tag]);
    made(&server, &goal);
    refused(&server, &format!("1 goals have the tag {tag}"), || {
        deed(&server, |tx| tags::delete(tx, ORGANIZATION, None, tag))
    });
}

#[test]
fn an_organization_is_founded_without_a_file() {
    let server = Server::new();
    let guid = Ids.guid();
    let founded = server.db.write_alone(Scope::Global, std::time::Duration::from_secs(5), |tx| {
        let made = goalpost::views::presets::found(tx, guid, "Wren", None, "org create")?;
        settings::change(
            tx,
            &made,
            None,
            &Settings { goal_policy: Some(GoalPolicy::Members), ..Settings::default() },
        )?;
        Ok::<_, OrgError>(made.number)
    });
    let number = founded.expect("it is founded");
    let found = server.db.snapshot(Scope::Global, |tx| queries::find_by_guid(tx, guid)).expect("readable");
    let found = found.expect("it is there");
    assert_eq!((found.number, found.goal_policy, found.revision), (number, GoalPolicy::Members, 2));
    let views = server.db.snapshot(number, |tx| goalpost::orgs::people::count_contents(tx, number));
    assert_eq!(views.expect("readable"), (0, 0, 7));
}
