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

/// The shards of one run: `shard-000000.EXTENSION` and so on, or numbers between other names.
#[derive(Debug)]
pub(super) struct Shards {
    folder: PathBuf,
    prefix: String,
    digits: usize,
    suffix: String,
    size: ShardSize,
    next: u64,
}

impl Shards {
    pub(super) fn new(folder: impl Into<PathBuf>, extension: &str, size: ShardSize) -> Shards {
        Shards::named(folder, "shard-".into(), 6, format!(".{extension}"), size)
    }

    pub(super) fn named(
        folder: impl Into<PathBuf>,
        prefix: String,
        digits: usize,
        suffix: String,
        size: ShardSize,
    ) -> Shards {
        Shards { folder: folder.into(), prefix, digits, suffix, size, next: 0 }
    }

    #[cfg(feature = "zarr")]
    pub(super) fn set_suffix(&mut self, suffix: &str) {
        self.suffix = suffix.into();
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The name of the shard that is being filled.
    pub(super) fn name(&self) -> String {
        self.name_of(self.next)
    }

    /// The name of a shard by its number.
    pub(super) fn name_of(&self, number: u64) -> String {
        format!("{}{number:0digits$}{}", self.prefix, self.suffix, digits = self.digits)
    }

    /// Whether a shard of so many images and bytes takes no further image of `more` bytes.
    pub(super) fn is_full(&self, images: usize, bytes: u64, more: u64) -> bool {
        images > 0 && (images >= self.size.images || bytes.saturating_add(more) > self.size.bytes)
    }

    /// Gives a finished shard its name. It is on the disk before that, and its name when this returns.
    pub(super) fn close(&mut self, file: NamedTempFile) -> io::Result<()> {
        file.as_file().sync_all()?;
        let path = below(&self.folder, &self.name());
        rename(file.into_temp_path(), &path)?;
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.folder)) {
            sync_folder(folder)?;
        }
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
            let path = below(&self.folder, &self.name());
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                result => result?,
            }
            // Folders of its own go with it; one that holds more stays.
            let folders = path.ancestors().skip(1).take_while(|folder| **folder != self.folder);
            folders.map(std::fs::remove_dir).take_while(io::Result::is_ok).for_each(drop);
            self.next += 1;
        }
    }
}
