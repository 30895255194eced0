//! Any sink's files into an object store.
//!
//! The sink inside writes into a local folder; a file that has its final name there is sent to the same place below a
//! URL and then removed, while the next ones are written. What is settled is in the store after [`Sink::sync`].

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Besides, Done, LeftOver, Output, Settle, Sink, Stage, Staged, Sync, below};
use crate::objects::{Client, Uploads};

/// Sends what another sink writes to a store.
pub struct RemoteSink {
    inner: Box<dyn Sink>,
    folder: PathBuf,
    uploads: Uploads,
    /// The file that was added last.
    last: String,
    /// Whether the store has what the run is taken up from.
    is_begun: bool,
}

impl RemoteSink {
    /// Sends the files that `inner` writes into `folder` to places below `target`.
    pub fn new(inner: Box<dyn Sink>, folder: impl Into<PathBuf>, target: Client) -> RemoteSink {
        RemoteSink { inner, folder: folder.into(), uploads: Uploads::new(target), last: String::new(), is_begun: false }
    }

    /// What another does, with the files that it settles sent off.
    fn sending(
        &mut self,
        settle: &mut Settle<'_>,
        act: impl FnOnce(&mut dyn Sink, &mut Settle<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut files = Vec::new();
        let last = &mut self.last;
        act(&mut *self.inner, &mut |ticket, result: Result<Vec<Output>, &io::Error>| {
            for output in result.iter().flatten() {
                if output.path != *last {
                    last.clone_from(&output.path);
                    files.push(output.path.clone());
                }
            }
            settle(ticket, result);
        })?;
        files.into_iter().try_for_each(|name| self.uploads.add(&name, below(&self.folder, &name)))
    }

    /// Removes shards of an earlier run that had more of them.
    fn remove_left_over(&self) -> io::Result<()> {
        let target = self.uploads.target();
        let Some(is_left_over) = self.inner.left_over().filter(|_| target.can_list()) else { return Ok(()) };
        for (key, _) in target.list()? {
            let name = key.strip_prefix(target.key()).map(|name| name.trim_start_matches('/')).unwrap_or(&key);
            if is_left_over(name) {
                target.below(name).remove()?;
            }
        }
        Ok(())
    }

    /// Brings a file from the store, if it is there.
    fn fetch(&self, name: &str) -> io::Result<()> {
        match self.uploads.target().below(name).read() {
            Ok(bytes) => {
                let path = below(&self.folder, name);
                std::fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
                std::fs::write(path, bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Sink for RemoteSink {
    fn format(&self) -> &'static str {
        self.inner.format()
    }

    fn stage(&self) -> Arc<dyn Stage> {
        self.inner.stage()
    }

    fn resume(&mut self, done: &Done) -> io::Result<u64> {
        let Besides { unfinished, last } = self.inner.besides();
        [unfinished, last].into_iter().flatten().try_for_each(|name| self.fetch(name))?;
        self.inner.resume(done)
    }

    fn write(&mut self, staged: Staged, settle: &mut Settle<'_>) -> io::Result<()> {
        self.sending(settle, |inner, settle| inner.write(staged, settle))
    }

    fn sync(&mut self) -> io::Result<Sync> {
        let Besides { unfinished, last } = self.inner.besides();
        if let (false, Some(name)) = (self.is_begun, unfinished)
            && let Ok(bytes) = std::fs::read(below(&self.folder, name))
        {
            let target = self.uploads.target();
            target.below(name).write(bytes)?;
            // Of a run before, which is not whole any more.
            last.map_or(Ok(()), |last| target.below(last).remove())?;
            self.is_begun = true;
        }
        self.uploads.finish()?;
        Ok(Box::new(|| Ok(())))
    }

    fn finish(&mut self, settle: &mut Settle<'_>) -> io::Result<()> {
        self.sending(settle, |inner, settle| inner.finish(settle))?;
        self.uploads.finish()?;
        self.remove_left_over()?;
        let Besides { unfinished, last } = self.inner.besides();
        if let Some(name) = last {
            let path = below(&self.folder, name);
            if path.exists() {
                self.uploads.add(name, path)?;
                self.uploads.finish()?;
            } else {
                self.uploads.target().below(name).remove()?;
            }
        }
        unfinished.map_or(Ok(()), |name| self.uploads.target().below(name).remove())
    }

    fn besides(&self) -> Besides {
        self.inner.besides()
    }

    fn left_over(&self) -> Option<LeftOver<'_>> {
        self.inner.left_over()
    }
}
