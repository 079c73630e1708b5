//! Check-ins: what they change of their goal and of those above it, and what they leave as its file said.

use std::collections::BTreeMap;
use std::time::Duration;

use goalpost::goals::checkin::{CheckIn, CheckInError, NewCheckIn, check_in, check_in_all};
use goalpost::goals::edit::Field;
use goalpost::goals::ending::{Ended, Ending, close, reopen};
use goalpost::goals::recompute;
use goalpost::goals::record::Column;
use goalpost::ids::OrganizationNumber;
use goalpost::orgs::queries::raise_revision;
use goalpost_db::Error;
use goalpost_okr::Status;
use goalpost_testing::Engine;
use goalpost_viva::{Alignment, Configuration, Outcome};
use jiff::civil::{Date, date};

use crate::imports::{Company, NUMBER, Server, goal};
use crate::jobs::process::Folder;

const ORGANIZATION: OrganizationNumber = OrganizationNumber(NUMBER);
const WAIT: Duration = Duration::from_secs(5);
/// No goal above was changed.
const NOBODY: [i64; 0] = [];
const YEAR_2020: [Date; 2] = [date(2020, 1, 1), date(2020, 12, 31)];

fn try_check_in(server: &Server, new: &NewCheckIn) -> Result<CheckIn, CheckInError> {
    server.db.write_alone(ORGANIZATION, WAIT, |tx| check_in(tx, ORGANIZATION, None, new))
}

pub(crate) fn value(server: &Server, goal: i64, value: f64) -> CheckIn {
    let new = NewCheckIn { goal, value: Some(value), ..NewCheckIn::default() };
    try_check_in(server, &new).expect("the check-in is made")
}

/// Progress in percent, rounded to two decimals, and status of every goal.
fn goals(server: &Server) -> BTreeMap<i64, (Option<f64>, String)> {
    let sql = "select id, progress_percent, status from goal where organization = ?1";
    let rows = server.rows(sql, |row| {
        let percent = row.opt_real(1)?.map(|percent| (percent * 100.0).round() / 100.0);
        Ok((row.int(0)?, (percent, row.text(2)?.to_owned())))
    });
    rows.into_iter().collect()
}

fn configured(progress: &str, status: &str) -> Configuration {
    Configuration { progress: Some(progress.to_owned()), status: Some(status.to_owned()), data_source: None }
}

/// An objective (100) over a key result from 100 to 300 trees (101) and one in percent (102), all due long ago.
fn company() -> Company {
    let mut company = Company::small();
    company.goals.push(goal(102, "Kpi", "Plant a hedge"));
    company.goal(102).parent_ids = vec![100];
    company.goal(102).progress = Some(75.0);
    for goal in &mut company.goals {
        [goal.start_date, goal.end_date] = YEAR_2020.map(Some);
    }
    for id in [101, 102] {
        company.goal(id).configuration = configured("Update Manually", "Update based on Progress");
    }
    company.goal(100).configuration = configured("Update from Children", "Update based on Progress");
    company
}

#[test]
fn a_check_in_moves_its_goal_and_the_one_above() {
    let server = Server::new();
    server.import(&company());
    let made = value(&server, 101, 200.0);
    assert_eq!((made.value, made.status.as_str()), (Some(200.0), "At Risk"));
    assert_eq!(made.changed_above, [100]);
    let goals = goals(&server);
    assert_eq!(goals[&101], (Some(50.0), "At Risk".to_owned()));
    // (50 + 75) / 2, and 37.5 behind.
    assert_eq!(goals[&100], (Some(62.5), "At Risk".to_owned()));
    let sql = "select count(*) from checkin where organization = ?1 and goal = 101 and metric_name = 'Trees'";
    assert_eq!(server.count(sql), 2);
    assert_eq!(server.count("select checkin_count from goal where organization = ?1 and id = 101"), 2);
    // As they were before, they are in the history.
    let before = "select progress from goal_history where organization = ?1 and until = 2 order by id";
    assert_eq!(server.rows(before, |row| row.opt_real(0)), [Some(40.0), Some(150.0)]);
}

#[test]
fn what_no_change_reaches_stays_as_its_file_said() {
    let server = Server::new();
    let mut company = company();
    company.goals.push(goal(200, "Big rock", "Nobody's parent"));
    server.import(&company);
    let before = goals(&server);
    // By the rules 100 would have 50 percent.
    assert_eq!(before[&100], (Some(40.0), "On Track".to_owned()));
    assert_eq!(value(&server, 200, 55.0).changed_above, NOBODY);
    let mut expected = before;
    expected.get_mut(&200).expect("it is there").0 = Some(55.0);
    assert_eq!(goals(&server), expected);
}

