//! Chance that falls the same everywhere: `SplitMix64`, so that a seed gives the same sample with every
//! release of every library.

/// What dice are thrown for. Each purpose has throws of its own, so that a change to one part leaves the
/// others alone.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    User,
    Team,
    Family,
    GoalId,
    Title,
    Label,
    Facts,
    Goal,
    Tasks,
    CheckIns,
    Comments,
}

/// A source of numbers for one purpose and one thing: the same three numbers always throw the same dice, so a
/// goal's facts can be had again without being kept.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mut dice = Self(seed ^ ((purpose as u64) << 32));
        let mixed = dice.next();
        Self(mixed ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number from `first` to `last`, both included.
    pub(crate) fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    /// True this many times in a thousand.
    pub(crate) fn permille(&mut self, times: u64) -> bool {
        self.below(1000) < times
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len() as u64) as usize]
    }

    /// One of the items, each as often as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, items: &[(u64, T)]) -> T {
        let mut at = self.below(items.iter().map(|(weight, _)| weight).sum());
        for &(weight, item) in items {
            if at < weight {
                return item;
            }
            at -= weight;
        }
        unreachable!("the number is below the sum of the weights")
    }
}
