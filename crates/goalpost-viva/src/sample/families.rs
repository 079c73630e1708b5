//! How goals hang together: in families of at most 48, in which a parent always stands before its children.
//!
//! A family is thrown by its index alone, so no goal needs to be remembered however many there are, and no
//! circle can come about.

use crate::sample::dice::{Dice, Purpose};

/// Goals of one family.
pub(crate) const SIZE: u64 = 48;

/// The deepest goal; a root has depth 0.
pub(crate) const DEPTH: u32 = 12;

/// What a goal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Objective,
    KeyResult,
    Initiative,
}

/// One goal's place in its family.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) kind: Kind,
    /// Places of the parents, each smaller than the goal's own.
    pub(crate) parents: Vec<usize>,
    depth: u32,
}

/// The places of a family that has `size` goals.
pub(crate) fn family(seed: u64, index: u64, size: usize) -> Vec<Place> {
    let mut dice = Dice::new(seed, Purpose::Family, index);
    let is_deep = dice.permille(150);
    let mut places: Vec<Place> = Vec::with_capacity(size);
    for at in 0..size {
        let kind = match at {
            0 => Kind::Objective,
            _ => dice.weighted(&[(720, Kind::KeyResult), (210, Kind::Objective), (70, Kind::Initiative)]),
        };
        // One in nine stands alone; in a deep family nearly every goal hangs below the one before.
        let parents = if at == 0 || dice.permille(110) {
            Vec::new()
        } else if is_deep && dice.permille(700) {
            above(&places, at - 1).into_iter().collect()
        } else {
            let wanted = dice.weighted(&[(970, 1), (24, 2), (5, 3), (1, 10)]);
            let mut parents: Vec<usize> = Vec::new();
            for _ in 0..wanted {
                let found = above(&places, dice.below(at as u64) as usize);
                parents.extend(found.filter(|place| !parents.contains(place)));
            }
            parents
        };
        let depth = parents.iter().map(|&parent| places[parent].depth + 1).max().unwrap_or(0);
        places.push(Place { kind, parents, depth });
    }
    places
}

/// The goal at `from`, or the next one before it, under which another may hang: not an initiative, and not
/// too deep.
fn above(places: &[Place], from: usize) -> Option<usize> {
    (0..=from).rev().find(|&at| places[at].kind != Kind::Initiative && places[at].depth < DEPTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_reach_the_full_depth_and_never_exceed_it() {
        let families: Vec<_> = (0..200).map(|index| family(1, index, SIZE as usize)).collect();
        let depths = families.iter().flatten().map(|place| place.depth);
        assert_eq!(depths.max(), Some(DEPTH));
    }

    #[test]
    fn parents_stand_before_their_children() {
        for index in 0..200 {
            for (at, place) in family(2, index, SIZE as usize).iter().enumerate() {
                assert!(place.parents.iter().all(|&parent| parent < at));
            }
        }
    }

    #[test]
    fn some_goals_have_ten_parents() {
        let places = (0..2000).flat_map(|index| family(3, index, SIZE as usize));
        assert!(places.map(|place| place.parents.len()).max() >= Some(8));
    }
}