#[test]
fn a_goal_that_is_over_stays_as_it_ended() {
    for over in ["Closed", "Postponed"] {
        let server = Server::new();
        let mut company = company();
        company.goal(100).status = Some(over.to_owned());
        server.import(&company);
        assert_eq!(value(&server, 101, 200.0).changed_above, NOBODY);
        assert_eq!(goals(&server)[&100], (Some(40.0), over.to_owned()));
    }
}

#[test]
fn recomputing_again_changes_nothing() {
    let server = Server::new();
    server.import(&company());
    value(&server, 101, 200.0);
    let again = server.db.write_alone(ORGANIZATION, WAIT, |tx| {
        let revision = raise_revision(tx, ORGANIZATION, None, "again")?;
        recompute::above(tx, ORGANIZATION, revision, &[101, 102])
    });
    assert_eq!(again.expect("the goals can be read"), NOBODY);
}

#[test]
fn a_change_climbs_as_far_as_it_reaches() {
    let server = Server::new();
    let mut company = Company::small();
    company.goals = (1..=12).map(|id| goal(id, "Big rock", "A step")).collect();
    for id in 2..=12 {
        company.goal(id).parent_ids = vec![id - 1];
        company.goal(id - 1).configuration = configured("Update from Children", "Update Manually");
    }
    // One of them is told how it goes by people.
    company.goal(4).configuration = configured("Update Manually", "Update Manually");
    (company.goal(12).progress, company.goal(4).progress) = (Some(10.0), Some(7.0));
    server.import(&company);
    assert_eq!(value(&server, 12, 90.0).changed_above, [11, 10, 9, 8, 7, 6, 5]);
    let percents: Vec<Option<f64>> = goals(&server).into_values().map(|(percent, _)| percent).collect();
    assert_eq!(percents[..4], [Some(40.0), Some(40.0), Some(40.0), Some(7.0)]);
    assert_eq!(percents[4..], [Some(90.0); 8]);
    // And where the same comes out, no farther.
    assert_eq!(value(&server, 12, 90.0).changed_above, NOBODY);
}

#[test]
fn an_earlier_day_joins_the_history_only() {
    let server = Server::new();
    server.import(&company());
    let before = goals(&server);
    let new =
        NewCheckIn { goal: 101, value: Some(300.0), as_of: Some(date(2026, 1, 11)), ..NewCheckIn::default() };
    let made = try_check_in(&server, &new).expect("the check-in is made");
    assert_eq!((made.value, made.as_of, made.changed_above), (Some(300.0), date(2026, 1, 11), Vec::new()));
    assert_eq!(goals(&server), before);
    assert_eq!(server.count("select checkin_count from goal where organization = ?1 and id = 101"), 2);
    // The day of the latest one is not earlier.
    let made = try_check_in(&server, &NewCheckIn { as_of: Some(date(2026, 1, 12)), ..new }).expect("made");
    assert_eq!(made.changed_above, [100]);
    assert_eq!(
        server.text("select last_checkin_date from goal where organization = ?1 and id = 101"),
        "2026-01-12"
    );
}

#[test]
fn a_status_is_a_persons_or_the_rules() {
    let server = Server::new();
    let mut company = company();
    let control = Outcome {
        outcome_type: Some("Metric".to_owned()),
        target_type: Some("Stay Below".to_owned()),
        target: Some(100.0),
        ..Outcome::default()
    };
    company.goal(102).outcome = Some(control);
    company.goal(102).configuration = configured("Update Manually", "Update Manually");
    company.goal(100).configuration = configured("Update Manually", "Update based on Key Results");
    server.import(&company);
    // A control type says by itself how it goes.
    assert_eq!(value(&server, 102, 100.0).status, "At Risk");
    assert_eq!(goals(&server)[&100], (Some(40.0), "At Risk".to_owned()));
    assert_eq!(value(&server, 102, 99.0).status, "On Track");
    assert_eq!(goals(&server)[&100].1, "On Track");
    // Up to its risk threshold it is only behind.
    server.edit(102, Field::Column(Column::RiskThreshold), &[110.0.into()]);
    assert_eq!(value(&server, 102, 105.0).status, "Behind");
    assert_eq!(value(&server, 102, 110.0).status, "At Risk");
    // But a person may know better.
    let new = NewCheckIn { goal: 102, status: Some(Status::Behind), ..NewCheckIn::default() };
    assert_eq!(try_check_in(&server, &new).expect("made").status, "Behind");
    assert_eq!(goals(&server)[&100], (Some(40.0), "Behind".to_owned()));
    // With nothing but a note, everything stays.
    let note = NewCheckIn { goal: 100, note: Some("As we said".to_owned()), ..NewCheckIn::default() };
    assert_eq!(try_check_in(&server, &note).expect("made").status, "Behind");
}

