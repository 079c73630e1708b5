use goalpost::goals::record::{Column, List};
use goalpost::goals::write::align::{Alignment, align};
use goalpost::goals::write::fields::{Patch, Visibility};
use goalpost::ids::PersonNumber;
use goalpost_db::Value;

use super::{
    BO, ILSE, ORGANIZATION, changed, deed, ints, key_result, made, objective, record, refused, server,
};
use crate::imports::Server;

fn restrict(server: &Server, goal: i64, viewers: Vec<PersonNumber>) -> Vec<i64> {
    let patch = Patch { visibility: Some(Visibility::Only(viewers)), ..Patch::default() };
    changed(server, goal, &patch).also_changed
}

fn is_restricted(server: &Server, goal: i64) -> bool {
    record(server, goal).get(Column::Restricted) == &Value::Bool(true)
}

fn below(server: &Server, goal: i64, parent: i64) -> Result<(), goalpost::goals::write::GoalError> {
    let alignment = Alignment { parent, weight: None };
    deed(server, |tx| align(tx, ORGANIZATION, None, goal, &alignment)).map(|_| ())
}

#[test]
fn what_few_may_see_is_not_below_what_all_see() {
    let server = server();
    let open = made(&server, &objective("Open"));
    let secret = made(&server, &objective("Secret").only_for(vec![BO]));
    let words = format!(
        "goal {secret} is restricted and goal {open} is not: what few may see is not part of what all see"
    );
    refused(&server, &words, || below(&server, secret, open));
    // The other way round, everybody sees the one below.
    below(&server, open, secret).expect("an open one below");
    assert!(!is_restricted(&server, open));
}

#[test]
fn a_goal_that_becomes_restricted_leaves_the_open_ones_above_it() {
    let server = server();
    let secret = made(&server, &objective("Secret").only_for(Vec::new()));
    let open = made(&server, &objective("Open"));
    let goal = made(&server, &objective("Between").below(secret).below(open));
    restrict(&server, goal, vec![BO]);
    assert_eq!(ints(&server, goal, List::Parents), [secret]);
    assert_eq!(ints(&server, goal, List::Viewers), [BO.0]);
}

#[test]
fn key_results_are_as_visible_as_their_objective() {
    let server = server();
    let above = made(&server, &objective("Secret"));
    changed(&server, above, &Patch { owners: Some(vec![ILSE]), ..Patch::default() });
    let first = made(&server, &key_result("First").below(above));
    let deeper = made(&server, &key_result("Deeper").below(first));
    let beside = made(&server, &objective("Beside").below(above));
    assert_eq!(restrict(&server, above, vec![BO]), [first, deeper]);
    assert!(is_restricted(&server, deeper) && !is_restricted(&server, beside));
    assert_eq!(ints(&server, first, List::Viewers), [ILSE.0, BO.0]);
    // A later one too, which then is below this one alone.
    let later = made(&server, &key_result("Later").below(above));
    assert!(is_restricted(&server, later));
    let other = made(&server, &objective("Other").only_for(Vec::new()));
    let words = format!("goal {later} is a key result of a restricted goal, and is aligned to that alone");
    refused(&server, &words, || below(&server, later, other));
    changed(&server, above, &Patch { visibility: Some(Visibility::Everyone), ..Patch::default() });
    for goal in [above, first, deeper, later] {
        assert!(!is_restricted(&server, goal), "{goal}");
    }
}
