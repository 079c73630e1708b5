use std::collections::BTreeMap;

use goalpost::goals::rights::{Action, Cell, Reason, Role, Subject, Verdict, may};
use goalpost::ids::PersonNumber;
use goalpost_db::params;

use super::{ORGANIZATION, deed, server};
use crate::imports::Server;

const GOAL: i64 = 101;
const TEAM: i64 = 20;

/// The table as it stands in the documentation.
fn documented() -> BTreeMap<(Action, Role), Cell> {
    let text = include_str!("../../../../../docs/SECURITY.md");
    let mut lines = text.lines().skip_while(|line| !line.starts_with("| action |"));
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let heads = cells(lines.next().expect("a table of actions"));
    let roles: Vec<Role> = heads[1..].iter().map(|head| head.parse().expect("the heads are roles")).collect();
    let mut table = BTreeMap::new();
    for line in lines.skip(1).take_while(|line| line.starts_with('|')) {
        let row = cells(line);
        let action = row[0].parse().unwrap_or_else(|()| panic!("`{}` is no action", row[0]));
        for (role, cell) in roles.iter().zip(&row[1..]) {
            table.insert((action, *role), cell.parse().unwrap_or_else(|()| panic!("`{cell}` in {line}")));
        }
    }
    table
}

/// Somebody who has this role and no other that is not everybody's.
fn person(role: Role) -> PersonNumber {
    PersonNumber(200 + role as i64)
}

/// Goal 101 of team 20 below goal 100, with a person for each role.
fn cast() -> Server {
    let server = server();
    deed(&server, |tx| {
        for &role in Role::ALL {
            let number = person(role);
            let word = if role == Role::OrganizationOwner { "Organization Owner" } else { "Member" };
            let member_type = if role == Role::Observer { "observer" } else { "regular" };
            tx.execute(
                "insert into person (organization, id, guid, name, name_fold, email, email_fold, role, source,
                                     member_type, status, origin)
                 values (?1, ?2, ?3, 'x', 'x', '', '', ?4, 'Individual', ?5, 'active', 'local')",
                params![
                    ORGANIZATION,
                    number,
                    uuid::Uuid::from_u128(number.0 as u128).into_bytes(),
                    word,
                    member_type
                ],
            )?;
        }
        let put = |sql: &str, role: Role| tx.execute(sql, params![ORGANIZATION, person(role)]);
        tx.execute("delete from goal_owner where organization = ?1", params![ORGANIZATION])?;
        put("insert into goal_owner values (?1, 101, 0, 1, ?2)", Role::Owner)?;
        put("insert into goal_owner values (?1, 100, 0, 1, ?2)", Role::ParentOwner)?;
        put("insert into goal_checkin_owner values (?1, 101, 7, 1, ?2)", Role::CheckinOwner)?;
        put("insert into team_member values (?1, ?2, 0, 20)", Role::TeamMember)?;
        put("insert into team_owner values (?1, 20, 7, ?2)", Role::TeamOwner)?;
        put("update goal set delegate = ?2 where organization = ?1 and id = 101", Role::Delegate)?;
        tx.execute("delete from goal_team where organization = ?1", params![ORGANIZATION])?;
        tx.execute("insert into goal_team values (?1, 101, 0, 1, 20)", params![ORGANIZATION])?;
        tx.execute(
            "update person set manager = ?2 where organization = ?1 and id = ?3",
            params![ORGANIZATION, person(Role::Manager), person(Role::Owner)],
        )
    })
    .expect("the cast is there");
    server
}

fn ask(server: &Server, person: PersonNumber, action: Action, subject: Subject<'_>) -> Verdict {
    let verdict = server.db.snapshot(ORGANIZATION, |tx| may(tx, ORGANIZATION, person, action, subject));
    verdict.expect("rights are readable")
}

fn set(server: &Server, sql: &str) {
    deed(server, |tx| tx.execute(sql, params![ORGANIZATION])).expect("the statement is right");
}

fn subject(action: Action) -> Subject<'static> {
    match action {
        Action::CreateOrganizationGoal
        | Action::CreateIndividualGoal
        | Action::ManageOrganization
        | Action::Import
        | Action::Export
        | Action::SaveView => Subject::Organization,
        Action::CreateTeamGoal | Action::ManageTeam => Subject::Teams(&[TEAM]),
        _ => Subject::Goal(GOAL),
    }
}

