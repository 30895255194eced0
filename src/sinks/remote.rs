//! Any sink's files into an object store.
//!
//! The sink inside writes into a local folder; a file that has its final name there is sent to the same place below a
//! URL and then removed, while the next ones are written. What is settled is in the store after [`Sink::sync`].

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Done, Output, Settle, Sink, Stage, Staged, Sync, below};
use crate::objects::{Client, Uploads};

/// A file that says what the rows of an array are, while its run goes on.
const HELD: &str = ".tensors.zarr.json";
/// What is written last, and that no image's entry names.
const LAST: &str = "tensors.zarr/zarr.json";

/// Sends what another sink writes to a store.
pub struct RemoteSink {
    inner: Box<dyn Sink>,
    folder: PathBuf,
    uploads: Uploads,
    /// The file that was added last.
    last: String,
    held: bool,
}

impl RemoteSink {
    /// Sends the files that `inner` writes into `folder` to places below `target`.
    pub fn new(inner: Box<dyn Sink>, folder: impl Into<PathBuf>, target: Client) -> RemoteSink {
        RemoteSink { inner, folder: folder.into(), uploads: Uploads::new(target), last: String::new(), held: false }
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
    fn remove_longer(&self) -> io::Result<()> {
        let (Some((before, number, after)), true) = (numbered(&self.last), self.inner.format() != "npy") else {
            return Ok(());
        };
        let target = self.uploads.target();
        if !target.can_list() {
            return Ok(());
        }
        for (key, _) in target.list()? {
            let name = key.strip_prefix(target.key()).map(|name| name.trim_start_matches('/')).unwrap_or(&key);
            if let Some(found) = numbered(name)
                && (found.0, found.2) == (before, after)
                && found.1 > number
            {
                target.below(name).remove()?;
            }
        }
        Ok(())
    }
}

/// A shard's name around its number.
fn numbered(name: &str) -> Option<(&str, u64, &str)> {
    let start = ["shard-", "tensors.zarr/c/"].into_iter().find(|start| name.starts_with(start))?.len();
    let digits = name[start..].bytes().take_while(u8::is_ascii_digit).count();
    let number = name[start..start + digits].parse().ok()?;
    Some((&name[..start], number, &name[start + digits..]))
}

impl Sink for RemoteSink {
    fn format(&self) -> &'static str {
        self.inner.format()
    }

    fn stage(&self) -> Arc<dyn Stage> {
        self.inner.stage()
    }

    fn resume(&mut self, done: &Done) -> io::Result<u64> {
        if self.inner.format() != "zarr" {
            return self.inner.resume(done);
        }
        match self.uploads.target().below(HELD).read() {
            Ok(bytes) => std::fs::write(self.folder.join(HELD), bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A finished array that is taken up again: an input has changed.
                if let Ok(bytes) = self.uploads.target().below(LAST).read() {
                    std::fs::write(self.folder.join(HELD), bytes)?;
                }
            }
            Err(error) => return Err(error),
        }
        self.inner.resume(done)
    }

    fn write(&mut self, staged: Staged, settle: &mut Settle<'_>) -> io::Result<()> {
        self.sending(settle, |inner, settle| inner.write(staged, settle))
    }

    fn sync(&mut self) -> io::Result<Sync> {
        let held = self.folder.join(HELD);
        if !self.held && held.exists() {
            self.uploads.target().below(HELD).write(std::fs::read(held)?)?;
            self.held = true;
        }
        self.uploads.finish()?;
        Ok(Box::new(|| Ok(())))
    }

    fn finish(&mut self, settle: &mut Settle<'_>) -> io::Result<()> {
        self.sending(settle, |inner, settle| inner.finish(settle))?;
        self.uploads.finish()?;
        self.remove_longer()?;
        let last = below(&self.folder, LAST);
        if last.exists() {
            self.uploads.add(LAST, last)?;
            self.uploads.finish()?;
        }
        if self.inner.format() == "zarr" { self.uploads.target().below(HELD).remove() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_known_by_their_names() {
        assert_eq!(numbered("shard-000012.tar"), Some(("shard-", 12, ".tar")));
        assert_eq!(numbered("tensors.zarr/c/7/0/0/0"), Some(("tensors.zarr/c/", 7, "/0/0/0")));
        assert_eq!(numbered("photo-12.npy"), None);
        assert_eq!(numbered("shard-x.tar"), None);
    }
}