/// 100 takes its status from the two below it.
fn company_by_key_results() -> Company {
    let mut company = company();
    company.goal(100).configuration = configured("Update from Children", "Update based on Key Results");
    company
}

fn ended(server: &Server, ending: &Ending) -> Ended {
    server
        .db
        .write_alone(ORGANIZATION, WAIT, |tx| close(tx, ORGANIZATION, None, ending))
        .expect("it is closed")
}

fn reopened(server: &Server, goal: i64) -> Ended {
    let ending = Ending { goal, ..Ending::default() };
    server
        .db
        .write_alone(ORGANIZATION, WAIT, |tx| reopen(tx, ORGANIZATION, None, &ending))
        .expect("it is open")
}

fn score(server: &Server, goal: i64) -> Option<f64> {
    let sql = "select score from goal where organization = ?1 and id between 100 and 102 order by id";
    server.rows(sql, |row| row.opt_real(0))[usize::try_from(goal - 100).expect("one of three")]
}

#[test]
fn a_goal_closes_with_the_last_one_below_it_and_reopens_with_the_first() {
    let server = Server::new();
    server.import(&company_by_key_results());
    // 240 of the way from 100 to 300 is 70 percent; nobody says another score.
    let first = ended(&server, &Ending { goal: 101, value: Some(240.0), ..Ending::default() });
    assert_eq!((first.status.as_str(), first.score), ("Closed", Some(0.7)));
    // (70 + 75) / 2, and as 102 does, which is under way.
    assert_eq!(goals(&server)[&100], (Some(72.5), "On Track".to_owned()));
    let last = ended(&server, &Ending { goal: 102, score: Some(0.9), ..Ending::default() });
    assert_eq!((last.score, last.changed_above), (Some(0.9), vec![100]));
    assert_eq!(goals(&server)[&100], (Some(72.5), "Closed".to_owned()));
    assert_eq!(score(&server, 100).map(|score| (score * 100.0).round()), Some(80.0));

    let again = reopened(&server, 102);
    assert_eq!((again.status.as_str(), again.score, again.changed_above), ("Behind", None, vec![100]));
    assert_eq!(goals(&server)[&100], (Some(72.5), "Behind".to_owned()));
    assert_eq!((score(&server, 100), score(&server, 101), score(&server, 102)), (None, Some(0.7), None));
    // Each of it is a check-in, and takes further ones.
    assert_eq!(server.count("select checkin_count from goal where organization = ?1 and id = 102"), 2);
    assert_eq!(value(&server, 102, 80.0).changed_above, [100]);
}

#[test]
fn a_goal_that_people_closed_stays_closed_above_one_that_reopens() {
    let server = Server::new();
    let mut company = company_by_key_results();
    company.goal(100).configuration = configured("Update from Children", "Update Manually");
    server.import(&company);
    ended(&server, &Ending { goal: 101, ..Ending::default() });
    ended(&server, &Ending { goal: 100, ..Ending::default() });
    assert_eq!(reopened(&server, 101).changed_above, NOBODY);
    assert_eq!(goals(&server)[&100].1, "Closed");
}

