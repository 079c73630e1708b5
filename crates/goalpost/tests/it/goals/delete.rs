use goalpost::goals::record::{Column, List};
use goalpost::goals::write::delete::{Below, delete};
use goalpost::goals::write::{GoalError, Written};

use super::{ILSE, ORGANIZATION, deed, ints, key_result, made, objective, percent, refused, server, text};
use crate::checkins::value;
use crate::imports::Server;

fn gone(server: &Server, goal: i64, below: Below) -> Result<Written, GoalError> {
    deed(server, |tx| delete(tx, ORGANIZATION, Some(ILSE), goal, below))
}

#[test]
fn a_goal_goes_with_what_was_said_on_it_and_those_above_are_counted_anew() {
    let server = server();
    let above = made(&server, &objective("Trees"));
    let [stays, goes] = [20.0, 80.0].map(|percent| {
        let goal = made(&server, &key_result("A part").below(above));
        value(&server, goal, percent);
        goal
    });
    assert_eq!(percent(&server, above), Some(50.0));
    assert_eq!(gone(&server, goes, Below::None).expect("nothing is below it").also_changed, [above]);
    assert_eq!(percent(&server, above), Some(20.0));
    for (table, key) in [("goal", "id"), ("goal_parent", "goal"), ("checkin", "goal")] {
        let count = |table: &str| {
            server.count(&format!("select count(*) from {table} where organization = ?1 and {key} = {goes}"))
        };
        assert_eq!(count(table), 0, "{table}");
        assert!(count(&format!("{table}_history")) > 0, "{table}");
    }
    refused(&server, &format!("there is no goal {goes}"), || gone(&server, goes, Below::None));
    assert_eq!(ints(&server, stays, List::Parents), [above]);
}

#[test]
fn a_goal_with_goals_below_it_goes_only_if_they_may_stay_alone() {
    let server = server();
    refused(&server, "1 goals are aligned to goal 100", || gone(&server, 100, Below::None));
    assert_eq!(gone(&server, 100, Below::Stays).expect("they stay").also_changed, [101]);
    assert_eq!(ints(&server, 101, List::Parents), Vec::<i64>::new());
    assert_eq!(server.count("select count(*) from comment where organization = ?1"), 0);
    assert_eq!(server.count("select count(*) from comment_history where organization = ?1"), 1);
    // A file that holds it brings it back, but not the alignment, which was changed here.
    server.import(&crate::imports::Company::small());
    assert_eq!(text(&server, 100, Column::Title), "Healthy trees");
    assert_eq!(ints(&server, 101, List::Parents), Vec::<i64>::new());
}
