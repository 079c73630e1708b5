//! An export holds exactly the goals of its view: filters are evaluated a second time, in plain Rust over the file.

use goalpost::goals::filter::Filter;
use goalpost::goals::order::SortKey;
use goalpost::views::{self, Preset, Selection, Sort};
use goalpost_viva::label::{ObjectType, object_type};
use goalpost_viva::sample::Options;
use goalpost_viva::{Named, Objective};
use jiff::civil::{Date, date, datetime};
use jiff::{Timestamp, Unit};
use std::time::Duration;

use super::oracle::{Oracle, percent};
use super::{IVY, IVYS_EMAIL, Imported, NOOR, OWNER, OWNER_ID, Organization, assert_same, goal, person};

/// The day on which these tests take place. The file is of a later one, so that its goals were last checked in before,
/// in the last days, and, as after a slip of the pen, on days to come.
const TODAY: Date = date(2060, 3, 20);

async fn sample_of_today() -> Imported {
    let exported_at = datetime(2060, 6, 15, 6, 0, 0, 0);
    let imported = Imported::sample(Options { goals: 1_000, exported_at, ..Options::default() }).await;
    let now = imported
        .t
        .app
        .db
        .snapshot(goalpost_db::Scope::Global, |tx| Ok::<_, goalpost_db::Error>(tx.now_us()))
        .expect("a time");
    let noon: Timestamp = "2060-03-20T12:00:00Z".parse().expect("a time");
    imported.t.advance(Duration::from_micros((noon.as_microsecond() - now) as u64));
    imported
}

/// Whole days from one day to another.
fn days(from: Date, to: Date) -> i64 {
    let days = from.until((Unit::Day, to)).expect("days between two dates").get_days();
    i64::from(days)
}

fn due_in(goal: &Objective) -> Option<i64> {
    goal.end_date.map(|due| days(TODAY, due))
}

fn last_check_in_ago(goal: &Objective) -> Option<i64> {
    goal.last_check_in.map(|last| days(last.date(), TODAY))
}

fn is(goal: &Objective, status: &str) -> bool {
    goal.status.as_deref() == Some(status)
}

fn is_overdue(goal: &Objective) -> bool {
    due_in(goal).is_some_and(|days| days < 0) && !is(goal, "Closed")
}

fn is_recent(goal: &Objective) -> bool {
    last_check_in_ago(goal).is_some_and(|days| days < 7)
}

fn owns(goal: &Objective, person: i64) -> bool {
    goal.owners.iter().any(|owner| owner.id == Some(person))
}

fn is_named(named: &Named, name: &str) -> bool {
    named.name.as_deref() == Some(name)
}