#[test]
fn a_goal_is_closed_once_and_reopened_once() {
    let server = Server::new();
    server.import(&company());
    let close = |ending: Ending| {
        server.db.write_alone(ORGANIZATION, WAIT, |tx| close(tx, ORGANIZATION, None, &ending))
    };
    let reopen = |goal| {
        let ending = Ending { goal, ..Ending::default() };
        server.db.write_alone(ORGANIZATION, WAIT, |tx| reopen(tx, ORGANIZATION, None, &ending))
    };
    let ending = Ending { goal: 101, ..Ending::default() };
    for (refused, expected) in [
        (close(Ending { goal: 7, ..Ending::default() }), "there is no goal 7"),
        (close(Ending { score: Some(1.01), ..ending.clone() }), "the score 1.01 is not from 0 to 1"),
        (close(Ending { score: Some(f64::NAN), ..ending.clone() }), "the score NaN is not from 0 to 1"),
        (
            close(Ending { value: Some(f64::INFINITY), ..ending.clone() }),
            "the value inf is no number that a goal can have",
        ),
        (reopen(101), "goal 101 is not closed: it is On Track"),
    ] {
        assert_eq!(refused.expect_err(expected).to_string(), expected);
    }
    close(ending.clone()).expect("it is under way");
    assert_eq!(close(ending).expect_err("it is over").to_string(), "goal 101 is Closed already");
    assert_eq!(server.count("select max(revision) from revision where organization = ?1"), 2);
}

#[test]
fn check_ins_at_the_same_time_lose_nothing() {
    const EACH: u32 = 8;
    let server = Server::new();
    server.import(&company());
    std::thread::scope(|scope| {
        for goal in [101, 102] {
            for turn in 1..=EACH {
                let server = &server;
                scope.spawn(move || value(server, goal, f64::from(turn)));
            }
        }
    });
    let sql = "select checkin_count from goal where organization = ?1 and id in (101, 102) order by id";
    assert_eq!(server.rows(sql, |row| row.int(0)), [i64::from(EACH) + 1, i64::from(EACH)]);
    // Whichever came last on each, the goal above has what comes of both.
    let goals = goals(&server);
    let percent = |id| goals[&id].0.expect("it was updated");
    assert!((percent(100) - f64::midpoint(percent(101), percent(102))).abs() < 0.01, "{goals:?}");
}

#[test]
fn a_bad_check_in_is_refused_and_nothing_is_changed() {
    let server = Server::new();
    let mut company = company();
    company.goal(102).status = Some("Closed".to_owned());
    company.goal(101).parent_ids.push(999);
    server.import(&company);
    let new = NewCheckIn { goal: 101, value: Some(1.0), ..NewCheckIn::default() };
    for (new, expected) in [
        (NewCheckIn { goal: 7, ..new.clone() }, "there is no goal 7"),
        // Only a mention of it is known.
        (NewCheckIn { goal: 999, ..new.clone() }, "there is no goal 999"),
        (NewCheckIn { goal: 102, ..new.clone() }, "goal 102 is Closed"),
        (NewCheckIn { value: None, ..new.clone() }, "a check-in needs a value, a status or a note"),
        (
            NewCheckIn { value: Some(f64::NAN), ..new.clone() },
            "the value NaN is no number that a goal can have",
        ),
        (
            NewCheckIn { status: Some(Status::Closed), ..new.clone() },
            "a check-in cannot make a goal `Closed`",
        ),
        (
            NewCheckIn { status: Some(Status::InProgress), ..new.clone() },
            "a check-in cannot make a goal `In-progress`",
        ),
        (NewCheckIn { as_of: Some(date(9999, 1, 1)), ..new.clone() }, "9999-01-01 is still to come"),
    ] {
        let refused = try_check_in(&server, &new).expect_err(expected);
        assert_eq!(refused.to_string(), expected);
    }
    assert_eq!(server.count("select count(*) from checkin where organization = ?1"), 1);
    assert_eq!(server.count("select max(revision) from revision where organization = ?1"), 1);
}

#[test]
fn the_next_import_knows_what_was_said_here() {
    let server = Server::new();
    let mut company = company();
    server.import(&company);
    value(&server, 101, 200.0);
    let after = goals(&server);
    assert_eq!(server.import(&company).conflicts.total, 0);
    assert_eq!(goals(&server), after, "the same file brings nothing back");
    assert_eq!(server.count("select checkin_count from goal where organization = ?1 and id = 101"), 2);
    company.goal(101).progress = Some(180.0);
    assert_eq!(server.import(&company).conflicts.total, 1);
    assert_eq!(goals(&server), after);
}

/// What each goal's progress must be, from the leaves up, by weights that sum to 100: nothing shared with the program.
fn by_hand(id: i64, children: &BTreeMap<i64, Vec<(i64, f64)>>, leaves: &BTreeMap<i64, f64>) -> f64 {
    match children.get(&id) {
        None => leaves[&id],
        Some(below) => {
            below.iter().map(|(child, weight)| by_hand(*child, children, leaves) * weight / 100.0).sum()
        }
    }
}

