//! An organization as the reference evaluator knows it, and the same as rows.

use std::collections::BTreeSet;
use std::time::Duration;

use goalpost::goals::filter::{Condition, OBJECT_TYPES, STATUSES, Subject};
use goalpost::ids::{OrganizationNumber, PersonNumber, fold};
use goalpost_db::{Db, Error, Scope, Tx, Value, params};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) const TODAY: Date = date(2026, 3, 1);
/// The first moment of [`TODAY`].
const TODAY_US: i64 = 1_772_323_200_000_000;
const DAY_US: i64 = 86_400_000_000;

/// A goal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Goal {
    pub(crate) id: i64,
    pub(crate) reference: bool,
    pub(crate) restricted: bool,
    pub(crate) object_type: &'static str,
    pub(crate) status: &'static str,
    pub(crate) title: &'static str,
    pub(crate) description: Option<&'static str>,
    pub(crate) period: Option<i64>,
    pub(crate) creator: Option<i64>,
    pub(crate) delegate: Option<i64>,
    pub(crate) start: Option<Date>,
    pub(crate) due: Option<Date>,
    pub(crate) check_in: Option<Date>,
    pub(crate) created: Option<i64>,
    pub(crate) updated: Option<i64>,
    pub(crate) percent: Option<f64>,
    pub(crate) value: Option<f64>,
    pub(crate) score: Option<f64>,
    pub(crate) priority: Option<i64>,
    pub(crate) integration: Option<&'static str>,
    pub(crate) owners: Vec<i64>,
    pub(crate) checkin_owners: Vec<i64>,
    pub(crate) viewers: Vec<i64>,
    pub(crate) teams: Vec<i64>,
    pub(crate) tags: Vec<i64>,
    pub(crate) parents: Vec<i64>,
}

pub(crate) const PEOPLE: [(i64, &str); 5] = [
    (1, "ada.quill@contoso.example"),
    (2, "bela.stone@contoso.example"),
    (3, "Chidi.Ölund@contoso.example"),
    (4, "dara.moss@contoso.example"),
    (5, "edo.finch@contoso.example"),
];
/// Names of [`PEOPLE`], in another order than their numbers; two share one.
pub(crate) const NAMES: [&str; 5] = ["Öz Quill", "bela Stone", "Ada Ölund", "Bela Stone", "Edo Finch"];
/// Names stand for everything that bears them: two teams share one.
pub(crate) const TEAMS: [(i64, &str, &str); 5] = [
    (1, "Orchard", "Classic"),
    (2, "orchard", "Project"),
    (3, "Kites & Co", "Classic"),
    (4, "Harvest", "Department"),
    (5, "Press", "Project"),
];
pub(crate) const TAGS: [(i64, &str); 3] = [(1, "Pilot"), (2, "100 %"), (3, "pilot")];
pub(crate) const TITLES: [&str; 6] = [
    "Ship 100% of Crates",
    "Ship 100 crates",
    "snake_case",
    "snakeXcase",
    "Back\\slash ÄRZTE",
    "Goal #3 of 17",
];
const DESCRIPTIONS: [&str; 5] = ["", "SHIP the Öl of 7 Ärzte", "100% äRZTE\\", "snake_case", "Crates"];
pub(crate) const INTEGRATIONS: [&str; 3] = ["", "Excel Online", "Jira"];
pub(crate) const PERIOD_NAMES: [&str; 3] = ["Q1 2026", "q1 2026", "Annual 2026"];

