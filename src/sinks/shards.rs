//! What formats of shards have in common: their names, when they are full, and how they are taken up again.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::file::{rename, sync_folder};
use super::{Done, below};

/// When a shard is full: whichever comes first. A shard holds one image at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardSize {
    /// Images. Default 1000.
    pub images: usize,
    /// Bytes of tensor data. Default 256 MiB. A safetensors shard is gathered in memory.
    pub bytes: u64,
}

impl Default for ShardSize {
    fn default() -> Self {
        ShardSize { images: 1000, bytes: 256 << 20 }
    }
}

/// The shards of one run: `shard-000000.EXTENSION` and so on.
#[derive(Debug)]
pub(super) struct Shards {
    folder: PathBuf,
    extension: &'static str,
    size: ShardSize,
    next: u64,
}

impl Shards {
    pub(super) fn new(folder: impl Into<PathBuf>, extension: &'static str, size: ShardSize) -> Shards {
        Shards { folder: folder.into(), extension, size, next: 0 }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The name of the shard that is being filled.
    pub(super) fn name(&self) -> String {
        format!("shard-{:06}.{}", self.next, self.extension)
    }

    /// Whether a shard of so many images and bytes takes no further image of `more` bytes.
    pub(super) fn is_full(&self, images: usize, bytes: u64, more: u64) -> bool {
        images > 0 && (images >= self.size.images || bytes.saturating_add(more) > self.size.bytes)
    }

    /// Gives a finished shard its name. It is on the disk before that, and its name when this returns.
    pub(super) fn close(&mut self, file: NamedTempFile) -> io::Result<()> {
        file.as_file().sync_all()?;
        rename(file.into_temp_path(), &below(&self.folder, &self.name()))?;
        sync_folder(&self.folder)?;
        self.next += 1;
        Ok(())
    }

    /// The last shard of an interrupted run may have been recorded in part: it is made again.
    pub(super) fn resume(&mut self, done: &Done) -> u64 {
        self.next = done.files.saturating_sub(1);
        done.images.saturating_sub(done.in_last_file)
    }

    /// Removes shards of an earlier run that had more of them: whoever reads all files of the folder would read both.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        loop {
            match std::fs::remove_file(below(&self.folder, &self.name())) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                result => result?,
            }
            self.next += 1;
        }
    }
}
