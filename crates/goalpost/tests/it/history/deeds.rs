//! Whatever people may do to goals, by chance.

use goalpost::goals::Origin;
use goalpost::goals::checkin::{CheckInError, NewCheckIn, check_in};
use goalpost::goals::edit::{EditError, Field, change_field};
use goalpost::goals::ending::{Ending, EndingError, close, reopen};
use goalpost::goals::record::{Column, GoalRecord, List};
use goalpost::ids::{OrganizationNumber, PersonNumber};
use goalpost::orgs::queries::{mint_numbers, raise_revision};
use goalpost_db::{Error, Tx, Value, params};

/// Numbers that look random and are the same for the same seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// One of `0..sides`.
    pub(super) fn roll(&mut self, sides: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as i64
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len() as i64) as usize]
    }

    fn some(&mut self, sides: i64) -> Vec<i64> {
        (0..self.roll(4)).map(|_| 1 + self.roll(sides)).collect()
    }
}

/// Why a deed was not done: it was refused, or the database failed.
#[derive(Debug)]
pub(super) enum Undone {
    Refused,
    Failed(Error),
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

macro_rules! refused {
    ($($error:ident),*) => {$(
        impl From<$error> for Undone {
            fn from(error: $error) -> Self {
                match error {
                    $error::Database(error) => Self::Failed(error),
                    _ => Self::Refused,
                }
            }
        }
    )*};
}

refused!(EditError, CheckInError, EndingError);

const WORDS: [&str; 6] = ["Ship 100 crates", "snake_case", "ÄRZTE", "Goal #3", "Plant a hedge", "17"];
const STATUSES: [&str; 5] = ["Not Started", "On Track", "Behind", "At Risk", "Postponed"];
const DAYS: [&str; 4] = ["2026-02-20", "2026-02-28", "2026-03-02", "2026-03-09"];

/// Do something to a goal, as a change of the organization of its own.
pub(super) fn deed(tx: &Tx<'_>, house: OrganizationNumber, dice: &mut Dice) -> Result<(), Undone> {
    let actor = Some(PersonNumber(1 + dice.roll(5)));
    let goals: Vec<i64> =
        tx.query("select id from goal where organization = ?1 order by id", params![house], |row| {
            row.int(0)
        })?;
    let kind = if goals.is_empty() { 0 } else { dice.roll(20) };
    let goal = goals.get(dice.roll(goals.len().max(1) as i64) as usize).copied().unwrap_or_default();
    match kind {
        17 => {
            let value = Some(dice.roll(120) as f64);
            let new =
                NewCheckIn { goal, value, note: Some("So it goes".to_owned()), ..NewCheckIn::default() };
            check_in(tx, house, actor, &new)?;
        }
        18 => {
            close(tx, house, actor, &Ending { goal, ..Ending::default() })?;
        }
        19 => {
            reopen(tx, house, actor, &Ending { goal, ..Ending::default() })?;
        }
        _ => {
            let revision = raise_revision(tx, house, actor, "deed")?;
            match kind {
                0 | 1 => drop(create(tx, house, revision, &goals, dice)?),
                2 => remove(tx, house, revision, goal)?,
                3..=5 => comment(tx, house, revision, goal, dice)?,
                6 | 7 => {
                    let restricted = [Value::Bool(dice.roll(2) == 0)];
                    change_field(tx, house, goal, revision, Field::Column(Column::Restricted), &restricted)?;
                }
                _ => edit(tx, house, revision, goal, &goals, dice)?,
            }
        }
    }
    Ok(())
}

/// Make a goal; its number.
pub(super) fn create(
    tx: &Tx<'_>,
    house: OrganizationNumber,
    revision: i64,
    goals: &[i64],
    dice: &mut Dice,
) -> Result<i64, Error> {
    let id = mint_numbers(tx, house, 1)?;
    // Now and then only a mention of it is known.
    let origin = if dice.roll(8) == 0 { Origin::Reference } else { Origin::Local };
    let mut goal = GoalRecord::new(id, origin);
    goal.set(Column::ObjectType, dice.one(&["objective", "keyResult", "initiative"]));
    goal.set(Column::TypeLabel, "Objective");
    goal.set(Column::Status, dice.one(&STATUSES));
    goal.set(Column::Title, dice.one(&WORDS));
    goal.set(Column::Restricted, dice.roll(3) == 0);
    goal.set(Column::Creator, 1 + dice.roll(5));
    goal.set(Column::EndDate, dice.one(&DAYS));
    goal.derive();
    for &list in List::ALL {
        *goal.list_mut(list) = entries(list, goals, dice);
    }
    goal.write(tx, house, revision, None)?;
    Ok(id)
}

fn edit(
    tx: &Tx<'_>,
    house: OrganizationNumber,
    revision: i64,
    goal: i64,
    goals: &[i64],
    dice: &mut Dice,
) -> Result<(), Undone> {
    let at = dice.roll(14) as usize;
    if let Some(&list) = List::ALL.get(at) {
        let value = entries(list, goals, dice);
        return Ok(change_field(tx, house, goal, revision, Field::List(list), &value)?);
    }
    let (column, value) = match at {
        8 => (Column::Status, dice.one(&STATUSES).into()),
        9 => (Column::Title, dice.one(&WORDS).into()),
        10 => (Column::EndDate, dice.one(&DAYS).into()),
        11 => (Column::Progress, (dice.roll(120) as f64).into()),
        12 => (Column::Period, (1 + dice.roll(4)).into()),
        _ => (Column::Delegate, (1 + dice.roll(5)).into()),
    };
    Ok(change_field(tx, house, goal, revision, Field::Column(column), &[value])?)
}

/// Some entries of a list.
fn entries(list: List, goals: &[i64], dice: &mut Dice) -> Vec<Value> {
    match list {
        List::Owners | List::CheckinOwners | List::Viewers | List::Teams => {
            dice.some(5).into_iter().map(Value::Int).collect()
        }
        List::Tags => dice.some(3).into_iter().map(Value::Int).collect(),
        List::Parents if goals.is_empty() => Vec::new(),
        List::Parents => {
            let parents = dice.some(goals.len() as i64).into_iter().map(|at| goals[at as usize - 1]);
            parents.flat_map(|parent| [parent.into(), Value::Real(50.0), false.into()]).collect()
        }
        List::PhasedTargets => dice
            .some(9)
            .into_iter()
            .flat_map(|value| [Value::Real(value as f64), "2026-03-01".into()])
            .collect(),
        List::Tasks => {
            let task = |id| [Value::Int(id), "Buy ladders".into(), Value::Null, "Open".into(), Value::Null];
            dice.some(9).into_iter().flat_map(task).collect()
        }
    }
}

/// Take a goal away, with its check-ins and comments.
pub(super) fn remove(tx: &Tx<'_>, house: OrganizationNumber, revision: i64, goal: i64) -> Result<(), Error> {
    for table in ["checkin", "comment"] {
        let ids: Vec<i64> = tx.query(
            &format!("select id from {table} where organization = ?1 and goal = ?2"),
            params![house, goal],
            |row| row.int(0),
        )?;
        for id in ids {
            retire(tx, house, revision, table, id)?;
            tx.execute(
                &format!("delete from {table} where organization = ?1 and id = ?2"),
                params![house, id],
            )?;
        }
    }
    match GoalRecord::read(tx, house, &[goal])?.remove(&goal) {
        Some(present) => present.remove(tx, house, revision),
        None => Ok(()),
    }
}

/// Keep the row of a check-in or a comment as it is.
fn retire(tx: &Tx<'_>, house: OrganizationNumber, revision: i64, table: &str, id: i64) -> Result<(), Error> {
    let columns = match table {
        "checkin" => "as_of_at, recorded_at, owner, status, value, metric_name, note, note_html",
        _ => "author, created_at, text",
    };
    tx.execute(
        &format!(
            "insert into {table}_history (organization, goal, id, revision, {columns}, until)
             select organization, goal, id, revision, {columns}, ?3 from {table} where organization = ?1 and id = ?2"
        ),
        params![house, id, revision],
    )?;
    Ok(())
}

/// Comment on a goal, or change or take back what was said first in a comment or a check-in.
fn comment(
    tx: &Tx<'_>,
    house: OrganizationNumber,
    revision: i64,
    goal: i64,
    dice: &mut Dice,
) -> Result<(), Error> {
    let table = dice.one(&["checkin", "comment"]);
    let first = tx.query_opt(
        &format!("select id from {table} where organization = ?1 order by id limit 1"),
        params![house],
        |row| row.int(0),
    )?;
    match (dice.roll(4), first) {
        (0, Some(id)) => {
            retire(tx, house, revision, table, id)?;
            tx.execute(
                &format!("delete from {table} where organization = ?1 and id = ?2"),
                params![house, id],
            )?;
        }
        (1, Some(id)) => {
            let text = if table == "comment" { "text" } else { "note" };
            retire(tx, house, revision, table, id)?;
            tx.execute(
                &format!("update {table} set {text} = ?3, revision = ?4 where organization = ?1 and id = ?2"),
                params![house, id, dice.one(&WORDS), revision],
            )?;
        }
        _ => {
            let id = mint_numbers(tx, house, 1)?;
            tx.execute(
                "insert into comment (organization, goal, id, revision, author, created_at, text)
                 values (?1, ?2, ?3, ?4, 1, 0, ?5)",
                params![house, goal, id, revision, dice.one(&WORDS)],
            )?;
        }
    }
    Ok(())
}
