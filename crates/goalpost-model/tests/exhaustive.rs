//! Every state of the model holds what is promised, and without any one of its guards some state does not.

use std::thread::available_parallelism;

use goalpost_model::{Guard, Life};
use stateright::{Checker, Expectation, HasDiscoveries, Model as _};

/// Go through the states of a model, to the end or to the first promise that breaks.
fn check(life: Life) -> impl Checker<Life> {
    let threads = available_parallelism().map_or(1, usize::from);
    life.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join()
}

#[test]
fn r29_every_reachable_state_holds_the_promises() {
    let checked = check(Life::default());
    checked.assert_properties();
    assert!(checked.is_done());
    println!("{} states, {} steps deep", checked.unique_state_count(), checked.max_depth());
}

#[test]
fn r29_no_guard_is_there_for_nothing() {
    let broken = Guard::ALL.map(|guard| {
        let checked = check(Life { without: Some(guard) });
        let discovered = checked.discoveries();
        let properties = Life::default().properties();
        let broken: Vec<_> = properties
            .iter()
            .filter(|property| property.expectation == Expectation::Always)
            .filter_map(|property| Some((property.name, discovered.get(property.name)?)))
            .map(|(name, path)| format!("{name} ({} steps)", path.clone().into_actions().len()))
            .collect();
        println!("without {guard:?}: {}", broken.join("; "));
        (guard, broken)
    });
    let idle: Vec<_> =
        broken.iter().filter(|(_, broken)| broken.is_empty()).map(|(guard, _)| guard).collect();
    assert!(idle.is_empty(), "nothing breaks without {idle:?}");
}