/// A time period: its number, its name and its days.
pub(crate) type Period = (i64, &'static str, Option<(Date, Date)>);

/// An organization.
#[derive(Clone, Debug, Default)]
pub(crate) struct House {
    pub(crate) goals: Vec<Goal>,
    /// The manager of each person, in the order of [`PEOPLE`].
    pub(crate) managers: Vec<Option<i64>>,
    /// The team above each team, in the order of [`TEAMS`].
    pub(crate) above_teams: Vec<Option<i64>>,
    pub(crate) periods: Vec<Period>,
}

pub(crate) fn subject(house: i64, me: Option<i64>, today: Date) -> Subject {
    Subject { organization: OrganizationNumber(house), person: me.map(PersonNumber), today }
}

fn write_goal(tx: &Tx<'_>, house: i64, goal: &Goal) -> Result<(), Error> {
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    tx.execute(
        "insert into goal (organization, id, revision, origin, object_type, type_label, status, period, creator,
            delegate, start_date, end_date, last_checkin_date, created_at, updated_at, checkin_count, restricted,
            goal_type, outcome_type, progress, progress_percent, score, priority, data_source, phased, title,
            title_fold, description)
        values (?1, ?2, 1, ?3, ?4, 'Objective', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, ?14, '', '', ?15, ?16,
            ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
        params![
            house,
            goal.id,
            if goal.reference { "reference" } else { "file" },
            goal.object_type,
            goal.status,
            goal.period,
            goal.creator,
            goal.delegate,
            day(goal.start),
            day(goal.due),
            day(goal.check_in),
            goal.created,
            goal.updated,
            goal.restricted,
            goal.value,
            goal.percent,
            goal.score,
            goal.priority,
            goal.integration,
            false,
            goal.title,
            fold(goal.title),
            goal.description,
        ],
    )?;
    for (table, column, linked) in [
        ("goal_owner", "person", &goal.owners),
        ("goal_checkin_owner", "person", &goal.checkin_owners),
        ("goal_viewer", "person", &goal.viewers),
        ("goal_team", "team", &goal.teams),
        ("goal_tag", "tag", &goal.tags),
    ] {
        let sql = format!(
            "insert into {table} (organization, goal, position, revision, {column}) values (?1, ?2, ?3, 1, ?4)"
        );
        for (position, number) in linked.iter().enumerate() {
            tx.execute(&sql, params![house, goal.id, position, *number])?;
        }
    }
    for (position, parent) in goal.parents.iter().enumerate() {
        tx.execute(
            "insert into goal_parent (organization, goal, position, revision, parent, weight, fixed)
            values (?1, ?2, ?3, 1, ?4, null, ?5)",
            params![house, goal.id, position, *parent, false],
        )?;
    }
    Ok(())
}

impl House {
    /// Only these goals, and nobody above anybody.
    pub(crate) fn of(goals: &[Goal]) -> Self {
        Self {
            goals: goals.to_vec(),
            managers: vec![None; PEOPLE.len()],
            above_teams: vec![None; TEAMS.len()],
            periods: Vec::new(),
        }
    }

    /// Write it under this number. Others may be there, with the same numbers of everything else; none of theirs must
    /// ever be found.
    pub(crate) fn write(&self, db: &Db, house: i64) -> Result<(), Error> {
        db.write_alone(Scope::Organization(house), Duration::from_secs(5), |tx| {
            for (((number, email), name), manager) in PEOPLE.into_iter().zip(NAMES).zip(&self.managers) {
                tx.execute(
                    "insert into person (organization, id, guid, name, name_fold, email, email_fold, role, source,
                        member_type, status, manager, origin)
                    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, '', '', '', 'active', ?8, 'file')",
                    params![house, number, [number as u8; 16], name, fold(name), email, fold(email), *manager],
                )?;
            }
            for (number, name) in TAGS {
                tx.execute(
                    "insert into tag (organization, id, name, name_fold, origin) values (?1, ?2, ?3, ?4, 'file')",
                    params![house, number, name, fold(name)],
                )?;
            }
            for (number, name, days) in &self.periods {
                let (first, last) = days.map(|(first, last)| (first.to_string(), last.to_string())).unzip();
                tx.execute(
                    "insert into period (organization, id, name, name_fold, start_date, end_date, origin)
                    values (?1, ?2, ?3, ?4, ?5, ?6, 'file')",
                    params![house, *number, *name, fold(name), first, last],
                )?;
            }
            for ((number, name, team_type), above) in TEAMS.into_iter().zip(&self.above_teams) {
                tx.execute(
                    "insert into team (organization, id, name, name_fold, team_type, status, parent, origin)
                    values (?1, ?2, ?3, ?4, ?5, 'Archived', ?6, 'file')",
                    params![house, number, name, fold(name), team_type, *above],
                )?;
            }
            self.goals.iter().try_for_each(|goal| write_goal(tx, house, goal))
        })
    }

    /// The goals for which `test` says yes.
    pub(crate) fn expected(&self, test: impl Fn(&Goal) -> bool) -> BTreeSet<i64> {
        self.goals.iter().filter(|goal| test(goal)).map(|goal| goal.id).collect()
    }
}

