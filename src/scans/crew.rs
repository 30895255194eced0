//! Threads for one image.
//!
//! What enters: work that several threads can do together. What leaves: nothing before all of it is done. The calling thread is
//! one of them; the others wait from one image to the next. Without the feature `threads` it is alone.

use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(feature = "threads")]
use rayon::{Scope, ThreadPool, ThreadPoolBuilder};

/// Threads that wait for work.
#[derive(Debug, Default)]
pub(super) struct Crew {
    #[cfg(feature = "threads")]
    pool: Option<ThreadPool>,
}

impl Crew {
    /// Runs `work` on this thread.
    #[cfg(not(feature = "threads"))]
    pub fn run(&mut self, _threads: usize, work: impl Fn() + Sync) {
        work();
    }

    /// Runs `work` on this thread and at the same time on up to `threads` less one others, if there are any to be had. On a
    /// thread of a pool, these are the threads of that pool that have nothing else to do.
    #[cfg(feature = "threads")]
    pub fn run(&mut self, threads: usize, work: impl Fn() + Sync) {
        if threads < 2 {
            return work();
        }
        let is_worker = rayon::current_thread_index().is_some();
        if !is_worker && self.pool.as_ref().is_none_or(|pool| pool.current_num_threads() + 1 != threads) {
            self.pool = ThreadPoolBuilder::new().num_threads(threads - 1).build().ok();
        }
        let work = &work;
        match &self.pool {
            _ if is_worker => rayon::in_place_scope(|scope| everywhere(scope, threads, work)),
            Some(pool) => pool.in_place_scope(|scope| everywhere(scope, threads, work)),
            None => work(),
        }
    }
}

#[cfg(feature = "threads")]
fn everywhere<'scope, W: Fn() + Sync>(scope: &Scope<'scope>, threads: usize, work: &'scope W) {
    for _ in 1..threads {
        scope.spawn(move |_| work());
    }
    work();
}

/// What threads share. One that panicked leaves it as it was; the panic itself ends the work of all.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether so many blocks have so much data that several threads gain by it. An image that is almost flat is memory more than
/// it is codes, and leaves its thread's cache for the other one's.
pub(super) fn is_dense(bytes: usize, blocks: usize) -> bool {
    cfg!(debug_assertions) || bytes >= blocks
}
