//! What is kept between requests by slices that [`crate::app`] does not know: one value of each type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Values by their types. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Kept(Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl Kept {
    /// The value of this type, made when it is asked for the first time.
    pub fn get<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = values.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        Arc::clone(value).downcast().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn all_get_the_same_value_of_a_type() {
        let kept = Kept::default();
        kept.clone().get::<AtomicU32>().store(7, Ordering::Relaxed);
        assert_eq!(kept.get::<AtomicU32>().load(Ordering::Relaxed), 7);
        assert_eq!(*kept.get::<String>(), "");
    }
}
