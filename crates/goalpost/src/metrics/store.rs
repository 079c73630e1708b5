//! What lies in the content store without being needed.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// What lies in the content store without being needed.
#[derive(Debug)]
pub struct Store {
    removed: Counter,
    removed_bytes: Counter,
    orphan_bytes: Gauge,
}

impl Store {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self {
            removed: Counter::default(),
            removed_bytes: Counter::default(),
            orphan_bytes: Gauge::default(),
        };
        registry.register(
            "store_orphans_removed",
            "Files removed because no export needed them",
            this.removed.clone(),
        );
        registry.register_with_unit(
            "store_orphans_removed",
            "Size of those files",
            Unit::Bytes,
            this.removed_bytes.clone(),
        );
        registry.register_with_unit(
            "store_orphans_left",
            "Size of the files that no export needs and that the last look could not remove",
            Unit::Bytes,
            this.orphan_bytes.clone(),
        );
        this
    }

    /// A file that nobody needed was removed.
    pub fn orphan_removed(&self, bytes: u64) {
        self.removed.inc();
        self.removed_bytes.inc_by(bytes);
    }

    /// A look through the store ended; so much of what nobody needs is still there.
    pub fn orphans_left(&self, bytes: u64) {
        self.orphan_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}
