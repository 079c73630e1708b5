//! Which goals have which parents, and whether any goal is its own ancestor.

use crate::ids::Ids;

/// Parents by goal, noted in one pass over the goals in some eight bytes each: for five million goals there
/// is no room for a map.
#[derive(Debug, Default)]
pub(crate) struct Hierarchy {
    /// Per goal that has parents: its id, how many, and theirs, each as the difference to an id before it.
    log: Vec<u8>,
    last: i64,
    children: Ids,
    parents: Ids,
    edges: usize,
}

/// A circle of goals.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Circle {
    /// The first ids on it, each followed by its parent.
    pub(crate) ids: Vec<i64>,
    pub(crate) length: usize,
}

impl Hierarchy {
    /// The largest count of parents that all goals together may name: two for each of five million.
    pub(crate) const EDGES: usize = 10_000_000;

    pub(crate) fn add(&mut self, goal: i64, parents: &[i64]) {
        self.edges += parents.len();
        if parents.is_empty() || self.has_too_many_edges() {
            return;
        }
        self.children.insert(goal);
        push_difference(&mut self.log, self.last, goal);
        push_varint(&mut self.log, parents.len() as u64);
        for &parent in parents {
            self.parents.insert(parent);
            push_difference(&mut self.log, goal, parent);
        }
        self.last = goal;
    }

    /// Every id that a goal names as a parent.
    pub(crate) fn parents(&self) -> &Ids {
        &self.parents
    }

    /// Whether goals were left out because the others name all the parents that are taken.
    pub(crate) fn has_too_many_edges(&self) -> bool {
        self.edges > Self::EDGES
    }

    /// Follows every goal up to its roots, without recursion, and gives at most `limit` of the circles it
    /// meets and the count of the others.
    pub(crate) fn circles(&self, limit: usize) -> (Vec<Circle>, u64) {
        // Only goals that have a parent and are one can be on a circle: leaves, most of the file, drop out.
        let inner: Vec<u64> = (self.children.set() & self.parents.set()).iter().collect();
        let mut edges = self.edges_among(&inner);
        edges.sort_unstable();
        let first_edge = |node: u32| edges.partition_point(|&(child, _)| child < node);

        let mut circles = (Vec::new(), 0);
        let mut states = vec![State::Unseen; inner.len()];
        let mut path: Vec<(u32, usize)> = Vec::new();
        for start in 0..inner.len() as u32 {
            if states[start as usize] != State::Unseen {
                continue;
            }
            states[start as usize] = State::OnPath;
            path.push((start, first_edge(start)));
            while let Some((node, edge)) = path.last_mut() {
                let Some(&(_, parent)) = edges.get(*edge).filter(|(child, _)| child == node) else {
                    states[*node as usize] = State::Done;
                    path.pop();
                    continue;
                };
                *edge += 1;
                match states[parent as usize] {
                    State::Done => {}
                    State::Unseen => {
                        states[parent as usize] = State::OnPath;
                        path.push((parent, first_edge(parent)));
                    }
                    State::OnPath if circles.0.len() == limit => circles.1 += 1,
                    State::OnPath => circles.0.push(circle(&inner, &path, parent)),
                }
            }
        }
        circles
    }

    /// The edges both ends of which are in `inner`, as indexes of it: child, parent.
    fn edges_among(&self, inner: &[u64]) -> Vec<(u32, u32)> {
        let index = |id: i64| inner.binary_search(&id.cast_unsigned()).ok().map(|index| index as u32);
        let mut edges = Vec::new();
        let mut log = self.log.as_slice();
        let mut last = 0;
        while !log.is_empty() {
            let goal = pull_difference(&mut log, last);
            let child = index(goal);
            for _ in 0..pull_varint(&mut log) {
                let parent = pull_difference(&mut log, goal);
                if let Some(child) = child
                    && let Some(parent) = index(parent)
                {
                    edges.push((child, parent));
                }
            }
            last = goal;
        }
        edges
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    OnPath,
    Done,
}

/// The end of the path, from where it met itself.
fn circle(inner: &[u64], path: &[(u32, usize)], met: u32) -> Circle {
    const SHOWN: usize = 20;
    let from = path.iter().position(|&(node, _)| node == met).unwrap_or_default();
    let ids = path[from..].iter().take(SHOWN).map(|&(node, _)| inner[node as usize].cast_signed());
    Circle { ids: ids.collect(), length: path.len() - from }
}

/// Writes how far `to` lies from `from`, small distances in few bytes on either side.
fn push_difference(log: &mut Vec<u8>, from: i64, to: i64) {
    let difference = to.wrapping_sub(from);
    push_varint(log, ((difference << 1) ^ (difference >> 63)).cast_unsigned());
}

fn pull_difference(log: &mut &[u8], from: i64) -> i64 {
    let folded = pull_varint(log);
    from.wrapping_add((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
}

fn push_varint(log: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        log.push(value as u8 | 0x80);
        value >>= 7;
    }
    log.push(value as u8);
}

fn pull_varint(log: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let Some((&byte, rest)) = log.split_first() else { break };
        *log = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(parents: &[(i64, &[i64])]) -> Vec<Vec<i64>> {
        let mut hierarchy = Hierarchy::default();
        for (goal, parents) in parents {
            hierarchy.add(*goal, parents);
        }
        hierarchy.circles(10).0.into_iter().map(|circle| circle.ids).collect()
    }

    #[test]
    fn trees_and_shared_children_have_no_circle() {
        assert!(circles(&[(1, &[]), (2, &[1]), (3, &[1, 2]), (4, &[3, 2, 1]), (9, &[77])]).is_empty());
    }

    #[test]
    fn a_circle_names_its_goals() {
        assert_eq!(circles(&[(1, &[3]), (2, &[1]), (3, &[2]), (4, &[3])]), [[1, 3, 2]]);
    }

    #[test]
    fn a_goal_that_is_its_own_parent_is_a_circle() {
        assert_eq!(circles(&[(7, &[7])]), [[7]]);
    }

    #[test]
    fn ids_at_the_ends_of_the_range_are_kept_apart() {
        assert_eq!(circles(&[(i64::MAX, &[0]), (0, &[i64::MAX])]), [[0, i64::MAX]]);
    }

    #[test]
    fn a_long_chain_is_followed_without_recursion() {
        let mut hierarchy = Hierarchy::default();
        for goal in 1..300_000 {
            hierarchy.add(goal, &[goal + 1]);
        }
        assert_eq!(hierarchy.circles(10), (Vec::new(), 0));
        hierarchy.add(300_000, &[1]);
        let (found, more) = hierarchy.circles(10);
        assert_eq!((found[0].length, found[0].ids.len(), more), (300_000, 20, 0));
    }

    #[test]
    fn circles_beyond_the_limit_are_counted() {
        let mut hierarchy = Hierarchy::default();
        (1..=30).for_each(|goal| hierarchy.add(goal, &[goal]));
        let (found, more) = hierarchy.circles(10);
        assert_eq!((found.len(), more), (10, 20));
    }
}