#[test]
fn check_ins_in_any_order_lead_to_what_the_leaves_say() {
    const GOALS: i64 = 25;
    for seed in 1..=10 {
        let mut dice = seed * 7_919_u64;
        let mut below = |n: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % n
        };
        // Every goal but the first is below one or two with smaller numbers.
        let mut children: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for id in 2..=GOALS {
            for _ in 0..=below(2) {
                let above = 1 + below(id as u64 - 1) as i64;
                let all = children.entry(above).or_default();
                if !all.contains(&id) {
                    all.push(id);
                }
            }
        }
        let weighted: BTreeMap<i64, Vec<(i64, f64)>> = children
            .iter()
            .map(|(above, all)| {
                let parts: Vec<f64> = all.iter().map(|_| 1.0 + below(9) as f64).collect();
                let total: f64 = parts.iter().sum();
                (*above, all.iter().zip(parts).map(|(child, part)| (*child, part / total * 100.0)).collect())
            })
            .collect();
        let mut company = Company::small();
        company.goals = (1..=GOALS).map(|id| goal(id, "Big rock", "One of many")).collect();
        for (above, all) in &weighted {
            company.goal(*above).configuration = configured("Update from Children", "Update Manually");
            for (child, weight) in all {
                let entry = Alignment { id: *above, title: None, weight: Some(*weight) };
                company.goal(*child).parent_ids.push(*above);
                company.goal(*child).alignment.push(entry);
            }
        }
        let server = Server::new();
        server.import(&company);
        let mut leaves: Vec<i64> = (1..=GOALS).filter(|id| !children.contains_key(id)).collect();
        let values: BTreeMap<i64, f64> = leaves.iter().map(|id| (*id, below(150) as f64)).collect();
        // Each leaf first says something else.
        for _ in 0..leaves.len() {
            value(&server, leaves[below(leaves.len() as u64) as usize], below(100) as f64);
        }
        while !leaves.is_empty() {
            let leaf = leaves.swap_remove(below(leaves.len() as u64) as usize);
            value(&server, leaf, values[&leaf]);
        }
        for (id, (percent, _)) in goals(&server) {
            let expected = by_hand(id, &weighted, &values);
            let percent = percent.expect("it was updated");
            assert!((percent - expected).abs() < 0.06, "seed {seed}, goal {id}: {percent}, not {expected}");
        }
    }
}

/// Check-ins as their rows have them, but for when they were made.
type Said = (i64, i64, i64, String, Option<f64>, Option<String>);

/// Everything that check-ins can change.
fn everything(server: &Server) -> (Vec<Said>, Vec<String>) {
    let said = server.rows(
        "select goal, id, as_of_at, status, value, note from checkin where organization = ?1 order by goal, id",
        |row| {
            let (status, note) = (row.text(3)?.to_owned(), row.opt_text(5)?.map(str::to_owned));
            Ok((row.int(0)?, row.int(1)?, row.int(2)?, status, row.opt_real(4)?, note))
        },
    );
    let goals = server.rows(
        "select id, progress, progress_percent, status, score, checkin_count, last_checkin_date from goal
          where organization = ?1 order by id",
        |row| {
            let numbers = [1, 2, 4].map(|column| row.opt_real(column));
            let (status, day) = (row.text(3)?, row.opt_text(6)?);
            Ok(format!("{} {numbers:?} {status} {} {day:?}", row.int(0)?, row.int(5)?))
        },
    );
    (said, goals)
}