#[test]
fn the_table_of_the_documentation_is_the_one_that_decides() {
    let documented = documented();
    let all = Action::ALL.iter().flat_map(|action| Role::ALL.iter().map(|role| (*action, *role)));
    let coded: BTreeMap<(Action, Role), Cell> =
        all.map(|(action, role)| ((action, role), action.cell(role))).collect();
    assert_eq!(documented, coded);
}

#[test]
fn every_cell_is_obeyed() {
    let server = cast();
    let table = documented();
    for (narrow, words) in [(true, ["owners", "owners"]), (false, ["members", "members"])] {
        set(
            &server,
            &format!(
                "update organization set export_policy = '{}', goal_policy = '{}' where number = ?1",
                words[0], words[1]
            ),
        );
        for (&(action, role), &cell) in &table {
            // Who has a role is a member besides.
            let besides = if role == Role::Observer { Cell::No } else { table[&(action, Role::Member)] };
            let expected = match cell.min(besides) {
                Cell::Policy if narrow => Verdict::MayNot(Reason::Policy(action)),
                Cell::Yes | Cell::Policy => Verdict::May,
                Cell::No => Verdict::MayNot(Reason::Role(action)),
            };
            let found = ask(&server, person(role), action, subject(action));
            assert_eq!(found, expected, "{role}: {action}, narrow: {narrow}");
        }
    }
}

#[test]
fn by_default_owners_of_any_team_make_goals_of_the_organization() {
    let server = cast();
    let create =
        |role| ask(&server, person(role), Action::CreateOrganizationGoal, Subject::Organization).is_yes();
    assert!(create(Role::TeamOwner) && create(Role::OrganizationOwner));
    assert!(!create(Role::TeamMember) && !create(Role::Owner));
    // But a team's only where it is theirs.
    let other = ask(&server, person(Role::TeamOwner), Action::CreateTeamGoal, Subject::Teams(&[21]));
    assert_eq!(other, Verdict::MayNot(Reason::Role(Action::CreateTeamGoal)));
}

#[test]
fn a_restricted_goal_is_there_for_those_around_it_only() {
    let server = cast();
    set(&server, "update goal set restricted = not restricted where organization = ?1 and id = 101");
    let found = |role, action| ask(&server, person(role), action, Subject::Goal(GOAL));
    for role in [Role::OrganizationOwner, Role::TeamOwner, Role::Manager, Role::ParentOwner, Role::Member] {
        for action in [Action::See, Action::Edit, Action::Comment, Action::Delete] {
            assert_eq!(found(role, action), Verdict::MayNot(Reason::Unseen(GOAL)), "{role} {action}");
        }
    }
    for role in [Role::Owner, Role::Delegate] {
        assert!(found(role, Action::Edit).is_yes(), "{role}");
    }
    assert!(found(Role::CheckinOwner, Action::CheckIn).is_yes());
    assert!(!found(Role::CheckinOwner, Action::Edit).is_yes());
    // Who is listed sees it, and edits it no more than anybody.
    let owner = person(Role::OrganizationOwner);
    let sql = format!("insert into goal_viewer values (?1, 101, 0, 1, {owner})");
    set(&server, &sql);
    assert!(found(Role::OrganizationOwner, Action::Comment).is_yes());
    assert_eq!(found(Role::OrganizationOwner, Action::Edit), Verdict::MayNot(Reason::Role(Action::Edit)));
}

#[test]
fn who_left_and_who_is_nobody_may_nothing() {
    let server = cast();
    let owner = person(Role::OrganizationOwner);
    for sql in ["status = 'deactivated'", "status = 'active', source = 'Group'"] {
        set(&server, &format!("update person set {sql} where organization = ?1 and id = {owner}"));
        assert_eq!(ask(&server, owner, Action::See, Subject::Goal(GOAL)), Verdict::MayNot(Reason::NotActive));
    }
    let nobody = PersonNumber(9);
    assert_eq!(ask(&server, nobody, Action::See, Subject::Organization), Verdict::MayNot(Reason::NotActive));
    let asked = ask(&server, person(Role::Member), Action::See, Subject::Goal(7));
    assert_eq!(asked, Verdict::MayNot(Reason::Unseen(7)));
    let words = Reason::Role(Action::Edit).to_string();
    assert_eq!(words, "your roles do not let you edit");
    // Nothing of all this was a change.
    let changes = server.rows("select count(*) from revision where organization = ?1", |row| row.int(0));
    assert_eq!(changes, [1]);
}