/// Some goals are among them and some are not, or the comparison would say little.
fn assert_is_a_choice(oracle: &Oracle, what: &str, holds: impl Fn(&Objective) -> bool) {
    let (chosen, all) = (oracle.rows(OWNER_ID, holds).len(), oracle.rows(OWNER_ID, |_| true).len());
    assert!(0 < chosen && chosen < all, "{what} holds {chosen} of {all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn presets_hold_what_their_names_say() {
    let imported = sample_of_today().await;
    let oracle = imported.oracle();
    let holds = |preset, goal: &Objective| match preset {
        Preset::AllObjectives => true,
        Preset::MyObjectives => owns(goal, OWNER_ID),
        Preset::Overdue => is_overdue(goal),
        Preset::NotUpdated => !is_recent(goal),
        Preset::AtRisk => is(goal, "At Risk") || is(goal, "Behind"),
        Preset::RecentlyCompleted => is(goal, "Closed") && is_recent(goal),
        Preset::Unaligned => goal.parent_ids.is_empty(),
    };
    for preset in Preset::ALL {
        if preset != Preset::AllObjectives {
            assert_is_a_choice(&oracle, preset.name(), |goal| holds(preset, goal));
        }
        let found = imported.export(&imported.t.client(OWNER), preset.guid(imported.organization)).await;
        println!("{}", preset.name());
        assert_same(&found, &oracle.csv(OWNER_ID, |goal| holds(preset, goal)));
    }
}

type Holds = Box<dyn Fn(&Objective) -> bool>;

#[tokio::test(flavor = "multi_thread")]
async fn filters_choose_the_goals_that_they_describe() {
    fn by(holds: impl Fn(&Objective) -> bool + 'static) -> Holds {
        Box::new(holds)
    }
    let first_id = 4_080_011;
    let filters = [
        (
            r#"{"status": {"in": ["Behind", "Not Started"]}}"#,
            by(|goal| is(goal, "Behind") || is(goal, "Not Started")),
        ),
        (
            r#"{"objectType": {"in": ["keyResult"]}}"#,
            by(|goal| {
                let kind = goal.type_label.as_deref().and_then(object_type);
                kind.is_some_and(|(kind, _)| kind == ObjectType::KeyResult)
            }),
        ),
        (
            r#"{"period": {"in": ["q2 2060", "ANNUAL 2060"]}}"#,
            by(|goal| {
                goal.period
                    .as_ref()
                    .is_some_and(|period| is_named(period, "Q2 2060") || is_named(period, "Annual 2060"))
            }),
        ),
        (
            r#"{"team": {"in": ["search, browse & buy", "Company"]}}"#,
            by(|goal| {
                let named =
                    |team: &Named| is_named(team, "Search, Browse & Buy") || is_named(team, "Company");
                goal.teams.iter().any(named)
            }),
        ),
        (r#"{"team": "none"}"#, by(|goal| goal.teams.is_empty())),
        (r#"{"tag": {"in": [31200]}}"#, by(|goal| goal.tags.iter().any(|tag| tag.id == 31_200))),
        (r#"{"tag": "none"}"#, by(|goal| goal.tags.is_empty())),
        (r#"{"owner": {"in": ["Ada.Quill@contoso.example"]}}"#, by(|goal| owns(goal, OWNER_ID))),
        (r#"{"owner": "none"}"#, by(|goal| goal.owners.is_empty())),
        (
            r#"{"due": {"before": "2060-01-01"}}"#,
            by(|goal| goal.end_date.is_some_and(|due| due < date(2060, 1, 1))),
        ),
        (
            r#"{"due": {"lessThanDays": 16}}"#,
            by(|goal| due_in(goal).is_some_and(|days| (0..16).contains(&days))),
        ),
        (r#"{"due": {"moreThanDays": 15}}"#, by(|goal| due_in(goal).is_some_and(|days| days > 15))),
        (
            r#"{"checkIn": {"moreThanDays": 60}}"#,
            by(|goal| last_check_in_ago(goal).is_some_and(|days| days > 60)),
        ),
        (r#"{"progress": {"ge": 100}}"#, by(|goal| percent(goal).is_some_and(|percent| percent >= 100.0))),
        (r#"{"progress": {"lt": 50}}"#, by(|goal| percent(goal).is_some_and(|percent| percent < 50.0))),
        (
            r#"{"keyword": {"contains": "SMALL shops"}}"#,
            by(|goal| goal.title.to_lowercase().contains("small shops")),
        ),
        (r##"{"keyword": {"contains": "#4080011"}}"##, by(move |goal| goal.id == first_id)),
        (r#"{"aligned": true}"#, by(|goal| !goal.parent_ids.is_empty())),
        (
            r#"{"and": [{"or": [{"owner": "me"}, {"status": {"in": ["At Risk"]}}]}, {"not": {"due": "overdue"}}]}"#,
            by(|goal| (owns(goal, OWNER_ID) || is(goal, "At Risk")) && !is_overdue(goal)),
        ),
    ];
    let imported = sample_of_today().await;
    let oracle = imported.oracle();
    for (json, holds) in filters {
        assert_is_a_choice(&oracle, json, &holds);
        let selection = Selection { filter: Filter::parse(json).expect("a filter"), top_level: false };
        let view = imported.save_view(selection, Sort::default());
        println!("{json}");
        assert_same(&imported.export(&imported.t.client(OWNER), view).await, &oracle.csv(OWNER_ID, &holds));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_of_top_level_goals_holds_those_below_none_of_the_file() {
    let imported = sample_of_today().await;
    let oracle = imported.oracle();
    let is_top = |goal: &Objective| goal.parent_ids.iter().all(|parent| oracle.goal(*parent).is_none());
    assert_is_a_choice(&oracle, "the top level", is_top);
    let view = imported.save_view(Selection { top_level: true, ..Selection::default() }, Sort::default());
    assert_same(&imported.export(&imported.t.client(OWNER), view).await, &oracle.csv(OWNER_ID, is_top));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_follow_their_numbers_however_a_page_sorts_the_view() {
    let mut organization = Organization::of_ivy();
    organization.goals = vec![goal(30, "A"), goal(10, "B"), goal(20, "C"), goal(5, "D")];
    let imported = Imported::new(|path| organization.write(path)).await;
    let expected = imported.oracle().csv(IVY, |_| true);
    let ids: Vec<_> = String::from_utf8_lossy(&expected).lines().map(|line| line[..2].to_owned()).collect();
    assert_eq!(ids, ["Id", "5,", "10", "20", "30"]);
    for key in SortKey::ALL {
        let view = imported.save_view(Selection::default(), Sort::by(*key));
        assert_same(&imported.export(&imported.t.client(IVYS_EMAIL), view).await, &expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn me_is_whoever_asks_for_the_export() {
    let mut organization = Organization::of_ivy();
    organization.goals = vec![
        Objective { owners: vec![person(IVY)], ..goal(1, "Ivy's") },
        Objective { owners: vec![person(NOOR)], ..goal(2, "Noor's") },
        Objective { owners: vec![person(NOOR), person(IVY)], ..goal(3, "Of both") },
        goal(4, "Nobody's"),
    ];
    let imported = Imported::new(|path| organization.write(path)).await;
    let oracle = imported.oracle();
    let mine = Preset::MyObjectives.guid(imported.organization);
    for (email, me) in [(IVYS_EMAIL, IVY), ("noor@contoso.example", NOOR)] {
        let found = imported.export(&imported.t.client(email), mine).await;
        assert_eq!(oracle.rows(me, |goal| owns(goal, me)).len(), 2);
        assert_same(&found, &oracle.csv(me, |goal| owns(goal, me)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_view_does_not_change_an_export_that_was_asked_for() {
    let mut organization = Organization::of_ivy();
    organization.goals = vec![
        Objective { status: Some("Closed".to_owned()), ..goal(1, "Done") },
        Objective { status: Some("Behind".to_owned()), ..goal(2, "Late") },
    ];
    let imported = Imported::new(|path| organization.write(path)).await;
    let ivy = imported.t.client(IVYS_EMAIL);
    let of_status = |status: &str| Selection {
        filter: Filter::parse(&format!(r#"{{"status": {{"in": ["{status}"]}}}}"#)).expect("a filter"),
        top_level: false,
    };
    let delete = |view| imported.write(|tx, organization| views::delete(tx, organization, view, None));

    let view = imported.save_view(of_status("Closed"), Sort::default());
    let before = imported.create(&ivy, view).await;
    delete(view);
    imported.save_view_as(view, of_status("Behind"), Sort::default());
    let oracle = imported.oracle();
    assert_same(&imported.run_and_fetch(&ivy, &before).await, &oracle.csv(IVY, |goal| is(goal, "Closed")));

    let after = imported.create(&ivy, view).await;
    delete(view);
    assert_same(&imported.run_and_fetch(&ivy, &after).await, &oracle.csv(IVY, |goal| is(goal, "Behind")));
}

/// A filter is frozen, rows are not: they are read when the job runs.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_shows_the_goals_as_they_are_when_it_runs() {
    let mut organization = Organization::of_ivy();
    organization.goals = vec![goal(1, "Before")];
    let imported = Imported::new(|path| organization.write(path)).await;
    let ivy = imported.t.client(IVYS_EMAIL);
    let id = imported.create(&ivy, Preset::AllObjectives.guid(imported.organization)).await;
    organization.goals[0].title = "After".to_owned();
    imported.import(|path| organization.write(path));
    assert_same(&imported.run_and_fetch(&ivy, &id).await, &imported.oracle().csv(IVY, |_| true));
}
