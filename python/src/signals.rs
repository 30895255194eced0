//! Interrupts: a long call looks for signals now and then, on the thread that called.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jpegdct::corpus::{Entry, Observer};
use pyo3::prelude::*;

/// How often signals are looked for.
const INTERVAL: Duration = Duration::from_millis(20);

/// Looks for signals; the first that raises an exception is kept.
pub struct Signals(Mutex<State>);

struct State {
    looked: Instant,
    raised: Option<PyErr>,
}

impl Signals {
    pub fn new() -> Signals {
        Signals(Mutex::new(State { looked: Instant::now(), raised: None }))
    }

    /// Whether there was a signal that raised an exception. To be asked by the thread that called, without the interpreter.
    pub fn is_raised(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.raised.is_none() && state.looked.elapsed() >= INTERVAL {
            state.raised = Python::attach(|py| py.check_signals()).err();
            state.looked = Instant::now();
        }
        state.raised.is_some()
    }

    /// The exception, if there was one.
    pub fn result(self) -> PyResult<()> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).raised.map_or(Ok(()), Err)
    }
}

impl Observer for Signals {
    fn begin(&self, _inputs: usize, _done: usize) {}
    fn arrived(&self, _path: &str, _bytes: u64, _took: Duration) {}
    fn entry(&self, _entry: &Entry) {}
    fn is_stopped(&self) -> bool {
        self.is_raised()
    }
}