/// The ids of the goals that a condition holds. Its parameters begin at the third.
pub(crate) fn found(db: &Db, house: i64, condition: Condition) -> BTreeSet<i64> {
    let sql =
        format!("select g.id from goal g where g.organization = ?1 and g.id > ?2 and {}", condition.sql);
    let mut params = vec![Value::Int(house), Value::Int(0)];
    params.extend(condition.params);
    let ids = db.snapshot(Scope::Organization(house), |tx| tx.query(&sql, &params, |row| row.int(0)));
    ids.unwrap_or_else(|error: Error| panic!("{error}: {sql}")).into_iter().collect()
}

pub(crate) fn day_near_today() -> impl Strategy<Value = Date> + Clone {
    (-20_i64..20).prop_map(|days| TODAY.saturating_add(days.days()))
}

/// Midnights are met too.
pub(crate) fn moment_near_today() -> impl Strategy<Value = i64> + Clone {
    let of_day = select(&[0, 1, DAY_US / 3, DAY_US - 1][..]);
    (-20_i64..20, of_day).prop_map(|(days, us)| TODAY_US + days * DAY_US + us)
}

fn some_of(count: i64) -> impl Strategy<Value = Vec<i64>> {
    vec(1..=count, 0..3)
}

fn number() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(select(&[-10.0, 0.0, 33.5, 50.0, 100.0, 275.0][..]))
}

prop_compose! {
    fn any_goal()(
        (reference, restricted) in (prop::bool::weighted(0.1), prop::bool::weighted(0.3)),
        object_type in select(&OBJECT_TYPES[..]),
        status in select(&STATUSES[..]),
        (title, description) in (select(&TITLES[..]), prop::option::of(select(&DESCRIPTIONS[..]))),
        (period, priority) in (prop::option::of(1_i64..=8), prop::option::of(1_i64..4)),
        (creator, delegate) in (prop::option::of(1_i64..4), prop::option::of(1_i64..=5)),
        (start, due) in (prop::option::of(day_near_today()), prop::option::of(day_near_today())),
        check_in in prop::option::of(day_near_today()),
        (created, updated) in (prop::option::of(moment_near_today()), prop::option::of(moment_near_today())),
        (percent, value, score) in (number(), number(), number()),
        integration in prop::option::of(select(&INTEGRATIONS[..])),
        (owners, checkin_owners, viewers) in (some_of(5), some_of(3), some_of(3)),
        (teams, tags, parents) in (some_of(5), some_of(3), some_of(20)),
    ) -> Goal {
        Goal {
            id: 0, reference, restricted, object_type, status, title, description, period, creator, delegate, start,
            due, check_in, created, updated, percent, value, score, priority, integration, owners, checkin_owners,
            viewers, teams, tags, parents,
        }
    }
}

fn any_period() -> impl Strategy<Value = (&'static str, Option<(Date, Date)>)> {
    let loose = (-130_i64..130, select(&[1_i64, 7, 28, 31, 90, 92, 365][..])).prop_map(|(first, length)| {
        let first = TODAY.saturating_add(first.days());
        (first, first.saturating_add((length - 1).days()))
    });
    // Some that adjoin each other, as calendars have them.
    let quarter = (0_i64..5).prop_map(|quarter| {
        let first = date(2025, 10, 1).saturating_add((quarter * 3).months());
        (first, first.saturating_add(3.months()).saturating_sub(1.day()))
    });
    (select(&PERIOD_NAMES[..]), prop::option::weighted(0.9, prop_oneof![loose, quarter]))
}

/// Who is above whom, in circles too.
fn above(count: usize) -> impl Strategy<Value = Vec<Option<i64>>> {
    vec(prop::option::of(1..=count as i64), count)
}

pub(crate) fn any_house() -> impl Strategy<Value = House> {
    let goals = vec(any_goal(), 20);
    (goals, above(PEOPLE.len()), above(TEAMS.len()), vec(any_period(), 8)).prop_map(
        |(goals, managers, above_teams, periods)| House {
            goals: (1..).zip(goals).map(|(id, goal)| Goal { id, ..goal }).collect(),
            managers,
            above_teams,
            periods: (1..).zip(periods).map(|(id, (name, days))| (id, name, days)).collect(),
        },
    )
}

/// Who looks, and on which day.
pub(crate) fn any_reader() -> impl Strategy<Value = (Option<i64>, Date)> {
    let other_day = (-100_i64..100).prop_map(|days| TODAY.saturating_add(days.days()));
    (prop::option::of(1_i64..=5), prop_oneof![3 => Just(TODAY), 1 => other_day])
}
