use std::sync::atomic::{AtomicU32, Ordering};

use goalpost_db::{Fault, Faults, Op};

/// Ends the process, as `kill -9` does, before a statement of a migration: nothing is said to anybody, nothing is tidied
/// up.
#[derive(Debug)]
pub struct DiesBefore(AtomicU32);

impl DiesBefore {
    /// Before the statement of this number; the first is 1.
    pub fn statement(number: u32) -> Self {
        Self(AtomicU32::new(number))
    }
}

impl Faults for DiesBefore {
    fn next(&self, _: Op) -> Fault {
        Fault::None
    }

    fn next_of_migration(&self) -> Fault {
        if self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::process::abort();
        }
        Fault::None
    }
}
