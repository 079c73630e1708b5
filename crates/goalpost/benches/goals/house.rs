//! Goals to measure with: in threes, each with an owner, a team, a period and a check-in.

use std::time::Duration;

use goalpost::goals::Origin;
use goalpost::goals::record::{Column, GoalRecord, List, NewGoals};
use goalpost::ids::OrganizationNumber;
use goalpost::orgs::queries::raise_revision;
use goalpost_db::{Db, Error, Value, params};

pub(crate) const WAIT: Duration = Duration::from_mins(5);
/// Goals that one person owns, and that one team shares.
pub(crate) const PEOPLE: i64 = 2_000;
pub(crate) const TEAMS: i64 = 500;
pub(crate) const PERIODS: i64 = 40;

/// Put `count` goals into an organization, numbered from 1, as one revision.
pub(crate) fn fill(db: &Db, house: OrganizationNumber, count: i64) -> Result<(), Error> {
    db.write_alone(house, WAIT, |tx| {
        let revision = raise_revision(tx, house, None, "import")?;
        let mut new = NewGoals::default();
        for id in 1..=count {
            let mut goal = GoalRecord::new(id, Origin::File);
            goal.set(Column::ObjectType, if id % 3 == 0 { "objective" } else { "keyResult" });
            let status =
                ["On Track", "On Track", "Behind", "Behind", "Closed", "Not Started"][id as usize % 6];
            goal.set(Column::Status, if id % 1_000 == 1 { "At Risk" } else { status });
            goal.set(Column::Title, format!("Goal {id} of a good many"));
            goal.set(Column::Description, "d".repeat(200));
            goal.set(Column::Period, id % PERIODS);
            goal.set(Column::Restricted, id % 50 == 0);
            goal.set(Column::CheckinCount, 1_i64);
            goal.list_mut(List::Owners).push(Value::Int(id % PEOPLE));
            goal.list_mut(List::Teams).push(Value::Int(id % TEAMS));
            if id % 3 != 0 {
                goal.list_mut(List::Parents).extend([
                    Value::Int(id / 3 * 3),
                    Value::Null,
                    Value::Bool(false),
                ]);
            }
            goal.derive();
            new.push(house, revision, goal);
            if id % 1_000 == 0 {
                new.insert(tx)?;
            }
        }
        new.insert(tx)?;
        tx.execute(
            "-- bench::check_ins
            insert into checkin (organization, goal, id, revision, as_of_at, recorded_at, status, value)
            select organization, id, id, ?2, 0, 0, 'On Track', 100 from goal where organization = ?1",
            params![house, revision],
        )?;
        Ok(())
    })
}
