//! Sets of ids that stay small whatever ids a file makes up.

use roaring::RoaringTreemap;

/// A compressed set of ids. Ids of one sequence lie close together and take about a bit to two bytes each;
/// ids thrown all over 63 bits would take two hundred bytes each, so the set stops growing when it meets
/// them.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    set: RoaringTreemap,
    last_page: Option<u64>,
    pages: usize,
}

impl Ids {
    /// Pages of 65,536 ids. All 32-bit ids lie on so many.
    const PAGES: usize = 1 << 16;

    /// Adds an id and says whether it is new. A set that is too wide takes it for new and does not keep it.
    pub(crate) fn insert(&mut self, id: i64) -> bool {
        let id = id.cast_unsigned();
        let page = id >> 16;
        if self.last_page != Some(page) {
            let first = page << 16;
            if self.set.range_cardinality(first..=first | 0xffff) == 0 {
                if self.is_too_wide() {
                    return true;
                }
                self.pages += 1;
            }
            self.last_page = Some(page);
        }
        self.set.insert(id)
    }

    pub(crate) fn contains(&self, id: i64) -> bool {
        self.set.contains(id.cast_unsigned())
    }

    pub(crate) fn set(&self) -> &RoaringTreemap {
        &self.set
    }

    /// Whether more pages were met than the set has room for, so that it may lack ids.
    pub(crate) fn is_too_wide(&self) -> bool {
        self.pages > Self::PAGES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once() {
        let mut ids = Ids::default();
        for id in [0, 70_000, 5, i64::MAX] {
            assert!(ids.insert(id));
            assert!(!ids.insert(id));
            assert!(ids.contains(id));
        }
        assert!(!ids.contains(1) && !ids.is_too_wide());
    }

    #[test]
    fn ids_spread_beyond_reason_are_not_kept() {
        let mut ids = Ids::default();
        for page in 0..200_000 {
            ids.insert(page << 20);
        }
        assert!(ids.is_too_wide());
        assert!(ids.set().len() <= 1 + (1 << 16));
    }
}