#[test]
fn check_ins_together_come_to_what_they_come_to_one_by_one() {
    const GOALS: u64 = 12;
    let rule = ["Update Manually", "Update from Children"];
    let status = ["Update Manually", "Update based on Progress", "Update based on Key Results"];
    let statuses = [Status::NotStarted, Status::OnTrack, Status::Behind, Status::AtRisk];
    let seeds = if Engine::of_this_run() == Engine::Sqlite { 30 } else { 3 };
    for seed in 1..=seeds {
        let mut dice: u64 = seed * 104_729;
        let mut below = |n: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % n
        };
        let mut company = Company::small();
        company.goals = (1..=GOALS as i64).map(|id| goal(id, "Big rock", "One of many")).collect();
        for id in 1..=GOALS {
            let one = company.goal(id as i64);
            one.configuration = configured(rule[below(2) as usize], status[below(3) as usize]);
            [one.start_date, one.end_date] = YEAR_2020.map(Some);
            if id > 1 && below(4) > 0 {
                one.parent_ids.push(1 + below(id - 1) as i64);
            }
        }
        let new: Vec<NewCheckIn> = (0..=below(20))
            .map(|_| NewCheckIn {
                goal: 1 + below(GOALS) as i64,
                value: (below(4) > 0).then(|| below(120) as f64),
                status: (below(4) == 0).then(|| statuses[below(4) as usize]),
                note: Some(format!("Note {}", below(100))),
                as_of: (below(3) == 0).then(|| date(2026, 1, 1 + below(28) as i8)),
                owner: None,
            })
            .collect();
        let (together, alone) = (Server::new(), Server::new());
        for server in [&together, &alone] {
            server.import(&company);
        }
        let all = together.db.write_alone(ORGANIZATION, WAIT, |tx| {
            check_in_all(tx, ORGANIZATION, None, &new).map_err(|(_, error)| error)
        });
        let all = all.expect("they are made");
        let mut changed_above = Vec::new();
        for (new, made) in new.iter().zip(&all) {
            let one = try_check_in(&alone, new).expect("it is made");
            changed_above.extend(one.changed_above.iter().copied());
            assert_eq!(
                (one.id, one.value, one.status),
                (made.id, made.value, made.status.clone()),
                "seed {seed}"
            );
        }
        assert_eq!(everything(&together), everything(&alone), "seed {seed}: {new:?}");
        assert!(all.iter().flat_map(|made| &made.changed_above).all(|goal| changed_above.contains(goal)));
        assert_eq!(together.count("select max(revision) from revision where organization = ?1"), 2);
    }
}

#[test]
fn the_command_line_checks_in() {
    let folder = Folder::new(50, "");
    let open =
        "select min(id) from goal where organization = ?1 and status <> 'Closed' and status <> 'Postponed'";
    let organization = goalpost::demo::ORGANIZATION;
    let db = folder.open().db.clone();
    let found =
        db.snapshot(goalpost_db::Scope::Global, |tx| goalpost::orgs::queries::find_by_guid(tx, organization));
    let number = found.expect("readable").expect("there").number;
    let goal = db.snapshot(number, |tx| {
        tx.query_one::<_, Error>(open, goalpost_db::params![number], |row| row.int(0))
    });
    let goal = goal.expect("a goal is under way").to_string();
    let call = |words: [&str; 2], args: &[&str]| {
        let mut command = folder.command(words[0]);
        command.args([words[1], "--organization", &organization.to_string(), "--goal", &goal]).args(args);
        command.output().expect("it runs")
    };
    let run = |args: &[&str]| call(["checkin", "add"], args);
    let made = run(&["--value", "-4.5", "--status", "at risk", "--note", "Rain", "--output", "json"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let entry: serde_json::Value = serde_json::from_slice(&made.stdout).expect("JSON");
    assert_eq!(
        (entry["goal"].to_string(), &entry["value"], &entry["status"]),
        (goal.clone(), &(-4.5).into(), &"At Risk".into())
    );
    let said = run(&["--value", "12"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(text.contains("Value     12\n"), "{text}");
    for (args, expected) in [
        (
            &["--date", "2999-01-01", "--note", "x"][..],
            "error: 2999-01-01 is still to come\nhint: a check-in speaks of",
        ),
        (&[], "error: a check-in needs a value, a status or a note\nhint: add `--value`"),
        (&["--note", "x", "--by", "nobody@nowhere.example"], "error: nobody in"),
        (&["--status", "splendid"], "write `Not Started`, `On Track`, `Behind` or `At Risk`"),
    ] {
        let refused = run(args);
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && text.contains(expected), "{args:?}: {text}");
    }

    let said = |words, args: &[&str]| {
        let output = call(words, args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let closed = said(["goal", "close"], &["--score", "0.75", "--note", "Enough", "--output", "json"]);
    let entry: serde_json::Value = serde_json::from_str(&closed).expect("JSON");
    assert_eq!((&entry["status"], &entry["score"]), (&"Closed".into(), &0.75.into()));
    let shown = said(["goal", "show"], &[]);
    assert!(shown.contains("Status    Closed\n") && shown.ends_with("Score     0.75\n"), "{shown}");
    let refused = call(["goal", "close"], &[]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("is Closed already\nhint: `goalpost goal reopen` opens"), "{text}");
    let reopened = said(["goal", "reopen"], &[]);
    assert!(reopened.contains("Score     -\n"), "{reopened}");
}
