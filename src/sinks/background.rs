//! Work on the disk, on a thread of its own.

use std::io;
use std::thread::JoinHandle;

/// Work under way. Nobody goes on behind its back: dropping it waits for the end.
#[derive(Debug)]
pub(crate) struct Background<T>(Option<JoinHandle<io::Result<T>>>);

impl<T: Send + 'static> Background<T> {
    /// Starts `work` on a thread called `name`.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub fn start(name: &str, work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<Background<T>> {
        Ok(Background(Some(std::thread::Builder::new().name(name.into()).spawn(work)?)))
    }
}

impl<T> Background<T> {
    /// Whether [`Background::wait`] returns at once.
    pub fn is_finished(&self) -> bool {
        self.0.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// Those of the work.
    pub fn wait(mut self) -> io::Result<T> {
        let fault = || io::Error::other("the thread that syncs has a fault");
        self.0.take().ok_or_else(fault)?.join().unwrap_or_else(|_| Err(fault()))
    }
}

impl<T> Drop for Background<T> {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            let _ = thread.join();
        }
    }
}
