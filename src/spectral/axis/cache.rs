//! A bounded, thread-safe cache of coefficient maps.
//!
//! What enters: a key that describes a map (sizes, steps, frequencies: whatever the caller hashes). What leaves: the map,
//! built again only after it was dropped. A corpus of equal sizes builds its maps once.
//!
//! Eviction is by two generations: new entries go to the young one; when that is full it becomes the old one and what was
//! old is dropped. An old entry that is asked for again becomes young. This keeps what is in use at the cost of one more
//! lookup, without a clock or a list.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use super::coefficient_map::CoefficientMap;

/// Coefficient maps by key. Share one by reference or in an `Arc`.
#[derive(Debug)]
pub struct MapCache<K> {
    generations: Mutex<Generations<K>>,
    entries: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Generations<K> {
    young: HashMap<K, Arc<CoefficientMap>>,
    young_bytes: usize,
    old: HashMap<K, Arc<CoefficientMap>>,
}

impl<K: Hash + Eq + Clone> Default for MapCache<K> {
    /// 256 maps, 64 MiB of them.
    fn default() -> Self {
        MapCache::new(256, 64 << 20)
    }
}

impl<K: Hash + Eq + Clone> MapCache<K> {
    /// A cache of at most `entries` maps and `bytes` bytes, whichever is reached first, except that each of the two
    /// generations holds one map however small the limits and however large the map.
    pub fn new(entries: usize, bytes: usize) -> MapCache<K> {
        let generations = Generations { young: HashMap::new(), young_bytes: 0, old: HashMap::new() };
        MapCache { generations: Mutex::new(generations), entries, bytes }
    }

    /// The map under `key`, from `build` if it is not there.
    ///
    /// `build` runs without the lock held. Two threads that miss at the same time both build, and both get the map that
    /// was stored first, so `build` must depend on nothing but the key.
    pub fn get_or_build(&self, key: &K, build: impl FnOnce() -> CoefficientMap) -> Arc<CoefficientMap> {
        if let Some(found) = self.lock().find(key, self.half()) {
            return found;
        }
        let built = Arc::new(build());
        let mut generations = self.lock();
        generations.find(key, self.half()).unwrap_or_else(|| {
            generations.insert(key.clone(), Arc::clone(&built), self.half());
            built
        })
    }

    /// Maps held now.
    pub fn len(&self) -> usize {
        let generations = self.lock();
        generations.young.len() + generations.old.len()
    }

    /// Whether no map is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What one generation may hold: entries, bytes.
    fn half(&self) -> (usize, usize) {
        (self.entries / 2, self.bytes / 2)
    }

    /// Maps are complete before they are stored, so a thread that panicked elsewhere left nothing half done.
    fn lock(&self) -> std::sync::MutexGuard<'_, Generations<K>> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Generations<K> {
    fn find(&mut self, key: &K, half: (usize, usize)) -> Option<Arc<CoefficientMap>> {
        if let Some(found) = self.young.get(key) {
            return Some(Arc::clone(found));
        }
        let (key, found) = self.old.remove_entry(key)?;
        self.insert(key, Arc::clone(&found), half);
        Some(found)
    }

    /// Adds a map whose key is in neither generation.
    fn insert(&mut self, key: K, map: Arc<CoefficientMap>, (entries, bytes): (usize, usize)) {
        let size = map.bytes();
        if !self.young.is_empty() && (self.young.len() >= entries || self.young_bytes + size > bytes) {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += size;
        self.young.insert(key, map);
    }
}

#[cfg(test)]
mod tests {
    use super::super::AxisMap;
    use super::*;

    fn identity(n: usize) -> CoefficientMap {
        CoefficientMap::new(&AxisMap::identity(n), 8)
    }

    #[test]
    fn builds_once_and_tells_keys_apart() {
        let cache = MapCache::default();
        let first = cache.get_or_build(&16, || identity(16));
        let again = cache.get_or_build(&16, || panic!("built twice"));
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(cache.get_or_build(&24, || identity(24)).blocks_out(), 3);
        assert_eq!(cache.len(), 2);
    }

    #[test]
    fn stays_within_its_entries_and_keeps_what_is_used() {
        let cache = MapCache::new(8, usize::MAX);
        let used = cache.get_or_build(&0, || identity(8));
        for key in 1..100 {
            cache.get_or_build(&key, || identity(8));
            let again = cache.get_or_build(&0, || panic!("a map in use was dropped"));
            assert!(Arc::ptr_eq(&used, &again));
            assert!(cache.len() <= 8);
        }
    }

    #[test]
    fn stays_within_its_bytes() {
        let size = identity(800).bytes();
        let cache = MapCache::new(1000, 4 * size);
        for key in 0..20 {
            cache.get_or_build(&key, || identity(800));
            assert!(cache.len() <= 4);
        }
        let tiny = MapCache::new(0, 0);
        tiny.get_or_build(&1, || identity(8));
        tiny.get_or_build(&2, || identity(8));
        assert_eq!(tiny.len(), 2);
    }

    #[test]
    fn threads_share_one_map() {
        let cache = MapCache::default();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| cache.get_or_build(&1, || identity(64)))).collect();
            for thread in threads {
                assert_eq!(*thread.join().expect("no thread panics"), identity(64));
            }
        });
        assert_eq!(cache.len(), 1);
    }
}
